/* curl's multi interface on the loop: sockets, its timer, transfers that pause and go on. */
#include "base/mem.h"
#include "base/str.h"
#include "net/http_impl.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rt_http_socket {
    struct rt_http_socket *next;
    struct rt_http_pool *pool;
    struct rt_fd *watch;
    curl_socket_t fd;
};

/* ---- pools */

static void socket_drop(struct rt_http_socket *s) {
    struct rt_http_socket **at = &s->pool->sockets;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    rt_fd_unwatch(s->watch);
    free(s);
}

static void pool_free_if_unused(struct rt_http_pool *p) {
    if (!p->forgotten || p->busy || p->requests > 0)
        return;
    curl_multi_cleanup(p->multi); /* closes the idle connections */
    rt_timer_stop(p->timer);
    while (p->sockets)
        socket_drop(p->sockets);
    free(p->name);
    free(p);
}

void rt_http_pool_release(struct rt_http_pool *p) {
    struct rt_http_pool **at = &p->http->pools;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    p->forgotten = true;
    pool_free_if_unused(p);
}

/* Takes out what is over; the owners hear of it next turn. */
static void collect_finished(struct rt_http_pool *p) {
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(p->multi, &left)) != NULL;) {
        if (m->msg != CURLMSG_DONE)
            continue;
        char *private = NULL;
        CURLcode code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &private);
        rt_http_finish((struct rt_http_call *)(void *)private, code);
    }
}

/* curl has something to do: for a socket, or (CURL_SOCKET_TIMEOUT) for its clock. */
static void act(struct rt_http_pool *p, curl_socket_t fd, int events) {
    int running;
    p->busy = true;
    curl_multi_socket_action(p->multi, fd, events, &running);
    collect_finished(p);
    p->busy = false;
    pool_free_if_unused(p);
}

/* ---- what curl wants to wait for */

static void socket_ready(void *ctx, int events) {
    const struct rt_http_socket *s = ctx;
    int mask =
        (events & RT_READ ? CURL_CSELECT_IN : 0) | (events & RT_WRITE ? CURL_CSELECT_OUT : 0);
    if (events & RT_HANGUP)
        mask |= CURL_CSELECT_ERR;
    act(s->pool, s->fd, mask);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *pool, void *known) {
    (void)easy;
    struct rt_http_pool *p = pool;
    struct rt_http_socket *s = known;
    if (what == CURL_POLL_REMOVE) {
        if (s)
            socket_drop(s);
        return 0;
    }
    int events = (what & CURL_POLL_IN ? RT_READ : 0) | (what & CURL_POLL_OUT ? RT_WRITE : 0);
    if (s) {
        rt_fd_events(s->watch, events);
        return 0;
    }
    s = RT_NEW(struct rt_http_socket);
    s->pool = p;
    s->fd = fd;
    s->next = p->sockets;
    p->sockets = s;
    s->watch = rt_fd_watch(p->http->loop, fd, events, socket_ready, s);
    curl_multi_assign(p->multi, fd, s);
    return 0;
}

static void time_is_up(void *ctx) {
    struct rt_http_pool *p = ctx;
    act(p, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long timeout_ms, void *pool) {
    (void)multi;
    struct rt_http_pool *p = pool;
    if (timeout_ms < 0) {
        rt_timer_stop(p->timer);
        p->timer = NULL;
    } else if (p->timer) {
        rt_timer_again(p->timer, timeout_ms, 0);
    } else {
        p->timer = rt_timer_start(p->http->loop, timeout_ms, 0, time_is_up, p);
    }
    return 0;
}

struct rt_http_pool *rt_http_pool_get(struct rt_http *h, const char *name,
                                      const struct rt_dialer *dialer) {
    name = name ? name : "";
    for (struct rt_http_pool *p = h->pools; p; p = p->next)
        if (p->dialer == dialer && rt_streq(p->name, name))
            return p;
    struct rt_http_pool *p = RT_NEW(struct rt_http_pool);
    p->http = h;
    p->name = rt_strdup(name);
    p->dialer = dialer;
    p->multi = curl_multi_init();
    p->next = h->pools;
    h->pools = p;
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
    curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, 8L);
    return p;
}

bool rt_http_pool_add(struct rt_http_pool *p, struct rt_http_call *r) {
    r->pool = p;
    p->requests++; /* also when it fails: then it is removed */
    return curl_multi_add_handle(p->multi, r->easy) == CURLM_OK;
}

/* ---- pausing */

void rt_http_pause(struct rt_http_call *r) {
    struct rt_http_call **end = &r->http->paused;
    while (*end && *end != r)
        end = &(*end)->next_paused;
    *end = r;
    r->is_paused = true;
    rt_http_need_tick(r->http);
}

static void unpause(struct rt_http_call *r) {
    if (!r->is_paused)
        return;
    struct rt_http_call **at = &r->http->paused;
    while (*at != r)
        at = &(*at)->next_paused;
    *at = r->next_paused;
    r->next_paused = NULL;
    r->is_paused = false;
}

/* Those that wait go on in the order in which they were paused, as far as this turn's bytes reach.
 * One that pauses again stands last. */
void rt_http_resume(struct rt_http *h) {
    size_t n = 0;
    for (const struct rt_http_call *r = h->paused; r; r = r->next_paused)
        n++;
    for (; n > 0 && h->paused && rt_http_room(h) > 0; n--) {
        struct rt_http_call *r = h->paused;
        struct rt_http_pool *p = r->pool;
        unpause(r);
        p->busy = true;
        CURLcode code = curl_easy_pause(r->easy, CURLPAUSE_CONT);
        if (code != CURLE_OK)
            rt_http_finish(r, code);
        collect_finished(p);
        p->busy = false;
        pool_free_if_unused(p);
    }
    if (h->paused)
        rt_http_need_tick(h);
}

void rt_http_pool_remove(struct rt_http_call *r) {
    struct rt_http_pool *p = r->pool;
    if (!p)
        return;
    unpause(r);
    curl_multi_remove_handle(p->multi, r->easy);
    curl_easy_cleanup(r->easy);
    r->easy = NULL;
    r->pool = NULL;
    p->requests--;
    pool_free_if_unused(p);
}
