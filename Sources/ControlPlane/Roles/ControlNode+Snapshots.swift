import Configuration
import L2TP
import Observability
import Timing
import Wire

/// What operators and controllers see: copies of the state in the terms of `Observability`.
extension ControlNode {
    /// Wall-clock time of an instant.
    func timestamp(_ instant: Instant) -> Timestamp {
        Timestamp(nanoseconds: epoch.nanoseconds &+ Int64(clamping: instant.nanoseconds))
    }

    /// Local ids of all tunnels, in order.
    public var tunnelIDs: [UInt16] { tunnels.keys.sorted() }

    /// Local session ids in a tunnel, in order.
    public func sessionIDs(inTunnel id: UInt16) -> [UInt16] { tunnels[id]?.calls.keys.sorted() ?? [] }

    /// Route ids of all connections, in order.
    public var routeIDs: [UInt32] { routes.keys.sorted() }

    /// Names of the configured instances.
    public var instanceNames: [String] { configuration.accessConcentrators.map(\.name) }

    /// Numbers of connections, tunnels and sessions.
    public var population: (connections: Int, tunnels: Int, sessions: Int) {
        (connections.count, tunnels.count, tunnels.values.reduce(0) { $0 + $1.calls.count })
    }

    /// A connection as it is; nil when there is none of this route id.
    public func connectionSnapshot(_ routeID: UInt32) -> PPPoEConnectionSnapshot? {
        guard let slot = routes[routeID], let connection = connections[slot] else { return nil }
        let interface = interfaceName(of: connection)
        var snapshot = PPPoEConnectionSnapshot(
            routeName: "\(connection.request.instance.name)-\(interface)", routeID: routeID,
            instance: connection.request.instance.name, state: Self.state(of: connection.phase),
            createdAt: timestamp(connection.createdAt),
            interfaceName: interface, pppoeSessionID: connection.upstream.sessionID, clientMAC: connection.client)
        snapshot.outerVLAN = connection.circuit.outerVLAN
        snapshot.innerVLAN = connection.circuit.innerVLAN
        snapshot.serviceName = String(decoding: connection.request.serviceName, as: UTF8.self)
        snapshot.userName = connection.userName
        snapshot.mru = configuration.accessConcentrator(connection.request.instance.name)?.pppMRU ?? 0
        snapshot.tunnelID = connection.call?.tunnel ?? 0
        snapshot.sessionID = connection.call?.session ?? 0
        return snapshot
    }

    /// Port and VLANs: `eth1`, `eth1.100`, `eth1.100.7`.
    func interfaceName(of connection: Connection) -> String {
        let circuit = connection.circuit
        return ([portName(circuit.port)] + [circuit.outerVLAN, circuit.innerVLAN].filter { $0 != 0 }.map(String.init))
            .joined(separator: ".")
    }

    /// A session as it is; nil when there is none. `detail` adds its history.
    public func sessionSnapshot(_ tunnelID: UInt16, _ sessionID: UInt16, detail: Bool = true) -> SessionSnapshot? {
        guard let record = tunnels[tunnelID], let call = record.calls[sessionID] else { return nil }
        let machine = record.machine.sessions[sessionID]
        let connection = connections[call.upstreamSlot]
        var snapshot = SessionSnapshot(
            id: sessionID, tunnelID: tunnelID, tunnelName: record.name,
            state: machine.map { Self.state(of: $0.state) } ?? .closing,
            createdAt: timestamp(machine?.createdAt ?? record.createdAt), type: .lacIncoming)
        snapshot.remoteSessionID = machine?.peerID ?? 0
        snapshot.establishTimeoutSeconds = UInt32(
            clamping: record.machine.configuration.sessionEstablishTimeout.components.seconds)
        snapshot.name = "session-\(tunnelID)-\(sessionID)"
        snapshot.profile = record.destination.profile
        snapshot.framing = FramingTypes(sync: true)
        snapshot.bearer = BearerTypes(digital: true)
        snapshot.callSerialNumber = machine?.request.callSerialNumber ?? 0
        if let connection {
            snapshot.interfaceName = interfaceName(of: connection)
            snapshot.userName = connection.userName
            snapshot.clientMAC = connection.client
            snapshot.pppoeSessionID = connection.upstream.sessionID
            snapshot.routeID = connection.routeID
        }
        if call.isForwarding {
            snapshot.data = Traffic(table.traffic(upstream: call.upstreamSlot))
            fill(&snapshot, with: table.details(upstream: call.upstreamSlot))
        }
        if detail, let machine {
            snapshot.memoryOctets = UInt64(clamping: machine.memoryOctets)
            snapshot.events = machine.history.records.map {
                StateTransition(
                    time: timestamp($0.time), event: $0.event.rawValue, state: $0.state.rawValue,
                    newState: $0.newState.rawValue)
            }
        }
        return snapshot
    }

