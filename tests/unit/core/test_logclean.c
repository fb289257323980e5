#include "unit/cmocka_all.h"

#include "base/str.h"
#include "core/logbuf.h"
#include <stdlib.h>
#include <string.h>

/* ---- help ---- */

struct cleaned {
    struct rt_buf text;
    struct rt_span spans[64];
    size_t n;
};

static void clean(struct cleaned *c, const char *raw, size_t n) {
    rt_buf_init(&c->text, 0);
    c->n = rt_log_clean(raw, n, &c->text, c->spans, RT_COUNT(c->spans));
}

static void check(const char *raw, const char *want) {
    struct cleaned c;
    clean(&c, raw, strlen(raw));
    assert_string_equal(rt_buf_str(&c.text), want);
    rt_buf_deinit(&c.text);
}

/* What must hold for any line: nothing in it acts on a terminal, and the spans cover it. */
static void check_harmless(const char *raw, size_t n) {
    struct cleaned c;
    clean(&c, raw, n);
    assert_true(rt_utf8_valid(rt_buf_str(&c.text), c.text.len));
    for (size_t at = 0; at < c.text.len;) {
        int32_t cp = -1;
        at += rt_utf8_next(c.text.data + at, c.text.len - at, &cp);
        assert_true(cp >= 0x20 && !(cp >= 0x7f && cp < 0xa0));
        assert_false(cp >= 0x202a && cp <= 0x202e);
        assert_false(cp >= 0x2066 && cp <= 0x2069);
    }
    size_t at = 0;
    for (size_t i = 0; i < c.n; i++) {
        assert_int_equal(c.spans[i].start, at);
        assert_true(c.spans[i].len > 0);
        at += c.spans[i].len;
    }
    assert_int_equal(at, c.text.len);
    rt_buf_deinit(&c.text);
}

/* ---- tests ---- */

static void plain_text_stays(void **state) {
    (void)state;
    check("", "");
    check("hello world", "hello world");
    check("grüße 日本語 🎉 e\xcc\x81", "grüße 日本語 🎉 e\xcc\x81");
}

static void colours_become_spans(void **state) {
    (void)state;
    struct cleaned c;
    const char *raw = "a\x1b[31;1mred\x1b[0m\x1b[38;5;208mb\x1b[48;2;1;2;3mc\x1b[38:2::4:5:6md\x1b[94;4;7;2me";
    clean(&c, raw, strlen(raw));
    assert_string_equal(c.text.data, "aredbcde");
    assert_int_equal(c.n, 6);
    assert_int_equal(c.spans[0].fg, -1);
    assert_int_equal(c.spans[0].len, 1);
    assert_int_equal(c.spans[1].fg, 1);
    assert_true(c.spans[1].bold);
    assert_int_equal(c.spans[1].start, 1);
    assert_int_equal(c.spans[1].len, 3);
    assert_int_equal(c.spans[2].fg, 208);
    assert_false(c.spans[2].bold);
    assert_int_equal(c.spans[3].bg, 0x1010203);
    assert_int_equal(c.spans[4].fg, 0x1040506);
    assert_int_equal(c.spans[5].fg, 12);
    assert_true(c.spans[5].underline && c.spans[5].reverse && c.spans[5].dim);
    rt_buf_deinit(&c.text);
}

static void the_last_span_goes_on_when_there_is_no_room(void **state) {
    (void)state;
    struct rt_buf text;
    struct rt_span spans[2];
    const char *raw = "a\x1b[31mb\x1b[32mc\x1b[33md";
    rt_buf_init(&text, 0);
    assert_int_equal(rt_log_clean(raw, strlen(raw), &text, spans, 2), 2);
    assert_string_equal(text.data, "abcd");
    assert_int_equal(spans[1].start, 1);
    assert_int_equal(spans[1].len, 3);
    assert_int_equal(rt_log_clean(raw, strlen(raw), &text, NULL, 0), 0);
    assert_string_equal(text.data, "abcdabcd");
    rt_buf_deinit(&text);
}

