#define PCRE2_CODE_UNIT_WIDTH 8
#include "loghelp.h"

#include <ctype.h>
#include <pcre2.h>

/* ---- help: the same answers, one line after the other ---- */

static const char *const patterns[] = {
    "error", "ERROR", "^step", "done $", "x+ .*gpu", "loss|Traceback", "^$", "[^x]*0\\.25", "\\bx\\b", "finished",
    "(?<!x )done", "a\\s*b", "worker\\s+x", "^[^a]*$", "\\d\\.\\d+", "nothing like it", "(?i)TRACE", "\\Astep", "x\\z",
    "(x |gpu )+(?=done)", "step|^", "[[:space:]]$", "[]x-]+ d", "[^]-]x$", "[^-a]*done$",
    "\\D+$", "\\W\\W", "[\\w.]+ \\r?$", "(?!\\s)x", "(?<=gpu )x(?=\\s*$)", "[^[:alpha:] ]+", "step\\x20", "(?>x )+d", "\\S+\\s+\\S+$", "ﬁnished", "x++ d",
};

static bool *matches_of(const naive_lines *lines, const char *pattern) {
    int code;
    PCRE2_SIZE at;
    uint32_t options = PCRE2_MULTILINE | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
    bool upper = false;
    for (const char *p = pattern; *p; p++)
        upper = upper || (isupper((unsigned char)*p) && (p == pattern || p[-1] != '\\'));
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, upper ? options : options | PCRE2_CASELESS,
                                   &code, &at, NULL);
    assert_non_null(re);
    pcre2_jit_compile(re, PCRE2_JIT_COMPLETE); /* on invalid bytes it is of another mind than the interpreter */
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    bool *out = rt_alloc(lines->n + 1);
    struct rt_buf clean;
    rt_buf_init(&clean, 0);
    for (size_t i = 0; i < lines->n; i++) {
        const char *text = lines->v[i].text;
        size_t len = lines->v[i].len;
        while (len > 0 && text[len - 1] == '\r')
            len--;
        if (memchr(text, '\x1b', len) || memchr(text, '\r', len)) {
            rt_buf_clear(&clean);
            rt_log_clean(text, len, &clean, NULL, 0);
            text = rt_buf_str(&clean);
            len = clean.len;
        }
        out[i] = pcre2_match(re, (PCRE2_SPTR)text, len, 0, 0, data, NULL) >= 0;
    }
    rt_buf_deinit(&clean);
    pcre2_match_data_free(data);
    pcre2_code_free(re);
    return out;
}

struct answer {
    bool done;
    int64_t line, at, count;
    bool wrapped;
    struct rt_error err;
};

static void answer_search(void *ctx, int64_t line, bool wrapped, const struct rt_error *err) {
    struct answer *a = ctx;
    assert_false(a->done);
    a->done = true;
    a->line = line;
    a->wrapped = wrapped;
    if (err)
        a->err = *err;
}

static void answer_count(void *ctx, int64_t at, int64_t count, bool done) {
    struct answer *a = ctx;
    assert_false(a->done);
    a->done = done;
    a->at = at;
    a->count = count;
}

static struct answer search(struct bench *t, const char *regex, int64_t from, bool backwards) {
    struct answer a = {0};
    assert_non_null(rt_logbuf_search(t->b, regex, from, backwards, answer_search, &a));
    assert_false(a.done);
    while (!a.done)
        rt_loop_turn(t->loop, true);
    return a;
}

static struct answer count(struct bench *t, const char *regex, int64_t line) {
    struct answer a = {0};
    rt_logbuf_count(t->b, regex, line, answer_count, &a);
    assert_false(a.done);
    while (!a.done)
        rt_loop_turn(t->loop, true);
    return a;
}

