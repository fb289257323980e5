/* JSON as YAML: what is printed is read again as the same. */
#include "base/yaml.h"
#include "base/mem.h"
#include "unit/cmocka_all.h"
#include <stdlib.h>
#include <string.h>

static void reads_as(const char *json, const char *yaml) {
    struct rt_error err = {0};
    struct rt_buf out;
    struct rt_ydoc doc;
    json_t *v = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(v);
    rt_buf_init(&out, 0);
    rt_yaml_print(&out, v);
    if (yaml)
        assert_string_equal(rt_buf_str(&out), yaml);
    if (!rt_yaml_parse("x", rt_buf_str(&out), out.len, &doc, &err))
        fail_msg("%s\n%s", err.message, rt_buf_str(&out));
    json_t *again = rt_ynode_json(doc.root);
    if (!json_equal(v, again))
        fail_msg("%s is read as something else:\n%s", json, rt_buf_str(&out));
    json_decref(again);
    json_decref(v);
    rt_yaml_deinit(&doc);
    rt_buf_deinit(&out);
}

static void maps_and_lists_stand_in_blocks(void **state) {
    (void)state;
    reads_as("{\"a\": 1, \"b\": {\"c\": [\"x\", {\"d\": true, \"e\": {\"f\": null}}], \"g\": {}, \"h\": []}}",
             "a: 1\nb:\n  c:\n  - x\n  - d: true\n    e:\n      f: null\n  g: {}\n  h: []\n");
    reads_as("[[1, 2], {\"a\": [3]}]", "- - 1\n  - 2\n- a:\n  - 3\n");
}

static void texts_that_look_like_something_else_are_quoted(void **state) {
    (void)state;
    reads_as("{\"a\": \"1\", \"b\": \"true\", \"c\": \"2Gi\", \"d\": \"\", \"e\": \"a: b\", \"f\": \"x #y\", \"on\": \"- z\"}",
             "a: \"1\"\nb: \"true\"\nc: 2Gi\nd: \"\"\ne: \"a: b\"\nf: \"x #y\"\n\"on\": \"- z\"\n");
    reads_as("{\"lines\": \"a\\nb\\t\\u0001\", \"more\": \"\\u00e4 {x}\"}", NULL);
    reads_as("{\"nvidia.com/gpu\": \"1\", \"half\": 0.5, \"less\": -3}", NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_and_lists_stand_in_blocks),
        cmocka_unit_test(texts_that_look_like_something_else_are_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
