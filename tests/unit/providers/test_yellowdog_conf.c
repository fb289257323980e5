/* The configuration of `yellowdog`: RayDog's names and shorter ones, what is refused and where. */
#include "unit/core/home.h"
#include "core/provider.h"
#include "providers/yellowdog_impl.h"

#define NEEDED "provider: yellowdog, namespace: me"

static struct rt_config *load(void **state, const char *text) {
    home_write(*state, "config.yaml", text);
    return rt_config_load(NULL, rt_providers);
}

static struct rt_config *with(void **state, const char *fields) {
    char *text = rt_strf("clusters:\n  demo: {" NEEDED "%s}\n", fields);
    struct rt_config *c = load(state, text);
    free(text);
    return c;
}

static void refused(void **state, const char *fields, const char *why) {
    struct rt_config *c = with(state, fields);
    if (!c->nproblems || !strstr(c->problems[0].message, why))
        fail_msg("%s: %s", fields, c->nproblems ? c->problems[0].message : "no problem");
    rt_config_destroy(c);
}

static const struct rt_cluster_conf *conf_of(const struct rt_config *c) {
    if (c->nproblems)
        fail_msg("%s", c->problems[0].message);
    return rt_config_cluster(c, "demo");
}

static void no_problem(void *ctx, const struct rt_error *err) {
    (void)ctx;
    fail_msg("%s", err->message);
}

static void a_namespace_suffices_for_what_another_built(void **state) {
    struct rt_config *c = with(state, "");
    assert_string_equal(yd_conf_name(conf_of(c)), "demo");
    rt_config_destroy(c);
    c = load(state, "clusters:\n  demo: {provider: yellowdog}\n");
    assert_int_equal(c->nproblems, 1);
    assert_non_null(strstr(c->problems[0].message, "namespace"));
    rt_config_destroy(c);
}

static void the_names_of_raydog_are_understood(void **state) {
    struct rt_config *c = load(state, "clusters:\n  demo:\n    provider: yellowdog\n    yd_platform_api_url: http://there\n    yd_application_key_id: id\n"
                                      "    cluster_namespace: me\n    cluster_name: other\n    cluster_tag: team\n    cluster_lifetime: 4h\n"
                                      "    head_node_build_timeout: 5m\n    head_node_compute_requirement_template_id: me/head\n"
                                      "    head_node_images_id: ami-1\n    head_node_instance_tags: {owner: me}\n    head_node_metrics_enabled: true\n"
                                      "    enable_observability: true\n    observability_node_compute_requirement_template_id: me/eye\n"
                                      "    pools:\n      - {worker_pool_internal_name: small, worker_node_compute_requirement_template_id: me/w,\n"
                                      "         worker_pool_node_count: 3, worker_node_images_id: ami-2}\n      - {template: me/x}\n");
    const struct rt_cluster_conf *conf = conf_of(c);
    const struct yd_config *own = conf->own;
    struct yd_pool_confs pools;
    assert_string_equal(own->api_url, "http://there");
    assert_string_equal(own->key_id, "id");
    assert_string_equal(yd_conf_name(conf), "other");
    assert_string_equal(own->tag, "team");
    assert_int_equal(conf->lifetime_ms, 4 * 3600 * 1000);
    assert_int_equal(conf->up_timeout_ms, 5 * 60 * 1000);
    assert_string_equal(own->head.template_id, "me/head");
    assert_string_equal(own->head.images, "ami-1");
    assert_string_equal(own->head.instance_tags.v[0], "owner=me");
    assert_true(own->head.metrics && yd_conf_observed(own));
    assert_true(yd_conf_pools(conf, &pools, no_problem, NULL));
    assert_int_equal(pools.n, 2);
    assert_string_equal(pools.v[0].name, "small");
    assert_int_equal(pools.v[0].count, 3);
    assert_int_equal(pools.v[0].max, 3);
    assert_string_equal(pools.v[1].name, "pool-2");
    assert_int_equal(pools.v[1].count, 1);
    yd_conf_pools_deinit(&pools);
    rt_config_destroy(c);
}

static void blocks_take_short_names_and_long_ones(void **state) {
    struct rt_config *c = with(state, ", head: {template: a/b, head_node_images_id: x, start_script: \"#!/bin/bash\"}, idle_pool_shutdown: never,\n"
                                      "   ssh: {user: me, private_key_file: ~/k, jump: b}, pools: {cpu: {template: a/c, count: 2, max: 8,\n"
                                      "   idle_node_shutdown: 10m}}");
    const struct yd_config *own = conf_of(c)->own;
    struct yd_pool_confs pools;
    assert_string_equal(own->head.images, "x");
    assert_string_equal(own->ssh_user, "me");
    assert_string_equal(own->ssh_key, "~/k");
    assert_string_equal(own->ssh_jump, "b");
    assert_true(yd_conf_pools(conf_of(c), &pools, no_problem, NULL));
    assert_int_equal(pools.v[0].max, 8);
    assert_int_equal(pools.v[0].idle_node_ms, 600000);
    assert_int_equal(pools.v[0].idle_pool_ms, -1);
    yd_conf_pools_deinit(&pools);
    rt_config_destroy(c);
}

