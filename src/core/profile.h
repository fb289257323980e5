/* Profiles of processes: which kinds there are, and the short form of one. */
#ifndef RT_CORE_PROFILE_H
#define RT_CORE_PROFILE_H

#include "base/buf.h"
#include <stddef.h>

enum rt_profile_kind { RT_PROFILE_STACK, RT_PROFILE_CPU, RT_PROFILE_MEMORY };

/* Collapsed stacks ("main (a.py:3);work (a.py:9) 42" a line) as clean text: the functions in which most samples ended,
 * with how many passed through them. Lines of another form are left out. */
void rt_profile_summary(struct rt_buf *out, const char *stacks, size_t n);

#endif
