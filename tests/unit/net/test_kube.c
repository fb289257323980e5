/* The proxy child, requests and kept lists, against a server behind a Unix socket and a kubectl that is a script. */
#include "base/fs.h"
#include "net/kube_private.h"
#include "net/kube_watch.h"
#include "unit/core/home.h"
#include "unit/net/http_server.h"

static struct {
    struct rt_loop *loop;
    struct rt_http *http;
    struct rt_kubes *kubes;
    struct rt_kube *kube;
    struct server api;
    char *path;
} world;

static void script(const struct home *h, const char *name, const char *text) {
    char *path = rt_strf("%s/bin/%s", h->dir, name), *dir = rt_strf("%s/bin", h->dir);
    struct rt_error err;
    assert_true(rt_mkdirs(dir, &err));
    assert_true(rt_file_write(path, text, strlen(text), &err));
    assert_int_equal(chmod(path, 0700), 0);
    free(path);
    free(dir);
}

/* A kubectl that serves what the test serves. */
static const char serving[] = "#!/bin/sh\n"
                              "for a; do case $a in --unix-socket=*) s=${a#*=} ;; esac; done\n"
                              "echo 'WARNING: this is an old kubectl' >&2\necho 'a line before'\n"
                              "ln -s \"$RT_TEST_API\" \"$s\" && echo \"Starting to serve on $s\"\nexec sleep 600\n";

static void serve(struct peer *p, const struct asked *a);

static int setup(void **state) {
    struct rt_error err;
    if (home_make(state))
        return -1;
    const struct home *h = *state;
    char *bin = rt_strf("%s/bin:%s", h->dir, "/usr/bin:/bin"), *api = rt_strf("%s/api", h->dir);
    world.path = rt_strdup(getenv("PATH"));
    setenv("PATH", bin, 1);
    setenv("RT_TEST_API", api, 1);
    script(h, "kubectl", serving);
    world.loop = rt_loop_create(&err);
    world.http = rt_http_create(world.loop);
    world.kubes = rt_kubes_create(world.loop, world.http);
    world.kube = rt_kube_get(world.kubes, NULL, NULL);
    server_start_unix(&world.api, world.loop, serve, api);
    free(bin);
    free(api);
    return 0;
}

static int teardown(void **state) {
    rt_kube_put(world.kube);
    rt_kubes_destroy(world.kubes);
    rt_http_destroy(world.http);
    server_stop(&world.api);
    rt_loop_destroy(world.loop);
    setenv("PATH", world.path, 1);
    free(world.path);
    return home_remove(state);
}

static void turns_until(const bool *done) {
    const int64_t end = rt_mono_ms() + 30000;
    while (!*done && rt_mono_ms() < end)
        rt_loop_turn(world.loop, true);
    assert_true(*done);
}

static void on_late(void *ctx) {
    (void)ctx;
}

/* ---- requests ---- */

struct got {
    bool done;
    int status;
    struct rt_error err;
    char text[200];
};

static void on_answer(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err) {
    struct got *g = ctx;
    g->done = true;
    g->status = a ? a->status : 0;
    if (err)
        g->err = *err;
    if (a && rt_json_str(a->json, "kind"))
        snprintf(g->text, sizeof g->text, "%s", rt_json_str(a->json, "kind"));
}

static struct got ask(const char *method, const char *path, const char *body) {
    struct got g = {0};
    const struct rt_kube_request r = {.method = method, .path = path, .body = body, .content_type = body ? RT_KUBE_JSON_PATCH : NULL};
    rt_kube_send(world.kube, &r, on_answer, &g);
    turns_until(&g.done);
    return g;
}

/* ---- the API server ---- */

static int lists, watches, nheld;
static struct peer *held[8];
static bool hang, says_410, cut, old_page;

static void refuse(struct peer *p, int code, const char *reason, const char *message) {
    char text[400];
    snprintf(text, sizeof text, "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"%s\",\"reason\":\"%s\",\"code\":%d}", message, reason, code);
    answer(p, code, "application/json", text);
}

