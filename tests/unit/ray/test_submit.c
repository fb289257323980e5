/* Sending a submission to dashboards that lose answers, refuse, or have the package already. */
#include "unit/ray/dashboard.h"
#include "unit/ray/tree.h"

struct outcome {
    bool done;
    char id[200];
    struct rt_error err;
    char stages[200];
    char *body;
    int64_t files;
    size_t warnings;
};

static struct dashboard d;
static struct outcome o;

/* What the made-up Ray has; handlers run one at a time here. */
static struct {
    bool has_package, has_job;
    int lose_posts, ignore_posts, lose_puts, without_agent;
    char job[200];
} ray;

static void done(void *ctx, const char *id, const struct rt_error *err) {
    struct outcome *x = ctx;
    x->done = true;
    snprintf(x->id, sizeof(x->id), "%s", id ? id : "");
    if (err)
        x->err = *err;
}

static void progress(void *ctx, const struct rt_submit_progress *p) {
    struct outcome *x = ctx;
    const size_t n = strlen(x->stages);
    if (!rt_ends(x->stages, p->stage))
        snprintf(x->stages + n, sizeof(x->stages) - n, " %s", p->stage);
}

static bool get_package(void *ctx, const struct httpd_request *r) {
    (void)ctx;
    httpd_text(r, ray.has_package ? 200 : 404, "text/plain",
               ray.has_package ? "" : "Package x does not exist");
    return true;
}

static bool put_package(void *ctx, const struct httpd_request *r) {
    (void)ctx;
    ray.has_package = r->body_len > 4 && memcmp(r->body, "PK", 2) == 0;
    if (ray.lose_puts-- > 0)
        return false;
    httpd_text(r, 200, "text/plain", "");
    return true;
}

static bool get_job(void *ctx, const struct httpd_request *r) {
    (void)ctx;
    if (ray.has_job)
        httpd_text(r, 200, "application/json", "{\"submission_id\":\"x\",\"status\":\"PENDING\"}");
    else
        httpd_text(r, 404, "text/plain", "Job x does not exist");
    return true;
}

static bool post_job(void *ctx, const struct httpd_request *r) {
    (void)ctx;
    struct rt_error err = {0};
    if (ray.ignore_posts-- > 0)
        return false;
    if (ray.without_agent-- > 0) {
        httpd_text(r, 500, "text/plain", "No available agent to submit job, please try again later.");
        return true;
    }
    if (ray.has_job) {
        char *text = recording("ray-2.60.0/job_submit_dup.txt");
        httpd_text(r, 500, "text/plain", text);
        free(text);
        return true;
    }
    json_t *v = rt_json_parse(r->body, r->body_len, &err);
    const char *id = rt_json_str(v, "submission_id");
    snprintf(ray.job, sizeof(ray.job), "%s", id ? id : "?");
    json_decref(v);
    ray.has_job = true;
    if (ray.lose_posts-- > 0)
        return false;
    httpd_text(r, 200, "application/json", "{\"job_id\":\"x\",\"submission_id\":\"x\"}");
    return true;
}

static const struct route routes[] = {
    {"GET", "/api/packages/gcs/", .fn = get_package},
    {"PUT", "/api/packages/gcs/", .fn = put_package},
    {"GET", "/api/jobs/", .fn = get_job},
    {"POST", "/api/jobs/", .fn = post_job},
};

static int open_all(void **state) {
    (void)state;
    memset(&ray, 0, sizeof(ray));
    memset(&o, 0, sizeof(o));
    dashboard_open(&d, routes, RT_COUNT(routes));
    return 0;
}

static int close_all(void **state) {
    (void)state;
    free(o.body);
    dashboard_close(&d);
    return 0;
}

static void submit(const struct rt_submit *s) {
    const struct rt_submit_callbacks cb = {progress, done, &o};
    o.done = false;
    o.err = (struct rt_error){0};
    rt_ray_submit(d.ray, s, &cb);
    dashboard_wait(&d, &o.done);
}

static struct rt_submit job(const struct tree *t) {
    struct rt_submit s;
    rt_submit_init(&s);
    s.entrypoint = "python main.py";
    s.working_dir = t ? t->top : NULL;
    return s;
}

static void a_directory_is_uploaded_once(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    tree_put(&t, "main.py", "print(1)\n");
    struct rt_submit s = job(&t);
    submit(&s);
    assert_int_equal(o.err.code, RT_OK);
    assert_string_equal(o.id, ray.job);
    assert_string_equal(o.stages, " packing uploading submitting");
    assert_int_equal(dashboard_count(&d, "PUT"), 1);
    ray.has_job = false;
    o.stages[0] = '\0';
    submit(&s);
    assert_int_equal(o.err.code, RT_OK);
    assert_int_equal(dashboard_count(&d, "PUT"), 1);
    assert_string_equal(o.stages, " submitting");
    assert_int_equal(dashboard_count(&d, "POST /api/jobs/"), 2);
    tree_close(&t);
}

static void a_lost_answer_does_not_run_the_job_twice(void **state) {
    (void)state;
    ray.lose_posts = 1;
    struct rt_submit s = job(NULL);
    submit(&s);
    assert_int_equal(o.err.code, RT_OK);
    assert_string_equal(o.id, ray.job);
    assert_int_equal(dashboard_count(&d, "POST /api/jobs/"), 1);
}

static void a_lost_request_is_posted_again_under_the_same_id(void **state) {
    (void)state;
    ray.ignore_posts = 1;
    struct rt_submit s = job(NULL);
    submit(&s);
    assert_int_equal(o.err.code, RT_OK);
    assert_string_equal(o.id, ray.job);
    assert_int_equal(dashboard_count(&d, "POST /api/jobs/"), 2);
}

