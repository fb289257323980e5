/* Who is asked what, and when (intervals: what each answer costs a head, and how fresh its data is at all).
 *
 * One request per route is in flight; what nobody looks at is not asked; a cluster that cannot be reached is
 * tried with back-off by its version alone. */
#include "app/pools.h"
#include "app/session.h"
#include "base/log.h"
#include <stdlib.h>

static uint32_t topics_of(const struct session *s) {
    return s->looked | s->waited;
}

/* The topic of a poll of a list. */
static enum rt_topic list_topic(enum poll_kind k) {
    return (enum rt_topic)(RT_T_TASKS + (k - POLL_TASKS));
}
_Static_assert(RT_T_WORKERS - RT_T_TASKS == POLL_WORKERS - POLL_TASKS, "polls of lists stand in the order of their topics");

/* What a pending job asked for stands with its supervisor, among the actors: asked more seldom than a pane would. */
static bool job_waits(const struct session *s) {
    for (size_t i = 0; i < s->cluster->jobs.n; i++)
        if (s->cluster->jobs.v[i].status == RT_JOB_PENDING)
            return true;
    return false;
}

/* The pause between two polls of a kind; -1: not wanted now. */
static int64_t interval_ms(const struct session *s, enum poll_kind k) {
    const uint32_t t = topics_of(s);
    const int64_t fast = RT_MAX(s->conf->refresh_ms ? s->conf->refresh_ms : s->app->p->refresh_ms, 500);
    const int64_t polite = 20 * s->polls[k].took_ms; /* below 5 % of a core of the head */
    const bool machines = t & (RT_TOPIC_BIT(RT_T_NODES) | RT_TOPIC_BIT(RT_T_POOLS) | RT_TOPIC_BIT(RT_T_DEMAND));
    switch (k) {
    case POLL_VERSION:
        return 10000;
    case POLL_HEALTH:
        return 5000;
    case POLL_NODES:
        return machines ? RT_MAX(RT_MAX(fast, 5000), polite) : s->listed ? RT_MAX(15000, polite) : -1;
    case POLL_STATUS:
        return machines ? RT_MAX(RT_MAX(fast, 5000), polite) : s->listed ? RT_MAX(15000, polite) : -1;
    case POLL_JOBS:
        return t & RT_TOPIC_BIT(RT_T_JOBS) ? RT_MAX(fast, polite) : s->listed ? RT_MAX(15000, polite) : -1;
    case POLL_ACTORS:
        if (t & RT_TOPIC_BIT(RT_T_ACTORS))
            return RT_MAX(RT_MAX(fast, 3000), polite);
        return (s->looked & RT_TOPIC_BIT(RT_T_JOBS)) && job_waits(s) ? RT_MAX(15000, polite) : -1;
    case POLL_IDLE:
        return s->listed ? RT_MAX(15000, polite) : -1;
    case POLL_TASKS:
        return t & RT_TOPIC_BIT(RT_T_TASKS) ? RT_MAX(RT_MAX(fast, 3000), polite) : -1;
    case POLL_PGS:
    case POLL_EVENTS:
    case POLL_SERVE:
    case POLL_ENVS:
    case POLL_WORKERS:
        return t & RT_TOPIC_BIT(list_topic(k)) ? RT_MAX(10000, polite) : -1;
    case POLL_PROVIDER:
        return machines || s->listed ? RT_MAX(fast, 5000) : 15000;
    case POLL_COUNT:
        break;
    }
    return -1;
}

void polls_init(struct session *s) {
    for (int i = 0; i < POLL_COUNT; i++)
        s->polls[i] = (struct poll){.session = s, .kind = (enum poll_kind)i};
}

void polls_cancel(struct session *s) {
    for (int i = 0; i < POLL_COUNT; i++)
        rt_op_drop(&s->polls[i].op);
}

void polls_retime(struct session *s) {
    for (int i = 0; i < POLL_COUNT; i++) {
        struct poll *p = &s->polls[i];
        const int64_t every = interval_ms(s, p->kind);
        if (every >= 0 && p->due_ms > p->ended_ms + every && i != POLL_VERSION)
            p->due_ms = p->ended_ms + every;
    }
}

static int64_t back_off_ms(int failures) {
    int64_t ms = 1000;
    for (int i = 1; i < failures && ms < 30000; i++)
        ms *= 2;
    ms = RT_MIN(ms, 30000);
    return ms - ms / 8 + rt_mono_us() % (ms / 4); /* jitter: many laptops lose one head at the same time */
}

