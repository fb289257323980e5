/* Ray nodes on this machine: started, found again, watched, ended. */
#include "base/fs.h"
#include "net/forward.h"
#include "net/proc.h"
#include "providers/local.h"
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TICK_MS = 300,
    HEAD_MS = 120000,  /* until the dashboard answers */
    JOIN_MS = 90000,   /* until a worker is in Ray's list */
    TERM_MS = 9000,    /* a node drains up to DRAIN_S first */
    OBJECT_STORE = 512 * 1024 * 1024,
    WORKER_PORTS_FROM = 10002, /* Ray's own, up to 19999: nothing else may be there */
    WORKER_PORTS_TO = 19999
};
#define DRAIN_S "5"

/* ---- where and how ---- */

char *local_temp_dir(const struct rt_provider *p) {
    if (p->own && p->own->temp_dir)
        return rt_path_expand(p->own->temp_dir);
    /* Short: paths of sockets end at 107 bytes. A cluster of the same name with its state elsewhere (another
     * home, a test) has a directory of its own, or ending one would remove the other's. */
    char *state = rt_cluster_path(p->conf->name, NULL);
    const uint64_t sum = rt_fnv(state);
    free(state);
    return rt_strf("/tmp/raytui-%ld/%.12s-%08x", (long)getuid(), p->conf->name, (unsigned)(sum ^ sum >> 32));
}

/* An address of loopback that Ray leaves alone: it turns 127.0.0.1 into the machine's own, which would open ports to
 * the network. */
static void loopback_ip(char out[16]) {
    struct sockaddr_in a = {.sin_family = AF_INET};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    snprintf(out, 16, "127.0.0.2");
    inet_pton(AF_INET, out, &a.sin_addr);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0)
        snprintf(out, 16, "127.0.0.1"); /* macOS: one address only */
    if (fd >= 0)
        close(fd);
}

/* The next free port. It is held, so that neither this nor another raytui takes it before Ray does. */
static int hold_port(int wanted, struct held_ports *held) {
    for (int port = wanted; port < 65535; port++) {
        const int fd = port < WORKER_PORTS_FROM || port > WORKER_PORTS_TO ? rt_port_reserve(port) : -1;
        if (fd < 0)
            continue;
        assert(held->n < RT_COUNT(held->fd));
        held->fd[held->n++] = fd;
        return port;
    }
    return 0;
}

void local_ports_release(struct held_ports *held) {
    while (held->n)
        close(held->fd[--held->n]);
}

bool local_choose_ports(struct rt_provider *p, struct rt_error *err) {
    const struct local_config *own = p->own;
    struct {
        int64_t asked;
        int usual;
        int *out;
    } ports[] = {{own ? own->dashboard_port : 0, 8265, &p->place.dashboard},
                 {own ? own->client_port : 0, 10001, &p->place.client},
                 {own ? own->gcs_port : 0, 6379, &p->place.gcs}};
    loopback_ip(p->place.ip);
    local_ports_release(&p->held);
    for (size_t i = 0; i < RT_COUNT(ports); i++) {
        const int from = ports[i].asked ? (int)ports[i].asked : ports[i].usual;
        *ports[i].out = hold_port(from, &p->held);
        if (!*ports[i].out)
            return rt_error_set(err, RT_E_LIMIT, "no free port from %d on", from);
    }
    return true;
}

void local_node_argv(const struct rt_provider *p, const char *name, const char *pool, struct rt_strs *out) {
    const struct local_config *own = p->own;
    const struct pool_conf *po = pool_named(&p->pools, pool);
    const int64_t store = own && own->object_store_bytes ? own->object_store_bytes : OBJECT_STORE;
    rt_strs_add(out, p->place.ray ? p->place.ray : "ray");
    rt_strs_add(out, "start");
    if (!po) {
        char *tmp = local_temp_dir(p);
        rt_strs_add(out, "--head");
        rt_strs_addf(out, "--port=%d", p->place.gcs);
        rt_strs_addf(out, "--temp-dir=%s", tmp);
        rt_strs_add(out, "--dashboard-host=127.0.0.1");
        rt_strs_addf(out, "--dashboard-port=%d", p->place.dashboard);
        rt_strs_addf(out, "--ray-client-server-port=%d", p->place.client);
        if (own)
            node_size_args(&own->size, out);
        free(tmp);
    } else {
        rt_strs_addf(out, "--address=%s:%d", p->place.ip, p->place.gcs);
        node_size_args(&po->size, out);
    }
    rt_strs_addf(out, "--node-ip-address=%s", p->place.ip);
    rt_strs_addf(out, "--node-name=%s", name);
    rt_strs_addf(out, "--object-store-memory=%lld", (long long)store);
    rt_strs_add(out, "--block");
    rt_strs_add(out, "--disable-usage-stats");
    rt_strs_add(out, "--log-color=false");
}

