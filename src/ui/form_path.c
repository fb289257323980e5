/* Picks a path: directories are read by a worker, so that a slow disk never holds the screen. */
#include "ui/form.h"

#include "base/fs.h"
#include "base/str.h"
#include "ui/tools.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRIES_MAX = 10000 };

struct entry {
    char *name;
    bool directory;
};

typedef RT_VEC(struct entry) entries;

/* One reading of a directory; the worker's own memory. */
struct reading {
    struct browser *to;
    char *path;
    entries list;
    bool failed;
};

struct browser {
    struct rt_view view;
    char *path;     /* absolute */
    entries list;
    size_t at, top;
    bool hidden, failed;
    char *select;   /* name to stand on after reading; NULL */
    struct rt_op *work;
    rt_path_fn *fn;
    void *ctx;
};

static struct browser *of(struct rt_view *v) {
    return (struct browser *)v;
}

static void entries_deinit(entries *l) {
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i].name);
    rt_vec_deinit(l);
}

static int by_name(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    return x->directory != y->directory ? (x->directory ? -1 : 1) : rt_natcmp(x->name, y->name);
}

/* ---- reading, on a worker ---- */

static bool is_directory(const char *dir, const char *name) {
    struct stat st;
    char *path = rt_path_join(dir, name);
    const bool yes = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    free(path);
    return yes;
}

static void read_directory(void *ctx) {
    struct reading *r = ctx;
    DIR *d = opendir(r->path);
    if (!d) {
        r->failed = true;
        return;
    }
    for (struct dirent *e = readdir(d); e && r->list.n < ENTRIES_MAX; e = readdir(d)) {
        if (rt_streq(e->d_name, ".") || rt_streq(e->d_name, ".."))
            continue;
        struct entry *to = rt_vec_push(&r->list);
        to->name = rt_strdup(e->d_name);
        to->directory = is_directory(r->path, e->d_name);
    }
    closedir(d);
    if (r->list.n)
        qsort(r->list.v, r->list.n, sizeof *r->list.v, by_name);
}

static void reading_free(void *ctx) {
    struct reading *r = ctx;
    entries_deinit(&r->list);
    free(r->path);
    free(r);
}

static void read_done(void *ctx) {
    struct reading *r = ctx;
    struct browser *b = r->to;
    b->work = NULL;
    entries_deinit(&b->list);
    b->list = r->list;
    memset(&r->list, 0, sizeof r->list);
    b->failed = r->failed;
    b->at = b->top = 0;
    for (size_t i = 0; b->select && i < b->list.n; i++)
        if (rt_streq(b->list.v[i].name, b->select))
            b->at = i;
    reading_free(r);
    rt_ui_mark(b->view.ui);
}

/* Takes the path and the name. */
static void enter(struct browser *b, char *path, char *select) {
    rt_op_drop(&b->work);
    free(b->path);
    free(b->select);
    b->path = path;
    b->select = select;
    struct reading *r = RT_NEW(struct reading);
    r->to = b;
    r->path = rt_strdup(path);
    b->work = rt_loop_work(rt_ui_app(b->view.ui)->loop, read_directory, read_done, reading_free, r);
}

/* ---- keys ---- */

static bool shown(const struct browser *b, size_t i) {
    return b->hidden || b->list.v[i].name[0] != '.';
}

static void move(struct browser *b, int step) {
    for (size_t i = b->at + (size_t)step; i < b->list.n; i += (size_t)step)
        if (shown(b, i)) {
            b->at = i;
            break;
        }
    rt_ui_mark(b->view.ui);
}

static void pick(struct browser *b, const char *name) {
    char *path = name ? rt_path_join(b->path, name) : rt_strdup(b->path);
    const char *home = getenv("HOME");
    const size_t n = home ? strlen(home) : 0;
    const bool under = n > 1 && rt_starts(path, home) && path[n] == '/';
    char *shorter = under ? rt_strf("~%s", path + n) : rt_strdup(path);
    rt_ui_close(b->view.ui, &b->view);
    b->fn(b->ctx, shorter);
    free(shorter);
    free(path);
}

static void open_entry(struct browser *b) {
    if (b->at >= b->list.n)
        return;
    const struct entry *e = &b->list.v[b->at];
    if (e->directory)
        enter(b, rt_path_join(b->path, e->name), NULL);
    else
        pick(b, e->name);
}

static void go_up(struct browser *b) {
    char *slash = strrchr(b->path, '/');
    if (!slash || !slash[1])
        return;
    char *name = rt_strdup(slash + 1);
    enter(b, slash == b->path ? rt_strdup("/") : rt_strndup(b->path, (size_t)(slash - b->path)), name);
}