/* An answer came: the cluster is reached. */
static void refresh_provider(struct session *s) {
    s->polls[POLL_PROVIDER].due_ms = rt_loop_now_ms(s->app->loop) + interval_ms(s, POLL_PROVIDER);
    if (s->conf->ops->refresh)
        s->conf->ops->refresh(s->provider);
}

static void reached(struct session *s) {
    s->failures = 0;
    s->retry_at_ms = 0;
    s->cluster->retry_at_ms = 0;
    s->good_at_ms = rt_loop_now_ms(s->app->loop);
    if (s->cluster->reach != RT_REACH_OK)
        rt_store_set_reach(s->app->store, s->cluster, RT_REACH_OK, NULL);
    enum rt_cluster_state st = s->cluster->state;
    if (st == RT_CL_UNKNOWN || st == RT_CL_DOWN || st == RT_CL_FAILED)
        rt_store_set_state(s->app->store, s->cluster, RT_CL_UP, NULL);
}

/* No way to it now: what is asked next waits for the version to answer. */
static void lost(struct session *s, const struct rt_error *err) {
    if (s->hop && rt_hop_status(s->hop)->state != RT_HOP_UP && rt_hop_status(s->hop)->error.code)
        return; /* the hop tells its own state, and better */
    const int64_t now = rt_loop_now_ms(s->app->loop);
    if (s->retry_at_ms <= now) {
        s->failures++;
        const int64_t wait = back_off_ms(s->failures);
        s->retry_at_ms = now + wait;
        s->polls[POLL_VERSION].due_ms = s->retry_at_ms;
        s->cluster->retry_at_ms = rt_wall_ms() + wait;
    }
    if (s->cluster->reach == RT_REACH_OK) /* it may have been taken down elsewhere: then nobody need be alarmed */
        refresh_provider(s);
    rt_store_set_reach(s->app->store, s->cluster, RT_REACH_LOST, err->message);
}

static void failed(struct poll *p, enum rt_topic topic, const struct rt_error *err) {
    struct session *s = p->session;
    rt_store_fail(s->app->store, s->cluster, topic, err);
    if (err->code == RT_E_DENIED) {
        const bool sent = rt_secret_set(&s->conf->token) || s->headers_had;
        rt_store_set_reach(s->app->store, s->cluster, sent ? RT_REACH_REFUSED : RT_REACH_TOKEN_NEEDED, err->message);
        if (s->conf->token.file)
            s->secret_had = s->token_had = false; /* it may be another by now */
        s->failures++;
        p->due_ms = rt_loop_now_ms(s->app->loop) + back_off_ms(s->failures);
    } else if (err->code == RT_E_UNREACHABLE || err->code == RT_E_TIMEOUT || p->kind == POLL_VERSION) {
        lost(s, err); /* without a version it is no Ray that answers */
    }
}

/* Books the end of a poll; the next one is due after its interval. */
static struct session *ended(struct poll *p) {
    struct session *s = p->session;
    const int64_t now = rt_loop_now_ms(s->app->loop);
    p->op = NULL;
    p->asked = false;
    p->ended_ms = now;
    p->took_ms = now - p->started_ms;
    const int64_t every = interval_ms(s, p->kind);
    p->due_ms = now + (every < 0 ? 0 : every);
    return s;
}

static void got_version(void *ctx, const struct rt_ray_version *v, const struct rt_error *err) {
    struct poll *p = ctx;
    struct session *s = ended(p);
    if (err) {
        failed(p, RT_T_CLUSTER, err);
    } else {
        const bool first = s->cluster->reach != RT_REACH_OK;
        rt_store_set_version(s->app->store, s->cluster, v->ray_version, v->session_name);
        reached(s);
        client_learn(s);
        if (s->unwell.code) /* the dashboard answers this by itself */
            rt_store_fail(s->app->store, s->cluster, RT_T_CLUSTER, &s->unwell);
        if (first)
            for (int i = POLL_NODES; i < POLL_COUNT; i++)
                s->polls[i].due_ms = 0;
        rt_store_touch(s->app->store, s->cluster, RT_T_CLUSTER);
    }
    session_schedule(s);
}

/* The control service behind the dashboard: silent, the dashboard still answers, but with old news. */
static void got_health(void *ctx, const struct rt_error *err) {
    struct poll *p = ctx;
    struct session *s = ended(p);
    /* Another refusal (a 500 of whatever sits on the port) says nothing of the control service. */
    s->unwell = err && err->code == RT_E_REMOTE && rt_starts(err->message, "GCS") ? *err : (struct rt_error){0};
    if (s->cluster->unwell != (s->unwell.code != RT_OK)) {
        s->cluster->unwell = s->unwell.code != RT_OK;
        rt_store_touch(s->app->store, s->cluster, RT_T_CLUSTER);
    }
    if (!err)
        s->good_at_ms = rt_loop_now_ms(s->app->loop);
    else if (err->code != RT_E_UNSUPPORTED)
        failed(p, RT_T_CLUSTER, err);
    session_schedule(s);
}

