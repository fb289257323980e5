/* run: a job on a cluster of its own; its log on stdout, what happens to the cluster on stderr. */
#include "app/work.h"
#include "cli/internal.h"
#include <stdio.h>
#include <unistd.h>

static void print(void *ctx, const char *data, size_t n) {
    struct cli *c = ctx;
    cli_print_log(&c->line, isatty(STDOUT_FILENO), data, n);
    fflush(stdout);
}

static void started(struct cli *c, struct rt_operation *op) {
    rt_buf_init(&c->line, 4 * RT_MIB);
    rt_work_on_data(c->app, op, print, c);
}

/* The job's own end is the verb's. */
static bool told(struct cli *c, struct rt_operation *op) {
    struct rt_work_status st;
    if (c->line.len)
        print(c, "\n", 1);
    if (!rt_work_status(c->app, op, &st))
        return false;
    if (st.kept)
        out_note("raytui: %s is kept: `raytui down %s` removes it", st.cluster, st.cluster);
    if (!st.job_status || op->state == RT_OPS_CANCELLED)
        return false;
    if (op->state == RT_OPS_FAILED)
        out_note("raytui: %s%s%s", op->error.message, op->error.hint[0] ? "; " : "", op->error.hint);
    else
        out_note("raytui: %s", op->result);
    cli_end(c, op->state == RT_OPS_FAILED ? RT_MAX(cli_job_exit(st.job_status), 1) : 0);
    return true;
}

void verb_run(struct cli *c) {
    c->started = started;
    c->told = told;
    cli_run_action(c, NULL);
}
