/* The command line: raytui VERB … and the global options. */
#ifndef RT_CLI_CLI_H
#define RT_CLI_CLI_H

#include <stdbool.h>

/* Global options that stand before or among the words. */
struct rt_cli_opts {
    const char *config, *theme, *color, *output, *cluster, *address;
    bool readonly, ascii, verbose, yes, help, version, show_env;
    long long refresh_ms;
};

/* What main should do after the words were read. */
enum rt_cli_next {
    RT_CLI_EXIT,   /* done: *status */
    RT_CLI_SCREEN  /* open the screen on *target (may be NULL) */
};
/* Runs one verb from start to end (creating loop and app), or says that the screen is wanted. `argv` as main's. */
enum rt_cli_next rt_cli_main(int argc, char **argv, struct rt_cli_opts *opts, const char **target, int *status);

#endif
