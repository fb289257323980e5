/* All providers. A new one is its file and a row here. */
#include "core/provider.h"

extern const struct rt_provider_ops rt_provider_auto, rt_provider_address, rt_provider_kuberay, rt_provider_local, rt_provider_ssh,
    rt_provider_slurm, rt_provider_pbs, rt_provider_launcher, rt_provider_yellowdog;

const struct rt_provider_ops *const rt_providers[] = {
    &rt_provider_address,
    &rt_provider_local,
    &rt_provider_ssh,
    &rt_provider_kuberay,
    &rt_provider_slurm,
    &rt_provider_pbs,
    &rt_provider_launcher,
    &rt_provider_yellowdog,
    &rt_provider_auto,
    NULL,
};
