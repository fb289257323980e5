/* Key names, and the bytes of xterm's family of terminals turned into keys, pastes, mouse events and reports. */
#include "ui/key.h"

#include "base/str.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASTE_MAX RT_MIB
#define SEQUENCE_MAX 4096 /* a longer report is thrown away */

static const struct {
    int32_t code;
    const char *name;
} names[] = {
    {RT_K_ENTER, "Enter"},   {RT_K_ESC, "Esc"},   {RT_K_TAB, "Tab"},     {RT_K_BACKSPACE, "Backspace"},
    {RT_K_DELETE, "Del"},    {RT_K_INSERT, "Ins"}, {RT_K_UP, "Up"},      {RT_K_DOWN, "Down"},
    {RT_K_LEFT, "Left"},     {RT_K_RIGHT, "Right"}, {RT_K_HOME, "Home"}, {RT_K_END, "End"},
    {RT_K_PGUP, "PgUp"},     {RT_K_PGDN, "PgDn"}, {' ', "Space"},
};

bool rt_key_equal(struct rt_key a, struct rt_key b) {
    return a.code == b.code && a.mods == b.mods;
}

static void base_name(char *out, size_t size, int32_t code) {
    for (size_t i = 0; i < RT_COUNT(names); i++)
        if (names[i].code == code) {
            snprintf(out, size, "%s", names[i].name);
            return;
        }
    if (code >= RT_K_F1 && code <= RT_K_F12) {
        snprintf(out, size, "F%d", (int)(code - RT_K_F1 + 1));
        return;
    }
    char text[5] = "";
    text[code >= 0 && code < 0x110000 ? rt_utf8_encode(code, text) : 0] = '\0';
    snprintf(out, size, "%s", text);
}

char *rt_key_name(char *out, size_t size, struct rt_key k) {
    char base[16];
    const bool letter = k.code >= 'a' && k.code <= 'z';
    base_name(base, sizeof base, (k.mods & RT_MOD_CTRL) && letter ? toupper((int)k.code) : k.code);
    snprintf(out, size, "%s%s%s%s", k.mods & RT_MOD_ALT ? "M-" : "", k.mods & RT_MOD_SHIFT ? "S-" : "",
             k.mods & RT_MOD_CTRL ? "^" : "", base);
    return out;
}

static bool parse_base(const char *name, int32_t *code) {
    int32_t cp = 0;
    if (!*name)
        return false;
    if (rt_utf8_next(name, strlen(name), &cp) == strlen(name) && cp > 0) {
        *code = cp;
        return true;
    }
    for (size_t i = 0; i < RT_COUNT(names); i++)
        if (strlen(name) == strlen(names[i].name) && rt_contains_i(name, names[i].name)) {
            *code = names[i].code;
            return true;
        }
    int64_t n = 0;
    if (toupper((unsigned char)*name) == 'F' && rt_parse_i64(name + 1, &n) && n >= 1 && n <= 12) {
        *code = RT_K_F1 + (int32_t)n - 1;
        return true;
    }
    return false;
}

bool rt_key_parse(const char *name, struct rt_key *out) {
    struct rt_key k = {0};
    for (;;) {
        if (name[0] && name[1] == '-' && name[2]) {
            const int c = toupper((unsigned char)name[0]);
            k.mods |= c == 'M' || c == 'A' ? RT_MOD_ALT : c == 'S' ? RT_MOD_SHIFT : c == 'C' ? RT_MOD_CTRL : 0;
            if (!strchr("MASC", c))
                return false;
            name += 2;
        } else if (name[0] == '^' && name[1]) {
            k.mods |= RT_MOD_CTRL;
            name++;
        } else {
            break;
        }
    }
    if (!parse_base(name, &k.code))
        return false;
    if (k.code < 128 && isalpha((int)k.code)) {
        if (k.mods & RT_MOD_CTRL)
            k.code = tolower((int)k.code);
        else if (k.mods & RT_MOD_SHIFT)
            k.code = toupper((int)k.code);
        k.mods &= ~(uint32_t)RT_MOD_SHIFT;
    }
    *out = k;
    return true;
}

