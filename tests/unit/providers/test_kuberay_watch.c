/* Discovery by watches: a place behind a proxy that is a script and an API server that is this test; objects as recorded. */
#include "base/fs.h"
#include "core/config.h"
#include "providers/kuberay.h"
#include "unit/core/home.h"
#include "unit/net/http_server.h"

static struct {
    struct rt_loop *loop;
    struct rt_http *http;
    struct rt_kubes *kubes;
    struct server api;
    char *path;
    struct rt_provider_env env;
    struct rt_config config;
} world;

/* How the API server is in a test. */
static struct {
    bool all_refused;   /* nobody may look at all namespaces */
    const char *absent; /* a group that is not served */
    bool later;         /* a new list has nothing more */
    int lists;          /* of RayClusters */
    struct peer *watch; /* of RayClusters */
} is;

static json_t *recorded(const char *space, int64_t replicas) {
    json_error_t err;
    char *path = rt_strf("%s/kuberay/raycluster-ready.json", RT_FIXTURES);
    json_t *v = json_load_file(path, 0, &err);
    free(path);
    assert_non_null(v);
    json_object_set_new(json_object_get(v, "metadata"), "namespace", json_string(space));
    json_object_set_new(json_array_get(json_object_get(json_object_get(v, "spec"), "workerGroupSpecs"), 0), "replicas", json_integer(replicas));
    return v;
}

static void answer_list(struct peer *p, json_t *items) {
    json_t *v = json_pack("{s:{s:s}, s:o}", "metadata", "resourceVersion", "10", "items", items);
    char *text = json_dumps(v, JSON_COMPACT);
    answer(p, 200, "application/json", text);
    free(text);
    json_decref(v);
}

static void refuse(struct peer *p, int code, const char *reason, const char *message) {
    char text[300];
    snprintf(text, sizeof text, "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"%s\",\"reason\":\"%s\",\"code\":%d}", message, reason, code);
    answer(p, code, "application/json", text);
}

static void tell_watch(const char *type, json_t *object) {
    json_t *v = json_pack("{s:s, s:o}", "type", type, "object", object);
    char *text = json_dumps(v, JSON_COMPACT);
    assert_non_null(is.watch);
    rt_buf_addf(&is.watch->out, "%zx\r\n%s\n\r\n", strlen(text) + 1, text);
    peer_flush(is.watch, (size_t)1 << 20);
    free(text);
    json_decref(v);
}

