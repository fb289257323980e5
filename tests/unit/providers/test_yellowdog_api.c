/* The platform's calls against a server that answers as it does (tests/testbed/yellowdog): keys, refusals, second attempts,
 * slices, lost answers. */
#include "base/fs.h"
#include "base/log.h"
#include "net/proc.h"
#include "providers/yellowdog_api.h"
#include "unit/cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM RT_FIXTURES "/../testbed/yellowdog/ydserver.py"
#define SECRET "test-key-secret"
enum { PATIENCE_MS = 60000 };

static struct {
    struct rt_loop *loop;
    struct rt_http *http;
    struct rt_proc *server;
    struct rt_buf said; /* by the server: its address */
    char *url, *log;
    struct yd_api *api;
    unsigned names;
} world;

/* ---- the server ---- */

static void heard(void *ctx, enum rt_stream stream, const char *data, size_t n) {
    (void)ctx;
    if (stream == RT_STDOUT)
        rt_buf_add(&world.said, data, n);
    else
        print_message("%.*s", (int)n, data);
}

static void ended(void *ctx, const struct rt_proc_exit *exit) {
    (void)ctx;
    (void)exit;
    world.server = NULL;
}

static void nothing(void *ctx) {
    (void)ctx;
}

/* Turns until *flag; false: not in time. */
static bool until(const bool *flag) {
    const int64_t end = rt_mono_ms() + PATIENCE_MS;
    struct rt_timer *tick = rt_timer_start(world.loop, 20, 20, nothing, NULL);
    while (!*flag && rt_mono_ms() < end)
        rt_loop_turn(world.loop, true);
    rt_timer_stop(tick);
    return *flag;
}

static void turn_for(int64_t ms) {
    const int64_t end = rt_mono_ms() + ms;
    struct rt_timer *tick = rt_timer_start(world.loop, 10, 10, nothing, NULL);
    while (rt_mono_ms() < end)
        rt_loop_turn(world.loop, true);
    rt_timer_stop(tick);
}

static struct yd_api *account(const char *url, const char *id, const struct rt_secret_conf *secret) {
    return yd_api_create(world.loop, world.http, &(struct yd_access){.url = url, .key_id = id, .secret = secret, .pool = "test"});
}

static int start(void **state) {
    static const char *const argv[] = {"python3", PROGRAM, "--slice", "2", "--boot", "0", "--register", "0", "--start", "0", "--abort", "0", NULL};
    static const struct rt_secret_conf secret = {.value = (char *)(uintptr_t)SECRET};
    (void)state;
    struct rt_error err = {0};
    char log[] = "/tmp/yd-log-XXXXXX";
    close(mkstemp(log));
    world.log = rt_strdup(log);
    rt_log_open(log, RT_LOG_DEBUG);
    world.loop = rt_loop_create(&err);
    world.http = rt_http_create(world.loop);
    rt_buf_init(&world.said, RT_KIB);
    world.server = rt_proc_start(world.loop, &(struct rt_proc_opts){.argv = argv, .output = heard}, ended, NULL, &err);
    if (!world.server)
        return 0; /* no Python: each test is skipped */
    const int64_t end = rt_mono_ms() + PATIENCE_MS;
    while (world.server && !strchr(rt_buf_str(&world.said), '\n') && rt_mono_ms() < end)
        rt_loop_turn(world.loop, true);
    world.url = rt_strndup(rt_buf_str(&world.said), strcspn(rt_buf_str(&world.said), "\n"));
    world.api = account(world.url, "test-key-id", &secret);
    return *world.url ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    bool away = false;
    yd_api_destroy(world.api);
    if (world.server) {
        rt_proc_kill(world.server, 15);
        const int64_t end = rt_mono_ms() + PATIENCE_MS;
        while (world.server && rt_mono_ms() < end)
            rt_loop_turn(world.loop, true);
    }
    away = !world.server;
    rt_proc_destroy(world.server);
    rt_http_destroy(world.http);
    rt_loop_destroy(world.loop);
    rt_log_close();
    unlink(world.log);
    free(world.log);
    free(world.url);
    rt_buf_deinit(&world.said);
    return away ? 0 : -1;
}

/* ---- calls ---- */

struct got {
    bool done;
    int times;
    struct yd_result *r;
    struct yd_failure f;
    struct rt_op *op;
};

static void came(void *ctx, struct yd_result *r, const struct yd_failure *f) {
    struct got *g = ctx;
    g->op = NULL;
    g->done = true;
    g->times++;
    g->r = r;
    if (f)
        g->f = *f;
    assert_true(!r != !f);
}

