/* Arguments to the screen or to one verb; exit status. */
#include "app/action.h"
#include "app/app.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/cli.h"
#include "ui/theme.h"
#include "ui/ui.h"
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

static int fail(const struct rt_error *err) {
    fprintf(stderr, "raytui: %s\n%s%s%s", err->message, err->hint[0] ? "        " : "", err->hint, err->hint[0] ? "\n" : "");
    return rt_code_exit(err->code);
}

/* One word is a cluster to open; a verb misspelt is told before the screen opens. */
static bool known_target(struct rt_app *app, const char *target, struct rt_error *err) {
    if (!target || rt_app_target(app, target, err))
        return true;
    if (err->code != RT_E_NOT_FOUND || rt_starts(err->hint, "did you mean"))
        return false;
    const char *near = rt_nearest(target, rt_action_names());
    rt_error_set(err, RT_E_USAGE, "no such verb %s%s%s", target, near ? "; nearest: " : ", and no cluster of this name", near ? near : "");
    return rt_error_hint(err, "`raytui --help` lists the verbs, `raytui ls` the clusters");
}

/* Without a terminal what was typed may be wrong as well, and that is the better news. */
static int no_screen(const struct rt_cli_opts *o, const char *target, const struct rt_error *why) {
    struct rt_error err = {0};
    const struct rt_app_opts ao = {.config_path = o->config};
    struct rt_app *app = target ? rt_app_create(&ao, &err) : NULL;
    const bool known = !app || known_target(app, target, &err);
    rt_app_destroy(app);
    return fail(known ? why : &err);
}

static int run_screen(const struct rt_cli_opts *o, const char *target, const char *log_file) {
    struct rt_error err = {0};
    struct rt_ui *ui = rt_ui_create(&err);
    if (!ui)
        return no_screen(o, target, &err);
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

static bool theme_known(const char *name, struct rt_error *err) {
    struct rt_theme t;
    return rt_theme_load(&t, name, RT_DEPTH_16, err);
}

/* What is opened first must not become the stdout that was closed. */
static void fill_descriptors(void) {
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv) {
    fill_descriptors();
    setlocale(LC_CTYPE, ""); /* alone: words stay English, numbers in JSON and in what we parse have a point */
    struct rt_cli_opts o = {.print_keys = rt_ui_print_keys, .theme_known = theme_known};
    const char *target = NULL, *log_file = NULL;
    int status = 0;
    if (rt_cli_main(argc, argv, &o, &target, &log_file, &status) == RT_CLI_SCREEN)
        status = run_screen(&o, target, log_file);
    rt_log_close();
    return status;
}
