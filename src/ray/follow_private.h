/* What the files of log following share. */
#ifndef RT_RAY_FOLLOW_PRIVATE_H
#define RT_RAY_FOLLOW_PRIVATE_H

#include "ray/follow.h"
#include "ray/private.h"

enum rt_follow_way {
    RT_WAY_NONE,
    RT_WAY_RANGES, /* byte ranges of the node's own port: exact and cheap */
    RT_WAY_STREAM, /* the dashboard's stream from its beginning, what was seen skipped */
    RT_WAY_TEXT    /* the whole text again and again: old Rays behind a dashboard */
};

struct rt_follow {
    struct rt_ray *ray;
    struct rt_follow_callbacks cb;
    char *job_id, *node_id, *filename, *node_url;
    int64_t tail_bytes; /* < 0 once the beginning is settled */
    int64_t poll_ms;
    bool follow, until_job_ends;

    enum rt_follow_way way;
    int64_t off;        /* bytes of the file that are delivered or skipped for good */
    char last[64];      /* the last bytes of them that came */
    size_t last_n;
    int rotated;        /* the name that its end is looked for under */
    size_t checked;     /* bytes of `last` that were found there */
    struct rt_op *call; /* the log's request */
    struct rt_timer *timer;
    void (*then)(struct rt_follow *f); /* what the timer does */
    int failures;
    bool live, ranges_worked, waiting;

    /* of the request in flight */
    bool after_end;    /* begun after the job was known to be over */
    int64_t seen, got; /* bytes that came; bytes that were new */
    bool no_ranges;    /* the answer was the whole file */
    struct rt_buf tail;
    int64_t last_data_ms;

    struct rt_op *job_call;
    struct rt_timer *job_timer, *quiet_timer;
    rt_jobs job; /* its last state */
    bool job_over;
    int64_t over_at_ms;
    int job_failures;

    int busy;     /* a callback of ours is on the stack */
    bool in_data; /* the request's own: it cannot be dropped from there, its end comes */
    bool dead;    /* destroyed meanwhile: freed on the way out */
};

/* Around everything that the loop calls. leave frees what was destroyed in between. */
static inline void rt_follow_enter(struct rt_follow *f) {
    f->busy++;
}
void rt_follow_leave(struct rt_follow *f);
/* The same around a data callback; leave gives what that returns. */
void rt_follow_enter_data(struct rt_follow *f);
bool rt_follow_leave_data(struct rt_follow *f, bool go_on);
/* First thing in a request's end. */
static inline void rt_follow_call_over(struct rt_follow *f) {
    f->call = NULL;
    f->in_data = false;
    rt_follow_enter(f);
}

/* ---- towards the person (follow.c) ---- */
void rt_follow_tell(struct rt_follow *f, enum rt_follow_event e, const char *text);
void rt_follow_live(struct rt_follow *f, const char *text);              /* once per connection */
void rt_follow_waiting(struct rt_follow *f, const char *text);           /* once per wait */
void rt_follow_deliver(struct rt_follow *f, const char *data, size_t n); /* counts */
/* Delivers what came of a file that has `total` bytes, from a line's beginning, and settles the
 * beginning. */
void rt_follow_deliver_tail(struct rt_follow *f, const char *data, size_t n, int64_t total);
void rt_follow_fail(struct rt_follow *f, const struct rt_error *err);
void rt_follow_finish(struct rt_follow *f);
/* Lost: says so once, and does `then` after a back-off. */
void rt_follow_lost(struct rt_follow *f, const struct rt_error *err,
                    void (*then)(struct rt_follow *f));
void rt_follow_later(struct rt_follow *f, int64_t ms, void (*then)(struct rt_follow *f));
/* All that is there was read by a request begun after the end (or nobody wants more). */
bool rt_follow_complete(const struct rt_follow *f);

/* ---- the ways ---- */
void rt_follow_choose(struct rt_follow *f); /* follow.c: the best way that may work */
void rt_ranges_next(struct rt_follow *f);   /* follow_range.c */
char *rt_ranges_path(const char *filename); /* gives it */
void rt_rotated_next(struct rt_follow *f);  /* follow_rotated.c: the file was replaced */
void rt_stream_next(struct rt_follow *f);   /* follow_stream.c */
void rt_stream_job_over(struct rt_follow *f);
void rt_text_next(struct rt_follow *f);   /* follow_text.c */
void rt_marked_next(struct rt_follow *f); /* follow_marked.c */

#endif
