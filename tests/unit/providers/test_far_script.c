/* How Python and Ray are found on a far machine: lines before them, conda, a container, requirements. */
#include "unit/providers/far_bed.h"

static void activate_lines_are_run_and_their_ray_is_taken(void **state) {
    struct bed b;
    (void)state;
    bed_make(&b, "home");
    free(b.own.far.python.venv);
    b.own.far.python.venv = NULL;
    rt_strs_add(&b.own.far.python.activate, "PATH=$HOME/venv/bin:$PATH");
    run_by(&b, "bash -l", ssh_script_prepare);
    assert_int_equal(b.status, 0);
    char *ray = told(&b, "ray"), *wanted = rt_strf("%s/venv/bin/ray", b.home);
    assert_string_equal(ray, wanted);
    free(ray);
    free(wanted);
    bed_end(&b);
}

static void another_version_in_the_venv_is_refused(void **state) {
    struct bed b;
    (void)state;
    bed_make(&b, "home");
    free(b.own.far.ray_version);
    b.own.far.ray_version = rt_strdup("9.9.8");
    run_by(&b, "sh", ssh_script_prepare);
    assert_int_not_equal(b.status, 0);
    assert_non_null(strstr(b.out, "has Ray 9.9.9, not 9.9.8"));
    bed_end(&b);
}

/* Puts a program into HOME/bin. */
static void program(const struct bed *b, const char *name, const char *text) {
    char *sub = rt_strf("bin/%s", name);
    write_file(b, sub, text, 0755);
    free(sub);
}

static void a_container_s_words_stand_before_ray_and_stay_words(void **state) {
    struct bed b;
    (void)state;
    bed_make(&b, HOSTILE);
    program(&b, "apptainer", "#!/bin/sh\nprintf '%s|' \"$@\" >>\"$HOME/calls\"\necho >>\"$HOME/calls\"\nshift 2\nPATH=$HOME/venv/bin:$PATH exec \"$@\"\n");
    free(b.own.far.python.venv);
    b.own.far.python.venv = NULL;
    b.own.far.container = rt_strdup("~/bin/apptainer exec '$(touch pwned) x.sif'");
    start(&b);
    assert_true(rt_starts(b.out, "up\n"));
    char *calls = read_file(&b, "calls");
    assert_non_null(strstr(calls, "exec|$(touch pwned) x.sif|ray|start|--head|"));
    assert_false(exists(&b, "pwned"));
    free(calls);
    bed_end(&b);
}

static void conda_and_labels_take_hostile_text_as_data(void **state) {
    struct bed b;
    (void)state;
    bed_make(&b, HOSTILE);
    program(&b, "conda", "#!/bin/sh\necho 'conda() { printf %s \"$2\" >\"$HOME/env-name\"; PATH=$HOME/venv/bin:$PATH; }'\n");
    free(b.own.far.python.venv);
    b.own.far.python.venv = NULL;
    b.own.far.python.conda = rt_strdup(HOSTILE);
    rt_strs_add(&b.own.far.python.activate, "PATH=$HOME/bin:$PATH");
    rt_strs_add(&b.own.far.size.labels, "zone=$(touch pwned)");
    b.own.far.size.accelerator_type = rt_strdup(HOSTILE);
    b.script.requirements = NULL;
    run_by(&b, "bash -l", ssh_script_prepare);
    assert_int_equal(b.status, 0);
    char *ray = told(&b, "ray"), *name = read_file(&b, "env-name");
    assert_string_equal(name, HOSTILE);
    b.script.ray = ray;
    run(&b, ssh_script_start);
    char *argv = read_file(&b, "argv-head");
    assert_non_null(strstr(argv, "--labels=zone=$(touch pwned)"));
    assert_non_null(strstr(argv, "accelerator_type:"));
    assert_false(exists(&b, "pwned"));
    b.script.ray = NULL;
    free(ray);
    free(name);
    free(argv);
    bed_end(&b);
}

static void requirements_reach_pip_as_they_are_written_once(void **state) {
    struct bed b;
    (void)state;
    bed_make(&b, "home");
    program(&b, "python3", "#!/bin/sh\n[ \"$1\" = -c ] && echo \"$HOME\"\n[ \"$2\" = pip ] || exit 1\n"
                           "echo pip >>\"$HOME/pips\"\nfor f; do :; done\ncp \"$f\" \"$HOME/wanted\"\n");
    char *ray = rt_strf("#!%s/bin/python3\nimport sys\nprint('ray, version 9.9.9')\n", b.home);
    write_file(&b, "venv/bin/ray", ray, 0755);
    free(b.own.far.ray_version);
    b.own.far.ray_version = NULL;
    b.script.requirements = "a==1  # it's $(touch pwned)\n'EOF'\n";
    run_by(&b, "sh", ssh_script_prepare);
    run_by(&b, "sh", ssh_script_prepare);
    char *wanted = read_file(&b, "wanted"), *times = read_file(&b, "pips");
    assert_string_equal(wanted, b.script.requirements);
    assert_false(exists(&b, "pwned"));
    assert_string_equal(times, "pip\n");
    free(wanted);
    free(times);
    free(ray);
    b.script.requirements = NULL;
    bed_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activate_lines_are_run_and_their_ray_is_taken),
        cmocka_unit_test(a_container_s_words_stand_before_ray_and_stay_words),
        cmocka_unit_test(conda_and_labels_take_hostile_text_as_data),
        cmocka_unit_test(requirements_reach_pip_as_they_are_written_once),
        cmocka_unit_test(another_version_in_the_venv_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
