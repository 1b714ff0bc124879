# Sourced before every command in a guest. /mnt is the folder that guest and host share.
device=vec0

modules() { for module in "$@"; do modprobe -d /run/modules "$module" || return 1; done; }

# network_up [ADDRESS/LENGTH]: checksums are computed by the guest, because a TAP has no hardware for it.
network_up() {
    ethtool -K $device tx off sg off tso off gso off gro off >/dev/null 2>&1
    ip link set $device up
    [ -z "$1" ] || ip addr add "$1" dev $device
}

# use_vlan ID, use_vlan OUTER.INNER: makes the interface $device.ID, or $device.OUTER.INNER for two tags.
use_vlan() {
    modules 8021q || return 1
    lower=$device
    for id in $(echo "$1" | tr . ' '); do
        ip link add link "$lower" name "$lower.$id" type vlan id "$id" && ip link set "$lower.$id" up || return 1
        lower=$lower.$id
    done
}

now() { read -r uptime _ </proc/uptime; echo "${uptime%.*}"; }

# wait_for SECONDS COMMAND...: until the command succeeds, bounded by the guest's clock (a fork costs 10 ms here).
wait_for() {
    end=$(($(now) + $1))
    shift
    while ! "$@" >/dev/null 2>&1; do
        [ "$(now)" -lt "$end" ] || return 1
        busybox usleep 50000
    done
}

# secrets USER PASSWORD [ADDRESS]: the same for PAP and CHAP, whoever asks. A pppd that reads them meanwhile sees the old
# file or the new one.
secrets() {
    for kind in chap pap; do
        (
            umask 077
            printf '"%s" * "%s" %s\n' "$1" "$2" "${3:-*}" >/etc/ppp/$kind-secrets.new
            mv /etc/ppp/$kind-secrets.new /etc/ppp/$kind-secrets
        )
    done
}
