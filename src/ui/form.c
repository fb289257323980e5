/* Forms: typing, looking ahead, doing. */
#include "ui/form.h"

#include "base/str.h"
#include "ui/dialog.h"
#include "ui/tools.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PREVIEW_AFTER_MS = 250 };

static struct rt_form *of(struct rt_view *v) {
    return (struct rt_form *)v;
}

static size_t index_of(const struct rt_form *f, const char *id) {
    size_t i = 0;
    while (i < f->n && !rt_streq(f->fields[i].id, id))
        i++;
    return i;
}

const char *rt_form_get(const struct rt_form *f, const char *id) {
    const size_t i = index_of(f, id);
    return i < f->n ? rt_input_text(&f->inputs[i]) : "";
}

void rt_form_fill(struct rt_form *f, const char *id, const char *value) {
    const size_t i = index_of(f, id);
    if (i < f->n && value)
        rt_input_set(&f->inputs[i], value);
}

void rt_form_set_fields(struct rt_form *f, const struct rt_form_field *fields) {
    struct rt_input inputs[RT_FORM_FIELDS] = {0};
    char *notes[RT_FORM_FIELDS] = {0};
    const char *const focus = f->fields[f->at].id;
    size_t n = 0, at = 0;
    for (; n < RT_FORM_FIELDS && fields[n].id; n++) {
        const size_t i = index_of(f, fields[n].id);
        rt_input_init(&inputs[n]);
        if (rt_streq(fields[n].id, focus))
            at = n;
        if (i == f->n)
            continue;
        inputs[n] = f->inputs[i];
        notes[n] = f->notes[i];
        rt_input_init(&f->inputs[i]);
        f->notes[i] = NULL;
    }
    for (size_t i = 0; i < f->n; i++) {
        rt_input_deinit(&f->inputs[i]);
        free(f->notes[i]);
    }
    memcpy(f->inputs, inputs, sizeof inputs);
    memcpy(f->notes, notes, sizeof notes);
    f->fields = fields;
    f->n = n;
    f->at = at;
    f->scroll = 0;
    rt_ui_mark(f->view.ui);
}

void rt_form_note(struct rt_form *f, const char *id, const char *text) {
    const size_t i = index_of(f, id);
    if (i >= f->n)
        return;
    free(f->notes[i]);
    f->notes[i] = rt_strdup(text);
    rt_ui_mark(f->view.ui);
}

void rt_form_clear_lines(struct rt_form *f) {
    for (size_t i = 0; i < f->lines.n; i++)
        free(f->lines.v[i].text);
    f->lines.n = 0;
    rt_ui_mark(f->view.ui);
}

void rt_form_say(struct rt_form *f, enum rt_role role, const char *text) {
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_clean(&b, text, strlen(text));
    *rt_vec_push(&f->lines) = (struct rt_form_line){role, rt_buf_take(&b)};
    rt_ui_mark(f->view.ui);
}

void rt_form_fail(struct rt_form *f, const struct rt_error *err) {
    rt_form_clear_lines(f);
    rt_form_say(f, RT_R_STATUS_FAILED, err->message);
    if (err->hint[0])
        rt_form_say(f, RT_R_DIM, err->hint);
}

/* ---- looking ahead ---- */

static void preview_now(void *ctx) {
    struct rt_form *f = ctx;
    rt_timer_stop(f->soon);
    f->soon = NULL;
    rt_op_drop(&f->preview);
    f->ops->preview(f);
}

void rt_form_changed(struct rt_form *f) {
    rt_ui_mark(f->view.ui);
    if (!f->ops->preview)
        return;
    if (f->soon)
        rt_timer_again(f->soon, PREVIEW_AFTER_MS, 0);
    else
        f->soon = rt_timer_start(rt_ui_app(f->view.ui)->loop, PREVIEW_AFTER_MS, 0, preview_now, f);
}

/* ---- doing ---- */

static bool busy(const struct rt_form *f) {
    return f->running || f->operation[0];
}

