#include "providers/launcher_say.h"
#include "base/mem.h"
#include "base/str.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 16 * 1024, COMPLAINT_MAX = 4 * 1024, LEVEL_SIZE = 12 };

void launcher_say_init(struct launcher_say *s) {
    *s = (struct launcher_say){0};
    rt_buf_init(&s->line, 2 * LINE_MAX_BYTES);
    rt_buf_init(&s->complaint, 2 * COMPLAINT_MAX);
}

void launcher_say_deinit(struct launcher_say *s) {
    rt_buf_deinit(&s->line);
    rt_buf_deinit(&s->complaint);
    free(s->refusal);
    free(s->exception);
    free(s->last);
}

/* ---- one line ---- */

static void set(char **to, const char *text) {
    free(*to);
    *to = rt_strdup(text);
}

/* Takes colours and the like (ESC [ ... letter) out, in place. */
static void plain(char *s) {
    char *to = s;
    for (const char *c = s; *c; c++) {
        if (*c == '\033' && c[1] == '[') {
            c += 2;
            while (*c && !isalpha((unsigned char)*c))
                c++;
            if (!*c)
                break;
        } else if (*c != '\r') {
            *to++ = *c;
        }
    }
    *to = '\0';
}

static bool shaped(const char *s, const char *shape) {
    for (; *shape; s++, shape++)
        if (*shape == '0' ? !isdigit((unsigned char)*s) : *s != *shape)
            return false;
    return true;
}

/* A line of its own: level and text are set. */
static bool record(const char *line, char level[LEVEL_SIZE], const char **text) {
    const char *tab = line + strlen("YYYY-MM-DD HH:MM:SS,mmm");
    if (!shaped(line, "0000-00-00 00:00:00,000\t"))
        return false;
    const size_t n = strcspn(tab + 1, " ");
    const char *dashes = strstr(tab, " -- ");
    if (!dashes || n == 0 || n >= LEVEL_SIZE)
        return false;
    snprintf(level, LEVEL_SIZE, "%.*s", (int)n, tab + 1);
    *text = dashes + 4;
    return true;
}

static void complain(struct launcher_say *s, const char *text) {
    const size_t n = strspn(text, " ");
    if (text[n] && s->complaint.len + strlen(text) < COMPLAINT_MAX)
        rt_buf_addf(&s->complaint, "%s%s", s->complaint.len ? " " : "", text + n);
}

static void tell(const char *text, enum launcher_word word, launcher_said_fn *fn, void *ctx) {
    struct rt_buf clean;
    rt_buf_init(&clean, 8 * LINE_MAX_BYTES);
    size_t n = strlen(text);
    if (word == LAUNCHER_STEP && n && text[n - 1] == '.')
        n--;
    rt_clean(&clean, text, n);
    if (fn)
        fn(ctx, word, rt_buf_str(&clean));
    rt_buf_deinit(&clean);
}

static bool milestone(struct launcher_say *s, const char *text, launcher_said_fn *fn, void *ctx) {
    static const char *const before[] = {"Checking ", "Acquiring an up-to-date head node"};
    if (text[0] == '[' && text[1] >= '1' && text[1] <= '0' + LAUNCHER_STEPS && rt_starts(text + 2, "/7] ")) {
        s->step = text[1] - '0';
        s->asked = true;
        tell(text, LAUNCHER_STEP, fn, ctx);
        return true;
    }
    for (size_t i = 0; i < RT_COUNT(before); i++)
        if (rt_starts(text, before[i])) {
            s->asked = s->asked || i == 1;
            tell(text, LAUNCHER_STEP, fn, ctx);
            return true;
        }
    s->done = s->done || rt_starts(text, "New status: up-to-date");
    return false;
}

static void own_line(struct launcher_say *s, const char *level, const char *text, launcher_said_fn *fn, void *ctx) {
    const bool panic = rt_streq(level, "PANIC"), error = panic || rt_streq(level, "ERR") || rt_streq(level, "VERR");
    s->traced = false;
    s->complaining = error;
    if (panic && !s->panicked && !s->step) { /* refused before anything was done: that is the message, alone */
        s->panicked = true;
        rt_buf_clear(&s->complaint);
    }
    if (error && !rt_starts(text, "New status:") && !rt_streq(text, "!!!"))
        complain(s, rt_starts(text, "!!! ") ? text + 4 : text);
    if (rt_streq(level, "VVINFO") || milestone(s, text, fn, ctx))
        return;
    if (*text) {
        tell(text, LAUNCHER_LINE, fn, ctx);
        if (!rt_streq(level, "VINFO") && !rt_starts(text, "New status:"))
            set(&s->last, text);
    }
}

