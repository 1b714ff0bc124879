import CDPDK
import CSegment
import Forwarding
import Segment
import Wire

/// A forwarder on a small segment whose every packet buffer is a malloc of its own. Port 0 is the access port, port 1 the core
/// port; PPPoE sessions 5 (untagged) and 6 (tags 100 and 7) are joined with L2TP sessions 9 and 10 of tunnel 7, which is over IPv4 or
/// IPv6; PPPoE session 8 negotiates.
public final class Fixture {
    /// What an input chooses about the node, a bit or some of them each.
    public struct Options: Sendable {
        private let bits: UInt32

        /// These bits.
        public init(_ bits: UInt32) { self.bits = bits }

        var sendsChained: Bool { bits & 1 != 0 }
        var computesUDPChecksum: Bool { bits & 2 != 0 }
        var accessMTU: UInt16 { bits & 4 != 0 ? 65_535 : 1_500 }
        var coreIsAccessToo: Bool { bits & 8 != 0 }
        /// CULVERT_TEMPLATE_* of the tunnel's template; with these four bits 0 it is as it mostly is.
        var templateFlags: UInt8 { UInt8(truncatingIfNeeded: bits >> 4) & 0x77 }
        var templateMTU: UInt16 { bits & 1 << 11 != 0 ? 1_500 : [68, 576, 1_280, 9_000][Int(bits >> 12 & 3)] }
        var upstreamFeatures: UInt8 { UInt8(truncatingIfNeeded: bits >> 16 & 7) | captured }
        var downstreamFeatures: UInt8 { UInt8(truncatingIfNeeded: bits >> 20 & 15) | captured }
        private var captured: UInt8 { bits & 1 << 19 != 0 ? UInt8(CULVERT_FEATURE_CAPTURED) : 0 }
        var captureLength: UInt16 { bits & 2 != 0 ? 40 : .max }
        var isOverIPv6: Bool { bits & 1 << 15 != 0 }
        var takesZeroChecksum: Bool { bits & 1 << 14 != 0 }
        var hasRoundPolicer: Bool { bits & 1 << 24 == 0 }
        var isShortOfBuffers: Bool { bits & 1 << 31 != 0 }
        var offsetPad: UInt8 { UInt8(truncatingIfNeeded: bits >> 24) }
    }

    /// Time-out of the reassembly, in cycles, which are microseconds.
    public static let timeout: UInt64 = 2_000_000
    /// Ethernet address of the core port, of the access port, and of a client.
    public static let coreMAC = MACAddress(value: 0x0200_0000_0002)
    static let accessMAC = MACAddress(value: 0x0200_0000_0001)
    static let clientMAC = MACAddress(value: 0x0200_0000_0c01)
    /// Addresses of the tunnel's ends.
    public static let localAddress = IPv4Address(value: 0xc000_0201)
    /// The peer's.
    public static let peerAddress = IPv4Address(value: 0xc633_6401)

    /// Forwarders of earlier inputs, which have let go of everything: making one takes longer than most inputs.
    private struct Plan: Hashable {
        var accessMTU: UInt16
        var sendsChained: Bool
        var computesUDPChecksum: Bool
        var reassembly: ReassemblyLimits
    }
    nonisolated(unsafe) private static var forwarders: [Plan: Forwarder] = [:]
    nonisolated(unsafe) private static var lastTime: UInt64 = 1_000_000_000

    /// A pool by name alone: a copy for a capture is a malloc of its own, as all buffers are.
    nonisolated(unsafe) private static let pool = OpaquePointer(bitPattern: 64)

    static let peerIPv6 = IPv6Address(high: 0x2001_0db8_0001_0000, low: 1)
    static let localIPv6 = IPv6Address(high: 0x2001_0db8_0002_0000, low: 1)

    private static let inputs = Counter.allCases.filter { $0.role == .input }
    private static let ends = Counter.allCases.filter { $0.role == .terminal }

    private static let segment: SegmentMapping? = try? SegmentMapping.inMemory(
        geometry: Geometry(
            sessions: 64, tunnels: 16, circuits: 16, vlanBlocks: 4, workers: 2, ports: 4, frameRingDepth: 64),
        initialiseQuiescentState: { _, _, _ in true })

    /// The forwarder.
    public let forwarder: Forwarder
    /// Time in cycles.
    public var now: UInt64 {
        didSet {
            forwarder.setTime(now)
            Self.lastTime = now
        }
    }
    private let ports: [ForwardingPort]

