#include "fakeshell.h"

#include "ui/dialog.h"
#include "ui/menu.h"

struct answer {
    int times;
    bool yes;
    char text[64];
};

static void confirmed(void *ctx, bool yes) {
    struct answer *a = ctx;
    a->times++;
    a->yes = yes;
}

static void answered(void *ctx, const char *text) {
    struct answer *a = ctx;
    a->times++;
    a->yes = text != NULL;
    snprintf(a->text, sizeof a->text, "%s", text ? text : "");
}

static void ask(struct rt_ui *ui, enum rt_confirm grade, struct answer *a) {
    struct rt_confirmation c = {.grade = grade, .title = rt_strdup("Stop 3 jobs on prod?"),
                                .text = rt_strdup("python train.py\nIt has run for 3h12m.\n"),
                                .equivalent = rt_strdup("POST /api/jobs/a/stop"), .name = rt_strdup("prod")};
    *a = (struct answer){0};
    opened(ui, rt_dialog_confirm(ui, &c, confirmed, a));
    assert_null(c.title);
}

static void enter_alone_does_nothing_dangerous(void **state) {
    struct answer a;
    ask(*state, RT_CONFIRM_YES_NO, &a);
    keys(*state, "Enter");
    assert_int_equal(a.times, 1);
    assert_false(a.yes);
}

static void y_says_yes(void **state) {
    struct answer a;
    ask(*state, RT_CONFIRM_YES_NO, &a);
    keys(*state, "y");
    assert_int_equal(a.times, 1);
    assert_true(a.yes);
}

static void tab_and_enter_say_yes(void **state) {
    struct answer a;
    ask(*state, RT_CONFIRM_YES_NO, &a);
    keys(*state, "Tab Enter");
    assert_true(a.times == 1 && a.yes);
}

static void escape_says_no_once(void **state) {
    struct rt_ui *ui = *state;
    struct answer a;
    ask(ui, RT_CONFIRM_YES_NO, &a);
    struct rt_view *v = front(ui);
    keys(ui, "Esc");
    v->ops->key(v, (struct rt_key){.code = 'y'}); /* a key that was on its way */
    assert_int_equal(a.times, 1);
    assert_false(a.yes);
}

static void other_letters_do_not_answer(void **state) {
    struct answer a;
    ask(*state, RT_CONFIRM_YES_NO, &a);
    keys(*state, "x d ^K ^Y 1 .");
    assert_int_equal(a.times, 0);
}

static void a_question_destroyed_is_not_answered(void **state) {
    struct rt_ui *ui = *state;
    struct answer a;
    ask(ui, RT_CONFIRM_YES_NO, &a);
    destroy_view(front(ui));
    ui->popups.n = 0;
    assert_int_equal(a.times, 0);
}

static void the_name_must_be_typed(void **state) {
    struct rt_ui *ui = *state;
    struct answer a;
    ask(ui, RT_CONFIRM_TYPE_NAME, &a);
    keys(ui, "y Enter");
    assert_int_equal(a.times, 0);
    assert_shows(ui, front(ui), 12, 60, "not the name");
    keys(ui, "Backspace");
    type(ui, "pro");
    keys(ui, "Enter");
    assert_int_equal(a.times, 0);
    type(ui, "d");
    keys(ui, "Enter");
    assert_true(a.times == 1 && a.yes);
}

static void v_shows_the_equivalent(void **state) {
    struct rt_ui *ui = *state;
    struct answer a;
    ask(ui, RT_CONFIRM_YES_NO, &a);
    keys(ui, "v");
    assert_int_equal(ui->popups.n, 2);
    assert_shows(ui, front(ui), 6, 60, "POST /api/jobs/a/stop");
    keys(ui, "y");
    assert_string_equal(rt_buf_str(&ui->copied), "POST /api/jobs/a/stop");
    keys(ui, "Esc");
    assert_int_equal(a.times, 0);
}

static void what_it_costs_is_on_the_screen(void **state) {
    struct rt_ui *ui = *state;
    struct answer a;
    ask(ui, RT_CONFIRM_YES_NO, &a);
    char *screen = drawn(ui, front(ui), 8, 60);
    assert_non_null(strstr(screen, "Stop 3 jobs on prod?"));
    assert_non_null(strstr(screen, "It has run for 3h12m."));
    assert_non_null(strstr(screen, "[ No ]"));
    free(screen);
}

