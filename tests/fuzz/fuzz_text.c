/* Numbers, durations, sizes, command lines and orders that somebody typed; the first line and the
 * rest. */
#include "fuzz.h"

#include "base/mem.h"
#include "base/shell.h"
#include "base/str.h"
#include <math.h>
#include <string.h>

static void numbers(const char *s) {
    struct rt_error err = {0};
    int64_t i;
    double d;
    if (rt_parse_f64(s, &d))
        PROMISE(isfinite(d));
    if (rt_parse_i64(s, &i))
        PROMISE(rt_parse_f64(s, &d) || strlen(s) > 100);
    if (rt_parse_duration(s, &i, &err))
        PROMISE(i >= 0);
    if (rt_parse_size(s, &i, &err))
        PROMISE(i >= 0);
}

/* Words that were split come back when they are joined and split again. */
static void words(const char *line) {
    struct rt_strs first = {0}, again = {0};
    struct rt_error err = {0};
    if (rt_split_words(line, &first, &err) && first.n) {
        const char **list = rt_alloc((first.n + 1) * sizeof *list);
        for (size_t i = 0; i < first.n; i++)
            list[i] = first.v[i];
        char *joined = rt_shell_join(list);
        PROMISE(rt_split_words(joined, &again, &err));
        PROMISE(again.n == first.n);
        for (size_t i = 0; i < first.n; i++)
            PROMISE(rt_streq(first.v[i], again.v[i]));
        free(joined);
        free(list);
    }
    rt_strs_deinit(&first);
    rt_strs_deinit(&again);
}

static int sign(int v) {
    return (v > 0) - (v < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    size_t n = end ? (size_t)(end - data) : size;
    char *a = rt_strndup((const char *)data, n);
    char *b = end ? rt_strndup((const char *)end + 1, size - n - 1) : rt_strdup("");
    numbers(a);
    words(a);
    words(b);
    PROMISE(sign(rt_natcmp(a, b)) == -sign(rt_natcmp(b, a)));
    PROMISE((rt_natcmp(a, b) == 0) == rt_streq(a, b));
    PROMISE(rt_fuzzy_i(a, b) || !rt_contains_i(a, b));
    const char *const known[] = {b, "partition", NULL};
    const char *near = rt_nearest(a, known);
    PROMISE(near == NULL || near == known[0] || near == known[1]);
    free(a);
    free(b);
    return 0;
}
