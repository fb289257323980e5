/* `ray down` of a `local` cluster ends Ray on the head only: the workers would go on for a minute, and for good where they do not
 * notice. They are reached from the head, with the key that `ray up` put there. */
#include "base/shell.h"
#include "providers/launcher.h"
#include <stdlib.h>
#include <string.h>

/* On each host, after `set --` with the GCS' address and its port: only what this user runs, and of that what belongs to this GCS
 * with its children (agents give themselves other names). Prints how many did not end. */
static const char sweeper[] =
    "find_ray() {\n"
    "    ps -ww -u \"$(id -u)\" -o pid= -o ppid= -o args= | awk -v gcs=\"address=$1\" -v start=\"RAY_HEAD_IP=${1%%:*};\" -v port=\"gcs_server_port=$2\" '\n"
    "        function has(word) { return index($0 \" \", word \" \") > 0 }\n"
    "        { up[$1] = $2; if (/ray/ && !/awk/ && (has(gcs) || index($0, start) || (/gcs_server/ && has(port)))) own[$1] = 1 }\n"
    "        END {\n"
    "            do { more = 0; for (p in up) if (!(p in own) && (up[p] in own)) { own[p] = 1; more = 1 } } while (more)\n"
    "            for (p in own) print p\n"
    "        }'\n"
    "}\n"
    "living() { for p; do kill -0 \"$p\" 2>/dev/null && case $(ps -o stat= -p \"$p\") in Z*|'') ;; *) echo \"$p\" ;; esac; done; }\n"
    "all= n=0 quiet=0\n"
    "while [ $n -lt 40 ] && [ $quiet -lt 3 ]; do\n" /* one that was just being started may come yet */
    "    all=$(living $all $(find_ray \"$1\" \"$2\") | sort -u)\n"
    "    if [ -z \"$all\" ]; then quiet=$((quiet + 1)); else quiet=0; fi\n"
    "    [ -n \"$all\" ] && [ $((n % 4)) = 0 ] && kill -TERM $all 2>/dev/null\n"
    "    [ -n \"$all\" ] && [ $n -ge 10 ] && kill -KILL $all 2>/dev/null\n"
    "    n=$((n + 1))\n"
    "    sleep 0.5\n"
    "done\n"
    "set -- $all\n"
    "echo \"left $#\"\n";

static void set(struct rt_buf *out, const char *name, const char *value) {
    rt_buf_addf(out, "%s=", name);
    rt_shell_word(out, value ? value : "");
    rt_buf_addc(out, '\n');
}

void launcher_far_sweep(const struct rt_provider *p, struct rt_buf *out) {
    const struct rt_launcher_file *f = &p->file;
    char *gcs = rt_strf("%s:%d", f->head_ip ? f->head_ip : p->head, f->gcs_port), *port = rt_strf("%d", f->gcs_port);
    const char *const words[] = {"set", "--", gcs, port, NULL};
    char *line = rt_shell_join(words), *script = rt_strf("%s\n%s", line, sweeper);
    set(out, "SWEEPER", script);
    set(out, "LOGIN", f->auth.user);
    free(script);
    free(line);
    free(gcs);
    free(port);
    rt_buf_adds(out, "one() {\n"
                     "    said=$(printf '%s' \"$SWEEPER\" | ssh -i ~/ray_bootstrap_key.pem -o BatchMode=yes -o StrictHostKeyChecking=accept-new \\\n"
                     "        -o LogLevel=ERROR -o ConnectTimeout=10 -- \"$LOGIN@$1\" sh -s 2>/dev/null)\n"
                     "    case \"$said\" in left*) echo \"$said $1\" ;; *) echo \"unreached $1\" ;; esac\n"
                     "}\n"
                     "here() { printf '%s' \"$SWEEPER\" | sh -s | sed 's/$/ the head/'; }\n"
                     "here &\n"
                     "if [ -f ~/ray_bootstrap_key.pem ]; then\n");
    for (size_t i = 0; i < f->worker_ips.n; i++) {
        rt_buf_adds(out, "one ");
        rt_shell_word(out, f->worker_ips.v[i]);
        rt_buf_adds(out, " &\n");
    }
    rt_buf_adds(out, ":\nfi\nwait\necho swept\n");
}

bool launcher_far_swept(const char *out, struct rt_error *err) {
    struct rt_buf left, unreached;
    bool over = false;
    rt_buf_init(&left, 4096);
    rt_buf_init(&unreached, 4096);
    *err = (struct rt_error){0};
    while (*out) {
        const size_t n = strcspn(out, "\n");
        char line[300], clean[300];
        snprintf(line, sizeof line, "%.*s", (int)RT_MIN(n, sizeof line - 1), out);
        rt_clean_to(clean, sizeof clean, line);
        over = over || rt_streq(line, "swept");
        if (rt_starts(line, "unreached "))
            rt_buf_addf(&unreached, "%s%s", unreached.len ? ", " : "", clean + strlen("unreached "));
        else if (rt_starts(line, "left ") && !rt_starts(line, "left 0 "))
            rt_buf_addf(&left, "%s%s", left.len ? ", " : "", clean + strlen("left "));
        out += n + (out[n] == '\n');
    }
    if (over && left.len)
        rt_error_set(err, RT_E_PARTIAL, "processes that did not end: %.400s", rt_buf_str(&left));
    else if (over && unreached.len)
        rt_error_set(err, RT_E_PARTIAL, "not reached from the head: %.400s", rt_buf_str(&unreached));
    rt_buf_deinit(&left);
    rt_buf_deinit(&unreached);
    return over && !err->code;
}
