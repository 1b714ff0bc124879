import Observability
import Wire

/// A tunnel and a session with values that every line of a screen shows.
enum SeedExamples {
    static let created = Timestamp(seconds: 1_464_783_925)  // 2016-06-01T12:25:25Z

    private static func step(_ seconds: Int64, _ event: String, _ state: String, _ newState: String) -> StateTransition
    {
        StateTransition(
            time: Timestamp(seconds: created.seconds + seconds), event: event, state: state, newState: newState)
    }

    static var tunnel: TunnelSnapshot {
        var tunnel = TunnelSnapshot(
            id: 11_008, name: "tunnel1", localAddress: .v4(IPv4Address(value: 0x8210_0001)),
            remoteAddress: .v4(IPv4Address(value: 0x8210_0102)), state: .established, createdAt: created, mode: .lac)
        tunnel.createdByAdmin = true
        tunnel.persist = true
        tunnel.remoteTunnelID = 33_363
        tunnel.remoteHostName = "AWP-1"
        tunnel.remoteVendorName = "Example Networks"
        tunnel.sessionCount = 1
        tunnel.profile = "public"
        tunnel.settings.helloTimeoutSeconds = 60
        tunnel.settings.retryTimeoutSeconds = 1
        tunnel.settings.establishTimeoutSeconds = 61
        tunnel.settings.persistPendTimeoutSeconds = 62
        tunnel.settings.rxWindowSize = 10
        tunnel.settings.txWindowSize = 11
        tunnel.settings.maxRetries = 5
        tunnel.settings.udpChecksums = true
        tunnel.settings.mtu = 1_460
        tunnel.settings.tosInherit = true
        tunnel.settings.framing = FramingTypes(sync: true, async: true)
        tunnel.settings.bearer = BearerTypes(digital: true, analog: true)
        tunnel.settings.useTieBreaker = true
        tunnel.settings.tieBreaker = [0x88, 0x95, 0x39, 0x14, 0x88, 0x9c, 0x04, 0xe4]
        tunnel.peer.protocolVersion = 1
        tunnel.peer.firmwareRevision = 385
        tunnel.peer.framing = FramingTypes(sync: true)
        tunnel.peer.bearer = BearerTypes(analog: true)
        tunnel.peer.rxWindowSize = 12
        tunnel.transport.ns = 39
        tunnel.transport.nr = 8
        tunnel.transport.peerNs = 7
        tunnel.transport.peerNr = 38
        tunnel.transport.congestionWindow = 9
        tunnel.transport.slowStartThreshold = 6
        tunnel.transport.congestionAcknowledged = 2
        tunnel.transport.outOfSequenceControlDiscards = 21
        tunnel.transport.outOfSequenceDataDiscards = 22
        tunnel.transport.zlbsSent = 6
        tunnel.transport.zlbsSendFailed = 23
        tunnel.transport.zlbsReceived = 37
        tunnel.transport.retransmits = 24
        tunnel.transport.duplicateDiscards = 25
        tunnel.transport.dataDiscards = 26
        tunnel.transport.hellosSent = 35
        tunnel.transport.hellosSendFailed = 27
        tunnel.transport.hellosReceived = 5
        tunnel.transport.control = Traffic(rxPackets: 45, rxOctets: 725, txPackets: 46, txOctets: 1_024)
        tunnel.data = Traffic(rxPackets: 3_621, rxOctets: 5_272_542, txPackets: 3_620, txOctets: 5_301_510)
        tunnel.dataRxErrors = 28
        tunnel.dataTxErrors = 29
        tunnel.memoryOctets = 2_065
        tunnel.events = [
            step(0, "OPEN_REQ", "IDLE", "WAITCTLREPLY"), step(1, "SCCRP_ACCEPT", "WAITCTLREPLY", "ESTABLISHED"),
        ]
        return tunnel
    }

    static var session: SessionSnapshot {
        var session = SessionSnapshot(
            id: 6_781, tunnelID: 11_008, tunnelName: "tunnel1", state: .established, createdAt: created,
            type: .lacIncoming)
        session.interfaceName = "access0.100"
        session.remoteSessionID = 23_809
        session.establishTimeoutSeconds = 120
        session.name = "session_tunnel1"
        session.profile = "public"
        session.framing = FramingTypes(sync: true, async: true)
        session.bearer = BearerTypes(digital: true)
        session.callSerialNumber = 1
        session.userName = "john@isp1.example"
        session.clientMAC = MACAddress(value: 0x0000_cd38_014f)
        session.pppoeSessionID = 14_204
        session.routeID = 29_785
        session.data = Traffic(rxPackets: 3_621, rxOctets: 5_272_542, txPackets: 3_620, txOctets: 5_301_510)
        session.dataRxErrors = 3
        session.peerBearer = BearerTypes(analog: true)
        session.memoryOctets = 1_904
        session.events = [
            step(0, "INCALL_IND", "IDLE", "WAITTUNNEL"), step(2, "TUNNEL_OPEN_IND", "WAITTUNNEL", "WAITREPLY"),
        ]
        return session
    }

    static var connection: PPPoEConnectionSnapshot {
        var connection = PPPoEConnectionSnapshot(
            routeName: "pppoeservice-eth1", routeID: 29_785, instance: "pppoeservice", state: .open, createdAt: created,
            interfaceName: "eth1", pppoeSessionID: 14_204, clientMAC: MACAddress(value: 0x0000_cd38_014f))
        connection.serviceName = "test"
        connection.tunnelID = 11_223
        connection.sessionID = 57_309
        return connection
    }
}
