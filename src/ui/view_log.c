/* The log view: follows a log of any size, searches and filters it, and never changes it. */
#include "ui/log_view.h"
#include "ui/views.h"

#include "base/str.h"
#include "core/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct log_view *of(struct rt_view *v) {
    return (struct log_view *)v;
}

/* ---- the line that asks ---- */

static void ask(struct log_view *lv, enum log_ask what) {
    lv->asking = what;
    rt_input_set(&lv->input, "");
    rt_ui_mark(lv->view.ui);
}

static void answered(struct log_view *lv) {
    const enum log_ask what = lv->asking;
    char *text = rt_strdup(rt_input_text(&lv->input));
    lv->asking = LOG_ASK_NOTHING;
    if (what == LOG_ASK_SEARCH)
        log_view_search(lv, text);
    else if (what == LOG_ASK_FILTER)
        log_view_filter(lv, text);
    else
        log_view_pipe(lv, text);
    free(text);
    rt_ui_mark(lv->view.ui);
}

static bool log_key(struct rt_view *v, struct rt_key k) {
    struct log_view *lv = of(v);
    if (!lv->asking)
        return false;
    const bool emptied = k.code == RT_K_BACKSPACE && !lv->input.text.len;
    if (k.code == RT_K_ESC || emptied || (k.code == 'c' && k.mods & RT_MOD_CTRL))
        lv->asking = LOG_ASK_NOTHING;
    else if (k.code == RT_K_ENTER)
        answered(lv);
    else if (!rt_input_key(&lv->input, k))
        return !(k.mods & RT_MOD_CTRL);
    rt_ui_mark(v->ui);
    return true;
}

static void log_paste(struct rt_view *v, const char *text, size_t n) {
    if (of(v)->asking)
        rt_input_paste(&of(v)->input, text, n);
    rt_ui_mark(v->ui);
}

/* ---- commands ---- */

typedef void command_fn(struct log_view *lv, const char *arg);

static void do_move(struct log_view *lv, const char *arg) {
    const int page = RT_MAX(lv->rows - 2, 1), half = RT_MAX(lv->rows / 2, 1);
    int64_t n = 0;
    if (rt_streq(arg, "first"))
        log_view_first(lv);
    else if (rt_streq(arg, "last"))
        log_view_end(lv);
    else if (rt_streq(arg, "page"))
        log_view_move(lv, page);
    else if (rt_streq(arg, "-page"))
        log_view_move(lv, -page);
    else if (rt_streq(arg, "half"))
        log_view_move(lv, half);
    else if (rt_streq(arg, "-half"))
        log_view_move(lv, -half);
    else if (rt_parse_i64(arg[0] == '+' ? arg + 1 : arg, &n))
        log_view_move(lv, (int)RT_MAX(RT_MIN(n, 100000), -100000));
}

static void do_scroll(struct log_view *lv, const char *arg) {
    int64_t n = 0;
    if (rt_parse_i64(arg[0] == '+' ? arg + 1 : arg, &n))
        lv->col = (int)RT_MAX(RT_MIN(lv->col + n, 1000000), 0);
}

static void do_follow(struct log_view *lv, const char *arg) {
    if (rt_streq(arg, "toggle") && lv->follow)
        lv->follow = false;
    else
        log_view_end(lv);
}

static void do_find(struct log_view *lv, const char *arg) {
    if (*arg)
        log_view_search(lv, arg);
    else
        ask(lv, LOG_ASK_SEARCH);
}

static void do_next(struct log_view *lv, const char *arg) {
    (void)arg;
    log_view_search_again(lv, false);
}

static void do_previous(struct log_view *lv, const char *arg) {
    (void)arg;
    log_view_search_again(lv, true);
}

static void do_keep(struct log_view *lv, const char *arg) {
    if (*arg)
        log_view_filter(lv, arg);
    else
        ask(lv, LOG_ASK_FILTER);
}

static void do_drop(struct log_view *lv, const char *arg) {
    char *text = rt_strf("!%s", arg);
    log_view_filter(lv, text);
    free(text);
}

static void do_filters(struct log_view *lv, const char *arg) {
    (void)arg;
    if (!rt_logbuf_filters(lv->buf))
        rt_ui_note(lv->view.ui, "no filters - & makes one");
    log_view_keep_place(lv);
    rt_logbuf_filters_enable(lv->buf, !rt_logbuf_filters_enabled(lv->buf));
}

