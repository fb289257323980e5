/* Reads the lines of a piece of a log on a worker thread: out of a file or out of copied memory, in
 * windows of bounded size. */
#ifndef RT_CORE_LOGREAD_H
#define RT_CORE_LOGREAD_H

#include "base/macros.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RT_LOGLINE_MAX = 1024 * 1024, /* more of a line is neither matched nor shown */
    RT_LOGWINDOW = 256 * 1024
};

/* Bytes that follow each other in the log. */
struct rt_logextent {
    int fd;
    int64_t off;
    size_t len;
    char *mem;    /* in place of the file */
    bool newline; /* the file ended without one: its last line ends here all the same */
};

struct rt_logreader {
    /* Given: */
    const struct rt_logextent *ext;
    size_t n_ext;
    int64_t own;        /* lines that start before this many bytes are read, to their ends */
    bool partial_start; /* the bytes up to the first newline belong to a line before */
    bool partial_end;   /* a last line without newline counts */
    bool whole;         /* long lines come in parts (`more`) in place of being cut */
    /* Its own: */
    char *buf;
    size_t cap, pos, end, seen;
    size_t cur;
    int64_t cur_off;
    int64_t at; /* bytes before buf[pos] */
    bool skip; /* the rest of a line that was cut comes next */
    bool open; /* the rest of a line whose beginning was given or forgotten comes next */
    bool done;
};

/* Lines separated by newlines, without the last newline. */
struct rt_logrun {
    const char *text;
    size_t n;
    bool more; /* the last line goes on in the next run */
};

/* False at the end. The text is good until the next call. */
bool rt_logreader_next(struct rt_logreader *r, struct rt_logrun *out);
void rt_logreader_deinit(struct rt_logreader *r);
/* Reads up to n bytes at a place of a file; fewer only at its end or on an error. */
size_t rt_pread_full(int fd, char *to, size_t n, int64_t off);

#endif
