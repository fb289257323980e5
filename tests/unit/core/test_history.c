#include "core/history.h"

#include "base/buf.h"
#include "batch.h"
#include "unit/cmocka_all.h"

#define STEP RT_HISTORY_STEP_MS
#define T0 (INT64_C(1000) * RT_HISTORY_STEP_MS)

struct world {
    struct rt_store *store;
    struct rt_store *silent; /* watched in place of the store: the tests tell the time */
    struct rt_cluster *c;
    struct rt_history *h;
};

static struct world world_of(void) {
    struct world w = {.store = rt_store_create(), .silent = rt_store_create()};
    w.c = rt_store_add(w.store, "prod", "address");
    w.h = rt_history_create(w.silent);
    return w;
}

static void end(struct world *w) {
    rt_history_destroy(w->h);
    rt_store_destroy(w->store);
    rt_store_destroy(w->silent);
}

static void sample(struct world *w, double cpu, int64_t now) {
    struct rt_node n = node_of("n1", "10.0.0.1", "cpu");
    rt_nodes b = {0};
    n.cpu_percent = cpu;
    n.net_in_bps = cpu * 1000;
    batch_of(&b, &n, 1);
    rt_store_put_nodes(w->store, w->c, &b);
    rt_history_sample(w->h, w->c, now);
}

static void samples_stand_in_their_steps_and_gaps_are_unknown(void **state) {
    struct world w = world_of();
    double v[RT_HISTORY_SAMPLES];
    (void)state;
    const int64_t t = T0;
    sample(&w, 10, t);
    sample(&w, 50, t + STEP);
    sample(&w, 90, t + 4 * STEP);
    assert_true(rt_history_get(w.h, "prod", "n1", RT_M_CPU, t + 4 * STEP, v));
    assert_float_equal(v[59], 0.9, 0.01);
    assert_true(v[58] < 0 && v[57] < 0);
    assert_float_equal(v[56], 0.5, 0.01);
    assert_float_equal(v[55], 0.1, 0.01);
    assert_true(v[54] < 0);
    assert_true(rt_history_get(w.h, "prod", "n1", RT_M_NET_IN, t + 4 * STEP, v));
    assert_float_equal(v[59], 90000, 1);
    /* Later it has moved to the left. */
    assert_true(rt_history_get(w.h, "prod", "n1", RT_M_CPU, t + 6 * STEP, v));
    assert_true(v[59] < 0);
    assert_float_equal(v[57], 0.9, 0.01);
    end(&w);
}

static void the_newest_of_a_step_stands_and_old_ones_go(void **state) {
    struct world w = world_of();
    double v[RT_HISTORY_SAMPLES];
    const int64_t t = T0;
    (void)state;
    for (int i = 0; i < 3 * RT_HISTORY_SAMPLES; i++) {
        sample(&w, 99, t + i * STEP);
        sample(&w, (double)(i % 100), t + i * STEP + 1000);
    }
    assert_true(rt_history_get(w.h, "prod", "n1", RT_M_CPU, t + 179 * STEP, v));
    for (int i = 0; i < RT_HISTORY_SAMPLES; i++)
        assert_float_equal(v[i], (double)((120 + i) % 100) / 100, 0.005);
    assert_false(rt_history_get(w.h, "prod", "n1", RT_M_CPU, t + 300 * STEP, v));
    end(&w);
}

static void unknown_stays_unknown_and_strangers_have_no_history(void **state) {
    struct world w = world_of();
    double v[RT_HISTORY_SAMPLES];
    (void)state;
    sample(&w, -1, T0);
    assert_false(rt_history_get(w.h, "prod", "n1", RT_M_GPU, T0, v));
    assert_false(rt_history_get(w.h, "prod", "n2", RT_M_CPU, T0, v));
    assert_false(rt_history_get(w.h, "lab", "n1", RT_M_CPU, T0, v));
    assert_false(rt_history_get(NULL, "lab", "n1", RT_M_CPU, T0, v));
    end(&w);
}

static void a_clock_that_is_set_back_begins_anew(void **state) {
    struct world w = world_of();
    double v[RT_HISTORY_SAMPLES];
    (void)state;
    sample(&w, 10, T0 + 500 * STEP);
    sample(&w, 20, T0 + 498 * STEP); /* a little: what is known stands */
    assert_true(rt_history_get(w.h, "prod", "n1", RT_M_CPU, T0 + 500 * STEP, v));
    assert_float_equal(v[59], 0.1, 0.01);
    assert_true(v[57] < 0);
    sample(&w, 30, T0);
    assert_true(rt_history_get(w.h, "prod", "n1", RT_M_CPU, T0, v));
    assert_float_equal(v[59], 0.3, 0.01);
    assert_true(v[58] < 0);
    end(&w);
}

static void a_cluster_that_goes_takes_its_history_along(void **state) {
    struct world w = world_of();
    double v[RT_HISTORY_SAMPLES];
    (void)state;
    rt_history_destroy(w.h);
    w.h = rt_history_create(w.store);
    sample(&w, 10, T0);
    assert_true(rt_history_get(w.h, "prod", "n1", RT_M_CPU, T0, v));
    rt_store_remove(w.store, "prod");
    assert_false(rt_history_get(w.h, "prod", "n1", RT_M_CPU, T0, v));
    end(&w);
}

static void a_sparkline_shows_the_newest_in_its_width(void **state) {
    const double v[] = {0, 0.5, -1, 1, 0.25};
    struct rt_buf out;
    (void)state;
    rt_buf_init(&out, 0);
    rt_sparkline(&out, v, 5, 1, 10, false);
    assert_string_equal(rt_buf_str(&out), "▁▅ █▃");
    rt_buf_clear(&out);
    rt_sparkline(&out, v, 5, 0, 2, false);
    assert_string_equal(rt_buf_str(&out), "█▃");
    rt_buf_clear(&out);
    rt_sparkline(&out, v, 5, 1, 5, true);
    assert_string_equal(rt_buf_str(&out), "05 92");
    rt_buf_deinit(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_stand_in_their_steps_and_gaps_are_unknown),
        cmocka_unit_test(the_newest_of_a_step_stands_and_old_ones_go),
        cmocka_unit_test(unknown_stays_unknown_and_strangers_have_no_history),
        cmocka_unit_test(a_clock_that_is_set_back_begins_anew),
        cmocka_unit_test(a_cluster_that_goes_takes_its_history_along),
        cmocka_unit_test(a_sparkline_shows_the_newest_in_its_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
