/* `.env` as people write it: KEY=VALUE, `export` in front, quotes, comments. Nothing is expanded. */
#include "providers/launcher_file.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include <stdlib.h>
#include <string.h>

#define FILE_MAX RT_MIB
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define DIGITS "0123456789"

struct envfile {
    const char *path, *at, *end;
    int line;
    struct rt_error *err;
};

static bool wrong(const struct envfile *f, const char *why) {
    rt_error_set(f->err, RT_E_CONFIG, "%s:%d: %s", f->path, f->line, why);
    return rt_error_hint(f->err, "one KEY=VALUE a line; quotes around a value with blanks or #");
}

static void blanks(struct envfile *f) {
    while (f->at < f->end && (*f->at == ' ' || *f->at == '\t'))
        f->at++;
}

static bool at_line_end(const struct envfile *f) {
    return f->at == f->end || *f->at == '\n' || *f->at == '\r';
}

static void next_line(struct envfile *f) {
    while (f->at < f->end && *f->at != '\n')
        f->at++;
    f->at += f->at < f->end;
    f->line++;
}

/* What a backslash stands for between double quotes. */
static char escaped(char c) {
    return c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
}

/* From the quote on; may go over lines. */
static bool quoted_value(struct envfile *f, struct rt_buf *out) {
    const char quote = *f->at++;
    const int line = f->line;
    for (; f->at < f->end && *f->at != quote; f->at++) {
        f->line += *f->at == '\n';
        if (quote == '"' && *f->at == '\\' && f->at + 1 < f->end && strchr("\\\"$`nrt", f->at[1]))
            rt_buf_addc(out, escaped(*++f->at));
        else
            rt_buf_addc(out, *f->at);
    }
    if (f->at == f->end) {
        f->line = line;
        return wrong(f, "the quote that begins here does not end");
    }
    f->at++;
    blanks(f);
    return at_line_end(f) || *f->at == '#' || wrong(f, "something stands behind the closing quote");
}

/* To the end of the line or to " #". */
static void bare_value(struct envfile *f, struct rt_buf *out) {
    const char *from = f->at;
    while (!at_line_end(f) && !(*f->at == '#' && (f->at == from || f->at[-1] == ' ' || f->at[-1] == '\t')))
        f->at++;
    const char *to = f->at;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    rt_buf_add(out, from, (size_t)(to - from));
}

/* The last of two lines for a key counts, as in a shell. */
static void put(struct rt_strs *out, char *line, size_t key) {
    for (size_t i = 0; i < out->n; i++)
        if (strncmp(out->v[i], line, key + 1) == 0) {
            free(out->v[i]);
            out->v[i] = line;
            return;
        }
    rt_strs_take(out, line);
}

static bool one_line(struct envfile *f, struct rt_strs *out) {
    blanks(f);
    if (at_line_end(f) || *f->at == '#')
        return true;
    if (f->end - f->at > 7 && strncmp(f->at, "export", 6) == 0 && (f->at[6] == ' ' || f->at[6] == '\t')) {
        f->at += 7;
        blanks(f);
    }
    const char *key = f->at;
    while (f->at < f->end && *f->at && strchr(f->at == key ? LETTERS : LETTERS DIGITS, *f->at))
        f->at++;
    const size_t n = (size_t)(f->at - key);
    blanks(f);
    if (!n || f->at == f->end || *f->at != '=')
        return wrong(f, n ? "no = behind the name" : "no name of a variable");
    f->at++;
    blanks(f);
    struct rt_buf value;
    rt_buf_init(&value, FILE_MAX);
    bool ok = true;
    if (f->at < f->end && (*f->at == '"' || *f->at == '\''))
        ok = quoted_value(f, &value);
    else
        bare_value(f, &value);
    if (ok) {
        rt_log_secret(rt_buf_str(&value));
        put(out, rt_strf("%.*s=%s", (int)n, key, rt_buf_str(&value)), n);
    }
    rt_buf_deinit(&value);
    return ok;
}

bool rt_launcher_env_parse(const char *path, const char *text, size_t n, struct rt_strs *out, struct rt_error *err) {
    struct envfile f = {.path = path, .at = text, .end = text + n, .line = 1, .err = err};
    if (memchr(text, '\0', n))
        return wrong(&f, "no text: there is a NUL in it");
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        f.at += 3;
    while (f.at < f.end) {
        if (!one_line(&f, out))
            return false;
        next_line(&f);
    }
    return true;
}

bool rt_launcher_env_load(const char *path, struct rt_strs *out, struct rt_error *err) {
    struct rt_buf text;
    rt_buf_init(&text, 0);
    const bool ok = rt_file_read(path, FILE_MAX, &text, err) && rt_launcher_env_parse(path, rt_buf_str(&text), text.len, out, err);
    rt_buf_deinit(&text);
    return ok;
}
