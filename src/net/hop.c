/* The state machine of a hop: which transport, when again, who waits for it. */
#include "net/hop_private.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/shell.h"
#include "base/str.h"
#include "net/sshconf.h"

#include <libssh2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BACK_OFF_MIN_MS = 500, BACK_OFF_MAX_MS = 30000, STEADY_MS = 60000 };

static void start_way(struct rt_hop *h);

/* ---- states ---- */

static void tell_change(void *ctx) {
    struct rt_hop *h = ctx;
    h->notice = NULL;
    h->change(h->ctx, h);
}

static void set_state(struct rt_hop *h, enum rt_hop_state state) {
    h->status.state = state;
    if (state != RT_HOP_UP)
        h->status.up_since_ms = 0;
    if (!h->notice && h->change)
        h->notice = rt_loop_defer(h->loop, tell_change, h);
}

static void set_via(struct rt_hop *h) {
    snprintf(h->via, sizeof h->via, "%s %s%s%s%s", h->openssh ? "ssh" : "libssh2", h->opts.target,
             *h->fallback ? " (" : "", h->fallback, *h->fallback ? ")" : "");
}

static void drop_way(struct rt_hop *h) {
    struct rt_way *w = h->way;
    h->way = NULL;
    if (w)
        w->ops->destroy(w);
}

/* ---- who waits ---- */

static void wait_end(struct rt_hop_wait *w, const struct rt_error *err) {
    struct rt_error e = err ? *err : (struct rt_error){0};
    rt_hop_unwait(w);
    w->go(w, err ? &e : NULL);
}

static void on_limit(void *ctx) {
    struct rt_hop_wait *w = ctx;
    struct rt_hop *h = w->hop;
    struct rt_error err = w->error;
    if (err.code == RT_OK && h->status.error.code != RT_OK)
        err = h->status.error;
    else if (err.code == RT_OK)
        rt_error_set(&err, RT_E_UNREACHABLE, "%s: not connected yet", h->opts.target);
    wait_end(w, &err);
}

void rt_hop_unwait(struct rt_hop_wait *w) {
    struct rt_hop *h = w->hop;
    rt_timer_stop(w->limit);
    w->limit = NULL;
    for (size_t i = 0; w->waiting && i < h->waits.n; i++)
        if (h->waits.v[i] == w) {
            rt_vec_remove(&h->waits, i);
            break;
        }
    w->waiting = false;
}

static bool may_go(const struct rt_hop *h, const struct rt_hop_wait *w) {
    return h->status.state == RT_HOP_UP && (!w->is_exec || h->execs < RT_HOP_MAX_EXEC);
}

/* A command in the queue behind others has all the time it needs; its own limit begins with it. */
static int64_t limit_of(const struct rt_hop *h, const struct rt_hop_wait *w) {
    return w->is_exec && h->status.state == RT_HOP_UP ? INT32_MAX : RT_HOP_WAIT_MS;
}

void rt_hop_await(struct rt_hop *h, struct rt_hop_wait *w) {
    w->hop = h;
    if (h->status.state == RT_HOP_IDLE)
        rt_hop_open(h, false);
    bool hopeless = h->aimless || h->status.state == RT_HOP_FAILED || h->status.state == RT_HOP_NEEDS_LOGIN;
    if (may_go(h, w)) {
        h->execs += w->is_exec;
        w->go(w, NULL);
        return;
    }
    w->waiting = true;
    *rt_vec_push(&h->waits) = w;
    if (hopeless)
        w->error = h->status.error;
    w->limit = rt_timer_start(h->loop, hopeless ? 0 : limit_of(h, w), 0, on_limit, w);
}

static void let_go(struct rt_hop *h) {
    for (size_t i = 0; i < h->waits.n;) {
        struct rt_hop_wait *w = h->waits.v[i];
        if (!may_go(h, w)) {
            i++;
            continue;
        }
        h->execs += w->is_exec;
        wait_end(w, NULL); /* leaves the list; starts things, calls nobody back */
    }
}

void rt_hop_exec_done(struct rt_hop *h) {
    h->execs--;
    let_go(h);
}

/* Nobody waits for a hop that will not come; they are told from their timers, later. */
static void fail_waits(struct rt_hop *h) {
    for (size_t i = 0; i < h->waits.n; i++) {
        h->waits.v[i]->error = h->status.error;
        rt_timer_again(h->waits.v[i]->limit, 0, 0);
    }
}

/* ---- the way ---- */

static void on_up(void *ctx) {
    struct rt_hop *h = ctx;
    h->up_mono_ms = rt_mono_ms();
    h->status.attempt = 0;
    rt_error_clear(&h->status.error);
    h->may_ask = false; /* the next one happens by itself */
    h->both_failed = false;
    set_state(h, RT_HOP_UP);
    h->status.up_since_ms = rt_wall_ms();
    let_go(h);
}

