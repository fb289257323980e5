/* Reasons of clusters made by hand. */
#include "batch.h"
#include "core/provider.h"
#include "core/table.h"
#include "core/why.h"
#include "unit/cmocka_all.h"
#include <stdlib.h>

#define NOW (INT64_C(1795229552) * 1000)

static struct rt_amount small_has[] = {{"CPU", 1, 2}, {"GPU", 0, 0}};
static struct rt_amount large_has[] = {{"CPU", 12, 16}, {"GPU", 2, 4}};
static struct rt_kv in_zone_a[] = {{"zone", "a"}};

struct world {
    struct rt_store *s;
    struct rt_cluster *c;
};

static struct rt_node node_with(const char *id, const char *pool, struct rt_amount *v, size_t n) {
    struct rt_node x = node_of(id, id, pool);
    x.amounts = (struct rt_amounts){.v = v, .n = n};
    x.labels = (struct rt_kvs){.v = in_zone_a, .n = 1};
    return x;
}

static struct rt_pool pool_with(const char *name, int64_t ready, int64_t max) {
    return (struct rt_pool){.name = name,
                            .kind = "hosts",
                            .min = 0,
                            .max = max,
                            .desired = ready,
                            .ready = ready,
                            .scalable = true};
}

static void put_pools(struct world *w, const struct rt_pool *v, size_t n) {
    rt_pools b = {0};
    batch_of(&b, v, n);
    rt_store_put_pools(w->s, w->c, &b);
}

static void put_job(struct world *w, struct rt_job j) {
    rt_jobs b = {0};
    batch_of(&b, &j, 1);
    rt_store_put_jobs(w->s, w->c, &b);
}

static void put_demand(struct world *w, const char *text, const char *kind) {
    const struct rt_demand d = {.text = text, .kind = kind, .count = 3};
    rt_demands b = {0};
    batch_of(&b, &d, 1);
    rt_store_put_demands(w->s, w->c, &b);
}

/* Actors, then Ray's own. */
static void put_actors(struct world *w, const struct rt_actor *v, size_t n,
                       const struct rt_actor *own, size_t nown) {
    rt_actors b = {0};
    batch_of(&b, v, n);
    b.nown = nown;
    b.own = rt_arena_alloc(b.arena, (nown + 1) * sizeof(*own));
    if (nown)
        memcpy(b.own, own, nown * sizeof(*own));
    rt_store_put_actors(w->s, w->c, &b);
}

static int make(void **state) {
    struct world *w = RT_NEW(struct world);
    w->s = rt_store_create();
    w->c = rt_store_add(w->s, "lab", "ssh");
    w->c->caps = RT_CAP_SCALE;
    w->c->autoscaler = true;
    rt_store_set_reach(w->s, w->c, RT_REACH_OK, NULL);
    const struct rt_node nodes[] = {node_with("n1", "small", small_has, 2),
                                    node_with("n2", "large", large_has, 2)};
    rt_nodes b = {0};
    batch_of(&b, nodes, 2);
    rt_store_put_nodes(w->s, w->c, &b);
    const struct rt_pool pools[] = {pool_with("small", 1, 4), pool_with("large", 1, 3)};
    put_pools(w, pools, 2);
    *state = w;
    return 0;
}

static int end(void **state) {
    struct world *w = *state;
    rt_store_destroy(w->s);
    free(w);
    return 0;
}

static struct rt_why ask_with(struct world *w, enum rt_why_kind k, const char *id,
                              const struct rt_why_env *env) {
    struct rt_error err = {0};
    struct rt_why y;
    if (!rt_why(&y, w->c, k, id, env, &err))
        fail_msg("%s", err.message);
    return y;
}

static struct rt_why ask(struct world *w, enum rt_why_kind k, const char *id) {
    const struct rt_why_env env = {.now_ms = NOW};
    return ask_with(w, k, id, &env);
}

static const struct rt_why_line *line(const struct rt_why *w, const char *with) {
    for (size_t i = 0; i < w->nlines; i++)
        if (strstr(w->lines[i].text, with))
            return &w->lines[i];
    return NULL;
}

static void check_brief(struct world *w, enum rt_why_kind k, const char *id, const char *want) {
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_why_brief(&b, w->c, k, id);
    assert_string_equal(rt_buf_str(&b), want);
    rt_buf_deinit(&b);
}

