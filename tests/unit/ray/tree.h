/* A directory for a test, filled by it and removed at its end. */
#ifndef RT_TEST_RAY_TREE_H
#define RT_TEST_RAY_TREE_H

#include "unit/ray/recording.h"

#include <sys/stat.h>
#include <unistd.h>

struct tree {
    char top[64];
};

static inline void tree_open(struct tree *t) {
    snprintf(t->top, sizeof(t->top), "/tmp/rt-tree-XXXXXX");
    assert_non_null(mkdtemp(t->top));
}

static inline void tree_close(struct tree *t) {
    struct rt_error err = {0};
    assert_true(rt_remove_tree(t->top, &err));
}

static inline char *tree_path(const struct tree *t, const char *name) {
    return rt_path_join(t->top, name);
}

static inline void tree_put(const struct tree *t, const char *name, const char *text) {
    struct rt_error err = {0};
    char *path = tree_path(t, name);
    if (!rt_file_write(path, text, strlen(text), &err))
        fail_msg("%s", err.message);
    free(path);
}

static inline void tree_dir(const struct tree *t, const char *name) {
    struct rt_error err = {0};
    char *path = tree_path(t, name);
    assert_true(rt_mkdirs(path, &err));
    free(path);
}

static inline void tree_link(const struct tree *t, const char *to, const char *name) {
    char *path = tree_path(t, name);
    assert_int_equal(symlink(to, path), 0);
    free(path);
}

static inline void tree_mode(const struct tree *t, const char *name, mode_t mode) {
    char *path = tree_path(t, name);
    assert_int_equal(chmod(path, mode), 0);
    free(path);
}

#endif
