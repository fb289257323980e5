# lib.sh: what scripts/run, scripts/test and scripts/bench share (sourced, not run): words on the
# terminal, the packages of each system, configuring and building.
# shellcheck shell=bash
#
#   RAYTUI_NO_INSTALL=1   never install packages: name what is missing and stop

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ -z "${HOME:-}" ]; then HOME=$(mktemp -d) && export HOME; fi

say() { printf '==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
cores() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }

# ---- packages ------------------------------------------------------------------------------------

# package_system: apt, dnf, brew or none
package_system() {
    if [ "$(uname)" = Darwin ]; then if have brew; then echo brew; else echo none; fi
    elif have apt-get; then echo apt
    elif have dnf; then echo dnf
    else echo none; fi
}

# packages SYSTEM KIND: the names of what is needed to build, test, fuzz or bench
packages() {
    case $1:$2 in
    apt:build) echo "gcc libc6-dev cmake ninja-build pkg-config libuv1-dev libcurl4-openssl-dev libssh2-1-dev
        libjansson-dev libyaml-dev libzip-dev libpcre2-dev libssl-dev libncurses-dev ncurses-term openssh-client
        python3 python3-venv ca-certificates" ;;
    apt:test) echo "libcmocka-dev libvterm-dev openssh-server iproute2 iptables util-linux openssl libpam-oath
        oathtool procps curl ccache git" ;;
    apt:fuzz) echo "clang $(apt_clang_runtime)" ;;
    apt:bench) echo "htop btop lnav less time gcc libc6-dev curl openssh-server iproute2 iptables util-linux openssl libpam-oath oathtool procps" ;;
    dnf:build) echo "gcc cmake ninja-build pkgconf-pkg-config libuv-devel libcurl-devel libssh2-devel jansson-devel
        libyaml-devel libzip-devel pcre2-devel openssl-devel ncurses-devel ncurses-term openssh-clients python3
        ca-certificates" ;;
    dnf:test) echo "libcmocka-devel libvterm-devel openssh-server iproute iptables-nft util-linux openssl pam_oath
        oathtool procps-ng curl ccache git libasan libubsan" ;;
    dnf:fuzz) echo "clang compiler-rt" ;;
    dnf:bench) echo "htop btop lnav less time gcc curl openssh-server iproute iptables-nft util-linux openssl pam_oath oathtool procps-ng" ;;
    brew:build) echo "cmake ninja pkg-config libuv curl libssh2 jansson libyaml libzip pcre2 openssl@3 ncurses python3" ;;
    brew:test) echo "cmocka libvterm ccache" ;;
    brew:fuzz) echo "llvm" ;;
    brew:bench) echo "htop btop lnav" ;;
    esac
}

# clang's run-time libraries carry its version in their name
apt_clang_runtime() {
    local v
    v=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9][0-9]*\)$/\1/p' | head -n 1)
    if [ -n "$v" ] && [ -n "$(apt-cache madison "libclang-rt-$v-dev" 2>/dev/null)" ]; then echo "libclang-rt-$v-dev"; fi
}

# missing SYSTEM NAME...: those that are not installed, one a line
missing() {
    local system=$1 p; shift
    for p in "$@"; do
        case $system in
        apt) dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || echo "$p" ;;
        dnf) rpm -q --whatprovides "$p" >/dev/null 2>&1 || echo "$p" ;;
        brew) brew list --versions "$p" >/dev/null 2>&1 || echo "$p" ;;
        esac
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif [ -t 0 ]; then sudo "$@"
    else sudo -n "$@"; fi
}

# install_packages KIND...: installs what is missing of these lists, or says what to install and stops
install_packages() {
    local system kind names='' lacking command log
    system=$(package_system)
    [ "$system" != none ] || { require_tools "$@"; return 0; }
    for kind in "$@"; do names="$names $(packages "$system" "$kind")"; done
    # shellcheck disable=SC2086
    lacking=$(missing "$system" $names | tr '\n' ' ')
    [ -n "$lacking" ] || return 0
    case $system in
    apt) command="apt-get install -y --no-install-recommends $lacking" ;;
    dnf) command="dnf install -y --setopt=install_weak_deps=False $lacking" ;;
    brew) command="brew install $lacking" ;;
    esac
    [ -z "${RAYTUI_NO_INSTALL:-}" ] || die "these packages are missing: $lacking"
    if [ "$system" != brew ] && [ "$(id -u)" != 0 ] && ! have sudo; then
        die "these packages are missing, and only root can install them: $command"
    fi
    say "installing ${lacking% }"
    log=$(mktemp)
    if ! run_install "$system" $lacking >"$log" 2>&1; then
        tail -n 8 "$log" >&2
        die "the packages could not be installed ($command); all of its output: $log"
    fi
    rm -f "$log"
}

run_install() {
    local system=$1 ssh_was; shift
    case $system in
    apt)
        # sshd is wanted as a program for the tests, not as a service of this machine
        ssh_was=$(missing apt openssh-server)
        as_root apt-get update -q || true
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" || return 1
        case "$ssh_was $*" in *openssh-server*openssh-server*) keep_sshd_off ssh ;; esac ;;
    dnf) as_root dnf install -y -q --setopt=install_weak_deps=False "$@" ;;
    brew) brew install -q "$@" ;;
    esac
}
keep_sshd_off() {
    if [ -d /run/systemd/system ]; then as_root systemctl disable --now "$1" || true; fi
}

# require_tools KIND...: on a system whose packages we do not know, what a build needs is looked for
require_tools() {
    local t lacking=''
    for t in cmake ninja pkg-config cc; do have $t || lacking="$lacking $t"; done
    if have pkg-config; then
        for t in libuv libcurl libssh2 jansson yaml-0.1 libzip libpcre2-8 libcrypto ncursesw; do
            pkg-config --exists $t || lacking="$lacking $t"
        done
        case " $* " in *" test "*) for t in cmocka vterm; do pkg-config --exists $t || lacking="$lacking $t"; done ;; esac
    fi
    [ -z "$lacking" ] || die "neither apt-get, dnf nor brew is here; please install:$lacking"
}

# Homebrew keeps some libraries out of the way of the system's own
brew_paths() {
    local p d
    [ "$(package_system)" = brew ] || return 0
    for p in curl openssl@3 ncurses libssh2; do
        d=$(brew --prefix "$p" 2>/dev/null)/lib/pkgconfig
        [ ! -d "$d" ] || PKG_CONFIG_PATH=$d${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
    done
    export PKG_CONFIG_PATH
}

# ---- building ------------------------------------------------------------------------------------

# configure PRESET [OPTION...]: build/PRESET; quiet unless it fails
configure() {
    local preset=$1 log; shift
    brew_paths
    mkdir -p "$ROOT/build"
    log=$ROOT/build/$preset.configure.log
    if have ccache; then set -- "$@" -DCMAKE_C_COMPILER_LAUNCHER=ccache; fi
    (cd "$ROOT" && cmake --preset "$preset" "$@") >"$log" 2>&1 ||
        { tail -n 12 "$log" >&2; return 1; }
}

# build PRESET [TARGET...]: with a moving counter on a terminal, only the errors elsewhere
build() {
    local preset=$1 log status=0; shift
    log=$ROOT/build/$preset.build.log
    set -- --build --preset "$preset" -j "$(cores)" ${1:+--target "$@"}
    if [ -t 1 ]; then
        (cd "$ROOT" && NINJA_STATUS='    [%f/%t] ' cmake "$@") || status=1
    else
        (cd "$ROOT" && cmake "$@") >"$log" 2>&1 || { grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking)' "$log" | head -n 60; status=1; }
    fi
    return $status
}
