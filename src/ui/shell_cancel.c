/* What runs is cancelled, after a question that says what becomes of what it made. */
#include "ui/dialog.h"
#include "ui/shell.h"

#include "base/str.h"
#include "core/operation.h"

/* What becomes of what it has made. */
static const char *after_cancel(const struct rt_operation *op) {
    static const char *const makes[] = {"up", "run", "resume", NULL}, *const ends[] = {"down", "suspend", NULL},
                             *const sends[] = {"submit", NULL}, *const asks[] = {"stop", "keepalive", NULL};
    const char *line = rt_operation_retry_line(op);
    if (rt_is_one_of(op->verb, makes))
        return line && strstr(line, " --keep") ? "What it has made until now stays (--keep)." : "What it has made until now is taken away again.";
    if (rt_is_one_of(op->verb, ends))
        return "What has not ended yet stays, and so does what it costs.";
    if (rt_is_one_of(op->verb, sends))
        return "A job that was not sent yet is not sent; one that was sent runs on.";
    return rt_is_one_of(op->verb, asks) ? "What was asked already stays asked." : "Nodes that came stay, those that ended do not come back.";
}

static void cancel_answered(void *ctx, bool yes) {
    struct rt_ui *ui = ctx;
    struct rt_operation *op = rt_operations_find(ui->app->operations, ui->cancelling);
    ui->cancelling[0] = '\0';
    if (!yes || !op)
        return;
    if (op->state != RT_OPS_RUNNING) {
        rt_ui_note(ui, "%s: it is over already", op->title);
        return;
    }
    rt_operation_cancel(op);
    rt_ui_note(ui, "cancelling: %s", op->title);
}

void rt_ui_cancel(struct rt_ui *ui, const struct rt_operation *op) {
    struct rt_confirmation c = {.grade = RT_CONFIRM_YES_NO};
    struct rt_buf text;
    rt_buf_init(&text, 0);
    for (size_t i = 0; i < op->nsteps; i++)
        if (op->steps[i].state == RT_OPS_RUNNING)
            rt_buf_addf(&text, "now: %s%s%s\n", op->steps[i].subject ? op->steps[i].subject : "", op->steps[i].subject ? ": " : "", op->steps[i].title);
    rt_buf_adds(&text, after_cancel(op));
    snprintf(ui->cancelling, sizeof ui->cancelling, "%s", op->id);
    c.title = rt_strf("Cancel: %s?", op->title);
    c.text = rt_buf_take(&text);
    rt_ui_popup(ui, rt_dialog_confirm(ui, &c, cancel_answered, ui));
}
