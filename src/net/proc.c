/* Child processes on the loop; see proc.h. */
#include "net/proc.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/loop_uv.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum {
    KILL_AFTER_MS = 3000, /* from SIGTERM to SIGKILL */
    GRACE_MS = 500, /* for streams that outlive the child; for children that outlive the loop */
    CHUNK = 32768   /* read at once; the rest comes next turn */
};

/* Our end of one of the child's descriptors. */
struct end {
    struct rt_proc *proc;
    struct rt_fd *watch;
    int fd; /* -1: ended */
    enum rt_stream which;
};

struct rt_proc {
    struct rt_loop_rest rest; /* first: an orphan's place in the loop */
    struct rt_loop *loop;
    uv_process_t child;
    struct end out[2], in;
    char *input;
    size_t input_len, input_at;
    struct rt_timer *timer; /* deadline, then the way to SIGKILL, then the grace */
    struct rt_proc_exit exit;
    int64_t told_ms; /* when SIGTERM was sent */
    bool exited, over, orphan;
    bool own_session, stay;
    rt_proc_output_fn *output;
    rt_proc_exit_fn *fn;
    void *ctx;
};

/* ---- ends of streams */

static void end_close(struct end *e) {
    rt_fd_unwatch(e->watch);
    e->watch = NULL;
    if (e->fd >= 0)
        close(e->fd);
    e->fd = -1;
}

static void free_input(struct rt_proc *p) {
    volatile char *v = p->input;
    for (size_t i = 0; v && i < p->input_len; i++)
        v[i] = 0; /* it may have been a secret */
    free(p->input);
    p->input = NULL;
}

static void close_ends(struct rt_proc *p) {
    end_close(&p->out[0]);
    end_close(&p->out[1]);
    end_close(&p->in);
    free_input(p);
}

static void proc_freed(uv_handle_t *h) {
    free(h->data);
}

/* The memory stays until the loop has let go of the handle, so callers up the stack may still look.
 */
static void release(struct rt_proc *p) {
    p->over = true;
    close_ends(p);
    rt_timer_stop(p->timer);
    p->timer = NULL;
    rt_loop_rest_remove(&p->rest);
    uv_close((uv_handle_t *)&p->child, proc_freed);
}

static void finish(struct rt_proc *p) {
    struct rt_proc_exit exit = p->exit;
    release(p);
    p->fn(p->ctx, &exit);
}

static void finish_if_over(struct rt_proc *p) {
    if (p->exited && !p->over && p->out[0].fd < 0 && p->out[1].fd < 0)
        finish(p);
}

/* One read. False when there is nothing to read now, or no more for ever (then the end is closed).
 */
static bool read_some(struct end *e) {
    struct rt_proc *p = e->proc;
    char chunk[CHUNK];
    ssize_t n = read(e->fd, chunk, sizeof chunk);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        end_close(e);
        return false;
    }
    p->output(p->ctx, e->which, chunk, (size_t)n);
    return !p->over && !p->orphan;
}

static void out_ready(void *ctx, int events) {
    (void)events;
    struct end *e = ctx;
    read_some(e);
    finish_if_over(e->proc);
}

static void in_ready(void *ctx, int events) {
    (void)events;
    struct rt_proc *p = ((struct end *)ctx)->proc;
    ssize_t n = write(p->in.fd, p->input + p->input_at, p->input_len - p->input_at);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        p->input_at += (size_t)n;
    if (n < 0 || p->input_at == p->input_len) { /* a child may well not want to read it all */
        end_close(&p->in);
        free_input(p);
    }
}

/* ---- ending */

/* Only while the child has not been waited for: afterwards its number may be another's. */
void rt_proc_kill(struct rt_proc *p, int signum) {
    pid_t pid = p->child.pid;
    if (p->exited || pid <= 0)
        return;
    if (!p->own_session || kill(-pid, signum) != 0)
        kill(pid, signum);
}

static void kill_hard(void *ctx) {
    rt_proc_kill(ctx, SIGKILL);
}

static void terminate(struct rt_proc *p) {
    rt_proc_kill(p, SIGTERM);
    p->told_ms = rt_mono_ms();
    rt_timer_stop(p->timer);
    p->timer = rt_timer_start(p->loop, KILL_AFTER_MS, 0, kill_hard, p);
}

static void timed_out(void *ctx) {
    struct rt_proc *p = ctx;
    p->exit.timed_out = true;
    terminate(p);
}

