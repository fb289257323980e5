/* Authentication, in OpenSSH's order: agent and key files, keyboard-interactive, password. Runs on
 * the login's thread.
 *
 * libssh2 does not report partial success (two factors): a right key then reads as an invalid
 * signature. So the list of methods is asked for again where it may have changed; asking costs one
 * of the server's few attempts. */
#include "net/ssh.h"

#include "base/fs.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY, KEYBOARD, PASSWORD, METHODS, ANSWER_MS = 30000, TRIES = 3, HAS_RSA_SHA2 = 0x010b00 };

static const char *const method_names[METHODS] = {"publickey", "keyboard-interactive", "password"};

enum verdict { GRANTED, REFUSED, BROKEN, NO_ANSWER };

struct auth {
    struct rt_login_work *w;
    LIBSSH2_SESSION *s;
    const char *user;
    unsigned int user_len;
    char *methods; /* what the server takes now */
    bool changed;  /* since the last look: something was right */
    bool done[METHODS];
    int tries;               /* wrong answers by the person */
    char hindrance[160];     /* what libssh2 cannot do and the ssh program can */
    struct rt_ssh_key *keys; /* parallel to conf.identityfile */
    bool *key_used;
};

static bool modern(void) {
    return libssh2_version(HAS_RSA_SHA2) != NULL;
}

static bool gone(const struct auth *a, int rc) {
    return a->w->io->eof || a->w->io->refuse || rc == LIBSSH2_ERROR_SOCKET_DISCONNECT ||
           rc == LIBSSH2_ERROR_SOCKET_SEND || rc == LIBSSH2_ERROR_SOCKET_RECV ||
           rc == LIBSSH2_ERROR_TIMEOUT || rc == LIBSSH2_ERROR_SOCKET_TIMEOUT;
}

/* Asks what the server takes; false when the connection ended. */
static bool look(struct auth *a) {
    char *list = libssh2_userauth_list(a->s, a->user, a->user_len);
    a->changed = false;
    if (!list)
        return libssh2_userauth_authenticated(a->s) != 0;
    a->changed = !rt_streq(a->methods, list);
    free(a->methods);
    a->methods = rt_strdup(list);
    return true;
}

static bool offers(const struct auth *a, int method) {
    const char *p = a->methods;
    size_t n = strlen(method_names[method]);
    while (p && *p) {
        size_t len = strcspn(p, ",");
        if (len == n && !strncmp(p, method_names[method], n))
            return true;
        p += len + (p[len] == ',');
    }
    return false;
}

static void hinder(struct auth *a, const char *what) {
    if (!*a->hindrance)
        snprintf(a->hindrance, sizeof a->hindrance, "libssh2 %s cannot use %s", libssh2_version(0),
                 what);
}

/* Types that this libssh2 does not master are left out; what they are is remembered. */
static bool usable_type(struct auth *a, const char *type) {
    if (rt_starts(type, "sk-")) {
        hinder(a, "hardware security keys");
        return false;
    }
    if (!modern() && strstr(type, "-cert-v01@")) {
        hinder(a, "user certificates");
        return false;
    }
    return true;
}

/* After a key was refused: was it right, but only the first of two factors? */
static enum verdict judge(struct auth *a, int rc, const char *type) {
    if (rc == 0)
        return GRANTED;
    if (gone(a, rc))
        return BROKEN;
    if (!modern() && rt_streq(type, "ssh-rsa"))
        hinder(a, "RSA keys with this server");
    if (rc != LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED)
        return REFUSED;
    if (!look(a))
        return BROKEN;
    return a->methods && !a->changed ? REFUSED : GRANTED;
}

/* ---- agent ---- */

static int listed_at(const struct auth *a, const unsigned char *blob, size_t n) {
    for (size_t i = 0; i < a->w->conf.identityfile.n; i++)
        if (a->keys[i].blob && a->keys[i].blob_len == n && !memcmp(a->keys[i].blob, blob, n))
            return (int)i;
    return -1;
}

static enum verdict offer_identity(struct auth *a, LIBSSH2_AGENT *agent,
                                   struct libssh2_agent_publickey *id, bool listed) {
    char type[64];
    int at = listed_at(a, id->blob, id->blob_len);
    if ((at >= 0) != listed)
        return REFUSED;
    rt_ssh_blob_type(id->blob, id->blob_len, type, sizeof type);
    if (!usable_type(a, type))
        return REFUSED;
    if (at >= 0)
        a->key_used[at] = true;
    return judge(a, libssh2_agent_userauth(agent, a->user, id), type);
}

