/* Quoting of words for a remote /bin/sh. */
#include "base/shell.h"
#include <string.h>

/* Words of these need no quotes in any shell. "=" only behind an option: NAME=value would be an
 * assignment. */
static bool plain(const char *word) {
    static const char safe[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+:,./@%";
    if (!*word)
        return false;
    size_t n = strspn(word, safe);
    if (word[n] == '=' && word[0] == '-')
        n += 1 + strspn(word + n + 1, safe);
    return word[n] == '\0';
}

/* The login shell that sees the line first may be csh or fish. Inside single quotes csh expands "!"
 * and fish reads backslashes, so both stand outside of them, where all shells agree. */
void rt_shell_word(struct rt_buf *out, const char *word) {
    if (plain(word)) {
        rt_buf_adds(out, word);
        return;
    }
    rt_buf_addc(out, '\'');
    while (*word) {
        size_t n = strcspn(word, "'!\\");
        rt_buf_add(out, word, n);
        word += n;
        if (*word) {
            rt_buf_adds(out, "'\\");
            rt_buf_addc(out, *word++);
            rt_buf_addc(out, '\'');
        }
    }
    rt_buf_addc(out, '\'');
}

void rt_shell_words(struct rt_buf *out, const char *const *words) {
    for (size_t i = 0; words[i]; i++) {
        if (i)
            rt_buf_addc(out, ' ');
        rt_shell_word(out, words[i]);
    }
}

char *rt_shell_join(const char *const *words) {
    struct rt_buf line;
    rt_buf_init(&line, 0);
    rt_shell_words(&line, words);
    return rt_buf_take(&line);
}

/* ---- for reading ---- */

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\n';
}

/* One piece of a word: quoted, escaped, or a plain run. What it stands for goes to `value`; NULL: it has no end. */
static const char *piece(const char *s, struct rt_buf *value, bool *dull) {
    const char *end;
    *dull = false;
    if (*s == '\'') {
        end = strchr(s + 1, '\'');
        if (end)
            rt_buf_add(value, s + 1, (size_t)(end - s - 1));
        return end ? end + 1 : NULL;
    }
    if (*s == '\\') {
        if (s[1])
            rt_buf_addc(value, s[1]);
        return s[1] ? s + 2 : NULL;
    }
    if (*s == '"') {
        for (end = s + 1; *end && *end != '"'; end++) {
            *dull = *dull || *end == '$' || *end == '`' || *end == '\\'; /* the shell works on it */
            end += *end == '\\' && end[1];
        }
        rt_buf_add(value, s + 1, (size_t)(end - s - 1));
        return *end ? end + 1 : NULL;
    }
    *dull = true;
    return s + strcspn(s, "'\\\" \t\n");
}

/* The same word in one pair of quotes; false: it needs more. */
static bool requote(struct rt_buf *out, const char *value) {
    const bool single = !strchr(value, '\'');
    if (!single && strpbrk(value, "$`\\!"))
        return false;
    rt_buf_addc(out, single ? '\'' : '"');
    for (const char *s = value; *s; s++) {
        if (!single && *s == '"')
            rt_buf_addc(out, '\\');
        rt_buf_addc(out, *s);
    }
    rt_buf_addc(out, single ? '\'' : '"');
    return true;
}

void rt_shell_readable(struct rt_buf *out, const char *line) {
    struct rt_buf value;
    rt_buf_init(&value, 0);
    while (*line) {
        const char *s = line;
        size_t pieces = 0;
        bool dull = *line != '\'';
        rt_buf_clear(&value);
        while (s && *s && !blank(*s)) {
            bool one;
            s = piece(s, &value, &one);
            dull = dull || one;
            pieces++;
        }
        if (!s) {
            rt_buf_adds(out, line);
            break;
        }
        if (dull || pieces < 2 || !requote(out, rt_buf_str(&value)))
            rt_buf_add(out, line, (size_t)(s - line));
        for (; blank(*s); s++)
            rt_buf_addc(out, *s);
        line = s;
    }
    rt_buf_deinit(&value);
}
