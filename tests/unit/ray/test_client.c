/* The client against recordings of real dashboards, and against dashboards that misbehave. */
#include "unit/ray/dashboard.h"

struct answer {
    bool done;
    struct rt_error err;
    struct rt_ray_version version;
    rt_nodes nodes;
    rt_jobs jobs;
    rt_actors actors;
    struct rt_ray_status status;
    int64_t idle;
};

static void keep_error(struct answer *a, const struct rt_error *err) {
    a->done = true;
    if (err)
        a->err = *err;
}

static void got_done(void *ctx, const struct rt_error *err) {
    keep_error(ctx, err);
}

static void got_version(void *ctx, const struct rt_ray_version *v, const struct rt_error *err) {
    struct answer *a = ctx;
    a->version = *v;
    keep_error(a, err);
}

static void got_nodes(void *ctx, rt_nodes *b, const struct rt_error *err) {
    struct answer *a = ctx;
    a->nodes = *b;
    memset(b, 0, sizeof(*b));
    keep_error(a, err);
}

static void got_jobs(void *ctx, rt_jobs *b, const struct rt_error *err) {
    struct answer *a = ctx;
    a->jobs = *b;
    memset(b, 0, sizeof(*b));
    keep_error(a, err);
}

static void got_actors(void *ctx, rt_actors *b, const struct rt_error *err) {
    struct answer *a = ctx;
    a->actors = *b;
    memset(b, 0, sizeof(*b));
    keep_error(a, err);
}

static void got_status(void *ctx, struct rt_ray_status *s, const struct rt_error *err) {
    struct answer *a = ctx;
    a->status = *s;
    memset(s, 0, sizeof(*s));
    keep_error(a, err);
}

static void got_idle(void *ctx, int64_t since, const struct rt_error *err) {
    struct answer *a = ctx;
    a->idle = since;
    keep_error(a, err);
}

static struct dashboard d;

static void open_with(const struct route *routes, size_t n) {
    dashboard_open(&d, routes, n);
}
#define OPEN(...)                                                                                  \
    static const struct route routes[] = {__VA_ARGS__};                                            \
    struct answer a = {0};                                                                         \
    open_with(routes, RT_COUNT(routes))

static void close_all(struct answer *a) {
    rt_batch_deinit(&a->nodes);
    rt_batch_deinit(&a->jobs);
    rt_batch_deinit(&a->actors);
    rt_ray_status_deinit(&a->status);
    dashboard_close(&d);
}

/* ---- recordings ---- */

static void reads_the_version_and_how_to_log_in(void **state) {
    (void)state;
    OPEN({"GET", "/api/version", .fixture = "ray-2.60.0/version.json"},
         {"GET", "/api/authentication_mode",
          .fixture = "ray-2.60.0/authentication_mode_token.json"});
    rt_ray_version(d.ray, got_version, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_OK);
    assert_string_equal(a.version.ray_version, "2.60.0");
    assert_string_equal(a.version.session_name, "session_2026-11-21_02-46-09_050822_8100");
    assert_true(a.version.token_auth);
    a.done = false;
    rt_ray_version(d.ray, got_version, &a);
    dashboard_wait(&d, &a.done);
    assert_true(a.version.token_auth);
    assert_int_equal(dashboard_count(&d, "GET /api/authentication_mode"), 1); /* once per session */
    close_all(&a);
}

static void an_old_ray_has_no_session_name_and_no_token(void **state) {
    (void)state;
    OPEN({"GET", "/api/version", .fixture = "ray-2.9.3/version.json"});
    rt_ray_version(d.ray, got_version, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_OK);
    assert_string_equal(a.version.ray_version, "2.9.3");
    assert_string_equal(a.version.session_name, "");
    assert_false(a.version.token_auth);
    close_all(&a);
}

static const struct rt_node *node(const rt_nodes *b, const char *id_end) {
    for (size_t i = 0; i < b->n; i++)
        if (rt_ends(b->v[i].id, id_end))
            return &b->v[i];
    fail_msg("no node %s", id_end);
    return NULL;
}

