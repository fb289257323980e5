/* src/ray against a real head (see run.sh). */
#include "ray/follow.h"
#include "ray/package.h"
#include "ray/private.h"
#include "support/tcpcut.h"
#include "unit/ray/tree.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

static struct rt_loop *loop;
static struct rt_http *http;
static struct rt_ray *ray; /* straight to the dashboard and the nodes */
static char *token;
static struct tree work;

static bool old_ray(void) {
    return rt_starts(getenv("RTB_VERSION"), "2.9.");
}

/* ---- answers ---- */

struct answer {
    bool done;
    struct rt_error err;
    struct rt_ray_version version;
    rt_nodes nodes;
    rt_jobs jobs;
    rt_actors actors;
    struct rt_ray_status status;
    struct rt_strs names;
    int64_t idle;
    char id[128], stages[200];
};
static struct answer a;

static void end(const struct rt_error *err) {
    a.done = true;
    a.err = err ? *err : (struct rt_error){0};
}

static void got_done(void *ctx, const struct rt_error *err) {
    (void)ctx;
    end(err);
}

static void got_version(void *ctx, const struct rt_ray_version *v, const struct rt_error *err) {
    (void)ctx;
    a.version = *v;
    end(err);
}

static void got_nodes(void *ctx, rt_nodes *b, const struct rt_error *err) {
    (void)ctx;
    rt_batch_deinit(&a.nodes);
    a.nodes = *b;
    memset(b, 0, sizeof(*b));
    end(err);
}

static void got_jobs(void *ctx, rt_jobs *b, const struct rt_error *err) {
    (void)ctx;
    rt_batch_deinit(&a.jobs);
    a.jobs = *b;
    memset(b, 0, sizeof(*b));
    end(err);
}

static void got_actors(void *ctx, rt_actors *b, const struct rt_error *err) {
    (void)ctx;
    rt_batch_deinit(&a.actors);
    a.actors = *b;
    memset(b, 0, sizeof(*b));
    end(err);
}

static void got_status(void *ctx, struct rt_ray_status *s, const struct rt_error *err) {
    (void)ctx;
    rt_ray_status_deinit(&a.status);
    a.status = *s;
    memset(s, 0, sizeof(*s));
    end(err);
}

static void got_names(void *ctx, const struct rt_strs *names, const struct rt_error *err) {
    (void)ctx;
    rt_strs_deinit(&a.names);
    rt_strs_copy(&a.names, names);
    end(err);
}

static void got_idle(void *ctx, int64_t since, const struct rt_error *err) {
    (void)ctx;
    a.idle = since;
    end(err);
}

static void got_id(void *ctx, const char *id, const struct rt_error *err) {
    (void)ctx;
    snprintf(a.id, sizeof(a.id), "%s", id ? id : "");
    end(err);
}

static void got_stage(void *ctx, const struct rt_submit_progress *p) {
    (void)ctx;
    const size_t n = strlen(a.stages);
    if (!rt_ends(a.stages, p->stage))
        snprintf(a.stages + n, sizeof(a.stages) - n, " %s", p->stage);
}

static void turn_until(const bool *done, int64_t ms) {
    const int64_t until = rt_mono_ms() + ms;
    while (!*done && rt_mono_ms() < until)
        rt_loop_turn(loop, true);
    assert_true(*done);
}

static void wait_answer(void) {
    turn_until(&a.done, 60000);
    a.done = false;
}

static void assert_ok(void) {
    wait_answer();
    if (a.err.code != RT_OK)
        fail_msg("%s (%s)", a.err.message, a.err.hint);
}

static struct rt_ray *client(const char *url, const struct rt_dialer *nodes, bool direct) {
    const struct rt_ray_opts o = {.loop = loop,
                                  .http = http,
                                  .name = "real",
                                  .url = url,
                                  .node_dialer = nodes,
                                  .node_direct = direct};
    struct rt_ray *r = rt_ray_create(&o);
    rt_ray_set_token(r, token);
    return r;
}

/* ---- the cluster ---- */

