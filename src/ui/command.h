/* The command lines that the shell knows beside the program's verbs (table: shell_command.c). */
#ifndef RT_UI_COMMAND_H
#define RT_UI_COMMAND_H

#include "base/str.h"

struct rt_ui;

struct shell_command {
    const char *name, *args, *help; /* name NULL ends the table */
    bool (*run)(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err);
};
extern const struct shell_command shell_commands[];

#endif
