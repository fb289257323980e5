#include "cli/out.h"
#include "base/vec.h"
#include "net/loop.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool out_kind(const char *word, enum rt_out_kind *kind) {
    static const char *const words[] = {"table", "wide", "json", "yaml"};
    for (size_t i = 0; i < RT_COUNT(words); i++) {
        if (rt_streq(word, words[i])) {
            *kind = (enum rt_out_kind)i;
            return true;
        }
    }
    return false;
}

bool out_color(const char *option) {
    const char *no = getenv("NO_COLOR");
    if (no && *no)
        return false;
    if (rt_streq(option, "always"))
        return true;
    return !rt_streq(option, "never") && isatty(STDOUT_FILENO);
}

/* The width of the terminal; 0: not one, nothing is cut. */
static int screen_width(void) {
    struct winsize ws;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) != 0)
        return 0;
    return ws.ws_col;
}

/* ---- rows: filter and order ---- */

struct row {
    const void *v;
    const struct rt_row_env *env;
};
struct rows {
    RT_VEC(struct row) rows;
    const struct rt_column *by;
    bool down;
};

static bool contains(const struct rt_table *t, const struct row *r, const char *filter) {
    struct rt_buf text;
    bool hit = false;
    rt_buf_init(&text, 64 * RT_KIB);
    for (const struct rt_column *c = t->columns; c->id && !hit; c++) {
        rt_buf_clear(&text);
        c->text(&text, r->v, r->env);
        hit = rt_contains_i(rt_buf_str(&text), filter);
    }
    rt_buf_deinit(&text);
    return hit;
}

static int compare(const struct rows *rs, const struct row *a, const struct row *b) {
    int d;
    if (rs->by->order) {
        d = rs->by->order(a->v, b->v);
    } else {
        struct rt_buf x, y;
        rt_buf_init(&x, 64 * RT_KIB);
        rt_buf_init(&y, 64 * RT_KIB);
        rs->by->text(&x, a->v, a->env);
        rs->by->text(&y, b->v, b->env);
        d = rt_natcmp(rt_buf_str(&x), rt_buf_str(&y));
        rt_buf_deinit(&x);
        rt_buf_deinit(&y);
    }
    return rs->down ? -d : d;
}

/* Merge sort: stable, and the comparison needs its context (qsort has no place for it). */
static void sort_rows(const struct rows *rs, struct row *v, struct row *tmp, size_t n) {
    if (n < 2)
        return;
    const size_t half = n / 2;
    sort_rows(rs, v, tmp, half);
    sort_rows(rs, v + half, tmp, n - half);
    memcpy(tmp, v, n * sizeof(*v));
    for (size_t i = 0, a = 0, b = half; i < n; i++)
        v[i] = b >= n || (a < half && compare(rs, &tmp[a], &tmp[b]) <= 0) ? tmp[a++] : tmp[b++];
}

static const struct rt_column *column_of(const struct rt_table *t, const char *id, struct rt_error *err) {
    const char *names[65];
    size_t n = 0;
    for (const struct rt_column *c = t->columns; c->id && n + 1 < RT_COUNT(names); c++) {
        if (rt_streq(c->id, id))
            return c;
        names[n++] = c->id;
    }
    names[n] = NULL;
    const char *near = rt_nearest(id, names);
    rt_error_set(err, RT_E_USAGE, "%s have no column %s", t->name, id);
    if (near) {
        rt_error_hint(err, "did you mean %s?", near);
    } else {
        struct rt_buf all;
        rt_buf_init(&all, 4 * RT_KIB);
        for (size_t i = 0; i < n; i++)
            rt_buf_addf(&all, "%s%s", i ? ", " : "", names[i]);
        rt_error_hint(err, "there are: %s", rt_buf_str(&all));
        rt_buf_deinit(&all);
    }
    return NULL;
}

static bool collect(const struct out_list *l, struct rows *rs, struct rt_error *err) {
    const char *by = l->sort ? l->sort : l->table->default_sort;
    if (by) {
        rs->down = by[0] == '-';
        rs->by = column_of(l->table, by + (rs->down ? 1 : 0), err);
        if (!rs->by)
            return false;
    }
    for (size_t e = 0; e < l->nenvs; e++) {
        for (size_t i = 0; i < l->table->count(&l->envs[e]); i++) {
            struct row r = {.v = l->table->at(&l->envs[e], i), .env = &l->envs[e]};
            if (!l->filter || contains(l->table, &r, l->filter))
                *rt_vec_push(&rs->rows) = r;
        }
    }
    if (rs->by && rs->rows.n > 1) {
        struct row *tmp = rt_alloc(rs->rows.n * sizeof(*tmp));
        sort_rows(rs, rs->rows.v, tmp, rs->rows.n);
        free(tmp);
    }
    return true;
}

/* ---- tables ---- */

struct cells {
    char **text; /* rows x columns */
    size_t rows, cols;
    const struct rt_column **columns;
    int *width;
};

