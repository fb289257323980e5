/* Cells of tables and members of JSON objects. */
#include "core/cells.h"

#include "base/decode.h"
#include "base/shell.h"
#include "base/str.h"
#include <math.h>

void rt_cell_text(struct rt_buf *out, const char *s) {
    if (!s || !*s)
        rt_buf_addc(out, '-');
    else
        rt_clean(out, s, strlen(s));
}

void rt_cell_line(struct rt_buf *out, const char *line) {
    struct rt_buf readable;
    if (!line || !strchr(line, '\'')) {
        rt_cell_text(out, line);
        return;
    }
    rt_buf_init(&readable, 0);
    rt_shell_readable(&readable, line);
    rt_cell_text(out, rt_buf_str(&readable));
    rt_buf_deinit(&readable);
}

void rt_cell_age(struct rt_buf *out, int64_t ms) {
    char text[32];
    rt_buf_adds(out, rt_fmt_age(text, sizeof(text), ms));
}

/* Clocks differ a little between machines: what begins in the future began now. */
void rt_cell_since(struct rt_buf *out, int64_t from_ms, int64_t now_ms) {
    rt_cell_age(out, from_ms <= 0 ? -1 : RT_MAX(now_ms - from_ms, 0));
}

void rt_cell_clock(struct rt_buf *out, int64_t wall_ms, int64_t now_ms) {
    char text[32];
    if (wall_ms <= 0)
        rt_buf_addc(out, '-');
    else
        rt_buf_adds(out, rt_fmt_clock(text, sizeof(text), wall_ms, now_ms));
}

void rt_cell_bytes(struct rt_buf *out, double bytes) {
    char text[32];
    rt_buf_adds(out, rt_fmt_bytes(text, sizeof(text), bytes));
}

void rt_cell_count(struct rt_buf *out, int64_t n) {
    char text[32];
    if (n < 0)
        rt_buf_addc(out, '-');
    else
        rt_buf_adds(out, rt_fmt_count(text, sizeof(text), n));
}

void rt_cell_percent(struct rt_buf *out, double percent) {
    if (percent < 0)
        rt_buf_addc(out, '-');
    else
        rt_buf_addf(out, "%.0f%%", percent);
}

const char *rt_last_line(const char *s, size_t *n) {
    const char *end = s + strlen(s), *line;
    while (end > s && (end[-1] == '\n' || end[-1] == ' '))
        end--;
    for (line = end; line > s && line[-1] != '\n';)
        line--;
    *n = (size_t)(end - line);
    return line;
}

/* Below 9e15 a double holds whole numbers exactly, and an int64_t holds them too. */
static bool is_whole(double v) {
    return v >= 0 && v < 9e15 && !(v > (double)(int64_t)v);
}

static void add_amount(struct rt_buf *out, double v) {
    char text[32];
    if (v < 0)
        rt_buf_addc(out, '?');
    else if (v >= 1000) /* parts of one are noise there */
        rt_buf_adds(out, rt_fmt_count(text, sizeof(text), rt_i64_within(v + 0.5)));
    else
        rt_buf_adds(out, rt_fmt_amount(text, sizeof(text), v));
}

void rt_cell_amounts(struct rt_buf *out, double used, double total) {
    rt_cell_claims(out, used, 0, total);
}

void rt_cell_claims(struct rt_buf *out, double used, double reserved, double total) {
    if (used < 0 && total < 0) {
        rt_buf_addc(out, '-');
        return;
    }
    add_amount(out, used);
    if (reserved > 0) {
        rt_buf_addc(out, '+');
        add_amount(out, reserved);
    }
    rt_buf_addc(out, '/');
    add_amount(out, total);
}

void rt_cell_bytes_of(struct rt_buf *out, double used, double total) {
    if (used < 0 && total < 0) {
        rt_buf_addc(out, '-');
        return;
    }
    if (used < 0)
        rt_buf_addc(out, '?');
    else
        rt_cell_bytes(out, used);
    if (total < 0)
        return;
    rt_buf_addc(out, '/');
    rt_cell_bytes(out, total);
}

int rt_order_i64(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

int rt_order_f64(double a, double b) {
    return (a > b) - (a < b);
}

json_t *rt_json_text(const char *s) {
    if (!s)
        return json_null();
    json_t *v = json_string(s);
    if (v)
        return v;
    struct rt_buf clean;
    rt_buf_init(&clean, 0);
    rt_clean(&clean, s, strlen(s));
    v = json_string(rt_buf_str(&clean));
    rt_buf_deinit(&clean);
    return v ? v : json_null();
}

void rt_put_text(json_t *o, const char *key, const char *s) {
    json_object_set_new(o, key, rt_json_text(s));
}

void rt_put_i64(json_t *o, const char *key, int64_t v) {
    json_object_set_new(o, key, v < 0 ? json_null() : json_integer(v));
}

void rt_put_time(json_t *o, const char *key, int64_t wall_ms) {
    rt_put_i64(o, key, wall_ms <= 0 ? -1 : wall_ms);
}

/* Whole numbers stay whole: 8, not 8.0. */
void rt_put_f64(json_t *o, const char *key, double v) {
    json_t *n = NULL;
    if (!(v >= 0) || !isfinite(v))
        n = json_null();
    else if (is_whole(v))
        n = json_integer((json_int_t)v);
    else
        n = json_real(v);
    json_object_set_new(o, key, n);
}

void rt_put_bytes(json_t *o, const char *key, double v) {
    rt_put_f64(o, key, v >= 0 && v < 9e15 ? (double)(int64_t)v : -1);
}

void rt_put_bool(json_t *o, const char *key, bool v) {
    json_object_set_new(o, key, json_boolean(v));
}

void rt_put_kvs(json_t *o, const char *key, const struct rt_kvs *l) {
    json_t *map = json_object();
    for (size_t i = 0; i < l->n; i++)
        rt_put_text(map, l->v[i].key, l->v[i].value);
    json_object_set_new(o, key, map);
}

void rt_put_amounts(json_t *o, const char *key, const struct rt_amounts *l) {
    json_t *map = json_object();
    for (size_t i = 0; i < l->n; i++) {
        json_t *one = json_object();
        rt_put_f64(one, "used", l->v[i].used);
        rt_put_f64(one, "total", l->v[i].total);
        if (rt_amounts_reserved(l, &l->v[i]) > 0)
            rt_put_f64(one, "reserved", rt_amounts_reserved(l, &l->v[i]));
        json_object_set_new(map, l->v[i].name, one);
    }
    json_object_set_new(o, key, map);
}

void rt_put_error(json_t *o, const char *key, const struct rt_error *err) {
    if (err->code == RT_OK) {
        json_object_set_new(o, key, json_null());
        return;
    }
    json_t *e = json_object();
    rt_put_text(e, "code", rt_code_name(err->code));
    rt_put_text(e, "message", err->message);
    rt_put_text(e, "hint", err->hint[0] ? err->hint : NULL);
    json_object_set_new(o, key, e);
}
