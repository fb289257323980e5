/* The help of a view: its keys as they are bound now, then every command. A text like any other: / searches it. */
#include "ui/command.h"
#include "ui/keymap.h"
#include "ui/text.h"
#include "ui/views.h"

#include "base/str.h"
#include "base/vec.h"
#include <stdlib.h>
#include <string.h>

struct said {
    struct rt_buf keys; /* of one thing: "j Down" */
    const struct rt_bind *bind;
};

/* One part of the keys: "jobs", "every list", "everywhere". */
struct part {
    const char *view;
    bool own, readonly;
    RT_VEC(struct said) said;
};

static void pad(struct rt_buf *b, const char *text, int cols) {
    const int used = rt_width(text, strlen(text));
    rt_buf_adds(b, text);
    rt_buf_addf(b, "%*s", RT_MAX(cols - used, 1), "");
}

static void add_key(void *ctx, const struct rt_bind *b) {
    struct part *p = ctx;
    if (b->own != p->own || (!p->own && !rt_streq(b->view, p->view)) || (b->writes && p->readonly))
        return;
    struct said *s = NULL;
    for (size_t i = 0; i < p->said.n && !s; i++)
        if (rt_streq(p->said.v[i].bind->command, b->command) && rt_streq(p->said.v[i].bind->help, b->help))
            s = &p->said.v[i];
    if (!s) {
        s = rt_vec_push(&p->said);
        s->bind = b;
        rt_buf_init(&s->keys, 0);
    }
    rt_buf_addf(&s->keys, "%s%s", s->keys.len ? " " : "", b->name);
}

static void add_said(struct rt_buf *out, struct said *s) {
    const struct rt_bind *b = s->bind;
    rt_buf_adds(out, "  ");
    pad(out, rt_buf_str(&s->keys), 14);
    pad(out, b->help ? b->help : b->command, 42);
    if (b->help)
        rt_buf_addf(out, ":%s", b->command);
    rt_buf_addc(out, '\n');
    rt_buf_deinit(&s->keys);
}

static void add_part(struct rt_buf *out, const struct rt_keymap *m, const char *view, const char *klass, struct part p,
                     const char *title) {
    rt_keymap_each(m, view, klass, add_key, &p);
    if (p.said.n)
        rt_buf_addf(out, "%s\n", title);
    for (size_t i = 0; i < p.said.n; i++)
        add_said(out, &p.said.v[i]);
    if (p.said.n)
        rt_buf_addc(out, '\n');
    rt_vec_deinit(&p.said);
}

static void add_actions(struct rt_buf *out, bool readonly) {
    rt_buf_adds(out, "COMMANDS after `:`, the same as on the command line; Tab completes them\n");
    for (const struct rt_action_def *d = rt_actions; d->name; d++) {
        if (d->writes && readonly)
            continue;
        char *usage = rt_strf("%s %s", d->name, d->args);
        rt_buf_adds(out, "  ");
        pad(out, usage, 44);
        rt_buf_addf(out, "%s\n", d->help);
        free(usage);
    }
    rt_buf_adds(out, "\n");
}

static void add_commands(struct rt_buf *out) {
    rt_buf_adds(out, "COMMANDS of the screen\n");
    for (const struct shell_command *c = shell_commands; c->name; c++) {
        char *usage = rt_strf("%s %s", c->name, c->args);
        rt_buf_adds(out, "  ");
        pad(out, usage, 44);
        rt_buf_addf(out, "%s\n", c->help);
        free(usage);
    }
    rt_buf_adds(out, "\n");
}

static const char in_logs[] =
    "COMMANDS in log\n"
    "  :1200       to this line                    :save FILE   the whole log, or what the filters keep\n"
    "  :14:02      to the first line at this time  :drop WORD   without lines that match (&! too)\n"
    "  :-5m        so long before the last line    Esc          takes the search, then the filters away\n"
    "\n";

static const char general[] =
    "FORMS\n"
    "  Tab S-Tab   next field, field before        F2   do it\n"
    "  Up Down     the same                        F3   do it and follow\n"
    "  ^X ^E       the field in $EDITOR            F4   the request, command or text\n"
    "  Esc         leave; asks when typed          F5   browse for a path\n"
    "\n"
    "MOUSE\n"
    "  Click selects, double click opens, the wheel scrolls what is under it, a column's title sorts,\n"
    "  a hint runs, a border that is dragged moves. Shift with dragging selects text in most terminals; M switches the mouse off.\n";

struct rt_view *rt_view_help(struct rt_ui *ui, const char *view, const char *klass) {
    const struct rt_app *app = rt_ui_app(ui);
    struct rt_keymap m;
    struct rt_buf b;
    rt_keymap_init(&m, app->config, NULL, NULL);
    rt_buf_init(&b, 0);
    char *title = rt_strf("KEYS in %s", view), *shared = rt_strf("KEYS in every %s", klass ? klass : "");
    add_part(&b, &m, view, klass, (struct part){.own = true, .readonly = app->readonly}, "YOUR OWN KEYS");
    add_part(&b, &m, view, klass, (struct part){.view = view, .readonly = app->readonly}, title);
    if (klass)
        add_part(&b, &m, view, klass, (struct part){.view = klass, .readonly = app->readonly}, shared);
    if (rt_streq(view, "log"))
        rt_buf_adds(&b, in_logs);
    add_part(&b, &m, view, klass, (struct part){.view = "", .readonly = app->readonly}, "KEYS everywhere");
    add_actions(&b, app->readonly);
    add_commands(&b);
    rt_buf_adds(&b, general);
    struct rt_view *v = rt_text_create(ui, "help", "help", rt_buf_str(&b));
    free(shared);
    free(title);
    rt_buf_deinit(&b);
    rt_keymap_deinit(&m);
    return v;
}