static bool browser_key(struct rt_view *v, struct rt_key k) {
    struct browser *b = of(v);
    switch (k.code) {
    case 'j':
    case RT_K_DOWN:
        move(b, 1);
        return true;
    case 'k':
    case RT_K_UP:
        move(b, -1);
        return true;
    case RT_K_PGDN:
    case RT_K_PGUP:
        for (int i = 0; i < 10; i++)
            move(b, k.code == RT_K_PGDN ? 1 : -1);
        return true;
    case 'l':
    case RT_K_RIGHT:
    case RT_K_ENTER:
        open_entry(b);
        return true;
    case 'h':
    case RT_K_LEFT:
    case RT_K_BACKSPACE:
        go_up(b);
        return true;
    case ' ':
        if (b->at < b->list.n && shown(b, b->at))
            pick(b, b->list.v[b->at].name);
        return true;
    case '.':
    case RT_K_F2:
        pick(b, NULL);
        return true;
    case 'a':
        b->hidden = !b->hidden;
        rt_ui_mark(v->ui);
        return true;
    case '~':
        enter(b, rt_path_expand("~"), NULL);
        return true;
    case 'q':
    case RT_K_ESC:
        rt_ui_close(v->ui, v);
        return true;
    default:
        return true;
    }
}

static bool browser_mouse(struct rt_view *v, const struct rt_event *ev, struct rt_rect r) {
    struct browser *b = of(v);
    (void)r;
    if (ev->mouse == RT_MOUSE_WHEEL_UP || ev->mouse == RT_MOUSE_WHEEL_DOWN)
        for (int i = 0; i < 3; i++)
            move(b, ev->mouse == RT_MOUSE_WHEEL_UP ? -1 : 1);
    return true;
}

/* ---- drawing ---- */

static void put_entry(const struct browser *b, const struct rt_draw *w, struct rt_rect r, size_t i) {
    struct rt_buf name;
    rt_buf_init(&name, 0);
    rt_clean(&name, b->list.v[i].name, strlen(b->list.v[i].name));
    if (b->list.v[i].directory)
        rt_buf_addc(&name, '/');
    rt_tool_put(w->s, r.row, r.col + 2, r.cols - 2, rt_buf_str(&name),
                rt_tool_look(w->theme, RT_R_DIALOG, b->list.v[i].directory ? RT_R_ACCENT : RT_R_DIALOG));
    rt_buf_deinit(&name);
    if (i != b->at)
        return;
    rt_tool_put(w->s, r.row, r.col, 1, ">", rt_theme_look(w->theme, RT_R_DIALOG));
    rt_surface_tint(w->s, r, rt_theme_over(w->theme, RT_R_SELECT));
    w->s->cursor_row = r.row;
    w->s->cursor_col = r.col;
    w->s->cursor_shown = true;
}

static void browser_draw(struct rt_view *v, const struct rt_draw *w, struct rt_rect r) {
    struct browser *b = of(v);
    const struct rt_look dim = rt_tool_look(w->theme, RT_R_DIALOG, RT_R_DIM);
    rt_surface_fill(w->s, r, rt_theme_look(w->theme, RT_R_DIALOG));
    w->s->cursor_shown = false;
    const int rows = RT_MAX(r.rows - 1, 1);
    if (b->at < b->top)
        b->top = b->at;
    for (;;) {
        int before = 0;
        for (size_t i = b->top; i < b->at; i++)
            before += shown(b, i) ? 1 : 0;
        if (before < rows)
            break;
        b->top++;
    }
    int row = 0;
    for (size_t i = b->top; i < b->list.n && row < rows; i++)
        if (shown(b, i))
            put_entry(b, w, (struct rt_rect){r.row + row++, r.col, 1, r.cols}, i);
    if (!row)
        rt_tool_put(w->s, r.row, r.col + 2, r.cols - 2, b->work ? "reading" : b->failed ? "cannot be read" : "empty", dim);
    rt_tool_put(w->s, r.row + r.rows - 1, r.col + 1, r.cols - 2, "Enter open  Space take it  . this directory  h up  a hidden  Esc leave", dim);
}

static void browser_title(struct rt_view *v, struct rt_buf *left, struct rt_buf *right) {
    (void)right;
    rt_clean(left, of(v)->path, strlen(of(v)->path));
}

static void browser_want(struct rt_view *v, int max_rows, int max_cols, int *rows, int *cols) {
    (void)v;
    *rows = RT_MIN(max_rows, 20);
    *cols = RT_MIN(max_cols, 74);
}

static void browser_destroy(struct rt_view *v) {
    struct browser *b = of(v);
    rt_op_drop(&b->work);
    entries_deinit(&b->list);
    free(b->path);
    free(b->select);
    free(b);
}

static const struct rt_view_ops ops = {
    .name = "path",
    .modal = true,
    .draw = browser_draw,
    .title = browser_title,
    .key = browser_key,
    .mouse = browser_mouse,
    .want = browser_want,
    .destroy = browser_destroy,
};

struct rt_view *rt_path_browser(struct rt_ui *ui, const char *from, rt_path_fn *fn, void *ctx) {
    struct browser *b = RT_NEW(struct browser);
    b->view = (struct rt_view){.ops = &ops, .ui = ui};
    b->fn = fn;
    b->ctx = ctx;
    char *expanded = rt_path_expand(*from ? from : "."), *whole = realpath(expanded, NULL);
    free(expanded);
    if (whole && !rt_dir_exists(whole)) {
        char *slash = strrchr(whole, '/');
        enter(b, slash == whole ? rt_strdup("/") : rt_strndup(whole, (size_t)(slash - whole)), rt_strdup(slash + 1));
    } else {
        char cwd[4096];
        enter(b, rt_strdup(whole ? whole : getcwd(cwd, sizeof cwd) ? cwd : "/"), NULL);
    }
    free(whole);
    return &b->view;
}
