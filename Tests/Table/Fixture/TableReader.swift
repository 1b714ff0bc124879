import CDPDK
import CSegment
import Segment
import Wire

/// A worker as the tables see it: looks sessions up in bursts, checks that each is whole and stays as it is until its
/// quiescent point, and counts on it as a forwarding worker does.
///
/// Slots are shared out among readers by their number, so that each counter has one writer.
public struct TableReader: Sendable {
    private let view: SegmentView
    private let worker: UInt32
    private let readers: UInt32
    private var random: SeededGenerator

    /// Look-ups that found a session.
    public private(set) var hits = 0
    /// Look-ups that found none.
    public private(set) var misses = 0
    /// Templates checked.
    public private(set) var templates = 0
    /// What was wrong, the first few.
    public private(set) var faults: [String] = []

    /// A session that was found in this burst.
    private struct Held {
        let slot: Int
        let reference: UInt64
        let wasForwarding: Bool
        let line: culvert_upstream
        let down: culvert_downstream?
    }

    /// A reader that is registered and online as `worker` of `readers`.
    public init(view: SegmentView, worker: UInt32, readers: UInt32) {
        self.view = view
        self.worker = worker
        self.readers = readers
        random = SeededGenerator(seed: UInt64(worker) << 40)
    }

    /// One burst of look-ups for sessions that a glance into random slots suggests, then a quiescent point.
    public mutating func burst(_ size: Int = 32) {
        var held: [Held] = []
        held.reserveCapacity(size)
        for _ in 0..<size {
            let slot = UInt32(random.below(Int(view.sessionMask) + 1)) / readers * readers + worker
            // What stands there may be anything by now: only what the look-up says counts.
            let glance = UnsafeRawPointer(view.upstream + Int(slot & view.sessionMask))
            let key = UInt64(bigEndian: glance.load(fromByteOffset: 8, as: UInt64.self))
            let circuit = glance.load(fromByteOffset: 4, as: UInt32.self)
            if let found = lookUp(circuit: circuit, sessionID: UInt16(truncatingIfNeeded: key), clientMAC: key >> 16) {
                held.append(found)
            }
        }
        let copies = readTemplates()
        for entry in held { checkUnchanged(entry) }
        for (index, expected) in copies where !isEqual(view.templates[index], expected) {
            fault("template \(index) changed before the quiescent point")
        }
        culvert_rcu_quiescent(view.quiescent, worker)
    }

    /// Looks up a session that is known to be in service and stays so; it must be found.
    public mutating func expect(_ reference: UInt64, circuit: UInt32, sessionID: UInt16) {
        let payload = SessionPayload(reference: reference)
        let found = view.circuitIndex(
            port: UInt32(payload.port), outerVLAN: payload.outerVLAN, innerVLAN: payload.innerVLAN)
        if found != circuit { fault("client \(payload.client): circuit \(found) instead of \(circuit)") }
        guard let held = lookUp(circuit: circuit, sessionID: sessionID, clientMAC: payload.clientMAC) else {
            fault("client \(payload.client) is in service and was not found")
            return
        }
        if held.reference != reference { fault("client \(payload.client): found \(held.reference)") }
    }

    /// Reports a quiescent point.
    public func quiescent() { culvert_rcu_quiescent(view.quiescent, worker) }

