/* Quotes words for a /bin/sh. No other file builds a command line for a shell. */
#ifndef RT_BASE_SHELL_H
#define RT_BASE_SHELL_H

#include "base/buf.h"
#include "base/error.h"

/* Appends one word, single-quoted where needed. A NUL cannot occur; a newline is kept. */
void rt_shell_word(struct rt_buf *out, const char *word);
/* Appends words (NULL-terminated) separated by blanks. */
void rt_shell_words(struct rt_buf *out, const char *const *words);
/* Gives the joined line. */
char *rt_shell_join(const char *const *words);
/* Appends a line as a person would have quoted it, for reading only: 'it'\''s' becomes "it's". What it means to a
 * POSIX shell stays; a word that would need escapes of its own is left as it is. */
void rt_shell_readable(struct rt_buf *out, const char *line);

#endif
