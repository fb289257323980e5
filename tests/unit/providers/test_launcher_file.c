/* Ray's cluster YAML: what raytui understands of it, and that it refuses what `ray up` refuses, with the place. */
#include "unit/cmocka_all.h"
#include "unit/fixture.h"

#include "base/log.h"
#include "providers/launcher_file.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct said {
    struct rt_error first;
    size_t n;
};

static void keep(void *ctx, const struct rt_error *err) {
    struct said *s = ctx;
    assert_int_not_equal(err->code, RT_OK);
    if (!s->n++)
        s->first = *err;
}

static bool parse(const char *text, struct rt_launcher_file *f, struct said *s) {
    *s = (struct said){0};
    return rt_launcher_parse("cluster.yaml", text, strlen(text), f, keep, s);
}

/* A fixture that must do. */
static void good(const char *name, struct rt_launcher_file *f) {
    struct said s;
    char *path = rt_strf("launcher/yaml/%s.yaml", name), *text = fixture(path, NULL);
    if (!parse(text, f, &s))
        fail_msg("%s: %s", name, s.first.message);
    free(text);
    free(path);
}

static char *replaced(char *text, const char *from, const char *to) {
    char *at = strstr(text, from);
    if (!at)
        fail_msg("not there: %s", from);
    char *out = rt_strf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    free(text);
    return out;
}

/* A fixture with one thing changed, refused at a place for a reason. */
static void refused(const char *name, const char *from, const char *to, const char *place, const char *why) {
    struct rt_launcher_file f;
    struct said s;
    char *path = rt_strf("launcher/yaml/%s.yaml", name), *text = replaced(fixture(path, NULL), from, to);
    const bool ok = parse(text, &f, &s);
    if (ok || !strstr(s.first.message, why) || !rt_starts(s.first.message, place))
        fail_msg("%s -> %s: %s", from, to, ok ? "taken" : s.first.message);
    rt_launcher_deinit(&f);
    free(text);
    free(path);
}

/* ---- what is understood ---- */

static void a_local_cluster_has_one_type_and_says_where_its_head_is(void **state) {
    struct rt_launcher_file f;
    (void)state;
    good("local", &f);
    assert_string_equal(f.cluster_name, "rtl");
    assert_string_equal(f.type, "local");
    assert_string_equal(f.head_type, RT_LAUNCHER_LOCAL_TYPE);
    assert_string_equal(rt_launcher_head(&f), "10.79.2.10");
    assert_int_equal(f.worker_ips.n, 2);
    assert_string_equal(f.worker_ips.v[1], "10.79.1.12");
    assert_string_equal(f.auth.user, "ray");
    assert_null(f.auth.key);
    assert_int_equal(f.ntypes, 1);
    assert_true(f.types[0].min == 1 && f.types[0].max == 2 && f.max_workers == 2);
    assert_true(f.idle_timeout_minutes == 1 && f.upscaling_speed == 1);
    assert_false(f.docker.on);
    assert_int_equal(f.warnings.n, 0);
    rt_launcher_deinit(&f);
}

static void ports_are_those_that_the_head_is_started_with(void **state) {
    struct rt_launcher_file f;
    (void)state;
    good("local", &f);
    assert_true(f.gcs_port == 6380 && f.dashboard_port == 8270 && f.client_port == 10001);
    rt_launcher_deinit(&f);
    good("gcp", &f);
    assert_true(f.gcs_port == 6379 && f.dashboard_port == 8265 && f.client_port == 10001);
    rt_launcher_deinit(&f);
}

static void node_types_have_ray_s_defaults(void **state) {
    struct rt_launcher_file f;
    (void)state;
    good("gcp", &f);
    assert_int_equal(f.ntypes, 4);
    assert_string_equal(f.head_type, "head");
    const struct rt_launcher_type *head = rt_launcher_type(&f, "head"), *cpu = rt_launcher_type(&f, "cpu"), *gpu = rt_launcher_type(&f, "gpu"),
                                  *plain = rt_launcher_type(&f, "plain");
    assert_true(head->head && head->min == 0 && head->max == 0 && !head->max_given);
    assert_true(!cpu->head && cpu->min == 2 && cpu->max == 6 && cpu->min_given && cpu->max_given && cpu->line > 0);
    assert_true(plain->min == 0 && plain->max == 8 && !plain->min_given);
    assert_string_equal(cpu->resources.v[0], "CPU=8");
    assert_string_equal(cpu->labels.v[0], "team=vision");
    assert_string_equal(gpu->image, "rayproject/ray:2.60.0-py311-gpu");
    assert_null(cpu->image);
    assert_null(rt_launcher_type(&f, "none"));
    assert_null(rt_launcher_head(&f));
    rt_launcher_deinit(&f);
}

