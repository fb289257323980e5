/* Dialogs: a question by its grade, a question of the network, a text to read. All share one shape: a question
 * in bold, what it means, and below that the way to answer. */
#include "ui/dialog.h"

#include "base/str.h"
#include "ui/input.h"
#include "ui/tools.h"
#include "ui/wrap.h"
#include <stdlib.h>
#include <string.h>

enum answer_kind { BY_BUTTONS, BY_NAME, BY_TEXT, READ_ONLY };

struct dialog {
    struct rt_view view;
    enum answer_kind kind;
    char *title, *question, *text, *prompt, *hint, *equivalent, *name;
    rt_dialog_fn *confirmed;
    rt_answer_fn *answered;
    void *ctx;
    bool yes_focused, wrong, over;
    struct rt_input input;
    int scroll, text_lines, text_rows; /* as drawn last */
    int buttons_row, no_at, yes_at, buttons_end;
};

static struct dialog *of(struct rt_view *v) {
    return (struct dialog *)v;
}

/* ---- the answer ---- */

static void finish(struct dialog *d, bool yes, const char *text) {
    if (d->over)
        return;
    d->over = true;
    rt_ui_close(d->view.ui, &d->view);
    if (d->confirmed)
        d->confirmed(d->ctx, yes);
    else if (d->answered)
        d->answered(d->ctx, text);
}

static void answer(struct dialog *d, bool yes) {
    finish(d, yes, yes ? "yes" : "no");
}

static void refuse(struct dialog *d) {
    finish(d, false, NULL);
}

static void accept_input(struct dialog *d) {
    const char *typed = rt_input_text(&d->input);
    if (d->kind == BY_TEXT) {
        finish(d, true, typed);
    } else if (rt_streq(typed, d->name)) {
        finish(d, true, typed);
    } else {
        d->wrong = true;
        rt_ui_mark(d->view.ui);
    }
}

static void show_equivalent(struct dialog *d) {
    if (d->equivalent)
        rt_ui_popup(d->view.ui, rt_dialog_text(d->view.ui, "the same by hand", d->equivalent));
}

/* ---- keys ---- */

static void scroll_to(struct dialog *d, int line) {
    d->scroll = RT_MAX(RT_MIN(line, d->text_lines - d->text_rows), 0);
    rt_ui_mark(d->view.ui);
}

static bool scroll_key(struct dialog *d, struct rt_key k) {
    const int page = RT_MAX(d->text_rows - 1, 1);
    switch (k.code) {
    case RT_K_DOWN:
        scroll_to(d, d->scroll + 1);
        return true;
    case RT_K_UP:
        scroll_to(d, d->scroll - 1);
        return true;
    case RT_K_PGDN:
        scroll_to(d, d->scroll + page);
        return true;
    case RT_K_PGUP:
        scroll_to(d, d->scroll - page);
        return true;
    default:
        return false;
    }
}

static bool vi_scroll_key(struct dialog *d, struct rt_key k) {
    switch (k.code) {
    case 'j':
        scroll_to(d, d->scroll + 1);
        return true;
    case 'k':
        scroll_to(d, d->scroll - 1);
        return true;
    case 'g':
        scroll_to(d, 0);
        return true;
    case 'G':
        scroll_to(d, d->text_lines);
        return true;
    case ' ':
        return scroll_key(d, (struct rt_key){.code = RT_K_PGDN});
    default:
        return false;
    }
}

static void buttons_key(struct dialog *d, struct rt_key k) {
    switch (k.code) {
    case 'y':
    case 'Y':
        answer(d, true);
        return;
    case 'n':
    case 'N':
        answer(d, false);
        return;
    case 'q':
    case RT_K_ESC:
        refuse(d);
        return;
    case RT_K_ENTER:
        answer(d, d->yes_focused);
        return;
    case RT_K_TAB:
    case RT_K_LEFT:
    case RT_K_RIGHT:
    case 'h':
    case 'l':
        d->yes_focused = !d->yes_focused;
        rt_ui_mark(d->view.ui);
        return;
    case 'v':
    case RT_K_F4:
        show_equivalent(d);
        return;
    default:
        vi_scroll_key(d, k);
    }
}

