/* What PBS's commands print, which a cluster's site may have wrapped in anything. */
#include "fuzz.h"

#include "base/mem.h"
#include "providers/batch.h"
#include "providers/pbs.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = rt_strndup((const char *)data, size), sentence[120];
    struct pbs_jobs jobs;
    pbs_jobs_read(text, strlen(text), 3600, &jobs);
    for (size_t i = 0; i < jobs.n; i++)
        PROMISE(pbs_dialect.id_ok(jobs.v[i].id));
    pbs_jobs_deinit(&jobs);
    char *answer = rt_strf("raytui-now 1795231400 +0100\n%s", text);
    struct batch_list list;
    struct rt_error err = {0};
    PROMISE(pbs_dialect.parse(answer, 0, &list, &err));
    for (size_t i = 0; i < list.n; i++)
        PROMISE(list.v[i].id && list.v[i].left_ms >= -1 && list.v[i].starts_ms >= 0);
    rt_arena_destroy(list.arena);
    pbs_refused(text, sentence, sizeof sentence);
    PROMISE(strlen(sentence) < sizeof sentence);
    char *id = pbs_submitted(text);
    PROMISE(!id || pbs_dialect.id_ok(id));
    free(id);
    free(answer);
    free(text);
    return 0;
}
