#include "base/log.h"
#include "core/config.h"
#include "core/provider.h"
#include "home.h"

/* ---- two providers to configure ---- */

struct toy_pool {
    int64_t size;
};

struct toy {
    char *head;
    int64_t cpus;
    char *key_secret, *key_secret_env;
    const struct rt_ynode *pools;
    struct toy_pool pool;
};

/* clang-format off */
static const struct rt_yfield pool_fields[] = {
    {.key = "size", .off = offsetof(struct toy_pool, size), .type = RT_Y_I64, .min = 1, .max = 9, .help = "nodes"},
    {0},
};
/* clang-format on */

/* clang-format off */
static const struct rt_yfield toy_fields[] = {
    {.key = "head", .alias = {"resource"}, .off = offsetof(struct toy, head), .type = RT_Y_STR, .help = "host"},
    {.key = "cpus", .alias = {"num_cpus_per_node"}, .off = offsetof(struct toy, cpus), .type = RT_Y_I64, .min = 1,
     .max = 512, .help = "CPUs"},
    {.key = "key_secret", .off = offsetof(struct toy, key_secret), .type = RT_Y_STR, .secret = true, .help = "key"},
    {.key = "key_secret_env", .off = offsetof(struct toy, key_secret_env), .type = RT_Y_STR, .help = "key"},
    {.key = "pools", .off = offsetof(struct toy, pools), .type = RT_Y_NODE, .help = "pools"},
    {.key = "pool", .off = offsetof(struct toy, pool), .type = RT_Y_STRUCT, .sub = pool_fields, .help = "a pool"},
    {0},
};
/* clang-format on */

static bool toy_check(const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx) {
    const struct toy *own = conf->own;
    struct rt_error err = {0};
    if (own->head)
        return true;
    rt_ynode_error(conf->node, &err, "cluster %s: head is missing", conf->name);
    problem(ctx, &err);
    return false;
}

static const struct rt_provider_ops toy_ops = {
    .name = "toy", .config = toy_fields, .config_size = sizeof(struct toy), .check = toy_check};
static const struct rt_provider_ops bare_ops = {.name = "address"};
static const struct rt_provider_ops file_ops = {.name = "launcher", .own_file = true};
static const struct rt_provider_ops *const providers[] = {&toy_ops, &bare_ops, &file_ops, NULL};

/* ---- help ---- */

static struct rt_config *load(const struct home *h, const char *text) {
    home_write(h, "config.yaml", text);
    return rt_config_load(NULL, providers);
}

/* What a message says, with the directory of the test as "@". */
static void check_message(const struct home *h, const struct rt_error *got, const char *want) {
    char *dir = rt_strf("%s/raytui/", h->dir);
    struct rt_buf text;
    rt_buf_init(&text, 0);
    const char *s = got->message;
    for (const char *at = strstr(s, dir); at; at = strstr(s, dir)) {
        rt_buf_add(&text, s, (size_t)(at - s));
        rt_buf_addc(&text, '@');
        s = at + strlen(dir);
    }
    rt_buf_adds(&text, s);
    assert_string_equal(rt_buf_str(&text), want);
    rt_buf_deinit(&text);
    free(dir);
}

static void check_problem(const struct home *h, const char *text, const char *want) {
    struct rt_config *c = load(h, text);
    if (c->nproblems != 1)
        for (size_t i = 0; i < c->nproblems; i++)
            print_error("%s\n", c->problems[i].message);
    assert_int_equal(c->nproblems, 1);
    check_message(h, &c->problems[0], want);
    assert_int_equal(c->problems[0].code, RT_E_CONFIG);
    rt_config_destroy(c);
}

static void check_print(const struct rt_config *c, const char *only, const char *want) {
    struct rt_buf out;
    rt_buf_init(&out, 0);
    rt_config_print(c, only ? rt_config_cluster(c, only) : NULL, &out);
    assert_string_equal(rt_buf_str(&out), want);
    rt_buf_deinit(&out);
}

/* ---- reading ---- */

