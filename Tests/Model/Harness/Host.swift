import CDPDK
import CSegment
import Forwarding
import Segment
import Wire
import Worker

/// The data plane's part: a real worker whose ports are pairs of rings, the exchange behind it, and the far ends of the rings.
final class Host {
    /// What cannot be had.
    struct Fault: Error, CustomStringConvertible {
        var description: String
    }

    /// A port: what the worker knows of it, and the rings that stand for the wire.
    struct Port {
        let forwarding: ForwardingPort
        let device: UInt16
        let toNode: OpaquePointer
        let fromNode: OpaquePointer
    }

    private static let buffers: UInt32 = 8_191
    private static let ringDepth: UInt32 = 1_024
    /// Frames that may wait on one port: what its ring holds.
    static let waitingCapacity = 512

    private let segment: SegmentMapping
    let pool: OpaquePointer
    private(set) var ports: [Port] = []
    private(set) var worker: Worker?
    var exchange: Exchange?
    var punts: FrameRingConsumer

    init(_ segment: SegmentMapping) throws {
        self.segment = segment
        punts = FrameRingConsumer(segment.view.puntRing, mask: segment.view.frameRingMask)
        guard let pool = culvert_pool_create("model", Self.buffers, 0, 2_048 + UInt16(CULVERT_DEFAULT_HEADROOM), 0)
        else {
            throw Fault(description: "no memory for packet buffers")
        }
        self.pool = pool
    }

    deinit {
        exchange?.deallocate()
        worker?.deallocate()
    }

    /// The Ethernet address of a port.
    func mac(_ port: UInt16) -> MACAddress {
        Int(port) < ports.count ? ports[Int(port)].forwarding.mac : MACAddress(value: 0)
    }

    /// Adds the next port.
    func addPort(mac: MACAddress, mtu: UInt16) throws {
        let index = ports.count
        guard let toNode = culvert_ring_create("to_\(index)", Self.ringDepth, 0),
            let fromNode = culvert_ring_create("from_\(index)", Self.ringDepth, 0)
        else { throw Fault(description: "no memory for rings") }
        let device = culvert_port_from_rings("model_\(index)", toNode, fromNode, 0)
        guard device >= 0 else { throw Fault(description: "no port \(index)") }
        let number = UInt16(device)
        guard culvert_port_configure(number, 1, 1, UInt32(mtu), 0, 0, 0) == 0,
            culvert_port_rx_queue(number, 0, 512, 0, pool) == 0, culvert_port_tx_queue(number, 0, 512, 0) == 0,
            culvert_port_start(number) == 0
        else { throw Fault(description: "port \(index) does not start") }
        ports.append(
            Port(forwarding: ForwardingPort(mac: mac, mtu: mtu), device: number, toNode: toNode, fromNode: fromNode))
        let entry = segment.view.ports + index
        withUnsafeMutableBytes(of: &entry.pointee.mac) { $0.copyBytes(from: mac.octets) }
        entry.pointee.mtu = mtu
        entry.pointee.present = 1
    }

    /// Makes the worker, for the ports that were added.
    func start() throws {
        let worker = try Worker(
            view: segment.view, index: 0, count: 1,
            ports: ports.map { Worker.Port(forwarding: $0.forwarding, device: $0.device, transmitQueue: 0) },
            queues: ports.enumerated().map { index, port in
                Worker.ReceiveQueue(port: UInt32(index), device: port.device, queue: 0)
            },
            limits: PuntLimits(all: 1_000_000_000))
        worker.start()
        self.worker = worker
        exchange = Exchange(view: segment.view, workers: [worker], devices: [])
    }

    /// A frame that arrives on `port`.
    func inject(_ octets: [UInt8], port: Int) throws {
        guard ports.indices.contains(port) else { throw Fault(description: "inject: no such port") }
        guard let frame = try buffer(octets) else { throw Fault(description: "inject: no buffer") }
        var mbuf: OpaquePointer? = frame
        guard culvert_ring_enqueue(ports[port].toNode, &mbuf, 1) == 1 else {
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

    /// Lets the worker and the exchange run until they find nothing more, and answers what was sent and punted.
    func run() throws -> [String] {
        guard let worker else { throw Fault(description: "run: no worker") }
        var lines: [String] = []
        var isQuiet = false
        while !isQuiet {
            isQuiet = worker.iterate() == 0
            exchange?.iterate()
            for (index, port) in ports.enumerated() { drain(port.fromNode, index, &lines) }
            while let (descriptor, bytes) = punts.take() {
                let name = PuntClass(rawValue: descriptor.puntClass)?.name ?? "?"
                lines.append(
                    "punted \(name) \(descriptor.port) \(Int32(bitPattern: descriptor.upstreamSlot)) \(hexadecimal(bytes))"
                )
            }
        }
        return lines
    }

    private func drain(_ ring: OpaquePointer, _ port: Int, _ lines: inout [String]) {
        var burst = [OpaquePointer?](repeating: nil, count: 32)
        while true {
            let count = Int(culvert_ring_dequeue(ring, &burst, UInt32(burst.count)))
            guard count > 0 else { return }
            for case let mbuf? in burst.prefix(count) {
                let frame = PacketBuffer(mbuf)
                lines.append(
                    "sent \(port) \(hexadecimal(UnsafeRawBufferPointer(start: frame.start, count: Int(frame.length))))")
                frame.free()
            }
        }
    }

    /// Every counter of the worker by its name.
    func counters() -> [String] {
        withUnsafeBytes(of: segment.view.workers.pointee.counters) { words in
            Counter.allCases.map {
                "counter \($0.name) \(words.load(fromByteOffset: 8 * $0.rawValue, as: UInt64.self))"
            }
        }
    }

    /// Packet buffers that nobody has given back: 0 when everything that was injected has come out or been freed.
    var buffersInUse: Int { Int(Self.buffers) - Int(culvert_pool_available(pool)) }
}
