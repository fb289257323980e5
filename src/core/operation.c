/* Operations: what takes time, with its steps, its output on disk, and its end. */
#include "core/operation.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/journal.h"
#include "core/store_impl.h"
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define KEPT 100            /* ended operations that stay in the list */
#define LINE_MAX_BYTES 4096 /* of an unfinished line */
#define LOG_BUFFER_BYTES (32 * RT_KIB)
#define LOG_MAX_BYTES ((int64_t)(32 * RT_MIB))
#define FLUSH_MS 500

struct listener {
    rt_operation_done_fn *fn; /* NULL: it has left */
    void *ctx;
};

struct rt_operation_private {
    rt_operation_cancel_fn *cancel;
    void *cancel_ctx;
    RT_VEC(struct listener) done, change;
    RT_VEC(struct rt_buf) lines; /* unfinished line of each step */
    struct rt_buf log;           /* not yet on disk */
    int64_t logged_bytes;
    bool log_failed;
    struct rt_timer *flush; /* runs while `log` waits */
    struct rt_op *ending;   /* tells the end, next turn */
    bool telling;           /* the end, now */
    char *retry;
};

struct rt_operations {
    struct rt_loop *loop;
    struct rt_store *store;
    RT_VEC(struct rt_operation *) all; /* oldest first */
    unsigned made;
};

/* ---- the list ---- */

struct rt_operations *rt_operations_create(struct rt_loop *l, struct rt_store *s) {
    struct rt_operations *o = RT_NEW(struct rt_operations);
    o->loop = l;
    o->store = s;
    if (s)
        rt_store_set_operations(s, o);
    return o;
}

static void step_deinit(struct rt_step *s) {
    free(s->subject);
    free(s->title);
    free(s->last_line);
}

static void operation_destroy(struct rt_operation *op) {
    struct rt_operation_private *p = op->priv;
    rt_timer_stop(p->flush);
    rt_op_drop(&p->ending);
    for (size_t i = 0; i < p->lines.n; i++)
        rt_buf_deinit(&p->lines.v[i]);
    rt_vec_deinit(&p->lines);
    rt_vec_deinit(&p->done);
    rt_vec_deinit(&p->change);
    rt_buf_deinit(&p->log);
    free(p->retry);
    free(p);
    for (size_t i = 0; i < op->nsteps; i++)
        step_deinit(&op->steps[i]);
    free(op->steps);
    char *const owned[] = {op->verb, op->cluster, op->title, op->result, op->log_path};
    for (size_t i = 0; i < RT_COUNT(owned); i++)
        free(owned[i]);
    free(op);
}

size_t rt_operations_count(const struct rt_operations *o) {
    return o->all.n;
}

struct rt_operation *rt_operations_at(const struct rt_operations *o, size_t i) {
    return i < o->all.n ? o->all.v[o->all.n - 1 - i] : NULL;
}

struct rt_operation *rt_operations_find(const struct rt_operations *o, const char *id) {
    for (size_t i = 0; i < o->all.n; i++)
        if (rt_streq(o->all.v[i]->id, id))
            return o->all.v[i];
    return NULL;
}

size_t rt_operations_running(const struct rt_operations *o) {
    size_t n = 0;
    for (size_t i = 0; i < o->all.n; i++)
        n += o->all.v[i]->state == RT_OPS_RUNNING;
    return n;
}

/* The oldest ended ones go when there are too many; running ones and those whose end is still to be
 * told stay. */
static void forget_old(struct rt_operations *o) {
    for (size_t i = 0; o->all.n > KEPT && i < o->all.n;) {
        struct rt_operation *op = o->all.v[i];
        if (op->state == RT_OPS_RUNNING || op->priv->ending || op->priv->telling) {
            i++;
            continue;
        }
        rt_vec_remove(&o->all, i);
        operation_destroy(op);
    }
}

/* ---- output on disk ---- */

static void write_log(struct rt_operation *op) {
    struct rt_operation_private *p = op->priv;
    struct rt_error err = {0};
    if (!p->log.len)
        return;
    rt_log_mask(&p->log);
    if (!p->log_failed && !rt_file_append(op->log_path, p->log.data, p->log.len, false, &err)) {
        p->log_failed = true;
        rt_log(RT_LOG_WARN, "output of %s is not kept: %s", op->id, err.message);
    }
    rt_buf_clear(&p->log);
}

static void flush_log(void *ctx) {
    struct rt_operation *op = ctx;
    rt_timer_stop(op->priv->flush);
    op->priv->flush = NULL;
    write_log(op);
}

static void add_log(struct rt_operation *op, const char *data, size_t n) {
    struct rt_operation_private *p = op->priv;
    if (p->log_failed || p->logged_bytes >= LOG_MAX_BYTES)
        return;
    p->logged_bytes += (int64_t)n;
    if (p->log.len + n > LOG_BUFFER_BYTES)
        write_log(op);
    rt_buf_add(&p->log, data, n);
    if (p->logged_bytes >= LOG_MAX_BYTES)
        rt_buf_adds(&p->log, "\n(more output is not kept)\n");
    if (p->log.len >= LOG_BUFFER_BYTES)
        write_log(op);
    else if (!p->flush && p->log.len)
        p->flush = rt_timer_start(op->list->loop, FLUSH_MS, 0, flush_log, op);
}

