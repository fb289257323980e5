/* What went wrong, as a value: a code to branch on, a message to read, a hint to act on.
 *
 * Whatever may fail returns bool (or NULL) and takes `struct rt_error *err` last, never NULL.
 * Each layer that passes an error on adds what it knows in front with rt_error_wrap. Secrets
 * never enter a message. */
#ifndef RT_BASE_ERROR_H
#define RT_BASE_ERROR_H

#include "base/macros.h"
#include <stdarg.h>
#include <stdbool.h>

enum rt_code {
    RT_OK = 0,
    RT_E_FAILED,      /* it was tried and did not work */
    RT_E_CANCELLED,   /* somebody asked for it; never shown */
    RT_E_USAGE,       /* wrong command line or arguments */
    RT_E_CONFIG,      /* a configuration file is wrong */
    RT_E_NOT_FOUND,   /* no such cluster, pool, node, job, file */
    RT_E_DENIED,      /* 401/403, key or host key refused, read-only, question not answered */
    RT_E_UNREACHABLE, /* no connection */
    RT_E_TIMEOUT,     /* connected, no answer in time */
    RT_E_PROTOCOL,    /* an answer that cannot be understood */
    RT_E_REMOTE,      /* the far side says it failed */
    RT_E_CONFLICT,    /* exists already, or changed in between */
    RT_E_LIMIT,       /* too big, too many, no memory, disk full */
    RT_E_IO,          /* a local file or descriptor */
    RT_E_UNSUPPORTED, /* this cluster or this build cannot do it */
    RT_E_BUSY,        /* somebody else is at it */
    RT_E_PARTIAL,     /* partly done */
    RT_E_INTERNAL
};

/* Plain value, copy freely. All zero means "no error". */
struct rt_error {
    enum rt_code code;
    char message[640];
    char hint[320]; /* what to do next; may be empty */
};

/* Sets code and message, clears the hint. Returns false, so that `return rt_error_set(...)` reads well. */
bool rt_error_set(struct rt_error *err, enum rt_code code, const char *fmt, ...) RT_PRINTF(3, 4);

/* Puts "text: " in front of the message; code and hint stay. Returns false. */
bool rt_error_wrap(struct rt_error *err, const char *fmt, ...) RT_PRINTF(2, 3);

/* Sets the hint. Returns false. */
bool rt_error_hint(struct rt_error *err, const char *fmt, ...) RT_PRINTF(2, 3);

void rt_error_clear(struct rt_error *err);

/* Word for JSON: "not_found", "denied", ... */
const char *rt_code_name(enum rt_code code);

/* Exit status of the command line for a code: 1 failed, 3 unreachable or timeout, 4 not found,
 * 5 denied, 6 partial, 64 usage, 78 config. */
int rt_code_exit(enum rt_code code);

#endif
