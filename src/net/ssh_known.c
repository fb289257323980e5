/* known_hosts files: names plain, as patterns or hashed; @revoked and @cert-authority lines; where
 * a line stands, so that a refusal can name it. */
#include "net/ssh.h"

#include "base/fs.h"
#include "base/mem.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_FILE = 16 * 1024 * 1024 };
enum marker { PLAIN, REVOKED, AUTHORITY, UNKNOWN_MARKER };

struct entry {
    enum marker marker;
    const char *names, *type, *key; /* not terminated */
    size_t names_len, type_len, key_len;
};

char *rt_known_name(const char *host, int port) {
    char *name = port == 22 ? rt_strdup(host) : rt_strf("[%s]:%d", host, port);
    for (char *p = name; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return name;
}

static const char *word(const char *p, size_t *n) {
    p += strspn(p, " \t");
    *n = strcspn(p, " \t\r\n");
    return p;
}

static bool parse_line(const char *line, struct entry *e) {
    size_t n;
    const char *p = word(line, &n);
    *e = (struct entry){0};
    if (n == 0 || *p == '#')
        return false;
    if (*p == '@') {
        e->marker = n == 8 && !strncmp(p, "@revoked", n)           ? REVOKED
                    : n == 15 && !strncmp(p, "@cert-authority", n) ? AUTHORITY
                                                                   : UNKNOWN_MARKER;
        p = word(p + n, &n);
    }
    e->names = p;
    e->names_len = n;
    e->type = word(p + n, &e->type_len);
    e->key = word(e->type + e->type_len, &e->key_len);
    return e->key_len > 0;
}

/* "|1|salt|hash" */
static bool hashed_matches(const char *names, size_t n, const char *name) {
    const char *salt = names + 3, *bar = memchr(salt, '|', n - 3);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int mac_len = 0;
    size_t salt_len = 0, hash_len = 0;
    bool same = false;
    if (!bar)
        return false;
    unsigned char *s = rt_ssh_base64(salt, (size_t)(bar - salt), &salt_len);
    unsigned char *h = rt_ssh_base64(bar + 1, n - (size_t)(bar + 1 - names), &hash_len);
    if (s && h &&
        HMAC(EVP_sha1(), s, (int)salt_len, (const unsigned char *)name, strlen(name), mac,
             &mac_len))
        same = mac_len == hash_len && memcmp(mac, h, hash_len) == 0;
    free(s);
    free(h);
    return same;
}

/* `*` and `?` as OpenSSH has them; letters of either case. */
static bool pattern_matches(const char *p, size_t n, const char *s) {
    while (n > 0 && *p != '*') {
        if (!*s || (*p != '?' && tolower((unsigned char)*p) != *s))
            return false;
        p++, n--, s++;
    }
    if (n == 0)
        return !*s;
    for (;; s++) {
        if (pattern_matches(p + 1, n - 1, s))
            return true;
        if (!*s)
            return false;
    }
}

static bool names_match(const struct entry *e, const char *name) {
    if (e->names_len > 3 && !strncmp(e->names, "|1|", 3))
        return hashed_matches(e->names, e->names_len, name);
    const char *p = e->names, *end = p + e->names_len;
    bool found = false;
    while (p < end) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *stop = comma ? comma : end;
        bool negated = *p == '!';
        p += negated;
        if (RT_MIN((size_t)(stop - p), (size_t)1024) == (size_t)(stop - p) &&
            pattern_matches(p, (size_t)(stop - p), name)) {
            if (negated)
                return false;
            found = true;
        }
        p = stop + 1;
    }
    return found;
}

typedef bool visit_fn(void *ctx, const struct entry *e, const char *file,
                      int line); /* false: enough */

static void visit_file(const char *file, const char *name, visit_fn *fn, void *ctx) {
    struct rt_buf text;
    struct rt_error ignored;
    rt_buf_init(&text, MAX_FILE);
    int line = 1;
    bool on = rt_file_exists(file) && rt_file_read(file, MAX_FILE, &text, &ignored);
    for (const char *p = rt_buf_str(&text); on && *p; line++) {
        struct entry e;
        if (parse_line(p, &e) && names_match(&e, name))
            on = fn(ctx, &e, file, line);
        p += strcspn(p, "\n");
        p += *p == '\n';
    }
    rt_buf_deinit(&text);
}

struct check {
    const unsigned char *key;
    size_t key_len;
    char type[64];
    struct rt_known_finding *out;
    const char *changed_file;
    int changed_line;
};