static void on_retry(void *ctx) {
    struct rt_hop *h = ctx;
    set_state(h, RT_HOP_CONNECTING);
    start_way(h);
}

/* Between half and all of the time, so that many do not come back at once. */
static int64_t jittered(struct rt_hop *h, int64_t ms) {
    h->seed = h->seed * 1103515245u + 12345u;
    return ms / 2 + (int64_t)((h->seed >> 8) % (unsigned int)(ms / 2 + 1));
}

static void retry_later(struct rt_hop *h) {
    if (h->up_mono_ms && rt_mono_ms() - h->up_mono_ms >= STEADY_MS)
        h->back_off_ms = 0;
    h->up_mono_ms = 0;
    h->back_off_ms =
        h->back_off_ms ? RT_MIN(h->back_off_ms * 2, (int64_t)BACK_OFF_MAX_MS) : BACK_OFF_MIN_MS;
    int64_t wait = jittered(h, h->back_off_ms);
    h->status.attempt++;
    h->status.retry_at_ms = rt_loop_now_ms(h->loop) + wait;
    set_state(h, RT_HOP_RETRYING);
    rt_timer_again(h->retry, wait, 0);
}

static void stop_with(struct rt_hop *h, enum rt_hop_state state) {
    set_state(h, state);
    fail_waits(h);
}

static bool go_on_with_other(struct rt_hop *h, enum rt_way_end end, const struct rt_error *err) {
    if (end == RT_WAY_FALLBACK) {
        snprintf(h->fallback, sizeof h->fallback, "%.199s", err->message);
        h->openssh = true;
    } else if (h->openssh && *h->fallback && h->opts.transport == RT_TRANSPORT_AUTO &&
               (end == RT_WAY_NEEDS_LOGIN || end == RT_WAY_FAILED) && !h->both_failed) {
        /* It cannot ask; libssh2 can, with what is left of methods. */
        h->both_failed = true;
        h->openssh = false;
        h->fallback[0] = '\0';
    } else {
        return false;
    }
    start_way(h);
    return true;
}

static void on_down(void *ctx, enum rt_way_end end, const struct rt_error *err) {
    struct rt_hop *h = ctx;
    drop_way(h);
    if (go_on_with_other(h, end, err))
        return;
    h->status.error = *err;
    rt_log(RT_LOG_INFO, "hop %s: %s", h->opts.target, err->message);
    if (end == RT_WAY_NEEDS_LOGIN)
        stop_with(h, RT_HOP_NEEDS_LOGIN);
    else if (end == RT_WAY_FAILED || end == RT_WAY_FALLBACK)
        stop_with(h, RT_HOP_FAILED);
    else
        retry_later(h);
}

static bool can_fall_back(const struct rt_hop *h) {
    if (h->opts.transport != RT_TRANSPORT_AUTO || h->both_failed)
        return false;
    char *ssh = rt_which("ssh");
    free(ssh);
    return ssh != NULL;
}

static void start_way(struct rt_hop *h) {
    struct rt_way_opts o = {.name = h->opts.name,
                            .target = h->opts.target,
                            .jump = h->opts.through && !h->openssh ? "none" : h->opts.jump,
                            .through = h->opts.through,
                            .config_file = h->opts.config_file,
                            .asker = h->opts.asker,
                            .may_ask = h->may_ask,
                            .may_fall_back = can_fall_back(h)};
    struct rt_way_events e = {.up = on_up, .down = on_down, .ctx = h};
    set_via(h);
    h->way = h->openssh ? rt_way_openssh(h->loop, &o, &e) : rt_way_libssh2(h->loop, &o, &e);
}

/* ---- from outside ---- */

static void set_target(struct rt_hop *h, const char *target) {
    free((void *)(uintptr_t)h->opts.target);
    h->opts.target = rt_strdup(target ? target : h->opts.name);
    h->aimless = !target;
}

static void nowhere(struct rt_hop *h) {
    rt_error_set(&h->status.error, RT_E_UNREACHABLE, "%s: the address of the head is not known yet", h->opts.name);
}

struct rt_hop *rt_hop_create(struct rt_loop *l, const struct rt_hop_opts *o,
                             rt_hop_change_fn *change, void *ctx) {
    struct rt_hop *h = RT_NEW(struct rt_hop);
    libssh2_init(0);
    h->loop = l;
    h->opts = *o;
    h->opts.name = rt_strdup(o->name);
    h->opts.target = NULL;
    set_target(h, o->target);
    h->opts.jump = rt_strdup(o->jump);
    h->opts.config_file = rt_strdup(o->config_file);
    h->openssh = o->transport == RT_TRANSPORT_OPENSSH;
    h->change = change;
    h->ctx = ctx;
    h->seed = (unsigned int)rt_mono_us() ^ (unsigned int)getpid();
    h->retry = rt_timer_start(l, INT32_MAX, 0, on_retry, h);
    h->status.via = h->via;
    set_via(h);
    if (h->aimless)
        nowhere(h);
    rt_hop_dialer_init(h);
    return h;
}