static void event(struct peer *p, const char *type, const char *name, const char *uid, int version) {
    char text[400];
    snprintf(text, sizeof text, "{\"type\":\"%s\",\"object\":{\"metadata\":{\"name\":\"%s\",\"namespace\":\"d\",\"uid\":\"%s\",\"resourceVersion\":\"%d\"}}}\n",
             type, name, uid, version);
    rt_buf_addf(&p->out, "%zx\r\n%s\r\n", strlen(text), text);
}

static void serve_watch(struct peer *p, const char *path) {
    watches++;
    send_text(p, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    if (hang)
        return;
    if (says_410 && watches == 1) {
        const char *text = "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\"}}\n";
        rt_buf_addf(&p->out, "%zx\r\n%s\r\n0\r\n\r\n", strlen(text), text);
        return;
    }
    if (watches == 1) {
        assert_non_null(strstr(path, "resourceVersion=10"));
        event(p, "ADDED", "c", "u3", 11);
        event(p, "DELETED", "a", "u1", 12);
        event(p, "BOOKMARK", "", "", 20);
        send_text(p, cut ? "" : "0\r\n\r\n");
        p->close_after = cut;
    }
}

static void serve(struct peer *p, const struct asked *a) {
    if (strstr(a->path, "/missing"))
        refuse(p, 404, "NotFound", "rayclusters \\\"x\\\" not found");
    else if (strstr(a->path, "/forbidden"))
        refuse(p, 403, "Forbidden", "User \\\"me\\\" cannot list");
    else if (strstr(a->path, "/race"))
        refuse(p, 409, "Conflict", "the object has been modified");
    else if (strstr(a->path, "/invalid"))
        refuse(p, 422, "Invalid", "the server rejected our request");
    else if (strstr(a->path, "/away"))
        answer(p, 500, "text/plain", "dial tcp 127.0.0.1:6443: connect: connection refused\n");
    else if (strstr(a->path, "/expired"))
        answer(p, 500, "text/plain", "getting credentials: exec: executable login failed with exit code 1\n");
    else if (strstr(a->path, "watch=1"))
        serve_watch(p, a->path);
    else if (strstr(a->path, "/held"))
        held[nheld++] = p;
    else if (strstr(a->path, "/pods")) {
        lists++;
        if (old_page && strstr(a->path, "continue=")) {
            refuse(p, 410, "Expired", "The provided continue parameter is too old");
            return;
        }
        const char *second = "{\"items\":[{\"metadata\":{\"name\":\"b\",\"namespace\":\"d\",\"uid\":\"u2\",\"managedFields\":[1]}}],"
                             "\"metadata\":{\"resourceVersion\":\"10\"}}";
        if (lists == 1)
            answer(p, 200, "application/json",
                   "{\"items\":[{\"metadata\":{\"name\":\"a\",\"namespace\":\"d\",\"uid\":\"u1\"}}],\"metadata\":{\"continue\":\"t&1\",\"resourceVersion\":\"10\"}}");
        else
            answer(p, 200, "application/json", second);
    } else
        answer(p, 200, "application/json", "{\"kind\":\"RayCluster\"}");
}

static void an_answer_comes_through_the_proxy_whatever_it_says_first(void **state) {
    (void)state;
    const struct got g = ask(NULL, "/apis/ray.io/v1/namespaces/d/rayclusters/x", NULL);
    assert_int_equal(g.err.code, RT_OK);
    assert_int_equal(g.status, 200);
    assert_string_equal(g.text, "RayCluster");
    assert_int_equal(rt_kube_status(world.kube)->state, RT_KUBE_UP);
    assert_non_null(strstr(rt_buf_str(&world.api.last_head), "Host: localhost\r\n"));
}

static void a_patch_carries_its_kind(void **state) {
    (void)state;
    ask("PATCH", "/apis/x", "[{}]");
    assert_non_null(strstr(rt_buf_str(&world.api.last_head), "PATCH /apis/x HTTP/1.1\r\n"));
    assert_non_null(strstr(rt_buf_str(&world.api.last_head), "Content-Type: application/json-patch+json\r\n"));
    assert_string_equal(rt_buf_str(&world.api.last_body), "[{}]");
}

static void refusals_keep_their_meaning_and_words(void **state) {
    (void)state;
    static const struct {
        const char *path;
        enum rt_code code;
        const char *words;
    } cases[] = {
        {"/missing", RT_E_NOT_FOUND, "rayclusters \"x\" not found"}, {"/forbidden", RT_E_DENIED, "User \"me\" cannot list"},
        {"/race", RT_E_CONFLICT, "has been modified"},               {"/invalid", RT_E_USAGE, "rejected our request"},
        {"/away", RT_E_UNREACHABLE, "connection refused"},           {"/expired", RT_E_DENIED, "this is an old kubectl"},
    };
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        const struct got g = ask(NULL, cases[i].path, NULL);
        assert_int_equal(g.err.code, cases[i].code);
        if (!strstr(g.err.message, cases[i].words))
            fail_msg("%s: %s", cases[i].path, g.err.message);
    }
    assert_int_equal(rt_kube_status(world.kube)->error.code, RT_OK); /* the last of them was an answer of a server */
}

