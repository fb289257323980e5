/* The screen: panes over the store, keys to actions. */
#ifndef RT_UI_UI_H
#define RT_UI_UI_H

#include "app/app.h"

struct rt_ui_opts {
    const char *theme;     /* NULL: as configured */
    const char *color;     /* "never", "auto", "always" */
    bool ascii;
    const char *target;    /* cluster to open; NULL: the list of clusters, or the first-run page */
    const char *log_file;  /* `logs --file F --view`: the log view alone; NULL */
};

/* The asker whose questions are dialogs of the screen; made before the app, given to rt_ui_run. */
struct rt_ui;
struct rt_ui *rt_ui_create(struct rt_error *err);
const struct rt_asker *rt_ui_asker(struct rt_ui *ui);
/* Takes the terminal, runs until the person leaves; gives the terminal back. Exit status. */
int rt_ui_run(struct rt_ui *ui, struct rt_app *app, const struct rt_ui_opts *o);
void rt_ui_destroy(struct rt_ui *ui);
/* The default keys of all views, as text on stdout (`raytui keys`). */
void rt_ui_print_keys(void);

#endif
