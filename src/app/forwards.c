/* A cluster's forwards: which ports, which local numbers (pinned, remembered, own, next free), and the rows
 * that the forwards pane shows. */
#include "app/session.h"
#include "base/decode.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/vec.h"
#include "net/tcp.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ASK_LOOKED_MS = 2000, ASK_MS = 10000, ASK_TIMEOUT_MS = 5000 };
enum { DASHBOARD_PORT = 8265, CLIENT_PORT = 10001, CLIENT_FREE_FROM = 20001 /* 10002 to 19999 are worker ports */ };

/* Where the provider carries ports itself, its streams wait for their way. */
static bool way_is_up(void *ctx) {
    const struct session *s = ctx;
    return s->conf->ops->dialer || !s->hop || rt_hop_status(s->hop)->state == RT_HOP_UP;
}

static const struct rt_dialer *dialer_of(const struct session *s) {
    const struct rt_dialer *own = s->conf->ops->dialer ? s->conf->ops->dialer(s->provider) : NULL;
    struct rt_endpoint at = {0};
    struct rt_error ignored = {0};
    if (!own && s->conf->ops->endpoint(s->provider, RT_EP_DASHBOARD, &at, &ignored))
        own = at.dialer;
    return own ? own : s->hop ? rt_hop_dialer(s->hop) : NULL;
}

/* "8265" or "HOST:PORT"; host stays NULL for the head. */
static bool parse_spec(const char *spec, char **host, int *port, struct rt_error *err) {
    const char *colon = strrchr(spec, ':');
    int64_t n = 0;
    if (!rt_parse_i64(colon ? colon + 1 : spec, &n) || n < 1 || n > 65535) {
        rt_error_set(err, RT_E_USAGE, "%s: not a port", spec);
        return rt_error_hint(err, "PORT or HOST:PORT as seen from the head");
    }
    *host = colon ? rt_strndup(spec, (size_t)(colon - spec)) : NULL;
    *port = (int)n;
    return true;
}

/* Where a port of the head is for this cluster: the provider may have moved Ray's own two. */
static bool far_side(struct session *s, const char *host, int port, struct rt_endpoint *out, struct rt_error *err) {
    if (host) {
        snprintf(out->host, sizeof out->host, "%s", host);
        out->port = port;
        return true;
    }
    if (s->conf->ops->dialer) { /* whichever pod it is: a forward may wait for the cluster */
        snprintf(out->host, sizeof out->host, "head");
        out->port = port;
        return true;
    }
    const enum rt_endpoint_kind kind = port == CLIENT_PORT ? RT_EP_CLIENT : RT_EP_DASHBOARD;
    if (!s->conf->ops->endpoint(s->provider, kind, out, err))
        return false;
    if (port != DASHBOARD_PORT && port != CLIENT_PORT)
        out->port = port;
    return true;
}

static int pinned_port(const struct session *s, int port) {
    for (size_t i = 0; i < s->conf->local_ports.n; i++) {
        int remote = 0, local = 0;
        if (sscanf(s->conf->local_ports.v[i], "%d=%d", &remote, &local) == 2 && remote == port)
            return local;
    }
    return 0;
}

/* STATE/clusters/NAME/ports.json: {"8265": 9000} */
static json_t *remembered(const struct session *s) {
    json_t *v = rt_cluster_read(s->conf->name, "ports.json", JSON_OBJECT);
    return v ? v : json_object();
}

static void remember(const struct session *s, const char *key, int local) {
    json_t *v = remembered(s);
    if (json_integer_value(json_object_get(v, key)) != local) {
        json_object_set_new(v, key, json_integer(local));
        struct rt_error err = {0};
        if (!rt_cluster_write(s->conf->name, "ports.json", v, &err))
            rt_log(RT_LOG_WARN, "%s: local ports not remembered: %s", s->conf->name, err.message);
    }
    json_decref(v);
}

int forwards_elsewhere(const struct session *s, const char *spec) {
    json_t *v = remembered(s);
    const int port = (int)json_integer_value(json_object_get(v, spec));
    json_decref(v);
    return port > 0 && !rt_port_free(port) ? port : 0;
}

static struct session_forward *find(struct session *s, const char *id) {
    for (size_t i = 0; i < s->nforwards; i++)
        if (rt_streq(s->forwards[i].id, id))
            return &s->forwards[i];
    return NULL;
}

const struct session_forward *forwards_of(const struct session *s, int remote_port) {
    for (size_t i = 0; i < s->nforwards; i++)
        if (s->forwards[i].port == remote_port && !strchr(s->forwards[i].id + strlen(s->conf->name) + 1, ':'))
            return &s->forwards[i];
    return NULL;
}

/* ---- what is behind a forward without a way of its own ---- */

