/* Everything of one node: what it uses as bars with the last quarter of an hour beside them, its GPUs, the actors and
 * processes on it, its log files. Enter opens what stands under the cursor. */
#include "ui/outline.h"
#include "ui/views.h"

#include "app/app.h"
#include "base/decode.h"
#include "base/shell.h"
#include "base/str.h"
#include "core/cells.h"
#include "core/history.h"
#include "core/table.h"
#include <stdio.h>
#include <stdlib.h>

#define ASK_AGAIN_MS 10000
#define SPARK_COLS 40
#define BEFORE_SPARK 72 /* names, bars, numbers */
#define MANY 24 /* a longer section comes folded */

struct process {
    char *text, *tail;
    int64_t pid;
    bool worker;
};

struct node_view {
    struct rt_outline outline;
    char *id;
    struct rt_op *asking, *listing;
    int64_t asked_ms;
    int cols; /* of the pane: what history has room */
    RT_VEC(struct process) processes;
    struct rt_strs files;
    struct rt_error processes_error, files_error;
};

static struct node_view *of(struct rt_view *v) {
    return (struct node_view *)v;
}

static const struct rt_cluster *cluster_of(const struct node_view *n) {
    return rt_store_cluster(rt_ui_app(n->outline.view.ui)->store, n->outline.view.cluster);
}

static void again(struct node_view *n) {
    n->outline.dirty = true;
    rt_ui_mark(n->outline.view.ui);
}

/* ---- what is asked beside the store ---- */

static void drop_processes(struct node_view *n) {
    for (size_t i = 0; i < n->processes.n; i++) {
        free(n->processes.v[i].text);
        free(n->processes.v[i].tail);
    }
    n->processes.n = 0;
}

static void add_process(struct node_view *n, const json_t *w) {
    const char *name = json_string_value(json_array_get(rt_json_at(w, "cmdline"), 0));
    const json_t *cpu = rt_json_at(w, "cpuPercent"), *rss = rt_json_at(w, "memoryInfo.rss"), *pid = rt_json_at(w, "pid");
    char bytes[32];
    if (!json_is_integer(pid))
        return;
    struct process *p = rt_vec_push(&n->processes);
    p->pid = json_integer_value(pid);
    p->worker = name && rt_starts(name, "ray::");
    p->text = rt_strf("%-8lld %.160s", (long long)p->pid, name ? name : "-");
    p->tail = rt_strf("cpu %.0f%%  %s", json_is_number(cpu) ? json_number_value(cpu) : 0,
                      rt_fmt_bytes(bytes, sizeof bytes, json_is_number(rss) ? json_number_value(rss) : -1));
}

static void got_raw(void *ctx, const char *text, const struct rt_error *err) {
    struct node_view *n = ctx;
    struct rt_error e = {0};
    size_t i;
    json_t *w;
    n->asking = NULL;
    json_t *v = err ? NULL : rt_json_parse(text, strlen(text), &e);
    n->processes_error = err ? *err : e;
    if (v) {
        drop_processes(n);
        json_array_foreach(rt_json_at(v, "data.detail.workers"), i, w) add_process(n, w);
    }
    json_decref(v);
    again(n);
}

static void got_files(void *ctx, const struct rt_strs *names, const struct rt_error *err) {
    struct node_view *n = ctx;
    n->listing = NULL;
    n->files_error = err ? *err : (struct rt_error){0};
    if (!err) {
        rt_strs_deinit(&n->files);
        rt_strs_copy(&n->files, names);
    }
    again(n);
}

static void ask(struct node_view *n) {
    struct rt_app *app = rt_ui_app(n->outline.view.ui);
    const struct rt_cluster *c = cluster_of(n);
    if (!c || c->reach != RT_REACH_OK || (n->asked_ms && rt_mono_ms() - n->asked_ms < ASK_AGAIN_MS))
        return;
    const bool first = n->asked_ms == 0;
    n->asked_ms = rt_mono_ms();
    if (!n->asking)
        n->asking = rt_app_raw(app, c->name, "nodes", n->id, got_raw, n);
    if (first && !n->listing)
        n->listing = rt_app_log_files(app, c->name, n->id, got_files, n, &n->files_error);
}

