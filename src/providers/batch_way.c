/* The way to the ports of a cluster of batch jobs: what listens on an address of a compute node is seen from the login
 * node; what listens on its loopback only, by one SSH hop more, which runs through the session with the login node:
 * nobody logs in there twice. */
#include "providers/batch_impl.h"
#include <stdlib.h>
#include <string.h>

struct batch_way {
    struct rt_provider *provider;
    struct rt_dialer dialer;
    struct rt_hop **hops; /* the last one leads to the present head; those before to heads that have gone */
    char **hosts;
    size_t n;
};

/* The name by which the login node knows the head's host, with the login's user. */
static char *host_of_head(const struct rt_provider *p) {
    const char *host = p->jobs[0]->host ? p->jobs[0]->host : p->place.host, *login = p->own->login, *at = strrchr(login, '@');
    return at ? rt_strf("%.*s@%s", (int)(at - login), login, host) : rt_strdup(host);
}

/* Lost, it does not come back by itself: it would open the login node's again, which may have been left. */
static void on_change(void *ctx, struct rt_hop *hop) {
    (void)ctx;
    if (rt_hop_status(hop)->state == RT_HOP_RETRYING)
        rt_hop_close(hop);
}

static struct rt_hop *hop_to_head(struct batch_way *w) {
    struct rt_provider *p = w->provider;
    char *host = host_of_head(p);
    if (w->n && rt_streq(w->hosts[w->n - 1], host)) {
        free(host);
        return w->hops[w->n - 1];
    }
    if (w->n)
        rt_hop_close(w->hops[w->n - 1]);
    const struct rt_hop_opts o = {
        .name = p->conf->name,
        .target = host,
        .jump = p->own->login,
        .through = rt_hop_dialer(p->env.hop),
        .config_file = p->conf->ssh_config,
        .transport = (enum rt_transport)p->conf->transport,
        .asker = p->env.asker,
    };
    w->hops = rt_realloc(w->hops, (w->n + 1) * sizeof(*w->hops));
    w->hosts = rt_realloc(w->hosts, (w->n + 1) * sizeof(*w->hosts));
    w->hops[w->n] = rt_hop_create(p->env.loop, &o, on_change, w);
    w->hosts[w->n++] = host;
    rt_hop_open(w->hops[w->n - 1], true);
    return w->hops[w->n - 1];
}

static const struct rt_dialer *way_to(struct batch_way *w, const char *host) {
    const bool inside = w->provider->up && (rt_starts(host, "127.") || rt_streq(host, "localhost"));
    return rt_hop_dialer(inside ? hop_to_head(w) : w->provider->env.hop);
}

static int dial(void *ctx, const char *host, int port, struct rt_error *err) {
    const struct rt_dialer *d = way_to(ctx, host);
    return d->dial(d->ctx, host, port, err);
}

static bool dial_error(void *ctx, struct rt_error *err) {
    struct batch_way *w = ctx;
    const struct rt_dialer *login = rt_hop_dialer(w->provider->env.hop);
    if (w->n) {
        const struct rt_dialer *d = rt_hop_dialer(w->hops[w->n - 1]);
        if (d->error(d->ctx, err)) {
            rt_error_wrap(err, "%s", w->hosts[w->n - 1]);
            if (!*err->hint)
                rt_error_hint(err, "where one cannot log in to compute nodes, `dashboard_host: node` is reached from the login node");
            return true;
        }
    }
    return login->error(login->ctx, err);
}

static struct rt_op *splice(void *ctx, int fd, const char *host, int port, struct rt_splice *s) {
    const struct rt_dialer *d = way_to(ctx, host);
    return d->splice(d->ctx, fd, host, port, s);
}

struct batch_way *batch_way_create(struct rt_provider *p) {
    struct batch_way *w = RT_NEW(struct batch_way);
    w->provider = p;
    w->dialer = (struct rt_dialer){.dial = dial, .error = dial_error, .ctx = w, .splice = splice};
    return w;
}

void batch_way_destroy(struct batch_way *w) {
    for (size_t i = 0; i < w->n; i++) {
        rt_hop_destroy(w->hops[i]);
        free(w->hosts[i]);
    }
    free(w->hops);
    free(w->hosts);
    free(w);
}

const struct rt_dialer *batch_way_dialer(struct batch_way *w) {
    return &w->dialer;
}
