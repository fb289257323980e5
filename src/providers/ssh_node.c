/* One Ray node on its host: reached, prepared, started, ended. Each phase is one script on the host, and each script may
 * be run again. */
#include "base/vec.h"
#include "providers/ssh.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REACH_MS = 120000, /* a person may have to answer a question on the way */
    PREPARE_MS = 30 * 60 * 1000,
    START_MS = 170000,
    JOIN_MS = 60000,
    STOP_MS = 60000,
    PROBE_EVERY_MS = 300
};

/* ---- the list ---- */

struct snode *ssh_node_named(const struct rt_provider *p, const char *name) {
    for (size_t i = 0; i < p->nnodes; i++)
        if (rt_streq(p->nodes[i]->name, name))
            return p->nodes[i];
    return NULL;
}

struct snode *ssh_node_add(struct rt_provider *p, const char *name, const char *pool, const char *host) {
    struct snode *n = RT_NEW(struct snode);
    n->provider = p;
    n->name = rt_strdup(name);
    n->pool = rt_strdup(pool);
    n->host = rt_strdup(host);
    p->nodes = rt_realloc(p->nodes, (p->nnodes + 1) * sizeof(*p->nodes));
    p->nodes[p->nnodes++] = n;
    return n;
}

void ssh_node_free(struct snode *n) {
    rt_op_drop(&n->op);
    ssh_node_drop_hop(n);
    free(n->name);
    free(n->pool);
    free(n->host);
    free(n->ray);
    free(n->python);
    free(n->address);
    free(n->why);
    free(n);
}

static bool is_head(const struct snode *n) {
    return n == n->provider->nodes[0];
}

/* ---- journal ---- */

static bool want(struct snode *n, struct rt_error *err) {
    json_t *v = json_pack("{s:s, s:s, s:b}", "pool", n->pool, "host", n->host, "through_head", n->through_head);
    char *data = json_dumps(v, JSON_COMPACT);
    const bool ok = rt_journal_want(n->provider->journal, n->task->operation->id, "node", n->name, data, err);
    free(data);
    json_decref(v);
    return ok;
}

static void gone(struct snode *n) {
    struct rt_error ignored = {0};
    if (rt_journal_find(n->provider->journal, "node", n->name))
        rt_journal_gone(n->provider->journal, "node", n->name, &ignored);
}

void ssh_nodes_from_journal(struct rt_provider *p) {
    for (size_t i = 0; i < rt_journal_count(p->journal); i++) {
        const struct rt_journal_item *it = rt_journal_at(p->journal, i);
        struct rt_error ignored = {0};
        json_t *v = it->data ? rt_json_parse(it->data, strlen(it->data), &ignored) : NULL;
        const char *pool = rt_json_str(v, "pool"), *host = rt_json_str(v, "host");
        if (rt_streq(it->kind, "node") && pool && host) {
            struct snode *n = ssh_node_named(p, it->name);
            if (!n)
                n = ssh_node_add(p, it->name, pool, host);
            if (!is_head(n)) {
                free(n->host);
                n->host = rt_strdup(host);
                n->through_head = json_is_true(json_object_get(v, "through_head"));
            }
            n->booked = n->touched = true;
            if (!is_head(n))
                n->state = SNODE_UP; /* Ray's list tells whether it is */
        }
        json_decref(v);
    }
}

/* ---- reaching ---- */

struct rt_hop *ssh_node_hop(struct snode *n) {
    struct rt_provider *p = n->provider;
    if (is_head(n) && p->env.hop)
        return p->env.hop;
    if (n->hop)
        return n->hop;
    char *target = is_head(n) ? rt_strdup(p->own->head) : ssh_host_target(p->own, n->host);
    const struct rt_hop_opts o = {
        .name = p->conf->name,
        .target = target,
        .jump = n->through_head ? p->own->head : NULL,
        .config_file = p->conf->ssh_config,
        .transport = (enum rt_transport)p->conf->transport,
        .asker = p->env.asker,
    };
    n->hop = rt_hop_create(p->env.loop, &o, NULL, NULL);
    free(target);
    return n->hop;
}