/* ---- the page ---- */

static void fact(struct node_view *n, const char *key, const char *value) {
    char line[640];
    if (!value || !*value)
        return;
    snprintf(line, sizeof line, "%-12s%.600s", key, value);
    rt_outline_add(&n->outline, 0, key, line);
}

static void add_spark(const struct node_view *n, struct rt_buf *out, enum rt_measure m, double max) {
    double v[RT_HISTORY_SAMPLES];
    const struct rt_view *view = &n->outline.view;
    const int cols = RT_MIN(n->cols - BEFORE_SPARK, SPARK_COLS);
    if (cols < 4 || !rt_history_get(rt_ui_history(view->ui), view->cluster, n->id, m, rt_wall_ms(), v))
        return;
    rt_buf_adds(out, "  ");
    rt_sparkline(out, v, RT_COUNT(v), max, cols, rt_ui_ascii(view->ui));
}

static void add_measure(struct node_view *n, const struct rt_node *node, enum rt_measure m, double used, double total, bool bytes) {
    const double share = rt_node_measure(node, m);
    struct rt_buf tail, amount;
    if (share < 0)
        return;
    rt_buf_init(&tail, 0);
    rt_buf_init(&amount, 0);
    if (bytes)
        rt_cell_bytes_of(&amount, used, total);
    else if (total > 0)
        rt_cell_amounts(&amount, used, total);
    rt_buf_addf(&tail, "%3.0f%%  %-16s", 100 * share, rt_buf_str(&amount));
    add_spark(n, &tail, m, 1);
    struct rt_outline_row *r = rt_outline_add(&n->outline, 1, rt_measure_name(m), rt_measure_name(m));
    r->bar = share;
    r->tail = rt_buf_take(&tail);
    rt_buf_deinit(&amount);
}

static void add_gpus(struct node_view *n, const struct rt_node *node) {
    for (size_t i = 0; i < node->ngpus; i++) {
        const struct rt_gpu *g = &node->gpus[i];
        struct rt_buf tail;
        char key[32], name[80];
        rt_buf_init(&tail, 0);
        snprintf(key, sizeof key, "gpu/%zu", i);
        snprintf(name, sizeof name, "gpu %zu", i);
        if (g->percent >= 0)
            rt_buf_addf(&tail, "%3.0f%%  ", g->percent);
        rt_cell_bytes_of(&tail, g->mem_used_bytes, g->mem_total_bytes);
        rt_buf_adds(&tail, "  ");
        rt_cell_text(&tail, g->name);
        struct rt_outline_row *r = rt_outline_add(&n->outline, 1, key, name);
        r->bar = g->percent >= 0 ? RT_MIN(g->percent / 100, 1) : -1;
        r->tail = rt_buf_take(&tail);
    }
}

static void add_net(struct node_view *n, const struct rt_node *node, enum rt_measure m) {
    const double bps = rt_node_measure(node, m);
    double top = bps, v[RT_HISTORY_SAMPLES];
    struct rt_buf tail;
    char text[32], most[32], both[72];
    if (bps < 0)
        return;
    (void)rt_history_get(rt_ui_history(n->outline.view.ui), n->outline.view.cluster, n->id, m, rt_wall_ms(), v);
    for (size_t i = 0; i < RT_COUNT(v); i++)
        top = RT_MAX(top, v[i]);
    rt_buf_init(&tail, 0);
    snprintf(both, sizeof both, "%s/s, top %s/s", rt_fmt_bytes(text, sizeof text, bps), rt_fmt_bytes(most, sizeof most, top));
    rt_buf_addf(&tail, "%-22s", both);
    add_spark(n, &tail, m, 0);
    struct rt_outline_row *r = rt_outline_add(&n->outline, 1, rt_measure_name(m), rt_measure_name(m));
    r->bar = bps / RT_MAX(top, (double)RT_MIB); /* of its own highest, which is named, where that is worth a bar */
    r->tail = rt_buf_take(&tail);
}

