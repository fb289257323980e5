/* What squeue and sbatch print, as it was recorded from Slurm 22.05.8, and as nobody should. */
#include "unit/cmocka_all.h"
#include "base/mem.h"
#include "base/str.h"
#include "providers/slurm.h"
#include <stdlib.h>
#include <string.h>

/* 03:09:13 at the controller, whose clock is two hours ahead of UTC. */
#define NOW "now 1795223353 2026-11-21T03:09:13\n"

static struct batch_list parse(const char *text) {
    struct batch_list l = {0};
    struct rt_error err = {0};
    if (!slurm_parse(text, 0, &l, &err))
        fail_msg("%s", err.message);
    return l;
}

static struct batch_seen one(const char *row, struct batch_list *keep) {
    char *text = rt_strf(NOW "%s\n", row);
    *keep = parse(text);
    free(text);
    assert_int_equal(keep->n, 1);
    return keep->v[0];
}

static void a_running_job_tells_what_is_left_and_where_it_is(void **state) {
    struct batch_list l;
    (void)state;
    const struct batch_seen j = one("1|RUNNING|9:25|2026-11-21T03:07:41|n1|None", &l);
    assert_string_equal(j.id, "1");
    assert_int_equal(j.state, BATCH_RUNNING);
    assert_int_equal(j.left_ms, (9 * 60 + 25) * 1000);
    assert_string_equal(j.host, "n1");
    assert_null(j.reason);
    assert_int_equal(j.starts_ms, 0);
    rt_arena_destroy(l.arena);
}

static void left_is(const char *word, int64_t ms) {
    struct batch_list l;
    char *row = rt_strf("7|RUNNING|%s|N/A|n1|None", word);
    assert_int_equal(one(row, &l).left_ms, ms);
    rt_arena_destroy(l.arena);
    free(row);
}

static void time_left_is_read_in_each_form_and_unknown_is_unknown(void **state) {
    (void)state;
    left_is("0:00", 0);
    left_is("1:02:03", ((60 + 2) * 60 + 3) * 1000);
    left_is("1-02:03:04", ((24 + 2) * 3600 + 3 * 60 + 4) * 1000LL);
    left_is("UNLIMITED", -1);
    left_is("INVALID", -1);
    left_is("NOT_SET", -1);
    left_is("", -1);
    left_is("9:-5", -1);
    left_is("99999999999999999999:1", -1);
}

static void the_expected_start_is_told_in_our_clock(void **state) {
    struct batch_list l;
    (void)state;
    const struct batch_seen j = one("12|PENDING|10:00|2026-11-21T03:19:13|n/a|Resources", &l);
    assert_int_equal(j.state, BATCH_QUEUED);
    assert_true(j.starts_ms == (1795223353LL + 600) * 1000);
    assert_string_equal(j.plain, "the nodes that it wants are busy");
    assert_null(j.host);
    assert_false(j.never);
    rt_arena_destroy(l.arena);
}

static void the_start_of_the_run_under_way_is_told_in_our_clock(void **state) {
    struct batch_list l;
    (void)state;
    const struct batch_seen j = one("12|RUNNING|10:00|2026-11-21T03:19:13|n1|None", &l);
    assert_true(j.began_ms == (1795223353LL + 600) * 1000);
    assert_int_equal(j.starts_ms, 0);
    rt_arena_destroy(l.arena);
}

static void a_job_that_never_starts_and_one_that_is_held_are_told_apart(void **state) {
    struct batch_list l;
    (void)state;
    struct batch_seen j = one("11|PENDING|2:00:00|N/A|n/a|PartitionTimeLimit", &l);
    assert_true(j.never && !j.held);
    assert_non_null(strstr(j.plain, "never"));
    rt_arena_destroy(l.arena);
    j = one("9|PENDING|10:00|N/A|n/a|JobHeldUser", &l);
    assert_true(j.held && !j.never);
    assert_string_equal(j.todo, "`scontrol release 9` on the login node lets it go");
    rt_arena_destroy(l.arena);
    j = one("17|PENDING|10:00|N/A|n/a|JobHeldAdmin", &l);
    assert_string_equal(j.todo, "ask the administrators");
    rt_arena_destroy(l.arena);
}

