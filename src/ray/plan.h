/* A submission worked out: runtime_env merged and checked, packages measured, the body of the
 * request. Its slow parts read files and run on a worker, which then owns it alone. */
#ifndef RT_RAY_PLAN_H
#define RT_RAY_PLAN_H

#include "base/vec.h"
#include "ray/client.h"
#include "ray/package.h"

#include <jansson.h>

/* Something local that must become a package before the job can run. */
struct rt_plan_package {
    char *path;
    bool working_dir; /* else the entry `index` of py_modules */
    size_t index;
    struct rt_package made;
};

struct rt_plan {
    char *entrypoint, *submission_id, *working_dir, *runtime_env;
    struct rt_strs env_defaults, env_vars, excludes, py_modules, metadata, resources;
    double num_cpus, num_gpus;
    int64_t memory_bytes;
    bool id_given; /* else a preview does not show it: another one is made when it is sent */

    json_t
        *env; /* what will be sent, without what only the client reads; never NULL once prepared */
    struct rt_strs warnings;
    RT_VEC(struct rt_plan_package) packages;
    struct rt_error err; /* of the last step on a worker */
    atomic_bool cancel;
    atomic_llong packed;
    size_t packing; /* which one rt_plan_pack packs */
};

/* Copies; makes a submission id where none is given. */
struct rt_plan *rt_plan_create(const struct rt_submit *s, struct rt_error *err);
void rt_plan_destroy(struct rt_plan *p);
/* On a worker; errors go to p->err. */
void rt_plan_prepare(struct rt_plan *p); /* merge, check, measure */
void rt_plan_pack(struct rt_plan *p);    /* the zip of one package */
/* Runs one of them; `done` on the loop. Who cancels sets p->cancel first: the plan is freed when
 * the worker lets go of it. */
struct rt_op *rt_plan_run(struct rt_loop *l, struct rt_plan *p, void (*step)(struct rt_plan *),
                          rt_loop_fn *done, void *ctx);
/* The body of POST /api/jobs/; gives it. NULL with err: a resource is no number. */
char *rt_plan_body(const struct rt_plan *p, bool preview, bool show_env, struct rt_error *err);

/* ---- runtime_env.c, wheels.c: pieces of rt_plan_prepare ---- */

/* env_vars of cluster, file and call, lowest first; numbers become text. */
bool rt_env_merge_vars(json_t *env, const struct rt_strs *under, const struct rt_strs *over,
                       struct rt_strs *warnings, struct rt_error *err);
/* "pip: requirements.txt", "conda: environment.yml": files of this machine become what is in them.
 */
bool rt_env_inline_files(json_t *env, struct rt_error *err);
/* Wheels that are meant to lie in the working directory and do not. */
void rt_env_check_wheels(const json_t *env, const char *working_dir, const struct rt_strs *excludes,
                         struct rt_strs *warnings);

#endif
