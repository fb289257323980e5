/* Where appended bytes go when memory is not for all of them: an unlinked file of blocks, written by a
 * worker. When the disk is full or enough is kept, the oldest blocks give their place to the newest. */
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "core/logbuf_impl.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    JOB_MAX = 64,    /* blocks */
    HARD_FACTOR = 4, /* over this many times the memory allowed the loop writes, too */
    FEW_SLOTS = 16   /* a file smaller than this is not worth keeping */
};

struct write_job {
    struct rt_logbuf *b; /* loop thread only, not after a cancel */
    struct rt_logsource *source;
    struct {
        char *mem;
        int64_t off;
        size_t block;
    } v[JOB_MAX];
    size_t n, ok;
    int error;
    bool owns; /* the buffer is gone: the memory is ours */
};

struct rt_logspill {
    char *path;
    struct rt_logsource *source; /* NULL: not made yet; borrowed from the buffer */
    size_t written;              /* blocks before it are on disk or dropped */
    size_t in_memory;            /* blocks */
    int64_t slots;               /* places given out in the file */
    bool full; /* no new places */
    bool dead; /* nothing is written any more */
    struct write_job *job;
    struct rt_op *op;
};

struct rt_logspill *rt_logspill_create(const char *path) {
    struct rt_logspill *s = RT_NEW(struct rt_logspill);
    s->path = rt_strdup(path);
    return s;
}

static void job_free(void *ctx) {
    struct write_job *j = ctx;
    for (size_t i = 0; j->owns && i < j->n; i++)
        free(j->v[i].mem);
    rt_logsource_unref(j->source);
    free(j);
}

void rt_logspill_destroy(struct rt_logspill *s, struct rt_logbuf *b) {
    if (!s)
        return;
    if (s->job) {
        s->job->owns = true;
        for (size_t i = 0; i < s->job->n; i++)
            b->blocks.v[s->job->v[i].block].mem = NULL;
        rt_op_drop(&s->op);
    }
    free(s->path);
    free(s);
}

static int make_file(const struct rt_logspill *s) {
    if (s->path) {
        int fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        struct stat st;
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
            unlink(s->path);
            if (ftruncate(fd, 0) != 0)
                rt_log(RT_LOG_DEBUG, "%s: %s", s->path, strerror(errno));
        }
        return fd;
    }
    struct rt_error err;
    char *dir = rt_path(RT_DIR_CACHE, NULL), *name = rt_path_join(dir, "log-XXXXXX");
    int fd = rt_mkdirs(dir, &err) ? mkstemp(name) : -1;
    int error = errno;
    if (fd >= 0) {
        unlink(name);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    free(name);
    free(dir);
    errno = error;
    return fd;
}

/* From now on the newest is kept and the oldest goes. */
static void say_full(struct rt_logbuf *b, const char *why) {
    struct rt_logspill *s = b->spill;
    if (s->full)
        return;
    s->full = true;
    char kept[32], text[192];
    int64_t slots = s->dead ? 0 : s->slots;
    rt_fmt_bytes(kept, sizeof kept, (double)slots * RT_LOGBLOCK + (double)b->mem_max);
    snprintf(text, sizeof text, "--- %s: from here on only the newest %s are kept ---", why, kept);
    rt_logbuf_mark(b, text);
}

static void give_up(struct rt_logbuf *b, int error) {
    b->spill->dead = true;
    say_full(b, strerror(error));
}

static bool in_job(const struct rt_logspill *s, size_t block) {
    for (size_t i = 0; s->job && i < s->job->n; i++)
        if (s->job->v[i].block == block)
            return true;
    return false;
}

static void free_memory(struct rt_logbuf *b, struct rt_logblock *k) {
    free(k->mem);
    k->mem = NULL;
    b->spill->in_memory--;
}

/* Forgets the oldest block; gives its place in the file, or -1. */
static int64_t drop_oldest(struct rt_logbuf *b) {
    struct rt_logblock *k = &b->blocks.v[b->first];
    int64_t off = -1;
    if (k->mem)
        free_memory(b, k);
    else
        off = k->off;
    b->first++;
    b->spill->written = RT_MAX(b->spill->written, b->first);
    return off;
}

/* A place in the file for one more block, or -1. */
static int64_t find_place(struct rt_logbuf *b) {
    struct rt_logspill *s = b->spill;
    if (!s->full && (s->slots + 1) * RT_LOGBLOCK > (int64_t)b->kept_max)
        say_full(b, "so much of the log is kept");
    if (!s->full)
        return s->slots++ * RT_LOGBLOCK;
    return b->first < s->written && !b->blocks.v[b->first].mem ? drop_oldest(b) : -1;
}

