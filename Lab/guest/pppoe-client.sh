# A PPPoE client: pppd with its own PPPoE plugin over the kernel's PPPoE.

prepare_client() { modules ppp_generic pppoe && network_up && { [ -z "$vlan" ] || use_vlan "$vlan"; }; }

# dial: variables number (of the dial; the interface is ppp$number), user, password, protocols (pap, chap, eap or any), mtu,
# service (empty: any), echo (seconds between LCP echo requests, 0: none), padi (attempts, one a second), vlan.
# Writes /mnt/pppd-$number.log, and /mnt/pppd-$number.exit when pppd has ended.
dial() {
    secrets "$user" "$password"
    case $protocols in
        pap) refuse="refuse-chap refuse-mschap refuse-mschap-v2 refuse-eap" ;;
        chap) refuse="refuse-pap refuse-mschap refuse-mschap-v2 refuse-eap" ;;
        eap) refuse="refuse-pap refuse-chap refuse-mschap refuse-mschap-v2" ;;
        *) refuse="refuse-mschap refuse-mschap-v2 refuse-eap" ;;
    esac
    (
        pppd plugin rp-pppoe.so pppoe-padi-timeout 1 pppoe-padi-attempts "$padi" lcp-restart 1 \
            ${service:+rp_pppoe_service "$service"} nic-$device${vlan:+.$vlan} unit "$number" user "$user" $refuse \
            noauth noipdefault noipv6 noccp nodefaultroute hide-password debug mtu "$mtu" mru "$mtu" \
            lcp-echo-interval "$echo" lcp-echo-failure 3 maxfail 1 nodetach \
            linkname "dial$number" logfile "/mnt/pppd-$number.log" >/dev/null 2>&1 </dev/null
        echo $? >"/mnt/pppd-$number.new"
        mv "/mnt/pppd-$number.new" "/mnt/pppd-$number.exit"
    ) &
}

# hang_up SIGNAL NUMBER...: ends pppd of these dials.
hang_up() {
    signal=$1
    shift
    for number in "$@"; do
        read -r pid <"/run/ppp-dial$number.pid" && kill "-$signal" "$pid"
    done
}
