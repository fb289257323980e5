#include "batch.h"
#include "core/journal.h"
#include "core/snapshot.h"
#include "core/table.h"
#include "home.h"

static struct rt_cluster *full_cluster(struct rt_store *s) {
    struct rt_cluster *c = rt_store_add(s, "lab", "ssh");
    static struct rt_amount amounts[] = {{"CPU", 2, 8}, {"GPU", -1, 4}}; /* batches only borrow */
    static struct rt_gpu gpu = {"A100", 40, -1, 80e9};
    static struct rt_kv label = {"zone", "a"}, meta = {"job_name", "night"};
    struct rt_node n = node_of("aabb", "10.0.0.1", "cpu");
    struct rt_pool p = {.name = "cpu",
                        .kind = "hosts",
                        .min = 0,
                        .desired = 4,
                        .max = -1,
                        .ready = 3,
                        .why = "lab4 is down",
                        .scalable = true};
    struct rt_job j = job_of("raysubmit_a", RT_JOB_FAILED);
    n.amounts = (struct rt_amounts){.v = amounts, .n = 2};
    n.labels = (struct rt_kvs){&label, 1};
    n.gpus = &gpu;
    n.ngpus = 1;
    p.per_node = (struct rt_amounts){.v = amounts, .n = 1};
    j.metadata = (struct rt_kvs){&meta, 1};
    j.message = "Job entrypoint command failed with exit code 3.";
    j.runtime_env = "{\"env_vars\":{\"KEY\":\"hunter2\"},\"pip\":[\"x\"]}";
    rt_nodes nodes = {0};
    rt_pools pools = {0};
    rt_jobs jobs = {0};
    batch_of(&nodes, &n, 1);
    batch_of(&pools, &p, 1);
    batch_of(&jobs, &j, 1);
    rt_store_set_version(s, c, "2.60.0", "session_1");
    rt_store_set_state(s, c, RT_CL_UP, NULL);
    rt_store_put_nodes(s, c, &nodes);
    rt_store_put_pools(s, c, &pools);
    rt_store_put_jobs(s, c, &jobs);
    return c;
}

static void save(const struct rt_cluster *c) {
    struct rt_error err = {0};
    if (!rt_snapshot_save(c, &err))
        fail_msg("%s", err.message);
}

static char *json_of(const struct rt_store *s, const struct rt_cluster *c,
                     const struct rt_table *t) {
    struct rt_row_env env = {.store = s, .cluster = c, .now_ms = 5000};
    json_t *o = t->json(t->at(&env, 0), &env, true);
    char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(o);
    return text;
}

static void what_was_saved_is_shown_again(void **state) {
    (void)state;
    static const struct rt_table *const tables[] = {&rt_table_nodes, &rt_table_pools};
    struct rt_error err = {0};
    struct rt_store *a = rt_store_create(), *b = rt_store_create();
    struct rt_cluster *from = full_cluster(a), *to = rt_store_add(b, "lab", "ssh");
    save(from);
    if (!rt_snapshot_load(b, to, &err))
        fail_msg("%s", err.message);
    for (size_t i = 0; i < RT_COUNT(tables); i++) {
        char *x = json_of(a, from, tables[i]), *y = json_of(b, to, tables[i]);
        assert_string_equal(x, y);
        free(x);
        free(y);
    }
    const struct rt_job *j = rt_store_job(to, "raysubmit_a");
    assert_int_equal(j->status, RT_JOB_FAILED);
    assert_string_equal(j->runtime_env, "{\"pip\":[\"x\"]}");
    assert_string_equal(rt_kvs_get(&j->metadata, "job_name"), "night");
    assert_int_equal(to->state, RT_CL_UP);
    assert_string_equal(to->ray_version, "2.60.0");
    assert_true(to->fresh[RT_T_NODES].from_snapshot);
    assert_int_equal(to->fresh[RT_T_NODES].at_ms, from->fresh[RT_T_NODES].at_ms);
    struct rt_buf text;
    rt_buf_init(&text, 0);
    rt_cluster_state_text(&text, to, 5000);
    assert_string_equal(rt_buf_str(&text), "not attached");
    rt_buf_deinit(&text);
    rt_store_set_state(b, to, RT_CL_UP, NULL); /* its provider speaks */
    assert_false(to->fresh[RT_T_CLUSTER].from_snapshot);
    rt_store_destroy(a);
    rt_store_destroy(b);
}

static void the_age_of_what_was_saved_is_that_of_the_answer(void **state) {
    (void)state;
    struct rt_error err = {0};
    struct rt_store *a = rt_store_create(), *b = rt_store_create();
    struct rt_cluster *from = full_cluster(a), *to = rt_store_add(b, "lab", "ssh");
    for (int t = 0; t < RT_T_COUNT; t++)
        if (from->fresh[t].at_ms)
            from->fresh[t].at_ms = 5000;
    save(from);
    assert_true(rt_snapshot_load(b, to, &err));
    assert_int_equal(rt_cluster_newest_ms(to), 5000);
    rt_store_destroy(a);
    rt_store_destroy(b);
}

static void of_what_never_answered_nothing_is_known_the_next_time_either(void **state) {
    (void)state;
    struct rt_error err = {0};
    struct rt_store *a = rt_store_create(), *b = rt_store_create();
    struct rt_cluster *from = rt_store_add(a, "lab", "address"), *to = rt_store_add(b, "lab", "address");
    save(from);
    assert_true(rt_snapshot_load(b, to, &err));
    assert_int_equal(rt_cluster_totals(to).nodes_alive, -1);
    assert_int_equal(rt_cluster_totals(to).jobs_running, -1);
    assert_int_equal(rt_cluster_newest_ms(to), 0);
    rt_store_destroy(a);
    rt_store_destroy(b);
}

