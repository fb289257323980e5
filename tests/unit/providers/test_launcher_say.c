/* What `ray up` wrote, as it was recorded from Ray 2.60.0: how far it is, and what a failure means. */
#include "unit/cmocka_all.h"
#include "unit/fixture.h"
#include "base/mem.h"
#include "base/str.h"
#include "providers/launcher_say.h"
#include <stdlib.h>
#include <string.h>

struct heard {
    struct rt_strs steps, lines;
};

static void hear(void *ctx, enum launcher_word word, const char *text) {
    struct heard *h = ctx;
    rt_strs_add(word == LAUNCHER_STEP ? &h->steps : &h->lines, text);
}

/* In pieces of `piece` bytes, without what the recorder wrote behind it. */
static void read_recording(const char *name, size_t piece, struct launcher_say *s, struct heard *h) {
    char *path = rt_strf("launcher/%s.txt", name);
    size_t n = 0;
    char *text = fixture(path, &n), *end = strstr(text, "--- exit status");
    *h = (struct heard){0};
    launcher_say_init(s);
    n = end ? (size_t)(end - text) : n;
    for (size_t at = 0; at < n; at += piece)
        launcher_say_feed(s, text + at, RT_MIN(piece, n - at), hear, h);
    launcher_say_end(s, hear, h);
    free(text);
    free(path);
}

static void forget(struct launcher_say *s, struct heard *h) {
    launcher_say_deinit(s);
    rt_strs_deinit(&h->steps);
    rt_strs_deinit(&h->lines);
}

static struct rt_error error_of(const char *name) {
    struct launcher_say s;
    struct heard h;
    struct rt_error err = {0};
    read_recording(name, 4096, &s, &h);
    launcher_say_error(&s, "ray up", &err);
    forget(&s, &h);
    return err;
}

static void says(const char *name, enum rt_code code, const char *words) {
    const struct rt_error err = error_of(name);
    if (err.code != code || !strstr(err.message, words))
        fail_msg("%s: %s: %s", name, rt_code_name(err.code), err.message);
}

static void a_first_up_goes_through_seven_steps(void **state) {
    struct launcher_say s;
    struct heard h;
    (void)state;
    read_recording("up-record", 4096, &s, &h);
    assert_int_equal(h.steps.n, 2 + LAUNCHER_STEPS);
    assert_string_equal(h.steps.v[0], "Checking Local environment settings");
    assert_string_equal(h.steps.v[1], "Acquiring an up-to-date head node");
    assert_string_equal(h.steps.v[2], "[1/7] Waiting for SSH to become available");
    assert_string_equal(h.steps.v[8], "[7/7] Starting the Ray runtime");
    assert_int_equal(s.step, LAUNCHER_STEPS);
    assert_true(s.asked);
    assert_true(s.done);
    assert_false(s.key_open);
    assert_int_equal(s.refusals, 0);
    forget(&s, &h);
}

static void it_does_not_matter_where_the_output_is_cut(void **state) {
    (void)state;
    struct heard whole, cut;
    struct launcher_say s;
    read_recording("up-record", 1u << 20, &s, &whole);
    launcher_say_deinit(&s);
    for (size_t piece = 1; piece < 80; piece += 13) {
        read_recording("up-record", piece, &s, &cut);
        assert_int_equal(cut.steps.n, whole.steps.n);
        assert_int_equal(cut.lines.n, whole.lines.n);
        for (size_t i = 0; i < cut.lines.n; i++)
            assert_string_equal(cut.lines.v[i], whole.lines.v[i]);
        forget(&s, &cut);
    }
    rt_strs_deinit(&whole.steps);
    rt_strs_deinit(&whole.lines);
}

static void lines_are_without_dates_colours_and_command_lines(void **state) {
    struct launcher_say s;
    struct heard h;
    (void)state;
    read_recording("up-record", 4096, &s, &h);
    bool ray = false;
    for (size_t i = 0; i < h.lines.n; i++) {
        assert_false(rt_starts(h.lines.v[i], "2026-"));
        assert_null(strstr(h.lines.v[i], "Full command is"));
        assert_null(strchr(h.lines.v[i], '\033'));
        ray = ray || strstr(h.lines.v[i], "Ray runtime started.") != NULL;
    }
    assert_true(ray);
    forget(&s, &h);
}

