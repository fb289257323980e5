#include "batch.h"
#include "core/operation.h"
#include "core/table.h"
#include "unit/cmocka_all.h"
#include "unit/fixture.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW 1795229552000LL /* 2026-11-21 02:52:32 UTC */

struct world {
    struct rt_store *s;
    struct rt_cluster *c;
    struct rt_row_env env;
};

static int make(void **state) {
    struct world *w = RT_NEW(struct world);
    w->s = rt_store_create();
    w->c = rt_store_add(w->s, "lab", "ssh");
    w->env = (struct rt_row_env){.store = w->s, .cluster = w->c, .now_ms = NOW};
    *state = w;
    return 0;
}

static int end(void **state) {
    struct world *w = *state;
    rt_store_destroy(w->s);
    free(w);
    return 0;
}

static const struct rt_column *column(const struct rt_table *t, const char *id) {
    for (const struct rt_column *c = t->columns; c->id; c++)
        if (strcmp(c->id, id) == 0)
            return c;
    fail_msg("no column %s in %s", id, t->name);
    return NULL;
}

static void check_cell(const struct world *w, const struct rt_table *t, const void *row,
                       const char *id, const char *want) {
    struct rt_buf out;
    rt_buf_init(&out, 0);
    column(t, id)->text(&out, row, &w->env);
    assert_string_equal(rt_buf_str(&out), want);
    rt_buf_deinit(&out);
}

static void check_why(const char *message, const char *error_type, int status, const char *want) {
    struct rt_job j = job_of("a", status);
    struct rt_buf out;
    rt_buf_init(&out, 0);
    j.message = message;
    j.error_type = error_type;
    rt_job_why(&out, &j);
    assert_string_equal(rt_buf_str(&out), want);
    rt_buf_deinit(&out);
}

/* ---- all tables ---- */

static void every_table_is_whole(void **state) {
    (void)state;
    for (const struct rt_table *const *t = rt_tables(); *t; t++) {
        const char *sort = (*t)->default_sort;
        assert_ptr_equal(rt_table_find((*t)->name), *t);
        assert_ptr_equal(rt_table_find((*t)->singular), *t);
        assert_non_null((*t)->empty);
        column(*t, *sort == '-' ? sort + 1 : sort);
        int kept = 0;
        for (const struct rt_column *c = (*t)->columns; c->id; c++) {
            assert_non_null(c->text);
            assert_true(c->min > 0 && c->min <= c->want);
            assert_true(c->min >= (int)strlen(c->title) || c->priority > 0 || c->grow || !c->glyph);
            assert_true(!c->glyph || c->health);
            kept += c->priority == 0 && !c->wide ? c->min + 1 : 0;
        }
        assert_true(kept > 0 && kept < 60); /* what never goes fits the narrowest screen */
    }
    assert_null(rt_table_find("nothing"));
}

static void an_unset_cluster_has_no_rows(void **state) {
    struct world *w = *state;
    w->env.cluster = NULL;
    assert_int_equal(rt_table_jobs.count(&w->env), 0);
    assert_int_equal(rt_table_nodes.count(&w->env), 0);
    assert_int_equal(rt_table_pools.count(&w->env), 0);
    assert_int_equal(rt_table_forwards.count(&w->env), 0);
    assert_int_equal(rt_table_operations.count(&w->env), 0);
    assert_int_equal(rt_table_clusters.count(&w->env), 1);
}

static void glyphs_differ_with_and_without_utf8(void **state) {
    (void)state;
    for (int a = RT_H_UNKNOWN; a <= RT_H_OFF; a++) {
        assert_int_equal(strlen(rt_health_glyph((enum rt_health)a, true)), 1);
        for (int b = RT_H_UNKNOWN; b < a; b++)
            for (int ascii = 0; ascii < 2; ascii++)
                assert_string_not_equal(rt_health_glyph((enum rt_health)a, ascii),
                                        rt_health_glyph((enum rt_health)b, ascii));
    }
    assert_string_equal(rt_health_glyph(RT_H_OK, false), "●");
}

/* ---- jobs ---- */

