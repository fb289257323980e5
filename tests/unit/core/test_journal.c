#include "core/journal.h"
#include "home.h"
#include <fcntl.h>
#include <sys/wait.h>

static char *file_text(const char *path) {
    struct rt_buf b;
    struct rt_error err = {0};
    rt_buf_init(&b, 0);
    rt_file_read(path, 0, &b, &err);
    return rt_buf_take(&b);
}

static struct rt_journal *open_lab(void) {
    struct rt_error err = {0};
    struct rt_journal *j = rt_journal_open("lab", &err);
    if (!j)
        fail_msg("%s", err.message);
    return j;
}

static void want(struct rt_journal *j, const char *kind, const char *name) {
    struct rt_error err = {0};
    if (!rt_journal_want(j, "op-1", kind, name, NULL, &err))
        fail_msg("%s", err.message);
}

static void what_was_wanted_and_made_is_found_again(void **state) {
    (void)state;
    struct rt_error err = {0};
    struct rt_journal *j = open_lab();
    want(j, "process", "head");
    want(j, "venv", "ray");
    assert_true(rt_journal_made(j, "process", "head", "4711", "{\"host\":\"lab1\"}", &err));
    assert_true(rt_journal_gone(j, "venv", "ray", &err));
    rt_journal_close(j);
    j = open_lab();
    assert_int_equal(rt_journal_count(j), 1);
    const struct rt_journal_item *i = rt_journal_find(j, "process", "head");
    assert_int_equal(i->phase, RT_J_MADE);
    assert_string_equal(i->id, "4711");
    assert_string_equal(i->data, "{\"host\":\"lab1\"}");
    assert_int_equal(i->pid, getpid());
    assert_true(i->at_ms > 0);
    assert_null(rt_journal_find(j, "venv", "ray"));
    assert_null(rt_journal_at(j, 1));
    assert_true(rt_journal_lives("lab"));
    assert_false(rt_journal_lives("prod"));
    rt_journal_close(j);
}

static void a_line_is_on_disk_when_the_call_returns(void **state) {
    (void)state;
    struct rt_journal *j = open_lab();
    want(j, "process", "head");
    char *path = rt_cluster_path("lab", "journal.jsonl");
    char *text = file_text(path);
    assert_non_null(strstr(text, "\"phase\":\"want\""));
    assert_true(rt_ends(text, "}\n"));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    free(text);
    free(path);
    rt_journal_close(j);
}

static void a_torn_line_is_dropped_and_hurts_no_other(void **state) {
    (void)state;
    struct rt_error err = {0};
    struct rt_journal *j = open_lab();
    want(j, "process", "head");
    rt_journal_close(j);
    char *path = rt_cluster_path("lab", "journal.jsonl");
    static const char torn[] = "{\"t\":1,\"kind\":\"process\",\"name\":\"wor";
    assert_true(rt_file_append(path, torn, strlen(torn), false, &err));
    j = open_lab();
    assert_int_equal(rt_journal_count(j), 1);
    want(j, "process", "worker"); /* does not hang on the torn one */
    rt_journal_close(j);
    j = open_lab();
    assert_int_equal(rt_journal_count(j), 2);
    assert_non_null(rt_journal_find(j, "process", "worker"));
    rt_journal_close(j);
    free(path);
}

static void every_cut_of_the_file_reads_as_a_prefix_of_what_was_done(void **state) {
    (void)state;
    struct rt_error err = {0};
    struct rt_journal *j = open_lab();
    want(j, "process", "a");
    assert_true(rt_journal_made(j, "process", "a", "1", NULL, &err));
    want(j, "process", "b");
    rt_journal_close(j);
    char *path = rt_cluster_path("lab", "journal.jsonl");
    char *text = file_text(path);
    for (size_t n = 0; n <= strlen(text); n++) {
        assert_true(rt_file_write(path, text, n, &err));
        size_t lines = 0;
        for (size_t i = 0; i < n; i++)
            lines += text[i] == '\n';
        j = open_lab();
        /* The last line may be whole but for its newline. */
        assert_in_range(rt_journal_count(j), lines == 0 ? 0 : lines < 3 ? 1 : 2, lines < 2 ? 1 : 2);
        rt_journal_close(j);
    }
    free(text);
    free(path);
}

static void the_file_goes_when_all_is_gone(void **state) {
    (void)state;
    struct rt_error err = {0};
    struct rt_journal *j = open_lab();
    char *path = rt_cluster_path("lab", "journal.jsonl");
    want(j, "process", "head");
    const struct rt_journal_item *i = rt_journal_at(j, 0);
    assert_true(rt_journal_gone(j, i->kind, i->name, &err)); /* with the item's own words */
    assert_int_equal(rt_journal_count(j), 0);
    assert_false(rt_file_exists(path));
    assert_false(rt_journal_lives("lab"));
    want(j, "process", "again");
    assert_int_equal(rt_journal_count(j), 1);
    rt_journal_close(j);
    free(path);
}

static void what_another_raytui_wrote_is_not_thrown_away(void **state) {
    (void)state;
    struct rt_error err = {0};
    struct rt_journal *a = open_lab(), *b = open_lab();
    want(a, "process", "one");
    want(b, "process", "two");
    assert_true(rt_journal_gone(a, "process", "one", &err));
    assert_int_equal(rt_journal_count(a), 1);
    rt_journal_close(a);
    rt_journal_close(b);
    a = open_lab();
    assert_non_null(rt_journal_find(a, "process", "two"));
    rt_journal_close(a);
}

