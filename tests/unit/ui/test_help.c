#include "fakeshell.h"

#include "ui/command.h"
#include "ui/views.h"

const struct shell_command shell_commands[] = {{"zoom", "", "this pane alone", NULL}, {0}};

static char *help_of(struct rt_ui *ui, const char *view, const char *klass) {
    struct rt_buf b;
    rt_buf_init(&b, 0);
    opened(ui, rt_view_help(ui, view, klass));
    front(ui)->ops->text(front(ui), &b);
    return rt_buf_take(&b);
}

static void assert_has(const char *text, const char *what) {
    if (!strstr(text, what))
        fail_msg("the help has no \"%s\":\n%s", what, text);
}

static void the_keys_of_the_view_come_before_those_of_all(void **state) {
    char *text = help_of(*state, "jobs", "list");
    assert_has(text, "KEYS in jobs");
    assert_has(text, "submit a job");
    const char *own = strstr(text, "KEYS in jobs"), *shared = strstr(text, "KEYS in every list"), *all = strstr(text, "KEYS everywhere");
    assert_true(own && shared && all && own < shared && shared < all);
    assert_null(strstr(text, "follow the end")); /* a log's */
    free(text);
}

static void a_key_that_the_view_uses_otherwise_is_told_once(void **state) {
    char *text = help_of(*state, "log", "text");
    assert_has(text, "follow the end");
    assert_null(strstr(text, "forward another port")); /* F is follow here */
    free(text);
}

static void every_verb_is_in_it(void **state) {
    char *text = help_of(*state, "jobs", "list");
    for (const struct rt_action_def *d = rt_actions; d->name; d++)
        assert_has(text, d->help);
    assert_has(text, "this pane alone");
    free(text);
}

static void read_only_hides_what_would_change_something(void **state) {
    struct rt_ui *ui = *state;
    ui->app->readonly = true;
    char *text = help_of(ui, "jobs", "list");
    assert_null(strstr(text, "tear the cluster down and free"));
    free(text);
}

static void it_can_be_searched(void **state) {
    struct rt_ui *ui = *state;
    free(help_of(ui, "jobs", "list"));
    assert_int_equal(command(front(ui), "search \"click selects\""), RT_TAKEN_YES);
    assert_shows(ui, front(ui), 10, 80, "Click selects");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        shell_test(the_keys_of_the_view_come_before_those_of_all),
        shell_test(a_key_that_the_view_uses_otherwise_is_told_once),
        shell_test(every_verb_is_in_it),
        shell_test(read_only_hides_what_would_change_something),
        shell_test(it_can_be_searched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
