/* A levelled log to a file (STATE/raytui.log, 0600, 10 MiB and one older), never to the screen.
 * Secrets are masked here: what was registered with rt_log_secret never reaches the file. */
#ifndef RT_BASE_LOG_H
#define RT_BASE_LOG_H

#include "base/macros.h"
#include "base/buf.h"
#include <stdbool.h>

enum rt_level { RT_LOG_ERROR, RT_LOG_WARN, RT_LOG_INFO, RT_LOG_DEBUG };

/* `path` NULL: nothing is kept. Level from RAYTUI_LOG (error, warn, info, debug). A path that cannot be
 * opened costs the log, never the program. */
void rt_log_open(const char *path, enum rt_level level);
void rt_log_close(void); /* forgets the secrets too */
const char *rt_log_path(void); /* NULL when there is none */
/* Also to stderr (the command line's --verbose). */
void rt_log_stderr(bool on);
void rt_log(enum rt_level level, const char *fmt, ...) RT_PRINTF(2, 3);
bool rt_log_wants(enum rt_level level);
/* From now on `secret` (copied; shorter than 4 bytes: ignored) is written as ***. */
void rt_log_secret(const char *secret);
/* Replaces registered secrets in a text that will be shown. */
void rt_log_mask(struct rt_buf *text);

#endif
