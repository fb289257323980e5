/* A notice, told as the configuration says: a toast, the bell, the desktop, a person's own command. */
#include "ui/shell.h"

#include "base/str.h"
#include "net/proc.h"
#include "ui/notices.h"
#include <stdlib.h>

/* The command outlives the notice; it finds the text in RAYTUI_NOTICE. */
static void run(struct rt_ui *ui, const char *command, const char *text) {
    struct rt_error err = {0};
    char *env_text = rt_strf("RAYTUI_NOTICE=%s", text);
    const char *argv[] = {"/bin/sh", "-c", command, NULL}, *env[] = {env_text, NULL};
    const struct rt_proc_opts o = {.argv = argv, .env = env, .stay = true, .own_session = true};
    struct rt_proc *p = rt_proc_start(ui->app->loop, &o, NULL, NULL, &err);
    if (!p)
        rt_ui_error(ui, &err);
    rt_proc_destroy(p);
    free(env_text);
}

void shell_notice(void *ctx, const char *text, bool bad) {
    struct rt_ui *ui = ctx;
    const struct rt_notify how = rt_notify_parse(ui->app->config->notify);
    if (how.toast && (bad || !ui->toast.error)) /* what failed is not hidden by what went well */
        toast_notice(ui, text, bad);
    if (how.bell || how.desktop)
        rt_term_notify(ui->term, text, how.bell, how.desktop);
    if (how.command)
        run(ui, how.command, text);
}
