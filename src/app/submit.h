/* The submit form and verb: the same fields, from options or from a job that ran before. */
#ifndef RT_APP_SUBMIT_H
#define RT_APP_SUBMIT_H

#include "app/action.h"

struct rt_submit_form {
    char *entrypoint, *working_dir, *runtime_env_file, *runtime_env_json;
    char *env_vars;   /* "A=1 B=2", shell words; the value *** is that of the job `from` */
    char *from;       /* id of the job it was filled from */
    char *num_cpus, *num_gpus, *memory, *resources, *metadata, *submission_id, *excludes, *py_modules;
};
void rt_submit_form_deinit(struct rt_submit_form *f);
/* Filled as a job was submitted (`r`): entrypoint, env, resources as far as Ray tells them, and the local
 * directory and files as raytui remembers them. Values of env_vars are not shown: they stand as ***. */
void rt_submit_form_from_job(struct rt_app *a, const struct rt_cluster *c, const struct rt_job *j, struct rt_submit_form *out);
/* The call `submit …` that the form stands for. */
bool rt_submit_form_call(struct rt_app *a, const char *cluster, const struct rt_submit_form *f, struct rt_call *out,
                         struct rt_error *err);

/* What would be sent and what looks wrong, for the form's preview and --dry-run. */
struct rt_preview {
    char *body;
    struct rt_strs warnings;
    int64_t files, ignored, bytes; /* of the working directory; -1 without one */
};
typedef void rt_preview_fn(void *ctx, const struct rt_preview *p, const struct rt_error *err);
struct rt_op *rt_app_preview(struct rt_app *a, const struct rt_call *submit, rt_preview_fn *fn, void *ctx);

#endif