static void input_key(struct dialog *d, struct rt_key k) {
    if (k.code == RT_K_ESC) {
        refuse(d);
    } else if (k.code == RT_K_ENTER) {
        accept_input(d);
    } else if (k.code == RT_K_F4) {
        show_equivalent(d);
    } else if (rt_input_key(&d->input, k)) {
        d->wrong = false;
        rt_ui_mark(d->view.ui);
    }
}

static void reader_key(struct dialog *d, struct rt_key k) {
    switch (k.code) {
    case 'y':
        rt_ui_copy(d->view.ui, d->text, strlen(d->text), "the text");
        return;
    case 'q':
    case 'v':
    case RT_K_ESC:
    case RT_K_ENTER:
        refuse(d);
        return;
    default:
        vi_scroll_key(d, k);
    }
}

static bool dialog_key(struct rt_view *v, struct rt_key k) {
    struct dialog *d = of(v);
    if (k.mods & RT_MOD_CTRL && k.code == 'c') {
        refuse(d);
        return true;
    }
    if (scroll_key(d, k))
        return true;
    if (d->kind == BY_NAME || d->kind == BY_TEXT)
        input_key(d, k);
    else if (k.mods & ~(uint32_t)RT_MOD_SHIFT)
        return false;
    else if (d->kind == BY_BUTTONS)
        buttons_key(d, k);
    else
        reader_key(d, k);
    return true;
}

static void dialog_paste(struct rt_view *v, const char *text, size_t n) {
    struct dialog *d = of(v);
    if (d->kind == BY_TEXT || d->kind == BY_NAME)
        rt_input_paste(&d->input, text, n);
    rt_ui_mark(v->ui);
}

static bool dialog_mouse(struct rt_view *v, const struct rt_event *ev, struct rt_rect r) {
    struct dialog *d = of(v);
    (void)r;
    if (ev->mouse == RT_MOUSE_WHEEL_UP || ev->mouse == RT_MOUSE_WHEEL_DOWN) {
        scroll_to(d, d->scroll + (ev->mouse == RT_MOUSE_WHEEL_UP ? -3 : 3));
    } else if (d->kind == BY_BUTTONS && ev->mouse == RT_MOUSE_PRESS && ev->row == d->buttons_row && ev->col >= d->no_at &&
               ev->col < d->buttons_end) {
        answer(d, ev->col >= d->yes_at);
    }
    return true;
}

/* ---- drawing ---- */

static void draw_buttons(struct dialog *d, const struct rt_draw *w, struct rt_rect r) {
    const struct rt_look off = rt_theme_look(w->theme, RT_R_BUTTON), on = rt_theme_look(w->theme, RT_R_BUTTON_ACTIVE);
    const struct rt_look dim = rt_tool_look(w->theme, RT_R_DIALOG, RT_R_DIM);
    int col = r.col;
    d->buttons_row = r.row;
    d->no_at = col;
    col += rt_tool_put(w->s, r.row, col, r.cols, d->yes_focused ? "  No  " : "[ No ]", d->yes_focused ? off : on) + 2;
    d->yes_at = col;
    col += rt_tool_put(w->s, r.row, col, r.col + r.cols - col, d->yes_focused ? "[ Yes ]" : "  Yes  ", d->yes_focused ? on : off);
    d->buttons_end = col;
    const char *keys = d->equivalent ? "y  n  Tab Enter   v the same by hand" : "y  n  Tab Enter";
    rt_tool_put(w->s, r.row, col + 3, r.col + r.cols - col - 3, keys, dim);
    w->s->cursor_row = r.row;
    w->s->cursor_col = (d->yes_focused ? d->yes_at : d->no_at) + 2;
    w->s->cursor_shown = true;
}

