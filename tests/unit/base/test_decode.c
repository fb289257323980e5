#include "base/decode.h"
#include "base/str.h"
#include "unit/cmocka_all.h"
#include "unit/fixture.h"
#include <stdlib.h>
#include <string.h>

struct inner {
    const char *ip;
    int64_t pid;
};
struct thing {
    const char *name, *raw;
    int64_t start_ms;
    double load;
    bool alive;
    int status;
    struct inner inner;
    struct rt_kvs labels;
    struct rt_resources total;
};
static const char *const statuses[] = {"other", "RUNNING", "FAILED", NULL};
static const struct rt_field inner_fields[] = {
    RT_FIELD(struct inner, ip, "ip", RT_F_STR),
    RT_FIELD(struct inner, pid, "pid", RT_F_I64, .absent = -1),
    {0},
};
static const struct rt_field fields[] = {
    RT_FIELD(struct thing, name, "name", RT_F_STR),
    RT_FIELD(struct thing, raw, "raw", RT_F_JSON),
    RT_FIELD(struct thing, start_ms, "start", RT_F_I64, .absent = -1),
    RT_FIELD(struct thing, load, "load", RT_F_F64, .absent = -2),
    RT_FIELD(struct thing, alive, "alive", RT_F_BOOL),
    RT_FIELD(struct thing, status, "status", RT_F_ENUM, .names = statuses),
    RT_FIELD(struct thing, inner, "inner", RT_F_OBJ, .sub = inner_fields),
    RT_FIELD(struct thing, labels, "labels", RT_F_KV),
    RT_FIELD(struct thing, total, "total", RT_F_RES),
    {0},
};
static const struct rt_field strict_fields[] = {
    RT_FIELD(struct thing, name, "name", RT_F_STR, .required = true),
    {0},
};

static struct rt_arena *arena;

static int make_arena(void **state) {
    (void)state;
    arena = rt_arena_create();
    return 0;
}

static int drop_arena(void **state) {
    (void)state;
    rt_arena_destroy(arena);
    return 0;
}

static bool decode(const char *text, const struct rt_field *table, struct thing *out,
                   struct rt_error *err) {
    json_t *v = rt_json_parse(text, strlen(text), err);
    if (!v)
        fail_msg("%s", err->message);
    memset(out, 0x5a, sizeof *out);
    bool ok = rt_decode(v, table, out, arena, err);
    json_decref(v); /* nothing in `out` may point into it */
    return ok;
}

static void every_type_is_read(void **state) {
    (void)state;
    struct thing t;
    struct rt_error err = {0};
    assert_true(decode(
        "{\"name\":\"a\\u00e4\",\"raw\":{\"x\":[1, "
        "2.5,null]},\"start\":1795229177042,\"load\":0.25,"
        "\"alive\":true,\"status\":\"FAILED\",\"inner\":{\"ip\":\"10.0.0.1\",\"pid\":7},"
        "\"labels\":{\"s\":\"x\",\"i\":3,\"f\":0.1,\"b\":true,\"n\":null,\"o\":{\"k\":[1]}},"
        "\"total\":{\"CPU\":2.0,\"memory\":24218316288,\"g\":\"0.5\",\"z\":null},\"unknown\":[[]]}",
        fields, &t, &err));
    assert_string_equal(t.name, "a\xc3\xa4");
    assert_string_equal(t.raw, "{\"x\":[1,2.5,null]}");
    assert_true(t.start_ms == 1795229177042);
    assert_true(t.load > 0.249 && t.load < 0.251);
    assert_true(t.alive);
    assert_int_equal(t.status, 2);
    assert_string_equal(t.inner.ip, "10.0.0.1");
    assert_int_equal(t.inner.pid, 7);
    assert_int_equal(t.labels.n, 6);
    assert_string_equal(rt_kvs_get(&t.labels, "s"), "x");
    assert_string_equal(rt_kvs_get(&t.labels, "i"), "3");
    assert_string_equal(rt_kvs_get(&t.labels, "f"), "0.1");
    assert_string_equal(rt_kvs_get(&t.labels, "b"), "true");
    assert_null(rt_kvs_get(&t.labels, "n"));
    assert_string_equal(rt_kvs_get(&t.labels, "o"), "{\"k\":[1]}");
    assert_null(rt_kvs_get(&t.labels, "absent"));
    assert_int_equal(t.total.n, 3);
    assert_true(rt_resources_get(&t.total, "memory", -1) == 24218316288.0);
    assert_true(rt_resources_get(&t.total, "g", -1) == 0.5);
    assert_true(rt_resources_get(&t.total, "z", -1) == -1);
}

