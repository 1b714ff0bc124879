extension TunnelSnapshot {
    /// What stands above the basic view of any number of tunnels.
    public static let basicHeading = "L2TP Tunnel Information\n" + TextLayout.rule(68)
    /// What stands above the detailed view of any number of tunnels.
    public static let detailHeading = "L2TP Tunnel Information details\n"

    /// The basic view of `show l2tp tunnel`.
    public func basicText(in zone: TimeZoneOfText) -> String {
        TextLayout.line("Tunnel ID", id)
            + TextLayout.line("Tunnel Name", name)
            + TextLayout.line("Local IP Address", localAddress)
            + TextLayout.line("Remote IP Address", remoteAddress)
            + TextLayout.line("State", state.rawValue)
            + TextLayout.line("Created At", createdAt.dateAndTime(in: zone))
            + TextLayout.line("Tunnel Mode", mode.rawValue)
            + TextLayout.line("Remote Tunnel ID", remoteTunnelID)
            + TextLayout.line("Remote Host Name", remoteHostName)
            + TextLayout.line("Remote Vendor Name", remoteVendorName)
            + TextLayout.line("Local UDP Port", localUDPPort)
            + TextLayout.line("Remote UDP Port", remoteUDPPort)
            + TextLayout.line("Hello Timeout", settings.helloTimeoutSeconds)
            + TextLayout.line("Retry Timeout", settings.retryTimeoutSeconds)
            + TextLayout.line("Idle Timeout", settings.idleTimeoutSeconds)
            + TextLayout.line("Establish Timeout", settings.establishTimeoutSeconds)
    }

    /// The view of `show l2tp tunnel detail`.
    public func detailText(in zone: TimeZoneOfText) -> String {
        settingsText(in: zone) + "\n" + statusText + "  Events:\n" + events.text(indent: "    ", zone: zone)
    }

    /// Identity and settings.
    private func settingsText(in zone: TimeZoneOfText) -> String {
        let tieBreaker = settings.tieBreaker.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        return """
            Tunnel \(id), from \(localAddress) to \(remoteAddress):
              state: \(state.rawValue)
              created at: \(createdAt.dateAndTime(in: zone))
              administrative name: '\(name)'
              created by admin: \(createdByAdmin.yesNo), tunnel mode: \(mode.rawValue), persist: \(persist.yesNo)
              peer tunnel id: \(remoteTunnelID), host name: \(remoteHostName)
              UDP ports: local \(localUDPPort), peer \(remoteUDPPort)
              authorization mode: \(authorization.rawValue), hide AVPs: \(settings.hideAvps.onOff)
              session limit: \(settings.sessionLimit), session count: \(sessionCount)
              tunnel profile: \(profile)
              hello timeout: \(settings.helloTimeoutSeconds), retry timeout: \(settings.retryTimeoutSeconds), \
            idle timeout: \(settings.idleTimeoutSeconds)
              establish timeout: \(settings.establishTimeoutSeconds)
              persist pend timeout: \(settings.persistPendTimeoutSeconds)
              rx window size: \(settings.rxWindowSize), tx window size: \(settings.txWindowSize), \
            max retries: \(settings.maxRetries)
              use udp checksums: \(settings.udpChecksums.onOff)
              do pmtu discovery: \(settings.pathMTUDiscovery.onOff), mtu: \(settings.mtu)
              tos: \(settings.tosInherit ? "inherit" : String(settings.tos))
              framing capability: \(settings.framing.text), bearer capability: \(settings.bearer.text)
              use tiebreaker: \(settings.useTieBreaker.onOff)

            """ + (tieBreaker.isEmpty ? "" : "  tiebreaker: \(tieBreaker.joined(separator: " "))\n") + failoverText
    }

    /// Nothing where neither end has to do with RFC 4951.
    private var failoverText: String {
        guard settings.recoveryTimeSeconds > 0 || peer.failoverControl || peer.failoverData || recoveries > 0 else {
            return ""
        }
        let channels = [peer.failoverControl ? "control" : nil, peer.failoverData ? "data" : nil].compactMap { $0 }
        let peerText =
            channels.isEmpty
            ? "NONE" : "\(channels.joined(separator: " ")), recovery time \(peer.recoveryTimeMilliseconds) ms"
        return """
              failover: \(settings.failover), recovery time: \(settings.recoveryTimeSeconds)
              peer failover: \(peerText)
              recoveries: \(recoveries), recovering: \(recovering.yesNo)

            """
    }

    /// The peer, the control channel and the counters.
    private var statusText: String {
        """
          Status:
            peer vendor name: \(remoteVendorName)
            peer protocol version: \(peer.protocolVersion).\(peer.protocolRevision), firmware \(peer.firmwareRevision)
            peer framing capability: \(peer.framing.text)
            peer bearer capability: \(peer.bearer.text)
            peer rx window size: \(peer.rxWindowSize)
          Transport status:
            ns/nr: \(transport.ns)/\(transport.nr), peer \(transport.peerNs)/\(transport.peerNr)
            cwnd: \(transport.congestionWindow), ssthresh: \(transport.slowStartThreshold), \
        congpkt_acc: \(transport.congestionAcknowledged)
          Transport statistics:
            out-of-sequence control/data discards: \(transport.outOfSequenceControlDiscards)/\
        \(transport.outOfSequenceDataDiscards)
            zlbs tx/txfail/rx: \(transport.zlbsSent)/\(transport.zlbsSendFailed)/\(transport.zlbsReceived)
            retransmits: \(transport.retransmits), duplicate pkt discards: \(transport.duplicateDiscards), \
        data pkt discards: \(transport.dataDiscards)
            hellos tx/txfail/rx: \(transport.hellosSent)/\(transport.hellosSendFailed)/\(transport.hellosReceived)
            control rx packets: \(transport.control.rxPackets), rx bytes: \(transport.control.rxOctets)
            control tx packets: \(transport.control.txPackets), tx bytes: \(transport.control.txOctets)
            data rx packets: \(data.rxPackets), rx bytes: \(data.rxOctets), rx errors: \(dataRxErrors)
            data tx packets: \(data.txPackets), tx bytes: \(data.txOctets), tx errors: \(dataTxErrors)
          memory usage: \(memoryOctets) bytes

        """
    }
}