static void a_job_says_in_a_few_words_why(void **state) {
    (void)state;
    check_why("Job finished successfully.", NULL, RT_JOB_SUCCEEDED, "");
    check_why("Job is currently running.", NULL, RT_JOB_RUNNING, "");
    check_why("Job has not started yet.", NULL, RT_JOB_PENDING, "starting");
    check_why(NULL, NULL, RT_JOB_PENDING, "starting");
    check_why("Job has not started yet. It may be waiting for resources (CPUs, GPUs, memory, "
              "custom resources) to become "
              "available.",
              NULL, RT_JOB_PENDING, "waits for resources");
    check_why(
        "Job has not started yet. It may be waiting for the runtime environment to be set up.",
        NULL, RT_JOB_PENDING, "runtime env is being made");
    check_why("Job has not started yet. It may be waiting for resources (CPUs) to become "
              "available. It may be waiting for "
              "the runtime environment to be set up.",
              NULL, RT_JOB_PENDING, "waits for resources or its runtime env");
    check_why("Job entrypoint command failed with exit code 3. No logs available.", NULL,
              RT_JOB_FAILED, "exit 3");
    check_why("Job entrypoint command failed with exit code -9, last available logs:\nx\n", NULL,
              RT_JOB_FAILED, "signal 9");
    check_why(
        "Job entrypoint command failed with exit code 1, last available logs (truncated to 20,000 "
        "chars):\n"
        "step 1\nTraceback (most recent call last):\n  File \"a.py\", line 1\n    x\n    ^^^^\n"
        "ValueError: no \x1b[31mgood\x1b[0m\n\n",
        "JOB_ENTRYPOINT_COMMAND_ERROR", RT_JOB_FAILED, "exit 1: ValueError: no ^[[31mgood^[[0m");
    check_why("Job supervisor actor failed to start within 900.0 seconds. Try again.",
              "JOB_SUPERVISOR_ACTOR_START_TIMEOUT", RT_JOB_FAILED,
              "Job supervisor actor failed to start within 900.0 seconds. Try again.");
    check_why("", NULL, RT_JOB_FAILED, "");
    check_why("\n\n  \n", NULL, RT_JOB_FAILED, "");
}

/* Messages as a real Ray wrote them. */
static void recorded_failures_are_told_by_their_last_line(void **state) {
    (void)state;
    static const char *const want[][2] = {
        {"fail_wd", "runtime env: OSError: Failed to download runtime_env file package "
                    "gcs://_ray_pkg_doesnotexist.zip"},
        {"bad_wd", "ValueError: /home/me/dir is not a valid path."},
        {"fail_cmd", "exit 127: /bin/sh: 1: no_such_cmd_x: not found"},
    };
    char *text = fixture("ray-2.60.0/jobs_list.json", NULL);
    json_t *list = json_loads(text, 0, NULL);
    for (size_t i = 0; i < RT_COUNT(want); i++) {
        bool found = false;
        for (size_t k = 0; k < json_array_size(list); k++) {
            json_t *o = json_array_get(list, k);
            if (!rt_streq(rt_json_str(o, "submission_id"), want[i][0]))
                continue;
            struct rt_job j = job_of("a", RT_JOB_FAILED);
            struct rt_buf out;
            rt_buf_init(&out, 0);
            j.message = rt_json_str(o, "message");
            j.error_type = rt_json_str(o, "error_type");
            rt_job_why(&out, &j);
            assert_true(rt_starts(rt_buf_str(&out), want[i][1]));
            rt_buf_deinit(&out);
            found = true;
        }
        assert_true(found);
    }
    json_decref(list);
    free(text);
}

