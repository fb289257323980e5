/* Every provider keeps this, whatever it is: it can be made and destroyed at any time without contacting anything,
 * refuses what it cannot do with a reason a person can use, writes nothing before `up`, and gives back what it took. */
#include "cmocka_all.h"
#include "app/action.h"
#include "app/session.h"
#include "base/fs.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct world {
    char home[32];
    struct rt_app *app;
    const struct rt_provider_ops *ops;
    struct rt_cluster *cluster;
    struct rt_cluster_conf *conf;
    struct rt_provider *provider;
};

static void ignore_run(void *ctx, const char *cluster, enum rt_topic t) {
    (void)ctx;
    (void)cluster;
    (void)t;
}
static const struct rt_ray_calls no_ray = {.poke = ignore_run};

static void set_dir(const char *name, const char *home, const char *sub) {
    char *value = rt_strf("%s/%s", home, sub);
    setenv(name, value, 1);
    free(value);
}

/* What a provider cannot do without. */
static const char *needed_fields(const char *provider) {
    return rt_streq(provider, "address") ? ", url: 'http://127.0.0.1:9'"
           : rt_streq(provider, "ssh")   ? ", head: 'nobody@127.0.0.1:9', workers: ['127.0.0.1:9']"
           : rt_streq(provider, "auto")  ? ", login: 'nobody@127.0.0.1:9'"
           : rt_streq(provider, "yellowdog") ? ", api_url: 'http://127.0.0.1:9', key_id: k, key_secret: s, namespace: n, head: {template: n/t}"
           : rt_streq(provider, "slurm") || rt_streq(provider, "pbs") ? ", login: 'nobody@127.0.0.1:9', pools: {cpu: {nodes: 2}}"
                                         : "";
}

static const char launcher_yaml[] = "cluster_name: probe\nprovider: {type: local, head_ip: 127.0.0.1, worker_ips: [127.0.0.2]}\n"
                                    "auth: {ssh_user: nobody}\n";

/* A cluster of this provider with as little as it can do with, and nothing behind it that answers. */
static void world_make(struct world *w, const struct rt_provider_ops *ops) {
    struct rt_error err = {0};
    *w = (struct world){.home = "/tmp/rt-contract-XXXXXX", .ops = ops};
    assert_non_null(mkdtemp(w->home));
    set_dir("XDG_CONFIG_HOME", w->home, "config");
    set_dir("XDG_STATE_HOME", w->home, "state");
    set_dir("XDG_CACHE_HOME", w->home, "cache");
    set_dir("KUBECONFIG", w->home, "no-kubeconfig");
    const struct rt_app_opts o = {0};
    w->app = rt_app_create(&o, &err);
    assert_non_null(w->app);
    char *yaml = rt_strf("%s/cluster.yaml", w->home), *file = rt_strf(", file: %s", yaml);
    assert_true(rt_file_write(yaml, launcher_yaml, strlen(launcher_yaml), &err));
    char *text = rt_strf("{provider: %s%s%s}", ops->name, needed_fields(ops->name), rt_streq(ops->name, "launcher") ? file : "");
    free(yaml);
    free(file);
    w->conf = rt_config_add(w->app->config, "probe", text, rt_providers, &err);
    free(text);
    if (!w->conf)
        fail_msg("%s: %s", ops->name, err.message);
    w->cluster = rt_store_add(w->app->store, "probe", ops->name);
    const struct rt_provider_env env = {.loop = w->app->loop, .store = w->app->store, .operations = w->app->operations,
                                        .http = w->app->p->http, .kubes = w->app->p->kubes, .ray = &no_ray,
                                        .config = w->app->config};
    w->provider = ops->create(&env, w->conf, w->cluster, &err);
    assert_non_null(w->provider);
}

static void world_end(struct world *w) {
    struct rt_error err = {0};
    if (w->provider)
        w->ops->destroy(w->provider);
    rt_app_destroy(w->app);
    assert_true(rt_remove_tree(w->home, &err));
}

static void each(void (*fn)(struct world *w)) {
    for (size_t i = 0; rt_providers[i]; i++) {
        struct world w;
        world_make(&w, rt_providers[i]);
        fn(&w);
        world_end(&w);
    }
}

