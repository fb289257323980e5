/* The RayCluster object, from the plan or from a file. */
#include "providers/kuberay_manifest.h"
#include "base/decode.h"
#include "providers/kuberay_plan.h"
#include <stdlib.h>
#include <string.h>

#define GIB 1073741824.0
#define GPU_KEY "nvidia.com/gpu"

/* ---- quantities ---- */

/* Of what is not negative, and without libm, which nothing else would need. */
static long long whole_milli(double cpu) {
    return (long long)(cpu * 1000 + 0.5);
}

/* Whole thousandths: "2", "500m". */
static json_t *cpu_quantity(double cpu) {
    const long long milli = whole_milli(cpu);
    char text[32];
    snprintf(text, sizeof text, milli % 1000 ? "%lldm" : "%lld", milli % 1000 ? milli : milli / 1000);
    return json_string(text);
}

/* The largest unit that divides, never rounded up: "2Gi", "1536Mi". */
static json_t *memory_quantity(double gib) {
    static const char *const units[] = {"", "Ki", "Mi", "Gi"};
    long long n = (long long)(gib * GIB);
    size_t unit = 0;
    char text[32];
    for (; n % 1024 == 0 && unit + 1 < RT_COUNT(units); unit++)
        n /= 1024;
    snprintf(text, sizeof text, "%lld%s", n, units[unit]);
    return json_string(text);
}

bool kuberay_quantity(const char *text, double *out) {
    static const struct {
        const char *unit;
        double times;
    } units[] = {{"", 1},   {"m", 1e-3}, {"k", 1e3},   {"M", 1e6},         {"G", 1e9},          {"T", 1e12},
                 {"P", 1e15}, {"E", 1e18}, {"Ki", 1024}, {"Mi", 1048576.0}, {"Gi", GIB},         {"Ti", GIB * 1024},
                 {"Pi", GIB * 1048576}, {"Ei", GIB * GIB}, {"n", 1e-9},     {"u", 1e-6}};
    const size_t digits = text ? strspn(text, "+-.0123456789") : 0;
    char number[40];
    if (!digits || digits >= sizeof number)
        return false;
    memcpy(number, text, digits);
    number[digits] = '\0';
    for (size_t i = 0; i < RT_COUNT(units); i++)
        if (rt_streq(text + digits, units[i].unit)) {
            double v;
            if (!rt_parse_f64(number, &v))
                return false;
            *out = v * units[i].times;
            return true;
        }
    return rt_parse_f64(text, out); /* "1e3" */
}

/* ---- pods ---- */

static json_t *map_of(const struct rt_strs *l) {
    json_t *o = json_object();
    for (size_t i = 0; i < l->n; i++) {
        const char *eq = strchr(l->v[i], '=');
        if (!eq)
            continue;
        char *key = rt_strndup(l->v[i], (size_t)(eq - l->v[i]));
        json_object_set_new(o, key, json_string(eq + 1));
        free(key);
    }
    return o;
}

/* Adds what is in it; takes v. */
static void set_unless_empty(json_t *o, const char *key, json_t *v) {
    if (json_object_size(v) || json_array_size(v))
        json_object_set_new(o, key, v);
    else
        json_decref(v);
}

static json_t *resources(double cpu, double memory_gb, int64_t gpus, const char *gpu_key) {
    json_t *amounts = json_pack("{so so}", "cpu", cpu_quantity(cpu), "memory", memory_quantity(memory_gb));
    if (gpus > 0) {
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)gpus);
        json_object_set_new(amounts, gpu_key, json_string(text));
    }
    return json_pack("{sO so}", "limits", amounts, "requests", amounts);
}

static json_t *head_ports(void) {
    return json_pack("[{si ss} {si ss} {si ss}]", "containerPort", 6379, "name", "gcs-server", "containerPort", 8265, "name",
                     "dashboard", "containerPort", 10001, "name", "client");
}

static json_t *secrets(const struct rt_strs *names) {
    json_t *l = json_array();
    for (size_t i = 0; i < names->n; i++)
        json_array_append_new(l, json_pack("{ss}", "name", names->v[i]));
    return l;
}