static struct rt_actor waiting(struct rt_resource *v, size_t n) {
    return (struct rt_actor){.id = "a1",
                             .class_name = "Trainer",
                             .name = "t",
                             .state = "PENDING_CREATION",
                             .job_id = "01",
                             .resources = {v, n},
                             .restarts = 0};
}

/* ---- resources ---- */

static void too_large_for_any_node_names_the_largest(void **state) {
    struct rt_resource cpu[] = {{"CPU", 64}};
    const struct rt_actor a = waiting(cpu, 1);
    put_actors(*state, &a, 1, NULL, 0);
    struct rt_why y = ask(*state, RT_WHY_ACTOR, "a1");
    assert_string_equal(y.summary, "It asks for 64 CPU on one node; the largest node has 16 CPU.");
    assert_string_equal(y.pools[0].ever, "never: a node of it has 2 CPU");
    assert_null(y.action.key); /* more of these would not help */
    check_brief(*state, RT_WHY_ACTOR, "a1", "needs 64 CPU: largest node has 16");
    rt_why_deinit(&y);
}

static void taken_resources_say_how_much_is_free_and_offer_a_node_more(void **state) {
    struct rt_resource both[] = {{"CPU", 8}, {"GPU", 1}};
    const struct rt_actor a = waiting(both, 2);
    put_actors(*state, &a, 1, NULL, 0);
    struct rt_why y = ask(*state, RT_WHY_ACTOR, "a1");
    assert_string_equal(y.summary, "It asks for 8 CPU and 1 GPU on one node; at most 4 CPU is free "
                                   "on one that could hold it.");
    assert_string_equal(y.pools[1].free, "1 node: CPU 4; GPU 2");
    assert_string_equal(y.pools[1].ever,
                        "yes, when enough is free on one; the pool is at 1 of max 3");
    assert_string_equal(y.action.pool, "large");
    check_brief(*state, RT_WHY_ACTOR, "a1", "needs 8 CPU: 4 free at most");
    rt_why_deinit(&y);
}

static void what_placement_groups_reserve_is_not_free(void **state) {
    struct world *w = *state;
    struct rt_resource ten[] = {{"CPU", 10}};
    const struct rt_actor a = waiting(ten, 1);
    static const double reserved[] = {3, 0};
    put_actors(*state, &a, 1, NULL, 0);
    for (size_t i = 0; i < w->c->nodes.n; i++)
        if (rt_streq(w->c->nodes.v[i].pool, "large"))
            w->c->nodes.v[i].amounts.reserved = reserved;
    struct rt_why y = ask(*state, RT_WHY_ACTOR, "a1");
    assert_string_equal(y.summary, "It asks for 10 CPU on one node; at most 1 CPU is free on one that could hold it.");
    rt_why_deinit(&y);
}

static void a_pool_at_its_max_is_not_offered(void **state) {
    struct rt_resource cpu[] = {{"CPU", 8}};
    const struct rt_actor a = waiting(cpu, 1);
    const struct rt_pool pools[] = {pool_with("small", 1, 4), pool_with("large", 1, 1)};
    put_pools(*state, pools, 2);
    put_actors(*state, &a, 1, NULL, 0);
    struct rt_why y = ask(*state, RT_WHY_ACTOR, "a1");
    assert_string_equal(y.pools[1].ever,
                        "yes, when enough is free on one; the pool is at its max of 1");
    assert_null(y.action.key);
    rt_why_deinit(&y);
}

static void the_resource_that_is_shortest_is_named(void **state) {
    struct rt_resource both[] = {{"CPU", 1}, {"bignode", 1}};
    struct rt_resource none[] = {{"GPU", 4}, {"CPU", 16}};
    struct rt_actor a = waiting(both, 2);
    put_actors(*state, &a, 1, NULL, 0);
    struct rt_why y = ask(*state, RT_WHY_ACTOR, "a1");
    assert_string_equal(y.summary,
                        "It asks for 1 CPU and 1 bignode on one node; no node has any bignode.");
    rt_why_deinit(&y);
    a = waiting(none, 2);
    put_actors(*state, &a, 1, NULL, 0);
    check_brief(*state, RT_WHY_ACTOR, "a1", "needs 16 CPU: 4 free at most");
}

