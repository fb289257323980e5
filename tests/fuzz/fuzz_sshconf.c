/* What `ssh -G` printed. */
#include "fuzz.h"

#include "base/mem.h"
#include "net/sshconf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rt_sshconf conf;
    struct rt_error err = {0};
    char *text = rt_strndup((const char *)data, size);
    if (rt_sshconf_parse(text, &conf, &err))
        PROMISE(conf.port > 0 && conf.port <= 65535);
    else
        PROMISE(err.code != RT_OK && err.message[0]);
    rt_sshconf_deinit(&conf);
    free(text);
    return 0;
}
