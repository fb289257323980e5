#include "base/str.h"
#include "net/loop.h"
#include "ui/list.h"
#include "unit/cmocka_all.h"
#include <stdlib.h>
#include <string.h>

#define NOW 1700000000000

struct world {
    struct rt_store *s;
    struct rt_cluster *c;
    struct rt_list_rows l;
};

static void put_jobs(struct world *w, size_t n) {
    rt_jobs b = {.arena = rt_arena_create(), .n = n, .total = n};
    b.v = rt_arena_alloc(b.arena, n * sizeof(*b.v));
    for (size_t i = 0; i < n; i++) {
        static const int statuses[] = {RT_JOB_RUNNING, RT_JOB_FAILED, RT_JOB_SUCCEEDED, RT_JOB_PENDING};
        struct rt_job *j = &b.v[i];
        j->id = rt_arena_strf(b.arena, "raysubmit_%05zu", (i * 7919) % n);
        j->submission_id = j->id;
        j->type = "SUBMISSION";
        j->status = statuses[i % 4];
        j->status_text = rt_job_status_names[j->status];
        j->entrypoint = rt_arena_strf(b.arena, "python %s.py", i % 3 ? "train" : "tune");
        j->start_ms = NOW - (int64_t)(i * 1000);
        j->end_ms = rt_job_ended((enum rt_job_status)j->status) ? NOW : -1;
        j->driver_exit_code = -1;
    }
    rt_store_put_jobs(w->s, w->c, &b);
    w->l.dirty = true;
}

static int make(void **state) {
    struct world *w = RT_NEW(struct world);
    w->s = rt_store_create();
    w->c = rt_store_add(w->s, "lab", "address");
    rt_list_rows_init(&w->l, &rt_table_jobs);
    put_jobs(w, 12);
    *state = w;
    return 0;
}

static int end(void **state) {
    struct world *w = *state;
    rt_list_rows_deinit(&w->l);
    rt_store_destroy(w->s);
    free(w);
    return 0;
}

static void gather(struct world *w) {
    rt_list_rows_gather(&w->l, w->s, w->c, false, NOW);
}

static const struct rt_job *at(const struct world *w, size_t i) {
    return w->l.v[i].row;
}

static void a_filter_keeps_drops_and_guesses(void **state) {
    (void)state;
    assert_true(rt_filter_match("TRAIN", "python train.py"));
    assert_false(rt_filter_match("tune", "python train.py"));
    assert_true(rt_filter_match("!tune", "python train.py"));
    assert_false(rt_filter_match("!train", "python train.py"));
    assert_true(rt_filter_match("!", "python train.py"));
    assert_true(rt_filter_match("-f ptr", "python train.py"));
    assert_false(rt_filter_match("-f rtpq", "python train.py"));
}

static void a_list_that_is_cut_tells_how_much_there_is_and_why(void **state) {
    struct world *w = *state;
    rt_actors b = {.arena = rt_arena_create(), .n = 1, .total = 2345};
    struct rt_list_rows l;
    rt_list_rows_init(&l, &rt_table_actors);
    b.v = rt_arena_alloc(b.arena, sizeof(*b.v));
    b.v[0] = (struct rt_actor){.id = "a1", .state = "ALIVE"};
    rt_store_put_actors(w->s, w->c, &b);
    rt_list_rows_gather(&l, w->s, w->c, false, NOW);
    assert_int_equal(l.total, 1);
    assert_int_equal(l.at_source, 2345);
    assert_string_equal(l.note, "only 1 of 2,345 were asked for: more would cost the head too much");
    w->c->actors.note = "Ray itself keeps 10000 of 12345";
    l.dirty = true;
    rt_list_rows_gather(&l, w->s, w->c, false, NOW);
    assert_string_equal(l.note, "Ray itself keeps 10000 of 12345");
    w->c->actors.note = NULL;
    w->c->actors.total = 1;
    l.dirty = true;
    rt_list_rows_gather(&l, w->s, w->c, false, NOW);
    assert_null(l.note);
    rt_list_rows_deinit(&l);
}

static void rows_are_filtered_and_counted(void **state) {
    struct world *w = *state;
    rt_list_rows_filter(&w->l, "tune");
    gather(w);
    assert_int_equal(w->l.n, 4);
    assert_int_equal(w->l.total, 12);
    assert_int_equal(w->l.health[RT_H_BAD], 3);
    rt_list_rows_filter(&w->l, "");
    gather(w);
    assert_int_equal(w->l.n, 12);
}

