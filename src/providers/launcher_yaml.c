/* YAML 1.1 as PyYAML reads it: `no` is a boolean there, 010 an eight. */
#include "providers/launcher_yaml.h"

#include "base/mem.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool among(const char *s, const char *const *words) {
    for (; *words; words++)
        if (strcmp(s, *words) == 0)
            return true;
    return false;
}

static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const trues[] = {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", NULL};
static const char *const falses[] = {"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", NULL};
static const char *const odd_floats[] = {".inf",  ".Inf",  ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
                                         "-.Inf", "-.INF", ".nan", ".NaN",  ".NAN",  NULL};

#define DIGITS "0123456789"

static bool all_of(const char *s, const char *set) {
    return *s && !s[strspn(s, set)];
}

/* 1:30 is ninety to YAML 1.1. */
static bool base_sixty(const char *s) {
    size_t n = strspn(s, DIGITS "_");
    if (!n || s[0] == '0' || s[0] == '_' || s[n] != ':')
        return false;
    for (s += n; *s == ':'; s += 1 + n) {
        n = strspn(s + 1, DIGITS);
        if (n < 1 || n > 2 || (n == 2 && s[1] > '5'))
            return false;
    }
    return !*s;
}

static bool is_int(const char *s) {
    s += *s == '-' || *s == '+';
    if (s[0] == '0' && s[1] == 'b')
        return all_of(s + 2, "01_");
    if (s[0] == '0' && s[1] == 'x')
        return all_of(s + 2, DIGITS "abcdefABCDEF_");
    if (s[0] == '0' && s[1])
        return all_of(s + 1, "01234567_");
    return base_sixty(s) || (*s != '_' && all_of(s, DIGITS "_"));
}

/* A point is wanted, and a sign in the exponent: 1e5 is a text. */
static bool is_float(const char *s) {
    if (among(s, odd_floats))
        return true;
    s += *s == '-' || *s == '+';
    const size_t whole = *s == '_' ? 0 : strspn(s, DIGITS "_");
    if (s[whole] != '.')
        return false;
    s += whole + 1;
    const size_t part = strspn(s, DIGITS "_");
    if (!whole && (!part || *s == '_'))
        return false;
    s += part;
    if (*s != 'e' && *s != 'E')
        return !*s;
    return (s[1] == '-' || s[1] == '+') && all_of(s + 2, DIGITS);
}

/* 2026-11-21, and with a time behind it. */
static bool is_date(const char *s) {
    static const char shape[] = "dddd-dd-dd";
    for (size_t i = 0; shape[i]; i++)
        if (shape[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != '-')
            return false;
    s += sizeof shape - 1;
    return !*s || ((*s == 'T' || *s == 't' || *s == ' ') && s[1] >= '0' && s[1] <= '9');
}

enum lkind launcher_kind(const struct rt_ynode *n) {
    if (n->kind != RT_Y_SCALAR)
        return n->kind == RT_Y_MAP ? L_MAP : L_LIST;
    if (n->quoted)
        return L_STR;
    if (among(n->text, nulls))
        return L_NULL;
    if (among(n->text, trues) || among(n->text, falses))
        return L_BOOL;
    if (is_int(n->text))
        return L_INT;
    if (is_float(n->text))
        return L_FLOAT;
    return is_date(n->text) ? L_DATE : L_STR;
}

const char *launcher_kind_name(enum lkind k) {
    static const char *const names[] = {"nothing", "a truth value", "a whole number", "a number", "a text", "a date", "a list", "a map"};
    return names[k];
}

/* Without the underscores that YAML 1.1 allows between digits. */
static char *plain_digits(const char *s) {
    char *out = rt_strdup(s), *to = out;
    for (; *s; s++)
        if (*s != '_')
            *to++ = *s;
    *to = '\0';
    return out;
}

static bool int_value(const char *text, int64_t *out) {
    char *s = plain_digits(text), *at = s + (*s == '-' || *s == '+'), *end;
    const int base = at[0] != '0' || !at[1] ? 10 : at[1] == 'x' ? 16 : at[1] == 'b' ? 2 : 8;
    int64_t v = 0;
    errno = 0;
    if (strchr(at, ':')) {
        for (end = at; *end && !errno; end += *end == ':')
            if (v > INT64_MAX / 120)
                errno = ERANGE;
            else
                v = v * 60 + strtoll(end, &end, 10);
    } else {
        v = strtoll(at + (base == 16 || base == 2 ? 2 : 0), &end, base);
    }
    const bool ok = errno == 0;
    *out = *s == '-' ? -v : v;
    free(s);
    return ok;
}

bool launcher_number(const struct rt_ynode *n, double *out) {
    int64_t i = 0;
    const enum lkind k = n ? launcher_kind(n) : L_NULL;
    if (k == L_INT && int_value(n->text, &i)) {
        *out = (double)i;
        return true;
    }
    if (k != L_FLOAT || among(n->text, odd_floats))
        return false;
    char *s = plain_digits(n->text);
    const bool ok = rt_parse_f64(s, out) || (rt_ends(s, ".") && (s[strlen(s) - 1] = '\0', rt_parse_f64(s, out)));
    free(s);
    return ok;
}

bool launcher_int(const struct rt_ynode *n, int64_t *out) {
    double d;
    if (n && launcher_kind(n) == L_INT)
        return int_value(n->text, out);
    if (!launcher_number(n, &d) || d != floor(d) || fabs(d) > 1e15)
        return false;
    *out = (int64_t)d;
    return true;
}

bool launcher_true(const struct rt_ynode *n) {
    return n && launcher_kind(n) == L_BOOL && among(n->text, trues);
}

const char *launcher_text(const struct rt_ynode *map, const char *key) {
    const struct rt_ynode *n = rt_ynode_get(map, key);
    return n && n->kind == RT_Y_SCALAR && launcher_kind(n) != L_NULL ? n->text : NULL;
}

bool launcher_empty(const struct rt_ynode *n) {
    double d;
    if (!n)
        return true;
    switch (launcher_kind(n)) {
    case L_NULL:
        return true;
    case L_BOOL:
        return !launcher_true(n);
    case L_STR:
        return !*n->text;
    case L_LIST:
    case L_MAP:
        return !n->n;
    default:
        return launcher_number(n, &d) && d == 0;
    }
}

/* ---- words ---- */

/* What stands in a file may hold anything. */
static void clean_text(char *out, size_t size, const char *fmt, va_list ap) RT_PRINTF(3, 0);
static void clean_text(char *out, size_t size, const char *fmt, va_list ap) {
    char text[500];
    vsnprintf(text, sizeof text, fmt, ap);
    rt_clean_to(out, size, text);
}

void launcher_problem(struct lwords *w, const struct rt_ynode *at, const char *hint, const char *fmt, ...) {
    struct rt_error err = {0};
    char text[500], clean_hint[300];
    va_list ap;
    va_start(ap, fmt);
    clean_text(text, sizeof text, fmt, ap);
    va_end(ap);
    rt_ynode_error(at, &err, "%s", text);
    if (hint && *hint)
        rt_error_hint(&err, "%s", rt_clean_to(clean_hint, sizeof clean_hint, hint));
    w->ok = false;
    if (w->problem)
        w->problem(w->ctx, &err);
}

void launcher_warning(struct lwords *w, const struct rt_ynode *at, const char *fmt, ...) {
    char text[500];
    va_list ap;
    va_start(ap, fmt);
    clean_text(text, sizeof text, fmt, ap);
    va_end(ap);
    if (at)
        rt_strs_addf(w->warnings, "%s:%d:%d: %s", at->file, at->line, at->column, text);
    else
        rt_strs_add(w->warnings, text);
}