static void the_cluster_is_seen(void **state) {
    (void)state;
    rt_ray_version(ray, got_version, NULL);
    assert_ok();
    assert_string_equal(a.version.ray_version, getenv("RTB_VERSION"));
    assert_int_equal(a.version.token_auth, token != NULL);
    assert_int_equal(a.version.session_name[0] != '\0', !old_ray());
    rt_ray_health(ray, got_done, NULL);
    assert_ok();
    rt_ray_nodes(ray, got_nodes, NULL);
    assert_ok();
    assert_int_equal(a.nodes.n, 1);
    const struct rt_node *n = &a.nodes.v[0];
    assert_true(n->alive && n->head);
    assert_string_equal(n->pool, "head");
    assert_true(rt_amounts_get(&n->amounts, "CPU")->total == 2);
    rt_ray_idle(ray, got_idle, NULL);
    assert_ok();
    rt_ray_actors(ray, got_actors, NULL);
    assert_ok();
    rt_ray_status(ray, got_status, NULL);
    assert_ok();
    assert_false(a.status.autoscaler);
}

/* A head that has just begun measures nothing yet; later everything is known. */
static void physical_numbers_come(void **state) {
    (void)state;
    const int64_t until = rt_mono_ms() + 60000;
    bool known = false;
    while (!known && rt_mono_ms() < until) {
        rt_ray_nodes(ray, got_nodes, NULL);
        assert_ok();
        const struct rt_node *n = &a.nodes.v[0];
        known = n->cpu_percent >= 0 && n->mem_used_bytes > 0 &&
                rt_amounts_get(&n->amounts, "CPU")->used >= 0;
        usleep(known ? 0 : 500000);
    }
    assert_true(known);
}

/* A head that has just begun does not know its own node yet. */
static void a_node_has_log_files(void **state) {
    (void)state;
    for (int i = 0; i < 50; i++) {
        rt_ray_log_list(ray, a.nodes.v[0].id, NULL, got_names, NULL);
        wait_answer();
        if (a.err.code == RT_OK)
            break;
        usleep(200000);
    }
    assert_true(rt_strs_has(&a.names, "raylet.out"));
}

static void without_the_token_nothing_is_told(void **state) {
    (void)state;
    if (!token)
        skip();
    struct rt_ray *r = rt_ray_create(&(struct rt_ray_opts){
        .loop = loop, .http = http, .name = "other", .url = getenv("RTB_DASHBOARD")});
    rt_ray_nodes(r, got_nodes, NULL);
    wait_answer();
    assert_int_equal(a.err.code, RT_E_DENIED);
    rt_ray_set_token(r, "wrong");
    rt_ray_version(r, got_version, NULL);
    wait_answer();
    assert_int_equal(a.err.code, RT_E_DENIED);
    rt_ray_destroy(r);
}

/* ---- packages ---- */