static void a_job_is_a_row_of_clean_cells(void **state) {
    struct world *w = *state;
    struct rt_kv meta[] = {{"job_name", "night\nrun"}, {"submitted_by", "me@host"}};
    struct rt_job j = job_of("raysubmit_8fK2Qz", RT_JOB_FAILED);
    j.entrypoint = "python \x1b]0;x\x07 a.py";
    j.start_ms = NOW - 90000;
    j.end_ms = NOW - 30000;
    j.metadata = (struct rt_kvs){meta, 2};
    j.driver_exit_code = 3;
    j.driver_ip = "10.0.0.1";
    check_cell(w, &rt_table_jobs, &j, "id", "8fK2Qz");
    check_cell(w, &rt_table_jobs, &j, "submission_id", "raysubmit_8fK2Qz");
    check_cell(w, &rt_table_jobs, &j, "status", "FAILED");
    check_cell(w, &rt_table_jobs, &j, "entrypoint", "python ^[]0;x^G a.py");
    check_cell(w, &rt_table_jobs, &j, "took", "1m");
    check_cell(w, &rt_table_jobs, &j, "exit_code", "3");
    check_cell(w, &rt_table_jobs, &j, "node", "10.0.0.1");
    check_cell(w, &rt_table_jobs, &j, "name", "night run");
    check_cell(w, &rt_table_jobs, &j, "user", "me@host");
    check_cell(w, &rt_table_jobs, &j, "job_id", "-");
    check_cell(w, &rt_table_jobs, &j, "why", "exit 3");
    assert_int_equal(rt_table_jobs.health(&j, &w->env), RT_H_BAD);
    assert_true(rt_table_jobs.attention(&j, &w->env));
    struct rt_job p = job_of("x", RT_JOB_PENDING);
    p.start_ms = NOW - 61000;
    check_cell(w, &rt_table_jobs, &p, "took", "1m1s");
    assert_true(rt_table_jobs.attention(&p, &w->env));
    p.start_ms = NOW - 59000;
    assert_false(rt_table_jobs.attention(&p, &w->env));
    p.start_ms = NOW + 5000; /* the head's clock goes ahead */
    check_cell(w, &rt_table_jobs, &p, "took", "0s");
    p.start_ms = -1;
    check_cell(w, &rt_table_jobs, &p, "took", "-");
    check_cell(w, &rt_table_jobs, &p, "started", "-");
    check_cell(w, &rt_table_jobs, &p, "exit_code", "-");
}

static int sign(int d) {
    return (d > 0) - (d < 0);
}

static void orders_are_total_and_natural(void **state) {
    (void)state;
    struct rt_job a = job_of("job2", RT_JOB_RUNNING), b = job_of("job10", RT_JOB_RUNNING),
                  c = job_of("job3", RT_JOB_FAILED);
    struct rt_job *rows[] = {&a, &b, &c};
    c.start_ms = 500;
    assert_true(column(&rt_table_jobs, "id")->order(&a, &b) < 0);
    assert_true(column(&rt_table_jobs, "started")->order(&a, &c) > 0);
    assert_true(column(&rt_table_jobs, "status")->order(&a, &c) < 0);
    for (const struct rt_column *col = rt_table_jobs.columns; col->id; col++)
        for (size_t i = 0; col->order && i < 3; i++)
            for (size_t k = 0; k < 3; k++) {
                int d = col->order(rows[i], rows[k]);
                assert_int_equal(d == 0, i == k); /* ties are broken by the id */
                assert_int_equal(sign(d), -sign(col->order(rows[k], rows[i])));
            }
}

static void a_job_as_json_hides_values_of_the_environment(void **state) {
    struct world *w = *state;
    struct rt_job j = job_of("raysubmit_a", RT_JOB_RUNNING);
    j.start_ms = NOW - 1000;
    j.runtime_env = "{\"env_vars\":{\"KEY\":\"hunter2\"},\"pip\":[\"x\"]}";
    json_t *o = rt_table_jobs.json(&j, &w->env, false);
    char *text = json_dumps(o, JSON_COMPACT);
    assert_null(strstr(text, "hunter2"));
    assert_string_equal(rt_json_str(o, "runtime_env.env_vars.KEY"), "***");
    assert_int_equal(json_integer_value(json_object_get(o, "took_ms")), 1000);
    assert_true(json_is_null(json_object_get(o, "ended_ms")));
    assert_true(json_is_null(json_object_get(o, "exit_code")));
    assert_true(json_is_null(json_object_get(o, "job_id")));
    assert_string_equal(rt_json_str(o, "status"), "RUNNING");
    free(text);
    json_decref(o);
    o = rt_table_jobs.json(&j, &w->env, true);
    assert_string_equal(rt_json_str(o, "runtime_env.env_vars.KEY"), "hunter2");
    json_decref(o);
}

static void an_environment_that_cannot_be_read_is_hidden_whole(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"{\"env_vars\":{\"A\":\"b\"}}", "{\"env_vars\":{\"A\":\"***\"}}"},
        {"{\"env_vars\":\"A=b\"}", "{\"env_vars\":\"***\"}"},
        {"{\"env_vars\":{}}", "{\"env_vars\":{}}"},
        {"{\"pip\":[\"x\"]}", "{\"pip\":[\"x\"]}"},
        {"{\"env_vars\":{\"A\":", "\"***\""},
    };
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        char *masked = rt_mask_env(cases[i][0]);
        assert_string_equal(masked, cases[i][1]);
        free(masked);
    }
    assert_null(rt_mask_env(NULL));
}

