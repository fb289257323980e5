/* cmocka wants these in this order before itself. */
#ifndef RT_TESTS_CMOCKA_ALL_H
#define RT_TESTS_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
