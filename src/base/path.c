/* Where our files live. */
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *home(void) {
    const char *env = getenv("HOME");
    if (env && *env)
        return rt_strdup(env);
    const struct passwd *pw = getpwuid(getuid());
    return rt_strdup(pw && pw->pw_dir && *pw->pw_dir ? pw->pw_dir : "/");
}

char *rt_path_join(const char *a, const char *b) {
    if (!b || !*b)
        return rt_strdup(a);
    if (!a || !*a || *b == '/')
        return rt_strdup(b);
    return rt_strf("%s%s%s", a, rt_ends(a, "/") ? "" : "/", b);
}

char *rt_path_expand(const char *path) {
    if (path[0] != '~' || (path[1] != '\0' && path[1] != '/'))
        return rt_strdup(path);
    char *dir = home();
    char *full = path[1] ? rt_path_join(dir, path + 2) : rt_strdup(dir);
    free(dir);
    return full;
}

/* The base directory specification ignores values that are not absolute. */
static const char *absolute_env(const char *name) {
    const char *v = getenv(name);
    return v && *v == '/' ? v : NULL;
}

static char *runtime_dir(void) {
    const char *dir = absolute_env("XDG_RUNTIME_DIR");
    if (dir)
        return rt_strf("%s/raytui-%ld", dir, (long)getpid());
    const char *tmp = absolute_env("TMPDIR");
    return rt_strf("%s/raytui-%ld-%ld", tmp ? tmp : "/tmp", (long)getuid(), (long)getpid());
}

static char *place_dir(enum rt_place place) {
    static const struct {
        const char *env, *under_home;
    } places[] = {
        [RT_DIR_CONFIG] = {"XDG_CONFIG_HOME", ".config"},
        [RT_DIR_STATE] = {"XDG_STATE_HOME", ".local/state"},
        [RT_DIR_CACHE] = {"XDG_CACHE_HOME", ".cache"},
    };
    if (place == RT_DIR_RUNTIME)
        return runtime_dir();
    const char *dir = absolute_env(places[place].env);
    if (dir)
        return rt_path_join(dir, "raytui");
    char *h = home();
    char *base = rt_path_join(h, places[place].under_home);
    char *full = rt_path_join(base, "raytui");
    free(h);
    free(base);
    return full;
}

char *rt_path(enum rt_place place, const char *sub) {
    char *dir = place_dir(place);
    char *full = rt_path_join(dir, sub);
    free(dir);
    return full;
}
