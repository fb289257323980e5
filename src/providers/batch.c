/* A Ray cluster of batch jobs: what is known of it, from one look at the login node after the other. */
#include "base/vec.h"
#include "providers/batch_impl.h"
#include <stdio.h>
#include <string.h>

enum {
    LOOK_EVERY_MS = 5000,
    LOOK_BUSY_MS = 2000,
    CLOCKS_MS = 10000 /* that of a compute node and that of the scheduler may differ by so much */
};

/* ---- jobs ---- */

struct bjob *batch_job_named(const struct rt_provider *p, const char *node) {
    for (size_t i = 0; i < p->njobs; i++)
        if (rt_streq(p->jobs[i]->node, node))
            return p->jobs[i];
    return NULL;
}

struct bjob *batch_job_add(struct rt_provider *p, const char *node, const char *pool) {
    struct bjob *j = RT_NEW(struct bjob);
    j->node = rt_strdup(node);
    j->pool = rt_strdup(pool);
    j->state = BATCH_ENDED;
    j->left_ms = -1;
    rt_buf_init(&j->tail, 64 * RT_KIB);
    p->jobs = rt_realloc(p->jobs, (p->njobs + 1) * sizeof(*p->jobs));
    p->jobs[p->njobs++] = j;
    return j;
}

static void drop(char **text) {
    free(*text);
    *text = NULL;
}

static void forget_queue(struct bjob *j) {
    drop(&j->word);
    drop(&j->reason);
    drop(&j->plain);
    drop(&j->todo);
    drop(&j->host);
    j->known = j->never = j->held = false;
    j->state = BATCH_ENDED;
    j->starts_ms = j->began_ms = 0;
    j->left_ms = -1;
}

void batch_job_forget(struct bjob *j) {
    forget_queue(j);
    drop(&j->id);
    drop(&j->ended);
    drop(&j->log);
    rt_buf_clear(&j->tail);
    rt_strs_deinit(&j->up);
    j->up = (struct rt_strs){0};
    j->there = false;
}

static void job_free(struct bjob *j) {
    batch_job_forget(j);
    rt_buf_deinit(&j->tail);
    free(j->refused);
    free(j->node);
    free(j->pool);
    free(j);
}

bool batch_job_lives(const struct bjob *j) {
    return j->id && j->state != BATCH_ENDED;
}

const struct batch_ask *batch_ask_of(const struct rt_provider *p, const struct bjob *j) {
    static const struct batch_ask none;
    const struct batch_pool *pool = batch_pool_named(&p->pools, j->pool);
    return j == p->jobs[0] ? &p->own->ask : pool ? &pool->ask : &none;
}

struct batch_script batch_script_of(const struct rt_provider *p, const struct bjob *j) {
    const struct batch_pool *own = batch_pool_named(&p->pools, "workers");
    struct watchdog_opts watchdog = watchdog_opts(p->conf, p->user_job);
    watchdog.far = &p->own->far;
    return (struct batch_script){
        .dialect = p->dialect,
        .cluster = p->conf->name,
        .own = p->own,
        .requirements = p->requirements,
        .node = j ? j->node : "head",
        .ask = j ? batch_ask_of(p, j) : &p->own->ask,
        .fixed = own ? own->fixed : 0,
        .ray = p->ray,
        .python = p->python,
        .watchdog = watchdog,
    };
}

/* Is a Ray node of that name one of the job's? */
static bool holds(const struct bjob *j, const char *name, const struct rt_provider *p) {
    return rt_streq(j->node, name) || (j == p->jobs[0] && rt_starts(name, "workers-") && !batch_job_named(p, name));
}

/* ---- state into the store ---- */

const struct rt_node *batch_ray_node(const struct rt_provider *p, const char *name) {
    const struct rt_node *dead = NULL;
    for (size_t i = 0; i < p->cluster->nodes.n; i++) {
        const struct rt_node *n = &p->cluster->nodes.v[i];
        if (rt_streq(n->name, name) && n->alive)
            return n;
        if (rt_streq(n->name, name))
            dead = n;
    }
    return dead;
}