/* What a search must give among `n` lines of which some are wanted. */
static int64_t naive_search(const bool *want, int64_t n, int64_t from, bool backwards, bool *wrapped) {
    *wrapped = false;
    for (int64_t i = 0; i <= n; i++) {
        int64_t k = backwards ? from - i : from + i;
        *wrapped = *wrapped || k < 0 || k >= n;
        k = (k % n + n) % n;
        if (i < n && want[k])
            return k;
    }
    *wrapped = true;
    return -1;
}

static void check_search(struct bench *t, const char *pattern, const bool *want, int64_t n) {
    for (int i = 0; i < 5 && n > 0; i++) {
        int64_t from = rand() % n;
        bool backwards = rand() % 2, wrapped;
        int64_t line = naive_search(want, n, from, backwards, &wrapped);
        struct answer a = search(t, pattern, from, backwards);
        assert_int_equal(a.err.code, RT_OK);
        if (a.line != line)
            fail_msg("/%s/ from %ld%s: %ld, not %ld", pattern, (long)from, backwards ? " back" : "", (long)a.line,
                     (long)line);
        assert_int_equal(a.wrapped, wrapped);
    }
    int64_t at = n ? rand() % n : 0, before = 0, all = 0;
    for (int64_t i = 0; i < n; i++) {
        all += want[i];
        before += want[i] && i <= at;
    }
    struct answer a = count(t, pattern, at);
    if (a.count != all)
        fail_msg("/%s/: %ld lines, not %ld", pattern, (long)a.count, (long)all);
    assert_int_equal(a.at, before);
}

static void check_visible(struct bench *t, const bool *want, int64_t n) {
    int64_t seen = 0;
    bool exact;
    bench_settle(t);
    for (int64_t i = 0; i < n; i++) {
        assert_int_equal(rt_logbuf_visible_index(t->b, i), seen);
        if (want[i])
            assert_int_equal(rt_logbuf_visible_at(t->b, seen++), i);
    }
    assert_int_equal(rt_logbuf_visible(t->b, &exact), seen);
    assert_true(exact);
    assert_int_equal(rt_logbuf_visible_at(t->b, seen), -1);
    assert_int_equal(rt_logbuf_visible_at(t->b, -1), -1);
}

static void random_log(struct bench *t, unsigned seed, int lines) {
    srand(seed);
    struct rt_buf text;
    rt_buf_init(&text, RT_GIB);
    add_random_text(&text, lines);
    if (seed % 3 == 0) {
        rt_buf_clear(&t->bytes);
        rt_buf_add(&t->bytes, text.data, text.len);
        bench_open(t, false);
    } else {
        bench_appended(t);
        if (seed % 3 == 1)
            rt_logbuf_limit(t->b, 128 * RT_KIB, 0);
        for (size_t at = 0; at < text.len;) {
            size_t n = 1 + (size_t)rand() % 60000;
            n = RT_MIN(n, text.len - at);
            bench_append(t, text.data + at, n);
            at += n;
        }
    }
    rt_buf_deinit(&text);
    bench_settle(t);
}

/* ---- tests ---- */

static void searches_give_what_a_naive_search_gives(void **state) {
    struct bench *t = *state;
    for (unsigned seed = 0; seed < 6; seed++) {
        random_log(t, seed, seed < 3 ? 300 : 2000);
        naive_lines lines = {0};
        naive_split(&t->bytes, &lines);
        for (size_t i = 0; i < RT_COUNT(patterns); i++) {
            bool *want = matches_of(&lines, patterns[i]);
            check_search(t, patterns[i], want, (int64_t)lines.n);
            free(want);
        }
        rt_vec_deinit(&lines);
    }
}

