#include "ui/key.h"
#include "ui/keymap.h"
#include "base/str.h"
#include "unit/cmocka_all.h"
#include <string.h>

static void note(void *ctx, const struct rt_event *ev) {
    struct rt_buf *b = ctx;
    char name[24];
    if (ev->type == RT_EV_KEY)
        rt_buf_addf(b, "%s ", rt_key_name(name, sizeof name, ev->key));
    else if (ev->type == RT_EV_PASTE)
        rt_buf_addf(b, "paste(%.*s) ", (int)ev->len, ev->text);
    else if (ev->type == RT_EV_MOUSE)
        rt_buf_addf(b, "mouse(%d %d,%d %d) ", (int)ev->mouse, ev->row, ev->col, ev->button);
    else
        rt_buf_addf(b, "report(%.*s) ", (int)ev->len, ev->text);
}

/* All at once, byte by byte, and what a flush adds: the same keys each time. */
static void expect(const char *bytes, size_t n, const char *want) {
    for (int step = 0; step < 2; step++) {
        struct rt_keys k;
        struct rt_buf got;
        rt_keys_init(&k);
        rt_buf_init(&got, 0);
        for (size_t i = 0; i < n; i += step ? 1 : n)
            rt_keys_feed(&k, bytes + i, step ? 1 : n, note, &got);
        rt_keys_flush(&k, note, &got);
        assert_string_equal(rt_buf_str(&got), want);
        rt_keys_deinit(&k);
        rt_buf_deinit(&got);
    }
}
#define EXPECT(bytes, want) expect(bytes, sizeof(bytes) - 1, want)

static void letters_controls_and_utf8_are_keys(void **state) {
    (void)state;
    EXPECT("aZ \xc3\xa4\xe4\xb8\xad", "a Z Space ä 中 ");
    EXPECT("\r\t\x7f\x0b\x1c", "Enter Tab Backspace ^K ^\\ ");
    expect("\0", 1, "^Space ");
}

static void arrows_and_functions_in_all_spellings(void **state) {
    (void)state;
    EXPECT("\x1b[A\x1bOB\x1b[1;5C\x1b[H\x1b[4~", "Up Down ^Right Home End ");
    EXPECT("\x1bOP\x1b[15~\x1b[24~\x1b[[A\x1b[Z", "F1 F5 F12 F1 S-Tab ");
    EXPECT("\x1b[5~\x1b[6~\x1b[3~\x1b[107;5u", "PgUp PgDn Del ^K ");
}

static void a_lone_escape_is_told_by_the_flush(void **state) {
    (void)state;
    EXPECT("\x1b", "Esc ");
    EXPECT("\x1b\x1b", "Esc Esc ");
    EXPECT("\x1bx\x1b\x7f", "M-x M-Backspace ");
    EXPECT("\x1b[", "M-[ ");
}

static void pasted_text_is_no_keys(void **state) {
    (void)state;
    EXPECT("a\x1b[200~q\n\x1b[A:\x1b[20\x1b[201~b", "a paste(q\n\x1b[A:\x1b[20) b ");
}

static void the_mouse_and_reports(void **state) {
    (void)state;
    EXPECT("\x1b[<0;5;3M\x1b[<0;5;3m\x1b[<65;1;1M\x1b[<32;2;2M", "mouse(0 2,4 1) mouse(1 2,4 1) mouse(4 0,0 2) mouse(2 1,1 1) ");
    EXPECT("\x1b[?2026;2$yx", "report(?2026;2$y) x ");
    EXPECT("\x1b]11;rgb:00/00/00\x07y\x1bP1$r0\x1b\\z", "y z ");
}

static void any_bytes_are_survived(void **state) {
    (void)state;
    unsigned seed = 7;
    struct rt_keys k;
    struct rt_buf got;
    rt_keys_init(&k);
    for (int i = 0; i < 20000; i++) {
        char bytes[16];
        rt_buf_init(&got, 0);
        for (size_t n = 0; n < sizeof bytes; n++) {
            static const char likely[] = "\x1b[O]<;?0123456789~uMmPABR\xff\xc3\x80";
            seed = seed * 1103515245u + 12345u;
            bytes[n] = likely[(seed >> 16) % (sizeof likely)];
        }
        rt_keys_feed(&k, bytes, sizeof bytes, note, &got);
        if (i % 7 == 0)
            rt_keys_flush(&k, note, &got);
        rt_buf_deinit(&got);
    }
    rt_keys_deinit(&k);
}

