/* A cluster's one way out: an SSH chain (login node, bastions) through libssh2 or the system's ssh.
 * Forwards, HTTP and remote commands of a cluster share its session. A session that dies comes back by
 * itself (back-off with jitter, 0.5 s to 30 s); what ran through it is lost, what dials again works. */
#ifndef RT_NET_HOP_H
#define RT_NET_HOP_H

#include "base/str.h"
#include "net/ask.h"
#include "net/dial.h"
#include "net/loop.h"
#include "net/proc.h"

struct rt_hop;

enum rt_transport { RT_TRANSPORT_AUTO, RT_TRANSPORT_LIBSSH2, RT_TRANSPORT_OPENSSH };

struct rt_hop_opts {
    const char *name;        /* the cluster's, for messages */
    const char *target;      /* [user@]host[:port] or a Host of ~/.ssh/config; NULL: found out later (rt_hop_aim) */
    const char *jump;        /* overrides ProxyJump; "none"; NULL: as configured */
    const struct rt_dialer *through; /* what `jump` leads through, where it is open already: libssh2 needs no second
                                      * login there. Keeps; NULL */
    const char *config_file; /* ssh -F; NULL */
    enum rt_transport transport;
    const struct rt_asker *asker; /* keeps; NULL: nobody answers */
};

enum rt_hop_state {
    RT_HOP_IDLE,
    RT_HOP_CONNECTING,
    RT_HOP_UP,
    RT_HOP_RETRYING,    /* lost or refused; comes back by itself */
    RT_HOP_NEEDS_LOGIN, /* a question must be answered: rt_hop_open again on the person's wish */
    RT_HOP_FAILED       /* will not work by itself: changed host key, key refused, bad configuration */
};

struct rt_hop_status {
    enum rt_hop_state state;
    const char *via;       /* "libssh2 me@login.hpc", "ssh me@login.hpc" (and why the fallback) */
    struct rt_error error; /* of the last failure; code RT_OK when none */
    int attempt;           /* of RETRYING */
    int64_t retry_at_ms;   /* rt_loop_now_ms time */
    int64_t up_since_ms;   /* rt_wall_ms time; 0 */
};

typedef void rt_hop_change_fn(void *ctx, struct rt_hop *hop);

/* Options are copied. Nothing is contacted yet. `change` runs (later) on each change of state. */
struct rt_hop *rt_hop_create(struct rt_loop *l, const struct rt_hop_opts *o, rt_hop_change_fn *change, void *ctx);
/* Ends the session and all streams through it; their descriptors read end-of-file. Ops of commands and
 * splices are cancelled by their owners before. */
void rt_hop_destroy(struct rt_hop *h);

/* It has another owner, who is told of the present state, then of each change; `change` NULL: nobody. */
void rt_hop_on_change(struct rt_hop *h, rt_hop_change_fn *change, void *ctx);

/* Where it leads from now on; the same as before changes nothing. A hop that is open or was to be opened connects there; what
 * ran through it ends. `target` NULL: nowhere any more; who needs it is told that at once. Strings are copied. */
void rt_hop_aim(struct rt_hop *h, const char *target, const char *config_file);

/* Connects if it is not up; `may_ask` false: never a question (state NEEDS_LOGIN instead). Resets back-off. */
void rt_hop_open(struct rt_hop *h, bool may_ask);
void rt_hop_close(struct rt_hop *h); /* to IDLE */
const struct rt_hop_status *rt_hop_status(const struct rt_hop *h); /* borrowed until the next turn */

/* Streams to host:port as seen from the far end; opens the hop when it is idle, waits up to 10 s for it. */
const struct rt_dialer *rt_hop_dialer(struct rt_hop *h);

/* Runs a script by `/bin/sh -s` (or `bash -l -s`) on the far end; it is sent on stdin, so nothing of it
 * stands in argv. Noise of login scripts before and after is cut off. */
struct rt_exec_opts {
    const char *script;
    bool login_shell;
    int64_t timeout_ms; /* 0: 30 s; the far side is ended with it */
    size_t max_output;  /* 0: 4 MiB */
    rt_proc_output_fn *output; /* as it comes; may be NULL */
    void *output_ctx;
};
struct rt_exec_result {
    int status; /* -1: ended by a signal */
    const char *out, *err_text;
    size_t out_len, err_len;
};
typedef void rt_exec_fn(void *ctx, const struct rt_exec_result *r, const struct rt_error *err);
struct rt_op *rt_hop_exec(struct rt_hop *h, const struct rt_exec_opts *o, rt_exec_fn *fn, void *ctx);

/* The `ssh` command line a person could type for this hop, with extra words; gives it. */
char *rt_hop_command(const struct rt_hop *h, const char *const *extra);
/* argv for an interactive `ssh` to the far end (shell verb); takes nothing, gives the list. */
void rt_hop_argv(const struct rt_hop *h, struct rt_strs *out);

#endif
