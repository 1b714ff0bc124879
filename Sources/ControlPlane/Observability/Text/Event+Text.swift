extension Event {
    /// One line of `watch`.
    public func text(in zone: TimeZoneOfText) -> String {
        let start = time.timeOfDay(in: zone) + (initial ? " = " : " * ")
        switch kind {
        case .tunnelUp(let tunnel): return start + "tunnel up    \(tunnel.line)\n"
        case .tunnelDown(let tunnel, let cause): return start + "tunnel down  \(tunnel.line): \(cause.text)\n"
        case .sessionUp(let session): return start + "session up   \(session.line)\n"
        case .sessionDown(let session, let cause): return start + "session down \(session.line): \(cause.text)\n"
        case .initialComplete: return start + "that is all for now, news follow\n"
        }
    }
}

extension Cause {
    /// Who, with which codes, why.
    var text: String {
        var codes = ""
        if resultCode != 0 { codes = " (result \(resultCode)" + (errorCode == 0 ? ")" : ", error \(errorCode))") }
        return "\(initiator.rawValue)\(codes), \(message)"
    }
}

extension TunnelSnapshot {
    /// The tunnel on one line.
    fileprivate var line: String {
        "\(id) '\(name)' \(localAddress.text(port: localUDPPort)) to \(remoteAddress.text(port: remoteUDPPort)) id "
            + "\(remoteTunnelID)"
    }
}

extension SessionSnapshot {
    /// The session on one line.
    fileprivate var line: String {
        let user = userName.isEmpty ? "" : " user '\(userName)'"
        let client = pppoeSessionID == 0 ? "" : " client \(clientMAC) on \(interfaceName)"
        return "\(id) on tunnel \(tunnelID) '\(tunnelName)' id \(remoteSessionID)\(user)\(client)"
    }
}
