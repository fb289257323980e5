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
