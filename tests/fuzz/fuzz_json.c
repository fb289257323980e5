/* An answer cut into elements while it arrives in slices of any size, each element decoded: the slices must
 * not matter. */
#include "fuzz.h"

#include "base/decode.h"
#include "base/jsplit.h"

struct row {
    const char *id, *any;
    int64_t start_ms;
    double amount;
    bool head;
    int status;
    struct rt_kvs labels;
    struct rt_resources resources;
    int64_t pid;
};

static const char *const words[] = {"other", "PENDING", "RUNNING", NULL};
static const struct rt_field inner[] = {RT_FIELD(struct row, pid, "pid", RT_F_I64, .absent = -1), {0}};
static const struct rt_field fields[] = {
    RT_FIELD(struct row, id, "id", RT_F_STR, .required = true),
    RT_FIELD(struct row, any, "any", RT_F_JSON),
    RT_FIELD(struct row, start_ms, "start_time", RT_F_I64, .absent = -1),
    RT_FIELD(struct row, amount, "amount", RT_F_F64),
    RT_FIELD(struct row, head, "head", RT_F_BOOL),
    RT_FIELD(struct row, status, "status", RT_F_ENUM, .names = words),
    RT_FIELD(struct row, labels, "labels", RT_F_KV),
    RT_FIELD(struct row, resources, "resources", RT_F_RES),
    {.key = "driver_info", .type = RT_F_OBJ, .sub = inner},
    {0},
};

struct seen {
    size_t elements, bytes, decoded;
};

static bool element(void *ctx, size_t index, const char *text, size_t n) {
    struct seen *s = ctx;
    struct rt_error err = {0};
    PROMISE(index == s->elements);
    s->elements++;
    s->bytes += n;
    json_t *v = rt_json_parse(text, n, &err);
    if (v) {
        struct row row;
        struct rt_arena *arena = rt_arena_create();
        if (rt_decode(v, fields, &row, arena, &err)) {
            PROMISE(row.id);
            PROMISE(row.status >= 0 && row.status <= 2);
            s->decoded++;
        } else {
            PROMISE(err.code != RT_OK && err.message[0]);
        }
        rt_arena_destroy(arena);
        json_decref(v);
    }
    return true;
}

static bool run(const char *path, const char *data, size_t n, size_t slice, struct seen *s) {
    struct rt_error err = {0};
    bool ok = true;
    *s = (struct seen){0};
    struct rt_jsplit *j = rt_jsplit_create(path, 4096, element, s);
    for (size_t at = 0; ok && at < n; at += slice)
        ok = rt_jsplit_feed(j, data + at, n - at < slice ? n - at : slice, &err);
    ok = ok && rt_jsplit_end(j, &err);
    PROMISE(ok == (err.code == RT_OK));
    if (ok)
        PROMISE(rt_jsplit_count(j) == s->elements);
    rt_jsplit_destroy(j);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    const char *path = data[0] & 1 ? "data.result.result" : "";
    size_t slice = 1u + (data[0] >> 1);
    struct seen whole, sliced;
    bool a = run(path, (const char *)data + 1, size - 1, size, &whole);
    bool b = run(path, (const char *)data + 1, size - 1, slice, &sliced);
    PROMISE(a == b);
    PROMISE(whole.elements == sliced.elements && whole.bytes == sliced.bytes && whole.decoded == sliced.decoded);
    return 0;
}
