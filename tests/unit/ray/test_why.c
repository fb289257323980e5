/* Reasons read off what real clusters answered: through the client into the store, and asked there.
 */
#include "core/provider.h"
#include "core/why.h"
#include "unit/ray/dashboard.h"

#define NOW (INT64_C(1795231000) * 1000)
#define EMPTY .text = "{\"data\":{\"result\":{\"total\":0,\"result\":[]}}}"
#define PENDING_ACTORS                                                                             \
    "/api/v0/actors?detail=1&limit=1000&filter_keys=state&filter_predicates=%3D&filter_values="    \
    "PENDING_CREATION"

static struct dashboard d;
static struct rt_store *store;
static struct rt_cluster *cluster;
static bool done;

/* ---- from the dashboard into the store ---- */

static void got_nodes(void *ctx, rt_nodes *b, const struct rt_error *err) {
    (void)ctx;
    assert_null(err);
    rt_store_put_nodes(store, cluster, b);
    done = true;
}

static void got_status(void *ctx, struct rt_ray_status *s, const struct rt_error *err) {
    (void)ctx;
    assert_null(err);
    cluster->autoscaler = s->autoscaler;
    rt_store_put_failures(cluster, &s->failures);
    rt_store_put_demands(store, cluster, &s->demands);
    rt_store_put_pools(store, cluster, &s->pools);
    done = true;
}

static void got_jobs(void *ctx, rt_jobs *b, const struct rt_error *err) {
    (void)ctx;
    assert_null(err);
    rt_store_put_jobs(store, cluster, b);
    done = true;
}

static void got_actors(void *ctx, rt_actors *b, const struct rt_error *err) {
    (void)ctx;
    assert_null(err);
    rt_store_put_actors(store, cluster, b);
    done = true;
}

static void got_rows(void *ctx, struct rt_rows *b, const struct rt_error *err) {
    assert_null(err);
    rt_store_put_rows(store, cluster, *(const enum rt_topic *)ctx, b);
    done = true;
}

static void turn(void) {
    dashboard_wait(&d, &done);
    done = false;
}

static void open_with(const struct route *routes, size_t n) {
    dashboard_open(&d, routes, n);
    store = rt_store_create();
    cluster = rt_store_add(store, "lab", "address");
    rt_store_set_reach(store, cluster, RT_REACH_OK, NULL);
    rt_ray_nodes(d.ray, got_nodes, NULL);
    turn();
    rt_ray_status(d.ray, got_status, NULL);
    turn();
    rt_pools_from_nodes(store, cluster);
}
#define OPEN(...)                                                                                  \
    static const struct route routes[] = {__VA_ARGS__, {"GET", "/api/v0/", EMPTY}};                \
    open_with(routes, RT_COUNT(routes))

static void fetch(enum rt_topic t) {
    if (t == RT_T_ACTORS)
        rt_ray_actors(d.ray, got_actors, NULL);
    else
        rt_ray_rows(d.ray, t, got_rows, &t);
    turn();
}

static void end(struct rt_why *w) {
    rt_why_deinit(w);
    rt_store_destroy(store);
    dashboard_close(&d);
}

static struct rt_why ask(enum rt_why_kind k, const char *id, const struct rt_resources *asked) {
    const struct rt_why_env env = {.now_ms = NOW, .asked = asked};
    struct rt_error err = {0};
    struct rt_why w;
    if (!rt_why(&w, cluster, k, id, &env, &err))
        fail_msg("%s", err.message);
    return w;
}

static const struct rt_why_line *line(const struct rt_why *w, const char *with) {
    for (size_t i = 0; i < w->nlines; i++)
        if (strstr(w->lines[i].text, with))
            return &w->lines[i];
    return NULL;
}

static void says(const struct rt_why *w, enum rt_topic from, const char *text) {
    const struct rt_why_line *l = line(w, text);
    for (size_t i = 0; !l && i < w->nlines; i++)
        print_message("%s: %s\n", rt_topic_name(w->lines[i].from), w->lines[i].text);
    assert_non_null(l);
    assert_int_equal(l->from, from);
    assert_true(l->at_ms > 0);
}

static const struct rt_why_pool *pool(const struct rt_why *w, const char *name) {
    for (size_t i = 0; i < w->npools; i++)
        if (strcmp(w->pools[i].name, name) == 0)
            return &w->pools[i];
    fail_msg("no pool %s", name);
    return NULL;
}

/* ---- a plain `ray start` cluster ---- */

