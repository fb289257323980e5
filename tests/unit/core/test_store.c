#include "base/str.h"
#include "batch.h"
#include "core/operation.h"
#include "core/provider.h"
#include "core/store.h"
#include "core/table.h"
#include "unit/cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world {
    struct rt_store *s;
    struct rt_cluster *c;
    int told[RT_T_COUNT];
};

static void tell(void *ctx, struct rt_cluster *c, enum rt_topic t) {
    struct world *w = ctx;
    (void)c;
    w->told[t]++;
}

static int make(void **state) {
    struct world *w = RT_NEW(struct world);
    w->s = rt_store_create();
    w->c = rt_store_add(w->s, "lab", "ssh");
    rt_store_watch(w->s, tell, w);
    *state = w;
    return 0;
}

static int end(void **state) {
    struct world *w = *state;
    rt_store_destroy(w->s);
    free(w);
    return 0;
}

static void put_jobs(struct world *w, const struct rt_job *rows, size_t n) {
    rt_jobs b = {0};
    batch_of(&b, rows, n);
    rt_store_put_jobs(w->s, w->c, &b);
    assert_null(b.arena);
}

static void put_nodes(struct world *w, const struct rt_node *rows, size_t n) {
    rt_nodes b = {0};
    batch_of(&b, rows, n);
    rt_store_put_nodes(w->s, w->c, &b);
}

/* ---- clusters ---- */

static void clusters_are_added_once_and_removed(void **state) {
    struct world *w = *state;
    assert_ptr_equal(rt_store_add(w->s, "lab", "slurm"), w->c);
    assert_string_equal(w->c->provider, "slurm");
    rt_store_add(w->s, "prod", "kuberay");
    assert_int_equal(rt_store_count(w->s), 2);
    assert_int_equal(w->told[RT_T_CLUSTER], 1);
    rt_store_remove(w->s, "lab");
    assert_int_equal(w->told[RT_T_CLUSTER], 2);
    assert_null(rt_store_cluster(w->s, "lab"));
    assert_string_equal(rt_store_at(w->s, 0)->name, "prod");
    rt_store_remove(w->s, "lab");
    assert_int_equal(rt_store_count(w->s), 1);
}

static void a_change_of_state_is_told_once(void **state) {
    struct world *w = *state;
    rt_store_set_state(w->s, w->c, RT_CL_QUEUED, "Priority");
    rt_store_set_state(w->s, w->c, RT_CL_QUEUED, "Priority");
    assert_int_equal(w->told[RT_T_CLUSTER], 1);
    rt_store_set_state(w->s, w->c, RT_CL_QUEUED, "Resources");
    assert_int_equal(w->told[RT_T_CLUSTER], 2);
    rt_store_set_reach(w->s, w->c, RT_REACH_LOST, "connection refused");
    assert_string_equal(w->c->reach_detail, "connection refused");
    assert_string_equal(w->c->state_detail, "Resources");
    assert_true(w->c->reach_since_ms > 0);
    rt_store_set_reach(w->s, w->c, RT_REACH_OK, NULL);
    assert_null(w->c->reach_detail);
}

static void another_session_drops_what_had_ids_of_the_old_one(void **state) {
    struct world *w = *state;
    struct rt_job j = job_of("raysubmit_a", RT_JOB_RUNNING);
    struct rt_node n = node_of("aa", "10.0.0.1", "head");
    rt_store_set_version(w->s, w->c, "2.60.0", "session_1");
    put_jobs(w, &j, 1);
    put_nodes(w, &n, 1);
    rt_store_set_version(w->s, w->c, "2.60.0", "session_1");
    assert_int_equal(w->c->jobs.n, 1);
    rt_store_set_version(w->s, w->c, NULL, NULL); /* unknown is not another one */
    assert_int_equal(w->c->jobs.n, 1);
    assert_string_equal(w->c->ray_version, "2.60.0");
    uint64_t before = w->c->fresh[RT_T_JOBS].revision;
    rt_store_set_version(w->s, w->c, "2.60.0", "session_2");
    assert_int_equal(w->c->jobs.n, 0);
    assert_int_equal(w->c->nodes.n, 0);
    assert_null(rt_store_job(w->c, "raysubmit_a"));
    assert_null(rt_store_node(w->c, "aa"));
    assert_true(w->c->fresh[RT_T_JOBS].revision > before);
    assert_int_equal(w->c->fresh[RT_T_JOBS].at_ms, 0);
}

