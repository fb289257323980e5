#include "base/fs.h"
#include "base/mem.h"
#include "base/yaml.h"
#include "unit/cmocka_all.h"
#include <stdlib.h>
#include <string.h>

static bool parse(const char *text, struct rt_ydoc *doc, struct rt_error *err) {
    return rt_yaml_parse("c.yaml", text, strlen(text), doc, err);
}

static void check_json(const char *text, const char *want) {
    struct rt_ydoc doc;
    struct rt_error err = {0};
    if (!parse(text, &doc, &err))
        fail_msg("%s", err.message);
    json_t *v = rt_ynode_json(doc.root);
    char *dump = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    assert_string_equal(dump, want);
    free(dump);
    json_decref(v);
    rt_yaml_deinit(&doc);
}

static void check_error(const char *text, const char *want) {
    struct rt_ydoc doc;
    struct rt_error err = {0};
    assert_false(parse(text, &doc, &err));
    assert_int_equal(err.code, RT_E_CONFIG);
    assert_string_equal(err.message, want);
    rt_yaml_deinit(&doc);
}

/* ---- the tree ---- */

static void nodes_know_line_and_column(void **state) {
    (void)state;
    struct rt_ydoc doc;
    struct rt_error err = {0};
    assert_true(parse("# first\nname: \xc3\xa4 b\nlist:\n  - one\n  -  'two'\n", &doc, &err));
    const struct rt_ynode *list = rt_ynode_get(doc.root, "list");
    assert_int_equal(doc.root->line, 2);
    assert_string_equal(rt_ynode_get(doc.root, "name")->text, "\xc3\xa4 b");
    assert_int_equal(list->n, 2);
    assert_int_equal(list->items[1]->line, 5);
    assert_int_equal(list->items[1]->column, 6);
    assert_true(list->items[1]->quoted);
    assert_false(list->items[0]->quoted);
    assert_string_equal(list->items[0]->file, "c.yaml");
    assert_null(rt_ynode_get(doc.root, "nam"));
    assert_null(rt_ynode_get(list, "name"));
    assert_null(rt_ynode_get(NULL, "name"));
    rt_ynode_error(list->items[1], &err, "no \"%s\"", "two");
    assert_string_equal(err.message, "c.yaml:5:6: no \"two\"");
    rt_yaml_deinit(&doc);
    rt_yaml_deinit(&doc);
}

static void a_byte_order_mark_is_no_part_of_the_first_line(void **state) {
    struct rt_ydoc d;
    struct rt_error err = {0};
    (void)state;
    if (!rt_yaml_parse("f", "\xef\xbb\xbf" "a: 1\nb: 2\n", 13, &d, &err))
        fail_msg("%s", err.message);
    assert_int_equal(d.root->n, 2);
    assert_int_equal(d.root->keys[0]->column, 1);
    rt_yaml_deinit(&d);
}

static void empty_documents_have_no_root(void **state) {
    (void)state;
    static const char *const texts[] = {"", "\n\n", "# only words\n", "---\n"};
    for (size_t i = 0; i < RT_COUNT(texts); i++) {
        struct rt_ydoc doc;
        struct rt_error err = {0};
        assert_true(parse(texts[i], &doc, &err));
        assert_true(doc.root == NULL || doc.root->text[0] == '\0');
        assert_true(
            rt_yaml_read(doc.root, (const struct rt_yfield[]){{0}}, NULL, NULL, NULL, NULL));
        rt_yaml_deinit(&doc);
    }
}

static void plain_scalars_are_typed_as_in_yaml_1_2(void **state) {
    (void)state;
    check_json("[1, -2, +3, 0x1F, 0o17, 1.5, .5, 1e3, ~, null, '', \"1\", '~', true, False, yes, "
               "NO, 0x, 1_000, 12:30]",
               "[1,-2,3,31,15,1.5,0.5,1000.0,null,null,\"\",\"1\",\"~\",true,false,\"yes\",\"NO\","
               "\"0x\",\"1_000\",\"12:30\"]");
    check_json("a: !!str 12\nb: |\n  x\n  y\nc:\n99999999999999999999: 9223372036854775807\n",
               "{\"a\":\"12\",\"b\":\"x\\ny\\n\",\"c\":null,\"99999999999999999999\":"
               "9223372036854775807}");
}

