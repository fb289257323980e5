/* Themes: the built-in one, YAML files, and colours brought down to what the terminal has. */
#include "ui/theme.h"

#include "base/fs.h"
#include "base/str.h"
#include "base/yaml.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const role_names[] = {
#define X(id, name) [RT_R_##id] = name,
    RT_ROLES(X)
#undef X
};

static const char *const color_names[] = {"black",       "red",           "green",        "yellow",
                                          "blue",        "magenta",       "cyan",         "white",
                                          "brightblack", "brightred",     "brightgreen",  "brightyellow",
                                          "brightblue",  "brightmagenta", "brightcyan",   "brightwhite"};

const char *rt_role_name(enum rt_role r) {
    return role_names[r];
}

enum rt_role rt_role_of_health(enum rt_health h) {
    static const enum rt_role of[] = {
        [RT_H_UNKNOWN] = RT_R_STATUS_UNKNOWN, [RT_H_OK] = RT_R_STATUS_OK,     [RT_H_BUSY] = RT_R_STATUS_BUSY,
        [RT_H_WAITING] = RT_R_STATUS_WAITING, [RT_H_DONE] = RT_R_STATUS_DONE, [RT_H_WARN] = RT_R_STATUS_WARN,
        [RT_H_BAD] = RT_R_STATUS_FAILED,      [RT_H_OFF] = RT_R_STATUS_OFF,
    };
    return of[h];
}

/* ---- the built-in theme: the terminal's own colours and background ---- */

#define NONE RT_COLOR_INHERIT
#define FG(c, a) {{c, NONE, NONE}, {NONE, NONE, NONE}, a}
#define ON(c, b, a) {{c, NONE, NONE}, {b, NONE, NONE}, a}

static const struct rt_theme_row built_in[RT_R_COUNT] = {
    [RT_R_TEXT] = ON(RT_COLOR_DEFAULT, RT_COLOR_DEFAULT, 0),
    [RT_R_DIM] = FG(NONE, RT_DIM),
    [RT_R_STRONG] = FG(NONE, RT_BOLD),
    [RT_R_ACCENT] = FG(6, 0),
    [RT_R_BORDER] = FG(NONE, RT_DIM),
    [RT_R_BORDER_FOCUS] = FG(6, 0),
    [RT_R_TITLE] = FG(NONE, 0),
    [RT_R_TITLE_FOCUS] = FG(NONE, RT_BOLD),
    [RT_R_HEADER] = FG(NONE, 0),
    [RT_R_HEADER_DIM] = FG(NONE, RT_DIM),
    [RT_R_BRAND] = FG(6, RT_BOLD),
    [RT_R_TAB] = FG(NONE, RT_DIM),
    [RT_R_TAB_ACTIVE] = FG(6, RT_BOLD),
    [RT_R_KEY] = FG(6, 0),
    [RT_R_HINT] = FG(NONE, RT_DIM),
    [RT_R_COLUMN] = FG(NONE, RT_DIM),
    [RT_R_COLUMN_SORT] = FG(6, 0),
    [RT_R_SELECT] = ON(0, 6, 0),
    [RT_R_SELECT_DIM] = FG(NONE, RT_BOLD),
    [RT_R_MARK] = FG(3, RT_BOLD),
    [RT_R_MATCH] = FG(NONE, RT_REVERSE),
    [RT_R_FILTER] = FG(3, 0),
    [RT_R_STALE] = FG(NONE, RT_DIM),
    [RT_R_SCROLL] = FG(6, 0),
    [RT_R_BAR] = FG(4, 0),
    [RT_R_BAR_HIGH] = FG(3, 0),
    [RT_R_BAR_EMPTY] = FG(NONE, RT_DIM),
    [RT_R_TOAST] = FG(6, 0),
    [RT_R_TOAST_ERROR] = FG(1, RT_BOLD),
    [RT_R_INPUT] = FG(NONE, 0),
    [RT_R_DIALOG] = FG(NONE, 0),
    [RT_R_DIALOG_BORDER] = FG(6, 0),
    [RT_R_BUTTON] = FG(NONE, 0),
    [RT_R_BUTTON_ACTIVE] = ON(0, 6, 0),
    [RT_R_LOG_TIME] = FG(NONE, RT_DIM),
    [RT_R_LOG_WARN] = FG(3, 0),
    [RT_R_LOG_ERROR] = FG(1, 0),
    [RT_R_LOG_MARK] = FG(6, RT_DIM),
    [RT_R_STATUS_UNKNOWN] = FG(NONE, RT_DIM),
    [RT_R_STATUS_OK] = FG(2, 0),
    [RT_R_STATUS_BUSY] = FG(6, 0),
    [RT_R_STATUS_WAITING] = FG(3, 0),
    [RT_R_STATUS_DONE] = FG(4, 0),
    [RT_R_STATUS_WARN] = FG(3, RT_BOLD),
    [RT_R_STATUS_FAILED] = FG(1, 0),
    [RT_R_STATUS_OFF] = FG(NONE, RT_DIM),
};

