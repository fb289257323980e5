/* Logs that were seen, on disk. */
#include "core/logcache.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_AT = 4096, DEPTH = 4 };

struct rt_logcache {
    char *path;
    int fd;       /* -1: not opened */
    int64_t max;
    bool failed;
};

/* One component of a path: nothing in it can lead elsewhere. */
static char *component(const char *text) {
    struct rt_buf b;
    rt_buf_init(&b, 0);
    for (const unsigned char *p = (const unsigned char *)text; *p && b.len < 240; p++) {
        if (*p == '/' || *p == '%' || *p < 0x20 || *p == 0x7f || (*p == '.' && p == (const unsigned char *)text))
            rt_buf_addf(&b, "%%%02X", *p);
        else
            rt_buf_addc(&b, (char)*p);
    }
    return rt_buf_take(&b);
}

static char *plain(const char *name) {
    struct rt_buf b;
    rt_buf_init(&b, 0);
    for (const char *p = name; *p; p++) {
        char hex[3] = {0}, *end;
        if (*p == '%' && p[1] && p[2]) {
            memcpy(hex, p + 1, 2);
            const long c = strtol(hex, &end, 16);
            rt_buf_addc(&b, *end ? '%' : (char)c);
            p += *end ? 0 : 2;
        } else {
            rt_buf_addc(&b, *p);
        }
    }
    return rt_buf_take(&b);
}

char *rt_logcache_dir(void) {
    return rt_path(RT_DIR_CACHE, "logs");
}

static char *below(char *dir, const char *name) {
    char *part = component(name), *path = rt_path_join(dir, part);
    free(part);
    free(dir);
    return path;
}

static char *path_of(const struct rt_logcache_key *k, const char *session) {
    char *path = below(below(rt_logcache_dir(), k->cluster), session);
    if (k->node)
        path = below(path, k->node);
    return k->node && k->file ? below(path, k->file) : path;
}

/* ---- writing ---- */

struct rt_logcache *rt_logcache_open(const struct rt_logcache_key *k, int64_t max) {
    struct rt_logcache *c = RT_NEW(struct rt_logcache);
    c->path = path_of(k, k->session);
    c->fd = -1;
    c->max = max;
    return c;
}

static bool give_up(struct rt_logcache *c, const char *why) {
    rt_log(RT_LOG_WARN, "%s: %s", c->path, why);
    c->failed = true;
    return false;
}

static bool ready(struct rt_logcache *c) {
    struct rt_error err = {0};
    if (c->fd >= 0 || c->failed)
        return c->fd >= 0 && !c->failed;
    char *dir = rt_strndup(c->path, (size_t)(strrchr(c->path, '/') - c->path));
    const bool ok = rt_mkdirs(dir, &err);
    free(dir);
    if (!ok)
        return give_up(c, err.message);
    c->fd = open(c->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return c->fd >= 0 || give_up(c, strerror(errno));
}

bool rt_logcache_same(struct rt_logcache *c, int64_t off, const char *data, size_t n) {
    char have[LOOK_AT];
    if (!ready(c))
        return true; /* nothing tells otherwise */
    for (size_t i = 0; i < n;) {
        const ssize_t got = pread(c->fd, have, RT_MIN(sizeof have, n - i), (off_t)(off + (int64_t)i));
        if (got <= 0)
            return true;
        if (memcmp(have, data + i, (size_t)got) != 0)
            return false;
        i += (size_t)got;
    }
    return true;
}

void rt_logcache_put(struct rt_logcache *c, int64_t off, const char *data, size_t n) {
    if (off >= c->max || !n || !ready(c))
        return;
    n = RT_MIN(n, (size_t)(c->max - off));
    if (off == 0 && !rt_logcache_same(c, 0, data, RT_MIN(n, (size_t)LOOK_AT)))
        rt_logcache_restart(c);
    for (size_t i = 0; i < n;) {
        const ssize_t put = pwrite(c->fd, data + i, n - i, (off_t)(off + (int64_t)i));
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            give_up(c, strerror(errno));
            return;
        }
        i += (size_t)put;
    }
}

void rt_logcache_restart(struct rt_logcache *c) {
    if (ready(c) && ftruncate(c->fd, 0) != 0)
        give_up(c, strerror(errno));
}

void rt_logcache_close(struct rt_logcache *c, bool seen) {
    if (!c)
        return;
    if (c->fd >= 0) {
        if (seen)
            futimens(c->fd, NULL);
        close(c->fd);
    }
    free(c->path);
    free(c);
}

/* ---- reading ---- */

/* Names in a directory; directories only, or files only. */
static void list(const char *path, bool dirs, struct rt_strs *out) {
    DIR *d = opendir(path);
    struct dirent *e;
    while (d && (e = readdir(d))) {
        struct stat st;
        char *full = rt_path_join(path, e->d_name);
        if (e->d_name[0] != '.' && lstat(full, &st) == 0 && (dirs ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode)))
            rt_strs_add(out, e->d_name);
        free(full);
    }
    if (d)
        closedir(d);
}

