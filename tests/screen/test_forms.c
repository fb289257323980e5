/* Forms and questions of the real program. */
#include "world.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "support/httpd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world w;

static int make(void **state) {
    static const char *const args[] = {"--nodes", "12", "--jobs", "60", NULL};
    return world_setup(state, &w, args);
}

static void put_file(const char *name, const char *text) {
    struct rt_error err = {0};
    char *path = rt_strf("%s/home/%s", w.dir, name);
    assert_true(rt_file_write(path, text, strlen(text), &err));
    free(path);
}

static void open_jobs(struct rt_pty *t, int rows, int cols) {
    world_configure(&w, world_prod);
    put_file("job/train.py", "print('hello')\n");
    put_file("job/data/x.bin", "0123456789");
    put_file("job/.gitignore", "data/\n");
    put_file("job/dist/ado_core-1.2.0-py3-none-any.whl", "");
    put_file("env.yaml", "uv:\n  - ${RAY_RUNTIME_ENV_CREATE_WORKING_DIR}/dist/ado_core-1.2-py3-none-any.whl\n");
    world_start_prod(&w, t, rows, cols, NULL, "12 nodes");
    rt_pty_until_gone(t, "attached to", 10000);
}

static void fill(struct rt_pty *t) {
    rt_pty_type(t, "n");
    rt_pty_until(t, "submit to prod", 3000);
    rt_pty_type(t, "python train.py --lr 3e-4<Tab>~/job<Tab>~/env.yaml<Tab>OMP_NUM_THREADS=1<Tab>1");
    rt_pty_until(t, "ignored)", 5000);
}

static void a_submission_is_looked_at_before_it_is_sent(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80);
    fill(&t);
    rt_pty_until(&t, "1.2.0", 5000); /* the wheel that is there */
    rt_pty_settle(&t);
    rt_pty_matches(&t, "submit-80x24.golden");
    rt_pty_type(&t, "<F4>");
    rt_pty_until(&t, "POST /api/jobs/", 3000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "POST /api/jobs/", 3000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until(&t, "forget what was typed?", 3000);
    rt_pty_type(&t, "y");
    rt_pty_until_gone(&t, "submit to prod", 3000);
    world_leave(&t, ":q<Enter>");
}

static void the_form_at_120x36(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 36, 120);
    fill(&t);
    rt_pty_until(&t, "1.2.0", 5000);
    rt_pty_settle(&t);
    rt_pty_matches(&t, "submit-120x36.golden");
    rt_pty_type(&t, "<Esc>");
    rt_pty_until(&t, "forget what was typed?", 3000);
    rt_pty_type(&t, "y");
    rt_pty_until_gone(&t, "submit to prod", 3000);
    world_leave(&t, ":q<Enter>");
}

static void a_job_is_submitted_and_followed(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80);
    rt_pty_type(&t, "necho hi<F3>");
    rt_pty_until(&t, "Running entrypoint", 10000);
    assert_true(rt_pty_shows(&t, "echo hi"));
    world_leave(&t, ":q<Enter>");
}

static void a_refused_submission_keeps_what_was_typed(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80);
    rt_pty_type(&t, "npython typed.py");
    rt_pty_until(&t, "typed.py", 3000);
    world_post(&w, "/_test/fault", "{\"mode\": \"500\", \"path\": \"/api/jobs\"}");
    rt_pty_type(&t, "<F2>");
    rt_pty_until(&t, "500", 20000);
    assert_true(rt_pty_shows(&t, "python typed.py"));
    world_post(&w, "/_test/fault", "{\"mode\": \"none\"}");
    rt_pty_type(&t, "<F2>");
    rt_pty_until(&t, "✓ SUCCEEDED  python typed.py", 20000); /* its end may be told before its beginning was drawn */
    world_leave(&t, ":q<Enter>");
}

static void a_path_is_browsed_for(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80);
    rt_pty_type(&t, "n<Tab>~/job<F5>");
    rt_pty_until(&t, "train.py", 5000);
    rt_pty_until(&t, "dist/", 3000);
    rt_pty_type(&t, ".");
    rt_pty_until(&t, "~/job", 3000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until(&t, "forget what was typed?", 3000);
    rt_pty_type(&t, "y");
    world_leave(&t, ":q<Enter>");
}

static void a_finished_job_is_run_again(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80);
    rt_pty_type(&t, "r");
    rt_pty_until(&t, "submit to prod", 3000);
    rt_pty_until(&t, "python evaluate.py --split test --run 59", 3000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "submit to prod", 3000);
    world_leave(&t, ":q<Enter>");
}

static void a_question_shows_what_would_be_called(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80);
    rt_pty_type(&t, "<^K>");
    rt_pty_until(&t, "Stop job", 3000);
    rt_pty_type(&t, "v");
    rt_pty_until(&t, "ray job stop", 3000);
    rt_pty_matches(&t, "job-stop-equivalent.golden");
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "ray job stop", 3000);
    rt_pty_type(&t, "n");
    rt_pty_until_gone(&t, "Stop job", 3000);
    world_leave(&t, ":q<Enter>");
}

static void a_new_cluster_at_80x24(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80);
    rt_pty_type(&t, "1n");
    rt_pty_until(&t, "new cluster", 3000);
    rt_pty_type(&t, "<Tab>mine");
    rt_pty_settle(&t);
    rt_pty_matches(&t, "init-80x24.golden");
    rt_pty_type(&t, "<F2>");
    rt_pty_until(&t, "mine.yaml", 5000);
    world_leave(&t, ":q<Enter>");
}

