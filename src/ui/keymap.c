/* The default keys, and a person's own before them. */
#include "ui/keymap.h"

#include "base/str.h"
#include "base/vec.h"
#include <stdio.h>
#include <stdlib.h>

const struct rt_key_default rt_key_defaults[] = {
    /* clusters */
    {"clusters", "Enter", "open", "attach and show its jobs", "open"},
    {"clusters", "a", "attach-form", "attach to an address", "attach"},
    {"clusters", "A", "discover", "look for clusters on this machine", "discover"},
    {"clusters", "n", "init-form", "new cluster", "new"},
    {"clusters", "u", "up", "bring the cluster up", "up"},
    {"clusters", "t", "forwards-toggle", "forwards on and off", "forwards"},
    {"clusters", "^K", "down", "tear the cluster down", "down"},
    {"clusters", "^D", "down", "tear the cluster down", NULL},
    {"clusters", "z", "suspend-or-resume", "let its machines go, or bring them back", NULL},
    {"clusters", "l", "machine-log", "what the head wrote while Ray started, else its log files", NULL},
    {"clusters", "K", "keepalive", "start its idle time anew", NULL},
    {"clusters", "Del", "forget", "take it off the list", NULL},
    {"clusters", "s", "shell", "shell on the head", NULL},
    {"clusters", "X", "exec-line", "run a command on the head", NULL},
    {"clusters", "o", "browse", "its dashboard in a browser", NULL},
    {"clusters", "e", "edit", "its object in $EDITOR (KubeRay)", NULL},
    {"clusters", "d", "detail", "detail and connection card", "detail"},
    {"clusters", "0", "pulse", "all clusters together", NULL},
    /* all clusters together */
    {"pulse", "0", "clusters", "their list alone", NULL},
    {"pulse", "Enter", "open", "attach and show its jobs", "open"},
    {"pulse", "H", "heat", "all its nodes at a glance", "heat map"},
    {"pulse", "a", "attach-form", "attach to an address", "attach"},
    {"pulse", "A", "discover", "look for clusters on this machine", NULL},
    {"pulse", "n", "init-form", "new cluster", "new"},
    {"pulse", "u", "up", "bring the cluster up", "up"},
    {"pulse", "t", "forwards-toggle", "forwards on and off", "forwards"},
    {"pulse", "K", "keepalive", "start its idle time anew", NULL},
    {"pulse", "^K", "down", "tear the cluster down", NULL},
    {"pulse", "s", "shell", "shell on the head", NULL},
    {"pulse", "X", "exec-line", "run a command on the head", NULL},
    {"pulse", "o", "browse", "its dashboard in a browser", NULL},
    /* heat map */
    {"heat", "h", "walk left", "the node to the left", NULL},
    {"heat", "Left", "walk left", "the node to the left", NULL},
    {"heat", "l", "walk right", "the node to the right", NULL},
    {"heat", "Right", "walk right", "the node to the right", NULL},
    {"heat", "k", "walk up", "the node above", NULL},
    {"heat", "Up", "walk up", "the node above", NULL},
    {"heat", "j", "walk down", "the node below", NULL},
    {"heat", "Down", "walk down", "the node below", NULL},
    {"heat", "g", "walk first", "the first node", NULL},
    {"heat", "Home", "walk first", "the first node", NULL},
    {"heat", "G", "walk last", "the last node", NULL},
    {"heat", "End", "walk last", "the last node", NULL},
    {"heat", "PgDn", "walk page", "page down", NULL},
    {"heat", "PgUp", "walk -page", "page up", NULL},
    {"heat", "Enter", "detail", "everything known of the node", "node"},
    {"heat", "d", "detail", "everything known of the node", NULL},
    {"heat", "m", "measure", "what the height means: CPU, memory, GPU, object store, disk", "measure"},
    {"heat", "L", "node-logs", "the node's log files", "logs"},
    {"heat", "s", "shell", "shell on the node", "shell"},
    {"heat", "X", "exec-line", "run a command on the node", NULL},
    {"heat", "^K", "remove-node", "end the node", "end"},
    /* pools */
    {"pools", "Enter", "nodes", "the nodes of the cluster", NULL},
    {"pools", "+", "scale-step +1", "one node more", "more"},
    {"pools", "=", "scale-step +1", "one node more", NULL},
    {"pools", "-", "scale-step -1", "one node less", "less"},
    {"pools", "l", "machine-log", "what its last node wrote while Ray started, else its log files", NULL},
    {"pools", "S", "scale-form", "set the number of nodes", "set"},
    {"pools", "n", "add-pool-form", "add a pool", NULL},
    {"pools", "^K", "remove-pool", "make the pool empty and take it away", NULL},
    {"pools", "u", "undo", "take the last change back", NULL},
    /* nodes */
    {"nodes", "Enter", "detail", "everything known of the node", NULL},
    {"nodes", "s", "shell", "shell on the node", "shell"},
    {"nodes", "X", "exec-line", "run a command on the node", NULL},
    {"nodes", "o", "browse", "the node in the dashboard", NULL},
    {"nodes", "H", "heat", "all nodes at a glance", "heat map"},
    {"nodes", "l", "node-logs", "the node's log files", "logs"},
    {"nodes", "^K", "remove-node", "end the node", "end"},
    {"nodes", "^D", "remove-node", "end the node", NULL},
    {"tree", "d", "detail", "everything known of it", "detail"},
    {"tree", "L", "node-logs", "the node's log files", NULL},
    {"node", "s", "shell", "shell on the node", "shell"},
    {"node", "X", "exec-line", "run a command on the node", NULL},
    {"node", "L", "node-logs", "the node's log files", "logs"},
    {"node", "c", "copy-id", "copy the node's id", NULL},
    {"node", "^K", "remove-node", "end the node", NULL},
    /* actors, tasks, workers */
    {"actors", "Enter", "actor-log", "what it wrote", "log"},
    {"actors", "l", "actor-log", "what it wrote", NULL},
    {"actors", "E", "actor-log err", "what it wrote to stderr", "stderr"},
    {"actors", "t", "stack", "its stack: where it is now", "stack"},
    {"actors", "P", "profile-menu", "look into the process: stack, CPU, memory", "profile"},
    {"tasks", "Enter", "task-log", "its error, or what it wrote", "log"},
    {"tasks", "l", "task-log", "its error, or what it wrote", NULL},
    {"tasks", "E", "task-log err", "what its worker wrote to stderr", NULL},
    {"tasks", "t", "stack", "its stack: where it is now", "stack"},
    {"tasks", "P", "profile-menu", "look into the process: stack, CPU, memory", "profile"},
    {"workers", "Enter", "worker-log", "what it wrote", "log"},
    {"workers", "l", "worker-log", "what it wrote", NULL},
    {"workers", "E", "worker-log err", "what it wrote to stderr", NULL},
    {"workers", "t", "stack", "its stack: where it is now", "stack"},
    {"workers", "P", "profile-menu", "look into the process: stack, CPU, memory", "profile"},
    {"serve", "Enter", "row-log", "what the replica wrote; of the others what Serve's controller did", "log"},
    {"serve", "l", "row-log", "what the replica wrote; of the others what Serve's controller did", NULL},
    {"serve", "t", "stack", "the replica's stack: where it is now", NULL},
    {"serve", "P", "profile-menu", "look into the replica: stack, CPU, memory", NULL},
    {"pgs", "l", "row-log", "what the job wrote that made the group", "log"},
    {"events", "l", "row-log", "the log of the autoscaler, or of the job that it tells of", "log"},
    {"envs", "l", "row-log", "what the node wrote that made it", "log"},
    /* what Kubernetes has */
    {"pods", "Enter", "detail", "everything known of the pod", NULL},
    {"pods", "l", "pod-log", "the log of a container", "log"},
    {"pods", "p", "pod-log previous", "what ran in the container before", "previous"},
    {"pods", "s", "pod-shell", "shell in the pod", "shell"},
    {"pods", "D", "pod-describe", "its state and events as kubectl tells them", "describe"},
    {"pods", "Y", "pod-yaml", "the object", "YAML"},
    {"pods", "^K", "pod-remove", "end this worker: drained, and not replaced", "end"},
    {"rayjobs", "Enter", "open-owned", "its RayCluster", "cluster"},
    {"rayjobs", "l", "owned-log", "the log of its job", "log"},
    {"rayjobs", "z", "suspend-or-resume", "suspend or resume", "suspend"},
    {"rayjobs", "^K", "delete-rayjob", "delete it with its cluster", "delete"},
    {"rayservices", "Enter", "open-owned", "the RayCluster that serves", "cluster"},
    {"rayservices", "^K", "delete-rayservice", "delete it with its clusters", "delete"},
    /* jobs */
    {"jobs", "Enter", "logs -f", "follow the log", NULL},
    {"jobs", "n", "submit-form", "submit a job", "submit"},
    {"jobs", "^K", "stop-or-delete", "stop; delete the record of an ended job", "stop"},
    {"jobs", "^D", "stop-or-delete", "stop; delete the record of an ended job", NULL},
    {"jobs", "o", "browse", "the job in the dashboard", NULL},
    {"jobs", "r", "submit-again", "run again with the same parameters", "again"},
    {"jobs", "l", "logs -f", "follow the log", "log"},
    /* forwards */
    {"forwards", "t", "forwards-toggle", "those of the cluster on and off", "on/off"},
    {"forwards", "F", "forward-form", "forward another port", "forward"},
    {"forwards", "Enter", "detail", "everything known of the forward", NULL},
    {"forwards", "^K", "unforward", "close the forward", "close"},
    {"forwards", "^D", "unforward", "close the forward", NULL},
    /* operations */
    {"operations", "Enter", "operation-log", "output and steps", "output"},
    {"operations", "l", "operation-log", "output and steps", NULL},
    {"operations", "r", "operation-retry", "again", "again"},
    {"operations", "^K", "operation-cancel", "cancel", "cancel"},
    {"operations", "^C", "operation-cancel", "cancel", NULL},
    /* log */
    {"log", "F", "follow", "follow the end", "follow"},
    {"log", "s", "follow toggle", "follow on and off", NULL},
    {"log", "/", "search", "search (regular expression)", "search"},
    {"log", "&", "keep", "keep lines that match; ! first drops them", "filter"},
    {"log", "^F", "filters", "filters on and off", NULL},
    {"log", "e", "error", "next error", "error"},
    {"log", "E", "error -", "error before", NULL},
    {"log", "w", "warning", "next warning", NULL},
    {"log", "W", "warning -", "warning before", NULL},
    {"log", "t", "time-mode", "time beside the lines: clock, elapsed, none", NULL},
    {"log", "#", "numbers", "line numbers", NULL},
    {"log", "m", "mark", "mark this line", NULL},
    {"log", "'", "mark-next", "next marked line", NULL},
    {"log", "v", "select", "select lines; y copies them", NULL},
    {"log", "y", "copy", "copy the selected lines, or this one", NULL},
    {"log", "|", "pipe", "give the lines to a shell command", NULL},
    {"log", "^E", "edit", "open in $EDITOR", NULL},
    {"log", "C", "clear", "clear the screen, not the log", NULL},
    {"log", "S", "sources", "all workers beside the driver; which sources show", "sources"},
    {"log", "Enter", "open-hit", "in the result of a search: the log there", "open"},
    {"log", "^R", "refresh", "connect again now", NULL},
    /* why */
    {"why", "+", "why-act", "do what it offers: one node more", NULL},
    {"why", "=", "why-act", "do what it offers: one node more", NULL},
    /* first run */
    {"start", "L", "start-local", "start a Ray cluster on this machine", "local Ray"},
    {"start", "n", "init-form", "new cluster, elsewhere", "new"},
    {"start", "a", "attach-form", "attach to an address", "attach"},
    {"start", "A", "discover", "look again", "discover"},

    /* every list */
    {"list", "j", "move +1", "down", NULL},
    {"list", "Down", "move +1", "down", NULL},
    {"list", "k", "move -1", "up", NULL},
    {"list", "Up", "move -1", "up", NULL},
    {"list", "g", "move first", "first row", NULL},
    {"list", "Home", "move first", "first row", NULL},
    {"list", "G", "move last", "last row", NULL},
    {"list", "End", "move last", "last row", NULL},
    {"list", "PgDn", "move page", "page down", NULL},
    {"list", "^F", "move page", "page down", NULL},
    {"list", "PgUp", "move -page", "page up", NULL},
    {"list", "^B", "move -page", "page up", NULL},
    {"list", "^U", "move -half", "half a page up", NULL},
    {"list", "h", "scroll -8", "columns to the left", NULL},
    {"list", "Left", "scroll -8", "columns to the left", NULL},
    {"list", "Right", "scroll +8", "columns to the right", NULL},
    {"list", "Space", "mark", "mark this row", NULL},
    {"list", "^Space", "mark-range", "mark up to the last mark", NULL},
    {"list", "^\\", "unmark", "no marks", NULL},
    {"list", "d", "detail", "everything known of it", "detail"},
    {"list", "w", "why", "why it waits, failed or stays", "why"},
    {"list", "Y", "raw", "the raw answer", NULL},
    {"list", "c", "copy-id", "copy the id", NULL},
    {"list", "y", "copy", "copy menu", NULL},
    {"list", "v", "equivalent", "the command line for this row", NULL},
    {"list", "<", "sort-previous", "sort by the column to the left", NULL},
    {"list", ">", "sort-next", "sort by the column to the right", NULL},
    {"list", "I", "sort-invert", "invert the order", NULL},
    {"list", "O", "sort-menu", "pick the column to sort by", NULL},
    {"list", "^W", "wide", "more columns", NULL},
    {"list", "C", "columns", "choose and order the columns", NULL},
    {"list", "!", "attention", "only rows that need attention", NULL},
    {"list", "0", "all", "rows of all clusters, of this one", NULL},
    {"list", "^R", "refresh", "ask again, reconnect now", NULL},
    {"list", "l", "scroll +8", "columns to the right", NULL},

    /* what folds */
    {"outline", "Enter", "enter", "open what stands there", "open"},
    {"outline", "Space", "fold-toggle", "fold and unfold", NULL},
    {"outline", "h", "fold", "fold, or up to what it belongs to", "fold"},
    {"outline", "Left", "fold", "fold, or up to what it belongs to", NULL},
    {"outline", "l", "unfold", "unfold", "unfold"},
    {"outline", "Right", "unfold", "unfold", NULL},
    {"outline", "o", "fold-all", "fold all, unfold all", "all"},
    {"outline", "t", "stack", "the stack of the process", NULL},
    {"outline", "P", "profile-menu", "look into the process: stack, CPU, memory", NULL},
    {"outline", "j", "move +1", "down", NULL},
    {"outline", "Down", "move +1", "down", NULL},
    {"outline", "k", "move -1", "up", NULL},
    {"outline", "Up", "move -1", "up", NULL},
    {"outline", "g", "move first", "first line", NULL},
    {"outline", "Home", "move first", "first line", NULL},
    {"outline", "G", "move last", "last line", NULL},
    {"outline", "End", "move last", "last line", NULL},
    {"outline", "PgDn", "move page", "page down", NULL},
    {"outline", "^F", "move page", "page down", NULL},
    {"outline", "PgUp", "move -page", "page up", NULL},
    {"outline", "^B", "move -page", "page up", NULL},
    {"outline", "^D", "move half", "half a page down", NULL},
    {"outline", "^U", "move -half", "half a page up", NULL},
    {"outline", "^R", "refresh", "ask again", NULL},

    /* every text */
    {"text", "j", "move +1", "down", NULL},
    {"text", "Down", "move +1", "down", NULL},
    {"text", "Enter", "move +1", "down", NULL},
    {"text", "k", "move -1", "up", NULL},
    {"text", "Up", "move -1", "up", NULL},
    {"text", "g", "move first", "to the top", NULL},
    {"text", "Home", "move first", "to the top", NULL},
    {"text", "G", "move last", "to the end", NULL},
    {"text", "End", "move last", "to the end", NULL},
    {"text", "PgDn", "move page", "page down", NULL},
    {"text", "Space", "move page", "page down", NULL},
    {"text", "^F", "move page", "page down", NULL},
    {"text", "PgUp", "move -page", "page up", NULL},
    {"text", "^B", "move -page", "page up", NULL},
    {"text", "^D", "move half", "half a page down", NULL},
    {"text", "^U", "move -half", "half a page up", NULL},
    {"text", "h", "scroll -8", "to the left", NULL},
    {"text", "Left", "scroll -8", "to the left", NULL},
    {"text", "l", "scroll +8", "to the right", NULL},
    {"text", "Right", "scroll +8", "to the right", NULL},
    {"text", "/", "find", "search", "search"},
    {"text", "n", "search-next", "next match", NULL},
    {"text", "N", "search-previous", "match before", NULL},
    {"text", "^W", "wrap", "wrap long lines", "wrap"},
    {"text", "y", "copy-text", "copy all of it", "copy"},
    {"text", "^R", "refresh", "ask again", NULL},

    /* everywhere */
    {"", "/", "find", "filter a list, search a text", "filter"},
    {"", ":", "prompt", "command line", "command"},
    {"", "?", "help", "keys and commands", "help"},
    {"", "F1", "help", "keys and commands", NULL},
    {"", "Esc", "back", "one step back", NULL},
    {"", "q", "close", "back; on the first view leave", NULL},
    {"", "Q", "quit", "leave raytui", NULL},
    {"", "^C", "interrupt", "cancel; twice: leave", NULL},
    {"", "Tab", "focus-next", "next pane", NULL},
    {"", "S-Tab", "focus-previous", "pane before", NULL},
    {"", "1", "clusters", "clusters", NULL},
    {"", "2", "pools", "pools", NULL},
    {"", "3", "nodes", "nodes", NULL},
    {"", "4", "jobs", "jobs", NULL},
    {"", "5", "actors", "actors", NULL},
    {"", "6", "tasks", "tasks", NULL},
    {"", "7", "node-logs", "log files of the node, or of the head", NULL},
    {"", "8", "events", "events", NULL},
    {"", "9", "forwards", "forwards", NULL},
    {"", "T", "forwards", "forwards", NULL},
    {"", "@", "operations", "what raytui does and did", NULL},
    {"", "V", "views", "pick a view", NULL},
    {"", "x", "tree", "the cluster as a tree", NULL},
    {"", "0", "pulse", "all clusters together", NULL},
    {"", "-", "previous", "the view before", NULL},
    {"", "[", "history-back", "back in the history", NULL},
    {"", "]", "history-forward", "forward in the history", NULL},
    {"", "f", "zoom", "this pane alone", NULL},
    {"", "{", "resize +5", "more room for the log or detail", NULL},
    {"", "}", "resize -5", "more room for the list", NULL},
    {"", "F", "forward-form", "forward another port", NULL},
    {"", "^L", "redraw", "draw all again", NULL},
    {"", "^R", "refresh", "ask again, reconnect now", NULL},
    {"", "^Z", "background", "to the shell; `fg` comes back", NULL},
    {"", "^G", "log-search", "search all logs of the selected job or node, or of the cluster", NULL},
    {"", "^S", "save", "what this view shows, to a file", NULL},
    {"", ".", "repeat", "the last action once more", NULL},
    {"", "M", "mouse", "mouse on and off", NULL},
    {"", "u", "undo", "take the last change back", NULL},
    {0},
};

