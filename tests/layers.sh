#!/bin/bash
# layers.sh [SRC]: reads the #include lines of src/ and fails when one points the wrong way. Checks
# itself first: each kind of wrong include must be found, and the right ones must pass.
set -euo pipefail

# check SRC: prints the wrong includes; false when there are any
check() {
    find "$1" -name '*.[ch]' | LC_ALL=C sort | (cd "$1" && sed "s|^$1/||" | tr '\n' '\0' | xargs -0 awk '
    BEGIN {
        # layer -> the layers it may include besides itself
        sees["base"] = " "
        sees["net"] = " base "
        sees["core"] = " base net "
        sees["ray"] = " base net core "
        sees["providers"] = " base net core "
        sees["app"] = " base net core ray providers "
        sees["ui"] = " base net core app "
        sees["cli"] = " base net core app "
        sees["main"] = " base net core ray providers app ui cli "
    }
    function wrong(why) { printf "%s:%d: %s: %s\n", FILENAME, FNR, $0, why; bad = 1 }
    FNR == 1 { layer = FILENAME; if (!sub(/\/.*/, "", layer)) layer = "main"; if (!(layer in sees)) { print FILENAME ": no such layer: " layer; bad = 1; sees[layer] = "" } }
    /^[ \t]*#[ \t]*include[ \t]*</ {
        name = $0; sub(/^[^<]*</, "", name); sub(/>.*/, "", name)
        if (name ~ /^(ncursesw?\/)?(n?curses|term|panel)\.h$/ && FILENAME !~ /^ui\/term[a-z_]*\.c$/) wrong("only ui/term*.c may see curses")
        if (name ~ /^(uv\.h|uv\/.*|libssh2.*\.h|curl\/.*)$/ && layer != "net") wrong("only net may see it")
    }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
        name = $0; sub(/^[^"]*"/, "", name); sub(/".*/, "", name)
        if (name ~ /\.\./) { wrong("a path from src/ is wanted"); next }
        if (name ~ /\.c$/) { wrong("a source is not included"); next }
        target = name
        if (!sub(/\/.*/, "", target)) next # a file beside this one
        if (!(target in sees)) wrong("no such layer")
        else if (target != layer && !index(sees[layer], " " target " ")) wrong(layer " does not see " target)
    }
    END { exit bad }' /dev/null)
}

self_test() {
    local dir n=0 file line
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' RETURN
    fresh() { rm -rf "${dir:?}"/*; mkdir -p "$dir"/{base,net,core,ray,providers,app,ui,cli}; }
    while IFS='|' read -r file line; do
        fresh; printf '/* x */\n%s\n' "$line" >"$dir/$file"
        if check "$dir" >/dev/null; then echo "layers: not found: $line in $file"; return 1; fi
        n=$((n + 1))
    done <<'BAD'
base/a.c|#include "net/http.h"
net/a.h|#include "core/store.h"
core/a.c|# include "ray/client.h"
ray/a.c|#include "providers/local.h"
providers/a.c|#include "ray/client.h"
ui/a.c|#include "ray/client.h"
ui/a.c|#include "cli/out.h"
cli/a.c|#include "ui/app.h"
ui/view.c|#include <ncurses.h>
ui/term.h|#include <curses.h>
ui/a.c|  #  include  <ncursesw/curses.h>
core/a.c|#include <uv.h>
ray/a.c|#include <curl/curl.h>
app/a.c|#include <libssh2.h>
core/a.c|#include "../ui/app.h"
core/a.c|#include "store.c"
core/a.c|#include "extra/a.h"
a.c|#include <uv.h>
BAD
    while IFS='|' read -r file line; do
        fresh; printf '%s\n' "$line" >"$dir/$file"
        if ! check "$dir"; then echo "layers: wrongly refused: $line in $file"; return 1; fi
        n=$((n + 1))
    done <<'GOOD'
net/a.c|#include "base/buf.h"
net/a.c|#include <uv.h>
net/a.c|#include <curl/curl.h>
net/ssh.c|#include <libssh2.h>
ui/term.c|#include <ncurses.h>
ui/term_colour.c|#include <curses.h>
ui/a.c|#include "app/app.h"
app/a.c|#include "ray/client.h"
main.c|#include "ui/app.h"
base/a.c|#include "buf.h"
base/a.c|#include <stdio.h>
GOOD
    echo "layers: $n examples judged rightly"
}

src=${1:-$(cd "$(dirname "$0")/../src" && pwd)}
self_test
check "$src"
echo "layers: $(find "$src" -name '*.[ch]' | wc -l | tr -d ' ') files point one way"
