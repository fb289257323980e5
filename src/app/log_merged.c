/* Several logs of a cluster as one: looks for the files, follows each, and lets them meet by time. */
#include "app/log_private.h"

#include "base/str.h"
#include "base/vec.h"
#include "core/logmerge.h"
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

struct merged {
    struct rt_log *log;
    struct rt_logmerge *merge;
    RT_VEC(struct source *) sources;
    struct log_files *files;
    struct log_peek *peek;
    bool follow;
    struct rt_timer *timer, *end_timer;
    int64_t look_ms;         /* until the next round */
    bool looked;             /* a whole round is over */
    bool over, last_round;   /* the jobs are over; the files since then were looked for */
    struct rt_error trouble; /* of the last round that had some: files that are not seen; RT_OK after one without */
    bool troubled;           /* this round had some */
    int lost;                /* sources */
};

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
    for (size_t i = 0; i < log_files_parts(m->files); i++)
        any = any && log_files_part(m->files, i)->what != RT_LOG_PART_FILES;
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
    else if (m->trouble.code)
        snprintf(st->text, sizeof st->text, "following; files that are not seen: %.130s", m->trouble.message);
    else
        snprintf(st->text, sizeof st->text, "following");
    log_changed(m->log);
}

/* Everything is there: said once all lines went out. */
static void check_end(struct merged *m) {
    struct rt_log_status *st = &m->log->status;
    const bool complete = m->follow ? m->over && m->last_round : m->looked;
    if (st->ended || !complete || log_files_busy(m->files) || log_peek_busy(m->peek) || !all_ended(m) || !rt_logmerge_drained(m->merge))
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
    s->m->lost -= s->lost;
    s->lost = false; /* it did not come back */
    rt_logmerge_end(s->m->merge, s->i, true);
    if (s->job && !log_files_busy(s->m->files))
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

static bool is_gone(const struct merged *m, const char *node) {
    const struct rt_node *n = rt_store_node(cluster_of(m), node);
    return cluster_of(m)->nodes.n && (!n || !n->alive);
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
    s->kept = s->node && is_gone(m, s->node);
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

static void add_job(struct merged *m, const struct rt_log_part *p, bool mute) {
    size_t jobs = 0;
    for (size_t i = 0; i < log_files_parts(m->files); i++)
        jobs += log_files_part(m->files, i)->what == RT_LOG_PART_DRIVER;
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

static void add_file(void *ctx, const char *node, const char *name) {
    struct merged *m = ctx;
    char *ident = ident_of(m, node, name);
    struct source *s = add_source(m, ident);
    s->node = rt_strdup(node);
    s->file = rt_strdup(name);
    free(ident);
    begin_source(s);
}

static void got_file(void *ctx, const struct log_file_found *f) {
    struct merged *m = ctx;
    if (f->unnamed)
        log_peek_add(m->peek, f);
    else
        add_file(m, f->node, f->name);
}

static void got_trouble(void *ctx, const char *node, const struct rt_error *err) {
    struct merged *m = ctx;
    const struct rt_node *n = rt_store_node(cluster_of(m), node);
    if (!m->trouble.code) {
        char what[160];
        snprintf(what, sizeof what, "the files of %.120s are not seen", n ? rt_node_name(n) : "a node");
        log_mark(m->log, what, err->message);
    }
    m->trouble = *err;
    m->troubled = true;
}

/* What is no node any more sends nothing any more. */
static void bury(struct merged *m) {
    for (size_t i = 0; i < m->sources.n; i++) {
        struct source *s = m->sources.v[i];
        const struct rt_node *n = s->node ? rt_store_node(cluster_of(m), s->node) : NULL;
        if (!s->node || s->ended || !s->read || s->kept || !is_gone(m, s->node))
            continue;
        log_far_destroy(s->far);
        s->far = NULL;
        source_mark(s, "the node is dead", n ? n->state_message : NULL);
        source_end(s, "node dead");
    }
}

static void round_over(void *ctx) {
    struct merged *m = ctx;
    const int64_t pause = RT_MAX(m->look_ms, (int64_t)cluster_of(m)->nodes.n * LOOK_PER_NODE_MS);
    m->look_ms = RT_MIN(m->look_ms + LOOK_FIRST_MS / 4, (int64_t)LOOK_MS);
    m->looked = true;
    if (!m->troubled)
        rt_error_clear(&m->trouble);
    bury(m);
    log_peek_round(m->peek);
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

/* A round was over long enough ago. */
static void look(void *ctx) {
    struct merged *m = ctx;
    if (log_files_busy(m->files) || (m->follow ? m->last_round : m->looked))
        return;
    m->troubled = false;
    log_files_look(m->files);
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
    const struct log_files_out found = {.found = got_file, .trouble = got_trouble, .over = round_over, .ctx = m};
    m->files = log_files_create(l, t, false, &found);
    m->peek = log_peek_create(l, add_file, m);
    m->timer = rt_timer_start(l->app->loop, 0, 0, look, m);
    for (size_t i = 0; i < t->nparts; i++)
        if (t->parts[i].what == RT_LOG_PART_DRIVER)
            add_job(m, &t->parts[i], false);
    for (size_t i = 0; follow && i < t->nparts; i++)
        if (t->parts[i].what == RT_LOG_PART_WORKERS && !has_job(m, t->parts[i].id))
            add_job(m, &t->parts[i], true); /* workers end with their job */
    m->end_timer = rt_timer_start(l->app->loop, 100, 100, ticked, l);
    say(m);
    return true;
}

void merged_close(struct merged *m) {
    if (!m)
        return;
    log_files_destroy(m->files);
    log_peek_destroy(m->peek);
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
    rt_logmerge_destroy(m->merge);
    free(m);
}

void merged_retry(struct merged *m) {
    for (size_t i = 0; i < m->sources.n; i++)
        if (m->sources.v[i]->far)
            log_far_retry(m->sources.v[i]->far);
    if (!log_files_busy(m->files))
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