/* ---- the list ---- */

struct lnode *local_node_named(const struct rt_provider *p, const char *name) {
    for (size_t i = 0; i < p->nnodes; i++)
        if (rt_streq(p->nodes[i]->name, name))
            return p->nodes[i];
    return NULL;
}

struct lnode *local_head(const struct rt_provider *p) {
    return local_node_named(p, "head");
}

struct pool_node *local_pool_nodes(const struct rt_provider *p) {
    static const enum pool_node_state states[] = {[LNODE_STARTING] = POOL_NODE_STARTING, [LNODE_UP] = POOL_NODE_UP,
                                                  [LNODE_STOPPING] = POOL_NODE_STOPPING, [LNODE_LOST] = POOL_NODE_LOST};
    struct pool_node *v = rt_alloc((p->nnodes + 1) * sizeof *v);
    for (size_t i = 0; i < p->nnodes; i++) {
        const struct lnode *n = p->nodes[i];
        v[i] = (struct pool_node){.name = n->name, .pool = n->pool, .where = n->name, .why = n->why, .state = states[n->state], .seen = true};
    }
    return v;
}

static struct lnode *add(struct rt_provider *p, const char *name, const char *pool) {
    struct lnode *n = RT_NEW(struct lnode);
    n->provider = p;
    n->name = rt_strdup(name);
    n->pool = rt_strdup(pool);
    n->since_ms = rt_loop_now_ms(p->env.loop);
    p->nodes = rt_realloc(p->nodes, (p->nnodes + 1) * sizeof(struct lnode *));
    p->nodes[p->nnodes++] = n;
    return n;
}

void local_node_free(struct lnode *n) {
    struct rt_provider *p = n->provider;
    for (size_t i = 0; i < p->nnodes; i++) {
        if (p->nodes[i] == n) {
            memmove(&p->nodes[i], &p->nodes[i + 1], (p->nnodes - i - 1) * sizeof(struct lnode *));
            p->nnodes--;
            break;
        }
    }
    rt_proc_destroy(n->proc);
    local_ports_release(&n->held);
    free(n->name);
    free(n->pool);
    free(n->why);
    free(n);
}

/* ---- journal ---- */

static char *place_json(const struct rt_provider *p, const struct lnode *n) {
    json_t *v = json_pack("{s:s, s:s, s:i, s:i, s:i, s:s?, s:s}", "pool", n->pool, "ip", p->place.ip, "gcs", p->place.gcs,
                          "dashboard", p->place.dashboard, "client", p->place.client, "ray", p->place.ray, "started", "");
    char started[32];
    snprintf(started, sizeof started, "%llu", (unsigned long long)n->started);
    json_object_set_new(v, "started", json_string(started));
    char *text = json_dumps(v, JSON_COMPACT);
    json_decref(v);
    return text;
}

static void take_place(struct rt_provider *p, const json_t *v) {
    const char *ip = rt_json_str(v, "ip");
    snprintf(p->place.ip, sizeof p->place.ip, "%s", ip ? ip : "127.0.0.1");
    p->place.gcs = (int)json_integer_value(json_object_get(v, "gcs"));
    p->place.dashboard = (int)json_integer_value(json_object_get(v, "dashboard"));
    p->place.client = (int)json_integer_value(json_object_get(v, "client"));
    free(p->place.ray);
    p->place.ray = rt_strdup(rt_json_str(v, "ray"));
}

static void gone(struct rt_provider *p, const char *name) {
    struct rt_error err = {0};
    if (rt_journal_find(p->journal, "node", name))
        rt_journal_gone(p->journal, "node", name, &err);
}

/* Another raytui that lives is about to start it. */
static bool is_others(const struct rt_journal_item *it) {
    return !it->id && it->pid != getpid() && rt_process_started(it->pid) != 0;
}

