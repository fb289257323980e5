/* The provider `launcher` over a YAML: its pools, what a change of a size would be, the file that is written, the words of `ray`. */
#include "unit/cmocka_all.h"
#include "base/fs.h"
#include "base/mem.h"
#include "providers/launcher.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

extern const struct rt_provider_ops rt_provider_launcher;

static const char cloud[] = "cluster_name: c\n"
                            "provider: {type: aws, region: us-west-2}\n"
                            "auth: {ssh_user: ubuntu}\n"
                            "max_workers: 5 # in all\n"
                            "idle_timeout_minutes: 10\n"
                            "head_node_type: head\n"
                            "available_node_types:\n"
                            "  head: {resources: {CPU: 2}, node_config: {}}\n"
                            "  cpu: # the usual one\n"
                            "    resources: {CPU: 4}\n"
                            "    node_config: {}\n"
                            "    min_workers: 1 # one is always there\n"
                            "    max_workers: 3\n"
                            "  gpu: {resources: {CPU: 8, GPU: 1}, node_config: {}, max_workers: 2}\n";
static const char local[] = "cluster_name: l\n"
                            "provider: {type: local, head_ip: 10.0.0.1, external_head_ip: 192.0.2.1, worker_ips: [10.0.0.2, 10.0.0.3]}\n"
                            "auth: {ssh_user: me}\n"
                            "min_workers: 1\n";

struct world {
    char dir[32];
    char *path;
    struct rt_loop *loop;
    struct rt_store *store;
    struct rt_operations *operations;
    struct launcher_config own;
    struct rt_cluster_conf conf;
    struct rt_cluster *cluster;
    struct rt_provider *p;
};

static void no_poke(void *ctx, const char *cluster, enum rt_topic t) {
    (void)ctx;
    (void)cluster;
    (void)t;
}
static const struct rt_ray_calls ray = {.poke = no_poke};

static void begin(struct world *w, const char *yaml) {
    struct rt_error err = {0};
    *w = (struct world){.dir = "/tmp/rt-launcher-XXXXXX"};
    assert_non_null(mkdtemp(w->dir));
    setenv("XDG_STATE_HOME", w->dir, 1);
    setenv("RAY_TMPDIR", w->dir, 1);
    w->path = rt_strf("%s/cluster.yaml", w->dir);
    assert_true(rt_file_write(w->path, yaml, strlen(yaml), &err));
    w->loop = rt_loop_create(&err);
    w->store = rt_store_create();
    w->operations = rt_operations_create(w->loop, w->store);
    w->conf = (struct rt_cluster_conf){.name = rt_strdup("t"), .source_file = w->path, .own = &w->own};
    w->cluster = rt_store_add(w->store, "t", "launcher");
    const struct rt_provider_env env = {.loop = w->loop, .store = w->store, .operations = w->operations, .ray = &ray};
    w->p = rt_provider_launcher.create(&env, &w->conf, w->cluster, &err);
    assert_non_null(w->p);
}

static void end(struct world *w) {
    struct rt_error err = {0};
    rt_provider_launcher.destroy(w->p);
    rt_operations_destroy(w->operations);
    rt_store_destroy(w->store);
    rt_loop_destroy(w->loop);
    rt_yaml_free(launcher_fields, &w->own);
    free(w->conf.name);
    free(w->path);
    assert_true(rt_remove_tree(w->dir, &err));
}

static const struct rt_pool *pool(const struct world *w, const char *name) {
    const struct rt_pool *p = rt_store_pool(w->cluster, name);
    assert_non_null(p);
    return p;
}

static void pools_are_the_node_types_of_the_file(void **state) {
    struct world w;
    (void)state;
    begin(&w, cloud);
    assert_int_equal(w.cluster->pools.n, 3);
    assert_true(pool(&w, "head")->head);
    assert_int_equal(pool(&w, "cpu")->min, 1);
    assert_int_equal(pool(&w, "cpu")->max, 3);
    assert_int_equal(pool(&w, "cpu")->desired, 1);
    assert_int_equal(pool(&w, "cpu")->ready, 0);
    assert_true(pool(&w, "gpu")->scalable);
    assert_int_equal((int)rt_amounts_get(&pool(&w, "gpu")->per_node, "GPU")->total, 1);
    end(&w);
}

