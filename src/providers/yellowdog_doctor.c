/* `doctor`: scripts and keys of this machine, the key of the platform, its namespaces, and whether each template would give what
 * is wanted of it. Nothing is made. */
#include "base/fs.h"
#include "providers/doctor.h"
#include "providers/yellowdog_impl.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NAMED = 12 /* templates in one line */ };

struct doctor {
    struct rt_doctor base;
    struct rt_provider *provider;
    struct yd_result *templates; /* NULL: the list was not had */
    struct yd_run wants;         /* of the configuration */
    size_t at;                   /* which of them is tried */
};

static void release(struct rt_doctor *base) {
    struct doctor *d = (struct doctor *)base;
    yd_result_free(d->templates);
    yd_wants_free(&d->wants);
}

static void send_call(struct doctor *d, const struct yd_call *c, yd_fn *fn) {
    d->base.look = yd_send(d->provider->api, c, fn, d);
}

static const char *label(const struct yd_want *w) {
    return w->role == YD_HEAD ? "head" : w->role == YD_OBSERVABILITY ? "observability" : w->conf.name;
}

/* ---- this machine ---- */

static void look_at_script(struct doctor *d, const struct yd_want *w) {
    struct rt_error err = {0};
    struct rt_strs lacks = {0};
    char *name = rt_strf("script of %s", label(w)), *text = yd_conf_text(d->provider->conf, w->conf.kind.script, yd_script(w->role), "its script", &err);
    if (!text)
        rt_doctor_line(&d->base.lines, "bad", name, "%s", err.message);
    else
        yd_script_lacks(w->role, text, &lacks);
    for (size_t i = 0; i < lacks.n; i++)
        rt_doctor_line(&d->base.lines, "warn", name, "%s", lacks.v[i]);
    if (text && w->conf.kind.script && !lacks.n)
        rt_doctor_line(&d->base.lines, "ok", name, "it stays in front and stops Ray at its end");
    rt_strs_deinit(&lacks);
    free(text);
    free(name);
}

static void look_at_key(struct doctor *d) {
    const char *key = d->provider->own->ssh_key;
    char *path = key ? rt_path_expand(key) : NULL;
    struct stat st;
    if (path && stat(path, &st) != 0)
        rt_doctor_line(&d->base.lines, "bad", "ssh key", "%s is not there: the head cannot be reached", path);
    else if (path && (st.st_mode & (S_IRWXG | S_IRWXO)))
        rt_doctor_line(&d->base.lines, "warn", "ssh key", "%s can be read by others (mode %04o): ssh refuses such a key", path, (unsigned)(st.st_mode & 07777));
    else if (path)
        rt_doctor_line(&d->base.lines, "ok", "ssh key", "%s", path);
    else
        rt_doctor_line(&d->base.lines, "ok", "ssh key", "none is named: those of ~/.ssh and of the agent are tried");
    free(path);
}

/* ---- templates ---- */

static void next_template(struct doctor *d);

/* Names of templates that there are; "" when none are known. */
static void template_names(const struct doctor *d, struct rt_buf *out) {
    const size_t n = d->templates ? d->templates->n : 0;
    for (size_t i = 0; i < n && i < NAMED; i++) {
        const struct yd_template *t = &d->templates->templates[i];
        rt_buf_addf(out, "%s%s/%s", i ? ", " : "", t->space ? t->space : "", t->name ? t->name : t->id);
    }
    if (n > NAMED)
        rt_buf_addf(out, " (+%zu)", n - NAMED);
}

static void tried(void *ctx, struct yd_result *r, const struct yd_failure *f) {
    struct doctor *d = ctx;
    const struct yd_want *w = &d->wants.wants[d->at++];
    const struct yd_kind *k = &w->conf.kind;
    char *name = rt_strf("template of %s", label(w));
    struct rt_buf names;
    d->base.look = NULL;
    yd_result_free(r);
    rt_buf_init(&names, 4 * RT_KIB);
    if (f && f->error.code == RT_E_NOT_FOUND) {
        template_names(d, &names);
        rt_doctor_line(&d->base.lines, "bad", name, "%s is not there%s%s", k->template_id, names.len ? "; there are: " : "", rt_buf_str(&names));
    } else if (f) {
        rt_doctor_error(&d->base.lines, f->status == 403 ? "warn" : "bad", name, &f->error);
    } else {
        rt_doctor_line(&d->base.lines, "ok", name, "%s%s%s: %lld machine%s", k->template_id, k->images ? " with image " : "", k->images ? k->images : "",
             (long long)w->conf.count, w->conf.count == 1 ? "" : "s");
    }
    rt_buf_deinit(&names);
    free(name);
    next_template(d);
}

