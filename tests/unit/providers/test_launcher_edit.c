/* One number of Ray's YAML changed: no other byte moves, whatever the style; what cannot be changed alone is refused. */
#include "unit/cmocka_all.h"
#include "unit/fixture.h"

#include "providers/launcher_file.h"
#include <string.h>

#define LOCAL RT_LAUNCHER_LOCAL_TYPE

static bool edit(const char *text, const char *type, const char *key, int64_t n, struct rt_buf *out, struct rt_error *err) {
    rt_buf_init(out, 0);
    return rt_launcher_edit("c.yaml", text, strlen(text), type, key, n, out, err);
}

static void becomes(const char *text, const char *type, const char *key, int64_t n, const char *expected) {
    struct rt_buf out;
    struct rt_error err = {0};
    if (!edit(text, type, key, n, &out, &err))
        fail_msg("%s\n%s", err.message, text);
    assert_string_equal(rt_buf_str(&out), expected);
    rt_buf_deinit(&out);
}

static void refused(const char *text, const char *type, const char *key, enum rt_code code, const char *why) {
    struct rt_buf out;
    struct rt_error err = {0};
    if (edit(text, type, key, 3, &out, &err) || err.code != code || !strstr(err.message, why))
        fail_msg("%s: %s\n%s", why, err.message[0] ? err.message : rt_buf_str(&out), text);
    assert_int_equal(out.len, 0);
    rt_buf_deinit(&out);
}

/* A cloud cluster around one type `w`, given as it stands behind "  w:". */
#define CLOUD(type) "cluster_name: a\nprovider: {type: aws}\navailable_node_types:\n  w:" type

static void a_number_is_replaced_and_nothing_else(void **state) {
    (void)state;
    becomes(CLOUD("\n    min_workers:   2   # why\n    max_workers: 6\n"), "w", "min_workers", 13,
            CLOUD("\n    min_workers:   13   # why\n    max_workers: 6\n"));
    becomes(CLOUD("\n    \"max_workers\" : 6"), "w", "max_workers", 7, CLOUD("\n    \"max_workers\" : 7"));
    becomes(CLOUD(" {resources: {CPU: 1},min_workers: 2,max_workers: 6} # x"), "w", "min_workers", 0,
            CLOUD(" {resources: {CPU: 1},min_workers: 0,max_workers: 6} # x"));
    becomes("min_workers: 1\nprovider: {type: local}\n", LOCAL, "min_workers", 2, "min_workers: 2\nprovider: {type: local}\n");
    becomes("provider: {type: local}\nmin_workers:\n  1\n", LOCAL, "min_workers", 2, "provider: {type: local}\nmin_workers:\n  2\n");
}

static void line_ends_byte_order_mark_and_wide_letters_stay(void **state) {
    (void)state;
    becomes("\xef\xbb\xbf# \xc3\xa4\r\nprovider: {type: local}\r\nmax_workers: 1\r\n", LOCAL, "max_workers", 22,
            "\xef\xbb\xbf# \xc3\xa4\r\nprovider: {type: local}\r\nmax_workers: 22\r\n");
    becomes("provider: {type: local, x: \"\xf0\x9f\x98\x80\xc3\xa4\"}\nmetadata: {\"\xe6\xbc\xa2\": a}\nmin_workers: 1", LOCAL,
            "min_workers", 2, "provider: {type: local, x: \"\xf0\x9f\x98\x80\xc3\xa4\"}\nmetadata: {\"\xe6\xbc\xa2\": a}\nmin_workers: 2");
    becomes("{\"provider\": {\"type\": \"local\", \"\xf0\x9f\x98\x80\": \"\xc3\xa4\"}, \"min_workers\": 1}", LOCAL, "min_workers", 2,
            "{\"provider\": {\"type\": \"local\", \"\xf0\x9f\x98\x80\": \"\xc3\xa4\"}, \"min_workers\": 2}");
    becomes("provider: {type: local} # \xe2\x80\xa8min_workers: 1\n", LOCAL, "min_workers", 2,
            "provider: {type: local} # \xe2\x80\xa8min_workers: 2\n");
    becomes("---\n# a\nprovider: {type: local}\nmin_workers: 1\n...\n", LOCAL, "min_workers", 2,
            "---\n# a\nprovider: {type: local}\nmin_workers: 2\n...\n");
}

static void a_missing_number_gets_a_line_in_the_style_of_the_block(void **state) {
    (void)state;
    becomes(CLOUD("\n      # what one has\n      resources: {}\n"), "w", "min_workers", 1,
            CLOUD("\n      min_workers: 1\n      # what one has\n      resources: {}\n"));
    becomes(CLOUD(" # everyday\n    resources: {}"), "w", "min_workers", 1, CLOUD(" # everyday\n    min_workers: 1\n    resources: {}"));
    becomes(CLOUD("\n    resources: {}\n    max_workers: 2 # two\n    node_config: {}\n"), "w", "min_workers", 1,
            CLOUD("\n    resources: {}\n    min_workers: 1\n    max_workers: 2 # two\n    node_config: {}\n"));
    becomes(CLOUD("\n    resources: {}\n    min_workers: 2 # two"), "w", "max_workers", 3,
            CLOUD("\n    resources: {}\n    min_workers: 2 # two\n    max_workers: 3"));
    becomes("provider: {type: aws}\r\navailable_node_types:\r\n  w:\r\n   resources: {}\r\n", "w", "max_workers", 3,
            "provider: {type: aws}\r\navailable_node_types:\r\n  w:\r\n   max_workers: 3\r\n   resources: {}\r\n");
}

