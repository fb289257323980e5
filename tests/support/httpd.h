/* A small HTTP/1.1 server inside a test program: each connection is a thread, what it answers is a
 * function of the test. Faults are made by writing raw bytes, or none. */
#ifndef RT_TESTS_HTTPD_H
#define RT_TESTS_HTTPD_H

#include <stdbool.h>
#include <stddef.h>

struct httpd;

struct httpd_request {
    struct httpd *server;
    int fd;
    char method[8], target[4096], head[16384]; /* head: all header lines */
    char *body;
    size_t body_len;
};

/* Runs on the connection's thread. False closes the connection. */
typedef bool httpd_fn(void *ctx, const struct httpd_request *r);

struct httpd *httpd_start(httpd_fn *fn, void *ctx); /* 127.0.0.1, a free port */
void httpd_stop(struct httpd *s);                   /* ends its connections */
void httpd_drop_all(struct httpd *s);               /* ends the connections of now */
int httpd_port(const struct httpd *s);
const char *httpd_url(const struct httpd *s);
bool httpd_stopping(const struct httpd *s); /* for handlers that wait */

/* A whole answer with Content-Length; `extra` are header lines with their \r\n, or NULL. */
void httpd_answer(const struct httpd_request *r, int status, const char *type, const char *extra,
                  const void *body, size_t n);
void httpd_text(const struct httpd_request *r, int status, const char *type, const char *body);
/* Raw bytes; false when the other side is gone. */
bool httpd_send(const struct httpd_request *r, const void *data, size_t n);
/* One chunk of a chunked answer; n 0 ends it. */
bool httpd_chunk(const struct httpd_request *r, const void *data, size_t n);
/* Value of a header into out; false when absent. */
bool httpd_header(const struct httpd_request *r, const char *name, char *out, size_t size);
void httpd_sleep_ms(int ms);

#endif
