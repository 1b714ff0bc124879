import Host
import Observability
import PPPoE
import Roles
import Segment
import Wire

/// A forwarding table in memory that forwards nothing: a null data plane.
///
/// Strict: what a real table refuses is refused here and noted in `refusals`, since the node must never ask for it. Mean:
/// ids and slots that are free again are the next to be given out, where the real table gives out those that have been
/// free for longest. What was removed waits for a grace period, which ends with the second look at `finished()`.
final class NullTable: ForwardingTable {
    /// What a real table refuses.
    enum Refusal: Error, Hashable {
        case invalidTags(AttachmentCircuit, tpid: UInt16)
        case otherTagProtocol(AttachmentCircuit)
        case sessionsFull
        case tunnelsFull
        case noSuchCircuit(UInt32)
        case noSuchUpstream(UInt32)
        case noSuchDownstream(UInt32)
        case noSuchTunnel(UInt16)
        case tunnelInUse(UInt16, sessions: Int)
        case otherEndpoints(UInt16)
        case forced
    }

    struct Upstream {
        let circuit: UInt32
        let client: MACAddress
        let sessionID: UInt16
        let reference: UInt64
        let isExternal: Bool
        var downstream: UInt32?
        var traffic = SessionTraffic()
        var features = SessionSettings()
        var policers = SessionPolicers()
    }

    struct Downstream {
        let tunnel: UInt16
        let sessionID: UInt16
        var upstream: UInt32?
        var peerSessionID: UInt16?
    }

    struct TunnelEntry {
        let isExternal: Bool
        /// Every path that was published, the one in force last.
        var paths: [TunnelPath] = []
        /// A change that waits until all workers have seen the one before.
        var waiting: TunnelPath?
        var isResting = false
    }

    private enum Grave {
        case session(UInt32, Upstream)
        case tunnel(UInt16)
        case template(UInt16)
    }

    private(set) var circuits: [UInt32: (circuit: AttachmentCircuit, tpid: UInt16)] = [:]
    private(set) var upstreams: [UInt32: Upstream] = [:]
    private(set) var downstreams: [UInt32: Downstream] = [:]
    private(set) var tunnels: [UInt16: TunnelEntry] = [:]
    private(set) var refusals: [Refusal] = []
    private(set) var forwards = 0
    /// How many sessions there may be on either side.
    var sessionCapacity: Int
    var tunnelCapacity: Int
    /// Refuses the next `forward` for want of nothing in particular.
    var failsForward = false
    /// The next `setPolicers` is refused.
    var failsPolicers = false
    /// Captures by upstream slot.
    private(set) var captures: [UInt32: SessionCapture] = [:]
    /// Refuses the next `publishTunnel`.
    var failsPublish = false

    private var freeSlots: [UInt32]
    private var freeDownstreamSlots: [UInt32]
    private var freeTunnels: [UInt16]
    private var waiting: [Grave] = []
    private var sealed: [Grave] = []
    private var externalTotals: [(reference: UInt64, traffic: SessionTraffic)] = []
    private var nextCircuit: UInt32 = 0

    init(sessions: Int = 1_000, tunnels: Int = 100) {
        sessionCapacity = sessions
        tunnelCapacity = tunnels
        freeSlots = (0..<UInt32(sessions)).reversed()
        freeDownstreamSlots = (0..<UInt32(sessions)).reversed()
        freeTunnels = (1...UInt16(tunnels)).reversed()
    }

    /// What is still taken, in words; empty when all was given back.
    var leaks: [String] {
        upstreams.map { "upstream \($0.key)" } + downstreams.map { "downstream \($0.key)" }
            + tunnels.map { "tunnel \($0.key)" } + circuits.map { "circuit \($0.value.circuit)" }
            + (freeSlots.count == sessionCapacity ? [] : ["upstream slots"])
            + (freeDownstreamSlots.count == sessionCapacity ? [] : ["downstream slots"])
            + (freeTunnels.count == tunnelCapacity ? [] : ["tunnel ids"])
    }

    /// The session that a client's frame belongs to.
    func find(_ circuit: AttachmentCircuit, client: MACAddress, sessionID: UInt16) -> UInt32? {
        upstreams.first {
            $0.value.sessionID == sessionID && $0.value.client == client
                && circuits[$0.value.circuit]?.circuit == circuit
        }?.key
    }

    /// A packet from the client toward the LNS.
    func countUpstream(_ slot: UInt32, octets: Int) {
        upstreams[slot]?.traffic.upstreamPackets += 1
        upstreams[slot]?.traffic.upstreamOctets += UInt64(octets)
    }

    private func refuse(_ refusal: Refusal) -> Refusal {
        refusals.append(refusal)
        return refusal
    }