static enum verdict offer_identities(struct auth *a, LIBSSH2_AGENT *agent) {
    /* Those of the configured files first: the server closes after a few wrong ones. */
    for (int listed = 1; listed >= (a->w->conf.identitiesonly ? 1 : 0); listed--) {
        struct libssh2_agent_publickey *id = NULL, *previous = NULL;
        while (libssh2_agent_get_identity(agent, &id, previous) == 0) {
            enum verdict v = offer_identity(a, agent, id, listed == 1);
            if (v != REFUSED)
                return v;
            previous = id;
        }
    }
    return REFUSED;
}

static const char *agent_path(const struct auth *a) {
    const char *path = a->w->conf.identityagent;
    if (!path || rt_streq(path, "SSH_AUTH_SOCK"))
        return getenv("SSH_AUTH_SOCK");
    if (rt_streq(path, "none"))
        return NULL;
    return *path == '$' ? getenv(path + 1) : path;
}

static enum verdict try_agent(struct auth *a) {
    const char *path = agent_path(a);
    LIBSSH2_AGENT *agent = path && *path ? libssh2_agent_init(a->s) : NULL;
    enum verdict v = REFUSED;
    if (!agent)
        return REFUSED;
    char *expanded = rt_path_expand(path);
    libssh2_agent_set_identity_path(agent, expanded);
    if (libssh2_agent_connect(agent) == 0) {
        if (libssh2_agent_list_identities(agent) == 0)
            v = offer_identities(a, agent);
        libssh2_agent_disconnect(agent);
    }
    libssh2_agent_free(agent);
    free(expanded);
    return v;
}

/* ---- key files ---- */

static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(sign_nothing) {
    (void)session;
    (void)data;
    (void)data_len;
    (void)sig;
    (void)sig_len;
    *(bool *)*abstract = true;
    return -1;
}

/* Would the server take this key? Asked before a passphrase is, as OpenSSH does. */
static enum verdict probe(struct auth *a, const struct rt_ssh_key *k) {
    bool wanted = false;
    void *ctx = &wanted;
    if (!k->blob)
        return GRANTED;
    int rc = libssh2_userauth_publickey(a->s, a->user, k->blob, k->blob_len, sign_nothing, &ctx);
    return wanted ? GRANTED : gone(a, rc) ? BROKEN : REFUSED;
}

static const char *certificate_of(const struct auth *a, const char *file, char **made) {
    if (a->w->conf.certificatefile.n > 0)
        return a->w->conf.certificatefile.v[0];
    *made = rt_strf("%s-cert.pub", file);
    return rt_file_exists(*made) ? *made : NULL;
}

static int sign_with(struct auth *a, const char *file, const char *passphrase) {
    char *made = NULL;
    const char *cert = certificate_of(a, file, &made);
    if (cert && !modern()) {
        hinder(a, "user certificates");
        cert = NULL;
    }
    int rc =
        libssh2_userauth_publickey_fromfile_ex(a->s, a->user, a->user_len, cert, file, passphrase);
    free(made);
    return rc;
}

static char *ask_passphrase(struct auth *a, const char *file, int nth) {
    char title[200], text[400];
    snprintf(title, sizeof title, "passphrase for %s", a->w->shown);
    snprintf(text, sizeof text, "%sThe key %s is encrypted.", nth > 0 ? "That was not it.\n" : "",
             file);
    struct rt_question q = {.kind = RT_ASK_SECRET,
                            .cluster = a->w->cluster,
                            .title = title,
                            .text = text,
                            .prompt = "Passphrase:",
                            .unanswered_hint = "put the key into an agent: ssh-add FILE"};
    return rt_login_ask(a->w, &q);
}

static enum verdict try_encrypted(struct auth *a, const char *file, const struct rt_ssh_key *k) {
    enum verdict v = probe(a, k);
    if (v == REFUSED && rt_streq(k->type, "ssh-rsa") && !modern())
        hinder(a, "RSA keys with this server");
    if (v != GRANTED)
        return v;
    for (int i = 0; i < TRIES; i++) {
        char *passphrase = ask_passphrase(a, file, i);
        if (!passphrase)
            return NO_ANSWER;
        int rc = sign_with(a, file, passphrase);
        rt_ssh_wipe(passphrase);
        v = judge(a, rc, k->type);
        if (v != REFUSED)
            return v;
    }
    return REFUSED;
}

static enum verdict try_file(struct auth *a, size_t i) {
    const char *file = a->w->conf.identityfile.v[i];
    const struct rt_ssh_key *k = &a->keys[i];
    if (a->key_used[i] || !k->readable || !usable_type(a, k->type))
        return REFUSED;
    if (k->encrypted)
        return try_encrypted(a, file, k);
    return judge(a, sign_with(a, file, NULL), k->type);
}

