import Host
import Observability
import PPPoE
import Segment
import Wire

/// The forwarding table of a running node: the shared segment's writer.
public final class SegmentForwardingTable: ForwardingTable {
    /// The writer; whoever reads lists for `show` may use it too, from the same loop.
    public let writer: TableWriter
    private var totals: [(upstream: UInt32, traffic: SessionTraffic)] = []
    private var externalTotals: [(reference: UInt64, traffic: SessionTraffic)] = []
    private var recovery: Recovery?

    /// The table that `writer` writes, having found `recovery` in it.
    public init(writer: TableWriter, recovery: Recovery? = nil) {
        self.writer = writer
        self.recovery = recovery
    }

    /// What the writer before left of our own signalling.
    public func takeSurvey() -> TableSurvey {
        var survey = TableSurvey()
        guard let recovery else { return survey }
        self.recovery = nil
        survey.sessions = recovery.subscriberSessions.compactMap {
            writer.session(at: $0).map(TableSurvey.Session.init)
        }
        for id in recovery.subscriberTunnels {
            guard let ends = writer.tunnel(id)?.endpoints else { continue }
            survey.tunnels[id.rawValue] = .init(
                local: UDPEndpoint(ends.localAddress, ends.localPort),
                peer: UDPEndpoint(ends.peerAddress, ends.peerPort),
                peerTunnelID: ends.peerTunnelID, numbers: writer.controlNumbers(id))
        }
        survey.allocatedTunnels = Set(recovery.allocatedTunnels.map(\.rawValue))
        survey.unfinishedCalls = recovery.unfinishedCalls.map { ($0.tunnel.rawValue, $0.localSessionID) }
        for total in recovery.takenBack where total.owner == .subscriber {
            survey.totals[total.reference] = SessionTraffic(total.counters)
        }
        return survey
    }

    /// Takes tunnel ids that the table does not know to be taken.
    public func claimTunnels(_ ids: Set<UInt16>) -> Set<UInt16> {
        Set(
            writer.claimTunnels(Set(ids.map(TunnelID.init(rawValue:))), owner: .subscriber).map(\.rawValue))
    }

    /// What the line of a freed slot still says.
    public func lastTraffic(upstream: UInt32, reference: UInt64) -> SessionTraffic? {
        writer.lastCounters(of: UpstreamSlot(rawValue: upstream), reference: reference).map(SessionTraffic.init)
    }

    /// The circuit of these tags, found or made in the segment.
    public func circuit(_ circuit: AttachmentCircuit, outerTPID: UInt16) throws -> UInt32 {
        try writer.circuit(
            port: circuit.port, outerVLAN: circuit.outerVLAN, innerVLAN: circuit.innerVLAN, tpid: outerTPID
        ).rawValue
    }

    /// Takes and publishes an upstream line.
    public func openUpstream(circuit: UInt32, client: MACAddress, reference: UInt64) throws -> UpstreamHandle {
        UpstreamHandle(
            try writer.allocateUpstream(
                circuit: CircuitIndex(rawValue: circuit), clientMAC: client, reference: reference))
    }

    /// Takes a tunnel id for this process's own signalling.
    public func allocateTunnel() throws -> UInt16 { try writer.allocateTunnel(owner: .subscriber).rawValue }

    /// Takes a tunnel id for a controller's tunnel.
    public func allocateExternalTunnel() throws -> UInt16 { try writer.allocateTunnel(owner: .external).rawValue }

    /// Publishes a tunnel, or changes the header of one that is in service.
    public func publishTunnel(_ id: UInt16, _ path: TunnelPath) throws {
        let tunnel = TunnelID(rawValue: id)
        let header = try OuterHeader(path)
        if writer.tunnel(tunnel) == nil {
            try writer.publishTunnel(tunnel, header: header)
        } else {
            try writer.updateTemplate(tunnel, header: header)
        }
    }

    /// Tells workers which numbers of the peer's control messages are near.
    public func setControlWindow(_ id: UInt16, _ octet: UInt8) {
        writer.setControlWindow(TunnelID(rawValue: id), octet)
    }

    /// Keeps the numbers of a control channel.
    public func setControlNumbers(_ id: UInt16, _ numbers: ControlNumbers) {
        writer.setControlNumbers(TunnelID(rawValue: id), numbers)
    }

    /// Takes a tunnel out of service.
    public func removeTunnel(_ id: UInt16) throws { try writer.removeTunnel(TunnelID(rawValue: id)) }

