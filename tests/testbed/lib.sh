# lib.sh: functions of the testbed scripts (sourced, not run). Root, Debian 12.
#
# A "host" is a set of namespaces on this machine: own network, pid, mount, uts and ipc
# namespace, own /etc (users, sshd, hostname), own /home /root /tmp /run /var/log /dev/shm.
# /usr is the machine's. /srv is one directory that every host of a testbed sees (the
# "shared file system" of a cluster). Nothing of the machine's own /etc is changed.
#
#   RTB_PREFIX  name of the testbed: namespace and interface prefix   (default rtb)
#   RTB_NET     first two octets of its private networks              (default 10.77)

RTB_PREFIX=${RTB_PREFIX:-rtb}
RTB_NET=${RTB_NET:-10.77}
RTB_PASSWORD=${RTB_PASSWORD:-correct-horse}
RTB_LOCK=/run/lock/raytui-testbed

rtb_state() { # [STATE-DIR] -> absolute state dir
    local s=${1:-${XDG_RUNTIME_DIR:-/tmp}/raytui-testbed}
    mkdir -p "$s" && (cd "$s" && pwd -P)
}
rtb_die() { echo "testbed: $*" >&2; exit 1; }
rtb_need_root() { [ "$(id -u)" = 0 ] || rtb_die "needs root (see hosts-lo-up.sh for a variant without root)"; }