    // MARK: ForwardingTable

    func circuit(_ circuit: AttachmentCircuit, outerTPID: UInt16) throws -> UInt32 {
        if let found = circuits.first(where: { $0.value.circuit == circuit }) {
            guard found.value.tpid == outerTPID else { throw Refusal.otherTagProtocol(circuit) }
            return found.key
        }
        let fits =
            circuit.outerVLAN == 0
            ? circuit.innerVLAN == 0 && outerTPID == 0
            : circuit.outerVLAN <= 4_094 && circuit.innerVLAN <= 4_094 && [0x8100, 0x88a8].contains(outerTPID)
        guard fits else { throw refuse(.invalidTags(circuit, tpid: outerTPID)) }
        nextCircuit += 1
        circuits[nextCircuit] = (circuit, outerTPID)
        return nextCircuit
    }

    func setCapture(_ capture: SessionCapture?, upstream: UInt32) throws {
        guard upstreams[upstream] != nil else { throw refuse(.noSuchUpstream(upstream)) }
        captures[upstream] = capture
    }

    func openUpstream(circuit: UInt32, client: MACAddress, reference: UInt64) throws -> UpstreamHandle {
        try open(circuit, client: client, reference: reference, isExternal: false)
    }

    private func open(
        _ circuit: UInt32, client: MACAddress, reference: UInt64, isExternal: Bool
    ) throws -> UpstreamHandle {
        guard circuits[circuit] != nil else { throw refuse(.noSuchCircuit(circuit)) }
        guard let slot = freeSlots.popLast() else {
            dropUnusedCircuits()
            throw Refusal.sessionsFull
        }
        // Lines that wait for their grace period still carry their id.
        var used = Set(upstreams.values.filter { $0.circuit == circuit }.map(\.sessionID))
        for case .session(_, let upstream) in waiting + sealed where upstream.circuit == circuit {
            used.insert(upstream.sessionID)
        }
        let sessionID = (1...65_534).first { !used.contains($0) } ?? 0
        upstreams[slot] = Upstream(
            circuit: circuit, client: client, sessionID: sessionID, reference: reference, isExternal: isExternal)
        return UpstreamHandle(slot: slot, sessionID: sessionID)
    }

    func allocateTunnel() throws -> UInt16 { try takeTunnel(isExternal: false) }
    func allocateExternalTunnel() throws -> UInt16 { try takeTunnel(isExternal: true) }

    private func takeTunnel(isExternal: Bool) throws -> UInt16 {
        guard let id = freeTunnels.popLast() else { throw Refusal.tunnelsFull }
        tunnels[id] = TunnelEntry(isExternal: isExternal)
        return id
    }

    func publishTunnel(_ id: UInt16, _ path: TunnelPath) throws {
        guard !failsPublish else {
            failsPublish = false
            throw Refusal.forced
        }
        guard let entry = tunnels[id] else { throw refuse(.noSuchTunnel(id)) }
        if let last = entry.paths.last {
            guard last.local == path.local, last.peer == path.peer, last.peerTunnelID == path.peerTunnelID else {
                throw refuse(.otherEndpoints(id))
            }
        }
        if entry.isResting {
            tunnels[id]?.waiting = path
        } else {
            tunnels[id]?.paths.append(path)
            guard !entry.paths.isEmpty else { return }
            tunnels[id]?.isResting = true
            waiting.append(.template(id))
        }
    }

    /// What was told last of tunnels' peers' numbers.
    private(set) var controlWindows: [UInt16: UInt8] = [:]

    func setControlWindow(_ id: UInt16, _ octet: UInt8) { controlWindows[id] = octet }

    func removeTunnel(_ id: UInt16) throws {
        guard tunnels[id] != nil else { throw refuse(.noSuchTunnel(id)) }
        let sessions = downstreams.values.filter { $0.tunnel == id }.count
        guard sessions == 0 else { throw refuse(.tunnelInUse(id, sessions: sessions)) }
        tunnels[id] = nil
        waiting.append(.tunnel(id))
    }

    func allocateDownstream(tunnel: UInt16) throws -> DownstreamHandle {
        guard tunnels[tunnel] != nil else { throw refuse(.noSuchTunnel(tunnel)) }
        guard let slot = freeDownstreamSlots.popLast() else { throw Refusal.sessionsFull }
        let used = Set(downstreams.values.filter { $0.tunnel == tunnel }.map(\.sessionID))
        let sessionID = (1...65_534).first { !used.contains($0) } ?? 0
        downstreams[slot] = Downstream(tunnel: tunnel, sessionID: sessionID)
        return DownstreamHandle(slot: slot, sessionID: sessionID)
    }