void rt_theme_default(struct rt_theme *t, enum rt_depth depth) {
    memset(t, 0, sizeof(*t));
    snprintf(t->name, sizeof t->name, "default");
    t->depth = depth;
    memcpy(t->rows, built_in, sizeof built_in);
}

/* ---- colours ---- */

static const unsigned char base_rgb[16][3] = {
    {0, 0, 0},       {205, 0, 0},   {0, 205, 0},   {205, 205, 0},   {0, 0, 238},    {205, 0, 205},   {0, 205, 205},   {229, 229, 229},
    {127, 127, 127}, {255, 0, 0},   {0, 255, 0},   {255, 255, 0},   {92, 92, 255},  {255, 0, 255},   {0, 255, 255},   {255, 255, 255}};

static void to_rgb(int32_t c, int out[3]) {
    static const int steps[] = {0, 95, 135, 175, 215, 255};
    if (c >= 0x1000000) {
        out[0] = (int)(c >> 16) & 255;
        out[1] = (int)(c >> 8) & 255;
        out[2] = (int)c & 255;
    } else if (c >= 232) {
        out[0] = out[1] = out[2] = 8 + (c - 232) * 10;
    } else if (c >= 16) {
        out[0] = steps[(c - 16) / 36];
        out[1] = steps[(c - 16) / 6 % 6];
        out[2] = steps[(c - 16) % 6];
    } else {
        for (int i = 0; i < 3; i++)
            out[i] = base_rgb[c][i];
    }
}

static int32_t nearest(int32_t c, int32_t from, int32_t to) {
    int want[3], have[3], best = -1;
    int32_t found = from;
    to_rgb(c, want);
    for (int32_t i = from; i < to; i++) {
        to_rgb(i, have);
        int d = 0;
        for (int k = 0; k < 3; k++)
            d += (want[k] - have[k]) * (want[k] - have[k]);
        if (best < 0 || d < best) {
            best = d;
            found = i;
        }
    }
    return found;
}

int32_t rt_color_fit(int32_t c, enum rt_depth depth) {
    if (c < 0)
        return c;
    if (depth == RT_DEPTH_MONO)
        return RT_COLOR_DEFAULT;
    if (depth == RT_DEPTH_256 && c >= 0x1000000)
        return nearest(c, 16, 256);
    if (depth == RT_DEPTH_16 && c >= 16)
        return nearest(c, 0, 16);
    return c;
}

/* ---- looks ---- */

static int32_t pick(const struct rt_paint *p, enum rt_depth depth) {
    int32_t c = NONE;
    if (depth == RT_DEPTH_RGB)
        c = p->rgb != NONE ? p->rgb : p->c256 != NONE ? p->c256 : p->c16;
    else if (depth == RT_DEPTH_256)
        c = p->c256 != NONE ? p->c256 : p->rgb != NONE ? p->rgb : p->c16;
    else if (depth == RT_DEPTH_16)
        c = p->c16 != NONE ? p->c16 : p->c256 != NONE ? p->c256 : p->rgb;
    return rt_color_fit(c, depth);
}

struct rt_look rt_theme_over(const struct rt_theme *t, enum rt_role r) {
    const struct rt_theme_row *row = &t->rows[r];
    struct rt_look look = {pick(&row->fg, t->depth), pick(&row->bg, t->depth), row->attr};
    /* A coloured bar without colours is a reversed one. */
    if (t->depth == RT_DEPTH_MONO && r != RT_R_TEXT && pick(&row->bg, RT_DEPTH_16) >= 0)
        look.attr |= RT_REVERSE;
    return look;
}

