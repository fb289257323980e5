/* The login runs on a thread of its own, in libssh2's blocking mode: key exchange and passphrases
 * cost more than a turn of the loop may, agents and keyboard-interactive only exist as blocking
 * calls. Thread and loop share `struct shared`; a byte in a pipe wakes the loop, a condition the
 * thread. */
#include "net/ssh.h"

#include "base/mem.h"
#include "net/tcp.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HANDSHAKE_MS = 15000,
    SILENT_MS = 60000 /* without a question: an agent that does not answer, say */
};

struct shared {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    int refs; /* loop and thread */
    int wake[2];
    bool cancelled, finished;
    /* A question, from the thread; the strings live on its stack until it is answered. */
    const struct rt_question *question;
    bool has_answer;
    char *answer;
    bool has_asker;
    struct rt_login_work w;
    LIBSSH2_CHANNEL *idle;
    enum rt_way_end end;
};

struct login {
    struct rt_op op;
    struct rt_loop *loop;
    struct shared *s;
    const struct rt_asker *asker;
    struct rt_op *asking;
    struct rt_fd *wake;
    struct rt_timer *silent;
    rt_login_fn *fn;
    void *ctx;
};

void rt_ssh_wipe(char *secret) {
    if (!secret)
        return;
    for (volatile char *p = secret; *p; p++)
        *p = '\0';
    free(secret);
}

void rt_ssh_discard(LIBSSH2_SESSION *session, struct rt_ssh_io *io) {
    io->refuse = true; /* nothing that is freed may wait for the network */
    if (session) {
        libssh2_session_set_blocking(session, 0);
        libssh2_session_free(session);
    }
    rt_ssh_io_deinit(io);
    free(io);
}

static void unref(struct shared *s) {
    pthread_mutex_lock(&s->lock);
    int left = --s->refs;
    pthread_mutex_unlock(&s->lock);
    if (left > 0)
        return;
    if (s->w.io)
        rt_ssh_discard(s->w.session, s->w.io);
    rt_ssh_wipe(s->answer);
    for (int i = 0; i < 2; i++)
        if (s->wake[i] >= 0)
            close(s->wake[i]);
    free(s->w.cluster);
    free(s->w.shown);
    free(s->w.typed);
    rt_sshconf_deinit(&s->w.conf);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->answered);
    free(s);
}

/* ---- on the thread ---- */

static void poke(struct shared *s) {
    while (write(s->wake[1], "", 1) < 0 && errno == EINTR)
        ;
}

char *rt_login_ask(struct rt_login_work *w, const struct rt_question *q) {
    struct shared *s = (struct shared *)((char *)w - offsetof(struct shared, w));
    char *answer = NULL;
    snprintf(w->needed, sizeof w->needed, "%s", q->title);
    if (w->may_ask) {
        w->asked = true;
        pthread_mutex_lock(&s->lock);
        s->question = q;
        s->has_answer = false;
        poke(s);
        while (!s->has_answer && !s->cancelled)
            pthread_cond_wait(&s->answered, &s->lock);
        answer = s->answer;
        s->answer = NULL;
        s->question = NULL;
        pthread_mutex_unlock(&s->lock);
    }
    w->unanswered = w->unanswered || !answer;
    return answer;
}

static bool lost(struct rt_login_work *w, const char *doing) {
    char *why = NULL, clean[300];
    int code = libssh2_session_last_error(w->session, &why, NULL, 0);
    rt_clean_to(clean, sizeof clean, why ? why : "");
    if (code == LIBSSH2_ERROR_TIMEOUT)
        return rt_error_set(&w->error, RT_E_UNREACHABLE,
                            "%s: connected, but no answer to the %s in %d s", w->shown, doing,
                            HANDSHAKE_MS / 1000);
    return rt_error_set(&w->error, RT_E_UNREACHABLE, "%s: %s: %s", w->shown, doing,
                        *clean ? clean : "connection closed");
}

static bool handshake(struct rt_login_work *w, enum rt_way_end *end) {
    rt_ssh_prefer_known(w);
    libssh2_session_set_timeout(w->session, HANDSHAKE_MS);
    int rc = libssh2_session_handshake(w->session, w->io->fd);
    if (rc == 0)
        return true;
    if (rc == LIBSSH2_ERROR_KEX_FAILURE || rc == LIBSSH2_ERROR_METHOD_NONE) {
        *end = w->may_fall_back ? RT_WAY_FALLBACK : RT_WAY_FAILED;
        rt_error_set(&w->error, RT_E_UNSUPPORTED,
                     "libssh2 %s and %s have no cipher, MAC or key type in common",
                     libssh2_version(0), w->conf.hostname);
        return rt_error_hint(&w->error, "a newer libssh2 can more, or set transport: openssh");
    }
    *end = RT_WAY_LOST;
    return lost(w, "SSH greeting");
}

static bool log_in(struct shared *s) {
    struct rt_login_work *w = &s->w;
    w->session = rt_ssh_io_session(w->io);
    s->end = RT_WAY_FAILED;
    if (!w->session)
        return rt_error_set(&w->error, RT_E_LIMIT, "libssh2 gave no session");
    if (!handshake(w, &s->end) || !rt_ssh_check_host(w, &s->end) || !rt_ssh_auth(w, &s->end))
        return false;
    /* Some hosts only let through: then there is none, and that is fine. */
    libssh2_session_set_timeout(w->session, HANDSHAKE_MS);
    s->idle = libssh2_channel_open_session(w->session);
    if (s->idle || !w->io->eof)
        return true;
    s->end = RT_WAY_LOST;
    return lost(w, "first channel");
}

