/* The clipboard: the desktop's own program where there is one, else the terminal's (OSC 52, also over SSH). */
#include "ui/shell.h"

#include "base/str.h"
#include "net/proc.h"
#include <stdlib.h>

bool shell_has_variable(const char *name) {
    const char *v = getenv(name);
    return v && *v;
}

/* argv of the desktop's program; NULL when this is not its machine, or there is none. */
static const char *const *program(void) {
    static const struct {
        const char *needs; /* variable that says that it would work */
        const char *argv[5];
    } programs[] = {{"WAYLAND_DISPLAY", {"wl-copy", NULL}},
                    {"DISPLAY", {"xclip", "-selection", "clipboard", NULL}},
                    {"DISPLAY", {"xsel", "--input", "--clipboard", NULL}},
                    {"HOME", {"pbcopy", NULL}}};
    if (shell_has_variable("SSH_CONNECTION") || shell_has_variable("SSH_TTY"))
        return NULL;
    for (size_t i = 0; i < RT_COUNT(programs); i++) {
        char *path = shell_has_variable(programs[i].needs) ? rt_which(programs[i].argv[0]) : NULL;
        const bool there = path != NULL;
        free(path);
        if (there)
            return programs[i].argv;
    }
    return NULL;
}

static void program_over(void *ctx, const struct rt_proc_exit *over) {
    struct rt_ui *ui = ctx;
    struct rt_error err = {0};
    ui->clipboard = NULL;
    if (over->status == 0)
        return;
    rt_error_set(&err, RT_E_FAILED, "the clipboard's program failed; nothing was copied");
    rt_ui_error(ui, &err);
}

static bool to_program(struct rt_ui *ui, const char *text, size_t n) {
    struct rt_error ignored = {0};
    /* It stays: it is what others will ask for the text. */
    const struct rt_proc_opts o = {.argv = program(), .input = text, .input_len = n, .own_session = true, .stay = true};
    if (!o.argv)
        return false;
    rt_proc_destroy(ui->clipboard);
    ui->clipboard = rt_proc_start(ui->app->loop, &o, program_over, ui, &ignored);
    return ui->clipboard != NULL;
}

bool rt_ui_copy(struct rt_ui *ui, const char *text, size_t n, const char *what) {
    struct rt_error err = {0};
    if (!to_program(ui, text, n) && !rt_term_copy(ui->term, text, n, &err)) {
        rt_ui_error(ui, &err);
        return false;
    }
    rt_ui_toast(ui, "copied: %s", what);
    return true;
}