static json_t *pod_template(const struct kuberay_make *m, const struct kuberay_group *g, const char *image) {
    const struct rt_strs *selector = g->selector.n ? &g->selector : g->gpus > 0 ? &m->gpu_selector : &m->other_selector;
    const struct rt_ynode *tolerations = g->tolerations ? g->tolerations : g->gpus > 0 ? m->gpu_tolerations : m->other_tolerations;
    json_t *box = json_pack("{ss ss so}", "name", g->name ? "ray-worker" : "ray-head", "image", g->image ? g->image : image, "resources",
                            resources(g->cpu, g->memory_gb, g->gpus, m->gpu_key ? m->gpu_key : GPU_KEY));
    if (m->image_pull_policy)
        json_object_set_new(box, "imagePullPolicy", json_string(m->image_pull_policy));
    if (!g->name)
        json_object_set_new(box, "ports", head_ports());
    json_t *spec = json_pack("{s[o]}", "containers", box);
    if (m->service_account)
        json_object_set_new(spec, "serviceAccountName", json_string(m->service_account));
    set_unless_empty(spec, "imagePullSecrets", secrets(&m->image_pull_secrets));
    set_unless_empty(spec, "nodeSelector", map_of(selector));
    if (tolerations)
        set_unless_empty(spec, "tolerations", rt_ynode_json(tolerations));
    json_t *template = json_object(), *about = json_object();
    set_unless_empty(about, "labels", map_of(&m->labels));
    set_unless_empty(about, "annotations", map_of(&m->annotations));
    set_unless_empty(template, "metadata", about);
    json_object_set_new(template, "spec", spec);
    return template;
}

static json_t *worker_group(const struct kuberay_make *m, const struct kuberay_group *g, const char *image) {
    return json_pack("{ss sI sI sI s{} so}", "groupName", g->name, "replicas", (json_int_t)g->replicas, "minReplicas", (json_int_t)g->min,
                     "maxReplicas", (json_int_t)g->max, "rayStartParams", "template", pod_template(m, g, image));
}

/* ---- versions ---- */

/* "rayproject/ray:2.52.0-py311" says 2.52.0; gives NULL when the tag says none. */
static char *version_of(const char *image) {
    const char *slash = image ? strrchr(image, '/') : NULL;
    const char *tag = image ? strchr(slash ? slash : image, ':') : NULL;
    const size_t n = tag ? strspn(tag + 1, "0123456789.") : 0;
    size_t dots = 0;
    for (size_t i = 0; i < n; i++)
        dots += tag[1 + i] == '.';
    return dots == 2 && tag[n] != '.' ? rt_strndup(tag + 1, n) : NULL;
}

static bool any_gpus(const struct kuberay_plan *p) {
    bool any = p->head.gpus > 0;
    for (size_t i = 0; i < p->groups.n; i++)
        any = any || p->groups.v[i].gpus > 0;
    return any;
}

/* ---- the object ---- */

static json_t *from_plan(const struct kuberay_make *m, const struct kuberay_plan *p) {
    const char *version = m->ray_version ? m->ray_version : KUBERAY_RAY_VERSION;
    char *told = m->ray_version || !m->image ? rt_strdup(version) : version_of(m->image);
    char *image = m->image ? rt_strdup(m->image) : rt_strf("rayproject/ray:%s%s", version, any_gpus(p) ? "-gpu" : "");
    json_t *groups = json_array();
    for (size_t i = 0; i < p->groups.n; i++)
        json_array_append_new(groups, worker_group(m, &p->groups.v[i], image));
    json_t *spec = json_pack("{s{s{ss} so} so}", "headGroupSpec", "rayStartParams", "dashboard-host", "0.0.0.0", "template",
                             pod_template(m, &p->head, image), "workerGroupSpecs", groups);
    if (told)
        json_object_set_new(spec, "rayVersion", json_string(told));
    if (p->autoscaled) {
        json_t *options = json_pack("{so}", "resources", resources(p->scaler_cpu, p->scaler_memory_gb, 0, GPU_KEY));
        if (p->idle_ms)
            json_object_set_new(options, "idleTimeoutSeconds", json_integer((json_int_t)((p->idle_ms + 999) / 1000)));
        json_object_set_new(spec, "enableInTreeAutoscaling", json_true());
        json_object_set_new(spec, "autoscalerOptions", options);
    }
    free(told);
    free(image);
    return json_pack("{ss ss s{} so}", "apiVersion", "ray.io/v1", "kind", "RayCluster", "metadata", "spec", spec);
}

