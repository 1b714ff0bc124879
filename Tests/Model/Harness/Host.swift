import CDPDK
import CHarness
import CSegment
import Forwarding
import Segment
import Wire
import Worker

/// The data plane's part: real workers whose ports are pairs of rings, one pair a worker, the exchange behind them, and the far
/// ends of the rings.
final class Host {
    /// What cannot be had.
    struct Fault: Error, CustomStringConvertible {
        var description: String
    }

    /// A port: what the workers know of it, and the rings that stand for the wire, by queue, which is the worker's number.
    struct Port {
        let forwarding: ForwardingPort
        let device: UInt16
        let queuesToNode: [OpaquePointer]
        let queuesFromNode: [OpaquePointer]
        let toNode: OpaquePointer
        let fromNode: OpaquePointer
    }

    private static let buffers: UInt32 = 32_767
    private static let receiveDepth: UInt32 = 1_024
    private static let transmitDepth: UInt32 = 8_192
    /// Rounds in a row without a frame after which the workers are taken to be at rest.
    private static let quietRounds = 80
    /// Frames that may wait on one port: what its ring holds.
    static let waitingCapacity = 512

    private let segment: SegmentMapping
    let pool: OpaquePointer
    private(set) var ports: [Port] = []
    private(set) var workers: [Worker] = []
    private let workerCount: Int
    var exchange: Exchange?
    var punts: FrameRingConsumer
    /// The workers' time, in cycles, in `round`. It stands still until somebody sets it.
    var now: UInt64 = 1 << 40

    /// The first worker, once there is one.
    var worker: Worker? { workers.first }

    /// - Parameter workers: how many there are to be, at most what the segment has pages for.
    init(_ segment: SegmentMapping, workers: Int = 1) throws {
        self.segment = segment
        workerCount = workers
        punts = FrameRingConsumer(segment.view.puntRing, mask: segment.view.frameRingMask)
        guard let pool = culvert_pool_create("model", Self.buffers, 0, 2_048 + UInt16(CULVERT_DEFAULT_HEADROOM), 0)
        else {
            throw Fault(description: "no memory for packet buffers")
        }
        self.pool = pool
    }

    deinit {
        exchange?.deallocate()
        for worker in workers { worker.deallocate() }
    }

    /// The Ethernet address of a port.
    func mac(_ port: UInt16) -> MACAddress {
        Int(port) < ports.count ? ports[Int(port)].forwarding.mac : MACAddress(value: 0)
    }

    /// Adds the next port. Whether it sends frames in several buffers and is dispatched in software is as `forwarding` says.
    func addPort(_ forwarding: ForwardingPort) throws {
        let index = ports.count
        func rings(_ name: String, _ depth: UInt32) throws -> [OpaquePointer] {
            try (0..<workerCount).map { queue in
                guard let ring = culvert_ring_create("\(name)_\(index)_\(queue)", depth, 0) else {
                    throw Fault(description: "no memory for rings")
                }
                return ring
            }
        }
        let toNode = try rings("to", Self.receiveDepth)
        let fromNode = try rings("from", Self.transmitDepth)
        let count = UInt16(workerCount)
        var (receive, send) = (toNode.map(Optional.some), fromNode.map(Optional.some))
        let device = culvert_harness_port_from_rings("model_\(index)", &receive, &send, UInt32(count))
        guard device >= 0 else { throw Fault(description: "no port \(index)") }
        let number = UInt16(device)
        guard culvert_port_configure(number, count, count, UInt32(forwarding.mtu), 0, 0, 0) == 0,
            (0..<count).allSatisfy({
                culvert_port_rx_queue(number, $0, 512, 0, pool) == 0 && culvert_port_tx_queue(number, $0, 512, 0) == 0
            }),
            culvert_port_start(number) == 0
        else { throw Fault(description: "port \(index) does not start") }
        ports.append(
            Port(
                forwarding: forwarding, device: number, queuesToNode: toNode, queuesFromNode: fromNode,
                toNode: toNode[0], fromNode: fromNode[0]))
        let entry = segment.view.ports + index
        withUnsafeMutableBytes(of: &entry.pointee.mac) { $0.copyBytes(from: forwarding.mac.octets) }
        entry.pointee.mtu = forwarding.mtu
        entry.pointee.present = 1
    }

    /// Makes the workers, for the ports that were added.
    /// - Parameters:
    ///   - clientLimits: of a single client; 0: none.
    ///   - shares: what a line and a port have before others.
    func start(
        limits: PuntLimits = PuntLimits(all: 1_000_000_000), clientLimits: PuntLimits = PuntLimits(all: 0),
        shares: PuntShareLimits = .none
    ) throws {
        for index in 0..<UInt32(workerCount) {
            let worker = try Worker(
                view: segment.view, index: index, count: UInt32(workerCount),
                ports: ports.map {
                    Worker.Port(forwarding: $0.forwarding, device: $0.device, transmitQueue: UInt16(index))
                },
                queues: ports.enumerated().map { number, port in
                    Worker.ReceiveQueue(port: UInt32(number), device: port.device, queue: UInt16(index))
                },
                limits: limits, clientLimits: clientLimits, shares: shares)
            worker.start()
            workers.append(worker)
        }
        Worker.connect(workers)
        exchange = Exchange(view: segment.view, workers: workers, devices: [])
    }