static void aliases_are_expanded(void **state) {
    (void)state;
    check_json("a: &x {k: [1, &y 2]}\nb: *x\nc: *y\n",
               "{\"a\":{\"k\":[1,2]},\"b\":{\"k\":[1,2]},\"c\":2}");
    check_json("a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}");
}

static void maps_are_merged(void **state) {
    (void)state;
    check_json("a: &a {x: 1, y: 2}\nb: {y: 3, <<: *a, z: 4}\n",
               "{\"a\":{\"x\":1,\"y\":2},\"b\":{\"y\":3,\"z\":4,\"x\":1}}");
    check_json("- &a {x: 1}\n- &b {x: 2, y: 3}\n- {<<: [*a, *b]}\n",
               "[{\"x\":1},{\"x\":2,\"y\":3},{\"x\":1,\"y\":3}]");
    check_json("- {<<: &a {x: &v 1}}\n- *a\n- *v\n", "[{\"x\":1},{\"x\":1},1]");
    check_json("{'<<': 1}", "{\"<<\":1}");
    check_error("<<: 3\n", "c.yaml:1:5: <<: only maps can be merged");
}

static void duplicate_keys_name_both_lines(void **state) {
    (void)state;
    check_error("name: a\nother: 1\n\"name\": b\n",
                "c.yaml:3:1: the key \"name\" stands in line 1 already");
}

static void yaml_errors_name_file_line_and_column(void **state) {
    (void)state;
    check_error("a: [1, 2\nb: 3\n", "c.yaml:2:2: did not find expected ',' or ']' (while parsing a "
                                    "flow sequence that begins in line 1)");
    check_error("a: *nobody\n", "c.yaml:1:4: *nobody: no anchor of this name ends above");
    check_error("a: &me [*me]\n", "c.yaml:1:9: *me: no anchor of this name ends above");
    check_error("a: 1\n---\nb: 2\n",
                "c.yaml:2:1: a second document: only one can stand in this file");
    check_error("? [1]\n: 2\n", "c.yaml:1:3: a key must be a plain text");
    check_error("a: \"x\\0y\"\n", "c.yaml:1:4: a NUL cannot stand in a text");
    check_error("a: b\nc: \x01\n", "c.yaml:2:4: control characters are not allowed");
    check_error("a: b\nc: d\xff\n", "c.yaml:2:5: invalid leading UTF-8 octet");
}

static void tabs_are_hinted_at(void **state) {
    (void)state;
    struct rt_ydoc doc;
    struct rt_error err = {0};
    assert_false(parse("a:\n\tb: 1\n", &doc, &err));
    assert_non_null(strstr(err.message, "c.yaml:2:1: "));
    assert_non_null(strstr(err.hint, "tabs"));
}

