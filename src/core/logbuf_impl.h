/* What the files of the log engine share; for nobody else.
 *
 * A log is a row of blocks of 64 KiB, in memory, in the spill file or in the user's file. Each block knows
 * how many newlines it holds and how many stand before it, so a line is found by its number with one look
 * into one block, and an index of ten million lines is smaller than one screenful of colours.
 *
 * "Line" with an int64_t `line` means a line of the log's own, counted from 0; a "number" is what the
 * public interface counts: lines and marks together. */
#ifndef RT_CORE_LOGBUF_IMPL_H
#define RT_CORE_LOGBUF_IMPL_H

#include "base/vec.h"
#include "core/logbits.h"
#include "core/logbuf.h"
#include "core/logread.h"
#include "core/logregex.h"
#include <stdatomic.h>

enum {
    RT_LOGBLOCK = 64 * 1024,
    RT_LOGCACHE = 4,   /* blocks that were looked at last */
    RT_LOGFILTERS = 16
};

/* A descriptor that outlives the buffer while workers read from it. Counted on the loop thread. */
struct rt_logsource {
    int fd;
    int refs;
};
struct rt_logsource *rt_logsource_create(int fd); /* takes fd */
struct rt_logsource *rt_logsource_ref(struct rt_logsource *s);
void rt_logsource_unref(struct rt_logsource *s); /* NULL is fine */

struct rt_logblock {
    int64_t lines; /* newlines before it */
    int64_t off;   /* in its source */
    char *mem;     /* or here */
    struct rt_logsource *source; /* borrowed from the buffer */
    uint32_t len;
    uint32_t newlines; /* in it, with the one that `closed` stands for */
    bool ends_line;    /* the next block starts a line */
    bool closed;       /* its source ended without a newline here */
};

struct rt_logmark {
    int64_t line; /* lines before it */
    char *text;
};

/* A block as it was looked at: where its newlines are. */
struct rt_logview {
    size_t block;   /* SIZE_MAX: unused */
    uint32_t len;   /* of the block then; it may have grown */
    uint64_t used;
    char *copy;     /* of a block that is not in memory */
    const char *text;
    RT_VEC(uint32_t) ends;
};

/* A walk over blocks with workers: units go out, come back in order. Embedded in what uses it. */
struct rt_logunit;
struct rt_logscan {
    struct rt_logbuf *b;
    rt_loop_fn *work;      /* on a worker, gets the unit */
    struct rt_logregex *re;/* borrowed; units hold their own */
    bool backwards;
    bool tail;  /* an unfinished last line counts */
    bool whole; /* lines are not cut */
    bool narrow; /* one unit at a time */
    bool raw;   /* blocks, not lines: nothing is known of them yet */
    int64_t until;         /* a worker may stop after a match at or past this line; -1 */
    void (*prepare)(void *ctx, struct rt_logunit *u); /* may be NULL */
    /* Units in order; false: stopped (the scan may be gone). */
    bool (*unit)(void *ctx, struct rt_logunit *u);
    void (*end)(void *ctx);
    void *ctx;
    size_t lo, hi, step; /* blocks still to go out */
    struct {
        struct rt_op *op;
        struct rt_logunit *u;
        bool back;
    } slot[2];
    unsigned head, out;
};

/* What saving adds to a unit. */
struct rt_logsave_part {
    void (*free)(struct rt_logsave_part *p);
};

struct rt_logunit {
    struct rt_logscan *scan; /* loop thread only, not after a cancel */
    struct rt_logreader reader;
    struct rt_logextent *ext;
    size_t n_ext;
    struct rt_logsource **sources; /* of the extents; held while the unit lives */
    struct rt_logregex *re;
    atomic_bool stop;
    size_t lo, hi;        /* blocks */
    int64_t first, lines; /* lines that start in them */
    int64_t until;        /* relative to first; -1 */
    uint64_t *bits[2];    /* of the lines */
    bool too_hard;        /* the pattern took too many steps, again and again */
    /* Counting: */
    uint32_t *newlines; /* per block */
    bool *ends_line;
    /* Saving: */
    struct rt_logsave_part *save;
};
/* From block lo up to hi, whichever way; scan's other members are set before. False: there is nothing to
 * do, and nothing will be called. */
bool rt_logscan_start(struct rt_logscan *s, size_t lo, size_t hi);
void rt_logscan_stop(struct rt_logscan *s); /* silently; may be called twice */
bool rt_logscan_running(const struct rt_logscan *s);
void rt_logunit_match(void *unit); /* work: sets bits[0] for the lines that match */
void rt_logunit_kinds(void *unit); /* work: bits[0] errors, bits[1] warnings */
void rt_logunit_count(void *unit); /* work: newlines per block */

/* Knows something of every finished line, and follows the log. */
struct rt_logtrack {
    struct rt_logbuf *b;
    struct rt_logscan scan;
    struct rt_logregex *re; /* NULL: kinds */
    struct rt_logbits bits[2];
    int64_t done; /* lines */
    bool too_hard;
};
void rt_logtrack_init(struct rt_logtrack *t, struct rt_logbuf *b, struct rt_logregex *re);
void rt_logtrack_deinit(struct rt_logtrack *t);
void rt_logtrack_follow(struct rt_logtrack *t);
/* There are lines to look at, from `block` on. */
bool rt_logtrack_behind(const struct rt_logtrack *t, size_t *block);

