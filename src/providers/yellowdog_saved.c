/* A cluster's state as RayDog saves it: what one program built, the other finds and ends. */
#include "base/fs.h"
#include "providers/yellowdog_api.h"
#include <stdlib.h>
#include <string.h>

static char *member(const json_t *v, const char *key) {
    return rt_strdup(json_string_value(json_object_get(v, key)));
}

static bool saved_from(const json_t *v, struct yd_saved *out, struct rt_error *err) {
    const json_t *id = NULL;
    size_t i = 0;
    out->name = member(v, "cluster_name");
    out->space = member(v, "cluster_namespace");
    out->tag = member(v, "cluster_tag");
    out->work_id = member(v, "work_requirement_id");
    json_array_foreach(json_object_get(v, "worker_pool_ids"), i, id)
        rt_strs_add(&out->pool_ids, json_string_value(id));
    if (out->name && out->space)
        return true;
    rt_error_set(err, RT_E_CONFIG, "this is no saved state of a cluster: %s is missing", out->name ? "cluster_namespace" : "cluster_name");
    return rt_error_hint(err, "RayDog writes it with save_state_to_json_file()");
}

bool yd_saved_read(const char *path, struct yd_saved *out, struct rt_error *err) {
    struct rt_buf text;
    *out = (struct yd_saved){0};
    rt_buf_init(&text, RT_MIB);
    bool ok = rt_file_read(path, RT_MIB, &text, err);
    json_t *v = ok ? rt_json_parse(rt_buf_str(&text), text.len, err) : NULL;
    ok = v && saved_from(v, out, err);
    if (!ok) {
        yd_saved_deinit(out);
        rt_error_wrap(err, "%s", path);
    }
    json_decref(v);
    rt_buf_deinit(&text);
    return ok;
}

bool yd_saved_write(const char *path, const struct yd_saved *s, struct rt_error *err) {
    json_t *v = json_object(), *ids = json_array();
    const struct {
        const char *key, *text;
    } members[] = {{"cluster_name", s->name}, {"cluster_namespace", s->space}, {"cluster_tag", s->tag}, {"work_requirement_id", s->work_id}};
    for (size_t i = 0; i < RT_COUNT(members); i++) /* None there is null */
        json_object_set_new(v, members[i].key, members[i].text ? json_string(members[i].text) : json_null());
    for (size_t i = 0; i < s->pool_ids.n; i++)
        json_array_append_new(ids, json_string(s->pool_ids.v[i]));
    json_object_set_new(v, "worker_pool_ids", ids);
    char *dump = json_dumps(v, JSON_INDENT(2)), *text = rt_strf("%s\n", dump ? dump : "{}");
    const bool ok = rt_file_write(path, text, strlen(text), err);
    free(text);
    free(dump);
    json_decref(v);
    return ok;
}

void yd_saved_deinit(struct yd_saved *s) {
    free(s->name);
    free(s->space);
    free(s->tag);
    free(s->work_id);
    rt_strs_deinit(&s->pool_ids);
    *s = (struct yd_saved){0};
}
