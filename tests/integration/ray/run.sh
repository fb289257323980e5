#!/bin/bash
# run.sh PROGRAM VERSION [--token]: a real head for PROGRAM, which finds it in the environment (RTB_*).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$1 version=$2 token=${3:-}
venv=${XDG_CACHE_HOME:-$HOME/.cache}/raytui-tests/ray-$version
if [ ! -e "$venv/.ready" ]; then
    echo "skipped: no Ray $version here (tests/testbed/ray-venv.sh $version makes it)"
    exit 77
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/rt-ray-real-XXXXXX")
trap '"$here/../../testbed/ray-local.sh" down "$dir/head" || true; rm -rf "$dir"' EXIT
"$here/../../testbed/ray-local.sh" up "$dir/head" "$version" $token >"$dir/up.log" 2>&1 || { cat "$dir/up.log"; exit 1; }
. "$dir/head/env"
export RTB_DASHBOARD=$DASHBOARD RTB_TEMP_DIR=$TEMP_DIR RTB_VERSION=$version RTB_PYTHON=$venv/bin/python
export RTB_AGENT_PORT=$AGENT_PORT RTB_TOKEN_FILE=${TOKEN_FILE:-}
"$program"
