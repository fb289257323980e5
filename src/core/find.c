/* From what a person typed to the one job or node meant: whole ids, unique prefixes, names. */
#include "core/store.h"

#include "base/str.h"

#define CANDIDATES_SHOWN 4

/* How well a text fits an entity. */
enum fit { FIT_NOT, FIT_PREFIX, FIT_WHOLE };

static enum fit fit_of(const char *id, const char *text) {
    if (!id || !rt_starts(id, text))
        return FIT_NOT;
    return rt_streq(id, text) ? FIT_WHOLE : FIT_PREFIX;
}

static enum fit job_fit(const struct rt_job *j, const char *text) {
    const char *sub = j->submission_id;
    const char *bare = sub && rt_starts(sub, "raysubmit_") ? sub + strlen("raysubmit_") : NULL;
    enum fit best = fit_of(sub, text);
    best = RT_MAX(best, fit_of(bare, text));
    return RT_MAX(best, fit_of(j->job_id ? j->job_id : j->id, text));
}

static enum fit node_fit(const struct rt_node *n, const char *text) {
    enum fit best = fit_of(n->id, text);
    /* An address or a name names one thing only when it is whole: 10.0.0.1 is no short form
     * of 10.0.0.12. */
    if (rt_streq(n->ip, text) || rt_streq(n->name, text) || rt_streq(n->hostname, text) || rt_streq(n->unlike, text))
        best = FIT_WHOLE;
    return best;
}

/* What a walk over the candidates found. */
struct finding {
    const void *whole, *prefix;
    size_t nwhole, nprefix;
    struct rt_strs ids; /* of the first candidates */
};

static void note(struct finding *f, enum fit fit, const void *entity, const char *id) {
    if (fit == FIT_NOT)
        return;
    if (fit == FIT_WHOLE) {
        f->whole = entity;
        f->nwhole++;
    } else {
        f->prefix = entity;
        f->nprefix++;
    }
    if (f->ids.n < CANDIDATES_SHOWN)
        rt_strs_add(&f->ids, id);
}

static bool ambiguous(const struct finding *f, const char *kind, const char *text,
                      struct rt_error *err) {
    struct rt_buf list;
    rt_buf_init(&list, 0);
    for (size_t i = 0; i < f->ids.n; i++)
        rt_buf_addf(&list, "%s%s", i ? ", " : "", f->ids.v[i]);
    size_t all = f->nwhole + f->nprefix;
    if (all > f->ids.n)
        rt_buf_adds(&list, ", …");
    rt_error_set(err, RT_E_USAGE, "%zu %ss begin with \"%s\": %s", all, kind, text,
                 rt_buf_str(&list));
    rt_buf_deinit(&list);
    return rt_error_hint(err, "write more of the id");
}

/* The one that is meant, or NULL with the error. Frees the finding. */
static const void *settle(struct finding *f, const char *kind, const char *cluster,
                          const char *text, struct rt_error *err) {
    const void *one = f->nwhole == 1                      ? f->whole
                      : f->nwhole == 0 && f->nprefix == 1 ? f->prefix
                                                          : NULL;
    if (!one && f->nwhole + f->nprefix > 1)
        ambiguous(f, kind, text, err);
    else if (!one)
        rt_error_set(err, RT_E_NOT_FOUND, "no %s \"%s\" on %s", kind, text, cluster);
    rt_strs_deinit(&f->ids);
    return one;
}

const struct rt_job *rt_find_job(const struct rt_cluster *c, const char *text,
                                 struct rt_error *err) {
    const struct rt_job *known = rt_store_job(c, text);
    if (known)
        return known;
    struct finding f = {0};
    for (size_t i = 0; *text && i < c->jobs.n; i++)
        note(&f, job_fit(&c->jobs.v[i], text), &c->jobs.v[i], c->jobs.v[i].id);
    return settle(&f, "job", c->name, text, err);
}

/* Dead nodes are found too, but an alive one of the same address or name goes first. */
const struct rt_node *rt_find_node(const struct rt_cluster *c, const char *text,
                                   struct rt_error *err) {
    const struct rt_node *known = rt_store_node(c, text);
    if (known)
        return known;
    for (int alive = 1; *text && alive >= 0; alive--) {
        struct finding f = {0};
        for (size_t i = 0; i < c->nodes.n; i++)
            if (c->nodes.v[i].alive == (alive == 1))
                note(&f, node_fit(&c->nodes.v[i], text), &c->nodes.v[i], c->nodes.v[i].id);
        if (f.nwhole + f.nprefix || !alive)
            return settle(&f, "node", c->name, text, err);
    }
    struct finding none = {0};
    return settle(&none, "node", c->name, text, err);
}
