#include "ui/theme.h"
#include "base/fs.h"
#include "base/str.h"
#include "unit/cmocka_all.h"
#include <stdlib.h>
#include <string.h>

static void parse(struct rt_theme *t, enum rt_depth depth, const char *text) {
    struct rt_error err = {0};
    rt_theme_default(t, depth);
    if (!rt_theme_parse(t, "x.yaml", text, strlen(text), &err))
        fail_msg("%s", err.message);
}

static void fails(const char *text, const char *why) {
    struct rt_theme t;
    struct rt_error err = {0};
    rt_theme_default(&t, RT_DEPTH_16);
    assert_false(rt_theme_parse(&t, "x.yaml", text, strlen(text), &err));
    if (!strstr(err.message, why))
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

static void a_role_has_a_colour_for_each_depth(void **state) {
    (void)state;
    static const char text[] = "status.failed: {fg: red, fg256: 203, rgb: \"#ff5f5f\", attr: bold}\n";
    const int32_t want[] = {[RT_DEPTH_MONO] = RT_COLOR_INHERIT, [RT_DEPTH_16] = 1, [RT_DEPTH_256] = 203, [RT_DEPTH_RGB] = RT_COLOR_RGB(0xff5f5f)};
    for (enum rt_depth d = RT_DEPTH_16; d <= RT_DEPTH_RGB; d++) {
        struct rt_theme t;
        parse(&t, d, text);
        const struct rt_look look = rt_theme_look(&t, RT_R_STATUS_FAILED);
        assert_int_equal(look.fg, want[d]);
        assert_int_equal(look.attr, RT_BOLD);
    }
}

static void without_colours_only_attributes_are_left(void **state) {
    (void)state;
    struct rt_theme t;
    rt_theme_default(&t, RT_DEPTH_MONO);
    for (int r = 0; r < RT_R_COUNT; r++) {
        const struct rt_look look = rt_theme_look(&t, (enum rt_role)r);
        assert_true(look.fg < 0);
        assert_true(look.bg < 0);
    }
    assert_true(rt_theme_look(&t, RT_R_SELECT).attr & RT_REVERSE);
}

static void what_a_role_does_not_say_comes_from_text(void **state) {
    (void)state;
    struct rt_theme t;
    parse(&t, RT_DEPTH_256, "text: {fg256: 250, bg256: 17}\nborder: {fg256: 99}\nselect: {bg256: 20}\n");
    assert_int_equal(rt_theme_look(&t, RT_R_BORDER).bg, 17);
    assert_int_equal(rt_theme_look(&t, RT_R_SELECT).fg, 250);
    assert_int_equal(rt_theme_over(&t, RT_R_SELECT).fg, RT_COLOR_INHERIT);
}

static void colours_are_brought_down_to_what_there_is(void **state) {
    (void)state;
    assert_int_equal(rt_color_fit(RT_COLOR_RGB(0xff0000), RT_DEPTH_256), 196);
    assert_int_equal(rt_color_fit(RT_COLOR_RGB(0xff0000), RT_DEPTH_16), 9);
    assert_int_equal(rt_color_fit(196, RT_DEPTH_16), 9);
    assert_int_equal(rt_color_fit(5, RT_DEPTH_16), 5);
    assert_int_equal(rt_color_fit(RT_COLOR_DEFAULT, RT_DEPTH_RGB), RT_COLOR_DEFAULT);
}

static void errors_name_the_place_and_the_nearest_word(void **state) {
    (void)state;
    fails("text: {fg: reddish}\n", "x.yaml:1:");
    fails("status.faild: {fg: red}\n", "status.failed");
    fails("text:\n  fgg: red\n", "x.yaml:2:");
    fails("text: {fg256: 256}\n", "0 to 255");
    fails("text: {rgb: \"#12345\"}\n", "#rrggbb");
    fails("text: {attr: shiny}\n", "shiny");
    fails("- text\n", "map");
}

static void every_theme_of_ours_says_every_role(void **state) {
    (void)state;
    static const char *const names[] = {"default", "dark", "light", "high-contrast", "colour-blind", "mono"};
    for (size_t i = 0; i < RT_COUNT(names); i++) {
        char *path = rt_strf(RT_SOURCE_DIR "/themes/%s.yaml", names[i]);
        struct rt_theme t;
        struct rt_buf text;
        struct rt_error err = {0};
        rt_buf_init(&text, 0);
        rt_theme_default(&t, RT_DEPTH_RGB);
        if (!rt_file_read(path, 0, &text, &err) || !rt_theme_parse(&t, path, rt_buf_str(&text), text.len, &err))
            fail_msg("%s", err.message);
        for (int r = 0; r < RT_R_COUNT; r++) {
            char *key = rt_strf("\n%s:", rt_role_name((enum rt_role)r));
            if (!strstr(rt_buf_str(&text), key))
                fail_msg("%s says nothing of %s", names[i], key + 1);
            free(key);
        }
        rt_buf_deinit(&text);
        free(path);
    }
}

static void the_file_of_the_default_is_what_is_built_in(void **state) {
    (void)state;
    struct rt_theme built_in, file;
    struct rt_buf text;
    struct rt_error err = {0};
    rt_buf_init(&text, 0);
    rt_theme_default(&built_in, RT_DEPTH_16);
    memset(&file, 0, sizeof file);
    file.depth = RT_DEPTH_16;
    assert_true(rt_file_read(RT_SOURCE_DIR "/themes/default.yaml", 0, &text, &err));
    assert_true(rt_theme_parse(&file, "default.yaml", rt_buf_str(&text), text.len, &err));
    for (int r = 0; r < RT_R_COUNT; r++)
        if (!rt_look_equal(rt_theme_over(&built_in, (enum rt_role)r), rt_theme_over(&file, (enum rt_role)r)))
            fail_msg("%s differs", rt_role_name((enum rt_role)r));
    rt_buf_deinit(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_role_has_a_colour_for_each_depth),
        cmocka_unit_test(without_colours_only_attributes_are_left),
        cmocka_unit_test(what_a_role_does_not_say_comes_from_text),
        cmocka_unit_test(colours_are_brought_down_to_what_there_is),
        cmocka_unit_test(errors_name_the_place_and_the_nearest_word),
        cmocka_unit_test(every_theme_of_ours_says_every_role),
        cmocka_unit_test(the_file_of_the_default_is_what_is_built_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
