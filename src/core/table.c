/* The list of tables, and what they share: glyphs, masked environments, rows as lines of text. */
#include "core/table.h"

#include "base/decode.h"
#include "core/cells.h"

static const struct rt_table *const tables[] = {
    &rt_table_clusters,
    &rt_table_pools,
    &rt_table_nodes,
    &rt_table_jobs,
    &rt_table_forwards,
    &rt_table_operations,
    &rt_table_actors,
    &rt_table_tasks,
    &rt_table_pgs,
    &rt_table_events,
    &rt_table_serve,
    &rt_table_envs,
    &rt_table_workers,
    &rt_table_pods,
    &rt_table_rayjobs,
    &rt_table_rayservices,
    NULL,
};

const struct rt_table *const *rt_tables(void) {
    return tables;
}

const struct rt_table *rt_table_find(const char *name) {
    for (size_t i = 0; tables[i]; i++)
        if (rt_streq(tables[i]->name, name) || rt_streq(tables[i]->singular, name))
            return tables[i];
    return NULL;
}

struct rt_source rt_table_source(const struct rt_table *t, const struct rt_row_env *env) {
    const struct rt_cluster *c = t->global ? NULL : env->cluster;
    struct rt_source s = {0};
    if (c && t == &rt_table_jobs)
        s = (struct rt_source){c->jobs.total, c->jobs.left_out, c->jobs.note};
    else if (c && t == &rt_table_nodes)
        s = (struct rt_source){c->nodes.total, c->nodes.left_out, c->nodes.note};
    else if (c && t == &rt_table_actors)
        s = (struct rt_source){c->actors.total, c->actors.left_out, c->actors.note};
    else if (c)
        s = (struct rt_source){c->lists[t->topic].total, c->lists[t->topic].left_out, c->lists[t->topic].note};
    s.total = RT_MAX(s.total, t->count(env));
    return s;
}

void rt_source_text(struct rt_buf *out, const struct rt_source *s, size_t rows) {
    char here[32], there[32];
    if (s->note) {
        rt_clean(out, s->note, strlen(s->note));
    } else if (s->left_out) {
        rt_buf_addf(out, "%s %s not be understood and %s left out", rt_fmt_count(here, sizeof here, (int64_t)s->left_out),
                    s->left_out == 1 ? "row could" : "rows could", s->left_out == 1 ? "is" : "are");
    } else if (s->total > rows) {
        rt_buf_addf(out, "only %s of %s were asked for: more would cost the head too much", rt_fmt_count(here, sizeof here, (int64_t)rows),
                    rt_fmt_count(there, sizeof there, (int64_t)s->total));
    }
}

const char *rt_health_glyph(enum rt_health h, bool ascii) {
    static const char *const glyphs[][2] = {
        [RT_H_UNKNOWN] = {"·", "?"}, [RT_H_OK] = {"●", "*"},   [RT_H_BUSY] = {"◐", "~"},
        [RT_H_WAITING] = {"◌", "o"}, [RT_H_DONE] = {"✓", "+"}, [RT_H_WARN] = {"!", "!"},
        [RT_H_BAD] = {"✗", "x"},     [RT_H_OFF] = {"○", "."},
    };
    return (size_t)h < RT_COUNT(glyphs) ? glyphs[h][ascii] : glyphs[RT_H_UNKNOWN][ascii];
}