static const char *clock_of(int64_t wall_ms, char *out, size_t size) {
    return rt_fmt_clock(out, size, wall_ms, rt_wall_ms());
}

/* "Priority: other jobs are first, expected at 14:02" */
static char *waits_for(const struct bjob *j) {
    char at[32];
    struct rt_buf b;
    rt_buf_init(&b, RT_KIB);
    if (j->reason)
        rt_clean(&b, j->reason, RT_MIN(strlen(j->reason), 120));
    else
        rt_buf_adds(&b, j->word ? j->word : "submitted");
    if (j->plain)
        rt_buf_addf(&b, ": %s", j->plain);
    if (j->starts_ms && !j->never)
        rt_buf_addf(&b, ", expected at %s", clock_of(j->starts_ms, at, sizeof at));
    if (j->todo)
        rt_buf_addf(&b, " - %s", j->todo);
    return rt_buf_take(&b);
}

/* Its nodes were taken: its own script knows no more than that it was told to end. */
static bool taken(const struct bjob *j) {
    return j->known && j->plain && (rt_streq(j->word, "PREEMPTED") || rt_streq(j->word, "NODE_FAIL"));
}

static char *ended_because(const struct bjob *j) {
    if (j->ended && !taken(j))
        return rt_strf("job %s: %s", j->id ? j->id : "?", j->ended);
    return rt_strf("job %s: %s", j->id ? j->id : "?", j->known && j->plain ? j->plain : "it is not in the queue any more");
}

/* Its time was over: nothing has failed. */
static bool in_order(const struct bjob *head) {
    return rt_streq(head->word, "TIMEOUT") || (head->ended && !taken(head) && !rt_starts(head->ended, "Ray on the head ended"));
}

static enum rt_cluster_state state_of(const struct rt_provider *p, char **detail) {
    const struct bjob *head = p->jobs[0];
    if (p->task && (p->task->is_down || p->task->undo))
        return RT_CL_STOPPING;
    if ((!p->looked || (p->queue_error.code && !p->queue_known)) && !p->task)
        return RT_CL_UNKNOWN;
    if (p->up)
        return p->task ? RT_CL_SCALING : RT_CL_UP;
    if (head->id && (head->state == BATCH_QUEUED || head->state == BATCH_SUSPENDED)) {
        *detail = waits_for(head);
        return RT_CL_QUEUED;
    }
    if (head->id && head->state == BATCH_ENDING)
        return RT_CL_STOPPING;
    if (batch_job_lives(head) || (p->task && p->task->is_up))
        return RT_CL_STARTING;
    if (!head->there && !head->booked)
        return RT_CL_DOWN;
    *detail = ended_because(head);
    return in_order(head) ? RT_CL_DOWN : RT_CL_FAILED;
}

static void show_job(const struct bjob *j, const struct rt_provider *p, struct rt_arena *a, struct rt_pool *row) {
    const struct rt_node *ray = batch_ray_node(p, j->node);
    const bool alive = ray && ray->alive;
    char *text = NULL;
    if (alive && p->up) {
        row->ready++;
        return;
    }
    if (j->refused)
        text = rt_strf("%s was refused: %s", j->node, j->refused);
    else if (j->id && (j->state == BATCH_QUEUED || j->state == BATCH_SUSPENDED))
        text = waits_for(j);
    else if (batch_job_lives(j))
        text = rt_strf("job %s: %s", j->id, j->state == BATCH_ENDING ? "ending" : j->log ? j->log : "starting");
    else if (j->there)
        text = ended_because(j);
    row->failed += !batch_job_lives(j) && (j->there || j->refused);
    row->pending += batch_job_lives(j) && j->state != BATCH_ENDING;
    if (text && !row->why)
        row->why = rt_arena_strf(a, "%.200s", text);
    free(text);
}

