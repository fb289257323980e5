/* $JOB_ID and the like. */
#include "ui/vars.h"

#include "base/shell.h"
#include "base/str.h"
#include <string.h>

static bool is_name(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* The variable that a '$' begins, and how many bytes it takes; NULL: none of ours. */
static const struct rt_var *var_at(const char *s, const struct rt_var *vars, size_t *taken) {
    const bool brace = s[1] == '{';
    const char *name = s + 1 + brace;
    size_t n = 0;
    while (is_name(name[n]))
        n++;
    if (brace && name[n] != '}')
        return NULL;
    *taken = n + 1 + 2 * (size_t)brace;
    for (const struct rt_var *v = vars; v->name; v++)
        if (strlen(v->name) == n && strncmp(v->name, name, n) == 0)
            return v;
    return NULL;
}

/* A shell reads these lines as they look: words, quotes, variables and operators, nothing that nests. */
static bool is_plain(const char *line) {
    if (strpbrk(line, "`#\n") || strstr(line, "<<"))
        return false;
    for (const char *s = strchr(line, '$'); s; s = strchr(s + 1, '$')) {
        size_t n = s[1] == '{' ? 2 : 1;
        while (is_name(s[n]))
            n++;
        if ((s[1] == '{' && s[n] != '}') || n == 1)
            return false;
    }
    return true;
}

bool rt_vars_expand(struct rt_buf *out, const char *line, const struct rt_var *vars, bool program, struct rt_error *err) {
    const bool plain = is_plain(line);
    char quote = '\0';
    for (const char *s = line; *s;) {
        size_t taken = 0;
        const struct rt_var *v = *s == '$' && quote != '\'' ? var_at(s, vars, &taken) : NULL;
        if (*s == '\\' && quote != '\'' && s[1]) {
            rt_buf_add(out, s, 2);
            s += 2;
            continue;
        }
        if (!v) {
            if ((*s == '\'' || *s == '"') && (!quote || quote == *s))
                quote = quote ? '\0' : *s;
            rt_buf_addc(out, *s++);
            continue;
        }
        if (!v->value)
            return rt_error_set(err, RT_E_USAGE, "$%s: no %s is selected", v->name, v->what);
        if (program && (!plain || quote)) {
            rt_buf_add(out, s, taken);
        } else {
            rt_buf_adds(out, quote ? "\"" : "");
            rt_shell_word(out, v->value);
            rt_buf_adds(out, quote ? "\"" : "");
        }
        s += taken;
    }
    return true;
}
