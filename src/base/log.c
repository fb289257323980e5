/* The log file and the masking of secrets. */
#include "base/log.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOG_MAX ((off_t)(10 * RT_MIB))
#define LINE_MAX_BYTES (64 * RT_KIB)

static struct {
    char *path;
    int fd; /* valid while path is set */
    bool to_stderr;
    enum rt_level level;
    off_t size;             /* of the file, roughly: others may write to it too */
    struct rt_strs secrets; /* the longest first */
} state;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static void open_file(void) {
    struct stat st;
    state.fd = open(state.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0600);
    if (state.fd >= 0 && fstat(state.fd, &st) == 0 && S_ISREG(st.st_mode)) {
        state.size = st.st_size;
        return;
    }
    if (state.fd >= 0)
        close(state.fd);
    free(state.path);
    state.path = NULL;
}

static void close_file(void) {
    if (state.path)
        close(state.fd);
    free(state.path);
    state.path = NULL;
}

void rt_log_open(const char *path, enum rt_level level) {
    close_file();
    state.level = level;
    const char *wanted = getenv("RAYTUI_LOG");
    for (size_t i = 0; wanted && i < RT_COUNT(level_names); i++)
        if (strcmp(wanted, level_names[i]) == 0)
            state.level = (enum rt_level)i;
    if (!path)
        return;

    state.path = rt_strdup(path);
    char *slash = strrchr(state.path, '/');
    if (slash && slash != state.path) {
        struct rt_error ignored = {0};
        *slash = '\0';
        rt_mkdirs(state.path, &ignored);
        *slash = '/';
    }
    open_file();
}

void rt_log_close(void) {
    close_file();
    state.level = RT_LOG_ERROR;
    rt_strs_deinit(&state.secrets);
}

const char *rt_log_path(void) {
    return state.path;
}

void rt_log_stderr(bool on) {
    state.to_stderr = on;
}

bool rt_log_wants(enum rt_level level) {
    return level <= state.level && (state.path || state.to_stderr);
}

/* The full file becomes FILE.1; when another process did that already, only its successor is
 * opened. */
static void rotate(void) {
    struct stat ours, there;
    if (fstat(state.fd, &ours) != 0)
        return;
    bool same =
        stat(state.path, &there) == 0 && ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
    if (same && ours.st_size < LOG_MAX) {
        state.size = ours.st_size;
        return;
    }
    if (same) {
        char *older = rt_strf("%s.1", state.path);
        int failed = rename(state.path, older);
        free(older);
        if (failed) { /* a file that only grows is worse than a shorter log */
            state.size = ftruncate(state.fd, 0) == 0 ? 0 : ours.st_size;
            return;
        }
    }
    close(state.fd);
    open_file();
}

static void write_line(const char *line, size_t n) {
    if (state.to_stderr) {
        const char *text = strchr(line, ' ');
        fprintf(stderr, "raytui:%s", text ? text : line);
    }
    if (!state.path)
        return;
    if (state.size >= LOG_MAX)
        rotate();
    if (state.path &&
        write(state.fd, line, n) > 0) /* one call: lines of several processes do not mix */
        state.size += (off_t)n;
}

static void add_stamp(struct rt_buf *line, enum rt_level level) {
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    if (gmtime_r(&now.tv_sec, &tm))
        rt_buf_addf(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", tm.tm_year + 1900, tm.tm_mon + 1,
                    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, now.tv_nsec / 1000000);
    rt_buf_addf(line, " %s [%ld] ", level_names[level], (long)getpid());
}

void rt_log(enum rt_level level, const char *fmt, ...) {
    if (!rt_log_wants(level))
        return;
    int saved = errno;
    struct rt_buf text, line;
    rt_buf_init(&text, LINE_MAX_BYTES);
    va_list ap;
    va_start(ap, fmt);
    bool whole = rt_buf_addv(&text, fmt, ap);
    va_end(ap);
    if (!whole) {
        rt_buf_clear(&text);
        rt_buf_addf(&text, "(a message longer than %zu KiB: %.60s)", LINE_MAX_BYTES / RT_KIB, fmt);
    }
    rt_log_mask(&text);

    rt_buf_init(&line, 0);
    add_stamp(&line, level);
    rt_clean(&line, rt_buf_str(&text), text.len);
    rt_buf_addc(&line, '\n');
    write_line(rt_buf_str(&line), line.len);
    rt_buf_deinit(&text);
    rt_buf_deinit(&line);
    errno = saved;
}

void rt_log_secret(const char *secret) {
    size_t n = secret ? strlen(secret) : 0;
    if (n < 4 || rt_strs_has(&state.secrets, secret))
        return;
    rt_strs_add(&state.secrets, secret);
    char **v = state.secrets.v; /* a secret that contains another must be found first */
    for (size_t i = state.secrets.n - 1; i > 0 && strlen(v[i - 1]) < n; i--) {
        char *shorter = v[i - 1];
        v[i - 1] = v[i];
        v[i] = shorter;
    }
}

static size_t secret_at(const char *s, size_t n) {
    for (size_t i = 0; i < state.secrets.n; i++) {
        const char *secret = state.secrets.v[i];
        size_t len = strlen(secret);
        if (len <= n && s[0] == secret[0] && memcmp(s, secret, len) == 0)
            return len;
    }
    return 0;
}

void rt_log_mask(struct rt_buf *text) {
    size_t to = 0;
    if (!state.secrets.n || !text->data)
        return;
    for (size_t i = 0; i < text->len;) {
        size_t len = secret_at(text->data + i, text->len - i);
        if (len) { /* a secret has at least four bytes: "***" always fits in its place */
            memcpy(text->data + to, "***", 3);
            to += 3;
            i += len;
        } else {
            text->data[to++] = text->data[i++];
        }
    }
    text->len = to;
    text->data[to] = '\0';
}
