/* JSON values as YAML in block style: what a person reads and kubectl takes. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/yaml.h"
#include <stdlib.h>
#include <string.h>

bool rt_yaml_plain(const char *s) {
    static const char *const words[] = {"true", "false", "null", "yes", "no", "on", "off", "~", NULL};
    double number;
    if (!*s || strchr("!&*-?|>@`%#\"'[]{},:= ", *s) || s[strlen(s) - 1] == ' ' || s[strlen(s) - 1] == ':')
        return false;
    for (size_t i = 0; words[i]; i++)
        if (strlen(s) == strlen(words[i]) && rt_contains_i(s, words[i]))
            return false;
    for (const char *p = s; *p; p++)
        if ((unsigned char)*p < ' ' || (*p == ':' && p[1] == ' ') || (*p == ' ' && p[1] == '#') || strchr("{}[],", *p))
            return false;
    return !rt_parse_f64(s, &number);
}

void rt_yaml_word(struct rt_buf *out, const char *s, bool plain) {
    if (plain) {
        rt_buf_adds(out, s);
        return;
    }
    json_t *v = json_string(s);
    char *quoted = v ? json_dumps(v, JSON_ENCODE_ANY) : NULL;
    rt_buf_adds(out, quoted ? quoted : "\"\"");
    free(quoted);
    json_decref(v);
}

static void add_value(struct rt_buf *out, const json_t *v, int indent);

static void add_scalar(struct rt_buf *out, const json_t *v) {
    if (json_is_string(v)) {
        rt_yaml_word(out, json_string_value(v), rt_yaml_plain(json_string_value(v)));
        return;
    }
    char *text = json_dumps(v, JSON_ENCODE_ANY);
    rt_buf_adds(out, text ? text : "null");
    free(text);
}

static bool is_empty(const json_t *v) {
    return !json_object_size(v) && !json_array_size(v);
}

/* The first line goes on where the cursor is, the others begin at `indent`. */
static void add_map(struct rt_buf *out, const json_t *map, int indent) {
    const char *key;
    json_t *v;
    bool first = true;
    json_object_foreach((json_t *)(uintptr_t)map, key, v) {
        rt_buf_addf(out, "%*s", first ? 0 : indent, "");
        first = false;
        rt_yaml_word(out, key, rt_yaml_plain(key));
        rt_buf_addc(out, ':');
        if (json_is_object(v) && !is_empty(v))
            rt_buf_addf(out, "\n%*s", indent + 2, "");
        else if (json_is_array(v) && !is_empty(v))
            rt_buf_addf(out, "\n%*s", indent, "");
        else
            rt_buf_addc(out, ' ');
        add_value(out, v, json_is_object(v) ? indent + 2 : indent);
    }
}

static void add_list(struct rt_buf *out, const json_t *list, int indent) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        rt_buf_addf(out, "%*s- ", i ? indent : 0, "");
        add_value(out, json_array_get(list, i), indent + 2);
    }
}

static void add_value(struct rt_buf *out, const json_t *v, int indent) {
    if (is_empty(v)) {
        if (json_is_object(v) || json_is_array(v))
            rt_buf_adds(out, json_is_object(v) ? "{}" : "[]");
        else
            add_scalar(out, v);
        rt_buf_addc(out, '\n');
    } else if (json_is_object(v)) {
        add_map(out, v, indent);
    } else {
        add_list(out, v, indent);
    }
}

void rt_yaml_print(struct rt_buf *out, const json_t *v) {
    add_value(out, v, 0);
}
