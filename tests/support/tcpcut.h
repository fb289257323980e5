/* A TCP proxy on loopback that cuts each connection after so many bytes from the far side or so
 * long. */
#ifndef RT_TESTS_TCPCUT_H
#define RT_TESTS_TCPCUT_H

#include <stddef.h>
#include <stdint.h>

struct tcpcut;

/* max_bytes, max_ms: 0 for never. */
struct tcpcut *tcpcut_start(const char *host, int port, size_t max_bytes, int max_ms);
void tcpcut_stop(struct tcpcut *t);
int tcpcut_port(const struct tcpcut *t);
int tcpcut_cuts(const struct tcpcut *t); /* so far */

#endif