static void log_text(struct rt_operation *op, const char *text) {
    add_log(op, text, strlen(text));
}

static int by_name(const void *a, const void *b) {
    return rt_strcmp(*(char *const *)a, *(char *const *)b);
}

/* Outputs of long ago go: as many stay as stand in the list. Names begin with the time, so they
 * sort by it. */
static void prune_logs(const char *cluster) {
    char *path = rt_cluster_path(cluster, NULL);
    struct rt_strs logs = {0};
    DIR *dir = opendir(path);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
        if (rt_starts(e->d_name, "op-") && rt_ends(e->d_name, ".log"))
            rt_strs_add(&logs, e->d_name);
    if (dir)
        closedir(dir);
    if (logs.n > KEPT)
        qsort(logs.v, logs.n, sizeof(*logs.v), by_name);
    for (size_t i = 0; i + KEPT < logs.n; i++) {
        char *file = rt_path_join(path, logs.v[i]);
        unlink(file);
        free(file);
    }
    rt_strs_deinit(&logs);
    free(path);
}

/* ---- telling ---- */

static void changed(struct rt_operation *op) {
    /* A listener may add another one: the array may move. */
    for (size_t i = 0; i < op->priv->change.n; i++) {
        struct listener l = op->priv->change.v[i];
        if (l.fn)
            l.fn(l.ctx, op);
    }
    if (op->list->store)
        rt_store_notify_operations(op->list->store, op->cluster);
}

static void tell_end(void *ctx) {
    struct rt_operation *op = ctx;
    op->priv->ending = NULL;
    op->priv->telling = true; /* who is told may start the next one, for which old ones go */
    for (size_t i = 0; i < op->priv->done.n; i++) {
        struct listener l = op->priv->done.v[i];
        if (l.fn)
            l.fn(l.ctx, op);
    }
    rt_vec_deinit(&op->priv->done);
    op->priv->telling = false;
}

void rt_operation_on_done(struct rt_operation *op, rt_operation_done_fn *fn, void *ctx) {
    *rt_vec_push(&op->priv->done) = (struct listener){fn, ctx};
    if (op->state != RT_OPS_RUNNING && !op->priv->ending)
        op->priv->ending = rt_loop_defer(op->list->loop, tell_end, op);
}

void rt_operation_on_change(struct rt_operation *op, rt_operation_done_fn *fn, void *ctx) {
    *rt_vec_push(&op->priv->change) = (struct listener){fn, ctx};
}

void rt_operation_ignore(struct rt_operation *op, const void *ctx) {
    for (size_t i = 0; i < op->priv->done.n; i++)
        if (op->priv->done.v[i].ctx == ctx)
            op->priv->done.v[i].fn = NULL;
    for (size_t i = 0; i < op->priv->change.n; i++)
        if (op->priv->change.v[i].ctx == ctx)
            op->priv->change.v[i].fn = NULL;
}

/* ---- one operation ---- */

struct rt_operation *rt_operation_start(struct rt_operations *o, const char *verb,
                                        const char *cluster, const char *title,
                                        rt_operation_cancel_fn *cancel, void *ctx) {
    struct rt_operation *op = RT_NEW(struct rt_operation);
    struct rt_operation_private *p = RT_NEW(struct rt_operation_private);
    op->priv = p;
    op->list = o;
    op->start_ms = rt_wall_ms();
    /* Time, process and number: unique among all that write into the same directory. */
    snprintf(op->id, sizeof(op->id), "%llx-%lx-%u", (unsigned long long)(op->start_ms / 1000),
             (unsigned long)(getpid() & 0xffffff), ++o->made % 100000);
    op->verb = rt_strdup(verb);
    op->cluster = rt_strdup(cluster);
    op->title = rt_strdup(title ? title : verb);
    char *file = rt_strf("op-%s.log", op->id);
    op->log_path = rt_cluster_path(cluster ? cluster : "none", file);
    free(file);
    prune_logs(cluster ? cluster : "none");
    p->cancel = cancel;
    p->cancel_ctx = ctx;
    rt_buf_init(&p->log, 0);
    *rt_vec_push(&o->all) = op;
    forget_old(o);
    changed(op);
    return op;
}

size_t rt_operation_step(struct rt_operation *op, const char *subject, const char *fmt, ...) {
    struct rt_buf title;
    rt_buf_init(&title, 0);
    va_list ap;
    va_start(ap, fmt);
    rt_buf_addv(&title, fmt, ap);
    va_end(ap);
    op->steps = rt_realloc(op->steps, (op->nsteps + 1) * sizeof(*op->steps));
    struct rt_step *s = &op->steps[op->nsteps];
    *s = (struct rt_step){
        .subject = rt_strdup(subject), .title = rt_buf_take(&title), .start_ms = rt_wall_ms()};
    rt_buf_init(rt_vec_push(&op->priv->lines), LINE_MAX_BYTES);
    char *head = rt_strf("== %s%s%s\n", subject ? subject : "", subject ? ": " : "", s->title);
    log_text(op, head);
    free(head);
    size_t index = op->nsteps++;
    changed(op);
    return index;
}

