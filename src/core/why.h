/* Why something waits, failed, does not grow or stays. Pure: read off the store and nothing else.
 * Each line names the data it was derived from; what the data cannot tell is said to be not known,
 * never guessed. */
#ifndef RT_CORE_WHY_H
#define RT_CORE_WHY_H

#include "base/buf.h"
#include "core/store.h"

enum rt_why_kind {
    RT_WHY_CLUSTER,
    RT_WHY_POOL,
    RT_WHY_NODE,
    RT_WHY_JOB,
    RT_WHY_ACTOR,
    RT_WHY_TASK,
    RT_WHY_PG,
    RT_WHY_KINDS
};
const char *rt_why_kind_name(enum rt_why_kind k); /* as tables call one: "job", "placement-group" */
/* The kind of a table's rows ("jobs", "job"); RT_WHY_KINDS: there is no why of them. */
enum rt_why_kind rt_why_kind_of(const char *table);
/* Topics that an answer of this kind reads: what is looked at while it is shown. */
uint32_t rt_why_topics(enum rt_why_kind k);

/* What the store does not hold. All zero: nothing of it is known. */
struct rt_why_env {
    int64_t now_ms;
    const struct rt_resources
        *asked; /* what was asked when the job was submitted from here; NULL: not known */
    int64_t stop_asked_ms; /* wall; when its stop was asked from here; 0 */
};

struct rt_why_line {
    const char *text; /* clean */
    enum rt_topic from;
    int64_t at_ms; /* when that data came; 0: never */
};
/* One kind of node against what is asked for. */
struct rt_why_pool {
    const char *name;
    const char *type; /* "m5.large", else what a node of it has */
    const char *free; /* "3 nodes: GPU 0, 2, 4" */
    const char *ever; /* "never: no GPU" */
    enum rt_health health;
};
struct rt_why_action {
    const char *key, *text; /* "+", "one gpu node more" */
    const char *pool;       /* of a scaling; NULL */
};
/* Strings live in the arena, not in the store. */
struct rt_why {
    struct rt_arena *arena;
    enum rt_why_kind kind;
    const char *cluster, *id;
    const char *title;   /* "why is job X pending?" */
    const char *summary; /* one sentence */
    const char *brief; /* for a WHY column: "needs 8 GPU: 2 free at most"; "" when there is nothing
                          to say */
    struct rt_why_pool *pools;
    size_t npools;
    struct rt_why_line *lines;
    size_t nlines;
    struct rt_why_action action; /* key NULL: none fits */
};

/* The whole answer about one thing by its id. False when it is not in the store. */
bool rt_why(struct rt_why *out, const struct rt_cluster *c, enum rt_why_kind k, const char *id,
            const struct rt_why_env *env, struct rt_error *err);
void rt_why_deinit(struct rt_why *w);
/* What a person meant by `text` among what may be asked about: job, node, pool, actor, task,
 * placement group by id, unique prefix or name, then the cluster itself. `id` lends from the store.
 * Ambiguous: an error with the candidates. */
bool rt_why_find(const struct rt_cluster *c, const char *text, enum rt_why_kind *k, const char **id,
                 struct rt_error *err);

/* For WHY columns: the short form alone; appends nothing when there is nothing to say. */
void rt_why_brief(struct rt_buf *out, const struct rt_cluster *c, enum rt_why_kind k,
                  const char *id);

/* Of what an installer or a traceback wrote, the line that says what is wrong, as it is; NULL: none. */
const char *rt_installer_line(const char *text, size_t *n);

/* Clean text, each line with the age of its data in front. */
void rt_why_text(struct rt_buf *out, const struct rt_why *w, int64_t now_ms);
json_t *rt_why_json(const struct rt_why *w); /* gives it */

#endif
