/* Compiler attributes behind names, and a few constants that every layer uses. */
#ifndef RT_BASE_MACROS_H
#define RT_BASE_MACROS_H

#include <stddef.h>

#if defined(__GNUC__)
#define RT_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define RT_NODISCARD __attribute__((warn_unused_result))
#define RT_NORETURN __attribute__((noreturn))
#else
#define RT_PRINTF(fmt, first)
#define RT_NODISCARD
#define RT_NORETURN
#endif

#define RT_COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define RT_MIN(a, b) ((a) < (b) ? (a) : (b))
#define RT_MAX(a, b) ((a) > (b) ? (a) : (b))

#define RT_KIB ((size_t)1024)
#define RT_MIB (RT_KIB * 1024)
#define RT_GIB (RT_MIB * 1024)

#endif
