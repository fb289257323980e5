/* libcurl, loaded late; see curl_late.h. */
#include "net/curl_late.h"

#ifdef RT_CURL_NAME
#include "base/str.h"
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

struct rt_curl rt_curl;

#define FUNCTION(name) {"curl_" #name, offsetof(struct rt_curl, name)},
static const struct {
    const char *name;
    size_t at;
} functions[] = {RT_CURL_EACH(FUNCTION)};

/* ISO C knows no way from an object's address to a function's, POSIX does: the bytes are the same. */
static bool find_all(void *library) {
    for (size_t i = 0; i < RT_COUNT(functions); i++) {
        void *found = dlsym(library, functions[i].name);
        if (!found)
            return false;
        memcpy((char *)&rt_curl + functions[i].at, &found, sizeof found);
    }
    return true;
}

bool rt_curl_load(struct rt_error *err) {
    if (rt_curl.version_info) /* the last in the table */
        return true;
    /* the library of the build, which may lie where the loader does not look; else one of this name */
    void *library = dlopen(RT_CURL_DIR "/" RT_CURL_NAME, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        library = dlopen(RT_CURL_NAME, RTLD_NOW | RTLD_LOCAL);
    if (library && find_all(library))
        return true;
    rt_error_set(err, RT_E_UNSUPPORTED, "libcurl cannot be loaded: %s", dlerror());
    return rt_error_hint(err, "install it (Debian: libcurl4, Fedora: libcurl, macOS: it is part of the system)");
}
#else
bool rt_curl_load(struct rt_error *err) {
    (void)err;
    return true;
}
#endif
