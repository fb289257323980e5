/* Arguments to the screen or to one verb; exit status. */
#include "app/action.h"
#include "app/app.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/cli.h"
#include "ui/ui.h"
#include <locale.h>
#include <stdio.h>

static int fail(const struct rt_error *err) {
    fprintf(stderr, "raytui: %s\n%s%s%s", err->message, err->hint[0] ? "        " : "", err->hint, err->hint[0] ? "\n" : "");
    return rt_code_exit(err->code);
}

/* One word is a cluster to open; a verb misspelt is told before the screen opens. */
static bool known_target(struct rt_app *app, const char *target, struct rt_error *err) {
    const char *verbs[128];
    size_t n = 0;
    if (!target || rt_app_target(app, target, err))
        return true;
    for (const struct rt_action_def *d = rt_actions; d->name && n + 1 < RT_COUNT(verbs); d++)
        verbs[n++] = d->name;
    verbs[n] = NULL;
    const char *near = err->code == RT_E_NOT_FOUND && !rt_starts(err->hint, "did you mean") ? rt_nearest(target, verbs) : NULL;
    if (near)
        rt_error_hint(err, "did you mean `raytui %s`?", near);
    return false;
}

static int run_screen(const struct rt_cli_opts *o, const char *target, const char *log_file) {
    struct rt_error err = {0};
    struct rt_ui *ui = rt_ui_create(&err);
    if (!ui)
        return fail(&err);
    const struct rt_app_opts ao = {.config_path = o->config, .readonly = o->readonly, .ascii = o->ascii,
                                   .refresh_ms = o->refresh_ms, .asker = rt_ui_asker(ui), .snapshots = true};
    struct rt_app *app = rt_app_create(&ao, &err);
    int status;
    if (app && known_target(app, target, &err)) {
        const struct rt_ui_opts uo = {.theme = o->theme, .color = o->color, .ascii = o->ascii, .target = target, .log_file = log_file};
        status = rt_ui_run(ui, app, &uo);
    } else {
        status = fail(&err);
    }
    rt_ui_destroy(ui);
    rt_app_destroy(app);
    return status;
}

int main(int argc, char **argv) {
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C"); /* numbers in JSON and in what we parse have a point */
    struct rt_cli_opts o = {.print_keys = rt_ui_print_keys};
    const char *target = NULL, *log_file = NULL;
    int status = 0;
    if (rt_cli_main(argc, argv, &o, &target, &log_file, &status) == RT_CLI_SCREEN)
        status = run_screen(&o, target, log_file);
    rt_log_close();
    return status;
}
