/* A hop on the test bed: its configuration, scripted answers, waiting, faults, an echo server
 * behind it. */
#ifndef RT_TESTS_SSH_BED_H
#define RT_TESTS_SSH_BED_H

#include "net/forward.h"
#include "net/hop.h"

struct bed {
    struct rt_loop *loop;
    struct rt_hop *hop;
    char config[300];
    struct rt_asker asker;
    const char *const *answers; /* NULL-terminated; NULL: nobody answers */
    int asked;
    struct rt_question last;
    char last_text[1024], last_prompt[256];
    struct asking *asking;
    struct rt_hop_opts opts;
};

enum { SECONDS = 60 }; /* a hang is an error; nothing is measured */

/* What stands in the configuration of a test; NULL: key id_ed25519, known_hosts, user ray, strict
 * yes. */
struct bed_conf {
    const char *key, *known, *user, *strict, *extra;
};
void bed_open(struct bed *b, const char *target, enum rt_transport t, const struct bed_conf *c,
              const char *const *answers);
void bed_close(struct bed *b);
enum rt_hop_state
bed_settle(struct bed *b,
           bool may_ask); /* opens, and waits until it neither connects nor is idle */
void bed_wait(struct bed *b, enum rt_hop_state state);
void bed_turn(struct bed *b); /* one turn of the loop, at most a moment */

struct bed_result {
    bool ended, failed;
    int status;
    char out[8192], err_text[8192];
    struct rt_error error;
};
void bed_exec(struct bed *b, const char *script, struct bed_result *r);
void bed_exec_opts(struct bed *b, const struct rt_exec_opts *o, struct bed_result *r);
struct rt_op *bed_exec_start(struct bed *b, const struct rt_exec_opts *o, struct bed_result *r);

void bed_fault(const char *host, const char *action);
const char *bed_state(void);      /* directory of the test bed */
char *bed_path(const char *name); /* file in it; gives it */
/* One more sshd on that host, with a configuration of its own; it ends with the test bed. */
void bed_sshd(const char *host, int port, const char *config);
int bed_echo_start(const char *host, int port); /* pid; echoes on 127.0.0.1 of that host */
void bed_echo_stop(int pid);
int bed_echo_main(int port); /* the server itself */
/* Sends n bytes to fd (non-blocking), half-closes, and reads to the end while the loop turns: all
 * came back? */
bool bed_round_trip(struct bed *b, int fd, size_t n);
int bed_connect(int port);              /* to 127.0.0.1, non-blocking */
int bed_spawn(const char *const *argv); /* pid */
char *
bed_command(const char *const *argv); /* what a program prints, without the newline; gives it */

#endif
