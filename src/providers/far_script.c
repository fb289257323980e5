/* Scripts for machines that are reached by SSH: what every provider does there in the same way. */
#include "base/shell.h"
#include "providers/far.h"
#include <stdlib.h>
#include <string.h>

void far_set(struct rt_buf *out, const char *name, const char *value) {
    rt_buf_addf(out, "%s=", name);
    rt_shell_word(out, value ? value : "");
    rt_buf_addc(out, '\n');
}

/* A word whose leading ~ is the far home. */
static void path_word(struct rt_buf *out, const char *path) {
    const bool home = rt_streq(path, "~") || rt_starts(path, "~/");
    if (home)
        rt_buf_adds(out, "\"$HOME\"");
    if (!home || path[1])
        rt_shell_word(out, home ? path + 1 : path);
}

void far_set_path(struct rt_buf *out, const char *name, const char *path) {
    rt_buf_addf(out, "%s=", name);
    path_word(out, path);
    rt_buf_addc(out, '\n');
}

void far_container(const struct far_conf *far, struct rt_buf *out) {
    struct rt_strs words = {0};
    struct rt_error ignored = {0};
    if (far && far->container)
        rt_split_words(far->container, &words, &ignored);
    for (size_t i = 0; i < words.n; i++) {
        path_word(out, words.v[i]);
        rt_buf_addc(out, ' ');
    }
    rt_strs_deinit(&words);
}

void far_begin(const struct far_conf *far, const char *cluster, struct rt_buf *out) {
    rt_buf_adds(out, "{\n"); /* read as a whole before it runs: nothing in it may read the rest of it as its input */
    rt_buf_adds(out, far_sh_common);
    rt_buf_adds(out, "D=$HOME/.raytui/");
    rt_shell_word(out, cluster);
    rt_buf_addf(out, "\nCONTAINER=%s\nwithin() { ", far && far->container ? "yes" : "");
    far_container(far, out);
    rt_buf_adds(out, "\"$@\"; }\n");
}

void far_end(struct rt_buf *out) {
    rt_buf_adds(out, "} </dev/null\n");
}

void far_activate(const struct far_conf *far, struct rt_buf *out) {
    for (size_t i = 0; i < far->python.activate.n; i++)
        rt_buf_addf(out, "%s\n", far->python.activate.v[i]);
    if (far->python.conda) {
        rt_buf_adds(out, "eval \"$(conda shell.bash hook)\" && conda activate ");
        rt_shell_word(out, far->python.conda);
        rt_buf_adds(out, " || exit 1\n");
    }
}

/* ---- Python and Ray ---- */

void far_where_ray(const struct far_conf *far, const char *cluster, bool requirements, struct rt_buf *out) {
    const char *want = far_version(far);
    far_set(out, "VERSION", want ? want : FAR_RAY_VERSION);
    rt_buf_adds(out, "V=\n");
    if (far->container) {
        rt_buf_adds(out, "RAY=ray\n");
    } else if (far_login_shell(far) && !far->python.venv) {
        rt_buf_adds(out, "RAY=$(command -v ray)\n");
    } else if (far->python.venv) {
        far_set_path(out, "V", far->python.venv);
        rt_buf_adds(out, "RAY=$V/bin/ray\n");
    } else if (requirements) {
        rt_buf_adds(out, "V=$HOME/.raytui/.venvs/");
        rt_shell_word(out, cluster);
        rt_buf_adds(out, "\nRAY=$V/bin/ray\n");
    } else {
        rt_buf_adds(out, "V=$HOME/.raytui/.venvs/ray-$VERSION\n"
                         "RAY=$(command -v ray)\n"
                         "fits \"$RAY\" || RAY=$V/bin/ray\n");
    }
}

/* Where nothing is installed by us it must be there, and fit. */
static void have_ray(const struct far_conf *far, struct rt_buf *out) {
    rt_buf_addf(out, "fits \"$RAY\" || {\n"
                     "    [ -n \"$V\" ] || die \"$(uname -n): %s there is $([ -n \"$have\" ] && echo \"Ray $have, not $WANT\" || echo \"no ray%s\")\"\n"
                     "    make_venv \"$V\" \"$VERSION\"\n"
                     "}\n", far->container ? "in the container" : "after python.activate", far->container ? "" : " on the PATH");
}