static void joins_nodes_with_what_their_machines_do(void **state) {
    (void)state;
    OPEN({"GET", "/api/v0/nodes", .fixture = "ray-2.60.0/autoscaler_v2_v0nodes.json"},
         {"GET", "/nodes", .fixture = "ray-2.60.0/autoscaler_v2_nodes.json"});
    rt_ray_nodes(d.ray, got_nodes, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_OK);
    assert_int_equal(a.nodes.n, 4);
    assert_int_equal(a.nodes.left_out, 0);
    assert_null(a.nodes.note);
    assert_true(a.nodes.v[0].head);
    assert_string_equal(a.nodes.v[0].pool, "head");
    const struct rt_node *gpu = node(&a.nodes, "00002");
    assert_string_equal(gpu->pool, "gpu_pool");
    assert_true(gpu->cpu_percent >= 0 && gpu->mem_total_bytes > 0 && gpu->disk_total_bytes > 0);
    assert_true(gpu->mem_used_bytes > 0 && gpu->mem_used_bytes < gpu->mem_total_bytes);
    const struct rt_amount *res = rt_amounts_get(&gpu->amounts, "my_res");
    assert_non_null(res);
    assert_true(res->used == 0 && res->total == 2);
    assert_true(rt_amounts_get(&gpu->amounts, "GPU")->used == 1);
    assert_string_equal(gpu->amounts.v[0].name, "CPU");
    for (size_t i = 0; i < gpu->amounts.n; i++)
        assert_false(rt_starts(gpu->amounts.v[i].name, "node:"));
    close_all(&a);
}

static void a_dead_node_shows_no_frozen_numbers(void **state) {
    (void)state;
    OPEN({"GET", "/api/v0/nodes", .fixture = "ray-2.60.0/v0_nodes_killed.json"},
         {"GET", "/nodes", .fixture = "ray-2.60.0/nodes_summary_dead.json"});
    rt_ray_nodes(d.ray, got_nodes, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.nodes.n, 1);
    const struct rt_node *n = &a.nodes.v[0];
    assert_false(n->alive);
    assert_string_equal(
        n->state_message,
        "Unexpected termination: health check failed due to missing too many heartbeats");
    assert_true(n->cpu_percent < 0 && n->mem_used_bytes < 0 && n->disk_used_bytes < 0 &&
                n->store_used_bytes < 0);
    assert_int_equal(n->workers, -1);
    assert_string_equal(n->pool, "pool-b"); /* the label */
    assert_string_equal(n->hostname, "node-a");
    close_all(&a);
}

static void reads_the_nodes_of_an_old_ray(void **state) {
    (void)state;
    OPEN({"GET", "/api/v0/nodes", .fixture = "ray-2.9.3/v0_nodes.json"},
         {"GET", "/nodes", .fixture = "ray-2.9.3/nodes_summary.json"});
    rt_ray_nodes(d.ray, got_nodes, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.nodes.n, 1);
    const struct rt_node *n = &a.nodes.v[0];
    assert_string_equal(n->pool, "head");
    assert_int_equal(n->workers, -1);
    assert_int_equal(n->idle_ms, 72);
    assert_true(n->mem_used_bytes > 0);
    assert_true(rt_amounts_get(&n->amounts, "pool_b")->total == 2);
    close_all(&a);
}

static void without_the_summary_only_the_physical_columns_are_missing(void **state) {
    (void)state;
    OPEN({"GET", "/api/v0/nodes", .fixture = "ray-2.60.0/v0_nodes_detail.json"},
         {"GET", "/nodes", .status = 500, .type = "text/plain", .text = "broken"});
    rt_ray_nodes(d.ray, got_nodes, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_OK);
    assert_int_equal(a.nodes.n, 2);
    assert_true(a.nodes.v[0].cpu_percent < 0);
    assert_true(rt_amounts_get(&a.nodes.v[0].amounts, "CPU")->used < 0);
    assert_true(strstr(a.nodes.note, "broken") != NULL);
    close_all(&a);
}