/* ---- nodes ---- */

static void tasks_sort_by_what_their_column_shows(void **state) {
    (void)state;
    const struct rt_task brief = {.id = "a", .start_ms = 5000, .end_ms = 6000}, old = {.id = "b", .start_ms = 1000, .end_ms = 9000};
    const struct rt_column *c = rt_table_tasks.columns;
    while (c->id && !rt_streq(c->id, "took"))
        c++;
    assert_non_null(c->id);
    assert_true(c->order(&brief, &old) < 0);
}

static void a_node_shows_used_of_total_and_dashes_for_the_unknown(void **state) {
    struct world *w = *state;
    struct rt_amount amounts[] = {{"CPU", 2.5, 8}, {"GPU", -1, 4}};
    struct rt_node n = node_of("aabb", "10.0.0.1", "cpu");
    check_cell(w, &rt_table_nodes, &n, "cpu", "-");
    check_cell(w, &rt_table_nodes, &n, "memory", "-");
    check_cell(w, &rt_table_nodes, &n, "load", "-");
    n.amounts = (struct rt_amounts){.v = amounts, .n = 2};
    n.mem_used_bytes = 1536.0 * 1024 * 1024;
    n.mem_total_bytes = 64.0 * 1024 * 1024 * 1024;
    n.start_ms = NOW - 3600000;
    n.cpu_percent = 12.4;
    check_cell(w, &rt_table_nodes, &n, "name", "10.0.0.1");
    check_cell(w, &rt_table_nodes, &n, "cpu", "2.5/8");
    static const double reserved[] = {4, 0, 0, 0};
    n.amounts.reserved = reserved;
    check_cell(w, &rt_table_nodes, &n, "cpu", "2.5+4/8"); /* placement groups hold four more */
    n.amounts.reserved = NULL;
    check_cell(w, &rt_table_nodes, &n, "gpu", "?/4");
    check_cell(w, &rt_table_nodes, &n, "memory", "1.5G/64G");
    check_cell(w, &rt_table_nodes, &n, "up", "1h");
    check_cell(w, &rt_table_nodes, &n, "load", "12%");
    n.hostname = "worker-1";
    check_cell(w, &rt_table_nodes, &n, "name", "worker-1");
    n.name = "given";
    check_cell(w, &rt_table_nodes, &n, "name", "given");
    assert_int_equal(rt_table_nodes.health(&n, &w->env), RT_H_OK);
    assert_false(rt_table_nodes.attention(&n, &w->env));
    n.store_used_bytes = 95;
    n.store_total_bytes = 100;
    assert_true(rt_table_nodes.attention(&n, &w->env));
    check_cell(w, &rt_table_nodes, &n, "state_message", "object store 95 % full");
    n.alive = false;
    n.state = "DEAD";
    n.state_message = "Unexpected termination: health check failed";
    assert_int_equal(rt_table_nodes.health(&n, &w->env), RT_H_BAD);
    n.state_message = "Terminated due to preemption: drained";
    assert_int_equal(rt_table_nodes.health(&n, &w->env), RT_H_OFF);
}

static void nodes_that_live_stand_first_and_the_head_before_them(void **state) {
    (void)state;
    struct rt_node a = node_of("a", "10.0.0.2", "cpu"), b = node_of("b", "10.0.0.10", "cpu"),
                   head = node_of("c", "10.0.0.99", "head"), dead = node_of("d", "10.0.0.1", "cpu");
    head.head = true;
    dead.alive = false;
    int (*order)(const void *, const void *) = column(&rt_table_nodes, "state")->order;
    assert_true(order(&head, &a) < 0);
    assert_true(order(&a, &b) < 0);
    assert_true(order(&b, &dead) < 0);
}

