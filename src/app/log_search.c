/* Search over all logs of jobs, of nodes, of the cluster: each file is read once and not kept; lines that match become
 * lines of the result, with their place in front, file by file. What nobody can be asked for is searched in the cache. */
#include "app/log_private.h"

#include "base/str.h"
#include "base/vec.h"
#include "core/logread.h"
#include "core/logregex.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    AT_ONCE = 4, /* files that are read side by side */
    FILES_MAX = 20000,
    HITS_MAX = 10000,
    HITS_OF_FILE = 2000, /* one file leaves room for others */
    SHOWN_BYTES = 2000,  /* of a line */
    TROUBLES = 5         /* files that are named when they cannot be read */
};
static const int64_t FILE_BYTES = RT_GIB; /* more of a file is not read */

struct hit {
    int64_t line; /* in the file, from 0 */
    char *text;
};

struct file {
    struct search *s;
    char *node, *name; /* or of a job: */
    char *job;
    char *label, *full; /* in front of its lines on the screen and in print */
    struct rt_follow *follow;
    struct log_far *kept; /* in place of it: what the cache has */
    char *kept_id;        /* what it is called there; NULL: it was not looked at there */
    bool lost;            /* nothing came: the cache is asked */
    struct rt_buf line; /* the beginning of one whose end has not come */
    bool skip;          /* what comes is the rest of a line that is too long */
    int64_t lines, bytes, hits;
    char *whose;        /* its name tells no job: it counts once it says that it is of this one; NULL: it counts */
    bool foreign;       /* it is of another job, or of none */
    RT_VEC(struct hit) waiting; /* until the files before it are done */
    bool ended, cut, long_lines;
    char *seen, *trouble; /* marks before and behind its lines; NULL */
};

struct place {
    int64_t number; /* in the result */
    size_t file;
    int64_t line;
};

struct search {
    struct rt_log *log;
    struct rt_logregex *re;
    struct rt_logmatcher *matcher;
    RT_VEC(struct file *) files;
    RT_VEC(struct place) places;
    struct log_files *list;
    struct rt_op *soon;
    size_t next, front;      /* the first file that was not begun; whose hits are not all out */
    size_t running, failed, kept;
    size_t left_out; /* files of others' workers */
    int64_t bytes;
    bool listing, listed, full, over;
};

static void go_on(void *ctx);

static void soon(struct search *s) {
    if (!s->soon && !s->over)
        s->soon = rt_loop_defer(s->log->app->loop, go_on, s);
}

static const struct rt_cluster *cluster_of(const struct search *s) {
    return s->log->session->cluster;
}

static void note(struct search *s, const char *text) {
    rt_logbuf_mark(s->log->buf, text);
}

/* ---- hits ---- */

/* A hit becomes a line of the result. */
static void give(struct search *s, size_t file, const struct hit *h) {
    const struct file *f = s->files.v[file];
    struct rt_log *l = s->log;
    if (s->places.n >= HITS_MAX) {
        s->full = true;
        return;
    }
    *rt_vec_push(&s->places) = (struct place){rt_logbuf_lines(l->buf, NULL), file, h->line};
    char *line = rt_strf("%s:%lld: %s\n", f->label, (long long)h->line + 1, h->text);
    rt_logbuf_append(l->buf, line, strlen(line));
    free(line);
    if (l->data) {
        line = rt_strf("%s:%lld:%s\n", f->full, (long long)h->line + 1, h->text);
        l->data(l->data_ctx, line, strlen(line));
        free(line);
    }
}

/* What the first files that are not done have found, and everything of those that are. */
static void give_in_order(struct search *s) {
    for (; s->front < s->files.n && s->front < s->next; s->front++) {
        struct file *f = s->files.v[s->front];
        if (f->whose && !f->ended)
            return;
        if (f->seen && f->waiting.n) {
            note(s, f->seen);
            free(f->seen);
            f->seen = NULL;
        }
        for (size_t i = 0; i < f->waiting.n; i++) {
            give(s, s->front, &f->waiting.v[i]);
            free(f->waiting.v[i].text);
        }
        rt_vec_deinit(&f->waiting);
        if (!f->ended)
            return;
        if (f->trouble)
            note(s, f->trouble);
    }
}

static void try_line(struct file *f, const char *text, size_t n) {
    struct rt_buf b;
    while (n && text[n - 1] == '\r')
        n--;
    if (f->hits < HITS_OF_FILE && rt_logmatcher_line(f->s->matcher, text, n)) {
        struct rt_span spans[4];
        rt_buf_init(&b, 0);
        rt_log_clean(text, RT_MIN(n, (size_t)SHOWN_BYTES), &b, spans, RT_COUNT(spans));
        *rt_vec_push(&f->waiting) = (struct hit){f->lines, rt_buf_take(&b)};
        f->cut = ++f->hits >= HITS_OF_FILE;
    }
    f->lines++;
}

