/* The journal of a cluster: one object a line, appended and fsynced before the call that makes a
 * thing.
 *
 * A line that is no JSON was torn by a crash: what it wanted was never begun, so it is passed over.
 */
#include "core/journal.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "net/loop.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOURNAL_MAX (16 * RT_MIB)
#define STATE_MAX (4 * RT_MIB)
#define JOURNAL_FILE "journal.jsonl"

struct rt_journal {
    char *path;
    RT_VEC(struct rt_journal_item) items; /* wanted or made */
    bool torn;                            /* the file does not end with a newline */
    ino_t inode;                          /* of the file that the items are of; 0: there was none */
    off_t size;                           /* of it then: it only grows, or is another file; -1: something else was written */
};

static const char *const phase_names[] = {
    [RT_J_WANT] = "want",
    [RT_J_MADE] = "made",
    [RT_J_GONE] = "gone",
    [RT_J_FAILED] = "failed",
};

/* ---- places ---- */

/* A name from a file is no path: nothing of it leads out of the directory. */
static char *dir_name(const char *cluster) {
    char *name = rt_strdup(*cluster ? cluster : "_");
    for (char *p = name; *p; p++)
        if (*p == '/' || (*p == '.' && p == name))
            *p = '_';
    return name;
}

char *rt_cluster_path(const char *cluster, const char *file) {
    char *name = dir_name(cluster);
    char *sub = file ? rt_strf("clusters/%s/%s", name, file) : rt_strf("clusters/%s", name);
    char *path = rt_path(RT_DIR_STATE, sub);
    free(sub);
    free(name);
    return path;
}

json_t *rt_cluster_read(const char *cluster, const char *file, json_type kind) {
    char *path = rt_cluster_path(cluster, file);
    struct rt_buf text;
    struct rt_error ignored = {0};
    rt_buf_init(&text, STATE_MAX);
    json_t *v = rt_file_read(path, STATE_MAX, &text, &ignored) ? json_loadb(rt_buf_str(&text), text.len, 0, NULL) : NULL;
    rt_buf_deinit(&text);
    free(path);
    if (v && json_typeof(v) == kind)
        return v;
    json_decref(v);
    return NULL;
}

bool rt_cluster_write(const char *cluster, const char *file, const json_t *v, struct rt_error *err) {
    char *path = rt_cluster_path(cluster, file), *text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);
    const bool ok = text ? rt_file_write(path, text, strlen(text), err) : rt_error_set(err, RT_E_INTERNAL, "%s: no text", path);
    free(text);
    free(path);
    return ok;
}

int rt_cluster_lock(const char *cluster, const char *what, struct rt_error *err) {
    char *path = rt_cluster_path(cluster, "lock");
    char *text = rt_strf("pid %lld, %s", (long long)getpid(), what);
    int fd = rt_file_lock(path, text, err);
    free(text);
    free(path);
    return fd;
}

bool rt_cluster_begin(const struct rt_journal *j, const struct rt_error *unopened, const char *cluster, const char *what,
                      int *lock, struct rt_error *err) {
    if (!j) {
        *err = *unopened;
        err->code = RT_E_IO;
        return rt_error_wrap(err, "%s: nothing is made without its journal", cluster);
    }
    if (*lock < 0)
        *lock = rt_cluster_lock(cluster, what, err);
    return *lock >= 0;
}

/* ---- items ---- */

static void item_deinit(struct rt_journal_item *i) {
    free(i->kind);
    free(i->name);
    free(i->id);
    free(i->data);
    *i = (struct rt_journal_item){0};
}

static void drop_items(struct rt_journal *j) {
    for (size_t i = 0; i < j->items.n; i++)
        item_deinit(&j->items.v[i]);
    rt_vec_deinit(&j->items);
}

static size_t index_of(const struct rt_journal *j, const char *kind, const char *name) {
    for (size_t i = 0; i < j->items.n; i++)
        if (rt_streq(j->items.v[i].kind, kind) && rt_streq(j->items.v[i].name, name))
            return i;
    return j->items.n;
}

static void set_text(char **to, const char *text) {
    char *copy = rt_strdup(text);
    free(*to);
    *to = copy;
}

/* One event of the journal; every string is borrowed. */
struct event {
    const char *op, *kind, *name, *id, *data;
    enum rt_phase phase;
    int64_t at_ms, pid;
};