static void no_file_is_all_defaults(void **state) {
    (void)state;
    struct rt_config *c = rt_config_load(NULL, providers);
    assert_int_equal(c->nproblems, 0);
    assert_int_equal(c->nclusters, 0);
    assert_string_equal(c->theme, "default");
    assert_true(c->mouse && c->animations && !c->readonly);
    assert_int_equal(c->refresh_ms, 2000);
    assert_int_equal(c->max_answer_bytes, 128 * 1024 * 1024);
    rt_config_destroy(c);
}

static void a_named_file_must_exist(void **state) {
    const struct home *h = *state;
    char *path = rt_strf("%s/raytui/none.yaml", h->dir);
    struct rt_config *c = rt_config_load(path, providers);
    assert_int_equal(c->nproblems, 1);
    assert_non_null(strstr(c->problems[0].message, "none.yaml"));
    rt_config_destroy(c);
    free(path);
}

static void everything_is_read(void **state) {
    struct rt_config *c =
        load(*state, "theme: contrast\n"
                     "refresh: 5s\n"
                     "mouse: false\n"
                     "max_answer: 64MiB\n"
                     "default: lab\n"
                     "aliases: {j: jobs}\n"
                     "clusters:\n"
                     "  lab:\n"
                     "    provider: toy\n"
                     "    head: me@lab1\n"
                     "    num_cpus_per_node: 4\n"
                     "    attach: ports\n"
                     "    transport: openssh\n"
                     "    ports: [8265, 10001, grafana:3000]\n"
                     "    local_ports: {8265: 9000}\n"
                     "    env_vars: {OMP_NUM_THREADS: 1}\n"
                     "    cluster_idle_timeout: 60\n"
                     "    activation_timeout_seconds: 90\n"
                     "    cluster_lifetime: 4h\n"
                     "    price_per_hour: 1.5\n"
                     "    pool: {size: 3}\n"
                     "    user_script: {entrypoint: python a.py, working_dir: /w}\n"
                     "  direct: {provider: address}\n");
    assert_int_equal(c->nproblems, 0);
    assert_string_equal(c->theme, "contrast");
    assert_int_equal(c->refresh_ms, 5000);
    assert_false(c->mouse);
    assert_int_equal(c->max_answer_bytes, 64 * 1024 * 1024);
    assert_string_equal(c->aliases.v[0], "j=jobs");
    const struct rt_cluster_conf *lab = rt_config_cluster(c, "lab");
    const struct toy *own = lab->own;
    assert_string_equal(own->head, "me@lab1");
    assert_int_equal(own->cpus, 4);
    assert_int_equal(own->pool.size, 3);
    assert_int_equal(lab->line, 8);
    assert_int_equal(lab->column, 3);
    assert_int_equal(lab->attach, RT_ATTACH_PORTS);
    assert_int_equal(lab->transport, RT_TRANSPORT_OPENSSH);
    assert_int_equal(lab->ports.n, 3);
    assert_string_equal(lab->ports.v[2], "grafana:3000");
    assert_string_equal(lab->local_ports.v[0], "8265=9000");
    assert_string_equal(lab->env_vars.v[0], "OMP_NUM_THREADS=1");
    assert_int_equal(lab->idle_timeout_ms, 3600000);
    assert_int_equal(lab->up_timeout_ms, 90000);
    assert_int_equal(lab->lifetime_ms, 4 * 3600000);
    assert_true(lab->price_per_hour > 1.49 && lab->price_per_hour < 1.51);
    assert_string_equal(lab->user_script,
                        "{\"entrypoint\":\"python a.py\",\"working_dir\":\"/w\"}");
    const struct rt_cluster_conf *direct = rt_config_cluster(c, "direct");
    assert_string_equal(direct->ports.v[0], "8265");
    assert_string_equal(direct->ports.v[1], "10001");
    assert_null(direct->own);
    rt_config_destroy(c);
}

