/* A dashboard's autoscaler asked for nodes: by a script of one line. */
#include "core/provider.h"
#include "unit/core/home.h"

extern const struct rt_provider_ops rt_provider_address;

static struct {
    char *line;
    int cancelled;
} asked;

static void cancelled(struct rt_op *op) {
    asked.cancelled++;
    free(op);
}

static struct rt_op *run_script(void *ctx, const char *cluster, const char *entrypoint,
                                void (*done)(void *fn_ctx, const char *log, const struct rt_error *err), void *fn_ctx) {
    struct rt_op *op = RT_NEW(struct rt_op);
    (void)ctx;
    (void)cluster;
    (void)done;
    (void)fn_ctx;
    asked.line = rt_strdup(entrypoint);
    op->cancel = cancelled;
    return op;
}
static const struct rt_ray_calls ray = {.run_script = run_script};

/* What a shell hands to `python -c`; gives it. */
static char *python_gets(const char *line) {
    char *command = rt_strf("python() { printf %%s \"$2\"; }; %s", line), text[2000];
    FILE *f = popen(command, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    assert_int_equal(pclose(f), 0);
    free(command);
    return rt_strdup(text);
}

static void a_request_quotes_what_nodes_have_and_ends_with_its_cluster(void **state) {
    struct rt_error err = {0};
    struct rt_cluster_conf conf = {.name = rt_strdup("lab")};
    struct rt_loop *loop = rt_loop_create(&err);
    struct rt_store *store = rt_store_create();
    struct rt_operations *operations = rt_operations_create(loop, store);
    struct rt_cluster *cluster = rt_store_add(store, "lab", "address");
    const struct rt_provider_env env = {.loop = loop, .store = store, .operations = operations, .ray = &ray};
    struct rt_provider *p = rt_provider_address.create(&env, &conf, cluster, &err);
    rt_pools pools = {.arena = rt_arena_create(), .n = 1, .total = 1};
    struct rt_amount *one = rt_arena_alloc(pools.arena, sizeof *one);
    (void)state;
    *one = (struct rt_amount){"it's \"mine\"", -1, 4};
    pools.v = rt_arena_alloc(pools.arena, sizeof *pools.v);
    pools.v[0] = (struct rt_pool){.name = "cpu", .min = -1, .max = -1, .desired = 1, .ready = 1, .per_node = {one, 1}};
    rt_store_put_pools(store, cluster, &pools);
    cluster->autoscaler = true;
    struct rt_operation *op = rt_provider_address.scale(p, "cpu", 2, &err);
    assert_non_null(op);
    char *source = python_gets(asked.line);
    assert_non_null(strstr(source, "json.loads(\"[{\\\"it's \\\\\\\"mine\\\\\\\"\\\":4.0},"));
    free(source);
    rt_provider_address.destroy(p);
    assert_int_equal(asked.cancelled, 1);
    assert_int_equal(op->state, RT_OPS_CANCELLED);
    assert_int_equal(rt_operations_running(operations), 0);
    rt_operations_destroy(operations);
    rt_store_destroy(store);
    rt_loop_destroy(loop);
    free(asked.line);
    free(conf.name);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_quotes_what_nodes_have_and_ends_with_its_cluster, home_make, home_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