void rt_hop_on_change(struct rt_hop *h, rt_hop_change_fn *change, void *ctx) {
    rt_op_drop(&h->notice);
    h->change = change;
    h->ctx = ctx;
    if (change)
        h->notice = rt_loop_defer(h->loop, tell_change, h);
}

void rt_hop_destroy(struct rt_hop *h) {
    if (!h)
        return;
    rt_hop_drop_dials(h);
    rt_op_drop(&h->notice);
    rt_timer_stop(h->retry);
    drop_way(h);
    rt_vec_deinit(&h->waits);
    rt_vec_deinit(&h->dials);
    free((void *)(uintptr_t)h->opts.name);
    free((void *)(uintptr_t)h->opts.target);
    free((void *)(uintptr_t)h->opts.jump);
    free((void *)(uintptr_t)h->opts.config_file);
    free(h);
}

void rt_hop_open(struct rt_hop *h, bool may_ask) {
    bool under_way = h->way && (h->status.state == RT_HOP_UP || !may_ask || h->may_ask);
    h->wanted = true;
    h->back_off_ms = 0;
    if (under_way)
        return;
    if (h->aimless) {
        h->may_ask |= may_ask;
        return; /* rt_hop_aim goes on */
    }
    drop_way(h);
    rt_timer_again(h->retry, INT32_MAX, 0);
    h->may_ask = may_ask;
    h->both_failed = false;
    h->openssh = h->opts.transport == RT_TRANSPORT_OPENSSH;
    h->fallback[0] = '\0';
    h->status.attempt = 0;
    set_state(h, RT_HOP_CONNECTING);
    start_way(h);
}

void rt_hop_close(struct rt_hop *h) {
    drop_way(h);
    rt_timer_again(h->retry, INT32_MAX, 0);
    h->back_off_ms = 0;
    h->up_mono_ms = 0;
    h->status.attempt = 0;
    rt_error_set(&h->status.error, RT_E_UNREACHABLE, "%s: closed", h->opts.target);
    fail_waits(h);
    rt_error_clear(&h->status.error);
    if (h->aimless)
        nowhere(h);
    set_state(h, RT_HOP_IDLE);
    h->wanted = h->may_ask = false;
}

void rt_hop_aim(struct rt_hop *h, const char *target, const char *config_file) {
    const bool same = h->aimless ? !target : target && rt_streq(target, h->opts.target);
    if (same && rt_streq(config_file, h->opts.config_file))
        return;
    const bool wanted = h->wanted, may_ask = h->may_ask;
    set_target(h, target);
    free((void *)(uintptr_t)h->opts.config_file);
    h->opts.config_file = rt_strdup(config_file);
    rt_hop_close(h);
    set_via(h);
    if (wanted)
        rt_hop_open(h, may_ask);
}

const struct rt_hop_status *rt_hop_status(const struct rt_hop *h) {
    return &h->status;
}

/* ---- as a person would type it ---- */

char *rt_way_words(const char *target, const char *jump, const char *config_file,
                   struct rt_strs *out) {
    struct rt_ssh_target t;
    struct rt_error ignored;
    if (config_file) {
        rt_strs_add(out, "-F");
        rt_strs_add(out, config_file);
    }
    if (jump) {
        rt_strs_add(out, rt_streq(jump, "none") ? "-o" : "-J");
        rt_strs_add(out, rt_streq(jump, "none") ? "ProxyJump=none" : jump);
    }
    if (!rt_ssh_target_parse(target, &t, &ignored))
        return rt_strdup("invalid");
    if (t.port) {
        rt_strs_add(out, "-p");
        rt_strs_addf(out, "%d", t.port);
    }
    char *host = t.user ? rt_strf("%s@%s", t.user, t.host) : rt_strdup(t.host);
    rt_ssh_target_deinit(&t);
    return host;
}

char *rt_hop_command(const struct rt_hop *h, const char *const *extra) {
    struct rt_strs words = {0};
    rt_strs_add(&words, "ssh");
    char *host = rt_way_words(h->opts.target, h->opts.jump, h->opts.config_file, &words);
    for (size_t i = 0; extra && extra[i]; i++)
        rt_strs_add(&words, extra[i]);
    rt_strs_take(&words, host);
    char *line = rt_shell_join((const char *const *)words.v);
    rt_strs_deinit(&words);
    return line;
}

void rt_hop_argv(const struct rt_hop *h, struct rt_strs *out) {
    rt_strs_add(out, "ssh");
    rt_strs_take(out, rt_way_words(h->opts.target, h->opts.jump, h->opts.config_file, out));
}
