#include "base/log.h"
#include "core/journal.h"
#include "core/operation.h"
#include "core/table.h"
#include "home.h"
#include <dirent.h>

struct world {
    struct home *home;
    struct rt_loop *loop;
    struct rt_store *store;
    struct rt_operations *ops;
    int done, changed, cancelled, told;
    struct rt_operation *op;
    bool finish_on_cancel;
};

static void tell(void *ctx, struct rt_cluster *c, enum rt_topic t) {
    struct world *w = ctx;
    (void)c;
    w->told += t == RT_T_OPERATIONS;
}

static int make(void **state) {
    void *home;
    struct rt_error err = {0};
    if (home_make(&home) != 0)
        return -1;
    struct world *w = RT_NEW(struct world);
    w->home = home;
    w->loop = rt_loop_create(&err);
    w->store = rt_store_create();
    w->ops = rt_operations_create(w->loop, w->store);
    rt_store_add(w->store, "lab", "ssh");
    rt_store_watch(w->store, tell, w);
    *state = w;
    return 0;
}

static int end(void **state) {
    struct world *w = *state;
    void *home = w->home;
    rt_operations_destroy(w->ops);
    rt_store_destroy(w->store);
    rt_loop_destroy(w->loop);
    free(w);
    return home_remove(&home);
}

static void on_done(void *ctx, struct rt_operation *op) {
    struct world *w = ctx;
    assert_ptr_equal(op, w->op);
    w->done++;
}

static void on_change(void *ctx, struct rt_operation *op) {
    struct world *w = ctx;
    (void)op;
    w->changed++;
}

static void on_cancel(void *ctx) {
    struct world *w = ctx;
    struct rt_error err = {0};
    w->cancelled++;
    rt_error_set(&err, RT_E_CANCELLED, "cancelled");
    if (w->finish_on_cancel)
        rt_operation_finish(w->op, &err, "nothing is left");
}

static struct rt_operation *start(struct world *w) {
    w->op = rt_operation_start(w->ops, "up", "lab", "up lab", on_cancel, w);
    rt_operation_on_done(w->op, on_done, w);
    rt_operation_on_change(w->op, on_change, w);
    return w->op;
}

static char *log_of(const struct rt_operation *op) {
    struct rt_buf b;
    struct rt_error err = {0};
    rt_buf_init(&b, 0);
    if (!rt_file_read(op->log_path, 0, &b, &err))
        fail_msg("%s", err.message);
    return rt_buf_take(&b);
}

static void an_operation_has_steps_and_an_end(void **state) {
    struct world *w = *state;
    struct rt_operation *op = start(w);
    assert_ptr_equal(rt_store_operations(w->store), w->ops);
    assert_int_equal(rt_operations_running(w->ops), 1);
    size_t a = rt_operation_step(op, "lab1", "installing ray %s", "2.60.0");
    size_t b = rt_operation_step(op, NULL, "starting");
    rt_operation_step_end(op, a, NULL);
    assert_int_equal(op->steps[a].state, RT_OPS_DONE);
    assert_string_equal(op->steps[a].subject, "lab1");
    assert_string_equal(op->steps[a].title, "installing ray 2.60.0");
    assert_true(op->steps[a].end_ms >= op->steps[a].start_ms);
    assert_int_equal(op->steps[b].state, RT_OPS_RUNNING);
    rt_operation_finish(op, NULL, "lab is up");
    assert_int_equal(w->done, 0); /* later, not inside */
    assert_int_equal(op->steps[b].state, RT_OPS_DONE);
    rt_loop_turn(w->loop, false);
    assert_int_equal(w->done, 1);
    rt_loop_turn(w->loop, false);
    assert_int_equal(w->done, 1);
    assert_int_equal(op->state, RT_OPS_DONE);
    assert_string_equal(op->result, "lab is up");
    assert_int_equal(rt_operations_running(w->ops), 0);
    assert_int_equal(w->changed, 4);
    assert_true(w->told >= w->changed);
    rt_operation_finish(op, NULL, "twice"); /* only the first end counts */
    assert_string_equal(op->result, "lab is up");
    rt_operation_on_done(op, on_done, w); /* asked for after the end: still told, once */
    rt_loop_turn(w->loop, false);
    assert_int_equal(w->done, 2);
}

