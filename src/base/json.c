/* Parsing JSON text, also the kind that Python writes, and walking it. */
#include "base/decode.h"
#include "base/str.h"
#include <stdlib.h>
#include <string.h>

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool digit(char c) {
    return c >= '0' && c <= '9';
}

bool rt_json_unlike(struct rt_error *err, const char *head, size_t n) {
    while (n > 0 && blank(*head))
        head++, n--;
    if (n == 0)
        return rt_error_set(err, RT_E_PROTOCOL, "an empty answer instead of JSON");
    if (*head == '<') {
        rt_error_set(err, RT_E_PROTOCOL, "HTML instead of JSON");
        return rt_error_hint(
            err, "something else answers at this address, such as a proxy or a login page");
    }
    struct rt_buf shown;
    rt_buf_init(&shown, 0);
    rt_clean(&shown, head, RT_MIN(n, 60));
    rt_error_set(err, RT_E_PROTOCOL, "not JSON: \"%s%s\"", rt_buf_str(&shown), n > 60 ? "..." : "");
    rt_buf_deinit(&shown);
    return false;
}

static int32_t hex4(const char *s, const char *end) {
    int32_t v = 0;
    if (end - s < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdef";
        char c = s[i] >= 'A' && s[i] <= 'F' ? (char)(s[i] - 'A' + 'a') : s[i];
        const char *at = c ? strchr(digits, c) : NULL;
        if (!at)
            return -1;
        v = v << 4 | (int32_t)(at - digits);
    }
    return v;
}

/* Copies the escape at s: a surrogate without its partner becomes U+FFFD. Returns where it ends. */
static const char *mend_escape(struct rt_buf *out, const char *s, const char *end) {
    if (end - s < 2 || s[1] != 'u') {
        size_t n = end - s < 2 ? 1 : 2;
        rt_buf_add(out, s, n);
        return s + n;
    }
    int32_t cp = hex4(s + 2, end);
    size_t n = cp < 0 ? 2 : 6;
    if (cp >= 0xD800 && cp <= 0xDFFF) {
        int32_t low = end - s >= 12 && s[6] == '\\' && s[7] == 'u' ? hex4(s + 8, end) : -1;
        if (cp > 0xDBFF || low < 0xDC00 || low > 0xDFFF) {
            rt_buf_adds(out, "\\ufffd");
            return s + 6;
        }
        n = 12;
    }
    rt_buf_add(out, s, n);
    return s + n;
}

/* Copies the string at s, from quote to quote. */
static const char *mend_string(struct rt_buf *out, const char *s, const char *end) {
    rt_buf_addc(out, *s++);
    while (s < end) {
        if (*s == '\\') {
            s = mend_escape(out, s, end);
            continue;
        }
        int32_t cp;
        size_t n = rt_utf8_next(s, (size_t)(end - s), &cp);
        if (cp < 0)
            rt_buf_adds(out, "\\ufffd");
        else
            rt_buf_add(out, s, n);
        s += n;
        if (cp == '"')
            break;
    }
    return s;
}

/* Copies the number or word at s. */
static const char *mend_scalar(struct rt_buf *out, const char *s, const char *end) {
    const char *start = s;
    bool integer = true;
    while (s < end && (digit(*s) || strchr("+-.", *s) || (*s >= 'A' && *s <= 'Z') ||
                       (*s >= 'a' && *s <= 'z'))) {
        integer = integer && (digit(*s) || (*s == '-' && s == start));
        s++;
    }
    size_t n = (size_t)(s - start);
    char text[64] = "";
    double v;
    if (n < sizeof text)
        memcpy(text, start, n);
    bool number = digit(text[0]) || text[0] == '-';
    if (strcmp(text, "NaN") == 0 || strcmp(text, "Infinity") == 0 ||
        (number && !rt_parse_f64(text, &v))) {
        rt_buf_adds(out, "null");
    } else {
        rt_buf_add(out, start, n);
        if (integer && n >= 19)
            rt_buf_adds(out, ".0");
    }
    return s;
}

/* The text as JSON proper, where it is only what Python's json.dumps adds that hurts. */
static void mend(struct rt_buf *out, const char *text, size_t n) {
    const char *end = text + n;
    for (const char *s = text; s < end && !out->failed;) {
        if (*s == '"') {
            s = mend_string(out, s, end);
        } else if (digit(*s) || *s == '-' || *s == 'N' || *s == 'I') {
            s = mend_scalar(out, s, end);
        } else {
            rt_buf_addc(out, *s++);
        }
    }
}

json_t *rt_json_parse(const char *text, size_t n, struct rt_error *err) {
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_error_t why;
    if (n > 64 * RT_MIB) {
        rt_error_set(err, RT_E_LIMIT, "JSON text of %zu MiB: more than 64", n / RT_MIB);
        return NULL;
    }
    json_t *v = json_loadb(text, n, flags, &why);
    if (v)
        return v;

    struct rt_buf mended;
    rt_buf_init(&mended, 128 * RT_MIB);
    mend(&mended, text, n);
    v = json_loadb(rt_buf_str(&mended), mended.len, flags, &why);
    rt_buf_deinit(&mended);
    if (v)
        return v;
    while (n > 0 && blank(*text))
        text++, n--;
    if (n == 0 || (*text != '{' && *text != '[')) {
        rt_json_unlike(err, text, n);
    } else {
        char shown[200];
        rt_error_set(err, RT_E_PROTOCOL, "bad JSON in line %d: %s", why.line,
                     rt_clean_to(shown, sizeof shown, why.text));
    }
    return NULL;
}

json_t *rt_json_at(const json_t *v, const char *path) {
    while (v && *path) {
        size_t n = strcspn(path, ".");
        char key[128];
        if (n >= sizeof key)
            return NULL;
        memcpy(key, path, n);
        key[n] = '\0';
        v = json_object_get(v, key);
        path += n + (path[n] == '.');
    }
    union {
        const json_t *in;
        json_t *out;
    } at = {.in = v};
    return at.out;
}

const char *rt_json_str(const json_t *v, const char *path) {
    return json_string_value(rt_json_at(v, path));
}
