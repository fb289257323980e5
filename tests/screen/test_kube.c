/* What Kubernetes has: pods, RayJobs, RayServices; a made-up API server, whose head is the made-up dashboard. */
#include "world.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct world w;
static char path_entry[512];
static const char config[] = "clusters:\n  train: {provider: kuberay, namespace: ml, attach: auto}\n  prod: {provider: address, url: \"http://127.0.0.1:%s\", attach: manual}\n";

static int make(void **state) {
    static const char *const args[] = {"--nodes", "6", "--jobs", "4", NULL};
    struct rt_error err = {0};
    const int failed = world_setup(state, &w, args);
    char *dir = rt_strf("%s/bin", w.dir), *file = rt_strf("%s/kubectl", dir);
    char *text = rt_strf("#!/bin/sh\nSIM_DASHBOARD=%s exec %s %s \"$@\"\n", w.port, RT_PYTHON, RT_KUBECTL);
    const bool ok = rt_mkdirs(dir, &err) && rt_file_write(file, text, strlen(text), &err) && chmod(file, 0755) == 0;
    snprintf(path_entry, sizeof path_entry, "PATH=%s:%s", dir, getenv("PATH"));
    free(text);
    free(file);
    free(dir);
    return failed || !ok;
}

/* The pane of this name, without forwards: these have a state of their own. */
static void open_train(struct rt_pty *t, int rows, int cols, const char *pane, const char *shown) {
    const char *const env[] = {path_entry, NULL};
    char *line = rt_strf(":%s @train<Enter>", pane);
    world_configure(&w, config);
    world_start(&w, t, rows, cols, NULL, env);
    rt_pty_until(t, "6/6", 20000);
    rt_pty_type(t, line);
    rt_pty_until(t, shown, 10000);
    free(line);
}

static void pods_tell_their_containers_and_why_they_wait(void **state) {
    struct rt_pty t;
    (void)state;
    open_train(&t, 24, 120, "pods", "ImagePullBackOff");
    rt_pty_matches(&t, "pods-120x24.golden");
    rt_pty_resize(&t, 24, 80);
    rt_pty_until_gone(&t, "CONTAINERS", 3000);
    rt_pty_matches(&t, "pods-80x24.golden");
    world_leave(&t, ":q<Enter>");
}

static void the_log_of_a_container_is_a_choice_where_there_are_several(void **state) {
    struct rt_pty t;
    (void)state;
    open_train(&t, 24, 120, "pods", "ImagePullBackOff");
    rt_pty_type(&t, "l");
    rt_pty_until(&t, "log of", 3000);
    rt_pty_matches(&t, "pods-log-menu.golden");
    rt_pty_type(&t, "2");
    rt_pty_until(&t, "autoscaler line 5", 10000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "line 5", 3000);
    rt_pty_type(&t, "p");
    rt_pty_until(&t, "autoscaler line 5 of before", 10000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "of before", 3000);
    rt_pty_type(&t, "D");
    rt_pty_until(&t, "Successfully assigned", 10000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "Successfully", 3000);
    rt_pty_type(&t, "Y");
    rt_pty_until(&t, "kind: Pod", 10000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "kind: Pod", 3000);
    world_leave(&t, ":q<Enter>");
}

static void rayjobs_with_their_clusters_and_what_ended_them(void **state) {
    struct rt_pty t;
    (void)state;
    open_train(&t, 24, 120, "rayjobs", "nightly-eval-z5kqd");
    rt_pty_matches(&t, "rayjobs-120x24.golden");
    rt_pty_type(&t, "Gz");
    rt_pty_until(&t, "Resume RayJob ml/sweep?", 3000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "Resume RayJob", 3000);
    rt_pty_type(&t, "gz");
    rt_pty_until(&t, "Suspend RayJob ml/nightly-eval?", 3000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "Suspend RayJob", 3000);
    rt_pty_type(&t, "<^K>");
    rt_pty_until(&t, "Delete RayJob ml/nightly-eval?", 3000);
    rt_pty_matches(&t, "rayjob-delete-question.golden");
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "Delete RayJob", 3000);
    rt_pty_type(&t, "l");
    rt_pty_until(&t, "nightly-eval-k4x2f", 10000); /* the log of its job, at its cluster */
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "nightly-eval-k4x2f", 3000);
    rt_pty_type(&t, "<Enter>");
    rt_pty_until(&t, "raytui  nightly-eval-z5kqd-ml", 10000);
    rt_pty_until(&t, "RUNNING", 20000);
    world_leave(&t, ":q<Enter>");
}

static void rayservices_with_what_serves_and_what_comes(void **state) {
    struct rt_pty t;
    (void)state;
    open_train(&t, 24, 120, "rayservices", "llm-d6jrk");
    rt_pty_matches(&t, "rayservices-120x24.golden");
    world_leave(&t, ":q<Enter>");
}

static void plus_goes_beyond_max_where_an_autoscaler_owns_the_size(void **state) {
    struct rt_pty t;
    const char *const env[] = {path_entry, NULL};
    (void)state;
    world_configure(&w, "clusters:\n  auto: {provider: kuberay, namespace: ml, attach: auto}\n  train: {provider: kuberay, namespace: ml}\n");
    world_start(&w, &t, 24, 120, NULL, env);
    rt_pty_until(&t, "6/6", 20000);
    rt_pty_type(&t, ":pools @auto<Enter>");
    rt_pty_until(&t, "worker group", 10000);
    rt_pty_type(&t, "G+++");
    rt_pty_until(&t, "Scale gpu of auto from 2 to 5?", 5000);
    rt_pty_until(&t, "(now 0..4)", 3000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "Scale gpu", 3000);
    rt_pty_type(&t, ":pools @train<Enter>");
    rt_pty_until(&t, "worker group", 10000);
    rt_pty_type(&t, "G+++");
    rt_pty_until(&t, "gpu is at its most (4)", 3000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "gpu is at its most (4)", 3000);
    world_leave(&t, ":q<Enter>");
}

static void another_cluster_has_no_such_panes(void **state) {
    struct rt_pty t;
    static const char *const args[] = {"prod", NULL};
    (void)state;
    world_configure(&w, config);
    world_start(&w, &t, 24, 100, args, NULL);
    rt_pty_until(&t, "RUNNING", 20000);
    rt_pty_type(&t, ":rayjobs<Enter>");
    rt_pty_until(&t, "provider address has no rayjobs", 3000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "provider address has no rayjobs", 3000);
    world_leave(&t, ":q<Enter>");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pods_tell_their_containers_and_why_they_wait),
        cmocka_unit_test(the_log_of_a_container_is_a_choice_where_there_are_several),
        cmocka_unit_test(rayjobs_with_their_clusters_and_what_ended_them),
        cmocka_unit_test(rayservices_with_what_serves_and_what_comes),
        cmocka_unit_test(plus_goes_beyond_max_where_an_autoscaler_owns_the_size),
        cmocka_unit_test(another_cluster_has_no_such_panes),
    };
    return cmocka_run_group_tests(tests, make, world_teardown);
}
