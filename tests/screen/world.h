/* A made-up dashboard at a fixed time, a home of its own, and raytui in front of it. */
#ifndef RT_TESTS_WORLD_H
#define RT_TESTS_WORLD_H

#include "pty.h"

#define WORLD_NOW "1795255200000" /* 2026-11-21 10:00 UTC */

struct world {
    char dir[64];
    char port[16];
    pid_t dashboard;
};

/* Starts the dashboard with these further arguments (NULL-terminated; may be NULL). */
void world_make(struct world *w, const char *const *args);
void world_end(struct world *w);
/* The same as set-up and tear-down of a group of tests. */
int world_setup(void **state, struct world *w, const char *const *args);
int world_teardown(void **state);
/* A fresh home with this configuration; "%s" in it stands for the dashboard's port. NULL: none at all. */
void world_configure(struct world *w, const char *config);
/* raytui with arguments (NULL-terminated) in this home; `env` is added. */
void world_start(struct world *w, struct rt_pty *t, int rows, int cols, const char *const *args, const char *const *env);
/* raytui on the cluster `prod`, until jobs run and the header says so many nodes ("12 nodes"). */
void world_start_prod(struct world *w, struct rt_pty *t, int rows, int cols, const char *const *env, const char *nodes);
/* Types what leaves, waits for a good end with the terminal given back, and frees it. */
void world_leave(struct rt_pty *t, const char *keys);
/* A request to the dashboard's test routes, with curl. */
void world_post(struct world *w, const char *route, const char *body);

/* A cluster `prod` there. */
extern const char world_prod[];

#endif
