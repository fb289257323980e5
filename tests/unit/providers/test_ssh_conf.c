/* The configuration of `ssh`: what suffices, other names that people use, what is refused and where. */
#include "unit/core/home.h"
#include "core/provider.h"
#include "providers/ssh.h"

static struct rt_config *load(void **state, const char *text) {
    home_write(*state, "config.yaml", text);
    return rt_config_load(NULL, rt_providers);
}

static void refused(void **state, const char *fields, const char *why) {
    char *text = rt_strf("clusters:\n  lab: {provider: ssh%s}\n", fields);
    struct rt_config *c = load(state, text);
    if (!c->nproblems || !strstr(c->problems[0].message, why))
        fail_msg("%s: %s", fields, c->nproblems ? c->problems[0].message : "no problem");
    assert_true(rt_config_cluster(c, "lab")->broken);
    rt_config_destroy(c);
    free(text);
}

static const struct ssh_config *own_of(const struct rt_config *c) {
    if (c->nproblems)
        fail_msg("%s", c->problems[0].message);
    return rt_config_cluster(c, "lab")->own;
}

static void no_problem(void *ctx, const struct rt_error *err) {
    (void)ctx;
    fail_msg("%s", err->message);
}

static void three_lines_suffice(void **state) {
    struct rt_config *c = load(state, "clusters:\n  lab:\n    provider: ssh\n    head: me@lab1\n    ray_version: 2.9.0\n");
    const struct ssh_config *own = own_of(c);
    assert_string_equal(own->head, "me@lab1");
    assert_string_equal(own->far.ray_version, "2.9.0");
    const struct rt_provider_ops *ops = rt_config_cluster(c, "lab")->ops;
    assert_string_equal(ops->hop_target(rt_config_cluster(c, "lab")), "me@lab1");
    rt_config_destroy(c);
}

static void other_names_that_people_use_are_understood(void **state) {
    struct rt_config *c = load(state, "clusters:\n  lab: {provider: ssh, resource: lab1, num_cpus_per_node: 4, num_gpus_per_node: 1,\n"
                                      "        ray_memory_gb: 8, python: {ray_venv: ~/ray}, pools: {gpu: {hosts: lab2, ray_memory_gb: 32}}}\n");
    const struct ssh_config *own = own_of(c);
    struct pool_confs pools;
    assert_true(own->far.size.cpus == 4 && own->far.size.gpus == 1 && own->far.size.memory_gb == 8);
    assert_string_equal(own->far.python.venv, "~/ray");
    assert_true(ssh_pools_read(rt_config_cluster(c, "lab"), &pools, no_problem, NULL));
    assert_int_equal(pools.n, 1);
    assert_true(pools.v[0].size.cpus == 4 && pools.v[0].size.memory_gb == 32); /* the host's own before the cluster's */
    pools_deinit(&pools);
    rt_config_destroy(c);
}

static void a_pool_s_hosts_are_its_limit(void **state) {
    struct rt_config *c = load(state, "clusters:\n  lab: {provider: ssh, head: a, workers: [b, c, d], pools: {x: {hosts: [e, f], nodes: 1, max: 9}}}\n");
    struct pool_confs pools;
    own_of(c);
    assert_true(ssh_pools_read(rt_config_cluster(c, "lab"), &pools, no_problem, NULL));
    const struct pool_conf *workers = pool_named(&pools, "workers"), *x = pool_named(&pools, "x");
    assert_true(workers->nodes == 3 && workers->max == 3 && workers->min == 0);
    assert_true(x->nodes == 1 && x->max == 2);
    pools_deinit(&pools);
    rt_config_destroy(c);
}

static void a_host_without_a_user_has_that_of_the_head(void **state) {
    struct ssh_config own = {.head = (char *)(uintptr_t)"me@lab1"};
    (void)state;
    char *with = ssh_host_target(&own, "lab2"), *kept = ssh_host_target(&own, "you@lab2");
    assert_string_equal(with, "me@lab2");
    assert_string_equal(kept, "you@lab2");
    free(with);
    free(kept);
}

static void what_cannot_work_is_refused_with_its_reason(void **state) {
    refused(state, "", "the host of the head is wanted");
    refused(state, ", head: '-oProxyCommand=x'", "is no name of a host");
    refused(state, ", head: 'a b'", "is no name of a host");
    refused(state, ", head: a, workers: ['$(x)']", "is no name of a host");
    refused(state, ", head: a, pools: {cpu: {}}", "its hosts are wanted");
    refused(state, ", head: a, pools: {head: {hosts: b}}", "no possible name");
    refused(state, ", head: a, workers: b, pools: {workers: {hosts: c}}", "no possible name");
    refused(state, ", head: a, pools: {cpu: {hosts: [b], min: 2}}", "must not be above");
    refused(state, ", head: a, temp_dir: \"/tmp\\nx\"", "control characters");
    refused(state, ", head: a, dashboard_host: world", "dashboard_host");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        home_test(three_lines_suffice),
        home_test(other_names_that_people_use_are_understood),
        home_test(a_pool_s_hosts_are_its_limit),
        home_test(a_host_without_a_user_has_that_of_the_head),
        home_test(what_cannot_work_is_refused_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