/* The first whole look is kept at once: a raytui that is killed leaves it, too. */
static void keep_first(struct session *s) {
    const struct rt_freshness *nodes = &s->cluster->fresh[RT_T_NODES], *jobs = &s->cluster->fresh[RT_T_JOBS];
    if (s->kept || !nodes->at_ms || nodes->from_snapshot || !jobs->at_ms || jobs->from_snapshot)
        return;
    s->kept = true;
    session_keep(s);
}

static void got_nodes(void *ctx, rt_nodes *b, const struct rt_error *err) {
    struct poll *p = ctx;
    struct session *s = ended(p);
    if (err) {
        failed(p, RT_T_NODES, err);
    } else {
        rt_store_put_nodes(s->app->store, s->cluster, b);
        reached(s);
        if (s->conf->ops->join)
            s->conf->ops->join(s->provider);
        else
            pools_merge(s->app->store, s->cluster, &s->status_pools);
        keep_first(s);
    }
    session_schedule(s);
}

static void got_status(void *ctx, struct rt_ray_status *st, const struct rt_error *err) {
    struct poll *p = ctx;
    struct session *s = ended(p);
    if (err) {
        failed(p, RT_T_DEMAND, err);
    } else {
        rt_arena_destroy(s->status_pools.arena);
        s->status_pools = st->pools;
        st->pools = (rt_pools){0};
        s->cluster->autoscaler = st->autoscaler;
        s->cluster->autoscaler_v2 = st->autoscaler_v2;
        free(s->cluster->autoscaler_error);
        s->cluster->autoscaler_error = rt_strdup(st->error);
        rt_store_put_failures(s->cluster, &st->failures);
        rt_store_put_demands(s->app->store, s->cluster, &st->demands);
        if (s->conf->ops->told)
            s->conf->ops->told(s->provider, &s->status_pools);
        else if (!s->conf->ops->join && s->cluster->fresh[RT_T_NODES].at_ms)
            pools_merge(s->app->store, s->cluster, &s->status_pools);
    }
    session_schedule(s);
}

static void got_jobs(void *ctx, rt_jobs *b, const struct rt_error *err) {
    struct poll *p = ctx;
    struct session *s = ended(p);
    if (err) {
        failed(p, RT_T_JOBS, err);
    } else {
        rt_store_put_jobs(s->app->store, s->cluster, b);
        reached(s);
        keep_first(s);
    }
    session_schedule(s);
}

static void got_actors(void *ctx, rt_actors *b, const struct rt_error *err) {
    struct poll *p = ctx;
    struct session *s = ended(p);
    if (err)
        failed(p, RT_T_ACTORS, err);
    else
        rt_store_put_actors(s->app->store, s->cluster, b);
    session_schedule(s);
}

static void got_rows(void *ctx, struct rt_rows *b, const struct rt_error *err) {
    struct poll *p = ctx;
    struct session *s = ended(p);
    const enum rt_topic t = list_topic(p->kind);
    /* Events may answer 500 for good after a node died: that says nothing of the cluster. */
    if (err && p->kind == POLL_EVENTS && err->code == RT_E_REMOTE)
        rt_store_fail(s->app->store, s->cluster, t, err);
    else if (err)
        failed(p, t, err);
    else
        rt_store_put_rows(s->app->store, s->cluster, t, b);
    session_schedule(s);
}

static void got_idle(void *ctx, int64_t idle_since_ms, const struct rt_error *err) {
    struct poll *p = ctx;
    struct session *s = ended(p);
    if (!err && s->cluster->idle_since_ms != idle_since_ms) {
        s->cluster->idle_since_ms = idle_since_ms;
        rt_store_touch(s->app->store, s->cluster, RT_T_CLUSTER);
    }
    session_schedule(s);
}

