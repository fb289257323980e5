/* A loopback port to listen on, taken from nobody. */
#ifndef RT_NET_PORT_H
#define RT_NET_PORT_H

/* A listening socket on 127.0.0.1:port (0: any); -1 and errno, EADDRINUSE when somebody listens
 * there or on all addresses. */
int rt_port_listen(int port);

#endif