static void draw_input(struct dialog *d, const struct rt_draw *w, struct rt_rect r) {
    const struct rt_look look = rt_theme_look(w->theme, RT_R_DIALOG), dim = rt_tool_look(w->theme, RT_R_DIALOG, RT_R_DIM);
    const int used = rt_tool_put(w->s, r.row, r.col, r.cols / 2, d->prompt, look) + 1;
    const struct rt_rect field = {r.row, r.col + used, 1, r.cols - used};
    rt_surface_fill(w->s, field, rt_theme_look(w->theme, RT_R_INPUT));
    rt_input_draw(&d->input, w->s, field, rt_theme_look(w->theme, RT_R_INPUT), w->ascii, w->focus);
    if (d->wrong)
        rt_tool_put(w->s, r.row + 1, r.col, r.cols, "that is not the name; nothing was done", rt_tool_look(w->theme, RT_R_DIALOG, RT_R_STATUS_FAILED));
    else
        rt_tool_put(w->s, r.row + 1, r.col, r.cols, d->hint ? d->hint : "Enter goes on, Esc leaves", dim);
}

static int foot_rows(const struct dialog *d) {
    return d->kind == READ_ONLY ? 0 : d->kind == BY_BUTTONS ? 2 : 3;
}

static void draw_more(const struct dialog *d, const struct rt_draw *w, struct rt_rect r) {
    const struct rt_look dim = rt_tool_look(w->theme, RT_R_DIALOG, RT_R_DIM);
    if (d->scroll + d->text_rows < d->text_lines && d->text_rows > 0)
        rt_tool_put(w->s, r.row + r.rows - 1, r.col + r.cols - 1, 1, w->ascii ? "v" : "↓", dim);
    if (d->scroll > 0)
        rt_tool_put(w->s, r.row, r.col + r.cols - 1, 1, w->ascii ? "^" : "↑", dim);
}

static void dialog_draw(struct rt_view *v, const struct rt_draw *w, struct rt_rect r) {
    struct dialog *d = of(v);
    const struct rt_look look = rt_theme_look(w->theme, RT_R_DIALOG), strong = rt_tool_look(w->theme, RT_R_DIALOG, RT_R_STRONG);
    rt_surface_fill(w->s, r, look);
    w->s->cursor_shown = false;
    struct rt_rect in = {r.row, r.col + 1, r.rows, RT_MAX(r.cols - 2, 1)};
    const int foot = foot_rows(d);
    if (d->question) {
        const struct rt_rect head = {in.row, in.col, RT_MAX(in.rows - foot, 0), in.cols};
        const int used = rt_wrap_put(w->s, head, d->question, 0, strong);
        in.row += used;
        in.rows -= used;
        if (d->text && in.rows > foot + 1) {
            in.row++;
            in.rows--;
        }
    }
    struct rt_rect body = {in.row, in.col, RT_MAX(in.rows - foot, 0), in.cols};
    d->text_rows = body.rows;
    d->text_lines = d->text ? rt_wrap_count(d->text, RT_MAX(body.cols - 2, 1)) : 0;
    d->scroll = RT_MAX(RT_MIN(d->scroll, d->text_lines - d->text_rows), 0);
    if (d->text) {
        const struct rt_rect lines = {body.row, body.col, body.rows, RT_MAX(body.cols - 2, 1)};
        rt_wrap_put(w->s, lines, d->text, d->scroll, look);
        draw_more(d, w, body);
    }
    const int last = r.row + r.rows;
    if (d->kind == BY_BUTTONS)
        draw_buttons(d, w, (struct rt_rect){last - 1, in.col, 1, in.cols});
    else if (d->kind != READ_ONLY)
        draw_input(d, w, (struct rt_rect){last - 2, in.col, 2, in.cols});
}

static int widest(const char *text) {
    int most = 0;
    while (text && *text) {
        const size_t n = strcspn(text, "\n");
        most = RT_MAX(most, rt_width(text, n));
        text += n + (text[n] == '\n');
    }
    return most;
}

static void dialog_want(struct rt_view *v, int max_rows, int max_cols, int *rows, int *cols) {
    const struct dialog *d = of(v);
    const int own = RT_MAX(widest(d->question), widest(d->text));
    *cols = RT_MIN(max_cols, RT_MAX(RT_MIN(own + 6, d->kind == READ_ONLY ? 120 : 76), 54));
    const int inner = RT_MAX(*cols - 4, 1);
    int need = 2 + foot_rows(d);
    if (d->question)
        need += rt_wrap_count(d->question, inner) + (d->text ? 1 : 0);
    if (d->text)
        need += rt_wrap_count(d->text, RT_MAX(inner - 2, 1));
    *rows = RT_MIN(max_rows, RT_MAX(need, 5));
}