static void a_missing_number_goes_into_a_flow_map(void **state) {
    (void)state;
    becomes(CLOUD(" {}\n"), "w", "min_workers", 1, CLOUD(" {min_workers: 1}\n"));
    becomes(CLOUD(" {resources: {}} # x\n"), "w", "min_workers", 1, CLOUD(" {min_workers: 1, resources: {}} # x\n"));
    becomes(CLOUD(" {\n    resources: {},\n  }\n"), "w", "min_workers", 1, CLOUD(" {min_workers: 1,\n    resources: {},\n  }\n"));
    becomes("{\"provider\": {\"type\": \"local\"}}", LOCAL, "min_workers", 1, "{\"min_workers\": 1, \"provider\": {\"type\": \"local\"}}");
}

static void of_a_local_cluster_the_top_of_the_file_is_meant(void **state) {
    (void)state;
    becomes("# x\ncluster_name: a # y\nprovider: {type: local}\n", LOCAL, "min_workers", 1,
            "# x\ncluster_name: a # y\nmin_workers: 1\nprovider: {type: local}\n");
    becomes("provider: {type: local}\ncluster_name: a", LOCAL, "min_workers", 1,
            "provider: {type: local}\ncluster_name: a\nmin_workers: 1");
    becomes("\xef\xbb\xbfprovider: {type: local}\n", LOCAL, "min_workers", 1, "\xef\xbb\xbfmin_workers: 1\nprovider: {type: local}\n");
    becomes("cluster_name: >\n  a\nprovider: {type: local}\n", LOCAL, "max_workers", 1,
            "max_workers: 1\ncluster_name: >\n  a\nprovider: {type: local}\n");
}

static void an_anchor_that_nobody_else_uses_for_it_is_no_hindrance(void **state) {
    (void)state;
    becomes(CLOUD(" &w\n    min_workers: 1\n    node_config: {}\n"), "w", "min_workers", 2,
            CLOUD(" &w\n    min_workers: 2\n    node_config: {}\n"));
    becomes(CLOUD(" &w {resources: {}}\n"), "w", "min_workers", 2, CLOUD(" &w {min_workers: 2, resources: {}}\n"));
    becomes(CLOUD(" &w\n    resources: {}\n"), "w", "min_workers", 2, CLOUD(" &w\n    min_workers: 2\n    resources: {}\n"));
}

static void a_merged_number_is_overridden_where_it_is_merged(void **state) {
    (void)state;
    becomes("provider: {type: aws}\navailable_node_types:\n  a: &a\n    min_workers: 1\n  b:\n    <<: *a\n    resources: {}\n", "b",
            "min_workers", 4,
            "provider: {type: aws}\navailable_node_types:\n  a: &a\n    min_workers: 1\n  b:\n    min_workers: 4\n    <<: *a\n    "
            "resources: {}\n");
    becomes("provider: {type: aws}\navailable_node_types:\n  a: &a {min_workers: 1}\n  b: {<<: *a}\n", "b", "min_workers", 4,
            "provider: {type: aws}\navailable_node_types:\n  a: &a {min_workers: 1}\n  b: {min_workers: 4, <<: *a}\n");
}

static void what_would_change_something_else_is_refused(void **state) {
    static const char two[] = "provider: {type: aws}\navailable_node_types:\n  a: &a\n    min_workers: 1\n    n: &n 5\n  b: *a\n  c:\n    "
                              "<<: *a\n  d: {min_workers: *n}\n"
                              "  e: {min_workers: &m 2}\n  f: {min_workers: !!int 2}\n  g: {min_workers: \"2\"}\n  h: {min_workers: }\n  "
                              "i: {min_workers: [2]}\n  j:\n  k: 5\n";
    (void)state;
    refused(two, "a", "min_workers", RT_E_UNSUPPORTED, "cannot be changed alone");
    refused(two, "b", "min_workers", RT_E_UNSUPPORTED, "comes from an anchor");
    refused(two, "c", "min_workers", RT_E_UNSUPPORTED, "its place is not known");
    refused(two, "d", "min_workers", RT_E_UNSUPPORTED, "it stands in an anchor");
    refused(two, "e", "min_workers", RT_E_UNSUPPORTED, "an anchor or a tag of its own");
    refused(two, "f", "min_workers", RT_E_UNSUPPORTED, "an anchor or a tag of its own");
    refused(two, "g", "min_workers", RT_E_UNSUPPORTED, "it is no number");
    refused(two, "h", "min_workers", RT_E_UNSUPPORTED, "it is no number");
    refused(two, "i", "min_workers", RT_E_UNSUPPORTED, "it is no number");
    refused(two, "j", "min_workers", RT_E_UNSUPPORTED, "the node type is no map");
    refused(two, "k", "min_workers", RT_E_UNSUPPORTED, "the node type is no map");
    refused(two, "a", "max_workers", RT_E_UNSUPPORTED, "cannot be changed alone");
}

