/* What PBS means, in plain words. */
#include "base/mem.h"
#include "providers/pbs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "Insufficient amount of resource: ncpus (R: 8 A: 2 T: 8)": wanted, free now, there at all. */
static bool resource_words(const char *text, bool never, struct rt_buf *out) {
    static const char *const known[][2] = {{"ncpus", "CPUs"}, {"ngpus", "GPUs"}, {"mem", "of memory"}, {"vmem", "of virtual memory"}};
    char name[64], wanted[64], there[64], total[64];
    if (sscanf(text, "Insufficient amount of resource: %63s (R: %63s A: %63s T: %63[^)])", name, wanted, there, total) != 4)
        return false;
    const char *word = name;
    for (size_t i = 0; i < RT_COUNT(known); i++)
        if (rt_streq(name, known[i][0]))
            word = known[i][1];
    if (never)
        rt_buf_addf(out, "%s %s are wanted, but there are %s", wanted, word, total);
    else
        rt_buf_addf(out, "%s %s are wanted, %s of %s are free", wanted, word, there, total);
    return true;
}

/* The rest of a comment, without its full stop. */
static void as_it_is(const char *text, struct rt_buf *out) {
    char line[240];
    size_t n = strlen(rt_clean_to(line, sizeof line, text));
    while (n && (line[n - 1] == '.' || line[n - 1] == ' '))
        line[--n] = '\0';
    rt_buf_adds(out, line);
}

static enum pbs_wait waiting(const struct pbs_job *j, struct rt_buf *plain, struct rt_buf *todo) {
    static const char not_running[] = "Not Running: ", never[] = "Can Never Run: ";
    const char *text = j->comment ? j->comment : "";
    if (rt_starts(text, never)) {
        if (!resource_words(text + strlen(never), true, plain))
            as_it_is(text + strlen(never), plain);
        rt_buf_adds(todo, "ask for less, or for another queue");
        return PBS_NEVER;
    }
    if (rt_starts(text, not_running))
        text += strlen(not_running);
    if (rt_starts(text, "Queue not started")) {
        rt_buf_addf(plain, "queue %s does not start jobs now", j->queue ? j->queue : "");
        rt_buf_adds(todo, "choose another queue: `qstat -Q` lists them");
    } else if (!*text) {
        rt_buf_adds(plain, "waits for the scheduler");
    } else if (!resource_words(text, false, plain)) {
        as_it_is(text, plain);
    }
    return PBS_WAITS;
}

static enum pbs_wait held(const struct pbs_job *j, struct rt_buf *plain, struct rt_buf *todo) {
    const char *by = j->holds ? j->holds : "";
    if (j->depend && rt_streq(by, "s")) {
        const char *id = strchr(j->depend, ':');
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(id ? id + 1 : "", ".@"), id ? id + 1 : "");
        rt_buf_addf(plain, "waits for job %s to begin", name);
        return PBS_WAITS;
    }
    if (strchr(by, 'u')) {
        rt_buf_adds(plain, "held by its owner");
        rt_buf_addf(todo, "`qrls %s` lets it go", j->id);
    } else if (strchr(by, 'o')) {
        rt_buf_adds(plain, "held by an operator");
        rt_buf_adds(todo, "ask the administrators");
    } else {
        rt_buf_adds(plain, strchr(by, 's') ? "held by the system" : "held");
        rt_buf_adds(todo, "ask the administrators: PBS holds what it could not start several times");
    }
    if (j->comment && !rt_starts(j->comment, "Not Running") && !rt_starts(j->comment, "Job run at")) {
        rt_buf_adds(plain, " (");
        as_it_is(j->comment, plain);
        rt_buf_adds(plain, ")");
    }
    return PBS_HELD;
}