void far_prepare(const struct far_conf *far, const char *cluster, const char *node, const char *requirements, struct rt_buf *out) {
    far_begin(far, cluster, out);
    rt_buf_adds(out, far_sh_python);
    far_set(out, "NODE", node);
    far_set(out, "WANT", far_version(far));
    rt_buf_adds(out, "home\n"
                     "set -- $(sed 's/^.*) //' /proc/$$/stat 2>/dev/null || ps -o pgid= -o pgid= -o pgid= -p $$)\n"
                     "echo \"$$ $(started $$) $3\" >\"$D/$NODE.step\"\n");
    far_activate(far, out);
    if (far->python.index) {
        far_set(out, "PIP_INDEX_URL", far->python.index);
        rt_buf_adds(out, "export PIP_INDEX_URL\n");
    }
    far_where_ray(far, cluster, requirements != NULL, out);
    have_ray(far, out);
    rt_buf_adds(out, "PY=$(python_of \"$RAY\")\n");
    if (requirements) {
        rt_buf_adds(out, "printf %s ");
        rt_shell_word(out, requirements);
        rt_buf_adds(out, " >\"$D/$NODE.requirements\"\n"
                         "require \"$D/$NODE.requirements\"\n");
    }
    rt_buf_adds(out, "rm -f \"$D/$NODE.step\"\n"
                     "set -- ${SSH_CONNECTION-}\n"
                     "printf '%s\\n' \"ray $RAY\" \"python $PY\" \"address ${3-}\"\n");
    far_end(out);
}

void far_prepared(const char *text, char **ray, char **python, char **address) {
    struct {
        const char *key;
        char **to;
    } const lines[] = {{"ray ", ray}, {"python ", python}, {"address ", address}};
    while (*text) {
        const size_t len = strcspn(text, "\n");
        for (size_t i = 0; i < RT_COUNT(lines); i++) {
            const size_t k = strlen(lines[i].key);
            if (lines[i].to && len > k && strncmp(text, lines[i].key, k) == 0) {
                free(*lines[i].to);
                *lines[i].to = rt_strndup(text + k, len - k);
            }
        }
        text += len + (text[len] == '\n');
    }
}

/* ---- a node's command line ---- */

/* " \<newline>    'word'": the next word of a long line. */
static void far_option(struct rt_buf *out, const char *word) {
    rt_buf_adds(out, " \\\n    ");
    rt_shell_word(out, word);
}

void far_node_environment(struct rt_buf *out) {
    rt_buf_adds(out, "case $RAY in */*) PATH=$(dirname \"$RAY\"):$PATH ;; esac\n" /* a job's `python` is looked up on the PATH of its head */
                     "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S=" FAR_DRAIN_S "\n"
                     "export PATH TMPDIR RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S\n");
}

/* Ray opens its temporary directory to all users of the host, so it lies in one that is closed. */
void far_ray_start(const struct far_conf *far, const struct node_size *size, bool head, const char *name, struct rt_buf *out) {
    struct rt_strs words = {0};
    far_container(far, out);
    rt_buf_adds(out, "\"$RAY\" start");
    if (head)
        rt_buf_adds(out, " --head \\\n    --port=\"$GCS\" --temp-dir=\"$TMPDIR/r\" \\\n"
                         "    --dashboard-host=\"$DASHBOARD_IP\" --dashboard-port=\"$DASHBOARD\" "
                         "--ray-client-server-port=\"$CLIENT\"");
    else
        rt_buf_adds(out, " \\\n    --address=\"$HEAD_IP:$GCS\"");
    node_size_args(size, &words);
    if (name)
        rt_strs_addf(&words, "--node-name=%s", name);
    if (far->object_store_bytes)
        rt_strs_addf(&words, "--object-store-memory=%lld", (long long)far->object_store_bytes);
    for (size_t i = 0; i < words.n; i++)
        far_option(out, words.v[i]);
    rt_strs_deinit(&words);
    if (!name)
        rt_buf_adds(out, " \\\n    --node-name=\"$NODE_NAME\"");
    rt_buf_adds(out, " \\\n    --node-ip-address=\"$IP\" --dashboard-agent-listen-port=\"$AGENT\" --metrics-export-port=\"$METRICS\""
                     " \\\n    --block --disable-usage-stats --log-color=false ${RAY_OPTIONS-}\n");
}