static void ask_whose(struct file *f, const char *text, size_t n) {
    const int said = log_line_job(text, n, f->whose);
    f->foreign = said == 0 || (said < 0 && f->bytes > LOG_LOOK_INTO);
    if (said == 1) {
        free(f->whose);
        f->whose = NULL;
    }
}

static void take_line(struct file *f, const char *text, size_t n) {
    if (f->whose && !f->foreign)
        ask_whose(f, text, n);
    if (!f->foreign)
        try_line(f, text, n);
}

static void file_data(void *ctx, const char *data, size_t n) {
    struct file *f = ctx;
    f->bytes += (int64_t)n;
    f->s->bytes += (int64_t)n;
    while (n) {
        const char *nl = memchr(data, '\n', n);
        const size_t part = nl ? (size_t)(nl - data) : n;
        if (nl && !f->line.len && !f->skip) {
            take_line(f, data, part);
        } else {
            if (!f->skip)
                rt_buf_add(&f->line, data, RT_MIN(part, (size_t)RT_LOGLINE_MAX - f->line.len));
            f->skip = f->line.len >= RT_LOGLINE_MAX;
            f->long_lines = f->long_lines || f->skip;
            if (nl) {
                take_line(f, rt_buf_str(&f->line), f->line.len);
                rt_buf_clear(&f->line);
                f->skip = false;
            }
        }
        data += part + (nl ? 1 : 0);
        n -= part + (nl ? 1 : 0);
    }
    f->cut = f->cut || f->bytes >= FILE_BYTES;
    soon(f->s);
}

/* ---- files ---- */

/* Nothing of it belongs to the job that is searched. */
static void leave_out(struct file *f) {
    struct search *s = f->s;
    for (size_t i = 0; i < f->waiting.n; i++)
        free(f->waiting.v[i].text);
    rt_vec_deinit(&f->waiting);
    s->bytes -= f->bytes;
    s->left_out++;
    f->foreign = true;
}

static void file_over(struct file *f) {
    if (f->ended)
        return;
    if (f->line.len)
        take_line(f, rt_buf_str(&f->line), f->line.len);
    rt_buf_deinit(&f->line);
    rt_buf_init(&f->line, 0);
    if (f->whose)
        leave_out(f);
    if (f->long_lines && !f->trouble && !f->foreign)
        f->trouble = rt_strf("--- %s: of lines over 1 MiB only the first MiB was looked at ---", f->label);
    f->ended = true;
    f->s->running--;
    soon(f->s);
}

static bool is_kept(const struct file *f) {
    return log_far_kept(f->s->log->session, f->job, f->node, f->name);
}

static void file_event(void *ctx, enum rt_follow_event e, const char *text, const struct rt_job *job) {
    struct file *f = ctx;
    (void)text;
    (void)job;
    if (e == RT_FOLLOW_ENDED)
        file_over(f);
    if (e == RT_FOLLOW_LOST && !f->bytes && !f->kept) {
        f->lost = is_kept(f);
        soon(f->s);
    }
}

static void file_failed(void *ctx, const struct rt_error *err) {
    struct file *f = ctx;
    if (!f->bytes && !f->kept && is_kept(f)) {
        f->lost = true;
        soon(f->s);
        return;
    }
    if (f->s->failed++ < TROUBLES)
        f->trouble = rt_strf("--- %s: cannot be read: %.200s ---", f->label, err->message);
    file_over(f);
}

/* ---- out of the cache ---- */

static void file_note(void *ctx, const char *text) {
    struct file *f = ctx;
    f->seen = rt_strf("--- %s: %s ---", f->full, text);
}

static void begin_kept(struct file *f) {
    struct search *s = f->s;
    const struct rt_follow_opts o = {.job = f->job, .node_id = f->node, .filename = f->name, .tail_bytes = -1};
    const struct log_far_callbacks cb = {{.data = file_data, .event = file_event, .failed = file_failed, .ctx = f}, file_note};
    rt_follow_destroy(f->follow);
    f->follow = NULL;
    f->lost = false;
    f->kept_id = rt_strf("%s/%s", f->job ? "jobs" : f->node, f->job ? f->job : f->name);
    f->kept = log_far_start(s->log->session, NULL, &o, &cb);
    s->kept++;
}

static void file_close(struct file *f) {
    rt_follow_destroy(f->follow);
    log_far_destroy(f->kept);
    f->follow = NULL;
    f->kept = NULL;
}