static void succeed(struct rt_form *f, const char *message, const char *result) {
    struct rt_ui *ui = f->view.ui;
    char *next = f->ops->done ? f->ops->done(f, result, f->follow) : NULL;
    if (message)
        rt_ui_toast(ui, "%s", message);
    rt_ui_close(ui, &f->view);
    if (next)
        rt_ui_command(ui, next);
    free(next);
}

static void look_at_operation(struct rt_form *f) {
    const struct rt_operation *op = rt_operations_find(rt_ui_app(f->view.ui)->operations, f->operation);
    if (op && op->state == RT_OPS_RUNNING) {
        rt_ui_mark(f->view.ui);
        return;
    }
    f->operation[0] = '\0';
    if (op && op->state == RT_OPS_DONE) {
        char *message = rt_strf("%s: %s %s", op->cluster ? op->cluster : "", f->ops->did, op->result ? op->result : "");
        succeed(f, message, op->result);
        free(message);
    } else if (op && op->state == RT_OPS_FAILED) {
        rt_form_fail(f, &op->error);
    } else {
        rt_form_clear_lines(f);
        rt_form_say(f, RT_R_STATUS_WARN, "cancelled");
    }
}

static void ran(void *ctx, const struct rt_error *err, const char *message, struct rt_operation *op) {
    struct rt_form *f = ctx;
    f->running = NULL;
    if (op)
        rt_operation_set_retry(op, f->line);
    if (err) {
        rt_form_fail(f, err);
    } else if (op && f->ops->waits) {
        snprintf(f->operation, sizeof f->operation, "%s", op->id);
        look_at_operation(f);
    } else {
        succeed(f, message, NULL);
    }
}

/* Takes the call. */
static void run(struct rt_form *f, struct rt_call *c) {
    rt_form_clear_lines(f);
    free(f->line);
    f->line = rt_call_text(c);
    f->running = rt_call_run(rt_ui_app(f->view.ui), c, ran, f);
    rt_call_deinit(c);
    rt_ui_mark(f->view.ui);
}

static void confirmed(void *ctx, bool yes) {
    struct rt_form *f = ctx;
    struct rt_call c = f->asked;
    struct rt_confirmation now = {0};
    struct rt_error err = {0};
    f->asked = (struct rt_call){0};
    if (!yes) {
        rt_call_deinit(&c);
        return;
    }
    const bool ok = rt_call_ask(rt_ui_app(f->view.ui), &c, &now, &err);
    if (ok && now.seen != f->asked_seen) {
        rt_error_set(&err, RT_E_CONFLICT, "it changed while the question was open; nothing was done");
        rt_error_hint(&err, "look again, then once more");
    }
    rt_confirmation_deinit(&now);
    if (err.code) {
        rt_form_fail(f, &err);
        rt_call_deinit(&c);
    } else {
        run(f, &c);
    }
}

static void act(struct rt_form *f, bool follow) {
    struct rt_app *app = rt_ui_app(f->view.ui);
    struct rt_call c = {0};
    struct rt_confirmation q = {0};
    struct rt_error err = {0};
    if (busy(f))
        return;
    rt_timer_stop(f->soon); /* what is found out now counts, not what a preview says later */
    f->soon = NULL;
    rt_op_drop(&f->preview);
    f->follow = follow;
    if (!f->ops->call(f, &c, &err) || !rt_call_ready(app, &c, &err) || !rt_call_ask(app, &c, &q, &err)) {
        rt_form_fail(f, &err);
        rt_call_deinit(&c);
        rt_confirmation_deinit(&q);
        return;
    }
    if (q.grade == RT_CONFIRM_NONE) {
        rt_confirmation_deinit(&q);
        run(f, &c);
        return;
    }
    rt_call_deinit(&f->asked);
    f->asked = c;
    f->asked_seen = q.seen;
    rt_ui_popup(f->view.ui, rt_dialog_confirm(f->view.ui, &q, confirmed, f));
}

