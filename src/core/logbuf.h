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

/* `spill_path` NULL: an unlinked file in the cache directory, made when memory is not enough. */
struct rt_logbuf *rt_logbuf_create(struct rt_loop *l, const char *spill_path);
void rt_logbuf_destroy(struct rt_logbuf *b);

/* Opens a local file in place of appended bytes (`logs --file`): mapped, indexed behind the first page;
 * `follow` watches it grow. */
struct rt_logbuf *rt_logbuf_open_file(struct rt_loop *l, const char *path, bool follow, struct rt_error *err);

void rt_logbuf_append(struct rt_logbuf *b, const char *data, size_t n);
/* A visible line of raytui's own between the log's lines: "--- forward lost 17:14:02, resumed 17:14:09 ---". */
void rt_logbuf_mark(struct rt_logbuf *b, const char *text);
/* The source starts over (rotated, another session): a mark, the old lines stay. */
void rt_logbuf_restart(struct rt_logbuf *b, const char *why);
void rt_logbuf_on_change(struct rt_logbuf *b, rt_loop_fn *fn, void *ctx); /* at most once a turn */

/* Lines known so far; `exact` false while an index is still being made. The last line may be unfinished. */
int64_t rt_logbuf_lines(const struct rt_logbuf *b, bool *exact);
int64_t rt_logbuf_bytes(const struct rt_logbuf *b);

enum rt_line_kind { RT_LINE_PLAIN, RT_LINE_WARN, RT_LINE_ERROR, RT_LINE_MARK };
struct rt_line {
    const char *text; /* raw bytes, lent until the next call on this buffer; lines over 1 MiB are cut */
    size_t len;
    enum rt_line_kind kind;
    int64_t number;   /* from 0 */
};
bool rt_logbuf_line(struct rt_logbuf *b, int64_t number, struct rt_line *out);

/* A run of equal looks in a line: ANSI colours of the log are kept, every other control is made harmless. */
struct rt_span {
    size_t start, len;  /* bytes in the cleaned text */
    int fg, bg;         /* -1 default; 0-255; 0x1000000 | rgb */
    bool bold, dim, underline, reverse;
};
/* Cleans a raw line for the screen: appends text, writes at most `max` spans, gives their number. Tabs are
 * expanded to 8. Text left of the last carriage return is replaced as a terminal would. */
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
bool rt_logbuf_filtering(const struct rt_logbuf *b);
/* How many lines pass (so far), and the i-th of them; without filters the identity. */
int64_t rt_logbuf_visible(const struct rt_logbuf *b, bool *exact);
int64_t rt_logbuf_visible_at(struct rt_logbuf *b, int64_t i);       /* line number, -1 past the end */
int64_t rt_logbuf_visible_index(struct rt_logbuf *b, int64_t line); /* nearest at or after */

/* Search: PCRE2, smart case (lower-case pattern ignores case). Runs in slices; `fn` gives the line (or -1 when
 * there is none) and whether it wrapped. Only visible lines match. */
typedef void rt_search_fn(void *ctx, int64_t line, bool wrapped, const struct rt_error *err);
struct rt_op *rt_logbuf_search(struct rt_logbuf *b, const char *regex, int64_t from, bool backwards, rt_search_fn *fn, void *ctx);
/* Counts matches and where `line` stands among them ("3/41"), in slices. */
typedef void rt_count_fn(void *ctx, int64_t at, int64_t count, bool done);
struct rt_op *rt_logbuf_count(struct rt_logbuf *b, const char *regex, int64_t line, rt_count_fn *fn, void *ctx);
/* Matches inside one cleaned line, for highlighting: pairs start,end; gives their number. */
size_t rt_log_matches(struct rt_logbuf *b, const char *regex, const char *text, size_t n, size_t (*out)[2], size_t max);
/* Next line of a kind from `from`, or -1. */
int64_t rt_logbuf_next_kind(struct rt_logbuf *b, enum rt_line_kind kind, int64_t from, bool backwards);
int64_t rt_logbuf_line_at_time(struct rt_logbuf *b, int64_t wall_ms); /* first line at or after; -1 */
/* Writes the lines (visible ones or all) to a file, in the background. */
typedef void rt_save_fn(void *ctx, int64_t lines, const struct rt_error *err);
struct rt_op *rt_logbuf_save(struct rt_logbuf *b, const char *path, bool visible_only, rt_save_fn *fn, void *ctx);

#endif
