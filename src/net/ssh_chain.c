/* A way out through libssh2: one session per host of the ProxyJump chain, each through a channel of
 * the one before it. */
#include "net/ssh.h"
#include "net/tcp.h"

#include "base/mem.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MAX_LINKS = 8,
    MAX_DRAINING = 3,
    CONNECT_MS = 10000,
    ALIVE_S = 15,
    GIVE_UP_MS = 20000,
    REASON_MS = 100,
    DRAIN_MS = 5000
};

/* A session with the host of a link. */
struct line {
    struct link *link;
    struct rt_ssh *ssh;
    /* The stream through the host before, and why it ended. */
    struct rt_splice carry;
    struct rt_op *carrying;
    struct rt_error carry_error;
};

struct link {
    struct chain *chain;
    char *typed; /* what ssh would be given */
    char *shown; /* user@host */
    struct rt_sshconf conf;
    bool resolved;
    struct line *line;
};

struct chain {
    struct rt_way way;
    struct rt_loop *loop;
    char *name, *jump, *config_file;
    const struct rt_dialer *through; /* to the first host; NULL: TCP */
    const struct rt_asker *asker;
    bool may_ask, may_fall_back;
    struct rt_way_events events;
    RT_VEC(struct link *) links; /* the first is connected to directly, the last is the target */
    size_t at;
    struct rt_op *op; /* the step under way */
    bool up, asked;
    struct line *spare; /* a second session with the target, while the first hangs in an open */
    RT_VEC(struct line *) draining; /* what runs through them goes on, nothing new begins */
    struct rt_timer *drain;
    struct rt_timer *reason;
    enum rt_way_end end;
    struct rt_error error;
};

static void resolve_next(struct chain *c);
static void connect_next(struct chain *c);

/* ---- making and ending ---- */

static struct link *new_link(struct chain *c, const char *typed) {
    struct link *k = RT_NEW(struct link);
    k->chain = c;
    k->typed = rt_strdup(typed);
    return k;
}

static void free_line(struct line *n) {
    if (!n)
        return;
    rt_ssh_destroy(n->ssh);
    rt_op_drop(&n->carrying);
    free(n);
}

static void free_link(struct link *k) {
    free_line(k->line);
    rt_sshconf_deinit(&k->conf);
    free(k->typed);
    free(k->shown);
    free(k);
}

static void chain_destroy(struct rt_way *w) {
    struct chain *c = (struct chain *)w;
    rt_op_drop(&c->op);
    rt_timer_stop(c->reason);
    rt_timer_stop(c->drain);
    free_line(c->spare);
    for (size_t i = 0; i < c->draining.n; i++)
        free_line(c->draining.v[i]);
    for (size_t i = c->links.n; i-- > 0;)
        free_link(c->links.v[i]);
    rt_vec_deinit(&c->draining);
    rt_vec_deinit(&c->links);
    free(c->name);
    free(c->jump);
    free(c->config_file);
    free(c);
}

static void go_down(struct chain *c, enum rt_way_end end, const struct rt_error *err) {
    struct rt_error e = *err;
    c->events.down(c->events.ctx, end, &e);
}

static bool forget_draining(struct chain *c, struct line *n) {
    for (size_t i = 0; i < c->draining.n; i++)
        if (c->draining.v[i] == n) {
            rt_vec_remove(&c->draining, i);
            free_line(n);
            return true;
        }
    return false;
}

static void on_lost(void *ctx, const struct rt_error *err) {
    struct line *n = ctx;
    struct chain *c = n->link->chain;
    if (!forget_draining(c, n))
        go_down(c, RT_WAY_LOST, err);
}

/* ---- which hosts ---- */

static void insert_link(struct chain *c, struct link *k, size_t at) {
    (void)rt_vec_push(&c->links);
    memmove(&c->links.v[at + 1], &c->links.v[at], (c->links.n - 1 - at) * sizeof *c->links.v);
    c->links.v[at] = k;
}

/* "a,b" stands before the first link. */
static bool prepend_jumps(struct chain *c, const char *jumps, struct rt_error *err) {
    size_t at = 0;
    while (*jumps) {
        size_t n = strcspn(jumps, ",");
        char *one = rt_strndup(jumps, n);
        if (c->links.n >= MAX_LINKS) {
            free(one);
            return rt_error_set(err, RT_E_CONFIG,
                                "%s: more than %d jump hosts; do they lead in a circle?",
                                c->links.v[c->links.n - 1]->typed, MAX_LINKS - 1);
        }
        if (*one)
            insert_link(c, new_link(c, one), at++);
        free(one);
        jumps += n + (jumps[n] == ',');
    }
    return true;
}

static bool needs_command(struct chain *c, const struct link *k) {
    if (!k->conf.proxycommand || (c->jump && k == c->links.v[c->links.n - 1]))
        return false;
    struct rt_error err;
    rt_error_set(&err, RT_E_UNSUPPORTED, "ProxyCommand is set for %s", k->typed);
    rt_error_hint(&err, "set transport: openssh (it needs the ssh program)");
    go_down(c, c->may_fall_back ? RT_WAY_FALLBACK : RT_WAY_FAILED, &err);
    return true;
}

