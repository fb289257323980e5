/* What people's own tools need to reach a cluster: `env`, and the connection card. */
#include "app/session.h"
#include "base/fs.h"
#include "base/shell.h"
#include <stdio.h>
#include <stdlib.h>

/* host:port of one of Ray's two ports as seen from this machine; false when there is none. */
bool env_address(struct session *s, enum rt_endpoint_kind kind, struct rt_endpoint *out, struct rt_error *err) {
    const bool client = kind == RT_EP_CLIENT;
    const struct session_forward *f = forwards_of(s, client ? 10001 : 8265);
    const int other = f || !session_carried(s) ? 0 : forwards_elsewhere(s, client ? "10001" : "8265");
    if (f || other) {
        snprintf(out->host, sizeof out->host, "127.0.0.1");
        out->port = f ? rt_forward_status(f->forward)->local_port : other;
        snprintf(out->url, sizeof out->url, "http://127.0.0.1:%d", out->port);
        return true;
    }
    if (session_carried(s)) {
        rt_error_set(err, RT_E_UNREACHABLE, "%s: no forward is open", s->conf->name);
        return rt_error_hint(err, "`raytui forward %s` holds one (t on the screen)", s->conf->name);
    }
    return s->conf->ops->endpoint(s->provider, kind, out, err);
}

static void export_line(struct rt_buf *out, const char *name, const char *value) {
    rt_buf_addf(out, "export %s=", name);
    rt_shell_word(out, value);
    rt_buf_addc(out, '\n');
}

bool rt_app_env(struct rt_app *a, const char *cluster, bool jobs, struct rt_buf *out, struct rt_error *err) {
    struct session *s = session_get(a, cluster, err);
    struct rt_endpoint web = {0}, client = {0};
    struct rt_error none = {0};
    if (!s || !env_address(s, RT_EP_DASHBOARD, &web, err))
        return false;
    if (jobs) {
        export_line(out, "RAY_ADDRESS", web.url);
        return true;
    }
    if (env_address(s, RT_EP_CLIENT, &client, &none)) {
        char address[320];
        snprintf(address, sizeof address, "ray://%s:%d", client.host, client.port);
        export_line(out, "RAY_ADDRESS", address);
    }
    export_line(out, "RAY_API_SERVER_ADDRESS", web.url);
    export_line(out, "DASHBOARD_URL", web.url);
    if (s->conf->token.file) {
        char *path = rt_path_expand(s->conf->token.file);
        export_line(out, "RAY_AUTH_TOKEN_PATH", path);
        free(path);
    }
    return true;
}

bool rt_app_web(struct rt_app *a, const char *cluster, struct rt_buf *out, struct rt_error *err) {
    struct session *s = session_get(a, cluster, err);
    struct rt_endpoint web = {0};
    if (!s || !env_address(s, RT_EP_DASHBOARD, &web, err))
        return false;
    rt_buf_adds(out, web.url);
    return true;
}

bool rt_app_env_host(struct rt_app *a, const char *cluster, struct rt_buf *out, struct rt_error *err) {
    struct session *s = session_get(a, cluster, err);
    struct rt_endpoint web = {0}, client = {0};
    char address[320];
    if (!s || !s->conf->ops->endpoint(s->provider, RT_EP_DASHBOARD, &web, err) ||
        !s->conf->ops->endpoint(s->provider, RT_EP_CLIENT, &client, err))
        return false;
    snprintf(address, sizeof address, "ray://%s:%d", client.host, client.port);
    export_line(out, "RAY_ADDRESS", address);
    export_line(out, "DASHBOARD_URL", web.url);
    return true;
}

/* The `ssh -L` that a person would otherwise keep alive by hand. */
static void ssh_line(struct session *s, struct rt_buf *out) {
    char specs[2][400];
    const char *extra[8];
    size_t n = 0, used = 0;
    extra[n++] = "-N";
    const enum rt_endpoint_kind kinds[] = {RT_EP_DASHBOARD, RT_EP_CLIENT};
    for (size_t i = 0; i < RT_COUNT(kinds); i++) {
        struct rt_endpoint at = {0};
        struct rt_error err = {0};
        if (!s->conf->ops->endpoint(s->provider, kinds[i], &at, &err))
            continue;
        const struct session_forward *f = forwards_of(s, kinds[i] == RT_EP_CLIENT ? 10001 : 8265);
        snprintf(specs[used], sizeof specs[used], "%d:%s:%d", f ? rt_forward_status(f->forward)->local_port : at.port,
                 at.host, at.port);
        extra[n++] = "-L";
        extra[n++] = specs[used++];
    }
    extra[n] = NULL;
    char *line = rt_hop_command(s->hop, extra);
    rt_buf_addf(out, "by hand        %s\n", line);
    free(line);
}

static void provider_line(struct session *s, struct rt_buf *out) {
    struct rt_buf line;
    rt_buf_init(&line, 16 * RT_KIB);
    if (s->conf->ops->equivalent && s->conf->ops->equivalent(s->provider, "forward", NULL, &line))
        rt_buf_addf(out, "by hand        %s", rt_buf_str(&line));
    rt_buf_deinit(&line);
}

void rt_app_card(struct rt_app *a, const char *cluster, struct rt_buf *out) {
    struct rt_error err = {0};
    struct session *s = session_get(a, cluster, &err);
    struct rt_endpoint web = {0}, client = {0};
    if (!s) {
        rt_buf_addf(out, "%s\n", err.message);
        return;
    }
    if (env_address(s, RT_EP_DASHBOARD, &web, &err)) {
        rt_buf_addf(out, "dashboard      %s\n", web.url);
        rt_buf_addf(out, "submit         ray job submit --address %s --working-dir . -- python script.py\n", web.url);
    } else {
        rt_buf_addf(out, "dashboard      %s%s%s\n", err.message, err.hint[0] ? " - " : "", err.hint);
    }
    if (env_address(s, RT_EP_CLIENT, &client, &err)) {
        rt_buf_addf(out, "client         ray://%s:%d\n", client.host, client.port);
        rt_buf_addf(out, "python         ray.init(\"ray://%s:%d\")\n", client.host, client.port);
        const char *problem = client_problem(s);
        if (problem)
            rt_buf_addf(out, "  but          %s\n", problem);
    }
    if (s->hop)
        ssh_line(s, out);
    else if (s->conf->ops->dialer)
        provider_line(s, out);
    rt_buf_addf(out, "in a shell     eval \"$(raytui env %s)\"\n", cluster);
}