enum pbs_wait pbs_why(const struct pbs_job *j, struct rt_buf *plain, struct rt_buf *todo) {
    static const struct {
        char state;
        const char *text;
    } words[] = {{'W', "waits for the time that it was submitted for"},
                 {'S', "suspended by the scheduler for another job"},
                 {'U', "suspended: somebody works on its node"},
                 {'T', "is being moved to another server"}};
    if (j->state == 'Q')
        return waiting(j, plain, todo);
    if (j->state == 'H')
        return held(j, plain, todo);
    for (size_t i = 0; i < RT_COUNT(words); i++)
        if (words[i].state == j->state)
            rt_buf_adds(plain, words[i].text);
    return PBS_WAITS;
}

/* What stands behind `words` in the comment; NULL: they do not. */
static const char *comment_after(const struct pbs_job *j, const char *words) {
    const char *at = j->comment ? strstr(j->comment, words) : NULL;
    return at ? at + strlen(words) : NULL;
}

void pbs_end(const struct pbs_job *j, struct rt_buf *out) {
    const char *rest;
    if ((j->has_exit && j->exit == -29) || comment_after(j, " and exceeded resource walltime")) {
        rt_buf_adds(out, "its walltime was over");
    } else if ((rest = comment_after(j, " and exceeded "))) {
        rt_buf_adds(out, "ended by PBS: it exceeded ");
        as_it_is(rest, out);
    } else if ((rest = comment_after(j, " and terminated by "))) {
        rt_buf_adds(out, "deleted by ");
        as_it_is(rest, out);
    } else if (comment_after(j, " and terminated") || (!j->has_exit && j->start_s < 0 && j->state == 'F')) {
        rt_buf_adds(out, "deleted while it waited");
    } else if (j->state == 'M') {
        rt_buf_adds(out, "moved to another server");
    } else if (!j->has_exit) {
        rt_buf_adds(out, "ended");
    } else if (j->exit < 0) {
        rt_buf_addf(out, "PBS could not run it (%lld)", (long long)j->exit);
    } else if (j->exit >= 256) {
        rt_buf_addf(out, "ended by signal %lld", (long long)j->exit - 256);
    } else {
        rt_buf_addf(out, "ended with exit status %lld", (long long)j->exit);
    }
}

/* The line of a refusal that says why: the first of qsub's own, without "qsub: "; else the last line. */
static void refusal(const char *text, char *out, size_t size) {
    static const char own[] = "qsub: ";
    const char *found = NULL;
    size_t length = 0;
    for (const char *p = text; *p;) {
        const size_t n = strcspn(p, "\r\n");
        const bool is_own = rt_starts(p, own);
        if (n && (is_own || !found || !rt_starts(found, own)) && !(found && is_own && rt_starts(found, own))) {
            found = p;
            length = n;
        }
        p += n;
        p += strspn(p, "\r\n");
    }
    char *line = rt_strndup(found ? found : "", length);
    rt_clean_to(out, size, rt_starts(line, own) ? line + strlen(own) : line);
    free(line);
}

const char *pbs_refused(const char *text, char *sentence, size_t size) {
    static const char *const fields[][2] = {
        {"select.ngpus", "gpus_per_node"},          {"resource: ngpus", "gpus_per_node"},
        {"select.ncpus", "cpus_per_node"},          {"select.mem", "memory_gb"},
        {"Resource_List.walltime", "walltime"},     {"Resource_List.nodes", "nodes"},
        {"select", "select"},                       {"Unknown resource", "select"},
        {"server resource limits", "walltime"},     {"xceeds queue", "walltime"},
        {"-A value", "account"},                    {"ccount", "account"},
        {"roject", "account"},                      {"queue", "queue"},
        {"Queue", "queue"},                         {"node", "nodes"},
        {"illegal -", "directives"},                {"invalid option", "directives"},
        {"Illegal attribute", "directives"},        {"Resource_List.", "directives"},
    };
    refusal(text, sentence, size);
    for (size_t i = 0; i < RT_COUNT(fields); i++)
        if (strstr(sentence, fields[i][0]))
            return fields[i][1];
    return NULL;
}