static int rank(const struct rt_bind *b) {
    const int special = b->view[0] == '\0' ? 2 : rt_streq(b->view, "list") || rt_streq(b->view, "text") || rt_streq(b->view, "outline") ? 1 : 0;
    return (b->own ? 0 : 3) + special;
}

static struct rt_bind *push(struct rt_keymap *m, const char *view, struct rt_key key, const char *command) {
    struct rt_bind *b = rt_vec_push(m);
    b->view = view;
    b->key = key;
    b->command = rt_strdup(command ? command : "");
    rt_key_name(b->name, sizeof b->name, key);
    return b;
}

static void add_own(struct rt_keymap *m, const struct rt_config *c, void (*problem)(void *ctx, const struct rt_error *err),
                    void *ctx) {
    for (size_t i = c->nbindings; i-- > 0;) {
        const struct rt_binding *from = &c->bindings[i];
        struct rt_key key;
        if (!rt_key_parse(from->key, &key)) {
            struct rt_error err = {0};
            rt_error_set(&err, RT_E_CONFIG, "no such key: %s", from->key);
            rt_error_hint(&err, "keys are written as in `raytui keys`: x, ^K, Enter, F5, M-x, S-Tab");
            if (problem)
                problem(ctx, &err);
            continue;
        }
        struct rt_bind *b = push(m, from->view ? from->view : "", key, from->command);
        b->help = rt_strdup(from->help);
        b->confirm = from->confirm;
        b->writes = from->writes;
        b->own = true;
    }
}