static void absent_and_null_read_the_same(void **state) {
    (void)state;
    static const char *const texts[] = {"{}", "{\"name\":null,\"raw\":null,\"start\":null,\"load\":"
                                              "null,\"alive\":null,\"status\":null,\"inner\":null,"
                                              "\"labels\":null,\"total\":null}"};
    for (size_t i = 0; i < 2; i++) {
        struct thing t;
        struct rt_error err = {0};
        assert_true(decode(texts[i], fields, &t, &err));
        assert_null(t.name);
        assert_null(t.raw);
        assert_true(t.start_ms == -1);
        assert_true(t.load == -2);
        assert_false(t.alive);
        assert_int_equal(t.status, 0);
        assert_null(t.inner.ip);
        assert_int_equal(t.inner.pid, -1);
        assert_int_equal(t.labels.n, 0);
        assert_int_equal(t.total.n, 0);
    }
}

static void numbers_come_in_many_clothes(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t want;
    } cases[] = {
        {"7", 7},
        {"7.9", 7},
        {"\"1795229177042\"", 1795229177042},
        {"\"-3\"", -3},
        {"1795229177042.0", 1795229177042},
        {"\"7.5\"", 7},
        {"18446744073709551615", RT_I64_MOST},
        {"-18446744073709551615", -RT_I64_MOST},
        {"\"18446744073709551615\"", RT_I64_MOST},
        {"9223372036854775807", RT_I64_MOST},
        {"-9223372036854775808", -RT_I64_MOST},
        {"1e30", RT_I64_MOST},
    };
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct thing t;
        struct rt_error err = {0};
        char *text = rt_strf("{\"start\":%s}", cases[i].text);
        if (!decode(text, fields, &t, &err))
            fail_msg("%s: %s", text, err.message);
        assert_true(t.start_ms == cases[i].want);
        free(text);
    }
}

static void one_large_number_costs_the_others_no_digit(void **state) {
    (void)state;
    struct thing t;
    struct rt_error err = {0};
    assert_true(
        decode("{\"huge\":18446744073709551615,\"start\":9007199254740993}", fields, &t, &err));
    assert_true(t.start_ms == 9007199254740993);
}

static void unknown_words_are_other(void **state) {
    (void)state;
    struct thing t;
    struct rt_error err = {0};
    assert_true(decode("{\"status\":\"HIBERNATING\"}", fields, &t, &err));
    assert_int_equal(t.status, 0);
}

static void wrong_types_name_their_path(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"{\"name\":1}", "name: unexpected integer"},
        {"{\"name\":[]}", "name: unexpected list"},
        {"{\"start\":\"soon\"}", "start: unexpected text \"soon\""},
        {"{\"start\":\"\"}", "start: unexpected text \"\""},
        {"{\"start\":true}", "start: unexpected boolean"},
        {"{\"load\":{}}", "load: unexpected object"},
        {"{\"alive\":1.5}", "alive: unexpected number"},
        {"{\"status\":3}", "status: unexpected integer"},
        {"{\"inner\":{\"ip\":3}}", "inner: ip: unexpected integer"},
        {"{\"inner\":\"x\\u001b\"}", "inner: unexpected text \"x^[\""},
        {"{\"labels\":[]}", "labels: unexpected list"},
        {"{\"total\":{\"CPU\":\"x\"}}", "total: CPU: unexpected text \"x\""},
        {"[]", "unexpected list"},
    };
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct thing t;
        struct rt_error err = {0};
        assert_false(decode(cases[i][0], fields, &t, &err));
        assert_string_equal(err.message, cases[i][1]);
        assert_int_equal(err.code, RT_E_PROTOCOL);
    }
}

static void required_fields_must_come(void **state) {
    (void)state;
    struct thing t;
    struct rt_error err = {0};
    assert_false(decode("{}", strict_fields, &t, &err));
    assert_string_equal(err.message, "name: missing");
    assert_false(decode("{\"name\":null}", strict_fields, &t, &err));
    assert_string_equal(err.message, "name: null");
    assert_true(decode("{\"name\":\"\"}", strict_fields, &t, &err));
    assert_false(rt_decode(NULL, strict_fields, &t, arena, &err));
}

static void what_python_adds_to_json_is_understood(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"[NaN,Infinity,-Infinity,1e999,1]", "[null,null,null,null,1]"},
        {"[\"NaN\",\"18446744073709551615\",NaN]", "[\"NaN\",\"18446744073709551615\",null]"},
        {"[\"a\\udcffb\"]", "[\"a\xef\xbf\xbd"
                            "b\"]"},
        {"[\"\\ud83d\\ude00\\ud83d\"]", "[\"\xf0\x9f\x98\x80\xef\xbf\xbd\"]"},
        {"[\"a\xff"
         "b\"]",
         "[\"a\xef\xbf\xbd"
         "b\"]"},
        {"[\"\\\\\\\"\", NaN]", "[\"\\\\\\\"\",null]"},
        {"[\"a\\u0000b\"]", "[\"a\\u0000b\"]"},
    };
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct rt_error err = {0};
        json_t *v = rt_json_parse(cases[i][0], strlen(cases[i][0]), &err);
        if (!v)
            fail_msg("%s: %s", cases[i][0], err.message);
        char *dump = json_dumps(v, JSON_COMPACT);
        assert_string_equal(dump, cases[i][1]);
        free(dump);
        json_decref(v);
    }
}

