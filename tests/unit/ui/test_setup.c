/* Columns and order as a person has them: applied, kept, and a file that is broken. */
#include "ui/setup.h"

#include "base/fs.h"
#include "unit/cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char *dir;

static int make_dir(void **state) {
    static char name[] = "/tmp/rt-setup-XXXXXX";
    (void)state;
    dir = mkdtemp(name);
    return dir ? 0 : -1;
}

static int drop_dir(void **state) {
    struct rt_error err = {0};
    (void)state;
    return rt_remove_tree(dir, &err) ? 0 : -1;
}

static void set(struct rt_setup *s, const char *words) {
    struct rt_strs ids = {0};
    struct rt_error err = {0};
    assert_true(rt_split_words(words, &ids, &err));
    rt_setup_columns(s, &rt_table_pgs, &ids);
    rt_strs_deinit(&ids);
}

/* Nothing is set: the table as it is. */
static void check_plain(const struct rt_setup *s) {
    struct rt_column out[40];
    const size_t n = rt_setup_apply(s, &rt_table_pgs, out, RT_COUNT(out));
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(out[i].id, rt_table_pgs.columns[i].id);
        assert_int_equal(out[i].wide, rt_table_pgs.columns[i].wide);
    }
    assert_null(out[n].id);
    assert_null(rt_table_pgs.columns[n].id);
}

static void chosen_columns_come_first_in_their_order_and_the_others_are_wide(void **state) {
    struct rt_setup s = {0};
    (void)state;
    const char *first = rt_table_pgs.columns[0].id, *second = rt_table_pgs.columns[1].id;
    char words[200];
    snprintf(words, sizeof words, "%s no-such %s %s", second, first, second);
    set(&s, words);
    struct rt_column out[40];
    assert_true(rt_setup_apply(&s, &rt_table_pgs, out, RT_COUNT(out)) > 2);
    assert_string_equal(out[0].id, second);
    assert_string_equal(out[1].id, first);
    assert_false(out[0].wide);
    assert_false(out[1].wide);
    assert_true(out[2].wide);
    assert_int_equal(rt_setup_apply(&s, &rt_table_pgs, out, 2), 1); /* as many as there is room for */
    rt_setup_columns(&s, &rt_table_pgs, NULL);
    assert_int_equal(rt_setup_find(&s, "pgs")->columns.n, 0);
    set(&s, "no-such neither"); /* nothing is left: the table's own */
    check_plain(&s);
    rt_setup_deinit(&s);
}

static void what_is_kept_is_found_again_and_is_private(void **state) {
    struct rt_setup s = {0}, again;
    struct rt_error err = {0};
    struct stat st;
    char path[200], words[100];
    (void)state;
    snprintf(path, sizeof path, "%s/state/ui.json", dir);
    assert_true(rt_setup_load(&s, path, &err)); /* none is there: fine */
    assert_int_equal(err.code == RT_OK || err.code == RT_E_NOT_FOUND, true);
    snprintf(words, sizeof words, "%s %s", rt_table_pgs.columns[1].id, rt_table_pgs.columns[0].id);
    set(&s, words);
    rt_setup_sort(&s, &rt_table_jobs, "-status");
    rt_setup_sort(&s, &rt_table_pgs, rt_table_pgs.default_sort);
    assert_true(s.changed);
    assert_true(rt_setup_save(&s, path, &err));
    assert_false(s.changed);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    err = (struct rt_error){0};
    assert_true(rt_setup_load(&again, path, &err));
    assert_string_equal(rt_setup_find(&again, "jobs")->sort, "-status");
    assert_null(rt_setup_find(&again, "pgs")->sort);
    assert_string_equal(rt_setup_find(&again, "pgs")->columns.v[0], rt_table_pgs.columns[1].id);
    rt_setup_deinit(&s);
    rt_setup_deinit(&again);
}

static void a_broken_file_is_said_and_ignored(void **state) {
    static const char *const texts[] = {
        "", "{", "[]", "{\"schema\": 2, \"tables\": {}}", "{\"schema\": 1, \"tables\": []}", "{\"schema\": 1, \"tables\": {\"jobs\": 3}}",
        "{\"schema\": 1, \"tables\": {\"jobs\": {\"columns\": [3]}}}", "{\"schema\": 1, \"tables\": {\"jobs\": {\"sort\": []}}}",
        "{\"schema\": 1, \"tables\": {\"jobs\": {\"sort\": \"id\"}, \"x\": {\"columns\": \"id\"}}}"};
    char path[200];
    (void)state;
    snprintf(path, sizeof path, "%s/broken.json", dir);
    for (size_t i = 0; i < RT_COUNT(texts); i++) {
        struct rt_setup s;
        struct rt_error err = {0};
        assert_true(rt_file_write(path, texts[i], strlen(texts[i]), &err));
        assert_false(rt_setup_load(&s, path, &err));
        assert_non_null(strstr(err.message, "broken.json is ignored: "));
        assert_int_equal(s.tables.n, 0);
            struct rt_column out[40];
        assert_true(rt_setup_apply(&s, &rt_table_pgs, out, RT_COUNT(out)) > 0);
            rt_setup_deinit(&s);
    }
}

static void what_a_file_names_and_nobody_knows_is_left_out_when_it_is_used(void **state) {
    static const char text[] = "{\"schema\": 1, \"tables\": {\"pgs\": {\"columns\": [\"gone\", \"state\", \"state\"], \"sort\": \"gone\"}, \"later\": {}}}";
    struct rt_setup s;
    struct rt_error err = {0};
    struct rt_column out[40];
    char path[200];
    (void)state;
    snprintf(path, sizeof path, "%s/later.json", dir);
    assert_true(rt_file_write(path, text, sizeof text - 1, &err));
    assert_true(rt_setup_load(&s, path, &err));
    const size_t n = rt_setup_apply(&s, &rt_table_pgs, out, RT_COUNT(out));
    assert_string_equal(out[0].id, "state");
    size_t states = 0;
    for (size_t i = 0; i < n; i++)
        states += rt_streq(out[i].id, "state");
    assert_int_equal(states, 1);
    rt_setup_deinit(&s);
    check_plain(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chosen_columns_come_first_in_their_order_and_the_others_are_wide),
        cmocka_unit_test(what_is_kept_is_found_again_and_is_private),
        cmocka_unit_test(a_broken_file_is_said_and_ignored),
        cmocka_unit_test(what_a_file_names_and_nobody_knows_is_left_out_when_it_is_used),
    };
    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
