/* Why a job waits or failed, in a few words, out of Ray's message (up to 20 kB of log and
 * traceback). */
#include "core/table.h"

#include <stdlib.h>

#define LINES_LOOKED_AT 40

/* A line of the message. */
struct span {
    const char *s;
    size_t n;
};

static struct span trim(const char *s, size_t n) {
    while (n && (*s == ' ' || *s == '\t' || *s == '\r'))
        s++, n--;
    while (n && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\r'))
        n--;
    return (struct span){s, n};
}

static bool has(struct span l, const char *needle) {
    char text[512];
    size_t n = RT_MIN(l.n, sizeof(text) - 1);
    memcpy(text, l.s, n);
    text[n] = '\0';
    return rt_contains_i(text, needle);
}

/* Lines that Ray adds to every log, and the marks under a traceback's lines. */
static bool is_noise(struct span l) {
    if (strspn(l.s, "^~ -=") >= l.n)
        return true;
    return has(l, "job_manager.py") || has(l, "Running entrypoint for job") ||
           has(l, "last available logs");
}

static bool is_trouble(struct span l) {
    static const char *const words[] = {"error",  "exception", "not found", "no such", "denied",
                                        "killed", "failed",    "fatal",     "abort",   "cannot"};
    for (size_t i = 0; i < RT_COUNT(words); i++)
        if (has(l, words[i]))
            return true;
    return false;
}

/* The last line that says something; with `trouble` only one that names a fault. Empty: none. */
static struct span last_line(const char *text, bool trouble) {
    size_t end = strlen(text);
    for (int looked = 0; end && looked < LINES_LOOKED_AT; looked++) {
        size_t begin = end;
        while (begin && text[begin - 1] != '\n')
            begin--;
        struct span l = trim(text + begin, end - begin);
        if (l.n && !is_noise(l) && (!trouble || is_trouble(l)))
            return l;
        end = begin ? begin - 1 : 0;
    }
    return (struct span){"", 0};
}

static void add_last_line(struct rt_buf *out, const char *before, const char *message,
                          bool trouble) {
    struct span l = last_line(message, trouble);
    if (!l.n)
        return;
    rt_buf_adds(out, before);
    rt_clean(out, l.s, l.n);
}

static void why_pending(struct rt_buf *out, const char *message) {
    bool resources = rt_contains_i(message, "resources");
    bool environment = rt_contains_i(message, "runtime environment");
    if (resources)
        rt_buf_adds(out,
                    environment ? "waits for resources or its runtime env" : "waits for resources");
    else if (environment)
        rt_buf_adds(out, "runtime env is being made");
    else
        rt_buf_adds(out, "starting");
}

/* "exit 3", "signal 9"; false when the message is about something else. */
static bool why_exit(struct rt_buf *out, const struct rt_job *j, const char *message) {
    static const char lead[] = "Job entrypoint command failed with exit code ";
    long code = (long)j->driver_exit_code;
    bool told = rt_starts(message, lead);
    if (told)
        code = strtol(message + sizeof(lead) - 1, NULL, 10);
    if (!told && code <= 0)
        return false;
    if (code < 0)
        rt_buf_addf(out, "signal %ld", -code);
    else
        rt_buf_addf(out, "exit %ld", code);
    const char *log = strchr(message, '\n');
    if (log)
        add_last_line(out, ": ", log, true);
    return true;
}

static void why_failed(struct rt_buf *out, const struct rt_job *j, const char *message) {
    if (rt_streq(j->error_type, "RUNTIME_ENV_SETUP_FAILURE") ||
        rt_starts(message, "runtime_env setup failed")) {
        rt_buf_adds(out, "runtime env");
        add_last_line(out, ": ", message, false);
    } else if (!why_exit(out, j, message)) {
        add_last_line(out, "", message, false);
    }
}

void rt_job_why(struct rt_buf *out, const struct rt_job *j) {
    const char *message = j->message ? j->message : "";
    if (j->status == RT_JOB_PENDING)
        why_pending(out, message);
    else if (j->status == RT_JOB_FAILED)
        why_failed(out, j, message);
    else if (j->status == RT_JOB_OTHER)
        add_last_line(out, "", message, false);
}