/* The streams are still open in somebody else's hands. What is in them already is taken. */
static void grace_over(void *ctx) {
    struct rt_proc *p = ctx;
    for (int i = 0; i < 2 && !p->over && !p->orphan; i++) {
        for (int chunks = 0; chunks < 8 && p->out[i].fd >= 0 && read_some(&p->out[i]); chunks++)
            ;
    }
    if (!p->over && !p->orphan)
        finish(p);
}

static void child_exited(uv_process_t *child, int64_t status, int signum) {
    struct rt_proc *p = child->data;
    p->exited = true;
    p->exit.status = signum ? -1 : (int)status;
    p->exit.signal = signum;
    end_close(&p->in);
    rt_timer_stop(p->timer);
    p->timer = NULL;
    if (p->orphan)
        release(p);
    else if (p->out[0].fd >= 0 || p->out[1].fd >= 0)
        p->timer = rt_timer_start(p->loop, GRACE_MS, 0, grace_over, p);
    else
        finish(p);
}

static bool reaped_within(pid_t pid, int64_t until_ms) {
    while (waitpid(pid, NULL, WNOHANG) == 0) {
        if (rt_mono_ms() >= until_ms)
            return false;
        const struct timespec nap = {.tv_nsec = 5000000};
        nanosleep(&nap, NULL);
    }
    return true;
}

/* The loop ends before the child did. */
static void orphan_end(struct rt_loop_rest *rest) {
    struct rt_proc *p = (struct rt_proc *)rest;
    if (!p->stay && !reaped_within(p->child.pid, p->told_ms + GRACE_MS)) {
        rt_proc_kill(p, SIGKILL);
        reaped_within(p->child.pid, rt_mono_ms() + GRACE_MS);
    }
    release(p);
}

void rt_proc_destroy(struct rt_proc *p) {
    if (!p || p->over || p->orphan)
        return;
    if (p->exited) {
        release(p);
        return;
    }
    p->orphan = true;
    close_ends(p);
    rt_timer_stop(p->timer);
    p->timer = NULL;
    if (!p->stay) {
        terminate(p);
        rt_timer_background(p->timer);
    }
    uv_unref((uv_handle_t *)&p->child);
    p->rest.end = orphan_end;
    rt_loop_rest_add(p->loop, &p->rest);
}

int64_t rt_proc_pid(const struct rt_proc *p) {
    return p->child.pid;
}

/* ---- starting */

/* Is `entry` set or removed by one of the edits? */
static bool edited(const char *entry, const char *const *edits) {
    size_t key = strcspn(entry, "=");
    for (; *edits; edits++)
        if (strcspn(*edits, "=") == key && strncmp(*edits, entry, key) == 0)
            return true;
    return false;
}

static void make_env(const char *const *edits, struct rt_strs *out) {
    for (char **e = environ; e && *e; e++)
        if (!edited(*e, edits))
            rt_strs_add(out, *e);
    for (; *edits; edits++)
        if (strchr(*edits, '='))
            rt_strs_add(out, *edits);
}

/* Libraries do not mark all that they open. A child that outlives us must not keep our connections.
 */
static void keep_descriptors_to_ourselves(void) {
    DIR *d = opendir("/dev/fd");
    for (const struct dirent *e; d && (e = readdir(d)) != NULL;) {
        int64_t fd;
        if (rt_parse_i64(e->d_name, &fd) && fd > 2 && fd <= INT_MAX)
            fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    }
    if (d)
        closedir(d);
}

/* pipe[0] is read, pipe[1] written; none is inherited by chance, ours (`mine`) never blocks. */
static bool make_pipe(int fds[2], int mine, struct rt_error *err) {
    if (pipe(fds) != 0) {
        fds[0] = fds[1] = -1;
        return rt_error_set(err, RT_E_LIMIT, "cannot make a pipe: %s", strerror(errno));
    }
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    fcntl(fds[mine], F_SETFL, O_NONBLOCK);
    return true;
}

