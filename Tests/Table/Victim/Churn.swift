import CSegment
import Glibc
import Segment
import TableFixture
import Wire

/// Random changes to the tables, without end.
struct Churn {
    private let writer: TableWriter
    private let recovery: Recovery
    private let capacity: UInt32
    private var random: SeededGenerator
    private var live: [UpstreamSlot] = []
    private var tunnels: [TunnelID] = []
    private var generation: UInt32

    init(path: String, seed: UInt64) throws {
        let segment = try SegmentMapping.attachControlPlane(path: path)
        random = SeededGenerator(seed: seed << 32)
        generation = UInt32(truncatingIfNeeded: seed) << 16
        capacity = segment.geometry.sessions
        (writer, recovery) = TableWriter.recovering(segment, using: &random)
    }

    mutating func run() throws -> Never {
        try takeOver()
        balance()
        var ready: UInt8 = 1
        guard write(STDOUT_FILENO, &ready, 1) == 1 else { fail("nobody listens") }
        while true { step() }
    }

    /// culvertd's first act: subscribers' sessions and tunnels end, controllers' stay.
    private mutating func takeOver() throws {
        for slot in recovery.subscriberSessions { try writer.remove(slot) }
        let deadline = culvert_monotonic_ns() + 1_000_000_000
        while writer.occupancy.waiting > 0 {
            guard culvert_monotonic_ns() < deadline else { fail("\(writer.occupancy.waiting) entries still wait") }
            if writer.reclaim(deliver: { _ in }) == 0 { usleep(50) }
        }
        let found = writer
        var slots: [UpstreamSlot] = []
        found.forEachSession { record in
            slots.append(record.slot)
            return true
        }
        live = slots
        var ids: [TunnelID] = []
        found.forEachTunnel { ids.append($0.id) }
        tunnels = ids
    }

    /// What is free and what is in service is all there is, to the last place.
    private func balance() {
        let occupancy = writer.occupancy
        let sessions = UInt32(live.count)
        var circuits: Set<CircuitIndex> = []
        var blocks: Set<UInt32> = []
        writer.forEachSession { record in
            circuits.insert(record.circuit.index)
            if record.circuit.outerVLAN != 0 { blocks.insert(UInt32(record.circuit.port) << 16) }
            if record.circuit.innerVLAN != 0 {
                blocks.insert(UInt32(record.circuit.port) << 16 | UInt32(record.circuit.outerVLAN))
            }
            return true
        }
        let geometry = writer.segment.geometry
        let isRight =
            occupancy.freeUpstream + sessions == capacity && occupancy.freeDownstream + sessions == capacity
            && occupancy.freeTunnels + UInt32(tunnels.count) == geometry.tunnels - 1
            && occupancy.freeCircuits + UInt32(circuits.count) == geometry.circuits
            // An inner block may outlive its circuits for the sake of the one without an inner tag.
            && occupancy.freeVLANBlocks + UInt32(blocks.count) <= geometry.vlanBlocks - 1
            && occupancy.freeVLANBlocks + 2 * 8 >= geometry.vlanBlocks - 1
        if !isRight {
            fail("\(occupancy), \(sessions) sessions, \(tunnels.count) tunnels, \(circuits.count) circuits in service")
        }
        if recovery.externalSessions != live.count { fail("\(recovery.externalSessions) kept, \(live.count) found") }
    }

    /// One change. Refusals because a table is full are part of the game.
    private mutating func step() {
        generation &+= 1
        do {
            switch random.below(100) {
            case 0..<3:
                let id = try writer.allocateTunnel(owner: .external)
                try writer.publishTunnel(id, header: outerHeader(tunnel: id.rawValue, generation: generation))
                tunnels.append(id)
            case 3..<5 where !tunnels.isEmpty:
                let index = random.below(tunnels.count)
                try writer.removeTunnel(tunnels[index])
                tunnels.remove(at: index)
            case 5..<15 where !tunnels.isEmpty:
                let id = tunnels[random.below(tunnels.count)]
                try writer.updateTemplate(id, header: outerHeader(tunnel: id.rawValue, generation: generation))
            case 15..<40 where !tunnels.isEmpty:
                try addExternal()
            case 40..<58 where !tunnels.isEmpty:
                try addSubscriber()
            case 58..<95 where !live.isEmpty:
                try writer.remove(live.remove(at: random.below(live.count)))
            default:
                writer.reclaim { _ in }
            }
        } catch {
            writer.reclaim { _ in }
        }
    }

    private mutating func addExternal() throws {
        let payload = SessionPayload(client: UInt32(random.below(512)), generation: generation)
        let (upstream, _) = try writer.addExternal(
            port: payload.port, outerVLAN: payload.outerVLAN, innerVLAN: payload.innerVLAN, tpid: payload.tpid,
            clientMAC: MACAddress(value: payload.clientMAC), tunnel: tunnels[random.below(tunnels.count)],
            peerSessionID: payload.peerSessionID, reference: payload.reference)
        live.append(upstream.slot)
    }

    private mutating func addSubscriber() throws {
        let payload = SessionPayload(client: UInt32(random.below(512)), generation: generation)
        let circuit = try writer.circuit(
            port: payload.port, outerVLAN: payload.outerVLAN, innerVLAN: payload.innerVLAN, tpid: payload.tpid)
        let upstream = try writer.allocateUpstream(
            circuit: circuit, clientMAC: MACAddress(value: payload.clientMAC), reference: payload.reference)
        live.append(upstream.slot)
        guard random.below(4) > 0 else { return }
        let downstream = try writer.allocateDownstream(tunnel: tunnels[random.below(tunnels.count)])
        guard random.below(8) > 0 else { return try writer.release(downstream.slot) }
        try writer.forward(upstream.slot, downstream.slot, peerSessionID: payload.peerSessionID)
    }
}
