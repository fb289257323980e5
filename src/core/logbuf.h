/* A log of any size: bounded memory, spilled to a file, lines by number at once, search, filters.
 *
 * Bytes are appended as they come and kept as they are; lines are cleaned when they are shown. A carriage
 * return replaces the line before it (progress bars stay one line). Loop thread only. */
#ifndef RT_CORE_LOGBUF_H
#define RT_CORE_LOGBUF_H

#include "base/buf.h"
#include "base/error.h"
#include "net/loop.h"
#include <stdint.h>

struct rt_logbuf;

/* When memory is not enough, bytes go to an unlinked file in the cache directory, or at `spill_path`. */
struct rt_logbuf *rt_logbuf_create(struct rt_loop *l, const char *spill_path);
void rt_logbuf_destroy(struct rt_logbuf *b);

/* Opens a local file in place of appended bytes (`logs --file`): read in windows, indexed behind the first
 * page; `follow` watches it grow, shrink and be replaced. */
struct rt_logbuf *rt_logbuf_open_file(struct rt_loop *l, const char *path, bool follow, struct rt_error *err);

void rt_logbuf_append(struct rt_logbuf *b, const char *data, size_t n);
/* A visible line of raytui's own between the log's lines: "--- forward lost 17:14:02, resumed 17:14:09 ---". */
void rt_logbuf_mark(struct rt_logbuf *b, const char *text);
/* The source starts over (rotated, another session): a mark, the old lines stay. */
void rt_logbuf_restart(struct rt_logbuf *b, const char *why);
void rt_logbuf_on_change(struct rt_logbuf *b, rt_loop_fn *fn, void *ctx); /* at most once a turn */

/* Memory and disk for appended bytes (0: as it is; default 8 MiB and 8 GiB). Past the second, or when the
 * disk is full, the oldest lines are dropped; a mark says so. Numbers never change by that. */
void rt_logbuf_limit(struct rt_logbuf *b, size_t mem_bytes, int64_t disk_bytes);
/* The first line that is still kept (0 as long as nothing was dropped). Lines before it read as a mark. */
int64_t rt_logbuf_first(const struct rt_logbuf *b);

/* Lines known so far; `exact` false while an index is still being made. The last line may be unfinished.
 *
 * Until then the number of lines is an estimate, and the last lines are counted back from it, so that the
 * end can be shown at once: numbers at the beginning are final, numbers at the end move together when the
 * index is complete (rt_renumber_fn), and lines in between cannot be read yet. */
int64_t rt_logbuf_lines(const struct rt_logbuf *b, bool *exact);
int64_t rt_logbuf_bytes(const struct rt_logbuf *b);

/* Lines that had a number of `from` or more now have it plus `by` (any sign): move what you remember. Runs
 * before the notice of the change. */
typedef void rt_renumber_fn(void *ctx, int64_t from, int64_t by);
void rt_logbuf_on_renumber(struct rt_logbuf *b, rt_renumber_fn *fn, void *ctx);

enum rt_line_kind { RT_LINE_PLAIN, RT_LINE_WARN, RT_LINE_ERROR, RT_LINE_MARK };
struct rt_line {
    /* Raw bytes without their newline, lent until the next call on this buffer or the end of the turn. Lines
     * over 1 MiB are cut: at their end, or if carriage returns overwrite it, at their beginning. */
    const char *text;
    size_t len;
    int64_t more; /* bytes that were cut off; about, while the index is made */
    enum rt_line_kind kind;
    int64_t number;   /* from 0 */
};
/* False: there is no such line, or it is not known yet (see rt_logbuf_lines). */
bool rt_logbuf_line(struct rt_logbuf *b, int64_t number, struct rt_line *out);

/* A run of equal looks in a line: ANSI colours of the log are kept, every other control is made harmless. */
struct rt_span {
    size_t start, len;  /* bytes in the cleaned text */
    int fg, bg;         /* -1 default; 0-255; 0x1000000 | rgb */
    bool bold, dim, underline, reverse;
};
/* Cleans a raw line for the screen: appends text, writes at most `max` spans, gives their number. The spans
 * cover the text without gaps (the last one goes on when `max` is reached); their places count from where
 * this text begins. Tabs are expanded to 8. Text left of the last carriage return is replaced as a terminal
 * would. Control bytes show as ^X, invalid bytes as \xNN, hidden characters as <U+NNNN>; sequences that only
 * move or title things are left out. */
