/* A raw line of a log, made fit for the screen: colours become spans, carriage returns overwrite as a
 * terminal would, everything else that a terminal would act on is dropped or made visible. */
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/logbuf.h"
#include <stdio.h>
#include <string.h>

enum {
    RETURNS_MAX = 64,    /* carriage returns looked at, from the end of the line */
    COMBINING_MAX = 8,   /* marks on one character */
    COLUMN_MAX = 1 << 20 /* of a line that is overwritten */
};

struct look {
    int fg, bg;
    bool bold, dim, underline, reverse;
};

/* A column of a line that is overwritten; the text lies in `glyphs`. Second halves of wide characters
 * have no text. */
struct cell {
    size_t at, len;
    struct look look;
};

struct clean {
    struct rt_buf *text;
    struct rt_span *spans;
    size_t max, n;
    size_t base; /* where this line's text begins */
    struct look look;
    int column;
    int combining; /* marks on the last character */
    bool overwrite;
    bool again; /* the line moves its cursor to the left: it needs cells */
    RT_VEC(struct cell) cells;
    struct rt_buf glyphs;
};

static const struct look plain = {.fg = -1, .bg = -1};

static bool same_look(const struct look *a, const struct rt_span *b) {
    return a->fg == b->fg && a->bg == b->bg && a->bold == b->bold && a->dim == b->dim &&
           a->underline == b->underline && a->reverse == b->reverse;
}

/* Adds text in a look; when the spans are used up, the last one goes on. */
static void emit(struct clean *c, const char *s, size_t n, const struct look *k) {
    size_t start = c->text->len - c->base;
    if (n == 0 || !rt_buf_add(c->text, s, n) || c->max == 0)
        return;
    struct rt_span *last = c->n ? &c->spans[c->n - 1] : NULL;
    if (last && (same_look(k, last) || c->n == c->max)) {
        last->len += n;
        return;
    }
    c->spans[c->n++] = (struct rt_span){.start = start,
                                        .len = n,
                                        .fg = k->fg,
                                        .bg = k->bg,
                                        .bold = k->bold,
                                        .dim = k->dim,
                                        .underline = k->underline,
                                        .reverse = k->reverse};
}

static struct cell *cell_at(struct clean *c, int column) {
    while (c->cells.n <= (size_t)column)
        *rt_vec_push(&c->cells) = (struct cell){.at = SIZE_MAX, .len = 1, .look = plain};
    return &c->cells.v[column];
}

static bool second_half(const struct clean *c, int column) {
    return (size_t)column < c->cells.n && c->cells.v[column].len == 0;
}

static void blank(struct clean *c, int column) {
    c->cells.v[column] = (struct cell){.at = SIZE_MAX, .len = 1, .look = plain};
}

static void put_cell(struct clean *c, const char *s, size_t n, int width) {
    if (c->column + width > COLUMN_MAX)
        return;
    size_t at = c->glyphs.len;
    if (!rt_buf_add(&c->glyphs, s, n))
        return;
    /* Half of a wide character is never left standing. */
    if (second_half(c, c->column))
        blank(c, c->column - 1);
    for (int i = 0; i < width; i++)
        *cell_at(c, c->column + i) = (struct cell){.at = at, .len = i ? 0 : n, .look = c->look};
    if (second_half(c, c->column + width))
        blank(c, c->column + width);
    c->column += width;
}

/* A mark that stands on the character before it. */
static void put_combining(struct clean *c, const char *s, size_t n) {
    if (++c->combining > COMBINING_MAX)
        return;
    if (!c->overwrite) {
        emit(c, s, n, &c->look);
        return;
    }
    struct cell *k = &c->cells.v[c->column - 1];
    while (k->len == 0 && k > c->cells.v)
        k--;
    /* Only the glyph written last ends where the next bytes go. */
    if (k->at != SIZE_MAX && k->at + k->len == c->glyphs.len && rt_buf_add(&c->glyphs, s, n))
        k->len += n;
}

static void put(struct clean *c, const char *s, size_t n, int width) {
    c->combining = 0;
    if (c->overwrite) {
        put_cell(c, s, n, width);
        return;
    }
    emit(c, s, n, &c->look);
    c->column += width;
}

/* Printable ASCII, one column a byte. */
static void put_ascii(struct clean *c, const char *s, size_t n) {
    if (!c->overwrite) {
        put(c, s, n, (int)RT_MIN(n, (size_t)COLUMN_MAX));
        return;
    }
    for (size_t i = 0; i < n; i++)
        put(c, s + i, 1, 1);
}

static void put_tab(struct clean *c) {
    int next = (c->column / 8 + 1) * 8;
    if (c->overwrite) {
        if (next <= COLUMN_MAX) {
            cell_at(c, next - 1); /* the cursor moves, what is there stays */
            c->column = next;
        }
        return;
    }
    put(c, "        ", (size_t)(next - c->column), next - c->column);
}

