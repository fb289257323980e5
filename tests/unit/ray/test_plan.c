/* What a submission sends: runtime_env merged and checked, and the body of the request. */
#include <stdio.h>

#include "ray/plan.h"
#include "unit/ray/tree.h"

static struct rt_plan *prepared(const struct rt_submit *s) {
    struct rt_error err = {0};
    struct rt_plan *p = rt_plan_create(s, &err);
    if (!p)
        fail_msg("%s", err.message);
    rt_plan_prepare(p);
    return p;
}

static json_t *body_of(const struct rt_plan *p, bool show_env) {
    struct rt_error err = p->err;
    if (err.code != RT_OK)
        fail_msg("%s", err.message);
    char *text = rt_plan_body(p, false, show_env, &err);
    if (!text)
        fail_msg("%s", err.message);
    json_t *v = rt_json_parse(text, strlen(text), &err);
    assert_non_null(v);
    free(text);
    return v;
}

static bool warned(const struct rt_plan *p, const char *text) {
    for (size_t i = 0; i < p->warnings.n; i++)
        if (strstr(p->warnings.v[i], text))
            return true;
    return false;
}

static void the_least_job_has_an_id_a_name_and_an_owner(void **state) {
    (void)state;
    struct rt_submit s;
    rt_submit_init(&s);
    s.entrypoint = "python train.py --lr 3e-4";
    s.runtime_env = "{}";
    struct rt_plan *p = prepared(&s);
    json_t *b = body_of(p, true);
    const char *id = rt_json_str(b, "submission_id");
    assert_int_equal(strlen(id), strlen("raysubmit_") + 16);
    assert_true(rt_starts(id, "raysubmit_"));
    assert_string_equal(rt_json_str(b, "metadata.job_name"), "python train.py");
    assert_non_null(strchr(rt_json_str(b, "metadata.submitted_by"), '@'));
    assert_int_equal(json_object_size(b), 3); /* no runtime_env, no nulls */
    struct rt_plan *q = prepared(&s);
    assert_string_not_equal(p->submission_id, q->submission_id);
    json_decref(b);
    rt_plan_destroy(p);
    rt_plan_destroy(q);
}

static void everything_given_is_sent(void **state) {
    (void)state;
    struct rt_submit s;
    rt_submit_init(&s);
    s.entrypoint = "x";
    s.submission_id = "my.job_1-a";
    s.runtime_env = "{\"pip\":[\"x==1\"],\"unknown\":{\"n\":[1,null]},\"working_dir\":\"s3://b/"
                    "x.zip\",\"excludes\":[\"*.bin\"]}";
    s.num_cpus = 2;
    s.num_gpus = 0.5;
    s.memory_bytes = 1 << 20;
    rt_strs_add(&s.metadata, "job_name=mine");
    rt_strs_add(&s.metadata, "k=a=b");
    rt_strs_add(&s.resources, "pool_b=1");
    rt_strs_add(&s.py_modules, "gcs://m.zip");
    struct rt_plan *p = prepared(&s);
    json_t *b = body_of(p, true);
    assert_string_equal(rt_json_str(b, "submission_id"), "my.job_1-a");
    assert_int_equal(json_integer_value(json_object_get(b, "entrypoint_num_cpus")), 2);
    assert_true(json_real_value(json_object_get(b, "entrypoint_num_gpus")) == 0.5);
    assert_int_equal(json_integer_value(json_object_get(b, "entrypoint_memory")), 1 << 20);
    assert_int_equal(json_integer_value(rt_json_at(b, "entrypoint_resources.pool_b")), 1);
    assert_string_equal(rt_json_str(b, "metadata.job_name"), "mine");
    assert_string_equal(rt_json_str(b, "metadata.k"), "a=b");
    assert_string_equal(rt_json_str(b, "runtime_env.working_dir"), "s3://b/x.zip");
    assert_non_null(rt_json_at(b, "runtime_env.unknown.n"));
    assert_null(rt_json_at(b, "runtime_env.excludes"));
    assert_string_equal(
        json_string_value(json_array_get(rt_json_at(b, "runtime_env.py_modules"), 0)),
        "gcs://m.zip");
    json_decref(b);
    rt_plan_destroy(p);
    rt_submit_deinit(&s);
}

static void variables_of_the_call_win_over_the_file_and_the_file_over_the_cluster(void **state) {
    (void)state;
    struct rt_submit s;
    rt_submit_init(&s);
    s.entrypoint = "x";
    s.runtime_env = "{\"env_vars\":{\"B\":\"file\",\"C\":\"file\",\"N\":4,\"T\":true}}";
    rt_strs_add(&s.env_defaults, "A=cluster");
    rt_strs_add(&s.env_defaults, "B=cluster");
    rt_strs_add(&s.env_vars, "C=call=1");
    struct rt_plan *p = prepared(&s);
    json_t *b = body_of(p, true);
    assert_string_equal(rt_json_str(b, "runtime_env.env_vars.A"), "cluster");
    assert_string_equal(rt_json_str(b, "runtime_env.env_vars.B"), "file");
    assert_string_equal(rt_json_str(b, "runtime_env.env_vars.C"), "call=1");
    assert_string_equal(rt_json_str(b, "runtime_env.env_vars.N"), "4");
    assert_string_equal(rt_json_str(b, "runtime_env.env_vars.T"), "true");
    assert_true(warned(p, "N: sent as the text \"4\""));
    json_decref(b);
    b = body_of(p, false);
    assert_string_equal(rt_json_str(b, "runtime_env.env_vars.A"), "***");
    json_decref(b);
    rt_plan_destroy(p);
    rt_submit_deinit(&s);
}