static void spans_count_from_where_the_text_begins(void **state) {
    (void)state;
    struct rt_buf text;
    struct rt_span spans[2];
    rt_buf_init(&text, 0);
    rt_buf_adds(&text, "12 ");
    assert_int_equal(rt_log_clean("ab\rc", 4, &text, spans, 2), 1);
    assert_string_equal(text.data, "12 cb");
    assert_int_equal(spans[0].start, 0);
    assert_int_equal(spans[0].len, 2);
    rt_buf_deinit(&text);
}

static void broken_colours_are_no_colours(void **state) {
    (void)state;
    check("\x1b[38;5mx", "x");
    check("\x1b[38;2;1mx", "x");
    check("\x1b[99999999999999999999mx", "x");
    check("\x1b[;;;mx", "x");
    check("\x1b[38;5;31;mx", "x");
    check("\x1b[3", "^[[3");
    check("\x1b", "^[");
}

static void sequences_that_only_move_are_left_out(void **state) {
    (void)state;
    check("\x1b[2J\x1b[H\x1b[?25lx\x1b[?25h\x1b[10;20Hy\x1b[A", "xy");
    check("\x1b(Bx\x1b[m\x1b=\x1b>", "x");
    check("\x1b]0;title\ax\x1b]2;t\x1b\\y", "xy");
    check("\x1b]8;;http://example.org\x1b\\link\x1b]8;;\x1b\\", "link");
}

static void what_talks_to_the_terminal_is_shown(void **state) {
    (void)state;
    check("\x1b]52;c;ZXZpbA==\a", "^[]52;c;ZXZpbA==^G");
    check("\x1bP1$r0m\x1b\\", "^[P1$r0m^[\\");
    check("\x1b_Ga=T\x1b\\", "^[_Ga=T^[\\");
    check("\x1b]0;never ended", "^[]0;never ended");
    check("\x1b" "c", "^[c");
}

static void control_bytes_show_as_carets(void **state) {
    (void)state;
    check("a\bb\a\x7f\v\f", "a^Hb^G^?^K^L");
    struct cleaned c;
    clean(&c, "a\0b", 3);
    assert_string_equal(c.text.data, "a^@b");
    rt_buf_deinit(&c.text);
}

static void invalid_bytes_and_hidden_characters_show_as_numbers(void **state) {
    (void)state;
    check("\xff\xfe x \xc3", "\\xff\\xfe x \\xc3");
    check("\xc2\x9b" "31m", "<U+009B>31m");
    check("a\xe2\x80\xae" "b", "a<U+202E>b");
    check("a\xe2\x80\x8b" "b\xef\xbb\xbf", "a<U+200B>b<U+FEFF>");
    check("\xcc\x81x", "<U+0301>x");
}

static void tabs_end_at_the_next_eighth_column(void **state) {
    (void)state;
    check("\tx", "        x");
    check("ab\tx", "ab      x");
    check("12345678\tx", "12345678        x");
    check("日本\tx", "日本    x");
    check("\x1b[31mab\tx", "ab      x");
}

static void a_carriage_return_overwrites(void **state) {
    (void)state;
    check("10%\r20%\r30%", "30%");
    check("abcdef\rXY", "XYcdef");
    check("line\r", "line");
    check("line\r\r", "line");
    check("\rx", "x");
    check("long text\r\x1b[Kx", "x");
    check("long text\rab\x1b[K", "ab");
    check("long\x1b[2K\rx", "x   ");
    check("one\x1b[2K\x1b[1Gtwo", "two");
    check("12345678\r\tx", "12345678x");
    check("a\r\tx", "a       x");
}

static void wide_characters_are_overwritten_whole(void **state) {
    (void)state;
    check("日本\rx", "x 本");
    check("日本\rabc", "abc ");
    check("abcd\r日", "日cd");
    check("a日\rxy", "xy ");
    check("e\xcc\x81x\ry", "yx");
}

static void colours_go_with_their_characters_when_overwritten(void **state) {
    (void)state;
    struct cleaned c;
    const char *raw = "\x1b[31mabcd\x1b[0m\rX\x1b[32mY";
    clean(&c, raw, strlen(raw));
    assert_string_equal(c.text.data, "XYcd");
    assert_int_equal(c.n, 3);
    assert_int_equal(c.spans[0].fg, -1);
    assert_int_equal(c.spans[1].fg, 2);
    assert_int_equal(c.spans[2].fg, 1);
    assert_int_equal(c.spans[2].len, 2);
    rt_buf_deinit(&c.text);
}