static void show_pool(const struct rt_provider *p, struct rt_arena *a, const char *name, const struct batch_pool *conf, struct rt_pool *row) {
    *row = (struct rt_pool){.name = rt_arena_strdup(a, name), .kind = "job", .min = 1, .max = 1, .desired = 1, .head = !conf};
    if (conf) {
        row->kind = conf->fixed ? "hosts of the head's job" : "jobs";
        row->scalable = conf->max < 0 || conf->max > conf->fixed;
        row->min = conf->min;
        row->max = conf->max;
        row->desired = batch_pool_size(p, conf);
        for (int64_t i = 1; i <= conf->fixed; i++) {
            char node[64];
            snprintf(node, sizeof node, "workers-%lld", (long long)i);
            const struct rt_node *ray = batch_ray_node(p, node);
            row->ready += p->up && ray && ray->alive;
        }
        row->pending = batch_job_lives(p->jobs[0]) ? conf->fixed - row->ready : 0;
        if (!batch_job_lives(p->jobs[0]))
            row->desired -= conf->fixed;
    }
    for (size_t i = 0; i < p->njobs; i++)
        if (rt_streq(p->jobs[i]->pool, name))
            show_job(p->jobs[i], p, a, row);
    if (!conf && !batch_job_lives(p->jobs[0]))
        row->desired = 0;
    const double cpus = conf ? conf->ask.cpus : p->own->ask.cpus;
    if (cpus > 0) {
        row->per_node.v = rt_arena_alloc(a, sizeof(struct rt_amount));
        row->per_node.v[0] = (struct rt_amount){.name = "CPU", .used = -1, .total = cpus};
        row->per_node.n = 1;
    }
}

static void show_end(struct rt_provider *p) {
    const struct bjob *head = p->jobs[0];
    const bool has = head->state == BATCH_RUNNING && head->left_ms >= 0;
    watchdog_show(p->env.store, p->cluster, p->up ? p->watchdog : NULL, has ? head->seen_ms + head->left_ms : 0, "walltime");
}

void batch_show(struct rt_provider *p) {
    rt_pools b = {.arena = rt_arena_create()};
    char *detail = NULL;
    b.v = rt_arena_alloc(b.arena, (p->pools.n + 1) * sizeof(*b.v));
    show_pool(p, b.arena, "head", NULL, &b.v[b.n++]);
    for (size_t i = 0; i < p->pools.n; i++)
        show_pool(p, b.arena, p->pools.v[i].name, &p->pools.v[i], &b.v[b.n++]);
    b.total = b.n;
    rt_store_put_pools(p->env.store, p->cluster, &b);
    p->cluster->pools_foretold = true;
    p->cluster->told_ms = p->told_ms;
    const bool ours = p->journal && rt_journal_count(p->journal) > 0;
    p->cluster->ours = ours || !p->up; /* what is not there yet will be ours */
    show_end(p);
    const enum rt_cluster_state state = state_of(p, &detail);
    rt_store_set_state(p->env.store, p->cluster, state, detail);
    free(detail);
}

/* ---- a look ---- */

struct rt_op *batch_run(struct rt_provider *p, struct rt_buf *script, int64_t timeout_ms, rt_proc_output_fn *output, rt_exec_fn *fn) {
    const struct rt_exec_opts o = {
        .script = rt_buf_str(script),
        .login_shell = true, /* a scheduler's commands may be on the PATH of a login shell only */
        .timeout_ms = timeout_ms,
        .output = output,
        .output_ctx = p,
    };
    struct rt_op *op = rt_hop_exec(p->env.hop, &o, fn, p);
    rt_buf_deinit(script);
    return op;
}

