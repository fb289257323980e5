/* What `ray up` would stumble over after the schema: Ray's own rules (util.py, docker.py, local/config.py), what its
 * providers ask for before they begin, and files of this machine. */
#include "providers/launcher_yaml.h"

#include "base/fs.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool among(const char *s, const char *const *words) {
    for (; *words; words++)
        if (rt_streq(s, *words))
            return true;
    return false;
}

static const struct rt_ynode *get(const struct rt_launcher_file *f, const char *key) {
    return rt_ynode_get(f->doc.root, key);
}

/* The node under a key, else the map. */
static const struct rt_ynode *at(const struct rt_ynode *map, const char *key) {
    const struct rt_ynode *n = rt_ynode_get(map, key);
    return n ? n : map;
}

/* ---- provider `local` ---- */

static void check_addresses(const struct rt_launcher_file *f, const struct rt_ynode *provider, struct lwords *w) {
    const struct rt_ynode *ips = rt_ynode_get(provider, "worker_ips");
    for (size_t i = 0; ips && ips->kind == RT_Y_SEQ && i < ips->n; i++) {
        const struct rt_ynode *ip = ips->items[i];
        bool twice = ip->kind == RT_Y_SCALAR && rt_streq(ip->text, f->head_ip);
        if (launcher_kind(ip) != L_STR) {
            launcher_problem(w, ip, NULL, "provider.worker_ips: %s where an address is expected", launcher_kind_name(launcher_kind(ip)));
            continue;
        }
        for (size_t k = 0; k < i && !twice; k++)
            twice = ips->items[k]->kind == RT_Y_SCALAR && rt_streq(ips->items[k]->text, ip->text);
        if (twice)
            launcher_problem(w, ip, "each host once; the head is no worker", "provider.worker_ips: %s stands there already", ip->text);
    }
}

static void check_local(const struct rt_launcher_file *f, struct lwords *w) {
    const struct rt_ynode *provider = get(f, "provider"), *types = get(f, "available_node_types");
    int64_t n;
    if (types && !launcher_empty(types) && !rt_ynode_get(types, RT_LAUNCHER_LOCAL_TYPE))
        launcher_problem(w, types,
                         "provider `local` has the one type " RT_LAUNCHER_LOCAL_TYPE "; min_workers and max_workers stand at the top",
                         "The field available_node_types is not supported for on-premise clusters");
    if (rt_ynode_get(provider, "coordinator_address")) {
        if (!get(f, "max_workers"))
            launcher_problem(w, provider, "max_workers: 4", "max_workers is wanted with coordinator_address");
        return;
    }
    if (!rt_ynode_get(provider, "head_ip") || !rt_ynode_get(provider, "worker_ips"))
        launcher_problem(w, provider, "or a coordinator_address", "provider: head_ip and a list of worker_ips are wanted");
    check_addresses(f, provider, w);
    for (int max = 0; max < 2; max++)
        if (launcher_int(get(f, max ? "max_workers" : "min_workers"), &n) && n > (int64_t)f->worker_ips.n)
            launcher_warning(w, get(f, max ? "max_workers" : "min_workers"), "%s: %lld, but there are %zu worker_ips",
                             max ? "max_workers" : "min_workers", (long long)n, f->worker_ips.n);
}

/* ---- the others ---- */

static void wanted(const struct rt_ynode *map, const char *where, const char *const *keys, const char *hint, struct lwords *w) {
    for (; *keys; keys++)
        if (!rt_ynode_get(map, *keys))
            launcher_problem(w, map, hint, "%s%s%s is missing", where, *where ? "." : "", *keys);
}

static void check_aws_keys(const struct rt_launcher_file *f, struct lwords *w) {
    const struct rt_ynode *types = get(f, "available_node_types");
    if (!f->auth.key || !types || types->kind != RT_Y_MAP)
        return;
    for (size_t i = 0; i < types->n; i++) {
        const struct rt_ynode *config = rt_ynode_get(types->items[i], "node_config");
        if (config && config->kind == RT_Y_MAP && !rt_ynode_get(config, "KeyName") && !rt_ynode_get(config, "UserData"))
            launcher_problem(w, types->keys[i], "KeyName: the name of the key pair in AWS",
                             "available_node_types.%.80s: with auth.ssh_private_key its node_config wants a KeyName", types->keys[i]->text);
    }
}

static void check_azure_keys(const struct rt_launcher_file *f, struct lwords *w) {
    const struct rt_ynode *auth = get(f, "auth");
    const bool private_key = rt_ynode_get(auth, "ssh_private_key"), public_key = rt_ynode_get(auth, "ssh_public_key");
    if (private_key != public_key)
        launcher_problem(w, auth, "name both, or none: Ray makes a pair then", "auth: %s is wanted too with Azure",
                         private_key ? "ssh_public_key" : "ssh_private_key");
}