static void bad_json_is_described(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", "an empty answer instead of JSON"},
        {" <html>", "HTML instead of JSON"},
        {"404: Not Found", "not JSON: \"404: Not Found\""},
        {"{\"a\":", "bad JSON in line 1: "},
        {"[1,\n2 3]", "bad JSON in line 2: "},
    };
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct rt_error err = {0};
        assert_null(rt_json_parse(cases[i][0], strlen(cases[i][0]), &err));
        assert_true(rt_starts(err.message, cases[i][1]));
        assert_int_equal(err.code, RT_E_PROTOCOL);
    }
    struct rt_error err = {0};
    char *deep = rt_alloc(100001);
    memset(deep, '[', 100000);
    assert_null(rt_json_parse(deep, 100000, &err));
    free(deep);
}

static void paths_walk_objects_only(void **state) {
    (void)state;
    struct rt_error err = {0};
    const char *text = "{\"a\":{\"b\":{\"c\":\"x\",\"n\":1}},\"l\":[1]}";
    json_t *v = rt_json_parse(text, strlen(text), &err);
    assert_string_equal(rt_json_str(v, "a.b.c"), "x");
    assert_null(rt_json_str(v, "a.b.n"));
    assert_null(rt_json_at(v, "a.x.c"));
    assert_null(rt_json_at(v, "l.0"));
    assert_ptr_equal(rt_json_at(v, ""), v);
    assert_null(rt_json_at(NULL, "a"));
    json_decref(v);
}

struct worker {
    const char *id;
    int64_t pid, launch_ms, start_ms;
    bool alive;
};
static const struct rt_field worker_fields[] = {
    RT_FIELD(struct worker, id, "worker_id", RT_F_STR, .required = true),
    RT_FIELD(struct worker, pid, "pid", RT_F_I64, .absent = -1),
    RT_FIELD(struct worker, launch_ms, "worker_launch_time_ms", RT_F_I64, .absent = -1),
    RT_FIELD(struct worker, start_ms, "start_time_ms", RT_F_I64, .absent = -1),
    RT_FIELD(struct worker, alive, "is_alive", RT_F_BOOL),
    {0},
};

static void recorded_workers_with_times_past_64_bits_are_read(void **state) {
    (void)state;
    static const char *const files[] = {"ray-2.60.0/workers_detail.json",
                                        "ray-2.9.3/workers_detail.json"};
    for (size_t f = 0; f < RT_COUNT(files); f++) {
        size_t n, huge = 0;
        struct rt_error err = {0};
        char *text = fixture(files[f], &n);
        json_t *doc = rt_json_parse(text, n, &err);
        assert_non_null(doc);
        const json_t *list = rt_json_at(doc, "data.result.result");
        assert_true(json_array_size(list) > 0);
        for (size_t i = 0; i < json_array_size(list); i++) {
            struct worker w;
            if (!rt_decode(json_array_get(list, i), worker_fields, &w, arena, &err))
                fail_msg("%s: worker %zu: %s", files[f], i, err.message);
            assert_int_equal(strlen(w.id), 56);
            assert_true(w.pid > 0);
            assert_true(w.start_ms > 1700000000000);
            huge += w.launch_ms == RT_I64_MOST;
        }
        assert_true(huge > 0);
        json_decref(doc);
        free(text);
    }
}

int main(void) {
#define WITH_ARENA(f) cmocka_unit_test_setup_teardown(f, make_arena, drop_arena)
    const struct CMUnitTest tests[] = {
        WITH_ARENA(every_type_is_read),
        WITH_ARENA(absent_and_null_read_the_same),
        WITH_ARENA(numbers_come_in_many_clothes),
        WITH_ARENA(one_large_number_costs_the_others_no_digit),
        WITH_ARENA(unknown_words_are_other),
        WITH_ARENA(wrong_types_name_their_path),
        WITH_ARENA(required_fields_must_come),
        cmocka_unit_test(what_python_adds_to_json_is_understood),
        cmocka_unit_test(bad_json_is_described),
        cmocka_unit_test(paths_walk_objects_only),
        WITH_ARENA(recorded_workers_with_times_past_64_bits_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
