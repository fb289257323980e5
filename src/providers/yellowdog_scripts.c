/* What the nodes run: a task's script per role, the set-up of a bare machine, and what a person's own script lacks. */
#include "base/buf.h"
#include "base/mem.h"
#include "providers/yellowdog_impl.h"
#include <stdlib.h>
#include <string.h>

static const char head[] =
    "#!/usr/bin/env bash\n"
    "# Head: the platform runs this as a task on the head's node until the cluster is shut down.\n"
    "trap \"ray stop; echo Ray stopped\" EXIT\n"
    "set -eo pipefail\n"
    "VENV=/opt/yellowdog/agent/venv\n"
    "export PATH=$VENV/bin:$PATH\n"
    "\n"
    "args=(--head --port=6379 --num-cpus=0 --memory=0 --dashboard-host=0.0.0.0)\n"
    "if [ -n \"${OBSERVABILITY_HOST:-}\" ]; then\n"
    "    export RAY_PROMETHEUS_HOST=http://$OBSERVABILITY_HOST:9090\n"
    "    export RAY_GRAFANA_HOST=http://$OBSERVABILITY_HOST:3000\n"
    "    export RAY_GRAFANA_IFRAME_HOST=http://localhost:3000\n"
    "    args+=(--metrics-export-port=10002 --min-worker-port=10003 --max-worker-port=19999)\n"
    "    ! command -v alloy >/dev/null || alloy run /etc/alloy/config.alloy &\n"
    "fi\n"
    "ray start \"${args[@]}\" --block\n";

static const char worker[] =
    "#!/usr/bin/env bash\n"
    "# Worker: one task per node joins the head, whose address comes with the task.\n"
    "trap \"ray stop; echo Ray stopped\" EXIT\n"
    "set -eo pipefail\n"
    "VENV=/opt/yellowdog/agent/venv\n"
    "export PATH=$VENV/bin:$PATH\n"
    "\n"
    "args=(--address=\"$RAY_HEAD_IP:6379\")\n"
    "if [ -n \"${OBSERVABILITY_HOST:-}\" ]; then\n"
    "    args+=(--metrics-export-port=10002 --min-worker-port=10003 --max-worker-port=19999)\n"
    "    ! command -v alloy >/dev/null || alloy run /etc/alloy/config.alloy &\n"
    "fi\n"
    "ray start \"${args[@]}\" --block\n";

static const char observability[] =
    "#!/usr/bin/env bash\n"
    "# Observability: Prometheus on port 9090, which takes what the nodes' agents push, and Grafana on port 3000 with Ray's own\n"
    "# dashboards. Wants the packages prometheus and grafana where it cannot install them, and sudo.\n"
    "set -eo pipefail\n"
    "VENV=/opt/yellowdog/agent/venv\n"
    "export PATH=$VENV/bin:$PATH\n"
    "\n"
    "sudo apt-get install -y prometheus grafana\n"
    "echo 'ARGS=\"--web.enable-remote-write-receiver --enable-feature=remote-write-receiver\"' | sudo tee /etc/default/prometheus\n"
    "sudo mkdir -p /etc/grafana/provisioning/{datasources,dashboards} /var/lib/grafana/dashboards/ray\n"
    "sudo tee /etc/grafana/provisioning/datasources/prometheus.yaml <<'END'\n"
    "apiVersion: 1\n"
    "datasources:\n"
    "- {name: Prometheus, type: prometheus, url: \"http://localhost:9090\", isDefault: true}\n"
    "END\n"
    "sudo tee /etc/grafana/provisioning/dashboards/ray.yaml <<'END'\n"
    "apiVersion: 1\n"
    "providers:\n"
    "- {name: Ray, folder: Ray, type: file, options: {path: /var/lib/grafana/dashboards/ray}}\n"
    "END\n"
    "sudo tee -a /etc/grafana/grafana.ini <<'END'\n"
    "[security]\n"
    "allow_embedding = true\n"
    "[auth.anonymous]\n"
    "enabled = true\n"
    "org_role = Viewer\n"
    "END\n"
    "\n"
    "# a head that runs for a moment writes Ray's dashboards\n"
    "ray start --head --port=6379 --num-cpus=0\n"
    "sudo cp /tmp/ray/session_latest/metrics/grafana/dashboards/*.json /var/lib/grafana/dashboards/ray/\n"
    "ray stop\n"
    "sudo chown -R grafana:grafana /var/lib/grafana/dashboards\n"
    "sudo systemctl daemon-reload\n"
    "sudo systemctl restart prometheus grafana-server\n"
    "sleep infinity\n";