static void expansion_is_limited(void **state) {
    (void)state;
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_buf_adds(&b, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 9; i++) {
        rt_buf_addf(&b, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            rt_buf_addf(&b, "%s*a%d", k ? ", " : "", i - 1);
        rt_buf_adds(&b, "]\n");
    }
    check_error(rt_buf_str(&b), "c.yaml:5:45: more than 100000 values (aliases expanded)");

    rt_buf_clear(&b);
    char *big = rt_alloc(900 * RT_KIB + 1);
    memset(big, 'x', 900 * RT_KIB);
    rt_buf_addf(&b, "- &a %s\n", big);
    for (int i = 0; i < 100; i++)
        rt_buf_adds(&b, "- *a\n");
    check_error(rt_buf_str(&b), "c.yaml:10:3: more than 8 MiB of text (aliases expanded)");
    free(big);
    rt_buf_deinit(&b);
}

static void nesting_is_limited_also_through_aliases(void **state) {
    (void)state;
    char text[400] = "";
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    struct rt_ydoc doc;
    struct rt_error err = {0};
    assert_true(parse(text, &doc, &err));
    rt_yaml_deinit(&doc);
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    check_error(text, "c.yaml:1:65: nested deeper than 64 levels (aliases expanded)");

    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_buf_adds(&b, "a0: &a0 [[[[[[[[[[x]]]]]]]]]]\n");
    for (int i = 1; i < 9; i++)
        rt_buf_addf(&b, "a%d: &a%d [[[[[[[[[[*a%d]]]]]]]]]]\n", i, i, i - 1);
    check_error(rt_buf_str(&b), "c.yaml:7:19: nested deeper than 64 levels (aliases expanded)");
    rt_buf_deinit(&b);
}

static void large_files_are_refused(void **state) {
    (void)state;
    char *big = rt_alloc(RT_MIB + 2);
    memset(big, '#', RT_MIB + 1);
    check_error(big, "c.yaml: larger than 1 MiB");
    free(big);
}

static void loading_names_the_file_that_is_missing(void **state) {
    (void)state;
    struct rt_ydoc doc;
    struct rt_error err = {0};
    assert_false(rt_yaml_load("/nowhere/c.yaml", &doc, &err));
    assert_int_equal(err.code, RT_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nowhere/c.yaml"));
    rt_yaml_deinit(&doc);
}

/* ---- reading by fields ---- */

struct port {
    int64_t number;
    char *host;
};
struct conf {
    char *partition, *token;
    int64_t workers, walltime_ms, memory;
    double price;
    bool readonly;
    int transport;
    struct rt_strs modules, env;
    struct port port;
    const struct rt_ynode *node;
    int64_t even;
};

static bool parse_even(const struct rt_ynode *n, void *member, struct rt_error *err) {
    if (n->kind != RT_Y_SCALAR || !rt_parse_i64(n->text, member))
        return rt_ynode_error(n, err, "custom: a number is expected");
    if (*(int64_t *)member % 2)
        return rt_error_set(err, RT_E_CONFIG, "%s is odd", n->text);
    return true;
}

static const char *const transports[] = {"auto", "ssh", "direct", NULL};
static const struct rt_yfield port_fields[] = {
    {.key = "number",
     .off = offsetof(struct port, number),
     .type = RT_Y_I64,
     .min = 1,
     .max = 65535},
    {.key = "host", .off = offsetof(struct port, host), .type = RT_Y_STR},
    {0},
};
static const struct rt_yfield fields[] = {
    {.key = "partition",
     .alias = {"queue"},
     .off = offsetof(struct conf, partition),
     .type = RT_Y_STR},
    {.key = "token", .off = offsetof(struct conf, token), .type = RT_Y_STR, .secret = true},
    {.key = "workers",
     .off = offsetof(struct conf, workers),
     .type = RT_Y_I64,
     .min = 1,
     .max = 100},
    {.key = "walltime",
     .off = offsetof(struct conf, walltime_ms),
     .type = RT_Y_DURATION,
     .min = 60000},
    {.key = "memory", .off = offsetof(struct conf, memory), .type = RT_Y_SIZE},
    {.key = "price", .off = offsetof(struct conf, price), .type = RT_Y_F64},
    {.key = "readonly", .off = offsetof(struct conf, readonly), .type = RT_Y_BOOL},
    {.key = "transport",
     .off = offsetof(struct conf, transport),
     .type = RT_Y_ENUM,
     .names = transports},
    {.key = "modules", .off = offsetof(struct conf, modules), .type = RT_Y_STRS},
    {.key = "env", .off = offsetof(struct conf, env), .type = RT_Y_KVS},
    {.key = "port", .off = offsetof(struct conf, port), .type = RT_Y_STRUCT, .sub = port_fields},
    {.key = "node", .off = offsetof(struct conf, node), .type = RT_Y_NODE},
    {.key = "even", .off = offsetof(struct conf, even), .type = RT_Y_CUSTOM, .parse = parse_even},
    {0},
};
static const struct rt_yfield others[] = {{.key = "provider", .alias = {"kind"}}, {0}};

static void collect(void *ctx, const struct rt_error *err) {
    struct rt_buf *out = ctx;
    assert_int_equal(err->code, RT_E_CONFIG);
    rt_buf_addf(out, "%s\n", err->message);
    if (*err->hint)
        rt_buf_addf(out, "  %s\n", err->hint);
}

/* Reads the text into `c` and compares what was reported. */
static void check_read(const char *text, struct conf *c, const char *want_problems) {
    struct rt_ydoc doc;
    struct rt_error err = {0};
    struct rt_buf problems;
    rt_buf_init(&problems, 0);
    assert_true(parse(text, &doc, &err));
    bool ok = rt_yaml_read(doc.root, fields, others, c, collect, &problems);
    assert_string_equal(rt_buf_str(&problems), want_problems);
    assert_int_equal(ok, *want_problems == '\0');
    c->node = NULL;
    rt_buf_deinit(&problems);
    rt_yaml_deinit(&doc);
}

static void every_type_is_read(void **state) {
    (void)state;
    struct conf c = {0};
    check_read("partition: gpu\ntoken: 'yes'\nworkers: 12\nwalltime: 1h30m\nmemory: 2GiB\nprice: "
               "0.25\nreadonly: Yes\n"
               "transport: direct\nmodules: [a, b]\nenv: {A: 1, B: 'x y', C: }\nport: {number: "
               "8265, host: h}\n"
               "node: [1]\neven: 4\nprovider: slurm\nkind: x\n",
               &c, "");
    assert_string_equal(c.partition, "gpu");
    assert_string_equal(c.token, "yes");
    assert_int_equal(c.workers, 12);
    assert_int_equal(c.walltime_ms, 5400000);
    assert_true(c.memory == (int64_t)(2 * RT_GIB));
    assert_true(c.price == 0.25);
    assert_true(c.readonly);
    assert_int_equal(c.transport, 2);
    assert_int_equal(c.modules.n, 2);
    assert_string_equal(c.modules.v[1], "b");
    assert_int_equal(c.env.n, 3);
    assert_string_equal(c.env.v[0], "A=1");
    assert_string_equal(c.env.v[1], "B=x y");
    assert_string_equal(c.env.v[2], "C=");
    assert_int_equal(c.port.number, 8265);
    assert_string_equal(c.port.host, "h");
    assert_int_equal(c.even, 4);

    check_read("modules: one\nqueue: cpu\nport: {host: i}\nworkers:\n", &c, "");
    assert_int_equal(c.modules.n, 1);
    assert_string_equal(c.partition, "cpu");
    assert_string_equal(c.port.host, "i");
    assert_int_equal(c.port.number, 8265); /* what does not occur stays */
    assert_int_equal(c.workers, 12);

    rt_yaml_free(fields, &c);
    rt_yaml_free(fields, &c);
    assert_null(c.partition);
    assert_null(c.port.host);
    assert_int_equal(c.modules.n, 0);
    assert_int_equal(c.workers, 0);
}

static void every_problem_is_reported_and_the_good_fields_are_filled(void **state) {
    (void)state;
    struct conf c = {0};
    check_read("partion: gpu\nworkers: 0\nwalltime: soon\nmodules: [a, [b]]\nreadonly: "
               "true\nprovder: x\nzzzzzz: 1\n",
               &c,
               "c.yaml:1:1: unknown key \"partion\", did you mean \"partition\"?\n"
               "c.yaml:2:10: workers: 0 is not between 1 and 100\n"
               "c.yaml:3:11: walltime: \"soon\" is no duration\n"
               "  write 90s, 15m, 4h, 2d, 1h30m, HH:MM:SS or D-HH:MM:SS\n"
               "c.yaml:4:14: modules: a list where a text is expected\n"
               "c.yaml:6:1: unknown key \"provder\", did you mean \"provider\"?\n"
               "c.yaml:7:1: unknown key \"zzzzzz\"\n");
    assert_true(c.readonly);
    rt_yaml_free(fields, &c);
}

static void wrong_values_say_what_is_expected(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"partition: [a]", "c.yaml:1:12: partition: a list where a single value is expected\n"},
        {"workers: many", "c.yaml:1:10: workers: \"many\" is no whole number\n"},
        {"workers: 1.5", "c.yaml:1:10: workers: \"1.5\" is no whole number\n"},
        {"workers: 101", "c.yaml:1:10: workers: 101 is not between 1 and 100\n"},
        {"walltime: 59s", "c.yaml:1:11: walltime: 59s is less than 1m\n"},
        {"memory: big", "c.yaml:1:9: memory: \"big\" is no size\n  write 512MiB, 2GiB, 1.5G or a "
                        "number of bytes\n"},
        {"price: \"\"", "c.yaml:1:8: price: \"\" is no number\n"},
        {"readonly: maybe", "c.yaml:1:11: readonly: \"maybe\" is neither true nor false\n"},
        {"transport: sssh", "c.yaml:1:12: transport: unknown \"sssh\", did you mean \"ssh\"?\n  "
                            "one of: auto, ssh, direct\n"},
        {"transport: carrier-pigeon",
         "c.yaml:1:12: transport: unknown \"carrier-pigeon\"\n  one of: auto, ssh, direct\n"},
        {"modules: {a: 1}", "c.yaml:1:10: modules: a map where a list is expected\n"},
        {"env: [A=1]", "c.yaml:1:6: env: a list where a map is expected\n"},
        {"env: {A: [1]}", "c.yaml:1:10: env: A: a list where a text is expected\n"},
        {"env: {A=B: 1}", "c.yaml:1:7: env: \"A=B\" cannot be a name here\n"},
        {"port: 12", "c.yaml:1:7: port: a text where a map is expected\n"},
        {"port: {number: 70000, hst: x}",
         "c.yaml:1:16: number: 70000 is not between 1 and 65535\n"
         "c.yaml:1:23: unknown key \"hst\", did you mean \"host\"?\n"},
        {"even: [1]", "c.yaml:1:7: custom: a number is expected\n"},
        {"even: 3", "c.yaml:1:7: even: 3 is odd\n"},
        {"partition: a\nqueue: b",
         "c.yaml:2:1: \"queue\" is another name of \"partition\" in line 1\n"},
        {"[a]", "c.yaml:1:1: a list where a map is expected\n"},
        {"\"a\\eb\": 1", "c.yaml:1:1: unknown key \"a^[b\"\n"},
    };
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct conf c = {0};
        check_read(cases[i][0], &c, cases[i][1]);
        rt_yaml_free(fields, &c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_know_line_and_column),
        cmocka_unit_test(a_byte_order_mark_is_no_part_of_the_first_line),
        cmocka_unit_test(empty_documents_have_no_root),
        cmocka_unit_test(plain_scalars_are_typed_as_in_yaml_1_2),
        cmocka_unit_test(aliases_are_expanded),
        cmocka_unit_test(maps_are_merged),
        cmocka_unit_test(duplicate_keys_name_both_lines),
        cmocka_unit_test(yaml_errors_name_file_line_and_column),
        cmocka_unit_test(tabs_are_hinted_at),
        cmocka_unit_test(expansion_is_limited),
        cmocka_unit_test(nesting_is_limited_also_through_aliases),
        cmocka_unit_test(large_files_are_refused),
        cmocka_unit_test(loading_names_the_file_that_is_missing),
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(every_problem_is_reported_and_the_good_fields_are_filled),
        cmocka_unit_test(wrong_values_say_what_is_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
