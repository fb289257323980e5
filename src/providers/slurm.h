/* Inside the provider `slurm` only. */
#ifndef RT_PROVIDERS_SLURM_H
#define RT_PROVIDERS_SLURM_H

#include "providers/batch.h"

extern const struct batch_dialect slurm_dialect;

/* slurm_text.c: what squeue and sbatch say. */
bool slurm_parse(const char *text, int64_t now_ms, struct batch_list *out, struct rt_error *err);
const char *slurm_refused(const char *text, char *sentence, size_t size);

#endif
