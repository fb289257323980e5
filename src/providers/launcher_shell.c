/* A shell, and a command, on the head over our own way, on workers through it with the key that `ray up` put there. Where Ray lives in
 * a container, or only Ray knows how ssh gets there, Ray's own program is run. */
#include "base/fs.h"
#include "base/shell.h"
#include "providers/launcher.h"
#include <stdlib.h>
#include <string.h>

static bool only_ray_knows(const struct rt_provider *p) {
    return p->file.docker.on || p->file.auth.proxy_node_id;
}

/* The environment goes by a file of ours alone, which is gone once it was read: a command line can be read by everybody. */
static bool ray_words(const struct rt_provider *p, const char *verb, struct rt_strs *argv, struct rt_error *err) {
    static const char around[] = ". \"$1\"; rm -f -- \"$1\"; cd -- \"$2\" && shift 2 && exec \"$@\"";
    struct rt_strs env = {0};
    struct rt_buf text;
    char *path = rt_path_join(p->dir, "env.sh"), *beside = launcher_beside(p);
    rt_buf_init(&text, RT_MIB);
    bool ok = launcher_environment(p, &env, err);
    for (size_t i = 0; i < env.n; i++) {
        const size_t name = strcspn(env.v[i], "=");
        rt_buf_addf(&text, "export %.*s=", (int)name, env.v[i]);
        rt_shell_word(&text, env.v[i] + name + (env.v[i][name] == '='));
        rt_buf_addc(&text, '\n');
    }
    ok = ok && rt_file_write(path, rt_buf_str(&text), text.len, err);
    const char *const words[] = {"sh", "-c", around, "raytui", path, beside};
    for (size_t i = 0; ok && i < RT_COUNT(words); i++)
        rt_strs_add(argv, words[i]);
    launcher_words(p, argv);
    rt_strs_add(argv, verb);
    rt_strs_add(argv, p->file.path);
    rt_buf_deinit(&text);
    rt_strs_deinit(&env);
    free(beside);
    free(path);
    return ok;
}

/* The address of a worker; *out NULL: the head is meant. */
static bool worker(const struct rt_provider *p, const char *node_id, const char **out, struct rt_error *err) {
    const struct rt_node *node = node_id ? rt_store_node(p->cluster, node_id) : NULL;
    *out = NULL;
    if (node_id && (!node || !node->ip))
        return rt_error_set(err, RT_E_NOT_FOUND, "no host is known for node %s", node_id);
    if (node && !node->head)
        *out = node->ip;
    return true;
}

/* What the head's shell runs to get there; `command` is what the worker's shell gets, NULL: a shell. That one asks about a host
 * key that the head does not know; a command takes a new one, as long as none is known. */
static char *onward(const struct rt_provider *p, const char *ip, const char *command) {
    char *login = rt_strf("%s@%s", p->file.auth.user, ip);
    const char *const words[] = {login, command, NULL};
    char *line = rt_shell_join(words);
    char *whole = rt_strf("exec ssh %s -i ~/ray_bootstrap_key.pem -- %s",
                          command ? "-o BatchMode=yes -o StrictHostKeyChecking=accept-new -o LogLevel=ERROR" : "-t", line);
    free(line);
    free(login);
    return whole;
}

bool launcher_shell(struct rt_provider *p, const char *node_id, struct rt_strs *argv, struct rt_error *err) {
    const char *ip;
    if (!worker(p, node_id, &ip, err))
        return false;
    if (!ip && only_ray_knows(p))
        return ray_words(p, "attach", argv, err);
    if (!launcher_head_aim(p, err))
        return false;
    rt_hop_argv(p->env.hop, argv);
    if (ip) {
        char *host = argv->v[--argv->n]; /* options stand before it */
        argv->v[argv->n] = NULL;
        rt_strs_add(argv, "-t");
        rt_strs_take(argv, host);
        rt_strs_take(argv, onward(p, ip, NULL));
    }
    return true;
}

bool launcher_exec(struct rt_provider *p, const char *node_id, const struct rt_strs *command, struct rt_strs *argv, struct rt_error *err) {
    const char *ip;
    if (!worker(p, node_id, &ip, err))
        return false;
    char *line = rt_shell_join((const char *const *)command->v);
    bool ok = true;
    if (!ip && only_ray_knows(p)) {
        ok = ray_words(p, "exec", argv, err);
        rt_strs_add(argv, line);
    } else if ((ok = launcher_head_aim(p, err))) {
        rt_hop_argv(p->env.hop, argv);
        rt_strs_take(argv, ip ? onward(p, ip, line) : rt_strdup(line));
    }
    free(line);
    return ok;
}