static void on_disk(struct rt_logbuf *b, size_t block, int64_t off) {
    struct rt_logblock *k = &b->blocks.v[block];
    if (block < b->first || !k->mem)
        return;
    free_memory(b, k);
    k->off = off;
    k->source = b->spill->source;
    while (b->spill->written < b->blocks.n && !b->blocks.v[b->spill->written].mem)
        b->spill->written++;
}

static int write_block(int fd, const char *mem, int64_t off) {
    for (size_t done = 0; done < RT_LOGBLOCK;) {
        ssize_t n = pwrite(fd, mem + done, RT_LOGBLOCK - done, (off_t)(off + (int64_t)done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : ENOSPC;
        done += (size_t)n;
    }
    return 0;
}

static void job_work(void *ctx) {
    struct write_job *j = ctx;
    for (j->ok = 0; j->ok < j->n; j->ok++) {
        j->error = write_block(j->source->fd, j->v[j->ok].mem, j->v[j->ok].off);
        if (j->error)
            return;
    }
}

/* A block could not be written where a place was free, or where another one had been. */
static void write_failed(struct rt_logbuf *b, int error, int64_t off) {
    struct rt_logspill *s = b->spill;
    if (s->full || off < FEW_SLOTS * RT_LOGBLOCK) {
        give_up(b, error);
        return;
    }
    s->slots = off / RT_LOGBLOCK;
    say_full(b, strerror(error));
}

static void job_done(void *ctx) {
    struct write_job *j = ctx;
    struct rt_logbuf *b = j->b;
    b->spill->op = NULL;
    b->spill->job = NULL;
    for (size_t i = 0; i < j->ok; i++)
        on_disk(b, j->v[i].block, j->v[i].off);
    if (j->error)
        write_failed(b, j->error, j->v[j->ok].off);
    job_free(j);
    rt_logspill_relieve(b);
}

/* Blocks that are complete and not on their way; the last one is never. */
static void start_job(struct rt_logbuf *b) {
    struct rt_logspill *s = b->spill;
    struct write_job *j = RT_NEW(struct write_job);
    j->b = b;
    j->source = rt_logsource_ref(s->source);
    for (size_t i = s->written; i + 1 < b->blocks.n && j->n < JOB_MAX; i++) {
        if (!b->blocks.v[i].mem)
            continue;
        int64_t off = find_place(b);
        if (off < 0)
            break;
        j->v[j->n].mem = b->blocks.v[i].mem;
        j->v[j->n].off = off;
        j->v[j->n++].block = i;
    }
    if (j->n == 0) {
        job_free(j);
        return;
    }
    s->job = j;
    s->op = rt_loop_work(b->loop, job_work, job_done, job_free, j);
}

/* Bytes come faster than workers write: the source waits while some of them are written here. */
static void write_here(struct rt_logbuf *b, size_t target) {
    struct rt_logspill *s = b->spill;
    for (size_t i = s->written; i + 1 < b->blocks.n && s->in_memory > target && !s->dead; i++) {
        if (!b->blocks.v[i].mem || in_job(s, i))
            continue;
        int64_t off = find_place(b);
        if (off < 0)
            return;
        int error = write_block(s->source->fd, b->blocks.v[i].mem, off);
        if (error)
            write_failed(b, error, off);
        else
            on_disk(b, i, off);
    }
}

static bool have_file(struct rt_logbuf *b) {
    struct rt_logspill *s = b->spill;
    if (s->source || s->dead)
        return !s->dead;
    int fd = make_file(s);
    if (fd < 0) {
        give_up(b, errno);
        return false;
    }
    s->source = rt_logsource_create(fd);
    *rt_vec_push(&b->sources) = s->source;
    return true;
}

void rt_logspill_relieve(struct rt_logbuf *b) {
    struct rt_logspill *s = b->spill;
    size_t max = b->mem_max / RT_LOGBLOCK;
    s->in_memory = 0;
    for (size_t i = s->written; i < b->blocks.n; i++)
        s->in_memory += b->blocks.v[i].mem != NULL;
    if (s->in_memory <= max)
        return;
    if (have_file(b)) {
        if (!s->job)
            start_job(b);
        if (s->in_memory > max * HARD_FACTOR)
            write_here(b, max * HARD_FACTOR);
    }
    while (s->dead && s->in_memory > max && b->first + 1 < b->blocks.n && !in_job(s, b->first))
        drop_oldest(b);
}