static bool same_key(const struct check *c, const struct entry *e) {
    size_t n = 0;
    unsigned char *raw = rt_ssh_base64(e->key, e->key_len, &n);
    bool same = raw && n == c->key_len && memcmp(raw, c->key, n) == 0;
    free(raw);
    return same;
}

static void note_place(struct rt_known_finding *f, const char *file, int line) {
    f->file = file;
    f->line = line;
}

static bool check_entry(void *ctx, const struct entry *e, const char *file, int line) {
    struct check *c = ctx;
    struct rt_known_finding *f = c->out;
    if (e->marker == UNKNOWN_MARKER)
        return true;
    if (e->marker == AUTHORITY) {
        f->authority = true;
        return true;
    }
    bool same = same_key(c, e);
    if (e->marker == REVOKED && same) {
        f->state = RT_KNOWN_REVOKED;
        note_place(f, file, line);
        return false;
    }
    if (e->marker == REVOKED)
        return true;
    if (same) {
        f->state = RT_KNOWN_YES;
    } else if (e->type_len == strlen(c->type) && !strncmp(e->type, c->type, e->type_len)) {
        if (!c->changed_file) {
            c->changed_file = file;
            c->changed_line = line;
        }
    } else if (!f->other_type) {
        f->other_type = true;
        note_place(f, file, line);
    }
    return true; /* a later line may still revoke it */
}

static void check_name(const struct rt_strs *files, const char *name, struct check *c) {
    for (size_t i = 0; i < files->n && c->out->state != RT_KNOWN_REVOKED; i++)
        visit_file(files->v[i], name, check_entry, c);
    if (c->out->state == RT_KNOWN_NOT && c->changed_file) {
        c->out->state = RT_KNOWN_CHANGED;
        note_place(c->out, c->changed_file, c->changed_line);
    }
}

void rt_known_check(const struct rt_strs *files, const char *name, const unsigned char *key,
                    size_t key_len, struct rt_known_finding *out) {
    struct check c = {.key = key, .key_len = key_len, .out = out};
    *out = (struct rt_known_finding){0};
    rt_ssh_blob_type(key, key_len, c.type, sizeof c.type);
    check_name(files, name, &c);
    if (out->state != RT_KNOWN_NOT || *name != '[')
        return;
    /* A key known for the bare name is good on any port (OpenSSH does the same); another one there
     * says nothing about this port. */
    struct rt_known_finding bare = {0};
    struct check again = {.key = key, .key_len = key_len, .out = &bare};
    char *host = rt_strndup(name + 1, strcspn(name + 1, "]"));
    memcpy(again.type, c.type, sizeof c.type);
    check_name(files, host, &again);
    if (bare.state == RT_KNOWN_YES || bare.state == RT_KNOWN_REVOKED)
        *out = bare;
    free(host);
}

static bool add_type(void *ctx, const struct entry *e, const char *file, int line) {
    struct rt_strs *types = ctx;
    (void)file;
    (void)line;
    if (e->marker == PLAIN) {
        char *type = rt_strndup(e->type, e->type_len);
        if (!rt_strs_has(types, type))
            rt_strs_add(types, type);
        free(type);
    }
    return true;
}

void rt_known_types(const struct rt_strs *files, const char *name, struct rt_strs *types) {
    for (size_t i = 0; i < files->n; i++)
        visit_file(files->v[i], name, add_type, types);
    if (types->n > 0 || *name != '[')
        return;
    char *host = rt_strndup(name + 1, strcspn(name + 1, "]"));
    for (size_t i = 0; i < files->n; i++)
        visit_file(files->v[i], host, add_type, types);
    free(host);
}

bool rt_known_append(const char *file, const char *name, const unsigned char *key, size_t key_len,
                     struct rt_error *err) {
    char type[64];
    size_t size = key_len * 4 / 3 + 8;
    struct rt_buf line, old;
    unsigned char *b64 = rt_alloc(size);
    rt_ssh_blob_type(key, key_len, type, sizeof type);
    EVP_EncodeBlock(b64, key, (int)key_len);
    rt_buf_init(&line, 0);
    rt_buf_init(&old, MAX_FILE);
    struct rt_error ignored;
    if (rt_file_exists(file) && rt_file_read(file, MAX_FILE, &old, &ignored) && old.len > 0 &&
        old.data[old.len - 1] != '\n')
        rt_buf_addc(&line, '\n'); /* the last line of a hand-made file may be open */
    rt_buf_addf(&line, "%s %s %s\n", name, type, (const char *)b64);
    bool ok = rt_file_append(file, line.data, line.len, false, err);
    rt_buf_deinit(&line);
    rt_buf_deinit(&old);
    free(b64);
    return ok;
}
