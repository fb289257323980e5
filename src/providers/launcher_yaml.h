/* Inside the launcher's files: values of the YAML as Ray's Python reads them, and what is said about them. */
#ifndef RT_PROVIDERS_LAUNCHER_YAML_H
#define RT_PROVIDERS_LAUNCHER_YAML_H

#include "providers/launcher_file.h"

/* What PyYAML (YAML 1.1) makes of a value. */
enum lkind { L_NULL, L_BOOL, L_INT, L_FLOAT, L_STR, L_DATE, L_LIST, L_MAP };
enum lkind launcher_kind(const struct rt_ynode *n);
const char *launcher_kind_name(enum lkind k);          /* "a text" */
bool launcher_int(const struct rt_ynode *n, int64_t *out); /* also 2.0, as JSON schema has it; NULL: false */
bool launcher_number(const struct rt_ynode *n, double *out);
bool launcher_true(const struct rt_ynode *n);          /* a boolean that is true */
const char *launcher_text(const struct rt_ynode *map, const char *key); /* a text under a key, "" counts; NULL */
bool launcher_empty(const struct rt_ynode *n);         /* what Python takes for false; NULL too */

/* A path in the file as this machine has it; gives it. */
char *launcher_path(const struct rt_launcher_file *f, const char *path);

/* What is said while a file is read. */
struct lwords {
    rt_yproblem_fn *problem;
    void *ctx;
    struct rt_strs *warnings;
    bool ok;
};
/* The hint may be NULL or "". Both texts are made clean. */
void launcher_problem(struct lwords *w, const struct rt_ynode *at, const char *hint, const char *fmt, ...) RT_PRINTF(4, 5);
void launcher_warning(struct lwords *w, const struct rt_ynode *at, const char *fmt, ...) RT_PRINTF(3, 4);

/* launcher_schema.c: kinds and keys as ray-schema.json wants them. */
void launcher_schema(const struct rt_ynode *root, struct lwords *w);
/* launcher_check.c: what Ray's code checks besides, and what its providers need; `f` is filled. */
void launcher_rules(const struct rt_launcher_file *f, struct lwords *w);
void launcher_disk(const struct rt_launcher_file *f, struct lwords *w); /* the files that it names */

extern const char *const launcher_types[]; /* all provider types that Ray knows */

#endif
