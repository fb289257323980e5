/* A line of a log on its way to the screen: whatever is in it, nothing acts on the terminal, and the spans
 * cover the text. */
#include "fuzz.h"

#include "base/str.h"
#include "core/logbuf.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    struct rt_span spans[8];
    struct rt_buf text;
    rt_buf_init(&text, 0);
    const char *raw = (const char *)data + 1;
    size_t max = data[0] % (RT_COUNT(spans) + 1), at = 0;
    size_t n = rt_log_clean(raw, size - 1, &text, spans, max);
    PROMISE(n <= max);
    for (size_t i = 0; i < n; i++) {
        PROMISE(spans[i].start == at && spans[i].len > 0);
        PROMISE(spans[i].fg >= -1 && spans[i].bg >= -1);
        at += spans[i].len;
    }
    PROMISE(max == 0 || at == text.len);
    PROMISE(rt_utf8_valid(rt_buf_str(&text), text.len));
    for (size_t i = 0; i < text.len;) {
        int32_t cp;
        i += rt_utf8_next(text.data + i, text.len - i, &cp);
        PROMISE(cp >= 0x20 && !(cp >= 0x7f && cp < 0xa0) && rt_cp_width(cp) >= 0);
        PROMISE(!(cp >= 0x202a && cp <= 0x202e) && !(cp >= 0x2066 && cp <= 0x2069));
    }
    PROMISE(rt_log_kind(raw, size - 1) <= RT_LINE_ERROR);
    PROMISE(rt_log_time(raw, size - 1) >= -1);
    rt_buf_deinit(&text);
    return 0;
}