static void dialog_title(struct rt_view *v, struct rt_buf *left, struct rt_buf *right) {
    const struct dialog *d = of(v);
    rt_buf_adds(left, d->title);
    if (d->kind == READ_ONLY)
        rt_buf_adds(right, "y copies  Esc closes");
}

static void dialog_text(struct rt_view *v, struct rt_buf *out) {
    const struct dialog *d = of(v);
    rt_buf_addf(out, "%s%s%s\n", d->question ? d->question : "", d->question ? "\n\n" : "", d->text ? d->text : "");
}

static void dialog_destroy(struct rt_view *v) {
    struct dialog *d = of(v);
    rt_input_deinit(&d->input);
    free(d->title);
    free(d->question);
    free(d->text);
    free(d->prompt);
    free(d->hint);
    free(d->equivalent);
    free(d->name);
    free(d);
}

static const struct rt_view_ops ops = {
    .name = "dialog",
    .modal = true,
    .draw = dialog_draw,
    .title = dialog_title,
    .key = dialog_key,
    .paste = dialog_paste,
    .mouse = dialog_mouse,
    .want = dialog_want,
    .text = dialog_text,
    .destroy = dialog_destroy,
};

static struct dialog *create(struct rt_ui *ui, enum answer_kind kind, const char *title) {
    struct dialog *d = RT_NEW(struct dialog);
    d->view = (struct rt_view){.ops = &ops, .ui = ui};
    d->kind = kind;
    d->title = rt_strdup(title);
    rt_input_init(&d->input);
    return d;
}

/* Without the newlines at its end, which would only make the dialog taller. */
static char *trimmed(const char *text) {
    size_t n = text ? strlen(text) : 0;
    while (n && (text[n - 1] == '\n' || text[n - 1] == ' '))
        n--;
    return n ? rt_strndup(text, n) : NULL;
}

struct rt_view *rt_dialog_confirm(struct rt_ui *ui, struct rt_confirmation *c, rt_dialog_fn *fn, void *ctx) {
    const bool by_name = c->grade == RT_CONFIRM_TYPE_NAME && c->name;
    struct dialog *d = create(ui, by_name ? BY_NAME : BY_BUTTONS, by_name ? "type the name" : "yes or no");
    d->question = rt_strdup(c->title ? c->title : "Go on?");
    d->text = trimmed(c->text);
    d->equivalent = trimmed(c->equivalent);
    d->confirmed = fn;
    d->ctx = ctx;
    if (by_name) {
        d->name = rt_strdup(c->name);
        d->prompt = rt_strf("Type %s:", c->name);
        d->hint = rt_strdup(c->equivalent ? "Enter goes on, Esc leaves   F4 the same by hand" : "Enter goes on, Esc leaves");
    }
    rt_confirmation_deinit(c);
    return &d->view;
}

struct rt_view *rt_dialog_question(struct rt_ui *ui, const struct rt_question *q, rt_answer_fn *fn, void *ctx) {
    struct dialog *d = create(ui, q->kind == RT_ASK_YES_NO ? BY_BUTTONS : BY_TEXT, q->cluster ? q->cluster : "question");
    d->question = rt_strdup(q->title);
    d->text = trimmed(q->text);
    d->prompt = rt_strdup(q->prompt ? q->prompt : "Answer:");
    d->input.secret = q->kind == RT_ASK_SECRET;
    d->answered = fn;
    d->ctx = ctx;
    return &d->view;
}

struct rt_view *rt_dialog_text(struct rt_ui *ui, const char *title, const char *text) {
    struct dialog *d = create(ui, READ_ONLY, title);
    d->text = trimmed(text);
    if (!d->text)
        d->text = rt_strdup("(nothing)");
    return &d->view;
}
