/* What scripts on the far side printed. */
#include "providers/far.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void far_place_take(struct far_place *at, const char *key, const char *value) {
    const struct {
        const char *key;
        char *to;
        size_t size;
    } words[] = {{"ip", at->ip, sizeof at->ip},
                 {"dashboard_ip", at->dashboard_ip, sizeof at->dashboard_ip},
                 {"host", at->host, sizeof at->host},
                 {"job", at->job, sizeof at->job}};
    const struct {
        const char *key;
        int *to;
    } ports[] = {{"gcs", &at->gcs}, {"dashboard", &at->dashboard}, {"client", &at->client}};
    int64_t n = 0;
    if (rt_streq(key, "temp_dir")) {
        free(at->temp_dir);
        at->temp_dir = rt_strdup(value);
    }
    if (rt_streq(key, "began") && rt_parse_i64(value, &n))
        at->began_s = n;
    for (size_t i = 0; i < RT_COUNT(words); i++)
        if (rt_streq(key, words[i].key))
            snprintf(words[i].to, words[i].size, "%s", value);
    for (size_t i = 0; i < RT_COUNT(ports); i++)
        if (rt_streq(key, ports[i].key) && rt_parse_i64(value, &n) && n > 0 && n < 65536)
            *ports[i].to = (int)n;
}

void far_place_clear(struct far_place *at) {
    free(at->temp_dir);
    *at = (struct far_place){0};
}

void far_complaint(const struct rt_exec_result *r, struct rt_error *err) {
    const char *text = r->err_len ? r->err_text : r->out, *end = text + (r->err_len ? r->err_len : r->out_len);
    char clean[400];
    while (end > text && (unsigned char)end[-1] <= ' ')
        end--;
    const char *line = end;
    while (line > text && line[-1] != '\n')
        line--;
    char *last = rt_strndup(line, (size_t)(end - line));
    rt_clean_to(clean, sizeof clean, last);
    free(last);
    if (r->status < 0)
        rt_error_set(err, RT_E_REMOTE, "the script was killed%s%s", *clean ? ": " : "", clean);
    else
        rt_error_set(err, RT_E_REMOTE, "%s", *clean ? clean : "it failed without a word");
}
