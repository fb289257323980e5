/* What jobs wrote: NODE is what Ray said while it started there, NODE-job the batch output of the job of this name. */
#include "providers/batch_impl.h"
#include <stdio.h>
#include <stdlib.h>

struct batch_log {
    char *name;
    struct far_log log;
};

static void add(const struct rt_provider *p, const char *name, struct rt_strs *out) {
    far_log_named(p->conf->name, name, out);
}

void batch_machine_logs(struct rt_provider *p, struct rt_strs *out) {
    for (size_t i = 0; i < p->njobs; i++) {
        const struct bjob *j = p->jobs[i];
        if (i > 0 && !j->there && !j->booked)
            continue;
        add(p, j->node, out);
        for (size_t k = 0; k < j->up.n; k++)
            if (!rt_streq(j->up.v[k], j->node))
                add(p, j->up.v[k], out);
        char *job = rt_strf("%s-job", j->node);
        add(p, job, out);
        free(job);
    }
}

/* Its name in words of the shell; names of nodes are letters, digits and '-'. */
static bool file_of(const struct rt_provider *p, const char *name, char *out, size_t size) {
    for (size_t i = 0; i < p->njobs; i++) {
        const struct bjob *j = p->jobs[i];
        char *job = rt_strf("%s-job", j->node);
        const bool whole = rt_streq(name, job);
        free(job);
        if (!whole && !rt_streq(name, j->node) && !rt_strs_has(&j->up, name))
            continue;
        snprintf(out, size, "$D/jobs/%s/%s", j->node, whole ? "out" : "$NODE.log");
        return true;
    }
    return false;
}

void batch_machine_pull(struct rt_provider *p, const char *name) {
    char file[200];
    size_t i = 0;
    if (!file_of(p, name, file, sizeof file))
        return;
    while (i < p->nlogs && !rt_streq(p->logs[i].name, name))
        i++;
    if (i == p->nlogs) {
        for (size_t k = 0; k < p->nlogs; k++) /* it will move: what is under way begins anew */
            rt_op_drop(&p->logs[k].log.op);
        p->logs = rt_realloc(p->logs, ++p->nlogs * sizeof *p->logs);
        p->logs[i] = (struct batch_log){.name = rt_strdup(name)};
    }
    far_log_pull(&p->logs[i].log, p->env.hop, p->conf->name, name, file);
}

void batch_logs_drop(struct rt_provider *p) {
    for (size_t i = 0; i < p->nlogs; i++) {
        far_log_drop(&p->logs[i].log);
        free(p->logs[i].name);
    }
    free(p->logs);
}
