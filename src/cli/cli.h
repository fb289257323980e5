/* The command line: raytui VERB ... and the global options. */
#ifndef RT_CLI_CLI_H
#define RT_CLI_CLI_H

#include "base/error.h"

#include <stdbool.h>

/* Global options; they may stand anywhere before "--". */
struct rt_cli_opts {
    const char *config, *theme, *color, *output; /* output: table, wide, json, yaml */
    bool readonly, ascii, verbose, yes;
    long long refresh_ms;
    /* Set by main, of the screen: its keys, and whether it has a theme. */
    void (*print_keys)(void);
    bool (*theme_known)(const char *name, struct rt_error *err);
};

/* What main should do after the words were read. */
enum rt_cli_next {
    RT_CLI_EXIT,  /* done: *status */
    RT_CLI_SCREEN /* open the screen; *target a cluster, *log_file a file for the log view (both may be NULL) */
};
/* Runs one verb from start to end (with a loop and an app of its own), or says that the screen is wanted. Strings
 * given back live in argv. */
enum rt_cli_next rt_cli_main(int argc, char **argv, struct rt_cli_opts *opts, const char **target, const char **log_file,
                             int *status);

#endif
