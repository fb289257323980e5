/* The size of a node type is what the YAML says: min_workers, sometimes max_workers, changed in the person's own file. */
#include "base/fs.h"
#include "base/log.h"
#include "base/shell.h"
#include "providers/launcher.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the file ---- */

static bool read_text(const char *path, struct rt_buf *out, struct rt_error *err) {
    rt_buf_init(out, RT_MIB);
    if (rt_file_read(path, out->max, out, err))
        return true;
    rt_buf_deinit(out);
    return false;
}

bool launcher_file_write(const struct rt_provider *p, const char *before, const char *after, struct rt_error *err) {
    struct rt_buf now;
    struct stat st;
    char *path = realpath(p->file.path, NULL); /* of a link: what it leads to */
    bool ok = false;
    if (!path || stat(path, &st) != 0)
        rt_error_set(err, RT_E_IO, "%s: %s", p->file.path, strerror(errno));
    else if (read_text(path, &now, err)) {
        ok = rt_streq(rt_buf_str(&now), before);
        rt_buf_deinit(&now);
        if (!ok)
            rt_error_set(err, RT_E_CONFLICT, "%s was changed meanwhile: nothing is written", p->file.path);
    }
    if (ok) {
        char *fresh = rt_strf("%s.raytui-new", path);
        ok = rt_file_write(fresh, after, strlen(after), err);
        const bool foreign = st.st_uid != geteuid() || st.st_gid != getegid();
        if (ok && ((foreign && chown(fresh, st.st_uid, st.st_gid) != 0) || chmod(fresh, st.st_mode & 07777) != 0 || rename(fresh, path) != 0))
            ok = rt_error_set(err, RT_E_IO, "%s: %s", p->file.path, strerror(errno));
        if (!ok)
            unlink(fresh);
        free(fresh);
    }
    free(path);
    return ok;
}

/* ---- what becomes of it ---- */

struct change {
    const struct rt_launcher_type *type;
    int64_t from, to;
    int64_t min, max; /* of the file afterwards */
};

static bool limits(const struct rt_provider *p, const struct change *c, struct rt_error *err) {
    int64_t sum = 0;
    if (c->min > c->max)
        return rt_error_set(err, RT_E_USAGE, "pool %s: min %lld is above max %lld", c->type->name, (long long)c->min, (long long)c->max);
    for (size_t i = 0; i < p->file.ntypes; i++)
        sum += &p->file.types[i] == c->type ? c->min : p->file.types[i].min;
    if (sum <= p->file.max_workers || launcher_is_local(p))
        return true;
    rt_error_set(err, RT_E_LIMIT, "%lld workers in all would be wanted, max_workers of the cluster is %lld", (long long)sum,
                 (long long)p->file.max_workers);
    return rt_error_hint(err, "raise max_workers in %s", p->file.path);
}

/* Asked for with or without limits; -1: none. */
static bool change_of(const struct rt_provider *p, const char *pool, int64_t n, int64_t min, int64_t max, struct change *out,
                      struct rt_error *err) {
    const struct rt_pool *row = rt_store_pool(p->cluster, pool);
    *out = (struct change){.type = rt_launcher_type(&p->file, pool), .to = n};
    if (p->file_error.code) {
        *err = p->file_error;
        return false;
    }
    if (!out->type || (out->type->head && out->type->max <= 0))
        return rt_error_set(err, RT_E_NOT_FOUND, "%s has no node type %s", p->conf->name, pool);
    out->from = row && row->desired >= 0 ? row->desired : out->type->min;
    out->min = min >= 0 ? min : max < 0 || n > out->from ? n : RT_MIN(out->type->min, n);
    out->max = max >= 0 ? max : RT_MAX(out->type->max, n);
    if (launcher_is_local(p) && out->max > (int64_t)p->file.worker_ips.n) {
        rt_error_set(err, RT_E_LIMIT, "pool %s: worker_ips names %zu hosts", pool, p->file.worker_ips.n);
        return rt_error_hint(err, "more hosts go into worker_ips of %s", p->file.path);
    }
    if (min < 0 && max < 0 && n < out->from && n >= out->type->min) {
        rt_error_set(err, RT_E_LIMIT, "pool %s: min_workers is %lld already; what runs above it goes when it is idle", pool,
                     (long long)out->type->min);
        return rt_error_hint(err, "`raytui scale %s %s %lld --max %lld` sets a limit", p->conf->name, pool, (long long)n, (long long)n);
    }
    return limits(p, out, err);
}

static bool edit(const char *path, const char *text, const struct change *c, struct rt_buf *out, struct rt_error *err) {
    struct rt_buf half;
    const struct rt_launcher_type *t = c->type;
    /* The limit that gives way goes first, so that the text is one that Ray takes at each step. */
    const bool max_first = c->max > t->max;
    const char *const keys[] = {max_first ? "max_workers" : "min_workers", max_first ? "min_workers" : "max_workers"};
    const int64_t values[] = {max_first ? c->max : c->min, max_first ? c->min : c->max};
    const bool same[] = {max_first ? c->max == t->max : c->min == t->min, max_first ? c->min == t->min : c->max == t->max};
    rt_buf_init(&half, RT_MIB);
    bool ok = same[0] ? rt_buf_adds(&half, text) : rt_launcher_edit(path, text, strlen(text), t->name, keys[0], values[0], &half, err);
    ok = ok && (same[1] ? rt_buf_adds(out, rt_buf_str(&half))
                        : rt_launcher_edit(path, rt_buf_str(&half), half.len, t->name, keys[1], values[1], out, err));
    rt_buf_deinit(&half);
    return ok;
}

