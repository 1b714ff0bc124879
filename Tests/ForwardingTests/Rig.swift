import CDPDK
import CSegment
import Forwarding
import Glibc
import Segment
import Testing
import Wire
import Worker

/// What the tunnel's template says.
enum TemplateKind: Sendable {
    case plain, noLength, checksum, inherit, unresolved
}

let accessMAC = MACAddress(value: 0x0200_0000_0001)
let coreMAC = MACAddress(value: 0x0200_0000_0002)
let clientMAC = MACAddress(value: 0x0200_0000_0c01)
let nextHopMAC = MACAddress(value: 0x0200_0000_0e01)
let localAddress = IPv4Address(value: 0xc000_0201)
let peerAddress = IPv4Address(value: 0xc633_6401)

/// Two ports made of rings, a pool, and DPDK itself: one for all tests of the process.
final class Ports: @unchecked Sendable {
    static let shared = Result { try Ports() }

    let pool: OpaquePointer
    let devices: [UInt16]
    /// What the ports receive from and send to, by port.
    let receive: [OpaquePointer]
    let transmit: [OpaquePointer]

    private init() throws {
        try Environment.start(.test())
        pool = try #require(culvert_pool_create("rig", 2_047, 0, 2_048 + 128, 0))
        var (devices, receive, transmit): ([UInt16], [OpaquePointer], [OpaquePointer]) = ([], [], [])
        for port in 0..<2 {
            let rx = try #require(culvert_ring_create("rig_rx_\(port)", 256, 0))
            let tx = try #require(culvert_ring_create("rig_tx_\(port)", 256, 0))
            let device = culvert_port_from_rings("rig\(port)", rx, tx, 0)
            try #require(device >= 0)
            let number = UInt16(device)
            try #require(culvert_port_configure(number, 1, 1, 1_500, 0, 0, 0) == 0)
            try #require(culvert_port_rx_queue(number, 0, 64, 0, pool) == 0)
            try #require(culvert_port_tx_queue(number, 0, 64, 0) == 0)
            try #require(culvert_port_start(number) == 0)
            devices.append(number)
            receive.append(rx)
            transmit.append(tx)
        }
        self.devices = devices
        self.receive = receive
        self.transmit = transmit
    }
}

/// The turn of one rig: all of them use the same ports and names, and suites run beside each other. A test may have several.
final class Turn {
    private static let mutex = {
        let mutex = Unchecked(UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1))
        var attributes = pthread_mutexattr_t()
        pthread_mutexattr_init(&attributes)
        pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
        pthread_mutex_init(mutex.pointer, &attributes)
        return mutex
    }()

    private struct Unchecked: @unchecked Sendable {
        let pointer: UnsafeMutablePointer<pthread_mutex_t>
        init(_ pointer: UnsafeMutablePointer<pthread_mutex_t>) { self.pointer = pointer }
    }

    init() { pthread_mutex_lock(Self.mutex.pointer) }
    deinit { pthread_mutex_unlock(Self.mutex.pointer) }
}

/// A segment with a session or two, and a worker on it. Port 0 is the access port, port 1 the core port.
///
/// PPPoE session 5 is untagged and forwarded, joined with L2TP session 9 of tunnel 7; session 6 has the tags 100 and 7 and is
/// joined with 10; session 8 is untagged and not forwarded yet. The peer calls the tunnel 0x1234 and the sessions 0x5678.
final class Rig {
    private let turn = Turn()
    let ports: Ports
    let segment: SegmentMapping
    let worker: Worker
    var view: SegmentView { segment.view }

    init(
        _ kind: TemplateKind = .plain, limits: PuntLimits = PuntLimits(all: 1_000_000),
        clientLimits: PuntLimits = PuntLimits(all: 0), shares: PuntShareLimits = .none
    ) throws {
        ports = try Ports.shared.get()
        segment = try SegmentMapping.inMemory(
            geometry: Geometry(
                sessions: 64, tunnels: 16, circuits: 16, vlanBlocks: 4, workers: 2, ports: 4, frameRingDepth: 64),
            initialiseQuiescentState: { culvert_rcu_initialise($0, UInt64($1), $2) == 0 })
        worker = try Worker(
            view: segment.view, index: 0, count: 1,
            ports: zip(ports.devices, [accessMAC, coreMAC]).map {
                Worker.Port(forwarding: ForwardingPort(mac: $1, mtu: 1_500), device: $0, transmitQueue: 0)
            },
            queues: ports.devices.enumerated().map { Worker.ReceiveQueue(port: UInt32($0), device: $1, queue: 0) },
            limits: limits, clientLimits: clientLimits, shares: shares)
        worker.start()
        fill(kind)
    }

    deinit {
        worker.stop()
        worker.deallocate()
    }