struct rt_logfilter {
    struct rt_logtrack track;
    struct rt_logmatcher *matcher; /* for single lines */
    bool drop;
};

/* A search, count or save that waits or works. */
struct rt_logtask {
    struct rt_op op;
    struct rt_logbuf *b;
    void (*wake)(struct rt_logtask *t);                              /* something became known */
    void (*renumber)(struct rt_logtask *t, int64_t from, int64_t by); /* may be NULL */
    struct rt_logtask *next;
    bool asleep;
};
void rt_logtask_add(struct rt_logbuf *b, struct rt_logtask *t);
void rt_logtask_remove(struct rt_logtask *t);

struct rt_logfile;
struct rt_logspill;

struct rt_logbuf {
    struct rt_loop *loop;
    struct rt_logbuf *self; /* asking what is seen may read a line */
    RT_VEC(struct rt_logblock) blocks;
    RT_VEC(struct rt_logsource *) sources;
    size_t first;       /* blocks before it are not kept any more */
    size_t front;       /* blocks before it are counted from the beginning */
    int64_t front_lines;/* newlines in them */
    size_t tail;        /* blocks from here on are counted from an estimated end */
    int64_t newlines;   /* all; an estimate while front < blocks.n */
    bool unfinished;    /* bytes after the last newline */
    int64_t bytes;
    RT_VEC(struct rt_logmark) marks;
    RT_VEC(char *) later; /* marks that wait for the index */
    struct rt_logview view[RT_LOGCACHE];
    uint64_t clock;
    struct rt_buf line; /* a line over several blocks */

    struct rt_logspill *spill; /* of appended logs */
    struct rt_logfile *file;   /* of local files */
    size_t mem_max, kept_max;  /* bytes */

    RT_VEC(struct rt_logfilter *) filters;
    bool filters_off, veiled; /* veiled: the first filter is the veil */
    struct rt_logbits pass; /* lines that pass all filters */
    int64_t pending_len;    /* the unfinished line that was matched last, by its length */
    bool pending_pass;
    struct rt_logtrack kinds;

    struct {
        struct rt_logregex *re;
        struct rt_logmatcher *m;
    } shown; /* the pattern whose matches are drawn */

    struct rt_logtask *tasks;
    struct rt_op *notice;
    bool *gone; /* set when the buffer is destroyed in a callback of a task */
    rt_loop_fn *changed;
    void *changed_ctx;
    rt_renumber_fn *renumbered;
    void *renumbered_ctx;
};

/* Says later in this turn or in the next that something changed. */
void rt_logbuf_changed(struct rt_logbuf *b);
/* Numbers from `from` on moved. */
void rt_logbuf_moved(struct rt_logbuf *b, int64_t from, int64_t by);
bool rt_logbuf_exact(const struct rt_logbuf *b);
int64_t rt_logbuf_data_lines(const struct rt_logbuf *b); /* with an unfinished one */

/* Numbers and lines. A mark's number gives the line behind it. */
int64_t rt_logbuf_number_of(const struct rt_logbuf *b, int64_t line);
int64_t rt_logbuf_line_of(const struct rt_logbuf *b, int64_t number, size_t *mark); /* SIZE_MAX: no mark */
/* Marks with at most `line` lines before them. */
size_t rt_logbuf_marks_upto(const struct rt_logbuf *b, int64_t line);

/* Blocks. */
const struct rt_logview *rt_logbuf_look(struct rt_logbuf *b, size_t block);
void rt_logbuf_forget(struct rt_logbuf *b, size_t block); /* what is cached of it, and of all behind */
int64_t rt_logbuf_first_line_in(const struct rt_logbuf *b, size_t block); /* the first that starts in it or later */
size_t rt_logbuf_block_of(const struct rt_logbuf *b, int64_t line); /* where it starts; blocks.n: nowhere */
struct rt_logtext {
    const char *text; /* lent until the next look */
    size_t len;
    int64_t more; /* bytes of the line that are not in it; about, while the index is made */
};
bool rt_logbuf_text(struct rt_logbuf *b, int64_t line, struct rt_logtext *out);
int64_t rt_logbuf_oldest(const struct rt_logbuf *b); /* the first line that is still kept */

/* Appended logs. */
struct rt_logspill *rt_logspill_create(const char *path);
void rt_logspill_destroy(struct rt_logspill *s, struct rt_logbuf *b);
void rt_logspill_relieve(struct rt_logbuf *b); /* after bytes were added */

/* Local files. */
bool rt_logfile_open(struct rt_logbuf *b, const char *path, bool follow, struct rt_error *err);
void rt_logfile_destroy(struct rt_logfile *f);
/* Counts backwards from the end until `line` is known; false if that is too far for now. */
bool rt_logfile_reach(struct rt_logbuf *b, int64_t line);
/* A new row of blocks begins: the block that ends now gets its newline. */
void rt_logbuf_close_last(struct rt_logbuf *b);

/* Filters. */
void rt_logfilters_follow(struct rt_logbuf *b);
void rt_logfilters_deinit(struct rt_logbuf *b);
bool rt_logbuf_passes(struct rt_logbuf *b, int64_t line);
/* All lines that were finished at `upto` have been looked at. */
bool rt_logfilters_ready(const struct rt_logbuf *b, int64_t upto);

#endif