const char yd_userdata[] =
    "#!/usr/bin/env bash\n"
    "# Set-up of a bare Ubuntu, run as root when the machine starts. An image that has the platform's agent and Ray in\n"
    "# /opt/yellowdog/agent/venv needs none of it.\n"
    "set -eo pipefail\n"
    "RAY_VERSION=2.60.0\n"
    "AGENT_INSTALLER=  # address of the installer of the platform's agent (its documentation has it); empty: the image has the agent\n"
    "SSH_KEY=          # your public key, so that the dashboard can be reached: \"ssh-ed25519 AAAA... me@laptop\"\n"
    "\n"
    "AGENT=/opt/yellowdog/agent\n"
    "if [ -n \"$AGENT_INSTALLER\" ]; then\n"
    "    curl -LsSf \"$AGENT_INSTALLER\" | bash\n"
    "fi\n"
    "if [ -n \"$SSH_KEY\" ]; then\n"
    "    install -d -m 700 -o yd-agent -g yd-agent \"$AGENT/.ssh\"\n"
    "    echo \"$SSH_KEY\" >>\"$AGENT/.ssh/authorized_keys\"\n"
    "    chmod 600 \"$AGENT/.ssh/authorized_keys\"\n"
    "    chown yd-agent:yd-agent \"$AGENT/.ssh/authorized_keys\"\n"
    "fi\n"
    "apt-get update\n"
    "apt-get install -y python3-venv\n"
    "python3 -m venv \"$AGENT/venv\"\n"
    "\"$AGENT/venv/bin/pip\" install \"ray[default,client]==$RAY_VERSION\"\n"
    "chown -R yd-agent:yd-agent \"$AGENT/venv\"\n";

bool yd_init(const char *name, struct rt_strs *set, struct rt_init_files *out, struct rt_error *err) {
    static const struct {
        const char *file, *text;
    } files[] = {{"head.sh", head}, {"worker.sh", worker}, {"observability.sh", observability}, {"userdata.sh", yd_userdata}};
    (void)set; /* none of them is used before the person says so */
    (void)err;
    for (size_t i = 0; i < RT_COUNT(files); i++) {
        char *path = rt_strf("%s-%s", name, files[i].file);
        rt_buf_adds(rt_init_file(out, path), files[i].text);
        free(path);
    }
    return true;
}

const char *yd_script(enum yd_role role) {
    return role == YD_HEAD ? head : role == YD_WORKER ? worker : observability;
}

/* The script without lines that are only comments. */
static char *code_of(const char *script) {
    struct rt_buf b;
    rt_buf_init(&b, 0);
    for (const char *line = script; *line;) {
        const size_t n = strcspn(line, "\n"), blank = strspn(line, " \t");
        if (line[blank] != '#') {
            rt_buf_add(&b, line, n);
            rt_buf_addc(&b, '\n');
        }
        line += n + (line[n] == '\n');
    }
    return rt_buf_take(&b);
}

/* A `trap` on EXIT that stops Ray, or a function that may well do it. */
static bool has_trap(const char *code) {
    for (const char *at = strstr(code, "trap "); at; at = strstr(at + 1, "trap ")) {
        const size_t n = strcspn(at, "\n");
        char *line = rt_strndup(at, n);
        const bool on_exit = strstr(line, " EXIT") || strstr(line, " TERM");
        free(line);
        if (on_exit && strstr(code, "stop"))
            return true;
    }
    return false;
}

void yd_script_lacks(enum yd_role role, const char *script, struct rt_strs *out) {
    static const char *const holds[] = {"--block", "sleep infinity", "tail -f", "wait\n", "while true", "while :"};
    if (role == YD_OBSERVABILITY || !script)
        return;
    char *code = code_of(script);
    bool stays = !strstr(code, "ray start"); /* in a container, say: not for us to judge */
    for (size_t i = 0; i < RT_COUNT(holds) && !stays; i++)
        stays = strstr(code, holds[i]);
    if (!stays)
        rt_strs_add(out, "`ray start` without --block: the task ends at once, and its node is shut down as idle");
    if (!has_trap(code))
        rt_strs_add(out, "no `trap \"ray stop\" EXIT`: Ray goes on where the task is aborted but its machine stays");
    if (role == YD_WORKER && !strstr(code, "RAY_HEAD_IP") && !strstr(code, "RAY_HEAD_NODE_PRIVATE_IP"))
        rt_strs_add(out, "RAY_HEAD_IP is not used: the worker does not know its head");
    if (role == YD_HEAD && strstr(code, "ray start") && !strstr(code, "--head"))
        rt_strs_add(out, "`ray start` without --head: no head comes");
    free(code);
}
