#include "fakeshell.h"

#include "ui/form.h"
#include "ui/views.h"

enum { ROWS = 20, COLS = 90 };

static struct rt_form *form(struct rt_ui *ui) {
    return (struct rt_form *)front(ui);
}

static bool quiet(struct rt_ui *ui) {
    return !form(ui)->soon && !form(ui)->preview && !form(ui)->running;
}

static bool has_body(struct rt_ui *ui) {
    if (!quiet(ui))
        return false;
    struct rt_buf b;
    rt_buf_init(&b, 0);
    form(ui)->ops->request(form(ui), &b);
    const bool there = strstr(rt_buf_str(&b), "POST /api/jobs/") != NULL;
    rt_buf_deinit(&b);
    return there;
}

static void put_file(struct rt_ui *ui, const char *name, const char *text) {
    struct rt_error err = {0};
    char *path = rt_path_join(ui->dir, name);
    assert_true(rt_file_write(path, text, strlen(text), &err));
    free(path);
}

static void open_submit(struct rt_ui *ui) {
    opened(ui, rt_form_submit(ui, "lab", NULL));
}

/* ---- typing ---- */

static void letters_are_text_and_tab_goes_on(void **state) {
    open_submit(*state);
    type(*state, "python q.py ?");
    keys(*state, "Tab");
    type(*state, "~/src");
    keys(*state, "S-Tab");
    type(*state, "!");
    assert_string_equal(rt_form_get(form(*state), "entrypoint"), "python q.py ?!");
    assert_string_equal(rt_form_get(form(*state), "working_dir"), "~/src");
    keys(*state, "Up");
    assert_int_equal(form(*state)->at, form(*state)->n - 1);
}

static void what_stands_in_it_is_on_the_screen(void **state) {
    struct rt_ui *ui = *state;
    open_submit(ui);
    type(ui, "python train.py");
    char *screen = drawn(ui, front(ui), ROWS, COLS);
    assert_non_null(strstr(screen, ">"));
    assert_non_null(strstr(screen, "entrypoint"));
    assert_non_null(strstr(screen, "python train.py"));
    assert_non_null(strstr(screen, "F2 submit  F3 submit and follow  F4 the request"));
    free(screen);
}

static void a_paste_of_lines_submits_nothing(void **state) {
    struct rt_ui *ui = *state;
    open_submit(ui);
    front(ui)->ops->paste(front(ui), "python a.py \\\n  --x 1\n", 22);
    assert_string_equal(rt_form_get(form(ui), "entrypoint"), "python a.py \\   --x 1");
    assert_null(form(ui)->running);
}

static void escape_asks_when_something_was_typed(void **state) {
    struct rt_ui *ui = *state;
    open_submit(ui);
    type(ui, "x");
    keys(ui, "Esc");
    assert_shows(ui, front(ui), ROWS, COLS, "forget what was typed?");
    keys(ui, "n");
    assert_string_equal(rt_form_get(form(ui), "entrypoint"), "x");
    assert_null(ui->closed);
    keys(ui, "Esc y");
    assert_non_null(ui->closed);
}

static void an_untouched_form_is_left_at_once(void **state) {
    struct rt_ui *ui = *state;
    open_submit(ui);
    keys(ui, "Esc");
    assert_non_null(ui->closed);
}

static void every_size_can_be_drawn(void **state) {
    struct rt_ui *ui = *state;
    open_submit(ui);
    for (int rows = 1; rows < 16; rows++)
        for (int cols = 1; cols < 100; cols += 3)
            free(drawn(ui, front(ui), rows, cols));
    keys(ui, "Up");
    assert_shows(ui, front(ui), 5, 60, "metadata"); /* the field with the keys is seen */
}

/* ---- submit ---- */

static void an_empty_form_is_not_submitted(void **state) {
    struct rt_ui *ui = *state;
    open_submit(ui);
    keys(ui, "F2");
    assert_shows(ui, front(ui), ROWS, COLS, "the entrypoint is empty");
    assert_null(form(ui)->running);
}

static void the_directory_is_looked_at_while_typing(void **state) {
    struct rt_ui *ui = *state;
    put_file(ui, "job/a.py", "print(1)\n");
    put_file(ui, "job/b.py", "print(2)\n");
    put_file(ui, "job/c.log", "no\n");
    put_file(ui, "job/.gitignore", "*.log\n");
    open_submit(ui);
    type(ui, "python a.py");
    keys(ui, "Tab");
    type(ui, ui->dir);
    type(ui, "/job");
    until(ui, has_body);
    assert_shows(ui, front(ui), ROWS, COLS, "3 files");
    assert_shows(ui, front(ui), ROWS, COLS, "(1 ignored)");
    keys(ui, "F4");
    assert_shows(ui, front(ui), 40, 120, "python a.py");
}