static void idle_minutes_may_have_a_unit(void **state) {
    struct rt_config *c =
        load(*state, "clusters: {a: {provider: address, cluster_idle_timeout: 90s}}\n");
    assert_int_equal(c->nproblems, 0);
    assert_int_equal(c->clusters[0]->idle_timeout_ms, 90000);
    rt_config_destroy(c);
}

static void an_empty_list_of_ports_means_none(void **state) {
    struct rt_config *c = load(*state, "clusters: {a: {provider: address, ports: []}}\n");
    assert_int_equal(c->nproblems, 0);
    assert_int_equal(c->clusters[0]->ports.n, 0);
    rt_config_destroy(c);
}

/* ---- problems ---- */

static void names_the_key_that_is_wrong(void **state) {
    const struct home *h = *state;
    check_problem(h, "thme: dark\n",
                  "@config.yaml:1:1: unknown key \"thme\", did you mean \"theme\"?");
    check_problem(h, "clusters:\n  lab:\n    provider: toy\n    haed: x\n    head: y\n",
                  "@config.yaml:4:5: unknown key \"haed\", did you mean \"head\"?");
    check_problem(h, "clusters:\n  lab: {provider: toy, head: y, idle_timout: 4h}\n",
                  "@config.yaml:2:33: unknown key \"idle_timout\", did you mean \"idle_timeout\"?");
    check_problem(h, "clusters: {lab: {provider: toy, head: y, pool: {sise: 1}}}\n",
                  "@config.yaml:1:49: unknown key \"sise\", did you mean \"size\"?");
    check_problem(h, "clusters: {lab: {provider: address, zzzzzzzzz: 1}}\n",
                  "@config.yaml:1:37: unknown key \"zzzzzzzzz\"");
}

static void names_the_value_that_is_wrong(void **state) {
    const struct home *h = *state;
    check_problem(h, "refresh: soon\n", "@config.yaml:1:10: refresh: \"soon\" is no duration");
    check_problem(h, "refresh: 10ms\n",
                  "@config.yaml:1:10: refresh: 10ms is not between 1s and 1h");
    check_problem(h, "mouse: maybe\n",
                  "@config.yaml:1:8: mouse: \"maybe\" is neither true nor false");
    check_problem(h, "theme: [a]\n",
                  "@config.yaml:1:8: theme: a list where a single value is expected");
    check_problem(h, "clusters: {a: {provider: toy, head: x, cpus: many}}\n",
                  "@config.yaml:1:46: cpus: \"many\" is no whole number");
    check_problem(h, "clusters: {a: {provider: toy, head: x, cpus: 0}}\n",
                  "@config.yaml:1:46: cpus: 0 is not between 1 and 512");
    check_problem(h, "clusters: {a: {provider: address, attach: atuo}}\n",
                  "@config.yaml:1:43: attach: unknown \"atuo\", did you mean \"auto\"?");
    check_problem(h, "clusters: {a: {provider: address, env_vars: [x]}}\n",
                  "@config.yaml:1:45: env_vars: a list where a map is expected");
    check_problem(h, "clusters: {a: {provider: address, cluster_idle_timeout: soon}}\n",
                  "@config.yaml:1:57: cluster_idle_timeout: \"soon\" is no duration");
}

static void ports_are_numbers_or_host_and_port(void **state) {
    const struct home *h = *state;
    check_problem(
        h, "clusters: {a: {provider: address, ports: [8265, dash]}}\n",
        "@config.yaml:1:49: ports: \"dash\" is neither a port (1 to 65535) nor HOST:PORT");
    check_problem(
        h, "clusters: {a: {provider: address, ports: [70000]}}\n",
        "@config.yaml:1:43: ports: \"70000\" is neither a port (1 to 65535) nor HOST:PORT");
    check_problem(h, "clusters: {a: {provider: address, ports: \"h:0\"}}\n",
                  "@config.yaml:1:42: ports: \"h:0\" is neither a port (1 to 65535) nor HOST:PORT");
    check_problem(h, "clusters: {a: {provider: address, ports: {8265: 1}}}\n",
                  "@config.yaml:1:42: ports: a map where a list is expected");
    check_problem(h, "clusters: {a: {provider: address, local_ports: [9000]}}\n",
                  "@config.yaml:1:48: local_ports: a map of ports is expected");
    check_problem(h, "clusters: {a: {provider: address, local_ports: {8265: x}}}\n",
                  "@config.yaml:1:55: local_ports: a port from 1 to 65535 is expected");
    struct rt_config *c =
        load(h, "clusters: {a: {provider: address, ports: ['[fd00::1]:3000', 8265, 8265]}}\n");
    assert_int_equal(c->nproblems, 0);
    assert_int_equal(c->clusters[0]->ports.n, 2);
    rt_config_destroy(c);
}

