/* What squeue and sbatch say, in plain words. */
#include "base/vec.h"
#include "providers/slurm.h"
#include <stdio.h>
#include <string.h>

/* ---- times ---- */

/* Seconds of a calendar time as if it were UTC: only differences are taken. */
static int64_t calendar(int64_t y, int64_t mon, int64_t d, int64_t h, int64_t min, int64_t s) {
    y -= mon <= 2;
    const int64_t era = y / 400, yoe = y - era * 400, doy = (153 * (mon + (mon > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return (era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy) * 86400 + h * 3600 + min * 60 + s;
}

static bool read_time(const char *text, int64_t *out) {
    int y = 0, mon = 0, d = 0, h = 0, min = 0, s = 0;
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &y, &mon, &d, &h, &min, &s) != 6 || y < 1970 || mon < 1 || mon > 12)
        return false;
    *out = calendar(y, mon, d, h, min, s);
    return true;
}

/* "9:25", "1-02:03:04"; UNLIMITED, NOT_SET, INVALID (it is over): not a number. */
static int64_t read_left(const char *text) {
    int64_t days = 0, v[3] = {0}, n = 0;
    const char *p = text, *dash = strchr(text, '-');
    if (dash) {
        char *head = rt_strndup(text, (size_t)(dash - text));
        const bool ok = rt_parse_i64(head, &days);
        free(head);
        if (!ok || days < 0)
            return -1;
        p = dash + 1;
    }
    for (; *p && n < 3; n++) {
        const size_t len = strcspn(p, ":");
        char *part = rt_strndup(p, len);
        const bool ok = rt_parse_i64(part, &v[n]) && v[n] >= 0 && v[n] < 1000000;
        free(part);
        if (!ok)
            return -1;
        p += len + (p[len] == ':');
    }
    if (n < 2 || *p || days > 100000)
        return -1;
    return (days * 86400 + (n == 3 ? v[0] * 3600 + v[1] * 60 + v[2] : v[0] * 60 + v[1])) * 1000;
}

/* ---- states and reasons ---- */

static const struct {
    const char *word;
    enum batch_state state;
    const char *plain; /* of an end */
} states[] = {
    {"PENDING", BATCH_QUEUED, NULL},
    {"REQUEUED", BATCH_QUEUED, NULL},
    {"REQUEUE_HOLD", BATCH_QUEUED, NULL},
    {"SPECIAL_EXIT", BATCH_QUEUED, NULL},
    {"CONFIGURING", BATCH_QUEUED, NULL},
    {"RUNNING", BATCH_RUNNING, NULL},
    {"RESIZING", BATCH_RUNNING, NULL},
    {"SIGNALING", BATCH_RUNNING, NULL},
    {"COMPLETING", BATCH_ENDING, NULL},
    {"STAGE_OUT", BATCH_ENDING, NULL},
    {"SUSPENDED", BATCH_SUSPENDED, NULL},
    {"STOPPED", BATCH_SUSPENDED, NULL},
    {"COMPLETED", BATCH_ENDED, "it ended by itself"},
    {"CANCELLED", BATCH_ENDED, "it was cancelled"},
    {"FAILED", BATCH_ENDED, "it failed"},
    {"TIMEOUT", BATCH_ENDED, "its walltime is over"},
    {"DEADLINE", BATCH_ENDED, "its deadline has passed"},
    {"NODE_FAIL", BATCH_ENDED, "a node failed"},
    {"BOOT_FAIL", BATCH_ENDED, "a node did not start"},
    {"OUT_OF_MEMORY", BATCH_ENDED, "it used more memory than it had asked for"},
    {"PREEMPTED", BATCH_ENDED, "a job of higher priority took its nodes"},
    {"REVOKED", BATCH_ENDED, "it was moved to another cluster"},
};

enum { NEVER = 1, HELD = 2 };

/* By the beginning of the reason; the first that fits. */
static const struct {
    const char *reason, *plain, *todo;
    int flags;
} reasons[] = {
    {"Resources", "the nodes that it wants are busy", NULL, 0},
    {"Priority", "other jobs are first", NULL, 0},
    {"JobHeldUser", "it is held", "`scontrol release %s` on the login node lets it go", HELD},
    {"JobHeldAdmin", "an administrator holds it", "ask the administrators", HELD},
    {"job requeued in held state", "it was requeued and is held", "`scontrol release %s` on the login node lets it go", HELD},
    {"PartitionTimeLimit", "its walltime is over the limit of the partition: it will never start", "a shorter walltime, or another partition", NEVER},
    {"QOSMaxWallDurationPerJobLimit", "its walltime is over the limit of the QOS: it will never start", "a shorter walltime, or another qos", NEVER},
    {"PartitionNodeLimit", "it wants more nodes than the partition has or allows: it will never start", "fewer nodes, or another partition", NEVER},
    {"PartitionConfig", "it wants more nodes, CPUs, memory or time than the partition has or allows: it will never start",
     "less of them, or another partition", NEVER},
    {"BadConstraints", "no node is as it wants: it will never start", "less of cpus_per_node, gpus_per_node, memory_gb or gres", NEVER},
    {"AccountNotAllowed", "the account may not use the partition", "another account or partition", NEVER},
    {"QOSNotAllowed", "the QOS may not use the partition", "another qos or partition", NEVER},
    {"PartitionDown", "the partition is closed", "another partition", 0},
    {"PartitionInactive", "the partition is closed", "another partition", 0},
    {"InvalidAccount", "the account is not valid", "another account", NEVER},
    {"InvalidQOS", "the QOS is not valid", "another qos", NEVER},
    {"Assoc", "a limit of the account is reached", NULL, 0},
    {"QOS", "a limit of the QOS is reached", NULL, 0},
    {"ReqNodeNotAvail", "nodes that it wants are reserved or down", NULL, 0},
    {"Nodes required for job are DOWN", "nodes that it wants are down, drained or reserved", NULL, 0},
    {"Reservation", "its reservation has not begun", NULL, 0},
    {"BeginTime", "its time has not come", NULL, 0},
    {"DependencyNeverSatisfied", "the head's job that it waits for has gone", NULL, NEVER},
    {"Dependency", "it waits for the head's job to start", NULL, 0},
    {"Licenses", "licenses are in use", NULL, 0},
    {"Cleaning", "what ran before is being cleaned up", NULL, 0},
    {"JobLaunchFailure", "it could not be launched: can its directory be written?", NULL, 0},
    {"launch failed requeued held", "it could not be launched and is held", "`scontrol release %s` on the login node lets it go", HELD},
};

static void say_reason(struct batch_seen *j, struct rt_arena *a) {
    for (size_t i = 0; j->reason && i < RT_COUNT(reasons); i++) {
        if (!rt_starts(j->reason, reasons[i].reason))
            continue;
        j->plain = reasons[i].plain;
        if (reasons[i].todo && strchr(reasons[i].todo, '%')) {
            const size_t before = strcspn(reasons[i].todo, "%");
            j->todo = rt_arena_strf(a, "%.*s%s%s", (int)before, reasons[i].todo, j->id, reasons[i].todo + before + 2);
        } else {
            j->todo = reasons[i].todo;
        }
        j->never = (reasons[i].flags & NEVER) != 0;
        j->held = (reasons[i].flags & HELD) != 0;
        return;
    }
}

static void say_state(struct batch_seen *j, struct rt_arena *a) {
    j->state = BATCH_RUNNING; /* a word that is not known: it is not over */
    for (size_t i = 0; i < RT_COUNT(states); i++) {
        if (!rt_streq(states[i].word, j->word))
            continue;
        j->state = states[i].state;
        j->plain = states[i].plain;
    }
    if (j->state == BATCH_QUEUED)
        say_reason(j, a);
    else if (rt_starts(j->reason ? j->reason : "", "JobLaunchFailure"))
        say_reason(j, a);
}

/* ---- squeue -o '%i|%T|%L|%S|%B|%r' ---- */

enum { COLUMNS = 6 };

static bool take_row(struct batch_seen *j, const char *line, size_t n, int64_t ahead_s, struct rt_arena *a) {
    const char *v[COLUMNS];
    char *text = rt_arena_strndup(a, line, n);
    int64_t at = 0;
    for (int i = 0; i < COLUMNS; i++) {
        v[i] = text;
        char *bar = i + 1 < COLUMNS ? strchr(text, '|') : NULL;
        if (i + 1 < COLUMNS && !bar)
            return false;
        if (bar) {
            *bar = 0;
            text = bar + 1;
        }
    }
    *j = (struct batch_seen){.id = v[0], .word = v[1], .left_ms = read_left(v[2])};
    j->reason = *v[5] && !rt_streq(v[5], "None") ? v[5] : NULL;
    j->host = *v[4] && !rt_streq(v[4], "n/a") && !rt_streq(v[4], "(null)") ? v[4] : NULL;
    say_state(j, a);
    if (j->state == BATCH_QUEUED && read_time(v[3], &at))
        j->starts_ms = (at - ahead_s) * 1000;
    else if (j->state == BATCH_RUNNING && read_time(v[3], &at))
        j->began_ms = (at - ahead_s) * 1000;
    return true;
}

bool slurm_parse(const char *text, int64_t now_ms, struct batch_list *out, struct rt_error *err) {
    struct rt_arena *a = rt_arena_create();
    RT_VEC(struct batch_seen) rows = {0};
    int64_t ahead_s = 0;
    (void)now_ms;
    for (const char *p = text; *p;) {
        const size_t n = strcspn(p, "\n");
        long long epoch = 0;
        char local[32];
        struct batch_seen row;
        int64_t at = 0;
        if (sscanf(p, "now %lld %31s", &epoch, local) == 2 && read_time(local, &at)) {
            ahead_s = at - epoch;
        } else if (n && !take_row(&row, p, n, ahead_s, a)) {
            rt_error_set(err, RT_E_PROTOCOL, "squeue answers \"%.*s\"", (int)RT_MIN(n, 120), p);
            rt_vec_deinit(&rows);
            rt_arena_destroy(a);
            return false;
        } else if (n) {
            *rt_vec_push(&rows) = row;
        }
        p += n + (p[n] == '\n');
    }
    *out = (struct batch_list){.arena = a, .n = rows.n};
    if (rows.n) {
        out->v = rt_arena_alloc(a, rows.n * sizeof(*out->v));
        memcpy(out->v, rows.v, rows.n * sizeof(*out->v));
    }
    rt_vec_deinit(&rows);
    return true;
}

/* ---- sbatch ---- */

static const struct {
    const char *words, *field;
} refusals[] = {
    {"invalid partition", "partition"},
    {"partition name", "partition"},
    {"No partition specified or system default partition", "partition"},
    {"Invalid account", "account"},
    {"qos specification", "qos"},
    {"Job violates accounting/QOS policy", "qos"},
    {"QOSMax", "qos"},
    {"QOSGrp", "qos"},
    {"--time", "walltime"},
    {"time limit", "walltime"},
    {"Requested time limit", "walltime"},
    {"generic resource", "gres"},
    {"Memory", "memory_gb"},
    {"memory", "memory_gb"},
    {"CPU count", "cpus_per_node"},
    {"node count", "nodes"},
    {"More processors requested", "cpus_per_node"},
    {"Node count specification", "nodes"},
    {"node configuration is not available", "nodes"},
    {"feature", "directives"},
    {"node name", "directives"},
    {"option", "directives"},
};

/* Of a line, without what only says that there was an error. */
static void take_sentence(const char *line, char *sentence, size_t size) {
    static const char *const prefixes[] = {"sbatch: ", "error: ", "Batch job submission failed: "};
    for (size_t i = 0; i < RT_COUNT(prefixes); i++)
        line += rt_starts(line, prefixes[i]) ? strlen(prefixes[i]) : 0;
    snprintf(sentence, size, "%.*s", (int)strcspn(line, "\n"), line);
}

const char *slurm_refused(const char *text, char *sentence, size_t size) {
    snprintf(sentence, size, "it says nothing");
    for (size_t i = 0; i < RT_COUNT(refusals); i++) {
        const char *at = strstr(text, refusals[i].words);
        if (!at)
            continue;
        while (at > text && at[-1] != '\n')
            at--;
        take_sentence(at, sentence, size);
        return refusals[i].field;
    }
    for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n')
        if (rt_starts(p, "sbatch: "))
            take_sentence(p, sentence, size);
    return NULL;
}