static void what_another_raytui_did_is_read_when_asked_for(void **state) {
    (void)state;
    struct rt_error err = {0};
    struct rt_journal *a = open_lab(), *b = open_lab();
    want(a, "process", "head");
    assert_false(rt_journal_reread(a)); /* its own line is known */
    assert_int_equal(rt_journal_count(b), 0);
    assert_true(rt_journal_reread(b));
    assert_int_equal(rt_journal_count(b), 1);
    assert_false(rt_journal_reread(b));
    want(b, "process", "w1");
    want(a, "process", "w2"); /* without having seen w1 */
    assert_true(rt_journal_reread(a));
    assert_int_equal(rt_journal_count(a), 3);
    for (const char *const *name = (const char *const[]){"head", "w1", "w2", NULL}; *name; name++)
        assert_true(rt_journal_gone(a, "process", *name, &err));
    assert_true(rt_journal_reread(b)); /* the file went */
    assert_int_equal(rt_journal_count(b), 0);
    rt_journal_close(a);
    rt_journal_close(b);
}

static void wanting_again_forgets_the_old_id(void **state) {
    (void)state;
    struct rt_error err = {0};
    struct rt_journal *j = open_lab();
    want(j, "process", "head");
    assert_true(rt_journal_made(j, "process", "head", "1", "7", &err));
    want(j, "process", "head");
    assert_null(rt_journal_at(j, 0)->id);
    assert_int_equal(rt_journal_at(j, 0)->phase, RT_J_WANT);
    assert_int_equal(rt_journal_count(j), 1);
    rt_journal_close(j);
}

static void a_cluster_with_something_alive_lives(void **state) {
    (void)state;
    struct rt_error err = {0};
    static const char *const names[] = {"lab10", "lab2", "done"};
    for (size_t i = 0; i < RT_COUNT(names); i++) {
        struct rt_journal *j = rt_journal_open(names[i], &err);
        want(j, "process", "head");
        if (i == 2)
            assert_true(rt_journal_gone(j, "process", "head", &err));
        rt_journal_close(j);
    }
    assert_true(rt_journal_lives("lab10"));
    assert_true(rt_journal_lives("lab2"));
    assert_false(rt_journal_lives("done"));
    assert_false(rt_journal_lives("none"));
}

/* A full disk, as far as a test can have one: no file may grow. */
static void a_disk_that_takes_nothing_refuses(void **state) {
    (void)state;
    struct rt_error err = {0};
    struct rt_journal *j = open_lab();
    char *path = rt_cluster_path("lab", "journal.jsonl");
    assert_int_equal(symlink("/dev/full", path), 0);
    assert_false(rt_journal_want(j, "op", "process", "head", NULL, &err));
    assert_int_equal(err.code, RT_E_LIMIT);
    assert_non_null(strstr(err.message, "journal: cannot write"));
    assert_string_not_equal(err.hint, "");
    assert_int_equal(rt_journal_count(j), 0);
    rt_journal_close(j);
    free(path);
}

static void a_place_that_cannot_be_made_refuses(void **state) {
    struct home *h = *state;
    struct rt_error err = {0};
    char *file = rt_strf("%s/raytui", h->dir);
    assert_true(rt_file_write(file, "x", 1, &err)); /* where a directory should be */
    assert_null(rt_journal_open("lab", &err));
    assert_true(rt_starts(err.message, "journal of lab: "));
    assert_string_not_equal(err.hint, "");
    free(file);
}

static void names_do_not_lead_out_of_their_directory(void **state) {
    struct home *h = *state;
    char *base = rt_strf("%s/raytui/clusters/", h->dir);
    static const char *const names[] = {"../../etc", "..", "a/b", ".hidden", ""};
    for (size_t i = 0; i < RT_COUNT(names); i++) {
        char *path = rt_cluster_path(names[i], "x");
        assert_true(rt_starts(path, base));
        const char *rest = path + strlen(base);
        assert_true(rest[0] != '.' && rest[0] != '/');
        assert_ptr_equal(strchr(rest, '/'), strrchr(rest, '/'));
        free(path);
    }
    free(base);
}

static void one_operation_at_a_time_holds_a_cluster(void **state) {
    (void)state;
    struct rt_error err = {0};
    int fd = rt_cluster_lock("lab", "up", &err);
    assert_true(fd >= 0);
    assert_int_equal(rt_cluster_lock("lab", "down", &err), -1);
    assert_int_equal(err.code, RT_E_BUSY);
    char *want_text = rt_strf("busy: pid %ld, up", (long)getpid());
    assert_string_equal(err.message, want_text);
    free(want_text);
    int other = rt_cluster_lock("prod", "up", &err);
    assert_true(other >= 0);
    rt_file_unlock(fd);
    fd = rt_cluster_lock("lab", "down", &err);
    assert_true(fd >= 0);
    rt_file_unlock(fd);
    rt_file_unlock(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        home_test(what_was_wanted_and_made_is_found_again),
        home_test(a_line_is_on_disk_when_the_call_returns),
        home_test(a_torn_line_is_dropped_and_hurts_no_other),
        home_test(every_cut_of_the_file_reads_as_a_prefix_of_what_was_done),
        home_test(the_file_goes_when_all_is_gone),
        home_test(what_another_raytui_wrote_is_not_thrown_away),
        home_test(what_another_raytui_did_is_read_when_asked_for),
        home_test(wanting_again_forgets_the_old_id),
        home_test(a_cluster_with_something_alive_lives),
        home_test(a_disk_that_takes_nothing_refuses),
        home_test(a_place_that_cannot_be_made_refuses),
        home_test(names_do_not_lead_out_of_their_directory),
        home_test(one_operation_at_a_time_holds_a_cluster),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