    /// Takes a downstream line.
    public func allocateDownstream(tunnel: UInt16) throws -> DownstreamHandle {
        DownstreamHandle(try writer.allocateDownstream(tunnel: TunnelID(rawValue: tunnel)))
    }

    /// Joins the two lines of a session.
    public func forward(
        upstream: UInt32, downstream: UInt32, peerSessionID: UInt16, features: SessionSettings
    ) throws {
        try writer.forward(
            UpstreamSlot(rawValue: upstream), DownstreamSlot(rawValue: downstream), peerSessionID: peerSessionID,
            features: SessionFeatures(features))
    }

    /// Polices a session in service, in both directions or in none of what is new.
    public func setPolicers(_ policers: SessionPolicers, upstream: UInt32) throws {
        let slot = UpstreamSlot(rawValue: upstream)
        let before = try writer.features(of: slot).upstreamPolicer
        try writer.setPolicer(policers.upstream.map(PolicerRates.init), direction: .upstream, of: slot)
        do {
            try writer.setPolicer(policers.downstream.map(PolicerRates.init), direction: .downstream, of: slot)
        } catch {
            try writer.setPolicer(before, direction: .upstream, of: slot)
            throw error
        }
    }

    /// Has the workers copy a session's frames, or no more.
    public func setCapture(_ capture: SessionCapture?, upstream: UInt32) throws {
        try writer.setCapture(capture, of: UpstreamSlot(rawValue: upstream))
    }

    /// What a session's features did; nothing when it is gone.
    public func details(upstream: UInt32) -> SessionDetails {
        let slot = UpstreamSlot(rawValue: upstream)
        var details = SessionDetails()
        guard let counters = writer.counters(of: slot), let features = try? writer.features(of: slot) else {
            return details
        }
        details.policers = SessionPolicers(
            upstream: features.upstreamPolicer.map(PolicerSettings.init),
            downstream: features.downstreamPolicer.map(PolicerSettings.init))
        details.upstreamPolicedPackets = counters.upstreamPoliced
        details.downstreamPolicedPackets = counters.downstreamPoliced
        details.maximumSegmentSize = features.mss
        details.isSequenced = features.sendsSequence || writer.learnsSequence(of: slot)
        details.missing = counters.sequence.missing
        details.late = counters.sequence.late
        details.reordered = counters.sequence.reordered
        return details
    }

    /// A session's counters, zeros when it is gone.
    public func traffic(upstream: UInt32) -> SessionTraffic {
        writer.counters(of: UpstreamSlot(rawValue: upstream)).map(SessionTraffic.init) ?? SessionTraffic()
    }

    /// Unpublishes a session's lines.
    public func remove(upstream: UInt32) throws { try writer.remove(UpstreamSlot(rawValue: upstream)) }

    /// Gives back a downstream line that was never joined.
    public func release(downstream: UInt32) throws { try writer.release(DownstreamSlot(rawValue: downstream)) }

    /// Adds a controller's session whole.
    public func addExternal(
        _ session: ExternalSession
    ) throws -> (upstream: UpstreamHandle, downstream: DownstreamHandle) {
        let added = try writer.addExternal(
            port: session.circuit.port, outerVLAN: session.circuit.outerVLAN, innerVLAN: session.circuit.innerVLAN,
            tpid: session.outerTPID, clientMAC: session.client, tunnel: TunnelID(rawValue: session.tunnel),
            peerSessionID: session.peerSessionID, reference: session.reference)
        return (UpstreamHandle(added.upstream), DownstreamHandle(added.downstream))
    }

    /// Adds controllers' sessions by the writer's bulk call.
    public func addExternal(
        _ sessions: [ExternalSession], refuse: (_ index: Int, _ error: any Error) -> Void
    ) -> [ExternalHandle?] {
        let bulk = sessions.map { session in
            BulkSession(
                reference: session.reference, clientMAC: session.client, port: session.circuit.port,
                outerVLAN: session.circuit.outerVLAN, innerVLAN: session.circuit.innerVLAN, tpid: session.outerTPID,
                tunnel: TunnelID(rawValue: session.tunnel), peerSessionID: session.peerSessionID)
        }
        var places = [BulkPlace](repeating: .none, count: bulk.count)
        bulk.withUnsafeBufferPointer { bulk in
            places.withUnsafeMutableBufferPointer { places in
                _ = writer.addExternal(bulk, into: places) { index, error in refuse(index, error) }
            }
        }
        return places.map { place in
            guard place.isAdded else { return nil }
            return ExternalHandle(
                upstream: UpstreamHandle(slot: place.upstream.rawValue, sessionID: place.sessionID),
                downstream: DownstreamHandle(slot: place.downstream.rawValue, sessionID: place.localSessionID))
        }
    }