/* Three nodes of a type and what the autoscaler said of it some seconds ago. */
static void says(struct world *w, int64_t ready, int64_t pending) {
    struct rt_pool said = {.name = "cpu", .ready = ready, .pending = pending};
    const rt_pools all = {.v = &said, .n = 1, .total = 1};
    launcher_told(w->p, &all);
}

static void have(struct world *w, size_t n) {
    rt_nodes b = {.arena = rt_arena_create(), .n = n + 1, .total = n + 1};
    b.v = rt_arena_alloc(b.arena, (n + 1) * sizeof(*b.v));
    for (size_t i = 0; i <= n; i++)
        b.v[i] = (struct rt_node){.id = rt_arena_strf(b.arena, "%zu", i), .alive = true, .head = i == 0, .pool = i ? "cpu" : "head"};
    w->p->up = true;
    rt_store_put_nodes(w->store, w->cluster, &b);
    launcher_join(w->p);
}

static void nodes_and_the_autoscaler_make_what_is_wanted(void **state) {
    struct world w;
    (void)state;
    begin(&w, cloud);
    have(&w, 1);
    assert_int_equal(pool(&w, "cpu")->ready, 1);
    says(&w, 1, 1);
    assert_int_equal(pool(&w, "cpu")->desired, 2);
    assert_int_equal(pool(&w, "cpu")->pending, 1);
    have(&w, 2); /* it came; the autoscaler has not said so yet */
    assert_int_equal(pool(&w, "cpu")->desired, 2);
    assert_int_equal(pool(&w, "cpu")->pending, 0);
    assert_non_null(strstr(pool(&w, "cpu")->why, "idle ones go after"));
    end(&w);
}

static void a_local_head_with_the_autoscaler_that_starts_no_worker_there_is_recognised(void **state) {
    struct world w;
    (void)state;
    begin(&w, local);
    have(&w, 0);
    assert_string_equal(pool(&w, RT_LAUNCHER_LOCAL_TYPE)->why, "the autoscaler has not started them yet");
    w.cluster->autoscaler_v2 = true;
    have(&w, 0);
    assert_non_null(strstr(pool(&w, RT_LAUNCHER_LOCAL_TYPE)->why, "(v2), which starts no worker of provider `local`: `raytui down t`"));
    have(&w, 1); /* min_workers: all are there */
    assert_null(pool(&w, RT_LAUNCHER_LOCAL_TYPE)->why);
    end(&w);
}

static struct rt_error impact_error(struct world *w, const char *name, int64_t n) {
    struct rt_scale_impact i = {.min = -1, .max = -1};
    struct rt_error err = {0};
    const bool ok = launcher_scale_impact(w->p, name, n, &i, &err);
    assert_int_equal(ok, !err.code);
    rt_scale_impact_deinit(&i);
    return err;
}

static void a_size_says_what_becomes_of_the_file(void **state) {
    struct world w;
    struct rt_scale_impact i = {.min = -1, .max = -1};
    struct rt_error err = {0};
    struct rt_buf diff;
    (void)state;
    begin(&w, cloud);
    assert_true(launcher_scale_impact(w.p, "cpu", 2, &i, &err));
    assert_int_equal(i.from, 1);
    assert_int_equal(i.to, 2);
    assert_true(i.autoscaled);
    assert_false(i.ends_work);
    assert_non_null(strstr(i.note, "min_workers 1 -> 2"));
    rt_scale_impact_deinit(&i);
    rt_buf_init(&diff, RT_MIB);
    assert_true(launcher_scale_diff(w.p, "cpu", 2, &diff));
    assert_non_null(strstr(rt_buf_str(&diff), "-    min_workers: 1 # one is always there\n+    min_workers: 2 # one is always there\n"));
    rt_buf_deinit(&diff);
    end(&w);
}