static void filters_give_what_naive_filters_give(void **state) {
    struct bench *t = *state;
    struct rt_error err;
    for (unsigned seed = 0; seed < 6; seed++) {
        random_log(t, seed + 50, seed < 3 ? 300 : 2000);
        naive_lines lines = {0};
        naive_split(&t->bytes, &lines);
        bool *want = rt_alloc(lines.n + 1);
        memset(want, 1, lines.n);
        for (size_t depth = 0; depth < 3; depth++) {
            const char *p = patterns[(size_t)rand() % RT_COUNT(patterns)];
            bool drop = rand() % 2, kept;
            bool *hit = matches_of(&lines, p);
            for (size_t i = 0; i < lines.n; i++)
                want[i] = want[i] && hit[i] != drop;
            assert_true(rt_logbuf_filter_add(t->b, p, drop, &err));
            assert_string_equal(rt_logbuf_filter_at(t->b, depth, &kept), p);
            assert_int_equal(kept, drop);
            check_visible(t, want, (int64_t)lines.n);
            bool *other = matches_of(&lines, "x");
            for (size_t i = 0; i < lines.n; i++)
                other[i] = other[i] && want[i];
            check_search(t, "x", other, (int64_t)lines.n);
            free(other);
            free(hit);
        }
        rt_logbuf_filters_enable(t->b, false);
        assert_int_equal(rt_logbuf_visible(t->b, NULL), lines.n);
        rt_logbuf_filters_enable(t->b, true);
        check_visible(t, want, (int64_t)lines.n);
        while (rt_logbuf_filters(t->b) > 0)
            rt_logbuf_filter_pop(t->b);
        memset(want, 1, lines.n);
        check_visible(t, want, (int64_t)lines.n);
        rt_vec_deinit(&lines);
        free(want);
    }
}

static void what_is_asked_before_the_index_is_made_is_answered_rightly(void **state) {
    struct bench *t = *state;
    struct rt_error err;
    for (int unfinished = 0; unfinished < 2; unfinished++) {
        rt_buf_clear(&t->bytes);
        for (int i = 0; t->bytes.len < 12 * RT_MIB; i++)
            rt_buf_addf(&t->bytes, "%d %s%*s\n", i, i % 10 == 0 ? "ten" : "", i % 200, "");
        if (unfinished) { /* in a last line over many blocks */
            rt_buf_adds(&t->bytes, "ten");
            for (int i = 0; i < 12000000; i++)
                rt_buf_adds(&t->bytes, " much");
        }
        naive_lines lines = {0};
        naive_split(&t->bytes, &lines);
        bool *want = matches_of(&lines, "ten");
        bench_open(t, false);
        bool exact;
        struct answer first = {0}, last = {0}, all = {0};
        int64_t end = rt_logbuf_lines(t->b, &exact) - 1;
        assert_false(exact);
        assert_true(rt_logbuf_filter_add(t->b, "TEN|ten", false, &err));
        rt_logbuf_search(t->b, "ten", 1, false, answer_search, &first);
        rt_logbuf_search(t->b, "ten", end, true, answer_search, &last);
        rt_logbuf_count(t->b, "ten", end, answer_count, &all);
        check_visible(t, want, (int64_t)lines.n);
        while (!first.done || !last.done || !all.done)
            rt_loop_turn(t->loop, true);
        bool wrapped;
        assert_int_equal(first.line, 10);
        assert_int_equal(last.line, naive_search(want, (int64_t)lines.n, (int64_t)lines.n - 1, true, &wrapped));
        assert_int_equal(all.count, rt_logbuf_visible(t->b, NULL));
        assert_int_equal(all.at, all.count);
        rt_vec_deinit(&lines);
        free(want);
    }
}

static void filters_follow_a_log_that_grows(void **state) {
    struct bench *t = *state;
    struct rt_error err;
    bench_appended(t);
    rt_logbuf_limit(t->b, 128 * RT_KIB, 0);
    assert_true(rt_logbuf_filter_add(t->b, "keep", false, &err));
    assert_true(rt_logbuf_filter_add(t->b, "7", true, &err));
    naive_lines lines = {0};
    for (int i = 0; i < 30000; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s %d%s", i % 3 ? "keep" : "drop", i, i % 5 ? "\n" : " and\n");
        bench_append(t, text, strlen(text) / 2);
        if (i % 100 == 0)
            rt_loop_turn(t->loop, false);
        bench_append(t, text + strlen(text) / 2, strlen(text) - strlen(text) / 2);
    }
    naive_split(&t->bytes, &lines);
    bool *want = matches_of(&lines, "keep"), *drop = matches_of(&lines, "7");
    for (size_t i = 0; i < lines.n; i++)
        want[i] = want[i] && !drop[i];
    check_visible(t, want, (int64_t)lines.n);
    rt_vec_deinit(&lines);
    free(want);
    free(drop);
}

