/* What a person should read when the dashboard does not answer as hoped: tracebacks cut to the line
 * that matters, envelopes opened, pages of a proxy named as such. */
#include "ray/private.h"

#include <ctype.h>
#include <string.h>

/* ---- the line that matters ---- */

struct span {
    const char *s;
    size_t n;
};

static struct span trim(struct span l) {
    while (l.n > 0 && isspace((unsigned char)l.s[0]))
        l.s++, l.n--;
    while (l.n > 0 && isspace((unsigned char)l.s[l.n - 1]))
        l.n--;
    return l;
}

/* A relayed error ends in a lone "."; Python marks places with rows of "^". */
static bool has_words(struct span l) {
    for (size_t i = 0; i < l.n; i++)
        if (isalnum((unsigned char)l.s[i]))
            return true;
    return false;
}

static struct span last_line(struct span text) {
    size_t end = text.n;
    while (end > 0) {
        size_t start = end;
        while (start > 0 && text.s[start - 1] != '\n')
            start--;
        const struct span l = trim((struct span){text.s + start, end - start});
        if (has_words(l))
            return l;
        end = start > 0 ? start - 1 : 0;
    }
    return (struct span){"", 0};
}

/* "ValueError: text" -> "text": the class helps nobody who does not read Ray's source. */
static struct span without_class(struct span l) {
    size_t i = 0;
    while (i < l.n && (isalnum((unsigned char)l.s[i]) || l.s[i] == '_' || l.s[i] == '.'))
        i++;
    const bool exception = (i >= 5 && memcmp(l.s + i - 5, "Error", 5) == 0) ||
                           (i >= 9 && memcmp(l.s + i - 9, "Exception", 9) == 0);
    if (!exception || i + 2 >= l.n || l.s[i] != ':' || l.s[i + 1] != ' ')
        return l;
    return (struct span){l.s + i + 2, l.n - i - 2};
}

/* The last line that names an exception: what follows it is the rest of its text. */
static bool last_exception(struct span text, struct span *out) {
    bool found = false;
    while (text.n > 0) {
        const char *newline = memchr(text.s, '\n', text.n);
        const struct span l = {text.s, newline ? (size_t)(newline - text.s) : text.n};
        const struct span bare = without_class(trim(l));
        if (l.n > 0 && !isspace((unsigned char)l.s[0]) && bare.n > 0 && bare.s != trim(l).s) {
            *out = bare;
            found = true;
        }
        const size_t step = l.n + (newline != NULL);
        text = (struct span){text.s + step, text.n - step};
    }
    return found;
}

static struct span first_line(struct span text) {
    while (text.n > 0) {
        const char *newline = memchr(text.s, '\n', text.n);
        const struct span l =
            trim((struct span){text.s, newline ? (size_t)(newline - text.s) : text.n});
        if (has_words(l))
            return l;
        const size_t step = newline ? (size_t)(newline - text.s) + 1 : text.n;
        text = (struct span){text.s + step, text.n - step};
    }
    return (struct span){"", 0};
}

/* The printed form of a gRPC error keeps its reason in the middle. */
static bool grpc_details(const char *text, struct span *out) {
    static const char mark[] = "details = \"";
    const char *at = strstr(text, mark);
    if (!at)
        return false;
    at += sizeof(mark) - 1;
    const char *end = strchr(at, '"');
    if (!end || end == at)
        return false;
    *out = (struct span){at, (size_t)(end - at)};
    return true;
}

char *rt_ray_reason(char *out, size_t size, const char *text) {
    const struct span all = {text, strlen(text)};
    struct span l;
    if (grpc_details(text, &l)) {
        l = without_class(l); /* whatever stands around it */
    } else if (strstr(text, "Traceback (most recent call last)")) {
        if (!last_exception(all, &l))
            l = last_line(all);
    } else { /* "500 Internal Server Error" says less than what comes below it */
        l = without_class(rt_starts(text, "500 Internal") ? last_line(all) : first_line(all));
    }
    char *copy = rt_strndup(l.s, RT_MIN(l.n, (size_t)4096));
    rt_clean_to(out, size, copy);
    free(copy);
    return out;
}

/* ---- answers ---- */