static void sizes_that_cannot_be_are_refused(void **state) {
    struct world w;
    (void)state;
    begin(&w, cloud);
    have(&w, 2);
    assert_int_equal(impact_error(&w, "cpu", 6).code, RT_E_LIMIT); /* 5 in all */
    assert_int_equal(impact_error(&w, "cpu", 4).code, RT_OK);      /* max of the type goes along */
    assert_int_equal(impact_error(&w, "cpu", 1).code, RT_E_LIMIT); /* it is min already */
    assert_int_equal(impact_error(&w, "cpu", 0).code, RT_OK);
    assert_int_equal(impact_error(&w, "head", 1).code, RT_E_NOT_FOUND);
    assert_int_equal(impact_error(&w, "tpu", 1).code, RT_E_NOT_FOUND);
    end(&w);
    begin(&w, local);
    assert_int_equal(impact_error(&w, RT_LAUNCHER_LOCAL_TYPE, 2).code, RT_OK);
    assert_non_null(strstr(impact_error(&w, RT_LAUNCHER_LOCAL_TYPE, 3).message, "worker_ips names 2 hosts"));
    end(&w);
}

static void nothing_is_scaled_that_is_not_up_or_that_ray_would_restart(void **state) {
    struct world w;
    struct rt_error err = {0};
    (void)state;
    begin(&w, local);
    assert_null(launcher_scale(w.p, RT_LAUNCHER_LOCAL_TYPE, 2, &err));
    assert_non_null(strstr(err.message, "is not up"));
    w.p->up = true;
    assert_null(launcher_scale(w.p, RT_LAUNCHER_LOCAL_TYPE, 2, &err));
    assert_non_null(strstr(err.message, "no record of it"));
    end(&w);
}

