/* Inside the watchdog only: its program as text. */
#ifndef RT_PROVIDERS_WATCHDOG_PROGRAM_H
#define RT_PROVIDERS_WATCHDOG_PROGRAM_H

extern const char *const watchdog_program[]; /* pieces of one text; NULL-terminated */

#endif