static void the_form_of_a_slurm_cluster_asks_for_what_slurm_wants(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80);
    rt_pty_type(&t, "1n");
    rt_pty_until(&t, "new cluster", 3000);
    rt_pty_type(&t, "<Tab>hpc<Tab><Tab><Tab><Up><Up><Up><Up>");
    rt_pty_type(&t, "<^U>slurm");
    rt_pty_until(&t, "partition", 3000);
    rt_pty_type(&t, "<Tab><Tab>me@127.0.0.1:1<Tab>abc<Tab>gpu<Tab><Tab>soon");
    rt_pty_until(&t, "no duration", 3000);
    rt_pty_matches(&t, "init-slurm-80x24.golden");
    rt_pty_type(&t, "<^U>4h<F4>");
    rt_pty_until(&t, "walltime: 4h", 3000);
    rt_pty_until(&t, "account: abc", 3000);
    rt_pty_type(&t, "<Esc><F2>");
    rt_pty_until(&t, "hpc.yaml", 5000);
    rt_pty_type(&t, ":doctor hpc<Enter>");
    rt_pty_until(&t, "doctor hpc", 3000);
    rt_pty_until(&t, "ok    cache", 20000);
    rt_pty_type(&t, "G");
    rt_pty_until(&t, "bad   hpc", 20000);
    world_leave(&t, ":q<Enter>");
}

static void the_form_of_a_launcher_cluster_writes_the_yaml_of_a_cloud(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80);
    rt_pty_type(&t, "1n");
    rt_pty_until(&t, "new cluster", 3000);
    rt_pty_type(&t, "<^U>launcher");
    rt_pty_until(&t, "cloud", 3000);
    rt_pty_type(&t, "<Tab>tuner<Tab>gpc");
    rt_pty_until(&t, "did you mean gcp", 3000);
    rt_pty_type(&t, "<^U>aws<F4>");
    rt_pty_until(&t, "# tuner: a cluster of Ray's own launcher", 3000);
    rt_pty_type(&t, "G");
    rt_pty_until(&t, "# AWS_PROFILE=default", 3000);
    rt_pty_type(&t, "<Esc><F2>");
    rt_pty_until(&t, "tuner/cluster.yaml", 5000);
    world_leave(&t, ":q<Enter>");
}

static bool two_templates(void *ctx, const struct httpd_request *r) {
    (void)ctx;
    httpd_text(r, strstr(r->target, "/compute/templates/requirements") ? 200 : 404, "application/json",
               "{\"items\":[{\"id\":\"a\",\"namespace\":\"team\",\"name\":\"ray-head\"},{\"id\":\"b\",\"namespace\":\"team\",\"name\":\"gpu\"}]}");
    return true;
}

static void templates_of_the_platform_are_stepped_through(void **state) {
    struct rt_pty t;
    (void)state;
    struct httpd *platform = httpd_start(two_templates, NULL);
    char url[100];
    snprintf(url, sizeof url, "YD_API_URL=%s", httpd_url(platform));
    const char *const env[] = {url, "YD_API_KEY_ID=id", "YD_API_KEY_SECRET=secret-of-the-form", NULL};
    world_configure(&w, world_prod);
    world_start_prod(&w, &t, 24, 80, env, "12 nodes");
    rt_pty_type(&t, "1n");
    rt_pty_until(&t, "new cluster", 3000);
    rt_pty_type(&t, "<^U>yellowdog");
    rt_pty_until(&t, "Space: those that are there", 20000);
    rt_pty_type(&t, "<Tab>burst<Tab>me<Tab> ");
    rt_pty_until(&t, "team/ray-head", 3000);
    rt_pty_type(&t, " ");
    rt_pty_until(&t, "team/gpu", 3000);
    rt_pty_type(&t, "<F2>");
    rt_pty_until(&t, "burst.yaml", 5000);
    world_leave(&t, ":q<Enter>");
    httpd_stop(platform);
}

static void a_nodes_log_files_are_picked(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80);
    rt_pty_type(&t, "3l");
    rt_pty_until(&t, "logs of node", 5000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "logs of node", 3000);
    world_leave(&t, ":q<Enter>");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_submission_is_looked_at_before_it_is_sent),
        cmocka_unit_test(the_form_at_120x36),
        cmocka_unit_test(a_path_is_browsed_for),
        cmocka_unit_test(a_finished_job_is_run_again),
        cmocka_unit_test(a_new_cluster_at_80x24),
        cmocka_unit_test(the_form_of_a_slurm_cluster_asks_for_what_slurm_wants),
        cmocka_unit_test(the_form_of_a_launcher_cluster_writes_the_yaml_of_a_cloud),
        cmocka_unit_test(templates_of_the_platform_are_stepped_through),
        cmocka_unit_test(a_nodes_log_files_are_picked),
        cmocka_unit_test(a_question_shows_what_would_be_called),
        /* from here on the jobs are others */
        cmocka_unit_test(a_job_is_submitted_and_followed),
        cmocka_unit_test(a_refused_submission_keeps_what_was_typed),
    };
    return cmocka_run_group_tests(tests, make, world_teardown);
}
