/* A line that is being typed, with the keys of readline that fingers know. */
#include "ui/input.h"

#include "base/str.h"
#include <string.h>

#define TEXT_MAX (64 * RT_KIB)

void rt_input_init(struct rt_input *in) {
    *in = (struct rt_input){0};
    rt_buf_init(&in->text, TEXT_MAX);
}

void rt_input_deinit(struct rt_input *in) {
    if (in->secret && in->text.data) {
        volatile char *p = in->text.data;
        for (size_t i = 0; i < in->text.cap; i++)
            p[i] = '\0';
    }
    rt_buf_deinit(&in->text);
    in->at = 0;
}

const char *rt_input_text(const struct rt_input *in) {
    return rt_buf_str(&in->text);
}

void rt_input_set(struct rt_input *in, const char *text) {
    rt_buf_clear(&in->text);
    rt_buf_adds(&in->text, text);
    in->at = in->text.len;
    in->scroll = 0;
}

static void insert(struct rt_input *in, const char *s, size_t n) {
    if (!rt_buf_add(&in->text, s, n)) {
        in->text.failed = false;
        return;
    }
    memmove(in->text.data + in->at + n, in->text.data + in->at, in->text.len - n - in->at);
    memcpy(in->text.data + in->at, s, n);
    in->at += n;
}

static void remove_range(struct rt_input *in, size_t from, size_t to) {
    if (from >= to)
        return;
    memmove(in->text.data + from, in->text.data + to, in->text.len - to);
    in->text.len -= to - from;
    in->text.data[in->text.len] = '\0';
    in->at = from;
}

static size_t before(const struct rt_input *in, size_t at) {
    while (at > 0 && ((unsigned char)in->text.data[at - 1] & 0xc0) == 0x80)
        at--;
    return at ? at - 1 : 0;
}

static size_t after(const struct rt_input *in, size_t at) {
    if (at >= in->text.len)
        return at;
    int32_t cp = 0;
    return at + rt_utf8_next(in->text.data + at, in->text.len - at, &cp);
}

static size_t word_before(const struct rt_input *in) {
    size_t at = in->at;
    while (at > 0 && in->text.data[at - 1] == ' ')
        at--;
    while (at > 0 && in->text.data[at - 1] != ' ')
        at--;
    return at;
}

static size_t word_after(const struct rt_input *in) {
    size_t at = in->at;
    while (at < in->text.len && in->text.data[at] == ' ')
        at++;
    while (at < in->text.len && in->text.data[at] != ' ')
        at++;
    return at;
}

static bool control_key(struct rt_input *in, int32_t code) {
    switch (code) {
    case 'a':
        in->at = 0;
        return true;
    case 'e':
        in->at = in->text.len;
        return true;
    case 'b':
        in->at = before(in, in->at);
        return true;
    case 'f':
        in->at = after(in, in->at);
        return true;
    case 'd':
        remove_range(in, in->at, after(in, in->at));
        return true;
    case 'u':
        remove_range(in, 0, in->at);
        return true;
    case 'k':
        remove_range(in, in->at, in->text.len);
        return true;
    case 'w':
        remove_range(in, word_before(in), in->at);
        return true;
    case RT_K_LEFT:
        in->at = word_before(in);
        return true;
    case RT_K_RIGHT:
        in->at = word_after(in);
        return true;
    default:
        return false;
    }
}

bool rt_input_key(struct rt_input *in, struct rt_key k) {
    if (k.mods & RT_MOD_CTRL)
        return control_key(in, k.code);
    if (k.mods & RT_MOD_ALT) {
        if (k.code == 'b' || k.code == 'f')
            return control_key(in, k.code == 'b' ? RT_K_LEFT : RT_K_RIGHT);
        return false;
    }
    switch (k.code) {
    case RT_K_LEFT:
        in->at = before(in, in->at);
        return true;
    case RT_K_RIGHT:
        in->at = after(in, in->at);
        return true;
    case RT_K_HOME:
        in->at = 0;
        return true;
    case RT_K_END:
        in->at = in->text.len;
        return true;
    case RT_K_BACKSPACE:
        remove_range(in, before(in, in->at), in->at);
        return true;
    case RT_K_DELETE:
        remove_range(in, in->at, after(in, in->at));
        return true;
    default:
        break;
    }
    if (k.code < 0x20 || k.code >= 0x110000)
        return false;
    char bytes[4];
    insert(in, bytes, rt_utf8_encode(k.code, bytes));
    return true;
}

void rt_input_paste(struct rt_input *in, const char *text, size_t n) {
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    for (size_t i = 0; i < n;) {
        int32_t cp = 0;
        const size_t len = rt_utf8_next(text + i, n - i, &cp);
        if (cp == '\n' || cp == '\r' || cp == '\t')
            insert(in, " ", 1);
        else if (cp >= 0x20 && cp != 0x7f && !(cp >= 0x80 && cp < 0xa0))
            insert(in, text + i, len);
        i += len;
    }
}

static void shown_text(const struct rt_input *in, bool ascii, struct rt_buf *out, int *cursor) {
    if (!in->secret) {
        rt_buf_add(out, rt_input_text(in), in->text.len);
        *cursor = rt_width(rt_input_text(in), in->at);
        return;
    }
    *cursor = 0;
    for (size_t i = 0; i < in->text.len; i = after(in, i)) {
        rt_buf_adds(out, ascii ? "*" : "•");
        *cursor += i < in->at;
    }
}

void rt_input_draw(struct rt_input *in, struct rt_surface *s, struct rt_rect r, struct rt_look look, bool ascii, bool focus) {
    struct rt_buf text;
    int cursor = 0;
    if (r.cols < 1)
        return;
    rt_buf_init(&text, 0);
    shown_text(in, ascii, &text, &cursor);
    if (cursor < in->scroll)
        in->scroll = cursor;
    if (cursor >= in->scroll + r.cols)
        in->scroll = cursor - r.cols + 1;
    size_t from = 0;
    for (int skipped = 0; skipped < in->scroll && from < text.len;) {
        int32_t cp = 0;
        const size_t len = rt_utf8_next(text.data + from, text.len - from, &cp);
        skipped += RT_MAX(rt_cp_width(cp), 0);
        from += len;
    }
    rt_surface_fill(s, (struct rt_rect){r.row, r.col, 1, r.cols}, look);
    rt_surface_put(s, r.row, r.col, r.cols, rt_buf_str(&text) + from, text.len - from, look);
    if (focus) {
        s->cursor_row = r.row;
        s->cursor_col = r.col + cursor - in->scroll;
        s->cursor_shown = true;
    }
    rt_buf_deinit(&text);
}