static void asked(void *ctx, int fd, const struct rt_error *err) {
    struct behind *b = ctx;
    const bool was = b->known && !b->error.code;
    b->op = NULL;
    if (fd >= 0)
        close(fd);
    if (!was && !err)
        b->since_ms = rt_wall_ms();
    b->known = true;
    b->error = err ? *err : (struct rt_error){0};
    if (was != !err || err)
        forwards_show(b->session);
}

static void ask_behind(struct session *s, struct session_forward *f, bool looked) {
    struct behind *b = f->behind;
    const int64_t now = rt_loop_now_ms(s->app->loop);
    const bool doubted = rt_forward_status(f->forward)->error.code && !b->error.code; /* a connection has just failed */
    if (b->op || (b->known && !doubted && now - b->asked_ms < (looked ? ASK_LOOKED_MS : ASK_MS)))
        return;
    b->asked_ms = now;
    b->op = rt_tcp_connect(s->app->loop, b->host, b->port, ASK_TIMEOUT_MS, asked, b);
}

static void behind_drop(struct behind *b) {
    if (b)
        rt_op_drop(&b->op);
    free(b);
}

static void on_forward_tick(void *ctx) {
    struct session *s = ctx;
    const bool looked = (s->looked | s->waited) & RT_TOPIC_BIT(RT_T_FORWARDS);
    for (size_t i = 0; i < s->nforwards; i++)
        if (s->forwards[i].behind)
            ask_behind(s, &s->forwards[i], looked);
    if (looked)
        forwards_show(s);
}

/* ---- opening and closing ---- */

bool forwards_open(struct session *s, const char *spec, int local_port, struct rt_error *err) {
    char *host = NULL, id[80];
    int port = 0;
    struct rt_endpoint at = {0};
    if (!parse_spec(spec, &host, &port, err))
        return false;
    snprintf(id, sizeof id, "%s:%s", s->conf->name, spec);
    bool ok = far_side(s, host, port, &at, err);
    free(host);
    if (!ok)
        return false;
    if (find(s, id))
        return true;
    json_t *old = remembered(s);
    int pinned = local_port ? local_port : pinned_port(s, port);
    int last = (int)json_integer_value(json_object_get(old, spec));
    json_decref(old);
    struct rt_forward_opts o = {
        .dialer = dialer_of(s),
        .host = at.host,
        .port = at.port,
        .local_port = pinned ? pinned : last ? last : port,
        .pinned = pinned != 0,
        .first_free = port == CLIENT_PORT ? CLIENT_FREE_FROM : port + 1,
        .ready = way_is_up,
        .ready_ctx = s,
    };
    struct rt_forward *f = rt_forward_open(s->app->loop, &o, err);
    if (!f)
        return rt_error_wrap(err, "%s: forward of %s", s->conf->name, spec);
    s->forwards = rt_realloc(s->forwards, (s->nforwards + 1) * sizeof(*s->forwards));
    struct session_forward *row = &s->forwards[s->nforwards++];
    *row = (struct session_forward){.host = rt_strdup(at.host), .port = port, .to_port = at.port, .forward = f, .opened_ms = rt_wall_ms()};
    memcpy(row->id, id, sizeof id);
    if (!o.dialer) {
        row->behind = RT_NEW(struct behind);
        *row->behind = (struct behind){.session = s, .host = row->host, .port = at.port};
        ask_behind(s, row, true);
    }
    if (!rt_forward_status(f)->moved)
        remember(s, spec, rt_forward_status(f)->local_port);
    if (!s->forward_timer)
        s->forward_timer = rt_timer_start(s->app->loop, 1000, 1000, on_forward_tick, s);
    client_problem(s);
    forwards_show(s);
    return true;
}

static bool open_each(struct session *s, struct rt_error *err) {
    if (!s->conf->ports.n)
        return forwards_open(s, "8265", 0, err) && forwards_open(s, "10001", 0, err);
    for (size_t i = 0; i < s->conf->ports.n; i++)
        if (!forwards_open(s, s->conf->ports.v[i], 0, err))
            return false;
    return true;
}

/* While the provider still looks where the head is, they wait. */
bool forwards_open_all(struct session *s, struct rt_error *err) {
    const bool ok = open_each(s, err);
    s->forwards_wanted = !ok && err->code == RT_E_BUSY;
    if (s->forwards_wanted)
        *err = (struct rt_error){0};
    return ok || s->forwards_wanted;
}

static void drop(struct session *s, size_t i) {
    rt_forward_close(s->forwards[i].forward);
    behind_drop(s->forwards[i].behind);
    free(s->forwards[i].host);
    s->forwards[i] = s->forwards[--s->nforwards];
}