static struct got send_by(struct yd_api *api, struct yd_call c) {
    struct got g = {0};
    g.op = yd_send(api, &c, came, &g);
    assert_false(g.done); /* never inside the call */
    if (!until(&g.done)) {
        rt_op_cancel(g.op);
        fail_msg("no answer");
    }
    assert_int_equal(g.times, 1);
    return g;
}

static struct got ask(struct yd_call c) {
    return send_by(world.api, c);
}

static struct yd_result *ok(struct yd_call c) {
    struct got g = ask(c);
    if (!g.r)
        fail_msg("%s", g.f.error.message);
    return g.r;
}

static struct yd_failure refused(struct yd_call c) {
    struct got g = ask(c);
    if (g.r)
        fail_msg("it was not refused");
    assert_true(g.f.error.code != RT_OK && g.f.error.message[0]);
    assert_null(strstr(g.f.error.message, SECRET));
    return g.f;
}

/* ---- the server's levers ---- */

struct lever {
    bool done;
    json_t *json;
};

static void pulled(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct lever *l = ctx;
    assert_null(err);
    assert_true(a->status < 300);
    l->json = a->body_len ? json_loads(a->body, 0, NULL) : NULL;
    l->done = true;
}

static json_t *lever(const char *method, const char *path, const char *body) {
    struct lever l = {0};
    char *url = rt_strf("%s/_test/%s", world.url, path);
    const struct rt_http_request q = {.method = method, .url = url, .body = body, .body_len = body ? strlen(body) : 0};
    rt_http_send(world.http, &q, &(struct rt_http_callbacks){.done = pulled, .ctx = &l});
    assert_true(until(&l.done));
    free(url);
    return l.json;
}

static void fault(const char *body) {
    json_decref(lever("POST", "fault", body));
}

/* How many calls reached the platform. */
static size_t calls_of(const char *method, const char *path) {
    json_t *calls = lever("GET", "calls", NULL);
    const json_t *c = NULL;
    size_t n = 0, i = 0;
    json_array_foreach(calls, i, c) {
        n += rt_streq(rt_json_str(c, "method"), method) && rt_starts(rt_json_str(c, "path"), path);
    }
    json_decref(calls);
    return n;
}

static int each(void **state) {
    (void)state;
    if (world.server)
        json_decref(lever("DELETE", "fault", NULL));
    return 0;
}

#define NEEDS_SERVER                                                                                                                  \
    do {                                                                                                                               \
        (void)state;                                                                                                                   \
        if (!world.server)                                                                                                             \
            skip(); /* no python3 */                                                                                                   \
    } while (0)

static char *new_name(void) {
    return rt_strf("c%u", ++world.names);
}

static json_t *pool_body(const char *name, int64_t nodes, int64_t max) {
    return yd_body_pool(&(struct yd_pool_spec){
        .name = name, .space = "ray", .tag = "t", .template_id = "test/ray-worker", .worker_tag = name, .nodes = nodes, .max_nodes = max});
}

static struct yd_result *make_pool(const char *name, int64_t nodes, int64_t max) {
    return ok((struct yd_call){.verb = YD_POOL_CREATE, .body = pool_body(name, nodes, max)});
}

static struct yd_result *make_work(const char *name) {
    const struct yd_group_spec g = {.name = YD_GROUP_HEAD, .worker_tag = name, .space = "ray", .fail_with_task = true};
    return ok((struct yd_call){.verb = YD_WORK_CREATE, .body = yd_body_work("ray", name, "t", &g, 1)});
}

/* ---- keys ---- */

static void a_right_key_tells_its_account(void **state) {
    NEEDS_SERVER;
    struct yd_result *r = ok((struct yd_call){.verb = YD_ACCOUNT});
    assert_int_equal(r->n, 1);
    assert_string_equal(r->account->account, "test");
    assert_true(r->account->all_spaces);
    yd_result_free(r);
}

static void a_wrong_key_is_told_and_read_anew(void **state) {
    NEEDS_SERVER;
    static const struct rt_secret_conf secret = {.env = (char *)(uintptr_t) "YD_TEST_SECRET"};
    setenv("YD_TEST_SECRET", "wrong-secret", 1);
    struct yd_api *api = account(world.url, "test-key-id", &secret);
    struct got g = send_by(api, (struct yd_call){.verb = YD_ACCOUNT});
    assert_null(g.r);
    assert_int_equal(g.f.status, 401);
    assert_int_equal(g.f.error.code, RT_E_DENIED);
    assert_string_equal(g.f.type, "NotAuthorisedException");
    assert_non_null(strstr(g.f.error.hint, "secret"));
    setenv("YD_TEST_SECRET", SECRET, 1);
    g = send_by(api, (struct yd_call){.verb = YD_ACCOUNT});
    assert_non_null(g.r);
    yd_result_free(g.r);
    yd_api_destroy(api);
}

