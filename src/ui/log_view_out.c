/* What leaves the log view: copied lines, saved files, pipes, the editor. */
#include "ui/log_view.h"

#include "base/fs.h"
#include "base/str.h"
#include "ui/tools.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { COPY_LINES_MAX = 20000 };

void log_view_copy(struct log_view *lv) {
    const int64_t from = lv->selecting ? RT_MIN(lv->anchor, lv->at) : lv->at;
    const int64_t to = lv->selecting ? RT_MAX(lv->anchor, lv->at) : lv->at;
    struct rt_buf b;
    char what[40];
    int n = 0;
    rt_buf_init(&b, 0);
    for (int64_t line = from; line >= 0 && line <= to && n < COPY_LINES_MAX; line = log_view_next(lv, line)) {
        if (log_view_clean(lv, line, NULL) < 0)
            break;
        if (n++)
            rt_buf_addc(&b, '\n');
        rt_buf_add(&b, rt_buf_str(&lv->clean), lv->clean.len);
    }
    if (n) {
        snprintf(what, sizeof what, "%d line%s", n, n == 1 ? "" : "s");
        rt_ui_copy(lv->view.ui, rt_buf_str(&b), b.len, what);
    }
    rt_buf_deinit(&b);
    lv->selecting = false;
    rt_ui_mark(lv->view.ui);
}

/* ---- through a file ---- */

static void pipe_file(struct log_view *lv, struct rt_error *err) {
    /* The command is the person's own words; the path is an argument. */
    static const char script[] = "eval \"$1\" < \"$2\"; printf '\\n[%s] Enter goes back ' \"$?\"; read -r x < /dev/tty";
    char *argv[] = {rt_strdup("sh"), rt_strdup("-c"), rt_strdup(script), rt_strdup("sh"), lv->pipe_command, lv->save_path, NULL};
    rt_term_run(rt_ui_term(lv->view.ui), argv, err);
    for (size_t i = 0; i < 4; i++)
        free(argv[i]);
}

static void saved(void *ctx, int64_t lines, const struct rt_error *err) {
    struct log_view *lv = ctx;
    struct rt_error e = {0};
    char count[32];
    lv->saving = NULL;
    if (err)
        e = *err;
    else if (lv->save_for == LOG_SAVE_PIPE)
        pipe_file(lv, &e);
    else if (lv->save_for == LOG_SAVE_EDIT)
        rt_tool_edit(lv->view.ui, lv->save_path, lv->at + 1, &e);
    else
        rt_ui_toast(lv->view.ui, "%s line%s in %s", rt_fmt_count(count, sizeof count, lines), rt_plural(lines), lv->save_path);
    if (lv->save_for != LOG_SAVE_KEEP)
        unlink(lv->save_path);
    if (e.code)
        rt_ui_error(lv->view.ui, &e);
}

/* Takes the path. */
static void save_to(struct log_view *lv, char *path, bool visible_only) {
    if (lv->saving) {
        rt_ui_note(lv->view.ui, "still writing %s", lv->save_path);
        free(path);
        return;
    }
    free(lv->save_path);
    lv->save_path = path;
    lv->saving = rt_logbuf_save(lv->buf, path, visible_only, saved, lv);
}

static char *own_name(const struct log_view *lv) {
    char stamp[32] = "";
    const time_t now = (time_t)(rt_wall_ms() / 1000);
    struct tm tm;
    localtime_r(&now, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &tm);
    const char *base = strrchr(lv->id, '/');
    char *name = rt_strf("%s-%s.log", base && base[1] ? base + 1 : lv->id, stamp);
    for (char *p = name; *p; p++)
        if (*p == '/' || (unsigned char)*p < 0x20)
            *p = '_';
    return name;
}

void log_view_save(struct log_view *lv, const char *path) {
    char *own = path && *path ? rt_path_expand(path) : own_name(lv);
    lv->save_for = LOG_SAVE_KEEP;
    char cwd[4096];
    if (own[0] != '/' && getcwd(cwd, sizeof cwd)) {
        char *full = rt_path_join(access(cwd, W_OK) == 0 ? cwd : "/tmp", own);
        free(own);
        own = full;
    }
    save_to(lv, own, rt_logbuf_filtering(lv->buf));
}

static char *temporary(struct rt_ui *ui, const char *suffix) {
    struct rt_error err = {0};
    char *dir = rt_path(RT_DIR_RUNTIME, NULL);
    char *path = rt_mkdir_private(dir, &err) ? rt_strf("%s/log-%ld%s", dir, (long)getpid(), suffix) : NULL;
    if (!path)
        rt_ui_error(ui, &err);
    free(dir);
    return path;
}

void log_view_pipe(struct log_view *lv, const char *command) {
    char *path = *command ? temporary(lv->view.ui, ".pipe") : NULL;
    if (!path)
        return;
    free(lv->pipe_command);
    lv->pipe_command = rt_strdup(command);
    lv->save_for = LOG_SAVE_PIPE;
    save_to(lv, path, true);
}

void log_view_edit(struct log_view *lv) {
    struct rt_error err = {0};
    if (lv->what == RT_LOG_FILE) {
        if (!rt_tool_edit(lv->view.ui, lv->id, lv->at + 1, &err))
            rt_ui_error(lv->view.ui, &err);
        return;
    }
    char *path = temporary(lv->view.ui, ".log");
    if (!path)
        return;
    lv->save_for = LOG_SAVE_EDIT;
    save_to(lv, path, false);
}