static void an_open_key_and_a_refused_login_are_seen_at_once(void **state) {
    struct launcher_say s;
    struct heard h;
    (void)state;
    read_recording("up-bad-key", 4096, &s, &h);
    assert_true(s.key_open);
    assert_true(s.refusals >= 2);
    assert_int_equal(s.step, 1);
    forget(&s, &h);
    says("up-bad-key", RT_E_DENIED, "UNPROTECTED PRIVATE KEY FILE");
}

static void a_refused_login_is_told_in_the_words_of_ssh(void **state) {
    static const char text[] = "2026-11-21 03:09:47,902\tINFO updater.py:283 -- [1/7] Waiting for SSH to become available\n"
                               "ray@10.79.2.10: Permission denied (publickey).\n";
    struct launcher_say s;
    struct rt_error err = {0};
    (void)state;
    launcher_say_init(&s);
    launcher_say_feed(&s, text, strlen(text), NULL, NULL);
    launcher_say_error(&s, "ray up", &err);
    assert_int_equal(err.code, RT_E_DENIED);
    assert_non_null(strstr(err.message, "ray@10.79.2.10: Permission denied (publickey)."));
    launcher_say_deinit(&s);
}

static void a_command_on_the_head_may_be_denied_something(void **state) {
    static const char text[] = "2026-11-21 03:09:47,902\tINFO updater.py:283 -- [6/7] Running setup commands\n"
                               "scp: /etc/x: Permission denied (os error 13)\n";
    struct launcher_say s;
    (void)state;
    launcher_say_init(&s);
    launcher_say_feed(&s, text, strlen(text), NULL, NULL);
    assert_int_equal(s.refusals, 0);
    launcher_say_deinit(&s);
}

static void refusals_are_told_in_rays_words(void **state) {
    (void)state;
    says("up-unknown-provider", RT_E_REMOTE, "Unknown provider type nosuch");
    says("up-local-node-types", RT_E_REMOTE, "available_node_types is not supported for on-premise clusters");
    says("up-no-such-file", RT_E_REMOTE, "does not exist");
    says("up-bad-yaml", RT_E_REMOTE, "expected ',' or ']'");
    says("up-bad-schema", RT_E_REMOTE, "Additional properties are not allowed ('no_such_key' was unexpected)");
}

static void a_missing_library_names_what_brings_it(void **state) {
    (void)state;
    const struct rt_error err = error_of("up-gcp-without-library");
    assert_int_equal(err.code, RT_E_CONFIG);
    assert_string_equal(err.message, "The Ray GCP VM launcher requires the Google API Client to be installed. You can install it with "
                                     "`pip install google-api-python-client`.");
    assert_true(rt_starts(err.hint, "`pip install google-api-python-client`"));
}

static void what_says_nothing_has_an_error_all_the_same(void **state) {
    struct launcher_say s;
    struct rt_error err = {0};
    (void)state;
    launcher_say_init(&s);
    launcher_say_error(&s, "ray up", &err);
    assert_int_equal(err.code, RT_E_REMOTE);
    launcher_say_deinit(&s);
}

static void noise_of_any_kind_is_survived(void **state) {
    static const char text[] = "\033[\n\033\n2026-11-21 03:09:47,902\t\n2026-11-21 03:09:47,902\tINFO\n2026-11-21 03:09:47,902\tINFO x -- \n"
                               "2026-11-21 03:09:47,902\tINFO x -- [9/7] no\n2026-11-21 03:09:47,902\tINFO x -- [\n";
    struct launcher_say s;
    char *longer = rt_alloc(100001);
    (void)state;
    memset(longer, 'x', 100000);
    launcher_say_init(&s);
    launcher_say_feed(&s, text, strlen(text), NULL, NULL);
    launcher_say_feed(&s, longer, 100000, NULL, NULL);
    launcher_say_end(&s, NULL, NULL);
    assert_int_equal(s.step, 0);
    launcher_say_deinit(&s);
    free(longer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_up_goes_through_seven_steps),
        cmocka_unit_test(it_does_not_matter_where_the_output_is_cut),
        cmocka_unit_test(lines_are_without_dates_colours_and_command_lines),
        cmocka_unit_test(an_open_key_and_a_refused_login_are_seen_at_once),
        cmocka_unit_test(a_refused_login_is_told_in_the_words_of_ssh),
        cmocka_unit_test(a_command_on_the_head_may_be_denied_something),
        cmocka_unit_test(refusals_are_told_in_rays_words),
        cmocka_unit_test(a_missing_library_names_what_brings_it),
        cmocka_unit_test(what_says_nothing_has_an_error_all_the_same),
        cmocka_unit_test(noise_of_any_kind_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