static void add_reserved(struct rt_buf *out, const char *name, double v) {
    char amount[32];
    if (v <= 0)
        return;
    if (strstr(name, "memory"))
        rt_fmt_bytes(amount, sizeof amount, v);
    else
        rt_fmt_amount(amount, sizeof amount, v);
    rt_buf_addf(out, "  +%s placement groups", amount);
}

static void add_use(struct node_view *n, const struct rt_node *node) {
    const struct rt_amount *cpu = rt_amounts_get(&node->amounts, "CPU"), *gpu = rt_amounts_get(&node->amounts, "GPU");
    rt_outline_fold(&n->outline, 0, "use", "use, with what it was lately", true)->role = RT_R_STRONG;
    add_measure(n, node, RT_M_CPU, -1, -1, false);
    add_measure(n, node, RT_M_MEMORY, node->mem_used_bytes, node->mem_total_bytes, true);
    if (node->ngpus || gpu)
        add_measure(n, node, RT_M_GPU, gpu ? gpu->used : -1, gpu ? gpu->total : -1, false);
    add_measure(n, node, RT_M_STORE, node->store_used_bytes, node->store_total_bytes, true);
    add_measure(n, node, RT_M_DISK, node->disk_used_bytes, node->disk_total_bytes, true);
    add_net(n, node, RT_M_NET_IN);
    add_net(n, node, RT_M_NET_OUT);
    add_gpus(n, node);
    if (cpu || node->amounts.n)
        rt_outline_fold(&n->outline, 0, "claimed", "claimed of it by tasks, actors and placement groups", true)->role = RT_R_STRONG;
    for (size_t i = 0; i < node->amounts.n; i++) {
        const struct rt_amount *a = &node->amounts.v[i];
        struct rt_buf tail;
        char key[96];
        rt_buf_init(&tail, 0);
        snprintf(key, sizeof key, "claimed/%.80s", a->name);
        if (strstr(a->name, "memory"))
            rt_cell_bytes_of(&tail, a->used, a->total);
        else
            rt_cell_amounts(&tail, a->used, a->total);
        add_reserved(&tail, a->name, rt_amounts_reserved(&node->amounts, a));
        struct rt_outline_row *r = rt_outline_add(&n->outline, 1, key, a->name);
        r->bar = a->used >= 0 && a->total > 0 ? RT_MIN((a->used + rt_amounts_reserved(&node->amounts, a)) / a->total, 1) : -1;
        r->tail = rt_buf_take(&tail);
    }
}

static struct rt_outline_row *section(struct node_view *n, const char *key, size_t count, const char *name) {
    char *text = rt_strf("%s  %zu", name, count);
    struct rt_outline_row *r = rt_outline_fold(&n->outline, 0, key, text, count > 0 && count <= MANY);
    r->role = RT_R_STRONG;
    free(text);
    return r;
}

static void add_actors(struct node_view *n, const struct rt_cluster *c) {
    const struct rt_row_env env = {.store = rt_ui_app(n->outline.view.ui)->store, .cluster = c, .now_ms = rt_wall_ms()};
    size_t count = 0;
    for (size_t i = 0; i < c->actors.n; i++)
        count += rt_streq(c->actors.v[i].node_id, n->id) && !rt_streq(c->actors.v[i].state, "DEAD");
    if (!c->fresh[RT_T_ACTORS].at_ms)
        return;
    section(n, "actors", count, "actors");
    for (size_t i = 0; i < c->actors.n; i++) {
        const struct rt_actor *a = &c->actors.v[i];
        if (!rt_streq(a->node_id, n->id) || rt_streq(a->state, "DEAD"))
            continue;
        struct rt_outline_row *r = rt_outline_add(&n->outline, 1, a->id, a->class_name ? a->class_name : a->id);
        r->health = rt_table_actors.health(a, &env);
        r->tail = rt_strf("%s  pid %lld  job %s  %.12s", a->name && *a->name ? a->name : "-", (long long)a->pid, a->job_id ? a->job_id : "-", a->id);
        r->command = rt_strf("actor-log %s", a->id);
    }
}

