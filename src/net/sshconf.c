/* Asks `ssh -G` and reads its answer: one `key value` line per setting, keys in lower case. */
#include "net/sshconf.h"

#include "base/fs.h"
#include "base/mem.h"
#include "net/proc.h"

#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum kind { WORD, WORD_OR_NONE, NUMBER, YES_NO, STRICT, PATH_LINE, PATH_LIST };

struct field {
    const char *key;
    enum kind kind;
    size_t off;
};

#define FIELD(member, kind_)                                                                       \
    { #member, kind_, offsetof(struct rt_sshconf, member) }
static const struct field fields[] = {
    FIELD(hostname, WORD_OR_NONE),
    FIELD(user, WORD_OR_NONE),
    FIELD(port, NUMBER),
    FIELD(proxyjump, WORD),
    FIELD(proxycommand, WORD),
    FIELD(hostkeyalias, WORD),
    FIELD(identityagent, WORD_OR_NONE), /* "none" forbids the agent */
    FIELD(identitiesonly, YES_NO),
    FIELD(stricthostkeychecking, STRICT),
    FIELD(identityfile, PATH_LINE),
    FIELD(certificatefile, PATH_LINE),
    FIELD(userknownhostsfile, PATH_LIST),
    FIELD(globalknownhostsfile, PATH_LIST),
    FIELD(serveraliveinterval, NUMBER),
    FIELD(serveralivecountmax, NUMBER),
    FIELD(connecttimeout, NUMBER),
};

static const char *const default_keys[] = {"~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ecdsa_sk",
                                           "~/.ssh/id_ed25519", "~/.ssh/id_ed25519_sk"};

static void set_word(char **to, const char *value) {
    free(*to);
    *to = rt_streq(value, "none") ? NULL : rt_strdup(value);
}

static void set_number(int *to, const char *value) {
    int64_t n;
    *to = rt_parse_i64(value, &n) && n >= 0 && n <= 1000000 ? (int)n : 0;
}

/* ssh prints true and false for some of its words. */
static void set_strict(char **to, const char *value) {
    const char *word = value;
    if (rt_streq(value, "true"))
        word = "yes";
    else if (rt_streq(value, "false") || rt_streq(value, "off"))
        word = "no";
    free(*to);
    *to = rt_strdup(word);
}

static void add_path(struct rt_strs *to, const char *value, size_t n) {
    char *raw = rt_strndup(value, n);
    if (*raw && !rt_streq(raw, "none"))
        rt_strs_take(to, rt_path_expand(raw));
    free(raw);
}

static void add_paths(struct rt_strs *to, const char *value) {
    while (*value) {
        size_t n = strcspn(value, " ");
        add_path(to, value, n);
        value += n + strspn(value + n, " ");
    }
}

static void set_field(struct rt_sshconf *c, const struct field *f, const char *value) {
    void *at = (char *)c + f->off;
    switch (f->kind) {
    case WORD:
        set_word(at, value);
        break;
    case WORD_OR_NONE:
        free(*(char **)at);
        *(char **)at = rt_strdup(value);
        break;
    case NUMBER:
        set_number(at, value);
        break;
    case YES_NO:
        *(bool *)at = rt_streq(value, "yes") || rt_streq(value, "true");
        break;
    case STRICT:
        set_strict(at, value);
        break;
    case PATH_LINE:
        add_path(at, value, strlen(value));
        break;
    case PATH_LIST:
        add_paths(at, value);
        break;
    }
}

static void take_line(struct rt_sshconf *c, const char *line, size_t n) {
    const char *blank = memchr(line, ' ', n);
    if (!blank)
        return;
    size_t key_len = (size_t)(blank - line);
    for (size_t i = 0; i < RT_COUNT(fields); i++) {
        if (strlen(fields[i].key) != key_len || memcmp(fields[i].key, line, key_len) != 0)
            continue;
        char *value = rt_strndup(blank + 1, n - key_len - 1);
        set_field(c, &fields[i], value);
        free(value);
        return;
    }
}

static void fill_defaults(struct rt_sshconf *c) {
    if (!c->stricthostkeychecking)
        c->stricthostkeychecking = rt_strdup("ask");
    if (!c->port)
        c->port = 22;
}

bool rt_sshconf_parse(const char *text, struct rt_sshconf *out, struct rt_error *err) {
    *out = (struct rt_sshconf){0};
    while (*text) {
        size_t n = strcspn(text, "\n");
        take_line(out, text, n > 0 && text[n - 1] == '\r' ? n - 1 : n);
        text += n + (text[n] == '\n');
    }
    fill_defaults(out);
    const char *wrong = !out->hostname      ? "hostname"
                        : !out->user        ? "user"
                        : out->port > 65535 ? "port"
                                            : NULL;
    if (!wrong)
        return true;
    rt_sshconf_deinit(out);
    return rt_error_set(err, RT_E_PROTOCOL, "ssh -G gave no usable %s", wrong);
}

static bool owns_string(const struct field *f) {
    return f->kind == WORD || f->kind == WORD_OR_NONE || f->kind == STRICT;
}

static void *member(const struct rt_sshconf *c, const struct field *f) {
    return (char *)(uintptr_t)c + f->off;
}

void rt_sshconf_copy(struct rt_sshconf *to, const struct rt_sshconf *from) {
    *to = *from;
    for (size_t i = 0; i < RT_COUNT(fields); i++) {
        const struct field *f = &fields[i];
        if (owns_string(f)) {
            *(char **)member(to, f) = rt_strdup(*(char **)member(from, f));
        } else if (f->kind == PATH_LINE || f->kind == PATH_LIST) {
            struct rt_strs *l = member(to, f);
            *l = (struct rt_strs){0};
            rt_strs_copy(l, member(from, f));
        }
    }
}

void rt_sshconf_deinit(struct rt_sshconf *c) {
    for (size_t i = 0; i < RT_COUNT(fields); i++) {
        const struct field *f = &fields[i];
        if (owns_string(f))
            free(*(char **)member(c, f));
        else if (f->kind == PATH_LINE || f->kind == PATH_LIST)
            rt_strs_deinit(member(c, f));
    }
    *c = (struct rt_sshconf){0};
}

static bool host_ok(const char *host) {
    if (!*host || *host == '-')
        return false;
    for (const char *p = host; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("'\"`$\\;&<>|(){}", *p))
            return false;
    return true;
}

/* Splits host:port; more than one colon outside brackets is an IPv6 address without a port. */
static const char *split_port(const char *text, struct rt_ssh_target *out) {
    if (*text == '[') {
        const char *end = strchr(text, ']');
        if (!end)
            return NULL;
        out->host = rt_strndup(text + 1, (size_t)(end - text - 1));
        return end[1] == ':' ? end + 2 : end[1] ? NULL : "";
    }
    const char *colon = strchr(text, ':');
    if (!colon || strchr(colon + 1, ':')) {
        out->host = rt_strdup(text);
        return "";
    }
    out->host = rt_strndup(text, (size_t)(colon - text));
    return colon + 1;
}

bool rt_ssh_target_parse(const char *text, struct rt_ssh_target *out, struct rt_error *err) {
    *out = (struct rt_ssh_target){0};
    const char *whole = text;
    char *cut = NULL;
    if (rt_starts(text, "ssh://")) {
        text += strlen("ssh://");
        cut = rt_strndup(text, strcspn(text, "/"));
        text = cut;
    }
    const char *at = strrchr(text, '@');
    if (at) {
        out->user = rt_strndup(text, (size_t)(at - text));
        text = at + 1;
    }
    const char *port = split_port(text, out);
    int64_t n = 0;
    bool ok = port && host_ok(out->host) && (!out->user || host_ok(out->user)) &&
              (!*port || (rt_parse_i64(port, &n) && n > 0 && n <= 65535));
    out->port = (int)n;
    free(cut);
    if (ok)
        return true;
    rt_ssh_target_deinit(out);
    char clean[128];
    rt_error_set(err, RT_E_CONFIG, "\"%s\" is no SSH destination",
                 rt_clean_to(clean, sizeof clean, whole));
    return rt_error_hint(err, "write [user@]host[:port], or a Host of your SSH configuration");
}

void rt_ssh_target_deinit(struct rt_ssh_target *t) {
    free(t->user);
    free(t->host);
    *t = (struct rt_ssh_target){0};
}

/* ---- asking ---- */

struct resolve {
    struct rt_op op;
    struct rt_loop *loop;
    struct rt_op *run; /* the child, or the deferred refusal */
    struct rt_ssh_target target;
    struct rt_error error;
    rt_sshconf_fn *fn;
    void *ctx;
};

static void resolve_free(struct resolve *r) {
    rt_ssh_target_deinit(&r->target);
    free(r);
}

static void resolve_cancel(struct rt_op *op) {
    struct resolve *r = (struct resolve *)op;
    rt_op_drop(&r->run);
    resolve_free(r);
}

static void resolve_end(struct resolve *r, const struct rt_sshconf *c, const struct rt_error *err) {
    rt_sshconf_fn *fn = r->fn;
    void *ctx = r->ctx;
    resolve_free(r);
    fn(ctx, c, err);
}

static void on_refused(void *ctx) {
    struct resolve *r = ctx;
    r->run = NULL;
    struct rt_error err = r->error;
    resolve_end(r, NULL, &err);
}

static const char *own_name(void) {
    const char *name = getenv("USER");
    if (name && *name)
        return name;
    const struct passwd *pw = getpwuid(getuid());
    return pw ? pw->pw_name : "root";
}

static void without_ssh(const struct rt_ssh_target *t, struct rt_sshconf *c) {
    *c = (struct rt_sshconf){.port = t->port};
    c->hostname = rt_strdup(t->host);
    c->user = rt_strdup(t->user ? t->user : own_name());
    for (size_t i = 0; i < RT_COUNT(default_keys); i++)
        rt_strs_take(&c->identityfile, rt_path_expand(default_keys[i]));
    rt_strs_take(&c->userknownhostsfile, rt_path_expand("~/.ssh/known_hosts"));
    rt_strs_add(&c->globalknownhostsfile, "/etc/ssh/ssh_known_hosts");
    fill_defaults(c);
}

/* The last line that ssh wrote is the one that says what is wrong. */
static void say_why(const struct rt_run_result *r, const char *host, struct rt_error *err) {
    const char *text = r->err_text ? r->err_text : "";
    size_t n = r->err_len;
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    size_t from = n;
    while (from > 0 && text[from - 1] != '\n')
        from--;
    char *line = rt_strndup(text + from, n - from);
    char clean[300];
    rt_clean_to(clean, sizeof clean, line);
    free(line);
    if (r->exit.timed_out)
        rt_error_set(err, RT_E_CONFIG, "ssh -G %s did not answer in 10 s", host);
    else
        rt_error_set(err, RT_E_CONFIG, "ssh -G %s: %s", host,
                     *clean ? clean : "failed without a word");
    rt_error_hint(err,
                  "your SSH configuration (~/.ssh/config) is read by the ssh program; `ssh -G %s` "
                  "shows the same",
                  host);
}

static void on_printed(void *ctx, const struct rt_run_result *result, const struct rt_error *err) {
    struct resolve *r = ctx;
    struct rt_sshconf c = {0};
    struct rt_error e = {0};
    r->run = NULL;
    bool ok = true;
    if (err && err->code == RT_E_NOT_FOUND) {
        without_ssh(&r->target, &c);
    } else if (err) {
        e = *err;
        ok = false;
    } else if (result->exit.status != 0) {
        say_why(result, r->target.host, &e);
        ok = false;
    } else {
        ok = rt_sshconf_parse(result->out ? result->out : "", &c, &e);
    }
    resolve_end(r, ok ? &c : NULL, ok ? NULL : &e);
    rt_sshconf_deinit(&c);
}

static void start_ssh(struct resolve *r, const char *config_file) {
    struct rt_strs argv = {0};
    rt_strs_add(&argv, "ssh");
    rt_strs_add(&argv, "-G");
    if (config_file) {
        rt_strs_add(&argv, "-F");
        rt_strs_add(&argv, config_file);
    }
    if (r->target.user) {
        rt_strs_add(&argv, "-l");
        rt_strs_add(&argv, r->target.user);
    }
    if (r->target.port) {
        rt_strs_add(&argv, "-p");
        rt_strs_addf(&argv, "%d", r->target.port);
    }
    rt_strs_add(&argv, "--");
    rt_strs_add(&argv, r->target.host);
    struct rt_proc_opts o = {.argv = (const char *const *)argv.v, .timeout_ms = 10000};
    r->run = rt_run(r->loop, &o, 256 * RT_KIB, on_printed, r);
    rt_strs_deinit(&argv);
}

struct rt_op *rt_sshconf_resolve(struct rt_loop *l, const char *target, const char *config_file,
                                 rt_sshconf_fn *fn, void *ctx) {
    struct resolve *r = RT_NEW(struct resolve);
    r->op.cancel = resolve_cancel;
    r->loop = l;
    r->fn = fn;
    r->ctx = ctx;
    if (rt_ssh_target_parse(target, &r->target, &r->error))
        start_ssh(r, config_file);
    else
        r->run = rt_loop_defer(l, on_refused, r);
    return &r->op;
}