static char *rays_name(const char *dir, const char *excludes) {
    static const char code[] =
        "import logging; logging.disable(50)\n"
        "import sys, inspect\n"
        "from ray._private.runtime_env.packaging import get_uri_for_directory as g\n"
        "k = {'include_gitignore': True} if 'include_gitignore' in inspect.signature(g).parameters "
        "else {}\n"
        "print(g(sys.argv[1], excludes=sys.argv[2].split(), **k))\n";
    int out[2];
    assert_int_equal(pipe(out), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(out[1], 1);
        execl(getenv("RTB_PYTHON"), getenv("RTB_PYTHON"), "-c", code, dir, excludes, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    char *text = rt_alloc(200);
    size_t have = 0;
    for (ssize_t n; have < 199 && (n = read(out[0], text + have, 199 - have)) > 0;)
        have += (size_t)n;
    close(out[0]);
    waitpid(pid, NULL, 0);
    text[strcspn(text, "\n")] = '\0';
    return text;
}

static void packages_have_rays_own_names(void **state) {
    (void)state;
    if (old_ray()) /* it read .gitignore and nothing else, and hashed with MD5 */
        skip();
    struct tree t;
    tree_open(&t);
    tree_put(&t, "main.py", "print('x')\n");
    tree_put(&t, "a/deep/er/file.txt", "text");
    tree_put(&t, "a/x.log", "left out");
    tree_put(&t, "a/keep.log", "kept");
    tree_put(&t, "build/out.o", "left out");
    tree_put(&t, "data.bin", "excluded");
    tree_put(&t, "n\xc3\xb6n-ascii/\xe6\x97\xa5.txt", "x");
    tree_put(&t, ".gitignore", "*.log\n!keep.log\nbuild/\n");
    tree_put(&t, "a/.rayignore", "deep/er\n");
    tree_put(&t, ".pytest_cache/.gitignore", "*\n");
    tree_put(&t, ".pytest_cache/v", "x");
    tree_dir(&t, "empty");
    tree_link(&t, "main.py", "link.py");
    tree_link(&t, "a", "linked");
    tree_link(&t, "nowhere", "broken");
    struct rt_strs excludes = {0};
    rt_strs_add(&excludes, "*.bin");
    for (int with = 0; with < 2; with++) {
        struct rt_package p;
        struct rt_error err = {0};
        assert_true(rt_package_make(
            &(struct rt_package_opts){.dir = t.top, .excludes = with ? &excludes : NULL}, &p,
            &err));
        char *name = rays_name(t.top, with ? "*.bin" : "");
        assert_string_equal(p.uri, name);
        free(name);
        rt_package_deinit(&p);
    }
    rt_strs_deinit(&excludes);
    tree_close(&t);
}

/* ---- jobs ---- */

static void submit(struct rt_submit *s) {
    const struct rt_submit_callbacks cb = {got_stage, got_id, NULL};
    a.stages[0] = '\0';
    rt_ray_submit(ray, s, &cb);
    wait_answer();
}

static int64_t uploads(void) {
    const struct rt_route_stats *v;
    const size_t n = rt_ray_stats(ray, &v);
    int64_t puts = 0;
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].route, "/api/packages/gcs/{name}") == 0)
            puts = v[i].requests;
    return puts;
}

struct seen {
    struct rt_buf data;
    bool over;
    int lost, live;
    struct rt_error err;
    int status;
    char how[200];
};

static void got_data(void *ctx, const char *data, size_t n) {
    struct seen *s = ctx;
    rt_buf_add(&s->data, data, n);
}

static void got_event(void *ctx, enum rt_follow_event e, const char *text,
                      const struct rt_job *job) {
    struct seen *s = ctx;
    s->lost += e == RT_FOLLOW_LOST;
    s->live += e == RT_FOLLOW_LIVE;
    if (e == RT_FOLLOW_LIVE)
        snprintf(s->how, sizeof(s->how), "%s", text);
    if (e == RT_FOLLOW_ENDED) {
        s->over = true;
        s->status = job ? job->status : 0;
    }
}

static void got_failure(void *ctx, const struct rt_error *err) {
    struct seen *s = ctx;
    s->over = true;
    s->err = *err;
}

static char *log_on_disk(const char *id, size_t *n) {
    char *path = rt_strf("%s/session_latest/logs/job-driver-%s.log", getenv("RTB_TEMP_DIR"), id);
    struct rt_buf b;
    struct rt_error err = {0};
    rt_buf_init(&b, 0);
    if (!rt_file_read(path, 256 * RT_MIB, &b, &err))
        fail_msg("%s", err.message);
    free(path);
    *n = b.len;
    return rt_buf_take(&b);
}

static void follow_to_the_end(struct rt_ray *r, const char *id, struct seen *s) {
    const struct rt_follow_opts o = {
        .job = id, .tail_bytes = -1, .follow = true, .until_job_ends = true};
    const struct rt_follow_callbacks cb = {got_data, got_event, got_failure, s};
    *s = (struct seen){0};
    rt_buf_init(&s->data, 256 * RT_MIB);
    struct rt_follow *f = rt_follow_start(r, &o, &cb);
    turn_until(&s->over, 180000);
    rt_follow_destroy(f);
    if (s->err.code != RT_OK)
        fail_msg("%s", s->err.message);
}