static void a_node_as_json_has_null_for_the_unknown(void **state) {
    struct world *w = *state;
    struct rt_amount amounts[] = {{"CPU", 2, 8}};
    struct rt_node n = node_of("aabb", "10.0.0.1", "cpu");
    n.amounts = (struct rt_amounts){.v = amounts, .n = 1};
    n.mem_used_bytes = 100.7;
    json_t *o = rt_table_nodes.json(&n, &w->env, false);
    assert_int_equal(json_integer_value(rt_json_at(o, "resources.CPU.used")), 2);
    assert_int_equal(json_integer_value(rt_json_at(o, "memory_used_bytes")), 100);
    static const char *const unknown[] = {"memory_total_bytes", "cpu_percent", "workers", "idle_ms",
                                          "hostname",           "agent_port",  "ended_ms"};
    for (size_t i = 0; i < RT_COUNT(unknown); i++)
        assert_true(json_is_null(json_object_get(o, unknown[i])));
    json_decref(o);
}

/* ---- pools ---- */

static void a_pool_says_how_many_it_has_and_wants(void **state) {
    struct world *w = *state;
    struct rt_pool p = {.name = "gpu",
                        .kind = "node type",
                        .min = 2,
                        .desired = 8,
                        .max = 32,
                        .ready = 4,
                        .pending = 4};
    check_cell(w, &rt_table_pools, &p, "ready", "4 → 8");
    check_cell(w, &rt_table_pools, &p, "limits", "2..32");
    assert_int_equal(rt_table_pools.health(&p, &w->env), RT_H_BUSY);
    w->env.ascii = true;
    check_cell(w, &rt_table_pools, &p, "ready", "4 -> 8");
    p.pending = 0;
    p.why = "no room";
    check_cell(w, &rt_table_pools, &p, "ready", "4/8");
    check_cell(w, &rt_table_pools, &p, "why", "no room");
    assert_int_equal(rt_table_pools.health(&p, &w->env), RT_H_WARN);
    p.failed = 2;
    p.why = NULL;
    check_cell(w, &rt_table_pools, &p, "why", "2 failed");
    assert_int_equal(rt_table_pools.health(&p, &w->env), RT_H_BAD);
    p = (struct rt_pool){.name = "gpu", .min = -1, .desired = 4, .max = -1, .ready = 4};
    check_cell(w, &rt_table_pools, &p, "ready", "4");
    check_cell(w, &rt_table_pools, &p, "limits", "-");
    assert_int_equal(rt_table_pools.health(&p, &w->env), RT_H_OK);
    p.desired = 2;
    check_cell(w, &rt_table_pools, &p, "ready", "4 -> 2");
    p.desired = -1;
    p.max = -1;
    p.min = 0;
    p.pending = 3;
    check_cell(w, &rt_table_pools, &p, "ready", "4 -> 7");
    check_cell(w, &rt_table_pools, &p, "limits", "0..");
    struct rt_amount each[] = {
        {"CPU", -1, 16}, {"memory", -1, 34359738368.0}, {"object_store_memory", -1, 5}};
    p.per_node = (struct rt_amounts){.v = each, .n = 3};
    check_cell(w, &rt_table_pools, &p, "per_node", "CPU 16 memory 32G");
    json_t *o = rt_table_pools.json(&p, &w->env, false);
    assert_true(json_is_null(json_object_get(o, "desired")));
    assert_int_equal(json_integer_value(rt_json_at(o, "per_node.CPU")), 16);
    json_decref(o);
}

/* ---- clusters ---- */

static void check_state(const struct world *w, const char *want, enum rt_health health) {
    check_cell(w, &rt_table_clusters, w->c, "state", want);
    assert_int_equal(rt_cluster_health(w->c), health);
}

