/* .gitignore patterns, which must not take for ever either: the first line is a path, the rest the file. */
#include "fuzz.h"

#include "base/mem.h"
#include "ray/package.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *end = memchr(data, '\n', size);
    if (!end || end == data || size > 4096)
        return 0;
    char *path = rt_strndup((const char *)data, (size_t)(end - data));
    char *text = rt_strndup((const char *)end + 1, size - (size_t)(end - data) - 1);
    struct rt_ignore *g = rt_ignore_create();
    rt_ignore_add(g, "", text);
    rt_ignore_add(g, "sub/", text);
    rt_ignored(g, path, false);
    rt_ignored(g, path, true);
    rt_ignore_destroy(g);
    free(path);
    free(text);
    return 0;
}
