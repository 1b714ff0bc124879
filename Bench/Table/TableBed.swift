import CDPDK
import CSegment
import Segment
import Wire

/// A segment with tunnels, its writer, and the sessions that come and go.
final class TableBed {
    static let accessPort: UInt16 = 0
    static let corePort: UInt16 = 1
    static let accessMAC = MACAddress(value: 0x02c0_0000_0001)
    static let coreMAC = MACAddress(value: 0x02c0_0000_0002)

    let segment: SegmentMapping
    let writer: TableWriter
    /// Sessions a bulk call.
    let batch: Int
    /// Places in the table.
    let capacity: Int
    /// What is added, a circuit and its tunnel after the other, and where it is then.
    let sessions: UnsafeMutableBufferPointer<BulkSession>
    let places: UnsafeMutableBufferPointer<BulkPlace>
    let slots: UnsafeMutableBufferPointer<UpstreamSlot>

    /// What the bench keeps for itself, in octets.
    var benchOctets: Int { sessions.count * (MemoryLayout<BulkSession>.stride + 16 + 4) }
    var segmentOctetsPerSession: Double { Double(segment.layout.totalSize) / Double(capacity) }

    init(sessions count: Int, tunnels: Int, batch: Int) throws {
        var capacity: UInt32 = 64
        while capacity < count + count / 64 { capacity *= 2 }
        capacity = min(capacity, 1_048_576)
        self.batch = batch
        self.capacity = Int(capacity)
        let geometry = Geometry(
            sessions: capacity, tunnels: 8_192, circuits: 4_096, vlanBlocks: 64, workers: 1, ports: 2,
            frameRingDepth: 64)
        segment = try SegmentMapping.inMemory(geometry: geometry) { memory, size, workers in
            culvert_rcu_initialise(memory, UInt64(size), workers) == 0
        }
        // As the control plane's own mapping, or the writer would take the data plane for dead and wait for nobody.
        let control = try SegmentMapping.attachControlPlane(path: segment.path)
        var random = SplitMix(seed: 0x7461_626c_65)
        writer = TableWriter.recovering(control, using: &random).writer
        for (port, mac) in [(Self.accessPort, Self.accessMAC), (Self.corePort, Self.coreMAC)] {
            let entry = segment.view.ports + Int(port)
            withUnsafeMutableBytes(of: &entry.pointee.mac) { $0.copyBytes(from: mac.octets) }
            entry.pointee.mtu = 1_600
            entry.pointee.present = 1
        }
        let localAddress = IPv4Address(value: 0xc000_0201)
        try writer.configurePort(Self.accessPort, roles: .access, addresses: [])
        try writer.configurePort(Self.corePort, roles: .core, addresses: [localAddress])
        var ids: [TunnelID] = []
        for index in 0..<tunnels {
            let id = try writer.allocateTunnel(owner: .external)
            let ends = TunnelEndpoints(
                localAddress: localAddress, peerAddress: IPv4Address(value: 0xc612_0001 &+ UInt32(index)),
                peerTunnelID: UInt16(index + 1), port: UInt8(Self.corePort))
            try writer.publishTunnel(
                id,
                header: OuterHeader(
                    endpoints: ends, egressPort: Self.corePort, sourceMAC: Self.coreMAC,
                    destinationMAC: MACAddress(value: 0x02ee_0000_0001), mtu: 1_600))
            ids.append(id)
        }
        sessions = .allocate(capacity: count)
        places = .allocate(capacity: count)
        slots = .allocate(capacity: count)
        let share = (count + tunnels - 1) / tunnels
        for index in 0..<count {
            let owner = index / share
            sessions.initializeElement(
                at: index,
                to: BulkSession(
                    reference: UInt64(index + 1), clientMAC: MACAddress(value: 0x0211_0000_0000 | UInt64(index)),
                    port: Self.accessPort, outerVLAN: UInt16(100 + owner), innerVLAN: 0, tpid: 0x8100,
                    tunnel: ids[owner], peerSessionID: UInt16(truncatingIfNeeded: index % 65_535 + 1)))
        }
        places.initialize(repeating: .none)
        slots.initialize(repeating: UpstreamSlot(rawValue: 0))
    }

    deinit {
        sessions.deallocate()
        places.deallocate()
        slots.deallocate()
    }

    /// Adds the sessions in `range`, a bulk call or several.
    func add(_ range: Range<Int>) throws {
        var start = range.lowerBound
        var refused = 0
        while start < range.upperBound {
            let end = min(start + batch, range.upperBound)
            writer.addExternal(
                UnsafeBufferPointer(rebasing: sessions[start..<end]),
                into: UnsafeMutableBufferPointer(rebasing: places[start..<end])
            ) { _, _ in refused += 1 }
            start = end
        }
        guard refused == 0 else { throw BenchError("\(refused) sessions were refused") }
    }

    /// Removes the sessions in `range`, a bulk call or several, and frees their places.
    func remove(_ range: Range<Int>) throws {
        var start = range.lowerBound
        var refused = 0
        while start < range.upperBound {
            let end = min(start + batch, range.upperBound)
            for index in start..<end { slots[index] = places[index].upstream }
            writer.remove(UnsafeBufferPointer(rebasing: slots[start..<end])) { _, _ in refused += 1 }
            writer.reclaim(limit: .max) { _ in }
            start = end
        }
        guard refused == 0 else { throw BenchError("\(refused) sessions were not there") }
    }
}