static void a_missing_key_is_told_with_what_to_set(void **state) {
    NEEDS_SERVER;
    unsetenv("YD_API_KEY_ID");
    unsetenv("YD_API_KEY_SECRET");
    struct yd_api *api = account(world.url, NULL, NULL);
    struct got g = send_by(api, (struct yd_call){.verb = YD_ACCOUNT});
    assert_int_equal(g.f.error.code, RT_E_CONFIG);
    assert_non_null(strstr(g.f.error.hint, "YD_API_KEY_ID"));
    yd_api_destroy(api);
    api = account(world.url, "test-key-id", NULL);
    g = send_by(api, (struct yd_call){.verb = YD_ACCOUNT});
    assert_int_equal(g.f.error.code, RT_E_CONFIG);
    assert_non_null(strstr(g.f.error.hint, "key_secret_env"));
    yd_api_destroy(api);
}

static void the_environment_stands_in_for_the_configuration(void **state) {
    NEEDS_SERVER;
    setenv("YD_API_URL", world.url, 1);
    setenv("YD_API_KEY_ID", "test-key-id", 1);
    setenv("YD_API_KEY_SECRET", SECRET, 1);
    struct yd_api *api = account(NULL, NULL, &(struct rt_secret_conf){0});
    struct got g = send_by(api, (struct yd_call){.verb = YD_ACCOUNT});
    assert_non_null(g.r);
    yd_result_free(g.r);
    yd_api_destroy(api);
    unsetenv("YD_API_URL");
    unsetenv("YD_API_KEY_ID");
    unsetenv("YD_API_KEY_SECRET");
    api = account(NULL, NULL, NULL);
    assert_string_equal(yd_api_url(api), "https://api.yellowdog.ai");
    yd_api_destroy(api);
    api = account("http://x/y//", NULL, NULL);
    assert_string_equal(yd_api_url(api), "http://x/y");
    yd_api_destroy(api);
}

static void many_calls_wait_for_one_secret(void **state) {
    NEEDS_SERVER;
    char path[] = "/tmp/yd-count-XXXXXX";
    close(mkstemp(path));
    char *command = rt_strf("sh -c 'echo x >>%s; echo %s'", path, SECRET);
    struct yd_api *api = account(world.url, "test-key-id", &(struct rt_secret_conf){.command = command});
    struct got g[4] = {{0}};
    for (size_t i = 0; i < RT_COUNT(g); i++)
        g[i].op = yd_send(api, &(struct yd_call){.verb = YD_ACCOUNT}, came, &g[i]);
    rt_op_drop(&g[1].op);
    for (size_t i = 0; i < RT_COUNT(g); i++) {
        if (i != 1)
            assert_true(until(&g[i].done) && g[i].r);
        yd_result_free(g[i].r);
    }
    assert_false(g[1].done);
    struct rt_buf text;
    struct rt_error err = {0};
    rt_buf_init(&text, 0);
    assert_true(rt_file_read(path, 0, &text, &err));
    assert_string_equal(rt_buf_str(&text), "x\n");
    rt_buf_deinit(&text);
    yd_api_destroy(api);
    unlink(path);
    free(command);
}

struct starter {
    struct yd_api *api;
    struct got second;
    bool first_failed;
};

static void start_another(void *ctx, struct yd_result *r, const struct yd_failure *f) {
    struct starter *s = ctx;
    assert_null(r);
    s->first_failed = f != NULL;
    s->second.op = yd_send(s->api, &(struct yd_call){.verb = YD_ACCOUNT}, came, &s->second);
}

static void a_failure_may_start_the_next_call(void **state) {
    NEEDS_SERVER;
    static const struct rt_secret_conf secret = {.env = (char *)(uintptr_t) "YD_TEST_NOT_SET"};
    struct starter s = {.api = account(world.url, "test-key-id", &secret)};
    yd_send(s.api, &(struct yd_call){.verb = YD_ACCOUNT}, start_another, &s);
    assert_true(until(&s.second.done));
    assert_true(s.first_failed);
    assert_int_equal(s.second.f.error.code, RT_E_CONFIG);
    yd_api_destroy(s.api);
}

/* ---- refusals ---- */

static void what_is_not_there_is_not_found(void **state) {
    NEEDS_SERVER;
    struct yd_failure f = refused((struct yd_call){.verb = YD_POOL, .id = "ydid:wrkrpool:000000:none"});
    assert_int_equal(f.status, 404);
    assert_int_equal(f.error.code, RT_E_NOT_FOUND);
    assert_string_equal(f.type, "NotFoundException");
    assert_non_null(strstr(f.error.message, "GET /workerPools/ydid:wrkrpool:000000:none: 404: WorkerPool not found"));
    assert_int_equal(refused((struct yd_call){.verb = YD_WORK, .space = "ray", .name = "none"}).error.code, RT_E_NOT_FOUND);
    assert_int_equal(refused((struct yd_call){.verb = YD_TEMPLATE, .id = "test/none"}).error.code, RT_E_NOT_FOUND);
}

