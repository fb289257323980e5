/* From the fields of a configuration to a RayCluster: what is asked for, what is refused and why. */
#include "unit/core/home.h"
#include "base/decode.h"
#include "providers/kuberay_manifest.h"

struct conf {
    struct kuberay_make make;
};
static const struct rt_yfield fields[] = {KUBERAY_MAKE_FIELDS(struct conf, make), {0}};

struct made {
    struct rt_ydoc doc;
    struct conf own;
    struct rt_cluster_conf conf;
    struct rt_error err;
    json_t *cluster;
};

static void first_problem(void *ctx, const struct rt_error *err) {
    struct rt_error *first = ctx;
    if (!first->code)
        *first = *err;
}

static void make(struct made *m, const char *text) {
    *m = (struct made){0};
    m->conf.name = rt_strdup("lab");
    if (!rt_yaml_parse("config.yaml", text, strlen(text), &m->doc, &m->err))
        fail_msg("%s", m->err.message);
    m->conf.node = m->doc.root;
    if (rt_yaml_read(m->doc.root, fields, NULL, &m->own, first_problem, &m->err))
        m->cluster = kuberay_manifest(&m->conf, &m->own.make, "lab", "ray", &m->err);
}

static void unmake(struct made *m) {
    json_decref(m->cluster);
    free(m->conf.name);
    rt_yaml_free(fields, &m->own);
    rt_yaml_deinit(&m->doc);
}

/* The value at "a.b.c", list items as their numbers, as compact JSON. */
static void says(const struct made *m, const char *path, const char *want) {
    if (!m->cluster)
        fail_msg("%s", m->err.message);
    const json_t *v = m->cluster;
    char *copy = rt_strdup(path), *save = NULL;
    for (char *word = strtok_r(copy, "/", &save); word; word = strtok_r(NULL, "/", &save))
        v = json_is_array(v) ? json_array_get(v, (size_t)atoll(word)) : json_object_get(v, word);
    char *text = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;
    if (!rt_streq(text, want))
        fail_msg("%s: %s, not %s", path, text ? text : "(nothing)", want ? want : "(nothing)");
    free(text);
    free(copy);
}

static void refused(const char *text, const char *why) {
    struct made m;
    make(&m, text);
    if (m.cluster || !strstr(m.err.message, why))
        fail_msg("%s: %s", text, m.cluster ? "accepted" : m.err.message);
    unmake(&m);
}

#define BOX "template/spec/containers/0/"

static void nothing_said_is_a_head_and_one_worker(void **state) {
    struct made m;
    (void)state;
    make(&m, "{}");
    says(&m, "apiVersion", "\"ray.io/v1\"");
    says(&m, "kind", "\"RayCluster\"");
    says(&m, "metadata", "{\"labels\":{\"app.kubernetes.io/managed-by\":\"raytui\"},\"name\":\"lab\",\"namespace\":\"ray\"}");
    says(&m, "spec/rayVersion", "\"" KUBERAY_RAY_VERSION "\"");
    says(&m, "spec/headGroupSpec/rayStartParams", "{\"dashboard-host\":\"0.0.0.0\"}");
    says(&m, "spec/headGroupSpec/" BOX "image", "\"rayproject/ray:" KUBERAY_RAY_VERSION "\"");
    says(&m, "spec/headGroupSpec/" BOX "ports/1", "{\"containerPort\":8265,\"name\":\"dashboard\"}");
    says(&m, "spec/workerGroupSpecs/0/groupName", "\"workers\"");
    says(&m, "spec/workerGroupSpecs/0/replicas", "1");
    says(&m, "spec/workerGroupSpecs/0/maxReplicas", "1");
    says(&m, "spec/workerGroupSpecs/1", NULL);
    says(&m, "spec/enableInTreeAutoscaling", NULL);
    unmake(&m);
}

