extension DestinationSnapshot {
    /// What stands above any number of destinations.
    public static let heading = TextLayout.heading("L2TP Destination Information")

    /// The view of `show l2tp destination`.
    public func basicText(in zone: TimeZoneOfText) -> String {
        TextLayout.line("IP Address", address)
            + TextLayout.line("L2TP Profile", profile)
            + TextLayout.line("State", state.rawValue)
            + TextLayout.line("Tunnels", "\(tunnels.count), \(establishedTunnels) established")
            + TextLayout.line("Sessions", sessions)
            + TextLayout.line("Preference", preference)
            + TextLayout.line("Attempts", attempts)
            + (retryAt.map { TextLayout.line("Tried Again At", $0.dateAndTime(in: zone)) } ?? "")
    }

    /// The view of `show l2tp destination detail`.
    public func detailText(in zone: TimeZoneOfText) -> String {
        basicText(in: zone)
            + TextLayout.line("Tunnel IDs", tunnels.isEmpty ? "none" : tunnels.map(String.init).joined(separator: " "))
            + TextLayout.line("Last Failure", lastFailure.isEmpty ? "none" : lastFailure)
            + TextLayout.line("Data RX", "packets \(data.rxPackets), bytes \(data.rxOctets)")
            + TextLayout.line("Data TX", "packets \(data.txPackets), bytes \(data.txOctets)")
    }
}

extension DrainOutcome {
    /// What `drain` and `undrain` show.
    public func text(of target: DrainTarget) -> String {
        (draining ? "\(target.text) takes no new sessions" : "\(target.text) takes new sessions")
            + "; up there: \(tunnels) tunnels, \(sessions) sessions, \(connections) connections\n"
    }
}