static void a_name_in_use_is_a_conflict(void **state) {
    NEEDS_SERVER;
    char *name = new_name();
    yd_result_free(make_pool(name, 0, 1));
    struct yd_failure f = refused((struct yd_call){.verb = YD_POOL_CREATE, .body = pool_body(name, 0, 1)});
    assert_int_equal(f.status, 409);
    assert_int_equal(f.error.code, RT_E_CONFLICT);
    assert_false(f.maybe);
    free(name);
}

static void a_permission_that_lacks_is_denied(void **state) {
    NEEDS_SERVER;
    fault("{\"path\":\"PUT /compute\",\"status\":403,\"errorType\":\"MissingPermissionException\",\"message\":\"COMPUTE_WRITE is needed\"}");
    struct yd_failure f = refused((struct yd_call){.verb = YD_TERMINATE, .id = "x"});
    assert_int_equal(f.error.code, RT_E_DENIED);
    assert_non_null(strstr(f.error.message, "COMPUTE_WRITE is needed"));
    assert_non_null(strstr(f.error.hint, "permission"));
}

static void details_of_a_refusal_are_shown(void **state) {
    NEEDS_SERVER;
    char *name = new_name();
    struct yd_result *p = make_pool(name, 1, 2);
    struct yd_failure f = refused((struct yd_call){.verb = YD_POOL_RESIZE, .id = p->pools[0].id, .size = 9});
    assert_int_equal(f.error.code, RT_E_USAGE);
    assert_non_null(strstr(f.error.message, "Invalid worker pool size 9; minNodes 0, maxNodes 2"));
    yd_result_free(p);
    free(name);
}

static void what_is_no_json_is_shown_as_it_is(void **state) {
    NEEDS_SERVER;
    fault("{\"path\":\"GET /application\",\"status\":400,\"body\":\"a \\u001b[1m proxy\"}");
    struct yd_failure f = refused((struct yd_call){.verb = YD_ACCOUNT});
    assert_non_null(strstr(f.error.message, "GET /application/: 400"));
    assert_null(strchr(f.error.message, '\x1b'));
    assert_string_equal(f.type, "");
}

/* ---- second attempts ---- */

static void calls_are_repeated_when_the_platform_is_busy(void **state) {
    NEEDS_SERVER;
    fault("{\"path\":\"GET /application\",\"status\":429,\"count\":1,\"retryAfter\":0}");
    fault("{\"path\":\"GET /application\",\"status\":503,\"count\":1,\"retryAfter\":0}");
    yd_result_free(ok((struct yd_call){.verb = YD_ACCOUNT}));
}

static void after_three_attempts_it_is_told(void **state) {
    NEEDS_SERVER;
    fault("{\"path\":\"GET /application\",\"status\":429,\"count\":3,\"retryAfter\":0}");
    assert_int_equal(refused((struct yd_call){.verb = YD_ACCOUNT}).error.code, RT_E_BUSY);
    yd_result_free(ok((struct yd_call){.verb = YD_ACCOUNT})); /* exactly three were refused */
    fault("{\"path\":\"GET /application\",\"status\":500,\"count\":3,\"retryAfter\":0}");
    struct yd_failure f = refused((struct yd_call){.verb = YD_ACCOUNT});
    assert_int_equal(f.error.code, RT_E_REMOTE);
    assert_non_null(strstr(f.error.message, "made to fail by the test"));
}

static void without_retry_after_it_waits_by_itself(void **state) {
    NEEDS_SERVER;
    fault("{\"path\":\"GET /application\",\"status\":503,\"count\":1}");
    yd_result_free(ok((struct yd_call){.verb = YD_ACCOUNT}));
}

static void a_retry_after_of_an_hour_is_told_instead(void **state) {
    NEEDS_SERVER;
    fault("{\"path\":\"GET /application\",\"status\":429,\"count\":2,\"retryAfter\":3600}");
    assert_int_equal(refused((struct yd_call){.verb = YD_ACCOUNT}).error.code, RT_E_BUSY);
    assert_int_equal(refused((struct yd_call){.verb = YD_ACCOUNT}).error.code, RT_E_BUSY); /* the first had but one attempt */
    yd_result_free(ok((struct yd_call){.verb = YD_ACCOUNT}));
}