/* The sessions that are meant, as they are called on disk. */
static void sessions_of(const struct rt_logcache_key *k, struct rt_strs *out) {
    if (k->session) {
        rt_strs_take(out, component(k->session));
        return;
    }
    char *dir = below(rt_logcache_dir(), k->cluster);
    list(dir, true, out);
    free(dir);
}

bool rt_logcache_find(const struct rt_logcache_key *k, struct rt_logcache_entry *out) {
    struct rt_strs sessions = {0};
    *out = (struct rt_logcache_entry){0};
    sessions_of(k, &sessions);
    for (size_t i = 0; i < sessions.n; i++) {
        struct stat st;
        char *name = plain(sessions.v[i]), *path = path_of(k, name);
        free(name);
        if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && (!out->path || (int64_t)st.st_mtime * 1000 > out->seen_ms)) {
            free(out->path);
            *out = (struct rt_logcache_entry){path, (int64_t)st.st_size, (int64_t)st.st_mtime * 1000};
        } else {
            free(path);
        }
    }
    rt_strs_deinit(&sessions);
    return out->path != NULL;
}

/* Each name in the directories of k's sessions once, as it was before it went to the disk. */
static void names_in(const struct rt_logcache_key *k, bool dirs, struct rt_strs *names) {
    struct rt_strs sessions = {0};
    struct rt_map known;
    rt_map_init(&known, false);
    for (size_t i = 0; i < names->n; i++)
        rt_map_set(&known, names->v[i], names);
    sessions_of(k, &sessions);
    for (size_t i = 0; i < sessions.n; i++) {
        struct rt_strs here = {0};
        char *session = plain(sessions.v[i]), *path = path_of(k, session);
        list(path, dirs, &here);
        for (size_t j = 0; j < here.n; j++) {
            char *name = plain(here.v[j]);
            if (rt_map_get(&known, name)) {
                free(name);
            } else {
                rt_map_set(&known, name, names);
                rt_strs_take(names, name);
            }
        }
        rt_strs_deinit(&here);
        free(session);
        free(path);
    }
    rt_map_deinit(&known);
    rt_strs_deinit(&sessions);
}

void rt_logcache_names(const struct rt_logcache_key *k, struct rt_strs *names) {
    names_in(k, false, names);
}

void rt_logcache_nodes(const struct rt_logcache_key *k, struct rt_strs *nodes) {
    names_in(k, true, nodes);
}

void rt_logcache_all(const char *cluster, struct rt_strs *names) {
    const struct rt_logcache_key any = {.cluster = cluster};
    struct rt_strs nodes = {0};
    rt_logcache_nodes(&any, &nodes);
    for (size_t i = 0; i < nodes.n; i++) {
        const struct rt_logcache_key k = {.cluster = cluster, .node = nodes.v[i]};
        struct rt_strs files = {0};
        rt_logcache_names(&k, &files);
        for (size_t j = 0; j < files.n; j++)
            rt_strs_addf(names, "%s/%s", nodes.v[i], files.v[j]);
        rt_strs_deinit(&files);
    }
    rt_strs_deinit(&nodes);
}

/* ---- the quota ---- */

struct kept {
    char *path;
    int64_t bytes, seen_ms;
};
typedef RT_VEC(struct kept) kept_files;

static void collect(const char *dir, int depth, kept_files *out, int64_t *total) {
    struct rt_strs names = {0};
    list(dir, false, &names);
    for (size_t i = 0; i < names.n; i++) {
        struct stat st;
        char *path = rt_path_join(dir, names.v[i]);
        if (lstat(path, &st) == 0) {
            *rt_vec_push(out) = (struct kept){path, (int64_t)st.st_size, (int64_t)st.st_mtime * 1000};
            *total += (int64_t)st.st_size;
        } else {
            free(path);
        }
    }
    rt_strs_deinit(&names);
    struct rt_strs dirs = {0};
    if (depth > 0)
        list(dir, true, &dirs);
    for (size_t i = 0; i < dirs.n; i++) {
        char *path = rt_path_join(dir, dirs.v[i]);
        collect(path, depth - 1, out, total);
        free(path);
    }
    rt_strs_deinit(&dirs);
}

static int oldest_first(const void *a, const void *b) {
    const struct kept *x = a, *y = b;
    return x->seen_ms < y->seen_ms ? -1 : x->seen_ms > y->seen_ms;
}

/* Directories that became empty go, up to `dir`. */
static void tidy(const char *path, const char *dir) {
    char *up = rt_strdup(path);
    for (char *slash = strrchr(up, '/'); slash && (size_t)(slash - up) > strlen(dir); slash = strrchr(up, '/')) {
        *slash = '\0';
        if (rmdir(up) != 0)
            break;
    }
    free(up);
}

void rt_logcache_prune(const char *dir, int64_t quota) {
    kept_files files = {0};
    int64_t total = 0;
    collect(dir, DEPTH, &files, &total);
    if (total > quota && files.n)
        qsort(files.v, files.n, sizeof *files.v, oldest_first);
    for (size_t i = 0; i < files.n; i++) {
        if (total > quota && unlink(files.v[i].path) == 0) {
            total -= files.v[i].bytes;
            tidy(files.v[i].path, dir);
        }
        free(files.v[i].path);
    }
    rt_vec_deinit(&files);
}
