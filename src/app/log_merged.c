/* Several logs of a cluster as one: looks for the files, follows each, and lets them meet by time. */
#include "app/log_private.h"

#include "base/str.h"
#include "base/vec.h"
#include "core/logmerge.h"
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    READ_AT_ONCE = 32,    /* sources that are read without being asked for */
    LOOK_FIRST_MS = 1000, /* between two looks for new files: a short job's workers are met while they write */
    LOOK_MS = 5000,       /* where nothing new comes */
    LOOK_PER_NODE_MS = 500,
    POLL_MS = 1000,       /* of one of many files */
    FEW = 4
};

struct source {
    struct merged *m;
    size_t i;          /* in the merge */
    char *node, *file; /* or of a job: */
    char *job;
    struct log_far *far;
    bool mute;         /* followed for its end only */
    bool shown, read, lost, ended;
    bool kept;         /* read from the cache: its node was dead before */
    bool no_log;       /* of a job that Ray keeps no log of; its workers have theirs */
    const char *state;
};

struct part {
    enum rt_log_part_what what;
    char *id, *glob;
};

struct merged {
    struct rt_log *log;
    struct rt_logmerge *merge;
    RT_VEC(struct source *) sources;
    RT_VEC(struct part) parts;
    bool follow;
    struct rt_op *listing;
    struct rt_timer *timer, *end_timer;
    size_t at_part, at_node; /* of the round of looking */
    char *node;              /* that is asked */
    int64_t look_ms;         /* until the next round */
    bool looked;             /* a whole round is over */
    bool over, last_round;   /* the jobs are over; the files since then were looked for */
    struct rt_error trouble; /* of the round */
    int lost;                /* sources */
};

static void step(void *ctx);

static const struct rt_cluster *cluster_of(const struct merged *m) {
    return m->log->session->cluster;
}

/* ---- out of the merge ---- */

static void merged_data(void *ctx, const char *data, size_t n) {
    log_data(ctx, data, n);
}

static void merged_mark(void *ctx, const char *text) {
    struct rt_log *l = ctx;
    rt_logbuf_mark(l->buf, text);
}

/* ---- the whole ---- */

static size_t count_read(const struct merged *m) {
    size_t n = 0;
    for (size_t i = 0; i < m->sources.n; i++)
        n += m->sources.v[i]->read;
    return n;
}

static bool all_ended(const struct merged *m) {
    for (size_t i = 0; i < m->sources.n; i++)
        if (m->sources.v[i]->read && !m->sources.v[i]->ended)
            return false;
    return true;
}

/* Every job whose driver is among the parts is over. */
static bool drivers_ended(const struct merged *m) {
    bool any = false;
    for (size_t i = 0; i < m->sources.n; i++) {
        const struct source *s = m->sources.v[i];
        const struct rt_job *j = s->job && s->no_log ? rt_store_job(cluster_of(m), s->job) : NULL;
        if (s->job && (!s->ended || (j && !rt_job_ended((enum rt_job_status)j->status))))
            return false;
        any = any || s->job;
    }
    for (size_t i = 0; i < m->parts.n; i++)
        any = any && m->parts.v[i].what != RT_LOG_PART_FILES;
    return any;
}

static void say(struct merged *m) {
    struct rt_log_status *st = &m->log->status;
    const size_t n = m->sources.n, read = count_read(m);
    if (st->ended || st->failed)
        return;
    st->following = m->follow;
    if (m->trouble.code && !n)
        snprintf(st->text, sizeof st->text, "lost: %.150s", m->trouble.message);
    else if (!m->looked && !n)
        snprintf(st->text, sizeof st->text, "looking for the files");
    else if (m->lost)
        snprintf(st->text, sizeof st->text, "lost: %d of %zu sources", m->lost, n);
    else if (read < n)
        snprintf(st->text, sizeof st->text, "following %zu of %zu sources, S picks", read, n);
    else
        snprintf(st->text, sizeof st->text, "following");
    log_changed(m->log);
}

/* Everything is there: said once all lines went out. */
static void check_end(struct merged *m) {
    struct rt_log_status *st = &m->log->status;
    const bool complete = m->follow ? m->over && m->last_round : m->looked;
    if (st->ended || !complete || m->listing || !all_ended(m) || !rt_logmerge_drained(m->merge))
        return;
    st->following = false;
    st->ended = true;
    snprintf(st->text, sizeof st->text, "ended%s%s", st->job_status ? ": " : "",
             st->job_status ? rt_job_status_names[st->job_status] : "");
    if (!m->sources.n && m->trouble.code)
        log_failed(m->log, &m->trouble);
    log_changed(m->log);
}

