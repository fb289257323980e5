/* Ports that nobody looks at take turns: a line, the first few of which have children. */
#include "net/kube_private.h"

enum {
    PLACES = 4,
    TURN_MS = 15000, /* the longest, while others wait */
    LEAST_MS = 5000, /* the shortest, once all who wait had one: children are not started on and on */
    SILENT_MS = 40000 /* who did not ask for so long comes no more */
};

static size_t place_of(const struct rt_kubes *k, const struct rt_kube_ports *p) {
    size_t i = 0;
    while (i < k->turns.n && k->turns.v[i].ports != p)
        i++;
    return i;
}

static void take_out(struct rt_kubes *k, size_t i, int64_t now) {
    rt_vec_remove(&k->turns, i);
    if (i < PLACES && k->turns.n >= PLACES)
        k->turns.v[PLACES - 1].began_ms = now;
}

/* Who was looked at until now is first: a person may come back. */
static void enter(struct rt_kubes *k, struct rt_kube_ports *p, int64_t now) {
    const struct rt_kube_turn t = {.ports = p, .began_ms = now};
    *rt_vec_push(&k->turns) = t;
    if (!rt_kube_ports_carried(p))
        return;
    memmove(k->turns.v + 1, k->turns.v, (k->turns.n - 1) * sizeof t);
    k->turns.v[0] = t;
}

static bool is_over(const struct rt_kubes *k, const struct rt_kube_turn *t, int64_t now) {
    const int64_t since = now - t->began_ms;
    const bool enough = t->done || rt_kube_ports_failing(t->ports);
    return since >= TURN_MS || (enough && (since >= LEAST_MS || !k->turns.v[PLACES].had));
}

/* Of others only turns that nobody uses any more end here: what is under way for them is theirs to know. */
static bool may_end(const struct rt_kubes *k, const struct rt_kube_turn *t, const struct rt_kube_ports *asking, int64_t now) {
    return (t->ports == asking || rt_kube_ports_failing(t->ports)) && is_over(k, t, now);
}

static void pass_on(struct rt_kubes *k, const struct rt_kube_ports *asking, int64_t now) {
    for (size_t i = 0; i < PLACES && k->turns.n > PLACES;) {
        struct rt_kube_turn t = k->turns.v[i];
        const bool silent = now - t.asked_ms >= SILENT_MS;
        if (!silent && !may_end(k, &t, asking, now)) {
            i++;
            continue;
        }
        rt_kube_ports_close(t.ports);
        take_out(k, i, now);
        t.had = true;
        t.done = false;
        if (!silent)
            *rt_vec_push(&k->turns) = t;
    }
}

bool rt_kube_ports_turn(struct rt_kube_ports *p, bool looked, bool done) {
    struct rt_kubes *k = rt_kube_ports_kubes(p);
    const int64_t now = rt_loop_now_ms(k->loop);
    size_t i = place_of(k, p);
    if (looked) {
        if (i < k->turns.n)
            take_out(k, i, now);
        return true;
    }
    if (i == k->turns.n)
        enter(k, p, now);
    i = place_of(k, p);
    k->turns.v[i].asked_ms = now;
    k->turns.v[i].done = done;
    pass_on(k, p, now);
    if (place_of(k, p) < PLACES)
        return true;
    if (rt_kube_ports_carried(p))
        rt_kube_ports_close(p);
    return false;
}