/* Those that are as before were not asked for. */
static void asked_limits(const struct rt_provider *p, const char *pool, int64_t *min, int64_t *max) {
    const struct rt_launcher_type *t = rt_launcher_type(&p->file, pool);
    const bool mine = t && p->limits.pool && rt_streq(p->limits.pool, pool);
    *min = mine && p->limits.min != t->min ? p->limits.min : -1;
    *max = mine && p->limits.max != t->max ? p->limits.max : -1;
}

static void note(const struct rt_provider *p, const struct change *c, char *out, size_t size) {
    const struct rt_launcher_type *t = c->type;
    const char *slash = strrchr(p->file.path, '/'), *name = slash ? slash + 1 : p->file.path;
    char age[32], max[64] = "";
    const double s = t->idle_timeout_s >= 0 ? t->idle_timeout_s : p->file.idle_timeout_minutes * 60;
    if (c->max != t->max)
        snprintf(max, sizeof max, ", max_workers %lld -> %lld", (long long)t->max, (long long)c->max);
    snprintf(out, size, "%.80s: min_workers %lld -> %lld%s, then `ray up --no-restart`: jobs go on.%s%s%s", name, (long long)t->min, (long long)c->min,
             max, c->to < c->from ? " Idle nodes go after " : "",
             c->to < c->from ? rt_fmt_age(age, sizeof age, (int64_t)(s * 1000)) : "", c->to < c->from ? "." : "");
}

bool launcher_scale_impact(struct rt_provider *p, const char *pool, int64_t n, struct rt_scale_impact *out, struct rt_error *err) {
    struct change c;
    if (!change_of(p, pool, n, out->min, out->max, &c, err))
        return false;
    out->from = c.from;
    out->to = n;
    out->autoscaled = true;
    note(p, &c, out->note, sizeof out->note);
    return true;
}

bool launcher_scale_diff(struct rt_provider *p, const char *pool, int64_t n, struct rt_buf *out) {
    struct change c;
    struct rt_error ignored = {0};
    struct rt_buf text, after;
    if (!change_of(p, pool, n, -1, -1, &c, &ignored) || !read_text(p->file.path, &text, &ignored))
        return false;
    rt_buf_init(&after, RT_MIB);
    const bool ok = edit(p->file.path, rt_buf_str(&text), &c, &after, &ignored);
    if (ok)
        rt_launcher_diff(p->file.path, rt_buf_str(&text), rt_buf_str(&after), out);
    rt_buf_deinit(&after);
    rt_buf_deinit(&text);
    return ok;
}

bool launcher_set_limits(struct rt_provider *p, const char *pool, int64_t min, int64_t max, struct rt_error *err) {
    struct change c;
    const struct rt_launcher_type *t = rt_launcher_type(&p->file, pool);
    if (!change_of(p, pool, t ? t->min : 0, min, max, &c, err))
        return false;
    free(p->limits.pool);
    p->limits = (struct launcher_limits){.pool = rt_strdup(pool), .min = min, .max = max};
    return true;
}

/* It must be known that Ray would not take the cluster for a new one. */
static bool may_scale(const struct rt_provider *p, struct rt_error *err) {
    if (p->up)
        return launcher_recorded(p, err);
    rt_error_set(err, RT_E_CONFLICT, "%s is not up", p->conf->name);
    return rt_error_hint(err, "edit %s, then `raytui up %s`", p->file.path, p->conf->name);
}

struct rt_operation *launcher_scale(struct rt_provider *p, const char *pool, int64_t n, struct rt_error *err) {
    struct change c;
    struct rt_buf text, after;
    int64_t min, max;
    asked_limits(p, pool, &min, &max);
    free(p->limits.pool);
    p->limits = (struct launcher_limits){0};
    if (!may_scale(p, err) || !launcher_read(p, err) || !change_of(p, pool, n, min, max, &c, err) ||
        !read_text(p->file.path, &text, err))
        return NULL;
    struct rt_operation *op = NULL;
    rt_buf_init(&after, RT_MIB);
    if (edit(p->file.path, rt_buf_str(&text), &c, &after, err)) {
        char *title = rt_strf("scale %s from %lld to %lld", pool, (long long)c.from, (long long)n);
        char *result = rt_strf("min_workers of %s is %lld, max_workers %lld; the autoscaler does the rest", pool, (long long)c.min, (long long)c.max);
        char *before = rt_buf_take(&text), *now = rt_buf_take(&after);
        op = launcher_apply(p, title, result, before, now, err);
        if (op && !launcher_read(p, err))
            rt_log(RT_LOG_WARN, "%s: %s", p->conf->name, err->message);
        launcher_show(p);
    }
    rt_buf_deinit(&after);
    rt_buf_deinit(&text);
    return op;
}
