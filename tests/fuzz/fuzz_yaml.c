/* A configuration that somebody wrote: never a crash, and each problem with a message. */
#include "fuzz.h"

#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rt_ydoc doc;
    struct rt_error err = {0};
    bool ok = rt_yaml_parse("config.yaml", (const char *)data, size, &doc, &err);
    PROMISE(ok == (err.code == RT_OK));
    if (ok && doc.root) {
        PROMISE(doc.root->line >= 1 && doc.root->column >= 1);
        json_decref(rt_ynode_json(doc.root));
    }
    if (!ok)
        PROMISE(err.message[0]);
    rt_yaml_deinit(&doc);
    return 0;
}
