/* Ending the processes of one session: those and no others. */
#include "base/fs.h"
#include "providers/local.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/sysctl.h>
#else
#include <dirent.h>
#endif

/* Calls fn for every process id of this machine. */
static void each_pid(void (*fn)(void *ctx, int64_t pid), void *ctx) {
#ifdef __APPLE__
    int mib[] = {CTL_KERN, KERN_PROC, KERN_PROC_ALL};
    size_t size = 0;
    if (sysctl(mib, 3, NULL, &size, NULL, 0) != 0)
        return;
    size += size / 4;
    struct kinfo_proc *v = rt_alloc(size);
    if (sysctl(mib, 3, v, &size, NULL, 0) == 0)
        for (size_t i = 0; i < size / sizeof(*v); i++)
            fn(ctx, v[i].kp_proc.p_pid);
    free(v);
#else
    DIR *d = opendir("/proc");
    struct dirent *e;
    int64_t pid;
    while (d && (e = readdir(d)) != NULL)
        if (rt_parse_i64(e->d_name, &pid))
            fn(ctx, pid);
    if (d)
        closedir(d);
#endif
}

struct hunt {
    pid_t session;
    int signum;
    bool any;
};

static void one(void *ctx, int64_t pid) {
    struct hunt *h = ctx;
    if (pid <= 1 || getsid((pid_t)pid) != h->session || pid == getpid())
        return;
    if (rt_process_started(pid) == 0)
        return; /* ended, not yet waited for */
    h->any = true;
    if (h->signum)
        kill((pid_t)pid, h->signum);
}

bool local_session_signal(int64_t session, int signum) {
    struct hunt h = {.session = (pid_t)session, .signum = signum};
    if (session > 1)
        each_pid(one, &h);
    return h.any;
}
