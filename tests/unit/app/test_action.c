#include "../cmocka_all.h"
#include "app/action.h"
#include "base/fs.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct rt_app *app;
static char home[] = "/tmp/rt-app-XXXXXX";

static int make_app(void **state) {
    struct rt_error err = {0};
    (void)state;
    assert_non_null(mkdtemp(home));
    char *dir = rt_strf("%s/config/raytui", home), *file = rt_strf("%s/config.yaml", dir);
    const char *text = "clusters:\n  lab: {provider: address, url: 'http://127.0.0.1:1'}\n"
                       "  prod: {provider: address, url: 'http://127.0.0.1:2', readonly: true}\n";
    static const char *const vars[] = {"XDG_CONFIG_HOME", "config", "XDG_STATE_HOME", "state", "XDG_CACHE_HOME", "cache"};
    for (size_t i = 0; i < RT_COUNT(vars); i += 2) {
        char *value = rt_strf("%s/%s", home, vars[i + 1]);
        setenv(vars[i], value, 1);
        free(value);
    }
    unsetenv("RAY_ADDRESS");
    unsetenv("RAY_API_SERVER_ADDRESS");
    unsetenv("RAYTUI_CLUSTER");
    assert_true(rt_mkdirs(dir, &err));
    assert_true(rt_file_write(file, text, strlen(text), &err));
    free(file);
    free(dir);
    const struct rt_app_opts o = {0};
    app = rt_app_create(&o, &err);
    return app ? 0 : -1;
}

static int end_app(void **state) {
    struct rt_error err = {0};
    (void)state;
    rt_app_destroy(app);
    return rt_remove_tree(home, &err) ? 0 : -1;
}

static bool parse(const char *line, const struct rt_selection *sel, struct rt_call *out, struct rt_error *err) {
    struct rt_strs words = {0};
    *err = (struct rt_error){0};
    assert_true(rt_split_words(line, &words, err));
    const bool ok = rt_call_parse(app, (const char *const *)words.v, sel, out, err);
    rt_strs_deinit(&words);
    return ok;
}

static void takes_cluster_pool_and_signed_numbers(void **state) {
    static const char *const lines[] = {"scale lab gpu +2", "scale lab gpu -2", "scale lab gpu 8"};
    static const char *const numbers[] = {"+2", "-2", "8"};
    (void)state;
    for (size_t i = 0; i < RT_COUNT(lines); i++) {
        struct rt_call c;
        struct rt_error err;
        assert_true(parse(lines[i], NULL, &c, &err));
        assert_string_equal(c.cluster, "lab");
        assert_int_equal(c.args.n, 2);
        assert_string_equal(c.args.v[0], "gpu");
        assert_string_equal(c.args.v[1], numbers[i]);
        rt_call_deinit(&c);
    }
}

static void what_is_left_out_comes_from_the_selection(void **state) {
    const struct rt_selection sel = {.cluster = "lab", .pool = "cpu"};
    struct rt_call c;
    struct rt_error err;
    (void)state;
    assert_true(parse("scale +1", &sel, &c, &err));
    assert_string_equal(c.cluster, "lab");
    assert_string_equal(c.args.v[0], "cpu");
    rt_call_deinit(&c);
    assert_true(parse("scale gpu +1", &sel, &c, &err));
    assert_string_equal(c.cluster, "lab");
    assert_string_equal(c.args.v[0], "gpu");
    rt_call_deinit(&c);
    assert_true(parse("scale prod gpu 3", &sel, &c, &err));
    assert_string_equal(c.cluster, "prod");
    rt_call_deinit(&c);
}

static void what_changes_a_cluster_names_it_on_the_command_line(void **state) {
    struct rt_call c;
    struct rt_error err;
    (void)state;
    assert_false(parse("down", NULL, &c, &err));
    assert_int_equal(err.code, RT_E_USAGE);
    assert_string_equal(err.message, "usage: raytui down CLUSTER");
}

static void the_command_after_two_dashes_stays_as_it_is(void **state) {
    struct rt_call c;
    struct rt_error err;
    (void)state;
    assert_true(parse("submit -c lab --env 'A=1 2' --env=B=3 --working-dir . -- python x.py --lr 3 -o 'a b'", NULL, &c, &err));
    assert_int_equal(c.command.n, 6);
    assert_string_equal(c.command.v[5], "a b");
    struct rt_strs env = {0};
    assert_int_equal(rt_call_options(&c, "env", &env), 2);
    assert_string_equal(env.v[0], "A=1 2");
    assert_string_equal(env.v[1], "B=3");
    assert_string_equal(rt_call_option(&c, "working-dir"), ".");
    assert_null(rt_call_option(&c, "wait"));
    rt_strs_deinit(&env);
    rt_call_deinit(&c);
}

