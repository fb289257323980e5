/* One cluster of a configuration, with every provider's fields: loaded or refused with a message, and what is
 * printed of it is read again. */
#include "fuzz.h"

#include "base/mem.h"
#include "core/config.h"
#include "core/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rt_error err = {0};
    char *text = rt_strndup((const char *)data, size);
    struct rt_config *config = rt_config_load("/dev/null", rt_providers);
    PROMISE(config);
    if (rt_config_add(config, "lab", text, rt_providers, &err)) {
        struct rt_buf out;
        rt_buf_init(&out, 0);
        rt_config_print(config, rt_config_cluster(config, "lab"), &out);
        PROMISE(out.len > 0);
        rt_buf_deinit(&out);
    } else {
        PROMISE(err.code != RT_OK && err.message[0]);
    }
    rt_config_destroy(config);
    free(text);
    return 0;
}