/* ---- bytes ---- */

void rt_keys_init(struct rt_keys *k) {
    *k = (struct rt_keys){0};
    rt_buf_init(&k->in, 0);
    rt_buf_init(&k->paste, PASTE_MAX);
}

void rt_keys_deinit(struct rt_keys *k) {
    rt_buf_deinit(&k->in);
    rt_buf_deinit(&k->paste);
}

static void emit_key(rt_event_fn *fn, void *ctx, int32_t code, uint32_t mods) {
    const struct rt_event ev = {.type = RT_EV_KEY, .key = {code, mods}};
    fn(ctx, &ev);
}

static void emit_byte(rt_event_fn *fn, void *ctx, unsigned char c, uint32_t mods) {
    if (c == '\r' || c == '\n')
        emit_key(fn, ctx, RT_K_ENTER, mods);
    else if (c == '\t')
        emit_key(fn, ctx, RT_K_TAB, mods);
    else if (c == 0x7f || c == 0x08)
        emit_key(fn, ctx, RT_K_BACKSPACE, mods);
    else if (c == 0x1b)
        emit_key(fn, ctx, RT_K_ESC, mods);
    else if (c == 0)
        emit_key(fn, ctx, ' ', mods | RT_MOD_CTRL);
    else if (c < 0x20)
        emit_key(fn, ctx, c <= 26 ? c + 'a' - 1 : c + '@', mods | RT_MOD_CTRL);
    else
        emit_key(fn, ctx, c, mods);
}

struct csi {
    int params[8], n;
    char prefix, final; /* prefix: one of <=>? or 0 */
    char middle;        /* intermediate byte */
};

static uint32_t modifiers(int p) {
    const uint32_t m = p > 1 ? (uint32_t)(p - 1) : 0;
    return (m & 1 ? RT_MOD_SHIFT : 0u) | (m & 2 ? RT_MOD_ALT : 0u) | (m & 4 ? RT_MOD_CTRL : 0u);
}

static int32_t tilde_key(int n) {
    static const int32_t codes[] = {[1] = RT_K_HOME, [2] = RT_K_INSERT, [3] = RT_K_DELETE, [4] = RT_K_END, [5] = RT_K_PGUP,
                                    [6] = RT_K_PGDN, [7] = RT_K_HOME, [8] = RT_K_END, [11] = RT_K_F1, [12] = RT_K_F2,
                                    [13] = RT_K_F3, [14] = RT_K_F4, [15] = RT_K_F5, [17] = RT_K_F6, [18] = RT_K_F7,
                                    [19] = RT_K_F8, [20] = RT_K_F9, [21] = RT_K_F10, [23] = RT_K_F11, [24] = RT_K_F12};
    return n > 0 && (size_t)n < RT_COUNT(codes) ? codes[n] : 0;
}

static int32_t letter_key(char c) {
    switch (c) {
    case 'A':
        return RT_K_UP;
    case 'B':
        return RT_K_DOWN;
    case 'C':
        return RT_K_RIGHT;
    case 'D':
        return RT_K_LEFT;
    case 'H':
        return RT_K_HOME;
    case 'F':
        return RT_K_END;
    case 'M':
        return RT_K_ENTER;
    case 'P':
    case 'Q':
    case 'R':
    case 'S':
        return RT_K_F1 + (c - 'P');
    default:
        return 0;
    }
}