struct rt_look rt_theme_look(const struct rt_theme *t, enum rt_role r) {
    struct rt_look base = rt_theme_over(t, RT_R_TEXT);
    base.fg = base.fg == NONE ? RT_COLOR_DEFAULT : base.fg;
    base.bg = base.bg == NONE ? RT_COLOR_DEFAULT : base.bg;
    return r == RT_R_TEXT ? base : rt_look_over(base, rt_theme_over(t, r));
}

/* ---- files ---- */

static bool parse_rgb(const char *s, int32_t *out) {
    if (s[0] != '#' || strlen(s) != 7 || strspn(s + 1, "0123456789abcdefABCDEF") != 6)
        return false;
    *out = RT_COLOR_RGB((int32_t)strtol(s + 1, NULL, 16));
    return true;
}

static bool parse_name(const char *s, int32_t *out) {
    if (rt_streq(s, "default")) {
        *out = RT_COLOR_DEFAULT;
        return true;
    }
    for (size_t i = 0; i < RT_COUNT(color_names); i++)
        if (rt_streq(s, color_names[i])) {
            *out = (int32_t)i;
            return true;
        }
    return false;
}

static bool parse_index(const char *s, int32_t *out) {
    int64_t n = 0;
    if (!rt_parse_i64(s, &n) || n < 0 || n > 255)
        return false;
    *out = (int32_t)n;
    return true;
}

static bool parse_attrs(const struct rt_ynode *n, uint32_t *out, struct rt_error *err) {
    static const struct {
        const char *name;
        uint32_t attr;
    } attrs[] = {{"bold", RT_BOLD}, {"dim", RT_DIM}, {"underline", RT_UNDERLINE}, {"reverse", RT_REVERSE}, {"italic", RT_ITALIC}, {"none", 0}};
    struct rt_strs words = {0};
    bool ok = rt_split_words(n->text, &words, err);
    for (size_t w = 0; ok && w < words.n; w++) {
        size_t i = 0;
        while (i < RT_COUNT(attrs) && !rt_streq(attrs[i].name, words.v[w]))
            i++;
        ok = i < RT_COUNT(attrs) || rt_ynode_error(n, err, "attr: %s is none of bold, dim, underline, reverse, italic, none", words.v[w]);
        *out |= ok ? attrs[i].attr : 0;
    }
    rt_strs_deinit(&words);
    return ok;
}

static bool read_member(const struct rt_ynode *value, const char *key, struct rt_theme_row *row, struct rt_error *err) {
    static const char *const keys[] = {"fg", "fg256", "rgb", "bg", "bg256", "bg_rgb", "attr", NULL};
    const struct {
        const char *key;
        bool (*parse)(const char *s, int32_t *out);
        int32_t *to;
        const char *want;
    } members[] = {{"fg", parse_name, &row->fg.c16, "a colour name"},   {"fg256", parse_index, &row->fg.c256, "0 to 255"},
                   {"rgb", parse_rgb, &row->fg.rgb, "\"#rrggbb\""},     {"bg", parse_name, &row->bg.c16, "a colour name"},
                   {"bg256", parse_index, &row->bg.c256, "0 to 255"},   {"bg_rgb", parse_rgb, &row->bg.rgb, "\"#rrggbb\""}};
    if (value->kind != RT_Y_SCALAR)
        return rt_ynode_error(value, err, "%s: a plain value is wanted", key);
    if (rt_streq(key, "attr"))
        return parse_attrs(value, &row->attr, err);
    for (size_t i = 0; i < RT_COUNT(members); i++)
        if (rt_streq(members[i].key, key))
            return members[i].parse(value->text, members[i].to) ||
                   rt_ynode_error(value, err, "%s: %s is wanted, not %s", key, members[i].want, value->text);
    const char *near = rt_nearest(key, keys);
    return rt_ynode_error(value, err, "unknown key %s%s%s", key, near ? ", did you mean " : "", near ? near : "");
}