static void a_kubectl_that_cannot_serve_says_so_at_once(void **state) {
    script(*state, "kubectl", "#!/bin/sh\necho 'error: unknown flag: --unix-socket' >&2\nexit 1\n");
    struct got g = ask(NULL, "/x", NULL);
    assert_int_equal(g.err.code, RT_E_UNSUPPORTED);
    assert_non_null(strstr(g.err.message, "too old"));
    assert_int_equal(rt_kube_status(world.kube)->state, RT_KUBE_FAILED);
    script(*state, "kubectl", serving); /* mended */
    world.kube->failed_ms -= 60000; /* a while later */
    g = ask(NULL, "/x", NULL);
    assert_int_equal(g.err.code, RT_OK);
}

static void without_kubectl_oc_is_taken_and_without_both_it_is_said(void **state) {
    const struct home *h = *state;
    char *kubectl = rt_strf("%s/bin/kubectl", h->dir), *bin = rt_strf("%s/bin", h->dir);
    unlink(kubectl);
    setenv("PATH", bin, 1);
    struct got g = ask(NULL, "/x", NULL);
    assert_int_equal(g.err.code, RT_E_NOT_FOUND);
    char *with = rt_strf("%s/bin:/usr/bin:/bin", h->dir);
    script(h, "oc", serving);
    setenv("PATH", with, 1);
    world.kube->failed_ms -= 60000; /* a while later */
    if (access("/usr/bin/kubectl", X_OK) != 0) { /* a real one would be taken first */
        g = ask(NULL, "/x", NULL);
        assert_int_equal(g.err.code, RT_OK);
    }
    free(with);
    free(kubectl);
    free(bin);
}

static void one_context_is_one_child(void **state) {
    (void)state;
    struct rt_kube *again = rt_kube_get(world.kubes, NULL, NULL), *other = rt_kube_get(world.kubes, NULL, "other");
    assert_ptr_equal(again, world.kube);
    assert_ptr_not_equal(other, world.kube);
    assert_string_not_equal(rt_kube_socket(other), rt_kube_socket(world.kube));
    rt_kube_put(again);
    rt_kube_put(other);
}