static void reads_all_jobs_newest_first(void **state) {
    (void)state;
    OPEN({"GET", "/api/jobs/", .fixture = "ray-2.60.0/jobs_list.json"});
    rt_ray_jobs(d.ray, got_jobs, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_OK);
    assert_true(a.jobs.n > 3);
    assert_int_equal(a.jobs.total, a.jobs.n);
    for (size_t i = 1; i < a.jobs.n; i++)
        assert_true(a.jobs.v[i - 1].start_ms >= a.jobs.v[i].start_ms);
    for (size_t i = 0; i < a.jobs.n; i++) {
        assert_non_null(a.jobs.v[i].id);
        assert_true(a.jobs.v[i].status != RT_JOB_OTHER);
    }
    close_all(&a);
}

static void reads_one_job_with_its_driver(void **state) {
    (void)state;
    OPEN({"GET", "/api/jobs/hand_2", .fixture = "ray-2.60.0/job_running.json"});
    rt_ray_job(d.ray, "hand_2", got_jobs, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.jobs.n, 1);
    const struct rt_job *j = &a.jobs.v[0];
    assert_int_equal(j->status, RT_JOB_RUNNING);
    assert_string_equal(j->status_text, "RUNNING");
    assert_string_equal(j->driver_ip, "10.0.0.1");
    assert_string_equal(j->driver_pid, "13367");
    assert_int_equal(j->end_ms, -1);
    assert_int_equal(j->driver_exit_code, -1);
    assert_true(strstr(j->runtime_env, "\"SECS\"") != NULL);
    close_all(&a);
}

static void a_job_that_is_not_there_is_named(void **state) {
    (void)state;
    OPEN({"GET", "/api/jobs/", .status = 404, .type = "text/plain",
          .fixture = "ray-2.60.0/job_get_missing.txt"});
    rt_ray_job(d.ray, "no/pe", got_jobs, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_E_NOT_FOUND);
    assert_string_equal(a.err.message, "no job no/pe");
    assert_int_equal(dashboard_count(&d, "GET /api/jobs/no%2Fpe"), 1);
    close_all(&a);
}

static void leaves_rays_own_actors_out(void **state) {
    (void)state;
    OPEN({"GET",
          "/api/v0/"
          "actors?detail=1&limit=1000&filter_keys=state&filter_predicates=%3D&filter_values=ALIVE",
          .fixture = "ray-2.60.0/actors.json"},
         {"GET", "/api/v0/actors", .text = "{\"data\":{\"result\":{\"result\":[]}}}"});
    rt_ray_actors(d.ray, got_actors, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_OK);
    assert_int_equal(a.actors.n, 2);
    for (size_t i = 0; i < a.actors.n; i++)
        assert_string_equal(a.actors.v[i].class_name, "Counter");
    close_all(&a);
}

static void a_waiting_supervisor_tells_what_its_job_asked_for(void **state) {
    (void)state;
    OPEN({"GET",
          "/api/v0/actors?detail=1&limit=1000&filter_keys=state&filter_predicates=%3D&filter_values="
          "PENDING_CREATION",
          .fixture = "ray-2.60.0/actors_pending.json"},
         {"GET", "/api/v0/actors", .text = "{\"data\":{\"result\":{\"result\":[]}}}"});
    rt_ray_actors(d.ray, got_actors, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_OK);
    assert_int_equal(a.actors.n, 1);
    assert_int_equal(a.actors.nown, 1);
    assert_string_equal(a.actors.own[0].name, "_ray_internal_job_actor_infeasible");
    assert_true(rt_resources_get(&a.actors.own[0].resources, "GPU", -1) > 3.9);
    close_all(&a);
}

static void knows_since_when_nothing_runs(void **state) {
    (void)state;
    OPEN({"GET", "/api/component_activities",
          .text = "{\"driver\":{\"is_active\":\"INACTIVE\",\"last_activity_at\":1795229340.5},"
                  "\"other\":{\"is_active\":\"INACTIVE\",\"last_activity_at\":null}}"});
    rt_ray_idle(d.ray, got_idle, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.idle, 1795229340500);
    close_all(&a);
}