char *rt_mask_env(const char *runtime_env_json) {
    if (!runtime_env_json)
        return NULL;
    json_t *env = json_loads(runtime_env_json, JSON_DECODE_ANY, NULL);
    /* What cannot be read cannot be masked, so it is not shown. */
    if (!env)
        return rt_strdup("\"***\"");
    json_t *vars = json_object_get(env, "env_vars");
    if (json_is_object(vars)) {
        const char *key;
        json_t *value;
        json_object_foreach(vars, key, value) json_object_set_new(vars, key, json_string("***"));
    } else if (vars) {
        json_object_set_new(env, "env_vars", json_string("***"));
    }
    char *text = json_dumps(env, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(env);
    char *own = rt_strdup(text);
    free(text);
    return own;
}

/* ---- a row as lines ---- */

#define KEY_COLUMNS 22

/* "memory_used_bytes" is read as "memory used". */
static void add_key(struct rt_buf *out, const char *key, int indent) {
    static const char *const units[] = {"_ms", "_bytes", "_bytes_per_s"};
    size_t n = strlen(key);
    for (size_t i = 0; i < RT_COUNT(units); i++)
        if (rt_ends(key, units[i]) && n > strlen(units[i]))
            n = strlen(key) - strlen(units[i]);
    size_t from = out->len;
    rt_buf_addf(out, "%*s", indent, "");
    rt_clean(out, key, n);
    for (size_t i = from; i < out->len && indent == 0; i++)
        if (out->data[i] == '_')
            out->data[i] = ' ';
    int used = rt_width(out->data + from, out->len - from);
    rt_buf_addf(out, "%*s", RT_MAX(KEY_COLUMNS - used, 2), "");
}

static bool is_span(const char *key) {
    return rt_streq(key, "took_ms") || rt_streq(key, "up_ms") || rt_streq(key, "idle_ms");
}

/* Text of several lines stands indented under its key. */
static void add_text(struct rt_buf *out, const char *s) {
    if (!strchr(s, '\n')) {
        rt_cell_text(out, s);
        return;
    }
    while (*s) {
        size_t n = strcspn(s, "\n");
        rt_buf_adds(out, "\n    ");
        rt_clean(out, s, n);
        s += n + (s[n] == '\n');
    }
}

static void add_scalar(struct rt_buf *out, const char *key, const json_t *v, int64_t now_ms) {
    char text[64];
    double number = json_number_value(v);
    const int64_t whole = rt_i64_within(number);
    if (json_is_string(v)) {
        add_text(out, json_string_value(v));
    } else if (json_is_boolean(v)) {
        rt_buf_adds(out, json_is_true(v) ? "yes" : "no");
    } else if (!json_is_number(v)) {
        rt_buf_addc(out, '-');
    } else if (is_span(key)) {
        rt_cell_age(out, whole);
    } else if (rt_ends(key, "_ms")) {
        rt_buf_adds(out, rt_fmt_iso(text, sizeof(text), whole));
        bool past = number <= (double)now_ms;
        rt_buf_addf(out, " (%s", past ? "" : "in ");
        rt_cell_age(out, past ? now_ms - whole : whole - now_ms);
        rt_buf_adds(out, past ? " ago)" : ")");
    } else if (rt_ends(key, "_bytes") || rt_streq(key, "memory") ||
               rt_streq(key, "object_store_memory")) {
        rt_cell_bytes(out, number);
    } else if (rt_ends(key, "_bytes_per_s")) {
        rt_cell_bytes(out, number);
        rt_buf_adds(out, "/s");
    } else {
        rt_buf_adds(out, rt_fmt_amount(text, sizeof(text), number));
    }
}

static bool is_used_of(const json_t *v) {
    return json_object_get(v, "used") && json_object_get(v, "total") && json_object_size(v) == (json_object_get(v, "reserved") ? 3 : 2);
}

static void add_used_of(struct rt_buf *out, const char *key, const json_t *v) {
    const json_t *used = json_object_get(v, "used"), *total = json_object_get(v, "total");
    double u = json_is_number(used) ? json_number_value(used) : -1;
    double t = json_is_number(total) ? json_number_value(total) : -1, reserved = json_number_value(json_object_get(v, "reserved"));
    if (rt_streq(key, "memory") || rt_streq(key, "object_store_memory"))
        rt_cell_bytes_of(out, u, t);
    else
        rt_cell_claims(out, u, reserved, t);
}

static void add_member(struct rt_buf *out, const char *key, json_t *v, int indent, int64_t now_ms);

/* A list of objects is its elements one after the other, numbered. */
static void add_children(struct rt_buf *out, json_t *v, int indent, int64_t now_ms) {
    const char *key;
    json_t *child;
    if (json_is_object(v))
        json_object_foreach(v, key, child) add_member(out, key, child, indent, now_ms);
    for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++) {
        char number[24];
        snprintf(number, sizeof(number), "%zu", i + 1);
        add_member(out, number, json_array_get(v, i), indent, now_ms);
    }
}

static void add_member(struct rt_buf *out, const char *key, json_t *v, int indent, int64_t now_ms) {
    bool empty =
        (json_is_object(v) || json_is_array(v)) && !json_object_size(v) && !json_array_size(v);
    add_key(out, key, indent);
    if (empty) {
        rt_buf_addc(out, '-');
    } else if (is_used_of(v)) {
        add_used_of(out, key, v);
    } else if (json_is_object(v) || json_is_array(v)) {
        while (out->len && out->data[out->len - 1] == ' ')
            out->data[--out->len] = '\0';
        rt_buf_addc(out, '\n');
        add_children(out, v, indent + 2, now_ms);
        return;
    } else {
        add_scalar(out, key, v, now_ms);
    }
    rt_buf_addc(out, '\n');
}

void rt_row_describe(struct rt_buf *out, const struct rt_table *t, const void *row,
                     const struct rt_row_env *env) {
    json_t *o = t->json(row, env, false);
    add_children(out, o, 0, env->now_ms);
    json_decref(o);
}
