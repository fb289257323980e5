/* Names to addresses without waiting; see loop.h.
 *
 * getaddrinfo cannot be interrupted and may take half a minute where name servers are silent. Each
 * look-up therefore has a thread of its own that nobody ever joins: neither cancel nor the end of
 * the program waits for it. Questions for the same name share one look-up, so silent servers cannot
 * pile up threads. */
#include "base/mem.h"
#include "base/str.h"
#include "net/loop_uv.h"
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* One run of getaddrinfo. Its thread and the loop share it; the last of them frees it. */
struct rt_lookup {
    struct rt_loop_rest rest; /* first */
    struct rt_lookup *next;
    struct rt_lookup **list;
    struct question *questions;
    uv_async_t wake;
    char *host;

    pthread_mutex_t lock; /* over what follows */
    int owners;
    bool finished, abandoned;
    int rc;
    struct rt_addresses found;
};

struct question {
    struct rt_op op;
    struct rt_lookup *lookup;
    struct question *next;
    struct rt_op *deferred; /* a numeric address needs no look-up */
    struct rt_addresses numeric;
    rt_resolve_fn *fn;
    void *ctx;
};

static void collect(struct rt_addresses *out, const struct addrinfo *list) {
    for (const struct addrinfo *a = list; a && out->n < (int)RT_COUNT(out->text); a = a->ai_next) {
        char *text = out->text[out->n];
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof out->text[0], NULL, 0,
                        NI_NUMERICHOST) == 0)
            out->n++;
    }
}

static int look_up(const char *host, int flags, struct rt_addresses *out) {
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *list = NULL;
    out->n = 0;
    int rc = getaddrinfo(host, NULL, &hints, &list);
    if (rc != 0)
        return rc;
    collect(out, list);
    freeaddrinfo(list);
    return out->n > 0 ? 0 : EAI_NONAME;
}

static void lookup_release(struct rt_lookup *u) {
    pthread_mutex_lock(&u->lock);
    bool last = --u->owners == 0;
    pthread_mutex_unlock(&u->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&u->lock);
    free(u->host);
    free(u);
}

static void *lookup_thread(void *arg) {
    struct rt_lookup *u = arg;
    struct rt_addresses found = {0};
    int rc = look_up(u->host, 0, &found);
    pthread_mutex_lock(&u->lock);
    u->rc = rc;
    u->found = found;
    u->finished = true;
    if (!u->abandoned)
        uv_async_send(&u->wake);
    pthread_mutex_unlock(&u->lock);
    lookup_release(u);
    return NULL;
}

static void wake_closed(uv_handle_t *h) {
    lookup_release(h->data);
}

/* Takes the look-up from the loop; its questions stay. */
static void lookup_leave(struct rt_lookup *u) {
    struct rt_lookup **at = u->list;
    while (*at != u)
        at = &(*at)->next;
    *at = u->next;
    rt_loop_rest_remove(&u->rest);
    pthread_mutex_lock(&u->lock);
    u->abandoned = true;
    pthread_mutex_unlock(&u->lock);
    uv_close((uv_handle_t *)&u->wake, wake_closed);
}

static void lookup_end(struct rt_loop_rest *rest) {
    lookup_leave((struct rt_lookup *)rest);
}

static void answer(rt_resolve_fn *fn, void *ctx, const char *host, int rc,
                   const struct rt_addresses *found) {
    if (rc == 0) {
        fn(ctx, found, NULL);
        return;
    }
    struct rt_error err = {0};
    if (rc == EAI_AGAIN) {
        rt_error_set(&err, RT_E_UNREACHABLE, "the name servers give no answer for %s", host);
        rt_error_hint(&err, "is this machine's network (or VPN) up?");
    } else if (rc == EAI_NONAME) {
        rt_error_set(&err, RT_E_UNREACHABLE, "no host has the name %s", host);
        rt_error_hint(&err, "check the spelling; some names are known only inside a site or a VPN");
    } else {
        rt_error_set(&err, RT_E_UNREACHABLE, "cannot look up %s: %s", host, gai_strerror(rc));
    }
    fn(ctx, NULL, &err);
}

static void lookup_woke(uv_async_t *wake) {
    struct rt_lookup *u = wake->data;
    pthread_mutex_lock(&u->lock);
    bool finished = u->finished;
    int rc = u->rc;
    struct rt_addresses found = u->found;
    pthread_mutex_unlock(&u->lock);
    if (!finished)
        return;
    lookup_leave(u); /* its memory lives until the close callback of a later phase */
    while (u->questions) {
        struct question *q = u->questions;
        rt_resolve_fn *fn = q->fn;
        void *ctx = q->ctx;
        rt_op_cancel(&q->op);
        answer(fn, ctx, u->host, rc, &found);
    }
}

static bool thread_start(struct rt_lookup *u) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_t thread;
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals belong to the loop's thread */
    bool ok = pthread_create(&thread, NULL, lookup_thread, u) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (ok)
        pthread_detach(thread);
    return ok;
}

static struct rt_lookup *lookup_start(struct rt_loop *l, const char *host) {
    struct rt_lookup *u = RT_NEW(struct rt_lookup);
    u->host = rt_strdup(host);
    u->owners = 2;
    pthread_mutex_init(&u->lock, NULL);
    u->wake.data = u;
    uv_async_init(rt_loop_uv(l), &u->wake, lookup_woke);
    u->rest.end = lookup_end;
    rt_loop_rest_add(l, &u->rest);
    u->list = rt_loop_lookups(l);
    u->next = *u->list;
    *u->list = u;
    if (!thread_start(u)) { /* no thread: the answer comes all the same */
        u->rc = EAI_AGAIN;
        u->finished = true;
        u->owners = 1;
        uv_async_send(&u->wake);
    }
    return u;
}

/* The look-up itself goes on: the next question for the name may be soon. */
static void question_cancel(struct rt_op *op) {
    struct question *q = (struct question *)op;
    rt_op_drop(&q->deferred);
    if (q->lookup) {
        struct question **at = &q->lookup->questions;
        while (*at != q)
            at = &(*at)->next;
        *at = q->next;
    }
    free(q);
}

static void numeric_answer(void *ctx) {
    struct question *q = ctx;
    q->deferred = NULL;
    rt_resolve_fn *fn = q->fn;
    void *fn_ctx = q->ctx;
    struct rt_addresses numeric = q->numeric;
    free(q);
    fn(fn_ctx, &numeric, NULL);
}

struct rt_op *rt_resolve(struct rt_loop *l, const char *host, rt_resolve_fn *fn, void *ctx) {
    struct question *q = RT_NEW(struct question);
    q->op.cancel = question_cancel;
    q->fn = fn;
    q->ctx = ctx;
    if (look_up(host, AI_NUMERICHOST, &q->numeric) == 0) {
        q->deferred = rt_loop_defer(l, numeric_answer, q);
        return &q->op;
    }
    struct rt_lookup *u = *rt_loop_lookups(l);
    while (u && strcmp(u->host, host) != 0)
        u = u->next;
    q->lookup = u ? u : lookup_start(l, host);
    struct question **end = &q->lookup->questions;
    while (*end)
        end = &(*end)->next;
    *end = q;
    return &q->op;
}
