/* Tells errors and warnings from the rest by the words at the beginning of a line. It runs over every
 * line of a log, so it looks at each byte about once. */
#include "core/logbuf.h"
#include <ctype.h>
#include <string.h>

enum { LOOK_AT = 200 }; /* a level stands near the beginning, or there is none */

struct word {
    const char *s; /* the whole text */
    size_t n, from, to;
};

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static char after(const struct word *w) {
    return w->to < w->n ? w->s[w->to] : '\n';
}

static char before(const struct word *w) {
    return w->from > 0 ? w->s[w->from - 1] : '\n';
}

static bool is(const struct word *w, const char *text) {
    size_t len = strlen(text);
    return w->to - w->from == len && memcmp(w->s + w->from, text, len) == 0;
}

static bool is_any_case(const struct word *w, const char *text) {
    size_t len = strlen(text);
    if (w->to - w->from != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (tolower((unsigned char)w->s[w->from + i]) != text[i])
            return false;
    return true;
}

static bool ends(const struct word *w, const char *text) {
    size_t len = strlen(text);
    return w->to - w->from > len && memcmp(w->s + w->to - len, text, len) == 0;
}

/* -1: no word for a level. Plain is an answer too: "INFO ... ERROR" is no error. */
static int level_word(const struct word *w, bool any_case) {
    static const struct {
        const char *upper, *lower;
        enum rt_line_kind kind;
    } levels[] = {
        {"INFO", "info", RT_LINE_PLAIN},         {"DEBUG", "debug", RT_LINE_PLAIN},
        {"WARNING", "warning", RT_LINE_WARN},    {"WARN", "warn", RT_LINE_WARN},
        {"ERROR", "error", RT_LINE_ERROR},       {"CRITICAL", "critical", RT_LINE_ERROR},
        {"FATAL", "fatal", RT_LINE_ERROR},       {"TRACE", "trace", RT_LINE_PLAIN},
        {"NOTICE", "notice", RT_LINE_PLAIN},     {"SEVERE", "severe", RT_LINE_ERROR},
        {"ERR", "err", RT_LINE_ERROR},           {"CRIT", "crit", RT_LINE_ERROR},
        {"PANIC", "panic", RT_LINE_ERROR},       {"ALERT", "alert", RT_LINE_ERROR},
        {"EMERGENCY", "emergency", RT_LINE_ERROR},
    };
    size_t len = w->to - w->from;
    if (len < 3 || len > 9)
        return -1;
    for (size_t i = 0; i < RT_COUNT(levels); i++)
        if (any_case ? is_any_case(w, levels[i].lower) : is(w, levels[i].upper))
            return (int)levels[i].kind;
    return -1;
}

/* [error], level=error, "level": "error", error: */
static bool at_level_place(const struct word *w) {
    char b = before(w), a = after(w);
    if ((b == '[' && a == ']') || (b == '<' && a == '>'))
        return true;
    if (a == ':' && (b == '\n' || b == ' ' || b == '\t'))
        return true;
    if (b != '=' && b != '"' && b != '\'')
        return false;
    size_t i = w->from;
    while (i > 0 && strchr("=\"': ", w->s[i - 1]))
        i--;
    struct word key = {.s = w->s, .n = w->n, .from = i, .to = i};
    while (key.from > 0 && is_word(w->s[key.from - 1]))
        key.from--;
    return is_any_case(&key, "level") || is_any_case(&key, "levelname") || is_any_case(&key, "lvl") ||
           is_any_case(&key, "severity");
}

static int letter_kind(char c) {
    return c == 'E' || c == 'F' || c == 'C' ? (int)RT_LINE_ERROR
           : c == 'W'                       ? (int)RT_LINE_WARN
           : c == 'I' || c == 'D'           ? (int)RT_LINE_PLAIN
                                            : -1;
}

/* glog at the start ("E0102 10:00:00"), or a letter after the time ("10:00:00,123 E 12 34]"). */
static int letter(const struct word *w) {
    size_t len = w->to - w->from;
    if (len == 5 && after(w) == ' ' && is_digit(w->to + 1 < w->n ? w->s[w->to + 1] : 0) &&
        (w->from == 0 || before(w) == '[' || before(w) == ' ')) {
        for (size_t i = 1; i < 5; i++)
            if (!is_digit(w->s[w->from + i]))
                return -1;
        return letter_kind(w->s[w->from]);
    }
    const char *at = w->s + w->from; /* ":00,123 E 1" */
    if (len == 1 && w->from >= 8 && at[-1] == ' ' && is_digit(at[-2]) && (at[-5] == ',' || at[-5] == '.') &&
        at[-8] == ':' && after(w) == ' ' && w->to + 1 < w->n && is_digit(at[2]))
        return letter_kind(w->s[w->from]);
    return -1;
}

/* "ValueError: ...", "ray.exceptions.RayTaskError(ValueError): ...", "UserWarning: ...". */
static int thrown(const struct word *w) {
    char a = after(w);
    bool named = a == ':' || a == '(' || a == '\n' || a == '\r';
    if (named && (ends(w, "Error") || ends(w, "Exception") || (is(w, "Exception") && a == ':')))
        return (int)RT_LINE_ERROR;
    if (a == ':' && ends(w, "Warning"))
        return (int)RT_LINE_WARN;
    size_t left = w->n - w->to;
    const char *rest = w->s + w->to;
    if (is(w, "Traceback") && left >= 12 && memcmp(rest, " (most recent", RT_MIN(left, 13)) == 0)
        return (int)RT_LINE_ERROR;
    if (is(w, "Exception") && left >= 10 && memcmp(rest, " in thread", 10) == 0)
        return (int)RT_LINE_ERROR;
    if (is(w, "Segmentation") && left >= 6 && memcmp(rest, " fault", 6) == 0)
        return (int)RT_LINE_ERROR;
    return -1;
}

static int word_kind(const struct word *w) {
    char first = w->s[w->from];
    if (is_digit(first) || first == '_')
        return -1;
    int kind = level_word(w, false);
    if (kind < 0 && (first | 0x20) >= 'a' && at_level_place(w))
        kind = level_word(w, true);
    if (kind < 0 && first <= 'W')
        kind = letter(w);
    if (kind < 0 && first <= 'Z')
        kind = thrown(w);
    return kind;
}

static size_t skip_escape(const char *s, size_t n, size_t i) {
    i++;
    if (i >= n || s[i] != '[')
        return i;
    for (i++; i < n; i++)
        if (s[i] >= 0x40 && s[i] <= 0x7e)
            return i + 1;
    return n;
}

enum rt_line_kind rt_log_kind(const char *raw, size_t n) {
    struct word w = {.s = raw, .n = n};
    size_t end = RT_MIN(n, (size_t)LOOK_AT);
    for (size_t i = 0; i < end;) {
        if (raw[i] == 0x1b) {
            i = skip_escape(raw, n, i);
            continue;
        }
        if (!is_word(raw[i])) {
            i++;
            continue;
        }
        w.from = i;
        while (i < n && is_word(raw[i]) && i - w.from < LOOK_AT)
            i++;
        w.to = i;
        int kind = word_kind(&w);
        if (kind >= 0)
            return (enum rt_line_kind)kind;
    }
    return RT_LINE_PLAIN;
}
