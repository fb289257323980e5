/* What the tests of the log engine share: a log of their own, kept in the simplest way. */
#ifndef RT_TESTS_LOGHELP_H
#define RT_TESTS_LOGHELP_H

#include "unit/cmocka_all.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/vec.h"
#include "core/logbuf.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A loop, a directory, the bytes of a log. */
struct bench {
    struct rt_loop *loop;
    struct rt_logbuf *b;
    char dir[64], path[96];
    struct rt_buf bytes;
};

static inline int bench_up(void **state) {
    struct rt_error err = {0};
    struct bench *t = RT_NEW(struct bench);
    t->loop = rt_loop_create(&err);
    assert_non_null(t->loop);
    snprintf(t->dir, sizeof t->dir, "/tmp/logbuf-test-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    snprintf(t->path, sizeof t->path, "%s/test.log", t->dir);
    setenv("XDG_CACHE_HOME", t->dir, 1);
    rt_buf_init(&t->bytes, RT_GIB);
    *state = t;
    return 0;
}

static inline int bench_down(void **state) {
    struct bench *t = *state;
    struct rt_error err = {0};
    rt_logbuf_destroy(t->b);
    rt_loop_destroy(t->loop);
    rt_remove_tree(t->dir, &err);
    rt_buf_deinit(&t->bytes);
    free(t);
    return 0;
}

/* Starts an appended log anew. */
static inline void bench_appended(struct bench *t) {
    rt_logbuf_destroy(t->b);
    t->b = rt_logbuf_create(t->loop, NULL);
    rt_buf_clear(&t->bytes);
}

static inline void bench_append(struct bench *t, const char *data, size_t n) {
    rt_buf_add(&t->bytes, data, n);
    rt_logbuf_append(t->b, data, n);
}

static inline void bench_write(const char *path, const char *data, size_t n, int flags) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    assert_true(fd >= 0);
    for (size_t done = 0; done < n;) {
        ssize_t w = write(fd, data + done, n - done);
        assert_true(w > 0);
        done += (size_t)w;
    }
    close(fd);
}

static inline void bench_open(struct bench *t, bool follow) {
    struct rt_error err = {0};
    rt_logbuf_destroy(t->b);
    bench_write(t->path, rt_buf_str(&t->bytes), t->bytes.len, O_TRUNC);
    t->b = rt_logbuf_open_file(t->loop, t->path, follow, &err);
    assert_non_null(t->b);
}

/* Until all is known; a hang ends in the time limit of the test. */
static inline void bench_settle(struct bench *t) {
    for (bool exact = false; !exact;) {
        rt_logbuf_visible(t->b, &exact);
        if (!exact)
            rt_loop_turn(t->loop, true);
    }
}

/* The n-th line of the bytes, found the slow way. False past the end. */
struct naive {
    const char *text;
    size_t len;
};
typedef RT_VEC(struct naive) naive_lines;

static inline void naive_split(const struct rt_buf *bytes, naive_lines *out) {
    out->n = 0;
    size_t start = 0;
    for (size_t i = 0; i < bytes->len; i++)
        if (bytes->data[i] == '\n') {
            *rt_vec_push(out) = (struct naive){bytes->data + start, i - start};
            start = i + 1;
        }
    if (start < bytes->len)
        *rt_vec_push(out) = (struct naive){bytes->data + start, bytes->len - start};
}

static inline void assert_line(struct rt_logbuf *b, int64_t number, const char *text, size_t len) {
    struct rt_line line;
    assert_true(rt_logbuf_line(b, number, &line));
    assert_int_equal(line.number, number);
    assert_int_equal(line.len, len);
    assert_memory_equal(line.text, text, len);
}

static inline void assert_text(struct rt_logbuf *b, int64_t number, const char *text) {
    assert_line(b, number, text, strlen(text));
}

/* A few lines of every sort, about `lines` of them. */
static inline void add_random_text(struct rt_buf *out, int lines) {
    static const char *const words[] = {"step", "loss", "ERROR", "INFO", "worker", "Traceback", "x", "done", "0.25", "gpu"};
    for (int i = 0; i < lines; i++) {
        int n = rand() % 12;
        if (rand() % 40 == 0)
            n = rand() % 2000;
        for (int k = 0; k < n; k++) {
            if (rand() % 60 == 0)
                rt_buf_adds(out, "\x1b[31m");
            if (rand() % 90 == 0)
                rt_buf_addc(out, '\r');
            if (rand() % 90 == 0)
                rt_buf_addc(out, (char)(128 + rand() % 128));
            rt_buf_addf(out, "%s ", words[(size_t)rand() % RT_COUNT(words)]);
        }
        rt_buf_adds(out, rand() % 10 == 0 ? "\r\n" : "\n");
    }
    if (rand() % 2)
        rt_buf_adds(out, "unfinished ERROR");
}

#endif