static json_t *from_file(const char *path, struct rt_error *err) {
    struct rt_ydoc doc;
    json_t *o = NULL;
    if (rt_yaml_load(path, &doc, err)) {
        o = doc.root ? rt_ynode_json(doc.root) : NULL;
        const char *kind = o ? rt_json_str(o, "kind") : NULL, *version = o ? rt_json_str(o, "apiVersion") : NULL;
        if (!rt_streq(kind, "RayCluster") || !version || !rt_starts(version, "ray.io/")) {
            rt_error_set(err, RT_E_CONFIG, "%s: no RayCluster of ray.io, but %s", path, kind ? kind : "something without a kind");
            json_decref(o);
            o = NULL;
        }
    }
    rt_yaml_deinit(&doc);
    return o;
}

/* metadata.KEY is `want`: set where it is missing or `ours` to choose, refused where it is another. */
static bool must_be(json_t *o, const char *key, const char *want, bool ours, struct rt_error *err) {
    json_t *about = json_object_get(o, "metadata");
    if (!json_is_object(about)) {
        about = json_object();
        json_object_set_new(o, "metadata", about);
    }
    const char *is = json_string_value(json_object_get(about, key));
    if (is && want && !ours && !rt_streq(is, want)) {
        rt_error_set(err, RT_E_CONFIG, "the manifest says %s %s, the configuration %s", key, is, want);
        return rt_error_hint(err, "`%s: %s` in the configuration", key, is);
    }
    if (want)
        json_object_set_new(about, key, json_string(want));
    return true;
}

struct first {
    struct rt_error *err;
};
static void keep_first(void *ctx, const struct rt_error *err) {
    struct first *f = ctx;
    if (!f->err->code)
        *f->err = *err;
}

static json_t *unnamed(const struct rt_cluster_conf *conf, const struct kuberay_make *m, struct rt_error *err) {
    json_t *o = NULL;
    if (m->manifest) {
        char *path = kuberay_manifest_path(conf, m);
        o = from_file(path, err);
        free(path);
        return o;
    }
    struct kuberay_plan plan;
    struct first first = {err};
    *err = (struct rt_error){0};
    if (kuberay_plan_read(conf, m, &plan, keep_first, &first))
        o = from_plan(m, &plan);
    kuberay_plan_deinit(&plan);
    return o;
}

json_t *kuberay_manifest(const struct rt_cluster_conf *conf, const struct kuberay_make *m, const char *name, const char *space,
                         struct rt_error *err) {
    if (m->off) {
        rt_error_set(err, RT_E_UNSUPPORTED, "%s: no cluster is made here: `enabled: false`", conf->name);
        return NULL;
    }
    json_t *o = unnamed(conf, m, err);
    if (!o)
        return NULL;
    if (!must_be(o, "name", name, conf->ephemeral, err) || !must_be(o, "namespace", space, false, err)) {
        json_decref(o);
        return NULL;
    }
    json_t *about = json_object_get(o, "metadata"), *labels = json_object_get(about, "labels");
    if (!json_is_object(labels)) {
        labels = json_object();
        json_object_set_new(about, "labels", labels);
    }
    json_object_set_new(labels, "app.kubernetes.io/managed-by", json_string("raytui"));
    return o;
}

bool kuberay_make_check(const struct rt_cluster_conf *conf, const struct kuberay_make *m, rt_yproblem_fn *problem, void *ctx) {
    if (m->manifest) {
        struct rt_error err = {0};
        json_t *o = unnamed(conf, m, &err);
        if (!o)
            problem(ctx, &err);
        json_decref(o);
        return o != NULL;
    }
    struct kuberay_plan plan;
    const bool ok = kuberay_plan_read(conf, m, &plan, problem, ctx);
    kuberay_plan_deinit(&plan);
    return ok;
}

void kuberay_manifest_head(const json_t *cluster, int64_t *milli_cpu, double *memory_bytes) {
    const json_t *boxes = rt_json_at(cluster, "spec.headGroupSpec.template.spec.containers");
    const json_t *wants[] = {rt_json_at(json_array_get(boxes, 0), "resources.requests"),
                             json_is_true(rt_json_at(cluster, "spec.enableInTreeAutoscaling"))
                                 ? rt_json_at(cluster, "spec.autoscalerOptions.resources.requests")
                                 : NULL};
    *milli_cpu = 0;
    *memory_bytes = 0;
    for (size_t i = 0; i < RT_COUNT(wants); i++) {
        double v = 0;
        if (kuberay_quantity(json_string_value(json_object_get(wants[i], "cpu")), &v))
            *milli_cpu += whole_milli(v);
        if (kuberay_quantity(json_string_value(json_object_get(wants[i], "memory")), &v))
            *memory_bytes += v;
    }
}