/* ---- one source ---- */

static void source_data(void *ctx, const char *data, size_t n) {
    struct source *s = ctx;
    if (!s->mute)
        rt_logmerge_append(s->m->merge, s->i, data, n);
}

static void source_mark(struct source *s, const char *what, const char *why) {
    char clock[16], text[320];
    const int64_t now = rt_wall_ms();
    snprintf(text, sizeof text, "--- %s: %s %s%s%.150s ---", rt_logmerge_name(s->m->merge, s->i), what,
             rt_fmt_clock(clock, sizeof clock, now, now), why && *why ? ": " : "", why ? why : "");
    rt_logmerge_mark(s->m->merge, s->i, text);
}

/* A way that many sources share breaks for all of them: it is said once. */
static void source_lost(struct source *s, bool lost, const char *why) {
    struct merged *m = s->m;
    if (s->lost == lost)
        return;
    s->lost = lost;
    m->lost += lost ? 1 : -1;
    if (lost && m->lost == 1)
        source_mark(s, "connection lost", why);
    else if (!lost && m->lost == 0)
        source_mark(s, "resumed", NULL);
}

static void source_end(struct source *s, const char *state) {
    s->ended = true;
    s->state = state;
    source_lost(s, false, NULL);
    rt_logmerge_end(s->m->merge, s->i, true);
    if (s->job && !s->m->listing)
        rt_timer_again(s->m->timer, 0, 0);
}

static void source_event(void *ctx, enum rt_follow_event e, const char *text, const struct rt_job *job) {
    struct source *s = ctx;
    struct merged *m = s->m;
    switch (e) {
    case RT_FOLLOW_WAITING:
        s->state = "waiting";
        rt_logmerge_alive(m->merge, s->i, log_far_pause_ms(s->far));
        break;
    case RT_FOLLOW_LIVE:
        s->state = "following";
        source_lost(s, false, NULL);
        rt_logmerge_alive(m->merge, s->i, log_far_pause_ms(s->far));
        break;
    case RT_FOLLOW_LOST:
        s->state = "lost";
        source_lost(s, true, text);
        rt_logmerge_alive(m->merge, s->i, log_far_pause_ms(s->far));
        break;
    case RT_FOLLOW_RESTARTED:
        source_mark(s, text, NULL);
        break;
    case RT_FOLLOW_ENDED:
        if (job) {
            m->log->status.job_status = job->status;
            rt_store_put_job(m->log->app->store, m->log->session->cluster, job);
        }
        source_end(s, s->kept ? "from the cache" : "ended");
        break;
    }
    say(m);
}

static void source_failed(void *ctx, const struct rt_error *err) {
    struct source *s = ctx;
    s->no_log = s->job && err->code == RT_E_UNSUPPORTED;
    if (s->job && err->code == RT_E_NOT_FOUND)
        log_failed(s->m->log, err);
    source_mark(s, "cannot be read", err->message);
    source_end(s, "failed");
    say(s->m);
}

static void source_note(void *ctx, const char *text) {
    struct source *s = ctx;
    char mark[320];
    snprintf(mark, sizeof mark, "--- %.140s: %s ---", rt_logmerge_name(s->m->merge, s->i), text);
    rt_logmerge_mark(s->m->merge, s->i, mark);
}

static void read_source(struct source *s) {
    struct rt_error err = {0};
    struct merged *m = s->m;
    struct rt_ray *ray = session_ray(m->log->session, &err);
    if (s->read || s->ended)
        return;
    s->read = true;
    if (!ray) {
        source_failed(s, &err);
        return;
    }
    char *url = log_node_url(cluster_of(m), s->node);
    const struct rt_follow_opts o = {.job = s->job, .node_id = s->node, .filename = s->file, .node_url = url, .follow = m->follow && !(m->over && !s->job),
                                     .tail_bytes = s->mute ? 0 : -1, .until_job_ends = s->job != NULL,
                                     .poll_ms = m->sources.n > FEW ? POLL_MS : 0};
    const struct log_far_callbacks cb = {{.data = source_data, .event = source_event, .failed = source_failed, .ctx = s}, source_note};
    const struct rt_node *n = s->node ? rt_store_node(cluster_of(m), s->node) : NULL;
    s->kept = n && !n->alive;
    s->state = s->kept ? "from the cache" : "opening";
    rt_logmerge_end(m->merge, s->i, false);
    s->far = log_far_start(m->log->session, s->kept ? NULL : ray, &o, &cb);
    free(url);
}

