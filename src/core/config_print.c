/* The configuration in its canonical form: our names, no defaults, no secrets. */
#include "core/config_impl.h"

#include <stdlib.h>

#define STEP 2

static void add_indent(struct rt_buf *out, int indent) {
    rt_buf_addf(out, "%*s", indent, "");
}

static void add_word(struct rt_buf *out, const char *s) {
    rt_yaml_word(out, s, rt_yaml_plain(s));
}

static void add_key(struct rt_buf *out, const char *key, int indent) {
    add_indent(out, indent);
    add_word(out, key);
    rt_buf_addc(out, ':');
}

/* ---- values of fields ---- */

/* "1h30m", "90s": the largest units that divide. */
static void add_duration(struct rt_buf *out, int64_t ms) {
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}};
    size_t before = out->len;
    for (size_t i = 0; i < RT_COUNT(units); i++) {
        if (ms >= units[i].ms)
            rt_buf_addf(out, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
        ms %= units[i].ms;
    }
    if (ms || out->len == before)
        rt_buf_addf(out, "%lldms", (long long)ms);
}

static void add_size(struct rt_buf *out, int64_t bytes) {
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    while (bytes && bytes % 1024 == 0 && unit + 1 < RT_COUNT(units)) {
        bytes /= 1024;
        unit++;
    }
    rt_buf_addf(out, "%lld%s", (long long)bytes, units[unit]);
}

static void add_strs(struct rt_buf *out, const struct rt_strs *l) {
    rt_buf_adds(out, "[");
    for (size_t i = 0; i < l->n; i++) {
        rt_buf_adds(out, i ? ", " : "");
        add_word(out, l->v[i]);
    }
    rt_buf_adds(out, "]");
}

static void add_kvs(struct rt_buf *out, const struct rt_strs *l, bool secret, int indent) {
    for (size_t i = 0; i < l->n; i++) {
        size_t n = strcspn(l->v[i], "=");
        char *key = rt_strndup(l->v[i], n);
        rt_buf_addc(out, '\n');
        add_key(out, key, indent);
        rt_buf_addc(out, ' ');
        add_word(out, secret ? "***" : l->v[i] + n + (l->v[i][n] == '='));
        free(key);
    }
}

/* ---- nodes ---- */

/* Fields that are read by others are shown as they stand; what sounds like a secret is not. */
static bool sounds_secret(const char *key) {
    static const char *const ends[] = {"secret", "password", "passphrase", "token"};
    for (size_t i = 0; i < RT_COUNT(ends); i++)
        if (rt_ends(key, ends[i]))
            return true;
    return false;
}

static void add_node(struct rt_buf *out, const struct rt_ynode *n, int indent, bool secret);

static void add_seq(struct rt_buf *out, const struct rt_ynode *n, int indent, bool secret) {
    for (size_t i = 0; i < n->n; i++) {
        rt_buf_addc(out, '\n');
        add_indent(out, indent);
        rt_buf_addc(out, '-');
        add_node(out, n->items[i], indent + STEP, secret);
    }
}

static void add_map(struct rt_buf *out, const struct rt_ynode *n, int indent, bool secret) {
    for (size_t i = 0; i < n->n; i++) {
        const char *key = n->keys[i]->text;
        rt_buf_addc(out, '\n');
        add_key(out, key, indent);
        bool all =
            secret || sounds_secret(key) || rt_streq(key, "env_vars") || rt_streq(key, "headers");
        add_node(out, n->items[i], indent + STEP, all);
    }
}

/* A value behind "key:" or "-". */
static void add_node(struct rt_buf *out, const struct rt_ynode *n, int indent, bool secret) {
    if (n->kind == RT_Y_SCALAR) {
        rt_buf_addc(out, ' ');
        if (secret)
            add_word(out, "***");
        else
            rt_yaml_word(out, n->text,
                     n->quoted ? rt_yaml_plain(n->text) : *n->text && !strchr(n->text, '\n'));
    } else if (!n->n) {
        rt_buf_adds(out, n->kind == RT_Y_MAP ? " {}" : " []");
    } else if (n->kind == RT_Y_MAP) {
        add_map(out, n, indent, secret);
    } else {
        add_seq(out, n, indent, secret);
    }
}

/* ---- fields ---- */

static void add_fields(struct rt_buf *out, const struct rt_yfield *fields, const void *from,
                       const void *defaults, const struct rt_ynode *map, int indent);

/* Unset, or what it would be anyway. */
static bool is_default(const struct rt_yfield *f, const void *member, const void *normal) {
    switch (f->type) {
    case RT_Y_STR:
        return rt_streq(*(char *const *)member, normal ? *(char *const *)normal : NULL);
    case RT_Y_I64:
    case RT_Y_DURATION:
    case RT_Y_SIZE:
        return *(const int64_t *)member == (normal ? *(const int64_t *)normal : 0);
    case RT_Y_F64: {
        double a = *(const double *)member, b = normal ? *(const double *)normal : 0;
        return !(a < b || a > b);
    }
    case RT_Y_BOOL:
        return *(const bool *)member == (normal ? *(const bool *)normal : false);
    case RT_Y_ENUM:
        return *(const int *)member == (normal ? *(const int *)normal : 0);
    case RT_Y_STRS:
    case RT_Y_KVS:
        return !((const struct rt_strs *)member)->n;
    case RT_Y_STRUCT:
    case RT_Y_NODE:
    case RT_Y_CUSTOM:
        break;
    }
    return false;
}

