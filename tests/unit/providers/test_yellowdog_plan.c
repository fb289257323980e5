/* What would be sent, and what a look says of pools that are not as they should be. */
#include "unit/core/home.h"
#include "core/provider.h"
#include "net/http.h"
#include "providers/yellowdog_impl.h"

struct world {
    struct rt_loop *loop;
    struct rt_http *http;
    struct rt_config *config;
    struct rt_cluster cluster;
    struct rt_provider p;
};

static void no_problem(void *ctx, const struct rt_error *err) {
    (void)ctx;
    fail_msg("%s", err->message);
}

static struct world *world_make(void **state, const char *fields) {
    struct world *w = RT_NEW(struct world);
    struct rt_error err = {0};
    char *text = rt_strf("clusters:\n  demo: {provider: yellowdog, api_url: 'http://there', key_id: id, key_secret_env: S, namespace: me%s}\n", fields);
    home_write(*state, "config.yaml", text);
    free(text);
    w->config = rt_config_load(NULL, rt_providers);
    if (w->config->nproblems)
        fail_msg("%s", w->config->problems[0].message);
    w->loop = rt_loop_create(&err);
    w->http = rt_http_create(w->loop);
    w->p.conf = rt_config_cluster(w->config, "demo");
    w->p.own = w->p.conf->own;
    w->p.cluster = &w->cluster;
    yd_conf_pools(w->p.conf, &w->p.pools, no_problem, NULL);
    w->p.api = yd_api_create(w->loop, w->http, &(struct yd_access){.url = w->p.own->api_url, .key_id = w->p.own->key_id, .secret = &w->p.own->secret});
    return w;
}

static void world_end(struct world *w) {
    yd_api_destroy(w->p.api);
    yd_conf_pools_deinit(&w->p.pools);
    rt_http_destroy(w->http);
    rt_loop_destroy(w->loop);
    rt_config_destroy(w->config);
    free(w);
}

static void in_order(const char *text, const char *const *words) {
    for (; *words; words++) {
        const char *at = strstr(text, *words);
        if (!at)
            fail_msg("%s is not there, or not in its place", *words);
        text = at + 1;
    }
}

static void a_plan_has_the_calls_of_raydog_in_their_order(void **state) {
    struct world *w = world_make(state, ", tag: team, lifetime: 4h, head: {template: a/head}, observability: {template: a/eye},\n"
                                        "   pools: {cpu: {template: a/w, count: 2}}");
    struct rt_buf out;
    struct rt_error err = {0};
    const struct rt_up_opts o = {.dry_run = true};
    static const char *const words[] = {
        "# head: 1 machine of a/head", "# cpu: 2 machines of a/w", "# all of it ends 4h",
        "POST http://there/workerPools/provisioned/template", "demo-00-head", "POST http://there/workerPools/provisioned/template", "demo-01-wrkrs",
        "POST http://there/work/requirements", "head-node", "PT4H", "observability-node", "demo-observability-00", "worker-nodes-01",
        "POST http://there/workerPools/provisioned/template", "demo-observability", "POST http://there/work/taskGroups/", "task-00002",
        "POST http://there/work/taskGroups/", "task-00001", "OBSERVABILITY_HOST", "POST http://there/work/taskGroups/", "task-00003",
        "RAY_HEAD_NODE_PRIVATE_IP", "RAY_HEAD_IP", "task-00004", NULL};
    rt_buf_init(&out, RT_MIB);
    setenv("S", "the-secret", 1);
    assert_true(yd_plan(&w->p, "up", &o, &out, &err));
    in_order(rt_buf_str(&out), words);
    assert_null(strstr(rt_buf_str(&out), "the-secret"));
    rt_buf_deinit(&out);
    world_end(w);
}

static void without_a_template_nothing_can_be_made(void **state) {
    struct world *w = world_make(state, "");
    struct rt_buf out;
    struct rt_error err = {0};
    rt_buf_init(&out, RT_MIB);
    assert_false(yd_plan(&w->p, "up", &(struct rt_up_opts){0}, &out, &err));
    assert_int_equal(err.code, RT_E_CONFIG);
    rt_buf_deinit(&out);
    world_end(w);
}

/* ---- a pool of two machines, as a look may find it ---- */

struct scene {
    struct yd_pool pool;
    struct yd_requirement requirement;
    struct yd_instance instances[2];
    struct yd_node nodes[2];
    struct yd_task tasks[2];
    struct yd_task_error error;
    struct yd_group group;
    struct yd_work work;
    const char *tag, *bash;
    struct yd_result r_pool, r_requirement, r_instances, r_nodes, r_tasks;
    struct yd_part part;
    struct yd_seen seen;
};