static struct source *add_source(struct merged *m, const char *ident) {
    struct source *s = RT_NEW(struct source);
    s->m = m;
    s->shown = true;
    s->i = rt_logmerge_add(m->merge, ident);
    s->state = "not read";
    m->look_ms = LOOK_FIRST_MS; /* where one came, more may follow */
    rt_logmerge_end(m->merge, s->i, true); /* nobody waits for what is not read */
    *rt_vec_push(&m->sources) = s;
    return s;
}

static void begin_source(struct source *s) {
    if (count_read(s->m) < READ_AT_ONCE)
        read_source(s);
    else
        s->shown = false;
    say(s->m);
}

static void add_job(struct merged *m, const struct part *p, bool mute) {
    size_t jobs = 0;
    for (size_t i = 0; i < m->parts.n; i++)
        jobs += m->parts.v[i].what == RT_LOG_PART_DRIVER;
    char *ident = jobs > 1 ? rt_strf("driver %s", p->id) : rt_strdup("driver");
    struct source *s = add_source(m, ident);
    s->job = rt_strdup(p->id);
    s->mute = mute;
    begin_source(s);
    free(ident);
}

static bool has_job(const struct merged *m, const char *job) {
    for (size_t i = 0; i < m->sources.n; i++)
        if (m->sources.v[i]->job && rt_streq(m->sources.v[i]->job, job))
            return true;
    return false;
}

/* ---- files ---- */

/* Nodes of one machine may share a directory: a worker's file is named after its id, which no other has. */
static bool is_known(const struct merged *m, const char *node, const char *file) {
    for (size_t i = 0; i < m->sources.n; i++) {
        const struct source *s = m->sources.v[i];
        if (s->file && rt_streq(s->file, file) && (rt_streq(s->node, node) || rt_starts(file, "worker-")))
            return true;
    }
    return false;
}

static bool ident_taken(struct merged *m, const char *ident) {
    for (size_t i = 0; i < m->sources.n; i++)
        if (rt_ends(rt_logmerge_name(m->merge, i), ident))
            return true;
    return false;
}

/* "worker-ID-JOB-PID.err": "pid=PID, ip=IP, err". */
static char *ident_of(struct merged *m, const char *node, const char *file) {
    const struct rt_node *n = rt_store_node(cluster_of(m), node);
    const char *ip = n && n->ip ? n->ip : node, *dash = strrchr(file, '-'), *dot = dash ? strchr(dash, '.') : NULL;
    char *ident;
    if (rt_starts(file, "worker-") && dot)
        ident = rt_strf("pid=%.*s, ip=%s%s", (int)(dot - dash - 1), dash + 1, ip, rt_starts(dot, ".err") ? ", err" : "");
    else
        ident = rt_strf("%s/%s", ip, file);
    for (int k = 2; ident_taken(m, ident); k++) { /* two nodes of one address */
        char *other = rt_strf("%s, node=%.6s%s", ident, node, k > 2 ? "+" : "");
        free(ident);
        ident = other;
    }
    return ident;
}

static void add_files(struct merged *m, const struct part *p, const char *node, const struct rt_strs *names) {
    for (size_t i = 0; i < names->n; i++) {
        const char *file = names->v[i];
        if ((p->what == RT_LOG_PART_WORKERS && !rt_starts(file, "worker-")) || is_known(m, node, file))
            continue;
        char *ident = ident_of(m, node, file);
        struct source *s = add_source(m, ident);
        s->node = rt_strdup(node);
        s->file = rt_strdup(file);
        free(ident);
        begin_source(s);
    }
}

/* Of a node that does not answer, what was seen of it. */
static void add_kept(struct merged *m, const struct part *p, const char *node) {
    struct rt_strs kept = {0}, fit = {0};
    char *glob = log_glob(cluster_of(m), p->what, p->id, p->glob);
    if (glob)
        log_far_names(m->log->session, node, &kept);
    for (size_t i = 0; i < kept.n; i++)
        if (fnmatch(glob, kept.v[i], 0) == 0)
            rt_strs_add(&fit, kept.v[i]);
    add_files(m, p, node, &fit);
    rt_strs_deinit(&kept);
    rt_strs_deinit(&fit);
    free(glob);
}