static void an_active_cluster_is_not_idle(void **state) {
    (void)state;
    OPEN({"GET", "/api/component_activities",
          .fixture = "ray-2.60.0/component_activities_active.json"});
    rt_ray_idle(d.ray, got_idle, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.idle, 0);
    close_all(&a);
}

static void an_autoscaler_that_broke_down_is_told(void **state) {
    (void)state;
    OPEN({"GET", "/api/cluster_status?format=1", .fixture = "ray-2.60.0/autoscaler_v1_fmt_t4.json"},
         {"GET", "/api/cluster_status",
          .text = "{\"result\":true,\"msg\":\"\",\"data\":{\"autoscalingError\":\"The autoscaler "
                  "failed with the following error:\\nTraceback (most recent call last):\\n"
                  "ValueError: no "
                  "quota\\n\",\"clusterStatus\":{\"autoscalerReport\":{\"nodeAvailabilitySummary\":"
                  "{\"nodeAvailabilities\":{\"gpuPool\":{\"nodeType\":\"gpu_pool\","
                  "\"unavailableNodeInformation\":"
                  "{\"category\":\"Quota\",\"description\":\"8 GPUs\"}}}}}}}}"});
    rt_ray_status(d.ray, got_status, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_OK);
    assert_string_equal(a.status.error, "no quota");
    bool told = false;
    for (size_t i = 0; i < a.status.pools.n; i++)
        told |= rt_streq(a.status.pools.v[i].name, "gpu_pool") &&
                rt_streq(a.status.pools.v[i].why, "Quota: 8 GPUs");
    assert_true(told);
    close_all(&a);
}

static void the_pools_stand_without_the_json_form(void **state) {
    (void)state;
    OPEN({"GET", "/api/cluster_status?format=1",
          .fixture = "launcher/autoscale-pending.cluster_status_format.json"},
         {"GET", "/api/cluster_status", .status = 500, .text = "x"});
    rt_ray_status(d.ray, got_status, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_OK);
    assert_int_equal(a.status.pools.n, 4);
    assert_null(a.status.error);
    close_all(&a);
}

/* ---- refusals ---- */

static void the_token_goes_along_and_is_not_told(void **state) {
    (void)state;
    OPEN({"GET", "/api/gcs_healthz", .type = "application/text", .text = "success"});
    rt_ray_set_token(d.ray, "s3cret-token\n");
    rt_ray_health(d.ray, got_done, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_OK);
    assert_int_equal(dashboard_count(&d, "GET /api/gcs_healthz Bearer s3cret-token"), 1);
    struct rt_buf text;
    rt_buf_init(&text, 0);
    rt_buf_adds(&text, "x s3cret-token y");
    rt_log_mask(&text);
    assert_string_equal(rt_buf_str(&text), "x *** y");
    rt_buf_deinit(&text);
    close_all(&a);
}

static void a_missing_token_is_denied_with_a_hint(void **state) {
    (void)state;
    OPEN({"GET", "/", .status = 401, .type = "text/plain",
          .fixture = "ray-2.60.0/auth_missing.txt"});
    rt_ray_version(d.ray, got_version, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_E_DENIED);
    assert_true(strstr(a.err.hint, "token") != NULL);
    a.done = false;
    rt_ray_jobs(d.ray, got_jobs, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_E_DENIED);
    close_all(&a);
}

static void a_wrong_token_is_denied(void **state) {
    (void)state;
    OPEN({"GET", "/", .status = 403, .type = "text/plain", .fixture = "ray-2.60.0/auth_wrong.txt"});
    rt_ray_nodes(d.ray, got_nodes, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_E_DENIED);
    assert_true(strstr(a.err.message, "Invalid authentication token") != NULL);
    close_all(&a);
}

static void a_frozen_gcs_is_told_apart_from_a_dead_dashboard(void **state) {
    (void)state;
    OPEN({"GET", "/api/gcs_healthz", .status = 503, .type = "text/plain",
          .text = "503: Health check failed: RPC error: Deadline Exceeded"});
    rt_ray_health(d.ray, got_done, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_E_REMOTE);
    assert_string_equal(a.err.message, "GCS not responding");
    close_all(&a);
}

