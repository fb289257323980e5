/* What the files of the configuration share. */
#ifndef RT_CORE_CONFIG_IMPL_H
#define RT_CORE_CONFIG_IMPL_H

#include "base/vec.h"
#include "core/config.h"
#include "core/provider.h"

/* The configuration as it is owned; faces see the first member. */
struct rt_config_own {
    struct rt_config c;
    const struct rt_ynode *hotkeys, *bound, *clusters; /* of the file that is being read */
    RT_VEC(struct rt_ynode *) merged; /* maps made of two; their items are the documents' */
    struct rt_cluster_conf *reading;  /* a problem now is one of this cluster */
    size_t first_problem;             /* of what is being read: nothing is said twice */
    bool memory;                      /* what is read stands in no file */
};

struct rt_config_own *rt_config_fresh(void); /* nothing but defaults; rt_config_destroy frees it */
void rt_config_problem(void *own, const struct rt_error *err); /* rt_yproblem_fn */
void rt_config_warning(struct rt_config_own *o, const struct rt_error *err);

/* `hotkeys:` of the configuration, or a whole keymap.yaml: keys to command lines, everywhere or per
 * view. */
void rt_bindings_read(struct rt_config_own *o, const struct rt_ynode *map);
/* `commands:`: names to command lines. */
void rt_commands_read(struct rt_config_own *o, const struct rt_ynode *map);
void rt_binding_deinit(struct rt_binding *b);

/* The value of a field in a map, by its key or one of its other names; NULL. */
const struct rt_ynode *rt_field_node(const struct rt_ynode *map, const struct rt_yfield *f);
bool rt_ynode_is_null(const struct rt_ynode *n);

#endif