#define PLAIN                                                                                      \
    {"GET", "/api/v0/nodes", .fixture = "ray-2.60.0/v0_nodes_detail.json"},                        \
        {"GET", "/nodes", .fixture = "ray-2.60.0/nodes_summary_idle.json"},                        \
        {"GET", "/api/cluster_status?format=1",                                                    \
         .fixture = "ray-2.60.0/cluster_status_demand_fmt.json"},                                  \
        {"GET", "/api/cluster_status", .fixture = "ray-2.60.0/cluster_status.json"},               \
        {"GET", "/api/jobs/infeasible", .fixture = "ray-2.60.0/job_pending_infeasible.json"},      \
        {"GET", PENDING_ACTORS, .fixture = "ray-2.60.0/actors_pending.json"}, {                    \
        "GET", "/api/v0/placement_groups", .fixture = "ray-2.60.0/pgs_busy.json"           \
    }

static void a_pending_job_wants_what_its_supervisor_waits_for(void **state) {
    (void)state;
    OPEN(PLAIN);
    rt_ray_job(d.ray, "infeasible", got_jobs, NULL);
    turn();
    fetch(RT_T_ACTORS);
    struct rt_why w = ask(RT_WHY_JOB, "infeasible", NULL);
    assert_string_equal(w.title, "why is infeasible pending?");
    assert_string_equal(w.summary, "It asks for 4 GPU on one node; no node has any GPU.");
    assert_string_equal(w.brief, "needs 4 GPU: no node has any");
    assert_string_equal(pool(&w, "pool-b")->ever, "never: no GPU");
    says(&w, RT_T_ACTORS, "its supervisor is PENDING_CREATION and asks for 4 GPU");
    says(&w, RT_T_DEMAND, "there is no autoscaler");
    assert_null(w.action.key);
    end(&w);
}

static void without_its_supervisor_it_is_not_guessed_what_a_job_wants(void **state) {
    (void)state;
    OPEN(PLAIN);
    rt_ray_job(d.ray, "infeasible", got_jobs, NULL);
    turn();
    struct rt_why w = ask(RT_WHY_JOB, "infeasible", NULL);
    assert_non_null(strstr(w.summary, "what it asked for is not known"));
    assert_non_null(line(&w, "its supervisor: not known yet"));
    assert_int_equal(w.npools, 0);
    end(&w);
}

static void an_actor_that_waits_is_on_the_list_of_demand(void **state) {
    (void)state;
    OPEN(PLAIN);
    fetch(RT_T_ACTORS);
    struct rt_why w = ask(RT_WHY_ACTOR, cluster->actors.v[0].id, NULL);
    assert_string_equal(w.summary, "It asks for 1 CPU and 1 GPU on one node; no node has any GPU.");
    says(&w, RT_T_DEMAND, "on Ray's list of waiting demand: {'CPU': 1.0, 'GPU': 1.0}");
    end(&w);
}

static void a_placement_group_names_the_bundle_that_never_fits(void **state) {
    (void)state;
    OPEN(PLAIN);
    fetch(RT_T_PGS);
    enum rt_why_kind k;
    const char *id;
    struct rt_error err = {0};
    assert_true(rt_why_find(cluster, "pg_pending", &k, &id, &err));
    assert_int_equal(k, RT_WHY_PG);
    struct rt_why w = ask(k, id, NULL);
    assert_string_equal(
        w.summary, "It has a bundle that asks for 40 CPU on one node; the largest node has 2 CPU.");
    says(&w, RT_T_NODES, "bundle of 40 CPU, 2 of it: no node could ever hold it");
    says(&w, RT_T_PGS, "Ray calls it infeasible");
    says(&w, RT_T_DEMAND, "{'CPU': 40.0} * 2 (PACK)");
    end(&w);
}

/* ---- autoscalers ---- */

static const struct rt_resource five_hundred[] = {{"CPU", 500}};
static const struct rt_resources big = {.v = (struct rt_resource *)(uintptr_t)five_hundred, .n = 1};

static void the_first_autoscaler_is_quoted(void **state) {
    (void)state;
    OPEN({"GET", "/api/v0/nodes", .fixture = "ray-2.60.0/autoscaler_v1_v0nodes.json"},
         {"GET", "/nodes", .fixture = "ray-2.60.0/autoscaler_v1_nodes.json"},
         {"GET", "/api/cluster_status?format=1", .fixture = "ray-2.60.0/autoscaler_v1_fmt_t5.json"},
         {"GET", "/api/cluster_status", .fixture = "ray-2.60.0/autoscaler_v1_t4.json"},
         {"GET", "/api/jobs/infeasible", .fixture = "ray-2.60.0/job_pending_infeasible.json"},
         {"GET", "/api/v0/cluster_events", .fixture = "ray-2.60.0/autoscaler_v1_events.json"});
    rt_ray_job(d.ray, "infeasible", got_jobs, NULL);
    turn();
    fetch(RT_T_EVENTS);
    struct rt_why w = ask(RT_WHY_JOB, "infeasible", &big);
    assert_string_equal(w.summary, "It asks for 500 CPU on one node; the largest node has 2 CPU.");
    says(&w, RT_T_JOBS, "it was submitted from here and asked for 500 CPU");
    says(&w, RT_T_DEMAND, "on Ray's list of waiting demand: {'CPU': 500.0}, 1 of it");
    says(&w, RT_T_EVENTS, "No available node types can fulfill resource request {'CPU': 500.0}");
    assert_null(line(&w, "there is no autoscaler"));
    end(&w);
}