static void a_call_written_as_text_parses_to_the_same_call(void **state) {
    struct rt_call a, b;
    struct rt_error err;
    (void)state;
    assert_true(parse("submit -c lab --env 'A=1 2' --wait -- echo 'it'\\''s' '$x'", NULL, &a, &err));
    char *text = rt_call_text(&a);
    assert_true(parse(text, NULL, &b, &err));
    char *again = rt_call_text(&b);
    assert_string_equal(text, again);
    assert_string_equal(b.command.v[1], "it's");
    free(text);
    free(again);
    rt_call_deinit(&a);
    rt_call_deinit(&b);
}

static void wrong_words_name_the_nearest_right_one(void **state) {
    struct rt_call c;
    struct rt_error err;
    (void)state;
    assert_false(parse("scael lab gpu 1", NULL, &c, &err));
    assert_string_equal(err.message, "no such verb scael; nearest: scale");
    assert_false(parse("submit -c lab --workin-dir . -- x", NULL, &c, &err));
    assert_string_equal(err.hint, "did you mean --working-dir?");
    assert_false(parse("nodes lba", NULL, &c, &err));
    assert_string_equal(err.message, "no cluster lba");
    assert_string_equal(err.hint, "did you mean lab?");
    assert_int_equal(rt_code_exit(err.code), 4);
}

static void a_read_only_cluster_refuses_what_writes(void **state) {
    struct rt_call c;
    struct rt_error err;
    (void)state;
    assert_true(parse("stop -c prod raysubmit_x", NULL, &c, &err));
    assert_false(rt_call_ready(app, &c, &err));
    assert_int_equal(err.code, RT_E_DENIED);
    rt_call_deinit(&c);
    assert_true(parse("jobs prod", NULL, &c, &err));
    assert_true(rt_call_ready(app, &c, &err));
    rt_call_deinit(&c);
}

static void a_power_that_the_provider_lacks_is_named(void **state) {
    struct rt_call c;
    struct rt_error err;
    (void)state;
    assert_true(parse("up lab", NULL, &c, &err));
    assert_false(rt_call_ready(app, &c, &err));
    assert_int_equal(err.code, RT_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "provider address has no `up`"));
    rt_call_deinit(&c);
}

static void addresses_become_clusters(void **state) {
    struct rt_error err = {0};
    (void)state;
    const char *name = rt_app_target(app, "http://ray.example.com:8265", &err);
    assert_string_equal(name, "ray-example-com-8265");
    assert_string_equal(rt_app_target(app, "ray.example.com:6379", &err), name); /* the GCS: its dashboard is meant */
    assert_string_equal(rt_app_target(app, "ray://ray.example.com:10001", &err), name);
    assert_string_equal(rt_app_target(app, "ssh://me@lab1", &err), "me-lab1");
    assert_null(rt_app_target(app, "ssh://", &err));
    assert_int_equal(err.code, RT_E_USAGE);
}

static void without_a_name_the_clusters_are_listed(void **state) {
    struct rt_error err = {0};
    (void)state;
    assert_null(rt_app_default_cluster(app, &err));
    assert_int_equal(err.code, RT_E_USAGE);
    assert_non_null(strstr(err.message, "lab, prod"));
}

static void every_verb_has_help_and_fits_a_line(void **state) {
    (void)state;
    for (const struct rt_action_def *d = rt_actions; d->name; d++) {
        assert_true(strlen(d->help) > 5 && strlen(d->help) < 90);
        assert_ptr_equal(rt_action_find(d->name), d);
        for (const struct rt_option *o = d->options; o && o->name; o++)
            assert_true(strlen(o->help) > 3);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_cluster_pool_and_signed_numbers),
        cmocka_unit_test(what_is_left_out_comes_from_the_selection),
        cmocka_unit_test(what_changes_a_cluster_names_it_on_the_command_line),
        cmocka_unit_test(the_command_after_two_dashes_stays_as_it_is),
        cmocka_unit_test(a_call_written_as_text_parses_to_the_same_call),
        cmocka_unit_test(wrong_words_name_the_nearest_right_one),
        cmocka_unit_test(a_read_only_cluster_refuses_what_writes),
        cmocka_unit_test(a_power_that_the_provider_lacks_is_named),
        cmocka_unit_test(without_a_name_the_clusters_are_listed),
        cmocka_unit_test(addresses_become_clusters),
        cmocka_unit_test(every_verb_has_help_and_fits_a_line),
    };
    return cmocka_run_group_tests(tests, make_app, end_app);
}