static void the_unfinished_line_is_filtered_as_it_is(void **state) {
    struct bench *t = *state;
    struct rt_error err;
    bench_appended(t);
    assert_true(rt_logbuf_filter_add(t->b, "yes", false, &err));
    bench_append(t, "yes 1\nno 2\nye", 13);
    bench_settle(t);
    assert_int_equal(rt_logbuf_visible(t->b, NULL), 1);
    bench_append(t, "s", 1);
    assert_int_equal(rt_logbuf_visible(t->b, NULL), 2);
    assert_int_equal(rt_logbuf_visible_at(t->b, 1), 2);
    assert_int_equal(search(t, "ye", 1, false).line, 2);
    bench_append(t, "\nno", 3);
    bench_settle(t);
    assert_int_equal(rt_logbuf_visible(t->b, NULL), 2);
    assert_int_equal(rt_logbuf_visible_index(t->b, 3), 2);
}

static void marks_always_pass(void **state) {
    struct bench *t = *state;
    struct rt_error err;
    bench_appended(t);
    rt_logbuf_mark(t->b, "m0");
    bench_append(t, "no\nyes\nno\n", 10);
    rt_logbuf_mark(t->b, "m1");
    bench_append(t, "no\nye", 5);
    rt_logbuf_mark(t->b, "m2");
    bench_append(t, "s\n", 2);
    assert_true(rt_logbuf_filter_add(t->b, "yes", false, &err));
    bench_settle(t);
    static const int64_t want[] = {0, 2, 4, 6, 7}; /* m0 yes m1 yes m2 */
    assert_int_equal(rt_logbuf_visible(t->b, NULL), RT_COUNT(want));
    for (int64_t i = 0; i < (int64_t)RT_COUNT(want); i++) {
        assert_int_equal(rt_logbuf_visible_at(t->b, i), want[i]);
        assert_int_equal(rt_logbuf_visible_index(t->b, want[i]), i);
    }
    assert_int_equal(search(t, "m1", 0, false).line, -1);
    assert_int_equal(search(t, "yes", 3, false).line, 6);
    assert_int_equal(search(t, "yes", 4, true).line, 2);
    assert_int_equal(search(t, "yes", 7, false).line, 2);
}

static void a_wrong_pattern_says_where(void **state) {
    struct bench *t = *state;
    struct rt_error err = {0};
    bench_appended(t);
    bench_append(t, "x\n", 2);
    assert_false(rt_logbuf_filter_add(t->b, "a(b", false, &err));
    assert_int_equal(err.code, RT_E_USAGE);
    assert_non_null(strstr(err.message, "a(b"));
    struct answer a = search(t, "[", 0, false);
    assert_int_equal(a.line, -1);
    assert_int_equal(a.err.code, RT_E_USAGE);
    assert_int_equal(count(t, "[", 0).count, 0);
    for (int i = 0; i < 16; i++)
        assert_true(rt_logbuf_filter_add(t->b, "x", false, &err));
    assert_false(rt_logbuf_filter_add(t->b, "x", false, &err));
    assert_int_equal(err.code, RT_E_LIMIT);
}