static void put_caret(struct clean *c, unsigned char byte) {
    const char text[2] = {'^', byte == 0x7f ? '?' : (char)(byte + 0x40)};
    put_ascii(c, text, 2);
}

static void put_byte(struct clean *c, unsigned char byte) {
    char text[8];
    snprintf(text, sizeof text, "\\x%02x", byte);
    put_ascii(c, text, strlen(text));
}

static void put_code_point(struct clean *c, int32_t cp) {
    char text[24];
    snprintf(text, sizeof text, "<U+%04X>", (unsigned)cp);
    put_ascii(c, text, strlen(text));
}

static size_t put_utf8(struct clean *c, const char *s, size_t n) {
    int32_t cp = -1;
    size_t took = rt_utf8_next(s, n, &cp);
    if (cp < 0) {
        for (size_t i = 0; i < took; i++)
            put_byte(c, (unsigned char)s[i]);
        return took;
    }
    int width = rt_cp_hidden(cp) ? -1 : rt_cp_width(cp);
    if (width < 0 || (width == 0 && c->column == 0))
        put_code_point(c, cp);
    else if (width == 0)
        put_combining(c, s, took);
    else
        put(c, s, took, width);
    return took;
}

/* One number of a control sequence; -1 when it is empty. */
static int number(const char *s, size_t n, size_t *i) {
    int v = -1;
    while (*i < n && s[*i] >= '0' && s[*i] <= '9') {
        v = RT_MIN(RT_MAX(v, 0) * 10 + (s[*i] - '0'), 99999);
        (*i)++;
    }
    return v;
}

static int rgb(int r, int g, int b) {
    return 0x1000000 | (r & 0xff) << 16 | (g & 0xff) << 8 | (b & 0xff);
}

/* What follows 38 or 48: 5;N or 2;R;G;B, or the same with colons (then a colour space may stand
 * before R). Leaves `color` alone when it cannot be read. */
static void extended(const char *s, size_t n, size_t *i, int *color) {
    int v[6] = {0};
    size_t count = 0;
    bool colons = *i < n && s[*i] == ':';
    size_t want = 1;
    while (*i < n && (s[*i] == ';' || s[*i] == ':') && count < want) {
        if (colons && s[*i] != ':')
            break;
        (*i)++;
        v[count++] = number(s, n, i);
        if (count == 1)
            want = v[0] == 5 ? 2 : v[0] == 2 ? (colons ? 6 : 4) : 1;
    }
    if (v[0] == 5 && count == 2 && v[1] >= 0 && v[1] <= 255)
        *color = v[1];
    else if (v[0] == 2 && count >= 5)
        *color = rgb(v[2], v[3], v[4]);
    else if (v[0] == 2 && count == 4)
        *color = rgb(v[1], v[2], v[3]);
}

static void apply(struct look *k, int code) {
    if (code <= 0)
        *k = plain;
    else if (code == 1)
        k->bold = true;
    else if (code == 2)
        k->dim = true;
    else if (code == 4 || code == 21)
        k->underline = true;
    else if (code == 7)
        k->reverse = true;
    else if (code == 22)
        k->bold = k->dim = false;
    else if (code == 24)
        k->underline = false;
    else if (code == 27)
        k->reverse = false;
    else if (code >= 30 && code <= 37)
        k->fg = code - 30;
    else if (code == 39)
        k->fg = -1;
    else if (code >= 40 && code <= 47)
        k->bg = code - 40;
    else if (code == 49)
        k->bg = -1;
    else if (code >= 90 && code <= 97)
        k->fg = code - 90 + 8;
    else if (code >= 100 && code <= 107)
        k->bg = code - 100 + 8;
}

static void colours(struct look *k, const char *s, size_t n) {
    size_t i = 0;
    do {
        int code = number(s, n, &i);
        if (code == 38)
            extended(s, n, &i, &k->fg);
        else if (code == 48)
            extended(s, n, &i, &k->bg);
        else if (code == 4 && i + 1 < n && s[i] == ':' && s[i + 1] == '0')
            k->underline = false;
        else
            apply(k, code);
        while (i < n && s[i] != ';') /* what is left of a form with colons */
            i++;
    } while (i++ < n);
}

static void erase(struct clean *c, int how) {
    size_t at = (size_t)c->column;
    if (how <= 0 && c->cells.n > at) {
        if (second_half(c, c->column))
            blank(c, c->column - 1);
        c->cells.n = at;
    }
    for (int i = 0; how > 0 && (size_t)i < c->cells.n && (how == 2 || i <= c->column); i++)
        blank(c, i);
    if (how == 1 && second_half(c, c->column + 1))
        blank(c, c->column + 1);
}

