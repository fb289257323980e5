/* A configuration that somebody wrote: never a crash, and each problem with a message. */
#include "fuzz.h"

#include "base/yaml.h"
#include <string.h>

struct conf {
    char *name;
    int64_t workers, walltime_ms, memory;
    double price;
    bool readonly;
    int transport;
    struct rt_strs modules, env;
    struct {
        int64_t number;
    } port;
};

static const char *const transports[] = {"auto", "ssh", "direct", NULL};
static const struct rt_yfield port_fields[] = {{.key = "number", .type = RT_Y_I64, .min = 1, .max = 65535}, {0}};
static const struct rt_yfield fields[] = {
    {.key = "name", .alias = {"provider"}, .off = offsetof(struct conf, name), .type = RT_Y_STR},
    {.key = "workers", .off = offsetof(struct conf, workers), .type = RT_Y_I64, .min = 1},
    {.key = "walltime", .off = offsetof(struct conf, walltime_ms), .type = RT_Y_DURATION, .min = 60000},
    {.key = "memory", .off = offsetof(struct conf, memory), .type = RT_Y_SIZE},
    {.key = "price", .off = offsetof(struct conf, price), .type = RT_Y_F64},
    {.key = "readonly", .off = offsetof(struct conf, readonly), .type = RT_Y_BOOL},
    {.key = "transport", .off = offsetof(struct conf, transport), .type = RT_Y_ENUM, .names = transports},
    {.key = "modules", .off = offsetof(struct conf, modules), .type = RT_Y_STRS},
    {.key = "env", .off = offsetof(struct conf, env), .type = RT_Y_KVS},
    {.key = "port", .off = offsetof(struct conf, port), .type = RT_Y_STRUCT, .sub = port_fields},
    {0},
};

static void count(void *ctx, const struct rt_error *err) {
    PROMISE(err->code == RT_E_CONFIG && strncmp(err->message, "config.yaml:", 12) == 0);
    ++*(size_t *)ctx;
}

static void read_fields(const struct rt_ynode *root) {
    struct conf c = {0};
    size_t problems = 0;
    bool ok = rt_yaml_read(root, fields, NULL, &c, count, &problems);
    PROMISE(ok == (problems == 0));
    PROMISE(c.port.number >= 0 && c.port.number <= 65535 && c.walltime_ms >= 0 && c.memory >= 0);
    rt_yaml_free(fields, &c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rt_ydoc doc;
    struct rt_error err = {0};
    bool ok = rt_yaml_parse("config.yaml", (const char *)data, size, &doc, &err);
    PROMISE(ok == (err.code == RT_OK));
    if (ok && doc.root) {
        PROMISE(doc.root->line >= 1 && doc.root->column >= 1);
        json_decref(rt_ynode_json(doc.root));
        read_fields(doc.root);
    }
    if (!ok)
        PROMISE(err.message[0]);
    rt_yaml_deinit(&doc);
    return 0;
}
