/* The scripts of `ssh`, run by real shells in a HOME of their own on this machine, with a stand-in for the program `ray`:
 * they do what they say, may be run again, end only what is theirs, and take hostile text as data. */
#include "unit/providers/far_bed.h"

static void a_head_starts_answers_and_ends_without_a_trace(void **state) {
    struct bed b;
    (void)state;
    bed_make(&b, "home");
    start(&b);
    assert_true(rt_starts(b.out, "up\n"));
    char *dashboard = told(&b, "place dashboard"), *temp = told(&b, "place temp_dir");
    assert_true(strtol(dashboard, NULL, 10) >= b.own.far.dashboard_port);
    assert_true(rt_dir_exists(temp));
    const long pid = pid_of(&b, "lab", "head");
    assert_true(rt_process_alive(pid));
    assert_int_equal(getsid((pid_t)pid), pid);
    char *connection = read_file(&b, ".raytui/lab/connection");
    assert_non_null(strstr(connection, "RAY_ADDRESS=ray://"));
    free(connection);
    run(&b, ssh_script_stop);
    assert_false(rt_process_alive(pid));
    assert_false(exists(&b, ".raytui"));
    assert_false(rt_dir_exists(temp));
    run(&b, look);
    assert_string_equal(b.out, "none\n");
    free(temp);
    free(dashboard);
    bed_end(&b);
}

static void starting_twice_makes_one(void **state) {
    struct bed b;
    (void)state;
    bed_make(&b, "home");
    start(&b);
    const long pid = pid_of(&b, "lab", "head");
    start(&b);
    assert_true(rt_starts(b.out, "up\n"));
    assert_int_equal(pid_of(&b, "lab", "head"), pid);
    bed_end(&b);
}

static void another_cluster_on_the_host_lives_on(void **state) {
    struct bed b;
    (void)state;
    bed_make(&b, "home");
    start(&b);
    char *first = told(&b, "place dashboard");
    b.script.cluster = "other";
    start(&b);
    char *second = told(&b, "place dashboard");
    assert_string_not_equal(first, second); /* the port was taken */
    const long pid = pid_of(&b, "other", "head");
    b.script.cluster = "lab";
    run(&b, ssh_script_stop);
    assert_true(rt_process_alive(pid));
    assert_true(exists(&b, ".raytui/other/connection"));
    b.script.cluster = "other";
    run(&b, look);
    assert_true(rt_starts(b.out, "up\n"));
    free(first);
    free(second);
    bed_end(&b);
}

static void a_worker_and_the_head_on_one_host_end_one_by_one(void **state) {
    struct bed b;
    struct pool_conf pool = {.name = (char *)(uintptr_t)"cpu", .size = {.cpus = 2}};
    (void)state;
    bed_make(&b, "home");
    start(&b);
    char *temp = b.place.temp_dir = told(&b, "place temp_dir"), *gcs = told(&b, "place dashboard"), *ip = told(&b, "place dashboard_ip");
    b.place.gcs = (int)strtol(gcs, NULL, 10); /* something that listens */
    snprintf(b.place.ip, sizeof b.place.ip, "%s", ip);
    b.script.node = "cpu-1";
    b.script.pool = &pool;
    start(&b);
    const long pid = pid_of(&b, "lab", "cpu-1"), head = pid_of(&b, "lab", "head");
    assert_true(rt_process_alive(pid));
    run(&b, ssh_script_stop);
    assert_false(rt_process_alive(pid));
    assert_true(rt_process_alive(head));
    assert_true(rt_dir_exists(temp));
    assert_false(exists(&b, ".raytui/lab/cpu-1.log"));
    bed_end(&b);
    assert_false(rt_dir_exists(temp));
    free(temp);
    free(gcs);
    free(ip);
}

static void a_process_that_took_the_pid_is_left_alone(void **state) {
    struct bed b;
    (void)state;
    bed_make(&b, "home");
    const pid_t stranger = fork();
    if (stranger == 0) {
        setsid();
        execlp("sleep", "sleep", "600", (char *)NULL);
        _exit(127);
    }
    char *line = rt_strf("%ld 1 lab/x/head\n", (long)stranger);
    write_file(&b, ".raytui/lab/head.pid", line, 0600);
    run(&b, look);
    assert_string_equal(b.out, "ended\n");
    run(&b, ssh_script_stop);
    assert_true(rt_process_alive(stranger));
    assert_false(exists(&b, ".raytui"));
    kill(stranger, SIGKILL);
    waitpid(stranger, NULL, 0);
    free(line);
    bed_end(&b);
}

static void what_it_started_in_other_sessions_ends_too(void **state) {
    struct bed b;
    (void)state;
    bed_make(&b, "home");
    start(&b);
    char *text = read_file(&b, ".raytui/lab/head.pid"), *mark = strrchr(text, ' ') + 1;
    mark[strcspn(mark, "\n")] = 0;
    const pid_t child = fork(); /* a driver of a job: its own session, the environment of its node */
    if (child == 0) {
        setsid();
        setenv("RAYTUI_NODE", mark, 1);
        execlp("sleep", "sleep", "600", (char *)NULL);
        _exit(127);
    }
    usleep(200000);
    run(&b, ssh_script_stop);
    int status = 0;
    assert_int_equal(waitpid(child, &status, WNOHANG), child);
    assert_true(WIFSIGNALED(status));
    free(text);
    bed_end(&b);
}

