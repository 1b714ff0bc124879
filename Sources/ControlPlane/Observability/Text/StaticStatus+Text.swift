extension StaticTunnelStatus {
    /// The part of `static list` on tunnels.
    public static func text(of tunnels: [StaticTunnelStatus]) -> String {
        "Static Tunnels\n" + TextLayout.rule(68)
            + TextLayout.table(
                ["Name", "Tunnel ID", "Local", "Peer", "Peer ID", "Egress", "Next hop", "Sessions"],
                tunnels.map { status in
                    let tunnel = status.tunnel
                    let hop =
                        switch tunnel.nextHop {
                        case .peer: "peer"
                        case .address(let address): address.description
                        case .mac(let mac): mac.description
                        }
                    return [
                        tunnel.name, String(status.tunnelID), tunnel.localAddress.text(port: tunnel.localPort),
                        tunnel.peerAddress.text(port: tunnel.peerPort), String(tunnel.peerTunnelID), tunnel.egressPort,
                        hop + (status.nextHopResolved ? "" : " (not resolved)"), String(status.sessionCount),
                    ]
                }, rightAligned: [1, 4, 7])
    }
}

extension StaticSessionStatus {
    /// The part of `static list` on sessions.
    public static func text(of sessions: [StaticSessionStatus]) -> String {
        "Static Sessions\n" + TextLayout.rule(68)
            + TextLayout.table(
                [
                    "Reference", "Port", "VLANs", "Client", "PPPoE ID", "Tunnel ID", "Session ID", "Peer ID",
                    "RX packets", "TX packets",
                ],
                sessions.map { status in
                    let session = status.session
                    let vlans = [session.outerVLAN, session.innerVLAN].filter { $0 != 0 }.map(String.init)
                    return [
                        String(session.reference), session.port, vlans.isEmpty ? "-" : vlans.joined(separator: "."),
                        session.clientMAC.description, String(status.pppoeSessionID), String(status.tunnelID),
                        String(status.sessionID), String(session.peerSessionID), String(status.data.rxPackets),
                        String(status.data.txPackets),
                    ]
                }, rightAligned: [0, 4, 5, 6, 7, 8, 9])
    }
}
