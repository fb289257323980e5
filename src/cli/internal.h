/* Inside cli only: one verb on its way. */
#ifndef RT_CLI_INTERNAL_H
#define RT_CLI_INTERNAL_H

#include "app/action.h"
#include "cli/cli.h"
#include "cli/out.h"

struct cli {
    struct rt_app *app;
    const struct rt_cli_opts *opts;
    enum rt_out_kind kind;
    struct rt_call call;
    struct rt_op *op;               /* what is waited for now; dropped at the end */
    void (*go_on)(struct cli *c);   /* after it */
    void *held;                     /* what the verb keeps while it runs; released at the end whatever ends it */
    void (*release)(void *held);
    bool (*signalled)(void *held, int signum); /* NULL, or: true when the verb deals with it */
    struct rt_operation *operation; /* what an interrupt asks to stop */
    void (*started)(struct cli *c, struct rt_operation *op); /* cli_run_action: it goes on as an operation; NULL */
    bool (*told)(struct cli *c, struct rt_operation *op);    /* it ended: true when that was said, and the verb ended; NULL */
    struct rt_buf line; /* of a log, not whole yet */
    int interrupts, signum; /* how many, the last */
    bool ended;
    int status;
    struct rt_strs exec;
};

/* Ends the verb. The first call counts. */
void cli_end(struct cli *c, int status);
void cli_fail(struct cli *c, const struct rt_error *err);
/* Keeps `held` until cli_release, or until a signal ends the verb. One thing at a time. */
void cli_hold(struct cli *c, void *held, void (*release)(void *held));
void cli_release(struct cli *c);

/* "[CLUSTER] [THING]": of two words the first is the cluster, which goes from the words into the call. */
bool cli_thing(struct cli *c, struct rt_error *err);

/* Waits for topics of the call's cluster, then calls `go` (or fails). */
typedef void cli_fn(struct cli *c);
void cli_when(struct cli *c, uint32_t topics, cli_fn *go);

/* One table over one cluster, as the options say. */
struct out_list cli_list(const struct cli *c, const struct rt_table *t, const struct rt_row_env *env);
struct rt_row_env cli_env(const struct cli *c, const char *cluster);

/* The verbs that are more than their action. */
void verb_ls(struct cli *c);
void verb_table(struct cli *c);
void verb_show(struct cli *c);
void verb_why(struct cli *c);
void verb_logs(struct cli *c);
void verb_wait(struct cli *c);
void verb_check(struct cli *c);
void verb_doctor(struct cli *c);
void verb_stats(struct cli *c);
void verb_discover(struct cli *c);
void verb_shell(struct cli *c);
void verb_exec(struct cli *c);
void verb_cp(struct cli *c);
void verb_submit(struct cli *c);
void verb_forward(struct cli *c);
void verb_profile(struct cli *c);
void verb_run(struct cli *c);
void verb_edit(struct cli *c);
void verb_pod(struct cli *c);
/* Every other: readiness, question, run, follow its operation. */
void verb_action(struct cli *c);
/* Runs the call's action and follows it; `done` instead of ending when it went well (NULL: end 0). */
void cli_run_action(struct cli *c, void (*done)(struct cli *c, const char *result));

/* logs.c: follows a job's log to stdout and ends with the job's own end. */
void cli_follow_job(struct cli *c, const char *cluster, const char *job, bool follow, int64_t last_lines);

/* A piece of a log to stdout; `clean`: whole lines, kept in `line` until they are, made harmless for a terminal.
 * False: stdout takes nothing any more (errno). */
bool cli_print_log(struct rt_buf *line, bool clean, const char *data, size_t n);
/* The exit status that a job's end (enum rt_job_status) stands for. */
int cli_job_exit(int job_status);

/* tty.c */
struct cli_tty {
    struct rt_asker asker;
    struct rt_loop **loop;
};
/* Questions over /dev/tty; *loop is set before the first one. Lives in *t. */
const struct rt_asker *cli_asker(struct cli_tty *t, struct rt_loop **loop);
/* help.c */
void help_all(void);
void help_verb(const struct rt_action_def *d);
bool generate(const char *what); /* bash, zsh, fish; man, config: parts of the man pages */
/* man.c */
void man_options(const struct rt_option *o);
void man_verbs(void);
void man_config(void);

#endif
