/* The lines at the top and at the bottom: the cluster's state in one line, and what the keys do now. */
#include "ui/shell.h"

#include "base/str.h"
#include "core/cells.h"
#include "ui/tools.h"
#include "ui/wrap.h"
#include <stdarg.h>

#define BAR_COLS 6
#define TOAST_ROWS 3

/* A word or two of the header; the least important go when it is narrow. */
struct piece {
    char text[160];
    enum rt_role role;
    int priority;    /* 0 never goes */
    double fraction; /* of a bar in front; < 0: none */
    char label[8];   /* in front of the bar */
};
struct pieces {
    struct piece v[16];
    size_t n;
    bool ascii;
};

static struct piece *add(struct pieces *l, int priority, enum rt_role role, const char *fmt, ...) RT_PRINTF(4, 5);
static struct piece *add(struct pieces *l, int priority, enum rt_role role, const char *fmt, ...) {
    struct piece *p = &l->v[RT_MIN(l->n, RT_COUNT(l->v) - 1)];
    va_list ap;
    l->n = RT_MIN(l->n + 1, RT_COUNT(l->v));
    *p = (struct piece){.role = role, .priority = priority, .fraction = -1};
    va_start(ap, fmt);
    vsnprintf(p->text, sizeof p->text, fmt, ap);
    va_end(ap);
    return p;
}

static int piece_cols(const struct piece *p) {
    const int label = p->label[0] ? (int)strlen(p->label) + 1 : 0;
    return rt_width(p->text, strlen(p->text)) + label + (p->fraction >= 0 ? BAR_COLS + 1 : 0);
}

static void fit_pieces(struct pieces *l, int cols) {
    for (;;) {
        int sum = 0, worst = -1;
        for (size_t i = 0; i < l->n; i++) {
            sum += piece_cols(&l->v[i]) + 2;
            if (l->v[i].priority && (worst < 0 || l->v[i].priority >= l->v[worst].priority))
                worst = (int)i;
        }
        if (sum <= cols || worst < 0)
            return;
        struct piece *p = &l->v[worst];
        if (p->fraction >= 0 && p->priority < 20) {
            p->fraction = -1; /* the number says it too */
            p->priority += 1;
            continue;
        }
        memmove(p, p + 1, (l->n - (size_t)worst - 1) * sizeof(*p));
        l->n--;
    }
}

static int put(const struct rt_draw *d, int row, int col, int cols, const char *text, enum rt_role role) {
    return cols > 0 ? rt_surface_put(d->s, row, col, cols, text, strlen(text), rt_theme_look(d->theme, role)) : 0;
}

static void draw_pieces(const struct rt_draw *d, struct pieces *l, int row, int col, int end) {
    fit_pieces(l, end - col);
    for (size_t i = 0; i < l->n; i++) {
        const struct piece *p = &l->v[i];
        if (p->label[0])
            col += put(d, row, col, end - col, p->label, RT_R_HEADER_DIM) + 1;
        if (p->fraction >= 0)
            col += rt_tool_bar(d, row, col, BAR_COLS, p->fraction) + 1;
        col += put(d, row, col, end - col, p->text, p->role) + 2;
    }
}

/* ---- what is said of a cluster ---- */

static void add_use(struct pieces *l, const char *label, double used, double reserved, double total, int priority, enum rt_role role) {
    struct rt_buf text;
    if (total <= 0)
        return;
    rt_buf_init(&text, 0);
    rt_cell_claims(&text, used, reserved, total);
    struct piece *p = add(l, priority, role, "%s", rt_buf_str(&text));
    snprintf(p->label, sizeof p->label, "%s", label);
    p->fraction = used >= 0 ? RT_MIN((used + reserved) / total, 1.0) : -1;
    rt_buf_deinit(&text);
}

static void add_uses(struct pieces *l, const struct rt_totals *t, enum rt_role role) {
    add_use(l, "CPU", t->cpu_used, t->cpu_reserved, t->cpu_total, 4, role);
    add_use(l, "GPU", t->gpu_used, t->gpu_reserved, t->gpu_total, 5, role);
    if (t->mem_total_bytes > 0 && t->mem_used_bytes >= 0) {
        struct piece *p = add(l, 7, role, "%.0f%%", 100 * t->mem_used_bytes / t->mem_total_bytes);
        snprintf(p->label, sizeof p->label, "MEM");
        p->fraction = RT_MIN(t->mem_used_bytes / t->mem_total_bytes, 1.0);
    }
}