static void on_conf(void *ctx, const struct rt_sshconf *conf, const struct rt_error *err) {
    struct link *k = ctx;
    struct chain *c = k->chain;
    struct rt_error e;
    bool last = k == c->links.v[c->links.n - 1], first = k == c->links.v[0];
    c->op = NULL;
    if (err) {
        go_down(c, err->code == RT_E_INTERNAL ? RT_WAY_LOST : RT_WAY_FAILED, err);
        return;
    }
    rt_sshconf_copy(&k->conf, conf);
    k->shown = rt_strf("%s@%s", conf->user, conf->hostname);
    k->resolved = true;
    if (needs_command(c, k))
        return;
    const char *jump = last && c->jump ? c->jump : conf->proxyjump;
    if (first && jump && !rt_streq(jump, "none") && !prepend_jumps(c, jump, &e)) {
        go_down(c, RT_WAY_FAILED, &e);
        return;
    }
    resolve_next(c);
}

static void resolve_next(struct chain *c) {
    for (size_t i = c->links.n; i-- > 0;) {
        struct link *k = c->links.v[i];
        if (!k->resolved) {
            c->op = rt_sshconf_resolve(c->loop, k->typed, c->config_file, on_conf, k);
            return;
        }
    }
    connect_next(c);
}

/* ---- one host after the other ---- */

static void tell_reason(void *ctx) {
    struct chain *c = ctx;
    const struct line *n = c->links.v[c->at]->line;
    rt_timer_stop(c->reason);
    c->reason = NULL;
    go_down(c, c->end, n && n->carry_error.code ? &n->carry_error : &c->error);
}

static int alive_s(const struct rt_sshconf *conf) {
    return conf->serveraliveinterval > 0 ? RT_MIN(conf->serveraliveinterval, ALIVE_S) : ALIVE_S;
}

static void on_stuck(void *ctx);

static void take_session(struct line *n, const struct rt_login_result *r) {
    struct chain *c = n->link->chain;
    struct rt_ssh_events e = {.lost = on_lost, .stuck = on_stuck, .ctx = n};
    n->ssh = rt_ssh_create(c->loop, r, n->link->shown, alive_s(&n->link->conf), &e);
}

static void on_login(void *ctx, const struct rt_login_result *r) {
    struct chain *c = ctx;
    c->op = NULL;
    if (!r->session) {
        c->end = r->end;
        c->error = r->error;
        if (c->at == 0 && c->through && r->end == RT_WAY_LOST)
            c->through->error(c->through->ctx, &c->error);
        /* The host before may just be about to say why the stream ended. */
        if (c->at > 0 && r->end == RT_WAY_LOST)
            c->reason = rt_timer_start(c->loop, REASON_MS, 0, tell_reason, c);
        else
            go_down(c, r->end, &c->error);
        return;
    }
    c->asked = c->asked || r->asked;
    take_session(c->links.v[c->at]->line, r);
    c->at++;
    if (c->at < c->links.n) {
        connect_next(c);
    } else {
        c->up = true;
        c->events.up(c->events.ctx);
    }
}

static void log_in(struct chain *c, const struct link *k, int fd, rt_login_fn *fn) {
    struct rt_login_opts o = {.cluster = c->name,
                              .shown = k->shown,
                              .typed = k->typed,
                              .conf = &k->conf,
                              .fd = fd,
                              .asker = c->asker,
                              .may_ask = c->may_ask && !c->up,
                              .may_fall_back = c->may_fall_back};
    c->op = rt_login_start(c->loop, &o, fn, c);
}

static void on_tcp(void *ctx, int fd, const struct rt_error *err) {
    struct chain *c = ctx;
    c->op = NULL;
    if (err) {
        go_down(c, RT_WAY_LOST, err);
        return;
    }
    rt_tcp_give_up_after(fd, GIVE_UP_MS);
    log_in(c, c->links.v[c->at], fd, on_login);
}

static void on_carry_end(void *ctx, const struct rt_error *err) {
    struct line *n = ctx;
    n->carrying = NULL;
    if (err)
        n->carry_error = *err;
}

/* A descriptor that leads through the host before to this one; -1 and the chain's error. */
static int through_host_before(struct chain *c, struct line *n, size_t at) {
    int pair[2];
    if (!rt_fd_pair(pair, &c->error))
        return -1;
    n->carry = (struct rt_splice){.end = on_carry_end, .ctx = n};
    n->carrying = rt_ssh_splice(c->links.v[at - 1]->line->ssh, pair[1], n->link->conf.hostname,
                                n->link->conf.port, &n->carry);
    return pair[0];
}

static struct line *new_line(struct link *k) {
    struct line *n = RT_NEW(struct line);
    n->link = k;
    return n;
}

