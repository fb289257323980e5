/* Command lines: what is joined for a shell splits into the same words, and any line splits or says why not. */
#include "fuzz.h"

#include "base/mem.h"
#include "base/shell.h"
#include "base/str.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rt_error err = {0};
    char *line = rt_strndup((const char *)data, size);
    struct rt_strs words = {0}, again = {0};
    if (rt_split_words(line, &words, &err)) {
        if (words.n) { /* a list of none has no NULL at its end */
            char *joined = rt_shell_join((const char *const *)words.v);
            PROMISE(rt_split_words(joined, &again, &err));
            PROMISE(again.n == words.n);
            for (size_t i = 0; i < words.n; i++)
                PROMISE(strcmp(words.v[i], again.v[i]) == 0);
            free(joined);
        }
    } else {
        PROMISE(err.code != RT_OK && err.message[0]);
    }
    rt_strs_deinit(&words);
    rt_strs_deinit(&again);
    free(line);
    return 0;
}
