/* JSON patches of a RayCluster. workerGroupSpecs is an atomic list: a merge patch would replace all of it. So each patch
 * names the index of its group in the object that was read, and tests first that the group is still there. */
#include "providers/kuberay.h"

static json_t *op(const char *verb, const char *path, json_t *value) {
    return json_pack("{s:s, s:s, s:o}", "op", verb, "path", path, "value", value);
}

static bool index_of(const json_t *object, const char *group, size_t *out) {
    const json_t *list = rt_json_at(object, "spec.workerGroupSpecs");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (rt_streq(rt_json_str(json_array_get(list, i), "groupName"), group)) {
            *out = i;
            return true;
        }
    return false;
}

static void add(json_t *patch, const char *verb, size_t index, const char *field, json_t *value) {
    char *path = rt_strf("/spec/workerGroupSpecs/%zu/%s", index, field);
    json_array_append_new(patch, op(verb, path, value));
    free(path);
}

/* Begins with the test; NULL when there is no such group. */
static json_t *begin(const json_t *object, const char *group, size_t *index) {
    if (!index_of(object, group, index))
        return NULL;
    json_t *patch = json_array();
    add(patch, "test", *index, "groupName", json_string(group));
    return patch;
}

/* A number, and before it the test that nobody changed it since it was read. */
static void set_number(json_t *patch, const json_t *group, size_t index, const char *field, int64_t value) {
    json_t *now = json_object_get(group, field);
    if (value < 0)
        return;
    if (json_is_integer(now))
        add(patch, "test", index, field, json_incref(now));
    add(patch, "replace", index, field, json_integer(value));
}

json_t *kuberay_patch_group(const json_t *object, const char *group, const struct kpatch *w) {
    size_t i = 0;
    json_t *patch = begin(object, group, &i);
    if (!patch)
        return NULL;
    const json_t *now = json_array_get(rt_json_at(object, "spec.workerGroupSpecs"), i);
    set_number(patch, now, i, "minReplicas", w->min);
    set_number(patch, now, i, "maxReplicas", w->max);
    set_number(patch, now, i, "replicas", w->replicas);
    if (w->clear)
        add(patch, "add", i, "scaleStrategy", json_object());
    if (!w->pods || !w->pods->n)
        return patch;
    json_t *names = json_array();
    for (size_t k = 0; k < w->pods->n; k++)
        json_array_append_new(names, json_string(w->pods->v[k]));
    add(patch, "add", i, "scaleStrategy", json_pack("{s:o}", "workersToDelete", names));
    return patch;
}

json_t *kuberay_patch_add_group(const json_t *object, json_t *group) {
    json_t *patch = json_array();
    if (json_is_array(rt_json_at(object, "spec.workerGroupSpecs")))
        json_array_append_new(patch, op("add", "/spec/workerGroupSpecs/-", group));
    else
        json_array_append_new(patch, op("add", "/spec/workerGroupSpecs", json_pack("[o]", group)));
    return patch;
}

json_t *kuberay_patch_remove_group(const json_t *object, const char *group) {
    size_t i = 0;
    json_t *patch = begin(object, group, &i);
    if (!patch)
        return NULL;
    char *path = rt_strf("/spec/workerGroupSpecs/%zu", i);
    json_array_append_new(patch, json_pack("{s:s, s:s}", "op", "remove", "path", path));
    free(path);
    return patch;
}
