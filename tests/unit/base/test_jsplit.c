#include "base/decode.h"
#include "base/jsplit.h"
#include "base/mem.h"
#include "base/str.h"
#include "unit/cmocka_all.h"
#include "unit/fixture.h"
#include <stdlib.h>
#include <string.h>

struct seen {
    struct rt_strs items;
    size_t stop_at; /* 0: never */
};

static bool keep(void *ctx, size_t index, const char *text, size_t n) {
    struct seen *seen = ctx;
    assert_int_equal(index, seen->items.n);
    rt_strs_take(&seen->items, rt_strndup(text, n));
    return seen->items.n != seen->stop_at;
}

/* Feeds the text in chunks of `first`, then `step` bytes. */
static bool split(const char *path, const char *text, size_t n, size_t first, size_t step,
                  struct seen *seen, char **rest, struct rt_error *err) {
    struct rt_jsplit *s = rt_jsplit_create(path, 1000000, keep, seen);
    bool ok = true;
    for (size_t at = 0, len = RT_MIN(first, n); ok && at < n;
         at += len, len = RT_MIN(step, n - at)) {
        char *chunk = malloc(len ? len : 1); /* of its own, so that reading beyond is seen */
        memcpy(chunk, text + at, len);
        ok = rt_jsplit_feed(s, chunk, len, err);
        free(chunk);
    }
    ok = ok && rt_jsplit_end(s, err);
    if (ok)
        assert_int_equal(rt_jsplit_count(s), seen->items.n);
    if (rest)
        *rest = rt_strdup(rt_jsplit_rest(s));
    rt_jsplit_destroy(s);
    return ok;
}

static bool split_whole(const char *path, const char *text, struct seen *seen, char **rest,
                        struct rt_error *err) {
    return split(path, text, strlen(text), SIZE_MAX, 1, seen, rest, err);
}

/* The elements are those that a full parse finds, wherever the text is cut. */
static void check_everywhere(const char *path, const char *text, size_t n) {
    struct rt_error err = {0};
    json_t *doc = rt_json_parse(text, n, &err);
    assert_non_null(doc);
    const json_t *list = rt_json_at(doc, path);
    char *want_rest = NULL;
    for (size_t cut = 0; cut <= n; cut++) {
        struct seen seen = {0};
        char *rest = NULL;
        if (!split(path, text, n, cut, cut == 0 ? 1 : SIZE_MAX, &seen, &rest, &err))
            fail_msg("cut at %zu: %s", cut, err.message);
        assert_int_equal(seen.items.n, json_array_size(list));
        for (size_t i = 0; i < seen.items.n && (cut < 2 || n < 400); i++) {
            json_t *item = rt_json_parse(seen.items.v[i], strlen(seen.items.v[i]), &err);
            assert_true(json_equal(item, json_array_get(list, i)));
            json_decref(item);
        }
        if (want_rest) {
            assert_string_equal(rest, want_rest);
            free(rest);
        } else {
            want_rest = rest;
        }
        rt_strs_deinit(&seen.items);
    }
    free(want_rest);
    json_decref(doc);
}

static void tricky_texts_are_cut_the_same_at_every_byte(void **state) {
    (void)state;
    static const char *const texts[] = {
        "[]",
        " [ ] ",
        "[1]",
        "[ 1 , -2.5e+3,true,false ,null ]\n",
        "[[],{},\"\"]",
        "[\"\\\"\", \"\\\\\", \"\\\\\\\"]}\", \"\\u00e4\\n\"]",
        "[{\"a\":\"}\"},{\"b]\":[\"[\",{\"c\":\"\\\"{\"}]},[[[1]]]]",
        "[\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\", {\"\xe2\x82\xac\":\"\xf0\x9f\x98\x80\"}]",
        ("[\"0123456789abcdef0123456789\\\\\\\\0123456789\\\"\",\"012345\\\"6\",\"0123456\\\\\","
         "1234567890123456]"),
    };
    for (size_t i = 0; i < RT_COUNT(texts); i++)
        check_everywhere("", texts[i], strlen(texts[i]));
}

static void a_path_finds_the_list_at_every_cut(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{\"data\":{\"result\":{\"result\":[1,{\"result\":[2]}],\"total\":2}}}",
        ("{\"result\":[9],\"x\":{\"data\":{\"result\":{\"result\":[8]}}},\"data\":{\"a\":[{"
         "\"result\":{\"result\":[7]}}],"
         "\"result\":{\"r\\\"\":1,\"result\": [ \"x\" , \"y\" ] , \"warnings\" : "
         "null}},\"msg\":\"a\\\"b\"}"),
        "{\"data\":{\"resul\":1,\"results\":2,\"result\":{\"\":0,\"result\":[]}}}",
    };
    for (size_t i = 0; i < RT_COUNT(texts); i++)
        check_everywhere("data.result.result", texts[i], strlen(texts[i]));
}