static void attention_keeps_what_failed_or_waits_too_long(void **state) {
    struct world *w = *state;
    w->l.attention = true;
    gather(w);
    for (size_t i = 0; i < w->l.n; i++)
        assert_true(at(w, i)->status == RT_JOB_FAILED || at(w, i)->status == RT_JOB_PENDING);
    assert_true(w->l.n >= 3 && w->l.n < 12);
}

static void every_column_sorts_both_ways(void **state) {
    struct world *w = *state;
    for (const struct rt_column *c = rt_table_jobs.columns; c->id; c++) {
        assert_true(rt_list_rows_sort(&w->l, c->id));
        gather(w);
        assert_int_equal(w->l.n, 12);
        for (size_t i = 1; c->order && i < w->l.n; i++)
            assert_true(c->order(at(w, i - 1), at(w, i)) <= 0);
        w->l.descending = true;
        w->l.dirty = true;
        gather(w);
        for (size_t i = 1; c->order && i < w->l.n; i++)
            assert_true(c->order(at(w, i - 1), at(w, i)) >= 0);
    }
    assert_false(rt_list_rows_sort(&w->l, "colour"));
}

static void nothing_is_gathered_again_while_nothing_changed(void **state) {
    struct world *w = *state;
    gather(w);
    const struct rt_list_row *before = w->l.v;
    w->l.n = 3; /* would be seen if it were gathered */
    gather(w);
    assert_int_equal(w->l.n, 3);
    assert_ptr_equal(w->l.v, before);
}

static void all_clusters_stand_in_one_list(void **state) {
    struct world *w = *state;
    struct rt_cluster *other = rt_store_add(w->s, "prod", "address"), *lab = w->c;
    w->c = other;
    put_jobs(w, 5);
    w->c = lab;
    rt_list_rows_gather(&w->l, w->s, w->c, true, NOW);
    assert_int_equal(w->l.n, 17);
}

static void ten_thousand_rows_sort(void **state) {
    struct world *w = *state;
    put_jobs(w, 10000);
    rt_list_rows_sort(&w->l, "-id");
    gather(w);
    assert_int_equal(w->l.n, 10000);
    for (size_t i = 1; i < w->l.n; i++)
        assert_true(strcmp(at(w, i - 1)->id, at(w, i)->id) > 0);
}

/* ---- columns ---- */

static void columns_fit_into_any_width(void **state) {
    (void)state;
    for (const struct rt_table *const *t = rt_tables(); *t; t++)
        for (int cols = 1; cols < 300; cols++)
            for (int wide = 0; wide < 2; wide++) {
                struct rt_fit fit[RT_FIT_MAX];
                const size_t n = rt_columns_fit((*t)->columns, cols, wide, NULL, fit);
                assert_true(n > 0);
                for (size_t i = 0; i < n; i++) {
                    assert_true(fit[i].cols > 0);
                    if (fit[i].at + fit[i].cols > cols)
                        fail_msg("%s at %d columns: %s ends at %d", (*t)->name, cols, fit[i].column->id, fit[i].at + fit[i].cols);
                    assert_true(i == 0 || fit[i].at == fit[i - 1].at + fit[i - 1].cols + 2);
                }
            }
}

static bool has(const struct rt_fit *fit, size_t n, const char *id) {
    for (size_t i = 0; i < n; i++)
        if (rt_streq(fit[i].column->id, id))
            return true;
    return false;
}

static void the_least_important_column_goes_first(void **state) {
    (void)state;
    struct rt_fit fit[RT_FIT_MAX];
    size_t n = rt_columns_fit(rt_table_jobs.columns, 75, false, NULL, fit);
    assert_true(has(fit, n, "started") && has(fit, n, "why"));
    n = rt_columns_fit(rt_table_jobs.columns, 50, false, NULL, fit);
    assert_false(has(fit, n, "started"));
    n = rt_columns_fit(rt_table_jobs.columns, 34, false, NULL, fit);
    assert_true(has(fit, n, "id") && has(fit, n, "status") && has(fit, n, "took"));
}