static void a_dead_actor_tells_its_error_without_the_traceback(void **state) {
    struct rt_actor a = waiting(NULL, 0);
    a.state = "DEAD";
    a.death_cause = "{\"creation_task_failure_context\": {\"formatted_exception_string\": \"Traceback (most recent call last):\\n  File \\\"work.py\\\", line 20\\n"
                    "OSError: no such device\\n\\n\"}}";
    put_actors(*state, &a, 1, NULL, 0);
    check_brief(*state, RT_WHY_ACTOR, "a1", "Its constructor failed: OSError: no such device");
    a.death_cause = "{\"actor_died_error_context\": {\"error_message\": \"The actor is dead because it was killed by `ray.kill`.\"}}";
    put_actors(*state, &a, 1, NULL, 0);
    check_brief(*state, RT_WHY_ACTOR, "a1", "it was killed by `ray.kill`.");
}

static void only_actors_that_nobody_let_go_have_failed(void **state) {
    static const struct {
        const char *cause;
        enum rt_health want;
    } all[] = {{NULL, RT_H_OFF},
               {"{\"creation_task_failure_context\": {}}", RT_H_BAD},
               {"{\"oom_context\": {}}", RT_H_BAD},
               {"{\"actor_died_error_context\": {\"reason\": \"WORKER_DIED\", \"error_message\": \"Worker exit type: SYSTEM_ERROR\"}}", RT_H_BAD},
               {"{\"actor_died_error_context\": {\"reason\": \"OWNER_DIED\", \"error_message\": \"Owner worker exit type: INTENDED_USER_EXIT\"}}", RT_H_OFF},
               {"{\"actor_died_error_context\": {\"reason\": \"OUT_OF_SCOPE\"}}", RT_H_OFF},
               {"{\"actor_died_error_context\": {\"error_message\": \"The actor is dead because it was killed by `ray.kill`.\"}}", RT_H_OFF}};
    struct world *w = *state;
    const struct rt_row_env env = {.store = w->s, .cluster = w->c, .now_ms = NOW};
    for (size_t i = 0; i < RT_COUNT(all); i++) {
        struct rt_actor a = waiting(NULL, 0);
        a.state = "DEAD";
        a.death_cause = all[i].cause;
        assert_int_equal(rt_table_actors.health(&a, &env), all[i].want);
    }
}

static void a_label_that_no_node_has_is_named(void **state) {
    struct rt_kv zone_b[] = {{"zone", "b"}}, either[] = {{"zone", "in(b, a)"}},
                 not_a[] = {{"zone", "!a"}};
    struct rt_actor a = waiting(NULL, 0);
    a.label_selector = (struct rt_kvs){zone_b, 1};
    put_actors(*state, &a, 1, NULL, 0);
    struct rt_why y = ask(*state, RT_WHY_ACTOR, "a1");
    assert_string_equal(y.summary, "It asks for the label zone=b; no node has that label.");
    assert_string_equal(y.pools[0].ever, "never: no node of it has the label zone=b");
    rt_why_deinit(&y);
    a.label_selector = (struct rt_kvs){either, 1};
    put_actors(*state, &a, 1, NULL, 0);
    check_brief(*state, RT_WHY_ACTOR, "a1", "needs the label zone=in(b, a): there is room");
    a.label_selector = (struct rt_kvs){not_a, 1};
    put_actors(*state, &a, 1, NULL, 0);
    check_brief(*state, RT_WHY_ACTOR, "a1", "needs label zone=!a: no node has it");
}