/* Output of a command on the head, or what Python and ssh wrote. */
static void other_line(struct launcher_say *s, const char *line, launcher_said_fn *fn, void *ctx) {
    if (!*line)
        return;
    if (rt_starts(line, "Traceback (most recent call last)")) {
        s->traced = true;
        s->complaining = false;
    } else if (s->traced && !isspace((unsigned char)*line)) {
        s->traced = false; /* its last line; what follows is more of the message */
        set(&s->exception, line);
    }
    if (strstr(line, "UNPROTECTED PRIVATE KEY FILE"))
        s->key_open = true;
    if (s->step <= 1 && strstr(line, ": Permission denied (")) { /* later it is a command on the head that may say so */
        s->refusals++;
        set(&s->refusal, line);
    }
    if (s->complaining && !rt_starts(line, "Error: "))
        complain(s, line);
    tell(line, LAUNCHER_LINE, fn, ctx);
    if (!s->traced && !isspace((unsigned char)*line) && !rt_starts(line, "Shared connection to "))
        set(&s->last, line);
}

static void take_line(struct launcher_say *s, launcher_said_fn *fn, void *ctx) {
    char *line = rt_strndup(rt_buf_str(&s->line), s->line.len), level[LEVEL_SIZE];
    const char *text;
    rt_buf_clear(&s->line);
    plain(line);
    if (record(line, level, &text))
        own_line(s, level, text, fn, ctx);
    else
        other_line(s, line, fn, ctx);
    free(line);
}

void launcher_say_feed(struct launcher_say *s, const char *data, size_t n, launcher_said_fn *fn, void *ctx) {
    while (n) {
        const char *eol = memchr(data, '\n', n);
        const size_t part = eol ? (size_t)(eol - data) : n;
        if (s->line.len + part <= LINE_MAX_BYTES) /* the rest of a longer one is left out */
            rt_buf_add(&s->line, data, part);
        if (!eol)
            return;
        take_line(s, fn, ctx);
        data += part + 1;
        n -= part + 1;
    }
}

void launcher_say_end(struct launcher_say *s, launcher_said_fn *fn, void *ctx) {
    if (s->line.len)
        take_line(s, fn, ctx);
}

/* ---- why ---- */

/* The library of a cloud is missing: Ray's own words name the package. */
static bool missing_library(const char *text, struct rt_error *err) {
    static const char *const kinds[] = {"ImportError: ", "ModuleNotFoundError: "};
    char clean[480];
    for (size_t i = 0; i < RT_COUNT(kinds); i++) {
        if (!rt_starts(text ? text : "", kinds[i]))
            continue;
        const char *pip = strstr(text, "`pip install "), *end = pip ? strchr(pip + 1, '`') : NULL;
        rt_error_set(err, RT_E_CONFIG, "%s", rt_clean_to(clean, sizeof clean, text + strlen(kinds[i])));
        if (end)
            rt_error_hint(err, "`%.*s`, with the Python of `ray`; `raytui doctor` looks what else is missing", (int)(end - pip - 1), pip + 1);
        else
            rt_error_hint(err, "install it with the Python of `ray`; `raytui doctor` looks what else is missing");
        return true;
    }
    return false;
}

void launcher_say_error(const struct launcher_say *s, const char *what, struct rt_error *err) {
    char clean[480];
    if (s->key_open) {
        rt_error_set(err, RT_E_DENIED, "ssh does not use the key of auth.ssh_private_key: others may read it (UNPROTECTED PRIVATE KEY FILE)");
        rt_error_hint(err, "chmod 600 on that file");
    } else if (s->refusal && s->step <= 1) {
        rt_error_set(err, RT_E_DENIED, "the head refuses the login: %s", rt_clean_to(clean, sizeof clean, s->refusal));
        rt_error_hint(err, "auth.ssh_user and auth.ssh_private_key must fit what the machine lets in");
    } else if (missing_library(s->exception, err)) {
        return;
    } else if (s->complaint.len) {
        rt_error_set(err, RT_E_REMOTE, "%s: %s", what, rt_clean_to(clean, sizeof clean, s->complaint.data));
    } else if (s->exception || s->last) {
        rt_error_set(err, RT_E_REMOTE, "%s: %s", what, rt_clean_to(clean, sizeof clean, s->exception ? s->exception : s->last));
    } else {
        rt_error_set(err, RT_E_REMOTE, "%s failed and said nothing", what);
    }
}