static void a_cluster_says_its_state_and_how_it_is_reached(void **state) {
    struct world *w = *state;
    check_state(w, "not attached", RT_H_OFF);
    rt_store_set_reach(w->s, w->c, RT_REACH_CONNECTING, NULL);
    check_state(w, "connecting", RT_H_BUSY);
    rt_store_set_state(w->s, w->c, RT_CL_QUEUED, "Priority");
    check_state(w, "queued (Priority)", RT_H_WAITING);
    rt_store_set_reach(w->s, w->c, RT_REACH_OK, NULL);
    rt_store_set_state(w->s, w->c, RT_CL_UP, NULL);
    check_state(w, "up", RT_H_OK);
    struct rt_pool p = {.name = "cpu", .min = 0, .desired = 4, .max = 8, .ready = 2, .pending = 2};
    rt_pools b = {0};
    batch_of(&b, &p, 1);
    rt_store_put_pools(w->s, w->c, &b);
    check_state(w, "up, 2 nodes starting", RT_H_OK);
    check_cell(w, &rt_table_clusters, w->c, "nodes", "0/4");
    rt_store_set_reach(w->s, w->c, RT_REACH_LOST, "refused");
    w->c->reach_since_ms = NOW - 14 * 60000;
    check_state(w, "unreachable 14m", RT_H_BAD);
    assert_true(rt_table_clusters.attention(w->c, &w->env));
    rt_store_set_state(w->s, w->c, RT_CL_STARTING, NULL); /* nothing can answer yet: no fault */
    check_state(w, "starting", RT_H_BUSY);
    rt_store_set_state(w->s, w->c, RT_CL_DOWN, NULL);
    check_state(w, "down", RT_H_OFF);
    struct rt_node n = {.id = "n1", .state = "ALIVE", .alive = true};
    rt_nodes nodes = {0};
    batch_of(&nodes, &n, 1);
    rt_store_put_nodes(w->s, w->c, &nodes);
    check_cell(w, &rt_table_clusters, w->c, "nodes", "-"); /* ended: what it had says nothing any more */
    rt_store_set_state(w->s, w->c, RT_CL_UP, NULL);
    check_cell(w, &rt_table_clusters, w->c, "nodes", "1/4"); /* lost: its last state stays */
    rt_store_set_reach(w->s, w->c, RT_REACH_TOKEN_NEEDED, NULL);
    rt_store_set_state(w->s, w->c, RT_CL_UP, NULL);
    check_state(w, "token needed", RT_H_WARN);
    rt_store_set_reach(w->s, w->c, RT_REACH_REFUSED, NULL);
    check_state(w, "access refused", RT_H_WARN);
    rt_store_set_reach(w->s, w->c, RT_REACH_TURN, NULL); /* what is known of it otherwise stays */
    check_state(w, "up, waiting for its turn, 2 nodes starting", RT_H_OK);
    rt_store_set_state(w->s, w->c, RT_CL_UNKNOWN, NULL);
    check_state(w, "waiting for its turn", RT_H_WAITING);
}

static void a_cluster_sums_up_its_nodes_and_jobs(void **state) {
    struct world *w = *state;
    static const char *const empty[] = {"nodes", "cpu",  "gpu", "memory",     "jobs",
                                        "idle",  "ends", "age", "ray_version"};
    for (size_t i = 0; i < RT_COUNT(empty); i++)
        check_cell(w, &rt_table_clusters, w->c, empty[i], "-");
    struct rt_amount cpu[] = {{"CPU", 612, 1768}};
    struct rt_node n = node_of("a", "1", "head");
    n.amounts = (struct rt_amounts){.v = cpu, .n = 1};
    n.mem_used_bytes = 61;
    n.mem_total_bytes = 100;
    struct rt_job jobs[] = {job_of("a", RT_JOB_RUNNING), job_of("b", RT_JOB_PENDING),
                            job_of("c", RT_JOB_PENDING)};
    rt_nodes nb = {0};
    rt_jobs jb = {0};
    batch_of(&nb, &n, 1);
    batch_of(&jb, jobs, 3);
    rt_store_put_nodes(w->s, w->c, &nb);
    rt_store_put_jobs(w->s, w->c, &jb);
    check_cell(w, &rt_table_clusters, w->c, "nodes", "1");
    check_cell(w, &rt_table_clusters, w->c, "cpu", "612/1,768");
    check_cell(w, &rt_table_clusters, w->c, "memory", "61%");
    check_cell(w, &rt_table_clusters, w->c, "jobs", "1 2 0");
    w->c->idle_since_ms = NOW - 5000;
    check_cell(w, &rt_table_clusters, w->c, "idle", "5s");
    json_t *o = rt_table_clusters.json(w->c, &w->env, false);
    assert_int_equal(json_integer_value(json_object_get(o, "cpu_used")), 612);
    assert_true(json_is_null(json_object_get(o, "gpu_total")));
    assert_int_equal(json_integer_value(json_object_get(o, "jobs_pending")), 2);
    assert_true(json_is_null(json_object_get(o, "error")));
    json_decref(o);
}

/* ---- forwards ---- */