static void emit_mouse(rt_event_fn *fn, void *ctx, const struct csi *c) {
    const int b = c->params[0];
    struct rt_event ev = {.type = RT_EV_MOUSE, .col = c->params[1] - 1, .row = c->params[2] - 1, .button = (b & 3) + 1};
    if (b & 64)
        ev.mouse = (b & 3) == 0 ? RT_MOUSE_WHEEL_UP : RT_MOUSE_WHEEL_DOWN;
    else if (c->final == 'm')
        ev.mouse = RT_MOUSE_RELEASE;
    else
        ev.mouse = b & 32 ? RT_MOUSE_DRAG : RT_MOUSE_PRESS;
    if (c->n >= 3 && ev.row >= 0 && ev.col >= 0)
        fn(ctx, &ev);
}

/* CSI u: a key by its code point. */
static void emit_coded(rt_event_fn *fn, void *ctx, int cp, uint32_t mods) {
    if (cp <= 0 || cp >= 0x110000)
        return;
    if (cp < 32 || cp == 127) {
        emit_byte(fn, ctx, (unsigned char)cp, mods);
        return;
    }
    if (cp < 128 && isalpha(cp) && (mods & RT_MOD_CTRL))
        mods &= ~(uint32_t)RT_MOD_SHIFT;
    emit_key(fn, ctx, cp, mods);
}

static void take_csi(struct rt_keys *k, const struct csi *c, const char *body, size_t n, rt_event_fn *fn, void *ctx) {
    const uint32_t mods = c->n >= 2 ? modifiers(c->params[1]) : 0;
    if (c->prefix == '<') {
        emit_mouse(fn, ctx, c);
    } else if (c->prefix) {
        const struct rt_event ev = {.type = RT_EV_REPORT, .text = body, .len = n};
        fn(ctx, &ev);
    } else if (c->final == '~' && c->params[0] == 200) {
        k->pasting = true;
        rt_buf_clear(&k->paste);
    } else if (c->final == '~') {
        if (tilde_key(c->params[0]))
            emit_key(fn, ctx, tilde_key(c->params[0]), mods);
    } else if (c->final == 'u') {
        emit_coded(fn, ctx, c->params[0], mods);
    } else if (c->final == 'Z') {
        emit_key(fn, ctx, RT_K_TAB, RT_MOD_SHIFT);
    } else if (letter_key(c->final)) {
        emit_key(fn, ctx, letter_key(c->final), mods);
    }
}

/* Reads the sequence behind ESC [; gives its length with ESC [, 0 when it is not complete. */
static size_t read_csi(const char *s, size_t n, struct csi *c) {
    size_t i = 2;
    if (i < n && s[i] == '[') /* the Linux console's F1 to F5 */
        return i + 1 < n ? i + 2 : 0;
    if (i < n && strchr("<=>?", s[i]))
        c->prefix = s[i++];
    for (; i < n; i++) {
        const unsigned char b = (unsigned char)s[i];
        if (isdigit(b)) {
            c->n = c->n ? c->n : 1;
            int *p = &c->params[c->n - 1];
            *p = *p < 100000 ? *p * 10 + (b - '0') : *p;
        } else if (b == ';' || b == ':') {
            c->n = RT_MIN((c->n ? c->n : 1) + 1, (int)RT_COUNT(c->params));
        } else if (b >= 0x20 && b < 0x30) {
            c->middle = (char)b;
        } else {
            c->final = (char)b;
            return i + 1;
        }
    }
    return n > SEQUENCE_MAX ? n : 0;
}

/* OSC, DCS, APC …: ends with BEL or ST. */
static size_t string_end(const char *s, size_t n) {
    for (size_t i = 2; i < n; i++) {
        if (s[i] == '\a')
            return i + 1;
        if (s[i] == '\x1b' && i + 1 < n)
            return s[i + 1] == '\\' ? i + 2 : i;
    }
    return n > SEQUENCE_MAX ? n : 0;
}