/* A job that stands on the login node; one of a pool that no configuration names is known too: it can be ended. */
static struct bjob *job_there(struct rt_provider *p, const char *node) {
    struct rt_error ignored = {0};
    struct bjob *j = batch_job_named(p, node);
    const char *dash = strrchr(node, '-');
    if (!j && dash && rt_cluster_name_ok(node, NULL, &ignored)) {
        char *pool = rt_strndup(node, (size_t)(dash - node));
        j = batch_job_add(p, node, pool);
        free(pool);
    }
    return j;
}

static void take_clean(char **to, const char *text) {
    char clean[300];
    free(*to);
    *to = rt_strdup(rt_clean_to(clean, sizeof clean, text));
}

static void take_line(struct rt_provider *p, const char *line) {
    char word[16], node[64];
    int at = 0;
    if (rt_streq(line, "connection"))
        p->connection = true;
    if (sscanf(line, "%15s %63s %n", word, node, &at) < 2 || !at)
        return;
    if (rt_streq(word, "watchdog")) {
        free(p->watchdog);
        p->watchdog = rt_strdup(line + at);
    }
    if (rt_streq(word, "place")) {
        far_place_take(&p->place, node, line + at);
        return;
    }
    struct bjob *j = rt_streq(word, "watchdog") ? NULL : job_there(p, node);
    if (!j)
        return;
    if (rt_streq(word, "job")) {
        j->there = true;
        if (p->dialect->id_ok(line + at) && !rt_streq(j->id, line + at)) {
            free(j->id);
            j->id = rt_strdup(line + at);
        }
    } else if (rt_streq(word, "up")) {
        rt_strs_add(&j->up, line + at);
    } else if (rt_streq(word, "ended")) {
        take_clean(&j->ended, line + at);
    } else if (rt_streq(word, "log")) {
        take_clean(&j->log, line + at);
        rt_buf_addf(&j->tail, "%s\n", line + at);
    }
}

static void take_seen(struct rt_provider *p, const struct batch_seen *s) {
    for (size_t i = 0; i < p->njobs; i++) {
        struct bjob *j = p->jobs[i];
        if (!rt_streq(j->id, s->id))
            continue;
        forget_queue(j);
        j->known = true;
        j->state = s->state;
        j->never = s->never;
        j->held = s->held;
        j->starts_ms = s->starts_ms;
        j->began_ms = s->began_ms;
        j->left_ms = s->left_ms;
        j->seen_ms = rt_wall_ms();
        j->word = rt_strdup(s->word);
        j->reason = rt_strdup(s->reason);
        j->plain = rt_strdup(s->plain);
        j->todo = rt_strdup(s->todo);
        j->host = rt_strdup(s->host);
    }
}

/* What the scheduler says; when it cannot be asked the last that was known stays. */
static void take_queue(struct rt_provider *p, const char *text, bool asked) {
    struct batch_list list = {0};
    struct rt_error err = {0};
    if (!asked) {
        rt_error_set(&p->queue_error, RT_E_REMOTE, "%s cannot be asked now", p->dialect->scheduler);
        return;
    }
    if (!p->dialect->parse(text, rt_wall_ms(), &list, &err)) {
        p->queue_error = err;
        return;
    }
    p->queue_error = (struct rt_error){0};
    p->queue_known = true;
    for (size_t i = 0; i < p->njobs; i++)
        forget_queue(p->jobs[i]);
    for (size_t i = 0; i < list.n; i++)
        take_seen(p, &list.v[i]);
    rt_arena_destroy(list.arena);
}

static void begin_look(struct rt_provider *p) {
    p->looked = true;
    p->told_ms = rt_wall_ms();
    p->look_error = (struct rt_error){0};
    p->connection = false;
    drop(&p->watchdog);
    for (size_t i = 0; i < p->njobs; i++) {
        struct bjob *j = p->jobs[i];
        rt_strs_deinit(&j->up);
        j->up = (struct rt_strs){0};
        drop(&j->ended);
        drop(&j->log);
        rt_buf_clear(&j->tail);
        j->there = false;
    }
}