static void hostile_text_stays_data(void **state) {
    struct bed b;
    char *venv = rt_strdup("~/" HOSTILE "/v");
    (void)state;
    bed_make(&b, HOSTILE);
    free(b.own.far.python.venv);
    b.own.far.python.venv = venv;
    b.own.far.temp_dir = rt_strdup("~/" HOSTILE " t");
    rt_strs_add(&b.own.far.size.resources, HOSTILE "\nEOF\n'=2");
    write_file(&b, HOSTILE "/v/bin/ray", fake_ray, 0755);
    start(&b);
    char *argv = read_file(&b, "argv-head");
    struct rt_error err = {0};
    json_t *words = rt_json_parse(argv, strlen(argv), &err), *word;
    bool found = false;
    size_t i;
    json_array_foreach(words, i, word) {
        const char *w = json_string_value(word);
        json_t *res = rt_starts(w, "--resources=") ? rt_json_parse(w + 12, strlen(w + 12), &err) : NULL;
        found = found || json_number_value(json_object_get(res, HOSTILE "\nEOF\n'")) == 2.0;
        json_decref(res);
    }
    assert_true(found);
    assert_false(exists(&b, "pwned"));
    json_decref(words);
    free(argv);
    run_by(&b, "bash -l", ssh_script_prepare);
    assert_int_equal(b.status, 0);
    bed_end(&b);
}

static void a_ray_that_does_not_start_says_why(void **state) {
    struct bed b;
    (void)state;
    bed_make(&b, "home");
    b.own.far.size.cpus = 13;
    char *ray = rt_strf("%s/venv/bin/ray", b.home);
    b.script.ray = ray;
    run_by(&b, "sh", ssh_script_start);
    assert_int_not_equal(b.status, 0);
    assert_non_null(strstr(b.out, "no luck today"));
    assert_false(exists(&b, ".raytui/lab/head.lock"));
    b.script.ray = NULL;
    free(ray);
    bed_end(&b);
}

static void the_head_lists_its_nodes(void **state) {
    struct bed b;
    (void)state;
    bed_make(&b, "home");
    run(&b, book);
    run(&b, look);
    assert_string_equal(b.out, "none\nnode cpu-1 me@[fe80::1]:2222\n");
    run(&b, unbook);
    run(&b, look);
    assert_string_equal(b.out, "none\n");
    bed_end(&b);
}

static void a_lock_of_a_dead_process_is_taken_over(void **state) {
    struct bed b;
    char host[200];
    (void)state;
    bed_make(&b, "home");
    gethostname(host, sizeof host);
    char *by = rt_strf("%s 4194000 1\n", host);
    write_file(&b, ".raytui/lab/head.lock/by", by, 0600);
    start(&b);
    assert_true(rt_starts(b.out, "up\n"));
    free(by);
    bed_end(&b);
}

/* Eight that choose at once, each for five ports. */
static void choose(const struct ssh_script *s, struct rt_buf *out) {
    far_begin(&s->own->far, s->cluster, out);
    rt_buf_adds(out, far_sh_net);
    rt_buf_addf(out, "home\nPY=python3\n: >\"$D/claim\"\n"
                     "for i in 1 2 3 4 5 6 7 8; do net ports \"$D/claim\" %d %d %d 52365 52366 >\"$D/ports.$i\" & done\n"
                     "wait\ncat \"$D\"/ports.*\n",
                (int)s->own->far.dashboard_port, (int)s->own->far.client_port, (int)s->own->far.gcs_port);
    far_end(out);
}

static void those_who_choose_ports_at_once_are_told_different_ones(void **state) {
    struct bed b;
    bool seen[65536] = {false};
    size_t n = 0;
    (void)state;
    bed_make(&b, "home");
    run(&b, choose);
    for (char *at = b.out; *at; n++) {
        char *end;
        const long number = strtol(at, &end, 10);
        assert_true(end > at && number > 0);
        if (n % 6 < 5) { /* then the process that holds them */
            assert_true(number < 65536);
            assert_false(seen[number]);
            seen[number] = true;
        } else {
            assert_int_equal(kill((pid_t)number, SIGTERM), 0);
        }
        at = end + strspn(end, " \n");
    }
    assert_int_equal(n, 48);
    bed_end(&b);
}

/* Two clusters whose heads start in the same second. */
static void start_two(const struct ssh_script *s, struct rt_buf *out) {
    struct ssh_script other = *s;
    other.cluster = "other";
    other.ray = "venv/bin/ray";
    rt_buf_adds(out, "cd \"$HOME\"\n(\n");
    ssh_script_start(&other, out);
    rt_buf_adds(out, ") >other.out 2>&1 &\n(\n");
    other.cluster = s->cluster;
    ssh_script_start(&other, out);
    rt_buf_adds(out, ") && wait $! && sed -n 's/^place dashboard /other /p' other.out\n");
}

static void two_heads_that_start_at_once_both_come_up(void **state) {
    struct bed b;
    (void)state;
    bed_make(&b, "home");
    run(&b, start_two);
    char *first = told(&b, "place dashboard"), *second = told(&b, "other");
    assert_string_not_equal(first, second);
    free(first);
    free(second);
    b.script.cluster = "other";
    run(&b, ssh_script_stop);
    b.script.cluster = "lab";
    bed_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_starts_answers_and_ends_without_a_trace),
        cmocka_unit_test(starting_twice_makes_one),
        cmocka_unit_test(another_cluster_on_the_host_lives_on),
        cmocka_unit_test(a_worker_and_the_head_on_one_host_end_one_by_one),
        cmocka_unit_test(a_process_that_took_the_pid_is_left_alone),
        cmocka_unit_test(what_it_started_in_other_sessions_ends_too),
        cmocka_unit_test(hostile_text_stays_data),
        cmocka_unit_test(a_ray_that_does_not_start_says_why),
        cmocka_unit_test(the_head_lists_its_nodes),
        cmocka_unit_test(a_lock_of_a_dead_process_is_taken_over),
        cmocka_unit_test(those_who_choose_ports_at_once_are_told_different_ones),
        cmocka_unit_test(two_heads_that_start_at_once_both_come_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