static void add_processes(struct node_view *n) {
    if (n->processes_error.code) {
        rt_outline_fold(&n->outline, 0, "processes", "processes", true)->role = RT_R_STRONG;
        rt_outline_add(&n->outline, 1, "processes/error", n->processes_error.message)->role = RT_R_STATUS_FAILED;
        return;
    }
    if (!n->processes.n && n->asking && n->asked_ms)
        return;
    section(n, "processes", n->processes.n, "processes of Ray");
    for (size_t i = 0; i < n->processes.n; i++) {
        const struct process *p = &n->processes.v[i];
        char key[40];
        snprintf(key, sizeof key, "process/%lld", (long long)p->pid);
        struct rt_outline_row *r = rt_outline_add(&n->outline, 1, key, p->text);
        r->tail = rt_strdup(p->tail);
        if (p->worker)
            r->command = rt_strf("process-log %s/%lld", n->id, (long long)p->pid);
    }
}

static void add_files(struct node_view *n) {
    if (n->files_error.code) {
        rt_outline_fold(&n->outline, 0, "files", "log files", true)->role = RT_R_STRONG;
        rt_outline_add(&n->outline, 1, "files/error", n->files_error.message)->role = RT_R_STATUS_FAILED;
        return;
    }
    if (n->listing || !n->asked_ms)
        return;
    section(n, "files", n->files.n, "log files");
    for (size_t i = 0; i < n->files.n; i++) {
        char *key = rt_strf("file/%s", n->files.v[i]), *path = rt_strf("%s/%s", n->id, n->files.v[i]);
        struct rt_outline_row *r = rt_outline_add(&n->outline, 1, key, n->files.v[i]);
        const char *words[] = {"logs", "-f", path, NULL};
        r->command = rt_shell_join(words);
        free(key);
        free(path);
    }
}

/* The rest of what is known, as `show` tells it. */
static void add_known(struct node_view *n, const struct rt_cluster *c, const struct rt_node *node) {
    const struct rt_row_env env = {.store = rt_ui_app(n->outline.view.ui)->store, .cluster = c, .now_ms = rt_wall_ms()};
    struct rt_buf text;
    size_t line = 0;
    rt_buf_init(&text, 0);
    rt_row_describe(&text, &rt_table_nodes, node, &env);
    rt_outline_fold(&n->outline, 0, "known", "all that is known", false)->role = RT_R_STRONG;
    for (char *s = text.data; s && *s; line++) {
        char *end = s + strcspn(s, "\n");
        char key[32];
        const bool more = *end;
        *end = '\0';
        snprintf(key, sizeof key, "known/%zu", line);
        rt_outline_add(&n->outline, 1, key, s);
        s = end + more;
    }
    rt_buf_deinit(&text);
}

static void fill(struct rt_outline *o) {
    struct node_view *n = of(&o->view);
    const struct rt_cluster *c = cluster_of(n);
    const struct rt_node *node = c ? rt_store_node(c, n->id) : NULL;
    char text[64];
    if (!node) {
        rt_outline_add(o, 0, "gone", c && c->fresh[RT_T_NODES].at_ms ? "the node is no longer there" : "nothing is known of the node yet")->role = RT_R_DIM;
        add_files(n);
        return;
    }
    const struct rt_row_env env = {.store = rt_ui_app(o->view.ui)->store, .cluster = c, .now_ms = rt_wall_ms()};
    fact(n, "node", rt_node_name(node));
    if (node->hostname && *node->hostname && !rt_streq(node->hostname, rt_node_name(node)))
        fact(n, "host", node->hostname);
    struct rt_outline_row *state = rt_outline_add(o, 0, "state", node->state ? node->state : "-");
    state->health = rt_table_nodes.health(node, &env);
    state->tail = rt_strdup(node->alive ? NULL : node->state_message);
    fact(n, "pool", node->pool);
    fact(n, "address", node->ip);
    fact(n, "type", node->instance_type);
    fact(n, "up", node->start_ms > 0 && node->alive ? rt_fmt_age(text, sizeof text, env.now_ms - node->start_ms) : NULL);
    fact(n, "id", node->id);
    if (node->alive)
        add_use(n, node);
    add_actors(n, c);
    add_processes(n);
    add_files(n);
    add_known(n, c, node);
}