bool batch_place_current(const struct far_place *at, const struct bjob *head) {
    const bool before = at->began_s > 0 && head->began_ms > at->began_s * 1000 + CLOCKS_MS;
    return rt_streq(head->id, at->job) && !before;
}

void batch_take_look(struct rt_provider *p, const char *text) {
    const char *queue = strstr(text, "\nqueue\n"), *asked = NULL;
    struct bjob *head = p->jobs[0];
    begin_look(p);
    for (const char *at = text; at < queue && *at;) {
        const size_t n = strcspn(at, "\n");
        char *line = rt_strndup(at, n);
        take_line(p, line);
        free(line);
        at += n + (at[n] == '\n');
    }
    for (size_t i = 0; i < p->njobs; i++)
        if (!p->jobs[i]->there)
            drop(&p->jobs[i]->id);
    for (const char *at = queue; at && (at = strstr(at, "\nasked ")); at++)
        asked = at;
    if (queue && asked) {
        char *rows = asked > queue + 7 ? rt_strndup(queue + 7, (size_t)(asked - queue - 7)) : rt_strdup("");
        take_queue(p, rows, rt_starts(asked, "\nasked 0"));
        free(rows);
    }
    p->up = p->connection && head->id && head->state == BATCH_RUNNING && batch_place_current(&p->place, head);
}

static void looked(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    const bool first = !p->looked || p->look_error.code, was_up = p->up;
    p->look = NULL;
    if (err) {
        p->look_error = *err;
    } else if (r->status != 0) {
        rt_error_set(&p->look_error, RT_E_REMOTE, "%s: ~/.raytui/%s cannot be read", p->own->login, p->conf->name);
        rt_error_hint(&p->look_error, "try `ssh %s true`", p->own->login);
    } else {
        batch_take_look(p, r->out);
    }
    batch_show(p);
    if (first || was_up != p->up)
        p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_CLUSTER);
}

void batch_refresh(struct rt_provider *p) {
    const int64_t now = rt_loop_now_ms(p->env.loop);
    const int64_t pause = p->looked && !p->jobs[0]->id ? 2 * LOOK_EVERY_MS : p->up ? LOOK_EVERY_MS : LOOK_BUSY_MS;
    if (!p->env.hop || p->look || p->task || (p->looked_ms && now - p->looked_ms < pause) || rt_hop_status(p->env.hop)->state != RT_HOP_UP)
        return;
    struct rt_buf b;
    const struct batch_script s = batch_script_of(p, NULL);
    rt_buf_init(&b, RT_MIB);
    batch_script_look(&s, &b);
    p->looked_ms = now;
    p->look = batch_run(p, &b, 0, NULL, looked);
}

/* Ray does not know our pools: nodes are told apart by the names that we gave them. */
void batch_join(struct rt_provider *p) {
    for (size_t i = 0; i < p->cluster->nodes.n; i++) {
        struct rt_node *n = &p->cluster->nodes.v[i];
        for (size_t k = 0; n->name && k < p->njobs; k++)
            if (holds(p->jobs[k], n->name, p))
                n->pool = rt_arena_strdup(p->cluster->nodes.arena, rt_streq(n->name, "head") || k ? p->jobs[k]->pool : "workers");
    }
    batch_show(p);
}

/* ---- where it is ---- */

