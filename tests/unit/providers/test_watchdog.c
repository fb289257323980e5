/* A cluster that ends by itself: its watchdog, run for real beside a stand-in for `ray`. */
#include "unit/providers/far_bed.h"

/* Until the file is there; a minute is enough on any machine. */
static char *await_file(const struct bed *b, const char *sub) {
    for (int i = 0; i < 600 && !exists(b, sub); i++)
        usleep(100000);
    if (!exists(b, sub))
        fail_msg("%s did not come", sub);
    return read_file(b, sub);
}

static void await_end_of(long pid) {
    for (int i = 0; i < 600 && rt_process_alive(pid); i++)
        usleep(100000);
    assert_false(rt_process_alive(pid));
}

/* Starts a head with `life`, waits until its watchdog ended it; gives why. */
static char *live(struct bed *b, const struct watchdog_opts *life) {
    b->script.life = life;
    start(b);
    const long head = pid_of(b, "lab", "head"), dog = pid_of(b, "lab", "watchdog");
    char *temp = told(b, "place temp_dir"), *why = await_file(b, ".raytui/lab/ended");
    await_end_of(head);
    await_end_of(dog);
    assert_false(exists(b, ".raytui/lab/connection"));
    assert_false(exists(b, ".raytui/lab/head.pid"));
    assert_false(rt_dir_exists(temp));
    run(b, look);
    assert_non_null(strstr(b->out, "\nended "));
    free(temp);
    return why;
}

static void nobody_uses_it_and_it_ends(void **state) {
    struct bed b;
    const struct watchdog_opts life = {.idle_ms = 3000};
    (void)state;
    bed_make(&b, "home");
    char *why = live(&b, &life);
    assert_string_equal(why, "idle timeout\n");
    free(why);
    run(&b, ssh_script_stop);
    assert_false(exists(&b, ".raytui"));
    bed_end(&b);
}

static void a_lifetime_ends_it_and_the_next_up_has_a_whole_one(void **state) {
    struct bed b;
    struct watchdog_opts life = {.lifetime_ms = 2000};
    (void)state;
    bed_make(&b, "home");
    char *why = live(&b, &life);
    assert_string_equal(why, "lifetime\n");
    free(why);
    life.lifetime_ms = 3600000;
    start(&b);
    char *json = await_file(&b, ".raytui/lab/watchdog/state.json");
    assert_non_null(strstr(json, "\"ends\": \"lifetime\""));
    assert_false(exists(&b, ".raytui/lab/ended"));
    assert_true(rt_process_alive(pid_of(&b, "lab", "head")));
    free(json);
    bed_end(&b);
}

static void user_script_is_sent_once_and_an_ephemeral_cluster_ends_with_it(void **state) {
    struct bed b;
    const struct watchdog_opts life = {.ephemeral = true, .job = "{\"entrypoint\": \"it's $(x)\", \"submission_id\": \"lab-1\"}"};
    (void)state;
    bed_make(&b, HOSTILE);
    free(b.own.far.python.venv);
    b.own.far.python.venv = rt_strdup("~/venv");
    char *why = live(&b, &life);
    assert_string_equal(why, "user_script SUCCEEDED\n");
    char *posted = read_file(&b, "posted"), *log = read_file(&b, ".raytui/lab/user_script.log");
    assert_string_equal(posted, "{\"entrypoint\": \"it's $(x)\", \"submission_id\": \"lab-1\"}\n");
    assert_string_equal(log, "its last words");
    assert_false(exists(&b, "pwned"));
    free(posted);
    free(log);
    free(why);
    bed_end(&b);
}

static void down_ends_the_watchdog_too(void **state) {
    struct bed b;
    const struct watchdog_opts life = {.idle_ms = 3600000};
    (void)state;
    bed_make(&b, "home");
    b.script.life = &life;
    start(&b);
    const long dog = pid_of(&b, "lab", "watchdog");
    free(await_file(&b, ".raytui/lab/watchdog/state.json"));
    start(&b);
    assert_int_equal(pid_of(&b, "lab", "watchdog"), dog);
    run(&b, ssh_script_stop);
    assert_false(rt_process_alive(dog));
    assert_false(exists(&b, ".raytui"));
    bed_end(&b);
}

static void a_worker_whose_head_is_gone_leaves_nothing(void **state) {
    struct bed b;
    struct pool_conf pool = {.name = (char *)(uintptr_t)"cpu"};
    (void)state;
    bed_make(&b, "home");
    start(&b);
    char *temp = b.place.temp_dir = told(&b, "place temp_dir"), *dashboard = told(&b, "place dashboard"), *ip = told(&b, "place dashboard_ip");
    b.place.gcs = (int)strtol(dashboard, NULL, 10);
    snprintf(b.place.ip, sizeof b.place.ip, "%s", ip);
    b.script.node = "cpu-1";
    b.script.pool = &pool;
    start(&b);
    const long worker = pid_of(&b, "lab", "cpu-1");
    b.script.node = "head";
    b.script.pool = NULL;
    run(&b, ssh_script_stop);
    assert_true(exists(&b, ".raytui/lab/cpu-1.pid"));
    kill((pid_t)worker, SIGKILL); /* as Ray itself does when it misses its head */
    for (int i = 0; i < 600 && exists(&b, ".raytui"); i++)
        usleep(100000);
    assert_false(exists(&b, ".raytui"));
    assert_false(rt_dir_exists(temp));
    free(temp);
    free(dashboard);
    free(ip);
    bed_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_uses_it_and_it_ends),
        cmocka_unit_test(a_lifetime_ends_it_and_the_next_up_has_a_whole_one),
        cmocka_unit_test(user_script_is_sent_once_and_an_ephemeral_cluster_ends_with_it),
        cmocka_unit_test(down_ends_the_watchdog_too),
        cmocka_unit_test(a_worker_whose_head_is_gone_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