    func forward(upstream: UInt32, downstream: UInt32, peerSessionID: UInt16, features: SessionSettings) throws {
        guard !failsForward else {
            failsForward = false
            throw Refusal.forced
        }
        guard let line = upstreams[upstream], line.downstream == nil else { throw refuse(.noSuchUpstream(upstream)) }
        guard let other = downstreams[downstream], other.upstream == nil else {
            throw refuse(.noSuchDownstream(downstream))
        }
        guard tunnels[other.tunnel]?.paths.isEmpty == false else { throw refuse(.noSuchTunnel(other.tunnel)) }
        join(upstream, downstream, peerSessionID: peerSessionID)
        upstreams[upstream]?.features = features
    }

    func setPolicers(_ policers: SessionPolicers, upstream: UInt32) throws {
        guard !failsPolicers else {
            failsPolicers = false
            throw Refusal.forced
        }
        guard upstreams[upstream]?.downstream != nil else { throw refuse(.noSuchUpstream(upstream)) }
        upstreams[upstream]?.policers = policers
    }

    func details(upstream: UInt32) -> SessionDetails {
        var details = SessionDetails()
        guard let line = upstreams[upstream] else { return details }
        details.policers = line.policers
        details.maximumSegmentSize = line.features.maximumSegmentSize
        details.isSequenced = line.features.sendsSequenceNumbers
        return details
    }

    private func join(_ upstream: UInt32, _ downstream: UInt32, peerSessionID: UInt16) {
        upstreams[upstream]?.downstream = downstream
        downstreams[downstream]?.upstream = upstream
        downstreams[downstream]?.peerSessionID = peerSessionID
        forwards += 1
    }

    func traffic(upstream: UInt32) -> SessionTraffic { upstreams[upstream]?.traffic ?? SessionTraffic() }

    func remove(upstream: UInt32) throws {
        guard let line = upstreams.removeValue(forKey: upstream) else { throw refuse(.noSuchUpstream(upstream)) }
        if let partner = line.downstream { downstreams[partner] = nil }
        captures[upstream] = nil
        waiting.append(.session(upstream, line))
    }

    func release(downstream: UInt32) throws {
        guard let line = downstreams[downstream], line.upstream == nil else {
            throw refuse(.noSuchDownstream(downstream))
        }
        downstreams[downstream] = nil
        freeDownstreamSlots.append(downstream)
    }

    func addExternal(
        _ session: ExternalSession
    ) throws -> (upstream: UpstreamHandle, downstream: DownstreamHandle) {
        guard tunnels[session.tunnel]?.paths.isEmpty == false else { throw refuse(.noSuchTunnel(session.tunnel)) }
        let index = try circuit(session.circuit, outerTPID: session.outerTPID)
        let upstream = try open(index, client: session.client, reference: session.reference, isExternal: true)
        let downstream: DownstreamHandle
        do { downstream = try allocateDownstream(tunnel: session.tunnel) } catch {
            upstreams[upstream.slot] = nil
            freeSlots.append(upstream.slot)
            dropUnusedCircuits()
            throw error
        }
        join(upstream.slot, downstream.slot, peerSessionID: session.peerSessionID)
        return (upstream, downstream)
    }

    var isReclaiming: Bool { !waiting.isEmpty || !sealed.isEmpty }

    func finished() -> [(upstream: UInt32, traffic: SessionTraffic)] {
        var totals: [(upstream: UInt32, traffic: SessionTraffic)] = []
        let over = sealed
        (sealed, waiting) = (waiting, [])
        for grave in over {
            switch grave {
            case .template(let id):
                tunnels[id]?.isResting = false
                if let path = tunnels[id]?.waiting {
                    tunnels[id]?.waiting = nil
                    tunnels[id]?.paths.append(path)
                    tunnels[id]?.isResting = true
                    waiting.append(.template(id))
                }
            case .tunnel(let id): freeTunnels.append(id)
            case .session(let slot, let line):
                freeSlots.append(slot)
                if let partner = line.downstream { freeDownstreamSlots.append(partner) }
                if line.isExternal {
                    externalTotals.append((line.reference, line.traffic))
                } else {
                    totals.append((slot, line.traffic))
                }
            }
        }
        dropUnusedCircuits()
        return totals
    }

    func finishedExternal() -> [(reference: UInt64, traffic: SessionTraffic)] {
        defer { externalTotals = [] }
        return externalTotals
    }

    /// A circuit goes with its last session.
    private func dropUnusedCircuits() {
        var used = Set(upstreams.values.map(\.circuit))
        for case .session(_, let line) in waiting + sealed { used.insert(line.circuit) }
        circuits = circuits.filter { used.contains($0.key) }
    }
}