static void a_progress_bar_of_a_megabyte_shows_its_end(void **state) {
    (void)state;
    struct rt_buf raw;
    rt_buf_init(&raw, 0);
    for (int i = 0; raw.len < RT_MIB; i++)
        rt_buf_addf(&raw, "\r%3d%%|%-40s| %d/10000", i % 100, "####", i);
    rt_buf_adds(&raw, "\r100%|done|");
    struct cleaned c;
    clean(&c, raw.data, raw.len);
    assert_true(strncmp(c.text.data, "100%|done|", 10) == 0);
    assert_true(c.text.len < 100);
    rt_buf_deinit(&c.text);
    rt_buf_deinit(&raw);
}

static void many_marks_on_one_character_are_thinned(void **state) {
    (void)state;
    struct rt_buf raw;
    rt_buf_init(&raw, 0);
    rt_buf_adds(&raw, "a");
    for (int i = 0; i < 500; i++)
        rt_buf_adds(&raw, "\xcc\x81");
    struct cleaned c;
    clean(&c, raw.data, raw.len);
    assert_int_equal(c.text.len, 1 + 8 * 2);
    rt_buf_deinit(&c.text);
    rt_buf_deinit(&raw);
}

static void whatever_comes_is_harmless(void **state) {
    (void)state;
    static const char *const pieces[] = {
        "\x1b[", "\x1b]", "52;c;", "31m", "38;5;", "38;2;1;2;", "K", "\x1b\\", "\a", "\r", "\t", "\b", "日", "\xcc\x81",
        "\xe2\x80\xae", "\xc2\x9b", "\xff", "x", "hello ", "2K", "1G", "\x1bP", "\x1b_", "\xf0\x9f\x8e\x89", "\x7f", "0m",
        ";", ":", "?25h", "\x1b(", "B", "\xf3\xa0\x80\x81", "\xed\xa0\x80", "\n",
    };
    srand(4711);
    for (int round = 0; round < 20000; round++) {
        struct rt_buf raw;
        rt_buf_init(&raw, 0);
        for (int i = rand() % 24; i > 0; i--) {
            if (rand() % 5 == 0)
                rt_buf_addc(&raw, (char)(rand() % 256));
            else
                rt_buf_adds(&raw, pieces[(size_t)rand() % RT_COUNT(pieces)]);
        }
        check_harmless(rt_buf_str(&raw), raw.len);
        rt_buf_deinit(&raw);
    }
}

static void check_kind(const char *raw, enum rt_line_kind want) {
    if (rt_log_kind(raw, strlen(raw)) != want)
        fail_msg("kind %d, not %d: %s", (int)rt_log_kind(raw, strlen(raw)), (int)want, raw);
}

static void errors_are_told_by_their_words(void **state) {
    (void)state;
    check_kind("2026-11-20 10:00:00,123\tERROR worker.py:42 -- it broke", RT_LINE_ERROR);
    check_kind("(train pid=12, ip=10.0.0.1) 2026-11-20 10:00:00,123 ERROR x", RT_LINE_ERROR);
    check_kind("E1120 10:00:00.123456 12 file.cc:1] x", RT_LINE_ERROR);
    check_kind("F0102 10:00:00.123456 12 file.cc:1] x", RT_LINE_ERROR);
    check_kind("[2026-11-20 10:00:00,123 E 12 34] (raylet) file.cc:10: x", RT_LINE_ERROR);
    check_kind("Traceback (most recent call last):", RT_LINE_ERROR);
    check_kind("ValueError: bad", RT_LINE_ERROR);
    check_kind("KeyError", RT_LINE_ERROR);
    check_kind("(pid=1) ray.exceptions.RayTaskError(ValueError): ray::f()", RT_LINE_ERROR);
    check_kind("java.lang.NullPointerException: x", RT_LINE_ERROR);
    check_kind("Exception in thread \"main\"", RT_LINE_ERROR);
    check_kind("[error] x", RT_LINE_ERROR);
    check_kind("ts=1 level=error msg=x", RT_LINE_ERROR);
    check_kind("{\"ts\": 1, \"level\": \"error\", \"msg\": \"x\"}", RT_LINE_ERROR);
    check_kind("main.c:3:4: error: x", RT_LINE_ERROR);
    check_kind("\x1b[31mERROR\x1b[0m x", RT_LINE_ERROR);
    check_kind("CRITICAL:root:x", RT_LINE_ERROR);
    check_kind("Segmentation fault (core dumped)", RT_LINE_ERROR);
}

