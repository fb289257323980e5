/* A cluster's session: what is needed to reach it, made once and kept until the cluster is forgotten. */
#include "app/session.h"
#include "base/log.h"
#include "base/vec.h"
#include "core/snapshot.h"
#include <stdlib.h>
#include <string.h>

struct session *session_find(const struct rt_app *a, const char *cluster) {
    for (size_t i = 0; i < a->p->nsessions; i++)
        if (rt_streq(a->p->sessions[i]->conf->name, cluster))
            return a->p->sessions[i];
    return NULL;
}

static const char *hop_target(const struct rt_cluster_conf *conf) {
    if (conf->ops->hop_target) {
        const char *own = conf->ops->hop_target(conf);
        if (own)
            return own;
    }
    return conf->hop;
}

/* The hop's states in the words of reach. */
static void hop_changed(void *ctx, struct rt_hop *hop) {
    struct session *s = ctx;
    const struct rt_hop_status *st = rt_hop_status(hop);
    const char *why = st->error.code ? st->error.message : NULL;
    if (!s->attached)
        return;
    switch (st->state) {
    case RT_HOP_UP:
        s->failures = 0;
        s->retry_at_ms = 0;
        session_settle(s);
        session_poke(s, 0);
        break;
    case RT_HOP_RETRYING:
        s->cluster->retry_at_ms = rt_wall_ms() + RT_MAX(0, st->retry_at_ms - rt_loop_now_ms(s->app->loop));
        rt_store_set_reach(s->app->store, s->cluster, RT_REACH_LOST, why);
        break;
    case RT_HOP_FAILED:
        s->cluster->retry_at_ms = 0;
        rt_store_set_reach(s->app->store, s->cluster, RT_REACH_LOST, why);
        break;
    case RT_HOP_NEEDS_LOGIN:
        rt_store_set_reach(s->app->store, s->cluster, RT_REACH_NEEDS_LOGIN, why);
        break;
    case RT_HOP_CONNECTING:
        if (s->cluster->reach == RT_REACH_NONE || s->cluster->reach == RT_REACH_NEEDS_LOGIN)
            rt_store_set_reach(s->app->store, s->cluster, RT_REACH_CONNECTING, NULL);
        break;
    case RT_HOP_IDLE:
        break;
    }
    if (st->error.code && st->state != RT_HOP_UP)
        rt_store_fail(s->app->store, s->cluster, RT_T_CLUSTER, &st->error);
    forwards_show(s);
}

static void make_hop(struct session *s) {
    const char *target = hop_target(s->conf);
    if (!target && !s->conf->ops->late_hop)
        return;
    if (s->app->p->kept_hop && rt_streq(s->app->p->kept_target, target)) {
        s->hop = s->app->p->kept_hop;
        s->app->p->kept_hop = NULL;
        rt_hop_on_change(s->hop, hop_changed, s);
        return;
    }
    struct rt_hop_opts o = {
        .name = s->conf->name,
        .target = target && rt_starts(target, "ssh://") ? target + 6 : target,
        .config_file = s->conf->ssh_config,
        .transport = (enum rt_transport)s->conf->transport,
        .asker = s->app->asker,
    };
    s->hop = rt_hop_create(s->app->loop, &o, hop_changed, s);
}

struct session *session_get(struct rt_app *a, const char *cluster, struct rt_error *err) {
    struct session *s = session_find(a, cluster);
    if (s)
        return s;
    struct rt_cluster_conf *conf = rt_config_cluster(a->config, cluster);
    struct rt_cluster *c = rt_store_cluster(a->store, cluster);
    if (!conf || !c) {
        rt_error_set(err, RT_E_NOT_FOUND, "no cluster %s", cluster);
        return NULL;
    }
    if (conf->broken || !conf->ops) {
        rt_error_set(err, RT_E_CONFIG, "%s: its configuration has problems", cluster);
        rt_error_hint(err, "`raytui check %s` lists them", cluster);
        return NULL;
    }
    s = RT_NEW(struct session);
    s->app = a;
    s->conf = conf;
    s->cluster = c;
    c->price_per_hour = conf->price_per_hour;
    make_hop(s);
    struct rt_provider_env env = {
        .loop = a->loop, .store = a->store, .http = a->p->http, .operations = a->operations, .asker = a->asker,
        .hop = s->hop, .kubes = a->p->kubes, .ray = &a->p->ray_calls, .config = a->config,
    };
    s->provider = conf->ops->create(&env, conf, c, err);
    if (!s->provider) {
        rt_error_wrap(err, "%s", cluster);
        rt_hop_destroy(s->hop);
        free(s);
        return NULL;
    }
    polls_init(s);
    a->p->sessions = rt_realloc(a->p->sessions, (a->p->nsessions + 1) * sizeof(struct session *));
    a->p->sessions[a->p->nsessions++] = s;
    return s;
}