static void a_failure_ends_the_running_steps_with_it(void **state) {
    struct world *w = *state;
    struct rt_operation *op = start(w);
    struct rt_error err = {0};
    size_t a = rt_operation_step(op, "lab1", "connecting");
    size_t b = rt_operation_step(op, "lab2", "connecting");
    rt_operation_step_end(op, a, NULL);
    rt_error_set(&err, RT_E_UNREACHABLE, "lab2: refused");
    rt_operation_finish(op, &err, NULL);
    assert_int_equal(op->state, RT_OPS_FAILED);
    assert_int_equal(op->steps[a].state, RT_OPS_DONE);
    assert_int_equal(op->steps[b].state, RT_OPS_FAILED);
    assert_string_equal(op->error.message, "lab2: refused");
    char *log = log_of(op);
    assert_non_null(strstr(log, "== lab2: connecting\n"));
    assert_non_null(strstr(log, "lab2: refused\n"));
    free(log);
}

static void cancel_asks_once_and_the_end_tells(void **state) {
    struct world *w = *state;
    struct rt_operation *op = start(w);
    rt_operation_step(op, NULL, "waiting");
    rt_operation_cancel(op);
    rt_operation_cancel(op);
    assert_int_equal(w->cancelled, 1);
    assert_true(op->cancelling);
    assert_int_equal(op->state, RT_OPS_RUNNING);
    struct rt_error err = {0};
    rt_error_set(&err, RT_E_CANCELLED, "cancelled");
    rt_operation_finish(op, &err, "it is up");
    assert_int_equal(op->state, RT_OPS_CANCELLED);
    assert_null(op->result); /* what it would have come to is not what came */
    assert_int_equal(op->steps[0].state, RT_OPS_CANCELLED);
    assert_false(op->cancelling);
    rt_operation_cancel(op);
    assert_int_equal(w->cancelled, 1);
}

static void destroying_the_list_cancels_what_runs(void **state) {
    struct world *w = *state;
    start(w);
    w->finish_on_cancel = true;
    rt_operations_destroy(w->ops);
    assert_int_equal(w->cancelled, 1);
    assert_int_equal(w->done, 0);
    assert_null(rt_store_operations(w->store));
    w->ops = rt_operations_create(w->loop, w->store);
    rt_loop_turn(w->loop, false);
    assert_int_equal(w->done, 0);
}

