#include "providers/headway.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/journal.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool plain(const char *what, const char *value, bool quoted, struct rt_error *err) {
    for (const char *c = value; c && *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127 || (quoted && *c == '"')) {
            rt_error_set(err, RT_E_CONFIG, "%s: ssh takes no line break, control character%s there", what, quoted ? " or quote" : "");
            return false;
        }
    return true;
}

static void line(struct rt_buf *out, const char *key, const char *value) {
    if (value)
        rt_buf_addf(out, "    %s \"%s\"\n", key, value);
}

static void words(struct rt_buf *out, const char *cluster, const struct rt_headway *w) {
    char *known = rt_cluster_path(cluster, "known_hosts");
    rt_buf_addf(out, "Host %s\n", w->host);
    line(out, "User", w->user);
    line(out, "IdentityFile", w->key);
    line(out, "IdentitiesOnly", w->key ? "yes" : NULL);
    line(out, "UserKnownHostsFile", w->own_keys ? known : NULL);
    if (w->proxy_command)
        rt_buf_addf(out, "    ProxyCommand %s\n", w->proxy_command); /* to the end of the line, as it is */
    line(out, "ProxyJump", w->jump);
    /* The first value counts, so the person's own settings only fill what is open here. */
    rt_buf_addf(out, "Match all\n    Include \"%s\"\n", w->include ? w->include : "~/.ssh/config");
    free(known);
}

bool rt_headway_write(const char *cluster, const struct rt_headway *w, char **path, struct rt_error *err) {
    if (!plain("the head's address", w->host, true, err) || !plain("user", w->user, true, err) || !plain("key", w->key, true, err) ||
        !plain("ssh_proxy_command", w->proxy_command, false, err) || !plain("jump", w->jump, true, err) ||
        !plain("ssh_config", w->include, true, err))
        return false;
    if (!*w->host || strpbrk(w->host, " \t,*?!")) {
        rt_error_set(err, RT_E_CONFIG, "\"%s\" is no address of a host", w->host);
        return false;
    }
    struct rt_buf out;
    rt_buf_init(&out, 64 * RT_KIB);
    words(&out, cluster, w);
    char *file = rt_cluster_path(cluster, "ssh_config");
    const bool ok = rt_file_write(file, rt_buf_str(&out), out.len, err);
    rt_buf_deinit(&out);
    if (ok)
        *path = file;
    else
        free(file);
    return ok;
}

void rt_headway_forget(const char *cluster) {
    static const char *const files[] = {"ssh_config", "known_hosts"};
    for (size_t i = 0; i < RT_COUNT(files); i++) {
        char *path = rt_cluster_path(cluster, files[i]);
        unlink(path);
        free(path);
    }
}