static void a_look_that_comes_again_is_not_repeated(void **state) {
    NEEDS_SERVER;
    fault("{\"path\":\"GET /application\",\"status\":503,\"count\":2,\"retryAfter\":0}");
    assert_int_equal(refused((struct yd_call){.verb = YD_ACCOUNT, .once = true}).error.code, RT_E_REMOTE);
    assert_int_equal(refused((struct yd_call){.verb = YD_ACCOUNT, .once = true}).error.code, RT_E_REMOTE);
    yd_result_free(ok((struct yd_call){.verb = YD_ACCOUNT, .once = true}));
}

/* ---- lost answers ---- */

static void a_lost_answer_of_what_makes_nothing_is_asked_for_again(void **state) {
    NEEDS_SERVER;
    fault("{\"path\":\"GET /application\",\"drop\":true}");
    yd_result_free(ok((struct yd_call){.verb = YD_ACCOUNT}));
}

static void what_makes_something_is_never_sent_twice_without_an_answer(void **state) {
    NEEDS_SERVER;
    char *name = new_name();
    const size_t before = calls_of("POST", "/workerPools");
    fault("{\"path\":\"POST /workerPools\",\"drop\":true,\"after\":true}");
    struct yd_failure f = refused((struct yd_call){.verb = YD_POOL_CREATE, .body = pool_body(name, 0, 1)});
    assert_true(f.maybe);
    assert_int_equal(f.status, 0);
    assert_int_equal(f.error.code, RT_E_UNREACHABLE);
    assert_int_equal(calls_of("POST", "/workerPools"), before + 1);
    struct yd_result *r = ok((struct yd_call){.verb = YD_POOL, .space = "ray", .name = name}); /* it was made */
    assert_string_equal(r->pools[0].name, name);
    yd_result_free(r);
    free(name);
}

static void a_conflict_with_ones_own_attempt_is_a_maybe(void **state) {
    NEEDS_SERVER;
    char *name = new_name();
    fault("{\"path\":\"POST /workerPools\",\"status\":502,\"after\":true,\"retryAfter\":0}");
    struct yd_failure f = refused((struct yd_call){.verb = YD_POOL_CREATE, .body = pool_body(name, 0, 1)});
    assert_int_equal(f.status, 409);
    assert_true(f.maybe);
    free(name);
}

static void nobody_there_is_unreachable(void **state) {
    NEEDS_SERVER;
    static const struct rt_secret_conf secret = {.value = (char *)(uintptr_t)SECRET};
    struct yd_api *api = account("http://127.0.0.1:9", "test-key-id", &secret);
    struct got g = send_by(api, (struct yd_call){.verb = YD_ACCOUNT, .once = true});
    assert_int_equal(g.f.error.code, RT_E_UNREACHABLE);
    assert_non_null(strstr(g.f.error.hint, "api_url"));
    yd_api_destroy(api);
}

/* ---- lists ---- */

static void a_list_is_read_to_its_end(void **state) {
    NEEDS_SERVER;
    struct yd_result *r = ok((struct yd_call){.verb = YD_TEMPLATES});
    assert_int_equal(r->n, 4); /* two in a slice */
    assert_string_equal(r->templates[0].name, "ray-head");
    assert_string_equal(r->templates[3].name, "no-bash");
    yd_result_free(r);
    r = ok((struct yd_call){.verb = YD_TEMPLATES, .space = "test", .name = "no-bash"});
    assert_int_equal(r->n, 1);
    yd_result_free(r);
    r = ok((struct yd_call){.verb = YD_TEMPLATES, .space = "other"});
    assert_int_equal(r->n, 0);
    yd_result_free(r);
}

static void a_template_is_tried_without_making_anything(void **state) {
    NEEDS_SERVER;
    json_t *pool = pool_body("tried", 1, 1), *usage = json_incref(json_object_get(pool, "requirementTemplateUsage"));
    json_decref(pool);
    json_t *wrong = json_deep_copy(usage);
    json_object_set_new(wrong, "templateId", json_string("test/none"));
    yd_result_free(ok((struct yd_call){.verb = YD_TEMPLATE_TRY, .body = usage}));
    assert_int_equal(refused((struct yd_call){.verb = YD_TEMPLATE_TRY, .body = wrong}).error.code, RT_E_NOT_FOUND);
    struct yd_result *r = ok((struct yd_call){.verb = YD_REQUIREMENTS, .space = "ray", .name = "tried"});
    assert_int_equal(r->n, 0);
    yd_result_free(r);
}

static void a_failure_in_the_middle_of_a_list_costs_nothing(void **state) {
    NEEDS_SERVER;
    fault("{\"path\":\"GET /compute/templates\",\"skip\":1,\"status\":503,\"retryAfter\":0}");
    struct yd_result *r = ok((struct yd_call){.verb = YD_TEMPLATES});
    assert_int_equal(r->n, 4);
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(r->templates[i].id, r->templates[k].id);
    yd_result_free(r);
}

