#include "ui/outline.h"

#include "fakeshell.h"

bool rt_ui_key(struct rt_ui *ui, struct rt_key k) { (void)ui; (void)k; return false; }

static bool with_third;

static void fill(struct rt_outline *o) {
    rt_outline_fold(o, 0, "pools", "pools", true);
    rt_outline_fold(o, 1, "pool/a", "a", false);
    rt_outline_add(o, 2, "node/1", "one");
    rt_outline_fold(o, 1, "pool/b", "b", true);
    rt_outline_add(o, 2, "node/2", "two \x1b[31m")->command = rt_strdup("detail 2");
    if (with_third)
        rt_outline_add(o, 0, "jobs", "jobs");
}

static const struct rt_view_ops ops = {.name = "tree", .command = rt_outline_command};

static void run(struct rt_outline *o, const char *line) {
    struct rt_strs w = {0};
    struct rt_error err = {0};
    assert_true(rt_split_words(line, &w, &err));
    assert_int_equal(rt_outline_command(&o->view, &w, &err), RT_TAKEN_YES);
    rt_strs_deinit(&w);
}

static const char *here(struct rt_outline *o) {
    return rt_outline_here(o)->key;
}

static void folds_hide_what_is_deeper_and_the_cursor_skips_it(void **state) {
    struct rt_ui ui = {0};
    struct rt_outline o = {0};
    (void)state;
    with_third = true;
    rt_outline_init(&o, &ui, &ops, fill);
    assert_string_equal(here(&o), "pools");
    assert_int_equal(o.seen.n, 5); /* "one" lies in a shut fold */
    run(&o, "move 2");
    assert_string_equal(here(&o), "pool/b");
    run(&o, "move -1");
    run(&o, "unfold");
    assert_int_equal(o.seen.n, 6);
    run(&o, "move 1");
    assert_string_equal(here(&o), "node/1");
    run(&o, "fold"); /* up to what it belongs to, then shut that */
    assert_string_equal(here(&o), "pool/a");
    run(&o, "fold");
    assert_int_equal(o.seen.n, 5);
    run(&o, "fold-all");
    assert_int_equal(o.seen.n, 2);
    rt_outline_deinit(&o);
}

static void cursor_and_folds_survive_a_new_filling(void **state) {
    struct rt_ui ui = {0};
    struct rt_outline o = {0};
    (void)state;
    with_third = true;
    rt_outline_init(&o, &ui, &ops, fill);
    run(&o, "move 1");
    run(&o, "unfold");
    run(&o, "move 3");
    assert_string_equal(here(&o), "node/2");
    o.dirty = true;
    assert_string_equal(here(&o), "node/2");
    assert_int_equal(o.seen.n, 6);
    run(&o, "move last");
    with_third = false;
    o.dirty = true;
    assert_string_equal(here(&o), "node/2"); /* the last row went: the one before */
    rt_outline_deinit(&o);
}

static void a_filter_leaves_what_matches_its_way_and_what_is_below(void **state) {
    struct rt_ui ui = {0};
    struct rt_outline o = {0};
    struct rt_buf title;
    (void)state;
    with_third = true;
    rt_outline_init(&o, &ui, &ops, fill);
    run(&o, "filter one"); /* in a fold that is shut */
    assert_int_equal(o.seen.n, 3);
    assert_string_equal(o.rows.v[o.seen.v[1]].key, "pool/a");
    assert_string_equal(o.rows.v[o.seen.v[2]].key, "node/1");
    run(&o, "filter b");
    assert_int_equal(o.seen.n, 4); /* pools, b, two, jobs */
    assert_string_equal(o.rows.v[o.seen.v[2]].key, "node/2");
    rt_buf_init(&title, 0);
    rt_outline_title(&o, &title);
    assert_string_equal(rt_buf_str(&title), "</b>  ");
    rt_buf_deinit(&title);
    run(&o, "filter nothing-has-this");
    assert_int_equal(o.seen.n, 0);
    run(&o, "move 1");
    o.dirty = true; /* stays while rows come anew */
    assert_null(rt_outline_here(&o));
    assert_true(rt_outline_back(&o.view));
    assert_int_equal(o.seen.n, 5);
    assert_false(rt_outline_back(&o.view));
    rt_outline_deinit(&o);
}

static void enter_runs_what_a_row_says_or_folds_it(void **state) {
    struct rt_ui ui = {0};
    struct rt_outline o = {0};
    (void)state;
    with_third = false;
    rt_outline_init(&o, &ui, &ops, fill);
    run(&o, "move last");
    assert_null(strchr(rt_outline_here(&o)->text, '\x1b'));
    run(&o, "enter");
    assert_int_equal(ui.lines.n, 1);
    assert_string_equal(ui.lines.v[0], "detail 2");
    run(&o, "move first");
    run(&o, "enter");
    assert_int_equal(o.seen.n, 1);
    rt_outline_deinit(&o);
    rt_strs_deinit(&ui.lines);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_hide_what_is_deeper_and_the_cursor_skips_it),
        cmocka_unit_test(cursor_and_folds_survive_a_new_filling),
        cmocka_unit_test(a_filter_leaves_what_matches_its_way_and_what_is_below),
        cmocka_unit_test(enter_runs_what_a_row_says_or_folds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