static void what_waits_for_a_label_is_no_reason_to_grow(void **state) {
    struct world *w = *state;
    struct rt_kv zone_b[] = {{"zone", "b"}}, zone_a[] = {{"zone", "a"}};
    struct rt_resource cpu[] = {{"CPU", 1}};
    struct rt_task v[3];
    struct rt_rows b = {.size = sizeof(*v), .n = 3, .total = 3};
    for (size_t i = 0; i < RT_COUNT(v); i++)
        v[i] = (struct rt_task){.id = i ? "t1" : "t0", .name = "nap", .state = "PENDING_NODE_ASSIGNMENT", .resources = {cpu, 1},
                                .label_selector = {zone_b, 1}};
    b.arena = rt_arena_create();
    b.v = rt_arena_alloc(b.arena, sizeof(v));
    struct rt_task *put = memcpy(b.v, v, sizeof(v));
    rt_store_put_rows(w->s, w->c, RT_T_TASKS, &b);
    struct rt_why y = ask(w, RT_WHY_TASK, "t0");
    assert_string_equal(y.summary, "It asks for 1 CPU and the label zone=b; no node has that label.");
    assert_null(line(&y, "there is room"));
    rt_why_deinit(&y);
    put_demand(w, "{'CPU': 1.0}", "tasks/actors");
    y = ask(w, RT_WHY_POOL, "small");
    assert_non_null(line(&y, "waits for a label that no node of it has: {'CPU': 1.0}, 3 of it"));
    assert_string_equal(y.summary, "Nothing waits that a node of it could hold: the autoscaler has no reason to add one.");
    rt_why_deinit(&y);
    put[2].label_selector = (struct rt_kvs){zone_a, 1};
    y = ask(w, RT_WHY_POOL, "small");
    assert_non_null(line(&y, "waits and would fit on a node of it: {'CPU': 1.0}, 3 of it"));
    rt_why_deinit(&y);
}

static void kinds_of_node_that_were_never_seen_are_not_judged(void **state) {
    struct rt_resource cpu[] = {{"CPU", 64}};
    const struct rt_actor a = waiting(cpu, 1);
    const struct rt_pool pools[] = {pool_with("small", 1, 4), pool_with("huge", 0, 3)};
    put_pools(*state, pools, 2);
    put_actors(*state, &a, 1, NULL, 0);
    struct rt_why y = ask(*state, RT_WHY_ACTOR, "a1");
    assert_string_equal(y.pools[1].ever,
                        "not known: no node of it was seen yet; the pool is at 0 of max 3");
    assert_non_null(line(&y, "some kinds of node were not seen yet"));
    rt_why_deinit(&y);
}

/* ---- placement groups ---- */

static void bundles_of_one_node_are_added_up(void **state) {
    struct world *w = *state;
    const struct rt_pg g = {
        .id = "p1",
        .name = "pg",
        .state = "PENDING",
        .bundles = "[{\"unit_resources\":{\"CPU\":10}},{\"unit_resources\":{\"CPU\":10}}]"};
    struct rt_rows b = {.arena = rt_arena_create(), .n = 1, .size = sizeof(g)};
    b.v = rt_arena_alloc(b.arena, sizeof(g));
    memcpy(b.v, &g, sizeof(g));
    rt_store_put_rows(w->s, w->c, RT_T_PGS, &b);
    put_demand(w, "{'CPU': 10.0} * 2 (STRICT_PACK)", "placement groups");
    struct rt_why y = ask(w, RT_WHY_PG, "p1");
    assert_string_equal(y.summary, "It, with all its bundles together (STRICT_PACK), asks for 20 "
                                   "CPU on one node; the largest node has 16 CPU.");
    assert_non_null(line(&y, "bundle of 10 CPU, 2 of it: a node could hold it, none has room now"));
    rt_why_deinit(&y);
}

/* ---- jobs ---- */

static void a_job_with_room_waits_for_its_environment(void **state) {
    struct world *w = *state;
    struct rt_job j = job_of("j1", RT_JOB_PENDING);
    const struct rt_actor sup = {.id = "s",
                                 .class_name = "JobSupervisor",
                                 .name = "_ray_internal_job_actor_j1",
                                 .state = "PENDING_CREATION"};
    const struct rt_env e = {.id = "e",
                             .node_id = "n1",
                             .creation_ms = -1,
                             .refs = 1,
                             .runtime_env = "{\"pip\":{\"packages\":[\"numpy\"],\"pip_check\":"
                                            "false},\"env_vars\":{\"A\":\"s3cret\"}}"};
    struct rt_rows envs = {.arena = rt_arena_create(), .n = 1, .size = sizeof(e)};
    j.message =
        "Job has not started yet. It may be waiting for the runtime environment to be set up.";
    j.runtime_env = "{\"pip\":[\"numpy\"],\"env_vars\":{\"A\":\"s3cret\"}}";
    j.start_ms = NOW - 240000;
    put_job(w, j);
    put_actors(w, &sup, 0, &sup, 1);
    envs.v = rt_arena_alloc(envs.arena, sizeof(e));
    memcpy(envs.v, &e, sizeof(e));
    rt_store_put_rows(w->s, w->c, RT_T_ENVS, &envs);
    struct rt_why y = ask(w, RT_WHY_JOB, "j1");
    assert_string_equal(y.summary,
                        "Nodes have room for it; its runtime environment is being made, for 4m.");
    assert_non_null(line(&y, "its runtime environment wants: pip"));
    assert_non_null(line(&y, "the runtime environment is being made on n1"));
    assert_null(line(&y, "s3cret"));
    check_brief(w, RT_WHY_JOB, "j1", "runtime env is being made");
    rt_why_deinit(&y);
}