static void a_list_without_end_is_given_up(void **state) {
    NEEDS_SERVER;
    fault("{\"path\":\"GET /compute/templates\",\"status\":200,\"count\":1000,\"body\":{\"items\":[{\"id\":\"a\"}],\"nextSliceId\":\"s1\"}}");
    assert_int_equal(refused((struct yd_call){.verb = YD_TEMPLATES}).error.code, RT_E_PROTOCOL);
}

static void what_cannot_be_read_of_a_list_is_left_out(void **state) {
    NEEDS_SERVER;
    fault("{\"path\":\"GET /compute/templates\",\"status\":200,\"body\":{\"items\":[{\"id\":\"a\"},{\"name\":\"b\"},null,{\"id\":\"c\"}]}}");
    struct yd_result *r = ok((struct yd_call){.verb = YD_TEMPLATES});
    assert_int_equal(r->n, 2);
    assert_string_equal(r->templates[1].id, "c");
    yd_result_free(r);
    fault("{\"path\":\"GET /compute/templates\",\"status\":200,\"body\":[{\"id\":\"a\"}]}"); /* a bare list */
    r = ok((struct yd_call){.verb = YD_TEMPLATES});
    assert_int_equal(r->n, 1);
    yd_result_free(r);
}

static void what_is_over_can_be_left_out(void **state) {
    NEEDS_SERVER;
    char *name = new_name();
    struct yd_result *p = make_pool(name, 0, 1);
    yd_result_free(ok((struct yd_call){.verb = YD_TERMINATE, .id = p->pools[0].requirement_id}));
    yd_result_free(ok((struct yd_call){.verb = YD_POOL_SHUT_DOWN, .id = p->pools[0].id}));
    struct yd_result *r = ok((struct yd_call){.verb = YD_POOLS, .space = "ray", .name = name});
    assert_int_equal(r->n, 1);
    assert_true(yd_pool_over(&r->pools[0]));
    yd_result_free(r);
    r = ok((struct yd_call){.verb = YD_POOLS, .space = "ray", .name = name, .living = true});
    assert_int_equal(r->n, 0);
    yd_result_free(r);
    yd_result_free(p);
    free(name);
}

/* ---- a cluster's life ---- */

static bool node_is_there(const char *pool) {
    struct yd_result *r = ok((struct yd_call){.verb = YD_NODES, .id = pool, .living = true});
    const bool there = r->n == 1 && yd_words_have(&r->nodes[0].task_types, "bash");
    yd_result_free(r);
    return there;
}

static int task_state(const char *id, char *worker, size_t size) {
    struct yd_result *r = ok((struct yd_call){.verb = YD_TASK, .id = id});
    const int s = r->tasks[0].state;
    snprintf(worker, size, "%s", r->tasks[0].worker_id ? r->tasks[0].worker_id : "");
    yd_result_free(r);
    return s;
}

static void wait_for_task(const char *id, int wanted, char *worker, size_t size) {
    const int64_t end = rt_mono_ms() + PATIENCE_MS;
    while (task_state(id, worker, size) != wanted) {
        assert_true(rt_mono_ms() < end);
        turn_for(50);
    }
}

static void a_task_runs_on_the_node_of_its_pool_and_is_aborted(void **state) {
    NEEDS_SERVER;
    char *name = new_name(), worker[200];
    struct yd_result *p = make_pool(name, 1, 4), *w = make_work(name);
    struct rt_strs env = {0};
    rt_strs_add(&env, "A=secret-of-the-task");
    struct yd_result *t = ok((struct yd_call){
        .verb = YD_TASKS_ADD, .id = w->works[0].groups[0].id, .body = yd_body_tasks(&(struct yd_task_spec){"sleep 1", &env, 1, 1})});
    assert_int_equal(t->n, 1);
    assert_string_equal(t->tasks[0].name, "task-00001");
    wait_for_task(t->tasks[0].id, YD_TASK_EXECUTING, worker, sizeof worker);
    assert_true(node_is_there(p->pools[0].id));
    struct yd_result *n = ok((struct yd_call){.verb = YD_NODE_OF_WORKER, .id = worker}), *i = ok((struct yd_call){.verb = YD_INSTANCES, .id = p->pools[0].requirement_id});
    assert_int_equal(i->n, 1);
    assert_string_equal(i->instances[0].id, n->nodes[0].instance_id);
    assert_string_equal(i->instances[0].private_ip, n->nodes[0].private_ip);
    assert_null(i->instances[0].public_ip); /* this template has none */
    struct yd_result *all = ok((struct yd_call){.verb = YD_TASKS, .id = w->works[0].id});
    assert_int_equal(all->n, 1);
    yd_result_free(all);
    yd_result_free(ok((struct yd_call){.verb = YD_TASK_ABORT, .id = t->tasks[0].id}));
    wait_for_task(t->tasks[0].id, YD_TASK_ABORTED, worker, sizeof worker);
    rt_strs_deinit(&env);
    yd_result_free(i);
    yd_result_free(n);
    yd_result_free(t);
    yd_result_free(w);
    yd_result_free(p);
    free(name);
}