/* Stable: what stands first among equals wins. */
static void order(struct rt_keymap *m) {
    for (size_t i = 1; i < m->n; i++) {
        const struct rt_bind b = m->v[i];
        size_t at = i;
        for (; at > 0 && rank(&m->v[at - 1]) > rank(&b); at--)
            m->v[at] = m->v[at - 1];
        m->v[at] = b;
    }
}

void rt_keymap_init(struct rt_keymap *m, const struct rt_config *c, void (*problem)(void *ctx, const struct rt_error *err),
                    void *ctx) {
    *m = (struct rt_keymap){0};
    if (c)
        add_own(m, c, problem, ctx);
    for (const struct rt_key_default *d = rt_key_defaults; d->view; d++) {
        struct rt_key key;
        if (!rt_key_parse(d->key, &key))
            continue;
        struct rt_bind *b = push(m, d->view, key, d->command);
        b->help = rt_strdup(d->help);
        b->hint = rt_strdup(d->hint);
    }
    order(m);
}

void rt_keymap_deinit(struct rt_keymap *m) {
    for (size_t i = 0; i < m->n; i++) {
        free(m->v[i].command);
        free(m->v[i].help);
        free(m->v[i].hint);
    }
    rt_vec_deinit(m);
}

static bool holds(const struct rt_bind *b, const char *view, const char *klass) {
    return !b->view[0] || rt_streq(b->view, view) || (klass && rt_streq(b->view, klass));
}

const struct rt_bind *rt_keymap_find(const struct rt_keymap *m, const char *view, const char *klass, struct rt_key k) {
    for (size_t i = 0; i < m->n; i++)
        if (rt_key_equal(m->v[i].key, k) && holds(&m->v[i], view, klass))
            return *m->v[i].command ? &m->v[i] : NULL;
    return NULL;
}

void rt_keymap_each(const struct rt_keymap *m, const char *view, const char *klass,
                    void (*fn)(void *ctx, const struct rt_bind *b), void *ctx) {
    for (size_t i = 0; i < m->n; i++)
        if (holds(&m->v[i], view, klass) && rt_keymap_find(m, view, klass, m->v[i].key) == &m->v[i])
            fn(ctx, &m->v[i]);
}