static void a_long_text_is_scrolled_and_the_buttons_stay(void **state) {
    struct rt_ui *ui = *state;
    struct rt_buf text;
    rt_buf_init(&text, 0);
    for (int i = 0; i < 100; i++)
        rt_buf_addf(&text, "node-%d\n", i);
    struct rt_confirmation c = {.grade = RT_CONFIRM_YES_NO, .title = rt_strdup("End?"), .text = rt_buf_take(&text)};
    struct answer a = {0};
    opened(ui, rt_dialog_confirm(ui, &c, confirmed, &a));
    int rows = 0, cols = 0;
    front(ui)->ops->want(front(ui), 18, 76, &rows, &cols);
    assert_int_equal(rows, 18);
    assert_shows(ui, front(ui), 16, 60, "node-0\n");
    keys(ui, "G");
    assert_shows(ui, front(ui), 16, 60, "node-99");
    assert_shows(ui, front(ui), 16, 60, "[ No ]");
}

static void a_secret_is_shown_as_dots(void **state) {
    struct rt_ui *ui = *state;
    struct answer a = {0};
    const struct rt_question q = {.kind = RT_ASK_SECRET, .cluster = "lab", .title = "key of lab1", .prompt = "Passphrase:"};
    opened(ui, rt_dialog_question(ui, &q, answered, &a));
    type(ui, "hunter2");
    assert_shows(ui, front(ui), 6, 60, "•••••••");
    assert_false(shows(ui, front(ui), 6, 60, "hunter2"));
    keys(ui, "Enter");
    assert_string_equal(a.text, "hunter2");
}

static void a_host_key_is_not_taken_by_enter(void **state) {
    struct rt_ui *ui = *state;
    struct answer a = {0};
    const struct rt_question q = {.kind = RT_ASK_YES_NO, .title = "host key of lab1", .text = "SHA256:abc"};
    opened(ui, rt_dialog_question(ui, &q, answered, &a));
    keys(ui, "Enter");
    assert_int_equal(a.times, 1);
    assert_string_not_equal(a.text, "yes");
}

static void a_paste_into_a_question_does_not_submit(void **state) {
    struct rt_ui *ui = *state;
    struct answer a = {0};
    const struct rt_question q = {.kind = RT_ASK_TEXT, .title = "code", .prompt = "Code:"};
    opened(ui, rt_dialog_question(ui, &q, answered, &a));
    front(ui)->ops->paste(front(ui), "123\n456\n", 8);
    assert_int_equal(a.times, 0);
    keys(ui, "Enter");
    assert_string_equal(a.text, "123 456");
}

static void every_size_can_be_drawn(void **state) {
    struct rt_ui *ui = *state;
    struct answer a;
    ask(ui, RT_CONFIRM_TYPE_NAME, &a);
    ask(ui, RT_CONFIRM_YES_NO, &a);
    for (int rows = 1; rows < 14; rows++)
        for (int cols = 1; cols < 90; cols += 3)
            for (size_t i = 0; i < ui->popups.n; i++)
                free(drawn(ui, ui->popups.v[i], rows, cols));
}

static void a_menu_runs_what_its_key_says(void **state) {
    struct rt_ui *ui = *state;
    struct rt_view *m = rt_menu_create(ui, "copy");
    rt_menu_add(m, "i", "the id", "copy-id");
    rt_menu_add(m, "k", "the command", "copy-command");
    opened(ui, m);
    keys(ui, "k");
    assert_int_equal(ui->lines.n, 1);
    assert_string_equal(ui->lines.v[0], "copy-command");
}

static void a_menu_is_walked(void **state) {
    struct rt_ui *ui = *state;
    struct rt_view *m = rt_menu_create(ui, "views");
    rt_menu_add(m, "", "one", "1");
    rt_menu_add(m, "", "two", "2");
    rt_menu_add(m, "", "three", "3");
    opened(ui, m);
    keys(ui, "j j j j k Enter");
    assert_string_equal(ui->lines.v[0], "2");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        shell_test(enter_alone_does_nothing_dangerous),
        shell_test(y_says_yes),
        shell_test(tab_and_enter_say_yes),
        shell_test(escape_says_no_once),
        shell_test(other_letters_do_not_answer),
        shell_test(a_question_destroyed_is_not_answered),
        shell_test(the_name_must_be_typed),
        shell_test(v_shows_the_equivalent),
        shell_test(what_it_costs_is_on_the_screen),
        shell_test(a_long_text_is_scrolled_and_the_buttons_stay),
        shell_test(a_secret_is_shown_as_dots),
        shell_test(a_host_key_is_not_taken_by_enter),
        shell_test(a_paste_into_a_question_does_not_submit),
        shell_test(every_size_can_be_drawn),
        shell_test(a_menu_runs_what_its_key_says),
        shell_test(a_menu_is_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