bool batch_endpoint(struct rt_provider *p, enum rt_endpoint_kind kind, struct rt_endpoint *out, struct rt_error *err) {
    if (p->up && p->place.dashboard) {
        const bool dashboard = kind == RT_EP_DASHBOARD;
        snprintf(out->host, sizeof out->host, "%s", dashboard ? p->place.dashboard_ip : p->place.ip);
        out->port = dashboard ? p->place.dashboard : p->place.client;
        snprintf(out->url, sizeof out->url, "http://%s:%d", p->place.dashboard_ip, p->place.dashboard);
        out->dialer = batch_way_dialer(p->way);
        return true;
    }
    const struct bjob *head = p->jobs[0];
    if (p->look_error.code || p->queue_error.code) {
        *err = p->look_error.code ? p->look_error : p->queue_error;
        return false;
    }
    if (!p->looked) {
        rt_error_set(err, RT_E_BUSY, "%s: its login node was not looked at yet", p->conf->name);
        return rt_error_hint(err, "`raytui ls` shows whether %s can be reached", p->own->login);
    }
    char *detail = NULL;
    const enum rt_cluster_state state = state_of(p, &detail);
    rt_error_set(err, RT_E_UNREACHABLE, "%s is %s%s%s", p->conf->name, batch_job_lives(head) ? rt_cluster_state_name(state) : "not up",
                 detail ? ": " : "", detail ? detail : "");
    free(detail);
    return rt_error_hint(err, batch_job_lives(head) ? "`raytui wait %s --up` waits for it" : "`raytui up %s` starts it (u on the screen)", p->conf->name);
}

/* ---- life ---- */

static void jobs_from_journal(struct rt_provider *p) {
    for (size_t i = 0; i < rt_journal_count(p->journal); i++) {
        const struct rt_journal_item *it = rt_journal_at(p->journal, i);
        struct bjob *j = rt_streq(it->kind, "batch-job") ? job_there(p, it->name) : NULL;
        if (j)
            j->booked = true;
    }
}

struct rt_provider *batch_create(const struct batch_dialect *d, const struct rt_provider_env *env, const struct rt_cluster_conf *conf,
                                 struct rt_cluster *cluster, struct rt_error *err) {
    struct rt_provider *p = RT_NEW(struct rt_provider);
    (void)err;
    p->env = *env;
    p->dialect = d;
    p->conf = conf;
    p->own = conf->own;
    p->cluster = cluster;
    p->lock = -1;
    batch_pools_read(conf, &p->pools, conf_ignore_problem, NULL);
    p->way = batch_way_create(p);
    batch_job_add(p, "head", "head");
    p->journal = rt_journal_open(conf->name, &p->journal_error);
    if (p->journal)
        jobs_from_journal(p);
    batch_show(p);
    return p;
}

/* What the scheduler holds goes on: the journal and the login node's directory find it again. */
void batch_destroy(struct rt_provider *p) {
    batch_tasks_abandon(p);
    rt_op_drop(&p->look);
    batch_logs_drop(p);
    far_place_clear(&p->place);
    batch_way_destroy(p->way);
    for (size_t i = 0; i < p->njobs; i++)
        job_free(p->jobs[i]);
    free(p->jobs);
    rt_journal_close(p->journal);
    batch_pools_deinit(&p->pools);
    free(p->ray);
    free(p->python);
    free(p->watchdog);
    watchdog_touch_drop(&p->touch);
    free(p);
}

struct rt_operation *batch_keepalive(struct rt_provider *p, struct rt_error *err) {
    return watchdog_keepalive(&p->touch, &p->env, p->conf->name, err);
}

bool batch_shell(struct rt_provider *p, const char *node_id, struct rt_strs *argv, struct rt_error *err) {
    const struct rt_node *ray = node_id ? rt_store_node(p->cluster, node_id) : NULL;
    if (node_id && (!ray || !ray->ip))
        return rt_error_set(err, RT_E_NOT_FOUND, "no host is known for node %s", node_id);
    if (!node_id && !p->up) {
        rt_hop_argv(p->env.hop, argv); /* there is no head: the login node */
        return true;
    }
    const struct rt_hop_opts o = {
        .name = p->conf->name,
        .target = ray ? ray->ip : p->place.ip,
        .jump = p->own->login,
        .config_file = p->conf->ssh_config,
        .transport = (enum rt_transport)p->conf->transport,
    };
    struct rt_hop *hop = rt_hop_create(p->env.loop, &o, NULL, NULL);
    rt_hop_argv(hop, argv);
    rt_hop_destroy(hop);
    return true;
}
