import Host
import Observability
import PPPoE
import Roles
import Segment
import Wire

/// A forwarding table in memory that forwards nothing: a null data plane.
///
/// Strict: what a real table refuses is refused here and noted in `refusals`, since the node must never ask for it. Mean,
/// unless it is told otherwise: ids and slots that are free again are the next to be given out, where the real table gives out
/// those that have been free for longest. What was removed waits for a grace period, which ends with the second look at
/// `finished()`.
package final class NullTable: ForwardingTable {
    /// What a real table refuses.
    package enum Refusal: Error, Hashable {
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
        /// The process died at an operation before this one.
        case dead
    }

    /// Which of the ids and slots that are free is given out next.
    package enum Reuse: Sendable {
        /// The one that was given back last.
        case soonest
        /// The one that has been free for longest. Ids are those of their slots, as the real table's are.
        case latest
    }

    package struct Upstream {
        package let circuit: UInt32
        package let client: MACAddress
        package let sessionID: UInt16
        package let reference: UInt64
        package let isExternal: Bool
        package var downstream: UInt32?
        package var traffic = SessionTraffic()
        package var features = SessionSettings()
        package var policers = SessionPolicers()
    }

    package struct Downstream {
        package let tunnel: UInt16
        package let sessionID: UInt16
        package var upstream: UInt32?
        package var peerSessionID: UInt16?
    }

    package struct TunnelEntry {
        package let isExternal: Bool
        /// Every path that was published, the one in force last.
        package var paths: [TunnelPath] = []
        /// A change that waits until all workers have seen the one before.
        package var waiting: TunnelPath?
        package var isResting = false
    }

    private enum Grave {
        case session(UInt32, Upstream)
        case tunnel(UInt16)
        case template(UInt16)
    }

    package private(set) var circuits: [UInt32: (circuit: AttachmentCircuit, tpid: UInt16)] = [:]
    package private(set) var upstreams: [UInt32: Upstream] = [:]
    package private(set) var downstreams: [UInt32: Downstream] = [:]
    package private(set) var tunnels: [UInt16: TunnelEntry] = [:]
    package private(set) var refusals: [Refusal] = []
    package private(set) var forwards = 0
    /// How many sessions there may be on either side.
    package var sessionCapacity: Int
    package var tunnelCapacity: Int
    /// Refuses the next `forward` for want of nothing in particular.
    package var failsForward = false
    /// The next `setPolicers` is refused.
    package var failsPolicers = false
    /// Captures by upstream slot.
    package private(set) var captures: [UInt32: SessionCapture] = [:]
    /// Refuses the next `publishTunnel`.
    package var failsPublish = false

    private let reuse: Reuse
    /// Operations that still work; all after them do nothing, as if the process had been killed there. Nil: all work.
    package var operationsLeft: Int?
    /// Sessions whose counters are final, in the order of their ends, as long as `keepsFinals`.
    package private(set) var finals: [(reference: UInt64, traffic: SessionTraffic)] = []
    package var keepsFinals = false
    /// A downstream slot that is to be given back and is not: a fault that is planted.
    package var losesDownstream: (_ tunnel: UInt16, _ sessionID: UInt16, _ peerSessionID: UInt16?) -> Bool = {
        _, _, _ in
        false
    }
    private var removed: [(client: MACAddress, sessionID: UInt16)] = []

    private var freeSlots: [UInt32]
    private var freeDownstreamSlots: [UInt32]
    private var freeTunnels: [UInt16]
    private var waiting: [Grave] = []
    private var sealed: [Grave] = []
    private var externalTotals: [(reference: UInt64, traffic: SessionTraffic)] = []
    private var nextCircuit: UInt32 = 0
    /// What freed slots still say: reference and counters.
    private var last: [UInt32: (reference: UInt64, traffic: SessionTraffic)] = [:]

    package init(sessions: Int = 1_000, tunnels: Int = 100, reuse: Reuse = .soonest) {
        sessionCapacity = sessions
        tunnelCapacity = tunnels
        self.reuse = reuse
        freeSlots = (0..<UInt32(sessions)).reversed()
        freeDownstreamSlots = (0..<UInt32(sessions)).reversed()
        freeTunnels = (1...UInt16(tunnels)).reversed()
    }

    /// The last one is the next to be given out.
    private func giveBack<Number>(_ number: Number, to free: inout [Number]) {
        if reuse == .soonest { free.append(number) } else { free.insert(number, at: 0) }
    }

    /// Whether the process has died.
    package var isDead: Bool { operationsLeft.map { $0 < 0 } ?? false }

    /// Every operation that changes something begins with this.
    private func live() throws {
        guard let left = operationsLeft else { return }
        operationsLeft = left - 1
        if left <= 0 {
            operationsLeft = -1
            throw Refusal.dead
        }
    }

    /// Takes the sessions that were removed since the last call.
    package func takeRemoved() -> [(client: MACAddress, sessionID: UInt16)] {
        if removed.isEmpty { return [] }
        defer { removed = [] }
        return removed
    }

    // MARK: Taking over

    /// Everything is gone, as when the machine has restarted.
    package func forget() {
        (upstreams, downstreams, tunnels, circuits, captures) = ([:], [:], [:], [:], [:])
        (waiting, sealed, externalTotals, last) = ([], [], [], [:])
        freeSlots = (0..<UInt32(sessionCapacity)).reversed()
        freeDownstreamSlots = (0..<UInt32(sessionCapacity)).reversed()
        freeTunnels = (1...UInt16(tunnelCapacity)).reversed()
    }

    /// What is there now; what was half done or on its way out is put in order.
    package func takeSurvey() -> TableSurvey {
        var survey = TableSurvey()
        for case .session(_, let line) in waiting + sealed where !line.isExternal {
            survey.totals[line.reference] = line.traffic
        }
        while isReclaiming, !isDead { _ = finished() }
        for (slot, line) in upstreams.sorted(by: { $0.key < $1.key }) where !line.isExternal {
            guard let circuit = circuits[line.circuit] else { continue }
            var core: TableSurvey.Core?
            if let downstream = line.downstream, let other = downstreams[downstream] {
                core = .init(
                    tunnel: other.tunnel, downstream: DownstreamHandle(slot: downstream, sessionID: other.sessionID),
                    peerSessionID: other.peerSessionID ?? 0)
            }
            survey.sessions.append(
                .init(
                    upstream: UpstreamHandle(slot: slot, sessionID: line.sessionID), client: line.client,
                    circuit: circuit.circuit, outerTPID: circuit.tpid, reference: line.reference, core: core))
        }
        for (slot, line) in downstreams.sorted(by: { $0.key < $1.key }) where line.upstream == nil {
            survey.unfinishedCalls.append((line.tunnel, line.sessionID))
            downstreams[slot] = nil
            giveBack(slot, to: &freeDownstreamSlots)
        }
        for (id, entry) in tunnels where !entry.isExternal {
            if let path = entry.paths.last {
                survey.tunnels[id] = .init(
                    local: path.local, peer: path.peer, peerTunnelID: path.peerTunnelID, numbers: controlNumbers[id])
            } else {
                survey.allocatedTunnels.insert(id)
            }
        }
        return survey
    }

    package func claimTunnels(_ ids: Set<UInt16>) -> Set<UInt16> {
        let claimed = ids.intersection(freeTunnels)
        freeTunnels.removeAll { claimed.contains($0) }
        for id in claimed { tunnels[id] = TunnelEntry(isExternal: false) }
        return claimed
    }

    package func lastTraffic(upstream: UInt32, reference: UInt64) -> SessionTraffic? {
        guard upstreams[upstream] == nil, let last = last[upstream], last.reference == reference else { return nil }
        return last.traffic
    }

    /// What is still taken, in words; empty when all was given back.
    package var leaks: [String] {
        upstreams.map { "upstream \($0.key)" } + downstreams.map { "downstream \($0.key)" }
            + tunnels.map { "tunnel \($0.key)" } + circuits.map { "circuit \($0.value.circuit)" }
            + (freeSlots.count == sessionCapacity ? [] : ["upstream slots"])
            + (freeDownstreamSlots.count == sessionCapacity ? [] : ["downstream slots"])
            + (freeTunnels.count == tunnelCapacity ? [] : ["tunnel ids"])
    }

    /// The session that a client's frame belongs to.
    package func find(_ circuit: AttachmentCircuit, client: MACAddress, sessionID: UInt16) -> UInt32? {
        upstreams.first {
            $0.value.sessionID == sessionID && $0.value.client == client
                && circuits[$0.value.circuit]?.circuit == circuit
        }?.key
    }

    /// A packet from the client toward the LNS.
    package func countUpstream(_ slot: UInt32, octets: Int) {
        upstreams[slot]?.traffic.upstreamPackets += 1
        upstreams[slot]?.traffic.upstreamOctets += UInt64(octets)
    }

    /// A packet from the LNS toward the client.
    package func countDownstream(_ slot: UInt32, octets: Int) {
        upstreams[slot]?.traffic.downstreamPackets += 1
        upstreams[slot]?.traffic.downstreamOctets += UInt64(octets)
    }

    /// The upstream slot that a data message from the LNS belongs to; nil: it is dropped.
    package func find(tunnel: UInt16, sessionID: UInt16) -> UInt32? {
        downstreams.first { $0.value.tunnel == tunnel && $0.value.sessionID == sessionID }?.value.upstream
    }

    private func refuse(_ refusal: Refusal) -> Refusal {
        refusals.append(refusal)
        return refusal
    }

    // MARK: ForwardingTable

    package func circuit(_ circuit: AttachmentCircuit, outerTPID: UInt16) throws -> UInt32 {
        try live()
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

    package func setCapture(_ capture: SessionCapture?, upstream: UInt32) throws {
        try live()
        guard upstreams[upstream] != nil else { throw refuse(.noSuchUpstream(upstream)) }
        captures[upstream] = capture
    }

    package func openUpstream(circuit: UInt32, client: MACAddress, reference: UInt64) throws -> UpstreamHandle {
        try open(circuit, client: client, reference: reference, isExternal: false)
    }

    private func open(
        _ circuit: UInt32, client: MACAddress, reference: UInt64, isExternal: Bool
    ) throws -> UpstreamHandle {
        try live()
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
        let sessionID = reuse == .latest ? UInt16(slot + 1) : (1...65_534).first { !used.contains($0) } ?? 0
        upstreams[slot] = Upstream(
            circuit: circuit, client: client, sessionID: sessionID, reference: reference, isExternal: isExternal)
        return UpstreamHandle(slot: slot, sessionID: sessionID)
    }

    package func allocateTunnel() throws -> UInt16 { try takeTunnel(isExternal: false) }
    package func allocateExternalTunnel() throws -> UInt16 { try takeTunnel(isExternal: true) }

    private func takeTunnel(isExternal: Bool) throws -> UInt16 {
        try live()
        guard let id = freeTunnels.popLast() else { throw Refusal.tunnelsFull }
        tunnels[id] = TunnelEntry(isExternal: isExternal)
        return id
    }

    package func publishTunnel(_ id: UInt16, _ path: TunnelPath) throws {
        try live()
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

    /// What was kept last of control channels.
    package private(set) var controlNumbers: [UInt16: ControlNumbers] = [:]

    package func setControlNumbers(_ id: UInt16, _ numbers: ControlNumbers) {
        guard (try? live()) != nil, tunnels[id] != nil else { return }
        controlNumbers[id] = numbers
    }

    /// What was told last of tunnels' peers' numbers.
    package private(set) var controlWindows: [UInt16: UInt8] = [:]

    package func setControlWindow(_ id: UInt16, _ octet: UInt8) {
        guard (try? live()) != nil else { return }
        controlWindows[id] = octet
    }

    package func removeTunnel(_ id: UInt16) throws {
        try live()
        guard tunnels[id] != nil else { throw refuse(.noSuchTunnel(id)) }
        let sessions = downstreams.values.filter { $0.tunnel == id }.count
        guard sessions == 0 else { throw refuse(.tunnelInUse(id, sessions: sessions)) }
        tunnels[id] = nil
        controlNumbers[id] = nil
        waiting.append(.tunnel(id))
    }

    package func allocateDownstream(tunnel: UInt16) throws -> DownstreamHandle {
        try live()
        guard tunnels[tunnel] != nil else { throw refuse(.noSuchTunnel(tunnel)) }
        guard let slot = freeDownstreamSlots.popLast() else { throw Refusal.sessionsFull }
        let used = Set(downstreams.values.filter { $0.tunnel == tunnel }.map(\.sessionID))
        let sessionID = reuse == .latest ? UInt16(slot + 1) : (1...65_534).first { !used.contains($0) } ?? 0
        downstreams[slot] = Downstream(tunnel: tunnel, sessionID: sessionID)
        return DownstreamHandle(slot: slot, sessionID: sessionID)
    }

    package func forward(upstream: UInt32, downstream: UInt32, peerSessionID: UInt16, features: SessionSettings) throws
    {
        try live()
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

    package func setPolicers(_ policers: SessionPolicers, upstream: UInt32) throws {
        try live()
        guard !failsPolicers else {
            failsPolicers = false
            throw Refusal.forced
        }
        guard upstreams[upstream]?.downstream != nil else { throw refuse(.noSuchUpstream(upstream)) }
        upstreams[upstream]?.policers = policers
    }

    package func details(upstream: UInt32) -> SessionDetails {
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

    package func traffic(upstream: UInt32) -> SessionTraffic { upstreams[upstream]?.traffic ?? SessionTraffic() }

    package func remove(upstream: UInt32) throws {
        try live()
        guard var line = upstreams.removeValue(forKey: upstream) else { throw refuse(.noSuchUpstream(upstream)) }
        if let partner = line.downstream, let other = downstreams.removeValue(forKey: partner) {
            if losesDownstream(other.tunnel, other.sessionID, other.peerSessionID) { line.downstream = nil }
        }
        captures[upstream] = nil
        removed.append((line.client, line.sessionID))
        waiting.append(.session(upstream, line))
    }

    package func release(downstream: UInt32) throws {
        try live()
        guard let line = downstreams[downstream], line.upstream == nil else {
            throw refuse(.noSuchDownstream(downstream))
        }
        downstreams[downstream] = nil
        guard !losesDownstream(line.tunnel, line.sessionID, nil) else { return }
        giveBack(downstream, to: &freeDownstreamSlots)
    }

    package func addExternal(
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

    package var isReclaiming: Bool { !waiting.isEmpty || !sealed.isEmpty }

    package func finished() -> [(upstream: UInt32, traffic: SessionTraffic)] {
        var totals: [(upstream: UInt32, traffic: SessionTraffic)] = []
        do { try live() } catch { return totals }
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
            case .tunnel(let id): giveBack(id, to: &freeTunnels)
            case .session(let slot, let line):
                giveBack(slot, to: &freeSlots)
                last[slot] = (line.reference, line.traffic)
                if let partner = line.downstream { giveBack(partner, to: &freeDownstreamSlots) }
                if keepsFinals { finals.append((line.reference, line.traffic)) }
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

    package func finishedExternal() -> [(reference: UInt64, traffic: SessionTraffic)] {
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