    /// Whether removed entries still wait for the workers.
    public var isReclaiming: Bool { writer.occupancy.waiting != 0 }

    /// Totals of own sessions that no worker can count for any more.
    public func finished() -> [(upstream: UInt32, traffic: SessionTraffic)] {
        collect()
        defer { totals = [] }
        return totals
    }

    /// Totals of controllers' sessions that no worker can count for any more.
    public func finishedExternal() -> [(reference: UInt64, traffic: SessionTraffic)] {
        collect()
        defer { externalTotals = [] }
        return externalTotals
    }

    private func collect() {
        writer.reclaim { session in
            let traffic = SessionTraffic(session.counters)
            if session.owner == .external {
                externalTotals.append((session.reference, traffic))
            } else {
                totals.append((session.slot.rawValue, traffic))
            }
        }
    }
}

extension TableSurvey.Session {
    init(_ record: SessionRecord) {
        self.init(
            upstream: UpstreamHandle(slot: record.slot.rawValue, sessionID: record.sessionID), client: record.clientMAC,
            circuit: AttachmentCircuit(
                port: record.circuit.port, outerVLAN: record.circuit.outerVLAN, innerVLAN: record.circuit.innerVLAN),
            outerTPID: record.circuit.tpid, reference: record.reference,
            core: record.core.map {
                TableSurvey.Core(
                    tunnel: $0.tunnel.rawValue,
                    downstream: DownstreamHandle(slot: $0.slot.rawValue, sessionID: $0.localSessionID),
                    peerSessionID: $0.peerSessionID)
            })
    }
}

extension UpstreamHandle {
    init(_ session: UpstreamSession) { self.init(slot: session.slot.rawValue, sessionID: session.sessionID) }
}

extension DownstreamHandle {
    init(_ session: DownstreamSession) { self.init(slot: session.slot.rawValue, sessionID: session.sessionID) }
}

extension SessionTraffic {
    init(_ counters: SessionCounters) {
        self.init()
        upstreamPackets = counters.upstreamPackets
        upstreamOctets = counters.upstreamOctets
        downstreamPackets = counters.downstreamPackets
        downstreamOctets = counters.downstreamOctets
    }
}

extension SessionFeatures {
    init(_ settings: SessionSettings) {
        self.init()
        mss = settings.maximumSegmentSize
        sendsSequence = settings.sendsSequenceNumbers
        requiresSequence = settings.requiresSequenceNumbers
        reorders = settings.reorders
    }
}

extension PolicerRates {
    /// Operators count in bit/s, the table in octets a second.
    init(_ settings: PolicerSettings) {
        self.init(
            committedRate: settings.committedRate / 8, peakRate: settings.peakRate / 8,
            committedBurst: settings.committedBurst, peakBurst: settings.peakBurst)
    }
}

extension PolicerSettings {
    init(_ rates: PolicerRates) {
        self.init(
            committedRate: rates.committedRate * 8, peakRate: rates.peakRate * 8, committedBurst: rates.committedBurst,
            peakBurst: rates.peakBurst)
    }
}

extension OuterHeader {
    init(_ path: TunnelPath) throws(TunnelPathFault) {
        guard
            let endpoints = TunnelEndpoints(
                localAddress: path.local.address, peerAddress: path.peer.address, localPort: path.local.port,
                peerPort: path.peer.port, peerTunnelID: path.peerTunnelID, port: UInt8(truncatingIfNeeded: path.port))
        else { throw TunnelPathFault(local: path.local, peer: path.peer) }
        self.init(
            endpoints: endpoints, egressPort: path.port, sourceMAC: path.source, destinationMAC: path.nextHop,
            mtu: path.mtu, typeOfService: path.typeOfService ?? 0, inheritsTypeOfService: path.typeOfService == nil,
            doNotFragment: path.dontFragment, fragments: path.tooBig == .fragment, tellsInside: path.tooBig == .tell,
            hasLengthField: path.lengthBit, offsetPad: path.offsetPad, computesChecksum: path.udpChecksum,
            acceptsZeroChecksum: path.acceptsZeroChecksum, isNextHopFixed: path.isNextHopFixed)
    }
}

/// A tunnel whose one end is IPv4 and whose other is IPv6, which no packet can have.
struct TunnelPathFault: Error, CustomStringConvertible {
    let local: UDPEndpoint
    let peer: UDPEndpoint

    var description: String { "\(local) and \(peer) are not both IPv4 or both IPv6" }
}
