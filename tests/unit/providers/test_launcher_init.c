/* Templates of Ray's YAML: each is what the checker takes, and what stays to be said is asked for. */
#include "unit/cmocka_all.h"

#include "base/mem.h"
#include "core/provider.h"
#include "providers/launcher_file.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct said {
    struct rt_error first;
    size_t n;
};

static void keep(void *ctx, const struct rt_error *err) {
    struct said *s = ctx;
    if (!s->n++)
        s->first = *err;
}

static void every_template_is_a_cluster_that_can_be_checked(void **state) {
    (void)state;
    for (size_t i = 0; rt_launcher_clouds[i]; i++) {
        const char *cloud = rt_launcher_clouds[i];
        struct rt_launcher_file f;
        struct rt_error err = {0};
        struct said s = {0};
        struct rt_buf yaml, env;
        struct rt_strs vars = {0};
        rt_buf_init(&yaml, 0);
        rt_buf_init(&env, 0);
        assert_true(rt_launcher_template(cloud, "tuner", &yaml, &env, &err));
        const bool ok = rt_launcher_parse("t.yaml", rt_buf_str(&yaml), yaml.len, &f, keep, &s), gcp = rt_streq(cloud, "gcp");
        if (ok == gcp || s.n != gcp || (gcp && !strstr(s.first.message, "project_id is empty")))
            fail_msg("%s: %s", cloud, s.first.message);
        assert_string_equal(f.type, cloud);
        assert_string_equal(f.cluster_name, "tuner");
        assert_int_equal(f.warnings.n, 0);
        assert_int_equal(f.ntypes, rt_streq(cloud, "local") ? 1 : 2);
        assert_true(f.docker.on != rt_streq(cloud, "local"));
        assert_true(rt_launcher_env_parse(".env", rt_buf_str(&env), env.len, &vars, &err));
        assert_int_equal(vars.n, 0);
        rt_launcher_deinit(&f);
        rt_buf_deinit(&yaml);
        rt_buf_deinit(&env);
    }
}

static void a_name_that_yaml_takes_for_more_is_quoted(void **state) {
    static const char *const names[] = {"on", "42", "2026-11-21", "no", "null", "a"};
    (void)state;
    for (size_t i = 0; i < RT_COUNT(names); i++) {
        struct rt_launcher_file f;
        struct rt_error err = {0};
        struct said s = {0};
        struct rt_buf yaml, env;
        rt_buf_init(&yaml, 0);
        rt_buf_init(&env, 0);
        assert_true(rt_launcher_template("local", names[i], &yaml, &env, &err));
        if (!rt_launcher_parse("t.yaml", rt_buf_str(&yaml), yaml.len, &f, keep, &s))
            fail_msg("%s: %s", names[i], s.first.message);
        assert_string_equal(f.cluster_name, names[i]);
        rt_launcher_deinit(&f);
        rt_buf_deinit(&yaml);
        rt_buf_deinit(&env);
    }
}

static void a_template_can_be_scaled_in_place(void **state) {
    (void)state;
    for (size_t i = 0; rt_launcher_clouds[i]; i++) {
        struct rt_error err = {0};
        struct rt_buf yaml, env, out;
        rt_buf_init(&yaml, 0);
        rt_buf_init(&env, 0);
        rt_buf_init(&out, 0);
        assert_true(rt_launcher_template(rt_launcher_clouds[i], "tuner", &yaml, &env, &err));
        const char *type = i ? "cpu" : RT_LAUNCHER_LOCAL_TYPE;
        if (!rt_launcher_edit("t.yaml", rt_buf_str(&yaml), yaml.len, type, "min_workers", 2, &out, &err))
            fail_msg("%s: %s", rt_launcher_clouds[i], err.message);
        assert_int_equal(out.len, yaml.len);
        rt_buf_deinit(&yaml);
        rt_buf_deinit(&env);
        rt_buf_deinit(&out);
    }
}

static void init_names_the_files_that_it_writes(void **state) {
    struct rt_init_files files = {0};
    struct rt_strs set = {0};
    struct rt_error err = {0};
    (void)state;
    rt_strs_add(&set, "cloud=aws");
    assert_true(launcher_init("tuner", &set, &files, &err));
    assert_true(rt_strs_has(&set, "file=tuner/cluster.yaml") && rt_strs_has(&set, "env_file=tuner/.env"));
    assert_int_equal(files.n, 2);
    assert_string_equal(files.v[0].name, "tuner/cluster.yaml");
    assert_non_null(strstr(rt_buf_str(&files.v[0].text), "type: aws"));
    assert_string_equal(files.v[1].name, "tuner/.env");
    rt_init_files_deinit(&files);
    rt_strs_deinit(&set);
}

static void a_yaml_that_is_there_needs_no_template(void **state) {
    struct rt_init_files files = {0};
    struct rt_strs set = {0};
    struct rt_error err = {0};
    (void)state;
    rt_strs_add(&set, "file=~/mine.yaml");
    assert_true(launcher_init("tuner", &set, &files, &err));
    assert_true(files.n == 0 && set.n == 1);
    rt_strs_add(&set, "cloud=gcp");
    assert_false(launcher_init("tuner", &set, &files, &err));
    assert_non_null(strstr(err.message, "one of the two"));
    rt_strs_deinit(&set);
}

static void a_path_counts_from_where_it_was_given(void **state) {
    struct rt_init_files files = {0};
    struct rt_strs set = {0};
    struct rt_error err = {0};
    char here[4096], *expected;
    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    expected = rt_strf("file=%s/mine.yaml", here);
    rt_strs_add(&set, "file=mine.yaml");
    rt_strs_add(&set, "env_file=~/.env");
    assert_true(launcher_init("tuner", &set, &files, &err));
    assert_string_equal(set.v[0], expected);
    assert_string_equal(set.v[1], "env_file=~/.env");
    assert_int_equal(files.n, 0);
    free(expected);
    rt_strs_deinit(&set);
}

static void an_unknown_cloud_names_those_that_there_are(void **state) {
    struct rt_init_files files = {0};
    struct rt_strs set = {0};
    struct rt_error err = {0};
    (void)state;
    rt_strs_add(&set, "cloud=gpc");
    assert_false(launcher_init("tuner", &set, &files, &err));
    assert_non_null(strstr(err.message, "did you mean gcp"));
    assert_non_null(strstr(err.hint, "azure"));
    assert_int_equal(files.n, 0);
    rt_strs_deinit(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_template_is_a_cluster_that_can_be_checked),
        cmocka_unit_test(a_name_that_yaml_takes_for_more_is_quoted),
        cmocka_unit_test(a_template_can_be_scaled_in_place),
        cmocka_unit_test(init_names_the_files_that_it_writes),
        cmocka_unit_test(a_yaml_that_is_there_needs_no_template),
        cmocka_unit_test(a_path_counts_from_where_it_was_given),
        cmocka_unit_test(an_unknown_cloud_names_those_that_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