static void assert_as_on_disk(const struct seen *s, const char *id) {
    size_t n;
    char *disk = log_on_disk(id, &n);
    assert_int_equal(s->data.len, n);
    assert_memory_equal(s->data.data, disk, n);
    free(disk);
}

static void a_job_runs_with_all_that_was_given(void **state) {
    (void)state;
    struct rt_submit s;
    struct seen log;
    rt_submit_init(&s);
    char *module = tree_path(&work, "module/extra");
    s.entrypoint = "python main.py 'two words' \"$HOME_OF\"";
    s.working_dir = work.top;
    s.runtime_env = "{\"env_vars\":{\"FROM_FILE\":\"f\"},\"excludes\":[\"module\",\"*.bin\"]}";
    s.num_cpus = 1;
    rt_strs_add(&s.env_vars, "HOME_OF=mine");
    rt_strs_add(&s.py_modules, module);
    rt_strs_add(&s.metadata, "k=v");
    submit(&s);
    if (a.err.code != RT_OK)
        fail_msg("%s", a.err.message);
    assert_string_equal(a.stages, " packing uploading packing uploading submitting");
    char id[128];
    memcpy(id, a.id, sizeof(id));
    follow_to_the_end(ray, id, &log);
    assert_int_equal(log.status, RT_JOB_SUCCEEDED);
    assert_as_on_disk(&log, id);
    const char *text = rt_buf_str(&log.data);
    assert_non_null(strstr(text, "args ['two words', 'mine']"));
    assert_non_null(strstr(text, "files ['.gitignore', 'main.py', 'run.sh', 'sub']"));
    assert_non_null(strstr(text, "module 42"));
    assert_non_null(strstr(text, "env f"));
    if (!old_ray()) /* it does not restore modes */
        assert_non_null(strstr(text, "mode 755"));
    rt_buf_deinit(&log.data);
    rt_ray_job(ray, id, got_jobs, NULL);
    assert_ok();
    assert_string_equal(rt_kvs_get(&a.jobs.v[0].metadata, "k"), "v");
    assert_string_equal(rt_kvs_get(&a.jobs.v[0].metadata, "job_name"), "python main.py");
    assert_non_null(rt_kvs_get(&a.jobs.v[0].metadata, "submitted_by"));

    const int64_t before = uploads();
    submit(&s); /* the same again: nothing is uploaded */
    assert_int_equal(a.err.code, RT_OK);
    assert_string_equal(a.stages, " submitting");
    assert_int_equal(uploads(), before + 2);
    memcpy(id, a.id, sizeof(id));
    follow_to_the_end(ray, id, &log);
    assert_int_equal(log.status, RT_JOB_SUCCEEDED);
    rt_buf_deinit(&log.data);
    rt_submit_deinit(&s);
    free(module);
}

static void a_job_is_stopped_and_deleted(void **state) {
    (void)state;
    struct rt_submit s;
    struct seen log;
    rt_submit_init(&s);
    s.entrypoint = "echo up; sleep 600";
    s.submission_id = "stop.me_1";
    submit(&s);
    assert_int_equal(a.err.code, RT_OK);
    submit(&s);
    assert_int_equal(a.err.code, RT_E_CONFLICT);
    bool running = false;
    while (!running) {
        rt_ray_job(ray, "stop.me_1", got_jobs, NULL);
        assert_ok();
        running = a.jobs.v[0].status == RT_JOB_RUNNING;
        assert_false(rt_job_ended((enum rt_job_status)a.jobs.v[0].status));
        usleep(100000);
    }
    rt_ray_delete_job(ray, "stop.me_1", got_done, NULL);
    wait_answer();
    assert_int_equal(a.err.code, RT_E_REMOTE);
    assert_non_null(strstr(a.err.hint, "stop it first"));
    rt_ray_stop_job(ray, "stop.me_1", got_done, NULL);
    assert_ok();
    follow_to_the_end(ray, "stop.me_1", &log);
    assert_int_equal(log.status, RT_JOB_STOPPED);
    assert_as_on_disk(&log, "stop.me_1");
    rt_buf_deinit(&log.data);
    rt_ray_delete_job(ray, "stop.me_1", got_done, NULL);
    assert_ok();
    rt_ray_job(ray, "stop.me_1", got_jobs, NULL);
    wait_answer();
    assert_int_equal(a.err.code, RT_E_NOT_FOUND);
    rt_ray_stop_job(ray, "stop.me_1", got_done, NULL);
    wait_answer();
    assert_int_equal(a.err.code, RT_E_NOT_FOUND);
}