static void of_a_traceback_only_the_last_line_is_shown(void **state) {
    (void)state;
    OPEN({"DELETE", "/api/jobs/", .status = 500, .type = "text/plain",
          .fixture = "ray-2.60.0/job_delete_running.txt"});
    rt_ray_delete_job(d.ray, "raysubmit_x", got_done, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_E_REMOTE);
    assert_true(strstr(a.err.message, "Attempted to delete job") != NULL);
    assert_null(strstr(a.err.message, "Traceback"));
    assert_true(strstr(a.err.hint, "stop it first") != NULL);
    close_all(&a);
}

static void stopping_sends_a_post(void **state) {
    (void)state;
    OPEN({"POST", "/api/jobs/a%20b/stop", .fixture = "ray-2.60.0/job_stop.json"});
    rt_ray_stop_job(d.ray, "a b", got_done, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_OK);
    close_all(&a);
}

static void a_route_that_is_not_there_is_unsupported(void **state) {
    (void)state;
    OPEN({"GET", "/nothing", .text = ""});
    rt_ray_actors(d.ray, got_actors, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_E_UNSUPPORTED);
    close_all(&a);
}

static void the_envelope_of_the_state_api_is_opened(void **state) {
    (void)state;
    OPEN({"GET", "/api/v0/actors", .status = 500, .fixture = "ray-2.9.3/tasks_badfilter.json"});
    rt_ray_actors(d.ray, got_actors, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_E_REMOTE);
    assert_true(strstr(a.err.message, "The given filter column nope is not supported") != NULL);
    close_all(&a);
}

/* ---- garbage ---- */

static void a_page_of_a_proxy_is_named_as_such(void **state) {
    (void)state;
    OPEN({"GET", "/", .type = "text/html",
          .text = "<!DOCTYPE html><html><body>Sign in</body></html>"});
    rt_ray_jobs(d.ray, got_jobs, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_E_PROTOCOL);
    assert_true(rt_contains_i(a.err.message, "html"));
    a.done = false;
    rt_ray_version(d.ray, got_version, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_E_PROTOCOL);
    assert_true(rt_contains_i(a.err.message, "html"));
    close_all(&a);
}

static bool cut_in_the_middle(void *ctx, const struct httpd_request *r) {
    (void)ctx;
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: "
                               "application/json\r\nContent-Length: 5000\r\n\r\n[{\"status\":\"RUN";
    httpd_send(r, head, sizeof(head) - 1);
    return false;
}

static void an_answer_cut_in_the_middle_is_an_error(void **state) {
    (void)state;
    OPEN({"GET", "/api/jobs/", .fn = cut_in_the_middle});
    rt_ray_jobs(d.ray, got_jobs, &a);
    dashboard_wait(&d, &a.done);
    assert_int_not_equal(a.err.code, RT_OK);
    assert_int_equal(a.jobs.n, 0);
    close_all(&a);
}

static bool whole_but_incomplete(void *ctx, const struct httpd_request *r) {
    (void)ctx;
    httpd_text(r, 200, "application/json", "[{\"submission_id\":\"a\",\"status\":\"RUNNING\"},");
    return true;
}

static void a_list_that_does_not_end_is_an_error(void **state) {
    (void)state;
    OPEN({"GET", "/api/jobs/", .fn = whole_but_incomplete});
    rt_ray_jobs(d.ray, got_jobs, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_E_PROTOCOL);
    close_all(&a);
}

