# A PPPoE access concentrator: rp-pppoe's server, with pppd at the end of a pseudo-terminal. Known good stand-in.
# Variables user, password, protocols (pap, chap or eap), mtu, local (its own PPP address), pool (first address for clients).
start_server() {
    modules ppp_generic ppp_async pppoe && network_up || return 1
    [ -z "$vlan" ] || use_vlan "$vlan" || return 1
    secrets "$user" "$password"
    cat >/etc/ppp/pppoe-server-options <<END
require-$protocols
mtu $mtu
mru $mtu
lcp-echo-interval 5
lcp-echo-failure 3
noipdefault
noipv6
noccp
debug
logfile /mnt/pppd-server.log
END
    pppoe-server -F -I $device${vlan:+.$vlan} -C stand-in -L "$local" -R "$pool" -N 16 \
        -O /etc/ppp/pppoe-server-options >/mnt/pppoe-server.log 2>&1 &
}