/* ---- answers ---- */

static void an_answer_replaces_the_last_one(void **state) {
    struct world *w = *state;
    struct rt_job rows[] = {job_of("a", RT_JOB_RUNNING), job_of("b", RT_JOB_PENDING)};
    put_jobs(w, rows, 2);
    assert_int_equal(rt_store_job(w->c, "b")->status, RT_JOB_PENDING);
    assert_true(w->c->fresh[RT_T_JOBS].at_ms > 0);
    put_jobs(w, rows + 1, 1);
    assert_null(rt_store_job(w->c, "a"));
    assert_non_null(rt_store_job(w->c, "b"));
    assert_int_equal(w->told[RT_T_JOBS], 2);
}

static void an_equal_list_of_jobs_leaves_the_rows_where_they_are(void **state) {
    struct world *w = *state;
    struct rt_job rows[] = {job_of("a", RT_JOB_RUNNING), job_of("b", RT_JOB_PENDING)};
    put_jobs(w, rows, 2);
    const struct rt_job *row = rt_store_job(w->c, "a");
    uint64_t revision = w->c->fresh[RT_T_JOBS].revision;
    put_jobs(w, rows, 2);
    assert_ptr_equal(rt_store_job(w->c, "a"), row);
    assert_int_equal(w->c->fresh[RT_T_JOBS].revision, revision);
    assert_int_equal(w->told[RT_T_JOBS], 2); /* its age changed */
    rows[1].message = "x";
    put_jobs(w, rows, 2);
    assert_true(w->c->fresh[RT_T_JOBS].revision > revision);
    assert_string_equal(rt_store_job(w->c, "b")->message, "x");
}

static void a_failure_leaves_the_data_and_stands_beside_it(void **state) {
    struct world *w = *state;
    struct rt_job j = job_of("a", RT_JOB_RUNNING);
    struct rt_error err = {0};
    put_jobs(w, &j, 1);
    rt_error_set(&err, RT_E_TIMEOUT, "no answer");
    uint64_t revision = w->c->fresh[RT_T_JOBS].revision;
    rt_store_fail(w->s, w->c, RT_T_JOBS, &err);
    assert_non_null(rt_store_job(w->c, "a"));
    assert_string_equal(w->c->fresh[RT_T_JOBS].error.message, "no answer");
    assert_int_equal(w->c->fresh[RT_T_JOBS].revision, revision + 1);
    rt_store_fail(w->s, w->c, RT_T_JOBS, &err);
    assert_int_equal(w->c->fresh[RT_T_JOBS].revision, revision + 1);
    put_jobs(w, &j, 1); /* equal data, but the error is gone */
    assert_int_equal(w->c->fresh[RT_T_JOBS].error.code, RT_OK);
    assert_int_equal(w->c->fresh[RT_T_JOBS].revision, revision + 2);
}

static void one_job_comes_changes_and_goes(void **state) {
    struct world *w = *state;
    struct rt_kv meta = {"job_name", "night"};
    for (int i = 0; i < 100; i++) {
        char id[24];
        snprintf(id, sizeof(id), "job%d", i);
        struct rt_job j = job_of(id, RT_JOB_PENDING);
        j.metadata = (struct rt_kvs){&meta, 1};
        rt_store_put_job(w->s, w->c, &j);
    }
    assert_int_equal(w->c->jobs.n, 100);
    assert_int_equal(w->c->jobs.total, 100);
    for (int i = 0; i < 100; i++) {
        char id[24];
        snprintf(id, sizeof(id), "job%d", i);
        assert_string_equal(rt_store_job(w->c, id)->id, id);
    }
    struct rt_job j = job_of("job7", RT_JOB_RUNNING);
    int told = w->told[RT_T_JOBS];
    rt_store_put_job(w->s, w->c, &j);
    rt_store_put_job(w->s, w->c, &j);
    assert_int_equal(w->told[RT_T_JOBS], told + 1);
    assert_int_equal(rt_store_job(w->c, "job7")->status, RT_JOB_RUNNING);
    assert_string_equal(rt_kvs_get(&rt_store_job(w->c, "job8")->metadata, "job_name"), "night");
    rt_store_drop_job(w->s, w->c, "job7");
    rt_store_drop_job(w->s, w->c, "job7");
    assert_null(rt_store_job(w->c, "job7"));
    assert_int_equal(w->c->jobs.n, 99);
    assert_string_equal(rt_store_job(w->c, "job99")->id, "job99");
}

