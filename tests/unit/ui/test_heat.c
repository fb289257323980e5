#include "ui/heat.h"

#include "unit/core/batch.h"
#include "unit/cmocka_all.h"
#include <stdio.h>

static struct rt_node nodes[2000];
static char ids[2000][16];

/* A head, then nodes of pools "b" and "a" in turns; each tenth is dead. */
static struct rt_cluster *fill(struct rt_store *s, size_t n) {
    struct rt_cluster *c = rt_store_add(s, "prod", "address");
    rt_nodes b = {0};
    for (size_t i = 0; i < n; i++) {
        snprintf(ids[i], sizeof ids[i], "node-%04zu", i);
        nodes[i] = node_of(ids[i], ids[i], i == 0 ? "head" : i % 2 ? "b" : "a");
        nodes[i].head = i == 0;
        nodes[i].alive = i == 0 || i % 10;
        nodes[i].state = nodes[i].alive ? "ALIVE" : "DEAD";
    }
    batch_of(&b, nodes, n);
    rt_store_put_nodes(s, c, &b);
    return c;
}

static void pools_begin_lines_and_the_head_is_first(void **state) {
    struct rt_store *s = rt_store_create();
    struct rt_heat h = {0};
    (void)state;
    rt_heat_make(&h, fill(s, 12), 4);
    assert_int_equal(h.pools.n, 3);
    assert_string_equal(h.pools.v[0].name, "head");
    assert_string_equal(h.pools.v[1].name, "a");
    assert_int_equal(h.pools.v[1].n, 5);
    assert_int_equal(h.pools.v[1].alive, 4);
    assert_int_equal(h.pools.v[1].row, 1);
    assert_int_equal(h.pools.v[2].row, 3); /* five nodes of "a" take two lines of four */
    assert_int_equal(h.rows, 5);
    assert_string_equal(h.cells.v[5].node->id, "node-0010"); /* the dead one is last */
    assert_int_equal(h.cells.v[5].row, 2);
    assert_int_equal(h.cells.v[5].col, 0);
    rt_heat_deinit(&h);
    rt_store_destroy(s);
}

static void a_filter_leaves_the_nodes_that_match(void **state) {
    struct rt_store *s = rt_store_create();
    struct rt_heat h = {0};
    struct rt_cluster *c = fill(s, 12);
    (void)state;
    rt_heat_make(&h, c, 4);
    rt_heat_filter(&h, "DEAD");
    rt_heat_make(&h, c, 4);
    assert_int_equal(h.cells.n, 1);
    assert_int_equal(h.total, 12);
    assert_string_equal(h.cells.v[0].node->id, "node-0010");
    rt_heat_filter(&h, "!node-00");
    rt_heat_make(&h, c, 4);
    assert_int_equal(h.cells.n, 0);
    assert_int_equal(h.rows, 0);
    rt_heat_filter(&h, "");
    rt_heat_make(&h, c, 4);
    assert_int_equal(h.cells.n, 12);
    rt_heat_deinit(&h);
    rt_store_destroy(s);
}

static void walking_stays_on_cells(void **state) {
    struct rt_store *s = rt_store_create();
    struct rt_heat h = {0};
    (void)state;
    rt_heat_make(&h, fill(s, 12), 4);
    assert_int_equal(rt_heat_step(&h, 0, 0, -1), 0);
    assert_int_equal(rt_heat_step(&h, 0, 0, 1), 1);
    assert_int_equal(rt_heat_step(&h, 11, 0, 1), 11);
    assert_int_equal(rt_heat_step(&h, 4, 1, 0), 5);  /* the fourth of a line, the next has one */
    assert_int_equal(rt_heat_step(&h, 5, 1, 0), 6);
    assert_int_equal(rt_heat_step(&h, 0, -1, 0), 0);
    assert_int_equal(rt_heat_step(&h, 11, 100, 0), 11);
    assert_int_equal(rt_heat_find(&h, "node-0010"), 5);
    assert_true(rt_heat_find(&h, "nobody") == SIZE_MAX);
    rt_heat_deinit(&h);
    assert_int_equal(rt_heat_step(&h, 3, 1, 0), 0);
    rt_store_destroy(s);
}

static void two_thousand_nodes_have_each_a_place_of_their_own(void **state) {
    struct rt_store *s = rt_store_create();
    struct rt_heat h = {0};
    static bool taken[64][170];
    (void)state;
    rt_heat_make(&h, fill(s, 2000), 170);
    assert_int_equal(h.cells.n, 2000);
    assert_true(h.rows <= 14);
    for (size_t i = 0; i < h.cells.n; i++) {
        const struct rt_heat_cell *c = &h.cells.v[i];
        assert_in_range(c->col, 0, 169);
        assert_in_range(c->row, 0, 63);
        assert_false(taken[c->row][c->col]);
        taken[c->row][c->col] = true;
    }
    rt_heat_deinit(&h);
    rt_store_destroy(s);
}

static void it_is_made_anew_only_when_something_changed(void **state) {
    struct rt_store *s = rt_store_create();
    struct rt_heat h = {0};
    (void)state;
    struct rt_cluster *c = fill(s, 12);
    rt_heat_make(&h, c, 4);
    h.cells.v[0].col = 77;
    rt_heat_make(&h, c, 4);
    assert_int_equal(h.cells.v[0].col, 77);
    rt_heat_make(&h, c, 5);
    assert_int_equal(h.cells.v[0].col, 0);
    fill(s, 8);
    rt_heat_make(&h, c, 5);
    assert_int_equal(h.cells.n, 8);
    rt_heat_make(&h, NULL, 5);
    assert_int_equal(h.cells.n, 0);
    assert_int_equal(h.rows, 0);
    rt_heat_deinit(&h);
    rt_store_destroy(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools_begin_lines_and_the_head_is_first),
        cmocka_unit_test(a_filter_leaves_the_nodes_that_match),
        cmocka_unit_test(walking_stays_on_cells),
        cmocka_unit_test(two_thousand_nodes_have_each_a_place_of_their_own),
        cmocka_unit_test(it_is_made_anew_only_when_something_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