static void add_value(struct rt_buf *out, const struct rt_yfield *f, const void *member,
                      int indent) {
    if (f->type != RT_Y_KVS)
        rt_buf_addc(out, ' ');
    switch (f->type) {
    case RT_Y_STR:
        add_word(out, f->secret ? "***" : *(char *const *)member);
        break;
    case RT_Y_I64:
        rt_buf_addf(out, "%lld", (long long)*(const int64_t *)member);
        break;
    case RT_Y_F64:
        rt_buf_addf(out, "%.10g", *(const double *)member);
        break;
    case RT_Y_BOOL:
        rt_buf_adds(out, *(const bool *)member ? "true" : "false");
        break;
    case RT_Y_DURATION:
        add_duration(out, *(const int64_t *)member);
        break;
    case RT_Y_SIZE:
        add_size(out, *(const int64_t *)member);
        break;
    case RT_Y_ENUM:
        add_word(out, f->names[*(const int *)member]);
        break;
    case RT_Y_STRS:
        add_strs(out, member);
        break;
    case RT_Y_KVS:
        add_kvs(out, member, f->secret, indent + STEP);
        break;
    case RT_Y_STRUCT:
    case RT_Y_NODE:
    case RT_Y_CUSTOM:
        break;
    }
    rt_buf_addc(out, '\n');
}

/* Fields that only their owner can read are repeated from the file. */
static void add_from_file(struct rt_buf *out, const struct rt_yfield *f, const struct rt_ynode *map,
                          int indent) {
    const struct rt_ynode *n = rt_field_node(map, f);
    if (!n || rt_ynode_is_null(n))
        return;
    add_key(out, f->key, indent);
    add_node(out, n, indent + STEP, f->secret);
    rt_buf_addc(out, '\n');
}

static void add_struct(struct rt_buf *out, const struct rt_yfield *f, const void *member,
                       const struct rt_ynode *map, int indent) {
    struct rt_buf inner;
    rt_buf_init(&inner, 0);
    add_fields(&inner, f->sub, member, NULL, rt_field_node(map, f), indent + STEP);
    if (inner.len) {
        add_key(out, f->key, indent);
        rt_buf_addc(out, '\n');
        rt_buf_add(out, inner.data, inner.len);
    }
    rt_buf_deinit(&inner);
}

/* A duration under another spelling has its value in the field of that name already. */
static bool is_other_spelling(const struct rt_yfield *f) {
    return !f->help;
}

static void add_fields(struct rt_buf *out, const struct rt_yfield *fields, const void *from,
                       const void *defaults, const struct rt_ynode *map, int indent) {
    for (const struct rt_yfield *f = fields; f && f->key; f++) {
        const void *member = (const char *)from + f->off;
        const void *normal = defaults ? (const char *)defaults + f->off : NULL;
        if (is_other_spelling(f))
            continue;
        if (f->type == RT_Y_STRUCT) {
            add_struct(out, f, member, map, indent);
        } else if (f->type == RT_Y_NODE || f->type == RT_Y_CUSTOM) {
            add_from_file(out, f, map, indent);
        } else if (!is_default(f, member, normal)) {
            add_key(out, f->key, indent);
            add_value(out, f, member, indent);
        }
    }
}

static void add_cluster(struct rt_buf *out, const struct rt_cluster_conf *conf, int indent) {
    add_key(out, conf->name, indent);
    struct rt_buf fields;
    rt_buf_init(&fields, 0);
    add_fields(&fields, rt_cluster_fields, conf, NULL, conf->node, indent + STEP);
    if (conf->own)
        add_fields(&fields, conf->ops->config, conf->own, NULL, conf->node, indent + STEP);
    rt_buf_adds(out, fields.len ? "\n" : " {}\n");
    rt_buf_adds(out, rt_buf_str(&fields));
    rt_buf_deinit(&fields);
}

static void add_globals(struct rt_buf *out, const struct rt_config *c) {
    const struct rt_config_own *o = (const struct rt_config_own *)(const void *)c;
    struct rt_config_own *normal = rt_config_fresh();
    const struct rt_ynode *root =
        c->ndocs && rt_streq(c->docs[0]->file, c->path) ? c->docs[0]->root : NULL;
    normal->c.theme = rt_strdup("default");
    struct rt_yfield own[32] = {0};
    size_t n = 0;
    /* Clusters come from several files and stand at the end. */
    for (const struct rt_yfield *f = rt_config_fields; f->key && n + 1 < RT_COUNT(own); f++)
        if (!rt_streq(f->key, "clusters"))
            own[n++] = *f;
    add_fields(out, own, o, normal, root, 0);
    rt_config_destroy(&normal->c);
}

void rt_config_print(const struct rt_config *c, const struct rt_cluster_conf *only,
                     struct rt_buf *out) {
    if (!only)
        add_globals(out, c);
    if (!only && !c->nclusters)
        return;
    rt_buf_adds(out, "clusters:\n");
    for (size_t i = 0; i < c->nclusters; i++)
        if (!only || c->clusters[i] == only)
            add_cluster(out, c->clusters[i], STEP);
}
