/* What qstat and qsub print. Nothing of it is trusted: it is cut, counted and may be anything. */
#include "base/decode.h"
#include "base/mem.h"
#include "providers/pbs.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_JOBS = 4096, MAX_VALUE = 64 * 1024 };
#define MAX_EPOCH INT64_C(100000000000) /* what is later is no date */

struct reader {
    struct pbs_jobs *out;
    int64_t zone_s, asked_s;
};

/* ---- values ---- */

static int64_t days_from_civil(int64_t y, int64_t m, int64_t d) {
    y -= m <= 2;
    const int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    const int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

int64_t pbs_date(const char *text, int64_t zone_s) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char month[4];
    int day, hour, minute, second, year;
    int64_t epoch;
    if (rt_parse_i64(text, &epoch))
        return epoch > 0 && epoch < MAX_EPOCH ? epoch : -1;
    if (sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d", month, &day, &hour, &minute, &second, &year) != 6)
        return -1;
    const char *at = strlen(month) == 3 ? strstr(months, month) : NULL;
    if (!at || (at - months) % 3 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
        second > 60 || year < 1970)
        return -1;
    return days_from_civil(year, (at - months) / 3 + 1, day) * 86400 + hour * 3600 + minute * 60 + second - zone_s;
}

int64_t pbs_seconds(const char *text) {
    static const int64_t units[] = {1, 60, 3600, 86400};
    int64_t parts[4], total = 0;
    size_t n = 0;
    for (const char *p = text;; p++) {
        char *end;
        if (n == RT_COUNT(parts) || !isdigit((unsigned char)*p))
            return -1;
        parts[n++] = strtol(p, &end, 10);
        if (parts[n - 1] > 1000000000)
            return -1;
        p = end;
        if (*p == '.') /* parts of a second */
            p += 1 + strspn(p + 1, "0123456789");
        if (!*p)
            break;
        if (*p != ':')
            return -1;
    }
    for (size_t i = 0; i < n; i++)
        total += parts[i] * units[n - 1 - i];
    return total;
}

void pbs_hosts(const char *exec_host, struct rt_strs *out) {
    while (exec_host && *exec_host) {
        const size_t n = strcspn(exec_host, "+"), name = strcspn(exec_host, "/+");
        char *host = rt_strndup(exec_host, name);
        if (name && !rt_strs_has(out, host) && out->n < MAX_JOBS)
            rt_strs_take(out, host);
        else
            free(host);
        exec_host += n + (exec_host[n] == '+');
    }
}

static bool id_ok(const char *s, size_t n) {
    const size_t digits = strspn(s, "0123456789");
    size_t at = digits;
    if (!digits || digits > 18 || n > 300)
        return false;
    if (s[at] == '[') { /* of an array */
        at += strcspn(s + at, "]");
        at += s[at] == ']';
    }
    if (s[at] == '.')
        at += 1 + strspn(s + at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_");
    return at >= n;
}

char *pbs_submitted(const char *text) {
    char *found = NULL;
    while (*text) {
        size_t n = strcspn(text, "\r\n");
        const size_t blank = strspn(text, " \t");
        if (blank < n && id_ok(text + blank, n - blank)) {
            free(found);
            found = rt_strndup(text + blank, n - blank);
        }
        text += n;
        text += strspn(text, "\r\n");
    }
    return found;
}

/* ---- one job ---- */

static void put(char **to, const char *value) {
    free(*to);
    *to = rt_strndup(value, MAX_VALUE);
}

/* `key` may be "Resource_List.walltime". Torque writes some keys in other letters and other words. */
static void take(struct reader *r, struct pbs_job *j, const char *key, const char *value) {
    const struct {
        const char *key;
        char **to;
    } words[] = {{"Job_Name", &j->name}, {"Job_Owner", &j->owner}, {"queue", &j->queue}, {"comment", &j->comment},
                 {"Hold_Types", &j->holds}, {"depend", &j->depend}, {"exec_host", &j->hosts}};
    const struct {
        const char *key;
        int64_t *to;
    } dates[] = {{"stime", &j->start_s}, {"start_time", &j->start_s}, {"estimated.start_time", &j->estimated_s},
                 {"Execution_Time", &j->begins_s}, {"obittime", &j->ended_s}, {"comp_time", &j->ended_s}};
    for (size_t i = 0; i < RT_COUNT(words); i++)
        if (rt_streq(key, words[i].key))
            put(words[i].to, value);
    for (size_t i = 0; i < RT_COUNT(dates); i++)
        if (rt_streq(key, dates[i].key))
            *dates[i].to = pbs_date(value, r->zone_s);
    if (rt_streq(key, "job_state"))
        j->state = (char)(isupper((unsigned char)value[0]) && !value[1] ? value[0] : 0);
    else if (rt_streq(key, "Resource_List.walltime"))
        j->walltime_s = pbs_seconds(value);
    else if (rt_streq(key, "resources_used.walltime"))
        j->used_s = pbs_seconds(value);
    else if (rt_streq(key, "Exit_status") || rt_streq(key, "exit_status"))
        j->has_exit = rt_parse_i64(value, &j->exit);
}

static void job_free(struct pbs_job *j) {
    char *const all[] = {j->id, j->name, j->owner, j->queue, j->comment, j->holds, j->depend, j->hosts};
    for (size_t i = 0; i < RT_COUNT(all); i++)
        free(all[i]);
}

static bool same_id(const char *a, const char *b) {
    const size_t n = strcspn(a, "."), m = strcspn(b, ".");
    if (n != m || strncmp(a, b, n) != 0)
        return false;
    return !a[n] || !b[m] || rt_streq(a, b);
}

const struct pbs_job *pbs_job_find(const struct pbs_jobs *l, const char *id) {
    for (size_t i = 0; i < l->n; i++)
        if (same_id(l->v[i].id, id))
            return &l->v[i];
    return NULL;
}

/* NULL: not an id, known already, or too many. The pointer holds until the next one is added. */
static struct pbs_job *job_add(struct reader *r, const char *id) {
    struct pbs_jobs *l = r->out;
    if (!id_ok(id, strlen(id)) || l->n == MAX_JOBS || pbs_job_find(l, id))
        return NULL;
    l->v = rt_realloc(l->v, (l->n + 1) * sizeof(*l->v));
    struct pbs_job *j = &l->v[l->n++];
    *j = (struct pbs_job){.id = rt_strdup(id), .walltime_s = -1, .used_s = -1, .start_s = -1, .estimated_s = -1, .begins_s = -1,
                          .ended_s = -1, .asked_s = r->asked_s};
    return j;
}

void pbs_jobs_deinit(struct pbs_jobs *l) {
    for (size_t i = 0; i < l->n; i++)
        job_free(&l->v[i]);
    free(l->v);
    *l = (struct pbs_jobs){0};
}

/* ---- JSON ---- */

static void take_json(struct reader *r, struct pbs_job *j, const char *prefix, const char *name, const json_t *v) {
    char *key = prefix ? rt_strf("%s.%s", prefix, name) : rt_strdup(name);
    if (json_is_string(v)) {
        take(r, j, key, json_string_value(v));
    } else if (json_is_integer(v)) {
        char *number = rt_strf("%lld", (long long)json_integer_value(v));
        take(r, j, key, number);
        free(number);
    }
    free(key);
}

static void take_json_job(struct reader *r, struct pbs_job *j, json_t *job) {
    const char *name, *inner;
    json_t *v, *w;
    json_object_foreach(job, name, v) {
        if (json_is_object(v))
            json_object_foreach(v, inner, w)
                take_json(r, j, name, inner, w);
        else
            take_json(r, j, NULL, name, v);
    }
}

static bool read_json(struct reader *r, const char *text, size_t n) {
    struct rt_error err = {0};
    const char *id;
    json_t *root = rt_json_parse(text, n, &err), *job, *stamp = rt_json_at(root, "timestamp");
    if (!root)
        return false;
    const int64_t asked = json_is_integer(stamp) ? json_integer_value(stamp) : -1;
    r->asked_s = asked > 0 && asked < MAX_EPOCH ? asked : -1;
    json_object_foreach(rt_json_at(root, "Jobs"), id, job) {
        struct pbs_job *j = job_add(r, id);
        if (j && json_is_object(job))
            take_json_job(r, j, job);
    }
    json_decref(root);
    return true;
}

/* ---- lines ---- */

/* "    key = value" */
static void text_line(struct reader *r, struct pbs_job *j, const char *line) {
    const char *at = strstr(line, " = ");
    line += strspn(line, " ");
    if (!j || !at || at < line)
        return;
    char *key = rt_strndup(line, (size_t)(at - line));
    take(r, j, key, at + 3);
    free(key);
}

/* A line of their JSON, which holds one key: `"job_state":	"R",`. For answers that are no JSON as a whole. */
static void json_line(struct reader *r, struct pbs_job **j, char *section, size_t size, const char *line) {
    char key[128];
    int at = 0;
    line += strspn(line, " \t");
    if (*line == '}')
        section[0] = '\0';
    if (sscanf(line, "\"%127[^\"]\":%n", key, &at) < 1 || !at)
        return;
    line += at + (int)strspn(line + at, " \t");
    size_t n = strlen(line);
    if (*line == '{') {
        struct pbs_job *added = job_add(r, key);
        if (added)
            *j = added;
        snprintf(section, size, "%s", added ? "" : key);
        return;
    }
    n -= n && line[n - 1] == ',';
    const bool quoted = n > 1 && line[0] == '"' && line[n - 1] == '"';
    char *value = quoted ? rt_strndup(line + 1, n - 2) : rt_strndup(line, n), *path = section[0] ? rt_strf("%s.%s", section, key) : rt_strdup(key);
    if (rt_streq(path, "timestamp"))
        r->asked_s = pbs_date(value, 0);
    if (*j)
        take(r, *j, path, value);
    free(path);
    free(value);
}

/* The next line with what goes on after a tab joined to it; gives it. */
static char *next_line(const char **text, const char *end) {
    struct rt_buf b;
    const char *p = *text;
    rt_buf_init(&b, MAX_VALUE);
    for (;;) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        const char *stop = eol ? eol : end;
        rt_buf_add(&b, p, (size_t)(stop - p) - (stop > p && stop[-1] == '\r'));
        p = eol ? eol + 1 : end;
        if (p == end || *p != '\t' || b.len == 0)
            break;
        p++;
    }
    *text = p;
    return rt_buf_take(&b);
}

static void read_lines(struct reader *r, const char *text, size_t n, bool json) {
    const char *end = text + n;
    struct pbs_job *j = NULL;
    char section[128] = "";
    while (text < end) {
        if (json) {
            const char *eol = memchr(text, '\n', (size_t)(end - text));
            char *line = rt_strndup(text, (size_t)((eol ? eol : end) - text));
            json_line(r, &j, section, sizeof section, line);
            free(line);
            text = eol ? eol + 1 : end;
            continue;
        }
        char *line = next_line(&text, end);
        if (rt_starts(line, "Job Id: ")) {
            r->asked_s = -1;
            j = job_add(r, line + 8 + strspn(line + 8, " "));
        } else {
            text_line(r, j, line);
        }
        free(line);
    }
}

/* ---- all ---- */

/* Where the part that begins at `text` ends: a JSON object at the line that is its last brace, text at the next object. */
static size_t part_length(const char *text, size_t n, bool json) {
    const char *p = text, *end = text + n;
    while (p < end) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        const char *next = eol ? eol + 1 : end;
        if (json && *p == '}')
            return (size_t)(next - text);
        if (p > text && (*p == '{' || (json && rt_starts(p, "Job Id: "))))
            return (size_t)(p - text);
        p = next;
    }
    return n;
}

void pbs_jobs_read(const char *text, size_t n, int64_t zone_s, struct pbs_jobs *out) {
    struct reader r = {.out = out, .zone_s = zone_s, .asked_s = -1};
    *out = (struct pbs_jobs){0};
    while (n) {
        const bool json = *text == '{';
        const size_t part = part_length(text, n, json);
        r.asked_s = -1;
        if (!json || !read_json(&r, text, part))
            read_lines(&r, text, part, json);
        text += part;
        n -= part;
    }
}