static void powers(struct world *w) {
    const struct rt_provider_ops *o = w->ops;
    assert_non_null(o->name);
    assert_true(strlen(o->summary) > 10);
    assert_non_null(o->create);
    assert_non_null(o->destroy);
    assert_non_null(o->endpoint);
    assert_int_equal(!!(o->caps & RT_CAP_UP), o->up != NULL);
    assert_int_equal(!!(o->caps & RT_CAP_DOWN), o->down != NULL);
    assert_int_equal(!!(o->caps & RT_CAP_SCALE), o->scale != NULL && o->scale_impact != NULL);
    assert_int_equal(!!(o->caps & RT_CAP_REMOVE_NODE), o->remove_node != NULL);
    assert_int_equal(!!(o->caps & RT_CAP_ADD_POOL), o->add_pool != NULL);
    assert_int_equal(!!(o->caps & RT_CAP_REMOVE_POOL), o->remove_pool != NULL);
    assert_int_equal(!!(o->caps & RT_CAP_SUSPEND), o->suspend != NULL);
    assert_int_equal(!!(o->caps & RT_CAP_SHELL), o->shell != NULL);
    assert_int_equal(!!(o->caps & RT_CAP_DISCOVER), o->discover != NULL);
}

static void says_what_it_can_do_and_has_a_function_for_each(void **state) {
    (void)state;
    each(powers);
}

/* A key that a block has as another name of one of its own: the same without the block. */
static bool spelled_elsewhere(const struct rt_yfield *table, const char *key) {
    for (const struct rt_yfield *f = table; f && f->key; f++)
        for (const struct rt_yfield *g = f->sub; g && g->key; g++)
            for (size_t i = 0; i < RT_COUNT(g->alias); i++)
                if (rt_streq(g->alias[i], key))
                    return true;
    return false;
}

static void fields(struct world *w) {
    for (const struct rt_yfield *f = w->ops->config; f && f->key; f++) {
        assert_true(f->help || spelled_elsewhere(w->ops->config, f->key));
        for (const struct rt_yfield *g = f + 1; g->key; g++)
            assert_string_not_equal(f->key, g->key);
        for (const struct rt_yfield *g = rt_cluster_fields; g->key; g++)
            assert_string_not_equal(f->key, g->key);
    }
}

static void has_fields_with_help_and_no_name_twice(void **state) {
    (void)state;
    each(fields);
}

static void quiet(struct world *w) {
    char *dir = rt_cluster_path("probe", NULL);
    assert_false(rt_file_exists(dir) && rt_journal_lives("probe"));
    free(dir);
    for (int i = 0; i < 20; i++) {
        if (w->ops->refresh)
            w->ops->refresh(w->provider);
        rt_loop_turn(w->app->loop, false);
    }
    assert_int_equal(rt_operations_count(w->app->operations), 0);
    assert_false(rt_journal_lives("probe"));
}

static void makes_nothing_before_it_is_asked(void **state) {
    (void)state;
    each(quiet);
}

static void refusals(struct world *w) {
    struct rt_error err = {0};
    struct rt_scale_impact impact = {0};
    if (w->ops->scale_impact) {
        assert_false(w->ops->scale_impact(w->provider, "no-such-pool", 3, &impact, &err));
        assert_true(err.code != RT_OK && strlen(err.message) > 5);
        rt_scale_impact_deinit(&impact);
        err = (struct rt_error){0};
        assert_null(w->ops->scale(w->provider, "no-such-pool", 3, &err));
        assert_true(err.code != RT_OK);
    }
    if (w->ops->remove_node) {
        err = (struct rt_error){0};
        assert_null(w->ops->remove_node(w->provider, "no-such-node", &err));
        assert_true(err.code != RT_OK && strlen(err.message) > 5);
    }
    assert_int_equal(rt_operations_running(w->app->operations), 0);
    assert_false(rt_journal_lives("probe"));
}

static void refuses_unknown_pools_and_nodes_with_a_reason(void **state) {
    (void)state;
    each(refusals);
}

static void endpoint(struct world *w) {
    struct rt_endpoint at = {0};
    struct rt_error err = {0};
    if (!w->ops->endpoint(w->provider, RT_EP_DASHBOARD, &at, &err)) {
        assert_true(err.code != RT_OK && err.hint[0]);
        return;
    }
    assert_true(at.port > 0 && at.port < 65536);
    assert_true(strncmp(at.url, "http", 4) == 0);
    assert_true(w->ops->endpoint(w->provider, RT_EP_CLIENT, &at, &err));
}

