/* The autoscaler's status, which Ray gives as text for people. */
#include "fuzz.h"

#include "ray/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rt_ray_status status;
    struct rt_error err = {0};
    if (rt_ray_status_parse((const char *)data, size, &status, &err))
        rt_ray_status_deinit(&status);
    else
        PROMISE(err.code != RT_OK && err.message[0]);
    return 0;
}