static void what_has_no_effect_is_said(void **state) {
    struct home *h = *state;
    struct rt_config *c = load(h, "clusters: {a: {provider: address, cluster_lifetime: 4h}}\n");
    assert_int_equal(c->nproblems, 0);
    assert_int_equal(c->nwarnings, 1);
    check_message(h, &c->warnings[0], "@config.yaml:1:35: cluster_lifetime: has no effect with provider address");
    rt_config_destroy(c);
}

static void a_user_script_is_a_line_or_a_map_with_an_entrypoint(void **state) {
    const struct home *h = *state;
    check_problem(h, "clusters: {a: {provider: address, user_script: {working_dir: x}}}\n",
                  "@config.yaml:1:48: user_script: entrypoint is missing");
    check_problem(
        h, "clusters: {a: {provider: address, user_script: {entrypont: x}}}\n",
        "@config.yaml:1:49: user_script: unknown key \"entrypont\", did you mean \"entrypoint\"?");
    check_problem(
        h, "clusters: {a: {provider: address, user_script: [x]}}\n",
        "@config.yaml:1:48: user_script: a command line, or a map with entrypoint, is expected");
    struct rt_config *c = load(h, "clusters: {a: {provider: address, user_script: python x.py}}\n");
    assert_string_equal(c->clusters[0]->user_script, "python x.py");
    rt_config_destroy(c);
}

static void an_unknown_provider_is_one_problem(void **state) {
    const struct home *h = *state;
    check_problem(h, "clusters: {a: {provider: adress, whatever: 1, head: x}}\n",
                  "@config.yaml:1:26: unknown provider \"adress\", did you mean \"address\"?");
    check_problem(h, "clusters: {a: {provider: terraform}}\n",
                  "@config.yaml:1:26: unknown provider \"terraform\"");
    check_problem(h, "clusters: {a: {head: x}}\n",
                  "@config.yaml:1:15: cluster a: provider is missing");
    struct rt_config *c = load(h, "clusters: {a: {provider: adress}}\n");
    assert_string_equal(c->problems[0].hint, "one of: toy, address, launcher");
    assert_null(c->clusters[0]->ops);
    assert_true(c->clusters[0]->broken);
    rt_config_destroy(c);
}

static void a_provider_checks_what_was_read(void **state) {
    check_problem(*state, "clusters:\n  lab:\n    provider: toy\n    cpus: 3\n",
                  "@config.yaml:3:5: cluster lab: head is missing");
}

static void a_bad_cluster_does_not_take_the_others_down(void **state) {
    struct rt_config *c = load(*state, "clusters:\n"
                                       "  one: {provider: toy, head: x, cpus: no}\n"
                                       "  two: {provider: toy, head: x}\n"
                                       "  three: text\n"
                                       "  Four: {provider: address}\n");
    assert_int_equal(c->nclusters, 4);
    assert_int_equal(c->nproblems, 3);
    assert_true(rt_config_cluster(c, "one")->broken);
    assert_false(rt_config_cluster(c, "two")->broken);
    assert_true(rt_config_cluster(c, "three")->broken);
    assert_true(rt_config_cluster(c, "Four")->broken);
    check_message(*state, &c->problems[0], "@config.yaml:2:39: cpus: \"no\" is no whole number");
    check_message(*state, &c->problems[1],
                  "@config.yaml:4:10: cluster three: a map of its fields is expected");
    check_message(*state, &c->problems[2],
                  "@config.yaml:5:3: \"Four\" cannot be the name of a cluster");
    rt_config_destroy(c);
}