static void a_pattern_without_end_is_given_up(void **state) {
    struct bench *t = *state;
    bench_appended(t);
    for (int i = 0; i < 200; i++)
        bench_append(t, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\n", 49);
    struct answer a = search(t, "^(a+)+(a+)+(a+)+$", 0, false);
    assert_int_equal(a.line, -1);
    assert_int_equal(a.err.code, RT_E_LIMIT);
    assert_int_equal(search(t, "b$", 5, false).line, 5);
}

static void an_empty_log_has_nothing_to_find(void **state) {
    struct bench *t = *state;
    bench_appended(t);
    assert_int_equal(search(t, "x", 0, false).line, -1);
    assert_int_equal(search(t, "^$", 0, true).line, -1);
    assert_int_equal(count(t, "", 0).count, 0);
    assert_int_equal(rt_logbuf_next_kind(t->b, RT_LINE_ERROR, 0, false), -1);
    assert_int_equal(rt_logbuf_line_at_time(t->b, 0), -1);
}

static void operations_end_silently_when_cancelled(void **state) {
    struct bench *t = *state;
    random_log(t, 61, 20000);
    for (int turns = 0; turns < 12; turns++) {
        struct answer a = {0}, b = {0};
        struct rt_op *one = rt_logbuf_search(t->b, "nothing like it", 0, turns % 2, answer_search, &a);
        struct rt_op *two = rt_logbuf_count(t->b, "x", 0, answer_count, &b);
        for (int i = 0; i < turns && !a.done && !b.done; i++)
            rt_loop_turn(t->loop, true);
        if (!a.done)
            rt_op_cancel(one);
        if (!b.done)
            rt_op_cancel(two);
        bool was_done = a.done;
        for (int i = 0; i < 5; i++)
            rt_loop_turn(t->loop, false);
        assert_int_equal(a.done, was_done);
    }
}

struct again {
    struct bench *t;
    int left;
};

static void search_again(void *ctx, int64_t line, bool wrapped, const struct rt_error *err) {
    struct again *a = ctx;
    (void)wrapped;
    assert_null(err);
    if (--a->left > 0) {
        rt_logbuf_search(a->t->b, "ERROR", line + 1, false, search_again, a);
        return;
    }
    rt_logbuf_destroy(a->t->b);
    a->t->b = NULL;
}

static void a_callback_may_search_again_or_destroy(void **state) {
    struct bench *t = *state;
    struct again a = {.t = t, .left = 50};
    random_log(t, 63, 5000);
    rt_logbuf_search(t->b, "ERROR", 0, false, search_again, &a);
    while (a.left > 0)
        rt_loop_turn(t->loop, true);
    assert_null(t->b);
}

static void matches_in_a_line_are_marked(void **state) {
    struct bench *t = *state;
    size_t m[8][2];
    bench_appended(t);
    assert_int_equal(rt_log_matches(t->b, "er", "Error error", 11, m, 8), 2);
    assert_int_equal(m[0][0], 0);
    assert_int_equal(m[1][0], 6);
    assert_int_equal(m[1][1], 8);
    assert_int_equal(rt_log_matches(t->b, "er", "Error error", 11, m, 1), 1);
    assert_int_equal(rt_log_matches(t->b, "x*", "ayxxb", 5, m, 8), 1);
    assert_int_equal(m[0][0], 2);
    assert_int_equal(rt_log_matches(t->b, "(", "(", 1, m, 8), 0);
    assert_int_equal(rt_log_matches(t->b, "日", "本日", 6, m, 8), 1);
    assert_int_equal(m[0][0], 3);
}

static void errors_and_warnings_are_stepped_through(void **state) {
    struct bench *t = *state;
    struct rt_error err;
    for (int big = 0; big < 3; big++) {
        rt_buf_clear(&t->bytes);
        naive_lines lines = {0};
        struct rt_buf text;
        rt_buf_init(&text, 0);
        srand(5);
        for (int i = 0; i < (big ? 200000 : 500); i++)
            rt_buf_addf(&text, "2026-11-20 10:00:00 %s x%d\n",
                        rand() % 997 == 0 ? "ERROR" : rand() % 499 == 0 ? "WARNING" : "INFO", i);
        rt_buf_addf(&text, "unfinished ERROR");
        if (big == 2) {
            rt_buf_add(&t->bytes, text.data, text.len);
            bench_open(t, false);
        } else {
            bench_appended(t);
            bench_append(t, text.data, text.len);
        }
        naive_split(&t->bytes, &lines);
        bench_settle(t);
        for (int i = 0; i < 3 || !rt_logbuf_kinds_known(t->b); i++)
            rt_loop_turn(t->loop, i >= 3);
        bool *want[2] = {matches_of(&lines, "ERROR"), matches_of(&lines, "WARNING")};
        for (int filtered = 0; filtered < 2; filtered++) {
            if (filtered) {
                assert_true(rt_logbuf_filter_add(t->b, "[02468]$", false, &err));
                bench_settle(t);
                bool *even = matches_of(&lines, "[02468]$");
                for (size_t i = 0; i < lines.n; i++)
                    for (int k = 0; k < 2; k++)
                        want[k][i] = want[k][i] && even[i];
                free(even);
            }
            for (int i = 0; i < 100; i++) {
                int64_t n = (int64_t)lines.n, from = rand() % n;
                bool backwards = rand() % 2, wrapped;
                int k = rand() % 2;
                int64_t line = naive_search(want[k], n, from, backwards, &wrapped);
                assert_int_equal(rt_logbuf_next_kind(t->b, k ? RT_LINE_WARN : RT_LINE_ERROR, from, backwards),
                                 wrapped ? -1 : line);
            }
        }
        free(want[0]);
        free(want[1]);
        rt_vec_deinit(&lines);
        rt_buf_deinit(&text);
    }
}

static void a_time_leads_to_its_line(void **state) {
    struct bench *t = *state;
    rt_buf_clear(&t->bytes);
    const int64_t start = 1795168800; /* 2026-11-20T10:00:00Z */
    int n = 20000;
    for (int i = 0; i < n; i++) {
        int s = i * 2 + 10 * 3600;
        rt_buf_addf(&t->bytes, "2026-11-20T%02d:%02d:%02dZ line\n  without a time %0*d\n", s / 3600, s / 60 % 60, s % 60,
                    i == 9000 ? 3000000 : 3, i);
    }
    bench_open(t, false);
    bench_settle(t);
    for (int i = 0; i < n; i += 119) {
        assert_int_equal(rt_logbuf_line_at_time(t->b, (start + i * 2) * 1000), i * 2);
        assert_int_equal(rt_logbuf_line_at_time(t->b, (start + i * 2) * 1000 - 1500), i * 2);
    }
    assert_int_equal(rt_logbuf_line_at_time(t->b, 0), 0);
    assert_int_equal(rt_logbuf_line_at_time(t->b, (start + n * 2) * 1000), -1);
    rt_buf_clear(&t->bytes);
    for (int i = 0; i < 300000; i++)
        rt_buf_adds(&t->bytes, "no time at all here\n");
    bench_open(t, false);
    bench_settle(t);
    assert_int_equal(rt_logbuf_line_at_time(t->b, start * 1000), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_up, bench_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(searches_give_what_a_naive_search_gives),
        TEST(filters_give_what_naive_filters_give),
        TEST(what_is_asked_before_the_index_is_made_is_answered_rightly),
        TEST(filters_follow_a_log_that_grows),
        TEST(the_unfinished_line_is_filtered_as_it_is),
        TEST(marks_always_pass),
        TEST(a_wrong_pattern_says_where),
        TEST(a_pattern_without_end_is_given_up),
        TEST(an_empty_log_has_nothing_to_find),
        TEST(operations_end_silently_when_cancelled),
        TEST(a_callback_may_search_again_or_destroy),
        TEST(matches_in_a_line_are_marked),
        TEST(errors_and_warnings_are_stepped_through),
        TEST(a_time_leads_to_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