void local_nodes_find(struct rt_provider *p) {
    struct rt_strs dead = {0};
    for (size_t i = 0; i < rt_journal_count(p->journal); i++) {
        const struct rt_journal_item *it = rt_journal_at(p->journal, i);
        if (!rt_streq(it->kind, "node") || local_node_named(p, it->name) || is_others(it))
            continue;
        struct rt_error ignored = {0};
        json_t *v = it->data ? rt_json_parse(it->data, strlen(it->data), &ignored) : NULL;
        const char *pool = rt_json_str(v, "pool"), *started = rt_json_str(v, "started");
        int64_t pid = 0;
        const uint64_t then = started ? strtoull(started, NULL, 10) : 0;
        if (it->id && rt_parse_i64(it->id, &pid) && pid > 1 && then && rt_process_started(pid) == then) {
            struct lnode *n = add(p, it->name, pool ? pool : it->name);
            n->pid = pid;
            n->started = then;
            n->state = LNODE_UP;
            if (rt_streq(it->name, "head"))
                take_place(p, v);
        } else {
            /* Its leader is gone; what it left in its session goes too. */
            if (pid > 1 && then && rt_process_started(pid) == 0)
                local_session_signal(pid, SIGKILL);
            rt_strs_add(&dead, it->name);
        }
        json_decref(v);
    }
    for (size_t i = 0; i < dead.n; i++)
        gone(p, dead.v[i]);
    rt_strs_deinit(&dead);
}

void local_nodes_meet(struct rt_provider *p) {
    if (!p->journal || !rt_journal_reread(p->journal))
        return;
    for (size_t i = p->nnodes; i-- > 0;)
        if (!p->nodes[i]->task && !rt_journal_find(p->journal, "node", p->nodes[i]->name))
            local_node_free(p->nodes[i]);
    local_nodes_find(p);
}

/* ---- starting ---- */

static void leader_ended(void *ctx, const struct rt_proc_exit *e) {
    struct lnode *n = ctx;
    struct rt_provider *p = n->provider;
    n->proc = NULL;
    if (e->signal && !n->why) /* its last words are of something else */
        n->why = rt_strf("signal %d", e->signal);
    local_nodes_look(p);
    local_show(p);
}

static char *log_path(const struct rt_provider *p, const char *name) {
    char *file = rt_strf("node-%s.log", name), *path = rt_cluster_path(p->conf->name, file);
    free(file);
    return path;
}

/* The last lines that the node's own start printed. */
static char *last_words(const struct rt_provider *p, const char *name) {
    char *path = log_path(p, name), clean[400];
    struct rt_buf b;
    struct rt_error ignored = {0};
    rt_buf_init(&b, 4 * RT_MIB);
    rt_file_read(path, 4 * RT_MIB, &b, &ignored);
    const char *from = rt_buf_str(&b), *end = from + b.len;
    while (end > from && (end[-1] == '\n' || end[-1] == ' '))
        end--;
    const char *line = end;
    while (line > from && line[-1] != '\n')
        line--;
    char *last = rt_strndup(line, (size_t)(end - line));
    rt_clean_to(clean, sizeof clean, last);
    free(last);
    free(path);
    rt_buf_deinit(&b);
    return rt_strdup(clean);
}