/* ---- the view ---- */

static void node_draw(struct rt_view *v, const struct rt_draw *d, struct rt_rect r) {
    struct node_view *n = of(v);
    n->outline.dirty = n->outline.dirty || n->cols != r.cols;
    n->cols = r.cols;
    rt_outline_draw(v, d, r);
}

static void node_title(struct rt_view *v, struct rt_buf *left, struct rt_buf *right) {
    const struct node_view *n = of(v);
    const struct rt_cluster *c = cluster_of(n);
    const struct rt_node *node = c ? rt_store_node(c, n->id) : NULL;
    rt_outline_title(&n->outline, right);
    rt_buf_adds(left, "node ");
    rt_cell_text(left, node ? rt_node_name(node) : n->id);
}

static void node_select(struct rt_view *v, struct rt_selection *out) {
    const struct node_view *n = of(v);
    const struct rt_cluster *c = cluster_of(n);
    const struct rt_node *node = c ? rt_store_node(c, n->id) : NULL;
    out->cluster = v->cluster;
    out->node = n->id;
    out->pool = node ? node->pool : NULL;
}

static uint32_t node_topics(struct rt_view *v) {
    (void)v;
    return RT_TOPIC_BIT(RT_T_NODES) | RT_TOPIC_BIT(RT_T_ACTORS);
}

static void node_changed(struct rt_view *v, struct rt_cluster *c, enum rt_topic t) {
    struct node_view *n = of(v);
    if (!c || !rt_streq(c->name, v->cluster))
        return;
    if (t == RT_T_NODES)
        ask(n);
    if (t == RT_T_NODES || t == RT_T_ACTORS || t == RT_T_CLUSTER)
        again(n);
}

static enum rt_taken node_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err) {
    struct node_view *n = of(v);
    if (rt_streq(words->v[0], "refresh")) {
        n->asked_ms = 0;
        ask(n);
        return RT_TAKEN_NO; /* the store's part is the shell's */
    }
    if (rt_streq(words->v[0], "copy-id"))
        return rt_ui_copy(v->ui, n->id, strlen(n->id), n->id) ? RT_TAKEN_YES : RT_TAKEN_FAILED;
    return rt_outline_command(v, words, err);
}

static void node_destroy(struct rt_view *v) {
    struct node_view *n = of(v);
    rt_op_drop(&n->asking);
    rt_op_drop(&n->listing);
    drop_processes(n);
    rt_vec_deinit(&n->processes);
    rt_strs_deinit(&n->files);
    rt_outline_deinit(&n->outline);
    free(n->id);
    free(v->cluster);
    free(n);
}

static const struct rt_view_ops ops = {
    .name = "node",
    .klass = "outline",
    .side = true,
    .draw = node_draw,
    .title = node_title,
    .command = node_command,
    .mouse = rt_outline_mouse,
    .select = node_select,
    .topics = node_topics,
    .changed = node_changed,
    .text = rt_outline_text,
    .filter = rt_outline_filter,
    .back = rt_outline_back,
    .destroy = node_destroy,
};

struct rt_view *rt_view_node(struct rt_ui *ui, const char *cluster, const char *id) {
    struct node_view *n = RT_NEW(struct node_view);
    rt_outline_init(&n->outline, ui, &ops, fill);
    n->outline.view.cluster = rt_strdup(cluster);
    n->id = rt_strdup(id);
    ask(n);
    return &n->outline.view;
}
