/* A transport of a hop: libssh2 sessions, or the system's ssh as a child. Private to src/net. */
#ifndef RT_NET_WAY_H
#define RT_NET_WAY_H

#include "net/ask.h"
#include "net/dial.h"
#include "net/loop.h"
#include "net/proc.h"

/* How a way ends, or why it was not had. */
enum rt_way_end {
    RT_WAY_LOST,        /* network: again, later */
    RT_WAY_NEEDS_LOGIN, /* a question must be answered */
    RT_WAY_FAILED,      /* not by itself */
    RT_WAY_FALLBACK     /* libssh2 cannot, the ssh program might */
};

struct rt_way_opts {
    const char *name;        /* the cluster's; may be NULL */
    const char *target;      /* as typed */
    const char *jump;        /* NULL: as configured */
    const struct rt_dialer *through; /* leads to the host before the target; NULL. libssh2 only */
    const char *config_file; /* NULL */
    const struct rt_asker *asker;
    bool may_ask, may_fall_back;
};

struct rt_way_events {
    void (*up)(void *ctx);
    /* At most once, also before up; the way may be destroyed in it. */
    void (*down)(void *ctx, enum rt_way_end end, const struct rt_error *err);
    void *ctx;
};

/* A command: `input` goes to its stdin. The output comes as it does; the end once. Strings are
 * copied. */
struct rt_command {
    const char *line; /* for the far login shell */
    const char *input;
    size_t input_len;
    rt_proc_output_fn *output;
    void (*end)(void *ctx, int status, const struct rt_error *err); /* status -1: a signal */
    void *ctx;
};

struct rt_way;
struct rt_way_ops {
    void (*destroy)(
        struct rt_way *w); /* ends what runs through it: the callbacks of those come, later */
    struct rt_op *(*splice)(struct rt_way *w, int fd, const char *host, int port,
                            struct rt_splice *to); /* takes fd */
    struct rt_op *(*exec)(struct rt_way *w, const struct rt_command *c);
};
struct rt_way {
    const struct rt_way_ops *ops;
};

/* Both start at once; options are copied. */
struct rt_way *rt_way_libssh2(struct rt_loop *l, const struct rt_way_opts *o,
                              const struct rt_way_events *e);
struct rt_way *rt_way_openssh(struct rt_loop *l, const struct rt_way_opts *o,
                              const struct rt_way_events *e);

/* Words of `ssh` that choose this target: -F, -J, -l, -p (not the host, which is given back). */
struct rt_strs;
char *rt_way_words(const char *target, const char *jump, const char *config_file,
                   struct rt_strs *out);

#endif
