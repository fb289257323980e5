/* Start-up logs of hosts: what `ray start` and all before it wrote, which Ray's own API does not know. */
#include "base/fs.h"
#include "providers/ssh.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024 };

static char *copy_of(const struct snode *n) {
    char *file = rt_strf("machine-%s.log", n->name), *path = rt_cluster_path(n->provider->conf->name, file);
    free(file);
    return path;
}

static bool has_log(const struct snode *n) {
    return n == n->provider->nodes[0] || n->booked || n->touched || n->state != SNODE_ABSENT;
}

void ssh_machine_logs(struct rt_provider *p, struct rt_strs *out) {
    for (size_t i = 0; i < p->nnodes; i++) {
        char *path = copy_of(p->nodes[i]);
        if (has_log(p->nodes[i]))
            rt_strs_addf(out, "%s\t%s", p->nodes[i]->name, path);
        free(path);
    }
}

/* "SIZE", then what comes after the bytes that are here. A smaller file is another one: it is read from its begin. */
static void pulled(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct snode *n = ctx;
    struct rt_error ignored = {0};
    n->pull = NULL;
    const char *text = err ? NULL : strchr(r->out, '\n');
    if (!text || r->status != 0)
        return;
    const int64_t size = strtoll(r->out, NULL, 10);
    const size_t len = r->out_len - (size_t)(text + 1 - r->out);
    char *path = copy_of(n);
    if (size < n->pulled) {
        n->pulled = truncate(path, 0) == 0 ? 0 : n->pulled;
    } else if (len && rt_file_append(path, text + 1, len, false, &ignored)) {
        n->pulled += (int64_t)len;
    }
    free(path);
}

void ssh_machine_pull(struct rt_provider *p, const char *name) {
    struct snode *n = ssh_node_named(p, name);
    if (!n || n->pull)
        return;
    if (!n->pulled) { /* what an earlier run left goes, in place: somebody has it open */
        char *path = copy_of(n);
        const bool gone = truncate(path, 0) == 0;
        free(path);
        if (!gone)
            return;
    }
    struct rt_buf b;
    rt_buf_init(&b, RT_MIB);
    far_begin(NULL, p->conf->name, &b);
    far_set(&b, "NODE", n->name);
    rt_buf_addf(&b, "f=$D/$NODE.log\n[ -r \"$f\" ] || die \"no $f\"\nwc -c <\"$f\"\ntail -c +%lld \"$f\" | head -c %d\n",
                (long long)n->pulled + 1, CHUNK);
    far_end(&b);
    rt_hop_open(ssh_node_hop(n), false);
    const struct rt_exec_opts o = {.script = rt_buf_str(&b)};
    n->pull = rt_hop_exec(ssh_node_hop(n), &o, pulled, n);
    rt_buf_deinit(&b);
}