static void reasons_may_hold_blanks_commas_and_bars(void **state) {
    struct batch_list l;
    (void)state;
    struct batch_seen j = one("18|PENDING|10:00|N/A|n/a|ReqNodeNotAvail, UnavailableNodes:n2", &l);
    assert_string_equal(j.reason, "ReqNodeNotAvail, UnavailableNodes:n2");
    assert_string_equal(j.plain, "nodes that it wants are reserved or down");
    rt_arena_destroy(l.arena);
    j = one("16|PENDING|UNLIMITED|N/A|n/a|Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions", &l);
    assert_string_equal(j.plain, "nodes that it wants are down, drained or reserved");
    rt_arena_destroy(l.arena);
    j = one("5|PENDING|1:00|N/A|n/a|Something|new", &l);
    assert_string_equal(j.reason, "Something|new");
    assert_null(j.plain);
    rt_arena_destroy(l.arena);
}

static void limits_of_accounts_keep_their_own_words_too(void **state) {
    struct batch_list l;
    (void)state;
    struct batch_seen j = one("26|PENDING|10:00|N/A|n/a|AssocGrpCpuLimit", &l);
    assert_string_equal(j.reason, "AssocGrpCpuLimit");
    assert_string_equal(j.plain, "a limit of the account is reached");
    rt_arena_destroy(l.arena);
    j = one("25|PENDING|20:00|N/A|n/a|QOSMaxWallDurationPerJobLimit", &l);
    assert_true(j.never);
    rt_arena_destroy(l.arena);
    j = one("27|PENDING|10:00|N/A|n/a|QOSGrpJobsLimit", &l);
    assert_false(j.never);
    rt_arena_destroy(l.arena);
}

static void ends_are_told_in_plain_words(void **state) {
    struct batch_list l;
    (void)state;
    struct batch_seen j = one("20|TIMEOUT|INVALID|2026-11-21T03:09:13|n1|TimeLimit", &l);
    assert_int_equal(j.state, BATCH_ENDED);
    assert_string_equal(j.plain, "its walltime is over");
    rt_arena_destroy(l.arena);
    j = one("22|FAILED|10:00|2026-11-21T03:09:13|n1|JobLaunchFailure", &l);
    assert_non_null(strstr(j.plain, "could not be launched"));
    rt_arena_destroy(l.arena);
    j = one("8|COMPLETING|9:00|2026-11-21T03:09:13|n1|None", &l);
    assert_int_equal(j.state, BATCH_ENDING);
    rt_arena_destroy(l.arena);
    j = one("8|WHATEVER_IS_NEW|9:00|N/A|n1|None", &l);
    assert_int_equal(j.state, BATCH_RUNNING); /* not over */
    rt_arena_destroy(l.arena);
}

static void nothing_in_the_queue_is_an_empty_list(void **state) {
    (void)state;
    struct batch_list l = parse(NOW);
    assert_int_equal(l.n, 0);
    rt_arena_destroy(l.arena);
    l = parse("");
    assert_int_equal(l.n, 0);
    rt_arena_destroy(l.arena);
}

static void an_answer_that_is_none_is_an_error(void **state) {
    struct batch_list l = {0};
    struct rt_error err = {0};
    (void)state;
    assert_false(slurm_parse(NOW "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n", 0, &l, &err));
    assert_int_equal(err.code, RT_E_PROTOCOL);
}

static void refusal_is(const char *text, const char *field, const char *sentence) {
    char got[200];
    const char *f = slurm_refused(text, got, sizeof got);
    if (!rt_streq(f, field))
        fail_msg("%s: %s, not %s", text, f ? f : "none", field ? field : "none");
    assert_string_equal(got, sentence);
}

