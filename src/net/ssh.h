/* libssh2 sessions, private to src/net: bytes between libssh2 and the socket, key files, known
 * hosts, the login (on a thread of its own, because libssh2's key work, agent and
 * keyboard-interactive calls block), and the session that carries streams and commands (on the
 * loop). */
#ifndef RT_NET_SSH_H
#define RT_NET_SSH_H

#include "net/ask.h"
#include "net/dial.h"
#include "net/loop.h"
#include "net/proc.h"
#include "net/sshconf.h"
#include "net/way.h"

#include <libssh2.h>
#include <stdio.h>
#include <sys/types.h>

/* ---- ssh_io.c: what libssh2 reads and writes goes through here ---- */

/* libssh2 must not meet a full socket while several channels write: it knows one pending packet
 * only. So what it sends is always taken, and kept until the socket takes it. */
struct rt_ssh_io {
    int fd;
    bool direct; /* while logging in: straight to the socket */
    bool refuse; /* fail each send and receive from now on */
    bool dry;    /* nothing to read until the socket says so */
    bool eof;    /* the far side has ended, or `err_no` */
    int err_no;
    size_t budget; /* bytes that may still be read in this round */
    int64_t bytes_in;
    char *in;
    size_t in_len, in_off;
    char *out;
    size_t out_len, out_off, out_cap;
    void *login; /* whose questions keyboard-interactive asks */
};

LIBSSH2_SESSION *rt_ssh_io_session(struct rt_ssh_io *io); /* a new session that uses io; blocking */
void rt_ssh_io_flush(struct rt_ssh_io *io);
size_t rt_ssh_io_queued(const struct rt_ssh_io *io);
void rt_ssh_io_deinit(struct rt_ssh_io *io); /* closes the descriptor */

/* ---- ssh_key.c: what can be told of a key file without opening it ---- */

struct rt_ssh_key {
    bool readable, encrypted;
    bool public_only;    /* the private half is in an agent */
    char type[64];       /* "ssh-ed25519"; "" when unknown */
    unsigned char *blob; /* public key; NULL when unknown */
    size_t blob_len;
};
void rt_ssh_key_inspect(const char *path, struct rt_ssh_key *out);
void rt_ssh_key_deinit(struct rt_ssh_key *k);
/* The first string of a public key blob; "" when it is none. */
void rt_ssh_blob_type(const unsigned char *blob, size_t n, char *out, size_t size);
/* Gives the bytes; NULL when it is no base64. */
unsigned char *rt_ssh_base64(const char *text, size_t n, size_t *len);
/* "SHA256:..." as OpenSSH prints it. */
void rt_ssh_fingerprint(const unsigned char *blob, size_t n, char *out, size_t size);

/* ---- ssh_known.c: known_hosts files ---- */

enum rt_known { RT_KNOWN_NOT, RT_KNOWN_YES, RT_KNOWN_CHANGED, RT_KNOWN_REVOKED };

struct rt_known_finding {
    enum rt_known state;
    const char
        *file; /* of CHANGED, REVOKED, and of a key of another type; borrowed from the list */
    int line;
    bool other_type; /* NOT: the files have a key of another type for this host */
    bool authority;  /* NOT: a @cert-authority line stands for this host */
};

/* "host" or "[host]:port" as known_hosts has it; gives it. */
char *rt_known_name(const char *host, int port);
void rt_known_check(const struct rt_strs *files, const char *name, const unsigned char *key,
                    size_t key_len, struct rt_known_finding *out);
/* Types of the keys that the files have for this host, in their order. */
void rt_known_types(const struct rt_strs *files, const char *name, struct rt_strs *types);
bool rt_known_append(const char *file, const char *name, const unsigned char *key, size_t key_len,
                     struct rt_error *err);

/* ---- ssh_login.c: handshake, host key, authentication ---- */

struct rt_login_opts {
    const char *cluster; /* for questions; may be NULL */
    const char *shown;   /* "me@login.hpc" */
    const char *typed;   /* what a person gives to ssh to get there */
    const struct rt_sshconf *conf;
    int fd; /* taken */
    const struct rt_asker *asker;
    bool may_ask, may_fall_back;
};

struct rt_login_result {
    LIBSSH2_SESSION *session; /* NULL: not had, see end and error */
    LIBSSH2_CHANNEL *idle;    /* a channel that only keeps the session read; may be NULL */
    struct rt_ssh_io *io;
    bool asked; /* a person had to answer */
    enum rt_way_end end;
    struct rt_error error;
};

typedef void rt_login_fn(void *ctx, const struct rt_login_result *r); /* the session is given */
struct rt_op *rt_login_start(struct rt_loop *l, const struct rt_login_opts *o, rt_login_fn *fn,
                             void *ctx);

/* Frees a session that is not used any more, whatever state its connection is in, and its io. */
void rt_ssh_discard(LIBSSH2_SESSION *session, struct rt_ssh_io *io);

/* ---- ssh_auth.c, on the login's thread ---- */

struct rt_login_work {
    char *cluster, *shown, *typed;
    struct rt_sshconf conf;
    bool may_ask, may_fall_back;
    LIBSSH2_SESSION *session;
    struct rt_ssh_io *io;
    bool asked;
    bool unanswered;  /* a question was needed or asked, and there is no answer */
    char needed[160]; /* which one */
    struct rt_error error;
};
/* Blocks until the person has answered; gives the answer (wipe it), or NULL and sets `unanswered`.
 */
char *rt_login_ask(struct rt_login_work *w, const struct rt_question *q);
/* True: authenticated. Else `end` and w->error. */
bool rt_ssh_auth(struct rt_login_work *w, enum rt_way_end *end);
bool rt_ssh_check_host(struct rt_login_work *w, enum rt_way_end *end); /* ssh_hostkey.c */
void rt_ssh_prefer_known(struct rt_login_work *w);
void rt_ssh_wipe(char *secret); /* and frees; NULL is fine */

/* ---- ssh_session.c, ssh_stream.c, ssh_exec.c: on the loop ---- */

struct rt_ssh;
struct rt_ssh_events {
    void (*lost)(void *ctx, const struct rt_error *err); /* destroy it in or after this */
    /* An open hangs and others wait behind it; comes again while that lasts. */
    void (*stuck)(void *ctx);
    void *ctx;
};

/* Takes the session of a login. */
struct rt_ssh *rt_ssh_create(struct rt_loop *l, const struct rt_login_result *r, const char *shown,
                             int alive_s, const struct rt_ssh_events *e);
/* Ends all streams and commands: their callbacks run, later, with an error. NULL is fine. */
void rt_ssh_destroy(struct rt_ssh *s);

/* A stream over direct-tcpip: `fd` (taken) is carried to host:port. */
struct rt_op *rt_ssh_splice(struct rt_ssh *s, int fd, const char *host, int port,
                            struct rt_splice *to);

struct rt_op *rt_ssh_exec(struct rt_ssh *s, const struct rt_command *c);
/* Streams and commands that wait for a channel go to another session with the same host. */
void rt_ssh_move_waiting(struct rt_ssh *from, struct rt_ssh *to);
bool rt_ssh_is_used(const struct rt_ssh *s);

#endif