static void one_bad_element_costs_only_itself(void **state) {
    (void)state;
    OPEN({"GET", "/api/jobs/",
          .text = "[{\"submission_id\":\"a\",\"status\":\"RUNNING\"},{\"submission_id\":7,"
                  "\"status\":\"RUNNING\",\"start_time\":[]},"
                  "{\"status\":\"FAILED\"},{\"submission_id\":\"b\",\"status\":\"NEW_WORD\","
                  "\"start_time\":\"1795229354570\"}]"});
    rt_ray_jobs(d.ray, got_jobs, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_OK);
    assert_int_equal(a.jobs.n, 2);
    assert_int_equal(a.jobs.left_out, 2);
    assert_int_equal(a.jobs.total, 4);
    assert_string_equal(a.jobs.v[0].id, "b");
    assert_int_equal(a.jobs.v[0].status, RT_JOB_OTHER);
    assert_string_equal(a.jobs.v[0].status_text, "NEW_WORD");
    assert_int_equal(a.jobs.v[0].start_ms, 1795229354570);
    close_all(&a);
}

static bool deep(void *ctx, const struct httpd_request *r) {
    (void)ctx;
    const size_t n = 1000000;
    char *text = malloc(n + 1);
    memset(text, '[', n);
    httpd_answer(r, 200, "application/json", NULL, text, n);
    free(text);
    return true;
}

static void deep_nesting_does_not_hurt(void **state) {
    (void)state;
    OPEN({"GET", "/", .fn = deep});
    rt_ray_jobs(d.ray, got_jobs, &a);
    dashboard_wait(&d, &a.done);
    assert_int_not_equal(a.err.code, RT_OK);
    a.done = false;
    rt_ray_version(d.ray, got_version, &a);
    dashboard_wait(&d, &a.done);
    assert_int_not_equal(a.err.code, RT_OK);
    close_all(&a);
}