static void cell(struct rt_buf *out, const char *text, int width, enum rt_align align, bool last) {
    const int pad = width - rt_width(text, strlen(text));
    if (align == RT_RIGHT && pad > 0)
        rt_buf_addf(out, "%*s", pad, "");
    rt_buf_adds(out, text);
    if (align == RT_LEFT && pad > 0 && !last)
        rt_buf_addf(out, "%*s", pad, "");
}

static const char *health_sgr(enum rt_health h) {
    switch (h) {
    case RT_H_OK:
    case RT_H_DONE:
        return "32";
    case RT_H_BUSY:
        return "36";
    case RT_H_WAITING:
    case RT_H_WARN:
        return "33";
    case RT_H_BAD:
        return "31";
    case RT_H_UNKNOWN:
    case RT_H_OFF:
        break;
    }
    return NULL;
}

static void fill(const struct out_list *l, const struct rows *rs, struct cells *t) {
    struct rt_buf b;
    rt_buf_init(&b, RT_MIB);
    for (size_t k = 0; k < t->cols; k++)
        t->width[k] = rt_width(t->columns[k]->title, strlen(t->columns[k]->title));
    for (size_t i = 0; i < t->rows; i++) {
        for (size_t k = 0; k < t->cols; k++) {
            rt_buf_clear(&b);
            t->columns[k]->text(&b, rs->rows.v[i].v, rs->rows.v[i].env);
            t->text[i * t->cols + k] = rt_strdup(b.len ? rt_buf_str(&b) : "-");
            t->width[k] = RT_MAX(t->width[k], rt_width(rt_buf_str(&b), b.len));
        }
    }
    rt_buf_deinit(&b);
    /* On a terminal the growing column gives way, so that a row stays a line. */
    int total = 2 * ((int)t->cols - 1), screen = screen_width();
    for (size_t k = 0; k < t->cols; k++)
        total += t->width[k];
    for (size_t k = 0; k < t->cols && screen && total > screen; k++) {
        if (!t->columns[k]->grow)
            continue;
        const int to = RT_MAX(t->columns[k]->min, t->width[k] - (total - screen));
        total -= t->width[k] - to;
        t->width[k] = to;
    }
    (void)l;
}

static void print_table(const struct out_list *l, const struct rows *rs) {
    struct cells t = {.rows = rs->rows.n};
    for (const struct rt_column *c = l->table->columns; c->id; c++)
        t.cols += !c->wide || l->kind == RT_OUT_WIDE;
    t.columns = rt_alloc((t.cols + 1) * sizeof(*t.columns));
    t.width = rt_alloc((t.cols + 1) * sizeof(int));
    t.text = rt_alloc((t.rows * t.cols + 1) * sizeof(char *));
    size_t k = 0;
    for (const struct rt_column *c = l->table->columns; c->id; c++)
        if (!c->wide || l->kind == RT_OUT_WIDE)
            t.columns[k++] = c;
    fill(l, rs, &t);
    struct rt_buf out, one;
    rt_buf_init(&out, RT_GIB);
    rt_buf_init(&one, RT_MIB);
    for (k = 0; k < t.cols; k++) {
        rt_buf_adds(&out, k ? "  " : "");
        cell(&out, t.columns[k]->title, t.width[k], t.columns[k]->align, k + 1 == t.cols);
    }
    rt_buf_addc(&out, '\n');
    for (size_t i = 0; i < t.rows; i++) {
        for (k = 0; k < t.cols; k++) {
            const struct rt_column *c = t.columns[k];
            const char *sgr = l->color && c->health ? health_sgr(c->health(rs->rows.v[i].v, rs->rows.v[i].env)) : NULL;
            rt_buf_clear(&one);
            rt_fit(&one, t.text[i * t.cols + k], t.width[k], c->cut, rs->rows.v[i].env->ascii);
            rt_buf_adds(&out, k ? "  " : "");
            if (sgr)
                rt_buf_addf(&out, "\033[%sm", sgr);
            cell(&out, rt_buf_str(&one), t.width[k], c->align, k + 1 == t.cols);
            if (sgr)
                rt_buf_adds(&out, "\033[0m");
        }
        rt_buf_addc(&out, '\n');
    }
    fwrite(rt_buf_str(&out), 1, out.len, stdout);
    rt_buf_deinit(&one);
    rt_buf_deinit(&out);
    for (size_t i = 0; i < t.rows * t.cols; i++)
        free(t.text[i]);
    free(t.text);
    free(t.width);
    free(t.columns);
}

/* ---- JSON ---- */

static json_t *envelope(const struct out_list *l) {
    char at[32];
    json_t *v = json_pack("{s:i}", "schema", 1);
    if (l->nenvs == 1 && l->envs[0].cluster && !l->table->global)
        json_object_set_new(v, "cluster", json_string(l->envs[0].cluster->name));
    json_object_set_new(v, "at", json_string(rt_fmt_iso(at, sizeof at, rt_wall_ms())));
    return v;
}