/* What was found is enough of it. */
static void stop_if_cut(struct file *f) {
    if (f->foreign && !f->ended) {
        file_close(f);
        rt_buf_clear(&f->line);
        file_over(f);
        return;
    }
    if (!f->cut || f->ended)
        return;
    free(f->trouble);
    f->trouble = rt_strf("--- %s: %s; the rest of it was not looked at ---", f->label,
                         f->hits >= HITS_OF_FILE ? "2,000 lines match" : "1 GiB was read");
    file_close(f);
    rt_buf_clear(&f->line);
    file_over(f);
}

/* The node that wrote it is dead, or the cluster is away. */
static bool is_gone(const struct file *f) {
    const struct rt_cluster *c = cluster_of(f->s);
    const struct rt_job *j = f->job ? rt_store_job(c, f->job) : NULL;
    const char *node = f->job ? (j ? j->driver_node_id : NULL) : f->node;
    const struct rt_node *n = node ? rt_store_node(c, node) : NULL;
    return (n && !n->alive) || !rt_reach_answers(c->reach);
}

static void begin(struct search *s, struct file *f) {
    struct rt_error err = {0};
    struct rt_ray *ray = session_ray(s->log->session, &err);
    s->running++;
    if (f->lost || ((!ray || is_gone(f)) && is_kept(f))) {
        begin_kept(f);
        return;
    }
    if (!ray) {
        file_failed(f, &err);
        return;
    }
    char *url = log_node_url(cluster_of(s), f->node);
    const struct rt_follow_opts o = {.job = f->job, .node_id = f->node, .filename = f->name, .node_url = url, .tail_bytes = -1};
    const struct rt_follow_callbacks cb = {.data = file_data, .event = file_event, .failed = file_failed, .ctx = f};
    f->follow = rt_follow_start(ray, &o, &cb);
    free(url);
}

/* A worker's id is 56 digits; the first ones tell it. */
static char *short_name(const char *name) {
    const char *dash = rt_starts(name, "worker-") ? strchr(name + 7, '-') : NULL;
    return dash ? rt_strf("worker-%.6s%s", name + 7, dash) : rt_strdup(name);
}

static struct file *add_file(struct search *s) {
    struct file *f = RT_NEW(struct file);
    f->s = s;
    rt_buf_init(&f->line, 0);
    *rt_vec_push(&s->files) = f;
    return f;
}

static void add_node_file(struct search *s, const char *node, const char *name) {
    const struct rt_node *n = rt_store_node(cluster_of(s), node);
    struct file *f = add_file(s);
    char *brief = short_name(name);
    f->node = rt_strdup(node);
    f->name = rt_strdup(name);
    f->label = rt_strf("%s/%s", n && n->ip ? n->ip : node, brief);
    f->full = rt_strf("%s/%s", n && n->ip ? n->ip : node, name);
    free(brief);
}

static void add_job(struct search *s, const char *job) {
    struct file *f = add_file(s);
    f->job = rt_strdup(job);
    f->label = rt_strdup(job);
    f->full = rt_strdup(job);
}

/* ---- which files there are ---- */

static void found(void *ctx, const struct log_file_found *f) {
    struct search *s = ctx;
    if (s->files.n >= FILES_MAX)
        return;
    if (f->job)
        add_job(s, f->job);
    else
        add_node_file(s, f->node, f->name);
    s->files.v[s->files.n - 1]->lost = f->kept;
    s->files.v[s->files.n - 1]->whose = rt_strdup(f->unnamed);
    soon(s);
}

static void no_list(void *ctx, const char *node, const struct rt_error *err) {
    struct search *s = ctx;
    char *text = rt_strf("--- %.12s: no list of its files: %.200s ---", node, err->message);
    note(s, text);
    free(text);
}

static void listed(void *ctx) {
    struct search *s = ctx;
    s->listed = true;
    if (s->files.n >= FILES_MAX)
        note(s, "--- more than 20,000 files: the rest is not looked at; name jobs or nodes ---");
    soon(s);
}

/* ---- the whole ---- */

static void say(struct search *s) {
    struct rt_log_status *st = &s->log->status;
    char files[32], hits[32], bytes[32], failed[40] = "", kept[48] = "";
    const size_t n = s->files.n - s->left_out;
    rt_fmt_count(files, sizeof files, (int64_t)n);
    rt_fmt_count(hits, sizeof hits, (int64_t)s->places.n);
    rt_fmt_bytes(bytes, sizeof bytes, (double)s->bytes);
    if (s->failed)
        snprintf(failed, sizeof failed, ", %zu not readable", s->failed);
    if (s->kept)
        snprintf(kept, sizeof kept, ", %zu of them from the cache", s->kept);
    st->following = !s->over;
    if (s->over)
        snprintf(st->text, sizeof st->text, "%s line%s of %s file%s%s, %s%s%s", hits, rt_plural((int64_t)s->places.n), files,
                 rt_plural((int64_t)n), kept, bytes, failed, s->full ? ", cut" : "");
    else
        snprintf(st->text, sizeof st->text, "searching %zu of %s%s file%s, %s%s", s->next - s->running - s->left_out, files, s->listed ? "" : "+",
                 s->listed ? rt_plural((int64_t)n) : "s", bytes, failed);
    log_changed(s->log);
}

