/* Text: UTF-8, display width, cutting to columns, cleaning what came from outside, and the few
 * formats in which numbers, sizes, times and durations are shown and read. */
#ifndef RT_BASE_STR_H
#define RT_BASE_STR_H

#include "base/buf.h"
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool rt_streq(const char *a, const char *b);          /* NULL equals NULL */
bool rt_starts(const char *s, const char *prefix);
bool rt_is_one_of(const char *s, const char *const *list); /* ends with NULL */
bool rt_ends(const char *s, const char *suffix);
int rt_strcmp(const char *a, const char *b);          /* NULL sorts first */
int rt_natcmp(const char *a, const char *b);          /* node2 before node10; NULL first */
bool rt_contains_i(const char *s, const char *needle); /* ASCII case ignored; NULL s is "" */
bool rt_fuzzy_i(const char *s, const char *needle);    /* letters in order, case ignored */
uint64_t rt_fnv(const char *s); /* FNV-1a: the same everywhere and always; not against those who mean harm. NULL is "" */
/* The entry of `words` (NULL-terminated) nearest to `word` by edit distance, or NULL when none is near. */
const char *rt_nearest(const char *word, const char *const *words);

/* Decodes one code point at s[0..n); returns the bytes taken (>=1); *cp is -1 for an invalid byte. */
size_t rt_utf8_next(const char *s, size_t n, int32_t *cp);
size_t rt_utf8_encode(int32_t cp, char out[4]);
bool rt_utf8_valid(const char *s, size_t n);
int rt_cp_width(int32_t cp);                   /* 0, 1, 2; control and invalid: -1 */
bool rt_cp_hidden(int32_t cp);                 /* draws nothing, or moves or turns what stands around it */
int rt_width(const char *s, size_t n);         /* columns of clean text */

/* Appends `s` made harmless for a terminal: control bytes as ^X, invalid bytes as \xNN, C1 control, bidirectional
 * and zero-width control characters as <U+XXXX>, newline and tab as one blank. Text from a cluster
 * passes through here (or through the log cleaner) before it is drawn or printed in a table. */
void rt_clean(struct rt_buf *out, const char *s, size_t n);
/* The same into memory of the caller; cut on a character border. Returns out. */
char *rt_clean_to(char *out, size_t size, const char *s);

enum rt_cut { RT_CUT_RIGHT, RT_CUT_LEFT, RT_CUT_MIDDLE };
/* Appends clean text cut to at most `cols` columns, with an ellipsis ("~" when ascii) where it was cut.
 * Returns the columns used. */
int rt_fit(struct rt_buf *out, const char *s, int cols, enum rt_cut cut, bool ascii);

/* "3m12s", "2d4h", "0s"; negative or unknown (< 0): "-". */
char *rt_fmt_age(char *out, size_t size, int64_t ms);
/* "12.3G", "512M", "0B" in powers of 1024; < 0: "-". */
char *rt_fmt_bytes(char *out, size_t size, double bytes);
/* "1,042" */
char *rt_fmt_count(char *out, size_t size, int64_t n);
/* "" of one, "s" of any other number: rt_buf_addf(out, "%zu job%s", n, rt_plural(n)). */
const char *rt_plural(int64_t n);
/* A resource amount: at most two decimals, none when whole: "2", "0.5". */
char *rt_fmt_amount(char *out, size_t size, double v);
/* Local "14:02" today, "Nov 20" this year, else "2025-11-20". */
char *rt_fmt_clock(char *out, size_t size, int64_t wall_ms, int64_t now_wall_ms);
/* "2026-11-21T03:56:03Z" */
char *rt_fmt_iso(char *out, size_t size, int64_t wall_ms);

bool rt_parse_i64(const char *s, int64_t *out);      /* whole string, decimal */
bool rt_parse_f64(const char *s, double *out);       /* whole string, '.' always, finite */
bool rt_parse_duration(const char *s, int64_t *ms, struct rt_error *err); /* 90s 15m 4h 2d 1h30m, D-HH:MM:SS, HH:MM:SS, MM:SS, bare seconds */
bool rt_parse_size(const char *s, int64_t *bytes, struct rt_error *err);  /* 512MiB 2GiB 1.5G 100; K, Ki, KiB: 1024, KB: 1000 */

/* A list of strings that owns them. Adding NULL adds nothing. */
struct rt_strs {
    char **v; /* NULL-terminated when n > 0 */
    size_t n, cap;
};
void rt_strs_add(struct rt_strs *l, const char *s);
void rt_strs_take(struct rt_strs *l, char *s); /* takes s */
void rt_strs_addf(struct rt_strs *l, const char *fmt, ...) RT_PRINTF(2, 3);
bool rt_strs_has(const struct rt_strs *l, const char *s);
void rt_strs_copy(struct rt_strs *to, const struct rt_strs *from); /* appends */
void rt_strs_deinit(struct rt_strs *l);
/* Splits a command line as a POSIX shell splits words (quotes, backslash; no expansion). */
bool rt_split_words(const char *line, struct rt_strs *out, struct rt_error *err);

#endif
