/* A shell without a terminal: what views ask of it, written down for the tests to read; and views drawn on a
 * surface that is read as text. */
#ifndef RT_TESTS_FAKESHELL_H
#define RT_TESTS_FAKESHELL_H

#include "unit/cmocka_all.h"

#include "base/fs.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/operation.h"
#include "ui/view.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rt_ui {
    struct rt_app *app;
    struct rt_theme theme;
    char dir[64];
    char *cluster;
    struct rt_buf said;     /* toasts and errors, a line each */
    struct rt_buf copied;
    struct rt_strs lines;   /* command lines that were run */
    struct rt_strs argv;    /* of the last program that had the terminal */
    RT_VEC(struct rt_view *) popups;
    struct rt_view *closed; /* destroyed with the test */
    struct rt_surface s;
};

struct rt_app *rt_ui_app(struct rt_ui *ui) { return ui->app; }
struct rt_term *rt_ui_term(struct rt_ui *ui) { return (struct rt_term *)(void *)ui; }
bool rt_ui_ascii(const struct rt_ui *ui) { (void)ui; return false; }
const char *rt_ui_cluster(const struct rt_ui *ui) { return ui->cluster; }
const struct rt_history *rt_ui_history(const struct rt_ui *ui) { (void)ui; return NULL; }
void rt_ui_mark(struct rt_ui *ui) { (void)ui; }
void rt_ui_push(struct rt_ui *ui, struct rt_view *v) { *rt_vec_push(&ui->popups) = v; }
void rt_ui_popup(struct rt_ui *ui, struct rt_view *v) { *rt_vec_push(&ui->popups) = v; }
bool rt_ui_can(struct rt_ui *ui, const char *line, struct rt_error *err) { (void)ui; (void)line; (void)err; return true; }

void rt_ui_set_cluster(struct rt_ui *ui, const char *name) {
    free(ui->cluster);
    ui->cluster = rt_strdup(name);
}

void rt_ui_close(struct rt_ui *ui, struct rt_view *v) {
    assert_null(ui->closed);
    size_t i = 0;
    while (i < ui->popups.n && ui->popups.v[i] != v)
        i++;
    assert_true(i < ui->popups.n);
    rt_vec_remove(&ui->popups, i);
    ui->closed = v;
}

bool rt_ui_command(struct rt_ui *ui, const char *line) {
    rt_strs_add(&ui->lines, line);
    return true;
}

void rt_ui_call(struct rt_ui *ui, struct rt_call *call) {
    rt_strs_take(&ui->lines, rt_call_text(call));
    rt_call_deinit(call);
}

void rt_ui_toast(struct rt_ui *ui, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    rt_buf_addv(&ui->said, fmt, ap);
    va_end(ap);
    rt_buf_addc(&ui->said, '\n');
}

void rt_ui_note(struct rt_ui *ui, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    rt_buf_addv(&ui->said, fmt, ap);
    va_end(ap);
    rt_buf_addc(&ui->said, '\n');
}

void rt_ui_error(struct rt_ui *ui, const struct rt_error *err) {
    rt_buf_addf(&ui->said, "error: %s\n", err->message);
}

void rt_ui_toast_undo(struct rt_ui *ui, const char *text, const char *undo) {
    rt_buf_addf(&ui->said, "%s [%s]\n", text, undo);
}

bool rt_ui_copy(struct rt_ui *ui, const char *text, size_t n, const char *what) {
    rt_buf_clear(&ui->copied);
    rt_buf_add(&ui->copied, text, n);
    rt_ui_toast(ui, "copied %s", what);
    return true;
}

int rt_term_run(struct rt_term *t, char *const argv[], struct rt_error *err) {
    struct rt_ui *ui = (struct rt_ui *)(void *)t;
    (void)err;
    rt_strs_deinit(&ui->argv);
    for (size_t i = 0; argv[i]; i++)
        rt_strs_add(&ui->argv, argv[i]);
    return 0;
}

/* ---- setup ---- */

static inline int shell_up(void **state) {
    static const char *const places[] = {"HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"};
    static const char config[] = "clusters:\n  lab: {provider: address, url: 'http://127.0.0.1:1'}\n"
                                 "  prod: {provider: address, url: 'http://127.0.0.1:2'}\naliases: {tr: submit}\n";
    struct rt_error err = {0};
    struct rt_ui *ui = RT_NEW(struct rt_ui);
    snprintf(ui->dir, sizeof ui->dir, "/tmp/raytui-ui-XXXXXX");
    assert_non_null(mkdtemp(ui->dir));
    for (size_t i = 0; i < RT_COUNT(places); i++)
        setenv(places[i], ui->dir, 1);
    char *path = rt_strf("%s/raytui/config.yaml", ui->dir);
    assert_true(rt_file_write(path, config, strlen(config), &err));
    free(path);
    const struct rt_app_opts o = {0};
    ui->app = rt_app_create(&o, &err);
    assert_non_null(ui->app);
    rt_theme_default(&ui->theme, RT_DEPTH_16);
    rt_buf_init(&ui->said, 0);
    rt_buf_init(&ui->copied, 0);
    rt_surface_init(&ui->s);
    ui->cluster = rt_strdup("lab");
    *state = ui;
    return 0;
}

