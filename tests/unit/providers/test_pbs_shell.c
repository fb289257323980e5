/* The shell functions of `pbs` on a login node, run by a real /bin/sh over commands that answer as sites do. */
#include "unit/cmocka_all.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "providers/pbs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct site {
    char home[64];
    char *out; /* of the last run, both streams */
    int status;
};

static void put(const struct site *s, const char *name, const char *text, mode_t mode) {
    char *path = rt_strf("%s/%s", s->home, name);
    struct rt_error err = {0};
    assert_true(rt_file_write(path, text, strlen(text), &err));
    chmod(path, mode);
    free(path);
}

/* A command of the site: lines of sh. */
static void command(const struct site *s, const char *name, const char *lines) {
    char *text = rt_strf("#!/bin/sh\n%s\n", lines), *path = rt_strf("bin/%s", name);
    put(s, path, text, 0700);
    free(text);
    free(path);
}

static void site_make(struct site *s) {
    *s = (struct site){.home = "/tmp/rt-pbs-XXXXXX"};
    assert_non_null(mkdtemp(s->home));
    command(s, "qstat", "case $1 in --version) echo 'pbs_version = 23.06.06' ;; esac");
}

static void run(struct site *s, const char *lines) {
    struct rt_buf text, out;
    char chunk[4096];
    size_t n;
    rt_buf_init(&text, RT_MIB);
    rt_buf_init(&out, RT_MIB);
    rt_buf_adds(&text, pbs_login_shell);
    rt_buf_adds(&text, pbs_doctor_shell);
    rt_buf_adds(&text, lines);
    put(s, "script", rt_buf_str(&text), 0600);
    char *line = rt_strf("cd %s && HOME=%s USER=me PATH=%s/bin:/usr/bin:/bin /bin/sh -s <script 2>&1", s->home, s->home, s->home);
    FILE *f = popen(line, "r");
    assert_non_null(f);
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        rt_buf_add(&out, chunk, n);
    const int status = pclose(f);
    s->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    free(s->out);
    s->out = rt_buf_take(&out);
    rt_buf_deinit(&text);
    free(line);
}

static void site_end(struct site *s) {
    char *line = rt_strf("rm -rf '%s'", s->home);
    FILE *f = popen(line, "r");
    assert_non_null(f);
    pclose(f);
    free(line);
    free(s->out);
}

static void says(const struct site *s, const char *text) {
    if (!strstr(s->out, text))
        fail_msg("\"%s\" is not in: %s", text, s->out);
}

static void the_id_alone_comes_out_of_a_submission(void **state) {
    struct site s;
    (void)state;
    site_make(&s);
    command(&s, "qsub", "echo 'Project abc: 12 hours left'; echo 7.login; echo \"$*\" >argv; echo welcome >&2");
    run(&s, "b_submit job 2>/dev/null; b_submit job 3.login 2>/dev/null; cat argv");
    assert_string_equal(s.out, "7.login\n7.login\n-W depend=after:3.login job\n");
    command(&s, "qsub", "echo 'qsub: Unknown queue' >&2; exit 170");
    run(&s, "b_submit job; exit $?");
    assert_string_equal(s.out, "qsub: Unknown queue\n");
    assert_int_equal(s.status, 170);
    command(&s, "qsub", "echo 'thank you'");
    run(&s, "b_submit job; exit $?");
    says(&s, "no job id");
    assert_int_equal(s.status, 1);
    site_end(&s);
}

/* What is called qsub and is not PBS would leave a select out in silence. */
static void where_it_is_not_pbs_nodes_and_ppn_say_the_same(void **state) {
    struct site s;
    (void)state;
    site_make(&s);
    command(&s, "qstat", "echo 'Version: 6.1.2' >&2");
    command(&s, "qsub", "cat \"$1\" >sent; echo 5.torque");
    put(&s, "job", "#!/bin/bash\n#PBS -N rt-lab-head\n#PBS -l select=2:ncpus=4:mem=1024mb:ngpus=1\n#PBS -l place=scatter\n#PBS -q x\necho\n", 0600);
    run(&s, "b_submit job; cat sent");
    assert_string_equal(s.out, "5.torque\n#!/bin/bash\n#PBS -N rt-lab-head\n#PBS -l nodes=2:ppn=4:gpus=1\n#PBS -q x\necho\n");
    put(&s, "job", "#PBS -l select=1:ncpus=4:host=n1\n", 0600);
    run(&s, "b_submit job; exit $?");
    says(&s, "select: Version: 6.1.2 is not PBS");
    assert_int_equal(s.status, 1);
    site_end(&s);
}

