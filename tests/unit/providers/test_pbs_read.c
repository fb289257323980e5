/* What PBS's commands print, as it was recorded from OpenPBS 23.06.06, as Torque words it, and as nobody should. */
#include "unit/cmocka_all.h"
#include "base/fs.h"
#include "base/mem.h"
#include "providers/batch.h"
#include "providers/pbs.h"
#include <stdlib.h>
#include <string.h>

static struct pbs_jobs read_text(const char *text) {
    struct pbs_jobs l;
    pbs_jobs_read(text, strlen(text), 0, &l);
    return l;
}

static char *fixture(const char *name) {
    struct rt_buf b;
    struct rt_error err;
    char *path = rt_strf("%s/pbs/%s", RT_FIXTURES, name);
    rt_buf_init(&b, RT_MIB);
    if (!rt_file_read(path, RT_MIB, &b, &err))
        fail_msg("%s", err.message);
    free(path);
    return rt_buf_take(&b);
}

static struct pbs_jobs read_fixture(const char *name) {
    char *text = fixture(name);
    struct pbs_jobs l = read_text(text);
    free(text);
    return l;
}

static void why_is(const struct pbs_jobs *l, const char *id, enum pbs_wait wait, const char *plain) {
    const struct pbs_job *j = pbs_job_find(l, id);
    struct rt_buf b, todo;
    assert_non_null(j);
    rt_buf_init(&b, 1024);
    rt_buf_init(&todo, 1024);
    assert_int_equal(pbs_why(j, &b, &todo), wait);
    assert_string_equal(rt_buf_str(&b), plain);
    rt_buf_deinit(&b);
    rt_buf_deinit(&todo);
}

static void end_is(const struct pbs_jobs *l, const char *id, const char *plain) {
    const struct pbs_job *j = pbs_job_find(l, id);
    struct rt_buf b;
    assert_non_null(j);
    rt_buf_init(&b, 1024);
    pbs_end(j, &b);
    assert_string_equal(rt_buf_str(&b), plain);
    rt_buf_deinit(&b);
}

/* ---- recorded ---- */

static void a_running_job_is_read_from_json(void **state) {
    struct pbs_jobs l = read_fixture("qstat-f-running.json");
    struct rt_strs hosts = {0};
    (void)state;
    assert_int_equal(l.n, 1);
    const struct pbs_job *j = &l.v[0];
    assert_string_equal(j->id, "18.login");
    assert_string_equal(j->name, "ray-demo");
    assert_int_equal(j->state, 'R');
    assert_int_equal(j->walltime_s, 600);
    assert_int_equal(j->used_s, 10);
    assert_int_equal(j->asked_s, 1795231394);
    assert_int_equal(j->asked_s - j->start_s, 23);
    pbs_hosts(j->hosts, &hosts);
    assert_int_equal(hosts.n, 2);
    assert_string_equal(hosts.v[0], "n1");
    assert_string_equal(hosts.v[1], "n2");
    rt_strs_deinit(&hosts);
    pbs_jobs_deinit(&l);
}

static void the_same_job_is_read_from_text_whose_lines_break_anywhere(void **state) {
    struct pbs_jobs l = read_fixture("qstat-f-running.txt");
    (void)state;
    assert_int_equal(l.n, 1);
    assert_string_equal(l.v[0].id, "0.login");
    assert_string_equal(l.v[0].comment, "Job run at Sat Nov 21 at 03:19 on (n1:ncpus=2:mem=2097152kb)+(n2:ncpus=2:mem=2097152kb)");
    assert_int_equal(l.v[0].walltime_s, 600);
    assert_int_equal(l.v[0].start_s, 1795231173);
    assert_string_equal(l.v[0].hosts, "n1/0*2+n2/0*2");
    pbs_jobs_deinit(&l);
}