static void what_is_not_there_is_said(void **state) {
    struct rt_buf out;
    struct rt_error err = {0};
    (void)state;
    refused(CLOUD(" {}\n"), "x", "min_workers", RT_E_NOT_FOUND, "no node type x");
    refused("provider: {type: aws}\n", "ray.worker.default", "min_workers", RT_E_NOT_FOUND, "no node type ray.worker.default");
    refused("provider: {type: local}\n", "cpu", "min_workers", RT_E_NOT_FOUND, "no node type cpu");
    refused("provider: [", LOCAL, "min_workers", RT_E_CONFIG, "c.yaml:2:1: ");
    refused("", LOCAL, "min_workers", RT_E_NOT_FOUND, "no node type");
    assert_false(edit("provider: {type: local}\n", LOCAL, "min_workers", -1, &out, &err));
    rt_buf_deinit(&out);
}

static void a_file_of_a_person_changes_in_one_line_and_is_read_so(void **state) {
    char *text = fixture("launcher/yaml/gcp.yaml", NULL);
    static const struct {
        const char *type, *key;
        int64_t n;
    } all[] = {{"cpu", "min_workers", 3}, {"cpu", "max_workers", 8},   {"gpu", "min_workers", 1},
               {"gpu", "max_workers", 5}, {"plain", "min_workers", 1}, {"head", "max_workers", 0}};
    (void)state;
    for (size_t i = 0; i < RT_COUNT(all); i++) {
        struct rt_buf out;
        struct rt_error err = {0};
        struct rt_launcher_file f;
        if (!edit(text, all[i].type, all[i].key, all[i].n, &out, &err))
            fail_msg("%s", err.message);
        assert_true(rt_launcher_parse("c.yaml", rt_buf_str(&out), out.len, &f, NULL, NULL));
        const struct rt_launcher_type *t = rt_launcher_type(&f, all[i].type);
        assert_int_equal(rt_streq(all[i].key, "min_workers") ? t->min : t->max, all[i].n);
        rt_launcher_deinit(&f);
        rt_buf_deinit(&out);
    }
    free(text);
}

/* ---- the diff ---- */

static void differ(const char *before, const char *after, const char *expected) {
    struct rt_buf out;
    rt_buf_init(&out, 0);
    rt_launcher_diff("c.yaml", before, after, &out);
    assert_string_equal(rt_buf_str(&out), expected);
    rt_buf_deinit(&out);
}

static void a_diff_shows_the_change_and_two_lines_around(void **state) {
    (void)state;
    differ("a\nb\nc\nd\ne\nf\n", "a\nb\nc\nD\ne\nf\n", "--- c.yaml\n+++ c.yaml\n@@ -2,5 +2,5 @@\n b\n c\n-d\n+D\n e\n f\n");
    differ("a\nb\n", "a\nx\nb\n", "--- c.yaml\n+++ c.yaml\n@@ -1,2 +1,3 @@\n a\n+x\n b\n");
    differ("a\r\nb\r\n", "a\r\nc\r\n", "--- c.yaml\n+++ c.yaml\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
    differ("a\nb", "a\nc",
           "--- c.yaml\n+++ c.yaml\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n");
    differ("", "a\n", "--- c.yaml\n+++ c.yaml\n@@ -0,0 +1,1 @@\n+a\n");
    differ("a\na\n", "a\n", "--- c.yaml\n+++ c.yaml\n@@ -1,2 +1,1 @@\n a\n-a\n");
    differ("a\n", "a\n", "");
    differ("", "", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_replaced_and_nothing_else),
        cmocka_unit_test(line_ends_byte_order_mark_and_wide_letters_stay),
        cmocka_unit_test(a_missing_number_gets_a_line_in_the_style_of_the_block),
        cmocka_unit_test(a_missing_number_goes_into_a_flow_map),
        cmocka_unit_test(of_a_local_cluster_the_top_of_the_file_is_meant),
        cmocka_unit_test(an_anchor_that_nobody_else_uses_for_it_is_no_hindrance),
        cmocka_unit_test(a_merged_number_is_overridden_where_it_is_merged),
        cmocka_unit_test(what_would_change_something_else_is_refused),
        cmocka_unit_test(what_is_not_there_is_said),
        cmocka_unit_test(a_file_of_a_person_changes_in_one_line_and_is_read_so),
        cmocka_unit_test(a_diff_shows_the_change_and_two_lines_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