static void environments_do_not_come_to_lie_on_disk(void **state) {
    (void)state;
    struct rt_error err = {0};
    struct rt_store *s = rt_store_create();
    struct rt_buf text;
    rt_buf_init(&text, 0);
    save(full_cluster(s));
    char *path = rt_cluster_path("lab", "snapshot.json");
    assert_true(rt_file_read(path, 0, &text, &err));
    assert_null(strstr(rt_buf_str(&text), "hunter2"));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    rt_buf_deinit(&text);
    rt_store_destroy(s);
    free(path);
}

static void the_newest_thousand_jobs_are_kept_and_long_messages_shortened(void **state) {
    (void)state;
    enum { JOBS = 3000 };
    struct rt_error err = {0};
    struct rt_store *s = rt_store_create(), *b = rt_store_create();
    struct rt_cluster *c = rt_store_add(s, "lab", "ssh"), *to = rt_store_add(b, "lab", "ssh");
    rt_jobs jobs = {.arena = rt_arena_create(), .n = JOBS, .total = JOBS};
    jobs.v = rt_arena_alloc(jobs.arena, JOBS * sizeof(*jobs.v));
    char *message = rt_arena_alloc(jobs.arena, 20001);
    for (size_t i = 0; i < 20000; i += 2)
        memcpy(message + i, "ä", 2);
    for (size_t i = 0; i < JOBS; i++) {
        jobs.v[i] = job_of(rt_arena_strf(jobs.arena, "job%zu", i), RT_JOB_FAILED);
        jobs.v[i].start_ms = (int64_t)(i * 7919 % JOBS) + 1;
        jobs.v[i].message = message;
    }
    rt_store_put_jobs(s, c, &jobs);
    save(c);
    if (!rt_snapshot_load(b, to, &err))
        fail_msg("%s", err.message);
    assert_int_equal(to->jobs.n, 1000);
    assert_int_equal(to->jobs.total, JOBS);
    assert_int_equal(to->jobs.v[0].start_ms, JOBS);
    assert_int_equal(to->jobs.v[999].start_ms, JOBS - 999);
    assert_true(strlen(to->jobs.v[0].message) < 3100);
    assert_true(rt_utf8_valid(to->jobs.v[0].message, strlen(to->jobs.v[0].message)));
    rt_store_destroy(s);
    rt_store_destroy(b);
}

static void no_snapshot_is_no_error(void **state) {
    (void)state;
    struct rt_error err = {0};
    struct rt_store *s = rt_store_create();
    assert_false(rt_snapshot_load(s, rt_store_add(s, "lab", "ssh"), &err));
    assert_int_equal(err.code, RT_OK);
    rt_store_destroy(s);
}

static void a_damaged_snapshot_is_an_error_and_leaves_nothing(void **state) {
    const struct home *h = *state;
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "{\"schema\":99}",
        "{\"schema\":1,\"nodes\":7}",
        "{\"schema\":1,\"nodes\":[{\"id\":\"a\"}],\"jobs\":[{\"id\":7}]}",
        "{\"schema\":1,\"nodes\":[{\"id\":\"a\",\"amounts\":[{}]}]}"};
    for (size_t i = 0; i < RT_COUNT(bad); i++) {
        struct rt_error err = {0};
        struct rt_store *s = rt_store_create();
        struct rt_cluster *c = rt_store_add(s, "lab", "ssh");
        home_write(h, "clusters/lab/snapshot.json", bad[i]);
        assert_false(rt_snapshot_load(s, c, &err));
        assert_int_not_equal(err.code, RT_OK);
        assert_non_null(strstr(err.message, "snapshot.json: "));
        assert_int_equal(c->nodes.n, 0);
        assert_int_equal(c->fresh[RT_T_NODES].at_ms, 0);
        rt_store_destroy(s);
    }
}

/* A snapshot cut anywhere never reads as something else. */
static void every_cut_of_a_snapshot_is_an_error(void **state) {
    const struct home *h = *state;
    struct rt_error err = {0};
    struct rt_store *a = rt_store_create();
    struct rt_buf text;
    rt_buf_init(&text, 0);
    save(full_cluster(a));
    char *path = rt_cluster_path("lab", "snapshot.json");
    assert_true(rt_file_read(path, 0, &text, &err));
    for (size_t n = 0; n < text.len; n += 7) {
        struct rt_store *s = rt_store_create();
        char *cut = rt_strndup(rt_buf_str(&text), n);
        home_write(h, "clusters/lab/snapshot.json", cut);
        assert_false(rt_snapshot_load(s, rt_store_add(s, "lab", "ssh"), &err));
        assert_int_not_equal(err.code, RT_OK);
        free(cut);
        rt_store_destroy(s);
    }
    free(path);
    rt_buf_deinit(&text);
    rt_store_destroy(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        home_test(what_was_saved_is_shown_again),
        home_test(the_age_of_what_was_saved_is_that_of_the_answer),
        home_test(of_what_never_answered_nothing_is_known_the_next_time_either),
        home_test(environments_do_not_come_to_lie_on_disk),
        home_test(the_newest_thousand_jobs_are_kept_and_long_messages_shortened),
        home_test(no_snapshot_is_no_error),
        home_test(a_damaged_snapshot_is_an_error_and_leaves_nothing),
        home_test(every_cut_of_a_snapshot_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