static void what_cannot_be_is_refused_before_anything_is_made(void **state) {
    refused(state, ", name: Demo", "Demo");
    refused(state, ", tag: 'a b'", "a b");
    refused(state, ", pools: {cpu: {count: 2}}", "its template is wanted");
    refused(state, ", pools: {head: {template: a/b}}", "no possible name");
    refused(state, ", pools: [{name: a, template: x/y}, {name: a, template: x/y}]", "none twice");
    refused(state, ", pools: {cpu: {template: a/b, count: 3, max: 2}}", "above max");
    refused(state, ", pools: {cpu: {template: a/b, cpus: 2}}", "cpus");
    refused(state, ", pools: cpu", "a map of names");
    refused(state, ", enable_observability: true", "observability");
    refused(state, ", head: {template: a/b, start_script: no-such-file.sh}", "no-such-file.sh");
    refused(state, ", idle_node_shutdown: often", "often");
    refused(state, ", ssh: {address: home}", "home");
    refused(state, ", idle_timeout: 1h", "lifetime");
}

static void a_text_is_itself_or_a_file_beside_the_configuration(void **state) {
    struct rt_error err = {0};
    home_write(*state, "head.sh", "from the file\n");
    struct rt_config *c = with(state, ", head: {template: a/b, start_script: head.sh}");
    char *text = yd_conf_text(conf_of(c), "head.sh", NULL, "x", &err);
    assert_string_equal(text, "from the file\n");
    free(text);
    text = yd_conf_text(conf_of(c), "#!/bin/sh", NULL, "x", &err);
    assert_string_equal(text, "#!/bin/sh");
    free(text);
    text = yd_conf_text(conf_of(c), NULL, "the default", "x", &err);
    assert_string_equal(text, "the default");
    free(text);
    assert_null(yd_conf_text(conf_of(c), "nowhere.sh", NULL, "its script", &err));
    assert_non_null(strstr(err.message, "its script"));
    rt_config_destroy(c);
}

static bool by_words(const struct rt_cluster_conf *conf, const char *words, struct yd_pool_conf *out, struct rt_error *err) {
    struct yd_pool_confs known;
    struct rt_strs list = {0};
    struct rt_error ignored = {0};
    *err = (struct rt_error){0};
    assert_true(rt_split_words(words, &list, &ignored));
    assert_true(yd_conf_pools(conf, &known, no_problem, NULL));
    const bool ok = yd_conf_pool(conf, &known, "more", &list, out, err);
    yd_conf_pools_deinit(&known);
    rt_strs_deinit(&list);
    return ok;
}

static void a_pool_is_given_by_words(void **state) {
    struct rt_config *c = with(state, ", pools: {cpu: {template: a/b, count: 2, images: ami-1, instance_tags: {a: b}}}");
    const struct rt_cluster_conf *conf = conf_of(c);
    struct yd_pool_conf p;
    struct rt_error err;
    assert_true(by_words(conf, "template=x/y count=3 max=5 'instance_tags={k: v}'", &p, &err));
    assert_string_equal(p.kind.template_id, "x/y");
    assert_true(p.count == 3 && p.max == 5);
    assert_string_equal(p.kind.instance_tags.v[0], "k=v");
    yd_conf_pool_deinit(&p);
    assert_true(by_words(conf, "like=cpu worker_pool_node_count=4", &p, &err));
    assert_string_equal(p.kind.template_id, "a/b");
    assert_string_equal(p.kind.images, "ami-1");
    assert_true(p.count == 4 && p.max == 4);
    yd_conf_pool_deinit(&p);
    assert_false(by_words(conf, "count=3", &p, &err));
    assert_non_null(strstr(err.hint, "like=POOL"));
    assert_false(by_words(conf, "like=none", &p, &err));
    assert_int_equal(err.code, RT_E_NOT_FOUND);
    assert_false(by_words(conf, "template=a/b colour=red", &p, &err));
    assert_non_null(strstr(err.message, "colour"));
    assert_false(by_words(conf, "template=a/b count=-1", &p, &err));
    assert_false(by_words(conf, "template", &p, &err));
    rt_config_destroy(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        home_test(a_namespace_suffices_for_what_another_built),
        home_test(the_names_of_raydog_are_understood),
        home_test(blocks_take_short_names_and_long_ones),
        home_test(what_cannot_be_is_refused_before_anything_is_made),
        home_test(a_text_is_itself_or_a_file_beside_the_configuration),
        home_test(a_pool_is_given_by_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
