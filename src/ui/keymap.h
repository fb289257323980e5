/* A key is a command line. One table of defaults, a person's own bindings before it. */
#ifndef RT_UI_KEYMAP_H
#define RT_UI_KEYMAP_H

#include "base/error.h"
#include "core/config.h"
#include "ui/key.h"

/* View classes: "" everywhere, "list" in all lists, "text" in all texts, "outline" in what folds, else a view's own name. */
struct rt_key_default {
    const char *view, *key, *command;
    const char *help;  /* one line */
    const char *hint;  /* a word for the hint line; NULL: not shown there */
};
extern const struct rt_key_default rt_key_defaults[]; /* ends with view NULL */

struct rt_bind {
    const char *view; /* "", "list", "text", or a view's name */
    struct rt_key key;
    char name[24];    /* the key's name */
    char *command, *help, *hint; /* help, hint may be NULL */
    bool confirm, writes, own;   /* own: made by the person */
};
struct rt_keymap {
    struct rt_bind *v; /* a person's own first, then the defaults, most special first */
    size_t n, cap;
};

/* Later bindings of the configuration win; an empty command takes a key away. Keys that cannot be read are
 * left out and told to `problem` (may be NULL). */
void rt_keymap_init(struct rt_keymap *m, const struct rt_config *c, void (*problem)(void *ctx, const struct rt_error *err),
                    void *ctx);
void rt_keymap_deinit(struct rt_keymap *m);
/* The binding for a key in a view of a class ("list", "text" or NULL); NULL when there is none. */
const struct rt_bind *rt_keymap_find(const struct rt_keymap *m, const char *view, const char *klass, struct rt_key k);
/* The bindings that hold in a view, without those that others hide: calls fn for each in order of use. */
void rt_keymap_each(const struct rt_keymap *m, const char *view, const char *klass,
                    void (*fn)(void *ctx, const struct rt_bind *b), void *ctx);

#endif
