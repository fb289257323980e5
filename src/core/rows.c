#include "core/rows.h"

const void *rt_rows_at(const struct rt_rows *b, size_t i) {
    return (const char *)b->v + i * b->size;
}

const char *rt_rows_id(const void *row) {
    const char *id;
    memcpy(&id, row, sizeof(id));
    return id;
}

void rt_cell_resources(struct rt_buf *out, const struct rt_resources *l) {
    char amount[32];
    if (!l->n)
        rt_buf_addc(out, '-');
    for (size_t i = 0; i < l->n; i++) {
        rt_buf_adds(out, i ? ", " : "");
        rt_clean(out, l->v[i].name, strlen(l->v[i].name));
        rt_buf_addf(out, " %s", rt_fmt_amount(amount, sizeof(amount), l->v[i].amount));
    }
}

void rt_put_resources(json_t *o, const char *key, const struct rt_resources *l) {
    json_t *v = json_object();
    for (size_t i = 0; i < l->n; i++)
        json_object_set_new(v, l->v[i].name, json_real(l->v[i].amount));
    json_object_set_new(o, key, v);
}

void rt_put_json(json_t *o, const char *key, const char *text) {
    json_t *v = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    json_object_set_new(o, key, v ? v : json_null());
}
