/* Variables of what is selected, put into the command lines that a person wrote. Pure. */
#ifndef RT_UI_VARS_H
#define RT_UI_VARS_H

#include "base/buf.h"
#include "base/error.h"

struct rt_var {
    const char *name;  /* "JOB_ID"; NULL ends the list */
    const char *value; /* NULL: nothing is selected that has one */
    const char *what;  /* "job": for the error */
};

/* Appends the line with $NAME and ${NAME} of the list as one quoted word each, wherever they stand outside single
 * quotes. `program`: a line for /bin/sh: where a quoted word could be read as anything else (inside quotes,
 * substitutions, here-documents, comments) the variable stays and the shell takes it from the environment. False when
 * a variable has no value. */
bool rt_vars_expand(struct rt_buf *out, const char *line, const struct rt_var *vars, bool program, struct rt_error *err);

#endif