static void *run(void *arg) {
    struct shared *s = arg;
    bool ok = log_in(s);
    pthread_mutex_lock(&s->lock);
    if (!ok && s->w.session) {
        rt_ssh_discard(s->w.session, s->w.io);
        s->w.session = NULL;
        s->w.io = NULL;
    }
    s->finished = true;
    poke(s);
    pthread_mutex_unlock(&s->lock);
    unref(s);
    return NULL;
}

/* ---- on the loop ---- */

static void login_free(struct login *l) {
    rt_op_drop(&l->asking);
    rt_fd_unwatch(l->wake);
    rt_timer_stop(l->silent);
    unref(l->s);
    free(l);
}

static void give_up(struct shared *s) {
    pthread_mutex_lock(&s->lock);
    s->cancelled = true;
    if (!s->finished && s->w.io)
        shutdown(s->w.io->fd, SHUT_RDWR); /* ends what waits for the network */
    pthread_cond_signal(&s->answered);
    pthread_mutex_unlock(&s->lock);
}

static void login_cancel(struct rt_op *op) {
    struct login *l = (struct login *)op;
    rt_op_drop(&l->asking);
    give_up(l->s);
    login_free(l);
}

static void on_answer(void *ctx, const char *answer) {
    struct login *l = ctx;
    struct shared *s = l->s;
    l->asking = NULL;
    pthread_mutex_lock(&s->lock);
    s->answer = rt_strdup(answer);
    s->has_answer = true;
    s->question = NULL;
    pthread_cond_signal(&s->answered);
    pthread_mutex_unlock(&s->lock);
    rt_timer_again(l->silent, SILENT_MS, 0);
}

static void finish(struct login *l) {
    struct shared *s = l->s;
    struct rt_login_result r = {.session = s->w.session,
                                .idle = s->idle,
                                .io = s->w.io,
                                .asked = s->w.asked,
                                .end = s->end,
                                .error = s->w.error};
    s->w.session = NULL;
    s->w.io = NULL;
    rt_login_fn *fn = l->fn;
    void *ctx = l->ctx;
    login_free(l);
    fn(ctx, &r);
}

static void on_wake(void *ctx, int events) {
    struct login *l = ctx;
    struct shared *s = l->s;
    char away[16];
    (void)events;
    if (read(s->wake[0], away, sizeof away) < 0)
        return;
    pthread_mutex_lock(&s->lock);
    bool finished = s->finished;
    const struct rt_question *q = s->has_answer ? NULL : s->question;
    pthread_mutex_unlock(&s->lock);
    if (finished) {
        finish(l);
    } else if (q && !l->asking) {
        rt_timer_again(l->silent, INT32_MAX, 0);
        l->asking = l->asker->ask(l->asker->ctx, q, on_answer, l);
    }
}

static void on_silent(void *ctx) {
    struct login *l = ctx;
    struct shared *s = l->s;
    struct rt_login_result r = {.end = RT_WAY_LOST};
    rt_error_set(&r.error, RT_E_TIMEOUT, "%s: the login did not end in %d s", s->w.shown,
                 SILENT_MS / 1000);
    rt_error_hint(&r.error,
                  "an SSH agent that waits for a touch or a confirmation may be the reason");
    rt_login_fn *fn = l->fn;
    void *fn_ctx = l->ctx;
    login_cancel(&l->op);
    fn(fn_ctx, &r);
}

static bool start_thread(struct shared *s) {
    pthread_t thread;
    pthread_attr_t attr;
    sigset_t all, old;
    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals belong to the loop's thread */
    int rc = pthread_create(&thread, &attr, run, s);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return rc == 0;
}

static struct shared *new_shared(const struct rt_login_opts *o) {
    struct shared *s = RT_NEW(struct shared);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->answered, NULL);
    s->refs = 2;
    s->w.cluster = rt_strdup(o->cluster);
    s->w.shown = rt_strdup(o->shown);
    s->w.typed = rt_strdup(o->typed);
    rt_sshconf_copy(&s->w.conf, o->conf);
    s->w.may_ask = o->may_ask && o->asker;
    s->w.may_fall_back = o->may_fall_back;
    s->w.io = RT_NEW(struct rt_ssh_io);
    s->w.io->fd = o->fd;
    s->w.io->direct = true;
    s->w.io->login = &s->w;
    s->wake[0] = s->wake[1] = -1;
    return s;
}

static void on_no_thread(void *ctx) {
    struct login *l = ctx;
    l->asking = NULL;
    finish(l);
}

static bool start(struct login *l) {
    struct shared *s = l->s;
    if (pipe(s->wake) != 0 || !rt_fd_prepare(s->wake[0]) || !rt_fd_prepare(s->wake[1]))
        return false;
    l->wake = rt_fd_watch(l->loop, s->wake[0], RT_READ, on_wake, l);
    return start_thread(s);
}

struct rt_op *rt_login_start(struct rt_loop *loop, const struct rt_login_opts *o, rt_login_fn *fn,
                             void *ctx) {
    struct login *l = RT_NEW(struct login);
    l->op.cancel = login_cancel;
    l->loop = loop;
    l->s = new_shared(o);
    l->asker = o->asker;
    l->fn = fn;
    l->ctx = ctx;
    l->silent = rt_timer_start(loop, SILENT_MS, 0, on_silent, l);
    if (start(l))
        return &l->op;
    struct shared *s = l->s;
    rt_error_set(&s->w.error, RT_E_LIMIT, "no thread or descriptor left for the login");
    rt_ssh_discard(NULL, s->w.io);
    s->w.io = NULL;
    s->end = RT_WAY_LOST;
    unref(s); /* the thread's */
    l->asking = rt_loop_defer(loop, on_no_thread, l);
    return &l->op;
}