static void a_broken_environment_has_the_words_of_the_installer(void **state) {
    struct world *w = *state;
    struct rt_job j = job_of("j1", RT_JOB_FAILED);
    j.error_type = "RUNTIME_ENV_SETUP_FAILURE";
    j.message =
        "runtime_env setup failed: Failed to set up runtime environment.\nTraceback (most recent "
        "call last):\n"
        "  File \"pip.py\", line 252, in _install_pip_packages\n    await check_output_cmd(pip)\n"
        "ray.SubprocessCalledProcessError: Run cmd[9] failed with the following details.\nLast 50 "
        "lines of stdout:\n"
        "    ERROR: Could not find a version that satisfies the requirement nope==9\n"
        "    ERROR: No matching distribution found for nope==9\n\n[notice] A new release of pip is "
        "available\n";
    put_job(w, j);
    struct rt_why y = ask(w, RT_WHY_JOB, "j1");
    assert_string_equal(y.summary, "Its runtime environment could not be made: ERROR: No matching "
                                   "distribution found for nope==9");
    assert_int_equal(line(&y, "RUNTIME_ENV_SETUP_FAILURE")->from, RT_T_JOBS);
    check_brief(w, RT_WHY_JOB, "j1",
                "runtime env: ERROR: No matching distribution found for nope==9");
    rt_why_deinit(&y);
}

static void a_stop_without_effect_is_told(void **state) {
    struct world *w = *state;
    struct rt_job j = job_of("j1", RT_JOB_PENDING);
    j.message =
        "Job has not started yet. It may be waiting for resources (CPUs) to become available.";
    put_job(w, j);
    const struct rt_why_env env = {.now_ms = NOW, .stop_asked_ms = NOW - 180000};
    struct rt_why y = ask_with(w, RT_WHY_JOB, "j1", &env);
    assert_non_null(line(&y, "its stop was asked for 3m ago and takes no effect"));
    rt_why_deinit(&y);
}

static void a_failed_job_tells_its_exit_and_its_last_words(void **state) {
    struct world *w = *state;
    struct rt_job j = job_of("j1", RT_JOB_FAILED);
    j.error_type = "JOB_ENTRYPOINT_COMMAND_ERROR";
    j.driver_exit_code = 3;
    j.message = "Job entrypoint command failed with exit code 3, last available logs:\nValueError: "
                "shard 7 is empty\n";
    put_job(w, j);
    struct rt_why y = ask(w, RT_WHY_JOB, "j1");
    assert_string_equal(y.summary, "It failed: exit 3: ValueError: shard 7 is empty");
    assert_non_null(line(&y, "exit code: 3"));
    rt_why_deinit(&y);
}

/* ---- pools, nodes, clusters ---- */

static void a_pool_without_demand_has_no_reason_to_grow(void **state) {
    struct world *w = *state;
    put_demand(w, "{'CPU': 64.0}", "tasks/actors");
    struct rt_why y = ask(w, RT_WHY_POOL, "small");
    assert_string_equal(
        y.summary,
        "Nothing waits that a node of it could hold: the autoscaler has no reason to add one.");
    assert_string_equal(y.action.pool, "small");
    rt_why_deinit(&y);
    put_demand(w, "{'CPU': 2.0}", "tasks/actors");
    y = ask(w, RT_WHY_POOL, "small");
    assert_non_null(line(&y, "waits and would fit on a node of it: {'CPU': 2.0}, 3 of it"));
    assert_string_equal(y.brief, "demand waits, no node is added");
    rt_why_deinit(&y);
}