size_t rt_log_clean(const char *raw, size_t n, struct rt_buf *text, struct rt_span *spans, size_t max);
enum rt_line_kind rt_log_kind(const char *raw, size_t n);
/* Time at the start of a line, wall ms, or -1. Common forms: ISO 8601, Ray's own, glog, epoch seconds. */
int64_t rt_log_time(const char *raw, size_t n);

/* Filters stack; a line must pass all. Marks always pass. Numbers of lines stay those of the whole log. */
bool rt_logbuf_filter_add(struct rt_logbuf *b, const char *regex, bool drop, struct rt_error *err);
void rt_logbuf_filter_pop(struct rt_logbuf *b);
size_t rt_logbuf_filters(const struct rt_logbuf *b);
const char *rt_logbuf_filter_at(const struct rt_logbuf *b, size_t i, bool *drop);
void rt_logbuf_filters_enable(struct rt_logbuf *b, bool on);
bool rt_logbuf_filters_enabled(const struct rt_logbuf *b); /* there are some, and they count */
/* Lines that match are not seen, besides all filters and whether those count or not; NULL: none. */
bool rt_logbuf_veil(struct rt_logbuf *b, const char *regex, struct rt_error *err);
bool rt_logbuf_filtering(const struct rt_logbuf *b); /* not every line is seen */
/* How many lines pass (so far), and the i-th of them; without filters the identity. */
int64_t rt_logbuf_visible(const struct rt_logbuf *b, bool *exact);
int64_t rt_logbuf_visible_at(struct rt_logbuf *b, int64_t i);       /* line number, -1 past the end */
int64_t rt_logbuf_visible_index(struct rt_logbuf *b, int64_t line); /* nearest at or after */

/* Search: PCRE2, smart case (lower-case pattern ignores case). Runs in slices; `fn` gives the line (or -1 when
 * there is none) and whether it wrapped. Only visible lines match, marks never. `from` itself is looked at
 * first. Lines are matched as they are shown, but with their tabs and hidden characters. Operations on a
 * buffer are cancelled before it is destroyed. */
bool rt_logbuf_cuts(const struct rt_logbuf *b); /* there are lines over 1 MiB: what is behind is not searched */
typedef void rt_search_fn(void *ctx, int64_t line, bool wrapped, const struct rt_error *err);
struct rt_op *rt_logbuf_search(struct rt_logbuf *b, const char *regex, int64_t from, bool backwards, rt_search_fn *fn, void *ctx);
/* Counts lines that match, and those of them up to and with `line` ("3/41": it is the third), in slices. With
 * `done` false it is on its way and will call again. */
typedef void rt_count_fn(void *ctx, int64_t at, int64_t count, bool done);
struct rt_op *rt_logbuf_count(struct rt_logbuf *b, const char *regex, int64_t line, rt_count_fn *fn, void *ctx);
/* Matches inside one cleaned line, for highlighting: pairs start,end; gives their number. */
size_t rt_log_matches(struct rt_logbuf *b, const char *regex, const char *text, size_t n, size_t (*out)[2], size_t max);
/* Next visible line of a kind from `from` on (itself included), or -1. What was not looked at yet is looked at
 * for some milliseconds; then it is -1 with rt_logbuf_kinds_known false. */
int64_t rt_logbuf_next_kind(struct rt_logbuf *b, enum rt_line_kind kind, int64_t from, bool backwards);
bool rt_logbuf_kinds_known(const struct rt_logbuf *b);
int64_t rt_logbuf_line_at_time(struct rt_logbuf *b, int64_t wall_ms); /* first line at or after; -1 */
/* Writes the lines as they came (visible ones or all) and the marks to a file, in the background; an existing
 * file is replaced when all is written. */
typedef void rt_save_fn(void *ctx, int64_t lines, const struct rt_error *err);
struct rt_op *rt_logbuf_save(struct rt_logbuf *b, const char *path, bool visible_only, rt_save_fn *fn, void *ctx);

#endif