static enum verdict try_keys(struct auth *a) {
    enum verdict v = try_agent(a);
    /* Those that need no question come first. */
    for (int encrypted = 0; encrypted < 2; encrypted++)
        for (size_t i = 0; v == REFUSED && i < a->w->conf.identityfile.n; i++)
            if (a->keys[i].encrypted == (encrypted == 1))
                v = try_file(a, i);
    return v;
}

/* ---- answers of a person ---- */

static void add_clean(struct rt_buf *b, const char *text, size_t n) {
    if (n == 0)
        return;
    if (b->len > 0)
        rt_buf_addc(b, '\n');
    rt_clean(b, text, RT_MIN(n, (size_t)2000));
}

static char *ask_prompt(struct rt_login_work *w, const struct rt_buf *text, const char *prompt,
                        size_t n, bool echo) {
    struct rt_buf clean;
    char title[200];
    rt_buf_init(&clean, 4096);
    rt_clean(&clean, prompt, RT_MIN(n, (size_t)500));
    while (clean.len > 0 && clean.data[clean.len - 1] == ' ')
        clean.data[--clean.len] = '\0';
    snprintf(title, sizeof title, "login to %s", w->shown);
    struct rt_question q = {.kind = echo ? RT_ASK_TEXT : RT_ASK_SECRET,
                            .cluster = w->cluster,
                            .title = title,
                            .text = rt_buf_str(text),
                            .prompt = rt_buf_str(&clean),
                            .unanswered_hint =
                                "use a key in an SSH agent where the host allows it"};
    char *answer = rt_login_ask(w, &q);
    rt_buf_deinit(&clean);
    return answer;
}

/* libssh2 frees the answers with free(). */
static void on_prompts(const char *name, int name_len, const char *instruction, int instruction_len,
                       int num_prompts, const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompts,
                       LIBSSH2_USERAUTH_KBDINT_RESPONSE *responses, void **abstract) {
    struct rt_ssh_io *io = *abstract;
    struct rt_login_work *w = io->login;
    struct rt_buf text;
    rt_buf_init(&text, 16 * RT_KIB);
    add_clean(&text, name, name_len > 0 ? (size_t)name_len : 0);
    add_clean(&text, instruction, instruction_len > 0 ? (size_t)instruction_len : 0);
    for (int i = 0; i < num_prompts && !io->refuse; i++) {
        char *answer = ask_prompt(w, &text, (const char *)(const void *)prompts[i].text,
                                  prompts[i].length, prompts[i].echo != 0);
        if (!answer) {
            io->refuse = true; /* sending an empty answer would use up an attempt */
            break;
        }
        responses[i].text = (void *)answer;
        responses[i].length = (unsigned int)strlen(answer);
    }
    rt_buf_deinit(&text);
    /* The person's time does not count. */
    libssh2_session_set_timeout(w->session, (long)(24 * 3600 * 1000));
}

static enum verdict judge_answer(struct auth *a, int rc) {
    if (rc == 0)
        return GRANTED;
    if (a->w->unanswered)
        return NO_ANSWER;
    if (gone(a, rc) || !look(a))
        return BROKEN;
    return a->methods && !a->changed ? REFUSED : GRANTED;
}

static enum verdict try_keyboard(struct auth *a) {
    enum verdict v = REFUSED;
    if (!a->w->may_ask) {
        a->w->unanswered = true;
        snprintf(a->w->needed, sizeof a->w->needed, "login to %s", a->w->shown);
        return NO_ANSWER;
    }
    while (v == REFUSED && a->tries++ < TRIES) {
        libssh2_session_set_timeout(a->s, ANSWER_MS);
        int rc = libssh2_userauth_keyboard_interactive_ex(a->s, a->user, a->user_len, on_prompts);
        libssh2_session_set_timeout(a->s, ANSWER_MS);
        v = judge_answer(a, rc);
    }
    return v;
}

static enum verdict try_password(struct auth *a) {
    enum verdict v = REFUSED;
    struct rt_buf text;
    rt_buf_init(&text, 1024);
    while (v == REFUSED && a->tries++ < TRIES) {
        char *password = ask_prompt(a->w, &text, "Password:", strlen("Password:"), false);
        if (!password) {
            v = NO_ANSWER;
            break;
        }
        int rc = libssh2_userauth_password_ex(a->s, a->user, a->user_len, password,
                                              (unsigned int)strlen(password), NULL);
        rt_ssh_wipe(password);
        v = judge_answer(a, rc);
        rt_buf_clear(&text);
        rt_buf_adds(&text, "That was not it.");
    }
    rt_buf_deinit(&text);
    return v;
}