static void the_last_line_of_output_is_clean(void **state) {
    struct world *w = *state;
    struct rt_operation *op = start(w);
    size_t s = rt_operation_step(op, NULL, "installing");
    static const char *const parts[] = {"Collecting aio", "http\n", "  10%\r  50%", "\r 100%\r",
                                        "\x1b[32mok\x1b[0m\n\n"};
    static const char *const last[] = {"Collecting aio", "Collecting aiohttp", "  50%", " 100%",
                                       "^[[32mok^[[0m"};
    for (size_t i = 0; i < RT_COUNT(parts); i++) {
        rt_operation_output(op, s, parts[i], strlen(parts[i]));
        assert_string_equal(op->steps[s].last_line, last[i]);
    }
    rt_operation_finish(op, NULL, NULL);
    char *log = log_of(op);
    assert_non_null(
        strstr(log, "Collecting aiohttp\n  10%\r  50%\r 100%\r\x1b[32mok")); /* as it came */
    free(log);
    struct stat st;
    assert_int_equal(stat(op->log_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_line_without_end_costs_no_memory(void **state) {
    struct world *w = *state;
    struct rt_operation *op = start(w);
    size_t s = rt_operation_step(op, NULL, "flood");
    char block[8192];
    memset(block, 'x', sizeof(block));
    for (int i = 0; i < 100; i++)
        rt_operation_output(op, s, block, sizeof(block));
    assert_true(strlen(op->steps[s].last_line) < 5000);
    rt_operation_output(op, s, "\nshort\n", 7);
    assert_string_equal(op->steps[s].last_line, "short");
}

static void secrets_do_not_reach_the_output_on_disk(void **state) {
    struct world *w = *state;
    struct rt_operation *op = start(w);
    rt_log_secret("hunter2secret");
    size_t s = rt_operation_step(op, NULL, "echo");
    rt_operation_output(op, s, "token hunter2secret\n", 20);
    assert_string_equal(op->steps[s].last_line, "token ***");
    rt_operation_finish(op, NULL, NULL);
    char *log = log_of(op);
    assert_null(strstr(log, "hunter2secret"));
    free(log);
}

static void output_is_on_disk_soon_although_it_runs_on(void **state) {
    struct world *w = *state;
    struct rt_operation *op = start(w);
    size_t s = rt_operation_step(op, NULL, "long");
    rt_operation_output(op, s, "hello\n", 6);
    for (int i = 0; i < 100 && !rt_file_exists(op->log_path); i++)
        rt_loop_turn(w->loop, true);
    char *log = log_of(op);
    assert_non_null(strstr(log, "hello\n"));
    free(log);
}

static void progress_is_told_when_it_changes(void **state) {
    struct world *w = *state;
    struct rt_operation *op = start(w);
    size_t s = rt_operation_step(op, NULL, "uploading");
    int before = w->changed;
    rt_operation_progress(op, s, 5, 10);
    rt_operation_progress(op, s, 5, 10);
    rt_operation_progress(op, 99, 5, 10);
    assert_int_equal(w->changed, before + 1);
    assert_int_equal(op->steps[s].done, 5);
}

static void the_last_hundred_stay(void **state) {
    struct world *w = *state;
    struct rt_operation *first = start(w);
    char id[24];
    for (int i = 0; i < 150; i++) {
        struct rt_operation *op = rt_operation_start(w->ops, "scale", "lab", "scale", NULL, NULL);
        if (i == 0)
            snprintf(id, sizeof(id), "%s", op->id);
        rt_operation_finish(op, NULL, NULL);
        rt_loop_turn(w->loop, false);
    }
    assert_int_equal(rt_operations_count(w->ops), 100);
    assert_null(rt_operations_find(w->ops, id));
    assert_ptr_equal(rt_operations_find(w->ops, first->id), first); /* it runs */
    assert_ptr_equal(rt_operations_at(w->ops, 99), first);
    assert_null(rt_operations_at(w->ops, 100));
}

static size_t count_logs(const char *dir) {
    size_t n = 0;
    DIR *d = opendir(dir);
    for (const struct dirent *e = readdir(d); e; e = readdir(d))
        n += rt_starts(e->d_name, "op-");
    closedir(d);
    return n;
}

static void outputs_of_long_ago_go(void **state) {
    struct world *w = *state;
    char name[64];
    for (int i = 0; i < 105; i++) {
        snprintf(name, sizeof(name), "clusters/lab/op-5000%04x-1-1.log", i);
        home_write(w->home, name, "x");
    }
    char *dir = rt_cluster_path("lab", NULL),
         *oldest = rt_cluster_path("lab", "op-50000000-1-1.log"),
         *newest = rt_cluster_path("lab", "op-50000068-1-1.log");
    assert_int_equal(count_logs(dir), 105);
    start(w);
    assert_int_equal(count_logs(dir), 100);
    assert_false(rt_file_exists(oldest));
    assert_true(rt_file_exists(newest));
    free(dir);
    free(oldest);
    free(newest);
}

static void check_cell(const struct world *w, const char *id, const char *want) {
    struct rt_row_env env = {.store = w->store, .now_ms = w->op->start_ms + 65000};
    struct rt_buf out;
    rt_buf_init(&out, 0);
    for (const struct rt_column *c = rt_table_operations.columns; c->id; c++)
        if (strcmp(c->id, id) == 0)
            c->text(&out, w->op, &env);
    assert_string_equal(rt_buf_str(&out), want);
    rt_buf_deinit(&out);
}

static void an_operation_is_a_row_of_the_table(void **state) {
    struct world *w = *state;
    struct rt_operation *op = start(w);
    struct rt_row_env env = {.store = w->store, .now_ms = op->start_ms + 65000};
    struct rt_error err = {0};
    assert_int_equal(rt_table_operations.count(&env), 1);
    assert_ptr_equal(rt_table_operations.at(&env, 0), op);
    check_cell(w, "title", "up lab");
    check_cell(w, "state", "running");
    check_cell(w, "took", "1m5s");
    check_cell(w, "step", "");
    size_t a = rt_operation_step(op, NULL, "connecting");
    rt_operation_step(op, "lab2", "uploading");
    rt_operation_step_end(op, a, NULL);
    rt_operation_progress(op, 1, 30, 60);
    check_cell(w, "step", "lab2: uploading 50%");
    rt_operation_cancel(op);
    check_cell(w, "state", "cancelling");
    rt_error_set(&err, RT_E_REMOTE, "no room\non lab2");
    rt_operation_finish(op, &err, NULL);
    check_cell(w, "state", "failed");
    check_cell(w, "result", "no room on lab2");
    check_cell(w, "step", "lab2: uploading");
    assert_int_equal(rt_table_operations.health(op, &env), RT_H_BAD);
    json_t *o = rt_table_operations.json(op, &env, false);
    assert_string_equal(rt_json_str(o, "error.code"), "remote");
    assert_int_equal(json_array_size(json_object_get(o, "steps")), 2);
    json_decref(o);
}

static void an_operation_without_a_cluster_is_fine(void **state) {
    struct world *w = *state;
    struct rt_operation *op = rt_operation_start(w->ops, "discover", NULL, NULL, NULL, NULL);
    assert_string_equal(op->title, "discover");
    rt_operation_cancel(op); /* nobody to ask */
    rt_operation_finish(op, NULL, NULL);
    rt_operation_set_retry(op, "discover here");
    assert_string_equal(rt_operation_retry_line(op), "discover here");
    rt_loop_turn(w->loop, false);
}

static void who_has_left_is_told_nothing(void **state) {
    struct world *w = *state;
    struct world other = {.op = NULL};
    struct rt_operation *op = start(w);
    rt_operation_on_change(op, on_change, &other);
    rt_operation_ignore(op, w);
    rt_operation_cancel(op);
    rt_operation_finish(op, NULL, NULL);
    rt_loop_turn(w->loop, false);
    assert_int_equal(w->cancelled, 1);
    assert_int_equal(w->changed, 0);
    assert_int_equal(w->done, 0);
    assert_int_equal(other.changed, 2);
}

static void start_another(void *ctx, struct rt_operation *op) {
    struct world *w = ctx;
    rt_operation_start(w->ops, "submit", "lab", NULL, NULL, NULL);
    assert_ptr_equal(rt_operations_find(w->ops, op->id), op);
    w->done++;
}

static void an_old_operation_stays_while_its_end_is_told(void **state) {
    struct world *w = *state;
    struct rt_operation *op = rt_operation_start(w->ops, "up", "lab", NULL, NULL, NULL);
    for (int i = 0; i < 100; i++)
        rt_operation_finish(rt_operation_start(w->ops, "stop", "lab", NULL, NULL, NULL), NULL, NULL);
    rt_loop_turn(w->loop, false);
    rt_operation_on_done(op, start_another, w);
    rt_operation_on_done(op, start_another, w);
    rt_operation_finish(op, NULL, NULL);
    rt_loop_turn(w->loop, false);
    assert_int_equal(w->done, 2);
}

#define op_test(fn) cmocka_unit_test_setup_teardown(fn, make, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        op_test(an_operation_has_steps_and_an_end),
        op_test(a_failure_ends_the_running_steps_with_it),
        op_test(cancel_asks_once_and_the_end_tells),
        op_test(destroying_the_list_cancels_what_runs),
        op_test(the_last_line_of_output_is_clean),
        op_test(a_line_without_end_costs_no_memory),
        op_test(secrets_do_not_reach_the_output_on_disk),
        op_test(output_is_on_disk_soon_although_it_runs_on),
        op_test(progress_is_told_when_it_changes),
        op_test(the_last_hundred_stay),
        op_test(outputs_of_long_ago_go),
        op_test(an_operation_is_a_row_of_the_table),
        op_test(an_operation_without_a_cluster_is_fine),
        op_test(who_has_left_is_told_nothing),
        op_test(an_old_operation_stays_while_its_end_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