static void a_pool_at_its_max_says_that_more_waits(void **state) {
    struct world *w = *state;
    const struct rt_pool pools[] = {pool_with("small", 1, 1), pool_with("large", 1, 3)};
    put_pools(w, pools, 2);
    put_demand(w, "{'CPU': 2.0}", "tasks/actors");
    struct rt_why y = ask(w, RT_WHY_POOL, "small");
    assert_string_equal(y.summary, "It is at its max of 1, and more waits for it.");
    assert_string_equal(y.brief, "at its max, and more waits");
    assert_null(y.action.pool); /* no node more is offered */
    rt_why_deinit(&y);
}

static void a_node_is_held_by_what_lives_on_it(void **state) {
    struct world *w = *state;
    const struct rt_actor a = {.id = "a1",
                               .class_name = "Counter",
                               .state = "ALIVE",
                               .job_id = "01",
                               .node_id = "n2",
                               .detached = true};
    put_actors(w, &a, 1, NULL, 0);
    struct rt_why y = ask(w, RT_WHY_NODE, "n2");
    assert_string_equal(y.summary, "It stays because it is in use: actors.");
    assert_non_null(line(&y, "taken: 12 CPU of 16, 2 GPU of 4"));
    assert_non_null(
        line(&y, "actor Counter of job 01 lives here, detached: it stays after its job"));
    rt_why_deinit(&y);
}

static void an_idle_node_stays_for_its_pool_or_its_timeout(void **state) {
    struct world *w = *state;
    struct rt_amount free_has[] = {{"CPU", 0, 2}};
    struct rt_node n = node_with("n1", "small", free_has, 1);
    struct rt_pool p = pool_with("small", 1, 4);
    rt_nodes b = {0};
    n.idle_ms = 300000;
    batch_of(&b, &n, 1);
    rt_store_put_nodes(w->s, w->c, &b);
    struct rt_why y = ask(w, RT_WHY_NODE, "n1");
    assert_string_equal(y.summary, "It is idle, for 5m; the autoscaler ends it after its idle "
                                   "timeout, which it does not tell.");
    rt_why_deinit(&y);
    p.min = 1;
    put_pools(w, &p, 1);
    y = ask(w, RT_WHY_NODE, "n1");
    assert_string_equal(y.summary, "It is idle, for 5m; its pool small is at its min of 1.");
    rt_why_deinit(&y);
}

static void an_unreachable_cluster_tells_the_error_and_the_next_try(void **state) {
    struct world *w = *state;
    struct rt_error err = {0};
    rt_error_set(&err, RT_E_UNREACHABLE, "connection refused");
    rt_error_hint(&err, "is the head running?");
    rt_store_fail(w->s, w->c, RT_T_CLUSTER, &err);
    rt_store_set_reach(w->s, w->c, RT_REACH_LOST, "connection refused");
    w->c->retry_at_ms = NOW + 4000;
    struct rt_why y = ask(w, RT_WHY_CLUSTER, "lab");
    assert_non_null(strstr(y.summary, "connection refused"));
    assert_non_null(line(&y, "the next try is in 4s"));
    assert_non_null(line(&y, "is the head running?"));
    rt_why_deinit(&y);
    y = ask(w, RT_WHY_NODE, "n1");
    assert_non_null(line(&y, "what follows is the last that was known"));
    rt_why_deinit(&y);
}

/* ---- the rest ---- */

static void demand_that_is_no_demand_is_passed_over(void **state) {
    static const char *const hostile[] = {"",
                                          "{",
                                          "{'CPU'",
                                          "{'CPU': }",
                                          "{'CPU': 1.0",
                                          "{'CPU': 1.0} *",
                                          "{'a': 1} * 99999999999999999999 (",
                                          "{{{{",
                                          "{'CPU': nan}"};
    for (size_t i = 0; i < RT_COUNT(hostile); i++) {
        put_demand(*state, hostile[i], "tasks/actors");
        struct rt_why y = ask(*state, RT_WHY_POOL, "small");
        rt_why_deinit(&y);
    }
}

static void what_a_cluster_says_cannot_reach_the_terminal(void **state) {
    struct world *w = *state;
    struct rt_job j = job_of("j1", RT_JOB_PENDING);
    j.message = "waiting for resources \033]52;c;aGk=\a\033[2J";
    put_job(w, j);
    struct rt_why y = ask(w, RT_WHY_JOB, "j1");
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_why_text(&b, &y, NOW);
    assert_null(strchr(rt_buf_str(&b), '\033'));
    assert_null(strchr(rt_buf_str(&b), '\a'));
    rt_buf_deinit(&b);
    rt_why_deinit(&y);
}

