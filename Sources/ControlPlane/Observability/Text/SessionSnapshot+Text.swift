extension SessionSnapshot {
    /// What stands above the basic view of any number of sessions.
    public static let basicHeading = "L2TP Session Information\n" + TextLayout.rule(68)
    /// What stands above the detailed view of any number of sessions.
    public static let detailHeading = "L2TP Session Information details\n"

    /// The basic view of `show l2tp session`.
    public func basicText(in zone: TimeZoneOfText) -> String {
        TextLayout.line("Session ID", id)
            + TextLayout.line("Tunnel ID", tunnelID)
            + TextLayout.line("State", state.rawValue)
            + TextLayout.line("Created At", createdAt.dateAndTime(in: zone))
            + TextLayout.line("Interface Name", interfaceName)
            + TextLayout.line("Remote Session ID", remoteSessionID)
            + TextLayout.line("Establish Timeout", establishTimeoutSeconds)
    }

    /// The view of `show l2tp session detail`.
    public func detailText(in zone: TimeZoneOfText) -> String {
        """
        Session \(id) on tunnel \(tunnelID):
          type: \(type.rawValue), state: \(state.rawValue)
          created at: \(createdAt.dateAndTime(in: zone))
          administrative name: \(name)
          interface name: \(interfaceName)
          created by admin: \(createdByAdmin.yesNo), peer session id: \(remoteSessionID)
          session profile name: \(profile)
          use data sequence numbers: \(dataSequenceNumbers.onOff)
          establish timeout: \(establishTimeoutSeconds)
          framing types: \(framing.text)
          bearer types: \(bearer.text)
          call serial number: \(callSerialNumber)

          Status:
            data rx packets: \(data.rxPackets), rx bytes: \(data.rxOctets), rx errors: \(dataRxErrors)
            data tx packets: \(data.txPackets), tx bytes: \(data.txOctets)
        \(featureText)  Peer configuration data:
            framing types: \(peerFraming.text)
            bearer types: \(peerBearer.text)
          memory usage: \(memoryOctets) bytes
          Events:

        """
            + events.text(indent: "    ", zone: zone)
    }

    /// What the session's features did, for those that it has or had.
    private var featureText: String {
        var lines: [String] = []
        if dataSequenceNumbers || dataMissing != 0 || dataLate != 0 || dataReordered != 0 {
            lines.append("data missing: \(dataMissing), late: \(dataLate), reordered: \(dataReordered)")
        }
        if maximumSegmentSize != 0 { lines.append("tcp mss: \(maximumSegmentSize)") }
        for (name, policer, dropped) in [
            ("upstream", policers.upstream, upstreamPolicedPackets),
            ("downstream", policers.downstream, downstreamPolicedPackets),
        ] where policer != nil || dropped != 0 {
            lines.append("policer \(name): \(Self.text(of: policer)), dropped packets: \(dropped)")
        }
        return lines.map { "    \($0)\n" }.joined()
    }

    /// A policer in a line.
    static func text(of policer: PolicerSettings?) -> String {
        guard let policer else { return "OFF" }
        return "cir \(policer.committedRate) pir \(policer.peakRate) bit/s, cbs \(policer.committedBurst) "
            + "pbs \(policer.peakBurst) octets"
    }
}

extension SessionPolicers {
    /// What `culvert police` shows.
    public var text: String {
        "upstream: \(SessionSnapshot.text(of: upstream))\ndownstream: \(SessionSnapshot.text(of: downstream))\n"
    }
}
