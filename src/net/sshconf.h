/* The person's own SSH settings, by asking `ssh -G HOST` (OpenSSH's words; nothing is contacted).
 */
#ifndef RT_NET_SSHCONF_H
#define RT_NET_SSHCONF_H

#include "base/str.h"
#include "net/loop.h"

struct rt_sshconf {
    char *hostname, *user, *proxyjump, *proxycommand, *hostkeyalias, *identityagent;
    int port;
    bool identitiesonly;
    char *stricthostkeychecking; /* "ask", "yes", "no", "accept-new" */
    struct rt_strs identityfile, certificatefile, userknownhostsfile,
        globalknownhostsfile;                                     /* ~ expanded */
    int serveraliveinterval, serveralivecountmax, connecttimeout; /* s; 0 when unset */
};

/* Parses what `ssh -G` printed. Unknown keys pass. */
bool rt_sshconf_parse(const char *text, struct rt_sshconf *out, struct rt_error *err);
void rt_sshconf_copy(struct rt_sshconf *to, const struct rt_sshconf *from);
void rt_sshconf_deinit(struct rt_sshconf *c);

typedef void rt_sshconf_fn(void *ctx, const struct rt_sshconf *c, const struct rt_error *err);
/* `target` is [user@]host[:port]; `config_file` (ssh -F) may be NULL. Without an ssh program: host,
 * 22, $USER and the default key files. */
struct rt_op *rt_sshconf_resolve(struct rt_loop *l, const char *target, const char *config_file,
                                 rt_sshconf_fn *fn, void *ctx);

/* [ssh://][user@]host[:port], an IPv6 address with a port in brackets. */
struct rt_ssh_target {
    char *user; /* NULL: not said */
    char *host;
    int port; /* 0: not said */
};
bool rt_ssh_target_parse(const char *text, struct rt_ssh_target *out, struct rt_error *err);
void rt_ssh_target_deinit(struct rt_ssh_target *t);

#endif