static void like_nodes_are_counted_with_the_head(void **state) {
    struct made m;
    (void)state;
    make(&m, "{n_nodes: 4, node_config: {cpu: 0.5, memory_gb: 1.5}}");
    says(&m, "spec/headGroupSpec/" BOX "resources/limits", "{\"cpu\":\"500m\",\"memory\":\"1536Mi\"}");
    says(&m, "spec/workerGroupSpecs/0/" BOX "resources/requests", "{\"cpu\":\"500m\",\"memory\":\"1536Mi\"}");
    says(&m, "spec/workerGroupSpecs/0/replicas", "3");
    says(&m, "spec/workerGroupSpecs/0/minReplicas", "3");
    says(&m, "spec/workerGroupSpecs/0/maxReplicas", "3");
    says(&m, "spec/enableInTreeAutoscaling", NULL);
    unmake(&m);
    make(&m, "{n_nodes: 1}");
    says(&m, "spec/workerGroupSpecs", "[]");
    unmake(&m);
    refused("{n_nodes: 3, max_nodes: 2}", "max_nodes 2 is below n_nodes 3");
    refused("{n_nodes: 3, max_nodes: 5}", "needs an autoscaler");
    refused("{n_nodes: 3, pools: {a: {}}}", "either n_nodes");
    refused("{max_nodes: 3}", "go with n_nodes");
}

static void an_autoscaler_comes_with_elastic_pools_only(void **state) {
    struct made m;
    (void)state;
    make(&m, "{n_nodes: 2, max_nodes: 5, autoscaler_config: {cpu: 1, memory_gb: 2, idle_timeout: 90s}}");
    says(&m, "spec/enableInTreeAutoscaling", "true");
    says(&m, "spec/autoscalerOptions/idleTimeoutSeconds", "90");
    says(&m, "spec/autoscalerOptions/resources/limits", "{\"cpu\":\"1\",\"memory\":\"2Gi\"}");
    says(&m, "spec/workerGroupSpecs/0/minReplicas", "1");
    says(&m, "spec/workerGroupSpecs/0/maxReplicas", "4");
    unmake(&m);
    make(&m, "{pools: {a: {min: 2, max: 2}}, autoscaler: {cpu: 1, memory_gb: 1}}");
    says(&m, "spec/enableInTreeAutoscaling", NULL);
    says(&m, "spec/workerGroupSpecs/0/replicas", "2");
    unmake(&m);
    make(&m, "{pools: {a: {replicas: 1, min: 0, max: 4}}, autoscaler: off}");
    says(&m, "spec/enableInTreeAutoscaling", NULL);
    says(&m, "spec/workerGroupSpecs/0/maxReplicas", "4");
    unmake(&m);
    refused("{pools: {a: {min: 1, max: 2}}}", "pool a: max 2 above min 1 needs an autoscaler");
    refused("{autoscaler: {cpu: 0, memory_gb: 1}}", "autoscaler: cpu and memory_gb are more than 0");
    refused("{autoscaler: on}", "or off is wanted");
}

static void groups_have_names_that_people_use(void **state) {
    struct made m;
    (void)state;
    make(&m, "{head_node: {cpu: 2, memory_gb: 4}, scaling_groups: [{worker_nodes: {cpu: 1, memory_gb: 2}, min_workers: 1, max_workers: 3},\n"
             " {name: big, worker_nodes: {cpu: 8, memory_gb: 0.25}, min_workers: 2, max_workers: 2}], autoscaler_config: {cpu: 1, memory_gb: 1}}");
    says(&m, "spec/workerGroupSpecs/0/groupName", "\"group-1\"");
    says(&m, "spec/workerGroupSpecs/0/replicas", "1");
    says(&m, "spec/workerGroupSpecs/1/groupName", "\"big\"");
    says(&m, "spec/workerGroupSpecs/1/" BOX "resources/limits", "{\"cpu\":\"8\",\"memory\":\"256Mi\"}");
    says(&m, "spec/headGroupSpec/" BOX "resources/limits", "{\"cpu\":\"2\",\"memory\":\"4Gi\"}");
    unmake(&m);
    refused("{pools: {head: {}}}", "head is no possible name");
    refused("{pools: [{name: a}, {name: a}]}", "a is no possible name");
    refused("{pools: {a: {min: 3, max: 2, replicas: 2}}}", "min 3 is above max 2");
    refused("{pools: {a: {min: 1, max: 2, replicas: 3}}}", "replicas 3 are outside min 1 and max 2");
    refused("{pools: {a: {cpu: 0}}}", "a: cpu is more than 0");
    refused("{pools: {a: {cpu: 0.00025}}}", "at most three decimals");
    refused("{pools: {a: {cpus_: 1}}}", "cpus_");
    refused("{pools: {a: {min: -1}}}", "min");
}