static void check_provider(const struct rt_launcher_file *f, struct lwords *w) {
    static const char *const gcp[] = {"region", "availability_zone", "project_id", NULL};
    static const char *const aws[] = {"region", NULL}, *const azure[] = {"location", "resource_group", NULL},
                             *const external[] = {"module", NULL};
    static const char *const external_top[] = {"available_node_types",
                                               "max_workers",
                                               "setup_commands",
                                               "head_setup_commands",
                                               "worker_setup_commands",
                                               "initialization_commands",
                                               "head_start_ray_commands",
                                               "worker_start_ray_commands",
                                               "file_mounts",
                                               "cluster_synced_files",
                                               NULL};
    const struct rt_ynode *p = get(f, "provider"), *project = rt_ynode_get(p, "project_id");
    if (rt_streq(f->type, "local")) {
        check_local(f, w);
    } else if (rt_streq(f->type, "aws")) {
        wanted(p, "provider", aws, "region: us-west-2", w);
        check_aws_keys(f, w);
    } else if (rt_streq(f->type, "gcp")) {
        wanted(p, "provider", gcp, "region: us-west1, availability_zone: us-west1-a, project_id: as `gcloud config get project` says", w);
        if (project && launcher_kind(project) == L_NULL)
            launcher_problem(w, project, "as `gcloud config get project` says", "provider.project_id is empty");
    } else if (rt_streq(f->type, "azure")) {
        wanted(p, "provider", azure, "location: westus2, resource_group: NAME", w);
        check_azure_keys(f, w);
    } else if (rt_streq(f->type, "external")) {
        wanted(p, "provider", external, "module: package.module.ClassOfTheNodeProvider", w);
        wanted(f->doc.root, "", external_top, "Ray has no defaults for an external provider: [] or {} when there is nothing to say", w);
    } else if (rt_streq(f->type, "kuberay")) {
        launcher_warning(w, at(p, "type"),
                         "provider.type kuberay: Ray's operator uses it, `ray up` makes nothing; raytui has a provider kuberay");
    }
    const struct rt_ynode *google = rt_ynode_get(p, "gcp_credentials"), *kind = rt_ynode_get(google, "type");
    if (google && google->kind == RT_Y_MAP &&
        !(kind && (rt_streq(kind->text, "credentials_token") || rt_streq(kind->text, "service_account"))))
        launcher_problem(w, kind ? kind : google, NULL, "provider.gcp_credentials.type: credentials_token or service_account is expected");
}

static void check_auth(const struct rt_launcher_file *f, struct lwords *w) {
    static const char *const by_ssh[] = {"local", "aws", "gcp", "azure", "aliyun", "vsphere", NULL};
    const struct rt_ynode *auth = get(f, "auth");
    if (among(f->type, by_ssh) && !*f->auth.user && !rt_ynode_get(auth, "ssh_user"))
        launcher_problem(w, auth ? auth : f->doc.root, "ssh_user: the user of the machines, as ubuntu or ec2-user",
                         "auth.ssh_user is missing");
}

static void check_docker(const struct rt_launcher_file *f, struct lwords *w) {
    const struct rt_launcher_docker *d = &f->docker;
    const bool image = (d->image && *d->image) || (d->head_image && *d->head_image && d->worker_image && *d->worker_image);
    const bool container = d->container && *d->container;
    if (image != container)
        launcher_problem(w, get(f, "docker"), container ? "image: rayproject/ray:latest" : "container_name: ray_container",
                         "docker: an image and a container_name are wanted together");
}

/* Where a number of a type stands. */
static const struct rt_ynode *type_node(const struct rt_launcher_file *f, const char *type, const char *key) {
    const struct rt_ynode *map = rt_streq(f->type, "local") ? f->doc.root : rt_ynode_get(get(f, "available_node_types"), type);
    return at(map, key);
}

static void check_limits(const struct rt_launcher_file *f, const struct rt_launcher_type *t, struct lwords *w) {
    const struct rt_ynode *min = type_node(f, t->name, "min_workers");
    if (t->min < 0 || t->max < 0)
        launcher_warning(w, type_node(f, t->name, t->min < 0 ? "min_workers" : "max_workers"), "%s: a number of workers is less than 0",
                         t->name);
    if (t->min <= t->max)
        return;
    if (t->min_given && t->max_given)
        launcher_problem(w, min, "min_workers must not be above max_workers", "%s: min_workers %lld is above max_workers %lld", t->name,
                         (long long)t->min, (long long)t->max);
    else
        launcher_warning(w, min, "%s: min_workers %lld, but max_workers is %lld where it is not said", t->name, (long long)t->min,
                         (long long)t->max);
}

static void unknown_head(const struct rt_launcher_file *f, struct lwords *w) {
    const struct rt_ynode *types = get(f, "available_node_types"), *head = get(f, "head_node_type"), *where = types ? types : f->doc.root;
    const char *names[64];
    char hint[300] = "";
    size_t n = 0;
    for (; n < f->ntypes && n + 1 < RT_COUNT(names); n++)
        names[n] = f->types[n].name;
    names[n] = NULL;
    const char *near = rt_nearest(f->head_type, names);
    if (near)
        snprintf(hint, sizeof hint, "did you mean \"%.100s\"?", near);
    else
        snprintf(hint, sizeof hint, "head_node_type: one of available_node_types");
    launcher_problem(w, head ? head : where, hint, "head_node_type%s %s: no such node type", head ? "" : " is missing, and Ray's own is",
                     f->head_type);
}

