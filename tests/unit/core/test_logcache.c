/* What was seen of logs, on disk. */
#include "unit/core/home.h"

#include "core/logcache.h"
#include <fcntl.h>
#include <utime.h>

static const struct rt_logcache_key key = {"prod", "session_1", "n1", "raylet.out"};

static void put(const struct rt_logcache_key *k, int64_t off, const char *text) {
    struct rt_logcache *c = rt_logcache_open(k, 100);
    rt_logcache_put(c, off, text, strlen(text));
    rt_logcache_close(c, false);
}

static void assert_kept(const struct rt_logcache_key *k, const char *want) {
    struct rt_logcache_entry e;
    struct rt_error err = {0};
    struct rt_buf b;
    rt_buf_init(&b, 0);
    assert_true(rt_logcache_find(k, &e));
    assert_true(rt_file_read(e.path, 0, &b, &err));
    assert_string_equal(rt_buf_str(&b), want);
    rt_buf_deinit(&b);
    free(e.path);
}

static bool is_kept(const struct rt_logcache_key *k) {
    struct rt_logcache_entry e;
    const bool found = rt_logcache_find(k, &e);
    free(e.path);
    return found;
}

static void seen_at(const struct rt_logcache_key *k, time_t when) {
    struct rt_logcache_entry e;
    assert_true(rt_logcache_find(k, &e));
    const struct utimbuf t = {when, when};
    assert_int_equal(utime(e.path, &t), 0);
    free(e.path);
}

static void what_was_seen_is_kept_and_read_again_from_any_place(void **state) {
    (void)state;
    assert_false(is_kept(&key));
    put(&key, 0, "one\ntwo\n");
    put(&key, 0, "one\n"); /* seen again from its beginning, and not to its end */
    assert_kept(&key, "one\ntwo\n");
    put(&key, 8, "three\n");
    assert_kept(&key, "one\ntwo\nthree\n");
}

static void another_log_of_the_same_name_takes_its_place(void **state) {
    (void)state;
    put(&key, 0, "one\ntwo\n");
    put(&key, 0, "other\n");
    assert_kept(&key, "other\n");
}

static void a_log_keeps_no_more_than_its_share(void **state) {
    (void)state;
    char text[151];
    memset(text, 'x', sizeof text - 1);
    text[150] = '\0';
    put(&key, 0, text);
    text[100] = '\0';
    assert_kept(&key, text);
}

static void bytes_are_told_from_those_that_are_kept(void **state) {
    (void)state;
    put(&key, 0, "one\ntwo\n");
    struct rt_logcache *c = rt_logcache_open(&key, 100);
    assert_true(rt_logcache_same(c, 0, "one", 3));
    assert_true(rt_logcache_same(c, 4, "two\nand more", 12));
    assert_false(rt_logcache_same(c, 4, "too", 3));
    rt_logcache_close(c, true);
}

static void without_a_session_the_newest_counts(void **state) {
    (void)state;
    const struct rt_logcache_key other = {"prod", "session_2", "n1", "raylet.out"}, any = {"prod", NULL, "n1", "raylet.out"};
    put(&key, 0, "first\n");
    put(&other, 0, "second\n");
    seen_at(&key, 1000000);
    seen_at(&other, 2000000);
    assert_kept(&any, "second\n");
    seen_at(&key, 3000000);
    assert_kept(&any, "first\n");
}

static void names_are_listed_once(void **state) {
    (void)state;
    const struct rt_logcache_key other = {"prod", "session_2", "n1", "raylet.out"}, nested = {"prod", "session_2", "n1", "serve/a%b.log"},
                                 job = {"prod", "session_2", "jobs", "train"}, node = {"prod", NULL, "n1", NULL};
    const struct rt_logcache_key any = {"prod", NULL, NULL, NULL}, second = {"prod", "session_2", NULL, NULL};
    struct rt_strs names = {0}, all = {0}, nodes = {0}, here = {0};
    put(&key, 0, "x");
    put(&other, 0, "x");
    put(&nested, 0, "x");
    put(&job, 0, "x");
    rt_logcache_names(&node, &names);
    assert_int_equal(names.n, 2);
    assert_true(rt_streq(names.v[0], "serve/a%b.log") || rt_streq(names.v[1], "serve/a%b.log"));
    rt_logcache_nodes(&any, &nodes);
    assert_int_equal(nodes.n, 2);
    rt_logcache_nodes(&second, &here);
    assert_int_equal(here.n, 2);
    rt_strs_deinit(&nodes);
    rt_strs_deinit(&here);
    rt_logcache_all("prod", &all);
    assert_int_equal(all.n, 3);
    rt_strs_deinit(&names);
    rt_strs_deinit(&all);
}

static void no_name_leads_out_of_the_cache(void **state) {
    const struct home *h = *state;
    const struct rt_logcache_key bad = {"../../up", "..", "../..", "../../../etc/passwd"};
    put(&bad, 0, "x");
    assert_kept(&bad, "x");
    struct rt_logcache_entry e;
    assert_true(rt_logcache_find(&bad, &e));
    assert_true(rt_starts(e.path, h->dir));
    assert_null(strstr(e.path, "/../"));
    free(e.path);
}

static void the_oldest_go_first(void **state) {
    (void)state;
    static const char *const files[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        const struct rt_logcache_key k = {"prod", "s", i == 0 ? "old" : "n1", files[i]};
        put(&k, 0, "0123456789");
        seen_at(&k, 1000000 * (i + 1));
    }
    char *dir = rt_logcache_dir();
    const struct rt_logcache_key a = {"prod", "s", "old", "a"}, b = {"prod", "s", "n1", "b"}, c = {"prod", "s", "n1", "c"};
    rt_logcache_prune(dir, 30);
    assert_true(is_kept(&a));
    rt_logcache_prune(dir, 15);
    assert_false(is_kept(&a));
    assert_false(is_kept(&b));
    assert_true(is_kept(&c));
    char *empty = rt_path_join(dir, "prod/s/old");
    assert_false(rt_dir_exists(empty));
    rt_logcache_prune(dir, 0);
    assert_false(is_kept(&c));
    free(empty);
    free(dir);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, home_make, home_remove)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_was_seen_is_kept_and_read_again_from_any_place),
        TEST(another_log_of_the_same_name_takes_its_place),
        TEST(a_log_keeps_no_more_than_its_share),
        TEST(bytes_are_told_from_those_that_are_kept),
        TEST(without_a_session_the_newest_counts),
        TEST(names_are_listed_once),
        TEST(no_name_leads_out_of_the_cache),
        TEST(the_oldest_go_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