static void a_refusal_names_its_field(void **state) {
    (void)state;
    refusal_is("sbatch: error: invalid partition specified: nosuch\n"
               "sbatch: error: Batch job submission failed: Invalid partition name specified\n",
               "partition", "invalid partition specified: nosuch");
    refusal_is("sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified\n", "account",
               "Invalid account or account/partition combination specified");
    refusal_is("sbatch: error: Batch job submission failed: Invalid qos specification\n", "qos", "Invalid qos specification");
    refusal_is("sbatch: error: Memory specification can not be satisfied\n"
               "sbatch: error: Batch job submission failed: Requested node configuration is not available\n",
               "memory_gb", "Memory specification can not be satisfied");
    refusal_is("sbatch: error: Invalid generic resource (gres) specification\n", "gres", "Invalid generic resource (gres) specification");
    refusal_is("sbatch: error: Invalid --time specification\n", "walltime", "Invalid --time specification");
    refusal_is("sbatch: unrecognized option '--bogus'\nTry \"sbatch --help\" for more information\n", "directives",
               "unrecognized option '--bogus'");
    refusal_is("sbatch: error: QOSMaxSubmitJobPerUserLimit\n"
               "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)\n",
               "qos", "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)");
    refusal_is("sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)\n", NULL,
               "Unable to contact slurm controller (connect failure)");
    refusal_is("", NULL, "it says nothing");
}

static void has(const struct rt_buf *b, const char *line) {
    if (!strstr(rt_buf_str(b), line))
        fail_msg("no %sin\n%s", line, rt_buf_str(b));
}

static void a_job_asks_for_what_is_configured_and_the_person_s_own_words_win(void **state) {
    char account[] = "abc", queue[] = "gpu", gres[] = "gpu:a100:4";
    struct batch_ask ask = {.account = account, .queue = queue, .walltime_ms = 90061000, .nodes = 3, .cpus = 1.5, .gpus = 2, .memory_gb = 0.5};
    const struct batch_job job = {.cluster = "lab", .node = "head", .name = "rt-lab-head", .ask = &ask};
    struct rt_buf b;
    (void)state;
    rt_buf_init(&b, 0);
    rt_strs_add(&ask.directives, "--requeue");
    slurm_dialect.header(&job, &b);
    has(&b, "#SBATCH --job-name=rt-lab-head\n");
    has(&b, "#SBATCH --nodes=3\n");
    has(&b, "#SBATCH --cpus-per-task=2\n");
    has(&b, "#SBATCH --gres=gpu:2\n");
    has(&b, "#SBATCH --mem=512M\n");
    has(&b, "#SBATCH --time=1-01:02:00\n"); /* whole minutes, never less than asked */
    has(&b, "#SBATCH --account=abc\n#SBATCH --partition=gpu\n");
    assert_true(rt_ends(rt_buf_str(&b), "#SBATCH --requeue\n"));
    rt_buf_clear(&b);
    ask.gres = gres;
    slurm_dialect.header(&job, &b);
    has(&b, "#SBATCH --gres=gpu:a100:4\n");
    assert_null(strstr(rt_buf_str(&b), "gpu:2"));
    rt_buf_deinit(&b);
    rt_strs_deinit(&ask.directives);
}

static void only_digits_are_an_id(void **state) {
    (void)state;
    assert_true(slurm_dialect.id_ok("123"));
    assert_false(slurm_dialect.id_ok(""));
    assert_false(slurm_dialect.id_ok("1;rm"));
    assert_false(slurm_dialect.id_ok("-1"));
    assert_false(slurm_dialect.id_ok(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_job_tells_what_is_left_and_where_it_is),
        cmocka_unit_test(time_left_is_read_in_each_form_and_unknown_is_unknown),
        cmocka_unit_test(the_expected_start_is_told_in_our_clock),
        cmocka_unit_test(the_start_of_the_run_under_way_is_told_in_our_clock),
        cmocka_unit_test(a_job_that_never_starts_and_one_that_is_held_are_told_apart),
        cmocka_unit_test(reasons_may_hold_blanks_commas_and_bars),
        cmocka_unit_test(limits_of_accounts_keep_their_own_words_too),
        cmocka_unit_test(ends_are_told_in_plain_words),
        cmocka_unit_test(nothing_in_the_queue_is_an_empty_list),
        cmocka_unit_test(an_answer_that_is_none_is_an_error),
        cmocka_unit_test(a_refusal_names_its_field),
        cmocka_unit_test(a_job_asks_for_what_is_configured_and_the_person_s_own_words_win),
        cmocka_unit_test(only_digits_are_an_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
