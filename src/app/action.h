/* Verbs: one table serves keys, `:` command lines, the command line, help, man page and completion. */
#ifndef RT_APP_ACTION_H
#define RT_APP_ACTION_H

#include "app/app.h"

enum rt_target_kind {
    RT_ON_NOTHING,
    RT_ON_CLUSTER,  /* CLUSTER first */
    RT_ON_POOL,     /* CLUSTER POOL */
    RT_ON_NODE,     /* CLUSTER NODE */
    RT_ON_RAYJOB,   /* CLUSTER RAYJOB, as NAME or NAMESPACE/NAME */
    RT_ON_RAYSERVICE,
    RT_ON_JOB,      /* JOB…, the cluster by --cluster */
    RT_ON_FORWARD,
    RT_ON_OPERATION
};
enum rt_confirm { RT_CONFIRM_NONE, RT_CONFIRM_YES_NO, RT_CONFIRM_TYPE_NAME };

struct rt_option {
    const char *name;  /* "working-dir"; NULL ends the table */
    char letter;       /* 0: none */
    const char *value; /* "DIR"; NULL: a flag */
    const char *help;
    bool repeat;
};

struct rt_call;
struct rt_action_def;

/* `op` is set when it goes on as an operation: its end tells the result. */
typedef void rt_action_done_fn(void *ctx, const struct rt_error *err, const char *message, struct rt_operation *op);

/* What a dialog says before it happens. */
struct rt_confirmation {
    enum rt_confirm grade; /* may be higher or lower than the table's */
    char *title;           /* "Stop 3 jobs on prod?" */
    char *text;            /* what, where, what it costs; several lines; NULL */
    char *equivalent;      /* the call or command a person could type; NULL */
    char *name;            /* what must be typed for RT_CONFIRM_TYPE_NAME */
    uint64_t seen;         /* changes when the object changed while the dialog was open */
};
void rt_confirmation_deinit(struct rt_confirmation *c);

struct rt_action_def {
    const char *name;  /* NULL ends the table */
    const char *args;  /* usage after the name: "CLUSTER POOL N|+N|-N" */
    const char *help;  /* one line */
    enum rt_target_kind target;
    uint32_t need;     /* enum rt_cap of the provider; 0 */
    enum rt_confirm confirm;
    bool writes;       /* refused in read-only mode */
    const struct rt_option *options; /* NULL */
    const char *view;  /* opens this view on the screen, prints this table on the command line; NULL */
    int tail;          /* words that follow the target: the number of `scale` */
    /* May it run on this now? False with the reason (a dim key). NULL: by `need` and `writes` alone. */
    bool (*ready)(struct rt_app *a, const struct rt_call *c, struct rt_error *err);
    /* What the question says; NULL: made from the names. */
    bool (*ask)(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err);
    /* Starts it. NULL: a face of its own does it (views, forms, CLI-only verbs). May return NULL when it was over at
     * once; `done` runs exactly once in any case, later, unless cancelled. */
    struct rt_op *(*run)(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);
};

extern const struct rt_action_def rt_actions[];
const struct rt_action_def *rt_action_find(const char *name);
/* Names of all verbs, NULL-terminated, for completion and nearest. */
const char *const *rt_action_names(void);

/* A parsed call. */
struct rt_call {
    const struct rt_action_def *def;
    char *cluster;          /* store's name; NULL when the verb needs none */
    struct rt_strs args;    /* after the cluster: pool and number, job ids, … */
    struct rt_strs options; /* "name=value", flags "name" */
    struct rt_strs command; /* after "--" */
};
/* Defaults from the selection: what CLUSTER, POOL, NODE, JOB mean when they are left out. */
struct rt_selection {
    const char *cluster, *pool, *node, *rayjob, *rayservice, *forward, *operation;
    const struct rt_strs *jobs; /* marked or selected */
};
/* `words` from the verb on. Options may stand anywhere before "--"; "+2" and "-2" are values. The nearest verb
 * or option is named when one is unknown. `sel` may be NULL. Resolves --cluster and --address. */
bool rt_call_parse(struct rt_app *a, const char *const *words, const struct rt_selection *sel, struct rt_call *out,
                   struct rt_error *err);
void rt_call_deinit(struct rt_call *c);
const char *rt_call_option(const struct rt_call *c, const char *name); /* last value, "" for a flag; NULL: absent */
size_t rt_call_options(const struct rt_call *c, const char *name, struct rt_strs *out); /* all values */
/* A command line that parses to the same call; gives it. */
char *rt_call_text(const struct rt_call *c);

/* All checks before it may run: read-only, provider's power, ready. */
bool rt_call_ready(struct rt_app *a, const struct rt_call *c, struct rt_error *err);
bool rt_call_ask(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err);
struct rt_op *rt_call_run(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);

#endif
