/* PCRE2 over the lines of a log: blocks of lines at once where that gives the same answer. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/logregex.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/logbits.h"
#include "core/logbuf.h"
#include <pcre2.h>
#include <string.h>
#include <wctype.h>

enum {
    PATTERN_MAX = 8192,
    STEPS_MAX = 2000000, /* of one match; a pattern that needs more is not worth waiting for */
    FAILURES_MAX = 32,
    STACK_MIN = 32 * 1024,
    STACK_MAX = 1024 * 1024
};

struct rt_logregex {
    pcre2_code *code;
    char *pattern;
    pcre2_code *block; /* for many lines at once; NULL: one after the other */
    int refs;
};

struct rt_logmatcher {
    const struct rt_logregex *re;
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    struct rt_buf clean;
    int64_t failures;
};

/* Letters after a backslash stand for something else. */
static bool has_upper(const char *p) {
    size_t n = strlen(p);
    for (size_t i = 0; i < n;) {
        int32_t cp = -1;
        if (p[i] == '\\' && i + 1 < n)
            i++;
        else if (rt_utf8_next(p + i, n - i, &cp) > 0 && cp > 0 && iswupper((wint_t)cp))
            return true;
        i += rt_utf8_next(p + i, n - i, &cp);
    }
    return false;
}

/* What follows rewrites a pattern so that nothing in it matches a line's end; then a match over many lines
 * finds what matches over each of them find, and never runs on into the next. Whatever is not known to be
 * harmless makes it fail: such patterns look at one line after the other. */

/* A backslash and a letter outside of a class. */
static bool rewrite_escape(char c, struct rt_buf *out) {
    if (c == 's')
        return rt_buf_adds(out, "[^\\S\\n\\r]");
    if (c == 'D')
        return rt_buf_adds(out, "[^\\d\\n\\r]");
    if (c == 'W')
        return rt_buf_adds(out, "[^\\w\\n\\r]");
    if (c == 0 || !strchr("dwShHtbB.*+?()[]{}|^$\\/-_\"'<>=:,;#@!%&~` ", c))
        return false;
    return rt_buf_addc(out, '\\') && rt_buf_addc(out, c);
}

/* Whether what stands at p, in a class that is not negated, can match a line's end; `n` bytes of it. */
static bool class_item(const char *p, size_t *n) {
    static const char *const names[] = {"[:alpha:]", "[:digit:]", "[:alnum:]", "[:upper:]", "[:lower:]",
                                        "[:punct:]", "[:xdigit:]", "[:word:]", "[:blank:]"};
    *n = 1;
    if (*p == '\\') {
        *n = 2;
        return p[1] == 0 || !strchr("dwSh.-]\\/[^$*+?(){}|", p[1]);
    }
    if (*p == '[' && p[1] == ':') {
        for (size_t i = 0; i < RT_COUNT(names); i++)
            if (strncmp(p, names[i], strlen(names[i])) == 0) {
                *n = strlen(names[i]);
                return false;
            }
        return true;
    }
    return (unsigned char)*p < 0x20;
}

/* From "[" on; gives where the class ends, or NULL. */
static const char *rewrite_class(const char *p, struct rt_buf *out) {
    bool negated = p[1] == '^';
    const char *at = p + 1 + negated, *start = at;
    rt_buf_adds(out, negated ? "[^\\n\\r" : "[");
    if (*at == ']') { /* the first one is a character */
        rt_buf_adds(out, "\\]");
        start = ++at;
    }
    while (*at && *at != ']') {
        size_t n;
        if (class_item(at, &n) && !negated)
            return NULL;
        if (negated && *at == '[' && (at[1] == ':' || at[1] == '.' || at[1] == '='))
            return NULL;
        if (negated && *at == '-' && at == start)
            rt_buf_addc(out, '\\'); /* it must not make a range with what was put in front */
        if (strnlen(at, n) < n)
            return NULL;
        rt_buf_add(out, at, n);
        at += n;
    }
    rt_buf_addc(out, ']');
    return *at ? at + 1 : NULL;
}

static bool known_group(const char *p) {
    static const char *const known[] = {"(?:", "(?i)", "(?=", "(?!", "(?<=", "(?<!", "(?>"};
    for (size_t i = 0; i < RT_COUNT(known); i++)
        if (strncmp(p, known[i], strlen(known[i])) == 0)
            return true;
    return p[1] != '?' && p[1] != '*';
}

static bool rewrite(const char *p, struct rt_buf *out) {
    while (p && *p) {
        if (*p == '\\') {
            if (!rewrite_escape(p[1], out))
                return false;
            p += 2;
        } else if (*p == '[') {
            p = rewrite_class(p, out);
        } else if ((*p == '(' && !known_group(p)) || *p == '\n' || *p == '\r') {
            return false;
        } else {
            rt_buf_addc(out, *p++);
        }
    }
    return p && !out->failed;
}