static void a_directory_that_is_not_there_is_told_before_it_is_sent(void **state) {
    struct rt_ui *ui = *state;
    open_submit(ui);
    type(ui, "python a.py");
    keys(ui, "Tab");
    type(ui, "/nowhere/at/all");
    until(ui, quiet);
    assert_shows(ui, front(ui), ROWS, COLS, "/nowhere/at/all");
    assert_shows(ui, front(ui), ROWS, COLS, "!");
}

static void a_runtime_env_may_be_typed_as_json(void **state) {
    struct rt_ui *ui = *state;
    open_submit(ui);
    type(ui, "python a.py");
    keys(ui, "Tab Tab");
    type(ui, "{\"env_vars\": {\"TOKEN\": \"hunter2\"}}");
    until(ui, has_body);
    keys(ui, "F4");
    assert_shows(ui, front(ui), 40, 120, "TOKEN");
    assert_shows(ui, front(ui), 40, 120, "***");
}

static void what_was_typed_survives_a_failure(void **state) {
    struct rt_ui *ui = *state;
    open_submit(ui);
    type(ui, "python a.py");
    keys(ui, "Tab Tab Tab");
    type(ui, "A='x");
    keys(ui, "F2");
    assert_null(ui->closed);
    assert_string_equal(rt_form_get(form(ui), "env_vars"), "A='x");
    assert_true(form(ui)->lines.n > 0);
}

static void a_job_fills_the_form(void **state) {
    struct rt_ui *ui = *state;
    char entry[] = "python again.py", dir[] = "/src", cpus[] = "2";
    const struct rt_submit_form from = {.entrypoint = entry, .working_dir = dir, .num_cpus = cpus};
    opened(ui, rt_form_submit(ui, "lab", &from));
    assert_string_equal(rt_form_get(form(ui), "entrypoint"), "python again.py");
    assert_string_equal(rt_form_get(form(ui), "working_dir"), "/src");
    assert_string_equal(rt_form_get(form(ui), "num_cpus"), "2");
    keys(ui, "Esc"); /* nothing was typed yet */
    assert_non_null(ui->closed);
}

static void secrets_of_a_job_run_again_go_along_unseen(void **state) {
    struct rt_ui *ui = *state;
    struct rt_cluster *c = rt_store_cluster(ui->app->store, "lab");
    const struct rt_job j = {.id = "raysubmit_x", .submission_id = "raysubmit_x", .status = RT_JOB_FAILED, .status_text = "FAILED",
                             .entrypoint = "python a.py", .runtime_env = "{\"env_vars\":{\"TOKEN\":\"hunter2\",\"N\":\"1\"},\"pip\":[\"x\"]}"};
    struct rt_submit_form from;
    struct rt_error err = {0};
    struct rt_call call;
    rt_store_put_job(ui->app->store, c, &j);
    rt_submit_form_from_job(ui->app, c, rt_store_job(c, "raysubmit_x"), &from);
    opened(ui, rt_form_submit(ui, "lab", &from));
    rt_submit_form_deinit(&from);
    assert_string_equal(rt_form_get(form(ui), "env_vars"), "TOKEN=*** N=***");
    assert_string_equal(rt_form_get(form(ui), "runtime_env_file"), "{\"pip\":[\"x\"]}");
    assert_true(form(ui)->ops->call(form(ui), &call, &err));
    assert_true(rt_strs_has(&call.options, "env=TOKEN=hunter2"));
    rt_call_deinit(&call);
    until(ui, has_body);
    keys(ui, "F4");
    assert_shows(ui, front(ui), 40, 120, "TOKEN");
    assert_false(shows(ui, front(ui), 40, 120, "hunter2"));
    keys(ui, "Esc");
}

static void a_masked_value_that_is_not_known_is_refused(void **state) {
    struct rt_ui *ui = *state;
    char entry[] = "python a.py", env[] = "OTHER=***", id[] = "raysubmit_gone";
    const struct rt_submit_form from = {.entrypoint = entry, .env_vars = env, .from = id};
    struct rt_call call;
    struct rt_error err = {0};
    opened(ui, rt_form_submit(ui, "lab", &from));
    assert_false(form(ui)->ops->call(form(ui), &call, &err));
    assert_non_null(strstr(err.message, "OTHER"));
}

static void a_field_is_edited_in_the_editor(void **state) {
    struct rt_ui *ui = *state;
    setenv("VISUAL", "ed", 1);
    open_submit(ui);
    type(ui, "python a.py");
    keys(ui, "^X ^E");
    assert_int_equal(ui->argv.n, 2);
    assert_string_equal(ui->argv.v[0], "ed");
    assert_false(rt_file_exists(ui->argv.v[1])); /* it goes again */
    assert_string_equal(rt_form_get(form(ui), "entrypoint"), "python a.py");
}

/* ---- the path browser ---- */

static bool listed(struct rt_ui *ui) {
    return shows(ui, front(ui), ROWS, COLS, "job/");
}

