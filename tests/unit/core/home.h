/* A home of their own for tests: every XDG place lies in a fresh directory that goes with the test.
 */
#ifndef RT_TESTS_CORE_HOME_H
#define RT_TESTS_CORE_HOME_H

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "unit/cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct home {
    char dir[64];
};

/* For cmocka's setup: *state is the home. */
static inline int home_make(void **state) {
    struct home *h = RT_NEW(struct home);
    snprintf(h->dir, sizeof(h->dir), "/tmp/raytui-test-XXXXXX");
    if (!mkdtemp(h->dir))
        return -1;
    static const char *const names[] = {"HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME",
                                        "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"};
    for (size_t i = 0; i < RT_COUNT(names); i++)
        setenv(names[i], h->dir, 1);
    *state = h;
    return 0;
}

static inline int home_remove(void **state) {
    struct home *h = *state;
    struct rt_error err = {0};
    bool ok = rt_remove_tree(h->dir, &err);
    free(h);
    return ok ? 0 : -1;
}

/* Writes HOME/raytui/NAME. */
static inline void home_write(const struct home *h, const char *name, const char *text) {
    struct rt_error err = {0};
    char *path = rt_strf("%s/raytui/%s", h->dir, name);
    if (!rt_file_write(path, text, strlen(text), &err))
        fail_msg("%s", err.message);
    free(path);
}

#define home_test(fn) cmocka_unit_test_setup_teardown(fn, home_make, home_remove)

#endif