static void gpus_bring_their_machines(void **state) {
    struct made m;
    (void)state;
    make(&m, "gpu_node_selector: {accelerator: h100}\nnon_gpu_node_selector: {kind: cpu}\n"
             "gpu_tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]\nnon_gpu_tolerations: [{key: batch}]\n"
             "service_account: ray\nimage_pull_secrets: registry\nimage_pull_policy: Never\n"
             "pools: {cpu: {}, gpu: {gpu_count: 2}, own: {gpu_count: 1, node_selector: {zone: a}, image: mine}}\n");
    says(&m, "spec/headGroupSpec/template/spec/nodeSelector", "{\"kind\":\"cpu\"}");
    says(&m, "spec/headGroupSpec/template/spec/serviceAccountName", "\"ray\"");
    says(&m, "spec/headGroupSpec/template/spec/imagePullSecrets", "[{\"name\":\"registry\"}]");
    says(&m, "spec/headGroupSpec/" BOX "imagePullPolicy", "\"Never\"");
    says(&m, "spec/workerGroupSpecs/0/template/spec/tolerations", "[{\"key\":\"batch\"}]");
    says(&m, "spec/workerGroupSpecs/0/" BOX "image", "\"rayproject/ray:" KUBERAY_RAY_VERSION "-gpu\"");
    says(&m, "spec/workerGroupSpecs/1/template/spec/nodeSelector", "{\"accelerator\":\"h100\"}");
    says(&m, "spec/workerGroupSpecs/1/template/spec/tolerations",
         "[{\"effect\":\"NoSchedule\",\"key\":\"nvidia.com/gpu\",\"operator\":\"Exists\"}]");
    says(&m, "spec/workerGroupSpecs/1/" BOX "resources/limits", "{\"cpu\":\"1\",\"memory\":\"4Gi\",\"nvidia.com/gpu\":\"2\"}");
    says(&m, "spec/workerGroupSpecs/2/template/spec/nodeSelector", "{\"zone\":\"a\"}");
    says(&m, "spec/workerGroupSpecs/2/" BOX "image", "\"mine\"");
    unmake(&m);
    make(&m, "{gpu_resource_request_key: amd.com/gpu, pools: {gpu: {gpu_count: 1}}}");
    says(&m, "spec/workerGroupSpecs/0/" BOX "resources/limits", "{\"amd.com/gpu\":\"1\",\"cpu\":\"1\",\"memory\":\"4Gi\"}");
    unmake(&m);
    refused("{supports_gpus: false, pools: {gpu: {gpu_count: 1}}}", "supports_gpus is false");
    refused("{gpu_tolerations: {key: a}}", "tolerations: a list is wanted");
    refused("{image_pull_policy: Sometimes}", "image_pull_policy");
    refused("{enabled: false}", "no cluster is made here");
}

static void the_version_is_that_of_the_image(void **state) {
    struct made m;
    (void)state;
    make(&m, "{image: \"registry:5000/ray:2.9.3-py311\"}");
    says(&m, "spec/rayVersion", "\"2.9.3\"");
    says(&m, "spec/headGroupSpec/" BOX "image", "\"registry:5000/ray:2.9.3-py311\"");
    unmake(&m);
    make(&m, "{image: \"registry:5000/ours\"}");
    says(&m, "spec/rayVersion", NULL);
    unmake(&m);
    make(&m, "{image: ours, ray_version: 2.40.0}");
    says(&m, "spec/rayVersion", "\"2.40.0\"");
    unmake(&m);
    make(&m, "{ray_version: 2.40.0}");
    says(&m, "spec/headGroupSpec/" BOX "image", "\"rayproject/ray:2.40.0\"");
    unmake(&m);
}

