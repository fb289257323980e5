/* UTF-8, columns, and what makes foreign text harmless for a terminal. */
#include "base/str.h"
#include <stdio.h>
#include <string.h>

size_t rt_utf8_next(const char *s, size_t n, int32_t *cp) {
    static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = (unsigned char)s[0];
    *cp = lead;
    if (lead < 0x80)
        return 1;

    size_t len = lead >= 0xF0 && lead < 0xF8 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 0;
    *cp = -1;
    if (lead >= 0xF8 || len == 0 || len > n)
        return 1;
    int32_t value = lead & (0x7F >> len);
    for (size_t i = 1; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if ((c & 0xC0) != 0x80)
            return 1;
        value = value << 6 | (c & 0x3F);
    }
    if (value < least[len] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return 1;
    *cp = value;
    return len;
}

size_t rt_utf8_encode(int32_t cp, char out[4]) {
    if (cp < 0 || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
        cp = 0xFFFD;
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    size_t len = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, cp >>= 6)
        out[i] = (char)(0x80 | (cp & 0x3F));
    static const int lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[len] | cp);
    return len;
}

bool rt_utf8_valid(const char *s, size_t n) {
    for (size_t i = 0; i < n;) {
        int32_t cp;
        i += rt_utf8_next(s + i, n - i, &cp);
        if (cp < 0)
            return false;
    }
    return true;
}

int rt_width(const char *s, size_t n) {
    int cols = 0;
    for (size_t i = 0; i < n;) {
        int32_t cp;
        i += rt_utf8_next(s + i, n - i, &cp);
        int w = rt_cp_width(cp);
        cols += w < 0 ? 1 : w;
    }
    return cols;
}

bool rt_cp_hidden(int32_t cp) {
    static const struct {
        int32_t first, last;
    } ranges[] = {
        {0x80, 0x9F},       {0xAD, 0xAD},       {0x34F, 0x34F},   {0x61C, 0x61C},
        {0x115F, 0x1160},   {0x17B4, 0x17B5},   {0x180B, 0x180F}, {0x200B, 0x200F},
        {0x2028, 0x202E},   {0x2060, 0x206F},   {0x3164, 0x3164}, {0xFEFF, 0xFEFF},
        {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},   {0xFFFE, 0xFFFF}, {0x1BCA0, 0x1BCA3},
        {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
    };
    if (cp < 0x80)
        return false;
    for (size_t i = 0; i < RT_COUNT(ranges); i++)
        if (cp >= ranges[i].first && cp <= ranges[i].last)
            return true;
    return false;
}

enum { PIECE = 16 }; /* "<U+10FFFF>" and its NUL */

/* Cleans what stands at s (n > 0) into `out`; *len is its length. Returns the bytes taken. */
static size_t clean_one(const char *s, size_t n, char out[PIECE], size_t *len) {
    int32_t cp;
    size_t taken = rt_utf8_next(s, n, &cp);
    int wrote;
    if (cp < 0) {
        wrote = snprintf(out, PIECE, "\\x%02x", (unsigned)(unsigned char)s[0]);
    } else if (cp == '\n' || cp == '\t') {
        wrote = snprintf(out, PIECE, " ");
    } else if (cp == '\r' && n > 1 && s[1] == '\n') {
        wrote = snprintf(out, PIECE, " ");
        taken = 2;
    } else if (cp < 0x20 || cp == 0x7F) {
        wrote = snprintf(out, PIECE, "^%c", (char)(cp ^ 0x40));
    } else if (rt_cp_hidden(cp)) {
        wrote = snprintf(out, PIECE, "<U+%04X>", (unsigned)cp);
    } else {
        memcpy(out, s, taken);
        wrote = (int)taken;
    }
    *len = (size_t)wrote;
    return taken;
}

static size_t printable_run(const char *s, size_t n) {
    size_t i = 0;
    while (i < n && s[i] >= 0x20 && s[i] < 0x7F)
        i++;
    return i;
}

void rt_clean(struct rt_buf *out, const char *s, size_t n) {
    for (size_t i = 0; i < n;) {
        size_t run = printable_run(s + i, n - i);
        rt_buf_add(out, s + i, run);
        i += run;
        if (i < n) {
            char piece[PIECE];
            size_t len;
            i += clean_one(s + i, n - i, piece, &len);
            rt_buf_add(out, piece, len);
        }
    }
}

char *rt_clean_to(char *out, size_t size, const char *s) {
    size_t n = s ? strlen(s) : 0, used = 0;
    if (size == 0)
        return out;
    for (size_t i = 0; i < n;) {
        char piece[PIECE];
        size_t len;
        i += clean_one(s + i, n - i, piece, &len);
        if (len >= size - used)
            break;
        memcpy(out + used, piece, len);
        used += len;
    }
    out[used] = '\0';
    return out;
}

/* Bytes at the front that take at most `cols` columns, marks that follow included. */
static size_t front(const char *s, size_t n, int cols, int *used) {
    size_t i = 0;
    *used = 0;
    while (i < n) {
        int32_t cp;
        size_t len = rt_utf8_next(s + i, n - i, &cp);
        int w = rt_cp_width(cp);
        w = w < 0 ? 1 : w;
        if (*used + w > cols)
            break;
        *used += w;
        i += len;
    }
    return i;
}

/* Where the longest end of at most `cols` columns begins: `total` is the whole width. */
static size_t back(const char *s, size_t n, int total, int cols, int *used) {
    size_t i = 0;
    *used = total;
    while (i < n) {
        int32_t cp;
        size_t len = rt_utf8_next(s + i, n - i, &cp);
        int w = rt_cp_width(cp);
        if (*used <= cols && w != 0) /* never begins with a mark of a letter that went */
            break;
        *used -= w < 0 ? 1 : w;
        i += len;
    }
    return i;
}

int rt_fit(struct rt_buf *out, const char *s, int cols, enum rt_cut cut, bool ascii) {
    size_t n = s ? strlen(s) : 0;
    int total = rt_width(s, n);
    if (cols <= 0)
        return 0;
    if (total <= cols) {
        rt_buf_add(out, s, n);
        return total;
    }
    int room = cols - 1, head = 0, tail = 0;
    int head_room = cut == RT_CUT_RIGHT ? room : cut == RT_CUT_LEFT ? 0 : room - room / 2;
    size_t head_end = cut == RT_CUT_LEFT ? 0 : front(s, n, head_room, &head);
    rt_buf_add(out, s, head_end);
    rt_buf_adds(out, ascii ? "~" : "\xe2\x80\xa6");
    if (cut != RT_CUT_RIGHT) {
        size_t tail_start = back(s, n, total, room - head, &tail);
        rt_buf_add(out, s + tail_start, n - tail_start);
    }
    return head + 1 + tail;
}
