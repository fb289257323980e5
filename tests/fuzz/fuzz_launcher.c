/* Ray's YAML as anybody might have written it: what is read, and that an edit changes one number of what is read and nothing else;
 * and the same bytes as a `.env`. */
#include "fuzz.h"

#include "providers/launcher_file.h"
#include <string.h>

static void keep(void *ctx, const struct rt_error *err) {
    PROMISE(err->code != RT_OK && err->message[0]);
    *(bool *)ctx = true;
}

static json_t *tree(const char *text, size_t n) {
    struct rt_ydoc doc;
    struct rt_error err = {0};
    PROMISE(rt_yaml_parse("f", text, n, &doc, &err));
    json_t *v = rt_ynode_json(doc.root);
    rt_yaml_deinit(&doc);
    return v;
}

/* The old tree with the number in it is the new tree. */
static void only_that(const char *text, size_t n, const struct rt_buf *out, const char *type, const char *key, int64_t value) {
    json_t *was = tree(text, n), *is = tree(rt_buf_str(out), out->len);
    json_t *types = json_object_get(was, "available_node_types"), *map = types ? json_object_get(types, type) : was;
    PROMISE(json_is_object(map));
    json_object_set_new(map, key, json_integer(value));
    PROMISE(json_equal(was, is));
    json_decref(was);
    json_decref(is);
}

static void edit(const char *text, size_t n, const char *type, const char *key) {
    struct rt_buf out, diff;
    struct rt_error err = {0};
    const int64_t value = 4711;
    rt_buf_init(&out, 0);
    rt_buf_init(&diff, 0);
    if (rt_launcher_edit("f", text, n, type, key, value, &out, &err)) {
        only_that(text, n, &out, type, key, value);
        PROMISE(!err.code);
        rt_launcher_diff("f", text, rt_buf_str(&out), &diff);
        PROMISE(diff.len || strcmp(text, rt_buf_str(&out)) == 0);
    } else {
        PROMISE(err.code != RT_OK && err.message[0] && !out.len);
    }
    rt_buf_deinit(&out);
    rt_buf_deinit(&diff);
}

static void environment(const char *text, size_t n) {
    struct rt_strs env = {0};
    struct rt_error err = {0};
    if (!rt_launcher_env_parse("e", text, n, &env, &err))
        PROMISE(err.code == RT_E_CONFIG);
    for (size_t i = 0; i < env.n; i++) {
        const char *equals = strchr(env.v[i], '=');
        PROMISE(equals && equals > env.v[i]);
    }
    rt_strs_deinit(&env);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rt_launcher_file f;
    bool said = false;
    if (size > 8 * RT_KIB)
        return 0;
    char *text = malloc(size + 1);
    PROMISE(text);
    memcpy(text, data, size);
    text[size] = '\0';
    const bool ok = rt_launcher_parse("f", text, size, &f, keep, &said);
    PROMISE(ok == !said);
    PROMISE(f.cluster_name && f.type && f.auth.user && f.head_type);
    PROMISE(!ok || f.doc.root);
    for (size_t i = 0; i < f.ntypes && i < 4; i++) {
        edit(text, size, f.types[i].name, "min_workers");
        edit(text, size, f.types[i].name, "max_workers");
    }
    rt_launcher_deinit(&f);
    environment(text, size);
    free(text);
    return 0;
}
