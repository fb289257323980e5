#include "fakeshell.h"

#include "ui/command.h"
#include "ui/views.h"

/* A few rows in place of the program's own tables, which would bring the whole shell along. */
const struct rt_view_def rt_view_defs[] = {{"jobs", "4", "", NULL, 0}, {"nodes", "3", "", NULL, 0}, {"pods", NULL, "", NULL, RT_CAP_PODS}, {0}};
const struct shell_command shell_commands[] = {{"zoom", "", "", NULL}, {"theme", "NAME", "", NULL}, {0}};

const struct rt_view_def *rt_view_find(const char *name) {
    for (const struct rt_view_def *d = rt_view_defs; d->name; d++)
        if (rt_streq(d->name, name))
            return d;
    return NULL;
}

bool rt_view_fits(struct rt_ui *ui, const struct rt_view_def *d) {
    (void)ui;
    return !d->need;
}

/* The choices for a line with the cursor at its end, joined by blanks. */
static void assert_choices(struct rt_ui *ui, const char *line, const char *want) {
    struct rt_strs out = {0};
    struct rt_buf b;
    size_t start = 0;
    rt_buf_init(&b, 0);
    rt_complete(ui, line, strlen(line), &out, &start);
    for (size_t i = 0; i < out.n; i++)
        rt_buf_addf(&b, "%s%s", i ? " " : "", out.v[i]);
    assert_string_equal(rt_buf_str(&b), want);
    assert_true(start <= strlen(line));
    rt_buf_deinit(&b);
    rt_strs_deinit(&out);
}

static bool offers(struct rt_ui *ui, const char *line, const char *choice) {
    struct rt_strs out = {0};
    size_t start = 0;
    rt_complete(ui, line, strlen(line), &out, &start);
    const bool there = rt_strs_has(&out, choice);
    rt_strs_deinit(&out);
    return there;
}

static void add_job(struct rt_ui *ui, const char *id) {
    struct rt_cluster *c = rt_store_cluster(ui->app->store, "lab");
    const struct rt_job j = {.id = id, .submission_id = id, .status = RT_JOB_RUNNING, .status_text = "RUNNING"};
    rt_store_put_job(ui->app->store, c, &j);
}

static void add_pools(struct rt_ui *ui, const char *cluster) {
    struct rt_cluster *c = rt_store_cluster(ui->app->store, cluster);
    rt_pools b = {.arena = rt_arena_create(), .n = 2};
    b.v = rt_arena_alloc(b.arena, 2 * sizeof *b.v);
    b.v[0] = (struct rt_pool){.name = rt_arena_strdup(b.arena, "head"), .kind = "node type", .head = true};
    b.v[1] = (struct rt_pool){.name = rt_arena_strdup(b.arena, "gpu pool"), .kind = "node type"};
    rt_store_put_pools(ui->app->store, c, &b);
}

static void verbs_views_and_aliases_begin_a_line(void **state) {
    assert_choices(*state, "sub", "submit");
    assert_true(offers(*state, "", "jobs"));
    assert_true(offers(*state, "", "scale"));
    assert_false(offers(*state, "", "pods"));
    assert_choices(*state, "tr", "tr");
    assert_choices(*state, "zo", "zoom");
    assert_choices(*state, "zzz", "");
}

static void clusters_complete_by_name(void **state) {
    assert_choices(*state, "up l", "lab local");
    assert_choices(*state, "jobs @p", "@prod");
    assert_choices(*state, "cluster pr", "prod");
}

static void pools_are_of_the_cluster_that_was_named(void **state) {
    struct rt_ui *ui = *state;
    add_pools(ui, "prod");
    assert_choices(ui, "scale prod g", "'gpu pool'");
    assert_choices(ui, "scale g", ""); /* lab has none */
    assert_choices(ui, "scale prod h", ""); /* the head is not scaled */
    assert_choices(ui, "scale prod 'gp", "'gpu pool'");
}

static void jobs_complete_by_id(void **state) {
    add_job(*state, "raysubmit_abc");
    add_job(*state, "raysubmit_abd");
    assert_choices(*state, "stop raysubmit_ab", "raysubmit_abc raysubmit_abd");
    assert_choices(*state, "logs raysubmit_abd", "raysubmit_abd");
}

static void options_and_their_values_complete(void **state) {
    struct rt_ui *ui = *state;
    struct rt_error err = {0};
    char *dir = rt_strf("%s/src", ui->dir), *file = rt_strf("%s/src.txt", ui->dir);
    assert_true(rt_mkdirs(dir, &err) && rt_file_write(file, "", 0, &err));
    assert_choices(ui, "submit --work", "--working-dir");
    char *line = rt_strf("submit --working-dir %s/s", ui->dir), *want = rt_strf("%s/", dir);
    assert_choices(ui, line, want); /* directories only */
    free(line);
    free(want);
    line = rt_strf("submit --runtime-env=%s/src.", ui->dir);
    want = rt_strf("--runtime-env=%s", file);
    assert_choices(ui, line, want);
    free(line);
    free(want);
    free(dir);
    free(file);
    assert_choices(ui, "logs --cluster pr", "prod");
}

static void the_cursor_may_stand_inside_the_line(void **state) {
    struct rt_strs out = {0};
    size_t start = 99;
    rt_complete(*state, "sub -- python x.py", 3, &out, &start);
    assert_int_equal(start, 0);
    assert_int_equal(out.n, 1);
    rt_strs_deinit(&out);
}

static void anything_that_is_typed_is_survived(void **state) {
    static const char *const lines[] = {"'", "\"", "\\", "scale '", "a b c d e f", "--", "-- ", "@", "submit --", "submit --=", "submit --working-dir",
                                        "submit --working-dir=", " ", "  up ", "logs \xff\xfe", "submit -- /", "set ", "theme "};
    for (size_t i = 0; i < RT_COUNT(lines); i++)
        for (size_t at = 0; at <= strlen(lines[i]) + 1; at++) {
            struct rt_strs out = {0};
            size_t start = 0;
            rt_complete(*state, lines[i], at, &out, &start);
            assert_true(start <= at);
            rt_strs_deinit(&out);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        shell_test(verbs_views_and_aliases_begin_a_line),
        shell_test(clusters_complete_by_name),
        shell_test(pools_are_of_the_cluster_that_was_named),
        shell_test(jobs_complete_by_id),
        shell_test(options_and_their_values_complete),
        shell_test(the_cursor_may_stand_inside_the_line),
        shell_test(anything_that_is_typed_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