static bool spawn(struct lnode *n, struct rt_error *err) {
    struct rt_provider *p = n->provider;
    struct rt_strs argv = {0};
    char *log = log_path(p, n->name), *bin = rt_strdup(p->place.ray), *slash = strrchr(bin, '/');
    const char *path = getenv("PATH");
    if (slash)
        *slash = 0;
    /* A job's `python` is looked up on the PATH of its head. */
    char *path_env = slash ? rt_strf("PATH=%s:%s", bin, path ? path : "/usr/bin:/bin") : rt_strf("PATH=%s", path ? path : "");
    local_node_argv(p, n->name, n->pool, &argv);
    const int agent = hold_port(52365 + 2 * (int)p->nnodes, &n->held);
    rt_strs_addf(&argv, "--dashboard-agent-listen-port=%d", agent);
    rt_strs_addf(&argv, "--metrics-export-port=%d", hold_port(agent + 1, &n->held));
    const char *const env[] = {path_env, "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S=" DRAIN_S, "RAY_ADDRESS", "RAY_API_SERVER_ADDRESS",
                               "PYTHONHOME", "PYTHONPATH",
                               /* Stacks and profiles of one's own processes; Ray has them off since others may ask its dashboard. */
                               getenv("RAY_DASHBOARD_ENABLE_PROFILING") ? NULL : "RAY_DASHBOARD_ENABLE_PROFILING=1", NULL};
    const struct rt_proc_opts o = {.argv = (const char *const *)argv.v, .env = env, .own_session = true, .stay = true,
                                   .output_file = log, .cwd = "/"};
    rt_remove_tree(log, err);
    n->proc = rt_proc_start(p->env.loop, &o, leader_ended, n, err);
    if (n->proc) {
        n->pid = rt_proc_pid(n->proc);
        n->started = rt_process_started(n->pid);
    }
    rt_strs_deinit(&argv);
    free(path_env);
    free(bin);
    free(log);
    return n->proc != NULL;
}

static void begin(struct lnode *n) {
    struct rt_provider *p = n->provider;
    struct rt_error err = {0};
    char *data = place_json(p, n), pid[32];
    n->waiting = false;
    n->since_ms = rt_loop_now_ms(p->env.loop);
    bool ok = rt_journal_want(p->journal, n->task->operation->id, "node", n->name, data, &err) && spawn(n, &err);
    free(data);
    if (ok) {
        data = place_json(p, n);
        snprintf(pid, sizeof pid, "%lld", (long long)n->pid);
        ok = rt_journal_made(p->journal, "node", n->name, pid, data, &err);
        free(data);
    }
    if (!ok) {
        n->why = rt_strdup(err.message);
        n->state = LNODE_LOST;
    }
}

static void begin_next(struct rt_provider *p) {
    struct lnode *next = NULL;
    for (size_t i = p->nnodes; i-- > 0;) {
        if (p->nodes[i]->state == LNODE_STARTING && !p->nodes[i]->waiting)
            return;
        if (p->nodes[i]->waiting)
            next = p->nodes[i];
    }
    if (next)
        begin(next);
}

void local_node_start(struct rt_provider *p, struct task *t, const char *name, const char *pool) {
    struct lnode *n = add(p, name, pool);
    n->task = t;
    n->state = LNODE_STARTING;
    n->waiting = true;
    n->step = rt_operation_step(t->operation, name, rt_streq(name, "head") ? "starting the head" : "starting and joining");
    t->open++;
    begin_next(p);
    local_tick_on(p);
}

/* ---- looking ---- */

static bool alive(const struct lnode *n) {
    return n->pid > 1 && n->started && rt_process_started(n->pid) == n->started;
}

static void lost(struct lnode *n) {
    if (!n->why)
        n->why = last_words(n->provider, n->name);
    n->state = LNODE_LOST;
    if (n->pid > 1)
        local_session_signal(n->pid, SIGKILL);
}

static void stopping(struct lnode *n, int64_t now) {
    const bool leader = alive(n), any = n->pid > 1 && local_session_signal(n->pid, 0);
    if (!leader && !any) {
        gone(n->provider, n->name);
        local_node_done(n, NULL);
        return;
    }
    if ((!leader || now - n->since_ms > TERM_MS) && n->signals < 200) {
        n->signals++;
        local_session_signal(n->pid, SIGKILL);
    } else if (n->signals >= 200) {
        struct rt_error err = {0};
        rt_error_set(&err, RT_E_FAILED, "%s: processes of session %lld do not end", n->name, (long long)n->pid);
        local_node_done(n, &err);
    }
}

static int64_t limit_ms(const struct lnode *n) {
    const int64_t asked = n->provider->up ? n->provider->up_timeout_ms : 0;
    return asked ? asked : rt_streq(n->name, "head") ? HEAD_MS : JOIN_MS;
}

/* Something of it has ended while another raytui works on it: that one writes down what it has ended. */
static bool ended_by_others(const struct rt_provider *p) {
    struct rt_error ignored = {0};
    bool any = false;
    for (size_t i = 0; i < p->nnodes; i++)
        any = any || !alive(p->nodes[i]);
    if (!any || p->lock >= 0)
        return false;
    const int fd = rt_cluster_lock(p->conf->name, "look", &ignored);
    rt_file_unlock(fd);
    return fd < 0 && ignored.code == RT_E_BUSY;
}