static pcre2_code *compile(const char *pattern, bool any_case, struct rt_error *err) {
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context) {
        rt_error_set(err, RT_E_LIMIT, "no memory for a pattern");
        return NULL;
    }
    pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    uint32_t options = PCRE2_MULTILINE | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
                       PCRE2_ALT_CIRCUMFLEX;
    if (any_case)
        options |= PCRE2_CASELESS;
    int code = 0;
    PCRE2_SIZE at = 0;
    pcre2_code *re =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &code, &at, context);
    pcre2_compile_context_free(context);
    if (!re) {
        char text[160] = "";
        pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
        rt_error_set(err, RT_E_USAGE, "pattern \"%.100s\": %s (at character %zu)", pattern, text, at + 1);
        rt_error_hint(err, "put a backslash before . * + ? ( ) [ ] { } | ^ $ to mean the character");
        return NULL;
    }
    pcre2_jit_compile(re, PCRE2_JIT_COMPLETE); /* without it matching is slower, no more */
    return re;
}

struct rt_logregex *rt_logregex_create(const char *pattern, struct rt_error *err) {
    if (strlen(pattern) > PATTERN_MAX) {
        rt_error_set(err, RT_E_LIMIT, "the pattern is longer than %d bytes", PATTERN_MAX);
        return NULL;
    }
    bool any_case = !has_upper(pattern);
    pcre2_code *code = compile(pattern, any_case, err);
    if (!code)
        return NULL;
    struct rt_logregex *r = RT_NEW(struct rt_logregex);
    struct rt_buf block;
    struct rt_error ignored;
    r->code = code;
    r->pattern = rt_strdup(pattern);
    rt_buf_init(&block, 0);
    if (rewrite(pattern, &block))
        r->block = compile(rt_buf_str(&block), any_case, &ignored);
    rt_buf_deinit(&block);
    r->refs = 1;
    return r;
}

struct rt_logregex *rt_logregex_ref(struct rt_logregex *r) {
    r->refs++;
    return r;
}

void rt_logregex_unref(struct rt_logregex *r) {
    if (!r || --r->refs > 0)
        return;
    pcre2_code_free(r->code);
    pcre2_code_free(r->block);
    free(r->pattern);
    free(r);
}

const char *rt_logregex_pattern(const struct rt_logregex *r) {
    return r->pattern;
}

struct rt_logmatcher *rt_logmatcher_create(const struct rt_logregex *r) {
    struct rt_logmatcher *m = RT_NEW(struct rt_logmatcher);
    m->re = r;
    m->data = pcre2_match_data_create(1, NULL);
    m->context = pcre2_match_context_create(NULL);
    m->stack = pcre2_jit_stack_create(STACK_MIN, STACK_MAX, NULL);
    if (m->context) {
        pcre2_set_match_limit(m->context, STEPS_MAX);
        if (m->stack)
            pcre2_jit_stack_assign(m->context, NULL, m->stack);
    }
    rt_buf_init(&m->clean, 16 * RT_MIB);
    return m;
}

void rt_logmatcher_destroy(struct rt_logmatcher *m) {
    if (!m)
        return;
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->context);
    pcre2_jit_stack_free(m->stack);
    rt_buf_deinit(&m->clean);
    free(m);
}

bool rt_logmatcher_too_hard(const struct rt_logmatcher *m) {
    return m->failures >= FAILURES_MAX;
}

/* 1 found, 0 not, -1 too many steps. */
static int match(struct rt_logmatcher *m, const pcre2_code *code, const char *text, size_t n, size_t from,
                 size_t *start, size_t *end) {
    if (!m->data)
        return -1;
    int got = pcre2_match(code, (PCRE2_SPTR)text, n, from, 0, m->data, m->context);
    if (got < 0)
        return got == PCRE2_ERROR_NOMATCH ? 0 : -1;
    const PCRE2_SIZE *o = pcre2_get_ovector_pointer(m->data);
    *start = o[0];
    *end = RT_MAX(o[0], o[1]); /* \K may turn them round */
    return 1;
}

static bool line_raw(struct rt_logmatcher *m, const char *text, size_t n) {
    size_t start, end;
    int got = match(m, m->re->code, text, n, 0, &start, &end);
    if (got < 0)
        m->failures++;
    return got > 0;
}

bool rt_logmatcher_line(struct rt_logmatcher *m, const char *text, size_t n) {
    while (n > 0 && text[n - 1] == '\r')
        n--;
    if (n == 0 || (!memchr(text, 0x1b, n) && !memchr(text, '\r', n)))
        return line_raw(m, text, n);
    rt_buf_clear(&m->clean);
    rt_log_clean(text, n, &m->clean, NULL, 0);
    return line_raw(m, rt_buf_str(&m->clean), m->clean.len);
}