void ssh_node_drop_hop(struct snode *n) {
    far_log_drop(&n->log);
    if (n->hop)
        rt_hop_destroy(n->hop);
    n->hop = NULL;
}

/* ---- phases ---- */

static void end_step(struct snode *n, const struct rt_error *err) {
    if (n->stepping)
        rt_operation_step_end(n->task->operation, n->step, err);
    n->stepping = false;
}

static void enter(struct snode *n, enum snode_phase phase, const char *title) {
    end_step(n, NULL);
    n->phase = phase;
    n->since_ms = rt_loop_now_ms(n->provider->env.loop);
    if (title) {
        n->step = rt_operation_step(n->task->operation, n->host, "%s", title);
        n->stepping = true;
    }
}

static void settle(struct snode *n, enum snode_state state) {
    end_step(n, NULL);
    n->state = state;
    n->phase = PH_NONE;
    n->task = NULL;
    if (!is_head(n) && state != SNODE_STARTING)
        ssh_node_drop_hop(n);
}

void ssh_node_halt(struct snode *n, const struct rt_error *err) {
    rt_op_drop(&n->op);
    end_step(n, err);
    n->phase = PH_NONE;
}

static void fail(struct snode *n, const struct rt_error *err) {
    struct rt_error e = *err;
    const size_t host = strlen(n->host);
    if (strncmp(e.message, n->host, host) != 0)
        rt_error_wrap(&e, "%s", n->host);
    ssh_node_halt(n, &e);
    free(n->why);
    n->why = rt_strdup(e.message);
    ssh_task_node_failed(n, &e);
    ssh_show(n->provider);
}

static void on_output(void *ctx, enum rt_stream stream, const char *data, size_t n) {
    const struct snode *node = ctx;
    if (stream == RT_STDERR && node->stepping)
        rt_operation_output(node->task->operation, node->step, data, n);
}

static void hurry(const struct rt_provider *p) {
    if (p->tick)
        rt_timer_again(p->tick, 0, 100);
}

static void on_script(void *ctx, const struct rt_exec_result *r, const struct rt_error *err);

/* Takes script. */
static void run_on(struct rt_hop *hop, struct snode *n, struct rt_buf *script, int64_t timeout_ms) {
    const struct rt_exec_opts o = {
        .script = rt_buf_str(script),
        .login_shell = far_login_shell(&n->provider->own->far),
        .timeout_ms = timeout_ms,
        .output = on_output,
        .output_ctx = n,
    };
    n->op = rt_hop_exec(hop, &o, on_script, n);
    rt_buf_deinit(script);
}

static struct rt_buf script_buf(void) {
    struct rt_buf b;
    rt_buf_init(&b, 8 * RT_MIB);
    return b;
}

static void prepare(struct snode *n) {
    struct rt_error err = {0};
    struct rt_buf b = script_buf();
    const struct ssh_script s = ssh_script_of(n);
    enter(n, PH_PREPARE, "Python and Ray");
    if (!want(n, &err)) {
        rt_buf_deinit(&b);
        fail(n, &err);
        return;
    }
    n->touched = true;
    ssh_script_prepare(&s, &b);
    run_on(ssh_node_hop(n), n, &b, PREPARE_MS);
}

static void start(struct snode *n) {
    struct rt_buf b = script_buf();
    struct rt_strs peers = {0};
    struct ssh_script s = ssh_script_of(n);
    struct watchdog_opts life = watchdog_opts(n->provider->conf, n->provider->job);
    life.far = &n->provider->own->far;
    s.life = &life;
    enter(n, PH_START, is_head(n) ? "starting the head" : "starting and joining");
    ssh_peers(n->task, &peers);
    s.peers = &peers;
    s.mark = n->task->operation->id;
    ssh_script_start(&s, &b);
    rt_strs_deinit(&peers);
    run_on(ssh_node_hop(n), n, &b, START_MS);
}

static void book(struct snode *n, bool on) {
    struct rt_buf b = script_buf();
    ssh_script_book(n->provider->conf->name, n->name, on ? n->host : NULL, &b);
    n->phase = on ? PH_BOOK : PH_UNBOOK;
    run_on(ssh_node_hop(n->provider->nodes[0]), n, &b, 0);
}