static void tells_where_the_dashboard_is_or_why_not(void **state) {
    (void)state;
    each(endpoint);
}

/* Turns of the loop before the operation is cancelled, or the provider destroyed, while `up` runs. */
static const int moments[] = {0, 1, 2, 5, 20};

static void run_turns(struct world *w, int turns) {
    for (int i = 0; i < turns; i++) {
        rt_loop_turn(w->app->loop, false);
        usleep(2000);
    }
}

static void cancelled(struct world *w) {
    if (!w->ops->up)
        return;
    for (size_t k = 0; k < RT_COUNT(moments); k++) {
        struct rt_error err = {0};
        const struct rt_up_opts o = {0};
        struct rt_operation *op = w->ops->up(w->provider, &o, &err);
        if (!op)
            fail_msg("%s: %s", w->ops->name, err.message);
        run_turns(w, moments[k]);
        rt_operation_cancel(op);
        for (int i = 0; i < 5000 && op->state == RT_OPS_RUNNING; i++)
            run_turns(w, 1);
        assert_true(op->state == RT_OPS_CANCELLED || op->state == RT_OPS_FAILED);
        assert_false(rt_journal_lives("probe"));
    }
}

static void up_can_be_cancelled_at_any_step_and_leaves_nothing(void **state) {
    (void)state;
    setenv("PATH", "/nonexistent", 1); /* no Ray and no Python: the environment cannot be made either */
    each(cancelled);
}

static void torn_down(struct world *w) {
    if (!w->ops->up)
        return;
    struct rt_error err = {0};
    const struct rt_up_opts o = {0};
    assert_non_null(w->ops->up(w->provider, &o, &err));
    run_turns(w, 1);
    w->ops->destroy(w->provider);
    w->provider = NULL;
    run_turns(w, 3);
}

static void it_can_be_destroyed_while_up_runs(void **state) {
    (void)state;
    each(torn_down);
}

static void down_twice(struct world *w) {
    if (!w->ops->down)
        return;
    for (int k = 0; k < 2; k++) {
        struct rt_error err = {0};
        struct rt_operation *op = w->ops->down(w->provider, &err);
        assert_non_null(op);
        for (int i = 0; i < 5000 && op->state == RT_OPS_RUNNING; i++)
            run_turns(w, 1);
        /* Who must ask elsewhere whether it is up (an API server) may say that nobody answered. */
        const bool no_answer = op->error.code == RT_E_UNREACHABLE || op->error.code == RT_E_CONFIG || op->error.code == RT_E_NOT_FOUND;
        if (op->state != RT_OPS_DONE && !no_answer)
            fail_msg("%s: %s", w->ops->name, op->error.message);
    }
}

static void down_of_what_is_not_up_is_done_at_once(void **state) {
    (void)state;
    each(down_twice);
}

static void plan(struct world *w) {
    if (!w->ops->plan)
        return;
    struct rt_buf text;
    struct rt_error err = {0};
    const struct rt_up_opts o = {.dry_run = true};
    rt_buf_init(&text, RT_MIB);
    assert_true(w->ops->plan(w->provider, "up", &o, &text, &err));
    assert_true(text.len > 20);
    assert_false(rt_journal_lives("probe"));
    rt_buf_deinit(&text);
}

static void the_plan_says_what_would_run_and_runs_nothing(void **state) {
    (void)state;
    each(plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_it_can_do_and_has_a_function_for_each),
        cmocka_unit_test(has_fields_with_help_and_no_name_twice),
        cmocka_unit_test(makes_nothing_before_it_is_asked),
        cmocka_unit_test(refuses_unknown_pools_and_nodes_with_a_reason),
        cmocka_unit_test(tells_where_the_dashboard_is_or_why_not),
        cmocka_unit_test(the_plan_says_what_would_run_and_runs_nothing),
        cmocka_unit_test(down_of_what_is_not_up_is_done_at_once),
        cmocka_unit_test(up_can_be_cancelled_at_any_step_and_leaves_nothing),
        cmocka_unit_test(it_can_be_destroyed_while_up_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