/* ---- all of it ---- */

static bool only_foreign_methods(struct auth *a) {
    if (offers(a, KEY) || offers(a, KEYBOARD) || offers(a, PASSWORD))
        return false;
    hinder(a, a->methods && strstr(a->methods, "gssapi") ? "GSSAPI (Kerberos)"
                                                         : "the methods that the host offers");
    return true;
}

static bool refused(struct auth *a, enum rt_way_end *end) {
    struct rt_login_work *w = a->w;
    *end = RT_WAY_FAILED;
    rt_error_set(&w->error, RT_E_DENIED, "%s: permission denied (%s)", w->shown,
                 a->methods ? a->methods : "");
    if (*a->hindrance) {
        rt_error_set(&w->error, RT_E_DENIED, "%s: permission denied: %s", w->shown, a->hindrance);
        return rt_error_hint(&w->error,
                             "use an ed25519 key, libssh2 1.11 or newer, or transport: openssh");
    }
    return rt_error_hint(
        &w->error, "does `ssh %s` work? is the key in the agent (ssh-add -l) or in IdentityFile?",
        w->typed);
}

static bool fall_back(struct auth *a, enum rt_way_end *end) {
    *end = RT_WAY_FALLBACK;
    rt_error_set(&a->w->error, RT_E_UNSUPPORTED, "%s", a->hindrance);
    return rt_error_hint(&a->w->error,
                         "use an ed25519 key, libssh2 1.11 or newer, or transport: openssh");
}

static bool conclude(struct auth *a, enum verdict v, enum rt_way_end *end) {
    struct rt_login_work *w = a->w;
    if (v == NO_ANSWER) {
        *end = RT_WAY_NEEDS_LOGIN;
        rt_error_set(&w->error, RT_E_DENIED, "%s: a question was not answered: %s", w->shown,
                     w->needed);
        return rt_error_hint(&w->error, "open it again and answer, or use a key in an SSH agent");
    }
    if (v == BROKEN && w->may_fall_back && *a->hindrance)
        return fall_back(a, end); /* too many attempts, the useful one not among them */
    if (v == BROKEN) {
        char *why = NULL, clean[200];
        libssh2_session_last_error(a->s, &why, NULL, 0);
        *end = a->tries > 0 ? RT_WAY_FAILED : RT_WAY_LOST;
        rt_error_set(&w->error, a->tries > 0 ? RT_E_DENIED : RT_E_UNREACHABLE,
                     "%s: the host ended the login: %s", w->shown,
                     rt_clean_to(clean, sizeof clean, why ? why : ""));
        return rt_error_hint(
            &w->error,
            "too many keys in the agent use up its attempts: set IdentitiesOnly and IdentityFile");
    }
    return refused(a, end);
}

static enum verdict try_method(struct auth *a, int method) {
    return method == KEY ? try_keys(a) : method == KEYBOARD ? try_keyboard(a) : try_password(a);
}

static int next_method(const struct auth *a) {
    for (int m = 0; m < METHODS; m++)
        if (!a->done[m] && offers(a, m))
            return m;
    return -1;
}

static bool run(struct auth *a, enum rt_way_end *end) {
    enum verdict v = look(a) ? GRANTED : BROKEN;
    while (v != BROKEN && v != NO_ANSWER) {
        if (libssh2_userauth_authenticated(a->s))
            return true;
        int m = next_method(a);
        bool foreign = only_foreign_methods(a);
        /* The ssh program may need no answer where we would ask for one. */
        if (*a->hindrance && a->w->may_fall_back && (foreign || m != KEY))
            return fall_back(a, end);
        if (m < 0)
            break;
        a->done[m] = true;
        v = try_method(a, m);
    }
    return conclude(a, v, end);
}

bool rt_ssh_auth(struct rt_login_work *w, enum rt_way_end *end) {
    size_t n = w->conf.identityfile.n;
    struct auth a = {.w = w,
                     .s = w->session,
                     .user = w->conf.user,
                     .user_len = (unsigned int)strlen(w->conf.user)};
    a.keys = rt_alloc((n + 1) * sizeof *a.keys);
    a.key_used = rt_alloc((n + 1) * sizeof *a.key_used);
    for (size_t i = 0; i < n; i++)
        rt_ssh_key_inspect(w->conf.identityfile.v[i], &a.keys[i]);
    libssh2_session_set_timeout(w->session, ANSWER_MS);
    bool ok = run(&a, end);
    for (size_t i = 0; i < n; i++)
        rt_ssh_key_deinit(&a.keys[i]);
    free(a.keys);
    free(a.key_used);
    free(a.methods);
    return ok;
}