static void the_second_autoscaler_is_quoted(void **state) {
    (void)state;
    OPEN({"GET", "/api/v0/nodes", .fixture = "ray-2.60.0/autoscaler_v2_v0nodes.json"},
         {"GET", "/nodes", .fixture = "ray-2.60.0/autoscaler_v2_nodes.json"},
         {"GET", "/api/cluster_status?format=1", .fixture = "ray-2.60.0/autoscaler_v2_fmt_t4.json"},
         {"GET", "/api/cluster_status", .fixture = "ray-2.60.0/autoscaler_v2_t4.json"},
         {"GET", "/api/jobs/infeasible", .fixture = "ray-2.60.0/job_pending_infeasible.json"},
         {"GET", "/api/v0/cluster_events", .fixture = "ray-2.60.0/autoscaler_v2_events_late.json"});
    rt_ray_job(d.ray, "infeasible", got_jobs, NULL);
    turn();
    fetch(RT_T_EVENTS);
    struct rt_why w = ask(RT_WHY_JOB, "infeasible", &big);
    says(&w, RT_T_DEMAND, "on Ray's list of waiting demand: {'CPU': 500.0}, 1 of it");
    says(&w, RT_T_EVENTS, "No available node types can fulfill resource requests {'CPU': 500.0}*1");
    end(&w);
}

static void a_pool_that_grows_says_what_is_on_the_way_and_for_whom(void **state) {
    (void)state;
    OPEN({"GET", "/api/v0/nodes", EMPTY}, {"GET", "/nodes", .text = "{\"data\":{\"summary\":[]}}"},
         {"GET", "/api/cluster_status?format=1", .fixture = "ray-2.60.0/autoscaler_v2_fmt_t2.json"},
         {"GET", "/api/cluster_status", .fixture = "ray-2.60.0/autoscaler_v2_t4.json"});
    struct rt_why w = ask(RT_WHY_POOL, "cpu_pool", NULL);
    assert_non_null(strstr(w.summary, "1 node of it is on the way"));
    says(&w, RT_T_DEMAND, "whether a node of it could hold it is not known: {'CPU': 500.0}");
    end(&w);
}

static void launches_that_failed_are_told(void **state) {
    (void)state;
    OPEN({"GET", "/api/v0/nodes", EMPTY}, {"GET", "/nodes", .text = "{\"data\":{\"summary\":[]}}"},
         {"GET", "/api/cluster_status?format=1",
          .text = "{\"result\":true,\"msg\":\"\",\"data\":{\"clusterStatus\":\"======== Autoscaler "
                  "status: x ========\\nActive:\\n 1 small\\nIdle:\\n"
                  " (no idle nodes)\\nPending:\\n (no pending nodes)\\nRecent failures:\\n"
                  " big: LaunchFailed (latest_attempt: 02:40:11) - quota exceeded\\n"
                  " big: NodeTerminated (instance_id: 1)\\n big: NodeTerminated (instance_id: 2)\\n"
                  "Pending Demands:\\n {'CPU': 3.0}: 2+ pending tasks/actors\\n\"}}"},
         {"GET", "/api/cluster_status",
          .text = "{\"result\":true,\"msg\":\"\",\"data\":{\"clusterStatus\":null}}"});
    struct rt_why w = ask(RT_WHY_POOL, "big", NULL);
    says(&w, RT_T_DEMAND,
         "failed lately: big: LaunchFailed (latest_attempt: 02:40:11) - quota exceeded");
    assert_non_null(strstr(w.summary, "LaunchFailed"));
    end(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pending_job_wants_what_its_supervisor_waits_for),
        cmocka_unit_test(without_its_supervisor_it_is_not_guessed_what_a_job_wants),
        cmocka_unit_test(an_actor_that_waits_is_on_the_list_of_demand),
        cmocka_unit_test(a_placement_group_names_the_bundle_that_never_fits),
        cmocka_unit_test(the_first_autoscaler_is_quoted),
        cmocka_unit_test(the_second_autoscaler_is_quoted),
        cmocka_unit_test(a_pool_that_grows_says_what_is_on_the_way_and_for_whom),
        cmocka_unit_test(launches_that_failed_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
