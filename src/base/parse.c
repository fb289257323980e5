/* How numbers, durations, sizes and command lines are read. Independent of the locale. */
#include "base/mem.h"
#include "base/str.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool digit(char c) {
    return c >= '0' && c <= '9';
}

bool rt_parse_i64(const char *s, int64_t *out) {
    if (!s || !(digit(s[0]) || ((s[0] == '-' || s[0] == '+') && digit(s[1]))))
        return false;
    char *end;
    errno = 0;
    long long v = strtoll(s, &end, 10);
    if (errno || *end)
        return false;
    *out = v;
    return true;
}

/* Reads [sign] digits [. digits] [e digits]; gives where it ends, or NULL. By hand, because strtod
 * follows LC_NUMERIC and takes hexadecimal, "inf" and "nan" too. */
static const char *number_end(const char *s) {
    if (*s == '-' || *s == '+')
        s++;
    const char *start = s;
    while (digit(*s))
        s++;
    size_t digits = (size_t)(s - start);
    if (*s == '.') {
        start = ++s;
        while (digit(*s))
            s++;
        digits += (size_t)(s - start);
    }
    if (digits == 0)
        return NULL;
    if (*s == 'e' || *s == 'E') {
        const char *e = s + 1;
        if (*e == '-' || *e == '+')
            e++;
        if (digit(*e)) {
            while (digit(*e))
                e++;
            s = e;
        }
    }
    return s;
}

/* strtod of a text that number_end measured; the point is put as the locale wants it. */
static bool number_value(const char *s, size_t n, double *out) {
    char text[128];
    if (n >= sizeof text)
        return false;
    memcpy(text, s, n);
    text[n] = '\0';
    char *end;
    double v = strtod(text, &end);
    char *point = strchr(text, '.');
    if (*end && point) {
        *point = ',';
        v = strtod(text, &end);
    }
    if (*end || !isfinite(v))
        return false;
    *out = v;
    return true;
}

bool rt_parse_f64(const char *s, double *out) {
    const char *end = s ? number_end(s) : NULL;
    return end && *end == '\0' && number_value(s, (size_t)(end - s), out);
}

/* Digits [. digits] at *s, not negative, no exponent; moves behind it. */
static bool amount(const char **s, double *out) {
    const char *end = *s;
    while (digit(*end) || *end == '.')
        end++;
    const char *whole = number_end(*s);
    if (!digit(**s) || !whole || end < *s + 1 || whole < end)
        return false;
    if (!number_value(*s, (size_t)(end - *s), out))
        return false;
    *s = end;
    return true;
}

static const char duration_hint[] = "write 90s, 15m, 4h, 2d, 1h30m, HH:MM:SS or D-HH:MM:SS";

static bool bad_duration(const char *s, struct rt_error *err) {
    char shown[80];
    rt_error_set(err, RT_E_USAGE, "\"%s\" is no duration", rt_clean_to(shown, sizeof shown, s));
    return rt_error_hint(err, "%s", duration_hint);
}

/* [D-]HH[:MM[:SS]] or MM:SS, as batch systems write a time limit. */
static bool clock_duration(const char *s, int64_t *ms) {
    int64_t part[3] = {0}, days = 0;
    size_t n = 0;
    const char *dash = strchr(s, '-');
    if (dash) {
        char text[24];
        size_t len = (size_t)(dash - s);
        if (len >= sizeof text)
            return false;
        memcpy(text, s, len);
        text[len] = '\0';
        if (!digit(text[0]) || !rt_parse_i64(text, &days) || days > 1000000)
            return false;
        s = dash + 1;
    }
    for (;;) {
        if (n == 3 || !digit(*s))
            return false;
        for (; digit(*s); s++) {
            part[n] = part[n] * 10 + (*s - '0');
            if (part[n] > 100000000)
                return false;
        }
        n++;
        if (*s == '\0')
            break;
        if (*s++ != ':')
            return false;
    }
    if (!dash && n == 1)
        return false;
    int64_t h = part[0], m = part[1], sec = part[2];
    if (!dash && n == 2)
        h = 0, m = part[0], sec = part[1];
    *ms = (((days * 24 + h) * 60 + m) * 60 + sec) * 1000;
    return true;
}

/* Milliseconds of the unit at *s; moves behind it. 0 when it is none. */
static double duration_unit(const char **s) {
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}, {"w", 6.048e8}};
    size_t n = strspn(*s, "abcdefghijklmnopqrstuvwxyz");
    for (size_t i = 0; i < RT_COUNT(units); i++)
        if (n == strlen(units[i].name) && memcmp(*s, units[i].name, n) == 0) {
            *s += n;
            return units[i].ms;
        }
    return 0;
}

