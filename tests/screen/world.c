/* The world that screens show. */
#include "world.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char world_prod[] = "clusters:\n  prod: {provider: address, url: \"http://127.0.0.1:%s\"}\n";

void world_make(struct world *w, const char *const *args) {
    char *argv[32] = {rt_strdup(RT_PYTHON), rt_strdup(RT_SIMULATOR), rt_strdup("--port"), rt_strdup("0"), rt_strdup("--now-ms"), rt_strdup(WORLD_NOW)};
    int out[2];
    *w = (struct world){0};
    snprintf(w->dir, sizeof w->dir, "/tmp/raytui-screen-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    for (size_t i = 6; args && *args && i + 1 < RT_COUNT(argv); i++)
        argv[i] = rt_strdup(*args++);
    assert_int_equal(pipe(out), 0);
    w->dashboard = fork();
    if (w->dashboard == 0) {
        (void)dup2(out[1], STDOUT_FILENO);
        (void)close(out[0]);
        (void)close(out[1]);
        execv(argv[0], argv);
        _exit(127);
    }
    (void)close(out[1]);
    for (size_t n = 0; n + 1 < sizeof w->port; n++)
        if (read(out[0], &w->port[n], 1) != 1 || w->port[n] == '\n') {
            w->port[n] = '\0';
            break;
        }
    (void)close(out[0]);
    for (size_t i = 0; argv[i]; i++)
        free(argv[i]);
    if (!w->port[0])
        fail_msg("the dashboard does not start");
}

void world_end(struct world *w) {
    struct rt_error err = {0};
    (void)kill(w->dashboard, SIGTERM);
    (void)waitpid(w->dashboard, NULL, 0);
    (void)rt_remove_tree(w->dir, &err);
}

int world_setup(void **state, struct world *w, const char *const *args) {
    world_make(w, args);
    *state = w;
    return 0;
}

int world_teardown(void **state) {
    world_end(*state);
    return 0;
}

void world_configure(struct world *w, const char *config) {
    struct rt_error err = {0};
    char *home = rt_strf("%s/home", w->dir), *path = rt_strf("%s/config/raytui/config.yaml", home);
    (void)rt_remove_tree(home, &err);
    assert_true(rt_mkdirs(home, &err));
    if (config) {
        struct rt_buf text;
        rt_buf_init(&text, 0);
        for (const char *s = config; *s; s++) {
            if (s[0] == '%' && s[1] == 's')
                rt_buf_adds(&text, w->port);
            else
                rt_buf_addc(&text, *s);
            s += s[0] == '%' && s[1] == 's';
        }
        assert_true(rt_file_write(path, rt_buf_str(&text), text.len, &err));
        rt_buf_deinit(&text);
    }
    free(home);
    free(path);
}

void world_start(struct world *w, struct rt_pty *t, int rows, int cols, const char *const *args, const char *const *env) {
    const char *argv[24] = {RT_PROGRAM}, *all[40];
    struct rt_strs own = {0};
    size_t n = 0;
    rt_strs_addf(&own, "HOME=%s/home", w->dir);
    rt_strs_addf(&own, "XDG_CONFIG_HOME=%s/home/config", w->dir);
    rt_strs_addf(&own, "XDG_STATE_HOME=%s/home/state", w->dir);
    rt_strs_addf(&own, "XDG_CACHE_HOME=%s/home/cache", w->dir);
    rt_strs_addf(&own, "XDG_RUNTIME_DIR=%s/home/run", w->dir);
    static const char *const fixed[] = {"RAYTUI_NOW_MS=" WORLD_NOW, "TZ=UTC0", "LC_ALL=C.UTF-8", "TERM=xterm-256color", "COLORTERM=", "NO_COLOR=",
                                        "RAY_ADDRESS=", "RAY_API_SERVER_ADDRESS=", "RAYTUI_CLUSTER=", "TMUX=", "DISPLAY=", "WAYLAND_DISPLAY="};
    for (size_t i = 0; i < RT_COUNT(fixed); i++)
        rt_strs_add(&own, fixed[i]);
    for (size_t i = 0; i < own.n; i++)
        all[n++] = own.v[i];
    for (; env && *env && n + 1 < RT_COUNT(all); env++)
        all[n++] = *env;
    all[n] = NULL;
    for (size_t i = 1; args && *args && i + 1 < RT_COUNT(argv); i++)
        argv[i] = *args++;
    char *run = rt_strf("%s/home/run", w->dir);
    struct rt_error err = {0};
    (void)rt_mkdirs(run, &err);
    free(run);
    rt_pty_start(t, rows, cols, argv, all);
    t->hide = w->port;
    rt_strs_deinit(&own);
}

void world_start_prod(struct world *w, struct rt_pty *t, int rows, int cols, const char *const *env, const char *nodes) {
    static const char *const args[] = {"prod", NULL};
    world_start(w, t, rows, cols, args, env);
    rt_pty_until(t, "RUNNING", 10000);
    rt_pty_until(t, nodes, 10000);
}

void world_leave(struct rt_pty *t, const char *keys) {
    rt_pty_type(t, keys);
    assert_int_equal(rt_pty_wait(t, 5000), 0);
    rt_pty_given_back(t);
    rt_pty_end(t);
}

void world_post(struct world *w, const char *route, const char *body) {
    char *line = rt_strf("http://127.0.0.1:%s%s", w->port, route);
    const pid_t pid = fork();
    if (pid == 0) {
        execlp("curl", "curl", "-s", "-o", "/dev/null", "-d", body, line, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    free(line);
}