static void apply(struct rt_journal *j, const struct event *e) {
    size_t at = index_of(j, e->kind, e->name);
    bool known = at < j->items.n;
    if (e->phase == RT_J_GONE || e->phase == RT_J_FAILED) {
        if (known) {
            item_deinit(&j->items.v[at]);
            rt_vec_remove(&j->items, at);
        }
        return;
    }
    struct rt_journal_item *i = known ? &j->items.v[at] : rt_vec_push(&j->items);
    if (!known) {
        i->kind = rt_strdup(e->kind);
        i->name = rt_strdup(e->name);
    }
    if (e->phase == RT_J_WANT)
        set_text(&i->id, NULL);
    if (e->id)
        set_text(&i->id, e->id);
    if (e->data)
        set_text(&i->data, e->data);
    i->phase = e->phase;
    i->at_ms = e->at_ms;
    i->pid = e->pid;
}

/* ---- lines ---- */

static bool phase_of(const char *word, enum rt_phase *out) {
    for (size_t i = 0; i < RT_COUNT(phase_names); i++)
        if (rt_streq(phase_names[i], word)) {
            *out = (enum rt_phase)i;
            return true;
        }
    return false;
}

static bool read_line(struct rt_journal *j, const char *text, size_t n) {
    json_t *o = json_loadb(text, n, 0, NULL);
    const char *phase = json_string_value(json_object_get(o, "phase"));
    json_t *data = json_object_get(o, "data");
    struct event e = {
        .kind = json_string_value(json_object_get(o, "kind")),
        .name = json_string_value(json_object_get(o, "name")),
        .id = json_string_value(json_object_get(o, "id")),
        .at_ms = json_integer_value(json_object_get(o, "t")),
        .pid = json_integer_value(json_object_get(o, "pid")),
    };
    char *data_text =
        data && !json_is_null(data) ? json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    e.data = data_text;
    bool ok = e.kind && e.name && phase_of(phase, &e.phase);
    if (ok)
        apply(j, &e);
    free(data_text);
    json_decref(o);
    return ok;
}

static void read_lines(struct rt_journal *j, const char *text, size_t n) {
    size_t number = 0;
    while (n) {
        const char *end = memchr(text, '\n', n);
        size_t len = end ? (size_t)(end - text) : n;
        number++;
        if (len && !read_line(j, text, len))
            rt_log(RT_LOG_WARN, "%s:%zu: a torn line is passed over", j->path, number);
        j->torn = !end;
        n -= len + (end != NULL);
        text += len + (end != NULL);
    }
}

static struct stat stamp_of(const struct rt_journal *j) {
    struct stat st;
    return stat(j->path, &st) == 0 ? st : (struct stat){.st_size = 0};
}

/* Reads the file anew; an absent one is an empty journal. */
static bool load(struct rt_journal *j, struct rt_error *err) {
    const struct stat st = stamp_of(j);
    drop_items(j);
    j->torn = false;
    j->inode = st.st_ino;
    j->size = st.st_size;
    if (!rt_file_exists(j->path))
        return true;
    struct rt_buf text;
    rt_buf_init(&text, JOURNAL_MAX);
    bool ok = rt_file_read(j->path, JOURNAL_MAX, &text, err);
    if (ok)
        read_lines(j, rt_buf_str(&text), text.len);
    rt_buf_deinit(&text);
    return ok;
}

static struct rt_journal *journal_at(const char *cluster) {
    struct rt_journal *j = RT_NEW(struct rt_journal);
    j->path = rt_cluster_path(cluster, JOURNAL_FILE);
    return j;
}

struct rt_journal *rt_journal_open(const char *cluster, struct rt_error *err) {
    struct rt_journal *j = journal_at(cluster);
    char *dir = rt_cluster_path(cluster, NULL);
    bool ok = rt_mkdirs(dir, err) && load(j, err);
    free(dir);
    if (ok)
        return j;
    rt_error_wrap(err, "journal of %s", cluster);
    if (!err->hint[0])
        rt_error_hint(err, "nothing is made that could not be found again: set XDG_STATE_HOME to a "
                           "place that can be written");
    rt_journal_close(j);
    return NULL;
}

void rt_journal_close(struct rt_journal *j) {
    if (!j)
        return;
    drop_items(j);
    free(j->path);
    free(j);
}

/* ---- writing ---- */

/* Provider's JSON goes in as it is; text that is none goes in as a string. */
static json_t *data_json(const char *data) {
    if (!data)
        return NULL;
    json_t *v = json_loads(data, JSON_DECODE_ANY, NULL);
    return v ? v : json_string(data);
}