bool rt_parse_duration(const char *s, int64_t *ms, struct rt_error *err) {
    if (!s || !digit(*s))
        return bad_duration(s, err);
    if (strchr(s, ':') || strchr(s, '-'))
        return clock_duration(s, ms) || bad_duration(s, err);

    double total = 0, last_unit = INFINITY;
    for (const char *p = s; *p;) {
        double v;
        if (!amount(&p, &v))
            return bad_duration(s, err);
        double unit = *p == '\0' && last_unit == INFINITY ? 1e3 : duration_unit(&p);
        if (unit == 0 || unit >= last_unit)
            return bad_duration(s, err);
        last_unit = unit;
        total += v * unit;
    }
    if (total > 1e15)
        return bad_duration(s, err);
    *ms = (int64_t)(total + 0.5);
    return true;
}

static bool bad_size(const char *s, struct rt_error *err) {
    char shown[80];
    rt_error_set(err, RT_E_USAGE, "\"%s\" is no size", rt_clean_to(shown, sizeof shown, s));
    return rt_error_hint(err, "write 512MiB, 2GiB, 1.5G or a number of bytes");
}

/* K and KiB are 1024, KB is 1000. */
static bool size_factor(const char *unit, double *factor) {
    static const char letters[] = "KMGTPE";
    *factor = 1;
    if (*unit == '\0' || strcmp(unit, "B") == 0 || strcmp(unit, "b") == 0)
        return true;
    char c = *unit == 'k' || (*unit >= 'm' && *unit <= 'z') || *unit == 'g' || *unit == 'e'
                 ? (char)(*unit - 'a' + 'A')
                 : *unit;
    const char *at = strchr(letters, c);
    if (!at)
        return false;
    const char *rest = unit + 1;
    bool decimal = strcmp(rest, "B") == 0 || strcmp(rest, "b") == 0;
    if (!decimal && *rest && strcmp(rest, "i") != 0 && strcmp(rest, "iB") != 0 &&
        strcmp(rest, "ib") != 0)
        return false;
    for (const char *l = letters; l <= at; l++)
        *factor *= decimal ? 1000 : 1024;
    return true;
}

bool rt_parse_size(const char *s, int64_t *bytes, struct rt_error *err) {
    double v, factor;
    const char *p = s;
    if (!s || !amount(&p, &v))
        return bad_size(s, err);
    if (*p == ' ')
        p++;
    if (!size_factor(p, &factor) || v * factor > 9e18)
        return bad_size(s, err);
    *bytes = (int64_t)(v * factor + 0.5);
    return true;
}

/* Adds what the quote at *s encloses; moves behind the closing one. */
static bool quoted(const char **s, struct rt_buf *word) {
    char quote = *(*s)++;
    while (**s && **s != quote) {
        if (quote == '"' && **s == '\\' && (*s)[1] && strchr("$`\"\\\n", (*s)[1])) {
            ++*s;
            if (**s == '\n') {
                ++*s;
                continue;
            }
        }
        rt_buf_addc(word, *(*s)++);
    }
    if (!**s)
        return false;
    ++*s;
    return true;
}

/* One word at *s, which is no blank. */
static bool word_at(const char **s, struct rt_buf *word, struct rt_error *err) {
    while (**s && !strchr(" \t\r\n", **s)) {
        if (**s == '\'' || **s == '"') {
            char quote = **s;
            if (!quoted(s, word))
                return rt_error_set(err, RT_E_USAGE, "a quote (%c) is not closed", quote);
        } else if (**s == '\\') {
            ++*s;
            if (!**s)
                return rt_error_set(err, RT_E_USAGE, "nothing follows the last backslash");
            if (**s != '\n')
                rt_buf_addc(word, **s);
            ++*s;
        } else {
            rt_buf_addc(word, *(*s)++);
        }
    }
    return true;
}

bool rt_split_words(const char *line, struct rt_strs *out, struct rt_error *err) {
    struct rt_strs words = {0};
    bool ok = true;
    for (const char *s = line; ok;) {
        s += strspn(s, " \t\r\n");
        if (s[0] == '\\' && s[1] == '\n') {
            s += 2;
            continue;
        }
        if (!*s)
            break;
        struct rt_buf word;
        rt_buf_init(&word, 0);
        ok = word_at(&s, &word, err);
        rt_strs_take(&words, rt_buf_take(&word));
    }
    if (ok)
        rt_strs_copy(out, &words);
    rt_strs_deinit(&words);
    return ok;
}