static void look(struct snode *n) {
    struct rt_buf b = script_buf();
    ssh_script_look(n->provider->conf->name, &b);
    n->phase = PH_LOOK;
    run_on(ssh_node_hop(n), n, &b, 0);
}

static void stop(struct snode *n) {
    struct rt_buf b = script_buf();
    const struct ssh_script s = ssh_script_of(n);
    n->phase = PH_STOPPING;
    ssh_script_stop(&s, &b);
    run_on(ssh_node_hop(n), n, &b, STOP_MS);
}

static void ended(struct snode *n) {
    gone(n);
    n->booked = n->touched = false;
    settle(n, SNODE_ABSENT);
}

static void joined(struct snode *n) {
    struct rt_error ignored = {0};
    rt_journal_made(n->provider->journal, "node", n->name, n->host, NULL, &ignored);
    settle(n, SNODE_UP);
}

static void went_well(struct snode *n, const struct rt_exec_result *r) {
    struct rt_provider *p = n->provider;
    struct rt_error err = {0};
    switch (n->phase) {
    case PH_LOOK:
        ssh_take_look(p, r->out);
        end_step(n, NULL);
        ssh_task_looked(n->task);
        break;
    case PH_PREPARE:
        far_prepared(r->out, &n->ray, &n->python, &n->address);
        if (!n->ray || !n->python) {
            rt_error_set(&err, RT_E_PROTOCOL, "it does not say where Ray is");
            fail(n, &err);
        } else {
            enter(n, PH_READY, NULL);
        }
        break;
    case PH_BOOK:
        n->booked = true;
        start(n);
        break;
    case PH_START:
        if (is_head(n)) {
            ssh_take_look(p, r->out);
            joined(n);
        } else {
            n->phase = PH_JOIN;
            n->since_ms = rt_loop_now_ms(p->env.loop);
        }
        break;
    case PH_STOPPING:
        if (is_head(n)) {
            p->up = p->coming = false;
            watchdog_job_gone(p->journal);
            ended(n);
        } else if (n->booked && rt_hop_status(ssh_node_hop(p->nodes[0]))->state == RT_HOP_UP) {
            book(n, false);
        } else {
            ended(n);
        }
        break;
    case PH_UNBOOK:
        ended(n);
        break;
    case PH_NONE:
    case PH_REACH:
    case PH_READY:
    case PH_JOIN:
    case PH_STOP:
        break;
    }
}

static void on_script(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct snode *n = ctx;
    struct rt_provider *p = n->provider;
    struct rt_error e = {0};
    n->op = NULL;
    if (!err && r->status == 0) {
        went_well(n, r);
    } else {
        if (err)
            e = *err;
        else
            far_complaint(r, &e);
        fail(n, &e);
    }
    ssh_show(p);
    hurry(p);
}

/* ---- what is waited for ---- */

bool ssh_node_may_go_through_head(const struct snode *n, const struct rt_error *err) {
    return !is_head(n) && !n->through_head &&
           (err->code == RT_E_UNREACHABLE || err->code == RT_E_TIMEOUT || err->code == RT_E_NOT_FOUND);
}

static void reached(struct snode *n) {
    if (n->phase == PH_STOP)
        stop(n);
    else if (is_head(n) && !n->task->head_asked)
        look(n);
    else
        prepare(n);
}