static void a_file_is_yaml_or_json_and_numbers_keep_their_spelling(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    tree_put(&t, "env.yaml",
             "uv:\n  - \"${RAY_RUNTIME_ENV_CREATE_WORKING_DIR}/x.whl\"\nenv_vars:\n  OMP: 1\n  V: "
             "1.10\n  Q: \"2\"\n  E:\n");
    tree_put(&t, "env.json", "{\"env_vars\": {\"A\": \"b\"}}");
    tree_put(&t, "flow.yaml", "{pip: [a, b], env_vars: {X: y}}");
    tree_put(&t, "empty.yaml", "# nothing\n");
    tree_put(&t, "list.yaml", "\n- a\n");
    struct rt_strs warnings = {0};
    struct rt_error err = {0};
    char *path = tree_path(&t, "env.yaml");
    char *text = rt_runtime_env_load(path, &warnings, &err);
    assert_non_null(text);
    assert_true(strstr(text, "\"OMP\":\"1\"") && strstr(text, "\"V\":\"1.10\"") &&
                strstr(text, "\"Q\":\"2\"") && strstr(text, "\"E\":\"\""));
    assert_true(strstr(text, "${RAY_RUNTIME_ENV_CREATE_WORKING_DIR}/x.whl") != NULL);
    assert_int_equal(warnings.n, 3);
    free(text);
    free(path);
    static const char *const good[][2] = {
        {"env.json", "{\"env_vars\":{\"A\":\"b\"}}"},
        {"flow.yaml", "{\"pip\":[\"a\",\"b\"],\"env_vars\":{\"X\":\"y\"}}"},
        {"empty.yaml", "{}"}};
    for (size_t i = 0; i < RT_COUNT(good); i++) {
        path = tree_path(&t, good[i][0]);
        text = rt_runtime_env_load(path, &warnings, &err);
        assert_string_equal(text, good[i][1]);
        free(text);
        free(path);
    }
    path = tree_path(&t, "list.yaml");
    assert_null(rt_runtime_env_load(path, &warnings, &err));
    assert_true(strstr(err.message, "list.yaml:2:1") != NULL);
    free(path);
    rt_strs_deinit(&warnings);
    tree_close(&t);
}

static void a_working_directory_becomes_a_package(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    tree_put(&t, "main.py", "print(1)\n");
    tree_put(&t, "big.bin", "x");
    tree_put(&t, ".git/config", "x");
    struct rt_submit s;
    rt_submit_init(&s);
    s.entrypoint = "python main.py";
    s.working_dir = t.top;
    s.runtime_env = "{\"working_dir\":\"/elsewhere\",\"excludes\":[\"*.bin\"]}";
    struct rt_plan *p = prepared(&s);
    json_t *b = body_of(p, true);
    assert_int_equal(p->packages.n, 1);
    assert_int_equal(p->packages.v[0].made.files, 1);
    assert_int_equal(p->packages.v[0].made.ignored, 2);
    assert_string_equal(rt_json_str(b, "runtime_env.working_dir"), p->packages.v[0].made.uri);
    json_decref(b);
    rt_plan_destroy(p);
    tree_close(&t);
}

static void requirement_files_of_this_machine_are_read_here(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    tree_put(&t, "req.txt", "a==1\n\nb>=2\n");
    tree_put(&t, "conda.yaml", "name: x\ndependencies: [python=3.11]\n");
    char *env = rt_strf("{\"pip\":\"%s/req.txt\",\"conda\":\"%s/conda.yaml\"}", t.top, t.top);
    struct rt_submit s;
    rt_submit_init(&s);
    s.entrypoint = "x";
    s.runtime_env = env;
    struct rt_plan *p = prepared(&s);
    json_t *b = body_of(p, true);
    assert_int_equal(json_array_size(rt_json_at(b, "runtime_env.pip")), 2);
    assert_string_equal(rt_json_str(b, "runtime_env.conda.name"), "x");
    json_decref(b);
    rt_plan_destroy(p);
    free(env);
    tree_close(&t);
}