/* Takes one thing behind ESC; gives its bytes, 0 to wait for more. */
static size_t take_escape(struct rt_keys *k, const char *s, size_t n, rt_event_fn *fn, void *ctx) {
    if (n < 2)
        return 0;
    if (s[1] == '[') {
        struct csi c = {0};
        if (n == 2)
            return 0;
        const size_t len = read_csi(s, n, &c);
        if (len && s[2] == '[')
            emit_key(fn, ctx, RT_K_F1 + (s[3] - 'A'), 0);
        else if (len)
            take_csi(k, &c, s + 2, len - 2, fn, ctx);
        return len;
    }
    if (s[1] == 'O') {
        if (n < 3)
            return 0;
        if (letter_key(s[2]))
            emit_key(fn, ctx, letter_key(s[2]), 0);
        return 3;
    }
    if (strchr("]PX^_", s[1]) && s[1])
        return string_end(s, n);
    if (s[1] == '\x1b') {
        emit_key(fn, ctx, RT_K_ESC, 0);
        return 1;
    }
    if ((unsigned char)s[1] < 0x80) {
        emit_byte(fn, ctx, (unsigned char)s[1], RT_MOD_ALT);
        return 2;
    }
    emit_key(fn, ctx, RT_K_ESC, 0);
    return 1;
}

/* Pasted bytes up to the end mark; an end that is cut waits for the rest. */
static size_t take_paste(struct rt_keys *k, const char *s, size_t n, rt_event_fn *fn, void *ctx) {
    static const char end[] = "\x1b[201~";
    const size_t len = sizeof end - 1;
    const char *esc = memchr(s, '\x1b', n);
    const size_t i = esc ? (size_t)(esc - s) : n;
    if (i) {
        rt_buf_add(&k->paste, s, i);
        return i;
    }
    if (memcmp(s, end, RT_MIN(n, len)) != 0) {
        rt_buf_add(&k->paste, s, 1);
        return 1;
    }
    if (n < len)
        return 0;
    const struct rt_event ev = {.type = RT_EV_PASTE, .text = rt_buf_str(&k->paste), .len = k->paste.len};
    k->pasting = false;
    fn(ctx, &ev);
    rt_buf_clear(&k->paste);
    return len;
}

static size_t utf8_need(unsigned char c) {
    return c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 1;
}

static size_t take_one(struct rt_keys *k, const char *s, size_t n, rt_event_fn *fn, void *ctx) {
    if (k->pasting)
        return take_paste(k, s, n, fn, ctx);
    const unsigned char c = (unsigned char)*s;
    if (c == 0x1b)
        return take_escape(k, s, n, fn, ctx);
    if (c < 0x80) {
        emit_byte(fn, ctx, c, 0);
        return 1;
    }
    if (n < utf8_need(c))
        return 0;
    int32_t cp = 0;
    const size_t len = rt_utf8_next(s, n, &cp);
    if (cp > 0)
        emit_key(fn, ctx, cp, 0);
    return len;
}

void rt_keys_feed(struct rt_keys *k, const char *data, size_t n, rt_event_fn *fn, void *ctx) {
    rt_buf_add(&k->in, data, n);
    size_t at = 0;
    while (at < k->in.len) {
        const size_t took = take_one(k, k->in.data + at, k->in.len - at, fn, ctx);
        if (!took)
            break;
        at += took;
    }
    rt_buf_drop(&k->in, at);
}

bool rt_keys_waiting(const struct rt_keys *k) {
    return k->in.len && !k->pasting;
}

void rt_keys_flush(struct rt_keys *k, rt_event_fn *fn, void *ctx) {
    if (!rt_keys_waiting(k))
        return;
    const char first = k->in.data[0];
    const char second = k->in.len > 1 ? k->in.data[1] : '\0';
    const bool lone = first == '\x1b' && k->in.len == 1;
    const bool alt = first == '\x1b' && k->in.len == 2 && strchr("[O]PX^_", second);
    rt_buf_clear(&k->in);
    if (lone)
        emit_key(fn, ctx, RT_K_ESC, 0);
    else if (alt)
        emit_key(fn, ctx, second, RT_MOD_ALT);
}
