/* The way to a head whose address is found out late (a cloud gives it): an ssh_config of the cluster's own, for rt_hop_aim and
 * for the person's `ssh -F`. */
#ifndef RT_PROVIDERS_HEADWAY_H
#define RT_PROVIDERS_HEADWAY_H

#include "base/error.h"

struct rt_headway {
    const char *host;          /* name or address, as ssh is to reach it */
    const char *user;          /* NULL: as configured */
    const char *key;           /* private key file, `~` allowed; NULL: as configured. No other key is offered then */
    const char *proxy_command; /* %h and %p as ssh's; NULL */
    const char *jump;          /* ProxyJump; NULL */
    const char *include;       /* the settings that hold for the rest; NULL: ~/.ssh/config */
    bool own_keys;             /* host keys are kept with the cluster and forgotten with it: clouds give addresses again */
};

/* Writes STATE/clusters/NAME/ssh_config and gives its path. Refuses what ssh would read as something else. */
bool rt_headway_write(const char *cluster, const struct rt_headway *w, char **path, struct rt_error *err);
/* The machines are gone: the file and their host keys go. */
void rt_headway_forget(const char *cluster);

#endif