static void a_broken_file_leaves_the_other_files(void **state) {
    const struct home *h = *state;
    home_write(h, "clusters.d/lab.yaml", "provider: address\n");
    struct rt_config *c = load(h, "theme: [\n");
    assert_int_equal(c->nproblems, 1);
    assert_non_null(strstr(c->problems[0].message, "config.yaml:2:1: "));
    assert_int_equal(c->nclusters, 1);
    assert_false(c->clusters[0]->broken);
    rt_config_destroy(c);
}

static void a_default_that_is_not_there_is_said(void **state) {
    check_problem(*state, "default: lib\nclusters: {lab: {provider: address}}\n",
                  "@config.yaml:1:10: default: no cluster \"lib\", did you mean \"lab\"?");
}

static void clusters_must_be_a_map(void **state) {
    check_problem(*state, "clusters: [a]\n",
                  "@config.yaml:1:11: clusters: a map of names is expected");
}

/* ---- several files ---- */

static void a_file_in_clusters_d_is_one_cluster_or_several(void **state) {
    const struct home *h = *state;
    home_write(h, "clusters.d/b.yaml",
               "clusters: {x: {provider: address}, y: {provider: address}}\n");
    home_write(h, "clusters.d/a.yaml", "provider: toy\nhead: h\n");
    home_write(h, "clusters.d/notes.txt", "nothing: [\n");
    home_write(h, "clusters.d/.hidden.yaml", "nothing: [\n");
    struct rt_config *c = load(h, "clusters: {z: {provider: address}}\n");
    assert_int_equal(c->nproblems, 0);
    assert_int_equal(c->nclusters, 4);
    static const char *const order[] = {"z", "a", "x", "y"};
    for (size_t i = 0; i < RT_COUNT(order); i++)
        assert_string_equal(c->clusters[i]->name, order[i]);
    rt_config_destroy(c);
}

static void a_name_twice_names_both_places(void **state) {
    const struct home *h = *state;
    home_write(h, "clusters.d/lab.yaml", "provider: address\n");
    struct rt_config *c = load(h, "theme: default\nclusters:\n  lab: {provider: toy, head: x}\n");
    assert_int_equal(c->nproblems, 1);
    check_message(
        h, &c->problems[0],
        "@clusters.d/lab.yaml:1:1: the cluster \"lab\" stands already in @config.yaml:3:3");
    assert_int_equal(c->nclusters, 1);
    assert_string_equal(c->clusters[0]->provider, "toy");
    assert_false(c->clusters[0]->broken);
    rt_config_destroy(c);
}

static void the_fields_of_a_file_stand_under_those_of_the_configuration(void **state) {
    const struct home *h = *state;
    home_write(h, "more/lab.yaml", "provider: toy\nhead: fromfile\ncpus: 3\n");
    struct rt_config *c = load(h, "clusters: {lab: {file: more/lab.yaml, cpus: 5}}\n");
    assert_int_equal(c->nproblems, 0);
    const struct toy *own = c->clusters[0]->own;
    assert_string_equal(own->head, "fromfile");
    assert_int_equal(own->cpus, 5);
    rt_config_destroy(c);
    home_write(h, "more/lab.yaml", "provider: toy\nhead: x\ncpuz: 3\n");
    check_problem(h, "clusters: {lab: {file: more/lab.yaml}}\n",
                  "@more/lab.yaml:3:1: unknown key \"cpuz\", did you mean \"cpus\"?");
    check_problem(h, "clusters: {lab: {provider: address, file: gone.yaml}}\n",
                  "@config.yaml:1:43: file: @gone.yaml is not there");
}

static void a_file_of_another_format_is_its_providers_business(void **state) {
    const struct home *h = *state;
    struct rt_config *c = load(h, "clusters: {t: {provider: launcher, file: public.yaml}}\n");
    assert_int_equal(c->nproblems, 0);
    char *want = rt_strf("%s/raytui/public.yaml", h->dir);
    assert_string_equal(c->clusters[0]->source_file, want);
    free(want);
    rt_config_destroy(c);
}