static void recorded_answers_are_cut_the_same_at_every_byte(void **state) {
    (void)state;
    static const char *const files[][2] = {
        {"ray-2.60.0/jobs_list.json", ""},
        {"ray-2.60.0/v0_nodes_detail.json", "data.result.result"},
        {"ray-2.60.0/workers_detail.json", "data.result.result"},
        {"ray-2.60.0/nodes_summary_busy.json", "data.summary"},
        {"ray-2.9.3/jobs_list.json", ""},
        {"ray-2.9.3/workers_detail.json", "data.result.result"},
    };
    for (size_t i = 0; i < RT_COUNT(files); i++) {
        size_t n;
        char *text = fixture(files[i][0], &n);
        check_everywhere(files[i][1], text, n);
        free(text);
    }
}

static void the_rest_keeps_what_stands_beside_the_list(void **state) {
    (void)state;
    struct seen seen = {0};
    struct rt_error err = {0};
    char *rest;
    assert_true(split_whole("data.result",
                            "{\"result\": true, \"data\": {\"total\": 3, \"result\": [1, 2], "
                            "\"warnings\": [\"a b\"]}}",
                            &seen, &rest, &err));
    assert_string_equal(
        rest, "{\"result\":true,\"data\":{\"total\":3,\"result\":[],\"warnings\":[\"a b\"]}}");
    free(rest);
    rt_strs_deinit(&seen.items);
}

static void an_error_answer_leaves_its_message_in_the_rest(void **state) {
    (void)state;
    struct seen seen = {0};
    struct rt_error err = {0};
    char *rest;
    assert_false(split_whole("data.result.result",
                             "{\"result\":false,\"msg\":\"why\",\"data\":{\"result\":null}}", &seen,
                             &rest, &err));
    assert_string_equal(err.message, "no list at data.result.result");
    assert_string_equal(rest, "{\"result\":false,\"msg\":\"why\",\"data\":{\"result\":null}}");
    free(rest);
}

static void wrong_answers_are_named(void **state) {
    (void)state;
    static const struct {
        const char *path, *text, *message;
    } cases[] = {
        {"", "", "an empty answer instead of JSON"},
        {"", " \n", "an empty answer instead of JSON"},
        {"", "<!DOCTYPE html><html>", "HTML instead of JSON"},
        {"a", "\n <html>", "HTML instead of JSON"},
        {"", "404: Not Found", "not JSON: \"404: Not Found\""},
        {"", "500 Internal Server Error\n\nServer got itself in trouble",
         "not JSON: \"500 Internal Server Error  Server got itself in trouble\""},
        {"",
         "Traceback (most recent call last):", "not JSON: \"Traceback (most recent call last):\""},
        {"", "\x1b]0;x\x07[", "not JSON: \"^[]0;x^G[\""},
        {"", "{\"msg\":1}", "an object instead of a list"},
        {"", "\"x\"", "a text instead of a list"},
        {"", "null", "null instead of a list"},
        {"", "12", "a value instead of a list"},
        {"data.x", "[]", "no list at data.x"},
        {"data.x", "{\"data\":{\"x\":null}}", "data.x is null, not a list"},
        {"data.x", "{\"data\":{\"x\":{}}}", "data.x is an object, not a list"},
        {"x", "{\"x\":[1],\"x\":[2]}", "x is a second list, not a list"},
        {"", "[1,2", "the answer breaks off after 4 bytes (1 elements)"},
        {"", "[1,", "the answer breaks off after 3 bytes (1 elements)"},
        {"", "[{\"a\":\"", "the answer breaks off after 7 bytes (0 elements)"},
        {"x", "{\"x\":[]", "the answer breaks off after 7 bytes (0 elements)"},
        {"", "[1,]", "not JSON: unexpected \"]\" at byte 3 (after 1 elements)"},
        {"", "[1 2]", "not JSON: unexpected \"2\" at byte 3 (after 1 elements)"},
        {"", "[,1]", "not JSON: \"[,1]\""},
        {"", "[1]]", "not JSON: unexpected \"]\" at byte 3 (after 1 elements)"},
        {"", "[1] x", "not JSON: unexpected \"x\" at byte 4 (after 1 elements)"},
        {"", "[1}", "not JSON: unexpected \"}\" at byte 2 (after 1 elements)"},
        {"", "[1,{]}", "not JSON: unexpected \"]\" at byte 4 (after 1 elements)"},
        {"x", "{\"x\" [1]}", "not JSON: \"{\"x\" [1]}\""},
        {"x", "{\"x\":[1],}", "not JSON: unexpected \"}\" at byte 9 (after 1 elements)"},
        {"x", "{x:[1]}", "not JSON: \"{x:[1]}\""},
    };
    for (size_t i = 0; i < RT_COUNT(cases); i++)
        for (size_t step = 1; step < 3; step++) {
            struct seen seen = {0};
            struct rt_error err = {0};
            const char *text = cases[i].text;
            /* what the head shows depends on the chunk: whole first chunk, or a byte at a time */
            bool ok = split(cases[i].path, text, strlen(text), step == 1 ? SIZE_MAX : 1, 1, &seen,
                            NULL, &err);
            assert_false(ok);
            assert_int_equal(err.code, RT_E_PROTOCOL);
            if (step == 1)
                assert_string_equal(err.message, cases[i].message);
            rt_strs_deinit(&seen.items);
        }
}