static void show_request(struct rt_form *f) {
    struct rt_buf b;
    struct rt_call c = {0};
    struct rt_error err = {0};
    rt_buf_init(&b, 0);
    if (f->ops->request) {
        f->ops->request(f, &b);
    } else if (f->ops->call(f, &c, &err)) {
        struct rt_confirmation q = {0};
        char *line = rt_call_text(&c);
        rt_buf_addf(&b, "raytui %s\n", line);
        if (rt_call_ask(rt_ui_app(f->view.ui), &c, &q, &err) && q.equivalent)
            rt_buf_addf(&b, "\n%s\n", q.equivalent);
        rt_confirmation_deinit(&q);
        free(line);
    } else {
        rt_buf_addf(&b, "%s\n", err.message);
    }
    rt_call_deinit(&c);
    rt_ui_popup(f->view.ui, rt_dialog_text(f->view.ui, f->ops->show, rt_buf_str(&b)));
    rt_buf_deinit(&b);
}

static void leave(struct rt_form *f) {
    if (f->operation[0]) {
        struct rt_operation *op = rt_operations_find(rt_ui_app(f->view.ui)->operations, f->operation);
        if (op)
            rt_operation_cancel(op);
    } else if (f->running) {
        rt_op_drop(&f->running);
    } else if (f->touched && !f->leaving) {
        f->leaving = true;
    } else {
        rt_ui_close(f->view.ui, &f->view);
    }
    rt_ui_mark(f->view.ui);
}

/* ---- keys ---- */

static void go(struct rt_form *f, size_t i) {
    f->at = i % f->n;
    rt_ui_mark(f->view.ui);
}

static void picked(void *ctx, const char *path) {
    struct rt_form *f = ctx;
    rt_input_set(&f->inputs[f->at], path);
    f->touched = true;
    rt_form_changed(f);
}

static void browse(struct rt_form *f) {
    if (f->fields[f->at].path)
        rt_ui_popup(f->view.ui, rt_path_browser(f->view.ui, rt_input_text(&f->inputs[f->at]), picked, f));
    else
        rt_ui_note(f->view.ui, "%s is no path", f->fields[f->at].label);
}

static void edit(struct rt_form *f) {
    struct rt_error err = {0};
    char *text = rt_tool_edit_text(f->view.ui, rt_input_text(&f->inputs[f->at]), &err);
    if (!text) {
        rt_ui_error(f->view.ui, &err);
        return;
    }
    rt_input_set(&f->inputs[f->at], "");
    rt_input_paste(&f->inputs[f->at], text, strlen(text));
    free(text);
    f->touched = true;
    rt_form_changed(f);
}

static bool step_choice(struct rt_form *f) {
    const char *const *all = f->fields[f->at].choices;
    if (!all)
        return false;
    size_t i = 0, n = 0;
    while (all[n])
        n++;
    while (i < n && !rt_streq(all[i], rt_input_text(&f->inputs[f->at])))
        i++;
    if (n)
        rt_input_set(&f->inputs[f->at], all[i + 1 < n ? i + 1 : 0]);
    rt_form_changed(f);
    return true;
}

static bool function_key(struct rt_form *f, int32_t code) {
    switch (code) {
    case RT_K_F2:
        act(f, false);
        return true;
    case RT_K_F3:
        if (f->ops->follow)
            act(f, true);
        return true;
    case RT_K_F4:
        show_request(f);
        return true;
    case RT_K_F5:
        browse(f);
        return true;
    case RT_K_ESC:
        leave(f);
        return true;
    default:
        return false;
    }
}

static bool move_key(struct rt_form *f, struct rt_key k) {
    switch (k.code) {
    case RT_K_TAB:
        go(f, f->at + (k.mods & RT_MOD_SHIFT ? f->n - 1 : 1));
        return true;
    case RT_K_DOWN:
    case RT_K_ENTER:
        go(f, f->at + 1);
        return true;
    case RT_K_UP:
        go(f, f->at + f->n - 1);
        return true;
    default:
        return false;
    }
}