static void end_step(struct rt_operation *op, size_t step, enum rt_op_state state,
                     const struct rt_error *err) {
    struct rt_step *s = &op->steps[step];
    if (s->state != RT_OPS_RUNNING)
        return;
    s->state = state;
    s->end_ms = rt_wall_ms();
    if (state == RT_OPS_FAILED && err) {
        char *line = rt_strf("-- %s\n", err->message);
        log_text(op, line);
        free(line);
    }
}

/* What an error makes of the thing that ended with it. */
static enum rt_op_state state_of(const struct rt_error *err) {
    if (!err || err->code == RT_OK)
        return RT_OPS_DONE;
    return err->code == RT_E_CANCELLED ? RT_OPS_CANCELLED : RT_OPS_FAILED;
}

void rt_operation_step_end(struct rt_operation *op, size_t step, const struct rt_error *err) {
    if (step >= op->nsteps || op->state != RT_OPS_RUNNING)
        return;
    end_step(op, step, state_of(err), err);
    changed(op);
}

void rt_operation_progress(struct rt_operation *op, size_t step, int64_t done, int64_t total) {
    if (step >= op->nsteps)
        return;
    struct rt_step *s = &op->steps[step];
    if (s->done == done && s->total == total)
        return;
    s->done = done;
    s->total = total;
    changed(op);
}

/* A line has ended (or stands unfinished): its clean text is what the step shows. */
static void show_line(struct rt_step *s, const struct rt_buf *line) {
    struct rt_buf clean;
    rt_buf_init(&clean, 0);
    rt_clean(&clean, rt_buf_str(line), line->len);
    rt_log_mask(&clean);
    free(s->last_line);
    s->last_line = rt_buf_take(&clean);
}

static bool blank(const struct rt_buf *line) {
    for (size_t i = 0; i < line->len; i++)
        if (line->data[i] != ' ' && line->data[i] != '\t')
            return false;
    return true;
}

/* Carriage returns begin a line anew as newlines do: progress bars show where they are. A line that
 * is longer than any is shown by its beginning. */
void rt_operation_output(struct rt_operation *op, size_t step, const char *data, size_t n) {
    if (step >= op->nsteps || !n)
        return;
    add_log(op, data, n);
    struct rt_step *s = &op->steps[step];
    struct rt_buf *line = &op->priv->lines.v[step];
    for (size_t i = 0; i < n; i++) {
        if (data[i] != '\n' && data[i] != '\r') {
            if (line->len + 1 < LINE_MAX_BYTES)
                rt_buf_addc(line, data[i]);
            continue;
        }
        if (!blank(line))
            show_line(s, line);
        rt_buf_clear(line);
    }
    if (!blank(line))
        show_line(s, line);
    changed(op);
}

void rt_operation_finish(struct rt_operation *op, const struct rt_error *err, const char *result) {
    if (op->state != RT_OPS_RUNNING)
        return;
    enum rt_op_state state = state_of(err);
    for (size_t i = 0; i < op->nsteps; i++)
        end_step(op, i, state, err);
    op->state = state;
    op->end_ms = rt_wall_ms();
    op->cancelling = false;
    if (state == RT_OPS_FAILED)
        op->error = *err;
    if (state == RT_OPS_DONE)
        op->result = rt_strdup(result);
    char *line = rt_strf("== %s\n", state == RT_OPS_FAILED      ? op->error.message
                                    : state == RT_OPS_CANCELLED ? "cancelled"
                                    : result                    ? result
                                                                : "done");
    log_text(op, line);
    free(line);
    rt_timer_stop(op->priv->flush);
    op->priv->flush = NULL;
    write_log(op);
    op->priv->cancel = NULL;
    if (!op->priv->ending)
        op->priv->ending = rt_loop_defer(op->list->loop, tell_end, op);
    changed(op);
}

void rt_operation_cancel(struct rt_operation *op) {
    if (op->state != RT_OPS_RUNNING || op->cancelling)
        return;
    op->cancelling = true;
    rt_operation_cancel_fn *cancel = op->priv->cancel;
    op->priv->cancel = NULL;
    changed(op);
    if (cancel)
        cancel(op->priv->cancel_ctx);
}

void rt_operation_set_retry(struct rt_operation *op, const char *command_line) {
    char *copy = rt_strdup(command_line);
    free(op->priv->retry);
    op->priv->retry = copy;
}

const char *rt_operation_retry_line(const struct rt_operation *op) {
    return op->priv->retry;
}

void rt_operations_destroy(struct rt_operations *o) {
    if (!o)
        return;
    for (size_t i = 0; i < o->all.n; i++) {
        o->all.v[i]->leaving = true;
        rt_operation_cancel(o->all.v[i]);
    }
    for (size_t i = 0; i < o->all.n; i++) {
        write_log(o->all.v[i]);
        operation_destroy(o->all.v[i]);
    }
    rt_vec_deinit(&o->all);
    if (o->store)
        rt_store_set_operations(o->store, NULL);
    free(o);
}
