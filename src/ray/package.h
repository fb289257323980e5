/* A directory as Ray's working_dir package (ray-api 4.3): which files go, Ray's own content hash, the zip.
 * Everything here works on files and blocks: it runs on a worker thread. */
#ifndef RT_RAY_PACKAGE_H
#define RT_RAY_PACKAGE_H

#include "base/str.h"
#include <stdatomic.h>

struct rt_package {
    char *uri;       /* "gcs://_ray_pkg_<16 hex>.zip" */
    char *zip_path;  /* temporary file, NULL when only measured; removed by deinit */
    char *as_is;     /* instead: the person's own file, when it is a package already */
    int64_t files, ignored, bytes, zip_bytes;
    struct rt_strs biggest; /* the largest files, "12.3M  data/x.bin", for the message about the limit */
};

struct rt_package_opts {
    const char *dir;                /* or a file: .zip and .whl as they are, .py alone in a zip */
    const struct rt_strs *excludes; /* gitignore patterns relative to dir */
    bool top_folder;                /* py_modules: the directory itself is inside the zip */
    bool make_zip;
    int64_t max_bytes;              /* of the zip: Ray takes 100 MiB */
    atomic_bool *cancel;            /* looked at between files; NULL */
    atomic_llong *progress;         /* bytes packed so far; NULL */
};
bool rt_package_make(const struct rt_package_opts *o, struct rt_package *out, struct rt_error *err);
void rt_package_deinit(struct rt_package *p);

/* gitignore patterns of one directory level (git's rules: !, trailing /, **, anchored). */
struct rt_ignore;
struct rt_ignore *rt_ignore_create(void);
void rt_ignore_destroy(struct rt_ignore *g);
void rt_ignore_add(struct rt_ignore *g, const char *base, const char *text); /* base: "" or "dir/" relative to the root */
bool rt_ignored(const struct rt_ignore *g, const char *path, bool is_dir);  /* path relative to the root */

/* What the last rule that speaks of the path says, its parents left aside: for a walk from the top. */
enum rt_verdict {
    RT_V_NONE,
    RT_V_KEEP,    /* a rule with ! */
    RT_V_IGNORE,
    RT_V_CONTENTS /* ignored by a rule for directories ("build/"): Ray counts the directory's name, nothing in it */
};
enum rt_verdict rt_ignore_verdict(const struct rt_ignore *g, const char *path, bool is_dir);
bool rt_ignores_all(const struct rt_ignore *g); /* a bare "*", and nothing kept */

#endif
