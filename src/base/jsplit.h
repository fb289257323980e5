/* Cuts a JSON array into its elements while the bytes still arrive, so that an answer of any size is
 * decoded in slices and only one element is held.
 *
 * The array is the top value, or the value at a path of keys ("data.result.result"). Text outside it
 * is kept apart (see rt_jsplit_rest). Depth, element size and
 * garbage are limited: the splitter fails with a message, it never guesses. */
#ifndef RT_BASE_JSPLIT_H
#define RT_BASE_JSPLIT_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

struct rt_jsplit;

/* One element, as text (not NUL-terminated). Return false to stop (err is then the caller's business). The
 * splitter must not be destroyed from here. */
typedef bool rt_jsplit_fn(void *ctx, size_t index, const char *text, size_t n);

/* `path` "" for a top-level array. `max_element` in bytes (0: 8 MiB). Gives the splitter; keeps ctx. */
struct rt_jsplit *rt_jsplit_create(const char *path, size_t max_element, rt_jsplit_fn *fn, void *ctx);
void rt_jsplit_destroy(struct rt_jsplit *s);

/* Feeds bytes. False: the text is not JSON, or not of the shape expected (err says so, with the first
 * bytes of what came: HTML is named as such). */
bool rt_jsplit_feed(struct rt_jsplit *s, const char *data, size_t n, struct rt_error *err);
/* End of the text: false if the array was not complete or never came. */
bool rt_jsplit_end(struct rt_jsplit *s, struct rt_error *err);

/* The document without the array's elements, as text (the array stands as []), at most 4 MiB: counters
 * and warnings beside the list are read from here with rt_json_parse. Valid until destroy. */
const char *rt_jsplit_rest(const struct rt_jsplit *s);
size_t rt_jsplit_count(const struct rt_jsplit *s);

#endif