# rtb_packages PKG...: installs what is missing, without letting any of it start a daemon
rtb_packages() {
    local missing=() p pol=/usr/sbin/policy-rc.d
    for p in "$@"; do
        dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
    done
    [ ${#missing[@]} = 0 ] && return 0
    ( # one at a time, and none while a host gets its copy of /etc
        flock 9
        echo "testbed: installing ${missing[*]}" >&2
        if [ ! -e $pol ]; then printf '#!/bin/sh\nexit 101\n' >$pol; chmod 755 $pol; trap 'rm -f $pol' EXIT; fi
        apt-get update -qq || true
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    ) 9>"$RTB_LOCK"
}

rtb_ns()   { echo "$RTB_PREFIX-$1"; }
rtb_dir()  { echo "$S/hosts/$1"; }
rtb_pid()  { cat "$(rtb_dir "$1")/init.pid" 2>/dev/null; }
rtb_up()   { local p; p=$(rtb_pid "$1") && [ -n "$p" ] && [ -e "/proc/$p" ] &&
             grep -qa "rtb-init-$RTB_PREFIX-$1" "/proc/$p/cmdline" 2>/dev/null; }
# rtb_in HOST CMD...: runs CMD as root inside the host
rtb_in()   { local h=$1 p; shift; p=$(rtb_pid "$h") || return 1
             nsenter -t "$p" -m -u -i -n -p -- "$@"; }

# rtb_user ETC NAME UID SHELL [HASH]: adds a user to a host's private /etc
rtb_user() {
    local e=$1 n=$2 u=$3 sh=$4 hash=${5:-*}
    grep -q "^$n:" "$e/passwd" && return 0
    echo "$n:x:$u:$u::/home/$n:$sh" >>"$e/passwd"
    echo "$n:$hash:19000:0:99999:7:::" >>"$e/shadow"
    echo "$n:x:$u:" >>"$e/group"
}

# rtb_prepare HOST: private trees of a host; its users; its host keys
rtb_prepare() {
    local h=$1 d u; d=$(rtb_dir "$h")
    mkdir -p "$d"/{etc,home,root,tmp,run,log,spool}
    chmod 755 "$S" "$S/hosts" "$d" "$d"/{etc,home,run,log,spool}; chmod 700 "$d/root"; chmod 1777 "$d/tmp"
    if [ -e "$d/etc/.ready" ]; then   # system users of packages installed since
        local f; for f in passwd group shadow; do
            awk -F: 'NR==FNR{have[$1]=1;next} !($1 in have)' "$d/etc/$f" "/etc/$f" >"$d/new"; cat "$d/new" >>"$d/etc/$f"; rm -f "$d/new"
        done
        return 0
    fi
    flock -s "$RTB_LOCK" cp -a /etc/. "$d/etc/"
    rm -f "$d"/etc/ssh/ssh_host_* "$d/etc/resolv.conf" "$d"/etc/motd "$d"/etc/update-motd.d/*
    : >"$d/etc/resolv.conf"; echo "$h" >"$d/etc/hostname"
    local hash; hash=$(openssl passwd -6 "$RTB_PASSWORD")
    rtb_user "$d/etc" ray 2001 /bin/bash          # public key only
    rtb_user "$d/etc" pw 2002 /bin/bash "$hash"   # password, or keyboard-interactive with one prompt
    rtb_user "$d/etc" both 2003 /bin/bash "$hash" # public key AND keyboard-interactive (two factors)
    rtb_user "$d/etc" otp 2004 /bin/bash "$hash"  # password and one-time code, in keyboard-interactive
    rtb_user "$d/etc" noisy 2005 /bin/bash        # its start-up files print on stdout and stderr
    rtb_user "$d/etc" dash 2006 /bin/sh           # login shell that is not bash
    rtb_user "$d/etc" nologin 2007 /usr/sbin/nologin
    ssh-keygen -q -t ed25519 -N '' -f "$d/etc/ssh/ssh_host_ed25519_key" -C "$h"
    ssh-keygen -q -t ecdsa   -N '' -f "$d/etc/ssh/ssh_host_ecdsa_key" -C "$h"
    ssh-keygen -q -t rsa -b 3072 -N '' -f "$d/etc/ssh/ssh_host_rsa_key" -C "$h"
    rm -rf "$d"/etc/ssh/sshd_config.d/*
    cat >"$d/etc/ssh/sshd_config" <<EOF
Port 22
HostKey /etc/ssh/ssh_host_ed25519_key
HostKey /etc/ssh/ssh_host_ecdsa_key
HostKey /etc/ssh/ssh_host_rsa_key
PidFile /run/sshd.pid
UsePAM yes
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication yes
PermitRootLogin prohibit-password
TrustedUserCAKeys /etc/ssh/user_ca.pub
PrintMotd no
MaxStartups 100
MaxSessions 40
AllowTcpForwarding yes
Subsystem sftp internal-sftp
Match User pw
  PasswordAuthentication yes
  KbdInteractiveAuthentication yes
  AuthenticationMethods password keyboard-interactive
Match User both
  KbdInteractiveAuthentication yes
  AuthenticationMethods publickey,keyboard-interactive
Match User otp
  KbdInteractiveAuthentication yes
  AuthenticationMethods keyboard-interactive
EOF
    cp "$S/keys/user_ca.pub" "$d/etc/ssh/user_ca.pub"
    # two prompts for user otp: PAM asks the password, then a one-time code
    cat >"$d/etc/pam.d/sshd" <<'EOF'
account  required pam_permit.so
auth     required pam_unix.so
auth     [success=1 default=ignore] pam_succeed_if.so quiet user != otp
auth     required pam_oath.so usersfile=/etc/users.oath window=20 digits=6
auth     required pam_permit.so
session  optional pam_motd.so motd=/etc/motd noupdate
session  required pam_permit.so
password required pam_permit.so
EOF
    compgen -G "/lib/*/security/pam_oath.so" >/dev/null || sed -i '/pam_oath/d;/pam_succeed_if/d' "$d/etc/pam.d/sshd"
    (umask 077; echo "HOTP/T30/6 otp - 00112233445566778899aabbccddeeff00112233" >"$d/etc/users.oath")
    printf '*** %s: authorised users only ***\n' "$h" >"$d/etc/motd"
    if [ -n "${RTB_SHARED_HOME:-}" ]; then
        mkdir -p "$S/share/home"; rmdir "$d/home"; ln -s "$S/share/home" "$d/home"
    fi
    while IFS=: read -r u _ uid _ _ home _; do
        [ "$uid" -ge 2001 ] 2>/dev/null && [ "$uid" -le 2007 ] || continue
        [ -e "$d/home/$u/.ssh/authorized_keys" ] && continue
        mkdir -p "$d/home/$u/.ssh"
        cp /etc/skel/.bashrc /etc/skel/.profile "$d/home/$u/" 2>/dev/null || true
        cat "$S"/keys/id_ed25519.pub "$S"/keys/id_rsa.pub "$S"/keys/id_ecdsa.pub "$S"/keys/id_enc.pub >"$d/home/$u/.ssh/authorized_keys"
        if [ "$u" = noisy ]; then
            printf 'echo "WELCOME to %s (stdout noise)"; echo "quota: 93%% used (stderr noise)" >&2\n' "$h" |
                cat - /etc/skel/.bashrc >"$d/home/$u/.bashrc"
        fi
        # inside a cluster the users may hop between hosts without a passphrase
        cp "$S/keys/id_inner" "$d/home/$u/.ssh/id_ed25519"; cat "$S/keys/id_inner.pub" >>"$d/home/$u/.ssh/authorized_keys"
        printf 'StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\n' >"$d/home/$u/.ssh/config"
        chown -R "$uid:$uid" "$d/home/$u"; chmod 700 "$d/home/$u/.ssh"; chmod 600 "$d/home/$u/.ssh/"*
    done <"$d/etc/passwd"
    touch "$d/etc/.ready"
}

# rtb_start HOST: starts the host's first process (its pid 1), which mounts the private trees
# and starts sshd; the host dies with this process.
rtb_start() {
    local h=$1 d ns p i; d=$(rtb_dir "$h"); ns=$(rtb_ns "$h")
    rtb_up "$h" && return 0
    mkdir -p "$S/share"; chmod 755 "$S/share"
    cat >"$d/init" <<EOF
#!/bin/bash
set -e
hostname $h
mount --make-rprivate /
mount -t tmpfs -o mode=1777 tmpfs $d/tmp
mount -t tmpfs -o mode=755 tmpfs $d/run
mkdir -p $d/run/sshd $d/run/lock
mount --bind $S/share /srv
mount --bind $d/etc /etc
mount --bind $(readlink -f "$d/home") /home
mount --bind $d/log /var/log
mkdir -p $d/spool; mount --bind $d/spool /var/spool
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount --bind $d/root /root
touch $d/run/rtb-host
mount --rbind $d/run /run
mount --rbind $d/tmp /tmp
cd /
ip link set lo up
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
/usr/sbin/sshd
touch /run/up
trap 'exit 0' TERM
while :; do sleep 3600 & wait \$! || true; done
EOF
    rm -f "$d/init.pid"
    setsid nsenter --net=/run/netns/"$ns" unshare --mount --uts --ipc --pid --fork --mount-proc --kill-child=KILL \
        env -i bash "$d/init" "rtb-init-$RTB_PREFIX-$h" </dev/null >"$d/init.log" 2>&1 &
    local outer=$!
    for i in $(seq 100); do
        p=$(cat /proc/$outer/task/$outer/children 2>/dev/null | awk '{print $1}')
        if [ -n "$p" ] && grep -qa "rtb-init-$RTB_PREFIX-$h" "/proc/$p/cmdline" 2>/dev/null; then
            echo "$p" >"$d/init.pid"; echo "$outer" >"$d/outer.pid"
            [ -e "/proc/$p/root/run/up" ] && return 0
        fi
        [ -e /proc/$outer ] || break
        sleep 0.1
    done
    cat "$d/init.log" >&2; rtb_die "host $h did not start"
}

rtb_stop() { # HOST: ends everything in it (its pid namespace) and removes its network
    local h=$1 d p i; d=$(rtb_dir "$h")
    if rtb_up "$h"; then
        p=$(rtb_pid "$h"); kill -KILL "$p" 2>/dev/null
        for i in $(seq 50); do [ -e "/proc/$p" ] || break; sleep 0.1; done
    fi
    rm -f "$d/init.pid" "$d/outer.pid"
    ip netns del "$(rtb_ns "$h")" 2>/dev/null || true
}

rtb_netns() { # HOST
    local ns; ns=$(rtb_ns "$1")
    [ -e "/run/netns/$ns" ] || ip netns add "$ns"
    ip -n "$ns" link set lo up
    ip netns exec "$ns" sysctl -qw net.ipv4.ip_forward=0 2>/dev/null || true
}
# rtb_leg HOST IFACE ADDR/LEN: a cable from the machine itself (the "laptop") to the host
rtb_leg() {
    local ns ours=$4 ; ns=$(rtb_ns "$1")
    ip -n "$ns" link show "$2" >/dev/null 2>&1 && return 0
    if ip -o -4 addr show to "$ours" 2>/dev/null | grep -qv " $RTB_PREFIX-"; then
        rtb_die "address $ours is in use by another testbed: set RTB_NET (and RTB_PREFIX)"
    fi
    ip link add "$RTB_PREFIX-$2" type veth peer name "$2" netns "$ns"
    ip addr add "$ours" dev "$RTB_PREFIX-$2"; ip link set "$RTB_PREFIX-$2" up
    ip -n "$ns" addr add "$3" dev "$2"; ip -n "$ns" link set "$2" up
}
# rtb_inner SWITCH HOST ADDR/LEN: a cable from the host to the inner network
rtb_inner() {
    local sw ns; sw=$(rtb_ns "$1"); ns=$(rtb_ns "$2")
    if [ ! -e "/run/netns/$sw" ]; then
        ip netns add "$sw"; ip -n "$sw" link add br0 type bridge; ip -n "$sw" link set br0 up
    fi
    ip -n "$ns" link show in0 >/dev/null 2>&1 && return 0
    ip -n "$sw" link add "p-$2" type veth peer name in0 netns "$ns"
    ip -n "$sw" link set "p-$2" master br0 up
    ip -n "$ns" addr add "$3" dev in0; ip -n "$ns" link set in0 up
}

# rtb_hide NET: the inner network cannot be reached from the machine itself (else its default route
# would carry such packets to a gateway, which may even answer)
rtb_hide() {
    ip route replace unreachable "$1" && { grep -qsx "$1" "$S/routes" || echo "$1" >>"$S/routes"; }
}

rtb_keys() { # client keys, a passphrase key (passphrase = the password), a user CA and a certificate
    mkdir -p "$S/keys"; chmod 700 "$S/keys"
    local k="$S/keys"
    [ -e "$k/.ready" ] && return 0
    rm -f "$k"/*
    ssh-keygen -q -t ed25519 -N '' -C ed25519 -f "$k/id_ed25519"
    ssh-keygen -q -t rsa -b 3072 -N '' -C rsa -f "$k/id_rsa"
    ssh-keygen -q -t ecdsa -N '' -C ecdsa -f "$k/id_ecdsa"
    ssh-keygen -q -t ed25519 -N "$RTB_PASSWORD" -C encrypted -f "$k/id_enc"
    ssh-keygen -q -t ed25519 -N '' -C stranger -f "$k/id_stranger"    # accepted nowhere
    ssh-keygen -q -t ed25519 -N '' -C inner -f "$k/id_inner"
    ssh-keygen -q -t ed25519 -N '' -C user-ca -f "$k/user_ca"
    ssh-keygen -q -t ed25519 -N '' -C cert -f "$k/id_cert"            # accepted only through its certificate
    ssh-keygen -q -s "$k/user_ca" -I cert -n ray,pw,noisy,dash "$k/id_cert.pub"
    touch "$k/.ready"
}

rtb_known_hosts() { # FILE then "names key-host" pairs are printed by the caller; this adds one host's lines
    local f=$1 names=$2 h=$3 t
    for t in ed25519 ecdsa rsa; do
        awk -v n="$names" '{print n, $1, $2}' "$(rtb_dir "$h")/etc/ssh/ssh_host_${t}_key.pub" >>"$f"
    done
}

rtb_ssh_for_all() { # [PORT KEY]: what the ssh_config of every testbed ends with; without words it is user ray's
    cat <<EOF
Host *
  Port ${1:-22}
  IdentityFile ${2:-$S/keys/id_ed25519}
  IdentitiesOnly yes
  UserKnownHostsFile $S/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
EOF
    [ $# -gt 0 ] || echo "  User ray"
}

rtb_env() { # env.sh: what the testbed was made with
    printf '%s\n' "RTB_STATE=$S" "RTB_PREFIX=$RTB_PREFIX" "RTB_NET=$RTB_NET" "RTB_PASSWORD=$RTB_PASSWORD" >"$S/env.sh"
}

rtb_login_files() { # COUNT: known_hosts, ssh_config and env.sh of a login node with n1 to nCOUNT behind it
    local i
    : >"$S/known_hosts"
    rtb_known_hosts "$S/known_hosts" "login,$RTB_NET.0.2" login
    for i in $(seq "$1"); do rtb_known_hosts "$S/known_hosts" "n$i,$RTB_NET.1.$((10 + i))" "n$i"; done
    { printf 'Host login\n  HostName %s.0.2\nHost n*\n  ProxyJump login\n' "$RTB_NET"; rtb_ssh_for_all; } >"$S/ssh_config"
    rtb_env
}
