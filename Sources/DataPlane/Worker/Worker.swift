import CDPDK
import CSegment
import Forwarding
import Segment

/// A worker: the loop that one core runs. It takes bursts from its receive queues, hands them to its `Forwarder`, and sends
/// what comes out.
///
/// It is a value of pointers; what changes lies behind them and belongs to the thread that calls `iterate`. A test calls
/// `iterate` itself; the program launches `run` on a core.
///
/// Frames come to the forwarder by `Forwarder.receive`, whoever has them: the port's queue, or the ring in which other workers
/// put what is this worker's.
public struct Worker: @unchecked Sendable {
    /// A receive queue that the worker polls.
    public struct ReceiveQueue: Sendable {
        /// The port's index in the segment.
        public var port: UInt32
        /// DPDK's number of the port.
        public var device: UInt16
        /// The queue.
        public var queue: UInt16

        /// Queue `queue` of a port.
        public init(port: UInt32, device: UInt16, queue: UInt16) {
            self.port = port
            self.device = device
            self.queue = queue
        }
    }

    /// A port as a worker sends to it, by index.
    public struct Port: Sendable {
        /// Address and MTU.
        public var forwarding: ForwardingPort
        /// DPDK's number of the port.
        public var device: UInt16
        /// The transmit queue that is this worker's own.
        public var transmitQueue: UInt16

        /// A port with the worker's own transmit queue.
        public init(forwarding: ForwardingPort, device: UInt16, transmitQueue: UInt16) {
            self.forwarding = forwarding
            self.device = device
            self.transmitQueue = transmitQueue
        }
    }

    /// What the worker does to frames.
    public let forwarder: Forwarder
    /// The worker's number, which is its page's in the segment and its thread's in the quiescent state.
    public let index: UInt32
    /// Punted frames on their way to the exchange, each with its `PuntNote`.
    public let puntRing: OpaquePointer
    /// Frames on their way from the exchange to a port, whose index is the buffer's note.
    public let injectRing: OpaquePointer
    /// Frames that other workers hand over; each buffer's port is the index of the port that it came in on.
    public let dispatchRing: OpaquePointer

    /// The forwarder's buffers. They are here as well since the compiler copies all of the forwarder's value, a call of memcpy,
    /// where both a method and a field of it are used.
    let outgoing: FrameBuffers
    let handedOver: FrameBuffers
    let punts: PuntBuffer
    /// Packet buffers of copies for captures. The worker takes them and the exchange gives them back, so the pool has one of each.
    let captures: OpaquePointer
    let page: UnsafeMutablePointer<culvert_worker>
    let quiescent: UnsafeMutableRawPointer
    let queues: UnsafeMutablePointer<ReceiveQueue>
    let queueCount: Int
    let ports: UnsafeMutablePointer<Port>
    let portCount: UInt32
    /// The dispatch rings of all workers, by number; nil: not connected.
    let peers: UnsafeMutablePointer<OpaquePointer?>
    let peerCount: UInt32
    let burst: UnsafeMutablePointer<OpaquePointer?>
    /// Frames of a burst that came in on one port.
    let group: UnsafeMutablePointer<OpaquePointer?>
    /// Frames of a dispatched port that are this worker's own; room for two bursts.
    let share: UnsafeMutablePointer<OpaquePointer?>
    let state: UnsafeMutablePointer<WorkerState>