static void the_container_and_the_cloud_are_known(void **state) {
    struct rt_launcher_file f;
    (void)state;
    good("gcp", &f);
    assert_true(f.docker.on && !f.docker.podman);
    assert_string_equal(f.docker.container, "ray_container");
    assert_string_equal(f.docker.image, "rayproject/ray:2.60.0-py311");
    assert_string_equal(f.region, "us-central1");
    assert_string_equal(f.zone, "us-central1-a");
    assert_string_equal(f.project, "my-project-123");
    rt_launcher_deinit(&f);
}

static void without_node_types_ray_s_own_are_there(void **state) {
    struct rt_launcher_file f;
    (void)state;
    good("aws", &f);
    assert_int_equal(f.ntypes, 2);
    assert_true(f.max_workers == 2 && f.types[0].head && f.types[0].max == 0 && f.types[1].max == 2);
    assert_string_equal(f.types[1].name, "ray.worker.default");
    assert_int_equal(f.types[1].line, 0);
    rt_launcher_deinit(&f);
}

static void an_external_provider_shows_its_fields_and_no_secret(void **state) {
    struct rt_launcher_file f;
    (void)state;
    good("external", &f);
    assert_string_equal(f.type, "external");
    assert_string_equal(f.module, "yellowdog_ray.raydog.autoscaler.RayDogNodeProvider");
    assert_true(rt_strs_has(&f.provider, "api_url=https://api.yellowdog.ai"));
    assert_true(rt_strs_has(&f.provider, "head_start_script=head.sh"));
    for (size_t i = 0; i < f.provider.n; i++)
        assert_null(strstr(f.provider.v[i], "never-shown"));
    assert_string_equal(f.auth.user, "yd-agent");
    assert_true(rt_ends(f.auth.key, "/private_key") && f.auth.key[0] == '/');
    assert_true(rt_launcher_type(&f, "worker.node")->max == 4);
    rt_launcher_deinit(&f);
}

static void what_ray_takes_but_not_as_meant_is_a_warning(void **state) {
    struct rt_launcher_file f;
    struct said s;
    char *text = replaced(fixture("launcher/yaml/local.yaml", NULL), "max_workers: 2", "max_workers: 5");
    (void)state;
    assert_true(parse(text, &f, &s));
    assert_int_equal(f.types[0].max, 2);
    assert_int_equal(f.warnings.n, 1);
    assert_string_equal(f.warnings.v[0], "cluster.yaml:11:14: max_workers: 5, but there are 2 worker_ips");
    rt_launcher_deinit(&f);
    free(text);
    text = replaced(fixture("launcher/yaml/local.yaml", NULL), " --autoscaling-config=~/ray_bootstrap_config.yaml", "");
    assert_true(parse(text, &f, &s));
    assert_int_equal(f.warnings.n, 1);
    assert_non_null(strstr(f.warnings.v[0], "no worker will be started"));
    rt_launcher_deinit(&f);
    free(text);
    text = replaced(fixture("launcher/yaml/local.yaml", NULL), "- ray start --head", "- RAY_enable_autoscaler_v2=1 ray start --head");
    assert_true(parse(text, &f, &s));
    assert_int_equal(f.warnings.n, 1);
    assert_non_null(strstr(f.warnings.v[0], "that autoscaler starts no worker of provider `local`"));
    rt_launcher_deinit(&f);
    free(text);
}

/* ---- what is refused ---- */

/* Files that the real `ray up` was given, what it said, and what we say. */
static void recorded_refusals_of_ray_up_are_refused_for_the_same_reason(void **state) {
    static const struct {
        const char *yaml, *recording, *ray, *place, *ours;
    } all[] = {
        {"bad-yaml", "up-bad-yaml", "expected ',' or ']'", "cluster.yaml:2:1: ", "expected ',' or ']'"},
        {"bad-schema", "up-bad-schema", "'no_such_key' was unexpected", "cluster.yaml:11:1: ", "unknown key \"no_such_key\""},
        {"unknown-provider", "up-unknown-provider", "Unknown provider type nosuch", "cluster.yaml:3:9: ", "Unknown provider type nosuch"},
        {"local-node-types", "up-local-node-types", "available_node_types is not supported", "cluster.yaml:11:23: ", "available_node_types is not supported"},
    };
    (void)state;
    for (size_t i = 0; i < RT_COUNT(all); i++) {
        struct rt_launcher_file f;
        struct said s;
        char *yaml = rt_strf("launcher/yaml/%s.yaml", all[i].yaml), *recording = rt_strf("launcher/%s.txt", all[i].recording);
        char *text = fixture(yaml, NULL), *said = fixture(recording, NULL);
        assert_non_null(strstr(said, all[i].ray));
        assert_non_null(strstr(said, "--- exit status 1"));
        const bool ok = parse(text, &f, &s);
        if (ok || s.n != 1 || !rt_starts(s.first.message, all[i].place) || !strstr(s.first.message, all[i].ours))
            fail_msg("%s: %zu problems: %s", all[i].yaml, s.n, s.first.message);
        rt_launcher_deinit(&f);
        free(said);
        free(text);
        free(recording);
        free(yaml);
    }
}

