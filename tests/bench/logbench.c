/* How fast the log engine is: logbench [FILE]. Without FILE a log of ten million lines is made beside the
 * temporary files, and kept for the next time. Compare with wc -l, grep -c and grep on the same file. */
#include "base/fs.h"
#include "base/mem.h"
#include "core/logbuf.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINES = 10000000, PAGE = 60 };

static size_t line_text(char *out, size_t size, int i) {
    static const char *const levels[] = {"INFO", "INFO", "INFO", "WARNING", "INFO", "INFO", "INFO", "INFO"};
    const char *level = i % 64 == 0 ? "ERROR" : levels[i / 8 % 8];
    int n = snprintf(out, size,
                     "2026-11-20 %02d:%02d:%02d,%03d\t%s worker.py:42 -- (train pid=%d, ip=10.0.0.%d) step %09d "
                     "loss=0.%04d lr=0.00030 grad_norm=%d.%02d%s\n",
                     10 + i / 3600000 % 14, i / 60000 % 60, i / 1000 % 60, i % 1000, level, 1000 + i % 64, i % 250, i,
                     i % 9973, i % 7, i % 100, i == LINES / 100 * 99 ? " needleInTheHaystack" : "");
    return (size_t)n;
}

static void make_file(const char *path) {
    FILE *f = fopen(path, "w");
    char text[256];
    if (!f) {
        perror(path);
        exit(1);
    }
    for (int i = 0; i < LINES; i++)
        fwrite(text, 1, line_text(text, sizeof text, i), f);
    fclose(f);
}

static double rss_mib(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
#ifdef __APPLE__
    return (double)u.ru_maxrss / 1048576.0;
#else
    return (double)u.ru_maxrss / 1024.0;
#endif
}

static void report(const char *what, int64_t since_us, const char *note) {
    printf("%-34s %10.2f ms   %s\n", what, (double)(rt_mono_us() - since_us) / 1000.0, note);
}

static void report_rate(const char *what, int64_t since_us, int64_t lines) {
    double s = (double)(rt_mono_us() - since_us) / 1e6;
    printf("%-34s %10.2f ms   %.2f M lines/s, most memory %.1f MiB\n", what, s * 1000, (double)lines / s / 1e6,
           rss_mib());
}

/* A page as the screen needs it: read and cleaned. */
static size_t page(struct rt_logbuf *b, int64_t first) {
    struct rt_buf text;
    struct rt_span spans[64];
    size_t sum = 0;
    rt_buf_init(&text, 0);
    for (int64_t i = first; i < first + PAGE; i++) {
        struct rt_line line;
        rt_buf_clear(&text);
        if (rt_logbuf_line(b, i, &line))
            rt_log_clean(line.text, line.len, &text, spans, RT_COUNT(spans));
        sum += text.len;
    }
    rt_buf_deinit(&text);
    return sum;
}

struct wait {
    bool done;
    int64_t line, count;
};

static void searched(void *ctx, int64_t line, bool wrapped, const struct rt_error *err) {
    struct wait *w = ctx;
    (void)wrapped;
    (void)err;
    w->done = true;
    w->line = line;
}

static void counted(void *ctx, int64_t at, int64_t count, bool done) {
    struct wait *w = ctx;
    (void)at;
    w->done = done;
    w->count = count;
}

static void settle(struct rt_loop *l, struct rt_logbuf *b) {
    for (bool exact = false; !exact;) {
        rt_logbuf_visible(b, &exact);
        if (!exact)
            rt_loop_turn(l, true);
    }
}

static void time_search(struct rt_loop *l, struct rt_logbuf *b, const char *regex, bool backwards) {
    struct wait w = {0};
    char what[64], note[64];
    int64_t t = rt_mono_us();
    rt_logbuf_search(b, regex, backwards ? rt_logbuf_lines(b, NULL) - 1 : 0, backwards, searched, &w);
    while (!w.done)
        rt_loop_turn(l, true);
    snprintf(what, sizeof what, "search %s%s", regex, backwards ? " backwards" : "");
    snprintf(note, sizeof note, "line %lld", (long long)w.line);
    report(what, t, note);
}

static void time_count(struct rt_loop *l, struct rt_logbuf *b, const char *regex) {
    struct wait w = {0};
    char what[64], note[64];
    int64_t t = rt_mono_us();
    rt_logbuf_count(b, regex, 0, counted, &w);
    while (!w.done)
        rt_loop_turn(l, true);
    snprintf(what, sizeof what, "count %s", regex);
    snprintf(note, sizeof note, "%lld lines", (long long)w.count);
    report(what, t, note);
}

static void time_filter(struct rt_loop *l, struct rt_logbuf *b, const char *regex, bool drop) {
    struct rt_error err;
    char what[64], note[64];
    int64_t t = rt_mono_us();
    if (!rt_logbuf_filter_add(b, regex, drop, &err))
        exit(1);
    settle(l, b);
    snprintf(what, sizeof what, "filter %s%s", drop ? "!" : "", regex);
    snprintf(note, sizeof note, "%lld lines", (long long)rt_logbuf_visible(b, NULL));
    report(what, t, note);
}

