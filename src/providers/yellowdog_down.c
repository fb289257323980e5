/* down, and the end of single pools: everything is tried, errors are collected, what is left is named. */
#include "base/fs.h"
#include "providers/headway.h"
#include "providers/watchdog.h"
#include "providers/yellowdog_impl.h"
#include <stdlib.h>
#include <string.h>

enum { TRAPS_MS = 30000 /* for the scripts' own end */, GONE_MS = 60000, ROUNDS = 3, SHUT_MS = 30000 };

/* ---- which ---- */

static struct yd_ending *ending_of(struct yd_run *r, const char *name) {
    for (size_t i = 0; i < r->nendings; i++)
        if (rt_streq(r->endings[i].name, name))
            return &r->endings[i];
    if (!r->all)
        return NULL;
    r->endings = rt_realloc(r->endings, (r->nendings + 1) * sizeof *r->endings);
    r->endings[r->nendings] = (struct yd_ending){.name = rt_strdup(name)};
    return &r->endings[r->nendings++];
}

static void note_gone(struct rt_provider *p, const char *kind, const char *name) {
    struct rt_error ignored = {0};
    if (rt_journal_find(p->journal, kind, name))
        rt_journal_gone(p->journal, kind, name, &ignored);
}

/* ---- the end ---- */

static void all_gone(struct yd_run *r) {
    struct rt_provider *p = r->provider;
    for (size_t i = rt_journal_count(p->journal); i-- > 0;) {
        char *kind = rt_strdup(rt_journal_at(p->journal, i)->kind), *name = rt_strdup(rt_journal_at(p->journal, i)->name);
        note_gone(p, kind, name);
        free(kind);
        free(name);
    }
    rt_headway_forget(p->conf->name);
    free(p->aim);
    p->aim = NULL;
    if (p->env.hop)
        rt_hop_aim(p->env.hop, NULL, NULL);
}

static void end_run(struct yd_run *r) {
    struct rt_provider *p = r->provider;
    if (r->undoing) {
        yd_run_step_end(r, NULL);
        rt_error_hint(&r->first, "%s has ended again%s", r->all ? "all that was made" : "what it added", r->first.code == RT_E_TIMEOUT
                      ? "; `up_timeout` says how long it may take, `--keep` leaves what was made" : "");
    }
    if (r->all)
        all_gone(r);
    for (size_t i = 0; i < r->nendings; i++)
        note_gone(p, "pool", r->endings[i].name);
    yd_run_end(r);
}

/* What still lives, with the first thing that was said about it. */
static void name_left(struct yd_run *r) {
    const struct yd_seen *s = r->provider->seen;
    struct rt_buf left;
    const char *why = "";
    rt_buf_init(&left, 4 * RT_KIB);
    if (r->all && yd_work_lives(s))
        rt_buf_addf(&left, "work requirement %s (%s)", s->work->name, s->work->status ? s->work->status : "?");
    for (size_t i = 0; i < s->nparts; i++) {
        const struct yd_ending *e = s->parts[i].over ? NULL : ending_of(r, s->parts[i].pool->name);
        if (!e)
            continue;
        rt_buf_addf(&left, "%spool %s (%s)", left.len ? ", " : "", e->name, s->parts[i].pool->status ? s->parts[i].pool->status : "?");
        if (!*why && e->error.code)
            why = e->error.message;
    }
    struct rt_error err = {0};
    rt_error_set(&err, RT_E_PARTIAL, "still there: %.300s%s%.200s", rt_buf_str(&left), *why ? ": " : "", why);
    rt_error_hint(&err, "`raytui down %s` tries again", r->provider->conf->name);
    rt_buf_deinit(&left);
    if (r->first.code)
        rt_error_hint(&r->first, "%.250s; `raytui down %s` tries again", err.message, r->provider->conf->name);
    else
        r->first = err;
    yd_run_end(r);
}

/* ---- calls ---- */

static void next(struct yd_run *r);

static void answered(struct yd_run *r, struct yd_result *a, const struct yd_failure *f, struct rt_error *to) {
    r->op = NULL;
    yd_result_free(a);
    const bool bad = f && !yd_failure_too_late(f) && f->error.code != RT_E_NOT_FOUND;
    *to = bad ? f->error : (struct rt_error){0};
    if (bad)
        yd_run_say(r, f->error.message);
}

static void ended_one(void *ctx, struct yd_result *a, const struct yd_failure *f) {
    struct yd_run *r = ctx;
    struct rt_error error;
    answered(r, a, f, &error);
    if (error.code && r->at < r->nendings)
        r->endings[r->at].error = error;
    next(r);
}

static void cancelled(void *ctx, struct yd_result *a, const struct yd_failure *f) {
    struct yd_run *r = ctx;
    struct rt_error error;
    answered(r, a, f, &error);
    r->since_ms = 0;
    yd_run_look(r, 0);
}

