/* What ssh_session.c, ssh_stream.c and ssh_exec.c share: a session and its channels. */
#ifndef RT_NET_SSH_CHAN_H
#define RT_NET_SSH_CHAN_H

#include "base/vec.h"
#include "net/ssh.h"

enum {
    RT_SSH_CHUNK = 64 * 1024,
    RT_SSH_WRITE =
        2 * 32700, /* whole packets of libssh2; a little more would cost a small third one */
    RT_SSH_OUT_HIGH = 256 * 1024, /* nothing more is written while so much waits for the socket */
    RT_SSH_MAX_EXEC = 8           /* sshd's MaxSessions is 10 by default */
};

enum rt_chan_state {
    RT_CHAN_QUEUED,
    RT_CHAN_OPENING,
    RT_CHAN_OPEN,
    RT_CHAN_GONE /* left the session */
};

struct rt_chan;
struct rt_chan_ops {
    bool (*step)(struct rt_chan *c);  /* true: something moved */
    void (*watch)(struct rt_chan *c); /* sets what it waits for; may be NULL */
    void (*failed)(struct rt_chan *c,
                   const struct rt_error *err); /* refused, or the session is lost; it has left */
    bool is_exec;                               /* else a stream to host:port */
};

/* First member of streams and commands. The owner holds it as its op. */
struct rt_chan {
    struct rt_op op;
    const struct rt_chan_ops *ops;
    struct rt_ssh *ssh; /* NULL once it has left */
    enum rt_chan_state state;
    LIBSSH2_CHANNEL *c;
    int64_t queued_ms;
    bool pending; /* libssh2 is in the middle of opening it */
    bool orphan;  /* its owner is gone; only the open is waited for */
    char host[256];
    int port;
};

struct rt_ssh {
    struct rt_loop *loop;
    LIBSSH2_SESSION *session;
    struct rt_ssh_io *io;
    LIBSSH2_CHANNEL *idle;
    char *shown;
    struct rt_fd *watch;
    int watched;                /* events */
    struct rt_op *more, *dying; /* another pump is due; the loss is told */
    struct rt_timer *alive, *opening;
    int64_t alive_ms, heard;
    int unanswered;
    bool pumping, dead, opening_on;
    struct rt_error error;
    struct rt_ssh_events events;
    RT_VEC(struct rt_chan *) chans;
    RT_VEC(LIBSSH2_CHANNEL *) closing; /* wait for the far side's close */
    int execs;
    int max_execs;
    char scratch[RT_SSH_CHUNK];
};

/* Puts a new channel into the queue. */
void rt_chan_add(struct rt_ssh *s, struct rt_chan *c);
/* Takes it out of its session; its libssh2 channel is closed in the background. */
void rt_chan_leave(struct rt_chan *c);
/* After something moved outside of a pump: sends, and pumps all if packets came meanwhile. */
void rt_ssh_kick(struct rt_ssh *s);
/* Pumps all in the next turn. */
void rt_ssh_pump_soon(struct rt_ssh *s);
/* Is this answer the end of the whole session? */
bool rt_ssh_fatal(struct rt_ssh *s, ssize_t rc);

#endif