static void what_a_killed_raytui_left_is_ended_by_the_next(void **state) {
    const struct home *h = *state;
    char *dir = rt_strf("%s/raytui-2000000000", h->dir), note[200], started[40]; /* no such process */
    struct rt_error err;
    assert_true(rt_mkdirs(dir, &err));
    const pid_t child = fork();
    if (child == 0) {
        setsid();
        execlp("sleep", "sleep", "600", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && getpgid(child) != child; i++)
        usleep(10000);
    snprintf(note, sizeof note, "%s/child-%ld", dir, (long)child);
    snprintf(started, sizeof started, "%llu\n", (unsigned long long)rt_process_started(child));
    assert_true(rt_file_write(note, started, strlen(started), &err));
    assert_int_equal(ask(NULL, "/x", NULL).err.code, RT_OK);
    for (int i = 0; i < 3000 && rt_process_alive(child); i++)
        usleep(10000);
    assert_false(rt_process_alive(child));
    assert_false(rt_dir_exists(dir));
    free(dir);
}

/* ---- kept lists ---- */

struct kept {
    char names[64];
    int synced;
    bool done;
    int wanted; /* syncs */
    struct rt_error err;
};

static void on_put(void *ctx, const json_t *object) {
    struct kept *k = ctx;
    const size_t n = strlen(k->names);
    assert_null(rt_json_at(object, "metadata.managedFields"));
    snprintf(k->names + n, sizeof k->names - n, "+%s", rt_json_str(object, "metadata.name"));
}

static void on_gone(void *ctx, const char *space, const char *name, const char *uid) {
    struct kept *k = ctx;
    const size_t n = strlen(k->names);
    assert_string_equal(space, "d");
    assert_non_null(uid);
    snprintf(k->names + n, sizeof k->names - n, "-%s", name);
}

static void on_synced(void *ctx, const struct rt_error *err) {
    struct kept *k = ctx;
    k->err = err ? *err : (struct rt_error){0};
    k->done = ++k->synced >= k->wanted;
}

static struct rt_kube_watch *keep(struct kept *k, const char *path) {
    const struct rt_kube_watch_events e = {.put = on_put, .gone = on_gone, .synced = on_synced, .ctx = k};
    lists = watches = 0;
    struct rt_kube_watch *w = rt_kube_watch_open(world.kube, path, "labelSelector=x", &e);
    rt_kube_watch_paces(w, 400, 20);
    return w;
}

static void turns_until_watches(int n) {
    struct rt_timer *tick = rt_timer_start(world.loop, 20, 20, on_late, NULL);
    for (int i = 0; i < 1500 && watches < n; i++)
        rt_loop_turn(world.loop, true);
    rt_timer_stop(tick);
    assert_true(watches >= n);
}

static void a_list_comes_in_pages_and_changes_follow(void **state) {
    (void)state;
    struct kept k = {.wanted = 2};
    hang = says_410 = cut = false;
    struct rt_kube_watch *w = keep(&k, "/api/v1/namespaces/d/pods");
    turns_until(&k.done);
    assert_string_equal(k.names, "+a+b+c-a");
    assert_int_equal(k.err.code, RT_OK);
    assert_int_equal(lists, 2);
    rt_kube_watch_close(w);
}

static void a_page_that_is_too_old_begins_a_new_list(void **state) {
    (void)state;
    struct kept k = {.wanted = 1};
    cut = says_410 = false;
    hang = old_page = true;
    struct rt_kube_watch *w = keep(&k, "/api/v1/namespaces/d/pods");
    turns_until(&k.done);
    old_page = false;
    assert_string_equal(k.names, "+a+b-a");
    assert_int_equal(lists, 3);
    rt_kube_watch_close(w);
}

static void an_expired_watch_is_listed_anew_and_what_went_meanwhile_is_told(void **state) {
    (void)state;
    struct kept k = {.wanted = 2};
    hang = cut = false;
    says_410 = true;
    struct rt_kube_watch *w = keep(&k, "/api/v1/namespaces/d/pods");
    turns_until_watches(2);
    turns_until(&k.done);
    assert_string_equal(k.names, "+a+b+b-a"); /* the second list has b alone */
    rt_kube_watch_close(w);
}

static void a_watch_that_is_cut_off_begins_with_a_list(void **state) {
    (void)state;
    struct kept k = {.wanted = 3};
    hang = says_410 = false;
    cut = true;
    struct rt_kube_watch *w = keep(&k, "/api/v1/namespaces/d/pods");
    turns_until_watches(2);
    assert_true(lists >= 3);
    assert_non_null(strstr(k.names, "+c-a"));
    rt_kube_watch_close(w);
}

static void silence_ends_a_watch(void **state) {
    (void)state;
    struct kept k = {.wanted = 1};
    hang = true;
    struct rt_kube_watch *w = keep(&k, "/api/v1/namespaces/d/pods");
    turns_until_watches(2);
    assert_true(lists >= 3);
    hang = false;
    rt_kube_watch_close(w);
}

static void what_may_not_be_listed_is_told_and_tried_again(void **state) {
    (void)state;
    struct kept k = {.wanted = 1};
    struct rt_kube_watch *w = keep(&k, "/forbidden");
    turns_until(&k.done);
    assert_int_equal(k.err.code, RT_E_DENIED);
    rt_kube_watch_close(w);
}

static void turns_until_held(int n) {
    struct rt_timer *tick = rt_timer_start(world.loop, 20, 20, on_late, NULL);
    for (int i = 0; i < 1500 && nheld < n; i++)
        rt_loop_turn(world.loop, true);
    for (int i = 0; i < 10; i++) /* nor does another come */
        rt_loop_turn(world.loop, true);
    rt_timer_stop(tick);
    assert_int_equal(nheld, n);
}

static void a_few_lists_of_a_context_run_at_once(void **state) {
    (void)state;
    struct kept k = {.wanted = 1};
    struct rt_kube_watch *w[7];
    const char *none = "{\"items\":[],\"metadata\":{\"resourceVersion\":\"10\"}}";
    nheld = 0;
    hang = true;
    for (size_t i = 0; i < RT_COUNT(w); i++) {
        w[i] = keep(&k, "/held");
        rt_kube_watch_paces(w[i], 60000, 20); /* none is silent for so long that it lists anew */
    }
    turns_until_held(4);
    for (int i = 0; i < 2; i++) {
        answer(held[i], 200, "application/json", none);
        peer_flush(held[i], (size_t)1 << 20);
    }
    turns_until_held(6);
    assert_int_equal(k.synced, 2);
    rt_kube_watch_close(w[6]); /* it waits still */
    rt_kube_watch_close(w[2]); /* and this one is asked about */
    turns_until_held(6);
    for (size_t i = 0; i < RT_COUNT(w); i++)
        if (i != 6 && i != 2)
            rt_kube_watch_close(w[i]);
    hang = false;
}

static void lines_may_be_cut_anywhere_and_garbage_ends_the_stream(void **state) {
    (void)state;
    struct kept k = {.wanted = 1};
    struct rt_kube_watch *w = keep(&k, "/api/v1/namespaces/d/pods");
    const char *line = "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"z\",\"namespace\":\"d\",\"uid\":\"u9\"}}}\n";
    for (size_t i = 0; line[i]; i++)
        assert_true(rt_kube_watch_feed(w, line + i, 1));
    assert_string_equal(k.names, "+z");
    assert_false(rt_kube_watch_feed(w, "<html>\n", 7));
    assert_false(rt_kube_watch_feed(w, "{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n", 40));
    rt_kube_watch_close(w);
}

/* ---- addresses ---- */

static void an_address_has_up_to_three_parts(void **state) {
    (void)state;
    static const struct {
        const char *text, *context, *space, *name;
        bool ok;
    } cases[] = {
        {"kube://", NULL, NULL, NULL, true},
        {"kube://gke", "gke", NULL, NULL, true},
        {"kube://gke/ray", "gke", "ray", NULL, true},
        {"kube:///ray", NULL, "ray", NULL, true},
        {"kube:///ray/demo", NULL, "ray", "demo", true},
        {"kube://gke/ray/demo", "gke", "ray", "demo", true},
        {"kube://arn:aws:eks:eu:1:cluster/prod/ray/demo", "arn:aws:eks:eu:1:cluster/prod", "ray", "demo", true},
        {"kube://gke//demo", "gke", NULL, "demo", false},
        {"http://x", NULL, NULL, NULL, false},
    };
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        char *context, *space, *name;
        assert_int_equal(rt_kube_target(cases[i].text, &context, &space, &name), cases[i].ok);
        if (!rt_streq(context, cases[i].context) || !rt_streq(space, cases[i].space) || !rt_streq(name, cases[i].name))
            fail_msg("%s: %s %s %s", cases[i].text, context, space, name);
        free(context);
        free(space);
        free(name);
    }
}