static void numbers_are_whole_before_names_are(void **state) {
    (void)state;
    static const int needs[RT_FIT_MAX] = {16, 11, 40, 10, 7, 24}; /* as the columns of jobs stand */
    struct rt_fit fit[RT_FIT_MAX];
    const size_t n = rt_columns_fit(rt_table_jobs.columns, 72, false, needs, fit);
    bool cut = false;
    for (size_t i = 0; i < n; i++) {
        const int need = RT_MIN(needs[fit[i].column - rt_table_jobs.columns], fit[i].column->want);
        if (fit[i].column->align == RT_RIGHT)
            assert_int_equal(fit[i].cols, need);
        else
            cut |= fit[i].cols < need;
    }
    assert_true(cut);
}

static void no_column_takes_more_than_its_texts_need(void **state) {
    (void)state;
    static const int needs[RT_FIT_MAX] = {10, 11, 12, 5, 4, 0};
    struct rt_fit fit[RT_FIT_MAX];
    const size_t n = rt_columns_fit(rt_table_jobs.columns, 110, false, needs, fit);
    for (size_t i = 0; i < n; i++)
        if (rt_streq(fit[i].column->id, "id"))
            assert_int_equal(fit[i].cols, 10);
}

static void short_texts_leave_their_room_to_long_ones(void **state) {
    (void)state;
    static const int needs[RT_FIT_MAX] = {5, 9, 8, 2, 8, 2, 60}; /* as the columns of tasks stand */
    struct rt_fit fit[RT_FIT_MAX];
    const size_t n = rt_columns_fit(rt_table_tasks.columns, 75, false, needs, fit);
    for (size_t i = 0; i < n; i++) {
        const struct rt_column *c = fit[i].column;
        if (c->align == RT_RIGHT)
            assert_true(fit[i].cols >= c->min);
        else if (rt_streq(c->id, "node"))
            assert_int_equal(fit[i].cols, 5); /* its title */
        else if (rt_streq(c->id, "why"))
            assert_true(fit[i].cols > 20);
    }
}

static void scrolling_stops_at_both_ends(void **state) {
    (void)state;
    struct rt_fit fit[RT_FIT_MAX];
    int scroll = 100000;
    const size_t n = rt_columns_scrolled(rt_table_jobs.columns, 70, true, &scroll, fit);
    assert_int_equal(fit[n - 1].at + fit[n - 1].cols, 70);
    scroll = -5;
    rt_columns_scrolled(rt_table_jobs.columns, 70, true, &scroll, fit);
    assert_int_equal(scroll, 0);
}

static void a_cluster_s_name_is_whole_before_its_provider_has_a_place(void **state) {
    (void)state;
    int needs[RT_FIT_MAX] = {[0] = 15, [1] = 7, [2] = 21, [3] = 5, [4] = 11, [5] = 5, [7] = 6, [10] = 2};
    struct rt_fit fit[RT_FIT_MAX];
    size_t n = rt_columns_fit(rt_table_clusters.columns, 75, false, needs, fit);
    assert_int_equal(fit[0].cols, 15);
    assert_false(has(fit, n, "provider"));
    needs[0] = 5;
    n = rt_columns_fit(rt_table_clusters.columns, 75, false, needs, fit);
    assert_true(has(fit, n, "provider"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cluster_s_name_is_whole_before_its_provider_has_a_place),
        cmocka_unit_test(a_filter_keeps_drops_and_guesses),
        cmocka_unit_test_setup_teardown(rows_are_filtered_and_counted, make, end),
        cmocka_unit_test_setup_teardown(a_list_that_is_cut_tells_how_much_there_is_and_why, make, end),
        cmocka_unit_test_setup_teardown(attention_keeps_what_failed_or_waits_too_long, make, end),
        cmocka_unit_test_setup_teardown(every_column_sorts_both_ways, make, end),
        cmocka_unit_test_setup_teardown(nothing_is_gathered_again_while_nothing_changed, make, end),
        cmocka_unit_test_setup_teardown(all_clusters_stand_in_one_list, make, end),
        cmocka_unit_test_setup_teardown(ten_thousand_rows_sort, make, end),
        cmocka_unit_test(short_texts_leave_their_room_to_long_ones),
        cmocka_unit_test(columns_fit_into_any_width),
        cmocka_unit_test(the_least_important_column_goes_first),
        cmocka_unit_test(numbers_are_whole_before_names_are),
        cmocka_unit_test(no_column_takes_more_than_its_texts_need),
        cmocka_unit_test(scrolling_stops_at_both_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