struct leaver {
    struct rt_store *s;
    int told;
};

static void leave(void *ctx, struct rt_cluster *c, enum rt_topic t) {
    struct leaver *l = ctx;
    (void)c;
    (void)t;
    l->told++;
    rt_store_unwatch(l->s, leave, l);
}

static void watchers_may_leave_while_they_are_told(void **state) {
    struct world *w = *state;
    struct leaver a = {w->s, 0}, b = {w->s, 0};
    rt_store_watch(w->s, leave, &a);
    rt_store_watch(w->s, leave, &b);
    rt_store_touch(w->s, w->c, RT_T_POOLS);
    rt_store_touch(w->s, w->c, RT_T_POOLS);
    assert_int_equal(a.told, 1);
    assert_int_equal(b.told, 1);
    assert_int_equal(w->told[RT_T_POOLS], 2);
}

/* ---- totals ---- */

static void totals_count_what_lives_and_know_what_they_do_not(void **state) {
    struct world *w = *state;
    struct rt_totals t = rt_cluster_totals(w->c);
    assert_int_equal(t.nodes_alive, -1);
    assert_int_equal(t.jobs_running, -1);
    assert_true(t.cpu_total < 0);
    struct rt_amount a[] = {{"CPU", 2, 8}, {"GPU", -1, 4}}, b[] = {{"CPU", 1.5, 16}},
                     d[] = {{"CPU", 5, 32}};
    struct rt_node rows[] = {node_of("a", "1", "head"), node_of("b", "2", "cpu"),
                             node_of("c", "3", "cpu")};
    static const double reserved[] = {4, 0};
    rows[0].amounts = (struct rt_amounts){.v = a, .n = 2, .reserved = reserved};
    rows[1].amounts = (struct rt_amounts){.v = b, .n = 1};
    rows[2].amounts = (struct rt_amounts){.v = d, .n = 1};
    rows[2].alive = false;
    rows[1].mem_used_bytes = 10;
    rows[1].mem_total_bytes = 100;
    put_nodes(w, rows, 3);
    struct rt_job jobs[] = {job_of("a", RT_JOB_RUNNING), job_of("b", RT_JOB_RUNNING),
                            job_of("c", RT_JOB_FAILED)};
    put_jobs(w, jobs, 3);
    t = rt_cluster_totals(w->c);
    assert_int_equal(t.nodes_alive, 2);
    assert_int_equal(t.nodes_total, 3);
    assert_true(t.cpu_used > 3.49 && t.cpu_used < 3.51);
    assert_true(t.cpu_total > 23.9 && t.cpu_total < 24.1);
    assert_true(t.cpu_reserved > 3.9 && t.cpu_reserved < 4.1);
    assert_true(t.gpu_used < 0 && t.gpu_reserved <= 0);
    assert_true(t.gpu_total > 3.9);
    assert_true(t.mem_total_bytes > 99);
    assert_int_equal(t.jobs_running, 2);
    assert_int_equal(t.jobs_pending, 0);
    assert_int_equal(t.jobs_failed, 1);
    assert_int_equal(t.jobs_total, 3);
}

/* ---- finding ---- */

static void jobs_are_found_by_id_short_id_and_prefix(void **state) {
    struct world *w = *state;
    struct rt_error err = {0};
    struct rt_job rows[] = {job_of("raysubmit_8fK2Qz", RT_JOB_RUNNING),
                            job_of("raysubmit_8fZZZZ", RT_JOB_RUNNING),
                            job_of("night", RT_JOB_RUNNING), job_of("night-2", RT_JOB_RUNNING),
                            job_of("02000000", RT_JOB_RUNNING)};
    rows[2].job_id = "03000000";
    rows[4].submission_id = NULL;
    rows[4].job_id = "02000000";
    put_jobs(w, rows, 5);
    assert_string_equal(rt_find_job(w->c, "raysubmit_8fK2Qz", &err)->id, "raysubmit_8fK2Qz");
    assert_string_equal(rt_find_job(w->c, "8fK2Qz", &err)->id, "raysubmit_8fK2Qz");
    assert_string_equal(rt_find_job(w->c, "8fK", &err)->id, "raysubmit_8fK2Qz");
    assert_string_equal(rt_find_job(w->c, "raysubmit_8fZ", &err)->id, "raysubmit_8fZZZZ");
    assert_string_equal(rt_find_job(w->c, "night", &err)->id, "night"); /* whole wins over prefix */
    assert_string_equal(rt_find_job(w->c, "03", &err)->id, "night");
    assert_string_equal(rt_find_job(w->c, "02000000", &err)->id, "02000000");
    assert_null(rt_find_job(w->c, "8f", &err));
    assert_int_equal(err.code, RT_E_USAGE);
    assert_string_equal(err.message,
                        "2 jobs begin with \"8f\": raysubmit_8fK2Qz, raysubmit_8fZZZZ");
    assert_null(rt_find_job(w->c, "zzz", &err));
    assert_int_equal(err.code, RT_E_NOT_FOUND);
    assert_string_equal(err.message, "no job \"zzz\" on lab");
    assert_null(rt_find_job(w->c, "", &err));
    assert_int_equal(err.code, RT_E_NOT_FOUND);
}