    private func fill(_ kind: TemplateKind) {
        view.ports[0].flags = UInt32(CULVERT_PORT_ACCESS)
        view.ports[0].untagged_circuit = 1
        view.ports[0].vlan_block = 1
        view.vlanEntries[1 * 4_096 + 100] = CULVERT_VLAN_INNER | 2
        view.vlanEntries[2 * 4_096 + 7] = 2 + 1
        view.ports[1].flags = UInt32(CULVERT_PORT_CORE)
        view.ports[1].address_count = 1
        view.ports[1].local_ipv4.0 = localAddress.value.bigEndian
        view.circuits[1].region.0 = 0
        view.circuits[1].state = UInt32(CULVERT_STATE_FORWARD)
        view.circuits[2].outer_vlan = 100
        view.circuits[2].inner_vlan = 7
        view.circuits[2].outer_tpid = 0x88a8
        view.circuits[2].state = UInt32(CULVERT_STATE_FORWARD)
        for index in 1...2 { view.circuits[index].region = (0, .max, .max, .max) }

        var header = OuterHeader(
            endpoints: TunnelEndpoints(
                localAddress: localAddress, peerAddress: peerAddress, peerTunnelID: 0x1234, port: 1),
            egressPort: 1, sourceMAC: coreMAC, destinationMAC: kind == .unresolved ? nil : nextHopMAC)
        header.hasLengthField = kind != .noLength
        header.computesChecksum = kind == .checksum
        header.inheritsTypeOfService = kind == .inherit
        view.templates[2 * 7 + 1] = header.template
        let tunnel = view.tunnels + 7
        tunnel.pointee.family = UInt8(CULVERT_TUNNEL_IPV4)
        tunnel.pointee.template_selector = 1
        tunnel.pointee.region = (0, .max, .max, .max)
        let raw = UnsafeMutableRawPointer(tunnel)
        raw.storeBytes(of: peerAddress.value.bigEndian, toByteOffset: 24, as: UInt32.self)
        raw.storeBytes(of: localAddress.value.bigEndian, toByteOffset: 40, as: UInt32.self)
        tunnel.pointee.peer_port = UInt16(1_701).bigEndian
        tunnel.pointee.local_port = UInt16(1_701).bigEndian
        tunnel.pointee.state = UInt32(CULVERT_STATE_FORWARD)

        addSession(5, circuit: 1, state: CULVERT_STATE_FORWARD, partner: 9, header: [])
        addSession(
            6, circuit: 2, state: CULVERT_STATE_FORWARD, partner: 10, header: bytes("88a8006481000007"))
        addSession(8, circuit: 1, state: CULVERT_STATE_PUNT, partner: nil, header: [])
    }

    private func addSession(_ id: UInt16, circuit: UInt32, state: Int, partner: UInt16?, header tags: [UInt8]) {
        let up = view.upstream + Int(id)
        up.pointee.circuit = circuit
        withUnsafeMutableBytes(of: &up.pointee.client_mac) { $0.copyBytes(from: clientMAC.octets) }
        up.pointee.session_id = id.bigEndian
        up.pointee.tunnel = 7
        up.pointee.peer_session_id = UInt16(0x5678).bigEndian
        up.pointee.state = UInt32(state)
        guard let partner else { return }
        let down = view.downstream + Int(partner)
        let header =
            clientMAC.octets + accessMAC.octets + tags + [0x88, 0x64, 0x11, 0, UInt8(id >> 8), UInt8(id & 255), 0, 0]
        down.pointee.tunnel = 7
        down.pointee.session_id = partner.bigEndian
        down.pointee.header_length = UInt8(header.count)
        down.pointee.port = 0
        withUnsafeMutableBytes(of: &down.pointee.header) { $0[($0.count - header.count)...].copyBytes(from: header) }
        down.pointee.state = UInt32(CULVERT_STATE_FORWARD)
    }

    /// Frames that come in on a port; a few rounds of the worker; what leaves, by port.
    func pass(_ frames: [[UInt8]], port: Int) -> [[[UInt8]]] {
        for frame in frames { send(frame, port: port) }
        while worker.iterate() != 0 {}
        return (0..<2).map { take(ports.transmit[$0]) }
    }

    /// Puts a frame where the port receives it.
    func send(_ frame: [UInt8], port: Int) {
        guard let mbuf = culvert_mbuf_allocate(ports.pool) else { return }
        let buffer = PacketBuffer(mbuf)
        frame.withUnsafeBytes { source in
            if let first = source.baseAddress { buffer.start.copyMemory(from: first, byteCount: source.count) }
        }
        buffer.reframe(shift: 0, length: UInt32(frame.count))
        var pointer: OpaquePointer? = mbuf
        culvert_ring_enqueue(ports.receive[port], &pointer, 1)
    }

    /// Takes and frees all frames of a ring.
    func take(_ ring: OpaquePointer) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        var pointer: OpaquePointer?
        while culvert_ring_dequeue(ring, &pointer, 1) == 1 {
            guard let mbuf = pointer else { continue }
            frames.append(PacketBuffer(mbuf).contents)
            culvert_mbuf_free(mbuf)
        }
        return frames
    }

    /// Punted frames with what is said of them.
    func takePunts() -> [(note: PuntNote, frame: [UInt8])] {
        var punts: [(PuntNote, [UInt8])] = []
        var pointer: OpaquePointer?
        while culvert_ring_dequeue(worker.puntRing, &pointer, 1) == 1 {
            guard let mbuf = pointer else { continue }
            punts.append((PuntNote(of: PacketBuffer(mbuf)), PacketBuffer(mbuf).contents))
            culvert_mbuf_free(mbuf)
        }
        return punts
    }

    /// Every counter that is not 0.
    var counters: [Counter: UInt64] {
        Dictionary(
            uniqueKeysWithValues: Counter.allCases.compactMap { counter in
                let value = worker.forwarder.counters[counter.rawValue]
                return value == 0 ? nil : (counter, value)
            })
    }

    /// Every counter that is not 0 and counts where a frame ended.
    var terminals: [Counter: UInt64] { counters.filter { $0.key.role == .terminal } }

    /// The invariant of `Counter`.
    var isBalanced: Bool {
        let inputs = counters.filter { $0.key.role == .input }.values.reduce(0, +)
        return inputs == terminals.values.reduce(0, +)
    }
}

extension PacketBuffer {
    var contents: [UInt8] { Array(UnsafeRawBufferPointer(start: start, count: Int(length))) }
}