/* ---- turns ---- */

enum { MANY = 7, PLACES = 4 };

struct many {
    struct rt_kube_ports *v[MANY];
    bool has[MANY];
};

static struct many many(void) {
    struct many m;
    for (size_t i = 0; i < MANY; i++)
        m.v[i] = rt_kube_ports_create(world.kube, world.loop);
    return m;
}

/* Each asks for its turn once; how many have it. */
static size_t all_ask(struct many *m, const struct rt_kube_ports *done) {
    size_t n = 0;
    for (size_t i = 0; i < MANY; i++)
        n += m->has[i] = rt_kube_ports_turn(m->v[i], false, m->v[i] == done);
    return n;
}

static void without_a_look_only_a_few_are_carried_at_once(void **state) {
    (void)state;
    struct many m = many();
    struct rt_kube_port_status st;
    assert_int_equal(all_ask(&m, NULL), PLACES);
    assert_true(m.has[0] && m.has[3] && !m.has[4]);
    assert_int_equal(all_ask(&m, NULL), PLACES); /* a turn is kept while it is needed */
    assert_true(m.has[0] && m.has[3] && !m.has[4]);
    rt_kube_ports_begin(m.v[1], 8265);
    assert_true(rt_kube_ports_status(m.v[1], 8265, &st));
    assert_int_equal(all_ask(&m, m.v[1]), PLACES); /* what it was for is had: the next one's */
    assert_true(m.has[0] && !m.has[1] && m.has[4] && !m.has[5]);
    assert_false(rt_kube_ports_status(m.v[1], 8265, &st)); /* and its child is gone */
    rt_kube_ports_destroy(m.v[0]);
    m.v[0] = rt_kube_ports_create(world.kube, world.loop);
    assert_int_equal(all_ask(&m, NULL), PLACES);
    assert_true(!m.has[0] && m.has[5] && !m.has[6]);
    for (size_t i = 0; i < MANY; i++)
        rt_kube_ports_destroy(m.v[i]);
}