static void a_wheel_that_is_not_there_is_warned_of_with_the_nearest(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    tree_put(&t, "ado_core-1.2.0-py3-none-any.whl", "w");
    tree_put(&t, "lib/b-1-py3-none-any.whl", "w");
    tree_put(&t, "left-1.whl", "w");
    tree_put(&t, ".rayignore", "left-1.whl\n");
    struct rt_submit s;
    rt_submit_init(&s);
    s.entrypoint = "x";
    s.working_dir = t.top;
    s.runtime_env =
        "{\"uv\":[\"${RAY_RUNTIME_ENV_CREATE_WORKING_DIR}/ado_core-1.2.whl\",\"numpy\","
        "\"${RAY_RUNTIME_ENV_CREATE_WORKING_DIR}/lib/b-1-py3-none-any.whl[extra]\"],"
        "\"pip\":{\"packages\":[\"${RAY_RUNTIME_ENV_CREATE_WORKING_DIR}/left-1.whl\"]}}";
    struct rt_plan *p = prepared(&s);
    assert_int_equal(p->warnings.n, 2);
    assert_true(warned(
        p, "ado_core-1.2.whl is named in the runtime_env, but not in the directory. Did you mean "
           "ado_core-1.2.0-py3-none-any.whl?"));
    assert_true(warned(p, "left-1.whl is named in the runtime_env, but an ignore rule"));
    json_t *b = body_of(p, true);
    assert_string_equal(json_string_value(json_array_get(rt_json_at(b, "runtime_env.uv"), 0)),
                        "${RAY_RUNTIME_ENV_CREATE_WORKING_DIR}/ado_core-1.2.whl"); /* untouched */
    json_decref(b);
    rt_plan_destroy(p);
    s.working_dir = NULL;
    p = prepared(&s);
    assert_true(warned(p, "there is no local working directory"));
    rt_plan_destroy(p);
    tree_close(&t);
}

static void a_quote_that_is_not_closed_is_warned_of(void **state) {
    (void)state;
    struct rt_submit s;
    rt_submit_init(&s);
    s.entrypoint = "python -c \"import time";
    struct rt_plan *p = prepared(&s);
    assert_true(warned(p, "the entrypoint: a quote (\") is not closed"));
    rt_plan_destroy(p);
    s.entrypoint = "python -c \"print('fine')\" | tee out && echo $HOME";
    p = prepared(&s);
    assert_int_equal(p->warnings.n, 0);
    rt_plan_destroy(p);
}

static void refuses_what_cannot_be_meant(void **state) {
    (void)state;
    static const struct {
        const char *entrypoint, *id, *env, *dir, *resource, *variable;
        enum rt_code code;
    } cases[] = {
        {.entrypoint = "  ", .code = RT_E_USAGE},
        {.entrypoint = "x", .id = "a/b", .code = RT_E_USAGE},
        {.entrypoint = "x", .id = "", .code = RT_E_USAGE},
        {.entrypoint = "x\xff", .code = RT_E_USAGE},
        {.entrypoint = "x", .env = "[1]", .code = RT_E_USAGE},
        {.entrypoint = "x", .env = "{", .code = RT_E_PROTOCOL},
        {.entrypoint = "x", .env = "{\"env_vars\":[1]}", .code = RT_E_USAGE},
        {.entrypoint = "x", .env = "{\"env_vars\":{\"A\":{}}}", .code = RT_E_USAGE},
        {.entrypoint = "x", .env = "{\"excludes\":\"a\"}", .code = RT_E_USAGE},
        {.entrypoint = "x", .env = "{\"working_dir\":1}", .code = RT_E_USAGE},
        {.entrypoint = "x", .env = "{\"pip\":\"/no/such/file\"}", .code = RT_E_IO},
        {.entrypoint = "x", .dir = "/no/such/dir", .code = RT_E_NOT_FOUND},
        {.entrypoint = "x", .resource = "a=b", .code = RT_E_USAGE},
        {.entrypoint = "x", .variable = "NOVALUE", .code = RT_E_USAGE},
    };
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct rt_submit s;
        struct rt_error err = {0};
        rt_submit_init(&s);
        s.entrypoint = cases[i].entrypoint;
        s.submission_id = cases[i].id;
        s.runtime_env = cases[i].env;
        s.working_dir = cases[i].dir;
        if (cases[i].resource)
            rt_strs_add(&s.resources, cases[i].resource);
        if (cases[i].variable)
            rt_strs_add(&s.env_vars, cases[i].variable);
        struct rt_plan *p = rt_plan_create(&s, &err);
        if (p) {
            rt_plan_prepare(p);
            err = p->err;
            if (err.code == RT_OK)
                assert_null(rt_plan_body(p, false, true, &err));
        }
        if (err.code != cases[i].code && !(cases[i].code == RT_E_IO && err.code == RT_E_NOT_FOUND))
            fail_msg("case %zu: %s: %s", i, rt_code_name(err.code), err.message);
        rt_plan_destroy(p);
        rt_submit_deinit(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_job_has_an_id_a_name_and_an_owner),
        cmocka_unit_test(everything_given_is_sent),
        cmocka_unit_test(variables_of_the_call_win_over_the_file_and_the_file_over_the_cluster),
        cmocka_unit_test(a_file_is_yaml_or_json_and_numbers_keep_their_spelling),
        cmocka_unit_test(a_working_directory_becomes_a_package),
        cmocka_unit_test(requirement_files_of_this_machine_are_read_here),
        cmocka_unit_test(a_wheel_that_is_not_there_is_warned_of_with_the_nearest),
        cmocka_unit_test(a_quote_that_is_not_closed_is_warned_of),
        cmocka_unit_test(refuses_what_cannot_be_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
