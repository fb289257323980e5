/* The YAML of Ray's cluster launcher (`ray up FILE`): read with Ray's own rules and defaults, checked before it costs
 * anything, edited without touching a comment, written from templates; and the `.env` beside it. What Ray keeps to its
 * providers (node_config) stays opaque. Facts: ray/autoscaler/ray-schema.json, _private/util.py, _private/local/config.py. */
#ifndef RT_PROVIDERS_LAUNCHER_FILE_H
#define RT_PROVIDERS_LAUNCHER_FILE_H

#include "base/yaml.h"

#define RT_LAUNCHER_LOCAL_TYPE "local.cluster.node" /* the one node type of provider `local` */

/* An entry of available_node_types, Ray's defaults applied. */
struct rt_launcher_type {
    char *name;
    int64_t min, max;        /* workers; max of the head's type is 0 where none is said */
    bool min_given, max_given;
    bool head;               /* the head is one of these */
    double idle_timeout_s;   /* its own; < 0: the cluster's */
    struct rt_strs resources; /* "CPU=4" */
    struct rt_strs labels;    /* "key=value" */
    char *image;             /* docker.worker_image; NULL: the cluster's */
    int line, column;        /* of its name; 0: Ray's own default type, not in the file */
};

struct rt_launcher_auth {
    char *user;
    char *key;           /* ssh_private_key, absolute; NULL: Ray makes or finds one */
    char *proxy_command; /* NULL */
    bool proxy_node_id;  /* the proxy command wants the provider's node id instead of an address */
};

struct rt_launcher_docker {
    bool on; /* Ray runs in a container: name and image are there */
    char *image, *head_image, *worker_image, *container;
    bool podman;
};

struct rt_launcher_file {
    char *path;         /* absolute */
    char *cluster_name;
    char *type;         /* provider.type: "local", "aws", ...; "" unknown */
    struct rt_strs provider; /* its scalars as "key=value" in their order: region, project_id, ...; not what may be secret */
    char *module;       /* provider.module of `external`; NULL */
    char *region, *zone, *project; /* region (azure: location), availability_zone, project_id; NULL */
    char *head_ip, *external_head_ip, *coordinator; /* of `local`; NULL */
    struct rt_strs worker_ips;
    bool internal_ips;  /* the head is reached by its inner address */
    struct rt_launcher_auth auth;
    struct rt_launcher_docker docker;
    int64_t max_workers; /* of the whole cluster */
    double idle_timeout_minutes, upscaling_speed;
    struct rt_launcher_type *types;
    size_t ntypes;
    char *head_type;    /* never NULL */
    int dashboard_port, client_port, gcs_port; /* as head_start_ray_commands say, else Ray's own */
    struct rt_strs warnings; /* "FILE:LINE:COLUMN: text": Ray takes it, but not as it was meant */
    struct rt_ydoc doc; /* for positions in messages */
};

/* Reads text. Problems (each with file, line, column and a hint) are what `ray up` refuses; what is understood is filled
 * in any case, with no NULL in cluster_name, type, auth.user. False if anything was reported. Deinit always. Nothing but
 * the text is looked at. */
bool rt_launcher_parse(const char *path, const char *text, size_t n, struct rt_launcher_file *out, rt_yproblem_fn *problem,
                       void *ctx);
/* The same of a file, and then the key that it names: there, private, ours to read. Relative paths count from the file's own
 * directory: `ray` is to be run there. */
bool rt_launcher_load(const char *path, struct rt_launcher_file *out, rt_yproblem_fn *problem, void *ctx);
/* What only `ray up` needs on this machine, and misses when the head's machine is paid for already: the local side of file_mounts.
 * Tells the first. */
bool rt_launcher_ready(const struct rt_launcher_file *f, struct rt_error *err);
void rt_launcher_deinit(struct rt_launcher_file *f);

const struct rt_launcher_type *rt_launcher_type(const struct rt_launcher_file *f, const char *name); /* NULL */
/* The address of the head where the file says it (`local`), else NULL: `ray get-head-ip` knows. */
const char *rt_launcher_head(const struct rt_launcher_file *f);

/* ---- changes ---- */

/* The text with `min_workers` or `max_workers` of a node type set to n; all other bytes stay. A key that is missing is
 * put in. With provider `local` the type is RT_LAUNCHER_LOCAL_TYPE and the key that of the file itself. Refused
 * (RT_E_UNSUPPORTED, with the reason) where another value would change too: anchors, merged maps. `out` is
 * initialised by the caller; it holds the text on success only. */
bool rt_launcher_edit(const char *path, const char *text, size_t n, const char *type, const char *key, int64_t value, struct rt_buf *out,
                      struct rt_error *err);
/* What differs, as a unified diff with two lines around it; appends nothing when they are equal. */
void rt_launcher_diff(const char *path, const char *before, const char *after, struct rt_buf *out);

/* ---- the environment ---- */

/* Reads lines KEY=VALUE (`export`, quotes, comments) as "KEY=VALUE"; nothing is expanded. Values are registered as secrets and never stand
 * in an error. */
bool rt_launcher_env_parse(const char *path, const char *text, size_t n, struct rt_strs *out, struct rt_error *err);
bool rt_launcher_env_load(const char *path, struct rt_strs *out, struct rt_error *err);

/* ---- what a provider type needs ---- */

struct rt_launcher_need {
    const char *type;
    const char *modules; /* Python modules that must import, blanks between: "googleapiclient google.oauth2"; "" none */
    const char *install; /* "pip install google-api-python-client ..."; NULL */
    const char *login;   /* how one authenticates: "gcloud auth application-default login"; NULL */
};
/* NULL for a type that Ray does not have. */
const struct rt_launcher_need *rt_launcher_need(const char *type);

/* ---- templates ---- */

extern const char *const rt_launcher_clouds[]; /* "local", "gcp", "aws", "azure", NULL */
/* A commented YAML for a cloud and a sample of its environment; both appended. False: no such cloud. */
bool rt_launcher_template(const char *cloud, const char *name, struct rt_buf *yaml, struct rt_buf *env, struct rt_error *err);
/* `asks` and `init` of the provider: the template as files, unless `set` names a file. */
struct rt_init_files;
extern const struct rt_yfield launcher_asks[];
bool launcher_init(const char *name, struct rt_strs *set, struct rt_init_files *out, struct rt_error *err);

#endif