static bool endless(void *ctx, const struct httpd_request *r) {
    (void)ctx;
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 209715200\r\n\r\n[";
    static char blanks[65536];
    memset(blanks, ' ', sizeof(blanks));
    bool ok = httpd_send(r, head, sizeof(head) - 1);
    for (size_t i = 0; ok && i < 209715200 / sizeof(blanks); i++)
        ok = httpd_send(r, blanks, sizeof(blanks));
    return false;
}

static void an_answer_over_the_cap_is_refused(void **state) {
    (void)state;
    OPEN({"GET", "/", .fn = endless});
    rt_ray_jobs(d.ray, got_jobs, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_E_LIMIT);
    close_all(&a);
}

/* ---- stopping in between ---- */

static bool says_nothing(void *ctx, const struct httpd_request *r) {
    (void)ctx;
    while (!httpd_stopping(r->server))
        httpd_sleep_ms(5);
    return false;
}

static void assert_times_out(void) {
    struct answer a = {0};
    d.ray->patience_ms = 300;
    rt_ray_jobs(d.ray, got_jobs, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_E_TIMEOUT);
    a.done = false;
    rt_ray_nodes(d.ray, got_nodes, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_E_TIMEOUT);
    close_all(&a);
}

static void a_dashboard_that_says_nothing_times_out(void **state) {
    (void)state;
    OPEN({"GET", "/", .fn = says_nothing});
    (void)a;
    assert_times_out();
}

static bool drips(void *ctx, const struct httpd_request *r) {
    (void)ctx;
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n";
    bool ok = httpd_send(r, head, sizeof(head) - 1);
    while (ok && !httpd_stopping(r->server)) {
        ok = httpd_send(r, " ", 1);
        httpd_sleep_ms(20);
    }
    return false;
}

static void a_dashboard_that_drips_times_out_all_the_same(void **state) {
    (void)state;
    OPEN({"GET", "/", .fn = drips});
    (void)a;
    assert_times_out();
}

static void another_url_is_another_cluster(void **state) {
    (void)state;
    OPEN({"GET", "/prefix/api/gcs_healthz", .text = "success"});
    char *url = rt_strf("%s/prefix/", httpd_url(d.server));
    rt_ray_set_url(d.ray, url);
    assert_false(rt_ends(rt_ray_url(d.ray), "/"));
    rt_ray_health(d.ray, got_done, &a);
    dashboard_wait(&d, &a.done);
    assert_int_equal(a.err.code, RT_OK);
    free(url);
    close_all(&a);
}

static void never(void *ctx, const struct rt_error *err) {
    (void)ctx;
    (void)err;
    fail_msg("a cancelled call came back");
}

static void a_cancelled_call_is_silent(void **state) {
    (void)state;
    OPEN({"GET", "/", .fn = says_nothing});
    struct rt_op *nodes = rt_ray_nodes(d.ray, got_nodes, &a);
    struct rt_op *jobs = rt_ray_jobs(d.ray, got_jobs, &a);
    struct rt_op *status = rt_ray_status(d.ray, got_status, &a);
    struct rt_op *health = rt_ray_health(d.ray, never, &a);
    for (int i = 0; i < 3; i++)
        rt_loop_turn(d.loop, false);
    rt_op_cancel(nodes);
    rt_op_cancel(jobs);
    rt_op_cancel(status);
    rt_op_cancel(health);
    for (int i = 0; i < 3; i++)
        rt_loop_turn(d.loop, false);
    assert_false(a.done);
    close_all(&a);
}

static void counts_what_each_route_costs(void **state) {
    (void)state;
    OPEN({"GET", "/api/jobs/hand_2", .fixture = "ray-2.60.0/job_running.json"});
    for (int i = 0; i < 3; i++) {
        rt_batch_deinit(&a.jobs);
        a.done = false;
        rt_ray_job(d.ray, i < 2 ? "hand_2" : "other", got_jobs, &a);
        dashboard_wait(&d, &a.done);
    }
    const struct rt_route_stats *s;
    assert_int_equal(rt_ray_stats(d.ray, &s), 1);
    assert_string_equal(s->route, "/api/jobs/{id}");
    assert_int_equal(s->requests, 3);
    assert_true(s->bytes > 1000);
    close_all(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_version_and_how_to_log_in),
        cmocka_unit_test(an_old_ray_has_no_session_name_and_no_token),
        cmocka_unit_test(joins_nodes_with_what_their_machines_do),
        cmocka_unit_test(a_dead_node_shows_no_frozen_numbers),
        cmocka_unit_test(reads_the_nodes_of_an_old_ray),
        cmocka_unit_test(without_the_summary_only_the_physical_columns_are_missing),
        cmocka_unit_test(reads_all_jobs_newest_first),
        cmocka_unit_test(reads_one_job_with_its_driver),
        cmocka_unit_test(a_job_that_is_not_there_is_named),
        cmocka_unit_test(leaves_rays_own_actors_out),
        cmocka_unit_test(a_waiting_supervisor_tells_what_its_job_asked_for),
        cmocka_unit_test(knows_since_when_nothing_runs),
        cmocka_unit_test(an_active_cluster_is_not_idle),
        cmocka_unit_test(an_autoscaler_that_broke_down_is_told),
        cmocka_unit_test(the_pools_stand_without_the_json_form),
        cmocka_unit_test(the_token_goes_along_and_is_not_told),
        cmocka_unit_test(a_missing_token_is_denied_with_a_hint),
        cmocka_unit_test(a_wrong_token_is_denied),
        cmocka_unit_test(a_frozen_gcs_is_told_apart_from_a_dead_dashboard),
        cmocka_unit_test(of_a_traceback_only_the_last_line_is_shown),
        cmocka_unit_test(stopping_sends_a_post),
        cmocka_unit_test(a_route_that_is_not_there_is_unsupported),
        cmocka_unit_test(the_envelope_of_the_state_api_is_opened),
        cmocka_unit_test(a_page_of_a_proxy_is_named_as_such),
        cmocka_unit_test(an_answer_cut_in_the_middle_is_an_error),
        cmocka_unit_test(a_list_that_does_not_end_is_an_error),
        cmocka_unit_test(one_bad_element_costs_only_itself),
        cmocka_unit_test(deep_nesting_does_not_hurt),
        cmocka_unit_test(an_answer_over_the_cap_is_refused),
        cmocka_unit_test(a_dashboard_that_says_nothing_times_out),
        cmocka_unit_test(a_dashboard_that_drips_times_out_all_the_same),
        cmocka_unit_test(another_url_is_another_cluster),
        cmocka_unit_test(a_cancelled_call_is_silent),
        cmocka_unit_test(counts_what_each_route_costs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