static inline void destroy_view(struct rt_view *v) {
    if (v)
        v->ops->destroy(v);
}

static inline int shell_down(void **state) {
    struct rt_ui *ui = *state;
    struct rt_error err = {0};
    while (ui->popups.n)
        destroy_view(ui->popups.v[--ui->popups.n]);
    destroy_view(ui->closed);
    rt_vec_deinit(&ui->popups);
    rt_app_destroy(ui->app);
    rt_surface_deinit(&ui->s);
    rt_buf_deinit(&ui->said);
    rt_buf_deinit(&ui->copied);
    rt_strs_deinit(&ui->lines);
    rt_strs_deinit(&ui->argv);
    free(ui->cluster);
    const bool ok = rt_remove_tree(ui->dir, &err);
    free(ui);
    return ok ? 0 : -1;
}

#define shell_test(fn) cmocka_unit_test_setup_teardown(fn, shell_up, shell_down)

/* ---- views ---- */

static inline struct rt_view *opened(struct rt_ui *ui, struct rt_view *v) {
    assert_non_null(v);
    rt_ui_popup(ui, v);
    return v;
}

/* The view in front: the popup that was opened last. */
static inline struct rt_view *front(struct rt_ui *ui) {
    assert_true(ui->popups.n > 0);
    return ui->popups.v[ui->popups.n - 1];
}

/* "a", "Enter", "^K": keys as in the help, separated by blanks. */
static inline void keys(struct rt_ui *ui, const char *names) {
    struct rt_strs words = {0};
    struct rt_error err = {0};
    assert_true(rt_split_words(names, &words, &err));
    for (size_t i = 0; i < words.n; i++) {
        struct rt_key k;
        assert_true(rt_key_parse(words.v[i], &k));
        front(ui)->ops->key(front(ui), k);
    }
    rt_strs_deinit(&words);
}

/* Letters, one by one. */
static inline void type(struct rt_ui *ui, const char *text) {
    for (size_t i = 0, n = strlen(text); i < n;) {
        struct rt_key k = {0};
        i += rt_utf8_next(text + i, n - i, &k.code);
        front(ui)->ops->key(front(ui), k);
    }
}

static inline enum rt_taken command(struct rt_view *v, const char *line) {
    struct rt_strs words = {0};
    struct rt_error err = {0};
    assert_true(rt_split_words(line, &words, &err));
    const enum rt_taken taken = v->ops->command(v, &words, &err);
    rt_strs_deinit(&words);
    return taken;
}

/* What it looks like, a line each, without the blanks at their ends. Gives it. */
static inline char *drawn(struct rt_ui *ui, struct rt_view *v, int rows, int cols) {
    const struct rt_draw d = {.s = &ui->s, .theme = &ui->theme, .focus = true, .now_ms = 1700000000000};
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_surface_resize(&ui->s, rows, cols);
    rt_surface_clear(&ui->s, rt_theme_look(&ui->theme, RT_R_TEXT));
    v->ops->draw(v, &d, (struct rt_rect){0, 0, rows, cols});
    for (int r = 0; r < rows; r++) {
        const size_t start = b.len;
        int used = 0;
        for (int c = 0; c < cols; c++) {
            const struct rt_cell *cell = rt_surface_cell(&ui->s, r, c);
            if (cell->width == 0)
                continue;
            used += cell->width;
            if (cell->len)
                rt_buf_add(&b, cell->text, cell->len);
            else
                rt_buf_addc(&b, ' ');
        }
        assert_int_equal(used, cols);
        while (b.len > start && b.data[b.len - 1] == ' ')
            b.data[--b.len] = '\0';
        rt_buf_addc(&b, '\n');
    }
    return rt_buf_take(&b);
}

static inline bool shows(struct rt_ui *ui, struct rt_view *v, int rows, int cols, const char *text) {
    char *screen = drawn(ui, v, rows, cols);
    const bool there = strstr(screen, text) != NULL;
    free(screen);
    return there;
}

#define assert_shows(ui, v, rows, cols, text)                                                      \
    do {                                                                                           \
        char *screen_ = drawn(ui, v, rows, cols);                                                  \
        if (!strstr(screen_, text))                                                                \
            fail_msg("not on the screen: %s\n%s", text, screen_);                                  \
        free(screen_);                                                                             \
    } while (0)

static inline bool said(const struct rt_ui *ui, const char *text) {
    return strstr(rt_buf_str(&ui->said), text) != NULL;
}

static inline void wake(void *ctx) {
    (void)ctx;
}

/* Turns the loop until `done` is true or some seconds have passed. */
static inline void until(struct rt_ui *ui, bool (*done)(struct rt_ui *ui)) {
    struct rt_timer *tick = rt_timer_start(ui->app->loop, 5, 5, wake, NULL);
    for (const int64_t end = rt_mono_ms() + 10000; !done(ui) && rt_mono_ms() < end;)
        rt_loop_turn(ui->app->loop, true);
    rt_timer_stop(tick);
    assert_true(done(ui));
}

#endif