static void an_answer_is_json_with_the_age_of_each_reason(void **state) {
    struct rt_resource cpu[] = {{"CPU", 64}};
    const struct rt_actor a = waiting(cpu, 1);
    put_actors(*state, &a, 1, NULL, 0);
    put_demand(*state, "{'CPU': 64.0}", "tasks/actors");
    struct rt_why y = ask(*state, RT_WHY_ACTOR, "a1");
    json_t *v = rt_why_json(&y);
    const json_t *first = json_array_get(json_object_get(v, "reasons"), 0);
    assert_string_equal(rt_json_str(v, "kind"), "actor");
    assert_string_equal(rt_json_str(v, "brief"), "needs 64 CPU: largest node has 16");
    assert_string_equal(rt_json_str(first, "from"), "autoscaler");
    assert_true(json_integer_value(json_object_get(first, "at_ms")) > 0);
    assert_int_equal(json_array_size(json_object_get(v, "pools")), 2);
    json_decref(v);
    rt_why_deinit(&y);
}

static void things_are_found_by_name_and_prefix(void **state) {
    struct world *w = *state;
    const struct rt_actor v[] = {{.id = "abc1", .name = "first", .state = "ALIVE"},
                                 {.id = "abd2", .name = "second", .state = "ALIVE"}};
    enum rt_why_kind k;
    const char *id;
    struct rt_error err = {0};
    put_actors(w, v, 2, NULL, 0);
    assert_true(rt_why_find(w->c, "second", &k, &id, &err));
    assert_string_equal(id, "abd2");
    assert_true(rt_why_find(w->c, "abc", &k, &id, &err));
    assert_string_equal(id, "abc1");
    assert_true(rt_why_find(w->c, "large", &k, &id, &err));
    assert_int_equal(k, RT_WHY_POOL);
    assert_true(rt_why_find(w->c, "lab", &k, &id, &err));
    assert_int_equal(k, RT_WHY_CLUSTER);
    put_job(w, job_of("large64", RT_JOB_PENDING));
    assert_true(
        rt_why_find(w->c, "large", &k, &id, &err)); /* its own name, not the job's beginning */
    assert_int_equal(k, RT_WHY_POOL);
    assert_true(rt_why_find(w->c, "large6", &k, &id, &err));
    assert_int_equal(k, RT_WHY_JOB);
    assert_false(rt_why_find(w->c, "ab", &k, &id, &err));
    assert_int_equal(err.code, RT_E_USAGE);
    assert_false(rt_why_find(w->c, "zzz", &k, &id, &err));
    assert_int_equal(err.code, RT_E_NOT_FOUND);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, make, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(too_large_for_any_node_names_the_largest),
        T(taken_resources_say_how_much_is_free_and_offer_a_node_more),
        T(what_placement_groups_reserve_is_not_free),
        T(a_pool_at_its_max_is_not_offered),
        T(the_resource_that_is_shortest_is_named),
        T(a_dead_actor_tells_its_error_without_the_traceback),
        T(only_actors_that_nobody_let_go_have_failed),
        T(a_label_that_no_node_has_is_named),
        T(what_waits_for_a_label_is_no_reason_to_grow),
        T(kinds_of_node_that_were_never_seen_are_not_judged),
        T(bundles_of_one_node_are_added_up),
        T(a_job_with_room_waits_for_its_environment),
        T(a_broken_environment_has_the_words_of_the_installer),
        T(a_stop_without_effect_is_told),
        T(a_failed_job_tells_its_exit_and_its_last_words),
        T(a_pool_without_demand_has_no_reason_to_grow),
        T(a_pool_at_its_max_says_that_more_waits),
        T(a_node_is_held_by_what_lives_on_it),
        T(an_idle_node_stays_for_its_pool_or_its_timeout),
        T(an_unreachable_cluster_tells_the_error_and_the_next_try),
        T(demand_that_is_no_demand_is_passed_over),
        T(what_a_cluster_says_cannot_reach_the_terminal),
        T(an_answer_is_json_with_the_age_of_each_reason),
        T(things_are_found_by_name_and_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