static void next_template(struct doctor *d) {
    const struct rt_provider *p = d->provider;
    struct rt_error err = {0};
    while (d->at < d->wants.nwants) {
        const struct yd_want *w = &d->wants.wants[d->at];
        if (!w->conf.kind.template_id) {
            rt_doctor_line(&d->base.lines, "warn", label(w), "no template is named: `up` cannot make it; a cluster that is there can be attached to");
            d->at++;
            continue;
        }
        char *run = rt_strdup(yd_conf_name(p->conf)), *name = yd_make_pool_name(w, run, (unsigned)d->at);
        json_t *pool = yd_make_pool(p, w, run, name, &err), *usage = json_incref(json_object_get(pool, "requirementTemplateUsage"));
        json_decref(pool);
        free(name);
        free(run);
        if (usage) {
            send_call(d, &(struct yd_call){.verb = YD_TEMPLATE_TRY, .body = usage}, tried);
            return;
        }
        rt_doctor_line(&d->base.lines, "bad", label(w), "%s", err.message);
        d->at++;
    }
    rt_doctor_end(&d->base);
}

static void listed(void *ctx, struct yd_result *r, const struct yd_failure *f) {
    struct doctor *d = ctx;
    struct rt_buf names;
    d->base.look = NULL;
    d->templates = r;
    rt_buf_init(&names, 4 * RT_KIB);
    if (r)
        template_names(d, &names);
    if (f)
        rt_doctor_error(&d->base.lines, "warn", "templates", &f->error);
    else
        rt_doctor_line(&d->base.lines, r->n ? "ok" : "warn", "templates", "%s", r->n ? rt_buf_str(&names) : "this key sees none");
    rt_buf_deinit(&names);
    next_template(d);
}

/* ---- the key ---- */

static void look_at_space(struct doctor *d, const struct yd_account *a) {
    const char *space = d->provider->own->space;
    struct rt_buf all;
    rt_buf_init(&all, 4 * RT_KIB);
    for (size_t i = 0; i < a->spaces.n && i < NAMED; i++)
        rt_buf_addf(&all, "%s%s", i ? ", " : "", a->spaces.v[i]);
    if (!space)
        rt_doctor_line(&d->base.lines, "bad", "namespace", "none is configured");
    else if (a->all_spaces || yd_words_have(&a->spaces, space))
        rt_doctor_line(&d->base.lines, "ok", "namespace", "%s", space);
    else if (a->spaces.n)
        rt_doctor_line(&d->base.lines, "bad", "namespace", "%s cannot be read by this key; it can read %s", space, rt_buf_str(&all));
    else
        rt_doctor_line(&d->base.lines, "warn", "namespace", "the platform does not say whether %s can be read", space);
    rt_buf_deinit(&all);
}

static bool in_clear(const char *url) {
    struct rt_error ignored = {0};
    struct rt_url u = {0};
    const bool read = rt_url_parse(url, &u, &ignored);
    const bool here = read && (rt_starts(u.host, "127.") || rt_streq(u.host, "localhost") || rt_streq(u.host, "::1"));
    const bool clear = read && rt_streq(u.scheme, "http") && !here;
    rt_url_deinit(&u);
    return clear;
}

static void answered(void *ctx, struct yd_result *r, const struct yd_failure *f) {
    struct doctor *d = ctx;
    d->base.look = NULL;
    if (f) {
        rt_doctor_error(&d->base.lines, "bad", "key", &f->error);
        rt_doctor_end(&d->base);
        return;
    }
    const struct yd_account *a = r->account;
    rt_doctor_line(&d->base.lines, "ok", "key", "application %s of account %s at %s", a->application ? a->application : "?", a->account ? a->account : "?",
         yd_api_url(d->provider->api));
    if (in_clear(yd_api_url(d->provider->api)))
        rt_doctor_line(&d->base.lines, "warn", "key", "it goes over the network in clear: api_url begins with http://");
    look_at_space(d, a);
    yd_result_free(r);
    send_call(d, &(struct yd_call){.verb = YD_TEMPLATES}, listed);
}

struct rt_op *yd_doctor(struct rt_provider *p, void (*done)(void *ctx, const char *lines, const struct rt_error *err), void *ctx) {
    struct doctor *d = rt_doctor_new(sizeof *d, release, done, ctx);
    d->provider = p;
    yd_wants(p, &d->wants);
    look_at_key(d);
    for (size_t i = 0; i < d->wants.nwants; i++)
        look_at_script(d, &d->wants.wants[i]);
    send_call(d, &(struct yd_call){.verb = YD_ACCOUNT}, answered);
    return &d->base.op;
}