void local_nodes_look(struct rt_provider *p) {
    const int64_t now = rt_loop_now_ms(p->env.loop);
    const bool theirs = ended_by_others(p);
    if (!p->tasks)
        local_nodes_meet(p);
    const struct lnode *head = local_head(p);
    p->ended_by_others = theirs && head && !alive(head);
    for (size_t i = p->nnodes; i-- > 0;) {
        struct lnode *n = p->nodes[i];
        struct rt_error err = {0};
        if (n->waiting)
            continue;
        if (n->state == LNODE_STOPPING) {
            stopping(n, now);
            continue;
        }
        if (n->state != LNODE_LOST && !alive(n) && theirs)
            continue;
        if (n->state != LNODE_LOST && !alive(n))
            lost(n);
        if (n->state == LNODE_LOST) {
            rt_error_set(&err, RT_E_FAILED, "%s ended: %.400s", n->name, n->why ? n->why : "");
            gone(p, n->name);
            local_node_done(n, &err);
        } else if (n->state == LNODE_STARTING && now - n->since_ms > limit_ms(n)) {
            rt_error_set(&err, RT_E_TIMEOUT, "%s did not come up in time", n->name);
            local_node_done(n, &err);
        }
    }
}

static void joined(struct lnode *n) {
    n->state = LNODE_UP;
    local_ports_release(&n->held);
    if (rt_streq(n->name, "head"))
        local_ports_release(&n->provider->held);
    local_node_done(n, NULL);
}

/* The dashboard answers: the head is up. Ray lists a worker's name: it has joined. */
static void listed(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    struct rt_strs alive = {0};
    p->probe = NULL;
    if (!pools_alive(a, err, &alive))
        return;
    struct lnode *head = local_head(p);
    if (head && head->state == LNODE_STARTING)
        joined(head);
    for (size_t i = 0; i < alive.n; i++) {
        struct lnode *n = local_node_named(p, alive.v[i]);
        if (n && n->state == LNODE_STARTING && !n->waiting)
            joined(n);
    }
    rt_strs_deinit(&alive);
}

static void probe(struct rt_provider *p) {
    char url[128];
    if (p->probe || !p->place.dashboard)
        return;
    snprintf(url, sizeof url, "http://127.0.0.1:%d" POOLS_ALIVE_PATH, p->place.dashboard);
    const struct rt_http_request r = {.url = url, .timeout_ms = 5000, .pool = p->conf->name};
    const struct rt_http_callbacks cb = {.done = listed, .ctx = p};
    p->probe = rt_http_send(p->env.http, &r, &cb);
}

static void on_tick(void *ctx) {
    struct rt_provider *p = ctx;
    bool starting = false, any = false;
    local_nodes_look(p);
    begin_next(p);
    for (size_t i = 0; i < p->nnodes; i++) {
        starting = starting || p->nodes[i]->state == LNODE_STARTING;
        any = any || p->nodes[i]->state != LNODE_UP;
    }
    if (starting)
        probe(p);
    if (!any) {
        rt_timer_stop(p->tick);
        p->tick = NULL;
    }
    local_show(p);
}

void local_tick_on(struct rt_provider *p) {
    if (!p->tick)
        p->tick = rt_timer_start(p->env.loop, 0, TICK_MS, on_tick, p);
}

/* ---- ending ---- */

void local_node_stop(struct lnode *n, struct task *t) {
    if (n->task && n->task != t)
        local_node_leave(n);
    n->task = t;
    n->state = LNODE_STOPPING;
    n->waiting = false;
    n->since_ms = rt_loop_now_ms(n->provider->env.loop);
    n->signals = 0;
    n->step = rt_operation_step(t->operation, n->name, "draining and ending");
    t->open++;
    if (alive(n))
        kill((pid_t)n->pid, SIGTERM); /* `ray start --block` drains, then ends its own */
    local_tick_on(n->provider);
}

void local_nodes_drop(struct rt_provider *p) {
    while (p->nnodes) {
        struct lnode *n = p->nodes[p->nnodes - 1];
        if (n->pid > 1)
            local_session_signal(n->pid, SIGKILL);
        gone(p, n->name);
        local_node_free(n);
    }
}