    /// The forwarder with these options, its tables as new.
    public init(_ options: Options, reassembly: ReassemblyLimits) {
        guard let segment = Self.segment else { fatalError("no memory for the segment") }
        let view = segment.view
        Self.fill(view, options)
        fuzz_mbuf_limit(options.isShortOfBuffers ? 3 : .max)
        let plan = Plan(
            accessMTU: options.accessMTU, sendsChained: options.sendsChained,
            computesUDPChecksum: options.computesUDPChecksum, reassembly: reassembly)
        ports = [(Self.accessMAC, options.accessMTU), (Self.coreMAC, 1_500)].map {
            ForwardingPort(
                mac: $0, mtu: $1, computesUDPChecksum: options.computesUDPChecksum, sendsChained: options.sendsChained)
        }
        guard
            let forwarder = try? Self.forwarders[plan]
                ?? Forwarder(
                    view: view, ports: ports, worker: 0, workers: 1, limits: PuntLimits(all: 1_000_000),
                    reassembly: reassembly, captures: Self.pool, cyclesPerSecond: 1_000_000)
        else { fatalError("no memory for the forwarder") }
        Self.forwarders[plan] = forwarder
        self.forwarder = forwarder
        now = Self.lastTime + Self.timeout
        forwarder.setTime(now)
    }

    /// A buffer that holds a frame and has just so much room beside it.
    public static func buffer(_ frame: [UInt8], headroom: UInt32, tailroom: UInt32) -> OpaquePointer {
        guard let mbuf = fuzz_mbuf_make(headroom, UInt32(frame.count), tailroom) else { fatalError("no memory") }
        frame.withUnsafeBytes { source in
            guard let first = source.baseAddress else { return }
            PacketBuffer(mbuf).start.copyMemory(from: first, byteCount: source.count)
        }
        return mbuf
    }

    /// Hands frames to the forwarder, at most a burst, and takes what comes out.
    /// - Parameter output: is told of each frame that leaves: by which port, or nil where it goes to culvertd.
    public func receive(
        _ mbufs: [OpaquePointer], port: UInt32, output: (_ frame: [UInt8], _ port: UInt32?) -> Void = { _, _ in }
    ) {
        var frames: [OpaquePointer?] = mbufs
        forwarder.punts.setRoom(PuntBuffer.capacity)
        forwarder.receive(&frames, count: frames.count, port: port)
        takeOutputs(output)
    }

    private func takeOutputs(_ output: ([UInt8], UInt32?) -> Void) {
        for port in ports.indices {
            let buffers = forwarder.transmit
            let count = buffers.count(UInt32(port))
            for index in 0..<count {
                guard let mbuf = buffers.frames(UInt32(port))[index] else { fatalError("nothing is sent") }
                let frame = PacketBuffer(mbuf)
                precondition(!frame.isChained || ports[port].sendsChained, "a chained frame to a port that has none")
                precondition(frame.length <= 22 + UInt32(ports[port].mtu) || port == 1, "longer than the port's MTU")
                output(Self.take(mbuf), UInt32(port))
            }
            buffers.removeAll(UInt32(port))
            forwarder.countTransmitted(count, octets: 0, port: UInt32(port))
        }
        precondition(forwarder.dispatch.count(0) == 0, "handed over to itself")
        for index in 0..<forwarder.punts.count {
            guard let mbuf = forwarder.punts.frames[index] else { fatalError("nothing is punted") }
            precondition(!PacketBuffer(mbuf).isChained, "punted in several buffers")
            precondition(PacketBuffer(mbuf).length <= CULVERT_FRAME_CAPACITY, "punted frame too long")
            output(Self.take(mbuf), nil)
        }
        forwarder.punts.removeAll()
    }

    /// The octets of a frame, from all of its buffers, which are freed.
    private static func take(_ mbuf: OpaquePointer) -> [UInt8] {
        var contents: [UInt8] = []
        var segment: OpaquePointer? = mbuf
        while let here = segment {
            contents += UnsafeRawBufferPointer(
                start: culvert_mbuf_data(here), count: Int(culvert_mbuf_data_length(here)))
            segment = culvert_mbuf_next(here)
        }
        culvert_mbuf_free(mbuf)
        return contents
    }

    /// Frames that the forwarder holds.
    private var held: Int { forwarder.heldFragments + Int(forwarder.heldMessages) }

    /// A counter.
    public func count(_ counter: Counter) -> UInt64 { forwarder.counters[counter.rawValue] }

    /// Lets all that is held go, and checks that no frame is left over and each was counted once.
    public func finish() {
        check()
        now += Self.timeout
        while held != 0 {
            forwarder.expire()
            forwarder.expireMessages(now: now)
            takeOutputs { _, _ in }
        }
        takeOutputs { _, _ in }
        check()
        precondition(fuzz_mbuf_count() == 0, "packet buffers are left over")
    }

    /// The invariant of `Counter`, and that what is held is what is not freed.
    private func check() {
        var (inputs, ends): (UInt64, UInt64) = (0, 0)
        for counter in Self.inputs { inputs += count(counter) }
        for counter in Self.ends { ends += count(counter) }
        let held = UInt64(held)
        precondition(inputs == ends + held, "a frame has no end, or two")
        precondition(fuzz_mbuf_count() == held, "packet buffers are held that nobody counts")
    }
}
