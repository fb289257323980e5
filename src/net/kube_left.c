/* kubectl children outlive a raytui that is killed without mercy. Each stands, with the time of its start, as a file in
 * the runtime directory of its parent; whoever starts the next one ends those whose parent is dead. */
#include "net/kube_private.h"

#include "base/fs.h"
#include "base/log.h"

#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *note_path(int64_t pid) {
    char *name = rt_strf("child-%" PRId64, pid), *path = rt_path(RT_DIR_RUNTIME, name);
    free(name);
    return path;
}

void rt_kube_child_note(int64_t pid) {
    char *path = note_path(pid), *text = rt_strf("%" PRIu64 "\n", rt_process_started(pid));
    struct rt_error err;
    if (!rt_file_write(path, text, strlen(text), &err))
        rt_log(RT_LOG_WARN, "%s", err.message);
    free(text);
    free(path);
}

void rt_kube_child_forget(int64_t pid) {
    char *path = note_path(pid);
    unlink(path);
    free(path);
}

/* The same process still? Its number alone may be somebody else's by now. */
static void end_child(const char *dir, const char *name) {
    int64_t pid = 0;
    char *path = rt_path_join(dir, name);
    struct rt_buf text;
    struct rt_error ignored;
    rt_buf_init(&text, 64);
    if (rt_parse_i64(name + strlen("child-"), &pid) && pid > 1 && rt_file_read(path, 64, &text, &ignored)) {
        const uint64_t started = strtoull(rt_buf_str(&text), NULL, 10);
        if (started && rt_process_started(pid) == started) {
            rt_log(RT_LOG_INFO, "kubectl %" PRId64 " was left by a raytui that is gone: ended", pid);
            kill((pid_t)-pid, SIGTERM);
        }
    }
    rt_buf_deinit(&text);
    free(path);
}

static void sweep_dir(const char *path) {
    struct rt_error err;
    DIR *d = opendir(path);
    for (const struct dirent *e; d && (e = readdir(d));)
        if (rt_starts(e->d_name, "child-"))
            end_child(path, e->d_name);
    if (d)
        closedir(d);
    if (d && !rt_remove_tree(path, &err))
        rt_log(RT_LOG_WARN, "%s", err.message);
}

void rt_kube_sweep(void) {
    char *own = rt_path(RT_DIR_RUNTIME, NULL), *slash = strrchr(own, '/'), *dash = strrchr(own, '-');
    if (!slash || !dash || dash < slash) {
        free(own);
        return;
    }
    char *parent = rt_strndup(own, (size_t)(slash - own)), *prefix = rt_strndup(slash + 1, (size_t)(dash - slash));
    DIR *d = opendir(parent);
    for (const struct dirent *e; d && (e = readdir(d));) {
        int64_t pid = 0;
        if (!rt_starts(e->d_name, prefix) || !rt_parse_i64(e->d_name + strlen(prefix), &pid) || pid < 2 || rt_process_alive(pid))
            continue;
        char *path = rt_path_join(parent, e->d_name);
        struct rt_error ignored;
        if (rt_mkdir_private(path, &ignored)) /* ours, and nobody else's to write */
            sweep_dir(path);
        free(path);
    }
    if (d)
        closedir(d);
    free(prefix);
    free(parent);
    free(own);
}
