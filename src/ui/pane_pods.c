/* Pods: logs of their containers, shells, what kubectl tells of them. */
#include "ui/list.h"
#include "ui/menu.h"
#include "ui/shell.h"
#include "ui/views.h"

#include "base/str.h"
#include <stdlib.h>

static bool show_log(struct rt_view *v, const struct rt_list_row *r, const char *container, bool previous, struct rt_error *err) {
    const struct rt_pod *pod = r->row;
    char *id = rt_strf("%s/%s", pod->id, container);
    const struct rt_log_target t = {.what = RT_LOG_POD, .cluster = r->cluster->name, .id = id, .file = previous ? "previous" : NULL};
    const bool ok = rt_show_log(v->ui, &t, err);
    free(id);
    return ok;
}

static bool has_log(const struct rt_container *c, bool previous) {
    return previous ? c->before != NULL : rt_streq(c->state, "running") || rt_streq(c->state, "terminated");
}

/* One container is read at once, several are a choice. */
static bool pick_log(struct rt_view *v, const struct rt_list_row *r, bool previous, struct rt_error *err) {
    const struct rt_pod *pod = r->row;
    const struct rt_container *only = NULL;
    size_t n = 0;
    for (size_t i = 0; i < pod->ncontainers; i++)
        if (has_log(&pod->containers[i], previous)) {
            only = &pod->containers[i];
            n++;
        }
    if (!n)
        return rt_error_set(err, RT_E_NOT_FOUND, previous ? "nothing ran before in the containers of %s" : "no container of %s has run yet", pod->id);
    if (n == 1)
        return show_log(v, r, only->name, previous, err);
    struct rt_view *menu = rt_menu_create(v->ui, previous ? "what ran before" : "log of");
    int at = 0;
    for (size_t i = 0; i < pod->ncontainers; i++) {
        const struct rt_container *c = &pod->containers[i];
        if (!has_log(c, previous))
            continue;
        char key[2] = {(char)(at < 9 ? '1' + at : 0), 0};
        char *text = rt_strf("%-18s %s%s%s", c->name, c->init ? "init, " : "", c->reason ? c->reason : c->state ? c->state : "", c->before && !previous ? " (p: what ran before)" : "");
        char *line = rt_strf("pod-log%s --container %s", previous ? " previous" : "", c->name);
        rt_menu_add(menu, key, text, line);
        free(text);
        free(line);
        at++;
    }
    rt_ui_popup(v->ui, menu);
    return true;
}

/* pod-log [previous] [--container NAME] */
static bool do_log(struct rt_view *v, const struct rt_list_row *r, const struct rt_strs *w, struct rt_error *err) {
    const bool previous = rt_strs_has(w, "previous");
    if (w->n > 2 && rt_streq(w->v[w->n - 2], "--container"))
        return show_log(v, r, w->v[w->n - 1], previous, err);
    return pick_log(v, r, previous, err);
}

/* The verb that takes a pod's name. */
static bool do_verb(struct rt_view *v, const struct rt_list_row *r, const struct rt_strs *w, struct rt_error *err) {
    const char *verb = rt_streq(w->v[0], "pod-shell") ? "shell" : "remove-node";
    char *line = rt_strf("%s %s %s", verb, r->cluster->name, ((const struct rt_pod *)r->row)->id);
    (void)err;
    const bool ok = rt_ui_command(v->ui, line);
    free(line);
    return ok;
}

static bool do_tell(struct rt_view *v, const struct rt_list_row *r, const struct rt_strs *w, struct rt_error *err) {
    const struct rt_pod *pod = r->row;
    const bool yaml = rt_streq(w->v[0], "pod-yaml");
    struct rt_strs argv = {0};
    const bool ok = rt_app_tool(rt_ui_app(v->ui), r->cluster->name, yaml ? "yaml" : "describe", pod->id, &argv, err);
    if (ok) {
        char *title = rt_strf("%s of %s", yaml ? "YAML" : "state and events", pod->id);
        shell_show_output(v->ui, title, (const char *const *)argv.v);
        free(title);
    }
    rt_strs_deinit(&argv);
    return ok;
}

enum rt_taken rt_pods_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err) {
    static const struct rt_row_command commands[] = {{"pod-log", do_log}, {"pod-shell", do_verb}, {"pod-describe", do_tell}, {"pod-yaml", do_tell}, {"pod-remove", do_verb}};
    return rt_list_run(v, words, commands, RT_COUNT(commands), err);
}
