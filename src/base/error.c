/* Errors as values; see error.h. */
#include "base/error.h"
#include <stdio.h>
#include <string.h>

/* A message that did not fit ends on a whole character. */
static void trim_utf8(char *s, size_t size, int wanted) {
    if (wanted < 0 || (size_t)wanted < size)
        return;
    size_t n = strlen(s);
    size_t back = 0;
    while (back < n && back < 4 && ((unsigned char)s[n - 1 - back] & 0xC0) == 0x80)
        back++;
    if (back >= n)
        return;
    unsigned char lead = (unsigned char)s[n - 1 - back];
    size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (back + 1 < need)
        s[n - 1 - back] = '\0';
}

bool rt_error_set(struct rt_error *err, enum rt_code code, const char *fmt, ...) {
    /* Arguments may point into *err: compose aside. */
    char text[sizeof err->message];
    va_list ap;
    va_start(ap, fmt);
    int wanted = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    trim_utf8(text, sizeof text, wanted);
    err->code = code;
    memcpy(err->message, text, sizeof text);
    err->hint[0] = '\0';
    return false;
}

bool rt_error_wrap(struct rt_error *err, const char *fmt, ...) {
    char front[sizeof err->message];
    va_list ap;
    va_start(ap, fmt);
    int wanted = vsnprintf(front, sizeof front, fmt, ap);
    va_end(ap);
    trim_utf8(front, sizeof front, wanted);

    char text[sizeof err->message];
    wanted = snprintf(text, sizeof text, "%s: %s", front, err->message);
    trim_utf8(text, sizeof text, wanted);
    memcpy(err->message, text, sizeof text);
    return false;
}

bool rt_error_hint(struct rt_error *err, const char *fmt, ...) {
    char text[sizeof err->hint];
    va_list ap;
    va_start(ap, fmt);
    int wanted = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    trim_utf8(text, sizeof text, wanted);
    memcpy(err->hint, text, sizeof text);
    return false;
}

void rt_error_clear(struct rt_error *err) {
    *err = (struct rt_error){0};
}

static const struct {
    const char *name;
    int exit;
} codes[] = {
    [RT_OK] = {"ok", 0},
    [RT_E_FAILED] = {"failed", 1},
    [RT_E_CANCELLED] = {"cancelled", 1},
    [RT_E_USAGE] = {"usage", 64},
    [RT_E_CONFIG] = {"config", 78},
    [RT_E_NOT_FOUND] = {"not_found", 4},
    [RT_E_DENIED] = {"denied", 5},
    [RT_E_UNREACHABLE] = {"unreachable", 3},
    [RT_E_TIMEOUT] = {"timeout", 3},
    [RT_E_PROTOCOL] = {"protocol", 1},
    [RT_E_REMOTE] = {"remote", 1},
    [RT_E_CONFLICT] = {"conflict", 1},
    [RT_E_LIMIT] = {"limit", 1},
    [RT_E_IO] = {"io", 1},
    [RT_E_UNSUPPORTED] = {"unsupported", 1},
    [RT_E_BUSY] = {"busy", 1},
    [RT_E_PARTIAL] = {"partial", 6},
    [RT_E_INTERNAL] = {"internal", 1},
};

const char *rt_code_name(enum rt_code code) {
    return (size_t)code < RT_COUNT(codes) ? codes[code].name : "internal";
}

int rt_code_exit(enum rt_code code) {
    return (size_t)code < RT_COUNT(codes) ? codes[code].exit : 1;
}