static char *unescaped(char *s) {
    char *to = s;
    for (char *at = s; *at; at++)
        if (at[0] == '\\' && at[1] == 'n')
            *to++ = (at++, '\n');
        else
            *to++ = *at;
    *to = '\0';
    return s;
}

/* One line of verdicts.tsv. */
static void one_verdict(char *line) {
    char *column[16], *save = line;
    size_t n = 0;
    for (char *at = line; n < RT_COUNT(column); at = save) {
        column[n++] = at;
        save = at + strcspn(at, "\t");
        if (!*save)
            break;
        *save++ = '\0';
    }
    assert_true(n >= 5 && n % 2 == 1);
    char *path = rt_strf("launcher/yaml/%s.yaml", column[2]), *text = fixture(path, NULL);
    for (size_t i = 3; i < n; i += 2)
        text = replaced(text, unescaped(column[i]), unescaped(column[i + 1]));
    struct rt_launcher_file f;
    struct said s;
    const bool ok = parse(text, &f, &s);
    if (ok != rt_streq(column[1], "OK"))
        fail_msg("%s, \"%s\" -> \"%s\": %s", column[2], column[3], column[4], ok ? "taken" : s.first.message);
    if (!ok && (!rt_starts(s.first.message, "cluster.yaml:") || !strstr(s.first.message, ": ")))
        fail_msg("without a place: %s", s.first.message);
    rt_launcher_deinit(&f);
    free(text);
    free(path);
}

static void a_hundred_changed_files_have_the_verdict_of_ray(void **state) {
    char *all = fixture("launcher/verdicts.tsv", NULL);
    size_t n = 0;
    (void)state;
    for (char *at = all; *at;) {
        char *end = at + strcspn(at, "\n"), *next = end + (*end == '\n');
        *end = '\0';
        if (*at != '#') {
            one_verdict(at);
            n++;
        }
        at = next;
    }
    assert_true(n > 90);
    free(all);
}

static void problems_name_the_place_and_the_nearest_key(void **state) {
    struct rt_launcher_file f;
    struct said s;
    (void)state;
    refused("gcp", "min_workers: 2 ", "min_worker: 2 ", "cluster.yaml:35:5: ", "unknown key \"min_worker\" in available_node_types.cpu");
    refused("gcp", "head_node_type: head", "head_node_type: hed", "cluster.yaml:", "head_node_type hed: no such node type");
    refused("gcp", "max_workers: 6", "max_workers: 1", "cluster.yaml:35:18: ", "min_workers 2 is above max_workers 1");
    refused("gcp", "max_workers: 8", "max_workers: 1", "cluster.yaml:3:14: ", "smaller than the sum of min_workers (2)");
    refused("local", "cluster_name: rtl", "cluster_name: 2026", "cluster.yaml:2:15: ", "a whole number where a text is expected");
    refused("local", "[10.79.1.11, 10.79.1.12]", "[10.79.1.11, 10.79.1.10]", "cluster.yaml:7:", "10.79.1.10 stands there already");
    refused("gcp", "  container_name: ray_container\n", "", "cluster.yaml:", "an image and a container_name are wanted together");
    char *text = replaced(fixture("launcher/yaml/local.yaml", NULL), "idle_timeout_minutes: 1", "idle_timeout_minuts: 1");
    assert_false(parse(text, &f, &s));
    assert_string_equal(s.first.hint, "did you mean \"idle_timeout_minutes\"?");
    rt_launcher_deinit(&f);
    free(text);
}

static void every_problem_is_told_not_only_the_first(void **state) {
    struct rt_launcher_file f;
    struct said s;
    (void)state;
    assert_false(parse("cluster_name: 1\nprovider: {type: awz}\nauth: {user: x}\nmax_workers: -1\n", &f, &s));
    assert_int_equal(s.n, 4);
    rt_launcher_deinit(&f);
}