static void do_error(struct log_view *lv, const char *arg) {
    log_view_seek(lv, RT_LINE_ERROR, arg[0] == '-');
}

static void do_warning(struct log_view *lv, const char *arg) {
    log_view_seek(lv, RT_LINE_WARN, arg[0] == '-');
}

static void do_wrap(struct log_view *lv, const char *arg) {
    (void)arg;
    lv->wrap = !lv->wrap;
    lv->top.sub = lv->col = 0;
}

static void do_time(struct log_view *lv, const char *arg) {
    static const char *const said[] = {"lines as they are", "time beside each line", "time since the first line"};
    (void)arg;
    lv->time_mode = (lv->time_mode + 1) % LOG_TIME_COUNT;
    rt_ui_note(lv->view.ui, "%s", said[lv->time_mode]);
}

static void do_numbers(struct log_view *lv, const char *arg) {
    (void)arg;
    lv->numbers = !lv->numbers;
}

static void do_mark(struct log_view *lv, const char *arg) {
    (void)arg;
    log_view_mark(lv);
}

static void do_mark_next(struct log_view *lv, const char *arg) {
    (void)arg;
    log_view_next_mark(lv);
}

static void do_select(struct log_view *lv, const char *arg) {
    (void)arg;
    lv->selecting = !lv->selecting;
    lv->follow = false;
    if (!lv->at_shown)
        lv->at = RT_MAX(lv->at, lv->top.line);
    lv->anchor = lv->at;
}

static void do_copy(struct log_view *lv, const char *arg) {
    (void)arg;
    log_view_copy(lv);
}

static void do_save(struct log_view *lv, const char *arg) {
    log_view_save(lv, arg);
}

static void do_pipe(struct log_view *lv, const char *arg) {
    if (*arg)
        log_view_pipe(lv, arg);
    else
        ask(lv, LOG_ASK_PIPE);
}

static void do_edit(struct log_view *lv, const char *arg) {
    (void)arg;
    log_view_edit(lv);
}

static void do_clear(struct log_view *lv, const char *arg) {
    (void)arg;
    lv->clear = rt_logbuf_lines(lv->buf, NULL);
    lv->follow = true;
}

static void do_refresh(struct log_view *lv, const char *arg) {
    (void)arg;
    rt_log_retry(lv->log);
}

/* A log of one source becomes one of several: all that the job wrote, or the same file of every node. */
static void do_sources(struct log_view *lv, const char *arg) {
    struct rt_ui *ui = lv->view.ui;
    struct rt_error err = {0};
    (void)arg;
    if (lv->what == RT_LOG_MERGED) {
        if (!lv->picker)
            rt_ui_popup(ui, lv->picker = log_view_sources(lv));
        return;
    }
    const struct rt_log_part job[] = {{RT_LOG_PART_DRIVER, lv->id, NULL}, {RT_LOG_PART_WORKERS, lv->id, NULL}};
    const struct rt_log_part file[] = {{RT_LOG_PART_FILES, NULL, lv->file}};
    const bool is_job = lv->what == RT_LOG_JOB;
    if (!is_job && lv->what != RT_LOG_NODE_FILE) {
        rt_ui_note(ui, "this log has one source");
        return;
    }
    const struct rt_log_target t = {.what = RT_LOG_MERGED, .cluster = lv->view.cluster, .id = is_job ? lv->id : lv->file,
                                    .parts = is_job ? job : file, .nparts = is_job ? 2 : 1};
    if (!rt_show_log(ui, &t, &err))
        rt_ui_error(ui, &err);
}

static void do_open_hit(struct log_view *lv, const char *arg) {
    struct rt_ui *ui = lv->view.ui;
    struct rt_error err = {0};
    struct rt_log_target t;
    int64_t line = 0;
    (void)arg;
    if (!rt_log_hit(lv->log, lv->at, &t, &line)) {
        log_view_move(lv, 1);
        return;
    }
    struct rt_view *v = rt_view_log(ui, &t, &err);
    if (!v) {
        rt_ui_error(ui, &err);
        return;
    }
    rt_view_log_go(v, line, lv->id);
    rt_ui_push(ui, v);
}

