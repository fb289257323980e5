/* Programs for the terminal: a shell in a pod, the object in an editor, what Kubernetes tells of a pod. */
#include "providers/kuberay.h"
#include <unistd.h>

/* What was typed is looked for only among the pods of this cluster, where these are known. */
static bool pod_named(const struct rt_provider *p, const char *name, char **out, struct rt_error *err) {
    const struct kpod *pod = name && *name ? kuberay_pod(p, name) : kuberay_head(p);
    if (!pod && (!name || !*name))
        return rt_error_set(err, RT_E_NOT_FOUND, "%s has no head pod now", p->conf->name);
    if (!pod && p->pods_listed) {
        rt_error_set(err, RT_E_NOT_FOUND, "%s has no pod %s", p->conf->name, name);
        return rt_error_hint(err, "`raytui pod %s` lists them", p->conf->name);
    }
    if (!pod && (name[0] == '-' || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != strlen(name)))
        return rt_error_set(err, RT_E_USAGE, "%s is no name of a pod", name);
    *out = rt_strdup(pod ? pod->name : name);
    return true;
}

static void begin(const struct rt_provider *p, const char *verb, struct rt_strs *argv) {
    rt_kube_argv(p->kube, argv);
    rt_strs_add(argv, verb);
    if (p->space) {
        rt_strs_add(argv, "--namespace");
        rt_strs_add(argv, p->space);
    }
}

static void add_all(struct rt_strs *argv, const char *const *words) {
    for (; *words; words++)
        rt_strs_add(argv, *words);
}

bool kuberay_shell(struct rt_provider *p, const char *node_id, struct rt_strs *argv, struct rt_error *err) {
    static const char *const words[] = {"--", "sh", "-c", "command -v bash >/dev/null && exec bash || exec sh", NULL};
    const struct kpod *pod = node_id ? kuberay_pod_of(p, node_id) : NULL;
    const char *slash = node_id && !pod ? strchr(node_id, '/') : NULL;
    char *wanted = slash ? rt_strndup(node_id, (size_t)(slash - node_id)) : rt_strdup(pod ? pod->name : node_id), *name = NULL;
    const bool ok = pod_named(p, wanted, &name, err);
    free(wanted);
    if (!ok)
        return false;
    begin(p, "exec", argv);
    rt_strs_add(argv, isatty(STDIN_FILENO) ? "-it" : "-i");
    rt_strs_add(argv, name);
    if (slash) /* else the first container, which is Ray's */
        rt_strs_addf(argv, "--container=%s", slash + 1);
    add_all(argv, words);
    free(name);
    return true;
}

static void log_words(const char *what, const char *container, struct rt_strs *argv) {
    if (container)
        rt_strs_addf(argv, "--container=%s", container);
    else
        add_all(argv, (const char *const[]){"--all-containers", "--prefix", NULL});
    if (rt_streq(what, "log-follow"))
        rt_strs_add(argv, "--follow");
    if (rt_streq(what, "log-previous"))
        rt_strs_add(argv, "--previous");
}

static bool of_pod(struct rt_provider *p, const char *what, const char *arg, struct rt_strs *argv, struct rt_error *err) {
    const char *slash = arg ? strchr(arg, '/') : NULL;
    char *wanted = slash ? rt_strndup(arg, (size_t)(slash - arg)) : rt_strdup(arg), *pod = NULL;
    const bool ok = pod_named(p, wanted, &pod, err);
    free(wanted);
    if (!ok)
        return false;
    if (rt_streq(what, "describe")) {
        begin(p, "describe", argv);
        rt_strs_addf(argv, "pod/%s", pod);
    } else if (rt_streq(what, "yaml")) {
        begin(p, "get", argv);
        rt_strs_addf(argv, "pod/%s", pod);
        add_all(argv, (const char *const[]){"-o", "yaml", NULL});
    } else if (rt_streq(what, "events")) {
        begin(p, "get", argv);
        rt_strs_add(argv, "events");
        rt_strs_addf(argv, "--field-selector=involvedObject.name=%s", pod);
        rt_strs_add(argv, "--sort-by=.lastTimestamp");
    } else {
        begin(p, "logs", argv);
        rt_strs_addf(argv, "pod/%s", pod);
        log_words(what, slash ? slash + 1 : NULL, argv);
    }
    free(pod);
    return true;
}

bool kuberay_tool(struct rt_provider *p, const char *what, const char *arg, struct rt_strs *argv, struct rt_error *err) {
    if (p->own->service && rt_streq(what, "edit"))
        return rt_error_set(err, RT_E_UNSUPPORTED, "%s is a service: there is no RayCluster to edit", p->conf->name);
    if (rt_streq(what, "edit")) {
        begin(p, "edit", argv);
        rt_strs_addf(argv, "rayclusters.ray.io/%s", p->name);
        return true;
    }
    if (rt_streq(what, "pods")) {
        begin(p, "get", argv);
        rt_strs_add(argv, "pods");
        rt_strs_addf(argv, "--selector=ray.io/cluster=%s", p->name);
        add_all(argv, (const char *const[]){"-o", "wide", NULL});
        return true;
    }
    return of_pod(p, what, arg, argv, err);
}