bool forwards_close(struct session *s, const char *id) {
    struct session_forward *f = find(s, id);
    if (!f)
        return false;
    drop(s, (size_t)(f - s->forwards));
    forwards_show(s);
    return true;
}

void forwards_close_all(struct session *s) {
    s->forwards_wanted = false;
    while (s->nforwards)
        drop(s, s->nforwards - 1);
    rt_timer_stop(s->forward_timer);
    s->forward_timer = NULL;
    forwards_show(s);
}

/* Without a way in between: is anybody there? */
static void show_behind(const struct behind *b, const struct rt_forward_status *st, struct rt_forward_row *row) {
    row->up_since_ms = b->known && !b->error.code ? RT_MAX(b->since_ms, row->up_since_ms) : 0;
    if (!b->known) {
        row->health = RT_H_BUSY;
        snprintf(row->state, sizeof row->state, "connecting");
    } else if (b->error.code) {
        row->health = RT_H_BAD;
        snprintf(row->state, sizeof row->state, "down (%.80s)", b->error.message);
    } else if (st->error.code) {
        row->health = RT_H_WARN;
        snprintf(row->state, sizeof row->state, "up, last: %.80s", st->error.message);
    }
}

/* A forward's state is that of what is behind it; the listener itself is always there. */
static void show_state(const struct session *s, const struct session_forward *f, const struct rt_forward_status *st, struct rt_forward_row *row) {
    struct rt_port_way way;
    if (s->conf->ops->port_way && s->conf->ops->port_way(s->provider, row->remote_port, &way)) {
        row->health = way.health;
        memcpy(row->state, way.state, sizeof row->state);
        memcpy(row->via, way.via, sizeof row->via);
        if (way.note[0])
            memcpy(row->note, way.note, sizeof row->note);
        row->up_since_ms = way.up_since_ms;
        return;
    }
    row->health = RT_H_OK;
    snprintf(row->state, sizeof row->state, "up");
    snprintf(row->via, sizeof row->via, "direct");
    if (f->behind) {
        show_behind(f->behind, st, row);
        return;
    }
    if (!s->hop)
        return;
    const struct rt_hop_status *hop = rt_hop_status(s->hop);
    snprintf(row->via, sizeof row->via, "%s", hop->via ? hop->via : "-");
    const char *why = hop->error.code ? hop->error.message : "not connected";
    switch (hop->state) {
    case RT_HOP_UP:
        if (st->error.code) {
            row->health = RT_H_WARN;
            snprintf(row->state, sizeof row->state, "up, last: %.80s", st->error.message);
        }
        row->up_since_ms = RT_MAX(hop->up_since_ms, row->up_since_ms);
        return;
    case RT_HOP_RETRYING: {
        int64_t in = RT_MAX(0, hop->retry_at_ms - rt_loop_now_ms(s->app->loop));
        row->health = RT_H_BUSY;
        snprintf(row->state, sizeof row->state, "retrying (%d, in %d s)", hop->attempt, (int)((in + 999) / 1000));
        snprintf(row->note, sizeof row->note, "%.150s", why);
        break;
    }
    case RT_HOP_CONNECTING:
        row->health = RT_H_BUSY;
        snprintf(row->state, sizeof row->state, "connecting");
        break;
    case RT_HOP_NEEDS_LOGIN:
        row->health = RT_H_WAITING;
        snprintf(row->state, sizeof row->state, "needs login");
        break;
    case RT_HOP_IDLE:
    case RT_HOP_FAILED:
        row->health = RT_H_BAD;
        snprintf(row->state, sizeof row->state, "down (%.80s)", why);
        break;
    }
    row->up_since_ms = 0;
}

void forwards_show(struct session *s) {
    struct rt_forward_row *rows = s->nforwards ? rt_alloc(s->nforwards * sizeof(*rows)) : NULL;
    for (size_t i = 0; i < s->nforwards; i++) {
        const struct session_forward *f = &s->forwards[i];
        const struct rt_forward_status *st = rt_forward_status(f->forward);
        struct rt_forward_row *r = &rows[i];
        memcpy(r->id, f->id, sizeof r->id);
        r->local_port = st->local_port;
        r->remote_port = f->port;
        r->connections = st->connections;
        r->bytes_in = st->bytes_in;
        r->bytes_out = st->bytes_out;
        r->up_since_ms = f->opened_ms;
        snprintf(r->local, sizeof r->local, "127.0.0.1:%d", st->local_port);
        snprintf(r->to, sizeof r->to, "%.100s:%d", f->host, f->to_port);
        snprintf(r->note, sizeof r->note, "%s", st->note);
        show_state(s, f, st, r);
    }
    rt_store_put_forwards(s->app->store, s->cluster, rows, s->nforwards);
    free(rows);
}