/* ---- secrets and permissions ---- */

static void a_secret_in_clear_needs_a_private_file(void **state) {
    const struct home *h = *state;
    const char *text =
        "clusters: {lab: {provider: toy, head: x, key_secret: hunter2, token: t0ken}}\n";
    struct rt_config *c = load(h, text);
    assert_int_equal(c->nproblems, 0);
    assert_int_equal(c->nwarnings, 2);
    check_message(h, &c->warnings[0], "@config.yaml:1:70: token stands in clear");
    check_message(h, &c->warnings[1], "@config.yaml:1:54: key_secret stands in clear");
    assert_string_equal(c->warnings[1].hint,
                        "key_secret_file, key_secret_env or key_secret_command keep it elsewhere");
    assert_false(c->clusters[0]->broken);
    struct rt_buf logged;
    rt_buf_init(&logged, 0);
    rt_buf_adds(&logged, "hunter2 and t0ken");
    rt_log_mask(&logged);
    assert_string_equal(rt_buf_str(&logged), "*** and ***");
    rt_buf_deinit(&logged);
    char *path = rt_strdup(c->path);
    rt_config_destroy(c);
    assert_int_equal(chmod(path, 0644), 0);
    c = rt_config_load(path, providers);
    assert_int_equal(c->nproblems, 2);
    check_message(
        h, &c->problems[0],
        "@config.yaml:1:70: token stands in clear in a file that others can read (mode 0644)");
    for (size_t i = 0; i < c->nproblems; i++)
        assert_null(strstr(c->problems[i].message, "hunter2"));
    assert_true(c->clusters[0]->broken);
    rt_config_destroy(c);
    free(path);
}

static void a_file_that_others_can_change_is_warned_of(void **state) {
    const struct home *h = *state;
    rt_config_destroy(load(h, "theme: default\n"));
    char *path = rt_strf("%s/raytui/config.yaml", h->dir);
    assert_int_equal(chmod(path, 0666), 0);
    struct rt_config *c = rt_config_load(NULL, providers);
    assert_int_equal(c->nproblems, 0);
    assert_int_equal(c->nwarnings, 1);
    check_message(h, &c->warnings[0], "@config.yaml can be changed by others (mode 0666)");
    rt_config_destroy(c);
    free(path);
}

/* ---- names ---- */

static void names_of_clusters_are_short_and_plain(void **state) {
    (void)state;
    static const char *const verbs[] = {"up", "jobs", NULL};
    static const char *const bad[] = {"",  "-a",   "a_b",
                                      "A", "a/b",  "..",
                                      "ä", "jobs", "abcdefghijabcdefghijabcdefghijabcdefghijx"};
    struct rt_error err = {0};
    assert_true(rt_cluster_name_ok("prod-2", verbs, &err));
    assert_true(rt_cluster_name_ok("2", verbs, &err));
    assert_true(rt_cluster_name_ok("abcdefghijabcdefghijabcdefghijabcdefghij", verbs, &err));
    for (size_t i = 0; i < RT_COUNT(bad); i++)
        assert_false(rt_cluster_name_ok(bad[i], verbs, &err));
}

/* ---- bindings ---- */

static const struct rt_binding *binding(const struct rt_config *c, const char *view,
                                        const char *key) {
    for (size_t i = 0; i < c->nbindings; i++)
        if (rt_streq(c->bindings[i].view, view) && rt_streq(c->bindings[i].key, key))
            return &c->bindings[i];
    return NULL;
}