    private func fill(_ snapshot: inout SessionSnapshot, with details: SessionDetails) {
        snapshot.policers = details.policers
        snapshot.upstreamPolicedPackets = details.upstreamPolicedPackets
        snapshot.downstreamPolicedPackets = details.downstreamPolicedPackets
        snapshot.maximumSegmentSize = details.maximumSegmentSize ?? 0
        snapshot.dataSequenceNumbers = details.isSequenced
        snapshot.dataMissing = details.missing
        snapshot.dataRxErrors = UInt64(details.missing)
        snapshot.dataLate = details.late
        snapshot.dataReordered = details.reordered
    }

    static func state(of phase: Connection.Phase) -> ConnectionState {
        switch phase {
        case .negotiating: .negotiating
        case .choosing, .connecting: .connecting
        case .open: .open
        case .closing: .closing
        }
    }

    static func state(of state: L2TP.TunnelState) -> Observability.TunnelState {
        switch state {
        case .idle: .idle
        case .waitControlReply: .waitControlReply
        case .waitControlConnected: .waitControlConnection
        case .established: .established
        case .cleanup: .closing
        }
    }

    static func state(of state: L2TP.SessionState) -> Observability.SessionState {
        switch state {
        case .idle: .idle
        case .waitTunnel: .waitTunnel
        case .waitReply: .waitReply
        case .waitConnect: .waitConnect
        case .established: .established
        }
    }

    /// A tunnel as it is; nil when there is none. `detail` adds its history and the sum of its sessions' traffic.
    public func tunnelSnapshot(_ id: UInt16, detail: Bool = true) -> TunnelSnapshot? {
        guard let record = tunnels[id] else { return nil }
        let machine = record.machine
        var snapshot = TunnelSnapshot(
            id: id, name: record.name, localAddress: record.local.address, remoteAddress: record.peer.address,
            state: Self.state(of: machine.state), createdAt: timestamp(record.createdAt),
            mode: machine.role == .initiator ? .lac : .lns)
        snapshot.localUDPPort = record.local.port
        snapshot.remoteUDPPort = record.peer.port
        snapshot.persist = true
        snapshot.draining = record.isDraining || drained.contains(record.destination.address)
        snapshot.authorization = machine.configuration.sharedSecret == nil ? .none : .challenge
        snapshot.sessionCount = UInt32(clamping: record.calls.count)
        snapshot.profile = record.destination.profile
        snapshot.settings = settings(of: record)
        snapshot.transport = transport(of: machine.statistics)
        if let peer = machine.peer {
            snapshot.remoteTunnelID = peer.tunnelID
            snapshot.remoteHostName = peer.hostName
            snapshot.remoteVendorName = peer.vendorName ?? ""
            snapshot.peer.protocolVersion = UInt8(peer.protocolVersion >> 8)
            snapshot.peer.protocolRevision = UInt8(peer.protocolVersion & 0xff)
            snapshot.peer.firmwareRevision = peer.firmwareRevision ?? 0
            snapshot.peer.framing = FramingTypes(peer.framingCapabilities)
            snapshot.peer.bearer = BearerTypes(peer.bearerCapabilities ?? [])
            snapshot.peer.rxWindowSize = peer.receiveWindow
            snapshot.peer.failoverControl = peer.failover?.controlChannel ?? false
            snapshot.peer.failoverData = peer.failover?.dataChannel ?? false
            snapshot.peer.recoveryTimeMilliseconds = peer.failover?.recoveryTime ?? 0
        }
        snapshot.recoveries = UInt32(clamping: machine.recoveries)
        snapshot.recovering = machine.isRecovering
        guard detail else { return snapshot }
        var traffic = record.endedTraffic
        for call in record.calls.values where call.isForwarding {
            traffic += table.traffic(upstream: call.upstreamSlot)
            let details = table.details(upstream: call.upstreamSlot)
            snapshot.dataRxErrors += UInt64(details.missing)
            snapshot.dataTxErrors += details.upstreamPolicedPackets
            snapshot.transport.dataDiscards += details.downstreamPolicedPackets
            snapshot.transport.outOfSequenceDataDiscards += UInt64(details.late)
        }
        snapshot.data = Traffic(traffic)
        snapshot.memoryOctets = UInt64(clamping: machine.memoryOctets)
        snapshot.events = machine.history.records.map {
            StateTransition(
                time: timestamp($0.time), event: $0.event.rawValue, state: $0.state.rawValue,
                newState: $0.newState.rawValue)
        }
        return snapshot
    }