static void start(struct poll *p, struct rt_ray *ray) {
    p->started_ms = rt_loop_now_ms(p->session->app->loop);
    switch (p->kind) {
    case POLL_VERSION:
        p->op = rt_ray_version(ray, got_version, p);
        break;
    case POLL_HEALTH:
        p->op = rt_ray_health(ray, got_health, p);
        break;
    case POLL_NODES:
        p->op = rt_ray_nodes(ray, got_nodes, p);
        break;
    case POLL_STATUS:
        p->op = rt_ray_status(ray, got_status, p);
        break;
    case POLL_JOBS:
        p->op = rt_ray_jobs(ray, got_jobs, p);
        break;
    case POLL_ACTORS:
        p->op = rt_ray_actors(ray, got_actors, p);
        break;
    case POLL_IDLE:
        p->op = rt_ray_idle(ray, got_idle, p);
        break;
    case POLL_TASKS:
    case POLL_PGS:
    case POLL_EVENTS:
    case POLL_SERVE:
    case POLL_ENVS:
    case POLL_WORKERS:
        p->op = rt_ray_rows(ray, list_topic(p->kind), got_rows, p);
        break;
    case POLL_PROVIDER:
    case POLL_COUNT:
        break;
    }
}

static void ask_provider(struct session *s, int64_t now) {
    struct poll *p = &s->polls[POLL_PROVIDER];
    if (s->conf->ops->look)
        s->conf->ops->look(s->provider, topics_of(s) & RT_TOPICS_OWN);
    if (p->due_ms <= now)
        refresh_provider(s);
}

/* Without a dashboard to ask: say why, and look again when the provider does. */
static void no_endpoint(struct session *s, const struct rt_error *err) {
    if (err->code == RT_E_BUSY) { /* the provider is still looking where it is */
        s->polls[POLL_VERSION].due_ms = rt_loop_now_ms(s->app->loop) + 1000;
        return;
    }
    if (rt_reach_answers(s->cluster->reach))
        rt_store_set_reach(s->app->store, s->cluster, RT_REACH_LOST, err->message);
    rt_store_fail(s->app->store, s->cluster, RT_T_CLUSTER, err);
    s->polls[POLL_VERSION].due_ms = rt_loop_now_ms(s->app->loop) + 1000;
}

static bool is_asking(const struct session *s) {
    bool busy = s->client.metadata != NULL;
    for (int i = 0; i < POLL_COUNT; i++)
        busy = busy || s->polls[i].op;
    return busy;
}

static bool is_due(const struct session *s, int64_t now) {
    for (int i = POLL_VERSION; i < POLL_PROVIDER; i++)
        if (s->polls[i].due_ms <= now && interval_ms(s, s->polls[i].kind) >= 0)
            return true;
    return false;
}

/* Where there are turns: what is under way ends first, and while nothing may be asked none is wanted. */
static bool has_turn(struct session *s, int64_t now) {
    const bool looked = topics_of(s) || s->nforwards || s->used;
    const enum rt_reach r = s->cluster->reach;
    if (!s->conf->ops->turn || (!looked && (is_asking(s) || s->retry_at_ms > now)))
        return true;
    if (s->conf->ops->turn(s->provider, looked, r == RT_REACH_OK && !is_due(s, now))) {
        if (r == RT_REACH_TURN)
            rt_store_set_reach(s->app->store, s->cluster, RT_REACH_CONNECTING, NULL);
        return true;
    }
    if (r == RT_REACH_OK || r == RT_REACH_CONNECTING)
        rt_store_set_reach(s->app->store, s->cluster, RT_REACH_TURN, NULL);
    s->polls[POLL_VERSION].due_ms = now + 1000;
    return false;
}

void polls_run(struct session *s) {
    const int64_t now = rt_loop_now_ms(s->app->loop);
    struct rt_error err = {0};
    ask_provider(s, now);
    if (s->nforwards)
        forwards_show(s); /* the header tells their state, whoever keeps them */
    struct rt_ray *ray = session_polled(s, &err);
    if (!ray) {
        no_endpoint(s, &err);
        return;
    }
    if (s->forwards_wanted && !forwards_open_all(s, &err))
        rt_log(RT_LOG_WARN, "%s: %s", s->conf->name, err.message);
    if (!s->secret_had)
        return; /* got_secret goes on */
    if (s->hop && rt_hop_status(s->hop)->state != RT_HOP_UP)
        return; /* hop_changed goes on */
    if (!has_turn(s, now))
        return;
    struct poll *v = &s->polls[POLL_VERSION];
    if (!v->op && v->due_ms <= now && s->retry_at_ms <= now)
        start(v, ray);
    if (s->retry_at_ms > now || (s->cluster->reach != RT_REACH_OK && !s->waited))
        return;
    for (int i = POLL_HEALTH; i < POLL_PROVIDER; i++) {
        struct poll *p = &s->polls[i];
        if (p->op || p->due_ms > now || (interval_ms(s, p->kind) < 0 && !p->asked))
            continue;
        if (p->kind == POLL_HEALTH && now - s->good_at_ms < 4000)
            p->due_ms = s->good_at_ms + 5000; /* other answers prove the same */
        else
            start(p, ray);
    }
}