static void a_job_that_fails_says_why(void **state) {
    (void)state;
    struct rt_submit s;
    struct seen log;
    rt_submit_init(&s);
    s.entrypoint = "echo before; exit 3";
    submit(&s);
    assert_int_equal(a.err.code, RT_OK);
    follow_to_the_end(ray, a.id, &log);
    assert_int_equal(log.status, RT_JOB_FAILED);
    assert_non_null(strstr(rt_buf_str(&log.data), "before"));
    rt_buf_deinit(&log.data);
    rt_ray_jobs(ray, got_jobs, NULL);
    assert_ok();
    assert_true(a.jobs.n >= 3);
    assert_int_equal(a.jobs.v[0].status, RT_JOB_FAILED); /* the newest first */
    assert_int_equal(a.jobs.v[0].driver_exit_code, 3);
}

/* ---- logs over a line that breaks ---- */

static struct tcpcut *node_cut;

static int dial_node(void *ctx, const char *host, int port, struct rt_error *err) {
    (void)ctx;
    (void)host;
    assert_int_equal(port, (int)strtol(getenv("RTB_AGENT_PORT"), NULL, 10));
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)tcpcut_port(node_cut)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
        close(fd);
        rt_error_set(err, RT_E_UNREACHABLE, "proxy");
        return -1;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static bool dial_error(void *ctx, struct rt_error *err) {
    (void)ctx;
    (void)err;
    return false;
}

static void start_talker(const char *entrypoint, char *id) {
    struct rt_submit s;
    rt_submit_init(&s);
    s.entrypoint = entrypoint;
    s.working_dir = work.top;
    submit(&s);
    if (a.err.code != RT_OK)
        fail_msg("%s", a.err.message);
    memcpy(id, a.id, sizeof(a.id));
}

static void ranges_lose_nothing_over_a_line_that_breaks(void **state) {
    (void)state;
    char id[128];
    struct seen log;
    node_cut =
        tcpcut_start("127.0.0.2", (int)strtol(getenv("RTB_AGENT_PORT"), NULL, 10), 60000, 1500);
    const struct rt_dialer dialer = {.dial = dial_node, .error = dial_error};
    struct rt_ray *r = client(getenv("RTB_DASHBOARD"), &dialer, false);
    start_talker("python main.py --talk 40 bytes", id);
    follow_to_the_end(r, id, &log);
    assert_true(rt_starts(log.how, "byte ranges of "));
    assert_true(tcpcut_cuts(node_cut) > 3);
    assert_as_on_disk(&log, id);
    assert_true(log.data.len > 200000);
    rt_buf_deinit(&log.data);
    rt_ray_destroy(r);
    tcpcut_stop(node_cut);
}

static void the_dashboard_alone_loses_nothing_either(void **state) {
    (void)state;
    char id[128];
    struct seen log;
    struct rt_url u;
    struct rt_error err = {0};
    assert_true(rt_url_parse(getenv("RTB_DASHBOARD"), &u, &err));
    struct tcpcut *cut = tcpcut_start(u.host, u.port, 0, 2500);
    char *url = rt_strf("http://127.0.0.1:%d", tcpcut_port(cut));
    struct rt_ray *r = client(url, NULL, false);
    start_talker(old_ray() ? "python main.py --talk 40 text" : "python main.py --talk 40 bytes",
                 id);
    follow_to_the_end(r, id, &log);
    assert_string_equal(log.how, old_ray() ? "the whole text, asked for again and again"
                                           : "the dashboard's stream");
    assert_true(tcpcut_cuts(cut) > 1);
    assert_as_on_disk(&log, id);
    rt_buf_deinit(&log.data);
    rt_ray_destroy(r);
    rt_url_deinit(&u);
    tcpcut_stop(cut);
    free(url);
}

