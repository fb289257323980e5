/* A small form: labelled lines to type into, warnings that come while typing, and a verb at the end. A form is
 * a popup; what was typed survives a failure. */
#ifndef RT_UI_FORM_H
#define RT_UI_FORM_H

#include "base/vec.h"
#include "ui/input.h"
#include "ui/view.h"

enum { RT_FORM_FIELDS = 20 };

/* One thing to type. Strings are kept: literals. */
struct rt_form_field {
    const char *id, *label;  /* id NULL ends a table */
    const char *example;     /* dim in an empty field; NULL */
    int cols;                /* 0: the rest of the line */
    bool joins;              /* in the line of the field before */
    bool path;               /* F5 browses for it */
    const char *const *choices; /* Space steps through them; NULL: free text */
    const char *help;        /* dim below the fields while it is typed into; NULL */
};

struct rt_form;
struct rt_form_ops {
    const char *name;   /* of the view: "submit-form" */
    const char *verb;   /* of F2: "submit" */
    const char *follow; /* of F3: "submit and follow"; NULL: no F3 */
    const char *show;   /* of F4: "the request" */
    int cols;           /* of the popup; 0: 100 */
    bool waits;         /* stays until the operation has ended, and says with `did` and its result that it has */
    const char *did;    /* "submitted"; NULL when it does not wait */
    /* What F2 does. Gives `out`. */
    bool (*call)(struct rt_form *f, struct rt_call *out, struct rt_error *err);
    /* A moment after a change: sets notes and messages. May start f->preview. NULL. */
    void (*preview)(struct rt_form *f);
    /* What F4 shows. NULL: the command line and the provider's equivalent. */
    void (*request)(struct rt_form *f, struct rt_buf *out);
    /* It worked; `result` may be NULL. Gives the command line that follows it, or NULL. NULL: nothing. */
    char *(*done)(struct rt_form *f, const char *result, bool follow);
    void (*destroy)(struct rt_form *f); /* what `own` points to; NULL */
};

struct rt_form_line {
    enum rt_role role;
    char *text; /* clean */
};

struct rt_form {
    struct rt_view view;
    const struct rt_form_ops *ops;
    char *title;
    const struct rt_form_field *fields;
    size_t n;
    struct rt_input inputs[RT_FORM_FIELDS];
    char *notes[RT_FORM_FIELDS];            /* at the right of a field */
    struct rt_rect places[RT_FORM_FIELDS];  /* as drawn last */
    size_t at;
    int scroll;
    bool touched, leaving, control_x, follow;
    RT_VEC(struct rt_form_line) lines;      /* warnings, errors, hints */
    struct rt_timer *soon;                  /* preview after a moment of silence */
    struct rt_op *preview, *running;
    char *line;                             /* what runs or ran, as a command line; NULL */
    struct rt_call asked;                   /* while its question is open */
    uint64_t asked_seen;
    char operation[24];                     /* that it waits for; "" */
    void *own;
};

/* `title` is copied. */
struct rt_form *rt_form_create(struct rt_ui *ui, const struct rt_form_ops *ops, const struct rt_form_field *fields,
                               const char *title, const char *cluster);
const char *rt_form_get(const struct rt_form *f, const char *id);
void rt_form_fill(struct rt_form *f, const char *id, const char *value); /* before a person types; NULL: nothing */
/* Other fields from now on; what was typed into those that are in both stays. Not the array that it has. */
void rt_form_set_fields(struct rt_form *f, const struct rt_form_field *fields);
void rt_form_note(struct rt_form *f, const char *id, const char *text);  /* NULL takes it away */
void rt_form_clear_lines(struct rt_form *f);
void rt_form_say(struct rt_form *f, enum rt_role role, const char *text); /* cleaned */
void rt_form_fail(struct rt_form *f, const struct rt_error *err);
void rt_form_changed(struct rt_form *f); /* a field has another value: preview soon */

/* form_draw.c */
void rt_form_draw(struct rt_view *v, const struct rt_draw *w, struct rt_rect r);
void rt_form_want(struct rt_view *v, int max_rows, int max_cols, int *rows, int *cols);

/* form_path.c: a popup that picks a file or directory, beginning at `from`. `fn` gets the path, if one is picked;
 * it is not called after the popup is destroyed. */
typedef void rt_path_fn(void *ctx, const char *path);
struct rt_view *rt_path_browser(struct rt_ui *ui, const char *from, rt_path_fn *fn, void *ctx);

#endif