    /// A frame that arrives on a queue of `port`.
    func inject(_ octets: [UInt8], port: Int, queue: Int = 0) throws {
        guard ports.indices.contains(port), ports[port].queuesToNode.indices.contains(queue) else {
            throw Fault(description: "inject: no such queue")
        }
        guard let frame = try buffer(octets) else { throw Fault(description: "inject: no buffer") }
        var mbuf: OpaquePointer? = frame
        guard culvert_ring_enqueue(ports[port].queuesToNode[queue], &mbuf, 1) == 1 else {
            throw Fault(description: "inject: ring full")
        }
    }

    /// A frame that culvertd sends out of `port`.
    func transmit(_ octets: [UInt8], port: UInt32) throws {
        guard let worker else { throw Fault(description: "transmit: no worker") }
        guard let frame = try buffer(octets) else { throw Fault(description: "transmit: no buffer") }
        culvert_mbuf_set_note(frame, port, 0)
        var mbuf: OpaquePointer? = frame
        guard culvert_ring_enqueue(worker.injectRing, &mbuf, 1) == 1 else {
            throw Fault(description: "transmit: ring full")
        }
    }

    private func buffer(_ octets: [UInt8]) throws -> OpaquePointer? {
        guard octets.count <= 2_048, let frame = culvert_mbuf_allocate(pool) else { return nil }
        culvert_mbuf_set_frame(frame, 0, UInt32(octets.count))
        culvert_mbuf_data(frame).copyMemory(from: octets, byteCount: octets.count)
        return frame
    }

    /// A round of every worker and of the exchange; answers the frames that the workers found.
    @discardableResult
    func round() -> Int {
        var found = 0
        for worker in workers { found += worker.iterate(now: now) }
        exchange?.iterate()
        return found
    }

    /// Lets the workers and the exchange run until they find nothing more, and answers what was sent and punted.
    func run() throws -> [String] {
        guard !workers.isEmpty else { throw Fault(description: "run: no worker") }
        var lines: [String] = []
        var quiet = 0
        while quiet < Self.quietRounds {
            quiet = round() == 0 ? quiet + 1 : 0
            for (index, port) in ports.enumerated() {
                for (queue, ring) in port.queuesFromNode.enumerated() { drain(ring, index, queue, &lines) }
            }
            while let (descriptor, bytes) = punts.take() {
                if descriptor.puntClass == PuntClass.capture.rawValue {
                    lines.append(Self.describe(descriptor, bytes))
                    continue
                }
                let name = PuntClass(rawValue: descriptor.puntClass)?.name ?? "?"
                lines.append(
                    """
                    punted \(name) \(descriptor.port) \(Int32(bitPattern: descriptor.upstreamSlot)) \(descriptor.detail) \
                    \(descriptor.worker) \(hexadecimal(bytes))
                    """)
            }
        }
        return lines
    }

    /// A copy for a capture: where it was made, what the frame ended as, number, port, slot, octets of the whole frame.
    private static func describe(_ descriptor: FrameDescriptor, _ bytes: [UInt8]) -> String {
        let mark = descriptor.capture
        let point = CapturePoint(rawValue: mark.point).map { "\($0)" } ?? "?"
        let reason = mark.reason == 0 ? "-" : Counter(rawValue: Int(mark.reason))?.name ?? "?"
        return """
            copied \(point) \(reason) \(mark.number) \(descriptor.port) \(Int32(bitPattern: descriptor.upstreamSlot)) \
            \(descriptor.detail) \(hexadecimal(bytes))
            """
    }

    private func drain(_ ring: OpaquePointer, _ port: Int, _ queue: Int, _ lines: inout [String]) {
        var burst = [OpaquePointer?](repeating: nil, count: 32)
        while true {
            let count = Int(culvert_ring_dequeue(ring, &burst, UInt32(burst.count)))
            guard count > 0 else { return }
            for case let mbuf? in burst.prefix(count) {
                let frame = PacketBuffer(mbuf)
                lines.append("sent \(port) \(queue) \(hexadecimal(Self.octets(of: mbuf)))")
                frame.free()
            }
        }
    }

    /// A frame's octets, from all of its buffers.
    static func octets(of mbuf: OpaquePointer) -> [UInt8] {
        let length = culvert_mbuf_length(mbuf)
        return [UInt8](unsafeUninitializedCapacity: Int(length)) { room, count in
            count = Int(culvert_harness_copy(mbuf, room.baseAddress, length))
        }
    }

    /// Every counter of each worker by its name.
    func counters() -> [String] {
        workers.indices.flatMap { index in
            withUnsafeBytes(of: (segment.view.workers + index).pointee.counters) { words in
                Counter.allCases.map {
                    "counter \(index) \($0.name) \(words.load(fromByteOffset: 8 * $0.rawValue, as: UInt64.self))"
                }
            }
        }
    }

    /// Packet buffers that nobody has given back: 0 when everything that was injected has come out or been freed.
    var buffersInUse: Int { Int(Self.buffers) - Int(culvert_pool_available(pool)) }
}