/* Why it cannot be reached is worth more than numbers of the past. */
static void add_reason(struct pieces *l, const struct rt_cluster *c, int cols) {
    struct rt_buf text, cut;
    const bool told = c->state == RT_CL_FAILED && c->state_detail; /* by the state itself */
    if (c->reach == RT_REACH_OK || !c->reach_detail || !*c->reach_detail || told || rt_cluster_health(c) == RT_H_OFF)
        return;
    const char *why = rt_starts(c->reach_detail, "GET /") ? strstr(c->reach_detail, ": ") : NULL; /* what was asked matters less */
    why = why ? why + 2 : c->reach_detail;
    rt_buf_init(&text, 0);
    rt_buf_init(&cut, 0);
    rt_clean(&text, why, strlen(why));
    rt_fit(&cut, rt_buf_str(&text), cols, RT_CUT_RIGHT, l->ascii);
    add(l, 2, RT_R_HEADER, "%s", rt_buf_str(&cut));
    rt_buf_deinit(&cut);
    rt_buf_deinit(&text);
}

static void add_state(struct pieces *l, const struct rt_cluster *c, int64_t now_ms, int cols) {
    struct rt_buf text;
    const enum rt_health h = rt_cluster_health(c);
    struct rt_buf cut;
    rt_buf_init(&text, 0);
    rt_buf_init(&cut, 0);
    rt_cluster_state_text(&text, c, now_ms);
    rt_fit(&cut, rt_buf_str(&text), RT_MAX(cols / 2, 12), RT_CUT_RIGHT, l->ascii);
    add(l, 0, rt_role_of_health(h), "%s %s", rt_health_glyph(h, l->ascii), rt_buf_str(&cut));
    rt_buf_deinit(&cut);
    if (c->retry_at_ms > now_ms)
        add(l, 3, RT_R_HEADER_DIM, "retry in %lld s", (long long)((c->retry_at_ms - now_ms + 999) / 1000));
    rt_buf_deinit(&text);
}

static void add_forwards(struct pieces *l, const struct rt_cluster *c) {
    enum rt_health worst = RT_H_OK;
    for (size_t i = 0; i < c->nforwards; i++) {
        const struct rt_forward_row *f = &c->forwards[i];
        worst = f->health == RT_H_BAD || worst == RT_H_OK ? f->health : worst;
    }
    if (c->nforwards)
        add(l, 6, rt_role_of_health(worst), "%s %zu forward%s %s", l->ascii ? "<>" : "⇄", c->nforwards, c->nforwards == 1 ? "" : "s",
            worst == RT_H_OK ? "up" : worst == RT_H_BAD ? "down" : "retrying");
}

static void add_ends(struct pieces *l, const struct rt_cluster *c, int64_t now_ms) {
    char age[32];
    if (c->ends_at_ms > now_ms)
        add(l, 6, c->ends_at_ms - now_ms < 900000 ? RT_R_STATUS_WARN : RT_R_HEADER_DIM, "ends in %s",
            rt_fmt_age(age, sizeof age, c->ends_at_ms - now_ms));
}

static int draw_age(const struct rt_draw *d, const struct rt_cluster *c, int row, int cols) {
    char age[32], text[48];
    const int64_t at = rt_cluster_newest_ms(c);
    if (at <= 0)
        return cols;
    rt_fmt_age(age, sizeof age, RT_MAX(d->now_ms - at, 0));
    snprintf(text, sizeof text, "%s ago ", age);
    const int n = (int)strlen(text);
    put(d, row, cols - n, n, text, c->reach == RT_REACH_LOST ? RT_R_STATUS_WARN : RT_R_HEADER_DIM);
    return cols - n;
}

static void cluster_header(struct rt_ui *ui, const struct rt_draw *d, const struct rt_cluster *c) {
    const struct rt_rect r = ui->layout.header;
    const struct rt_totals t = rt_cluster_totals(c);
    struct pieces top = {.ascii = d->ascii}, bars = {.ascii = d->ascii};
    struct pieces *where = r.rows > 1 ? &bars : &top;
    char n[32];
    add(&top, 8, RT_R_BRAND, "raytui");
    add(&top, 0, RT_R_STRONG, "%s", c->name);
    add_state(&top, c, d->now_ms, r.cols);
    add_reason(&top, c, r.cols / 3);
    if (c->ray_version)
        add(&top, 9, RT_R_HEADER_DIM, "Ray %s", c->ray_version);
    const bool there = c->state != RT_CL_DOWN && c->state != RT_CL_SUSPENDED && c->state != RT_CL_QUEUED && c->state != RT_CL_STARTING;
    if (t.nodes_alive >= 0 && there)
        add(&top, 3, c->reach == RT_REACH_OK ? RT_R_HEADER : RT_R_STALE, "%s node%s", rt_fmt_count(n, sizeof n, t.nodes_alive), t.nodes_alive == 1 ? "" : "s");
    if (there)
        add_uses(where, &t, c->reach == RT_REACH_OK ? RT_R_HEADER : RT_R_STALE);
    add_forwards(&top, c);
    add_ends(&top, c, d->now_ms);
    if (ui->app->readonly || c->readonly)
        add(&top, 2, RT_R_STATUS_WARN, "read-only");
    const int end = draw_age(d, c, r.row, r.cols);
    draw_pieces(d, &top, r.row, r.col + 1, end - 1);
    if (r.rows > 1)
        draw_pieces(d, &bars, r.row + 1, r.col + 1, r.cols);
}

