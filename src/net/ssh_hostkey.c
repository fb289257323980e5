/* Is this the host that the person meant? Runs on the login's thread. */
#include "net/ssh.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What a key type is called in known_hosts, and by which algorithms it may be asked for. */
static const struct {
    const char *type, *asked;
} algorithms[] = {
    {"ssh-ed25519", "ssh-ed25519"},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"},
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"},
    {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"},
    {"ssh-rsa", "rsa-sha2-512"},
    {"ssh-rsa", "rsa-sha2-256"},
    {"ssh-rsa", "ssh-rsa"},
};

static char *name_of(const struct rt_login_work *w) {
    return w->conf.hostkeyalias ? rt_known_name(w->conf.hostkeyalias, 22)
                                : rt_known_name(w->conf.hostname, w->conf.port);
}

static void all_files(const struct rt_login_work *w, struct rt_strs *files) {
    rt_strs_copy(files, &w->conf.userknownhostsfile);
    rt_strs_copy(files, &w->conf.globalknownhostsfile);
}

/* Does this libssh2 know the algorithm? It may not be named otherwise: libssh2 1.10 takes unknown
 * names out with a copy between overlapping places. */
static bool supported(LIBSSH2_SESSION *session, const char *algorithm) {
    const char **list = NULL;
    bool found = false;
    const int n = libssh2_session_supported_algs(session, LIBSSH2_METHOD_HOSTKEY, &list);
    for (int i = 0; i < n; i++)
        found = found || rt_streq(list[i], algorithm);
    if (n > 0)
        libssh2_free(session, list);
    return found;
}

/* The types that known_hosts has come first, else another key of the same host would look like a
 * stranger. */
void rt_ssh_prefer_known(struct rt_login_work *w) {
    struct rt_strs files = {0}, types = {0};
    struct rt_buf list;
    char *name = name_of(w);
    rt_buf_init(&list, 4096);
    all_files(w, &files);
    rt_known_types(&files, name, &types);
    for (int known = 1; known >= 0; known--)
        for (size_t i = 0; i < RT_COUNT(algorithms); i++)
            if (rt_strs_has(&types, algorithms[i].type) == (known == 1) &&
                supported(w->session, algorithms[i].asked))
                rt_buf_addf(&list, "%s%s", list.len ? "," : "", algorithms[i].asked);
    libssh2_session_method_pref(w->session, LIBSSH2_METHOD_HOSTKEY, rt_buf_str(&list));
    rt_buf_deinit(&list);
    rt_strs_deinit(&files);
    rt_strs_deinit(&types);
    free(name);
}

/* "ssh-ed25519" -> "ED25519" */
static void show_type(const char *type, char *out, size_t size) {
    const char *from = rt_starts(type, "ssh-") ? type + 4 : type;
    size_t n = strcspn(from, "-");
    snprintf(out, size, "%.*s", (int)n, from);
    for (char *p = out; *p; p++)
        *p = (char)toupper((unsigned char)*p);
}

struct host {
    const char *name; /* as known_hosts has it */
    const unsigned char *key;
    size_t key_len;
    char type[32], fingerprint[80];
    struct rt_known_finding found;
};

static bool refuse_changed(struct rt_login_work *w, const struct host *h) {
    rt_error_set(&w->error, RT_E_DENIED,
                 "the host key of %s has CHANGED: now %s %s, but %s:%d has another one. Somebody "
                 "may be listening, "
                 "or the host was set up anew.",
                 h->name, h->type, h->fingerprint, h->found.file, h->found.line);
    return rt_error_hint(&w->error, "only when you know why it changed: ssh-keygen -f '%s' -R '%s'",
                         h->found.file, h->name);
}

static bool refuse_revoked(struct rt_login_work *w, const struct host *h) {
    rt_error_set(&w->error, RT_E_DENIED, "the %s host key of %s is marked as revoked in %s:%d",
                 h->type, h->name, h->found.file, h->found.line);
    return rt_error_hint(&w->error,
                         "a stolen key may be used to impersonate this host: ask who runs it");
}

static bool refuse_unknown(struct rt_login_work *w, const struct host *h, const char *why) {
    rt_error_set(&w->error, RT_E_DENIED, "no %s host key is known for %s (%s): %s", h->type,
                 h->name, h->fingerprint, why);
    return rt_error_hint(&w->error, "connect once with `ssh %s` and compare the fingerprint",
                         w->typed);
}

static bool remember(struct rt_login_work *w, const struct host *h) {
    struct rt_error err;
    if (w->conf.userknownhostsfile.n > 0 &&
        !rt_known_append(w->conf.userknownhostsfile.v[0], h->name, h->key, h->key_len, &err)) {
        w->error = err;
        return rt_error_wrap(&w->error, "the host key of %s cannot be kept", h->name);
    }
    return true;
}

static bool ask_unknown(struct rt_login_work *w, const struct host *h, enum rt_way_end *end) {
    char title[300], text[700], hint[300];
    snprintf(title, sizeof title, "host key of %s", w->shown);
    snprintf(text, sizeof text,
             "The host %s is not known yet.\n%s key, fingerprint %s%s\nIs that the host you mean?",
             h->name, h->type, h->fingerprint,
             h->found.other_type
                 ? "\nA key of another type is known for it: the host may be a different one."
                 : "");
    snprintf(hint, sizeof hint, "connect once with `ssh %s`, which adds the key to known_hosts",
             w->typed);
    struct rt_question q = {.kind = RT_ASK_YES_NO,
                            .cluster = w->cluster,
                            .title = title,
                            .text = text,
                            .prompt = "Connect and remember the key?",
                            .unanswered_hint = hint};
    char *answer = rt_login_ask(w, &q);
    bool yes = rt_streq(answer, "yes");
    rt_ssh_wipe(answer);
    if (yes)
        return remember(w, h);
    *end = w->unanswered ? RT_WAY_NEEDS_LOGIN : RT_WAY_FAILED;
    return refuse_unknown(w, h, w->unanswered ? "it must be compared" : "not accepted");
}

static bool unknown(struct rt_login_work *w, const struct host *h, enum rt_way_end *end) {
    const char *strict = w->conf.stricthostkeychecking;
    if (h->found.authority || (h->found.other_type && w->may_fall_back)) {
        /* libssh2 knows no host certificates; older ones no rsa-sha2 either. The ssh program does.
         */
        rt_error_set(&w->error, RT_E_UNSUPPORTED, "%s",
                     h->found.authority
                         ? "its host key is signed by an authority (@cert-authority)"
                         : "only a host key of a type that libssh2 cannot use is known");
        *end = w->may_fall_back ? RT_WAY_FALLBACK : RT_WAY_FAILED;
        return rt_error_hint(&w->error, "install the ssh program and set transport: openssh");
    }
    if (rt_streq(strict, "yes"))
        return refuse_unknown(w, h, "StrictHostKeyChecking is yes");
    if (rt_streq(strict, "no") || rt_streq(strict, "accept-new"))
        return remember(w, h);
    return ask_unknown(w, h, end);
}

bool rt_ssh_check_host(struct rt_login_work *w, enum rt_way_end *end) {
    struct host h = {0};
    struct rt_strs files = {0};
    int kind;
    char type[64];
    h.key = (const unsigned char *)libssh2_session_hostkey(w->session, &h.key_len, &kind);
    *end = RT_WAY_FAILED;
    if (!h.key)
        return rt_error_set(&w->error, RT_E_PROTOCOL, "the host gave no key");
    rt_ssh_blob_type(h.key, h.key_len, type, sizeof type);
    show_type(type, h.type, sizeof h.type);
    rt_ssh_fingerprint(h.key, h.key_len, h.fingerprint, sizeof h.fingerprint);
    all_files(w, &files);
    char *name = name_of(w);
    h.name = name;
    rt_known_check(&files, name, h.key, h.key_len, &h.found);
    bool ok = h.found.state == RT_KNOWN_YES       ? true
              : h.found.state == RT_KNOWN_CHANGED ? refuse_changed(w, &h)
              : h.found.state == RT_KNOWN_REVOKED ? refuse_revoked(w, &h)
                                                  : unknown(w, &h, end);
    free(name);
    rt_strs_deinit(&files);
    return ok;
}