static void bench_file(struct rt_loop *l, const char *path) {
    struct rt_error err = {0};
    int64_t t = rt_mono_us();
    struct rt_logbuf *b = rt_logbuf_open_file(l, path, false, &err);
    if (!b) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    page(b, 0);
    report("open and first page", t, "");
    t = rt_mono_us();
    page(b, rt_logbuf_lines(b, NULL) - PAGE);
    report("last page", t, "");
    t = rt_mono_us();
    settle(l, b);
    report("index", t, "");
    t = rt_mono_us();
    for (int64_t i = 0; i < 1000; i++)
        page(b, rt_logbuf_lines(b, NULL) / 1000 * (i * 7919 % 1000));
    report("1000 pages anywhere", t, "");
    t = rt_mono_us();
    while (!rt_logbuf_kinds_known(b))
        rt_loop_turn(l, true);
    report("errors and warnings (behind)", t, "");
    time_search(l, b, "needleInTheHaystack", false);
    time_search(l, b, "needleinthehaystack", false);
    time_search(l, b, "needleInTheHaystack", true);
    time_search(l, b, "nothing[0-9]+like it", false);
    time_count(l, b, "needleInTheHaystack");
    time_count(l, b, "ERROR");
    time_count(l, b, "step.*loss=0\\.99");
    time_filter(l, b, "ERROR", false);
    rt_logbuf_filter_pop(b);
    time_filter(l, b, "info", true);
    time_filter(l, b, "pid=1007", false);
    printf("%-34s %10.1f MiB\n", "most memory", rss_mib());
    rt_logbuf_destroy(b);
}

static void bench_append(struct rt_loop *l, const char *path, size_t piece, const char *what) {
    struct rt_logbuf *b = rt_logbuf_create(l, NULL);
    char *data = rt_realloc(NULL, piece);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int64_t t = rt_mono_us();
    ssize_t n;
    while ((n = read(fd, data, piece)) > 0) {
        rt_logbuf_append(b, data, (size_t)n);
        rt_loop_turn(l, false);
    }
    report_rate(what, t, rt_logbuf_lines(b, NULL));
    t = rt_mono_us();
    rt_logbuf_destroy(b);
    report("gone", t, "");
    close(fd);
    free(data);
}

/* Another process writes as fast as it can. */
static void bench_follow(struct rt_loop *l, const char *from, const char *path) {
    struct rt_error err = {0};
    char data[64 * 1024];
    close(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    struct rt_logbuf *b = rt_logbuf_open_file(l, path, true, &err);
    int64_t t = rt_mono_us(), end = 0, size = 0;
    pid_t child = fork();
    if (child == 0) {
        int in = open(from, O_RDONLY | O_CLOEXEC), out = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        for (ssize_t n; (n = read(in, data, sizeof data)) > 0;)
            if (write(out, data, (size_t)n) != n)
                _exit(1);
        _exit(0);
    }
    while (end == 0 || rt_logbuf_bytes(b) < size) {
        struct stat st;
        rt_loop_turn(l, true);
        if (end == 0 && waitpid(child, NULL, WNOHANG) == child) {
            end = rt_mono_us();
            size = stat(path, &st) == 0 ? st.st_size : 0;
        }
    }
    char note[64];
    snprintf(note, sizeof note, "%.1f ms behind", (double)(rt_mono_us() - end) / 1000.0);
    report_rate("follow a file at full speed", t, rt_logbuf_lines(b, NULL));
    printf("%-34s %s\n", "", note);
    rt_logbuf_destroy(b);
    unlink(path);
}

static void bench_clean(void) {
    static const char *const lines[] = {
        "2026-11-20 10:00:00,123\tINFO worker.py:42 -- (train pid=12, ip=10.0.0.1) step 000000001 loss=0.1",
        "\x1b[36m(train pid=12)\x1b[0m 2026-11-20 10:00:00,123 \x1b[31mERROR\x1b[0m worker.py:42 -- it broke, 日本",
        "\r 10%|#         | 10/100\r 20%|##        | 20/100\r 30%|###       | 30/100",
    };
    static const char *const names[] = {"clean a plain line", "clean a coloured line", "clean a progress bar"};
    struct rt_span spans[64];
    struct rt_buf text;
    rt_buf_init(&text, 0);
    for (size_t k = 0; k < RT_COUNT(lines); k++) {
        int64_t t = rt_mono_us();
        for (int i = 0; i < 1000000; i++) {
            rt_buf_clear(&text);
            rt_log_clean(lines[k], strlen(lines[k]), &text, spans, RT_COUNT(spans));
        }
        report_rate(names[k], t, 1000000);
    }
    int64_t t = rt_mono_us(), sum = 0;
    for (int i = 0; i < 1000000; i++)
        sum += rt_log_kind(lines[i % 2], strlen(lines[i % 2]));
    report_rate(sum ? "kind of a line" : "", t, 1000000);
    t = rt_mono_us();
    for (int i = 0; i < 100000; i++)
        sum += rt_log_time(lines[i % 2], strlen(lines[i % 2]));
    report_rate(sum ? "time of a line" : "", t, 100000);
    rt_buf_deinit(&text);
}

int main(int argc, char **argv) {
    struct rt_error err;
    struct rt_loop *l = rt_loop_create(&err);
    const char *tmp = getenv("TMPDIR");
    char *own = rt_path_join(tmp && *tmp ? tmp : "/tmp", "raytui-logbench.log");
    const char *path = argc > 1 ? argv[1] : own;
    if (!l)
        return 1;
    if (argc < 2 && !rt_file_exists(own))
        make_file(own);
    bench_file(l, path);
    bench_append(l, path, 64 * 1024, "append in pieces of 64 KiB");
    bench_append(l, path, 4096, "append in pieces of 4 KiB");
    char *copy = rt_strf("%s.copy", own);
    bench_follow(l, path, copy);
    free(copy);
    bench_clean();
    rt_loop_destroy(l);
    free(own);
    return 0;
}
