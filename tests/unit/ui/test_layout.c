#include "ui/layout.h"
#include "unit/cmocka_all.h"
#include <stdio.h>

static bool overlap(struct rt_rect a, struct rt_rect b) {
    return a.rows > 0 && b.rows > 0 && a.cols > 0 && b.cols > 0 && a.row < b.row + b.rows && b.row < a.row + a.rows &&
           a.col < b.col + b.cols && b.col < a.col + a.cols;
}

static void check_one(const struct rt_layout_in *in) {
    struct rt_layout l;
    rt_layout_make(in, &l);
    if (l.too_small)
        fail_msg("%dx%d is refused", in->cols, in->rows);
    struct rt_rect all[3 + RT_PANE_COUNT] = {l.header, l.tabs, l.hints};
    bool any = false;
    for (int p = 0; p < RT_PANE_COUNT; p++) {
        all[3 + p] = l.pane[p];
        any |= rt_layout_shown(&l, (enum rt_pane)p);
    }
    for (size_t i = 0; i < 3 + RT_PANE_COUNT; i++) {
        const struct rt_rect r = all[i];
        if (r.rows < 0 || r.cols < 0 || r.row < 0 || r.col < 0 || r.row + r.rows > in->rows || r.col + r.cols > in->cols)
            fail_msg("%dx%d: rectangle %zu leaves the screen: %d,%d %dx%d", in->cols, in->rows, i, r.row, r.col, r.cols, r.rows);
        for (size_t k = 0; k < i; k++)
            if (overlap(r, all[k]))
                fail_msg("%dx%d: %zu lies over %zu", in->cols, in->rows, i, k);
    }
    assert_true(any);
    assert_true(in->zoom || rt_layout_shown(&l, RT_PANE_MAIN) || l.side_replaces);
}

static void nothing_overlaps_or_leaves_the_screen_at_any_size(void **state) {
    (void)state;
    for (int rows = 5; rows <= 100; rows++)
        for (int cols = 20; cols <= 300; cols++)
            for (int bits = 0; bits < 16; bits++) {
                const struct rt_layout_in in = {.rows = rows, .cols = cols, .rail_clusters = bits & 1, .rail_pools = bits & 2,
                                                .side = bits & 4, .zoom = bits & 8, .uses = bits & 1, .focus = RT_PANE_MAIN, .cluster_rows = bits, .main_rows = bits};
                check_one(&in);
            }
}

static void dragged_borders_stay_within_the_screen(void **state) {
    (void)state;
    for (int at = 1; at < 200; at += 3)
        for (int share = 1; share < 100; share += 7) {
            const struct rt_layout_in wide = {.rows = 40, .cols = 190, .rail_clusters = true, .rail_pools = true, .side = true,
                                              .focus = RT_PANE_MAIN, .rail_cols = at, .side_share = share};
            struct rt_layout_in middle = wide;
            middle.cols = 130;
            check_one(&wide);
            check_one(&middle);
        }
}

static struct rt_layout of(int cols, int rows, bool side) {
    const struct rt_layout_in in = {.rows = rows, .cols = cols, .rail_clusters = true, .rail_pools = true, .side = side, .focus = RT_PANE_MAIN};
    struct rt_layout l;
    rt_layout_make(&in, &l);
    return l;
}

static void one_list_at_80_columns_and_a_log_takes_its_place(void **state) {
    (void)state;
    struct rt_layout l = of(80, 24, false);
    assert_true(rt_layout_shown(&l, RT_PANE_MAIN));
    assert_false(rt_layout_shown(&l, RT_PANE_CLUSTERS));
    assert_int_equal(l.pane[RT_PANE_MAIN].cols, 80);
    assert_int_equal(l.pane[RT_PANE_MAIN].rows, 21);
    l = of(80, 24, true);
    assert_false(rt_layout_shown(&l, RT_PANE_MAIN));
    assert_true(l.side_replaces);
}

static void a_rail_from_120_columns_and_the_log_below_from_30_rows(void **state) {
    (void)state;
    struct rt_layout l = of(120, 36, true);
    assert_int_equal(l.pane[RT_PANE_CLUSTERS].cols, 27);
    assert_int_equal(l.pane[RT_PANE_SIDE].col, 27);
    assert_true(l.pane[RT_PANE_SIDE].row > l.pane[RT_PANE_MAIN].row);
    l = of(120, 29, true);
    assert_true(l.side_replaces);
}

static void a_short_list_leaves_the_rest_to_the_log_below_it(void **state) {
    (void)state;
    struct rt_layout_in in = {.rows = 36, .cols = 120, .rail_clusters = true, .side = true, .focus = RT_PANE_MAIN, .main_rows = 3};
    struct rt_layout l, more;
    rt_layout_make(&in, &l);
    assert_int_equal(l.pane[RT_PANE_MAIN].rows, 7);
    in.main_rows = 4; /* one more does not move the border */
    rt_layout_make(&in, &more);
    assert_int_equal(more.pane[RT_PANE_MAIN].rows, 7);
    in.main_rows = 500;
    rt_layout_make(&in, &more);
    assert_int_equal(more.pane[RT_PANE_SIDE].rows, (36 - 3) / 2);
    in.main_rows = 3;
    in.side_share = 30; /* chosen by hand */
    rt_layout_make(&in, &more);
    assert_int_equal(more.pane[RT_PANE_SIDE].rows, (36 - 3) * 30 / 100);
}

static void three_columns_from_180(void **state) {
    (void)state;
    const struct rt_layout l = of(200, 60, true);
    assert_int_equal(l.pane[RT_PANE_SIDE].row, l.pane[RT_PANE_MAIN].row);
    assert_true(l.pane[RT_PANE_SIDE].col > l.pane[RT_PANE_MAIN].col);
}

static void less_than_20x5_is_too_small(void **state) {
    (void)state;
    assert_true(of(19, 5, false).too_small);
    assert_true(of(20, 4, false).too_small);
    assert_false(of(20, 5, false).too_small);
}

static void a_popup_fits_into_the_screen(void **state) {
    (void)state;
    for (int rows = 5; rows < 60; rows++)
        for (int cols = 20; cols < 130; cols += 3) {
            const struct rt_layout l = of(cols, rows, false);
            const struct rt_rect r = rt_layout_popup(&l, rows, cols, 20, 76);
            assert_true(r.row >= 0 && r.col >= 0 && r.row + r.rows <= rows && r.col + r.cols <= cols && r.rows > 0);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_overlaps_or_leaves_the_screen_at_any_size),
        cmocka_unit_test(dragged_borders_stay_within_the_screen),
        cmocka_unit_test(one_list_at_80_columns_and_a_log_takes_its_place),
        cmocka_unit_test(a_rail_from_120_columns_and_the_log_below_from_30_rows),
        cmocka_unit_test(a_short_list_leaves_the_rest_to_the_log_below_it),
        cmocka_unit_test(three_columns_from_180),
        cmocka_unit_test(less_than_20x5_is_too_small),
        cmocka_unit_test(a_popup_fits_into_the_screen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