static void keys_are_bound_everywhere_or_in_a_view(void **state) {
    const struct home *h = *state;
    home_write(h, "keymap.yaml", "jobs: {x: stop, K: ~}\nall: {'^G': jobs}\nz: suspend\n");
    struct rt_config *c = load(
        h, "hotkeys:\n"
           "  g: nodes\n"
           "  jobs: {x: delete, p: {command: \"logs $JOB_ID\", help: its log, confirm: true}}\n"
           "  b: {command: \"up $CLUSTER\", view: clusters, writes: true}\n"
           "commands:\n"
           "  top: {command: \"exec $NODE_IP -- top\", help: what runs}\n"
           "  n: nodes\n");
    assert_int_equal(c->nproblems, 0);
    assert_string_equal(binding(c, NULL, "g")->command, "nodes");
    assert_string_equal(binding(c, "jobs", "x")->command, "stop"); /* the keymap is read last */
    assert_true(binding(c, "jobs", "p")->confirm);
    assert_string_equal(binding(c, "jobs", "p")->help, "its log");
    assert_true(binding(c, "clusters", "b")->writes);
    assert_null(binding(c, "jobs", "K")->command);
    assert_string_equal(binding(c, NULL, "^G")->command, "jobs");
    assert_string_equal(binding(c, NULL, "z")->command, "suspend");
    assert_int_equal(c->nbindings, 7);
    assert_int_equal(c->ncommands, 2);
    assert_string_equal(c->commands[0].key, "top");
    assert_string_equal(c->commands[1].command, "nodes");
    rt_config_destroy(c);
}

static void bad_bindings_say_where(void **state) {
    const struct home *h = *state;
    check_problem(h, "hotkeys: [x]\n", "@config.yaml:1:10: keys: a map is expected");
    check_problem(h, "hotkeys: {x: [a]}\n",
                  "@config.yaml:1:14: a list where a command line is expected");
    check_problem(h, "hotkeys: {x: {command: a, hlep: b}}\n",
                  "@config.yaml:1:27: unknown key \"hlep\", did you mean \"help\"?");
    check_problem(h, "commands: {x: }\n", "@config.yaml:1:15: command is missing");
    check_problem(h, "commands: {x: {help: a}}\n", "@config.yaml:1:15: command is missing");
}

/* ---- in memory ---- */

static void a_cluster_can_be_added_in_memory(void **state) {
    struct rt_config *c = load(*state, "clusters: {lab: {provider: address}}\n");
    struct rt_error err = {0};
    struct rt_cluster_conf *conf =
        rt_config_add(c, "extra", "{provider: toy, head: x}", providers, &err);
    assert_non_null(conf);
    assert_null(conf->file);
    assert_ptr_equal(rt_config_cluster(c, "extra"), conf);
    assert_null(rt_config_add(c, "lab", "{provider: address}", providers, &err));
    assert_int_equal(err.code, RT_E_CONFLICT);
    assert_null(rt_config_add(c, "bad", "{provider: toy, haed: x}", providers, &err));
    assert_string_equal(err.message, "bad:1:17: unknown key \"haed\", did you mean \"head\"?");
    assert_non_null(rt_config_add(c, "open", "{provider: address, token: t0ken}", providers, &err));
    assert_int_equal(c->nwarnings, 0); /* a file is warned of, a command line is not */
    assert_null(rt_config_add(c, "worse", "[", providers, &err));
    assert_null(rt_config_add(c, "none", "", providers, &err));
    assert_null(rt_config_add(c, "a b", "{provider: address}", providers, &err));
    assert_int_equal(c->nclusters, 3);
    assert_int_equal(c->nproblems, 0);
    rt_config_destroy(c);
}

/* ---- printing ---- */