static void who_is_looked_at_needs_no_turn_and_keeps_the_first_place_afterwards(void **state) {
    (void)state;
    struct many m = many();
    struct rt_kube_port_status st;
    all_ask(&m, NULL);
    assert_true(rt_kube_ports_turn(m.v[6], true, false));
    rt_kube_ports_target(m.v[6], "d", "pod/head", NULL);
    rt_kube_ports_begin(m.v[6], 8265);
    assert_true(rt_kube_ports_turn(m.v[6], false, false));
    assert_true(rt_kube_ports_status(m.v[6], 8265, &st));
    assert_false(rt_kube_ports_turn(m.v[3], false, false)); /* the last of the few makes room */
    assert_true(rt_kube_ports_turn(m.v[2], false, false));
    for (size_t i = 0; i < MANY; i++)
        rt_kube_ports_destroy(m.v[i]);
}

static void a_port_that_fails_gives_its_turn_away(void **state) {
    script(*state, "kubectl", "#!/bin/sh\necho 'error: lost connection to pod' >&2\nexit 1\n");
    struct many m = many();
    struct rt_kube_port_status st = {0};
    const int64_t end = rt_mono_ms() + 30000;
    all_ask(&m, NULL);
    rt_kube_ports_target(m.v[0], "d", "pod/head", NULL);
    rt_kube_ports_begin(m.v[0], 8265);
    while (!st.attempt && rt_mono_ms() < end && rt_kube_ports_status(m.v[0], 8265, &st))
        rt_loop_turn(world.loop, true);
    assert_true(st.attempt > 0);
    assert_true(rt_kube_ports_turn(m.v[4], false, false)); /* who waits first, without a word of the other */
    assert_false(rt_kube_ports_turn(m.v[0], false, false));
    for (size_t i = 0; i < MANY; i++)
        rt_kube_ports_destroy(m.v[i]);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(an_answer_comes_through_the_proxy_whatever_it_says_first),
        T(a_patch_carries_its_kind),
        T(refusals_keep_their_meaning_and_words),
        T(a_kubectl_that_cannot_serve_says_so_at_once),
        T(without_kubectl_oc_is_taken_and_without_both_it_is_said),
        T(one_context_is_one_child),
        T(what_a_killed_raytui_left_is_ended_by_the_next),
        T(a_list_comes_in_pages_and_changes_follow),
        T(a_page_that_is_too_old_begins_a_new_list),
        T(an_expired_watch_is_listed_anew_and_what_went_meanwhile_is_told),
        T(a_watch_that_is_cut_off_begins_with_a_list),
        T(silence_ends_a_watch),
        T(what_may_not_be_listed_is_told_and_tried_again),
        T(a_few_lists_of_a_context_run_at_once),
        T(lines_may_be_cut_anywhere_and_garbage_ends_the_stream),
        T(without_a_look_only_a_few_are_carried_at_once),
        T(who_is_looked_at_needs_no_turn_and_keeps_the_first_place_afterwards),
        T(a_port_that_fails_gives_its_turn_away),
        cmocka_unit_test(an_address_has_up_to_three_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