static void an_error_is_told_again_to_who_feeds_on(void **state) {
    (void)state;
    struct seen seen = {0};
    struct rt_error err = {0}, again = {0}, end = {0};
    struct rt_jsplit *s = rt_jsplit_create("", 0, keep, &seen);
    assert_false(rt_jsplit_feed(s, "<p>", 3, &err));
    assert_false(rt_jsplit_feed(s, "[1]", 3, &again));
    assert_string_equal(again.message, err.message);
    assert_false(rt_jsplit_end(s, &end));
    assert_string_equal(end.message, err.message);
    rt_jsplit_destroy(s);
}

static char *nested(size_t levels) {
    char *text = rt_alloc(2 * levels + 1);
    memset(text, '[', levels);
    memset(text + levels, ']', levels);
    return text;
}

static void nesting_is_limited_inside_and_outside_the_list(void **state) {
    (void)state;
    struct rt_error err = {0};
    for (int outside = 0; outside < 2; outside++) {
        struct seen seen = {0};
        char *fine = nested(200 - (size_t)outside), *deep = nested(201 - (size_t)outside);
        char *fine_text = outside ? rt_strf("{\"y\":%s,\"x\":[]}", fine) : rt_strdup(fine);
        char *deep_text = outside ? rt_strf("{\"y\":%s,\"x\":[]}", deep) : rt_strdup(deep);
        assert_true(split_whole(outside ? "x" : "", fine_text, &seen, NULL, &err));
        rt_strs_deinit(&seen.items);
        assert_false(split_whole(outside ? "x" : "", deep_text, &seen, NULL, &err));
        assert_int_equal(err.code, RT_E_LIMIT);
        assert_string_equal(err.message, "JSON nested deeper than 200 levels");
        rt_strs_deinit(&seen.items);
        free(fine);
        free(deep);
        free(fine_text);
        free(deep_text);
    }
}

static void an_element_may_be_as_large_as_the_cap_and_no_larger(void **state) {
    (void)state;
    for (size_t step = 1; step < 4; step++)
        for (size_t over = 0; over < 2; over++) {
            struct seen seen = {0};
            struct rt_error err = {0};
            struct rt_jsplit *s = rt_jsplit_create("", 10, keep, &seen);
            const char *text = over ? "[1,\"123456789\"]" : "[1,\"12345678\"]";
            bool ok = true;
            for (size_t at = 0, n = strlen(text); ok && at < n; at += step)
                ok = rt_jsplit_feed(s, text + at,
                                    step == 3 ? RT_MIN(3, n - at) : RT_MIN(step, n - at), &err);
            assert_int_equal(ok, !over);
            if (over) {
                assert_int_equal(err.code, RT_E_LIMIT);
                assert_string_equal(err.message, "element 1 is larger than 10 bytes");
            }
            rt_jsplit_destroy(s);
            rt_strs_deinit(&seen.items);
        }
}

static void the_callback_can_stop(void **state) {
    (void)state;
    struct seen seen = {.stop_at = 2};
    struct rt_error err = {0};
    assert_false(split_whole("", "[1,2,3]", &seen, NULL, &err));
    assert_int_equal(seen.items.n, 2);
    assert_int_equal(err.code, RT_OK);
    rt_strs_deinit(&seen.items);
}

static void a_rest_that_is_too_large_is_left_out(void **state) {
    (void)state;
    struct seen seen = {0};
    struct rt_error err = {0};
    size_t n = 5 * RT_MIB;
    char *big = rt_alloc(n + 1), *rest;
    memset(big, 'x', n);
    char *text = rt_strf("{\"big\":\"%s\",\"x\":[1]}", big);
    assert_true(split_whole("x", text, &seen, &rest, &err));
    assert_string_equal(rest, "");
    assert_int_equal(seen.items.n, 1);
    free(rest);
    free(big);
    free(text);
    rt_strs_deinit(&seen.items);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tricky_texts_are_cut_the_same_at_every_byte),
        cmocka_unit_test(a_path_finds_the_list_at_every_cut),
        cmocka_unit_test(recorded_answers_are_cut_the_same_at_every_byte),
        cmocka_unit_test(the_rest_keeps_what_stands_beside_the_list),
        cmocka_unit_test(an_error_answer_leaves_its_message_in_the_rest),
        cmocka_unit_test(wrong_answers_are_named),
        cmocka_unit_test(an_error_is_told_again_to_who_feeds_on),
        cmocka_unit_test(nesting_is_limited_inside_and_outside_the_list),
        cmocka_unit_test(an_element_may_be_as_large_as_the_cap_and_no_larger),
        cmocka_unit_test(the_callback_can_stop),
        cmocka_unit_test(a_rest_that_is_too_large_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