static void close_all(int *fds, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* The child's three descriptors (-1: /dev/null), and our ends of them. */
static bool make_streams(struct rt_proc *p, const struct rt_proc_opts *o, int theirs[3],
                         struct rt_error *err) {
    int fds[2];
    theirs[0] = theirs[1] = theirs[2] = -1;
    if (o->input) {
        if (!make_pipe(fds, 1, err))
            return false;
        theirs[0] = fds[0];
        p->in.fd = fds[1];
    }
    if (o->output_file) {
        theirs[1] = open(o->output_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (theirs[1] < 0)
            return rt_error_set(err, RT_E_IO, "cannot write %s: %s", o->output_file,
                                strerror(errno));
        theirs[2] = theirs[1];
        return true;
    }
    for (int i = 0; o->output && i < 2; i++) {
        if (!make_pipe(fds, 0, err))
            return false;
        p->out[i].fd = fds[0];
        theirs[i + 1] = fds[1];
    }
    return true;
}

static void close_theirs(int theirs[3]) {
    if (theirs[2] == theirs[1])
        theirs[2] = -1;
    close_all(theirs, 3);
}

static bool start_error(int rc, const struct rt_proc_opts *o, struct rt_error *err) {
    char name[256];
    rt_clean_to(name, sizeof name, o->argv[0]);
    if (rc == UV_ENOENT) {
        rt_error_set(err, RT_E_NOT_FOUND, "there is no program %s%s", name,
                     strchr(o->argv[0], '/') ? "" : " in PATH");
        return rt_error_hint(err, "install it, or add its directory to PATH");
    }
    return rt_error_set(err, RT_E_FAILED, "cannot start %s: %s", name, uv_strerror(rc));
}

static int spawn(struct rt_proc *p, const struct rt_proc_opts *o, const int theirs[3]) {
    uv_stdio_container_t stdio[3];
    for (int i = 0; i < 3; i++) {
        stdio[i].flags = theirs[i] >= 0 ? UV_INHERIT_FD : UV_IGNORE;
        stdio[i].data.fd = theirs[i];
    }
    struct rt_strs env = {0}, args = {0};
    for (const char *const *a = o->argv; *a; a++)
        rt_strs_add(&args, *a);
    if (o->env)
        make_env(o->env, &env);
    const uv_process_options_t options = {
        .exit_cb = child_exited,
        .file = args.v[0],
        .args = args.v,
        .env = o->env ? env.v : NULL,
        .cwd = o->cwd,
        .flags = o->own_session ? UV_PROCESS_DETACHED : 0,
        .stdio_count = 3,
        .stdio = stdio,
    };
    keep_descriptors_to_ourselves();
    int rc = uv_spawn(rt_loop_uv(p->loop), &p->child, &options);
    rt_strs_deinit(&args);
    rt_strs_deinit(&env);
    return rc;
}

static void watch_ends(struct rt_proc *p, const struct rt_proc_opts *o) {
    for (int i = 0; i < 2; i++)
        if (p->out[i].fd >= 0)
            p->out[i].watch = rt_fd_watch(p->loop, p->out[i].fd, RT_READ, out_ready, &p->out[i]);
    if (p->in.fd < 0)
        return;
    if (o->input_len == 0) {
        end_close(&p->in);
        return;
    }
    p->input = rt_alloc(o->input_len);
    p->input_len = o->input_len;
    memcpy(p->input, o->input, o->input_len);
    p->in.watch = rt_fd_watch(p->loop, p->in.fd, RT_WRITE, in_ready, &p->in);
}

static struct rt_proc *proc_create(struct rt_loop *l, const struct rt_proc_opts *o,
                                   rt_proc_exit_fn *fn, void *ctx) {
    struct rt_proc *p = RT_NEW(struct rt_proc);
    p->loop = l;
    p->child.data = p;
    p->own_session = o->own_session;
    p->stay = o->stay;
    p->output = o->output;
    p->fn = fn;
    p->ctx = ctx;
    p->out[0] = (struct end){.proc = p, .fd = -1, .which = RT_STDOUT};
    p->out[1] = (struct end){.proc = p, .fd = -1, .which = RT_STDERR};
    p->in = (struct end){.proc = p, .fd = -1};
    return p;
}

struct rt_proc *rt_proc_start(struct rt_loop *l, const struct rt_proc_opts *o, rt_proc_exit_fn *fn,
                              void *ctx, struct rt_error *err) {
    if (o->cwd && !rt_dir_exists(o->cwd)) { /* else it would look as if the program were missing */
        rt_error_set(err, RT_E_FAILED, "cannot start %s: there is no directory %s", o->argv[0],
                     o->cwd);
        return NULL;
    }
    struct rt_proc *p = proc_create(l, o, fn, ctx);
    int theirs[3];
    if (!make_streams(p, o, theirs, err)) {
        close_theirs(theirs);
        close_ends(p);
        free(p);
        return NULL;
    }
    int rc = spawn(p, o, theirs);
    close_theirs(theirs);
    if (rc != 0) {
        start_error(rc, o, err);
        release(p);
        return NULL;
    }
    watch_ends(p, o);
    if (o->timeout_ms > 0)
        p->timer = rt_timer_start(l, o->timeout_ms, 0, timed_out, p);
    return p;
}