static const struct command {
    const char *name;
    command_fn *run;
} commands[] = {
    {"move", do_move},           {"scroll", do_scroll},          {"follow", do_follow},
    {"search", do_find},         {"search-next", do_next},       {"search-previous", do_previous},
    {"keep", do_keep},           {"filter-in", do_keep},         {"drop", do_drop},       {"filter-out", do_drop},
    {"filters", do_filters},     {"error", do_error},            {"warning", do_warning}, {"wrap", do_wrap},
    {"time-mode", do_time},      {"numbers", do_numbers},        {"mark", do_mark},       {"mark-next", do_mark_next},
    {"select", do_select},       {"copy-text", do_copy},         {"copy", do_copy},       {"save", do_save},
    {"w", do_save},              {"pipe", do_pipe},              {"edit", do_edit},       {"clear", do_clear},
    {"refresh", do_refresh},     {"sources", do_sources},      {"open-hit", do_open_hit},
};

/* ":123", ":10:42", ":-5m" */
static bool goes_to(struct log_view *lv, const char *word) {
    int64_t line = 0;
    if (word[0] != '-' && rt_parse_i64(word, &line)) {
        const int64_t last = log_view_last(lv);
        log_view_jump(lv, RT_MAX(RT_MIN(line - 1, last), 0));
        return true;
    }
    return strpbrk(word, "0123456789") && log_view_jump_time(lv, word);
}

static enum rt_taken log_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err) {
    struct log_view *lv = of(v);
    (void)err;
    for (size_t i = 0; i < RT_COUNT(commands); i++) {
        if (!rt_streq(words->v[0], commands[i].name))
            continue;
        struct rt_buf arg;
        rt_buf_init(&arg, 0);
        for (size_t k = 1; k < words->n; k++)
            rt_buf_addf(&arg, "%s%s", k > 1 ? " " : "", words->v[k]);
        commands[i].run(lv, rt_buf_str(&arg));
        rt_buf_deinit(&arg);
        rt_ui_mark(v->ui);
        return RT_TAKEN_YES;
    }
    return words->n == 1 && goes_to(lv, words->v[0]) ? RT_TAKEN_YES : RT_TAKEN_NO;
}

static bool log_back(struct rt_view *v) {
    struct log_view *lv = of(v);
    if (lv->selecting) {
        lv->selecting = false;
    } else if (lv->regex) {
        log_view_search_clear(lv);
    } else if (rt_logbuf_filters(lv->buf)) {
        log_view_keep_place(lv);
        while (rt_logbuf_filters(lv->buf))
            rt_logbuf_filter_pop(lv->buf);
    } else {
        return false;
    }
    rt_ui_mark(v->ui);
    return true;
}

static bool log_mouse(struct rt_view *v, const struct rt_event *ev, struct rt_rect r) {
    struct log_view *lv = of(v);
    (void)r;
    if (ev->mouse != RT_MOUSE_WHEEL_UP && ev->mouse != RT_MOUSE_WHEEL_DOWN)
        return false;
    log_view_move(lv, ev->mouse == RT_MOUSE_WHEEL_UP ? -3 : 3);
    return true;
}

/* ---- title ---- */

static void add_rate(struct rt_buf *b, double rate) {
    char count[32];
    const int64_t whole = (int64_t)(RT_MIN(rate, 1e6) + 0.5);
    if (rate < 0.5)
        return;
    if (rate < 1000)
        rt_buf_addf(b, " %s", rt_fmt_count(count, sizeof count, whole));
    else if (rate < 1e6)
        rt_buf_addf(b, " %.1fk", rate / 1000);
    else
        rt_buf_addf(b, " %.1fM", rate / 1e6);
    rt_buf_addf(b, " line%s/s", rt_plural(whole));
}

static void add_name(const struct log_view *lv, struct rt_buf *b) {
    const bool process = lv->what == RT_LOG_ACTOR || lv->what == RT_LOG_TASK || lv->what == RT_LOG_PROCESS; /* its file is "err", or none */
    const char *id = lv->file && !process ? lv->file : lv->id;
    if (lv->what == RT_LOG_OPERATION) {
        const struct rt_operation *op = rt_operations_find(rt_ui_app(lv->view.ui)->operations, lv->id);
        id = op && op->title ? op->title : id;
    }
    const char *base = lv->what == RT_LOG_FILE ? strrchr(id, '/') : NULL;
    if (base && base[1])
        id = base + 1;
    else if ((lv->what == RT_LOG_JOB || lv->what == RT_LOG_MERGED) && rt_starts(id, "raysubmit_"))
        id += strlen("raysubmit_");
    rt_clean(b, id, strlen(id));
    if (process && lv->file)
        rt_buf_addf(b, " %s", lv->file);
    if (lv->what == RT_LOG_MERGED)
        rt_buf_addf(b, ", %zu source%s", rt_log_sources(lv->log), rt_log_sources(lv->log) == 1 ? "" : "s");
}