    /// Worker `index` of `count` workers.
    /// - Parameters:
    ///   - ports: every port, in the order of the segment's port indexes.
    ///   - queues: the receive queues that are this worker's alone.
    ///   - limits: frames a second of each punt class.
    ///   - clientLimits: frames a second of each client or peer within its punt class; 0: the class has no such limit.
    ///   - shares: frames a second that each VLAN, tunnel and port has before others that send more.
    ///   - reassembly: what fragments may take.
    ///   - reordering: what bounds the waiting of messages that came before their turn; valid.
    ///   - ringDepth: frames that wait for the exchange, and in the dispatch ring; a power of two.
    ///   - seed: as `Forwarder` has it.
    ///   - socket: NUMA node of the core.
    /// - Throws: `AllocationError`, `DataPlaneError`.
    public init(
        view: SegmentView, index: UInt32, count: UInt32, ports: [Port], queues: [ReceiveQueue], limits: PuntLimits,
        clientLimits: PuntLimits = PuntLimits(all: 0), shares: PuntShareLimits = .none,
        reassembly: ReassemblyLimits = ReassemblyLimits(),
        reordering: ReorderLimits = ReorderLimits(), ringDepth: UInt32 = 1_024, seed: UInt64 = HashSeed.ofProcess,
        socket: Int32 = -1
    ) throws {
        guard
            let captures = culvert_pool_create_single(
                "culvert_capture_\(index)", Self.captureBuffers(ringDepth: ringDepth), Self.captureRoom, socket)
        else { throw DataPlaneError.environment("no memory for the captures of worker \(index)") }
        self.captures = captures
        forwarder = try Forwarder(
            view: view, ports: ports.map(\.forwarding), worker: index, workers: count, limits: limits,
            clientLimits: clientLimits, shares: shares, reassembly: reassembly, reordering: reordering,
            captures: captures, cyclesPerSecond: culvert_cycles_per_second(), seed: seed, socket: socket)
        (outgoing, handedOver, punts) = (forwarder.transmit, forwarder.dispatch, forwarder.punts)
        self.index = index
        page = view.workers + Int(index)
        quiescent = view.quiescent
        guard let punt = culvert_ring_create("culvert_punt_\(index)", ringDepth, socket),
            let inject = culvert_ring_create("culvert_inject_\(index)", ringDepth, socket),
            let dispatch = culvert_shared_ring_create("culvert_dispatch_\(index)", ringDepth, socket)
        else { throw DataPlaneError.environment("no memory for the rings of worker \(index)") }
        puntRing = punt
        punts.setReserve(Int(ringDepth / 2))
        injectRing = inject
        dispatchRing = dispatch
        peerCount = count
        peers = .allocate(capacity: Int(count))
        peers.initialize(repeating: nil, count: Int(count))
        portCount = UInt32(ports.count)
        queueCount = queues.count
        self.ports = .allocate(capacity: max(ports.count, 1))
        self.queues = .allocate(capacity: max(queues.count, 1))
        self.ports.initialize(from: ports, count: ports.count)
        self.queues.initialize(from: queues, count: queues.count)
        burst = .allocate(capacity: Forwarder.burst)
        burst.initialize(repeating: nil, count: Forwarder.burst)
        group = .allocate(capacity: Forwarder.burst)
        group.initialize(repeating: nil, count: Forwarder.burst)
        share = .allocate(capacity: 2 * Forwarder.burst)
        share.initialize(repeating: nil, count: 2 * Forwarder.burst)
        state = .allocate(capacity: 1)
        state.initialize(to: WorkerState(heartbeatInterval: culvert_cycles_per_second() / 1_000))
    }

    /// Makes the workers of a data plane known to each other, before any of them runs. Until then a frame that is another
    /// worker's is dropped as one that found no room.
    public static func connect(_ workers: [Worker]) {
        for worker in workers {
            for peer in workers where peer.index < worker.peerCount {
                worker.peers[Int(peer.index)] = peer.dispatchRing
            }
        }
    }

    /// Octets of a buffer of the pool for copies: the most that a copy has, behind the usual headroom.
    static let captureRoom = UInt16(CULVERT_DEFAULT_HEADROOM) + SessionCapture.longest

    /// Copies that are on their way to culvertd at most: those in the half of the ring that they may have, in the punt buffer, and
    /// in the exchange's hands.
    static func captureBuffers(ringDepth: UInt32) -> UInt32 {
        ringDepth / 2 + UInt32(PuntBuffer.captureCapacity + Forwarder.burst)
    }

    /// Gives back memory and rings, and frees the frames that are still in them. No worker that it is connected with runs any
    /// more.
    public func deallocate() {
        for ring in [puntRing, injectRing, dispatchRing] {
            while culvert_ring_dequeue(ring, burst, 1) == 1 {
                if let mbuf = burst[0] { PacketBuffer(mbuf).free() }
            }
            culvert_ring_free(ring)
        }
        for port in 0..<portCount {
            culvert_mbuf_free_bulk(
                outgoing.frames(port), UInt32(outgoing.count(port)))
            outgoing.removeAll(port)
        }
        for worker in 0..<peerCount {
            culvert_mbuf_free_bulk(handedOver.frames(worker), UInt32(handedOver.count(worker)))
            handedOver.removeAll(worker)
        }
        culvert_mbuf_free_bulk(punts.frames, UInt32(punts.count))
        punts.removeAll()
        forwarder.deallocate()
        culvert_pool_free(captures)
        ports.deallocate()
        queues.deallocate()
        peers.deallocate()
        burst.deallocate()
        group.deallocate()
        share.deallocate()
        state.deallocate()
    }
}

/// What a worker changes as it goes.
struct WorkerState {
    /// Cycles between two heartbeats: a millisecond's.
    let heartbeatInterval: UInt64
    /// Cycle count at which the next heartbeat is due.
    var heartbeatDue: UInt64 = 0
    /// Rounds in a row that found nothing.
    var emptyRounds: UInt32 = 0
}
