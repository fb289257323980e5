/* The time at the start of a log's line. Times without a zone are local, as programs write them. */
#include "core/logbuf.h"
#include <string.h>
#include <time.h>

enum { PREFIX_MAX = 160, DAY_MS = 86400000 };

/* A place in a text; reading past its end fails. */
struct at {
    const char *s;
    size_t n;
};

static bool digits(struct at *a, size_t count, int *out) {
    int v = 0;
    if (a->n < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (a->s[i] < '0' || a->s[i] > '9')
            return false;
        v = v * 10 + (a->s[i] - '0');
    }
    a->s += count;
    a->n -= count;
    *out = v;
    return true;
}

static bool one_of(struct at *a, const char *set) {
    if (a->n == 0 || a->s[0] == 0 || !strchr(set, a->s[0]))
        return false;
    a->s++;
    a->n--;
    return true;
}

/* ".123456" as milliseconds. */
static int fraction(struct at *a) {
    struct at b = *a;
    int ms = 0, scale = 100, d;
    if (!one_of(&b, ".,") || !digits(&b, 1, &d))
        return 0;
    do {
        ms += d * scale;
        scale /= 10;
    } while (digits(&b, 1, &d));
    *a = b;
    return ms;
}

static bool clock_time(struct at *a, struct tm *t, int *ms) {
    if (!digits(a, 2, &t->tm_hour) || !one_of(a, ":") || !digits(a, 2, &t->tm_min) || !one_of(a, ":") ||
        !digits(a, 2, &t->tm_sec))
        return false;
    *ms = fraction(a);
    return t->tm_hour < 24 && t->tm_min < 60 && t->tm_sec <= 60;
}

/* Days since the epoch of a date of the Gregorian calendar. */
static int64_t days(int year, int month, int day) {
    int64_t y = month <= 2 ? year - 1 : year, era = y / 400, in_era = y - era * 400;
    int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

/* Z, +02:00, -0500: minutes east; false when there is none. */
static bool zone(struct at *a, int *minutes) {
    struct at b = *a;
    int h, m;
    if (one_of(&b, "Z")) {
        *minutes = 0;
        return true;
    }
    bool west = b.n > 0 && b.s[0] == '-';
    if (!one_of(&b, "+-") || !digits(&b, 2, &h))
        return false;
    one_of(&b, ":");
    if (!digits(&b, 2, &m) || h > 15 || m > 59)
        return false;
    *minutes = (west ? -1 : 1) * (h * 60 + m);
    return true;
}

static int64_t utc_ms(const struct tm *t, int ms) {
    int64_t s = days(t->tm_year + 1900, t->tm_mon + 1, t->tm_mday) * 86400 + t->tm_hour * 3600 +
                t->tm_min * 60 + t->tm_sec;
    return s * 1000 + ms;
}

static int64_t local_ms(struct tm t, int ms) {
    t.tm_isdst = -1;
    time_t s = mktime(&t);
    return s < 0 ? -1 : (int64_t)s * 1000 + ms;
}

static bool good_date(const struct tm *t) {
    return t->tm_mon >= 0 && t->tm_mon < 12 && t->tm_mday >= 1 && t->tm_mday <= 31;
}

/* 2026-11-20T10:00:00.123Z, 2026-11-20 10:00:00,123, 2026/11/20 10:00:00 */
static int64_t full_date(struct at a) {
    struct tm t = {0};
    int ms = 0, east = 0;
    if (!digits(&a, 4, &t.tm_year) || !one_of(&a, "-/") || !digits(&a, 2, &t.tm_mon) ||
        !one_of(&a, "-/") || !digits(&a, 2, &t.tm_mday) || !one_of(&a, "T _") || !clock_time(&a, &t, &ms))
        return -1;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    if (t.tm_year < 70 || !good_date(&t))
        return -1;
    return zone(&a, &east) ? utc_ms(&t, ms) - (int64_t)east * 60000 : local_ms(t, ms);
}

/* A date without its year is the last one that is not in the future. */
static int64_t without_year(struct tm t, int ms) {
    int64_t now = rt_wall_ms();
    time_t s = (time_t)(now / 1000);
    struct tm today;
    if (!good_date(&t) || !localtime_r(&s, &today))
        return -1;
    t.tm_year = today.tm_year;
    int64_t got = local_ms(t, ms);
    if (got > now + DAY_MS) {
        t.tm_year--;
        got = local_ms(t, ms);
    }
    return got;
}

/* glog: I1120 10:00:00.123456 */
static int64_t glog(struct at a) {
    struct tm t = {0};
    int ms = 0;
    if (!one_of(&a, "IWEFD") || !digits(&a, 2, &t.tm_mon) || !digits(&a, 2, &t.tm_mday) ||
        !one_of(&a, " ") || !clock_time(&a, &t, &ms))
        return -1;
    t.tm_mon -= 1;
    return without_year(t, ms);
}

/* 11-20 10:00:00 */
static int64_t month_day(struct at a) {
    struct tm t = {0};
    int ms = 0;
    if (!digits(&a, 2, &t.tm_mon) || !one_of(&a, "-/") || !digits(&a, 2, &t.tm_mday) ||
        !one_of(&a, " ") || !clock_time(&a, &t, &ms))
        return -1;
    t.tm_mon -= 1;
    return without_year(t, ms);
}

/* Nov 20 10:00:00 */
static int64_t syslog_time(struct at a) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm t = {0};
    int ms = 0;
    if (a.n < 15 || a.s[3] != ' ')
        return -1;
    for (t.tm_mon = 0; t.tm_mon < 12 && memcmp(months + t.tm_mon * 3, a.s, 3) != 0;)
        t.tm_mon++;
    a.s += 4;
    a.n -= 4;
    bool two = !one_of(&a, " ");
    if (!digits(&a, two ? 2 : 1, &t.tm_mday) || !one_of(&a, " ") || !clock_time(&a, &t, &ms))
        return -1;
    return without_year(t, ms);
}

