/* What verbs print: tables or the documented JSON on stdout, everything else on stderr. */
#ifndef RT_CLI_OUT_H
#define RT_CLI_OUT_H

#include "cli/cli.h"
#include "core/table.h"

enum rt_out_kind { RT_OUT_TABLE, RT_OUT_WIDE, RT_OUT_JSON, RT_OUT_YAML };
/* False when the word is none of table, wide, json, yaml. */
bool out_kind(const char *word, enum rt_out_kind *kind);

struct out_list {
    const struct rt_table *table;
    const struct rt_row_env *envs; /* one, or one per cluster for rows of several */
    size_t nenvs;
    enum rt_out_kind kind;
    bool show_env, color;
    const char *filter, *sort; /* NULL */
};
/* Prints a list. False: `err` tells what is wrong with its options. */
bool out_rows(const struct out_list *l, struct rt_error *err);
/* Prints one row with all that is known of it. */
void out_row(const struct out_list *l, const void *row, const struct rt_row_env *env);

/* Error to stderr, as text with its hint or as JSON; gives the exit status. */
int out_error(enum rt_out_kind kind, const struct rt_error *err);
/* The end of what was printed: `status`, or that of what stdout did not take. */
int out_end(enum rt_out_kind kind, int status);
/* A line to stderr. */
void out_note(const char *fmt, ...) RT_PRINTF(1, 2);
/* Colour wanted on stdout: a terminal, no NO_COLOR, --color. */
bool out_color(const char *color_option);
/* One compact JSON object on a line of stdout, flushed; takes v. */
void out_json_line(json_t *v);
/* To stdout as it is, in as few writes as can be (stdio would cut it at its buffer); false: nobody takes it (errno). */
bool out_bytes(const char *data, size_t n);

#endif