static void a_query_asks_for_each_job_and_for_what_has_ended(void **state) {
    struct site s;
    struct pbs_jobs l;
    (void)state;
    site_make(&s);
    command(&s, "qstat", "case \"$*\" in\n"
                         "'-f -F json 1.a') echo '{\"Jobs\": {\"1.a\": {\"job_state\": \"R\"}}}' ;;\n"
                         "'-f -F json 2.a') echo 'qstat: 2.a Job has finished, use -x or -H' >&2; exit 35 ;;\n"
                         "'-x -f -F json 2.a') echo '{'; echo '\"Jobs\": {\"2.a\": {\"job_state\": \"F\"}}'; echo '}' ;;\n"
                         "*) echo \"qstat: Unknown Job Id\" >&2; exit 153 ;;\nesac");
    run(&s, "b_query 1.a 2.a 3.a; exit $?");
    assert_int_equal(s.status, 0);
    assert_true(rt_starts(s.out, "raytui-now "));
    pbs_jobs_read(s.out, strlen(s.out), 0, &l);
    assert_int_equal(l.n, 2);
    assert_int_equal(pbs_job_find(&l, "2.a")->state, 'F');
    pbs_jobs_deinit(&l);
    /* one that knows no JSON */
    command(&s, "qstat", "case \"$*\" in\n*-F*) echo \"qstat: invalid option -- 'F'\" >&2; exit 2 ;;\n"
                         "'-f 1.a') echo 'Job Id: 1.a'; echo '    job_state = Q' ;;\nesac");
    run(&s, "b_query 1.a");
    says(&s, "job_state = Q");
    site_end(&s);
}

static void a_server_that_is_away_is_no_answer(void **state) {
    struct site s;
    (void)state;
    site_make(&s);
    command(&s, "qstat", "echo 'Connection refused' >&2; echo 'qstat: cannot connect to server login (errno=15010)' >&2; exit 226");
    command(&s, "qdel", "echo 'qdel: cannot connect to server login (errno=15010)' >&2; exit 226");
    run(&s, "b_query 1.a >/dev/null 2>&1; echo $?; b_lives 1.a; echo $?; b_cancel 1.a 2>/dev/null; echo $?");
    assert_string_equal(s.out, "1\n2\n1\n");
    run(&s, "b_doctor");
    says(&s, "bad\tserver\tqstat: cannot connect to server");
    site_end(&s);
}

static void what_lives_is_told_from_what_has_ended(void **state) {
    struct site s;
    (void)state;
    site_make(&s);
    command(&s, "qstat", "case $2 in\n1) echo '    job_state = H' ;;\n2) echo '    job_state = C' ;;\n3) echo 'qstat: 3.a Job has finished' >&2; exit 35 ;;\n"
                         "4) echo 'qstat: Unknown Job Id 4.a' >&2; exit 153 ;;\nesac");
    run(&s, "for i in 1 2 3 4; do b_lives $i; echo $?; done");
    assert_string_equal(s.out, "0\n1\n1\n1\n");
    site_end(&s);
}

/* qsig would end its shell, and with it the job, at once. */
static void a_running_job_is_asked_by_a_file_and_a_waiting_one_is_deleted(void **state) {
    struct site s;
    (void)state;
    site_make(&s);
    command(&s, "qstat", "case $2 in 1.a) echo '    job_state = R' ;; 2.a) echo '    job_state = Q' ;; *) exit 153 ;; esac");
    command(&s, "qdel", "echo \"$1\" >>deleted; [ $1 != 3.a ] || { echo 'qdel: Unknown Job Id 3.a' >&2; exit 153; }");
    put(&s, ".raytui/lab/jobs/head/id", "1.a\n", 0600);
    put(&s, ".raytui/lab/jobs/cpu-1/id", "2.a\n", 0600);
    run(&s, "b_stop 1.a && b_stop 2.a && b_stop 3.a; echo $?; cat deleted; ls .raytui/lab/jobs/*");
    assert_string_equal(s.out, "0\n2.a\n3.a\n.raytui/lab/jobs/cpu-1:\nid\n\n.raytui/lab/jobs/head:\nid\nstop\n");
    site_end(&s);
}

static void doctor_tells_queues_and_nodes(void **state) {
    struct site s;
    (void)state;
    site_make(&s);
    command(&s, "qstat", "case $1 in\n--version) echo 'pbs_version = 23.06.06' ;;\n-Bf) echo 'Server: a' ;;\n"
                         "-Qf) printf 'Queue: workq\\n    enabled = True\\n    started = True\\n\\nQueue: short\\n    resources_max.walltime = 00:05:00\\n"
                         "    enabled = True\\n    started = False\\n' ;;\nesac");
    command(&s, "pbsnodes", "printf 'n1\\n     state = free\\n\\nn2\\n     state = down\\n'");
    run(&s, "b_doctor");
    assert_string_equal(s.out, "ok\tPBS\t23.06.06\n"
                               "warn\thistory\tPBS forgets a job when it has ended: why is told by its own notes only\n"
                               "ok\tqueue workq\t\nwarn\tqueue short\twalltime up to 00:05:00, starts no jobs\n"
                               "ok\tnodes\t1 of 2 are free\n");
    site_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_id_alone_comes_out_of_a_submission),
        cmocka_unit_test(where_it_is_not_pbs_nodes_and_ppn_say_the_same),
        cmocka_unit_test(a_query_asks_for_each_job_and_for_what_has_ended),
        cmocka_unit_test(a_server_that_is_away_is_no_answer),
        cmocka_unit_test(what_lives_is_told_from_what_has_ended),
        cmocka_unit_test(a_running_job_is_asked_by_a_file_and_a_waiting_one_is_deleted),
        cmocka_unit_test(doctor_tells_queues_and_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