/* Terminated at once, or (a single pool) only when shutting down did not do it. */
static bool call_for(struct yd_run *r, const struct yd_part *part, struct yd_ending *e, struct yd_call *c) {
    const bool patient = !r->all && e->shut && rt_loop_now_ms(r->provider->env.loop) - e->since_ms < SHUT_MS;
    if ((r->all || e->shut) && !patient && !e->terminated && part->pool->requirement_id) {
        e->terminated = true;
        *c = (struct yd_call){.verb = YD_TERMINATE, .id = part->pool->requirement_id};
        return true;
    }
    if (!e->shut) {
        e->shut = true;
        e->since_ms = rt_loop_now_ms(r->provider->env.loop);
        *c = (struct yd_call){.verb = YD_POOL_SHUT_DOWN, .id = part->pool->id};
        return true;
    }
    return false;
}

/* The next call of this round; none is left: a look tells what they did. */
static void next(struct yd_run *r) {
    const struct yd_seen *s = r->provider->seen;
    for (size_t i = 0; i < s->nparts; i++) {
        struct yd_ending *e = s->parts[i].over ? NULL : ending_of(r, s->parts[i].pool->name);
        struct yd_call c;
        if (!e || !call_for(r, &s->parts[i], e, &c))
            continue;
        r->at = (size_t)(e - r->endings);
        yd_run_title(r, "ending pool %s", e->name);
        yd_run_send(r, &c, ended_one);
        return;
    }
    yd_run_look(r, 500);
}

/* ---- deciding ---- */

static bool anything_left(struct yd_run *r) {
    const struct yd_seen *s = r->provider->seen;
    if (r->all && yd_work_lives(s))
        return true;
    for (size_t i = 0; i < s->nparts; i++)
        if (!s->parts[i].over && ending_of(r, s->parts[i].pool->name))
            return true;
    return false;
}

static void again(struct yd_run *r) {
    r->rounds++;
    r->since_ms = 0;
    r->cancelled = false;
    for (size_t i = 0; i < r->nendings; i++) {
        r->endings[i].shut = r->endings[i].terminated = false;
        r->endings[i].error = (struct rt_error){0};
    }
}

static bool failed_any(const struct yd_run *r) {
    for (size_t i = 0; i < r->nendings; i++)
        if (r->endings[i].error.code)
            return true;
    return false;
}

static bool all_asked(struct yd_run *r) {
    const struct yd_seen *s = r->provider->seen;
    for (size_t i = 0; i < s->nparts; i++) {
        const struct yd_ending *e = s->parts[i].over ? NULL : ending_of(r, s->parts[i].pool->name);
        if (e && (!e->shut || !e->terminated))
            return false;
    }
    return true;
}

static void decide_end(struct yd_run *r) {
    const struct yd_seen *s = r->provider->seen;
    if (!anything_left(r)) {
        /* What was asked for just now by one that was killed may appear late. */
        if (r->all && !r->looked_twice) {
            r->looked_twice = true;
            yd_run_look(r, 1000);
            return;
        }
        end_run(r);
        return;
    }
    if (r->all && yd_work_lives(s)) {
        if (!r->cancelled) {
            r->cancelled = true;
            yd_run_title(r, "cancelling work requirement %s: its scripts end", s->work->name);
            if (s->work->state != YD_WORK_CANCELLING) {
                yd_run_send(r, &(struct yd_call){.verb = YD_WORK_CANCEL, .id = s->work->id}, cancelled);
                return;
            }
        }
        if (!all_asked(r) && yd_run_waited_ms(r) < TRAPS_MS) {
            yd_run_look(r, 1000);
            return;
        }
    }
    if (!all_asked(r)) {
        next(r);
        return;
    }
    yd_run_title(r, "until the machines are gone");
    const int64_t waited = yd_run_waited_ms(r);
    if ((failed_any(r) && waited > 3000) || waited > GONE_MS) {
        if (r->rounds + 1 >= ROUNDS) {
            name_left(r);
            return;
        }
        again(r);
    }
    yd_run_look(r, 1000);
}

static void stop_ending(struct yd_run *r) {
    rt_error_hint(&r->first, "not everything has ended: `raytui down %s`", r->provider->conf->name);
    yd_run_end(r);
}

void yd_end_all(struct yd_run *r) {
    r->all = true;
    r->cancelled = r->looked_twice = false;
    r->decide = decide_end;
    yd_run_title(r, "ending what was made");
    yd_run_look(r, 0);
}

void yd_end_pools(struct yd_run *r, const struct rt_strs *names) {
    for (size_t i = 0; i < names->n; i++) {
        r->all = true; /* notes it */
        ending_of(r, names->v[i]);
    }
    r->all = false;
    r->decide = decide_end;
    yd_run_look(r, 0);
}

struct rt_operation *yd_down(struct rt_provider *p, struct rt_error *err) {
    yd_run_abandon(p);
    struct yd_run *r = yd_run_start(p, "down", rt_strf("take %s down", p->conf->name), decide_end, stop_ending, err);
    if (!r)
        return NULL;
    r->all = true;
    r->result = rt_strf("%s is down", p->conf->name);
    return r->operation;
}
