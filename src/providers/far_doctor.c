/* What a machine has and lacks for a Ray on it. */
#include "base/shell.h"
#include "providers/far.h"

static const char sh_say[] =
    "say() { printf '%s\\t%s\\t%s\\n' \"$1\" \"$HOST\" \"$2\"; }\n"
    "is() { printf 'is\\t%s\\t%s\\n' \"$1\" \"$2\"; }\n"
    "gib() { awk -v k=\"$1\" 'BEGIN { printf \"%.1f GiB\", k / 1048576 }'; }\n"
    "# free_in DIR: free KiB of the file system that the nearest directory above it is on.\n"
    "free_in() {\n"
    "    dir=$1\n"
    "    until [ -d \"$dir\" ]; do dir=$(dirname \"$dir\"); done\n"
    "    df -Pk \"$dir\" 2>/dev/null | awk 'NR == 2 { print $4 }'\n"
    "}\n"
    "# writable DIR: made if it is not there, as `up` would; left as it was.\n"
    "writable() {\n"
    "    made=''\n"
    "    [ -d \"$1\" ] || { mkdir -p \"$1\" 2>/dev/null && made=yes; } || return 1\n"
    "    probe=$(mktemp \"$1/.raytui-XXXXXX\" 2>/dev/null) && rm -f \"$probe\"\n"
    "    status=$?\n"
    "    [ -z \"$made\" ] || rmdir \"$1\" 2>/dev/null\n"
    "    return $status\n"
    "}\n";

static const char sh_machine[] =
    "gpus=$(nvidia-smi -L 2>/dev/null | grep -c '^GPU')\n"
    "cpus=$(getconf _NPROCESSORS_ONLN 2>/dev/null)\n"
    "[ \"${gpus:-0}\" = 0 ] || gpus=\", $gpus GPUs\"\n"
    "say ok \"$(uname -n), $(uname -sr), ${cpus:-?} CPUs${gpus#0}\"\n"
    "if [ -r /proc/meminfo ]; then\n"
    "    free=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo) all=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)\n"
    "    if [ \"${free:-0}\" -lt 1048576 ]; then say warn \"memory: $(gib \"$free\") of $(gib \"$all\") free: a Ray node wants 1 GiB and more\"\n"
    "    else say ok \"memory: $(gib \"$free\") of $(gib \"$all\") free\"; fi\n"
    "fi\n"
    "if writable \"$HOME/.raytui\"; then say ok \"home: $HOME, $(gib \"$(free_in \"$HOME\")\") free\"\n"
    "else say bad \"home: nothing can be written in $HOME/.raytui\"; fi\n"
    "free=$(free_in \"$BASE\")\n"
    "if ! writable \"$BASE\"; then say bad \"temp_dir: nothing can be written in $BASE: name another temp_dir\"\n"
    "elif [ \"${free:-0}\" -lt 1048576 ]; then say warn \"temp_dir: $BASE has $(gib \"$free\") free: logs and spilled objects want more; name another temp_dir\"\n"
    "else say ok \"temp_dir: $BASE, $(gib \"$free\") free\"; fi\n"
    "free=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')\n"
    "[ -z \"$free\" ] || [ $((free / 1024)) -ge \"$STORE_MB\" ] ||\n"
    "    say warn \"object store: /dev/shm has $(gib \"$free\") free, $STORE_MB MiB are wanted: Ray would use its temporary directory, slowly\"\n";

static const char sh_python[] =
    "py=$(command -v python3)\n"
    "if fits \"$RAY\"; then\n"
    "    PY=$(python_of \"$RAY\")\n"
    "    say ok \"Ray $have, $RAY\"\n"
    "    is ray \"$have\"\n"
    "elif [ -n \"$have\" ]; then\n"
    "    PY=$(python_of \"$RAY\")\n"
    "    say bad \"Ray $have in $RAY, not $WANT: say python.ray: $have, or name another python.venv\"\n"
    "    is ray \"$have\"\n"
    "elif [ -z \"$V\" ]; then\n"
    "    PY=$py\n"
    "    say bad \"no ray $WHERE\"\n"
    "elif [ -z \"$py\" ]; then\n"
    "    say bad \"no Ray in $V, and no python3 to install it with: load one in python.activate, or name python.venv\"\n"
    "elif ! python3 -c 'import venv, ensurepip' 2>/dev/null && ! [ -x \"$V/bin/pip\" ]; then\n"
    "    PY=$py\n"
    "    say bad \"no Ray in $V, and Python's venv module is not installed (Debian: python3-venv)\"\n"
    "elif [ \"$(free_in \"$V\")\" -lt 1572864 ]; then\n"
    "    PY=$py\n"
    "    say bad \"no Ray in $V, and $(gib \"$(free_in \"$V\")\") free where 1.5 GiB are wanted: name another python.venv\"\n"
    "else\n"
    "    PY=$py\n"
    "    say warn \"no Ray in $V: \\`up\\` installs $VERSION there, about 400 MB\"\n"
    "    is ray \"$VERSION\"\n"
    "fi\n"
    "if [ -n \"$PY\" ] && version=$(within \"$PY\" -c 'import platform; print(platform.python_version())' 2>/dev/null); then\n"
    "    say ok \"Python $version, $PY\"\n"
    "    is python \"$version\"\n"
    "else\n"
    "    say bad 'no Python that runs'\n"
    "    exit 0\n"
    "fi\n";

static const char sh_ports[] =
    "if alive \"$D/head.pid\"; then\n"
    "    say ok 'its head runs'\n"
    "else\n"
    "    taken=$(net taken $PORTS)\n"
    "    if [ -z \"$taken\" ]; then say ok \"ports $PORTS are free\"\n"
    "    else say ok \"taken already: port $(echo $taken | sed 's/ /, /g'); the next free one is used instead\"; fi\n"
    "fi\n";

void far_doctor(const struct far_conf *far, const char *cluster, const char *host, bool head, bool requirements, struct rt_buf *out) {
    far_begin(far, cluster, out);
    rt_buf_adds(out, far_sh_python);
    rt_buf_adds(out, far_sh_net);
    rt_buf_adds(out, sh_say);
    far_set(out, "HOST", host);
    far_set(out, "WANT", far_version(far));
    far_set_path(out, "BASE", far->temp_dir ? far->temp_dir : "/tmp");
    rt_buf_addf(out, "WHERE='%s'\nPY=\nSTORE_MB=%lld\nPORTS='%d %d %d'\n",
                far->container ? "in the container" : "on the PATH after python.activate", (long long)far->object_store_bytes / (1024 * 1024),
                far->dashboard_port ? (int)far->dashboard_port : 8265, far->client_port ? (int)far->client_port : 10001,
                far->gcs_port ? (int)far->gcs_port : 6379);
    rt_buf_adds(out, sh_machine);
    far_activate(far, out);
    far_where_ray(far, cluster, requirements, out);
    rt_buf_adds(out, sh_python);
    if (head)
        rt_buf_adds(out, sh_ports);
    rt_buf_adds(out, "is clock \"$(date +%s)\"\nexit 0\n");
    far_end(out);
}
