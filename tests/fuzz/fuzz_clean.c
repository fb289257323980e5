/* Text from a cluster on its way to the terminal: what comes out is harmless, and as wide as it says. */
#include "fuzz.h"

#include "base/str.h"
#include <string.h>

static void harmless(const char *s, size_t n) {
    PROMISE(rt_utf8_valid(s, n));
    for (size_t i = 0; i < n; i++)
        PROMISE((unsigned char)s[i] >= 0x20 && s[i] != 0x7f);
    for (size_t at = 0; at < n;) {
        int32_t cp;
        at += rt_utf8_next(s + at, n - at, &cp);
        PROMISE(rt_cp_width(cp) >= 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    int cols = data[0] % 40;
    struct rt_buf clean, fit;
    rt_buf_init(&clean, 0);
    rt_buf_init(&fit, 0);
    rt_clean(&clean, (const char *)data + 1, size - 1);
    harmless(rt_buf_str(&clean), clean.len);
    for (int cut = RT_CUT_RIGHT; cut <= RT_CUT_MIDDLE; cut++) {
        rt_buf_clear(&fit);
        int used = rt_fit(&fit, rt_buf_str(&clean), cols, (enum rt_cut)cut, data[0] & 0x80);
        PROMISE(used >= 0 && used <= cols);
        PROMISE(rt_width(rt_buf_str(&fit), fit.len) == used);
        harmless(rt_buf_str(&fit), fit.len);
    }
    char small[16];
    char *text = malloc(size);
    PROMISE(text);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    rt_clean_to(small, sizeof small, text);
    PROMISE(memchr(small, 0, sizeof small));
    harmless(small, strlen(small));
    free(text);
    rt_buf_deinit(&clean);
    rt_buf_deinit(&fit);
    return 0;
}