static bool form_key(struct rt_view *v, struct rt_key k) {
    struct rt_form *f = of(v);
    const bool control = k.mods & RT_MOD_CTRL, after_x = f->control_x;
    rt_ui_mark(v->ui);
    f->control_x = control && k.code == 'x' && !after_x;
    if (f->leaving) {
        f->leaving = false;
        if (k.code == 'y' || k.code == RT_K_ESC)
            rt_ui_close(v->ui, v);
        return true;
    }
    if (after_x && control && k.code == 'e')
        edit(f);
    else if (f->control_x)
        return true;
    else if (control && k.code == 'c')
        leave(f);
    else if (function_key(f, k.code) || move_key(f, k))
        return true;
    else if (!busy(f) && k.code == ' ' && !k.mods && step_choice(f))
        f->touched = true;
    else if (!busy(f) && rt_input_key(&f->inputs[f->at], k)) {
        f->touched = true;
        rt_form_changed(f);
    }
    return true;
}

static void form_paste(struct rt_view *v, const char *text, size_t n) {
    struct rt_form *f = of(v);
    if (busy(f))
        return;
    rt_input_paste(&f->inputs[f->at], text, n);
    f->touched = true;
    rt_form_changed(f);
}

static bool form_mouse(struct rt_view *v, const struct rt_event *ev, struct rt_rect r) {
    struct rt_form *f = of(v);
    (void)r;
    for (size_t i = 0; ev->mouse == RT_MOUSE_PRESS && i < f->n; i++)
        if (rt_rect_has(f->places[i], ev->row, ev->col))
            go(f, i);
    return true;
}

static void form_changed(struct rt_view *v, struct rt_cluster *c, enum rt_topic t) {
    struct rt_form *f = of(v);
    (void)c;
    if (t == RT_T_OPERATIONS && f->operation[0])
        look_at_operation(f);
}

static void form_title(struct rt_view *v, struct rt_buf *left, struct rt_buf *right) {
    (void)right;
    rt_buf_adds(left, of(v)->title);
}

static void form_text(struct rt_view *v, struct rt_buf *out) {
    struct rt_form *f = of(v);
    for (size_t i = 0; i < f->n; i++)
        rt_buf_addf(out, "%-16s %s\n", f->fields[i].label, rt_input_text(&f->inputs[i]));
}

static void form_destroy(struct rt_view *v) {
    struct rt_form *f = of(v);
    rt_timer_stop(f->soon);
    rt_op_drop(&f->preview);
    rt_op_drop(&f->running);
    rt_call_deinit(&f->asked);
    if (f->ops->destroy)
        f->ops->destroy(f);
    rt_form_clear_lines(f);
    rt_vec_deinit(&f->lines);
    for (size_t i = 0; i < f->n; i++) {
        rt_input_deinit(&f->inputs[i]);
        free(f->notes[i]);
    }
    free(f->line);
    free(f->title);
    free(v->cluster);
    free(f);
}

static const struct rt_view_ops view_ops = {
    .name = "form",
    .modal = true,
    .draw = rt_form_draw,
    .title = form_title,
    .key = form_key,
    .paste = form_paste,
    .mouse = form_mouse,
    .changed = form_changed,
    .want = rt_form_want,
    .text = form_text,
    .destroy = form_destroy,
};

struct rt_form *rt_form_create(struct rt_ui *ui, const struct rt_form_ops *ops, const struct rt_form_field *fields,
                               const char *title, const char *cluster) {
    struct rt_form *f = RT_NEW(struct rt_form);
    f->view = (struct rt_view){.ops = &view_ops, .ui = ui, .cluster = rt_strdup(cluster)};
    f->ops = ops;
    f->fields = fields;
    f->title = rt_strdup(title);
    while (f->n < RT_FORM_FIELDS && fields[f->n].id)
        rt_input_init(&f->inputs[f->n++]);
    return f;
}
