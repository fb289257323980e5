/* A line of a job's log on its way to the screen: colours become spans, everything else is harmless. */
#include "fuzz.h"

#include "base/str.h"
#include "core/logbuf.h"

enum { SPANS = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rt_buf text;
    struct rt_span spans[SPANS];
    const char *raw = (const char *)data;
    rt_buf_init(&text, 0);
    const size_t n = rt_log_clean(raw, size, &text, spans, SPANS);
    PROMISE(n <= SPANS);
    PROMISE(rt_utf8_valid(rt_buf_str(&text), text.len));
    for (size_t i = 0; i < text.len; i++)
        PROMISE((unsigned char)rt_buf_str(&text)[i] >= 0x20 && rt_buf_str(&text)[i] != 0x7f);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        PROMISE(spans[i].start >= at && spans[i].start + spans[i].len <= text.len);
        at = spans[i].start + spans[i].len;
    }
    rt_log_kind(raw, size);
    PROMISE(rt_log_time(raw, size) >= -1);
    rt_buf_deinit(&text);
    return 0;
}
