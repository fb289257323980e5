/* The one command by which nodes are drained. */
#include "providers/drain.h"
#include "base/shell.h"
#include <string.h>

static const char mark[] = "raytui: it is drained";

char *drain_line(const struct rt_strs *node_ids, int seconds) {
    struct rt_buf line;
    rt_buf_init(&line, RT_MIB);
    for (size_t i = 0; i < node_ids->n; i++) {
        rt_buf_adds(&line, "timeout 20 ray drain-node --address \"${RAY_ADDRESS:-auto}\" --node-id ");
        rt_shell_word(&line, node_ids->v[i]);
        rt_buf_addf(&line, " --reason DRAIN_NODE_REASON_PREEMPTION --reason-message 'taken away by raytui' --deadline-remaining-seconds %d 2>&1 && ", seconds);
    }
    rt_buf_addf(&line, "echo '%s' || true", mark);
    return rt_buf_take(&line);
}

bool drain_taken(const char *log) {
    return log && strstr(log, mark);
}