static void overview_header(struct rt_ui *ui, const struct rt_draw *d) {
    static const struct {
        enum rt_health h;
        const char *word;
    } states[] = {{RT_H_OK, "up"}, {RT_H_BUSY, "changing"}, {RT_H_WAITING, "queued"}, {RT_H_WARN, "in need of you"}, {RT_H_BAD, "unreachable or failed"}};
    const struct rt_store *s = ui->app->store;
    size_t by[RT_H_OFF + 1] = {0};
    struct pieces top = {.ascii = d->ascii};
    for (size_t i = 0; i < rt_store_count(s); i++)
        by[rt_cluster_health(rt_store_at(s, i))]++;
    add(&top, 0, RT_R_BRAND, "raytui");
    add(&top, 1, RT_R_STRONG, "%zu cluster%s", rt_store_count(s), rt_store_count(s) == 1 ? "" : "s");
    for (size_t i = 0; i < RT_COUNT(states); i++)
        if (by[states[i].h])
            add(&top, 2, rt_role_of_health(states[i].h), "%s %zu %s", rt_health_glyph(states[i].h, d->ascii), by[states[i].h], states[i].word);
    draw_pieces(d, &top, ui->layout.header.row, 1, ui->layout.header.cols);
}

void shell_header(struct rt_ui *ui, const struct rt_draw *d) {
    const struct rt_cluster *c = ui->cluster ? rt_store_cluster(ui->app->store, ui->cluster) : NULL;
    if (c && !rt_streq(rt_view_defs[ui->tab].name, "pulse"))
        cluster_header(ui, d, c);
    else
        overview_header(ui, d);
}

/* ---- the bottom line ---- */

struct hinting {
    struct rt_ui *ui;
    const struct rt_draw *d;
    int col, end;
    const struct rt_bind *help; /* has its place in any case: it tells what found none */
};

static int hint_cols(const struct rt_bind *b) {
    return rt_width(b->name, strlen(b->name)) + 1 + rt_width(b->hint, strlen(b->hint));
}

static void find_help(void *ctx, const struct rt_bind *b) {
    struct hinting *h = ctx;
    if (!h->help && b->hint && rt_streq(b->command, "help"))
        h->help = b;
}

static void draw_hint(void *ctx, const struct rt_bind *b) {
    struct hinting *h = ctx;
    struct rt_error err = {0};
    if (!b->hint || (b->writes && h->ui->app->readonly) || h->ui->nhints == RT_COUNT(h->ui->hints))
        return;
    const int need = hint_cols(b), kept = h->help && h->help != b ? hint_cols(h->help) + 2 : 0;
    if (h->col + need + kept > h->end || !rt_ui_can(h->ui, b->command, &err))
        return;
    h->ui->hints[h->ui->nhints++] = (struct hint_place){h->col, need, b->key};
    h->col += put(h->d, h->ui->layout.hints.row, h->col, need, b->name, RT_R_KEY) + 1;
    h->col += put(h->d, h->ui->layout.hints.row, h->col, need, b->hint, RT_R_HINT) + 2;
}

static int draw_running(struct rt_ui *ui, const struct rt_draw *d, struct rt_rect r) {
    static const char *const frames[2][4] = {{"◐", "◓", "◑", "◒"}, {"|", "/", "-", "\\"}};
    const size_t n = rt_operations_running(ui->app->operations);
    char text[48];
    if (!n)
        return r.cols;
    const char *spin = d->animations ? frames[d->ascii][d->now_ms / 250 % 4] : rt_health_glyph(RT_H_BUSY, d->ascii);
    snprintf(text, sizeof text, "%s %zu running @ ", spin, n);
    const int cols = rt_width(text, strlen(text));
    put(d, r.row, r.cols - cols, cols, text, RT_R_STATUS_BUSY);
    return r.cols - cols - 1;
}