bool session_busy(const struct session *s) {
    const struct rt_operations *all = s->app->operations;
    for (size_t i = 0; i < rt_operations_count(all); i++) {
        const struct rt_operation *op = rt_operations_at(all, i);
        if (op->state == RT_OPS_RUNNING && rt_streq(op->cluster, s->conf->name))
            return true;
    }
    return works_use(s->app, s->conf->name);
}

void session_destroy(struct session *s) {
    struct rt_app_private *p = s->app->p;
    session_detach(s);
    rt_op_drop(&s->script);
    doctors_drop(s);
    logs_drop(s);
    if (s->ray) /* its way may be the provider's */
        rt_ray_destroy(s->ray);
    s->conf->ops->destroy(s->provider);
    if (s->hop)
        rt_hop_destroy(s->hop);
    rt_arena_destroy(s->status_pools.arena);
    for (size_t i = 0; i < p->nsessions; i++) {
        if (p->sessions[i] == s) {
            p->sessions[i] = p->sessions[--p->nsessions];
            break;
        }
    }
    free(s->forwards);
    free(s);
}

/* ---- what requests carry: the token, then what headers_command prints ---- */

static void no_secret(struct session *s, const struct rt_error *err) {
    struct rt_error e = *err;
    e.code = RT_E_DENIED;
    s->secret_failed = true;
    rt_store_set_reach(s->app->store, s->cluster, RT_REACH_TOKEN_NEEDED, e.message);
    rt_store_fail(s->app->store, s->cluster, RT_T_CLUSTER, &e);
}

static void got_token(void *ctx, const char *value, const struct rt_error *err) {
    struct session *s = ctx;
    s->secret = NULL;
    if (err) {
        no_secret(s, err);
        return;
    }
    s->token_had = true;
    rt_ray_set_token(s->ray, value);
    session_schedule(s);
}

void session_headers(const struct session *s, struct rt_strs *out) {
    for (size_t i = 0; i < s->conf->headers.n; i++) {
        const char *h = s->conf->headers.v[i], *eq = strchr(h, '=');
        if (eq)
            rt_strs_addf(out, "%.*s: %s", (int)(eq - h), h, eq + 1);
    }
}

/* Lines "Name: value"; what is none is passed over. */
static void printed_headers(const char *text, struct rt_strs *out) {
    while (*text) {
        const size_t n = strcspn(text, "\r\n");
        const char *colon = memchr(text, ':', n);
        if (colon && colon > text) {
            char *value = rt_strndup(colon + 1, n - (size_t)(colon + 1 - text));
            rt_log_secret(value + strspn(value, " "));
            rt_strs_addf(out, "%.*s: %s", (int)(colon - text), text, value + strspn(value, " "));
            free(value);
        }
        text += n + strspn(text + n, "\r\n");
    }
}

static void got_headers(void *ctx, const char *value, const struct rt_error *err) {
    struct session *s = ctx;
    struct rt_strs headers = {0};
    s->secret = NULL;
    if (err) {
        no_secret(s, err);
        return;
    }
    s->headers_had = true;
    session_headers(s, &headers);
    printed_headers(value, &headers);
    rt_ray_set_headers(s->ray, (const char *const *)headers.v);
    rt_strs_deinit(&headers);
    session_schedule(s);
}

static void ask_secrets(struct session *s) {
    const struct rt_secret_conf headers = {.command = s->conf->headers_command};
    if (s->secret || s->secret_failed)
        return;
    const bool configured = rt_secret_set(&s->conf->token);
    struct rt_secret_conf from_provider = {0};
    if (!s->token_had && !configured && s->conf->ops->token_command)
        from_provider.command = s->conf->ops->token_command(s->provider);
    if (!s->token_had && (configured || from_provider.command))
        s->secret = rt_secret_get(s->app->loop, configured ? &s->conf->token : &from_provider, got_token, s);
    else if (!s->headers_had && headers.command)
        s->secret = rt_secret_get(s->app->loop, &headers, got_headers, s);
    else
        s->secret_had = true;
    free(from_provider.command);
}

bool session_carried(const struct session *s) {
    return s->hop || s->conf->ops->dialer;
}

static const struct rt_dialer *way_of(const struct session *s, const struct rt_endpoint *at) {
    return at->dialer ? at->dialer : s->hop ? rt_hop_dialer(s->hop) : NULL;
}