    private func settings(of record: TunnelRecord) -> TunnelSettings {
        let configuration = record.machine.configuration
        func seconds(_ duration: Duration) -> UInt32 { UInt32(clamping: duration.components.seconds) }
        var settings = TunnelSettings()
        settings.helloTimeoutSeconds = seconds(configuration.helloInterval)
        settings.retryTimeoutSeconds = seconds(configuration.transport.retryTimeout)
        settings.idleTimeoutSeconds = seconds(configuration.idleTimeout)
        settings.establishTimeoutSeconds = seconds(configuration.establishTimeout)
        settings.rxWindowSize = configuration.transport.receiveWindow
        settings.txWindowSize = UInt16(clamping: record.machine.statistics.peerWindow)
        settings.maxRetries = UInt32(clamping: configuration.transport.maxRetries)
        settings.sessionLimit = UInt32(clamping: configuration.sessionLimit)
        settings.hideAvps = configuration.hidesAttributes
        settings.framing = FramingTypes(configuration.framingCapabilities)
        settings.bearer = BearerTypes(configuration.bearerCapabilities ?? [])
        settings.useTieBreaker = configuration.sendsTieBreaker
        settings.recoveryTimeSeconds = (configuration.failover?.recoveryTime ?? 0) / 1_000
        if let tieBreaker = record.machine.tieBreaker {
            settings.tieBreaker = withUnsafeBytes(of: tieBreaker.bigEndian, Array.init)
        }
        if let profile = self.configuration.l2tpProfile(record.destination.profile) {
            settings.persistPendTimeoutSeconds = UInt32(profile.persistPendTimeout)
            settings.udpChecksums = profile.udpChecksums
            settings.failover = profile.failover.rawValue
            settings.mtu = profile.mtu
            settings.tosInherit = profile.typeOfService == .inherit
            settings.tos = profile.typeOfService.octet ?? 0
            settings.pathMTUDiscovery = profile.pathMTUDiscovery
            settings.dontFragment = profile.dontFragment
            settings.tooBig = profile.tooBig.rawValue
            settings.offsetPad = profile.offsetPad
            settings.dataSequenceNumbers = profile.dataSequencing.rawValue
            settings.pathMTU = pathMTU(of: record, profile: profile)
        }
        return settings
    }

    private func transport(of statistics: TransportStatistics) -> TunnelTransport {
        let counters = statistics.counters
        var transport = TunnelTransport()
        transport.ns = statistics.ns
        transport.nr = statistics.nr
        transport.peerNs = statistics.peerNs
        transport.peerNr = statistics.peerNr
        transport.congestionWindow = UInt16(clamping: statistics.congestionWindow)
        transport.slowStartThreshold = UInt16(clamping: statistics.slowStartThreshold)
        transport.congestionAcknowledged = UInt16(clamping: statistics.congestionAcknowledgements)
        transport.outOfSequenceControlDiscards = counters.outOfSequence
        transport.zlbsSent = counters.zlbsSent
        transport.zlbsSendFailed = counters.zlbSendFailures
        transport.zlbsReceived = counters.zlbsReceived
        transport.retransmits = counters.retransmits
        transport.duplicateDiscards = counters.duplicates
        transport.hellosSent = counters.hellosSent
        transport.hellosSendFailed = counters.helloSendFailures
        transport.hellosReceived = counters.hellosReceived
        transport.control = Traffic(
            rxPackets: counters.packetsReceived, rxOctets: counters.bytesReceived, txPackets: counters.packetsSent,
            txOctets: counters.bytesSent)
        return transport
    }
}

extension Traffic {
    /// A session's traffic as the L2TP side sees it: received is from the LNS, sent is toward it.
    init(_ traffic: SessionTraffic) {
        self.init(
            rxPackets: traffic.downstreamPackets, rxOctets: traffic.downstreamOctets,
            txPackets: traffic.upstreamPackets, txOctets: traffic.upstreamOctets)
    }
}

extension FramingTypes {
    init(_ framing: Framing) {
        self.init(sync: framing.contains(.synchronous), async: framing.contains(.asynchronous))
    }
}

extension BearerTypes {
    init(_ bearer: Bearer) { self.init(digital: bearer.contains(.digital), analog: bearer.contains(.analog)) }
}