static bool inside(struct rt_ui *ui) {
    return shows(ui, front(ui), ROWS, COLS, "train.py");
}

static void a_path_is_picked_by_walking(void **state) {
    struct rt_ui *ui = *state;
    put_file(ui, "job/train.py", "");
    put_file(ui, "job/sub/x", "");
    open_submit(ui);
    keys(ui, "Tab");
    type(ui, ui->dir);
    keys(ui, "F5");
    until(ui, listed);
    keys(ui, "Enter");
    until(ui, inside);
    assert_shows(ui, front(ui), ROWS, COLS, "sub/");
    keys(ui, ".");
    assert_string_equal(rt_form_get(form(ui), "working_dir"), "~/job");
}

static void only_paths_are_browsed_for(void **state) {
    struct rt_ui *ui = *state;
    open_submit(ui);
    keys(ui, "F5");
    assert_int_equal(ui->popups.n, 1);
    assert_true(said(ui, "no path"));
}

/* ---- the small forms ---- */

static bool closed(struct rt_ui *ui) {
    return ui->closed != NULL;
}

static void attach_goes_to_the_jobs(void **state) {
    struct rt_ui *ui = *state;
    opened(ui, rt_form_attach(ui));
    type(ui, " prod ");
    keys(ui, "F2");
    until(ui, closed);
    assert_string_equal(ui->cluster, "prod");
    assert_string_equal(ui->lines.v[0], "jobs prod");
}

static void a_wrong_address_is_told_in_the_form(void **state) {
    struct rt_ui *ui = *state;
    opened(ui, rt_form_attach(ui));
    type(ui, "prot");
    keys(ui, "F2");
    assert_null(ui->closed);
    assert_shows(ui, front(ui), ROWS, COLS, "prot");
    assert_true(form(ui)->lines.n > 0);
}

static void a_new_cluster_shows_what_would_be_written(void **state) {
    struct rt_ui *ui = *state;
    opened(ui, rt_form_init(ui));
    keys(ui, "Tab");
    type(ui, "mine");
    keys(ui, "F4");
    assert_shows(ui, front(ui), 40, 120, "clusters:");
    assert_shows(ui, front(ui), 40, 120, "mine:");
}

static void the_new_cluster_is_written(void **state) {
    struct rt_ui *ui = *state;
    opened(ui, rt_form_init(ui));
    const char *kind = rt_form_get(form(ui), "provider");
    assert_true(*kind);
    keys(ui, "Tab");
    type(ui, "mine");
    keys(ui, "F2");
    until(ui, closed);
    char *path = rt_strf("%s/raytui/clusters.d/mine.yaml", ui->dir);
    assert_true(rt_file_exists(path));
    free(path);
}

static void providers_are_stepped_through(void **state) {
    struct rt_ui *ui = *state;
    opened(ui, rt_form_init(ui));
    char *first = rt_strdup(rt_form_get(form(ui), "provider"));
    keys(ui, "Space");
    assert_string_not_equal(rt_form_get(form(ui), "provider"), first);
    for (int i = 0; i < 20 && !rt_streq(rt_form_get(form(ui), "provider"), first); i++)
        keys(ui, "Space");
    assert_string_equal(rt_form_get(form(ui), "provider"), first);
    free(first);
}

static void a_pool_that_is_not_known_is_told(void **state) {
    struct rt_ui *ui = *state;
    opened(ui, rt_form_scale(ui, "lab", "gpu"));
    type(ui, "3");
    keys(ui, "F2");
    assert_null(ui->closed);
    assert_true(form(ui)->lines.n > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        shell_test(letters_are_text_and_tab_goes_on),
        shell_test(what_stands_in_it_is_on_the_screen),
        shell_test(a_paste_of_lines_submits_nothing),
        shell_test(escape_asks_when_something_was_typed),
        shell_test(an_untouched_form_is_left_at_once),
        shell_test(every_size_can_be_drawn),
        shell_test(an_empty_form_is_not_submitted),
        shell_test(the_directory_is_looked_at_while_typing),
        shell_test(a_directory_that_is_not_there_is_told_before_it_is_sent),
        shell_test(a_runtime_env_may_be_typed_as_json),
        shell_test(what_was_typed_survives_a_failure),
        shell_test(a_job_fills_the_form),
        shell_test(secrets_of_a_job_run_again_go_along_unseen),
        shell_test(a_masked_value_that_is_not_known_is_refused),
        shell_test(a_field_is_edited_in_the_editor),
        shell_test(a_path_is_picked_by_walking),
        shell_test(only_paths_are_browsed_for),
        shell_test(attach_goes_to_the_jobs),
        shell_test(a_wrong_address_is_told_in_the_form),
        shell_test(a_new_cluster_shows_what_would_be_written),
        shell_test(the_new_cluster_is_written),
        shell_test(providers_are_stepped_through),
        shell_test(a_pool_that_is_not_known_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
