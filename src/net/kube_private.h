/* What the files of kube share. */
#ifndef RT_NET_KUBE_PRIVATE_H
#define RT_NET_KUBE_PRIVATE_H

#include "base/vec.h"
#include "net/kube.h"

struct rt_kube_turn {
    struct rt_kube_ports *ports;
    int64_t began_ms, asked_ms; /* loop time */
    bool done, had;             /* had: it had a turn before */
};

struct rt_kubes {
    struct rt_loop *loop;
    struct rt_http *http;
    RT_VEC(struct rt_kube *) all;
    RT_VEC(struct rt_kube_turn) turns; /* the first few have it (kube_turns.c) */
    unsigned int sockets;
    bool swept;
};

/* A request that waits for the proxy. */
struct rt_kube_wait {
    void (*go)(struct rt_kube_wait *w, const struct rt_error *err); /* taken off the list before */
};

struct rt_kube {
    struct rt_kubes *kubes;
    unsigned int refs;
    char *kubeconfig, *context, *program, *socket, *pool;
    struct rt_kube_status status;
    struct rt_proc *proc;
    int64_t pid;              /* of proc */
    struct rt_timer *timer;   /* until it serves; then, after its end, until it is started again */
    struct rt_buf out, words; /* what it wrote on stdout, until it serves; the latest of stderr */
    int64_t words_ms;         /* when it last wrote there */
    int64_t up_ms, failed_ms; /* loop time */
    RT_VEC(struct rt_kube_wait *) waits;
    RT_VEC(struct rt_kube_watch *) listers; /* that wait for their turn to list */
    unsigned int listing;
};

/* kube_ports.c, for turns. */
struct rt_kubes *rt_kube_ports_kubes(const struct rt_kube_ports *p);
bool rt_kube_ports_carried(const struct rt_kube_ports *p); /* there are ports, with children or waiting for one */
bool rt_kube_ports_failing(const struct rt_kube_ports *p);
void rt_kube_ports_close(struct rt_kube_ports *p); /* as rt_kube_ports_rest, its place in the line is kept */

/* A child that must not outlive us; it ended, or was told to. */
void rt_kube_child_note(int64_t pid);
void rt_kube_child_forget(int64_t pid);
/* Ends the children of raytuis that died without ending them. */
void rt_kube_sweep(void);

/* Calls `go` (later) when the proxy serves, or with the reason why it does not. */
void rt_kube_await(struct rt_kube *k, struct rt_kube_wait *w);
void rt_kube_unwait(struct rt_kube *k, struct rt_kube_wait *w); /* one that does not wait is fine */
/* What an API server that does not answer means for the context; NULL: it did answer. */
void rt_kube_note(struct rt_kube *k, const struct rt_error *err);
/* The last line worth reading of what a kubectl wrote, clean; "" when there is none. */
void rt_kube_last_line(const char *text, char *out, size_t size);
/* Keeps the latest few KiB. */
void rt_kube_keep(struct rt_buf *b, const char *data, size_t n);

#endif