static void pods_carry_labels_and_annotations(void **state) {
    struct made m;
    (void)state;
    make(&m, "{labels: {team: search}, annotations: {a/b: \"x=y\"}}");
    says(&m, "spec/headGroupSpec/template/metadata", "{\"annotations\":{\"a/b\":\"x=y\"},\"labels\":{\"team\":\"search\"}}");
    says(&m, "spec/workerGroupSpecs/0/template/metadata/labels", "{\"team\":\"search\"}");
    unmake(&m);
}

static void a_file_is_taken_as_it_is(void **state) {
    struct made m;
    char *text;
    home_write(*state, "ok.yaml", "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name: lab, labels: {a: b}}\nspec: {x: 1, y: \"1\"}\n");
    home_write(*state, "other.yaml", "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name: demo}\n");
    home_write(*state, "job.yaml", "apiVersion: ray.io/v1\nkind: RayJob\n");
    char *dir = rt_path(RT_DIR_CONFIG, NULL);
    text = rt_strf("{manifest: %s/ok.yaml}", dir);
    make(&m, text);
    says(&m, "spec", "{\"x\":1,\"y\":\"1\"}");
    says(&m, "metadata/labels", "{\"a\":\"b\",\"app.kubernetes.io/managed-by\":\"raytui\"}");
    says(&m, "metadata/namespace", "\"ray\"");
    unmake(&m);
    free(text);
    text = rt_strf("{manifest: %s/other.yaml}", dir);
    refused(text, "the manifest says name demo, the configuration lab");
    free(text);
    text = rt_strf("{manifest: %s/job.yaml}", dir);
    refused(text, "no RayCluster of ray.io, but RayJob");
    free(text);
    refused("{manifest: /nowhere.yaml}", "/nowhere.yaml");
    free(dir);
}

static void the_head_fits_with_the_autoscaler_beside_it(void **state) {
    struct made m;
    int64_t milli;
    double bytes;
    (void)state;
    make(&m, "{head: {cpu: 1.5, memory_gb: 2}, pools: {a: {min: 0, max: 2}}, autoscaler: {cpu: 0.25, memory_gb: 1}}");
    kuberay_manifest_head(m.cluster, &milli, &bytes);
    assert_int_equal(milli, 1750);
    assert_true(bytes == 3.0 * 1073741824);
    unmake(&m);
}

static void quantities_are_numbers(void **state) {
    static const struct {
        const char *text;
        double want;
    } good[] = {{"500m", 0.5}, {"2", 2}, {"1.5Gi", 1610612736.0}, {"128M", 128e6}, {"1e3", 1000}, {"0", 0}, {"8Ki", 8192}};
    static const char *const bad[] = {"", "Gi", "1Zi", "1 Gi", NULL};
    double v;
    (void)state;
    for (size_t i = 0; i < RT_COUNT(good); i++) {
        if (!kuberay_quantity(good[i].text, &v) || v < good[i].want - 1e-9 || v > good[i].want + 1e-9)
            fail_msg("%s: %.17g", good[i].text, v);
    }
    for (size_t i = 0; bad[i]; i++)
        assert_false(kuberay_quantity(bad[i], &v));
    assert_false(kuberay_quantity(NULL, &v));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_is_a_head_and_one_worker),
        cmocka_unit_test(like_nodes_are_counted_with_the_head),
        cmocka_unit_test(an_autoscaler_comes_with_elastic_pools_only),
        cmocka_unit_test(groups_have_names_that_people_use),
        cmocka_unit_test(gpus_bring_their_machines),
        cmocka_unit_test(the_version_is_that_of_the_image),
        cmocka_unit_test(pods_carry_labels_and_annotations),
        home_test(a_file_is_taken_as_it_is),
        cmocka_unit_test(the_head_fits_with_the_autoscaler_beside_it),
        cmocka_unit_test(quantities_are_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
