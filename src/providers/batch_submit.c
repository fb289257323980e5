/* Python and Ray on the login node, then one job after the other into the queue. */
#include "providers/batch_impl.h"
#include <stdlib.h>
#include <string.h>

enum { PREPARE_MS = 20 * 60 * 1000, SUBMIT_MS = 120000 };

static void submit_next(struct btask *t);

/* What the scheduler refused, beside the field that it means. */
static void refused(struct btask *t, struct bjob *j, const char *text) {
    struct rt_provider *p = t->provider;
    struct rt_error err = {0}, ignored = {0};
    char raw[400], sentence[400];
    const char *field = p->dialect->refused(text, raw, sizeof raw);
    const struct rt_ynode *at = field ? batch_conf_at(p->conf, j == p->jobs[0] ? NULL : j->pool, field) : NULL;
    rt_clean_to(sentence, sizeof sentence, raw);
    if (at)
        rt_ynode_error(at, &err, "%s%s%s: %s refuses it: %s", field, at->text ? ": " : "", at->text ? at->text : "", p->dialect->submit, sentence);
    else
        rt_error_set(&err, RT_E_REMOTE, "%s refuses the job: %s", p->dialect->submit, sentence);
    if (field && !at)
        rt_error_hint(&err, "`%s:` in the configuration of %s says what to use", field, p->conf->name);
    else
        rt_error_hint(&err, "`raytui doctor %s` tells what %s offers", p->conf->name, p->dialect->scheduler);
    rt_journal_gone(p->journal, "batch-job", j->node, &ignored);
    j->booked = false;
    free(j->refused);
    j->refused = rt_strdup(sentence);
    if (j == p->jobs[0]) {
        j->wanted = false;
        batch_task_fail(t, &err);
        return;
    }
    j->wanted = false;
    batch_task_note(t, &err);
    batch_task_end_step(t, &err);
    submit_next(t);
}

/* Lines that begin with `word`, without it; gives the text. */
static char *lines_of(const char *text, const char *word) {
    struct rt_buf b;
    const size_t skip = strlen(word);
    rt_buf_init(&b, 64 * RT_KIB);
    while (*text) {
        const size_t n = strcspn(text, "\n");
        if (n >= skip && strncmp(text, word, skip) == 0) {
            rt_buf_add(&b, text + skip, n - skip);
            rt_buf_addc(&b, '\n');
        }
        text += n + (text[n] == '\n');
    }
    return rt_buf_take(&b);
}

static void submitted(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    struct btask *t = p->task;
    struct bjob *j = t->submitting;
    struct rt_error e = {0};
    if (!batch_task_went_well(p, r, err, &e)) {
        batch_task_fail(t, &e);
        return;
    }
    char *id = lines_of(r->out, "id ");
    id[strcspn(id, "\n")] = 0;
    if (p->dialect->id_ok(id)) {
        free(j->id);
        j->id = id;
        j->there = true;
        j->state = BATCH_QUEUED;
        rt_journal_made(p->journal, "batch-job", j->node, id, NULL, &e);
        char *text = rt_strf("job %s", id);
        batch_task_say(t, text);
        free(text);
        batch_show(p);
        submit_next(t);
        return;
    }
    free(id);
    char *text = lines_of(r->out, "refused ");
    refused(t, j, text);
    free(text);
}

static void submit(struct btask *t, struct bjob *j) {
    struct rt_provider *p = t->provider;
    struct rt_error err = {0};
    struct rt_buf b = batch_script_buf();
    const struct batch_script s = batch_script_of(p, j);
    t->submitting = j;
    batch_task_step(t, j->node, "submitting its job");
    if (!rt_journal_want(p->journal, t->operation->id, "batch-job", j->node, NULL, &err)) {
        rt_buf_deinit(&b);
        batch_task_fail(t, &err);
        return;
    }
    j->booked = true;
    free(j->refused);
    j->refused = NULL;
    batch_script_submit(&s, &b);
    batch_task_run(p, &b, SUBMIT_MS, submitted);
}

/* The head comes first: the workers' jobs wait for its. */
static void submit_next(struct btask *t) {
    struct rt_provider *p = t->provider;
    batch_task_enter(t, BT_SUBMIT);
    for (size_t i = 0; i < p->njobs; i++) {
        struct bjob *j = p->jobs[i];
        if (j->wanted && !j->id) {
            submit(t, j);
            return;
        }
    }
    batch_task_wait(t);
}

/* ---- Python and Ray ---- */

static void prepared(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    struct rt_error e = {0};
    if (!batch_task_went_well(p, r, err, &e)) {
        batch_task_fail(p->task, &e);
        return;
    }
    far_prepared(r->out, &p->ray, &p->python, NULL);
    if (!p->ray || !p->python) {
        rt_error_set(&e, RT_E_PROTOCOL, "%s does not say where Ray is", p->own->login);
        batch_task_fail(p->task, &e);
        return;
    }
    submit_next(p->task);
}

void batch_task_prepare(struct btask *t) {
    struct rt_provider *p = t->provider;
    struct rt_buf b = batch_script_buf();
    const struct batch_script s = batch_script_of(p, NULL);
    batch_task_step(t, p->own->login, "Python and Ray");
    batch_task_enter(t, BT_PREPARE);
    batch_script_prepare(&s, &b);
    batch_task_run(p, &b, PREPARE_MS, prepared);
}