static void connect_tcp(struct chain *c, const struct link *k, rt_tcp_fn *fn) {
    int64_t wait = k->conf.connecttimeout > 0 ? (int64_t)k->conf.connecttimeout * 1000 : CONNECT_MS;
    c->op = rt_tcp_connect(c->loop, k->conf.hostname, k->conf.port, wait, fn, c);
}

/* The same for the first host, where somebody else's session leads to it. */
static int through_other(struct chain *c, const struct link *k) {
    return c->through->dial(c->through->ctx, k->conf.hostname, k->conf.port, &c->error);
}

static void connect_next(struct chain *c) {
    struct link *k = c->links.v[c->at];
    k->line = new_line(k);
    if (c->at == 0 && !c->through) {
        connect_tcp(c, k, on_tcp);
        return;
    }
    int fd = c->at == 0 ? through_other(c, k) : through_host_before(c, k->line, c->at);
    if (fd >= 0) {
        log_in(c, k, fd, on_login);
        return;
    }
    c->end = RT_WAY_LOST;
    c->reason = rt_timer_start(c->loop, 0, 0, tell_reason, c);
}

/* ---- a second session, when the first one hangs ----
 *
 * sshd answers a channel to a host that drops packets only after minutes, and libssh2 can open
 * nothing else meanwhile. So new streams get a new session; what runs through the old one goes on.
 * Only where no person had to answer for the first. */

static void on_drain(void *ctx) {
    struct chain *c = ctx;
    for (size_t i = c->draining.n; i-- > 0;)
        if (!rt_ssh_is_used(c->draining.v[i]->ssh))
            forget_draining(c, c->draining.v[i]);
    if (c->draining.n > 0)
        return;
    rt_timer_stop(c->drain);
    c->drain = NULL;
}

static void drop_spare(struct chain *c) {
    struct line *n = c->spare;
    c->spare = NULL;
    free_line(n);
}

static void on_spare_login(void *ctx, const struct rt_login_result *r) {
    struct chain *c = ctx;
    struct link *k = c->links.v[c->links.n - 1];
    struct line *fresh = c->spare, *old = k->line;
    c->op = NULL;
    if (!r->session) {
        drop_spare(c);
        return;
    }
    c->spare = NULL;
    take_session(fresh, r);
    k->line = fresh;
    rt_ssh_move_waiting(old->ssh, fresh->ssh);
    *rt_vec_push(&c->draining) = old;
    if (!c->drain)
        c->drain = rt_timer_start(c->loop, DRAIN_MS, DRAIN_MS, on_drain, c);
}

static void on_spare_tcp(void *ctx, int fd, const struct rt_error *err) {
    struct chain *c = ctx;
    c->op = NULL;
    if (err)
        drop_spare(c);
    else
        log_in(c, c->spare->link, fd, on_spare_login);
}

static void on_stuck(void *ctx) {
    struct line *n = ctx;
    struct chain *c = n->link->chain;
    size_t last = c->links.n - 1;
    if (!c->up || c->asked || c->spare || c->op || n != c->links.v[last]->line ||
        c->draining.n >= MAX_DRAINING)
        return;
    c->spare = new_line(n->link);
    if (last == 0 && !c->through) {
        connect_tcp(c, n->link, on_spare_tcp);
        return;
    }
    int fd = last == 0 ? through_other(c, n->link) : through_host_before(c, c->spare, last);
    if (fd >= 0)
        log_in(c, n->link, fd, on_spare_login);
    else
        drop_spare(c);
}

/* ---- as a way ---- */

static struct rt_op *chain_splice(struct rt_way *w, int fd, const char *host, int port,
                                  struct rt_splice *to) {
    struct chain *c = (struct chain *)w;
    return rt_ssh_splice(c->links.v[c->links.n - 1]->line->ssh, fd, host, port, to);
}

static struct rt_op *chain_exec(struct rt_way *w, const struct rt_command *cmd) {
    struct chain *c = (struct chain *)w;
    return rt_ssh_exec(c->links.v[c->links.n - 1]->line->ssh, cmd);
}

static const struct rt_way_ops chain_ops = {
    .destroy = chain_destroy, .splice = chain_splice, .exec = chain_exec};

struct rt_way *rt_way_libssh2(struct rt_loop *l, const struct rt_way_opts *o,
                              const struct rt_way_events *e) {
    struct chain *c = RT_NEW(struct chain);
    c->way.ops = &chain_ops;
    c->loop = l;
    c->name = rt_strdup(o->name);
    c->jump = rt_strdup(o->jump);
    c->config_file = rt_strdup(o->config_file);
    c->through = o->through;
    c->asker = o->asker;
    c->may_ask = o->may_ask;
    c->may_fall_back = o->may_fall_back;
    c->events = *e;
    *rt_vec_push(&c->links) = new_link(c, o->target);
    resolve_next(c);
    return &c->way;
}
