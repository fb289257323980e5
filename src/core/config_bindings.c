/* Keys and commands that a person made: `hotkeys`, `commands`, keymap.yaml. */
#include "core/config_impl.h"

#include <stdlib.h>

/* clang-format off */
#define B(member) .off = offsetof(struct rt_binding, member)

static const struct rt_yfield binding_fields[] = {
    {.key = "command", B(command), .type = RT_Y_STR, .help = "command line"},
    {.key = "view", B(view), .type = RT_Y_STR, .help = "where it works; everywhere without it"},
    {.key = "help", .alias = {"description"}, B(help), .type = RT_Y_STR, .help = "what ? says of it"},
    {.key = "confirm", B(confirm), .type = RT_Y_BOOL, .help = "asks first"},
    {.key = "writes", .alias = {"dangerous"}, B(writes), .type = RT_Y_BOOL, .help = "hidden in read-only mode"},
    {0},
};
/* clang-format on */

void rt_binding_deinit(struct rt_binding *b) {
    free(b->view);
    free(b->key);
    free(b->command);
    free(b->help);
    *b = (struct rt_binding){0};
}

static void problem_at(struct rt_config_own *o, const struct rt_ynode *at, const char *text) {
    struct rt_error err = {0};
    rt_ynode_error(at, &err, "%s", text);
    rt_config_problem(o, &err);
}

/* Appends; takes what `b` owns. A later one for the same key and view replaces the earlier one. */
static void keep(struct rt_binding **list, size_t *n, struct rt_binding *b) {
    for (size_t i = 0; i < *n; i++) {
        struct rt_binding *old = &(*list)[i];
        if (!rt_streq(old->key, b->key) || !rt_streq(old->view, b->view))
            continue;
        rt_binding_deinit(old);
        *old = *b;
        return;
    }
    *list = rt_realloc(*list, (*n + 1) * sizeof(**list));
    (*list)[(*n)++] = *b;
}

/* One value: a command line, null (the key does nothing), or a map with `command`. */
static bool read_binding(struct rt_config_own *o, const struct rt_ynode *key,
                         const struct rt_ynode *value, const char *view, struct rt_binding *b) {
    *b = (struct rt_binding){.key = rt_strdup(key->text), .view = rt_strdup(view)};
    bool ok = true;
    if (!*key->text) {
        problem_at(o, key, "an empty name");
        ok = false;
    } else if (value->kind == RT_Y_SCALAR) {
        b->command = rt_ynode_is_null(value) ? NULL : rt_strdup(value->text);
    } else if (value->kind == RT_Y_SEQ) {
        problem_at(o, value, "a list where a command line is expected");
        ok = false;
    } else {
        ok = rt_yaml_read(value, binding_fields, NULL, b, rt_config_problem, o);
        if (ok && (!b->command || !*b->command)) {
            problem_at(o, value, "command is missing");
            ok = false;
        }
    }
    if (!ok)
        rt_binding_deinit(b);
    return ok;
}

static void read_key(struct rt_config_own *o, const struct rt_ynode *key,
                     const struct rt_ynode *value, const char *view) {
    struct rt_binding b;
    if (read_binding(o, key, value, view, &b))
        keep(&o->c.bindings, &o->c.nbindings, &b);
}

static bool is_view(const struct rt_ynode *value) {
    return value->kind == RT_Y_MAP && !rt_ynode_get(value, "command");
}

static bool everywhere(const char *view) {
    return rt_streq(view, "all") || rt_streq(view, "everywhere") || rt_streq(view, "global");
}

static bool is_map(struct rt_config_own *o, const struct rt_ynode *n, const char *what) {
    if (!n || rt_ynode_is_null(n))
        return false;
    if (n->kind == RT_Y_MAP)
        return true;
    struct rt_error err = {0};
    rt_ynode_error(n, &err, "%s: a map is expected", what);
    rt_config_problem(o, &err);
    return false;
}

void rt_bindings_read(struct rt_config_own *o, const struct rt_ynode *map) {
    if (!is_map(o, map, "keys"))
        return;
    for (size_t i = 0; i < map->n; i++) {
        const struct rt_ynode *name = map->keys[i], *value = map->items[i];
        if (!is_view(value)) {
            read_key(o, name, value, NULL);
            continue;
        }
        const char *view = everywhere(name->text) ? NULL : name->text;
        for (size_t k = 0; k < value->n; k++)
            read_key(o, value->keys[k], value->items[k], view);
    }
}

void rt_commands_read(struct rt_config_own *o, const struct rt_ynode *map) {
    if (!is_map(o, map, "commands"))
        return;
    for (size_t i = 0; i < map->n; i++) {
        struct rt_binding b;
        if (!read_binding(o, map->keys[i], map->items[i], NULL, &b))
            continue;
        if (b.command && *b.command) {
            keep(&o->c.commands, &o->c.ncommands, &b);
            continue;
        }
        problem_at(o, map->items[i], "command is missing");
        rt_binding_deinit(&b);
    }
}
