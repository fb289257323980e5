/* Where the head is, the way there, and whether Ray's dashboard answers. */
#include "base/fs.h"
#include "base/log.h"
#include "net/proc.h"
#include "providers/headway.h"
#include "providers/launcher.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ASK_MS = 120 * 1000, PROBE_MS = 8000, ANSWER_MAX = 256 * 1024, CACHE_MAX = 4 * 1024 * 1024 };

/* ---- the way ---- */

/* Where the YAML names no key, Ray made or found one: its own copy of the YAML (TMPDIR/ray-config-HASH) says which. */
static char *key_of_cache(const struct rt_provider *p) {
    DIR *dir = opendir(p->dir);
    char *newest = NULL, *key = NULL;
    time_t at = 0;
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        struct stat st;
        char *path = rt_starts(e->d_name, "ray-config-") ? rt_path_join(p->dir, e->d_name) : NULL;
        if (path && stat(path, &st) == 0 && (!newest || st.st_mtime >= at)) {
            free(newest);
            newest = path;
            at = st.st_mtime;
        } else {
            free(path);
        }
    }
    if (dir)
        closedir(dir);
    struct rt_buf text;
    struct rt_error ignored = {0};
    rt_buf_init(&text, CACHE_MAX);
    json_t *v = newest && rt_file_read(newest, text.max, &text, &ignored) ? rt_json_parse(rt_buf_str(&text), text.len, &ignored) : NULL;
    const char *found = v ? rt_json_str(v, "config.auth.ssh_private_key") : NULL;
    if (found)
        key = rt_path_expand(found);
    json_decref(v);
    rt_buf_deinit(&text);
    free(newest);
    return key;
}

static bool aim(struct rt_provider *p, const char *address, struct rt_error *err) {
    const struct rt_launcher_auth *auth = &p->file.auth;
    char *made = auth->key ? NULL : key_of_cache(p), *path = NULL;
    const struct rt_headway way = {
        .host = address,
        .user = auth->user,
        .key = auth->key ? auth->key : made,
        .proxy_command = auth->proxy_command,
        .jump = p->conf->hop && rt_starts(p->conf->hop, "ssh://") ? p->conf->hop + 6 : p->conf->hop,
        .include = p->conf->ssh_config,
        .own_keys = !launcher_is_local(p), /* a cloud's addresses come again on other machines */
    };
    const bool ok = rt_headway_write(p->conf->name, &way, &path, err);
    if (ok)
        rt_hop_aim(p->env.hop, address, path);
    free(made);
    free(path);
    return ok;
}

/* NULL: none any more. */
static void launcher_head_set(struct rt_provider *p, const char *address) {
    struct rt_error err = {0};
    char *copy = rt_strdup(address);
    if (!rt_streq(p->head, address)) {
        p->up = p->probed = false;
        rt_op_drop(&p->probe);
    }
    free(p->head);
    p->head = copy;
    p->aimed = false;
    if (!copy && p->env.hop)
        rt_hop_aim(p->env.hop, NULL, NULL);
    else if (!launcher_head_aim(p, &err))
        p->ask_error = err;
}

bool launcher_head_aim(struct rt_provider *p, struct rt_error *err) {
    if (!p->head || !p->env.hop) {
        rt_error_set(err, RT_E_UNREACHABLE, "%s: the address of its head is not known", p->conf->name);
        return rt_error_hint(err, "`raytui up %s` brings it up", p->conf->name);
    }
    if (!p->aimed)
        p->aimed = aim(p, p->head, err);
    return p->aimed;
}

static char *cache_path(const struct rt_provider *p) {
    return rt_path_join(p->dir, "head");
}

void launcher_head_begin(struct rt_provider *p) {
    struct rt_buf text;
    struct rt_error ignored = {0};
    const char *said = rt_launcher_head(&p->file);
    if (said) {
        free(p->head);
        p->head = rt_strdup(said);
        p->asked = true;
        return;
    }
    char *path = cache_path(p);
    rt_buf_init(&text, 1024);
    if (rt_file_read(path, text.max, &text, &ignored) && text.len && strcspn(rt_buf_str(&text), " \t\r\n") == text.len) {
        free(p->head);
        p->head = rt_buf_take(&text);
    }
    rt_buf_deinit(&text);
    free(path);
}

/* ---- asking Ray ---- */