static bool is_html(const struct rt_http_answer *a) {
    if (rt_contains_i(a->content_type, "text/html"))
        return true;
    const char *s = a->body;
    while (isspace((unsigned char)*s))
        s++;
    return *s == '<' && (rt_contains_i(s, "<html") || rt_contains_i(s, "<!doctype"));
}

/* msg of {"result": false, "msg": ...}; NULL when the body is something else. */
static char *envelope_message(const struct rt_http_answer *a) {
    if (a->body[0] != '{')
        return NULL;
    struct rt_error ignored = {0};
    json_t *v = rt_json_parse(a->body, a->body_len, &ignored);
    char *msg = v ? rt_strdup(rt_json_str(v, "msg")) : NULL;
    json_decref(v);
    return msg;
}

static void reason(const struct rt_http_answer *a, char *out, size_t size) {
    char *msg = envelope_message(a);
    rt_ray_reason(out, size, msg ? msg : a->body);
    if (out[0] == '\0')
        rt_clean_to(out, size, "no reason given");
    free(msg);
}

static enum rt_code code_of(const struct rt_http_answer *a, const char *why) {
    if (strstr(why, "already exists"))
        return RT_E_CONFLICT;
    switch (a->status) {
    case 401:
    case 403:
        return RT_E_DENIED;
    case 404: /* "404: Not Found" is the router's; anything else speaks of a thing that is not there
               */
        return rt_starts(a->body, "404:") ? RT_E_UNSUPPORTED : RT_E_NOT_FOUND;
    case 405:
    case 501:
        return RT_E_UNSUPPORTED;
    case 408:
    case 504:
        return RT_E_TIMEOUT;
    case 409:
        return RT_E_CONFLICT;
    case 413:
        return RT_E_LIMIT;
    case 429:
        return RT_E_BUSY;
    case 502:
        return RT_E_UNREACHABLE;
    default:
        return a->status < 400 ? RT_E_PROTOCOL : RT_E_REMOTE;
    }
}

static void hint_for(const struct rt_http_answer *a, struct rt_error *err) {
    if (a->status == 401)
        rt_error_hint(err, "set token_file, token_env or token_command for this cluster");
    else if (a->status == 403 && rt_contains_i(a->body, "token"))
        rt_error_hint(err, "the token is refused: look at token_file, token_env or token_command");
    else if (a->status == 403)
        rt_error_hint(err, "it is not allowed to you, or by what stands in front: ask who runs the cluster, or look at headers");
    else if (a->status == 429)
        rt_error_hint(err, "too many requests at once; it is asked again later");
    else if (a->status >= 300 && a->status < 400)
        rt_error_hint(err, "a login page or a proxy stands in front; set headers or another url");
}

static void html_problem(const struct rt_http_answer *a, const char *method, const char *route,
                         struct rt_error *err) {
    const enum rt_code code = a->status == 502 || a->status == 503   ? RT_E_UNREACHABLE
                              : a->status == 504                     ? RT_E_TIMEOUT
                              : a->status == 401 || a->status == 403 ? RT_E_DENIED
                                                                     : RT_E_PROTOCOL;
    rt_error_set(err, code, "%s %s: an HTML page came (status %d)", method, route, a->status);
    rt_error_hint(err, "a proxy or another program answers there, not Ray's dashboard");
}

void rt_ray_problem(const struct rt_http_answer *a, const char *method, const char *route,
                    struct rt_error *err) {
    if (is_html(a)) {
        html_problem(a, method, route, err);
        return;
    }
    char why[480];
    reason(a, why, sizeof(why));
    const enum rt_code code = code_of(a, why);
    if (a->status == 501) /* it has the route, and says itself what it lacks */
        rt_error_set(err, code, "%s", why);
    else if (code == RT_E_UNSUPPORTED)
        rt_error_set(err, code, "this Ray has no %s %s (%s)", method, route, why);
    else
        rt_error_set(err, code, "%s %s: %s (status %d)", method, route, why, a->status);
    hint_for(a, err);
}

json_t *rt_ray_json(const struct rt_http_answer *a, const char *route, struct rt_error *err) {
    if (is_html(a)) {
        html_problem(a, "GET", route, err);
        return NULL;
    }
    json_t *v = rt_json_parse(a->body, a->body_len, err);
    if (!v) {
        rt_error_wrap(err, "%s", route);
        err->code = RT_E_PROTOCOL;
    }
    return v;
}
