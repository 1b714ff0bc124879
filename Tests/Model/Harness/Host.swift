import CDPDK
import CSegment
import Forwarding
import Segment
import Wire

/// The data plane's part: the forwarding path over the segment, and the frames that go in and come out.
final class Host {
    /// What cannot be had.
    struct Fault: Error, CustomStringConvertible {
        var description: String
    }

    private let segment: SegmentMapping
    private let pool: OpaquePointer
    private var ports: [ForwardingPort] = []
    private var forwarder: Forwarder?
    private var waiting: [(port: UInt32, frame: OpaquePointer)] = []

    init(_ segment: SegmentMapping) throws {
        self.segment = segment
        guard let pool = culvert_pool_create("model", 8191, 0, 2048 + UInt16(CULVERT_DEFAULT_HEADROOM), 0) else {
            throw Fault(description: "no memory for packet buffers")
        }
        self.pool = pool
    }

    deinit { forwarder?.deallocate() }

    /// The Ethernet address of a port.
    func mac(_ port: UInt16) -> MACAddress {
        Int(port) < ports.count ? ports[Int(port)].mac : MACAddress(value: 0)
    }

    /// Adds the next port.
    func addPort(mac: MACAddress, mtu: UInt16) {
        let entry = segment.view.ports + ports.count
        withUnsafeMutableBytes(of: &entry.pointee.mac) { $0.copyBytes(from: mac.octets) }
        entry.pointee.mtu = mtu
        entry.pointee.present = 1
        ports.append(ForwardingPort(mac: mac, mtu: mtu))
    }

    /// Makes the worker, for the ports that were added.
    func start() throws {
        forwarder = try Forwarder(
            view: segment.view, ports: ports, worker: 0, workers: 1, limits: PuntLimits(all: 1_000_000_000),
            cyclesPerSecond: culvert_cycles_per_second())
    }

    /// A frame that arrives on `port` in the next `run`.
    func inject(_ octets: [UInt8], port: UInt32) throws {
        guard Int(port) < ports.count, octets.count <= 2048, let frame = culvert_mbuf_allocate(pool) else {
            throw Fault(description: "inject: no such port or no room")
        }
        culvert_mbuf_set_frame(frame, 0, UInt32(octets.count))
        culvert_mbuf_data(frame).copyMemory(from: octets, byteCount: octets.count)
        waiting.append((port, frame))
    }

    /// Lets the worker take everything that waits, and answers what it sent and punted.
    func run() throws -> [String] {
        guard let forwarder else { throw Fault(description: "run: no worker") }
        var lines: [String] = []
        var burst: [OpaquePointer?] = []
        forwarder.setTime(culvert_cycles())
        while let port = waiting.first?.port {
            burst = waiting.prefix(Forwarder.burst).prefix { $0.port == port }.map(\.frame)
            waiting.removeFirst(burst.count)
            forwarder.receive(&burst, count: burst.count, port: port)
            collect(forwarder, &lines)
        }
        return lines
    }

    private func collect(_ forwarder: Forwarder, _ lines: inout [String]) {
        for port in 0..<UInt32(ports.count) {
            let frames = forwarder.transmit.frames(port: port)
            for index in 0..<forwarder.transmit.count(port: port) {
                guard let mbuf = frames[index] else { continue }
                lines.append("sent \(port) \(text(PacketBuffer(mbuf)))")
                culvert_mbuf_free(mbuf)
            }
            forwarder.transmit.removeAll(port: port)
        }
        for index in 0..<forwarder.punts.count {
            guard let mbuf = forwarder.punts.frames[index] else { continue }
            let note = PuntNote(of: PacketBuffer(mbuf))
            lines.append(
                "punted \(note.punt.name) \(note.port) \(Int32(bitPattern: note.slot)) \(text(PacketBuffer(mbuf)))")
            culvert_mbuf_free(mbuf)
        }
        forwarder.punts.removeAll()
    }

    private func text(_ frame: PacketBuffer) -> String {
        hexadecimal(UnsafeRawBufferPointer(start: frame.start, count: Int(frame.length)))
    }

    /// Every counter of the worker by its name.
    func counters() -> [String] {
        withUnsafeBytes(of: segment.view.workers.pointee.counters) { words in
            Counter.allCases.map { "counter \($0.name) \(words.load(fromByteOffset: 8 * $0.rawValue, as: UInt64.self))" }
        }
    }

    /// Packet buffers that nobody has given back: in use now, without those that wait.
    var buffersInUse: Int { 8191 - Int(culvert_pool_available(pool)) - waiting.count }
}