/* The last line that is one word: the provider's own noise may stand before it. */
static char *address_in(const char *out) {
    char *found = NULL;
    while (*out) {
        const size_t n = strcspn(out, "\r\n");
        char *line = rt_strndup(out, n);
        if (n && n < 256 && strcspn(line, " \t") == n && strcspn(line, "/\"'\\") == n) {
            free(found);
            found = line;
        } else {
            free(line);
        }
        out += n + strspn(out + n, "\r\n");
    }
    return found;
}

static void no_head(struct rt_provider *p, const struct rt_run_result *r) {
    struct launcher_say say;
    launcher_say_init(&say);
    launcher_say_feed(&say, r->out, r->out_len, NULL, NULL);
    launcher_say_end(&say, NULL, NULL);
    launcher_say_feed(&say, r->err_text, r->err_len, NULL, NULL);
    launcher_say_end(&say, NULL, NULL);
    if (r->exit.timed_out)
        rt_error_set(&p->ask_error, RT_E_TIMEOUT, "`ray get-head-ip` did not answer");
    else
        launcher_say_error(&say, "ray get-head-ip", &p->ask_error);
    if (strstr(p->ask_error.message, "not found!")) { /* "Head node of cluster (NAME) not found!" */
        p->ask_error = (struct rt_error){0};
        launcher_head_set(p, NULL);
    }
    launcher_say_deinit(&say);
}

static void answered(void *ctx, const struct rt_run_result *r, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    struct rt_error ignored = {0};
    char *address = r && r->exit.status == 0 ? address_in(r->out) : NULL;
    p->asking = NULL;
    p->asked = true;
    p->ask_error = err ? *err : (struct rt_error){0};
    if (address) {
        char *path = cache_path(p);
        rt_file_write(path, address, strlen(address), &ignored);
        free(path);
        launcher_head_set(p, address);
    } else if (!err) {
        no_head(p, r);
    }
    free(address);
    launcher_tasks_look(p);
    launcher_show(p);
    p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_CLUSTER);
}

void launcher_head_ask(struct rt_provider *p) {
    struct rt_strs argv = {0}, env = {0};
    struct rt_error err = {0};
    if (p->asking || rt_launcher_head(&p->file))
        return;
    p->asked_ms = rt_loop_now_ms(p->env.loop);
    launcher_words(p, &argv);
    rt_strs_add(&argv, "get-head-ip");
    rt_strs_add(&argv, p->file.path);
    if (rt_mkdirs(p->dir, &err) && launcher_environment(p, &env, &err)) {
        char *beside = launcher_beside(p);
        const struct rt_proc_opts o = {.argv = (const char *const *)argv.v, .env = (const char *const *)env.v, .cwd = beside,
                                       .timeout_ms = ASK_MS};
        p->asking = rt_run(p->env.loop, &o, ANSWER_MAX, answered, p);
        free(beside);
    } else {
        p->ask_error = err;
        p->asked = true;
    }
    rt_strs_deinit(&argv);
    rt_strs_deinit(&env);
}

void launcher_head_forget(struct rt_provider *p) {
    p->up = p->probed = false;
    if (rt_launcher_head(&p->file))
        return; /* the machine stays */
    char *path = cache_path(p);
    unlink(path);
    free(path);
    launcher_head_set(p, NULL);
    rt_headway_forget(p->conf->name);
}

/* ---- its dashboard ---- */

static void probed(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    const bool was = p->up, first = !p->probed;
    p->probe = NULL;
    /* 401 and 403: it wants a token, so it is there. */
    const bool there = !err && a && (a->status == 401 || a->status == 403 || (a->status == 200 && strstr(a->body, "ray_version")));
    const bool hop_up = p->env.hop && rt_hop_status(p->env.hop)->state == RT_HOP_UP;
    if (there || hop_up) {
        p->probed = true;
        p->told_ms = rt_wall_ms();
        p->up = there;
    }
    launcher_tasks_look(p);
    launcher_show(p);
    if (first || was != p->up)
        p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_CLUSTER);
}

void launcher_probe(struct rt_provider *p) {
    char url[128];
    if (p->probe || !p->env.hop || !p->aimed || rt_hop_status(p->env.hop)->state != RT_HOP_UP)
        return;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/api/version", p->file.dashboard_port);
    const struct rt_http_request r = {.url = url, .timeout_ms = PROBE_MS, .dialer = rt_hop_dialer(p->env.hop), .pool = p->conf->name};
    const struct rt_http_callbacks cb = {.done = probed, .ctx = p};
    p->probe = rt_http_send(p->env.http, &r, &cb);
}

void launcher_head_end(struct rt_provider *p) {
    rt_op_drop(&p->asking);
    rt_op_drop(&p->probe);
    free(p->head);
}
