/* Which files of a directory go into a package. Blocks: worker threads only. */
#ifndef RT_RAY_WALK_H
#define RT_RAY_WALK_H

#include "base/vec.h"
#include "ray/package.h"

#include <sys/stat.h>
#include <sys/types.h>

enum rt_entry_kind {
    RT_ENTRY_FILE,
    RT_ENTRY_DIR,       /* has something in it: only its name counts */
    RT_ENTRY_EMPTY_DIR, /* kept as such */
    RT_ENTRY_OTHER      /* a broken link, a socket: its name counts, nothing is packed */
};

struct rt_entry {
    char *rel; /* "." for the directory itself */
    enum rt_entry_kind kind;
    mode_t mode;
    int64_t size;
};

struct rt_walk {
    RT_VEC(struct rt_entry) entries;
    int64_t files, ignored, bytes;
};
/* Links are followed, as Ray does; a link that leads back is an error. */
bool rt_walk(const char *dir, const struct rt_strs *excludes, atomic_bool *cancel,
             struct rt_walk *out, struct rt_error *err);
void rt_walk_deinit(struct rt_walk *w);

#endif