static void forwards_of_one_cluster_or_of_all(void **state) {
    struct world *w = *state;
    struct rt_cluster *other = rt_store_add(w->s, "prod", "kuberay");
    struct rt_forward_row rows[] = {
        {.id = "lab:8265",
         .local = "127.0.0.1:8265",
         .to = "head:8265",
         .state = "up",
         .health = RT_H_OK,
         .via = "libssh2 me@lab",
         .local_port = 8265,
         .remote_port = 8265,
         .up_since_ms = NOW - 60000,
         .bytes_in = 43 * 1024 * 1024,
         .bytes_out = 2048},
        {.id = "prod:10001",
         .local = "-",
         .to = "head:10001",
         .state = "down (refused)",
         .health = RT_H_BAD},
    };
    rt_store_put_forwards(w->s, w->c, &rows[0], 1);
    rt_store_put_forwards(w->s, other, &rows[1], 1);
    assert_int_equal(rt_table_forwards.count(&w->env), 1);
    w->env.cluster = NULL;
    assert_int_equal(rt_table_forwards.count(&w->env), 2);
    const struct rt_forward_row *lab = rt_table_forwards.at(&w->env, 0),
                                *prod = rt_table_forwards.at(&w->env, 1);
    check_cell(w, &rt_table_forwards, lab, "cluster", "lab");
    check_cell(w, &rt_table_forwards, lab, "up", "1m");
    check_cell(w, &rt_table_forwards, lab, "in", "43M");
    check_cell(w, &rt_table_forwards, prod, "cluster", "prod");
    check_cell(w, &rt_table_forwards, prod, "up", "-");
    assert_true(rt_table_forwards.attention(prod, &w->env));
    json_t *o = rt_table_forwards.json(prod, &w->env, false);
    assert_true(json_is_null(json_object_get(o, "local")));
    assert_string_equal(rt_json_str(o, "cluster"), "prod");
    json_decref(o);
}

/* ---- detail ---- */

static void a_row_is_described_line_by_line(void **state) {
    struct world *w = *state;
    struct rt_amount amounts[] = {{"CPU", 2, 8}, {"memory", 1024, 2048}};
    struct rt_node n = node_of("aabb", "10.0.0.1", "cpu");
    n.amounts = (struct rt_amounts){.v = amounts, .n = 2};
    n.state_message = "first\nsecond\x1b[2J";
    n.start_ms = NOW - 5000;
    struct rt_buf out;
    rt_buf_init(&out, 0);
    rt_row_describe(&out, &rt_table_nodes, &n, &w->env);
    static const char *const lines[] = {
        "id                    aabb\n",
        "state message         \n    first\n    second^[[2J\n",
        "started               2026-11-21T02:52:27Z (5s ago)\n",
        "up                    5s\n",
        "resources\n  CPU                 2/8\n  memory              1K/2K\n",
        "memory used           -\n",
        "head                  no\n",
        "labels                -\n",
    };
    for (size_t i = 0; i < RT_COUNT(lines); i++)
        if (!strstr(rt_buf_str(&out), lines[i]))
            fail_msg("no \"%s\" in\n%s", lines[i], rt_buf_str(&out));
    rt_buf_deinit(&out);
}

#define table_test(fn) cmocka_unit_test_setup_teardown(fn, make, end)

int main(void) {
    setenv("TZ", "UTC", 1);
    tzset();
    const struct CMUnitTest tests[] = {
        table_test(every_table_is_whole),
        table_test(an_unset_cluster_has_no_rows),
        table_test(glyphs_differ_with_and_without_utf8),
        table_test(a_job_says_in_a_few_words_why),
        table_test(recorded_failures_are_told_by_their_last_line),
        table_test(a_job_is_a_row_of_clean_cells),
        table_test(orders_are_total_and_natural),
        table_test(a_job_as_json_hides_values_of_the_environment),
        table_test(an_environment_that_cannot_be_read_is_hidden_whole),
        table_test(tasks_sort_by_what_their_column_shows),
        table_test(a_node_shows_used_of_total_and_dashes_for_the_unknown),
        table_test(nodes_that_live_stand_first_and_the_head_before_them),
        table_test(a_node_as_json_has_null_for_the_unknown),
        table_test(a_pool_says_how_many_it_has_and_wants),
        table_test(a_cluster_says_its_state_and_how_it_is_reached),
        table_test(a_cluster_sums_up_its_nodes_and_jobs),
        table_test(forwards_of_one_cluster_or_of_all),
        table_test(a_row_is_described_line_by_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