static void the_canonical_form_has_our_names_and_no_secrets(void **state) {
    struct rt_config *c = load(*state, "theme: default\n"
                                       "refresh: 5000ms\n"
                                       "mouse: no\n"
                                       "hotkeys: {g: nodes}\n"
                                       "clusters:\n"
                                       "  lab:\n"
                                       "    resource: \"10.0\"\n"
                                       "    provider: toy\n"
                                       "    num_cpus_per_node: 4\n"
                                       "    attach: auto\n"
                                       "    key_secret: hunter2\n"
                                       "    env_vars: {A: b, EMPTY: \"\"}\n"
                                       "    local_ports: {8265: 9000}\n"
                                       "    build_timeout: 5400\n"
                                       "    cluster_idle_timeout: 60\n"
                                       "    pool: {size: 2}\n"
                                       "    pools: {cpu: {hosts: [a, b], password: pw}}\n");
    assert_int_equal(c->nproblems, 0);
    static const char lab[] = "clusters:\n"
                              "  lab:\n"
                              "    provider: toy\n"
                              "    local_ports:\n"
                              "      \"8265\": 9000\n"
                              "    env_vars:\n"
                              "      A: \"***\"\n"
                              "      EMPTY: \"***\"\n"
                              "    idle_timeout: 1h\n"
                              "    up_timeout: 1h30m\n"
                              "    head: \"10.0\"\n"
                              "    cpus: 4\n"
                              "    key_secret: \"***\"\n"
                              "    pools:\n"
                              "      cpu:\n"
                              "        hosts:\n"
                              "          - a\n"
                              "          - b\n"
                              "        password: \"***\"\n"
                              "    pool:\n"
                              "      size: 2\n";
    check_print(c, "lab", lab);
    char *all = rt_strf("refresh: 5s\nmouse: false\nhotkeys:\n  g: nodes\n%s", lab);
    check_print(c, NULL, all);
    free(all);
    rt_config_destroy(c);
}

/* What was printed, without its masks, reads as the same again. */
static void the_canonical_form_reads_as_the_same(void **state) {
    const struct home *h = *state;
    struct rt_config *c = load(
        h, "clusters:\n"
           "  lab: {provider: toy, head: 'a: b #c', ports: [8265, 'g:1'], user_script: 'x: y',\n"
           "        entrypoints: {t: \"python \\\"x\\\"\\n\"}, price_per_hour: 0.25}\n");
    assert_int_equal(c->nproblems, 0);
    struct rt_buf first, second;
    rt_buf_init(&first, 0);
    rt_buf_init(&second, 0);
    rt_config_print(c, NULL, &first);
    rt_config_destroy(c);
    c = load(h, rt_buf_str(&first));
    assert_int_equal(c->nproblems, 0);
    assert_string_equal(((struct toy *)c->clusters[0]->own)->head, "a: b #c");
    assert_string_equal(c->clusters[0]->entrypoints.v[0], "t=python \"x\"\n");
    rt_config_print(c, NULL, &second);
    assert_string_equal(rt_buf_str(&first), rt_buf_str(&second));
    rt_config_destroy(c);
    rt_buf_deinit(&first);
    rt_buf_deinit(&second);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        home_test(no_file_is_all_defaults),
        home_test(a_named_file_must_exist),
        home_test(everything_is_read),
        home_test(idle_minutes_may_have_a_unit),
        home_test(an_empty_list_of_ports_means_none),
        home_test(names_the_key_that_is_wrong),
        home_test(names_the_value_that_is_wrong),
        home_test(ports_are_numbers_or_host_and_port),
        home_test(what_has_no_effect_is_said),
        home_test(a_user_script_is_a_line_or_a_map_with_an_entrypoint),
        home_test(an_unknown_provider_is_one_problem),
        home_test(a_provider_checks_what_was_read),
        home_test(a_bad_cluster_does_not_take_the_others_down),
        home_test(a_broken_file_leaves_the_other_files),
        home_test(a_default_that_is_not_there_is_said),
        home_test(clusters_must_be_a_map),
        home_test(a_file_in_clusters_d_is_one_cluster_or_several),
        home_test(a_name_twice_names_both_places),
        home_test(the_fields_of_a_file_stand_under_those_of_the_configuration),
        home_test(a_file_of_another_format_is_its_providers_business),
        home_test(a_secret_in_clear_needs_a_private_file),
        home_test(a_file_that_others_can_change_is_warned_of),
        home_test(names_of_clusters_are_short_and_plain),
        home_test(keys_are_bound_everywhere_or_in_a_view),
        home_test(bad_bindings_say_where),
        home_test(a_cluster_can_be_added_in_memory),
        home_test(the_canonical_form_has_our_names_and_no_secrets),
        home_test(the_canonical_form_reads_as_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
