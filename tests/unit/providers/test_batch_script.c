/* Scripts of batch clusters: a shell can read each of them, and words of a configuration stay words. */
#include "unit/cmocka_all.h"
#include "base/mem.h"
#include "providers/batch_impl.h"
#include "providers/slurm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVIL "~/my env'; touch /tmp/raytui-evil; $(touch /tmp/raytui-evil) `touch /tmp/raytui-evil` \""

static struct batch_config config(void) {
    struct batch_config c = {.far = {.size = {0}}};
    c.far.python.venv = rt_strdup(EVIL);
    c.far.temp_dir = rt_strdup(EVIL);
    c.login = rt_strdup("login");
    rt_strs_add(&c.ask.resources, "it's=2");
    rt_strs_add(&c.far.size.labels, "a=$(touch /tmp/raytui-evil)");
    return c;
}

static void config_free(struct batch_config *c) {
    free(c->far.python.venv);
    free(c->far.temp_dir);
    free(c->login);
    rt_strs_deinit(&c->ask.resources);
    rt_strs_deinit(&c->far.size.labels);
}

static struct batch_script script(const struct batch_config *c, const char *node) {
    return (struct batch_script){.dialect = &slurm_dialect, .cluster = "lab", .own = c, .node = node, .ask = &c->ask, .fixed = 2,
                                 .ray = EVIL "/ray", .python = EVIL "/python", .watchdog = {.idle_ms = 60000, .far = &c->far}};
}

/* The shell reads it and runs nothing. */
static void reads(const char *shell, struct rt_buf *text) {
    char path[] = "/tmp/raytui-batch-XXXXXX", line[80];
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text->data, 1, text->len, f), text->len);
    assert_int_equal(fclose(f), 0);
    snprintf(line, sizeof line, "%s -n %s", shell, path);
    FILE *p = popen(line, "r");
    assert_non_null(p);
    const int status = pclose(p);
    remove(path);
    if (status != 0)
        fail_msg("%s cannot read\n%s", shell, text->data);
    rt_buf_clear(text);
}

static void each_script_can_be_read_by_its_shell(void **state) {
    struct batch_config c = config();
    const struct batch_script head = script(&c, "head"), worker = script(&c, "cpu-1");
    struct rt_strs nodes = {0};
    struct rt_buf b;
    (void)state;
    rt_buf_init(&b, 0);
    rt_strs_add(&nodes, "head");
    rt_strs_add(&nodes, "cpu-1");
    batch_script_job(&head, &b);
    reads("bash", &b);
    batch_script_node(&head, &b);
    reads("bash", &b);
    batch_script_job(&worker, &b);
    reads("bash", &b);
    batch_script_node(&worker, &b);
    reads("bash", &b);
    batch_script_prepare(&head, &b);
    reads("sh", &b);
    batch_script_look(&head, &b);
    reads("sh", &b);
    batch_script_submit(&head, &b);
    reads("sh", &b);
    batch_script_stop(&head, &nodes, true, &b);
    reads("sh", &b);
    batch_script_doctor(&head, &b);
    reads("sh", &b);
    rt_buf_deinit(&b);
    rt_strs_deinit(&nodes);
    config_free(&c);
}

static void a_job_of_a_worker_is_one_host_and_the_head_s_holds_all_of_its_own(void **state) {
    struct batch_config c = config();
    const struct batch_script head = script(&c, "head"), worker = script(&c, "cpu-1");
    struct rt_buf b;
    (void)state;
    rt_buf_init(&b, 0);
    batch_script_job(&head, &b);
    assert_non_null(strstr(rt_buf_str(&b), "#SBATCH --nodes=3\n"));
    assert_non_null(strstr(rt_buf_str(&b), "#SBATCH --job-name=rt-lab-head\n"));
    rt_buf_clear(&b);
    batch_script_job(&worker, &b);
    assert_non_null(strstr(rt_buf_str(&b), "#SBATCH --nodes=1\n"));
    rt_buf_deinit(&b);
    config_free(&c);
}

static void words_of_a_configuration_are_quoted(void **state) {
    struct batch_config c = config();
    const struct batch_script s = script(&c, "head");
    struct rt_buf b;
    (void)state;
    rt_buf_init(&b, 0);
    batch_script_node(&s, &b);
    rt_buf_adds(&b, "\n");
    /* Inside single quotes only: the quote of the word itself is written '\''. */
    assert_non_null(strstr(rt_buf_str(&b), "my env'\\''; touch /tmp/raytui-evil; $(touch"));
    assert_null(strstr(rt_buf_str(&b), "my env'; touch"));
    rt_buf_deinit(&b);
    config_free(&c);
}

/* Killed hard and put back into the queue, it runs again under its id before its script has taken the old place away. */
static void a_place_is_that_of_the_run_under_way_only(void **state) {
    struct far_place at = {0};
    struct bjob head = {.id = rt_strdup("12"), .state = BATCH_RUNNING};
    (void)state;
    far_place_take(&at, "job", "12");
    far_place_take(&at, "began", "1000");
    head.began_ms = 998 * 1000; /* it began, then its script wrote */
    assert_true(batch_place_current(&at, &head));
    head.began_ms = 1003 * 1000; /* clocks of two hosts */
    assert_true(batch_place_current(&at, &head));
    head.began_ms = 1120 * 1000;
    assert_false(batch_place_current(&at, &head));
    head.began_ms = 0; /* a scheduler that does not tell */
    assert_true(batch_place_current(&at, &head));
    far_place_take(&at, "job", "13");
    assert_false(batch_place_current(&at, &head));
    free(head.id);
    far_place_clear(&at);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_is_that_of_the_run_under_way_only),
        cmocka_unit_test(each_script_can_be_read_by_its_shell),
        cmocka_unit_test(a_job_of_a_worker_is_one_host_and_the_head_s_holds_all_of_its_own),
        cmocka_unit_test(words_of_a_configuration_are_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