static char *line_of(const struct event *e) {
    json_t *o = json_object();
    json_object_set_new(o, "t", json_integer(e->at_ms));
    if (e->op)
        json_object_set_new(o, "op", json_string(e->op));
    json_object_set_new(o, "kind", json_string(e->kind));
    json_object_set_new(o, "name", json_string(e->name));
    if (e->id)
        json_object_set_new(o, "id", json_string(e->id));
    json_t *data = data_json(e->data);
    if (data)
        json_object_set_new(o, "data", data);
    json_object_set_new(o, "phase", json_string(phase_names[e->phase]));
    json_object_set_new(o, "pid", json_integer(e->pid));
    char *text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    return text;
}

static bool append(struct rt_journal *j, struct event *e, struct rt_error *err) {
    e->at_ms = rt_wall_ms();
    e->pid = getpid();
    char *line = line_of(e);
    if (!line)
        return rt_error_set(err, RT_E_USAGE, "journal: %s is no text", e->kind);
    struct rt_buf out;
    rt_buf_init(&out, 0);
    rt_buf_addf(&out, "%s%s\n", j->torn ? "\n" : "", line);
    free(line);
    bool ok = rt_file_append(j->path, rt_buf_str(&out), out.len, true, err);
    const off_t grown = j->size + (off_t)out.len;
    rt_buf_deinit(&out);
    if (!ok)
        return rt_error_wrap(err, "journal");
    const struct stat st = stamp_of(j);
    const bool alone = st.st_size == grown && (!j->inode || j->inode == st.st_ino);
    j->inode = st.st_ino;
    j->size = alone ? grown : -1;
    j->torn = false;
    apply(j, e);
    return true;
}

bool rt_journal_want(struct rt_journal *j, const char *op, const char *kind, const char *name,
                     const char *data, struct rt_error *err) {
    struct event e = {.op = op, .kind = kind, .name = name, .data = data, .phase = RT_J_WANT};
    return append(j, &e, err);
}

bool rt_journal_made(struct rt_journal *j, const char *kind, const char *name, const char *id,
                     const char *data, struct rt_error *err) {
    struct event e = {.kind = kind, .name = name, .id = id, .data = data, .phase = RT_J_MADE};
    return append(j, &e, err);
}

/* Another raytui may have written meanwhile: only what the file itself says decides. */
static void shrink(struct rt_journal *j) {
    struct rt_error err = {0};
    if (!load(j, &err)) {
        rt_log(RT_LOG_WARN, "%s", err.message);
        return;
    }
    if (!j->items.n && unlink(j->path) != 0 && errno != ENOENT)
        rt_log(RT_LOG_WARN, "cannot remove %s", j->path);
}

bool rt_journal_gone(struct rt_journal *j, const char *kind, const char *name,
                     struct rt_error *err) {
    /* The words may be those of the item that goes. */
    char *own_kind = rt_strdup(kind), *own_name = rt_strdup(name);
    struct event e = {.kind = own_kind, .name = own_name, .phase = RT_J_GONE};
    bool ok = append(j, &e, err);
    if (ok && !j->items.n)
        shrink(j);
    free(own_kind);
    free(own_name);
    return ok;
}

/* ---- reading ---- */

bool rt_journal_reread(struct rt_journal *j) {
    const struct stat st = stamp_of(j);
    if (st.st_ino == j->inode && st.st_size == j->size)
        return false;
    struct rt_error err = {0};
    struct rt_journal now = {.path = j->path};
    if (!load(&now, &err)) {
        rt_log(RT_LOG_WARN, "%s", err.message);
        drop_items(&now);
        return false;
    }
    drop_items(j);
    *j = now;
    return true;
}

size_t rt_journal_count(const struct rt_journal *j) {
    return j->items.n;
}

const struct rt_journal_item *rt_journal_at(const struct rt_journal *j, size_t i) {
    return i < j->items.n ? &j->items.v[i] : NULL;
}

const struct rt_journal_item *rt_journal_find(const struct rt_journal *j, const char *kind,
                                              const char *name) {
    return rt_journal_at(j, index_of(j, kind, name));
}

bool rt_journal_lives(const char *cluster) {
    struct rt_error err = {0};
    struct rt_journal *j = journal_at(cluster);
    /* What cannot be read may hold something. */
    bool lives = !load(j, &err) || j->items.n;
    rt_journal_close(j);
    return lives;
}
