import CDPDK
import CSegment
import Forwarding
import Segment
import Testing
import Wire
import Worker

/// Two ports with two receive and two transmit queues, made of rings; one pair for all tests of the process.
final class WidePorts: @unchecked Sendable {
    static let shared = Result { try WidePorts() }

    let pool: OpaquePointer
    let devices: [UInt16]
    /// What a port's queues receive from, by port and queue; what they send to.
    let receive: [[OpaquePointer]]
    let transmit: [[OpaquePointer]]

    private init() throws {
        pool = try Ports.shared.get().pool  // starts DPDK
        var (devices, receive, transmit): ([UInt16], [[OpaquePointer]], [[OpaquePointer]]) = ([], [], [])
        for port in 0..<2 {
            func rings(_ name: String) throws -> [OpaquePointer] {
                try (0..<2).map { try #require(culvert_ring_create("wide_\(name)_\(port)_\($0)", 1_024, 0)) }
            }
            let (rx, tx) = (try rings("rx"), try rings("tx"))
            let device = rx.map { Optional($0) }.withUnsafeBufferPointer { rx in
                tx.map { Optional($0) }.withUnsafeBufferPointer { tx in
                    rte_eth_from_rings("wide\(port)", rx.baseAddress, 2, tx.baseAddress, 2, 0)
                }
            }
            try #require(device >= 0)
            let number = UInt16(device)
            try #require(culvert_port_configure(number, 2, 2, 1_500, 0, 0, 0) == 0)
            for queue in 0..<2 as Range<UInt16> {
                try #require(culvert_port_rx_queue(number, queue, 64, 0, pool) == 0)
                try #require(culvert_port_tx_queue(number, queue, 64, 0) == 0)
            }
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

/// A segment with 40 sessions and two workers on it. Port 0 is the access port, port 1 the core port; worker 0 polls the first
/// queue of both, worker 1 the second. PPPoE session N is untagged and joined with session N of tunnel 7, for N from 1 to 40;
/// the peer calls the tunnel 0x1234 and the session N.
final class TwoWorkers {
    static let sessions = 1...40

    let ports: WidePorts
    let segment: SegmentMapping
    let workers: [Worker]
    private let turn = Turn()
    private let buffersBefore: UInt32
    private var isRunning = true
    var view: SegmentView { segment.view }

    init(
        isDispatched: Bool, epoch: UInt64 = 1, ringDepth: UInt32 = 1_024, seed: UInt64 = 1,
        segment found: SegmentMapping? = nil
    ) throws {
        let ports = try WidePorts.shared.get()
        self.ports = ports
        buffersBefore = culvert_pool_available(ports.pool)
        let segment =
            try found
            ?? SegmentMapping.inMemory(
                geometry: Geometry(
                    sessions: 64, tunnels: 16, circuits: 16, vlanBlocks: 4, workers: 2, ports: 4, frameRingDepth: 64),
                initialiseQuiescentState: { culvert_rcu_initialise($0, UInt64($1), $2) == 0 })
        self.segment = segment
        segment.view.header.pointee.dataplane_epoch = epoch
        workers = try (0..<2 as Range<UInt32>).map { index in
            try Worker(
                view: segment.view, index: index, count: 2,
                ports: zip(ports.devices, [accessMAC, coreMAC]).map {
                    Worker.Port(
                        forwarding: ForwardingPort(mac: $1, mtu: 1_500, isDispatched: isDispatched), device: $0,
                        transmitQueue: UInt16(index))
                },
                queues: ports.devices.enumerated().map {
                    Worker.ReceiveQueue(port: UInt32($0), device: $1, queue: UInt16(index))
                },
                limits: PuntLimits(all: 1_000_000),
                reassembly: ReassemblyLimits(
                    seed: ReassemblyLimits.Seed(
                        low: seed &* 0x9e37_79b9_7f4a_7c15, high: seed &* 0xbf58_476d_1ce4_e5b9)),
                ringDepth: ringDepth,
                seed: seed)
        }
        Worker.connect(workers)
        for worker in workers { worker.start() }
        if found == nil { fill() }
    }

    /// Ends the workers, with whatever they hold, and says how many buffers did not come back.
    func end() -> Int {
        guard isRunning else { return 0 }
        isRunning = false
        for worker in workers { worker.stop() }
        for worker in workers { worker.deallocate() }
        for port in 0..<2 { _ = take(port) }
        return Int(buffersBefore) - Int(culvert_pool_available(ports.pool))
    }

    deinit { _ = end() }

    private func fill() {
        view.ports[0].flags = UInt32(CULVERT_PORT_ACCESS)
        view.ports[0].untagged_circuit = 1
        view.ports[1].flags = UInt32(CULVERT_PORT_CORE)
        view.ports[1].address_count = 1
        view.ports[1].local_ipv4.0 = localAddress.value.bigEndian
        view.ports[1].ipv6_address_count = 1
        withUnsafeMutableBytes(of: &view.ports[1].local_ipv6) {
            $0.copyBytes(from: bytes("20010db8000000000000000000000001"))
        }
        view.circuits[1].region = (0, .max, .max, .max)
        view.circuits[1].state = UInt32(CULVERT_STATE_FORWARD)
        view.templates[2 * 7] =
            OuterHeader(
                endpoints: TunnelEndpoints(
                    localAddress: localAddress, peerAddress: peerAddress, peerTunnelID: 0x1234, port: 1),
                egressPort: 1, sourceMAC: coreMAC, destinationMAC: nextHopMAC
            ).template
        let tunnel = view.tunnels + 7
        tunnel.pointee.family = UInt8(CULVERT_TUNNEL_IPV4)
        tunnel.pointee.region = (0, .max, .max, .max)
        let raw = UnsafeMutableRawPointer(tunnel)
        raw.storeBytes(of: peerAddress.value.bigEndian, toByteOffset: 24, as: UInt32.self)
        raw.storeBytes(of: localAddress.value.bigEndian, toByteOffset: 40, as: UInt32.self)
        tunnel.pointee.peer_port = UInt16(1_701).bigEndian
        tunnel.pointee.local_port = UInt16(1_701).bigEndian
        tunnel.pointee.state = UInt32(CULVERT_STATE_FORWARD)
        for session in Self.sessions {
            let up = view.upstream + session
            up.pointee.circuit = 1
            withUnsafeMutableBytes(of: &up.pointee.client_mac) { $0.copyBytes(from: clientMAC.octets) }
            up.pointee.session_id = UInt16(session).bigEndian
            up.pointee.tunnel = 7
            up.pointee.peer_session_id = UInt16(session).bigEndian
            up.pointee.state = UInt32(CULVERT_STATE_FORWARD)
            let down = view.downstream + session
            let header = clientMAC.octets + accessMAC.octets + [0x88, 0x64, 0x11, 0, 0, UInt8(session), 0, 0]
            down.pointee.tunnel = 7
            down.pointee.session_id = UInt16(session).bigEndian
            down.pointee.header_length = UInt8(header.count)
            withUnsafeMutableBytes(of: &down.pointee.header) {
                $0[($0.count - header.count)...].copyBytes(from: header)
            }
            down.pointee.state = UInt32(CULVERT_STATE_FORWARD)
        }
    }

    /// Puts a frame where a port's queue receives it.
    func send(_ frame: [UInt8], port: Int, queue: Int = 0) {
        guard let mbuf = culvert_mbuf_allocate(ports.pool) else { return }
        let buffer = PacketBuffer(mbuf)
        frame.withUnsafeBytes { source in
            if let first = source.baseAddress { buffer.start.copyMemory(from: first, byteCount: source.count) }
        }
        buffer.reframe(shift: 0, length: UInt32(frame.count))
        var pointer: OpaquePointer? = mbuf
        culvert_ring_enqueue(ports.receive[port][queue], &pointer, 1)
    }

    /// Rounds of both workers in turn until neither finds anything.
    func run() {
        while workers.map({ $0.iterate() }).reduce(0, +) != 0 {}
    }

    /// What a port has sent, by transmit queue and so by worker.
    func take(_ port: Int) -> [[[UInt8]]] {
        ports.transmit[port].map { ring in
            var frames: [[UInt8]] = []
            var pointer: OpaquePointer?
            while culvert_ring_dequeue(ring, &pointer, 1) == 1 {
                guard let mbuf = pointer else { continue }
                frames.append(PacketBuffer(mbuf).contents)
                culvert_mbuf_free(mbuf)
            }
            return frames
        }
    }

    /// Every counter of a worker that is not 0, octets left out.
    func counters(_ worker: Int) -> [Counter: UInt64] {
        Dictionary(
            uniqueKeysWithValues: Counter.allCases.filter { $0.role != .octets }.compactMap { counter in
                let value = workers[worker].forwarder.counters[counter.rawValue]
                return value == 0 ? nil : (counter, value)
            })
    }

    /// A counter of a worker.
    func count(_ counter: Counter, _ worker: Int) -> Int { Int(counters(worker)[counter] ?? 0) }

    /// The invariant of `Counter`, for each worker.
    var isBalanced: Bool {
        (0..<2).allSatisfy { worker in
            let counters = counters(worker)
            return counters.filter { $0.key.role == .input }.values.reduce(0, +)
                == counters.filter { $0.key.role == .terminal }.values.reduce(0, +)
        }
    }

    /// The worker that a session's claim names.
    func owner(upstream session: Int) -> Int { Int(view.upstream[session].claim & 0xff) }
    func owner(downstream session: Int) -> Int { Int(view.downstream[session].claim & 0xff) }
}

/// A PPPoE session frame with a number in its last octet.
func upFrame(_ session: Int, _ number: Int) -> [UInt8] {
    var frame = sessionFrame(UInt8(session), ppp: 40)
    frame[frame.count - 1] = UInt8(truncatingIfNeeded: number)
    return frame
}

/// An L2TP data message to a session of tunnel 7 with a number in its last octet.
func downFrame(_ session: Int, _ number: Int) -> [UInt8] {
    var frame = tunnelFrame(ppp: 40)
    frame[49] = UInt8(session)
    frame[frame.count - 1] = UInt8(truncatingIfNeeded: number)
    return frame
}

/// What left by the core port, as session and number; by the access port.
func upNumber(_ frame: [UInt8]) -> (session: Int, number: Int) { (Int(frame[49]), Int(frame[frame.count - 1])) }
func downNumber(_ frame: [UInt8]) -> (session: Int, number: Int) { (Int(frame[17]), Int(frame[frame.count - 1])) }