/* ESC [ ... : colours are kept; what moves inside the line is done; the rest is dropped. Returns the
 * bytes taken, 0 when it is not a whole sequence. */
static size_t control_sequence(struct clean *c, const char *s, size_t n) {
    size_t i = 2;
    while (i < n && s[i] >= 0x30 && s[i] <= 0x3f)
        i++;
    size_t parameters = i;
    while (i < n && s[i] >= 0x20 && s[i] <= 0x2f)
        i++;
    if (i >= n || s[i] < 0x40 || s[i] > 0x7e)
        return 0;
    bool ours = parameters == i && (parameters == 2 || s[2] < '<');
    size_t at = 0;
    int first = number(s + 2, parameters - 2, &at);
    if (ours && s[i] == 'm')
        colours(&c->look, s + 2, parameters - 2);
    else if (ours && s[i] == 'K' && c->overwrite)
        erase(c, first);
    else if (ours && s[i] == 'G' && first <= 1) {
        c->column = 0;
        c->again = !c->overwrite;
    }
    return i + 1;
}

/* ESC ] ... : titles and links are dropped (the text of a link stays). Anything else that a program
 * sends there is worth being seen: 0. */
static size_t system_command(const char *s, size_t n) {
    size_t i = 2;
    int code = number(s, n, &i);
    if (i >= n || s[i] != ';' || !(code <= 2 || code == 8) || code < 0)
        return 0;
    for (; i < n; i++) {
        if (s[i] == '\a')
            return i + 1;
        if (s[i] == 0x1b)
            return i + 1 < n && s[i + 1] == '\\' ? i + 2 : 0;
    }
    return 0;
}

static size_t escape(struct clean *c, const char *s, size_t n) {
    size_t took = 0;
    if (n < 2)
        took = 0;
    else if (s[1] == '[')
        took = control_sequence(c, s, n);
    else if (s[1] == ']')
        took = system_command(s, n);
    else if (strchr("()*+", s[1]) && s[1] && n >= 3 && s[2] >= 0x30 && s[2] <= 0x7e)
        took = 3; /* character sets */
    else if (strchr("78=>M", s[1]) && s[1])
        took = 2;
    if (took == 0)
        put_caret(c, 0x1b);
    return RT_MAX(took, 1);
}

static bool is_plain(char ch) {
    return ch >= 0x20 && ch < 0x7f;
}

static void run(struct clean *c, const char *s, size_t n) {
    for (size_t i = 0; i < n && !c->again;) {
        size_t k = i;
        while (k < n && is_plain(s[k]))
            k++;
        if (k > i)
            put_ascii(c, s + i, k - i);
        i = k;
        if (i >= n)
            break;
        unsigned char ch = (unsigned char)s[i];
        if (ch >= 0x80) {
            i += put_utf8(c, s + i, n - i);
        } else if (ch == 0x1b) {
            i += escape(c, s + i, n - i);
        } else {
            if (ch == '\t')
                put_tab(c);
            else if (ch == '\r')
                c->column = 0;
            else
                put_caret(c, ch);
            i++;
        }
    }
}

/* Of a line with very many carriage returns only the last ones leave something to see. */
static const char *last_returns(const char *s, size_t n) {
    size_t seen = 0;
    for (size_t i = n; i > 0; i--)
        if (s[i - 1] == '\r' && ++seen == RETURNS_MAX)
            return s + i;
    return s;
}

static void run_cells(struct clean *c, const char *s, size_t n) {
    const char *from = last_returns(s, n);
    c->look = plain;
    c->column = c->combining = 0;
    c->overwrite = true;
    c->again = false;
    rt_buf_init(&c->glyphs, n * 8 + 64);
    run(c, from, n - (size_t)(from - s));
    for (size_t i = 0; i < c->cells.n; i++) {
        struct cell *k = &c->cells.v[i];
        if (k->at == SIZE_MAX)
            emit(c, " ", 1, &k->look);
        else
            emit(c, c->glyphs.data + k->at, k->len, &k->look);
    }
    rt_buf_deinit(&c->glyphs);
    rt_vec_deinit(&c->cells);
}

size_t rt_log_clean(const char *raw, size_t n, struct rt_buf *text, struct rt_span *spans, size_t max) {
    while (n > 0 && (raw[n - 1] == '\r' || raw[n - 1] == '\n'))
        n--;
    struct clean c = {.text = text, .spans = spans, .max = max, .base = text->len, .look = plain};
    if (n > 0 && !memchr(raw, '\r', n))
        run(&c, raw, n);
    else if (n > 0)
        c.again = true;
    if (c.again) {
        text->len = c.base;
        if (text->data)
            text->data[c.base] = 0;
        c.n = 0;
        run_cells(&c, raw, n);
    }
    return c.n;
}