static void a_group_is_added_to_work_that_runs(void **state) {
    NEEDS_SERVER;
    char *name = new_name();
    struct yd_result *w = make_work(name), *read = ok((struct yd_call){.verb = YD_WORK, .space = "ray", .name = name});
    assert_string_equal(read->works[0].id, w->works[0].id);
    const struct yd_group_spec g = {.name = "worker-nodes-01", .worker_tag = "x", .space = "ray", .tag = "gpu", .timeout_ms = 5000};
    struct yd_result *more = ok((struct yd_call){.verb = YD_WORK_CHANGE, .body = yd_body_append(read->json, &g)});
    assert_int_equal(more->works[0].ngroups, 2);
    const struct yd_group *added = yd_work_group(&more->works[0], "worker-nodes-01");
    assert_string_equal(added->tag, "gpu");
    assert_int_equal(added->timeout_ms, 5000);
    assert_non_null(added->id);
    yd_result_free(more);
    yd_result_free(read);
    yd_result_free(w);
    free(name);
}

static void work_that_is_over_is_too_late_to_cancel(void **state) {
    NEEDS_SERVER;
    char *name = new_name();
    struct yd_result *w = make_work(name), *c = ok((struct yd_call){.verb = YD_WORK_CANCEL, .id = w->works[0].id});
    assert_true(c->works[0].state == YD_WORK_CANCELLING || c->works[0].state == YD_WORK_CANCELLED);
    const int64_t end = rt_mono_ms() + PATIENCE_MS;
    struct got g = ask((struct yd_call){.verb = YD_WORK_CANCEL, .id = w->works[0].id});
    while (g.r && rt_mono_ms() < end) { /* until the server has carried it out */
        yd_result_free(g.r);
        g = ask((struct yd_call){.verb = YD_WORK_CANCEL, .id = w->works[0].id});
    }
    assert_true(!g.r && yd_failure_too_late(&g.f));
    assert_false(yd_failure_too_late(NULL));
    struct yd_failure f = refused((struct yd_call){.verb = YD_POOL, .id = "none"});
    assert_false(yd_failure_too_late(&f));
    yd_result_free(c);
    yd_result_free(w);
    free(name);
}

static void a_pool_grows_and_its_requirement_tells(void **state) {
    NEEDS_SERVER;
    char *name = new_name();
    struct yd_result *p = make_pool(name, 1, 3), *more = ok((struct yd_call){.verb = YD_POOL_RESIZE, .id = p->pools[0].id, .size = 3});
    assert_int_equal(more->pools[0].max_nodes, 3);
    struct yd_result *q = ok((struct yd_call){.verb = YD_REQUIREMENT, .id = p->pools[0].requirement_id});
    assert_int_equal(q->requirements[0].target, 3);
    assert_string_equal(q->requirements[0].tag, "t");
    struct yd_result *l = ok((struct yd_call){.verb = YD_REQUIREMENTS, .space = "ray", .name = name, .tag = "t", .living = true});
    assert_int_equal(l->n, 1);
    assert_int_equal(l->requirements[0].target, 3);
    yd_result_free(l);
    yd_result_free(q);
    yd_result_free(more);
    yd_result_free(p);
    free(name);
}

/* ---- cancel ---- */

static void cancel_is_silent_at_every_moment(void **state) {
    NEEDS_SERVER;
    static const struct rt_secret_conf secret = {.value = (char *)(uintptr_t)SECRET};
    struct yd_api *api = account(world.url, "test-key-id", &secret);
    for (int64_t ms = 0; ms < 40; ms += 4) { /* the secret, the request, slices */
        struct got g = {0};
        g.op = yd_send(api, &(struct yd_call){.verb = YD_TEMPLATES}, came, &g);
        if (ms)
            turn_for(ms);
        const int before = g.times;
        rt_op_drop(&g.op);
        turn_for(5);
        assert_int_equal(g.times, before);
        yd_result_free(g.r);
    }
    struct got g = {0}; /* the pause before a second attempt */
    fault("{\"path\":\"GET /application\",\"status\":503,\"retryAfter\":60}");
    g.op = yd_send(api, &(struct yd_call){.verb = YD_ACCOUNT}, came, &g);
    turn_for(300);
    assert_false(g.done);
    rt_op_drop(&g.op);
    turn_for(20);
    assert_false(g.done);
    yd_api_destroy(api);
}

