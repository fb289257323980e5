/* The configuration: ~/.config/raytui/config.yaml and clusters.d/NAME.yaml, with their defaults. Every
 * problem is kept with file:line:column; a cluster with a problem does not take the others down. */
#ifndef RT_CORE_CONFIG_H
#define RT_CORE_CONFIG_H

#include "base/yaml.h"
#include "net/hop.h"

struct rt_provider_ops;

enum rt_attach { RT_ATTACH_AUTO, RT_ATTACH_MANUAL, RT_ATTACH_PORTS };

/* A secret is had from a file, an environment variable, a command (argv, 10 s), or (in a 0600 file) in clear. */
struct rt_secret_conf {
    char *value, *file, *env, *command;
};

struct rt_port_conf {
    char *host; /* NULL: the head */
    int port;
};

struct rt_cluster_conf {
    char *name;
    char *provider;
    const struct rt_provider_ops *ops; /* NULL: unknown provider (a problem) */
    const char *file; /* where it stands; NULL for ad-hoc targets */
    int line, column;
    bool broken;      /* has problems: listed, not attached */

    char *source_file; /* `file:`, absolute */
    int transport;     /* enum rt_transport */
    int attach;        /* enum rt_attach */
    struct rt_strs ports;       /* "8265", "10001", "HOST:PORT" */
    struct rt_strs local_ports; /* "8265=9000" */
    char *hop, *ssh_config, *proxy, *ca_file, *headers_command;
    char *client_python;        /* command line of the Python that runs ray:// clients here */
    struct rt_secret_conf token;
    struct rt_strs headers;     /* "Name=value" */
    struct rt_strs env_vars;    /* "K=V", merged under a job's own */
    char *runtime_env;          /* file */
    struct rt_strs entrypoints; /* "name=template" */
    char *user_script; /* a command line, or JSON text of {entrypoint, working_dir, runtime_env} */
    bool readonly, ephemeral;
    int64_t refresh_ms, idle_timeout_ms, lifetime_ms, up_timeout_ms; /* 0: default or none */
    double price_per_hour;
    void *own; /* provider's struct, filled by its field table; NULL */
    struct rt_ydoc *doc; /* keeps what RT_Y_NODE fields point into; shared, not owned */
    const struct rt_ynode *node; /* its map (that of `file:` merged in), for positions in messages */
};

/* A key bound to a command line, a user command. */
struct rt_binding {
    char *view, *key, *command, *help; /* view NULL: everywhere; command NULL: the key does nothing */
    bool confirm, writes;              /* writes: hidden in read-only mode */
};

struct rt_config {
    char *path; /* of config.yaml (exists or not) */
    char *theme, *default_cluster, *notify;
    bool ascii, mouse, animations, readonly;
    int64_t refresh_ms, max_answer_bytes, log_cache_bytes;
    struct rt_strs aliases; /* "k=v" */
    struct rt_binding *bindings; /* hotkeys, keymap.yaml */
    size_t nbindings;
    struct rt_binding *commands; /* user commands by name (`key` is the name) */
    size_t ncommands;
    struct rt_cluster_conf **clusters;
    size_t nclusters;
    struct rt_error *problems; /* in the order of the files */
    size_t nproblems;
    struct rt_error *warnings; /* what works but should not stay so: secrets in clear, files others can change */
    size_t nwarnings;
    struct rt_ydoc **docs;
    size_t ndocs;
};

/* `path` NULL: the usual place (absent is fine; a named file must exist). `providers` ends with NULL.
 * Gives the configuration always; what is wrong stands in `problems`. */
struct rt_config *rt_config_load(const char *path, const struct rt_provider_ops *const *providers);
void rt_config_destroy(struct rt_config *c);
struct rt_cluster_conf *rt_config_cluster(const struct rt_config *c, const char *name);
/* An ad-hoc cluster with a provider's defaults (`raytui http://…`): added to the configuration in memory.
 * `text` is a YAML map of its fields. NULL with the first problem, or RT_E_CONFLICT when the name is taken. */
struct rt_cluster_conf *rt_config_add(struct rt_config *c, const char *name, const char *text,
                                      const struct rt_provider_ops *const *providers, struct rt_error *err);
/* Would a file of clusters.d with this text do? False with its first problem, without its place. Nothing is kept. */
bool rt_config_try(const char *text, const struct rt_provider_ops *const *providers, struct rt_error *err);
/* Remembers what a cluster of `provider: auto` was found to be, for as long as its login node stays the same: it is read so from
 * the next load on. */
bool rt_config_settle(const struct rt_cluster_conf *conf, const char *provider, struct rt_error *err);
/* [a-z0-9][a-z0-9-]*, at most 40, and no verb. `verbs` NULL-terminated. */
bool rt_cluster_name_ok(const char *name, const char *const *verbs, struct rt_error *err);
/* The canonical form of a cluster or of all, defaults left out, secrets masked; appends YAML. */
void rt_config_print(const struct rt_config *c, const struct rt_cluster_conf *only, struct rt_buf *out);

/* For man pages, forms and `check`. A field without help is another spelling of one that has it. */
extern const struct rt_yfield rt_config_fields[], rt_cluster_fields[];

/* Gets a secret's text (file trimmed of the final newline; a command runs by argv, on the loop). */
typedef void rt_secret_fn(void *ctx, const char *value, const struct rt_error *err);
struct rt_op *rt_secret_get(struct rt_loop *l, const struct rt_secret_conf *s, rt_secret_fn *fn, void *ctx);
bool rt_secret_set(const struct rt_secret_conf *s); /* is one configured? */

#endif
