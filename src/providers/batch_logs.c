/* What jobs wrote: NODE is what Ray said while it started there, NODE-job the batch output of the job of this name. */
#include "providers/batch_impl.h"
#include <stdio.h>
#include <stdlib.h>

struct batch_log {
    char *name;
    struct far_log log;
    struct batch_log *next;
};

void batch_machine_logs(struct rt_provider *p, struct rt_strs *out) {
    for (size_t i = 0; i < p->njobs; i++) {
        const struct bjob *j = p->jobs[i];
        if (i > 0 && !j->there && !j->booked)
            continue;
        far_log_named(p->conf->name, j->node, out);
        for (size_t k = 0; k < j->up.n; k++)
            if (!rt_streq(j->up.v[k], j->node))
                far_log_named(p->conf->name, j->up.v[k], out);
        char *job = rt_strf("%s-job", j->node);
        far_log_named(p->conf->name, job, out);
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

const char *batch_machine_pull(struct rt_provider *p, const char *name) {
    struct batch_log *l = p->logs;
    char file[200];
    if (!file_of(p, name, file, sizeof file))
        return NULL;
    while (l && !rt_streq(l->name, name))
        l = l->next;
    if (!l) {
        l = RT_NEW(struct batch_log);
        l->name = rt_strdup(name);
        l->next = p->logs;
        p->logs = l;
    }
    return far_log_pull(&l->log, p->env.hop, p->conf->name, name, file);
}

void batch_logs_drop(struct rt_provider *p) {
    for (struct batch_log *l = p->logs, *next; l; l = next) {
        next = l->next;
        far_log_drop(&l->log);
        free(l->name);
        free(l);
    }
    p->logs = NULL;
}
