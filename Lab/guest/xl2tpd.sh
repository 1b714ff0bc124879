# xl2tpd over the kernel's L2TP, as LNS and as LAC.

listening() { grep -q :06A5 /proc/net/udp; }

# tunnel_secret: variable secret; empty: no tunnel authentication.
tunnel_secret() {
    : >/etc/xl2tpd/l2tp-secrets
    [ -z "$secret" ] || echo "* * $secret" >/etc/xl2tpd/l2tp-secrets
    chmod 600 /etc/xl2tpd/l2tp-secrets
}

start_xl2tpd() {
    # Its own process does not detach (-D), so that its log stays ours.
    (
        xl2tpd -D >"/mnt/xl2tpd.log" 2>&1 </dev/null
        echo "xl2tpd ended, status $?" >>/mnt/xl2tpd.log
    ) &
    wait_for 10 listening
}

# start_lns: variables address (with length), secret, user, password, client_address (of that user), local, pool,
# protocols (pap, chap or eap), mtu, echo, name.
start_lns() {
    modules ppp_generic l2tp_ppp && network_up "$address" || return 1
    secrets "$user" "$password" "$client_address"
    tunnel_secret
    demand=
    case $protocols in
        pap) authentication="require pap = yes
refuse chap = yes" ;;
        # xl2tpd has no word for EAP; pppd has.
        eap) authentication="refuse pap = yes
refuse chap = yes" demand=require-eap ;;
        *) authentication="require chap = yes
refuse pap = yes" ;;
    esac
    cat >/etc/xl2tpd/xl2tpd.conf <<END
[global]
port = 1701
access control = no
debug tunnel = yes
debug state = yes
debug avp = yes
debug network = yes
auth file = /etc/xl2tpd/l2tp-secrets
[lns default]
ip range = $pool
local ip = $local
name = $name
hostname = $name
require authentication = yes
$authentication
${secret:+challenge = yes}
length bit = yes
pppoptfile = /etc/ppp/options.xl2tpd
END
    cat >/etc/ppp/options.xl2tpd <<END
$demand
mtu $mtu
mru $mtu
lcp-echo-interval $echo
lcp-echo-failure 4
lcp-restart 1
ms-dns 10.65.0.53
noipv6
noccp
debug
logfile /mnt/pppd-lns.log
END
    start_xl2tpd
}

# start_lac: variables address, peer, secret, user, password, mtu. xl2tpd is its own PPP client here. Known good stand-in.
start_lac() {
    modules ppp_generic l2tp_ppp && network_up "$address" || return 1
    secrets "$user" "$password"
    tunnel_secret
    cat >/etc/xl2tpd/xl2tpd.conf <<END
[global]
port = 1701
access control = no
debug tunnel = yes
debug state = yes
debug avp = yes
auth file = /etc/xl2tpd/l2tp-secrets
[lac isp1]
lns = $peer
name = $user
hostname = lac1
${secret:+challenge = yes}
length bit = yes
autodial = no
pppoptfile = /etc/ppp/options.lac
END
    cat >/etc/ppp/options.lac <<END
mtu $mtu
mru $mtu
noauth
noipdefault
nodefaultroute
ipcp-accept-local
ipcp-accept-remote
noipv6
noccp
lcp-restart 1
debug
user "$user"
unit 1
logfile /mnt/pppd-1.log
END
    start_xl2tpd && wait_for 5 test -p /run/xl2tpd/l2tp-control && xl2tpd-control connect-lac isp1
}