static void check_types(const struct rt_launcher_file *f, struct lwords *w) {
    int64_t sum = 0;
    if (f->ntypes && !rt_launcher_type(f, f->head_type))
        unknown_head(f, w);
    for (size_t i = 0; i < f->ntypes; i++) {
        check_limits(f, &f->types[i], w);
        if (f->types[i].min > 0 && sum <= INT64_MAX - f->types[i].min)
            sum += f->types[i].min;
    }
    if (sum > f->max_workers)
        launcher_problem(w, at(f->doc.root, "max_workers"), "raise max_workers, or lower a min_workers",
                         "The specified global max_workers (%lld) is smaller than the sum of min_workers (%lld)", (long long)f->max_workers,
                         (long long)sum);
}

static void check_start(const struct rt_launcher_file *f, struct lwords *w) {
    const struct rt_ynode *commands = get(f, "head_start_ray_commands");
    bool start = false, config = false, newer = false;
    if (!commands || commands->kind != RT_Y_SEQ || (rt_streq(f->type, "external") && !commands->n))
        return;
    for (size_t i = 0; i < commands->n; i++) {
        const char *line = commands->items[i]->text;
        start = start || (line && strstr(line, "ray start"));
        config = config || (line && strstr(line, "ray start") && strstr(line, "autoscaling-config"));
        newer = newer || (line && strstr(line, "RAY_enable_autoscaler_v2=1"));
    }
    if (newer && rt_streq(f->type, "local"))
        launcher_warning(w, commands, "head_start_ray_commands: RAY_enable_autoscaler_v2=1, but that autoscaler starts no worker of provider `local`");
    if (!start)
        launcher_warning(w, commands, "head_start_ray_commands: no `ray start` in it, Ray will not be started");
    else if (!config)
        launcher_warning(w, commands,
                         "head_start_ray_commands: without --autoscaling-config=~/ray_bootstrap_config.yaml no worker will be started");
}

void launcher_rules(const struct rt_launcher_file *f, struct lwords *w) {
    check_provider(f, w);
    check_auth(f, w);
    check_docker(f, w);
    check_types(f, w);
    check_start(f, w);
}

/* ---- files of this machine ---- */

/* What ssh would say: the rule is its own (others must not read the key, unless it is somebody else's file). */
static void check_private_key(const struct rt_ynode *n, const char *path, struct lwords *w) {
    struct stat st;
    char head[16] = "";
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0) {
        launcher_problem(w, n, errno == ENOENT ? "the path of a key that is there; `~` is allowed" : "", "auth.ssh_private_key: %s: %s",
                         path, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        launcher_problem(w, n, NULL, "auth.ssh_private_key: %s is no file", path);
    } else {
        const ssize_t got = read(fd, head, sizeof head - 1);
        head[got > 0 ? got : 0] = '\0';
        if (rt_starts(head, "ssh-") || rt_starts(head, "ecdsa-") || rt_starts(head, "sk-"))
            launcher_problem(w, n, "the file without .pub", "auth.ssh_private_key: %s is a public key", path);
        if (st.st_uid == getuid() && (st.st_mode & 077))
            launcher_problem(w, n, "chmod 600", "auth.ssh_private_key: %s: others may read it (mode %04o), ssh does not take it", path,
                             (unsigned)st.st_mode & 07777);
    }
    if (fd >= 0)
        close(fd);
}

void launcher_disk(const struct rt_launcher_file *f, struct lwords *w) {
    const struct rt_ynode *auth = get(f, "auth");
    const char *public_key = launcher_text(auth, "ssh_public_key");
    if (f->auth.key)
        check_private_key(rt_ynode_get(auth, "ssh_private_key"), f->auth.key, w);
    char *path = public_key ? launcher_path(f, public_key) : NULL;
    if (path && access(path, R_OK) < 0)
        launcher_problem(w, rt_ynode_get(auth, "ssh_public_key"), NULL, "auth.ssh_public_key: %s: %s", path, strerror(errno));
    free(path);
}

bool rt_launcher_ready(const struct rt_launcher_file *f, struct rt_error *err) {
    const struct rt_ynode *mounts = get(f, "file_mounts");
    bool ok = true;
    for (size_t i = 0; ok && mounts && mounts->kind == RT_Y_MAP && i < mounts->n; i++) {
        const struct rt_ynode *n = mounts->items[i];
        char *path = launcher_kind(n) == L_STR ? launcher_path(f, n->text) : NULL, shown[300];
        ok = !path || access(path, R_OK) == 0;
        if (!ok) {
            rt_ynode_error(n, err, "file_mounts: %s: %s", rt_clean_to(shown, sizeof shown, path), strerror(errno));
            rt_error_hint(err, "the side of this machine stands on the right: REMOTE: LOCAL");
        }
        free(path);
    }
    return ok;
}