static void what_waits_says_why_in_plain_words(void **state) {
    struct pbs_jobs l = read_fixture("qstat-f-many.json");
    (void)state;
    assert_int_equal(l.n, 10);
    why_is(&l, "0.login", PBS_WAITS, "");
    why_is(&l, "4.login", PBS_NEVER, "40 CPUs are wanted, but there are 8");
    why_is(&l, "8", PBS_HELD, "held by its owner");
    why_is(&l, "10.login", PBS_WAITS, "queue stopped does not start jobs now");
    why_is(&l, "11.login", PBS_WAITS, "waits for the time that it was submitted for");
    why_is(&l, "12.login", PBS_WAITS, "waits for job 0 to begin");
    why_is(&l, "13.login", PBS_WAITS, "8 CPUs are wanted, 2 of 8 are free");
    assert_int_equal(pbs_job_find(&l, "11.login")->begins_s - pbs_job_find(&l, "11.login")->asked_s, 1795305540 - 1795231249);
    assert_null(pbs_job_find(&l, "1.login"));
    assert_null(pbs_job_find(&l, "10.elsewhere"));
    pbs_jobs_deinit(&l);
}

static void what_has_ended_says_how(void **state) {
    struct pbs_jobs l = read_fixture("qstat-xf-finished.json"), failed = read_fixture("qstat-xf-failed.txt");
    (void)state;
    end_is(&l, "0.login", "deleted by ray@login");
    end_is(&l, "4.login", "deleted while it waited");
    end_is(&l, "14.login", "its walltime was over");
    end_is(&l, "15.login", "ended with exit status 3");
    end_is(&l, "17.login", "ended with exit status 0");
    end_is(&failed, "15.login", "ended with exit status 3");
    pbs_jobs_deinit(&l);
    pbs_jobs_deinit(&failed);
}

static void torque_s_text_is_read_as_well(void **state) {
    struct pbs_jobs l = read_fixture("torque-qstat-f.txt");
    struct rt_strs hosts = {0};
    (void)state;
    assert_int_equal(l.n, 2);
    assert_string_equal(l.v[0].id, "4321.torque.example.com");
    assert_int_equal(l.v[0].state, 'R');
    assert_int_equal(l.v[0].walltime_s, 3600);
    assert_int_equal(l.v[0].start_s, 1795231174);
    pbs_hosts(l.v[0].hosts, &hosts);
    pbs_hosts(l.v[1].hosts, &hosts);
    assert_int_equal(hosts.n, 3);
    assert_int_equal(l.v[1].state, 'C');
    end_is(&l, "4322", "ended by signal 15");
    rt_strs_deinit(&hosts);
    pbs_jobs_deinit(&l);
}

static void the_refusals_name_the_field_that_they_mean(void **state) {
    static const struct {
        const char *text, *field, *sentence;
    } rows[] = {
        {"qsub: Unknown queue\n", "queue", "Unknown queue"},
        {"qsub: Queue is not enabled\n", "queue", "Queue is not enabled"},
        {"qsub: Job violates queue and/or server resource limits\n", "walltime", "Job violates queue and/or server resource limits"},
        {"qsub: Unknown resource: nogpus\n", "select", "Unknown resource: nogpus"},
        {"qsub: Unknown resource: ngpus\n", "gpus_per_node", "Unknown resource: ngpus"},
        {"qsub: Illegal attribute or resource value select.ncpus\n", "cpus_per_node", "Illegal attribute or resource value select.ncpus"},
        {"qsub: Illegal attribute or resource value Resource_List.walltime\n", "walltime",
         "Illegal attribute or resource value Resource_List.walltime"},
        {"qsub: Illegal attribute or resource value Resource_List.place\n", "directives",
         "Illegal attribute or resource value Resource_List.place"},
        {"*** maintenance on Monday ***\nqsub: illegal -N value\nusage: qsub [-a date_time]\n", "directives", "illegal -N value"},
        {"qsub: Invalid account\n", "account", "Invalid account"},
        {"qsub: would exceed queue generic's per-user limit\n", "queue", "would exceed queue generic's per-user limit"},
        {"something else\nthe last line\n", NULL, "the last line"},
        {"", NULL, ""},
    };
    (void)state;
    for (size_t i = 0; i < RT_COUNT(rows); i++) {
        char sentence[200];
        const char *field = pbs_refused(rows[i].text, sentence, sizeof sentence);
        assert_string_equal(field ? field : "-", rows[i].field ? rows[i].field : "-");
        assert_string_equal(sentence, rows[i].sentence);
    }
}

