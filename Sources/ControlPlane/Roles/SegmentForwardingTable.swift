import PPPoE
import Segment
import Wire

/// The forwarding table of a running node: the shared segment's writer.
public final class SegmentForwardingTable: ForwardingTable {
    /// The writer; whoever reads lists for `show` may use it too, from the same loop.
    public let writer: TableWriter
    private var totals: [(upstream: UInt32, traffic: SessionTraffic)] = []
    private var externalTotals: [(reference: UInt64, traffic: SessionTraffic)] = []

    /// The table that `writer` writes.
    public init(writer: TableWriter) { self.writer = writer }

    public func circuit(_ circuit: AttachmentCircuit, outerTPID: UInt16) throws -> UInt32 {
        try writer.circuit(
            port: circuit.port, outerVLAN: circuit.outerVLAN, innerVLAN: circuit.innerVLAN, tpid: outerTPID
        ).rawValue
    }

    public func openUpstream(circuit: UInt32, client: MACAddress, reference: UInt64) throws -> UpstreamHandle {
        UpstreamHandle(
            try writer.allocateUpstream(
                circuit: CircuitIndex(rawValue: circuit), clientMAC: client, reference: reference))
    }

    public func allocateTunnel() throws -> UInt16 { try writer.allocateTunnel(owner: .subscriber).rawValue }

    public func allocateExternalTunnel() throws -> UInt16 { try writer.allocateTunnel(owner: .external).rawValue }

    public func publishTunnel(_ id: UInt16, _ path: TunnelPath) throws {
        let tunnel = TunnelID(rawValue: id)
        let header = OuterHeader(path)
        if writer.tunnel(tunnel) == nil {
            try writer.publishTunnel(tunnel, header: header)
        } else {
            try writer.updateTemplate(tunnel, header: header)
        }
    }

    public func removeTunnel(_ id: UInt16) throws { try writer.removeTunnel(TunnelID(rawValue: id)) }

    public func allocateDownstream(tunnel: UInt16) throws -> DownstreamHandle {
        DownstreamHandle(try writer.allocateDownstream(tunnel: TunnelID(rawValue: tunnel)))
    }

    public func forward(upstream: UInt32, downstream: UInt32, peerSessionID: UInt16) throws {
        try writer.forward(
            UpstreamSlot(rawValue: upstream), DownstreamSlot(rawValue: downstream), peerSessionID: peerSessionID)
    }

    public func traffic(upstream: UInt32) -> SessionTraffic {
        writer.counters(of: UpstreamSlot(rawValue: upstream)).map(SessionTraffic.init) ?? SessionTraffic()
    }

    public func remove(upstream: UInt32) throws { try writer.remove(UpstreamSlot(rawValue: upstream)) }

    public func release(downstream: UInt32) throws { try writer.release(DownstreamSlot(rawValue: downstream)) }

    public func addExternal(
        _ session: ExternalSession
    ) throws -> (upstream: UpstreamHandle, downstream: DownstreamHandle) {
        let added = try writer.addExternal(
            port: session.circuit.port, outerVLAN: session.circuit.outerVLAN, innerVLAN: session.circuit.innerVLAN,
            tpid: session.outerTPID, clientMAC: session.client, tunnel: TunnelID(rawValue: session.tunnel),
            peerSessionID: session.peerSessionID, reference: session.reference)
        return (UpstreamHandle(added.upstream), DownstreamHandle(added.downstream))
    }

    public var isReclaiming: Bool { writer.occupancy.waiting != 0 }

    public func finished() -> [(upstream: UInt32, traffic: SessionTraffic)] {
        collect()
        defer { totals = [] }
        return totals
    }

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

extension OuterHeader {
    init(_ path: TunnelPath) {
        self.init(
            endpoints: TunnelEndpoints(
                localAddress: path.local.address, peerAddress: path.peer.address, localPort: path.local.port,
                peerPort: path.peer.port, peerTunnelID: path.peerTunnelID, port: UInt8(truncatingIfNeeded: path.port)),
            egressPort: path.port, sourceMAC: path.source, destinationMAC: path.nextHop, mtu: path.mtu,
            typeOfService: path.typeOfService ?? 0, inheritsTypeOfService: path.typeOfService == nil,
            hasLengthField: path.lengthBit, computesChecksum: path.udpChecksum)
    }
}