static void nodes_are_found_by_id_prefix_address_and_name(void **state) {
    struct world *w = *state;
    struct rt_error err = {0};
    struct rt_node rows[] = {node_of("aaaa", "10.0.0.1", "cpu"),
                             node_of("aabb", "10.0.0.12", "cpu"),
                             node_of("ccdd", "10.0.0.1", "cpu")};
    rows[1].name = "worker-1";
    rows[0].alive = false; /* its address was given to another one */
    put_nodes(w, rows, 3);
    assert_string_equal(rt_find_node(w->c, "10.0.0.1", &err)->id, "ccdd");
    assert_string_equal(rt_find_node(w->c, "worker-1", &err)->id, "aabb");
    assert_string_equal(rt_find_node(w->c, "aab", &err)->id, "aabb");
    assert_string_equal(rt_find_node(w->c, "aaaa", &err)->id, "aaaa");
    assert_string_equal(rt_find_node(w->c, "aa", &err)->id, "aabb"); /* the one that lives */
    assert_null(rt_find_node(w->c, "10.0.0", &err));
    assert_int_equal(err.code, RT_E_NOT_FOUND);
    rows[0].alive = true;
    put_nodes(w, rows, 3);
    assert_null(rt_find_node(w->c, "10.0.0.1", &err));
    assert_int_equal(err.code, RT_E_USAGE);
}

static void living_nodes_of_one_name_are_told_apart(void **state) {
    struct world *w = *state;
    struct rt_error err = {0};
    struct rt_node rows[] = {node_of("aaaabbbbcccc", "10.0.0.1", "cpu"), node_of("aabb11112222", "10.0.0.1", "cpu"),
                             node_of("ccdd11112222", "10.0.0.2", "cpu"), node_of("eeff11112222", "10.0.0.1", "cpu")};
    for (size_t i = 0; i < 4; i++)
        rows[i].hostname = i == 2 ? "box2" : "box";
    rows[3].alive = false;
    put_nodes(w, rows, 4);
    assert_string_equal(rt_node_name(rt_store_node(w->c, "aaaabbbbcccc")), "box#aaaabb");
    assert_string_equal(rt_node_name(rt_store_node(w->c, "aabb11112222")), "box#aabb11");
    assert_string_equal(rt_node_name(rt_store_node(w->c, "ccdd11112222")), "box2");
    assert_string_equal(rt_node_name(rt_store_node(w->c, "eeff11112222")), "box");
    assert_string_equal(rt_find_node(w->c, "box#aabb11", &err)->id, "aabb11112222");
    rows[1].alive = false; /* one alone needs nothing beside its name */
    put_nodes(w, rows, 4);
    assert_string_equal(rt_node_name(rt_store_node(w->c, "aaaabbbbcccc")), "box");
}

static void nodes_whose_ids_begin_alike_are_told_apart_by_their_ends(void **state) {
    struct world *w = *state;
    struct rt_node rows[] = {node_of("ffffffff00000", "10.0.0.1", "cpu"), node_of("ffffffff00001", "10.0.0.1", "cpu"),
                             node_of("ffffffff00002", "10.0.0.1", "cpu")};
    for (size_t i = 0; i < 3; i++)
        rows[i].hostname = "box";
    put_nodes(w, rows, 3);
    assert_string_equal(rt_node_name(rt_store_node(w->c, "ffffffff00000")), "box#f00000");
    assert_string_equal(rt_node_name(rt_store_node(w->c, "ffffffff00001")), "box#f00001");
    assert_string_equal(rt_node_name(rt_store_node(w->c, "ffffffff00002")), "box#f00002");
}

