/* Editors, small helps of drawing. */
#include "ui/tools.h"

#include "base/fs.h"
#include "base/str.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *editor(void) {
    const char *const names[] = {"VISUAL", "EDITOR"};
    for (size_t i = 0; i < RT_COUNT(names); i++) {
        const char *v = getenv(names[i]);
        if (v && *v)
            return v;
    }
    return "vi";
}

/* +N is understood by these; another editor would open a file of that name. */
static bool takes_line(const char *program) {
    static const char *const known[] = {"vi", "vim", "nvim", "nano", "emacs", "emacsclient", "micro", "joe", "kak", "mg", "less", NULL};
    const char *base = strrchr(program, '/');
    base = base ? base + 1 : program;
    for (size_t i = 0; known[i]; i++)
        if (rt_streq(base, known[i]))
            return true;
    return false;
}

bool rt_tool_edit(struct rt_ui *ui, const char *path, int64_t line, struct rt_error *err) {
    struct rt_strs argv = {0};
    bool ok = rt_split_words(editor(), &argv, err);
    if (ok && !argv.n)
        ok = rt_error_set(err, RT_E_CONFIG, "$EDITOR is empty");
    if (ok) {
        if (line > 0 && takes_line(argv.v[0]))
            rt_strs_addf(&argv, "+%lld", (long long)line);
        rt_strs_add(&argv, path);
        const int status = rt_term_run(rt_ui_term(ui), argv.v, err);
        if (status < 0)
            ok = false;
        else if (status > 0)
            ok = rt_error_set(err, RT_E_FAILED, "%s ended with %d", argv.v[0], status);
    }
    rt_strs_deinit(&argv);
    return ok;
}

char *rt_tool_edit_text(struct rt_ui *ui, const char *text, struct rt_error *err) {
    char *dir = rt_path(RT_DIR_RUNTIME, NULL), *path = rt_strf("%s/edit-%ld.txt", dir, (long)getpid()), *out = NULL;
    struct rt_buf b;
    rt_buf_init(&b, RT_MIB);
    if (rt_mkdir_private(dir, err) && rt_file_write(path, text, strlen(text), err) && rt_tool_edit(ui, path, 0, err) &&
        rt_file_read(path, RT_MIB, &b, err)) {
        while (b.len && b.data[b.len - 1] == '\n')
            b.data[--b.len] = '\0';
        out = rt_buf_take(&b);
    }
    rt_buf_deinit(&b);
    unlink(path);
    free(path);
    free(dir);
    return out;
}

struct rt_look rt_tool_look(const struct rt_theme *t, enum rt_role below, enum rt_role over) {
    return rt_look_over(rt_theme_look(t, below), rt_theme_over(t, over));
}

int rt_tool_put(struct rt_surface *s, int row, int col, int cols, const char *text, struct rt_look look) {
    return cols > 0 ? rt_surface_put(s, row, col, cols, text, strlen(text), look) : 0;
}

int rt_tool_bar(const struct rt_draw *d, int row, int col, int cols, double fraction) {
    const int full = (int)(RT_MAX(RT_MIN(fraction, 1.0), 0.0) * cols + 0.5);
    for (int i = 0; i < cols; i++) {
        const bool on = i < full || (i == 0 && fraction > 0);
        const char *text = d->ascii ? (on ? "#" : ".") : (on ? "▇" : "▁");
        const enum rt_role role = !on ? RT_R_BAR_EMPTY : fraction >= 0.9 ? RT_R_BAR_HIGH : RT_R_BAR;
        rt_tool_put(d->s, row, col + i, 1, text, rt_theme_look(d->theme, role));
    }
    return RT_MAX(cols, 0);
}