static void scene_make(struct scene *s) {
    *s = (struct scene){.tag = "demo-01-wrkrs", .bash = "bash"};
    s->pool = (struct yd_pool){.id = "pool", .name = "demo-01-wrkrs", .worker_tag = s->tag, .state = YD_POOL_RUNNING, .status = "RUNNING", .max_nodes = 4,
                               .expected = 2};
    s->requirement = (struct yd_requirement){.id = "req", .state = YD_REQUIREMENT_RUNNING, .target = 2};
    s->group = (struct yd_group){.id = "group", .name = "worker-nodes-01", .state = YD_WORK_RUNNING, .worker_tags = {&s->tag, 1}};
    s->work = (struct yd_work){.id = "work", .name = "demo", .state = YD_WORK_RUNNING, .groups = &s->group, .ngroups = 1};
    for (int i = 0; i < 2; i++) {
        const char *const names[] = {"one", "two"};
        s->instances[i] = (struct yd_instance){.id = names[i], .state = YD_INSTANCE_RUNNING};
        s->nodes[i] = (struct yd_node){.id = names[i], .instance_id = names[i], .state = YD_NODE_RUNNING, .task_types = {&s->bash, 1}};
        s->tasks[i] = (struct yd_task){.id = names[i], .name = names[i], .group_id = "group", .node_id = names[i], .state = YD_TASK_EXECUTING};
    }
    s->r_pool = (struct yd_result){.n = 1, .pools = &s->pool};
    s->r_requirement = (struct yd_result){.n = 1, .requirements = &s->requirement};
    s->r_instances = (struct yd_result){.n = 2, .instances = s->instances};
    s->r_nodes = (struct yd_result){.n = 2, .nodes = s->nodes};
    s->r_tasks = (struct yd_result){.n = 2, .tasks = s->tasks};
    s->part = (struct yd_part){.pool = &s->pool, .pool_answer = &s->r_pool, .requirement = &s->r_requirement, .instances = &s->r_instances,
                               .nodes = &s->r_nodes, .label = "cpu", .index = 1, .role = YD_WORKER};
    s->seen = (struct yd_seen){.work = &s->work, .tasks = &s->r_tasks, .parts = &s->part, .nparts = 1, .at_ms = 100000};
}

static void says(struct world *w, struct scene *s, const char *words) {
    struct rt_buf out;
    rt_buf_init(&out, 4096);
    assert_true(yd_part_why(&w->p, &s->seen, &s->part, &out));
    if (!strstr(rt_buf_str(&out), words))
        fail_msg("%s", rt_buf_str(&out));
    rt_buf_deinit(&out);
}

static void a_pool_that_is_whole_needs_no_reason(void **state) {
    struct world *w = world_make(state, "");
    struct scene s;
    struct rt_buf out;
    scene_make(&s);
    rt_buf_init(&out, 4096);
    assert_false(yd_part_why(&w->p, &s.seen, &s.part, &out));
    const struct yd_count c = yd_part_count(&w->p, &s.seen, &s.part);
    assert_true(c.wanted == 2 && c.machines == 2 && c.nodes == 2 && c.executing == 2 && c.tasks == 2 && c.joined == -1);
    rt_buf_deinit(&out);
    world_end(w);
}

static void each_thing_that_is_missing_has_its_reason(void **state) {
    struct world *w = world_make(state, "");
    struct scene s;
    scene_make(&s);
    s.r_instances.n = s.r_nodes.n = 1;
    s.tasks[1] = (struct yd_task){.id = "two", .group_id = "group", .state = YD_TASK_READY};
    says(w, &s, "1 machine, 1 node, 1 executing: no capacity for 1 of 2 machines");
    s.r_instances.n = 2;
    s.instances[1].state = YD_INSTANCE_PENDING;
    says(w, &s, "1 booting");
    s.instances[1].state = YD_INSTANCE_RUNNING;
    says(w, &s, "have not registered yet");
    s.r_nodes.n = 2;
    s.nodes[1].task_types.v = &s.tag;
    says(w, &s, "do not offer task type bash");
    s.nodes[1].task_types.v = &s.bash;
    s.tasks[1].changed_ms = 1;
    says(w, &s, "1 task waiting beside a free node");
    world_end(w);
}

static void what_failed_is_said_with_its_reason(void **state) {
    struct world *w = world_make(state, "");
    struct scene s;
    scene_make(&s);
    s.error = (struct yd_task_error){.type = "PROCESS_NON_ZERO_EXIT", .exit_code = 3};
    s.tasks[1].state = YD_TASK_FAILED;
    s.tasks[1].errors = &s.error;
    s.tasks[1].nerrors = 1;
    says(w, &s, "two failed: exit 3 (PROCESS_NON_ZERO_EXIT)");
    scene_make(&s);
    s.nodes[1].state = YD_NODE_LOST;
    s.r_tasks.n = 1;
    says(w, &s, "a node was lost");
    scene_make(&s);
    s.part.over = true;
    s.pool.status = "TERMINATED";
    says(w, &s, "the pool has ended (TERMINATED)");
    world_end(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        home_test(a_plan_has_the_calls_of_raydog_in_their_order),
        home_test(without_a_template_nothing_can_be_made),
        home_test(a_pool_that_is_whole_needs_no_reason),
        home_test(each_thing_that_is_missing_has_its_reason),
        home_test(what_failed_is_said_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