static struct rt_ray *make_ray(struct session *s, const struct rt_endpoint *at) {
    struct rt_strs headers = {0};
    session_headers(s, &headers);
    struct rt_ray_opts o = {
        .loop = s->app->loop,
        .http = s->app->p->http,
        .name = s->conf->name,
        .url = at->url,
        .dialer = way_of(s, at),
        .unix_socket = at->unix_socket[0] ? at->unix_socket : NULL,
        .proxy = s->conf->proxy,
        .ca_file = s->conf->ca_file,
        .headers = headers.n ? (const char *const *)headers.v : NULL,
        .max_answer = (size_t)s->app->config->max_answer_bytes,
        .node_dialer = s->hop ? rt_hop_dialer(s->hop) : NULL,
        .node_direct = !s->hop && rt_streq(s->conf->provider, "local"),
    };
    struct rt_ray *ray = rt_ray_create(&o);
    rt_strs_deinit(&headers);
    return ray;
}

struct rt_ray *session_polled(struct session *s, struct rt_error *err) {
    struct rt_endpoint at = {0};
    if (!s->conf->ops->endpoint(s->provider, RT_EP_DASHBOARD, &at, err))
        return NULL;
    if (!s->ray)
        s->ray = make_ray(s, &at);
    else if (!rt_ray_way_is(s->ray, at.url, way_of(s, &at), at.unix_socket[0] ? at.unix_socket : NULL))
        rt_ray_set_way(s->ray, at.url, way_of(s, &at), at.unix_socket[0] ? at.unix_socket : NULL);
    if (!s->secret_had)
        ask_secrets(s);
    return s->ray;
}

struct rt_ray *session_ray(struct session *s, struct rt_error *err) {
    s->used = true;
    return session_polled(s, err);
}

static void on_timer(void *ctx) {
    session_schedule(ctx);
}

void session_attach(struct session *s, bool may_ask) {
    s->attached = true;
    s->failures = 0;
    s->retry_at_ms = 0;
    if (s->cluster->reach != RT_REACH_OK)
        rt_store_set_reach(s->app->store, s->cluster, RT_REACH_CONNECTING, NULL);
    if (s->hop)
        rt_hop_open(s->hop, may_ask);
    session_poke(s, 0);
}

void session_keep(struct session *s) {
    struct rt_error err = {0};
    if (s->attached && s->app->p->snapshots && !rt_snapshot_save(s->cluster, &err))
        rt_log(RT_LOG_WARN, "%s: last known state not saved: %s", s->conf->name, err.message);
}

void session_detach(struct session *s) {
    session_keep(s);
    s->kept = false;
    s->attached = s->used = false;
    polls_cancel(s);
    rt_op_drop(&s->secret);
    rt_op_drop(&s->find);
    client_forget(s);
    rt_timer_stop(s->timer);
    s->timer = NULL;
    forwards_close_all(s);
    if (s->hop)
        rt_hop_close(s->hop);
    if (s->cluster->reach != RT_REACH_NONE)
        rt_store_set_reach(s->app->store, s->cluster, RT_REACH_NONE, NULL);
}

void session_poke(struct session *s, uint32_t topics) {
    s->failures = 0;
    s->secret_failed = false; /* its source may put a question: only when somebody wants it now */
    s->retry_at_ms = 0;
    if (s->attached && s->hop && rt_hop_status(s->hop)->state == RT_HOP_RETRYING)
        rt_hop_open(s->hop, false);
    for (int i = 0; i < POLL_COUNT; i++)
        s->polls[i].due_ms = 0;
    if (topics & RT_TOPIC_BIT(RT_T_ACTORS))
        s->polls[POLL_ACTORS].asked = true;
    session_look_again(s);
}

/* Not in this call: whoever asks is often inside a callback of one of the polls. */
void session_look_again(struct session *s) {
    if (!s->timer)
        s->timer = rt_timer_start(s->app->loop, 0, 0, on_timer, s);
    else
        rt_timer_again(s->timer, 0, 0);
}

void session_schedule(struct session *s) {
    if (!s->attached)
        return;
    polls_run(s);
    int64_t now = rt_loop_now_ms(s->app->loop), next = now + 30000;
    for (int i = 0; i < POLL_COUNT; i++)
        if (!s->polls[i].op && s->polls[i].due_ms > now && s->polls[i].due_ms < next)
            next = s->polls[i].due_ms;
    if (!s->timer)
        s->timer = rt_timer_start(s->app->loop, next - now, 0, on_timer, s);
    else
        rt_timer_again(s->timer, next - now, 0);
}