static enum rt_health job_health(int status) {
    return status == RT_JOB_SUCCEEDED ? RT_H_DONE : status == RT_JOB_FAILED ? RT_H_BAD : RT_H_OFF;
}

/* How far down the last line of the screen stands, as `less` has it; nothing where all is seen or the end is followed. */
static void add_position(struct log_view *lv, struct rt_buf *out) {
    const int64_t n = rt_logbuf_visible(lv->buf, NULL);
    if (lv->follow || n <= lv->rows)
        return;
    log_view_settle(lv);
    const int64_t end = RT_MIN(rt_logbuf_visible_index(lv->buf, lv->top.line) + lv->rows, n);
    rt_buf_addf(out, "%d %%  ", (int)((double)end * 100 / (double)n));
}

static void log_title(struct rt_view *v, struct rt_buf *left, struct rt_buf *right) {
    struct log_view *lv = of(v);
    const struct rt_log_status *st = rt_log_status(lv->log);
    const bool ascii = rt_ui_ascii(v->ui);
    const char *dash = ascii ? " - " : " ─ ";
    rt_buf_adds(left, lv->what == RT_LOG_SEARCH ? "search /" : "log ");
    add_name(lv, left);
    if (lv->what == RT_LOG_SEARCH)
        rt_buf_adds(left, "/");
    const bool live = st->following && !st->failed, paused = rt_streq(st->text, "following") && !lv->follow;
    const char *state = st->failed ? "failed" : paused ? "paused, F goes on" : st->text[0] ? st->text : "opening";
    rt_buf_adds(left, dash);
    if (st->ended && st->job_status)
        rt_buf_addf(left, "%s ", rt_health_glyph(job_health(st->job_status), ascii));
    rt_clean(left, state, strlen(state));
    if (live && !paused) { /* what waits for F is counted at the right */
        rt_buf_adds(left, ascii ? " *" : " ●");
        add_rate(left, st->lines_per_s);
    }

    bool exact = true;
    char count[32], all[32];
    const int64_t n = rt_logbuf_lines(lv->buf, &exact);
    if (lv->regex) {
        rt_buf_adds(right, "/");
        rt_clean(right, lv->regex, strlen(lv->regex));
        if (lv->search)
            rt_buf_adds(right, " …");
        else if (lv->count_all || lv->count_done)
            rt_buf_addf(right, " %s/%s%s", rt_fmt_count(count, sizeof count, lv->count_at),
                        rt_fmt_count(all, sizeof all, lv->count_all), lv->count_done ? "" : "+");
        rt_buf_adds(right, "  ");
    }
    for (size_t i = 0; i < rt_logbuf_filters(lv->buf); i++) {
        bool drop = false;
        const char *f = rt_logbuf_filter_at(lv->buf, i, &drop);
        rt_buf_adds(right, rt_logbuf_filters_enabled(lv->buf) ? "&" : "(off) &");
        rt_buf_adds(right, drop ? "!" : "");
        rt_clean(right, f, strlen(f));
        rt_buf_adds(right, "  ");
    }
    add_position(lv, right);
    if (rt_logbuf_filtering(lv->buf))
        rt_buf_addf(right, "%s of ", rt_fmt_count(count, sizeof count, rt_logbuf_visible(lv->buf, NULL)));
    rt_buf_addf(right, "%s%s line%s", exact ? "" : "~", rt_fmt_count(count, sizeof count, n), rt_plural(n));
}

/* ---- the rest ---- */

static void log_select(struct rt_view *v, struct rt_selection *out) {
    const struct log_view *lv = of(v);
    out->cluster = v->cluster;
    if (lv->jobs.n)
        out->jobs = &lv->jobs;
    else if (lv->what == RT_LOG_NODE_FILE)
        out->node = lv->id;
    else if (lv->what == RT_LOG_OPERATION)
        out->operation = lv->id;
}

/* What the screen shows; whole logs are saved by `save`. */
static void log_text(struct rt_view *v, struct rt_buf *out) {
    struct log_view *lv = of(v);
    int64_t line = log_view_last(lv) < 0 ? -1 : lv->top.line;
    for (int i = 0; i < lv->rows && line >= 0; i++, line = log_view_next(lv, line)) {
        log_view_clean(lv, line, NULL);
        rt_buf_add(out, rt_buf_str(&lv->clean), lv->clean.len);
        rt_buf_addc(out, '\n');
    }
}

