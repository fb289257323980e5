/* Is a process there, and is it still the same one? The only file that asks the system about
 * others. */
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#if defined(__APPLE__)

#include <mach-o/dyld.h>
#include <sys/sysctl.h>

char *rt_self_path(void) {
    char path[4096];
    uint32_t size = sizeof path;
    return _NSGetExecutablePath(path, &size) == 0 ? rt_strdup(path) : NULL;
}

static bool process_info(int64_t pid, struct kinfo_proc *info) {
    int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)pid};
    size_t size = sizeof *info;
    return sysctl(name, 4, info, &size, NULL, 0) == 0 && size == sizeof *info;
}

static bool is_zombie(int64_t pid) {
    struct kinfo_proc info;
    return process_info(pid, &info) && info.kp_proc.p_stat == SZOMB;
}

uint64_t rt_process_started(int64_t pid) {
    struct kinfo_proc info;
    if (!rt_process_alive(pid) || !process_info(pid, &info))
        return 0;
    return (uint64_t)info.kp_proc.p_starttime.tv_sec * 1000000 +
           (uint64_t)info.kp_proc.p_starttime.tv_usec;
}

#else

char *rt_self_path(void) {
    char path[4096];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return NULL;
    path[n] = '\0';
    return rt_strdup(path);
}

/* Reads a small file under /proc; gives its length, 0 when there is none. */
static size_t read_small(const char *path, char *out, size_t size) {
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(out, 1, size - 1, f) : 0;
    out[n] = '\0';
    if (f)
        fclose(f);
    return n;
}

/* The state and the start (in ticks since boot) from /proc/PID/stat: fields 3 and 22. The name in
 * field 2 may hold anything, even ")". */
static bool process_stat(int64_t pid, char *status, unsigned long long *start) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    read_small(path, text, sizeof text);
    const char *p = strrchr(text, ')');
    if (!p || p[1] != ' ')
        return false;
    *status = p[2];
    for (int field = 2; field < 22; field++) {
        p = strchr(p + 1, ' ');
        if (!p)
            return false;
    }
    char *end;
    *start = strtoull(p + 1, &end, 10);
    return end > p + 1;
}

static bool is_zombie(int64_t pid) {
    char status;
    unsigned long long start;
    return process_stat(pid, &status, &start) && (status == 'Z' || status == 'X');
}

uint64_t rt_process_started(int64_t pid) {
    char status, boot[64];
    unsigned long long start;
    if (!rt_process_alive(pid) || !process_stat(pid, &status, &start))
        return 0;
    /* Ticks since boot repeat after a boot: its id goes in too. Below 2^63, so that JSON keeps it.
     */
    read_small("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    const uint64_t mixed = (rt_fnv(boot) ^ start) & (uint64_t)INT64_MAX;
    return mixed ? mixed : 1;
}

#endif

bool rt_process_alive(int64_t pid) {
    if (pid <= 0 || pid > INT32_MAX)
        return false;
    if (kill((pid_t)pid, 0) != 0 && errno != EPERM)
        return false;
    return !is_zombie(pid);
}