static void the_id_is_found_among_what_sites_print(void **state) {
    static const char *const rows[][2] = {
        {"18.login\n", "18.login"},
        {"Project abc has 12 hours left\n  1234.pbs01.cluster.example\r\nthank you\n", "1234.pbs01.cluster.example"},
        {"77[].server\n", "77[].server"},
        {"99\n", "99"},
        {"12.login; rm -rf /\n", NULL},
        {"$(x).login\n-1\n.login\n", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < RT_COUNT(rows); i++) {
        char *id = pbs_submitted(rows[i][0]);
        assert_true(rt_streq(id, rows[i][1]));
        free(id);
    }
}

/* ---- dates and durations ---- */

static void dates_without_a_zone_take_that_of_the_server(void **state) {
    (void)state;
    assert_int_equal(pbs_date("Thu Jan  1 00:00:01 1970", 0), 1);
    assert_int_equal(pbs_date("Sun Feb 29 12:00:00 2032", 0), 1961668800);
    assert_int_equal(pbs_date("Sat Nov 21 03:19:33 2026", 3600), 1795231173 - 3600);
    assert_int_equal(pbs_date("1795231173", 3600), 1795231173);
    static const char *const wrong[] = {"", "now", "Sat Nov 21 2026", "Sat Xyz 21 03:19:33 2026", "Sat anF 21 03:19:33 2026", "Sat Nov 99 03:19:33 2026",
                                        "Sat Nov 21 33:19:33 2026", "Sat Nov 21 -3:19:33 2026", "-5", "9223372036854775807"};
    for (size_t i = 0; i < RT_COUNT(wrong); i++)
        assert_int_equal(pbs_date(wrong[i], 0), -1);
}

static void durations_have_one_to_four_parts(void **state) {
    (void)state;
    assert_int_equal(pbs_seconds("600"), 600);
    assert_int_equal(pbs_seconds("01:30"), 90);
    assert_int_equal(pbs_seconds("100:00:01"), 360001);
    assert_int_equal(pbs_seconds("2:00:00:00"), 172800);
    assert_int_equal(pbs_seconds("00:00:10.5"), 10);
    static const char *const wrong[] = {"", "abc", "-1", "1:", ":1", "1:2:3:4:5", "99999999999999999999", "1 2"};
    for (size_t i = 0; i < RT_COUNT(wrong); i++)
        assert_int_equal(pbs_seconds(wrong[i]), -1);
}

/* ---- several answers, and hostile ones ---- */

static void answers_one_after_the_other_are_all_read(void **state) {
    char *a = fixture("qstat-f-running.json"), *b = fixture("qstat-f-running.txt"), *c = fixture("qstat-xf-finished.json");
    char *text = rt_strf("qstat: Unknown Job Id 1.login\n{\n\t\"timestamp\":\t1\n}\n%s%sqstat: noise\n%s", a, b, c);
    struct pbs_jobs l = read_text(text);
    (void)state;
    assert_non_null(pbs_job_find(&l, "18.login"));
    assert_int_equal(pbs_job_find(&l, "18.login")->state, 'R'); /* the first that told of it */
    assert_int_equal(pbs_job_find(&l, "0.login")->state, 'R');
    assert_int_equal(pbs_job_find(&l, "14.login")->state, 'F');
    pbs_jobs_deinit(&l);
    free(text);
    free(a);
    free(b);
    free(c);
}

static void json_that_is_none_is_read_by_its_lines(void **state) {
    struct pbs_jobs l = read_text("{\n\t\"timestamp\":\t1795231394,\n\t\"Jobs\":\t{\n\t\t\"7.login\":\t{\n\t\t\t\"Job_Name\":\t\"a\"b\\x\",\n"
                                  "\t\t\t\"job_state\":\t\"Q\",\n\t\t\t\"Resource_List\":\t{\n\t\t\t\t\"walltime\":\t\"00:10:00\"\n\t\t\t},\n"
                                  "\t\t\t\"Variable_List\":\t{\n\t\t\t\t\"comment\":\t\"no\",\n\t\t\t\t\"X\":\t007,\n\t\t\t},\n"
                                  "\t\t\t\"comment\":\t\"Not Running: Queue not started.\",\n\t\t\t\"queue\":\t\"q\"\n\t\t}\n\t}\n}\n");
    (void)state;
    assert_int_equal(l.n, 1);
    assert_string_equal(l.v[0].name, "a\"b\\x");
    assert_int_equal(l.v[0].walltime_s, 600);
    assert_int_equal(l.v[0].asked_s, 1795231394);
    why_is(&l, "7.login", PBS_WAITS, "queue q does not start jobs now");
    pbs_jobs_deinit(&l);
}

static void what_a_stranger_wrote_is_only_text(void **state) {
    struct pbs_jobs l = read_text("Job Id: 5.login\n    Job_Name = $(touch x)\n    job_state = QQ\n    Hold_Types = \n    exec_host = /0+/1++\n"
                                  "    Resource_List.walltime = -00:10\n    stime = yesterday\n    comment = Not Running: \033[31mred\n"
                                  "Job Id: ../../etc/passwd\n    job_state = R\nJob Id: 5.login\n    job_state = R\n = \n\t\n");
    struct rt_strs hosts = {0};
    (void)state;
    assert_int_equal(l.n, 1);
    assert_int_equal(l.v[0].state, 0);
    assert_int_equal(l.v[0].walltime_s, -1);
    assert_int_equal(l.v[0].start_s, -1);
    pbs_hosts(l.v[0].hosts, &hosts);
    assert_int_equal(hosts.n, 0);
    l.v[0].state = 'Q';
    why_is(&l, "5", PBS_WAITS, "^[[31mred");
    rt_strs_deinit(&hosts);
    pbs_jobs_deinit(&l);
}

static void an_endless_list_and_an_endless_line_end(void **state) {
    struct rt_buf b;
    (void)state;
    rt_buf_init(&b, 8 * RT_MIB);
    for (int i = 0; i < 6000; i++)
        rt_buf_addf(&b, "Job Id: %d.login\n    job_state = Q\n", i);
    rt_buf_adds(&b, "Job Id: 1.login\n    comment = ");
    for (int i = 0; i < 100000; i++)
        rt_buf_adds(&b, "xxxxxxxxxx\n\t");
    struct pbs_jobs l = read_text(rt_buf_str(&b));
    assert_int_equal(l.n, 4096);
    pbs_jobs_deinit(&l);
    rt_buf_deinit(&b);
}

/* ---- the dialect ---- */

static void a_query_becomes_what_the_provider_shows(void **state) {
    char *a = fixture("qstat-f-running.json");
    char *text = rt_strf("banner\nraytui-now 1795231400 +0000\n%sJob Id: 20.login\n    job_state = Q\n    comment = Can Never Run: Insufficient amount of"
                         " resource: ncpus (R: 40 A: 8 T: 8)\n    estimated.start_time = Sat Nov 21 03:33:20 2026\n", a);
    struct batch_list l;
    struct rt_error err = {0};
    (void)state;
    assert_true(pbs_dialect.parse(text, 2000000000000, &l, &err));
    assert_int_equal(l.n, 2);
    assert_int_equal(l.v[0].state, BATCH_RUNNING);
    assert_string_equal(l.v[0].host, "n1");
    assert_int_equal(l.v[0].left_ms, (600 - 23) * 1000LL);
    assert_int_equal(l.v[1].state, BATCH_QUEUED);
    assert_true(l.v[1].never);
    assert_string_equal(l.v[1].reason, "Can Never Run");
    assert_int_equal(l.v[1].left_ms, -1);
    assert_int_equal(l.v[1].starts_ms, (2000000000LL + 1795232000 - 1795231400) * 1000); /* by the clock here */
    rt_arena_destroy(l.arena);
    assert_true(pbs_dialect.parse("", 0, &l, &err));
    assert_int_equal(l.n, 0);
    rt_arena_destroy(l.arena);
    assert_false(pbs_dialect.parse("bash: qstat: command not found\n", 0, &l, &err));
    free(text);
    free(a);
}

static void a_job_about_to_end_is_told_from_one_that_runs(void **state) {
    struct batch_list l;
    struct rt_error err = {0};
    (void)state;
    assert_true(pbs_dialect.parse("raytui-now 1795231400 -0330\nJob Id: 1.a\n    job_state = R\n    comment = Job run at x on (n1) and terminated by me@a\n"
                                  "Job Id: 2.a\n    job_state = E\nJob Id: 3.a\n    job_state = S\nJob Id: 4.a\n    job_state = C\n", 0, &l, &err));
    static const enum batch_state want[] = {BATCH_ENDING, BATCH_ENDING, BATCH_SUSPENDED, BATCH_ENDED};
    assert_int_equal(l.n, RT_COUNT(want));
    for (size_t i = 0; i < l.n; i++)
        assert_int_equal(l.v[i].state, want[i]);
    rt_arena_destroy(l.arena);
}

static char *header_of(const char *node, const struct batch_ask *ask) {
    struct batch_job job = {.cluster = "lab", .node = node, .name = "rt-lab-x", .ask = ask};
    struct rt_buf b;
    rt_buf_init(&b, 4096);
    pbs_dialect.header(&job, &b);
    return rt_buf_take(&b);
}

static void a_job_asks_in_the_words_of_pbs(void **state) {
    char queue[] = "gpu", account[] = "abc", select[] = "4:ncpus=16:mem=64gb+1:ngpus=1", place[] = "-l place=excl";
    char *directives[] = {place, NULL};
    struct batch_ask ask = {.account = account, .queue = queue, .walltime_ms = 5400000, .nodes = 3, .cpus = 8, .gpus = 2, .memory_gb = 1.5};
    (void)state;
    char *text = header_of("head", &ask);
    assert_string_equal(text, "#PBS -N rt-lab-x\n#PBS -l select=3:ncpus=8:mem=1536mb:ngpus=2\n#PBS -l place=scatter\n"
                              "#PBS -l walltime=01:30:00\n#PBS -q gpu\n#PBS -A abc\n"
                              "#PBS -j oe\n#PBS -o /dev/null\n#PBS -r n\n");
    free(text);
    ask = (struct batch_ask){.select = select, .directives = {.v = directives, .n = 1}};
    text = header_of("head", &ask);
    assert_non_null(strstr(text, "#PBS -l select=4:ncpus=16:mem=64gb+1:ngpus=1\n#PBS -j oe"));
    assert_non_null(strstr(text, "#PBS -l place=excl\n"));
    free(text);
    text = header_of("cpu-1", &ask); /* one host of the same kind */
    assert_non_null(strstr(text, "#PBS -l select=1:ncpus=16:mem=64gb\n"));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_job_is_read_from_json),
        cmocka_unit_test(the_same_job_is_read_from_text_whose_lines_break_anywhere),
        cmocka_unit_test(what_waits_says_why_in_plain_words),
        cmocka_unit_test(what_has_ended_says_how),
        cmocka_unit_test(torque_s_text_is_read_as_well),
        cmocka_unit_test(the_refusals_name_the_field_that_they_mean),
        cmocka_unit_test(the_id_is_found_among_what_sites_print),
        cmocka_unit_test(dates_without_a_zone_take_that_of_the_server),
        cmocka_unit_test(durations_have_one_to_four_parts),
        cmocka_unit_test(answers_one_after_the_other_are_all_read),
        cmocka_unit_test(json_that_is_none_is_read_by_its_lines),
        cmocka_unit_test(what_a_stranger_wrote_is_only_text),
        cmocka_unit_test(an_endless_list_and_an_endless_line_end),
        cmocka_unit_test(a_query_becomes_what_the_provider_shows),
        cmocka_unit_test(a_job_about_to_end_is_told_from_one_that_runs),
        cmocka_unit_test(a_job_asks_in_the_words_of_pbs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
