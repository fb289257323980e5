/* Inside the platform's calls only: what a verb asks for, and how its answer is read (yellowdog_call.c). */
#ifndef RT_PROVIDERS_YELLOWDOG_CALL_H
#define RT_PROVIDERS_YELLOWDOG_CALL_H

#include "providers/yellowdog_api.h"

struct yd_route {
    const char *method;
    bool list;  /* comes in slices */
    bool makes; /* something that is there twice when it is said twice */
};
const struct yd_route *yd_route(enum yd_verb verb);
/* "/workerPools/?sliced=true&namespaces=ray"; gives it. */
char *yd_route_path(const struct yd_call *c);

struct yd_result *yd_result_new(void);
/* Adds what an answer holds: one object, or the elements of a list or slice (what cannot be read of these is left out). Of a
 * slice *next becomes the id of the one after it (given), NULL at the end. False: it cannot be read. */
bool yd_result_add(struct yd_result *r, enum yd_verb verb, json_t *answer, char **next, struct rt_error *err);

/* What a refusal means. `json` may be NULL: then the first bytes of the body are shown. */
void yd_refused(int status, const json_t *json, const char *body, const char *what, struct yd_failure *out);

#endif
