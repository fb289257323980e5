#include "base/buf.h"
#include "ui/input.h"
#include "ui/surface.h"
#include "ui/term_out.h"
#include "unit/cmocka_all.h"
#include <stdio.h>
#include <string.h>

static const struct rt_look plain = {RT_COLOR_DEFAULT, RT_COLOR_DEFAULT, 0};

static void row_is(struct rt_surface *s, int row, const char *want) {
    struct rt_buf b;
    rt_buf_init(&b, 0);
    for (int col = 0; col < s->cols; col++) {
        const struct rt_cell *c = rt_surface_cell(s, row, col);
        if (c->width)
            rt_buf_adds(&b, c->len ? c->text : ".");
    }
    assert_string_equal(rt_buf_str(&b), want);
    rt_buf_deinit(&b);
}

static int put(struct rt_surface *s, int row, int col, int cols, const char *text) {
    return rt_surface_put(s, row, col, cols, text, strlen(text), plain);
}

static void text_is_cut_on_cell_borders(void **state) {
    struct rt_surface s;
    (void)state;
    rt_surface_init(&s);
    rt_surface_resize(&s, 2, 8);
    assert_int_equal(put(&s, 0, 1, 3, "中文字"), 2);
    row_is(&s, 0, ".中.....");
    assert_int_equal(put(&s, 0, 6, 9, "abc"), 3);
    row_is(&s, 0, ".中...ab");
    put(&s, 0, 7, 4, "中"); /* would stick out of the surface */
    row_is(&s, 0, ".中...ab");
    put(&s, 1, 0, 8, "e\xcc\x81x");
    row_is(&s, 1, "e\xcc\x81x......");
    rt_surface_deinit(&s);
}

static void half_of_a_wide_character_never_stays(void **state) {
    struct rt_surface s;
    (void)state;
    rt_surface_init(&s);
    rt_surface_resize(&s, 1, 6);
    put(&s, 0, 0, 6, "中中中");
    put(&s, 0, 1, 1, "x");
    row_is(&s, 0, ".x中中");
    put(&s, 0, 2, 1, "y");
    row_is(&s, 0, ".xy.中");
    rt_surface_deinit(&s);
}

static void what_turns_or_hides_others_is_never_written(void **state) {
    static const char *const harm[] = {"\u202e", "\u2066", "\u200b", "\xc2\x9b", "\u00ad", "\x1b", "\a"};
    struct rt_surface s;
    (void)state;
    rt_surface_init(&s);
    rt_surface_resize(&s, 1, 4);
    for (size_t i = 0; i < RT_COUNT(harm); i++) {
        char text[16];
        snprintf(text, sizeof text, "a%sb", harm[i]);
        rt_surface_fill(&s, (struct rt_rect){0, 0, 1, 4}, plain);
        put(&s, 0, 0, 4, text);
        row_is(&s, 0, "a?b.");
    }
    rt_surface_deinit(&s);
}

static void drawing_outside_does_nothing(void **state) {
    struct rt_surface s;
    (void)state;
    rt_surface_init(&s);
    rt_surface_resize(&s, 2, 4);
    put(&s, -1, 0, 4, "ab");
    put(&s, 5, 0, 4, "ab");
    put(&s, 0, -2, 8, "abcd");
    row_is(&s, 0, "cd..");
    rt_surface_fill(&s, (struct rt_rect){-3, -3, 100, 100}, plain);
    rt_surface_box(&s, (struct rt_rect){-1, -1, 9, 9}, plain, false);
    rt_surface_deinit(&s);
}

static void only_what_changed_is_written(void **state) {
    const struct rt_caps caps = {.move = "\x1b[%i%p1%d;%p2%dH", .clear = "\x1b[2J", .plain = "\x1b[m", .bold = "\x1b[1m", .fg = "\x1b[3%p1%dm",
                                 .bg = "\x1b[4%p1%dm", .depth = RT_DEPTH_16, .colors = 16};
    struct rt_surface old, now;
    struct rt_buf out;
    (void)state;
    rt_surface_init(&old);
    rt_surface_init(&now);
    rt_buf_init(&out, 0);
    rt_surface_resize(&now, 3, 20);
    put(&now, 1, 2, 18, "hello");
    rt_term_diff(&caps, &old, &now, true, &out);
    assert_non_null(strstr(rt_buf_str(&out), "hello"));
    rt_buf_clear(&out);
    rt_term_diff(&caps, &old, &now, false, &out);
    assert_int_equal(out.len, 0);
    put(&now, 1, 6, 1, "0");
    rt_term_diff(&caps, &old, &now, false, &out);
    assert_string_equal(rt_buf_str(&out), "\x1b[2;7H\x1b[m0\x1b[m");
    rt_buf_clear(&out);
    rt_surface_put(&now, 2, 0, 3, "a", 1, (struct rt_look){1, RT_COLOR_DEFAULT, RT_BOLD});
    rt_term_diff(&caps, &old, &now, false, &out);
    assert_string_equal(rt_buf_str(&out), "\x1b[3;1H\x1b[m\x1b[1m\x1b[31ma\x1b[m");
    rt_buf_deinit(&out);
    rt_surface_deinit(&old);
    rt_surface_deinit(&now);
}