static void warn(json_t *warnings, const char *note, size_t left_out) {
    if (note)
        json_array_append_new(warnings, json_string(note));
    if (left_out) {
        char *text = left_out == 1 ? rt_strdup("1 row could not be understood and is left out")
                                   : rt_strf("%zu rows could not be understood and are left out", left_out);
        json_array_append_new(warnings, json_string(text));
        free(text);
    }
}

/* What the source holds, and why not all of it is here. */
static size_t totals_of(const struct out_list *l, json_t *warnings) {
    size_t total = 0;
    for (size_t e = 0; e < l->nenvs; e++) {
        const struct rt_source s = rt_table_source(l->table, &l->envs[e]);
        warn(warnings, s.note, s.left_out);
        total += s.total;
    }
    return total;
}

static void print_json(const struct out_list *l, const struct rows *rs) {
    json_t *v = envelope(l), *items = json_array(), *warnings = json_array();
    for (size_t i = 0; i < rs->rows.n; i++)
        json_array_append_new(items, l->table->json(rs->rows.v[i].v, rs->rows.v[i].env, l->show_env));
    const size_t total = totals_of(l, warnings);
    json_object_set_new(v, "items", items);
    json_object_set_new(v, "shown", json_integer((json_int_t)rs->rows.n));
    json_object_set_new(v, "total", json_integer((json_int_t)total));
    json_object_set_new(v, "warnings", warnings);
    json_dumpf(v, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    fputc('\n', stdout);
    json_decref(v);
}

bool out_rows(const struct out_list *l, struct rt_error *err) {
    struct rows rs = {0};
    const bool ok = collect(l, &rs, err);
    if (ok && l->kind == RT_OUT_JSON) {
        print_json(l, &rs);
    } else if (ok) {
        print_table(l, &rs);
        json_t *warnings = json_array();
        totals_of(l, warnings);
        size_t i;
        json_t *w;
        json_array_foreach(warnings, i, w) out_note("%s", json_string_value(w));
        json_decref(warnings);
        if (!rs.rows.n && isatty(STDERR_FILENO))
            out_note("%s", l->filter ? "nothing matches" : l->table->empty);
    }
    rt_vec_deinit(&rs.rows);
    return ok;
}

void out_row(const struct out_list *l, const void *row, const struct rt_row_env *env) {
    if (l->kind == RT_OUT_JSON) {
        json_t *v = envelope(l);
        json_object_set_new(v, "item", l->table->json(row, env, l->show_env));
        json_dumpf(v, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        fputc('\n', stdout);
        json_decref(v);
        return;
    }
    struct rt_buf b;
    rt_buf_init(&b, 16 * RT_MIB);
    rt_row_describe(&b, l->table, row, env);
    fwrite(rt_buf_str(&b), 1, b.len, stdout);
    rt_buf_deinit(&b);
}

int out_error(enum rt_out_kind kind, const struct rt_error *err) {
    char message[1024], hint[1024];
    fflush(stdout);
    rt_clean_to(message, sizeof message, err->message);
    rt_clean_to(hint, sizeof hint, err->hint);
    if (kind == RT_OUT_JSON) {
        json_t *v = json_pack("{s:i, s:{s:s, s:s, s:s?}}", "schema", 1, "error", "code", rt_code_name(err->code), "message", message,
                              "hint", hint[0] ? hint : NULL);
        json_dumpf(v, stderr, JSON_COMPACT);
        fputc('\n', stderr);
        json_decref(v);
    } else {
        fprintf(stderr, "raytui: %s\n", message);
        if (hint[0])
            fprintf(stderr, "        %s\n", hint);
    }
    return rt_code_exit(err->code);
}

int out_end(enum rt_out_kind kind, int status) {
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    struct rt_error err = {0};
    errno = 0;
    if ((fflush(stdout) == 0 && !ferror(stdout)) || status != 0)
        return status;
    if (poll(&out, 1, 0) > 0 && (out.revents & POLLERR)) /* nobody reads on (`| head`): that is no failure worth a word */
        return 128 + SIGPIPE;
    rt_error_set(&err, RT_E_IO, "what was to be printed could not be written%s%s", errno ? ": " : "", errno ? strerror(errno) : "");
    return out_error(kind, &err);
}

void out_note(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

void out_json_line(json_t *v) {
    json_dumpf(v, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
    fputc('\n', stdout);
    fflush(stdout);
    json_decref(v);
}

bool out_bytes(const char *data, size_t n) {
    bool ok = fflush(stdout) == 0;
    while (ok && n > 0) {
        const ssize_t put = write(STDOUT_FILENO, data, n);
        struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if (put >= 0) {
            data += put;
            n -= (size_t)put;
        } else if (errno == EAGAIN) {
            poll(&room, 1, -1);
        } else {
            ok = errno == EINTR;
        }
    }
    return ok;
}