static void log_destroy(struct rt_view *v) {
    struct log_view *lv = of(v);
    if (lv->picker)
        log_view_sources_gone(lv->picker);
    rt_op_drop(&lv->search);
    rt_op_drop(&lv->count);
    rt_op_drop(&lv->saving);
    rt_timer_stop(lv->seek);
    rt_log_close_target(lv->log);
    rt_input_deinit(&lv->input);
    rt_buf_deinit(&lv->clean);
    rt_vec_deinit(&lv->marks);
    rt_strs_deinit(&lv->jobs);
    free(lv->regex);
    free(lv->save_path);
    free(lv->pipe_command);
    free(lv->id);
    free(lv->file);
    free(v->cluster);
    free(lv);
}

static bool log_offers(struct rt_view *v, const struct rt_strs *words) {
    const enum rt_log_what what = of(v)->what;
    const bool of_a_cluster = what == RT_LOG_JOB || what == RT_LOG_NODE_FILE || what == RT_LOG_MERGED;
    if (words->n && rt_streq(words->v[0], "open-hit"))
        return what == RT_LOG_SEARCH;
    return of_a_cluster || !words->n || !rt_streq(words->v[0], "sources");
}

/* Sources come with nodes and jobs. */
static uint32_t log_topics(struct rt_view *v) {
    return of(v)->what == RT_LOG_MERGED ? RT_TOPIC_BIT(RT_T_NODES) | RT_TOPIC_BIT(RT_T_JOBS) : 0;
}

static const struct rt_view_ops ops = {
    .name = "log",
    .klass = "text",
    .topics = log_topics,
    .offers = log_offers,
    .side = true,
    .draw = log_view_draw,
    .title = log_title,
    .key = log_key,
    .paste = log_paste,
    .command = log_command,
    .mouse = log_mouse,
    .select = log_select,
    .text = log_text,
    .back = log_back,
    .destroy = log_destroy,
};

static void changed(void *ctx) {
    struct log_view *lv = ctx;
    rt_ui_mark(lv->view.ui);
    if (lv->wanted >= 0 && rt_logbuf_lines(lv->buf, NULL) > lv->wanted) {
        const int64_t line = lv->wanted;
        lv->wanted = -1;
        log_view_jump(lv, line);
    }
}

void rt_view_log_go(struct rt_view *v, int64_t line, const char *regex) {
    struct log_view *lv = of(v);
    lv->wanted = line;
    lv->follow = false;
    free(lv->regex);
    lv->regex = rt_strdup(regex);
    changed(lv);
}

struct rt_view *rt_view_log(struct rt_ui *ui, const struct rt_log_target *t, struct rt_error *err) {
    struct log_view *lv = RT_NEW(struct log_view);
    lv->view = (struct rt_view){.ops = &ops, .ui = ui};
    lv->log = rt_log_open_target(rt_ui_app(ui), t, true, changed, lv, err);
    if (!lv->log) {
        free(lv);
        return NULL;
    }
    lv->view.cluster = rt_strdup(t->cluster);
    lv->what = t->what;
    lv->id = rt_strdup(t->what == RT_LOG_SEARCH ? t->regex : t->id);
    lv->file = rt_strdup(t->file);
    lv->buf = rt_log_buffer(lv->log);
    lv->walk = t->what == RT_LOG_SEARCH;
    lv->follow = !lv->walk;
    lv->wanted = lv->first_time_ms = -1;
    lv->rows = 20;
    lv->cols = 80;
    if (t->what == RT_LOG_JOB)
        rt_strs_add(&lv->jobs, t->id);
    for (size_t i = 0; i < t->nparts; i++)
        if (t->what == RT_LOG_MERGED && t->parts[i].what == RT_LOG_PART_DRIVER)
            rt_strs_add(&lv->jobs, t->parts[i].id);
    rt_input_init(&lv->input);
    rt_buf_init(&lv->clean, 0);
    rt_logbuf_on_renumber(lv->buf, log_view_renumber, lv);
    return &lv->view;
}

bool rt_show_log(struct rt_ui *ui, const struct rt_log_target *t, struct rt_error *err) {
    struct rt_view *log = rt_view_log(ui, t, err);
    if (log)
        rt_ui_push(ui, log);
    return log != NULL;
}