static void without_utf8_no_byte_above_ascii_is_written(void **state) {
    const struct rt_caps caps = {.move = "\x1b[%i%p1%d;%p2%dH", .plain = "\x1b[m", .only_ascii = true};
    const char *text = "a日é e\xcc\x81";
    struct rt_surface old, now;
    struct rt_buf out;
    (void)state;
    rt_surface_init(&old);
    rt_surface_init(&now);
    rt_buf_init(&out, 0);
    rt_surface_resize(&now, 1, 10);
    rt_surface_put(&now, 0, 0, 10, text, strlen(text), plain);
    rt_term_diff(&caps, &old, &now, true, &out);
    for (size_t i = 0; i < out.len; i++)
        assert_true((unsigned char)out.data[i] < 0x80);
    assert_non_null(strstr(rt_buf_str(&out), "a??? e"));
    rt_buf_deinit(&out);
    rt_surface_deinit(&old);
    rt_surface_deinit(&now);
}

/* ---- typing ---- */

static void type(struct rt_input *in, const char *keys) {
    char word[16];
    for (const char *s = keys; *s; s += strcspn(s, " ") + (s[strcspn(s, " ")] == ' ')) {
        struct rt_key k;
        const size_t n = strcspn(s, " ");
        assert_true(n < sizeof word);
        memcpy(word, s, n);
        word[n] = '\0';
        assert_true(rt_key_parse(word, &k));
        rt_input_key(in, k);
    }
}

static void a_line_is_edited_as_in_a_shell(void **state) {
    struct rt_input in;
    (void)state;
    rt_input_init(&in);
    type(&in, "a b Space c ä Left x");
    assert_string_equal(rt_input_text(&in), "ab cxä");
    type(&in, "^W");
    assert_string_equal(rt_input_text(&in), "ab ä");
    type(&in, "End Backspace ^A Del ^E z");
    assert_string_equal(rt_input_text(&in), "b z");
    type(&in, "Home Right ^K");
    assert_string_equal(rt_input_text(&in), "b");
    type(&in, "^U");
    assert_string_equal(rt_input_text(&in), "");
    rt_input_deinit(&in);
}

static void pasted_newlines_do_not_submit(void **state) {
    struct rt_input in;
    (void)state;
    rt_input_init(&in);
    rt_input_paste(&in, "rm -rf\n\x1b[Ax\r\n", 13);
    assert_string_equal(rt_input_text(&in), "rm -rf [Ax");
    rt_input_deinit(&in);
}

static void a_secret_is_shown_as_dots(void **state) {
    struct rt_input in;
    struct rt_surface s;
    (void)state;
    rt_input_init(&in);
    rt_surface_init(&s);
    rt_surface_resize(&s, 1, 6);
    in.secret = true;
    rt_input_set(&in, "abc");
    rt_input_draw(&in, &s, (struct rt_rect){0, 0, 1, 6}, plain, true, true);
    row_is(&s, 0, "***...");
    assert_int_equal(s.cursor_col, 3);
    rt_input_deinit(&in);
    rt_surface_deinit(&s);
}

static void a_long_line_scrolls_with_its_cursor(void **state) {
    struct rt_input in;
    struct rt_surface s;
    (void)state;
    rt_input_init(&in);
    rt_surface_init(&s);
    rt_surface_resize(&s, 1, 5);
    rt_input_set(&in, "abcdefgh");
    rt_input_draw(&in, &s, (struct rt_rect){0, 0, 1, 5}, plain, false, true);
    row_is(&s, 0, "efgh.");
    assert_int_equal(s.cursor_col, 4);
    rt_input_deinit(&in);
    rt_surface_deinit(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_cut_on_cell_borders),
        cmocka_unit_test(half_of_a_wide_character_never_stays),
        cmocka_unit_test(what_turns_or_hides_others_is_never_written),
        cmocka_unit_test(drawing_outside_does_nothing),
        cmocka_unit_test(only_what_changed_is_written),
        cmocka_unit_test(without_utf8_no_byte_above_ascii_is_written),
        cmocka_unit_test(a_line_is_edited_as_in_a_shell),
        cmocka_unit_test(pasted_newlines_do_not_submit),
        cmocka_unit_test(a_secret_is_shown_as_dots),
        cmocka_unit_test(a_long_line_scrolls_with_its_cursor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
