#include "base/buf.h"
#include "base/mem.h"
#include "base/vec.h"
#include "unit/cmocka_all.h"
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_buffer_grows_and_stays_terminated(void **state) {
    (void)state;
    struct rt_buf b;
    rt_buf_init(&b, 0);
    assert_string_equal(rt_buf_str(&b), "");
    for (int i = 0; i < 1000; i++)
        assert_true(rt_buf_addf(&b, "%04d", i));
    assert_int_equal(b.len, 4000);
    assert_int_equal(strlen(rt_buf_str(&b)), 4000);
    assert_memory_equal(b.data + 3996, "0999", 5);
    rt_buf_adds(&b, NULL);
    rt_buf_drop(&b, 3990);
    assert_string_equal(rt_buf_str(&b), "9709980999");
    assert_int_equal(b.len, 10);
    rt_buf_drop(&b, 100);
    assert_string_equal(rt_buf_str(&b), "");
    rt_buf_deinit(&b);
    rt_buf_deinit(&b);
}

static void the_cap_is_kept_and_remembered(void **state) {
    (void)state;
    struct rt_buf b;
    rt_buf_init(&b, 5);
    assert_true(rt_buf_adds(&b, "abcd"));
    assert_false(rt_buf_adds(&b, "xy"));
    assert_true(b.failed);
    assert_string_equal(rt_buf_str(&b), "abcd");
    assert_false(rt_buf_addc(&b, 'e')); /* a text with a hole would be worse */
    rt_buf_clear(&b);
    assert_true(rt_buf_adds(&b, "12345"));
    assert_false(rt_buf_addf(&b, "%d", 6));
    assert_string_equal(rt_buf_str(&b), "12345");
    rt_buf_deinit(&b);
}

static void long_formats_fit_too(void **state) {
    (void)state;
    struct rt_buf b;
    char text[1000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    rt_buf_init(&b, 0);
    assert_true(rt_buf_addf(&b, "%s|%s", text, text));
    assert_int_equal(b.len, 1999);
    assert_int_equal(b.data[999], '|');
    rt_buf_deinit(&b);
}

static void taking_gives_the_string_and_leaves_it_empty(void **state) {
    (void)state;
    struct rt_buf b;
    rt_buf_init(&b, 3);
    char *empty = rt_buf_take(&b);
    assert_string_equal(empty, "");
    rt_buf_adds(&b, "abc");
    char *s = rt_buf_take(&b);
    assert_string_equal(s, "abc");
    assert_int_equal(b.len, 0);
    assert_false(rt_buf_adds(&b, "abcd")); /* the cap stays */
    free(s);
    free(empty);
    rt_buf_deinit(&b);
}

static void arenas_give_zeroed_aligned_memory(void **state) {
    (void)state;
    struct rt_arena *a = rt_arena_create();
    size_t before = rt_arena_bytes(a);
    char *kept = rt_arena_strf(a, "%s-%d", "x", 7);
    for (size_t size = 0; size < 3000; size += 7) {
        char *p = rt_arena_alloc(a, size);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0x5a, size);
    }
    char *large = rt_arena_alloc(a, 1000000);
    memset(large, 0x5a, 1000000);
    assert_string_equal(kept, "x-7");
    assert_null(rt_arena_strdup(a, NULL));
    assert_string_equal(rt_arena_strndup(a, "abc\0def", 7), "abc");
    assert_string_equal(rt_arena_strndup(a, "abc", 2), "ab");
    assert_true(rt_arena_bytes(a) > before + 1000000);
    rt_arena_destroy(a);
    rt_arena_destroy(NULL);
}

static void strings_are_copied_up_to_the_nul(void **state) {
    (void)state;
    assert_null(rt_strdup(NULL));
    char *s = rt_strndup("ab\0c", 4);
    assert_string_equal(s, "ab");
    free(s);
    s = rt_strf("%s %d", "a", 1);
    assert_string_equal(s, "a 1");
    free(s);
}

/* The sanitizers end the program themselves when an allocation is too large. */
#if defined(__has_feature)
#define HAS_FEATURE(f) __has_feature(f)
#else
#define HAS_FEATURE(f) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
    HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer)
#define OWN_ALLOCATOR 1
#else
#define OWN_ALLOCATOR 0
#endif

static void say_goodbye(void) {
    _exit(42);
}

static void no_memory_runs_the_last_wish_and_ends(void **state) {
    (void)state;
    if (OWN_ALLOCATOR)
        skip();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        rt_on_out_of_memory(say_goodbye);
        void *p = rt_alloc((size_t)1 << 62);
        _exit(p ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

static void arrays_grow_and_close_gaps(void **state) {
    (void)state;
    RT_VEC(int) v = {0};
    for (int i = 0; i < 1000; i++) {
        int *p = rt_vec_push(&v);
        assert_int_equal(*p, 0);
        *p = i;
    }
    rt_vec_remove(&v, 0);
    rt_vec_remove(&v, 498);
    rt_vec_remove(&v, v.n - 1);
    assert_int_equal(v.n, 997);
    assert_int_equal(v.v[0], 1);
    assert_int_equal(v.v[497], 498);
    assert_int_equal(v.v[498], 500);
    assert_int_equal(v.v[996], 998);
    rt_vec_deinit(&v);
    assert_null(v.v);
    assert_int_equal(v.cap, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_grows_and_stays_terminated),
        cmocka_unit_test(the_cap_is_kept_and_remembered),
        cmocka_unit_test(long_formats_fit_too),
        cmocka_unit_test(taking_gives_the_string_and_leaves_it_empty),
        cmocka_unit_test(arenas_give_zeroed_aligned_memory),
        cmocka_unit_test(strings_are_copied_up_to_the_nul),
        cmocka_unit_test(no_memory_runs_the_last_wish_and_ends),
        cmocka_unit_test(arrays_grow_and_close_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