static void go_on(void *ctx) {
    struct search *s = ctx;
    s->soon = NULL;
    if (!s->listing) {
        s->listing = true;
        log_files_look(s->list);
    }
    for (size_t i = s->front; i < s->next; i++) {
        if (s->files.v[i]->lost)
            begin_kept(s->files.v[i]);
        stop_if_cut(s->files.v[i]);
    }
    while (!s->full && s->running < AT_ONCE && s->next < s->files.n)
        begin(s, s->files.v[s->next++]);
    give_in_order(s);
    if (s->full || (s->listed && s->front >= s->files.n)) {
        s->over = true;
        rt_op_drop(&s->soon);
        if (s->full)
            note(s, "--- 10,000 lines match: the rest was not looked at ---");
        for (size_t i = 0; i < s->next; i++)
            file_close(s->files.v[i]);
        s->log->status.ended = true;
    }
    say(s);
}

static bool has_kept(const struct session *s) {
    struct rt_strs nodes = {0};
    log_far_nodes(s, true, &nodes);
    const bool any = nodes.n > 0;
    rt_strs_deinit(&nodes);
    return any;
}

bool search_open(struct rt_log *l, const struct rt_log_target *t, struct rt_error *err) {
    struct rt_logregex *re = rt_logregex_create(t->regex, err);
    if (!re)
        return false;
    struct search *s = l->search = RT_NEW(struct search);
    s->log = l;
    s->re = re;
    s->matcher = rt_logmatcher_create(re);
    l->session = session_get(l->app, t->cluster, err);
    if (!l->session || !(session_ray(l->session, err) || has_kept(l->session)))
        return false;
    rt_error_clear(err);
    if (!l->session->attached)
        session_attach(l->session, true);
    l->buf = rt_logbuf_create(l->app->loop, NULL);
    const struct log_files_out out = {.found = found, .trouble = no_list, .over = listed, .ctx = s};
    s->list = log_files_create(l, t, true, &out);
    for (size_t i = 0; i < t->nparts; i++)
        if (t->parts[i].what == RT_LOG_PART_DRIVER)
            add_job(s, t->parts[i].id);
    soon(s);
    say(s);
    return true;
}

static void file_free(struct file *f) {
    file_close(f);
    rt_buf_deinit(&f->line);
    for (size_t i = 0; i < f->waiting.n; i++)
        free(f->waiting.v[i].text);
    rt_vec_deinit(&f->waiting);
    free(f->whose);
    free(f->seen);
    free(f->trouble);
    free(f->kept_id);
    free(f->node);
    free(f->name);
    free(f->job);
    free(f->label);
    free(f->full);
    free(f);
}

void search_close(struct search *s) {
    if (!s)
        return;
    log_files_destroy(s->list);
    rt_op_drop(&s->soon);
    for (size_t i = 0; i < s->files.n; i++)
        file_free(s->files.v[i]);
    rt_vec_deinit(&s->files);
    rt_vec_deinit(&s->places);
    rt_logmatcher_destroy(s->matcher);
    rt_logregex_unref(s->re);
    free(s);
}

bool rt_log_hit(const struct rt_log *l, int64_t number, struct rt_log_target *out, int64_t *line) {
    const struct search *s = l->search;
    size_t lo = 0, hi = s ? s->places.n : 0;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (s->places.v[mid].number < number)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (!s || lo >= s->places.n || s->places.v[lo].number != number)
        return false;
    const struct file *f = s->files.v[s->places.v[lo].file];
    *line = s->places.v[lo].line;
    if (f->kept_id) {
        *out = (struct rt_log_target){.what = RT_LOG_KEPT, .cluster = cluster_of(s)->name, .id = f->kept_id};
        return true;
    }
    *out = (struct rt_log_target){.what = f->job ? RT_LOG_JOB : RT_LOG_NODE_FILE, .cluster = cluster_of(s)->name,
                                  .id = f->job ? f->job : f->node, .file = f->name};
    return true;
}

int64_t rt_log_hits(const struct rt_log *l) {
    return l->search ? (int64_t)l->search->places.n : -1;
}
