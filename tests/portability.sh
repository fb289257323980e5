#!/bin/bash
# portability.sh [WORK-DIR]: compiles every source of src/ against the headers of macOS, to find calls that
# only Linux has. The compiler and Apple's C library headers come with the Python package ziglang, kept in
# ${XDG_CACHE_HOME:-$HOME/.cache}/raytui-tests; the headers of the libraries are this machine's, seen through
# a directory of links, so that the C library of this machine stays out of sight. Exit status 77: skipped.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=${1:-$root/build/portability}
version=0.17.0
skip() { echo "portability: skipped: $*"; exit 77; }
die() { echo "portability: $*" >&2; exit 1; }

# ---- the compiler
venv=${XDG_CACHE_HOME:-$HOME/.cache}/raytui-tests/ziglang-$version
if [ ! -e "$venv/.ready" ]; then
    python=python3; [ ! -x /usr/bin/python3 ] || python=/usr/bin/python3
    rm -rf "$venv"; mkdir -p "$(dirname "$venv")"
    $python -m venv "$venv" >/dev/null 2>&1 || skip "no Python virtual environment can be made (python3-venv)"
    "$venv/bin/pip" install -q --disable-pip-version-check "ziglang==$version" >"$venv/pip.log" 2>&1 ||
        skip "ziglang $version cannot be installed: $(tail -n 1 "$venv/pip.log")"
    touch "$venv/.ready"
fi
mkdir -p "$work"; work=$(cd "$work" && pwd)
export ZIG_LOCAL_CACHE_DIR=$work/cache ZIG_GLOBAL_CACHE_DIR=$work/cache
target="$venv/bin/python -m ziglang cc -target aarch64-macos"

# ---- the libraries' headers
links=$work/include
rm -rf "$links"; mkdir -p "$links"
headers="uv.h curl/curl.h libssh2.h jansson.h yaml.h zip.h pcre2.h openssl/evp.h ncurses.h"
cflags=$(pkg-config --cflags libuv libcurl libssh2 jansson yaml-0.1 libzip libpcre2-8 libcrypto ncursesw)
for h in $headers; do
    # shellcheck disable=SC2086
    found=$(printf '#define PCRE2_CODE_UNIT_WIDTH 8\n#include <stddef.h>\n#include <stdio.h>\n#include <%s>\n' "$h" |
        cc $cflags -E -M -x c - 2>/dev/null | tr ' ' '\n') || die "no header $h: what a build needs is not installed"
    # every file of the library that this header draws in, with its place inside the include directory
    while IFS= read -r f; do
        case $f in
        */openssl/*) to=openssl/${f##*/openssl/} ;;
        */curl/*.h) to=curl/${f##*/curl/} ;;
        */uv/*.h) to=uv/${f##*/uv/} ;;
        */uv.h | */libssh2*.h | */jansson*.h | */yaml.h | */zip.h | */zipconf.h | */pcre2.h | \
            */ncurses.h | */ncurses_dll.h | */curses.h | */unctrl.h) to=${f##*/} ;;
        *) continue ;;
        esac
        mkdir -p "$links/$(dirname "$to")"; ln -sf "$f" "$links/$to"
    done <<<"$found"
done
# what these headers include only elsewhere, or what sources include besides
dir_of() { dirname "$(readlink "$links/$1")"; }
for f in "$(dir_of uv.h)"/uv/*.h; do ln -sf "$f" "$links/uv/"; done
for f in "$(dir_of curl/curl.h)"/*.h; do ln -sf "$f" "$links/curl/"; done
for f in "$(dir_of openssl/evp.h)"/*.h; do [ -e "$links/openssl/${f##*/}" ] || ln -sf "$f" "$links/openssl/"; done
for f in "$(dir_of libssh2.h)"/libssh2*.h; do ln -sf "$f" "$links/"; done
for f in ncurses.h term.h unctrl.h; do [ -e "$links/$f" ] || ln -sf "$(dir_of curses.h)/$f" "$links/$f"; done

# ---- the sources
flags="-std=c17 -D_POSIX_C_SOURCE=200809L -D_DARWIN_C_SOURCE -DRT_VERSION=\"0\" -DRT_DATADIR=\"/usr/share/raytui\"
    -DRT_SOURCE_DIR=\"$root\" -DNCURSES_WIDECHAR=1 -I$root/src -isystem $links -w -ferror-limit=4
    -Werror=implicit-function-declaration -Werror=int-conversion -Werror=incompatible-pointer-types"
compile() { # SOURCE: its errors, or nothing
    local out=$work/$(printf '%s' "$1" | tr '/' '_').o
    # shellcheck disable=SC2086
    $target $flags -c "$1" -o "$out" 2>&1
}
export -f compile; export target flags work

# a call that only Linux has must be found
printf '#include <sys/epoll.h>\nint main(void) { return epoll_create1(0); }\n' >"$work/linux.c"
printf '#include <unistd.h>\nint main(void) { return (int)gettid(); }\n' >"$work/gettid.c"
{
    echo '#include <unistd.h>'; echo '#define PCRE2_CODE_UNIT_WIDTH 8'
    for h in $headers term.h; do echo "#include <$h>"; done
    echo 'int main(void) { return (int)getpid(); }'
} >"$work/good.c"
for f in linux gettid; do
    if compile "$work/$f.c" >/dev/null; then die "the check does not find a Linux-only call ($f.c)"; fi
done
compile "$work/good.c" || die "the check refuses a good source"

sources() { find "$root/src" -name '*.c' | LC_ALL=C sort; }
# shellcheck disable=SC2016
if ! sources | xargs -P "$(getconf _NPROCESSORS_ONLN)" -I{} bash -c '
    out=$(compile "$1") || { printf "%s\n" "$out"; exit 1; }' _ {}; then
    die "sources that do not compile for macOS: see above"
fi
echo "portability: $(sources | wc -l | tr -d ' ') sources compile against the headers of macOS"