size_t rt_count_newlines(const char *text, size_t n) {
    enum { LANES = 32 };
    size_t count = 0, i = 0;
    while (n - i >= LANES) { /* a shape that compilers turn into vector instructions */
        unsigned char lane[LANES] = {0};
        size_t rounds = RT_MIN((n - i) / LANES, (size_t)255);
        for (size_t r = 0; r < rounds; r++, i += LANES)
            for (size_t k = 0; k < LANES; k++)
                lane[k] = (unsigned char)(lane[k] + (text[i + k] == '\n'));
        for (size_t k = 0; k < LANES; k++)
            count += lane[k];
    }
    for (; i < n; i++)
        count += text[i] == '\n';
    return count;
}

/* Lines of one text: where the walk is, and the bits it fills. */
struct walk {
    struct rt_logmatcher *m;
    const char *text;
    size_t n;
    size_t at; /* start of a line */
    struct rt_logmatches *out;
    bool stop;
};

static size_t line_end(const struct walk *w, size_t from) {
    const char *e = from < w->n ? memchr(w->text + from, '\n', w->n - from) : NULL;
    return e ? (size_t)(e - w->text) : w->n;
}

static size_t line_start(const struct walk *w, size_t at) {
    while (at > w->at && w->text[at - 1] != '\n')
        at--;
    return at;
}

static void found(struct walk *w) {
    struct rt_logmatches *o = w->out;
    if (o->line < o->n)
        rt_words_set(o->bits, o->line);
    w->stop = o->until >= 0 && o->line >= o->until;
}

/* Goes on behind the line that ends at `end`. */
static void next_line(struct walk *w, size_t end) {
    const atomic_bool *cancel = w->out->cancel;
    w->at = end + 1;
    w->out->line++;
    if ((cancel && atomic_load_explicit(cancel, memory_order_relaxed)) || rt_logmatcher_too_hard(w->m))
        w->stop = true;
}

static void one_line(struct walk *w) {
    size_t end = line_end(w, w->at);
    if (rt_logmatcher_line(w->m, w->text + w->at, end - w->at))
        found(w);
    next_line(w, end);
}

static void one_by_one(struct walk *w, size_t to) {
    while (w->at <= to && !w->stop)
        one_line(w);
}

/* The lines up to `to` (a line's end), which hold neither escape sequences nor lone carriage returns. */
static void many_at_once(struct walk *w, size_t to) {
    while (w->at <= to && !w->stop) {
        size_t start, end;
        int got = match(w->m, w->m->re->block, w->text + w->at, to - w->at, 0, &start, &end);
        if (got < 0) {
            one_by_one(w, to);
            return;
        }
        if (got == 0) {
            w->out->line += (int64_t)rt_count_newlines(w->text + w->at, to - w->at) + 1;
            w->at = to + 1;
            return;
        }
        start += w->at;
        end += w->at;
        size_t from = line_start(w, start), stop = RT_MIN(line_end(w, start), to), solid = stop;
        while (solid > from && w->text[solid - 1] == '\r')
            solid--;
        w->out->line += (int64_t)rt_count_newlines(w->text + w->at, from - w->at);
        if (end <= solid || rt_logmatcher_line(w->m, w->text + from, stop - from)) /* "\r|\n" is no place */
            found(w);
        next_line(w, stop);
    }
}

static const char *next_of(const char *at, const char *end, char c) {
    const char *p = at < end ? memchr(at, c, (size_t)(end - at)) : NULL;
    return p ? p : end;
}

/* The first carriage return that is not part of a line's end. */
static const char *next_return(const char *at, const char *end) {
    for (;;) {
        at = next_of(at, end, '\r');
        if (at == end || (at + 1 < end && at[1] != '\n'))
            return at;
        if (at + 1 == end)
            return end;
        at += 2;
    }
}

bool rt_logmatcher_lines(struct rt_logmatcher *m, const char *text, size_t n, struct rt_logmatches *out) {
    struct walk w = {.m = m, .text = text, .n = n, .out = out};
    const char *end = text + n, *escape = text, *back = text;
    if (!m->re->block)
        one_by_one(&w, n);
    while (w.at <= n && !w.stop) {
        const char *at = text + w.at;
        if (escape <= at)
            escape = next_of(at, end, 0x1b);
        if (back <= at)
            back = next_return(at, end);
        const char *odd = RT_MIN(escape, back);
        size_t dirty = line_start(&w, (size_t)(odd - text));
        if (odd == end)
            many_at_once(&w, n);
        else if (dirty > w.at)
            many_at_once(&w, dirty - 1);
        else
            one_line(&w);
    }
    return !w.stop;
}

size_t rt_logmatcher_all(struct rt_logmatcher *m, const char *text, size_t n, size_t (*out)[2], size_t max) {
    size_t count = 0, from = 0;
    while (count < max && from <= n) {
        size_t start, end;
        if (match(m, m->re->code, text, n, from, &start, &end) <= 0)
            break;
        if (end > start) {
            out[count][0] = start;
            out[count++][1] = end;
            from = end;
        } else { /* an empty match marks nothing; step over one character */
            from = RT_MAX(end, from) + 1;
            while (from < n && ((unsigned char)text[from] & 0xc0) == 0x80)
                from++;
        }
    }
    return count;
}