static void names_are_read_back(void **state) {
    (void)state;
    static const char *const names[] = {"j", "K", "^K", "Enter", "Esc", "S-Tab", "M-x", "F5", "Space", "^Space", "PgDn", "^\\", "<", "-", "^", "Del", "ä"};
    for (size_t i = 0; i < RT_COUNT(names); i++) {
        struct rt_key k;
        char back[24];
        if (!rt_key_parse(names[i], &k))
            fail_msg("%s is not read", names[i]);
        assert_string_equal(rt_key_name(back, sizeof back, k), names[i]);
    }
    struct rt_key k;
    assert_false(rt_key_parse("Hyper-q", &k));
    assert_false(rt_key_parse("", &k));
    assert_false(rt_key_parse("F13", &k));
}

static void all_default_keys_have_names_and_help(void **state) {
    (void)state;
    for (const struct rt_key_default *d = rt_key_defaults; d->view; d++) {
        struct rt_key k;
        if (!rt_key_parse(d->key, &k) || !d->command[0] || !d->help[0])
            fail_msg("%s %s", d->view, d->key);
        for (const struct rt_key_default *e = rt_key_defaults; e != d; e++)
            if (rt_streq(e->view, d->view) && rt_streq(e->key, d->key))
                fail_msg("%s stands twice in '%s'", d->key, d->view);
    }
}

static const char *command(const struct rt_keymap *m, const char *view, const char *klass, const char *name) {
    struct rt_key k;
    assert_true(rt_key_parse(name, &k));
    const struct rt_bind *b = rt_keymap_find(m, view, klass, k);
    return b ? b->command : "";
}

static void the_view_comes_before_lists_and_lists_before_everywhere(void **state) {
    (void)state;
    struct rt_keymap m;
    rt_keymap_init(&m, NULL, NULL, NULL);
    assert_string_equal(command(&m, "pools", "list", "-"), "scale-step -1");
    assert_string_equal(command(&m, "jobs", "list", "-"), "previous");
    assert_string_equal(command(&m, "jobs", "list", "d"), "detail");
    assert_string_equal(command(&m, "clusters", "list", "^K"), "down");
    assert_string_equal(command(&m, "jobs", "list", "?"), "help");
    assert_string_equal(command(&m, "start", NULL, "j"), "");
    rt_keymap_deinit(&m);
}

static void own_keys_win_and_can_take_one_away(void **state) {
    (void)state;
    char jobs[] = "jobs", x[] = "x", line[] = "stop", q[] = "q", empty[] = "", bad[] = "Foo";
    struct rt_binding own[] = {{.view = jobs, .key = x, .command = line}, {.key = q, .command = empty}, {.key = bad, .command = line}};
    const struct rt_config c = {.bindings = own, .nbindings = RT_COUNT(own)};
    struct rt_keymap m;
    rt_keymap_init(&m, &c, NULL, NULL);
    assert_string_equal(command(&m, "jobs", "list", "x"), "stop");
    assert_string_equal(command(&m, "nodes", "list", "x"), "tree");
    assert_string_equal(command(&m, "jobs", "list", "q"), "");
    rt_keymap_deinit(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_controls_and_utf8_are_keys),
        cmocka_unit_test(arrows_and_functions_in_all_spellings),
        cmocka_unit_test(a_lone_escape_is_told_by_the_flush),
        cmocka_unit_test(pasted_text_is_no_keys),
        cmocka_unit_test(the_mouse_and_reports),
        cmocka_unit_test(any_bytes_are_survived),
        cmocka_unit_test(names_are_read_back),
        cmocka_unit_test(all_default_keys_have_names_and_help),
        cmocka_unit_test(the_view_comes_before_lists_and_lists_before_everywhere),
        cmocka_unit_test(own_keys_win_and_can_take_one_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