static void the_file_keeps_its_mode_and_is_not_written_over_somebody_s_change(void **state) {
    struct world w;
    struct rt_error err = {0};
    struct stat st;
    (void)state;
    begin(&w, cloud);
    assert_int_equal(chmod(w.path, 0640), 0);
    assert_true(launcher_file_write(w.p, cloud, "a: 1\n", &err));
    assert_int_equal(stat(w.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_false(launcher_file_write(w.p, cloud, "b: 2\n", &err));
    assert_int_equal(err.code, RT_E_CONFLICT);
    end(&w);
}

static bool has_name(const struct rt_strs *env, const char *start) {
    for (size_t i = 0; i < env->n; i++)
        if (rt_starts(env->v[i], start))
            return true;
    return false;
}

static void ray_gets_its_state_and_what_is_configured(void **state) {
    struct world w;
    struct rt_error err = {0};
    struct rt_strs env = {0}, words = {0};
    (void)state;
    begin(&w, local);
    char *file = rt_strf("%s/env", w.dir);
    assert_true(rt_file_write(file, "A=from the file\nB=2\n", 20, &err));
    w.own.env_file = file;
    rt_strs_add(&w.own.env, "A=from here");
    w.own.ray_command = rt_strdup("uv run 'ray'");
    assert_true(launcher_environment(w.p, &env, &err));
    assert_true(has_name(&env, "A=from the file") && has_name(&env, "B=2") && has_name(&env, "A=from here"));
    assert_true(has_name(&env, "RAY_UP_enable_autoscaler_v2=0"));
    char *own = rt_strf("RAY_TMPDIR=%s/raytui/clusters/t/launcher", w.dir);
    assert_true(rt_strs_has(&env, own));
    launcher_words(w.p, &words);
    assert_int_equal(words.n, 3);
    assert_string_equal(words.v[2], "ray");
    rt_strs_deinit(&env);
    /* A cluster of the person's own `ray up` is recorded where Ray keeps it. */
    char *record = rt_strf("%s/ray/cluster-l.state", w.dir);
    static const char text[] = "{\"10.0.0.1\": {\"tags\": {}, \"state\": \"running\"}}";
    assert_true(rt_file_write(record, text, strlen(text), &err));
    assert_true(launcher_environment(w.p, &env, &err));
    assert_false(has_name(&env, "RAY_TMPDIR="));
    assert_true(launcher_recorded(w.p, &err));
    rt_strs_deinit(&env);
    rt_strs_deinit(&words);
    free(record);
    free(own);
    end(&w);
}

static void last_problem(void *ctx, const struct rt_error *err) {
    *(struct rt_error *)ctx = *err;
}

static void what_would_end_it_by_itself_is_refused_where_it_stands(void **state) {
    static const char text[] = "provider: launcher\nephemeral: false\nidle_timeout: 10m\n";
    struct world w;
    struct rt_ydoc doc;
    struct rt_error err = {0}, said = {0};
    (void)state;
    begin(&w, cloud);
    assert_true(rt_yaml_parse("config.yaml", text, strlen(text), &doc, &err));
    w.conf.node = doc.root;
    w.conf.idle_timeout_ms = 600000;
    assert_false(launcher_check(&w.conf, last_problem, &said));
    assert_true(rt_starts(said.message, "config.yaml:3:15: idle_timeout: take it out"));
    assert_non_null(strstr(said.message, "idle_timeout_minutes"));
    assert_non_null(strstr(said.message, "`raytui down t`"));
    w.conf.idle_timeout_ms = 0;
    assert_true(launcher_check(&w.conf, last_problem, &said));
    rt_yaml_deinit(&doc);
    end(&w);
}

static void what_is_left_on_hosts_is_told(void **state) {
    struct rt_error err = {0};
    (void)state;
    assert_true(launcher_far_swept("left 0 the head\nleft 0 10.0.0.2\nswept\n", &err));
    assert_int_equal(err.code, RT_OK);
    assert_false(launcher_far_swept("left 0 the head\nleft 2 10.0.0.2\nunreached 10.0.0.3\nswept\n", &err));
    assert_int_equal(err.code, RT_E_PARTIAL);
    assert_non_null(strstr(err.message, "2 10.0.0.2"));
    assert_false(launcher_far_swept("left 0 the head\nunreached 10.0.0.3\nswept\n", &err));
    assert_non_null(strstr(err.message, "10.0.0.3"));
    assert_false(launcher_far_swept("left 0 the head\n", &err)); /* cut off */
    assert_int_equal(err.code, RT_OK);
}

static void the_plan_names_the_environment_and_never_its_values(void **state) {
    struct world w;
    struct rt_error err = {0};
    struct rt_buf plan;
    const struct rt_up_opts o = {0};
    (void)state;
    begin(&w, cloud);
    rt_strs_add(&w.own.env, "AWS_SECRET_ACCESS_KEY=hush");
    rt_buf_init(&plan, RT_MIB);
    assert_true(launcher_plan(w.p, "up", &o, &plan, &err));
    assert_non_null(strstr(rt_buf_str(&plan), "ray up -y "));
    assert_non_null(strstr(rt_buf_str(&plan), "AWS_SECRET_ACCESS_KEY"));
    assert_null(strstr(rt_buf_str(&plan), "hush"));
    assert_non_null(strstr(rt_buf_str(&plan), "cpu  1 to 3"));
    assert_null(strstr(rt_buf_str(&plan), "not restarted"));
    w.p->up = true;
    assert_true(launcher_plan(w.p, "up", &o, &plan, &err));
    assert_non_null(strstr(rt_buf_str(&plan), "ray up -y --no-restart "));
    assert_non_null(strstr(rt_buf_str(&plan), "replaces the\nhead"));
    rt_buf_deinit(&plan);
    end(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools_are_the_node_types_of_the_file),
        cmocka_unit_test(nodes_and_the_autoscaler_make_what_is_wanted),
        cmocka_unit_test(a_local_head_with_the_autoscaler_that_starts_no_worker_there_is_recognised),
        cmocka_unit_test(a_size_says_what_becomes_of_the_file),
        cmocka_unit_test(sizes_that_cannot_be_are_refused),
        cmocka_unit_test(nothing_is_scaled_that_is_not_up_or_that_ray_would_restart),
        cmocka_unit_test(the_file_keeps_its_mode_and_is_not_written_over_somebody_s_change),
        cmocka_unit_test(ray_gets_its_state_and_what_is_configured),
        cmocka_unit_test(what_would_end_it_by_itself_is_refused_where_it_stands),
        cmocka_unit_test(what_is_left_on_hosts_is_told),
        cmocka_unit_test(the_plan_names_the_environment_and_never_its_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