static void a_file_of_a_node_is_read(void **state) {
    (void)state;
    if (old_ray()) /* it does not tell the port, and here it is not the usual one */
        skip();
    struct seen s = {0};
    rt_ray_nodes(ray, got_nodes, NULL);
    assert_ok();
    const struct rt_follow_opts o = {
        .node_id = a.nodes.v[0].id, .filename = "raylet.out", .tail_bytes = -1};
    const struct rt_follow_callbacks cb = {got_data, got_event, got_failure, &s};
    rt_buf_init(&s.data, 0);
    struct rt_follow *f = rt_follow_start(ray, &o, &cb);
    turn_until(&s.over, 60000);
    rt_follow_destroy(f);
    if (s.err.code != RT_OK)
        fail_msg("%s", s.err.message);
    assert_true(s.data.len > 0);
    rt_buf_deinit(&s.data);
}

/* ---- */

static const char MAIN_PY[] =
    "import os, sys, time\n"
    "if '--talk' in sys.argv:\n"
    "    for i in range(int(sys.argv[2])):\n"
    "        for k in range(100):\n"
    "            sys.stdout.buffer.write(b'1 step %d %d ' % (i, k) + b'x' * 40)\n"
    "            sys.stdout.buffer.write(b' \\xff\\xfe\\r\\n' if sys.argv[3] == 'bytes' else "
    "b'\\n')\n"
    "        sys.stdout.flush()\n"
    "        time.sleep(0.25)\n"
    "    print('no newline at the end', end='')\n"
    "else:\n"
    "    import extra\n"
    "    print('args', sys.argv[1:])\n"
    "    print('files', sorted(os.listdir('.')))\n"
    "    print('module', extra.VALUE)\n"
    "    print('env', os.environ['FROM_FILE'])\n"
    "    print('mode %o' % (os.stat('run.sh').st_mode & 0o777))\n";

static int open_all(void **state) {
    (void)state;
    struct rt_error err = {0};
    loop = rt_loop_create(&err);
    http = rt_http_create(loop);
    const char *file = getenv("RTB_TOKEN_FILE");
    if (file && *file) {
        struct rt_buf b;
        rt_buf_init(&b, 0);
        assert_true(rt_file_read(file, 4096, &b, &err));
        token = rt_buf_take(&b);
    }
    ray = client(getenv("RTB_DASHBOARD"), NULL, true);
    tree_open(&work);
    tree_put(&work, "main.py", MAIN_PY);
    tree_put(&work, "run.sh", "#!/bin/sh\n");
    tree_mode(&work, "run.sh", 0755);
    tree_put(&work, "sub/keep.txt", "x");
    tree_put(&work, "ignored.tmp", "x");
    tree_put(&work, "big.bin", "x");
    tree_put(&work, ".gitignore", "*.tmp\n");
    tree_put(&work, "module/extra/__init__.py", "VALUE = 42\n");
    return 0;
}

static int close_all(void **state) {
    (void)state;
    rt_ray_destroy(ray);
    rt_http_destroy(http);
    rt_loop_destroy(loop);
    tree_close(&work);
    free(token);
    rt_batch_deinit(&a.nodes);
    rt_batch_deinit(&a.jobs);
    rt_batch_deinit(&a.actors);
    rt_ray_status_deinit(&a.status);
    rt_strs_deinit(&a.names);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cluster_is_seen),
        cmocka_unit_test(a_node_has_log_files),
        cmocka_unit_test(without_the_token_nothing_is_told),
        cmocka_unit_test(packages_have_rays_own_names),
        cmocka_unit_test(a_job_runs_with_all_that_was_given),
        cmocka_unit_test(a_job_is_stopped_and_deleted),
        cmocka_unit_test(a_job_that_fails_says_why),
        cmocka_unit_test(ranges_lose_nothing_over_a_line_that_breaks),
        cmocka_unit_test(the_dashboard_alone_loses_nothing_either),
        cmocka_unit_test(a_file_of_a_node_is_read),
        cmocka_unit_test(physical_numbers_come),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