/* ---- pools and work ---- */

static void pools_are_made_of_the_nodes_that_live(void **state) {
    struct world *w = *state;
    struct rt_amount cpu = {"CPU", 1, 8};
    struct rt_node rows[] = {node_of("a", "1", "head"), node_of("b", "2", "gpu"),
                             node_of("c", "3", "gpu"), node_of("d", "4", "gpu"),
                             node_of("e", "5", NULL)};
    rows[0].head = true;
    rows[1].amounts = (struct rt_amounts){.v = &cpu, .n = 1};
    rows[3].alive = false;
    put_nodes(w, rows, 5);
    rt_pools_from_nodes(w->s, w->c);
    assert_int_equal(w->c->pools.n, 3);
    const struct rt_pool *head = rt_store_pool(w->c, "head"), *gpu = rt_store_pool(w->c, "gpu");
    assert_true(head->head);
    assert_int_equal(head->ready, 1);
    assert_int_equal(gpu->ready, 2);
    assert_int_equal(gpu->desired, -1);
    assert_string_equal(gpu->per_node.v[0].name, "CPU");
    assert_true(gpu->per_node.v[0].used < 0);
    assert_int_equal(rt_store_pool(w->c, "workers")->ready, 1);
    put_nodes(w, rows, 1);
    rt_pools_from_nodes(w->s, w->c);
    assert_int_equal(w->c->pools.n, 1);
}

static void what_an_autoscaler_told_of_a_pool_stays(void **state) {
    struct world *w = *state;
    struct rt_node n = node_of("b", "2", "gpu");
    struct rt_pool told[] = {
        {.name = "gpu",
         .kind = "node type",
         .min = 0,
         .desired = 2,
         .max = 8,
         .pending = 1,
         .why = "no room"},
        {.name = "big", .kind = "node type", .min = 0, .desired = -1, .max = 1, .ready = 5},
    };
    rt_pools b = {0};
    batch_of(&b, told, 2);
    rt_store_put_pools(w->s, w->c, &b);
    put_nodes(w, &n, 1);
    rt_pools_from_nodes(w->s, w->c);
    const struct rt_pool *gpu = rt_store_pool(w->c, "gpu");
    assert_int_equal(gpu->ready, 1);
    assert_int_equal(gpu->max, 8);
    assert_int_equal(gpu->desired, 2);
    assert_string_equal(gpu->why, "no room");
    assert_int_equal(rt_store_pool(w->c, "big")->ready, 0);
}

static void work_on_nodes_is_named(void **state) {
    struct world *w = *state;
    struct rt_node nodes[] = {node_of("n1", "10.0.0.1", "cpu"), node_of("n2", "10.0.0.2", "cpu")};
    struct rt_job jobs[] = {job_of("raysubmit_a", RT_JOB_RUNNING),
                            job_of("raysubmit_b", RT_JOB_SUCCEEDED), job_of("c", RT_JOB_RUNNING),
                            job_of("d", RT_JOB_RUNNING)};
    jobs[0].driver_node_id = "n1";
    jobs[1].driver_node_id = "n1";
    jobs[2].driver_ip = "10.0.0.1"; /* old Rays tell the address only */
    jobs[3].driver_node_id = "n2";
    struct rt_actor actors[] = {
        {.id = "1", .class_name = "Learner", .state = "ALIVE", .node_id = "n1", .pid = 12},
        {.id = "2", .class_name = "Gone", .state = "DEAD", .node_id = "n1", .pid = 13},
        {.id = "3", .class_name = "Far", .state = "ALIVE", .node_id = "n2", .pid = 14}};
    rt_actors b = {0};
    batch_of(&b, actors, 3);
    put_nodes(w, nodes, 2);
    put_jobs(w, jobs, 4);
    rt_store_put_actors(w->s, w->c, &b);
    struct rt_strs ids = {0}, work = {0};
    rt_strs_add(&ids, "n1");
    rt_work_on_nodes(w->c, &ids, &work);
    assert_int_equal(work.n, 3);
    assert_string_equal(work.v[0], "job raysubmit_a (python train.py)");
    assert_string_equal(work.v[1], "job c (python train.py)");
    assert_string_equal(work.v[2], "actor Learner pid 12");
    rt_strs_deinit(&ids);
    rt_strs_deinit(&work);
}

