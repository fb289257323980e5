/* A command and files on a cluster's machines: what the person's terminal runs for it. */
#include "app/session.h"
#include "base/fs.h"
#include "base/shell.h"
#include <stdlib.h>
#include <string.h>

/* ---- a command ---- */

/* A shell there, with a command in its place. */
static void instead(struct rt_strs *argv, const struct rt_strs *command) {
    struct rt_strs words = {0};
    if (rt_streq(argv->v[0], "ssh")) {
        rt_strs_take(argv, rt_shell_join((const char *const *)command->v));
        return;
    }
    for (size_t i = 0; i < argv->n && rt_strs_has(argv, "--"); i++) { /* `kubectl exec -it POD -- SHELL` */
        rt_strs_add(&words, rt_streq(argv->v[i], "-it") ? "-i" : argv->v[i]);
        if (rt_streq(argv->v[i], "--"))
            break;
    }
    rt_strs_copy(&words, command);
    rt_strs_deinit(argv);
    *argv = words;
}

bool rt_app_exec(struct rt_app *a, const char *cluster, const char *node, const struct rt_strs *command, struct rt_strs *argv,
                 struct rt_error *err) {
    struct session *s = session_get(a, cluster, err);
    if (s && s->conf->ops->exec) {
        const struct rt_node *n = node ? rt_find_node(s->cluster, node, err) : NULL;
        return (!node || n) && s->conf->ops->exec(s->provider, n ? n->id : NULL, command, argv, err);
    }
    if (!s || !rt_app_shell(a, cluster, node, argv, err))
        return false;
    instead(argv, command);
    return true;
}

/* ---- files: through tar, whatever the way there is ---- */

/* A pipe whose first part fails fails: descriptor 3 takes the statuses, 4 is stdout. */
#define BOTH_ENDS(first, second) \
    "exec 4>&1\n" \
    "failed=$({ { " first " 3>&- 4>&- || echo $? >&3; } | " second " 3>&- >&4 4>&- || echo $? >&3; } 3>&1)\n" \
    "exit ${failed%%[!0-9]*}\n"
/* $1 what, without a slash at its end, $2 where to; then the command that unpacks there. */
static const char sender[] = "[ -e \"$1\" ] || { echo \"raytui: $1 is not there\" >&2; exit 1; }\n"
                             "cd -- \"$(dirname -- \"$1\")\" || exit\n"
                             "name=$(basename -- \"$1\"); shift 2\n"
                             BOTH_ENDS("tar -cf - -- \"$name\"", "\"$@\"");
/* $1 what, $2 where to; then the command that packs there. */
static const char receiver[] = "to=$2 name=$(basename -- \"$1\"); shift 2\n"
                               BOTH_ENDS("\"$@\"", "sh -c \"$UNPACK\" raytui \"$to\" \"$name\"");
/* $1 where to, $2 the name inside. Beside its place first: what is there is replaced by a whole file, or gets it inside. */
static const char unpack[] = "case $1 in */) mkdir -p -- \"$1\" ;; esac\n"
                             "to=$1; [ -d \"$to\" ] && to=${to%/}/$2\n"
                             "dir=$(dirname -- \"$to\"); tmp=$(mktemp -d \"$dir/.raytui-XXXXXX\") || exit\n"
                             "trap 'rm -rf -- \"$tmp\"' EXIT\n"
                             "tar -xof - -C \"$tmp\" && [ -e \"$tmp/$2\" ] || exit 1\n"
                             "if [ -d \"$to\" ]; then cp -R -- \"$tmp/$2/.\" \"$to\"; else mv -- \"$tmp/$2\" \"$to\"; fi\n";
static const char pack[] = "cd -- \"$(dirname -- \"$1\")\" && tar -cf - -- \"$(basename -- \"$1\")\"";

/* "CLUSTER[/NODE]:PATH"; false: a path of this machine. */
static bool far_path(const struct rt_app *a, const char *text, char **cluster, char **node, const char **path) {
    const char *colon = strchr(text, ':'), *slash = strchr(text, '/');
    const size_t name = colon ? RT_MIN((size_t)(colon - text), slash ? (size_t)(slash - text) : (size_t)(colon - text)) : 0;
    *cluster = *node = NULL;
    if (!name)
        return false;
    *cluster = rt_strndup(text, name);
    if (!rt_store_cluster(a->store, *cluster)) {
        free(*cluster);
        *cluster = NULL;
        return false;
    }
    if (text[name] == '/')
        *node = rt_strndup(text + name + 1, (size_t)(colon - text) - name - 1);
    *path = rt_starts(colon + 1, "~/") ? colon + 3 : colon[1] ? colon + 1 : ".";
    return true;
}

const char *rt_app_copy_cluster(struct rt_app *a, const char *from, const char *to, bool *node) {
    const char *texts[] = {from, to}, *found = NULL, *path;
    for (size_t i = 0; i < 2 && !found; i++) {
        char *cluster, *at;
        if (far_path(a, texts[i], &cluster, &at, &path))
            found = rt_store_cluster(a->store, cluster)->name;
        *node = at != NULL;
        free(cluster);
        free(at);
    }
    return found;
}

/* "$UNPACK" stands for the text itself. */
static char *local_script(bool up) {
    struct rt_buf b;
    rt_buf_init(&b, 64 * RT_KIB);
    rt_buf_adds(&b, "UNPACK=");
    rt_shell_word(&b, unpack);
    rt_buf_addf(&b, "\n%s", up ? sender : receiver);
    return rt_buf_take(&b);
}

bool rt_app_copy(struct rt_app *a, const char *from, const char *to, struct rt_strs *argv, struct rt_error *err) {
    char *cluster[2], *node[2];
    const char *path[2] = {from, to};
    const bool far[2] = {far_path(a, from, &cluster[0], &node[0], &path[0]), far_path(a, to, &cluster[1], &node[1], &path[1])};
    const bool up = far[1];
    bool ok = far[0] != far[1];
    if (!ok) {
        rt_error_set(err, RT_E_USAGE, far[0] ? "from cluster to cluster nothing is copied" : "neither %s nor %s is on a cluster", from, to);
        rt_error_hint(err, "CLUSTER[/NODE]:PATH is a file there: `raytui cp out.txt lab:`");
    }
    struct rt_strs command = {0}, there = {0};
    const char *const words[] = {"sh", "-c", up ? unpack : pack, "raytui", up ? path[1] : path[0]};
    for (size_t i = 0; i < RT_COUNT(words); i++)
        rt_strs_add(&command, words[i]);
    char *real = up ? realpath(from, NULL) : NULL; /* of "." too the name */
    if (real) {
        path[0] = real;
        rt_strs_add(&command, strrchr(real, '/') + 1);
    } else if (up && ok) {
        ok = rt_error_set(err, RT_E_NOT_FOUND, "%s is not there", from);
    }
    ok = ok && rt_app_exec(a, cluster[up], node[up], &command, &there, err);
    if (ok) {
        rt_strs_add(argv, "sh");
        rt_strs_add(argv, "-c");
        rt_strs_take(argv, local_script(up));
        rt_strs_add(argv, "raytui");
        rt_strs_add(argv, path[0]);
        rt_strs_add(argv, path[1]);
        rt_strs_copy(argv, &there);
    }
    rt_strs_deinit(&command);
    rt_strs_deinit(&there);
    free(real);
    for (size_t i = 0; i < 2; i++) {
        free(cluster[i]);
        free(node[i]);
    }
    return ok;
}