static void serve(struct peer *p, const struct asked *a) {
    const bool clusters = strstr(a->path, "/rayclusters") != NULL, old = strstr(a->path, "v1alpha1") != NULL;
    const char *space = strstr(a->path, "/namespaces/");
    if (is.absent && (strstr(a->path, is.absent) || (old && strcmp(is.absent, "ray.io") == 0))) {
        answer(p, 404, "text/plain", "404 page not found\n");
    } else if (is.all_refused && !space) {
        refuse(p, 403, "Forbidden", "User \\\"me\\\" cannot list resource at the cluster scope");
    } else if (strstr(a->path, "watch=1")) {
        send_text(p, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
        if (clusters)
            is.watch = p;
    } else if (clusters) {
        char name[40] = "default";
        is.lists++;
        if (space)
            sscanf(space, "/namespaces/%39[a-z]", name);
        answer_list(p, is.later ? json_array() : json_pack("[o]", recorded(name, 2)));
    } else {
        answer_list(p, json_array());
    }
}

static const char kubectl[] = "#!/bin/sh\n"
                              "case \"$*\" in *away*) echo 'error: context \"away\" does not exist' >&2; exit 1 ;; esac\n"
                              "case \"$*\" in *get-contexts*) echo here; echo away; exit ;; *config*) echo team; exit ;; esac\n"
                              "for a; do case $a in --unix-socket=*) s=${a#*=} ;; esac; done\n"
                              "ln -s \"$RT_TEST_API\" \"$s\" && echo \"Starting to serve on $s\"\nexec sleep 600\n";

static int setup(void **state) {
    struct rt_error err;
    if (home_make(state))
        return -1;
    const struct home *h = *state;
    char *dir = rt_strf("%s/bin", h->dir), *script = rt_strf("%s/kubectl", dir), *bin = rt_strf("%s:/usr/bin:/bin", dir),
         *api = rt_strf("%s/api", h->dir);
    world.path = rt_strdup(getenv("PATH"));
    setenv("PATH", bin, 1);
    setenv("RT_TEST_API", api, 1);
    if (!rt_mkdirs(dir, &err) || !rt_file_write(script, kubectl, strlen(kubectl), &err) || chmod(script, 0700) != 0)
        return -1;
    world.loop = rt_loop_create(&err);
    world.http = rt_http_create(world.loop);
    world.kubes = rt_kubes_create(world.loop, world.http);
    world.config = (struct rt_config){0};
    world.env = (struct rt_provider_env){.loop = world.loop, .http = world.http, .kubes = world.kubes, .config = &world.config};
    server_start_unix(&world.api, world.loop, serve, api);
    memset(&is, 0, sizeof is);
    free(dir);
    free(script);
    free(bin);
    free(api);
    return 0;
}

static int teardown(void **state) {
    rt_kubes_destroy(world.kubes);
    rt_http_destroy(world.http);
    server_stop(&world.api);
    rt_loop_destroy(world.loop);
    setenv("PATH", world.path, 1);
    free(world.path);
    return home_remove(state);
}

/* What was told last. */
struct told {
    struct rt_op *op;
    char all[2000]; /* "TARGET: TEXT\n" */
    bool whole;
    struct rt_error err;
};

static void on_seen(void *ctx, const struct rt_seen *all, size_t n, bool whole, const struct rt_error *err) {
    struct told *t = ctx;
    t->all[0] = '\0';
    for (size_t i = 0; i < n; i++)
        snprintf(t->all + strlen(t->all), sizeof t->all - strlen(t->all), "%s: %s\n", all[i].target, all[i].text);
    t->whole = whole;
    t->err = err ? *err : (struct rt_error){0};
}

static void on_tick(void *ctx) {
    (void)ctx;
}

/* Until all was looked at and `words` are there, or are not. */
static void turns_until(const struct told *t, const char *words, bool there) {
    struct rt_timer *tick = rt_timer_start(world.loop, 20, 20, on_tick, NULL);
    const int64_t end = rt_mono_ms() + 60000;
    while (!(t->whole && (strstr(t->all, words) != NULL) == there) && rt_mono_ms() < end)
        rt_loop_turn(world.loop, true);
    rt_timer_stop(tick);
    if (!t->whole || (strstr(t->all, words) != NULL) != there)
        fail_msg("'%s' %s: %s (%s)", words, there ? "did not come" : "stayed", t->all, t->err.message);
}

static void turns_until_watched(void) {
    struct rt_timer *tick = rt_timer_start(world.loop, 20, 20, on_tick, NULL);
    const int64_t end = rt_mono_ms() + 60000;
    while (!is.watch && rt_mono_ms() < end)
        rt_loop_turn(world.loop, true);
    rt_timer_stop(tick);
    assert_non_null(is.watch);
}

static void look(struct told *t, const char *where) {
    *t = (struct told){0};
    t->op = kuberay_watch_at(&world.env, where, on_seen, t);
    assert_non_null(t->op);
}

static void a_change_comes_by_the_watch_and_not_by_another_list(void **state) {
    struct told t;
    (void)state;
    look(&t, "kube://");
    turns_until(&t, "kube:///default/demo: RayCluster, ready, 3 workers in 2 groups", true);
    turns_until_watched();
    tell_watch("MODIFIED", recorded("default", 5));
    turns_until(&t, "6 workers", true);
    tell_watch("DELETED", recorded("default", 5));
    turns_until(&t, "demo", false);
    tell_watch("ADDED", recorded("default", 1));
    turns_until(&t, "2 workers", true);
    assert_int_equal(is.lists, 1);
    assert_int_equal(t.err.code, RT_OK);
    rt_op_cancel(t.op);
}

static void a_version_that_expired_is_listed_again(void **state) {
    struct told t;
    (void)state;
    look(&t, "kube://");
    turns_until(&t, "demo", true);
    turns_until_watched();
    is.later = true; /* it went while nobody looked */
    json_t *expired = json_pack("{s:s, s:i, s:s}", "kind", "Status", "code", 410, "reason", "Expired");
    tell_watch("ERROR", expired);
    turns_until(&t, "demo", false);
    assert_int_equal(is.lists, 2);
    rt_op_cancel(t.op);
}

static void a_watch_that_ends_goes_on_without_a_list(void **state) {
    struct told t;
    (void)state;
    look(&t, "kube://");
    turns_until(&t, "demo", true);
    turns_until_watched();
    struct rt_timer *tick = rt_timer_start(world.loop, 20, 20, on_tick, NULL);
    for (const int64_t end = rt_mono_ms() + 1500; rt_mono_ms() < end;) /* one that ends at once begins with a list */
        rt_loop_turn(world.loop, true);
    rt_timer_stop(tick);
    struct peer *first = is.watch;
    is.watch = NULL;
    send_text(first, "0\r\n\r\n");
    peer_flush(first, (size_t)1 << 20);
    turns_until_watched();
    tell_watch("MODIFIED", recorded("default", 4));
    turns_until(&t, "5 workers", true);
    assert_int_equal(is.lists, 1);
    rt_op_cancel(t.op);
}

static void several_namespaces_are_looked_at_together(void **state) {
    struct told t;
    (void)state;
    look(&t, "kube:///blue,green");
    turns_until(&t, "kube:///blue/demo: ", true);
    turns_until(&t, "kube:///green/demo: ", true);
    assert_int_equal(is.lists, 2);
    rt_op_cancel(t.op);
}

static void who_may_not_see_all_sees_the_namespaces_that_are_known(void **state) {
    struct told t;
    struct kuberay_config own = {0};
    struct rt_cluster_conf conf = {.ops = &rt_provider_kuberay, .own = &own}, *confs[] = {&conf};
    (void)state;
    rt_strs_add(&own.spaces, "known");
    world.config.clusters = confs;
    world.config.nclusters = 1;
    is.all_refused = true;
    look(&t, "kube://");
    turns_until(&t, "kube:///team/demo: ", true); /* the context's own */
    turns_until(&t, "kube:///known/demo: ", true);
    assert_int_equal(t.err.code, RT_OK);
    rt_op_cancel(t.op);
    rt_strs_deinit(&own.spaces);
}

static void an_old_kuberay_is_named_and_none_at_all_too(void **state) {
    struct told t;
    (void)state;
    is.absent = "ray.io/v1/";
    look(&t, "kube://");
    turns_until(&t, "kube:///default/service:demo-head-svc: RayCluster demo of an old KubeRay (ray.io/v1alpha1), ready", true);
    assert_int_equal(t.err.code, RT_OK);
    rt_op_cancel(t.op);
    is.absent = "ray.io";
    look(&t, "kube://");
    turns_until(&t, "demo", false);
    assert_int_equal(t.err.code, RT_E_UNSUPPORTED);
    assert_non_null(strstr(t.err.message, "KubeRay is not installed there"));
    rt_op_cancel(t.op);
}

static void of_all_contexts_one_that_does_not_work_is_named(void **state) {
    struct told t;
    (void)state;
    look(&t, "kube://*");
    turns_until(&t, "kube://here/default/demo: ", true);
    assert_non_null(strstr(t.err.message, "away: "));
    assert_non_null(strstr(t.err.message, "does not exist"));
    rt_op_cancel(t.op);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_change_comes_by_the_watch_and_not_by_another_list),
        T(a_version_that_expired_is_listed_again),
        T(a_watch_that_ends_goes_on_without_a_list),
        T(several_namespaces_are_looked_at_together),
        T(who_may_not_see_all_sees_the_namespaces_that_are_known),
        T(an_old_kuberay_is_named_and_none_at_all_too),
        T(of_all_contexts_one_that_does_not_work_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