static void got_files(void *ctx, const struct rt_strs *names, const struct rt_error *err) {
    struct merged *m = ctx;
    const struct part *p = &m->parts.v[m->at_part];
    m->listing = NULL;
    if (err) {
        m->trouble = *err;
        add_kept(m, p, m->node);
    } else {
        add_files(m, p, m->node, names);
    }
    m->at_node++;
    step(m);
}

/* ---- looking for files, node by node ---- */

char *log_glob(const struct rt_cluster *c, enum rt_log_part_what what, const char *id, const char *glob) {
    if (what == RT_LOG_PART_FILES)
        return rt_strdup(glob);
    const struct rt_job *j = rt_store_job(c, id);
    return j && j->job_id && *j->job_id ? rt_strf("worker-*-%s-*", j->job_id) : NULL; /* its driver has not begun */
}

char *log_node_url(const struct rt_cluster *c, const char *node_id) {
    const struct rt_node *n = node_id ? rt_store_node(c, node_id) : NULL;
    if (!n || !n->ip || n->agent_port <= 0)
        return NULL;
    return rt_strf(strchr(n->ip, ':') ? "http://[%s]:%d" : "http://%s:%d", n->ip, n->agent_port);
}

static bool ask_node(struct merged *m, const struct part *p, const struct rt_node *n) {
    struct rt_error err = {0};
    struct rt_ray *ray = session_ray(m->log->session, &err);
    if (p->what == RT_LOG_PART_FILES && p->id && !rt_streq(p->id, n->id))
        return false;
    if (!n->alive || !ray) {
        add_kept(m, p, n->id);
        return false;
    }
    char *glob = log_glob(cluster_of(m), p->what, p->id, p->glob);
    if (glob) {
        free(m->node);
        m->node = rt_strdup(n->id);
        m->listing = rt_ray_log_list(ray, n->id, glob, got_files, m);
    }
    free(glob);
    return m->listing != NULL;
}

/* What is no node any more sends nothing any more. */
static void bury(struct merged *m) {
    for (size_t i = 0; i < m->sources.n; i++) {
        struct source *s = m->sources.v[i];
        const struct rt_node *n = s->node ? rt_store_node(cluster_of(m), s->node) : NULL;
        if (!n || n->alive || s->ended || !s->read || s->kept)
            continue;
        log_far_destroy(s->far);
        s->far = NULL;
        source_mark(s, "the node is dead", n->state_message);
        source_end(s, "node dead");
    }
}

static void round_over(struct merged *m) {
    const int64_t pause = RT_MAX(m->look_ms, (int64_t)cluster_of(m)->nodes.n * LOOK_PER_NODE_MS);
    m->look_ms = RT_MIN(m->look_ms + LOOK_FIRST_MS / 4, (int64_t)LOOK_MS);
    m->at_part = m->at_node = 0;
    m->looked = true;
    bury(m);
    const bool over = m->follow && drivers_ended(m);
    if (m->over && !m->last_round) {
        m->last_round = true;
        for (size_t i = 0; i < m->sources.n; i++)
            if (m->sources.v[i]->far && !m->sources.v[i]->ended)
                log_far_end(m->sources.v[i]->far);
    }
    rt_timer_again(m->timer, over && !m->over ? 0 : pause, 0); /* what came until the end is looked for once more */
    m->over = m->over || over;
    say(m);
}

static void step(void *ctx) {
    struct merged *m = ctx;
    const rt_nodes *nodes = &cluster_of(m)->nodes;
    if (m->listing)
        return;
    if (!m->at_part && !m->at_node)
        rt_error_clear(&m->trouble);
    for (; m->at_part < m->parts.n; m->at_part++, m->at_node = 0)
        for (; m->parts.v[m->at_part].what != RT_LOG_PART_DRIVER && m->at_node < nodes->n; m->at_node++)
            if (ask_node(m, &m->parts.v[m->at_part], &nodes->v[m->at_node]))
                return;
    round_over(m);
}

/* A round was over long enough ago. */
static void look(void *ctx) {
    struct merged *m = ctx;
    if (m->follow ? !m->last_round : !m->looked)
        step(m);
}

/* ---- life ---- */