static bool read_role(const struct rt_ynode *key, const struct rt_ynode *value, struct rt_theme *t, struct rt_error *err) {
    size_t r = 0;
    while (r < RT_R_COUNT && !rt_streq(role_names[r], key->text))
        r++;
    if (r == RT_R_COUNT) {
        const char *names[RT_R_COUNT + 1] = {NULL};
        memcpy(names, role_names, sizeof role_names);
        const char *near = rt_nearest(key->text, names);
        return rt_ynode_error(key, err, "unknown role %s%s%s", key->text, near ? ", did you mean " : "", near ? near : "");
    }
    struct rt_theme_row *row = &t->rows[r];
    *row = (struct rt_theme_row){{NONE, NONE, NONE}, {NONE, NONE, NONE}, 0};
    if (value->kind == RT_Y_SCALAR)
        return read_member(value, "fg", row, err);
    for (size_t i = 0; value->kind == RT_Y_MAP && i < value->n; i++)
        if (!read_member(value->items[i], value->keys[i]->text, row, err))
            return false;
    return value->kind == RT_Y_MAP || rt_ynode_error(value, err, "%s: a map such as {fg: red} is wanted", key->text);
}

bool rt_theme_parse(struct rt_theme *t, const char *file, const char *text, size_t n, struct rt_error *err) {
    struct rt_ydoc doc;
    bool ok = rt_yaml_parse(file, text, n, &doc, err);
    if (ok && doc.root && doc.root->kind != RT_Y_MAP)
        ok = rt_ynode_error(doc.root, err, "a theme is a map of roles");
    for (size_t i = 0; ok && doc.root && i < doc.root->n; i++)
        ok = read_role(doc.root->keys[i], doc.root->items[i], t, err);
    rt_yaml_deinit(&doc);
    return ok;
}

/* The person's own, the installed ones, those beside the sources. */
static char *theme_dir(size_t i) {
    switch (i) {
    case 0:
        return rt_path(RT_DIR_CONFIG, "themes");
    case 1:
        return rt_strdup(RT_DATADIR "/themes");
    case 2:
        return rt_strdup(RT_SOURCE_DIR "/themes");
    default:
        return NULL;
    }
}

static char *find_file(const char *name) {
    char *dir;
    if (strchr(name, '/'))
        return NULL;
    for (size_t i = 0; (dir = theme_dir(i)); i++) {
        char *path = rt_strf("%s/%s.yaml", dir, name);
        free(dir);
        if (rt_file_exists(path))
            return path;
        free(path);
    }
    return NULL;
}

bool rt_theme_hint(struct rt_error *err) {
    struct rt_strs names = {0};
    struct rt_buf list;
    rt_buf_init(&list, 512);
    rt_theme_names(&names);
    for (size_t i = 0; i < names.n; i++)
        rt_buf_addf(&list, "%s%s", i ? ", " : "", names.v[i]);
    rt_error_hint(err, "there are: %s", rt_buf_str(&list));
    rt_buf_deinit(&list);
    rt_strs_deinit(&names);
    return false;
}

static bool unknown_theme(const char *name, struct rt_error *err) {
    rt_error_set(err, RT_E_NOT_FOUND, "no theme %s", name);
    return rt_theme_hint(err);
}

bool rt_theme_load(struct rt_theme *t, const char *name, enum rt_depth depth, struct rt_error *err) {
    rt_theme_default(t, depth);
    char *path = find_file(name);
    if (!path)
        return rt_streq(name, "default") || unknown_theme(name, err);
    struct rt_buf text;
    rt_buf_init(&text, 0);
    bool ok = rt_file_read(path, RT_MIB, &text, err) && rt_theme_parse(t, path, rt_buf_str(&text), text.len, err);
    if (ok)
        snprintf(t->name, sizeof t->name, "%.39s", name);
    else
        rt_theme_default(t, depth);
    rt_buf_deinit(&text);
    free(path);
    return ok;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void rt_theme_names(struct rt_strs *out) {
    char *dir;
    rt_strs_add(out, "default");
    for (size_t i = 0; (dir = theme_dir(i)); i++) {
        DIR *d = opendir(dir);
        free(dir);
        for (struct dirent *e; d && (e = readdir(d));) {
            if (!rt_ends(e->d_name, ".yaml"))
                continue;
            char *name = rt_strndup(e->d_name, strlen(e->d_name) - 5);
            if (!rt_strs_has(out, name))
                rt_strs_add(out, name);
            free(name);
        }
        if (d)
            closedir(d);
    }
    qsort(out->v, out->n, sizeof(*out->v), by_text);
}
