/* Nodes of this machine that another raytui changes meanwhile. */
#include "providers/local.h"
#include "unit/core/home.h"
#include <signal.h>
#include <sys/wait.h>

extern const struct rt_provider_ops rt_provider_local;

static void no_poke(void *ctx, const char *cluster, enum rt_topic t) {
    (void)ctx;
    (void)cluster;
    (void)t;
}
static const struct rt_ray_calls ray = {.poke = no_poke};

/* A process that stands for a node's. */
static pid_t stand_in(void) {
    const pid_t pid = fork();
    if (pid == 0) {
        setsid();
        execlp("sleep", "sleep", "600", (char *)NULL);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

static void a_node_that_another_raytui_ended_is_not_ended_again(void **state) {
    struct rt_error err = {0};
    const pid_t pid = stand_in();
    struct rt_journal *other = rt_journal_open("lab", &err);
    char *data = rt_strf("{\"pool\":\"cpu\",\"started\":\"%llu\"}", (unsigned long long)rt_process_started(pid)), *id = rt_strf("%lld", (long long)pid);
    (void)state;
    assert_non_null(other);
    assert_true(rt_journal_want(other, "op", "node", "cpu-1", data, &err) && rt_journal_made(other, "node", "cpu-1", id, data, &err));
    struct local_config own = {0};
    struct rt_cluster_conf conf = {.name = rt_strdup("lab"), .own = &own};
    struct rt_loop *loop = rt_loop_create(&err);
    struct rt_store *store = rt_store_create();
    struct rt_operations *operations = rt_operations_create(loop, store);
    struct rt_cluster *cluster = rt_store_add(store, "lab", "local");
    const struct rt_provider_env env = {.loop = loop, .store = store, .operations = operations, .ray = &ray};
    struct rt_provider *p = rt_provider_local.create(&env, &conf, cluster, &err);
    rt_nodes nodes = {.arena = rt_arena_create(), .n = 1, .total = 1};
    nodes.v = rt_arena_alloc(nodes.arena, sizeof *nodes.v);
    nodes.v[0] = (struct rt_node){.id = "n1", .name = "cpu-1", .alive = true, .state = "ALIVE"};
    rt_store_put_nodes(store, cluster, &nodes);
    assert_non_null(local_node_named(p, "cpu-1"));
    assert_true(rt_journal_made(other, "node", "cpu-2", id, data, &err)); /* so that the file stays */
    assert_true(rt_journal_gone(other, "node", "cpu-1", &err));
    assert_null(rt_provider_local.remove_node(p, "n1", &err));
    assert_non_null(strstr(err.message, "cpu-1 has ended already"));
    assert_int_equal(p->lock, -1);
    assert_null(local_node_named(p, "cpu-1"));
    assert_int_equal(kill(pid, 0), 0);
    rt_provider_local.destroy(p);
    rt_operations_destroy(operations);
    rt_store_destroy(store);
    rt_loop_destroy(loop);
    rt_journal_close(other);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    free(conf.name);
    free(data);
    free(id);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_node_that_another_raytui_ended_is_not_ended_again, home_make, home_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