static void providers_and_powers_have_names(void **state) {
    (void)state;
    static const struct rt_provider_ops a = {.name = "a"}, b = {.name = "b"};
    static const struct rt_provider_ops *const list[] = {&a, &b, NULL};
    assert_ptr_equal(rt_provider_find(list, "b"), &b);
    assert_null(rt_provider_find(list, "c"));
    assert_null(rt_provider_find(list, NULL));
    for (uint32_t cap = RT_CAP_UP; cap <= RT_CAP_DISCOVER; cap <<= 1)
        assert_string_not_equal(rt_cap_name(cap), "unknown");
    assert_string_equal(rt_cap_name(1u << 31), "unknown");
    for (int i = 0; i < RT_T_COUNT; i++)
        assert_string_not_equal(rt_topic_name((enum rt_topic)i), "unknown");
}

/* A provider is asked on its own way and goes on answering when Ray does not. */
static void the_age_is_that_of_what_ray_said_and_not_of_what_its_provider_says(void **state) {
    struct world *w = *state;
    rt_pools pools = {0};
    rt_store_set_state(w->s, w->c, RT_CL_QUEUED, NULL);
    const int64_t queued = w->c->fresh[RT_T_CLUSTER].at_ms;
    assert_true(queued > 0);
    assert_int_equal(rt_cluster_newest_ms(w->c), queued); /* no Ray yet: what is known is the provider's */
    put_nodes(w, &(struct rt_node){.id = "n1", .alive = true}, 1);
    rt_store_set_version(w->s, w->c, "2.60.0", "session_1");
    rt_store_set_reach(w->s, w->c, RT_REACH_OK, NULL);
    w->c->version_ms = w->c->fresh[RT_T_NODES].at_ms = 1000;
    rt_store_set_reach(w->s, w->c, RT_REACH_LOST, "no answer");
    rt_store_set_state(w->s, w->c, RT_CL_UP, NULL);
    rt_store_put_pools(w->s, w->c, &pools);
    assert_int_equal(rt_cluster_newest_ms(w->c), 1000);
    rt_store_set_version(w->s, w->c, "2.60.0", "session_1");
    assert_true(rt_cluster_newest_ms(w->c) > 1000);
    w->c->version_ms = 1000;
    w->c->version_ms = 5000;
    w->c->unwell = true; /* the dashboard still tells its version */
    assert_int_equal(rt_cluster_newest_ms(w->c), 1000);
    assert_int_equal(rt_cluster_health(w->c), RT_H_BAD); /* lost is worse */
    rt_store_set_reach(w->s, w->c, RT_REACH_OK, NULL);
    assert_int_equal(rt_cluster_health(w->c), RT_H_WARN);
    struct rt_buf text;
    rt_buf_init(&text, 0);
    rt_cluster_state_text(&text, w->c, 2000);
    assert_string_equal(rt_buf_str(&text), "up, GCS not responding");
    rt_buf_deinit(&text);
    rt_store_set_reach(w->s, w->c, RT_REACH_LOST, "no answer");
    w->c->unwell = false;
    w->c->version_ms = 1000;
    rt_store_set_state(w->s, w->c, RT_CL_DOWN, NULL); /* it is gone: so much is young */
    assert_true(rt_cluster_newest_ms(w->c) > 1000);
}

#define store_test(fn) cmocka_unit_test_setup_teardown(fn, make, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        store_test(clusters_are_added_once_and_removed),
        store_test(a_change_of_state_is_told_once),
        store_test(another_session_drops_what_had_ids_of_the_old_one),
        store_test(an_answer_replaces_the_last_one),
        store_test(an_equal_list_of_jobs_leaves_the_rows_where_they_are),
        store_test(a_failure_leaves_the_data_and_stands_beside_it),
        store_test(one_job_comes_changes_and_goes),
        store_test(watchers_may_leave_while_they_are_told),
        store_test(totals_count_what_lives_and_know_what_they_do_not),
        store_test(jobs_are_found_by_id_short_id_and_prefix),
        store_test(nodes_are_found_by_id_prefix_address_and_name),
        store_test(living_nodes_of_one_name_are_told_apart),
        store_test(nodes_whose_ids_begin_alike_are_told_apart_by_their_ends),
        store_test(pools_are_made_of_the_nodes_that_live),
        store_test(what_an_autoscaler_told_of_a_pool_stays),
        store_test(work_on_nodes_is_named),
        store_test(the_age_is_that_of_what_ray_said_and_not_of_what_its_provider_says),
        store_test(providers_and_powers_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