static void requests_lost_for_ever_end_with_the_id_to_look_for(void **state) {
    (void)state;
    ray.ignore_posts = 100;
    struct rt_submit s = job(NULL);
    submit(&s);
    assert_int_not_equal(o.err.code, RT_OK);
    assert_true(strstr(o.err.hint, "raysubmit_") != NULL);
    assert_true(dashboard_count(&d, "POST /api/jobs/") >=
                3); /* curl adds tries on connections used before */
}

static void a_head_whose_agent_is_still_coming_is_asked_again(void **state) {
    (void)state;
    ray.without_agent = 1;
    struct rt_submit s = job(NULL);
    submit(&s);
    assert_int_equal(o.err.code, RT_OK);
    assert_string_equal(o.id, ray.job);
    memset(&ray, 0, sizeof(ray));
    ray.without_agent = 100;
    submit(&s);
    assert_int_equal(o.err.code, RT_E_REMOTE);
    assert_true(strstr(o.err.hint, "dashboard_agent.log") != NULL);
    assert_int_equal(dashboard_count(&d, "POST /api/jobs/"), 2 + 3);
}

static void a_lost_upload_does_not_stop_the_job(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    tree_put(&t, "main.py", "print(1)\n");
    ray.lose_puts = 1;
    struct rt_submit s = job(&t);
    submit(&s);
    assert_int_equal(o.err.code, RT_OK);
    assert_true(ray.has_job);
    tree_close(&t);
}

static void an_id_that_is_taken_is_said_before_anything_is_sent(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    tree_put(&t, "main.py", "print(1)\n");
    ray.has_job = true;
    struct rt_submit s = job(&t);
    s.submission_id = "mine";
    submit(&s);
    assert_int_equal(o.err.code, RT_E_CONFLICT);
    assert_int_equal(dashboard_count(&d, "PUT"), 0);
    assert_int_equal(dashboard_count(&d, "POST"), 0);
    tree_close(&t);
}

static void a_wrong_call_comes_back_without_a_request(void **state) {
    (void)state;
    struct rt_submit s = job(NULL);
    s.entrypoint = "";
    submit(&s);
    assert_int_equal(o.err.code, RT_E_USAGE);
    s = job(NULL);
    rt_strs_add(&s.resources, "gpu=many");
    submit(&s);
    assert_int_equal(o.err.code, RT_E_USAGE);
    rt_submit_deinit(&s);
    assert_int_equal(dashboard_count(&d, ""), 0);
}

static void cancelling_is_silent_at_every_step(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    tree_put(&t, "main.py", "print(1)\n");
    struct rt_submit s = job(&t);
    const struct rt_submit_callbacks cb = {progress, done, &o};
    for (int steps = 0; steps < 12; steps++) {
        memset(&ray, 0, sizeof(ray));
        struct rt_op *op = rt_ray_submit(d.ray, &s, &cb);
        for (int i = 0; i < steps && !o.done; i++)
            rt_loop_turn(d.loop, true);
        if (o.done)
            break;
        rt_op_cancel(op);
    }
    const bool was = o.done;
    for (int i = 0; i < 20; i++) {
        rt_loop_turn(d.loop, false);
        httpd_sleep_ms(5);
    }
    assert_int_equal(o.done, was);
    tree_close(&t);
}

static void previewed(void *ctx, const struct rt_submit_preview *p, const struct rt_error *err) {
    struct outcome *x = ctx;
    x->done = true;
    if (err)
        x->err = *err;
    if (p) {
        free(x->body);
        x->body = rt_strdup(p->body);
        x->files = p->files;
        x->warnings = p->warnings.n;
        snprintf(x->id, sizeof(x->id), "%s", p->package_uri ? p->package_uri : "");
    }
}

static void a_preview_sends_nothing_and_hides_variables(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    tree_put(&t, "main.py", "print(1)\n");
    struct rt_submit s = job(&t);
    rt_strs_add(&s.env_vars, "TOKEN=hush");
    rt_submit_preview(d.ray, &s, false, previewed, &o);
    dashboard_wait(&d, &o.done);
    assert_int_equal(o.err.code, RT_OK);
    assert_int_equal(o.files, 1);
    assert_null(strstr(o.body, "hush"));
    assert_null(strstr(o.body, "submission_id"));
    assert_true(strstr(o.body, o.id) != NULL && rt_starts(o.id, "gcs://_ray_pkg_"));
    o.done = false;
    rt_submit_preview(d.ray, &s, true, previewed, &o);
    dashboard_wait(&d, &o.done);
    assert_true(strstr(o.body, "hush") != NULL);
    o.done = false;
    s.working_dir = "/no/such/dir";
    rt_submit_preview(d.ray, &s, true, previewed, &o);
    dashboard_wait(&d, &o.done);
    assert_int_equal(o.err.code, RT_E_NOT_FOUND);
    struct rt_op *op = rt_submit_preview(d.ray, &s, true, previewed, &o);
    rt_op_cancel(op);
    assert_int_equal(dashboard_count(&d, ""), 0);
    rt_submit_deinit(&s);
    tree_close(&t);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_directory_is_uploaded_once),
        TEST(a_lost_answer_does_not_run_the_job_twice),
        TEST(a_lost_request_is_posted_again_under_the_same_id),
        TEST(requests_lost_for_ever_end_with_the_id_to_look_for),
        TEST(a_head_whose_agent_is_still_coming_is_asked_again),
        TEST(a_lost_upload_does_not_stop_the_job),
        TEST(an_id_that_is_taken_is_said_before_anything_is_sent),
        TEST(a_wrong_call_comes_back_without_a_request),
        TEST(cancelling_is_silent_at_every_step),
        TEST(a_preview_sends_nothing_and_hides_variables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
