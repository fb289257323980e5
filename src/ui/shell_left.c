/* What runs that were killed left behind: offered to be removed when the screen opens. */
#include "app/work.h"
#include "base/str.h"
#include "ui/dialog.h"
#include "ui/shell.h"
#include <stdlib.h>

/* Only what was asked about. */
static void answered(void *ctx, bool yes) {
    struct rt_ui *ui = ctx;
    for (size_t i = 0; yes && i < ui->left.n; i++) {
        const char *const words[] = {"down", ui->left.v[i], NULL};
        struct rt_call call;
        struct rt_error err = {0};
        if (rt_call_parse(ui->app, words, NULL, &call, &err))
            shell_call_agreed(ui, &call);
        else
            rt_ui_error(ui, &err);
    }
    if (!yes && ui->left.n)
        rt_ui_toast(ui, "%s stays: ^K on it removes it", ui->left.n > 1 ? "what was left" : ui->left.v[0]);
    rt_strs_deinit(&ui->left);
}

void shell_offer_left(struct rt_ui *ui) {
    struct rt_confirmation c = {.grade = RT_CONFIRM_YES_NO};
    struct rt_buf text;
    rt_works_left(ui->app, &ui->left);
    if (!ui->left.n)
        return;
    if (ui->app->readonly) {
        rt_ui_toast(ui, "%s is left of a run that was killed", ui->left.v[0]);
        rt_strs_deinit(&ui->left);
        return;
    }
    rt_buf_init(&text, 0);
    for (size_t i = 0; i < ui->left.n; i++)
        rt_work_left_text(ui->left.v[i], &text);
    rt_buf_adds(&text, "\nThe raytui that made it lives no more, and nobody else will tear it down.");
    c.title = ui->left.n > 1 ? rt_strf("Remove %zu clusters that were left?", ui->left.n) : rt_strf("Remove %s, which was left?", ui->left.v[0]);
    c.text = rt_buf_take(&text);
    c.equivalent = rt_strf("raytui down %s", ui->left.v[0]);
    rt_ui_popup(ui, rt_dialog_confirm(ui, &c, answered, ui));
}
