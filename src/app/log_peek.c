/* Files of workers that Ray started before there was a job for them: "ffffffff" stands in their names instead of it. Their own first
 * line tells it once they have one (":job_id:02000000", python/ray/_private/worker.py); until then they are looked into again. */
#include "app/log_far.h"
#include "app/log_private.h"

#include "base/str.h"
#include "base/vec.h"
#include <stdlib.h>
#include <string.h>

enum { PEEKS = 16 /* of a round */ };

struct candidate {
    char *node, *name, *job; /* whose it would be: "02000000" */
    bool kept, decided;
};

struct log_peek {
    struct rt_log *log;
    log_peek_fn *ours;
    void *ctx;
    RT_VEC(struct candidate *) all;
    size_t at, left;      /* the one that is looked into; how many more in this round */
    struct log_far *far;
    struct rt_timer *next; /* what was read is put away outside its callbacks */
    struct rt_buf text;
    bool over, mine;      /* of the one that is looked into */
};

int log_line_job(const char *line, size_t n, const char *job) {
    static const char mark[] = ":job_id:";
    const size_t m = sizeof mark - 1, len = strlen(job);
    while (n && line[n - 1] == '\r')
        n--;
    if (n < m || memcmp(line, mark, m) != 0)
        return -1;
    return n - m == len && memcmp(line + m, job, len) == 0;
}

/* What the beginning of a file tells, in its whole lines. */
static int names_job(const struct rt_buf *text, const char *job) {
    int said = -1;
    for (const char *line = rt_buf_str(text), *end; said < 0 && (end = strchr(line, '\n')); line = end + 1)
        said = log_line_job(line, (size_t)(end - line), job);
    return said;
}

static void over(struct log_peek *p) {
    p->over = true;
    rt_timer_again(p->next, 0, 0);
}

static void got_data(void *ctx, const char *data, size_t n) {
    struct log_peek *p = ctx;
    struct candidate *c = p->all.v[p->at];
    if (p->over)
        return;
    rt_buf_add(&p->text, data, RT_MIN(n, LOG_LOOK_INTO - p->text.len));
    const int said = names_job(&p->text, c->job);
    if (said < 0 && p->text.len < LOG_LOOK_INTO)
        return;
    c->decided = true;
    p->mine = said == 1;
    over(p);
}

static void got_event(void *ctx, enum rt_follow_event e, const char *text, const struct rt_job *job) {
    (void)text;
    (void)job;
    if (e == RT_FOLLOW_ENDED)
        over(ctx);
}

static void got_failure(void *ctx, const struct rt_error *err) {
    (void)err;
    over(ctx);
}

static void got_note(void *ctx, const char *text) {
    (void)ctx;
    (void)text;
}

static void look_into(struct log_peek *p, const struct candidate *c) {
    struct rt_error ignored = {0};
    struct rt_ray *ray = c->kept ? NULL : session_ray(p->log->session, &ignored);
    char *url = log_node_url(p->log->session->cluster, c->node);
    const struct rt_follow_opts o = {.node_id = c->node, .filename = c->name, .node_url = url, .tail_bytes = -1};
    const struct log_far_callbacks cb = {{.data = got_data, .event = got_event, .failed = got_failure, .ctx = p}, got_note};
    rt_buf_clear(&p->text);
    p->over = p->mine = false;
    p->far = log_far_start(p->log->session, ray, &o, &cb);
    free(url);
}

static void go_on(void *ctx) {
    struct log_peek *p = ctx;
    if (p->far) {
        const struct candidate *c = p->all.v[p->at];
        log_far_destroy(p->far);
        p->far = NULL;
        if (p->mine)
            p->ours(p->ctx, c->node, c->name);
    }
    for (size_t tried = 0; p->left && tried < p->all.n; tried++) {
        p->at = (p->at + 1) % p->all.n;
        if (p->all.v[p->at]->decided)
            continue;
        p->left--;
        look_into(p, p->all.v[p->at]);
        return;
    }
    p->left = 0;
}

struct log_peek *log_peek_create(struct rt_log *l, log_peek_fn *ours, void *ctx) {
    struct log_peek *p = RT_NEW(struct log_peek);
    p->log = l;
    p->ours = ours;
    p->ctx = ctx;
    rt_buf_init(&p->text, 2 * LOG_LOOK_INTO);
    p->next = rt_timer_start(l->app->loop, INT32_MAX, 0, go_on, p);
    return p;
}

void log_peek_destroy(struct log_peek *p) {
    if (!p)
        return;
    log_far_destroy(p->far);
    rt_timer_stop(p->next);
    for (size_t i = 0; i < p->all.n; i++) {
        free(p->all.v[i]->node);
        free(p->all.v[i]->name);
        free(p->all.v[i]->job);
        free(p->all.v[i]);
    }
    rt_vec_deinit(&p->all);
    rt_buf_deinit(&p->text);
    free(p);
}

void log_peek_add(struct log_peek *p, const struct log_file_found *f) {
    struct candidate *c = RT_NEW(struct candidate);
    *c = (struct candidate){.node = rt_strdup(f->node), .name = rt_strdup(f->name), .job = rt_strdup(f->unnamed), .kept = f->kept};
    *rt_vec_push(&p->all) = c;
}

void log_peek_round(struct log_peek *p) {
    if (p->far || p->left || !p->all.n)
        return;
    p->left = PEEKS;
    rt_timer_again(p->next, 0, 0);
}

bool log_peek_busy(const struct log_peek *p) {
    return p->far || p->left;
}