/* One line over the hints; what is longer takes up to two rows of the pane above for as long as it is there. */
static void draw_toast(struct rt_ui *ui, const struct rt_draw *d, struct rt_rect r) {
    const enum rt_role role = ui->toast.error ? RT_R_TOAST_ERROR : RT_R_TOAST;
    const char *more = ui->toast.undo ? "   u undo" : ui->toast.error ? "   Esc" : "";
    const char *mark = ui->toast.error ? rt_health_glyph(RT_H_BAD, d->ascii) : ui->toast.note ? d->ascii ? "-" : "·" : rt_health_glyph(RT_H_DONE, d->ascii);
    const int cols = RT_MAX(r.cols - 4 - (int)strlen(more), 1);
    const int rows = RT_MIN(rt_wrap_count(ui->toast.text, cols), r.row >= 7 ? TOAST_ROWS : 1);
    const char *s = ui->toast.text;
    struct rt_buf text;
    rt_buf_init(&text, 0);
    for (int i = 0, row = r.row - rows + 1; i < rows; i++, row++) {
        size_t next = 0;
        const size_t n = rt_wrap(s, strlen(s), cols, true, &next);
        rt_buf_clear(&text);
        if (i + 1 < rows)
            rt_buf_add(&text, s, n);
        else
            rt_fit(&text, s, cols, RT_CUT_RIGHT, d->ascii);
        rt_surface_fill(d->s, (struct rt_rect){row, r.col, 1, r.cols}, rt_theme_look(d->theme, RT_R_TEXT));
        put(d, row, r.col + 1, 1, i ? " " : mark, role);
        const int used = put(d, row, r.col + 3, cols, rt_buf_str(&text), role);
        if (i + 1 == rows)
            put(d, row, r.col + 3 + used, r.cols - used - 4, more, RT_R_KEY);
        s += next;
    }
    rt_buf_deinit(&text);
}

static void draw_prompt(struct rt_ui *ui, const struct rt_draw *d, struct rt_rect r) {
    put(d, r.row, r.col + 1, 1, ui->prompt == PROMPT_COMMAND ? ":" : "/", RT_R_KEY);
    rt_input_draw(&ui->input, d->s, (struct rt_rect){r.row, r.col + 2, 1, RT_MAX(r.cols - 3, 1)}, rt_theme_look(d->theme, RT_R_INPUT), d->ascii, true);
}

/* What completion offers stands above the line, the chosen one marked. */
static void draw_choices(struct rt_ui *ui, const struct rt_draw *d, struct rt_rect r) {
    const int most = RT_MIN((int)RT_MIN(ui->choices.n, (size_t)8), r.row - 2);
    size_t from = 0;
    if (ui->prompt != PROMPT_COMMAND || most < 1)
        return;
    if (ui->choice_at != SIZE_MAX && ui->choice_at >= (size_t)most)
        from = ui->choice_at - (size_t)most + 1;
    int cols = 8;
    for (size_t i = from; i < ui->choices.n && i < from + (size_t)most; i++)
        cols = RT_MAX(cols, rt_width(ui->choices.v[i], strlen(ui->choices.v[i])) + 2);
    cols = RT_MIN(cols, r.cols - 2);
    const int left = RT_MIN(2 + (int)ui->choice_start, r.cols - cols - 1);
    for (int i = 0; i < most; i++) {
        const size_t at = from + (size_t)i;
        const int row = r.row - most + i;
        rt_surface_fill(d->s, (struct rt_rect){row, left - 1, 1, cols}, rt_theme_look(d->theme, RT_R_DIALOG));
        put(d, row, left, cols - 1, ui->choices.v[at], RT_R_DIALOG);
        if (at == ui->choice_at)
            rt_surface_tint(d->s, (struct rt_rect){row, left - 1, 1, cols}, rt_theme_over(d->theme, RT_R_SELECT));
    }
}

void shell_bottom(struct rt_ui *ui, const struct rt_draw *d) {
    const struct rt_rect r = ui->layout.hints;
    struct rt_view *v = shell_popup(ui) ? shell_popup(ui) : shell_focused(ui);
    ui->nhints = 0;
    if (ui->prompt) {
        draw_choices(ui, d, r);
        draw_prompt(ui, d, r);
        return;
    }
    if (ui->toast.text) {
        draw_toast(ui, d, r);
        return;
    }
    struct hinting h = {.ui = ui, .d = d, .col = r.col + 1, .end = draw_running(ui, d, r)};
    if (v->ops->modal)
        return;
    if (r.cols >= 40)
        rt_keymap_each(&ui->keymap, v->ops->name, v->ops->klass, find_help, &h);
    rt_keymap_each(&ui->keymap, v->ops->name, v->ops->klass, draw_hint, &h);
}