/* A host that the laptop does not see is tried through the head, once that is reached. */
static void reach(struct snode *n) {
    const struct rt_hop_status *st = rt_hop_status(ssh_node_hop(n));
    struct snode *head = n->provider->nodes[0];
    struct rt_error err = st->error;
    const bool late = rt_loop_now_ms(n->provider->env.loop) - n->since_ms > REACH_MS;
    if (st->state == RT_HOP_UP) {
        reached(n);
        return;
    }
    if (st->state == RT_HOP_IDLE)
        rt_hop_open(ssh_node_hop(n), true);
    const bool over = st->state == RT_HOP_FAILED || st->state == RT_HOP_NEEDS_LOGIN || (st->state == RT_HOP_RETRYING && st->error.code);
    if (!over && !late)
        return;
    if (!err.code)
        rt_error_set(&err, RT_E_TIMEOUT, "no connection");
    if (ssh_node_may_go_through_head(n, &err)) {
        const enum rt_hop_state way = rt_hop_status(ssh_node_hop(head))->state;
        if (way == RT_HOP_UP) {
            n->direct = err;
            n->through_head = true;
            ssh_node_drop_hop(n);
            rt_hop_open(ssh_node_hop(n), true);
            return;
        }
        if (way == RT_HOP_CONNECTING && !late)
            return;
    }
    if (n->direct.code)
        err = n->direct; /* the nearer reason */
    fail(n, &err);
}

static void listed(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    struct rt_strs alive = {0};
    p->probe = NULL;
    if (!pools_alive(a, err, &alive))
        return;
    for (size_t i = 0; i < alive.n; i++) {
        struct snode *n = ssh_node_named(p, alive.v[i]);
        if (n && n->phase == PH_JOIN)
            joined(n);
    }
    rt_strs_deinit(&alive);
    ssh_show(p);
    hurry(p);
}

static void probe(struct rt_provider *p) {
    const int64_t now = rt_loop_now_ms(p->env.loop);
    if (p->probe || now - p->probed_ms < PROBE_EVERY_MS)
        return;
    p->probed_ms = now;
    char *url = rt_strf("http://%s:%d" POOLS_ALIVE_PATH, p->place.dashboard_ip, p->place.dashboard);
    const struct rt_http_request r = {.url = url, .timeout_ms = 8000, .pool = p->conf->name,
                                      .dialer = rt_hop_dialer(ssh_node_hop(p->nodes[0]))};
    const struct rt_http_callbacks cb = {.done = listed, .ctx = p};
    p->probe = rt_http_send(p->env.http, &r, &cb);
    free(url);
}

void ssh_node_tick(struct snode *n) {
    struct rt_provider *p = n->provider;
    struct rt_error err = {0};
    struct rt_strs peers = {0};
    switch (n->phase) {
    case PH_REACH:
    case PH_STOP:
        reach(n);
        break;
    case PH_READY:
        if (!is_head(n) && p->up)
            book(n, true);
        else if (is_head(n) && ssh_peers(n->task, &peers))
            start(n);
        rt_strs_deinit(&peers);
        break;
    case PH_JOIN:
        if (rt_loop_now_ms(p->env.loop) - n->since_ms > JOIN_MS) {
            rt_error_set(&err, RT_E_TIMEOUT, "Ray runs there, but the head does not list it");
            fail(n, &err);
        } else {
            probe(p);
        }
        break;
    case PH_NONE:
    case PH_LOOK:
    case PH_PREPARE:
    case PH_BOOK:
    case PH_START:
    case PH_STOPPING:
    case PH_UNBOOK:
        break;
    }
}

/* ---- begin ---- */

static void begin(struct snode *n, struct stask *t, enum snode_state state, enum snode_phase phase, const char *title) {
    rt_op_drop(&n->op);
    if (n->task)
        end_step(n, NULL);
    n->task = t;
    n->state = state;
    n->direct = (struct rt_error){0};
    enter(n, phase, title);
    rt_hop_open(ssh_node_hop(n), true);
}

void ssh_node_start(struct snode *n, struct stask *t) {
    free(n->why);
    n->why = NULL;
    begin(n, t, SNODE_STARTING, PH_REACH, is_head(n) && t->head_asked ? NULL : "connecting");
}

void ssh_node_look(struct snode *head, struct stask *t) {
    begin(head, t, head->state, PH_REACH, "connecting");
}

void ssh_node_stop(struct snode *n, struct stask *t) {
    if (!n->touched && !n->booked && !is_head(n)) { /* nothing of it is there */
        n->task = t;
        settle(n, SNODE_ABSENT);
        return;
    }
    begin(n, t, SNODE_STOPPING, PH_STOP, is_head(n) ? "ending the head" : "draining and ending");
}
