/* Operations: their output, once more, cancel. */
#include "ui/list.h"
#include "ui/views.h"

#include "base/str.h"

static bool show_output(struct rt_view *v, const struct rt_operation *op, struct rt_error *err) {
    const struct rt_log_target t = {.what = RT_LOG_OPERATION, .cluster = op->cluster, .id = op->id};
    return rt_show_log(v->ui, &t, err);
}

static bool retry(struct rt_view *v, const struct rt_operation *op, struct rt_error *err) {
    const char *line = rt_operation_retry_line(op);
    if (op->state == RT_OPS_RUNNING)
        return rt_error_set(err, RT_E_BUSY, "%s still runs", op->title);
    if (!line)
        return rt_error_set(err, RT_E_UNSUPPORTED, "%s cannot be repeated from here", op->verb);
    rt_ui_command(v->ui, line);
    return true;
}

static bool cancel(struct rt_view *v, const struct rt_operation *op, struct rt_error *err) {
    if (op->state != RT_OPS_RUNNING)
        return rt_error_set(err, RT_E_USAGE, "%s is over", op->title);
    if (op->cancelling)
        return rt_error_set(err, RT_E_BUSY, "%s is being cancelled", op->title);
    rt_ui_cancel(v->ui, op);
    return true;
}

enum rt_taken rt_operations_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err) {
    const char *name = words->v[0];
    if (!rt_starts(name, "operation-"))
        return RT_TAKEN_NO;
    const char *id = rt_list_selected_id(v);
    struct rt_operation *op = id ? rt_operations_find(rt_ui_app(v->ui)->operations, id) : NULL;
    bool ok = op || rt_error_set(err, RT_E_USAGE, "nothing is selected");
    if (ok && rt_streq(name, "operation-log"))
        ok = show_output(v, op, err);
    else if (ok && rt_streq(name, "operation-retry"))
        ok = retry(v, op, err);
    else if (ok && rt_streq(name, "operation-cancel"))
        ok = cancel(v, op, err);
    else if (ok)
        return RT_TAKEN_NO;
    return ok ? RT_TAKEN_YES : RT_TAKEN_FAILED;
}
