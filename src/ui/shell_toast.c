/* Toasts: one line over the hints. */
#include "ui/shell.h"

#include "base/str.h"
#include <stdarg.h>
#include <stdlib.h>

#define TOAST_MS 4000
#define UNDO_MS 5000

static void clear(struct rt_ui *ui) {
    free(ui->toast.text);
    free(ui->toast.undo);
    ui->toast = (struct toast){0};
    rt_ui_mark(ui);
}

static void over(void *ctx) {
    clear(ctx);
}

static void show(struct rt_ui *ui, const char *text, bool error, int64_t ms) {
    struct rt_buf clean;
    rt_buf_init(&clean, 8192);
    rt_clean(&clean, text, strlen(text));
    clear(ui);
    ui->toast.text = rt_buf_take(&clean);
    ui->toast.error = error;
    if (!ui->app)
        return;
    if (ms && !ui->toast_timer)
        ui->toast_timer = rt_timer_start(ui->app->loop, ms, 0, over, ui);
    else if (ui->toast_timer)
        rt_timer_again(ui->toast_timer, ms ? ms : INT64_C(1) << 40, 0);
}

static void tell(struct rt_ui *ui, bool note, const char *fmt, va_list ap) {
    struct rt_buf text;
    rt_buf_init(&text, 8192);
    rt_buf_addv(&text, fmt, ap);
    show(ui, rt_buf_str(&text), false, TOAST_MS);
    ui->toast.note = note;
    rt_buf_deinit(&text);
}

void rt_ui_toast(struct rt_ui *ui, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    tell(ui, false, fmt, ap);
    va_end(ap);
}

void rt_ui_note(struct rt_ui *ui, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    tell(ui, true, fmt, ap);
    va_end(ap);
}

/* Looks like an error when it is bad, and goes by itself. */
void toast_notice(struct rt_ui *ui, const char *text, bool bad) {
    show(ui, text, bad, 2 * TOAST_MS);
}

/* "raytui scale ..." of a message that a shell may show too: how long the name of the program is in front of a verb
 * that can be typed here; else 0. */
static size_t program_in_front(const char *text) {
    static const char program[] = "raytui ";
    if (!rt_starts(text, program))
        return 0;
    const char *verb = text + sizeof program - 1;
    const size_t n = strcspn(verb, " `");
    char *name = rt_strndup(verb, n);
    const bool typed = rt_action_find(name) && !rt_starts(verb + n, " --help");
    free(name);
    return typed ? sizeof program - 1 : 0;
}

/* Verbs and commands as the line at the bottom takes them: ":scale POOL N". */
static void add_as_typed(struct rt_buf *out, const char *text) {
    static const char usage[] = "usage: ";
    while (*text) {
        const size_t lead = rt_starts(text, usage) ? sizeof usage - 1 : *text == '`';
        const size_t program = lead ? program_in_front(text + lead) : 0;
        rt_buf_add(out, text, RT_MAX(lead, 1));
        text += RT_MAX(lead, 1);
        if (program || (lead > 1 && *text != ':' && !rt_starts(text, "raytui ")))
            rt_buf_addc(out, ':');
        text += program;
    }
}

void rt_ui_error(struct rt_ui *ui, const struct rt_error *err) {
    struct rt_buf text;
    if (err->code == RT_E_CANCELLED)
        return;
    rt_buf_init(&text, 8192);
    add_as_typed(&text, err->message);
    if (err->hint[0]) {
        rt_buf_adds(&text, " - ");
        add_as_typed(&text, err->hint);
    }
    show(ui, rt_buf_str(&text), true, 0);
    rt_buf_deinit(&text);
}

void rt_ui_toast_undo(struct rt_ui *ui, const char *text, const char *undo_command) {
    show(ui, text, false, UNDO_MS);
    ui->toast.undo = rt_strdup(undo_command);
}

bool toast_dismiss(struct rt_ui *ui) {
    if (!ui->toast.text || !ui->toast.error)
        return false;
    clear(ui);
    return true;
}

bool toast_undo(struct rt_ui *ui) {
    if (!ui->toast.undo)
        return false;
    char *line = rt_strdup(ui->toast.undo);
    clear(ui);
    rt_ui_command(ui, line);
    free(line);
    return true;
}