    private mutating func lookUp(circuit: UInt32, sessionID: UInt16, clientMAC: UInt64) -> Held? {
        let (state, slot) = view.upstreamSession(circuit: circuit, sessionID: sessionID, clientMAC: clientMAC)
        guard state != UInt32(CULVERT_STATE_FREE) else {
            misses += 1
            return nil
        }
        hits += 1
        let pointer = view.upstream + Int(slot)
        let line = pointer.pointee
        let payload = SessionPayload(reference: line.reference)
        if payload.clientMAC != clientMAC { fault("slot \(slot): MAC of another client than \(payload.client)") }
        let tags = view.circuits[Int(circuit & view.circuitMask)]
        if tags.port != payload.port || tags.outer_vlan != payload.outerVLAN || tags.inner_vlan != payload.innerVLAN {
            fault("slot \(slot): circuit \(circuit) is not that of client \(payload.client)")
        }
        guard state == UInt32(CULVERT_STATE_FORWARD) else {
            return Held(slot: Int(slot), reference: line.reference, wasForwarding: false, line: line, down: nil)
        }
        if line.peer_session_id != payload.peerSessionID.bigEndian {
            fault("slot \(slot): peer session id \(line.peer_session_id) is not of \(line.reference)")
        }
        let down = view.downstream[Int(line.partner & view.sessionMask)]
        let header = payload.accessHeader(sessionID: sessionID)
        let isRight = withUnsafeBytes(of: down.header) { room in
            Int(down.header_length) == header.count && room.suffix(header.count).elementsEqual(header)
        }
        if !isRight || down.partner != slot || down.tunnel != line.tunnel || UInt16(down.port) != payload.port {
            fault("slot \(slot): downstream \(line.partner) is not of \(line.reference)")
        }
        let named = view.downstreamSlot(tunnel: down.tunnel, sessionID: UInt16(bigEndian: down.session_id))
        if named != line.partner & view.sessionMask { fault("slot \(slot): downstream id names \(named)") }
        if slot % readers == worker {
            culvert_add_single_writer_u64(&pointer.pointee.packets, 1)
            culvert_add_single_writer_u64(&pointer.pointee.octets, 100)
        }
        return Held(slot: Int(slot), reference: line.reference, wasForwarding: true, line: line, down: down)
    }

    /// Between look-up and quiescent point nothing that a worker uses may change: its place cannot be anybody else's yet.
    private mutating func checkUnchanged(_ held: Held) {
        let now = view.upstream[held.slot]
        let then = held.line
        var isSame =
            now.circuit == then.circuit && now.session_id == then.session_id && now.reference == then.reference
            && now.state != UInt32(CULVERT_STATE_FREE) && now.state != UInt32(CULVERT_STATE_RESERVED)
        if held.wasForwarding, let down = held.down {
            let downNow = view.downstream[Int(then.partner & view.sessionMask)]
            isSame =
                isSame && now.tunnel == then.tunnel && now.peer_session_id == then.peer_session_id
                && now.partner == then.partner && downNow.partner == down.partner && downNow.tunnel == down.tunnel
                && downNow.session_id == down.session_id && downNow.state != UInt32(CULVERT_STATE_FREE)
        }
        if !isSame { fault("slot \(held.slot): changed from \(held.reference) before the quiescent point") }
    }

    /// The templates in force of a few random tunnels, by their index, each checked to be whole.
    private mutating func readTemplates() -> [(Int, culvert_template)] {
        var copies: [(Int, culvert_template)] = []
        for _ in 0..<4 {
            let tunnel = UInt32(random.below(Int(view.tunnelMask) + 1))
            let entry = view.tunnels + Int(tunnel)
            guard culvert_load_acquire_u32(&entry.pointee.state) == UInt32(CULVERT_STATE_FORWARD) else { continue }
            let selector = culvert_load_acquire_u8(&entry.pointee.template_selector)
            let index = 2 * Int(tunnel) + Int(selector & 1)
            let template = view.templates[index]
            // The generation is the destination's Ethernet address, the first bytes of the header.
            let bytes = withUnsafeBytes(of: template.bytes) { Array($0.suffix(Int(min(template.length, 96)))) }
            let generation = bytes.dropFirst(2).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
            let expected = outerHeader(tunnel: UInt16(truncatingIfNeeded: tunnel), generation: generation)
            if !isEqual(template, expected.template) { fault("tunnel \(tunnel): template \(index) is torn") }
            if entry.pointee.peer_tunnel_id != expected.endpoints.peerTunnelID {
                fault("tunnel \(tunnel): ends of another tunnel")
            }
            templates += 1
            copies.append((index, template))
        }
        return copies
    }

    private func isEqual(_ a: culvert_template, _ b: culvert_template) -> Bool {
        withUnsafeBytes(of: a) { a in withUnsafeBytes(of: b) { b in a.elementsEqual(b) } }
    }

    private mutating func fault(_ text: String) {
        if faults.count < 10 { faults.append(text) }
    }
}
