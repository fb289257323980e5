/* Ray's own dashboard in a browser, and the line for a command on a machine. */
#include "ui/shell.h"

#include "base/shell.h"
#include "base/str.h"
#include "net/proc.h"
#include <stdlib.h>
#include <string.h>

/* The words that open a page where somebody sits; none: nobody would see it. */
static bool browser(struct rt_strs *words, struct rt_error *err) {
    static const char *const openers[] = {"open", "xdg-open"};
    const bool remote = shell_has_variable("SSH_CONNECTION") || shell_has_variable("SSH_TTY");
    if (shell_has_variable("BROWSER"))
        return rt_split_words(getenv("BROWSER"), words, err);
    for (size_t i = 0; i < RT_COUNT(openers) && !words->n; i++) {
#ifndef __APPLE__
        if (i == 0 || !(shell_has_variable("DISPLAY") || shell_has_variable("WAYLAND_DISPLAY")))
            continue;
#endif
        char *path = remote ? NULL : rt_which(openers[i]);
        if (path)
            rt_strs_take(words, path);
    }
    return true;
}

/* The place in the dashboard (Ray 2.x: its pages stand behind the hash). */
static void add_page(struct rt_buf *url, const struct rt_selection *sel) {
    const char *jobs = sel->jobs && sel->jobs->n ? sel->jobs->v[0] : NULL, *id = jobs ? jobs : sel->node;
    if (!id)
        return;
    char *word = rt_url_encode(id);
    rt_buf_addf(url, "/#/%s/%s", jobs ? "jobs" : "cluster/nodes", word);
    free(word);
}

bool shell_do_browse(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    const struct rt_selection sel = shell_selection(ui);
    struct rt_strs words = {0};
    struct rt_buf url;
    (void)w;
    if (!sel.cluster)
        return rt_error_set(err, RT_E_USAGE, "no cluster is selected");
    rt_buf_init(&url, 4 * RT_KIB);
    bool ok = rt_app_web(ui->app, sel.cluster, &url, err) && browser(&words, err);
    if (ok)
        add_page(&url, &sel);
    if (ok && words.n) {
        rt_strs_add(&words, rt_buf_str(&url));
        const struct rt_proc_opts o = {.argv = (const char *const *)words.v, .own_session = true, .stay = true};
        struct rt_proc *p = rt_proc_start(ui->app->loop, &o, NULL, NULL, err);
        ok = p != NULL;
        rt_proc_destroy(p); /* it stays */
        if (ok)
            rt_ui_toast(ui, "the dashboard of %s opens", sel.cluster);
    } else if (ok) {
        rt_ui_copy(ui, rt_buf_str(&url), url.len, "the address of the dashboard");
        rt_ui_note(ui, "no browser here: %s", rt_buf_str(&url));
    }
    rt_buf_deinit(&url);
    rt_strs_deinit(&words);
    return ok;
}

/* As much of its id as tells it from others: the line has room for more than a name. */
static char *short_id(struct rt_ui *ui, const struct rt_selection *sel) {
    enum { SHORT = 12 };
    struct rt_error ignored = {0};
    char *id = rt_strdup(sel->node);
    if (id && strlen(id) > SHORT) {
        id[SHORT] = '\0';
        if (!rt_find_node(rt_store_cluster(ui->app->store, sel->cluster), id, &ignored)) {
            free(id);
            id = rt_strdup(sel->node);
        }
    }
    return id;
}

bool shell_do_exec_line(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    const struct rt_selection sel = shell_selection(ui);
    (void)w;
    if (!sel.cluster)
        return rt_error_set(err, RT_E_USAGE, "no cluster is selected");
    char *node = short_id(ui, &sel);
    const char *const words[] = {"exec", sel.cluster, node, NULL};
    char *line = rt_shell_join(words), *text = rt_strf("%s -- ", line);
    prompt_open(ui, PROMPT_COMMAND, text);
    free(text);
    free(line);
    free(node);
    return true;
}