static bool is_word(char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* 1795229370.97 or 1795229370123: from 2001 to 2286. */
static int64_t epoch(struct at a) {
    int high, low, ms = 0;
    if (a.n == 0 || a.s[0] == '0' || !digits(&a, 5, &high) || !digits(&a, 5, &low))
        return -1;
    if (!digits(&a, 3, &ms))
        ms = fraction(&a);
    if (a.n > 0 && (is_word(a.s[0]) || a.s[0] == '_'))
        return -1;
    return ((int64_t)high * 100000 + low) * 1000 + ms;
}

static size_t skip_colour(const char *s, size_t n) {
    if (n < 2 || s[0] != 0x1b || s[1] != '[')
        return 0;
    for (size_t i = 2; i < n; i++)
        if (s[i] >= 0x40 && s[i] <= 0x7e)
            return i + 1;
    return 0;
}

/* A word's beginning may be that of a time; the forms without a year only count near the start. */
static int64_t time_here(struct at a, bool near, bool first) {
    int64_t ms = full_date(a);
    if (ms < 0 && near)
        ms = month_day(a);
    if (ms < 0 && near)
        ms = glog(a);
    if (ms < 0 && near)
        ms = syslog_time(a);
    if (ms < 0 && first)
        ms = epoch(a);
    return ms;
}

/* The prefix that Ray puts before a worker's line, "(train pid=12, ip=10.0.0.1) ", does not count as
 * text before the time. */
static size_t skip_prefix(const char *s, size_t n) {
    if (n == 0 || s[0] != '(')
        return 0;
    const char *end = memchr(s, ')', RT_MIN(n, (size_t)PREFIX_MAX));
    if (!end)
        return 0;
    size_t i = (size_t)(end - s) + 1;
    for (size_t k; (k = skip_colour(s + i, n - i)) > 0;)
        i += k;
    return i < n && s[i] == ' ' ? i + 1 : i;
}

int64_t rt_log_time(const char *raw, size_t n) {
    size_t i = 0, words = 0;
    for (size_t k; (k = skip_colour(raw + i, n - i)) > 0;)
        i += k;
    i += skip_prefix(raw + i, n - i);
    size_t start = i, end = RT_MIN(n, i + PREFIX_MAX);
    bool edge = true;
    while (i < end) {
        size_t k = skip_colour(raw + i, n - i);
        if (k > 0) {
            i += k;
            continue;
        }
        char c = raw[i];
        bool word = is_word(c);
        if (word && edge) {
            int64_t ms = time_here((struct at){raw + i, n - i}, i - start < 24, words == 0);
            if (ms >= 0)
                return ms;
            words++;
        }
        edge = !word && c != '-' && c != '.' && c != '/' && c != '_';
        i++;
    }
    return -1;
}
