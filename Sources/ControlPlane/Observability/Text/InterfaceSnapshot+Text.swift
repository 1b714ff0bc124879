extension InterfaceSnapshot {
    /// The view of `show interface`.
    public func text(at now: Timestamp) -> String {
        var text = "Interface \(name)\n"
        text += "  Link is \(isUp ? "UP" : "DOWN"), administrative state is \(isDrained ? "DRAINED" : "UP")\n"
        text += "  Hardware is \(hardware.rawValue)"
        switch hardware {
        case .ethernet:
            text += mac.map { ", address is \($0)" } ?? ""
            text += linkSpeedMbps == 0 ? "\n" : ", \(linkSpeedMbps) Mbit/s\n"
            text += "  Serves \(roles.isEmpty ? "nothing" : roles.joined(separator: " and "))\n"
            for address in addresses { text += "  \(address.ipv6 == nil ? "IPv4" : "IPv6") address \(address)\n" }
        case .ppp:
            text += mac.map { ", client is \($0)\n" } ?? "\n"
            text += "  User '\(userName)' of pppoe-ac \(instance)\n"
            text += tunnelID == 0 ? "" : "  Forwarded to L2TP tunnel \(tunnelID), session \(sessionID)\n"
        }
        text += "  index \(index)" + (mtu == 0 ? "\n" : " mtu \(mtu)\n")
        text += "  <\(flags.joined(separator: ","))>\n"
        if hardware == .ppp { text += "  PPP is \(state), underlying interface \(underlying)\n" }
        text += "  input packets \(traffic.rxPackets), bytes \(traffic.rxOctets), dropped \(droppedIn)\n"
        text += "  output packets \(traffic.txPackets), bytes \(traffic.txOctets), dropped \(droppedOut)\n"
        if let since {
            text += "  Time since it was made: \(TextLayout.duration(UInt64(max(0, now.seconds - since.seconds))))\n"
        }
        return text
    }

    private var flags: [String] {
        (isUp ? ["UP"] : []) + (hardware == .ppp ? ["POINT-TO-POINT"] : ["BROADCAST"]) + (isUp ? ["RUNNING"] : [])
            + (hardware == .ppp ? ["NOARP"] : []) + ["MULTICAST"]
    }
}
