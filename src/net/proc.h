/* Child processes: started by argv (never through a shell), output streamed, ended by id. */
#ifndef RT_NET_PROC_H
#define RT_NET_PROC_H

#include "net/loop.h"
#include <stddef.h>

struct rt_proc;

enum rt_stream { RT_STDOUT = 1, RT_STDERR = 2 };

struct rt_proc_exit {
    int status;     /* exit status, or -1 when a signal ended it */
    int signal;     /* 0 */
    bool timed_out;
};
typedef void rt_proc_output_fn(void *ctx, enum rt_stream stream, const char *data, size_t n);
/* Both streams have ended and the child is gone; runs once; the proc is freed afterwards. A stream that
 * others have inherited and keep open is waited for no longer than half a second after the child's end. */
typedef void rt_proc_exit_fn(void *ctx, const struct rt_proc_exit *exit);

struct rt_proc_opts {
    const char *const *argv;    /* NULL-terminated; argv[0] is looked up in PATH */
    const char *const *env;     /* "KEY=VALUE" added to ours; "KEY" alone removes it; may be NULL */
    const char *cwd;            /* NULL: ours */
    const char *input;          /* written to stdin, then closed; NULL: /dev/null */
    size_t input_len;
    int64_t timeout_ms;         /* 0: none; then SIGTERM, and SIGKILL after 3 s */
    bool own_session;           /* setsid: survives us and the terminal */
    bool stay;                  /* is left running when the proc is destroyed (else SIGTERM, then SIGKILL) */
    const char *output_file;    /* both streams are appended there instead of coming to us (0600) */
    rt_proc_output_fn *output;  /* gets the ctx of rt_proc_start; may be NULL: dropped */
};

/* Options are copied. NULL with RT_E_NOT_FOUND when argv[0] is no program, else RT_E_FAILED. */
struct rt_proc *rt_proc_start(struct rt_loop *l, const struct rt_proc_opts *o, rt_proc_exit_fn *fn, void *ctx,
                              struct rt_error *err);
int64_t rt_proc_pid(const struct rt_proc *p);
void rt_proc_kill(struct rt_proc *p, int signum); /* its whole group when it has its own session */
/* No callback runs afterwards. NULL is fine. A child that is not to stay gets SIGTERM and 3 s later
 * SIGKILL, both in the background. May be called in the output callback. */
void rt_proc_destroy(struct rt_proc *p);

/* The common case: run, collect, at most `max` bytes of each stream (what comes after is dropped). `err`
 * only when it could not be started; then `r` is NULL. Whether it worked is in r->exit. Of the options
 * `output`, `output_file`, `stay` are not looked at. Cancel ends the child as rt_proc_destroy does. */
struct rt_run_result {
    struct rt_proc_exit exit;
    const char *out, *err_text; /* valid during the callback */
    size_t out_len, err_len;
};
typedef void rt_run_fn(void *ctx, const struct rt_run_result *r, const struct rt_error *err);
struct rt_op *rt_run(struct rt_loop *l, const struct rt_proc_opts *o, size_t max, rt_run_fn *fn, void *ctx);

/* Path of a program in PATH, or NULL; gives it. */
char *rt_which(const char *name);

#endif
