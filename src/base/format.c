/* How numbers, sizes, times and durations are shown. Independent of the locale. */
#include "base/str.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static char *unknown(char *out, size_t size) {
    snprintf(out, size, "-");
    return out;
}

char *rt_fmt_age(char *out, size_t size, int64_t ms) {
    static const struct {
        int64_t seconds;
        char unit;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    if (ms < 0)
        return unknown(out, size);

    int64_t s = ms / 1000;
    size_t u = 0;
    while (u < 3 && s < units[u].seconds)
        u++;
    long long major = s / units[u].seconds, minor = 0;
    if (u < 3)
        minor = s % units[u].seconds / units[u + 1].seconds;
    if (minor)
        snprintf(out, size, "%lld%c%lld%c", major, units[u].unit, minor, units[u + 1].unit);
    else
        snprintf(out, size, "%lld%c", major, units[u].unit);
    return out;
}

/* A decimal with '.' whatever LC_NUMERIC says; trailing zeros go. */
static void decimal(char *out, size_t size, double v, int places) {
    snprintf(out, size, "%.*f", places, v);
    char *point = strpbrk(out, ".,");
    if (!point)
        return;
    *point = '.';
    char *end = out + strlen(out);
    while (end > point + 1 && end[-1] == '0')
        *--end = '\0';
    if (end == point + 1)
        *point = '\0';
}

char *rt_fmt_bytes(char *out, size_t size, double bytes) {
    static const char units[] = "BKMGTPE";
    if (!(bytes >= 0) || isinf(bytes))
        return unknown(out, size);
    size_t u = 0;
    while (u + 2 < sizeof units && bytes >= 1023.5) {
        bytes /= 1024;
        u++;
    }
    char number[400];
    decimal(number, sizeof number, bytes, u > 0 && bytes < 99.95 ? 1 : 0);
    snprintf(out, size, "%s%c", number, units[u]);
    return out;
}

char *rt_fmt_count(char *out, size_t size, int64_t n) {
    char digits[24], text[40];
    snprintf(digits, sizeof digits, "%lld", (long long)n);
    size_t len = strlen(digits), used = 0;
    for (size_t i = 0; i < len; i++) {
        text[used++] = digits[i];
        size_t left = len - 1 - i;
        if (left && left % 3 == 0 && digits[i] != '-')
            text[used++] = ',';
    }
    text[used] = '\0';
    snprintf(out, size, "%s", text);
    return out;
}

char *rt_fmt_amount(char *out, size_t size, double v) {
    if (!isfinite(v))
        return unknown(out, size);
    char number[400];
    decimal(number, sizeof number, v, 2);
    snprintf(out, size, "%s", strcmp(number, "-0") == 0 ? "0" : number);
    return out;
}

static bool broken_down(int64_t wall_ms, bool local, struct tm *tm) {
    time_t t = (time_t)(wall_ms / 1000);
    if (wall_ms < 0)
        return false;
    if ((local ? localtime_r(&t, tm) : gmtime_r(&t, tm)) == NULL)
        return false;
    return tm->tm_year < 8100; /* the year keeps four digits */
}

const char *rt_plural(int64_t n) {
    return n == 1 ? "" : "s";
}

char *rt_fmt_clock(char *out, size_t size, int64_t wall_ms, int64_t now_wall_ms) {
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm t, now;
    if (!broken_down(wall_ms, true, &t) || !broken_down(now_wall_ms, true, &now))
        return unknown(out, size);
    if (t.tm_year != now.tm_year)
        snprintf(out, size, "%04d-%02d-%02d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
    else if (t.tm_yday != now.tm_yday)
        snprintf(out, size, "%s %02d", months[t.tm_mon], t.tm_mday);
    else
        snprintf(out, size, "%02d:%02d", t.tm_hour, t.tm_min);
    return out;
}

char *rt_fmt_iso(char *out, size_t size, int64_t wall_ms) {
    struct tm t;
    if (!broken_down(wall_ms, false, &t))
        return unknown(out, size);
    snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
             t.tm_hour, t.tm_min, t.tm_sec);
    return out;
}