static void what_is_in_the_file_reaches_no_terminal_raw(void **state) {
    struct rt_launcher_file f;
    struct said s;
    (void)state;
    assert_false(parse("cluster_name: a\nprovider: {type: \"a\\e[2Jb\"}\n", &f, &s));
    assert_null(strchr(s.first.message, '\033'));
    rt_launcher_deinit(&f);
}

static void no_text_is_too_odd_to_be_read_and_freed(void **state) {
    static const char *const texts[] = {"", "~", "[]", "a", "provider:", "provider: []", "provider: {type: []}", "provider: {type: local, worker_ips: {}}",
                                        "available_node_types: []\nprovider: {type: aws}", "available_node_types: {a: }\nprovider: {type: aws}",
                                        "head_start_ray_commands: [[ray start]]\nprovider: {type: local}", "auth: 1\ndocker: 2\nprovider: {type: gcp}"};
    (void)state;
    for (size_t i = 0; i < RT_COUNT(texts); i++) {
        struct rt_launcher_file f;
        struct said s;
        assert_false(parse(texts[i], &f, &s));
        assert_true(s.n && f.cluster_name && f.type && f.auth.user && f.head_type);
        rt_launcher_deinit(&f);
    }
}

/* ---- files of this machine ---- */

static char *write_file(const char *dir, const char *name, const char *text, mode_t mode) {
    struct rt_error err = {0};
    char *path = rt_path_join(dir, name);
    assert_true(rt_file_write(path, text, strlen(text), &err));
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static void load_refused(const char *path, const char *why) {
    struct rt_launcher_file f;
    struct said s = {0};
    const bool ok = rt_launcher_load(path, &f, keep, &s);
    if (ok || !strstr(s.first.message, why))
        fail_msg("%s: %s", why, ok ? "taken" : s.first.message);
    rt_launcher_deinit(&f);
}

static void a_key_that_ssh_would_not_take_is_refused_before_ray_up_waits_for_it(void **state) {
    char dir[] = "/tmp/raytui-launcher-XXXXXX";
    struct rt_error err = {0};
    struct rt_launcher_file f;
    struct said s = {0};
    (void)state;
    assert_non_null(mkdtemp(dir));
    char *recording = fixture("launcher/up-bad-key.txt", NULL), *text = fixture("launcher/yaml/bad-key.yaml", NULL);
    assert_non_null(strstr(recording, "UNPROTECTED PRIVATE KEY FILE"));
    char *yaml = write_file(dir, "cluster.yaml", text, 0600);
    load_refused(yaml, "auth.ssh_private_key: ");
    char *key = write_file(dir, "id_inner.pub", "ssh-ed25519 AAAA me\n", 0600);
    load_refused(yaml, "is a public key");
    free(key);
    key = write_file(dir, "id_inner.pub", "-----BEGIN OPENSSH PRIVATE KEY-----\n", 0644);
    load_refused(yaml, "(mode 0644)");
    assert_int_equal(chmod(key, 0600), 0);
    if (!rt_launcher_load(yaml, &f, keep, &s))
        fail_msg("%s", s.first.message);
    assert_string_equal(f.auth.key, key);
    rt_launcher_deinit(&f);
    free(key);
    free(yaml);
    free(text);
    text = replaced(fixture("launcher/yaml/local.yaml", NULL), "max_workers: 2", "max_workers: 2\nfile_mounts: {/far: near}");
    yaml = write_file(dir, "cluster.yaml", text, 0600);
    assert_true(rt_launcher_load(yaml, &f, keep, &s)); /* it can be watched */
    assert_false(rt_launcher_ready(&f, &err));         /* and not be made */
    assert_non_null(strstr(err.message, "cluster.yaml:12:"));
    assert_non_null(strstr(err.message, "/near: "));
    rt_launcher_deinit(&f);
    assert_true(rt_remove_tree(dir, &err));
    load_refused(yaml, "does not exist");
    free(yaml);
    free(text);
    free(recording);
}

/* ---- the environment ---- */

static void an_env_file_is_read_as_people_write_them(void **state) {
    static const char text[] = "\xef\xbb\xbf# who pays\r\n\r\nPROJECT=my-project # a comment\r\nexport  ZONE = us-central1-a\n"
                               "EMPTY=\nHASH=a#b\nSINGLE='a \"b\" $C # d'\nDOUBLE=\"a\\n\\\"b\\\" \\$C\" # e\nMANY='{\n  \"k\": 1\n}'\nPROJECT=last";
    static const char *const expected[] = {"PROJECT=last", "ZONE=us-central1-a", "EMPTY=", "HASH=a#b", "SINGLE=a \"b\" $C # d", "DOUBLE=a\n\"b\" $C",
                                           "MANY={\n  \"k\": 1\n}"};
    struct rt_strs env = {0};
    struct rt_error err = {0};
    (void)state;
    if (!rt_launcher_env_parse(".env", text, sizeof text - 1, &env, &err))
        fail_msg("%s", err.message);
    assert_int_equal(env.n, RT_COUNT(expected));
    for (size_t i = 0; i < env.n; i++)
        assert_string_equal(env.v[i], expected[i]);
    rt_strs_deinit(&env);
}

static void a_wrong_env_line_is_named_without_its_value(void **state) {
    static const struct {
        const char *text, *why;
    } all[] = {
        {"A=1\nB hush\n", ".env:2: no = behind the name"},
        {"\n\n=hush\n", ".env:3: no name of a variable"},
        {"1A=hush\n", ".env:1: no name"},
        {"A=1\nB='hush\nC=2\n", ".env:2: the quote that begins here does not end"},
        {"A='x'hush\n", ".env:1: something stands behind the closing quote"},
        {"export A\n", ".env:1: no = behind the name"},
    };
    (void)state;
    for (size_t i = 0; i < RT_COUNT(all); i++) {
        struct rt_strs env = {0};
        struct rt_error err = {0};
        assert_false(rt_launcher_env_parse(".env", all[i].text, strlen(all[i].text), &env, &err));
        if (!strstr(err.message, all[i].why) || strstr(err.message, "hush"))
            fail_msg("%s: %s", all[i].why, err.message);
        rt_strs_deinit(&env);
    }
}

static void values_of_an_env_file_are_masked_from_then_on(void **state) {
    struct rt_strs env = {0};
    struct rt_error err = {0};
    struct rt_buf text;
    (void)state;
    assert_true(rt_launcher_env_parse(".env", "KEY=correct-horse\n", 18, &env, &err));
    rt_buf_init(&text, 0);
    rt_buf_adds(&text, "the key is correct-horse");
    rt_log_mask(&text);
    assert_string_equal(rt_buf_str(&text), "the key is ***");
    rt_buf_deinit(&text);
    rt_strs_deinit(&env);
    rt_log_close();
}

/* ---- what a provider type needs ---- */

static void every_provider_type_of_ray_says_what_it_needs(void **state) {
    static const char *const types[] = {"local", "aws", "gcp", "azure", "vsphere", "aliyun", "spark", "external", "kuberay", "readonly"};
    (void)state;
    for (size_t i = 0; i < RT_COUNT(types); i++)
        assert_non_null(rt_launcher_need(types[i]));
    assert_null(rt_launcher_need("nosuch"));
    assert_non_null(strstr(rt_launcher_need("gcp")->modules, "googleapiclient"));
    assert_non_null(strstr(rt_launcher_need("gcp")->login, "gcloud auth application-default login"));
    assert_string_equal(rt_launcher_need("local")->modules, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_local_cluster_has_one_type_and_says_where_its_head_is),
        cmocka_unit_test(ports_are_those_that_the_head_is_started_with),
        cmocka_unit_test(node_types_have_ray_s_defaults),
        cmocka_unit_test(the_container_and_the_cloud_are_known),
        cmocka_unit_test(without_node_types_ray_s_own_are_there),
        cmocka_unit_test(an_external_provider_shows_its_fields_and_no_secret),
        cmocka_unit_test(what_ray_takes_but_not_as_meant_is_a_warning),
        cmocka_unit_test(recorded_refusals_of_ray_up_are_refused_for_the_same_reason),
        cmocka_unit_test(a_hundred_changed_files_have_the_verdict_of_ray),
        cmocka_unit_test(problems_name_the_place_and_the_nearest_key),
        cmocka_unit_test(every_problem_is_told_not_only_the_first),
        cmocka_unit_test(what_is_in_the_file_reaches_no_terminal_raw),
        cmocka_unit_test(no_text_is_too_odd_to_be_read_and_freed),
        cmocka_unit_test(a_key_that_ssh_would_not_take_is_refused_before_ray_up_waits_for_it),
        cmocka_unit_test(an_env_file_is_read_as_people_write_them),
        cmocka_unit_test(a_wrong_env_line_is_named_without_its_value),
        cmocka_unit_test(values_of_an_env_file_are_masked_from_then_on),
        cmocka_unit_test(every_provider_type_of_ray_says_what_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