static void ticked(void *ctx) {
    struct rt_log *l = ctx;
    if (l->merged)
        check_end(l->merged);
}

bool merged_open(struct rt_log *l, const struct rt_log_target *t, bool follow, struct rt_error *err) {
    l->session = session_get(l->app, t->cluster, err);
    if (!l->session || !session_ray(l->session, err))
        return false;
    if (!l->session->attached)
        session_attach(l->session, true);
    struct merged *m = RT_NEW(struct merged);
    const struct rt_logmerge_out out = {.data = merged_data, .mark = merged_mark, .ctx = l};
    l->merged = m;
    l->buf = rt_logbuf_create(l->app->loop, NULL);
    m->log = l;
    m->follow = follow;
    m->look_ms = LOOK_FIRST_MS;
    m->merge = rt_logmerge_create(l->app->loop, &out);
    for (size_t i = 0; i < t->nparts; i++) {
        struct part *p = rt_vec_push(&m->parts);
        *p = (struct part){t->parts[i].what, rt_strdup(t->parts[i].id), rt_strdup(t->parts[i].glob)};
    }
    m->timer = rt_timer_start(l->app->loop, 0, 0, look, m);
    for (size_t i = 0; i < m->parts.n; i++)
        if (m->parts.v[i].what == RT_LOG_PART_DRIVER)
            add_job(m, &m->parts.v[i], false);
    for (size_t i = 0; follow && i < m->parts.n; i++)
        if (m->parts.v[i].what == RT_LOG_PART_WORKERS && !has_job(m, m->parts.v[i].id))
            add_job(m, &m->parts.v[i], true); /* workers end with their job */
    m->end_timer = rt_timer_start(l->app->loop, 100, 100, ticked, l);
    say(m);
    return true;
}

void merged_close(struct merged *m) {
    if (!m)
        return;
    rt_op_drop(&m->listing);
    rt_timer_stop(m->timer);
    rt_timer_stop(m->end_timer);
    for (size_t i = 0; i < m->sources.n; i++) {
        struct source *s = m->sources.v[i];
        log_far_destroy(s->far);
        free(s->node);
        free(s->file);
        free(s->job);
        free(s);
    }
    rt_vec_deinit(&m->sources);
    for (size_t i = 0; i < m->parts.n; i++) {
        free(m->parts.v[i].id);
        free(m->parts.v[i].glob);
    }
    rt_vec_deinit(&m->parts);
    rt_logmerge_destroy(m->merge);
    free(m->node);
    free(m);
}

void merged_retry(struct merged *m) {
    for (size_t i = 0; i < m->sources.n; i++)
        if (m->sources.v[i]->far)
            log_far_retry(m->sources.v[i]->far);
    if (!m->listing)
        rt_timer_again(m->timer, 0, 0);
}

/* ---- which of them show ---- */

size_t rt_log_sources(const struct rt_log *l) {
    return l->merged ? l->merged->sources.n : 0;
}

struct rt_log_source rt_log_source_at(const struct rt_log *l, size_t i) {
    const struct source *s = l->merged->sources.v[i];
    return (struct rt_log_source){
        .name = rt_logmerge_name(l->merged->merge, s->i),
        .ident = rt_logmerge_ident(l->merged->merge, s->i),
        .state = s->mute ? "not read" : s->state,
        .lines = rt_logmerge_lines(l->merged->merge, s->i),
        .shown = s->shown && !s->mute,
    };
}

static void veil(struct merged *m) {
    struct rt_error err = {0};
    bool *hidden = rt_alloc(m->sources.n * sizeof *hidden);
    for (size_t i = 0; i < m->sources.n; i++)
        hidden[i] = !m->sources.v[i]->shown;
    char *re = rt_logmerge_veil(m->merge, hidden, m->sources.n);
    if (!rt_logbuf_veil(m->log->buf, re, &err))
        log_mark(m->log, "sources cannot be hidden", err.message);
    free(re);
    free(hidden);
}

void rt_log_source_show(struct rt_log *l, size_t i, bool shown) {
    struct source *s = l->merged->sources.v[i];
    if (shown && s->mute) { /* followed for its end: now from its beginning */
        log_far_destroy(s->far);
        s->far = NULL;
        s->mute = s->read = s->ended = false;
    }
    s->shown = shown;
    if (shown && !s->read)
        read_source(s);
    veil(l->merged);
    say(l->merged);
}
