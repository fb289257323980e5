/* Inside the provider `pbs` only: what PBS's commands print, read, and said in plain words.
 *
 * OpenPBS and PBS Pro speak JSON (`qstat -f -F json`); of several named jobs 23.06.06 prints the first one only, so each job
 * is asked for by itself, and the answers are read one after the other. Text (`qstat -f`) is read as well: of Torque, of old
 * versions, and of JSON that is none (a value that is not escaped). */
#ifndef RT_PROVIDERS_PBS_H
#define RT_PROVIDERS_PBS_H

#include "base/error.h"
#include "base/str.h"

struct pbs_job {
    char *id;       /* "18.login" */
    char *name, *owner, *queue;
    char *comment;  /* why it does not run; NULL */
    char *holds;    /* "u", "os", "n"; NULL */
    char *depend;   /* "after:12.login@login"; NULL */
    char *hosts;    /* exec_host: "n1/0*2+n2/0*2"; NULL while it waits */
    char state;     /* Q R H W E S U T B, F and M of the history, C of Torque; 0: not told */
    /* Seconds; dates since 1970. -1: not told. */
    int64_t walltime_s, used_s, start_s, estimated_s, begins_s, ended_s;
    int64_t asked_s; /* when the server was asked, by its own clock */
    int64_t exit;
    bool has_exit;
};
struct pbs_jobs {
    struct pbs_job *v;
    size_t n;
};

/* Answers of qstat one after the other, in both forms, with whatever stands between them. `zone_s` is what the server's local
 * time is ahead of UTC: its dates name no zone. At most 4096 jobs are read; a job that comes twice is read once (the first). */
void pbs_jobs_read(const char *text, size_t n, int64_t zone_s, struct pbs_jobs *out);
void pbs_jobs_deinit(struct pbs_jobs *l);
const struct pbs_job *pbs_job_find(const struct pbs_jobs *l, const char *id); /* "18.login" is found as "18" too */

/* "Sat Nov 21 03:19:33 2026", or seconds since 1970; -1: neither. */
int64_t pbs_date(const char *text, int64_t zone_s);
/* "01:30:00", "1:01:30:00", "5400"; -1: none. */
int64_t pbs_seconds(const char *text);
/* Hosts of exec_host, each once, in their order: "n1/0*2+n2/0*2", "n1/0-3+n2/0-3". */
void pbs_hosts(const char *exec_host, struct rt_strs *out);
/* The id that qsub printed, among what a site's hooks print beside it; NULL: none. Gives it. */
char *pbs_submitted(const char *text);

/* ---- in plain words ---- */
enum pbs_wait {
    PBS_WAITS, /* will run when there is room */
    PBS_HELD,  /* somebody must release it */
    PBS_NEVER  /* accepted, but it cannot run as it was asked for */
};
/* Why a job does not run, and what a person may do about it; appends nothing when it does. */
enum pbs_wait pbs_why(const struct pbs_job *j, struct rt_buf *plain, struct rt_buf *todo);
/* How a job ended: "its walltime was over", "deleted by ray@login", "exit status 3". */
void pbs_end(const struct pbs_job *j, struct rt_buf *out);
/* The field of the configuration that a refusal of qsub means: "queue", "walltime", ...; NULL: none in particular. `sentence` is
 * the line that matters, without its prefix. */
const char *pbs_refused(const char *text, char *sentence, size_t size);

struct batch_dialect;
extern const struct batch_dialect pbs_dialect;
extern const char pbs_login_shell[], pbs_doctor_shell[], pbs_job_shell[]; /* pbs_shell.c */

#endif
