/* Cells of tables and members of JSON objects: unknown is "-" here and null there. Core only. */
#ifndef RT_CORE_CELLS_H
#define RT_CORE_CELLS_H

#include "base/buf.h"
#include "core/model.h"
#include <jansson.h>

/* Text from outside is cleaned; NULL and "" are "-". */
void rt_cell_text(struct rt_buf *out, const char *s);
void rt_cell_line(struct rt_buf *out, const char *line); /* of a shell, quoted as it reads best */
void rt_cell_age(struct rt_buf *out, int64_t ms);                        /* < 0: "-" */
void rt_cell_since(struct rt_buf *out, int64_t from_ms, int64_t now_ms); /* from <= 0: "-" */
void rt_cell_clock(struct rt_buf *out, int64_t wall_ms, int64_t now_ms); /* <= 0: "-" */
void rt_cell_bytes(struct rt_buf *out, double bytes);
void rt_cell_count(struct rt_buf *out, int64_t n);
void rt_cell_percent(struct rt_buf *out, double percent);
/* Of an error with its traceback: the line that says what happened. Into `s`, `n` long; 0 where all is blank. */
const char *rt_last_line(const char *s, size_t *n);
/* "612/768", "?/768", "-" */
void rt_cell_amounts(struct rt_buf *out, double used, double total);
/* "612+100/768": 100 more are reserved by placement groups and not used. */
void rt_cell_claims(struct rt_buf *out, double used, double reserved, double total);
void rt_cell_bytes_of(struct rt_buf *out, double used, double total);

/* Unknown sorts below everything known. */
int rt_order_i64(int64_t a, int64_t b);
int rt_order_f64(double a, double b);

/* Set a member of an object; unknown (NULL, < 0) becomes null. Text that is no UTF-8 is cleaned. */
void rt_put_text(json_t *o, const char *key, const char *s);
void rt_put_i64(json_t *o, const char *key, int64_t v);
void rt_put_time(json_t *o, const char *key, int64_t wall_ms); /* <= 0: null */
void rt_put_f64(json_t *o, const char *key, double v);
void rt_put_bytes(json_t *o, const char *key, double v); /* whole bytes */
void rt_put_bool(json_t *o, const char *key, bool v);
void rt_put_kvs(json_t *o, const char *key, const struct rt_kvs *l);
/* {"CPU": {"used": 2, "total": 8}} */
void rt_put_amounts(json_t *o, const char *key, const struct rt_amounts *l);
/* code, message, hint; null for no error */
void rt_put_error(json_t *o, const char *key, const struct rt_error *err);
json_t *rt_json_text(const char *s); /* gives a string or null */

#endif