/* ---- words ---- */

static void what_a_call_asks_for_can_be_shown(void **state) {
    (void)state;
    static const struct {
        struct yd_call c;
        const char *text;
    } cases[] = {
        {{.verb = YD_WORK_CREATE}, "POST https://p/work/requirements"},
        {{.verb = YD_POOL_RESIZE, .id = "ydid:wrkrpool:1:2", .size = 4}, "PUT https://p/workerPools/provisioned/ydid:wrkrpool:1:2?size=4"},
        {{.verb = YD_POOLS, .space = "a", .living = true},
         "GET https://p/workerPools/?sliced=true&namespaces=a&statuses=PENDING&statuses=CONFIGURING&statuses=EMPTY&statuses=IDLE&statuses=RUNNING"},
        {{.verb = YD_NODES, .id = "x"}, "GET https://p/workerPools/nodes?workerPoolId=x"},
        {{.verb = YD_TASKS, .id = "w", .name = "g"}, "GET https://p/work/tasks?workRequirementId=w&taskGroupId=g"},
        {{.verb = YD_WORKS, .space = "a b", .name = "n&m", .tag = "t"}, "GET https://p/work/requirements?sliced=true&namespaces=a%20b&name=n%26m&tag=t"},
        {{.verb = YD_TEMPLATE, .id = "ns/my template"}, "GET https://p/compute/namespaces/ns/templates/requirements/my%20template"},
        {{.verb = YD_TEMPLATE, .id = "ydid:crt:1"}, "GET https://p/compute/templates/requirements/ydid:crt:1"},
        {{.verb = YD_WORK_CANCEL, .id = "../x"}, "PUT https://p/work/requirements/..%2Fx/transition/CANCELLING?abort=True"},
    };
    struct yd_api *api = account("https://p/", "id", NULL);
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct rt_buf b;
        rt_buf_init(&b, 0);
        yd_call_text(api, &cases[i].c, &b);
        assert_string_equal(rt_buf_str(&b), cases[i].text);
        rt_buf_deinit(&b);
    }
    yd_api_destroy(api);
}

/* Runs last: what all the others wrote. */
static void no_secret_is_in_the_log(void **state) {
    NEEDS_SERVER;
    struct rt_buf text;
    struct rt_error err = {0};
    rt_buf_init(&text, 0);
    assert_true(rt_file_read(world.log, 0, &text, &err));
    assert_non_null(strstr(rt_buf_str(&text), "yellowdog: GET /application/: 503")); /* it was written at all */
    assert_null(strstr(rt_buf_str(&text), SECRET));
    assert_null(strstr(rt_buf_str(&text), "secret-of-the-task"));
    rt_buf_deinit(&text);
}

#define TEST(name) cmocka_unit_test_setup(name, each)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_right_key_tells_its_account),
        TEST(a_wrong_key_is_told_and_read_anew),
        TEST(a_missing_key_is_told_with_what_to_set),
        TEST(the_environment_stands_in_for_the_configuration),
        TEST(many_calls_wait_for_one_secret),
        TEST(a_failure_may_start_the_next_call),
        TEST(what_is_not_there_is_not_found),
        TEST(a_name_in_use_is_a_conflict),
        TEST(a_permission_that_lacks_is_denied),
        TEST(details_of_a_refusal_are_shown),
        TEST(what_is_no_json_is_shown_as_it_is),
        TEST(calls_are_repeated_when_the_platform_is_busy),
        TEST(after_three_attempts_it_is_told),
        TEST(without_retry_after_it_waits_by_itself),
        TEST(a_retry_after_of_an_hour_is_told_instead),
        TEST(a_look_that_comes_again_is_not_repeated),
        TEST(a_lost_answer_of_what_makes_nothing_is_asked_for_again),
        TEST(what_makes_something_is_never_sent_twice_without_an_answer),
        TEST(a_conflict_with_ones_own_attempt_is_a_maybe),
        TEST(nobody_there_is_unreachable),
        TEST(a_list_is_read_to_its_end),
        TEST(a_template_is_tried_without_making_anything),
        TEST(a_failure_in_the_middle_of_a_list_costs_nothing),
        TEST(a_list_without_end_is_given_up),
        TEST(what_cannot_be_read_of_a_list_is_left_out),
        TEST(what_is_over_can_be_left_out),
        TEST(a_task_runs_on_the_node_of_its_pool_and_is_aborted),
        TEST(a_group_is_added_to_work_that_runs),
        TEST(work_that_is_over_is_too_late_to_cancel),
        TEST(a_pool_grows_and_its_requirement_tells),
        TEST(cancel_is_silent_at_every_moment),
        TEST(what_a_call_asks_for_can_be_shown),
        TEST(no_secret_is_in_the_log),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
