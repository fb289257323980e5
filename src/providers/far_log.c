/* Start-up logs on the far side: what `ray start` and all before it wrote, which Ray's own API does not know. */
#include "base/fs.h"
#include "providers/far.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024 };

static char *copy_of(const char *cluster, const char *node) {
    char *file = rt_strf("machine-%s.log", node), *path = rt_cluster_path(cluster, file);
    free(file);
    return path;
}

void far_log_named(const char *cluster, const char *node, struct rt_strs *out) {
    char *path = copy_of(cluster, node);
    rt_strs_addf(out, "%s\t%s", node, path);
    free(path);
}

/* "SIZE", then what comes after the bytes that are here. A smaller file is another one: it is read from its begin. */
static void pulled(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct far_log *l = ctx;
    struct rt_error ignored = {0};
    l->op = NULL;
    const char *text = err ? NULL : strchr(r->out, '\n');
    if (!err)
        l->note = l->pulled ? NULL : r->status != 0 ? "there is no such log on its machine yet" : "nothing was written yet";
    if (!text || r->status != 0)
        return;
    const int64_t size = strtoll(r->out, NULL, 10);
    const size_t len = r->out_len - (size_t)(text + 1 - r->out);
    if (size < l->pulled) {
        l->pulled = truncate(l->path, 0) == 0 ? 0 : l->pulled;
    } else if (len && rt_file_append(l->path, text + 1, len, false, &ignored)) {
        l->pulled += (int64_t)len;
        l->note = NULL;
    }
}

const char *far_log_pull(struct far_log *l, struct rt_hop *hop, const char *cluster, const char *node, const char *file) {
    if (l->op)
        return l->note;
    if (!l->path)
        l->path = copy_of(cluster, node);
    /* what an earlier run left goes, in place: somebody has it open */
    if (!l->pulled && truncate(l->path, 0) != 0)
        return NULL;
    struct rt_buf b;
    rt_buf_init(&b, RT_MIB);
    far_begin(NULL, cluster, &b);
    far_set(&b, "NODE", node);
    rt_buf_addf(&b, "f=%s\n[ -r \"$f\" ] || die \"no $f\"\nwc -c <\"$f\"\ntail -c +%lld \"$f\" | head -c %d\n", file,
                (long long)l->pulled + 1, CHUNK);
    far_end(&b);
    rt_hop_open(hop, false);
    const struct rt_exec_opts o = {.script = rt_buf_str(&b)};
    l->op = rt_hop_exec(hop, &o, pulled, l);
    rt_buf_deinit(&b);
    return l->note;
}

void far_log_drop(struct far_log *l) {
    rt_op_drop(&l->op);
    free(l->path);
    *l = (struct far_log){0};
}