static void warnings_are_told_by_their_words(void **state) {
    (void)state;
    check_kind("2026-11-20 10:00:00,123 WARNING x", RT_LINE_WARN);
    check_kind("W0102 10:00:00.123456 12 file.cc:1] x", RT_LINE_WARN);
    check_kind("[2026-11-20 10:00:00,123 W 12 34] x", RT_LINE_WARN);
    check_kind("x.py:3: DeprecationWarning: y", RT_LINE_WARN);
    check_kind("[warn] x", RT_LINE_WARN);
    check_kind("level=warning msg=\"error\"", RT_LINE_WARN);
}

static void other_lines_are_plain(void **state) {
    (void)state;
    check_kind("", RT_LINE_PLAIN);
    check_kind("0 errors, 0 warnings", RT_LINE_PLAIN);
    check_kind("2026-11-20 10:00:00 INFO the ERROR is gone", RT_LINE_PLAIN);
    check_kind("I1120 10:00:00.123456 12 file.cc:1] ERROR", RT_LINE_PLAIN);
    check_kind("[2026-11-20 10:00:00,123 I 12 34] ERROR", RT_LINE_PLAIN);
    check_kind("ERROR_RATE=0.1", RT_LINE_PLAIN);
    check_kind("no error here", RT_LINE_PLAIN);
    check_kind("E1234", RT_LINE_PLAIN);
    check_kind("loss=0.1 E 5", RT_LINE_PLAIN);
    check_kind("class MyError(Base):", RT_LINE_ERROR); /* source code looks like it: better once too often */
}

static void kinds_never_read_past_the_end(void **state) {
    (void)state;
    static const char text[] = "[2026-11-20 10:00:00,123 E 12 34] level=\"error\" Traceback (most recent call last): "
                               "Exception in thread E1120 10:00 \x1b[31mSegmentation fault ValueError: x";
    for (size_t from = 0; from < sizeof text; from++)
        for (size_t n = 0; n <= sizeof text - 1 - from; n++) {
            char *exact = malloc(n + 1); /* the sanitizers watch the byte behind */
            assert_non_null(exact);
            memcpy(exact + 1, text + from, n);
            rt_log_kind(exact + 1, n);
            rt_log_time(exact + 1, n);
            free(exact);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays),
        cmocka_unit_test(colours_become_spans),
        cmocka_unit_test(the_last_span_goes_on_when_there_is_no_room),
        cmocka_unit_test(spans_count_from_where_the_text_begins),
        cmocka_unit_test(broken_colours_are_no_colours),
        cmocka_unit_test(sequences_that_only_move_are_left_out),
        cmocka_unit_test(what_talks_to_the_terminal_is_shown),
        cmocka_unit_test(control_bytes_show_as_carets),
        cmocka_unit_test(invalid_bytes_and_hidden_characters_show_as_numbers),
        cmocka_unit_test(tabs_end_at_the_next_eighth_column),
        cmocka_unit_test(a_carriage_return_overwrites),
        cmocka_unit_test(wide_characters_are_overwritten_whole),
        cmocka_unit_test(colours_go_with_their_characters_when_overwritten),
        cmocka_unit_test(a_progress_bar_of_a_megabyte_shows_its_end),
        cmocka_unit_test(many_marks_on_one_character_are_thinned),
        cmocka_unit_test(whatever_comes_is_harmless),
        cmocka_unit_test(errors_are_told_by_their_words),
        cmocka_unit_test(warnings_are_told_by_their_words),
        cmocka_unit_test(other_lines_are_plain),
        cmocka_unit_test(kinds_never_read_past_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
