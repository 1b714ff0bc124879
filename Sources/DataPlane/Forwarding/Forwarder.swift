import CDPDK
import CSegment
import Segment
import Wire

/// What happens to a burst of frames: the forwarding path of one worker.
///
/// ```
///   receive --+--------------> classify --+--> verifySessions --> selectTemplates --> encapsulate ---+--> transmit buffers
///             |                 |     ^   |                                                          |
///             +--> handOut -----+-----+   +--> verifyTunnels ----------------------> decapsulate ----+
///                     |         |     |   |
///                     |         |     |   +--> punt, drop
///                     |         +--> takeFragment: held until the datagram is whole
///                     |
///                     +--> other workers
/// ```
///
/// `classify` goes from a frame's bytes to the line of the session (upstream) or of the tunnel (downstream) that should know it,
/// by `findSession` and `findTunnel`. Each stage is a loop over what is left of the burst. It does for every frame what can be done
/// with the memory that the stage before has asked the cache for, asks for what the next stage needs, and hands on a list. Frames that fall out on the
/// way are counted and freed, or put aside for culvertd, at the place where they fall out; so every frame ends in exactly one
/// terminal `Counter`, or in a transmit buffer, whose owner counts it. A list is closed up in place, and nothing is copied as
/// long as no frame has fallen out.
///
/// The value holds pointers and constants only, so it can be copied freely; all that changes lies behind the pointers and
/// belongs to one worker. Nothing in here allocates, locks, retains, logs or makes a system call.
///
/// **The segment is not trusted.** culvertd may write anything there at any time. So each number from there is loaded once,
/// and masked or bounded by this process's own constants before it is used as an index or a length.
public struct Forwarder: @unchecked Sendable {
    /// The most frames that `receive` takes at once.
    public static let burst = 32

    /// The segment's tables.
    let view: SegmentView
    /// The worker's counters, in its page of the segment.
    public let counters: UnsafeMutablePointer<UInt64>
    /// The ports, by index.
    let ports: UnsafeMutablePointer<ForwardingPort>
    /// Number of ports.
    let portCount: UInt32
    /// This worker's number, and how many there are.
    let worker: UInt32
    let workers: UInt32
    /// What the line of a session says that has no features and whose direction this worker has: the claim in the high half.
    let plainSession: UInt32
    /// Frames that wait to be sent, by port.
    public let transmit: FrameBuffers
    /// Frames that wait for another worker, by its number. Each buffer's port is the index of the port it came in on.
    public let dispatch: FrameBuffers
    /// Frames that wait for the exchange.
    public let punts: PuntBuffer
    /// Fragments of datagrams to the node that are not complete.
    let reassembler: Reassembler
    /// What the worker changes as it goes.
    let state: UnsafeMutablePointer<ForwarderState>
    /// What few frames need. It lies behind a pointer to keep this value small: a value beyond 256 octets is copied by a call.
    let rare: UnsafeMutablePointer<RarelyUsed>
    /// Lists between stages.
    let upstream: UnsafeMutablePointer<UpstreamFrame>
    let downstream: UnsafeMutablePointer<DownstreamFrame>

    /// The forwarding path of worker `worker` of `workers`.
    /// - Parameters:
    ///   - ports: at most as many as the segment has room for.
    ///   - limits: of each punt class.
    ///   - clientLimits: of each client or peer within its punt class.
    ///   - shares: what each VLAN, tunnel and port has before others that send more.
    ///   - reassembly: what fragments may take; with the same seed for all workers.
    ///   - reordering: what bounds the waiting of messages that came before their turn; valid.
    ///   - captures: the pool that copies for captures lie in, the worker's alone to take from; its buffers are to have room for
    ///     `SessionCapture.longest` octets behind the usual headroom. nil: nothing can be captured.
    ///   - seed: what strangers must not know about how their frames are hashed; the same for all workers of a data plane.
    ///   - socket: NUMA node of the worker's core; negative: any.
    /// - Throws: `AllocationError`. `worker` and the number of ports beyond the segment's capacity are programming errors.
    public init(
        view: SegmentView, ports: [ForwardingPort], worker: UInt32, workers: UInt32, limits: PuntLimits,
        clientLimits: PuntLimits = PuntLimits(all: 0), shares: PuntShareLimits = .none,
        reassembly: ReassemblyLimits = ReassemblyLimits(),
        reordering: ReorderLimits = ReorderLimits(), captures: OpaquePointer? = nil, cyclesPerSecond: UInt64,
        seed: UInt64 = HashSeed.ofProcess, socket: Int32 = -1
    ) throws(AllocationError) {
        precondition(reordering.isValid)
        precondition(worker < workers && workers <= view.workerCount && ports.count <= Int(view.portCount))
        self.view = view
        counters = (UnsafeMutableRawPointer(view.workers + Int(worker)) + 64).assumingMemoryBound(to: UInt64.self)
        self.worker = worker
        self.workers = workers
        plainSession = Claim.word(epoch: view.header.pointee.dataplane_epoch, worker: worker)
        portCount = UInt32(ports.count)
        self.ports = try allocate(max(ports.count, 1), socket: socket)
        for (index, port) in ports.enumerated() {
            self.ports[index] = port
            if workers == 1 { self.ports[index].isDispatched = false }  // to whom?
        }
        transmit = try FrameBuffers(destinations: portCount, socket: socket)
        dispatch = try FrameBuffers(destinations: workers, socket: socket)
        punts = try PuntBuffer(limits: limits, cyclesPerSecond: cyclesPerSecond, socket: socket)
        reassembler = try Reassembler(
            reassembly, cyclesPerSecond: cyclesPerSecond, counters: counters, socket: socket)
        state = try allocate(1, socket: socket)
        state.pointee = ForwarderState(
            worker: worker, workers: workers,
            puntClients: try PuntClients(
                limits: clientLimits, cyclesPerSecond: cyclesPerSecond, seed: seed, socket: socket),
            puntShares: try PuntShares(limits: shares, cyclesPerSecond: cyclesPerSecond, seed: seed, socket: socket))
        rare = try allocate(1, socket: socket)
        rare.pointee = RarelyUsed(
            profiles: try allocate(Int(view.policerMask) + 1, socket: socket),
            reordering: try ReorderBuffer(capacity: reordering.frames, socket: socket), reorderLimits: reordering,
            reorderTimeout: cyclesPerSecond / 1_000 * UInt64(reordering.timeout),
            pieces: try allocate(Int(OuterFragments.most), socket: socket), captures: captures)
        upstream = try allocate(Self.burst, socket: socket)
        downstream = try allocate(Self.burst, socket: socket)
    }

    /// Gives the memory back, and frees the fragments and messages that are held; the frames in the buffers are the caller's to
    /// free before.
    public func deallocate() {
        culvert_free(ports)
        transmit.deallocate()
        dispatch.deallocate()
        punts.deallocate()
        reassembler.deallocate()
        state.pointee.puntClients.deallocate()
        state.pointee.puntShares.deallocate()
        culvert_free(state)
        culvert_free(profiles)
        reordering.deallocate()
        culvert_free(pieces)
        culvert_free(rare)
        culvert_free(upstream)
        culvert_free(downstream)
    }

    /// Sets the time that token buckets go by, in cycles. To be called before `receive`, once a round.
    public func setTime(_ cycles: UInt64) { state.pointee.now = cycles }

    /// Takes `count` frames, at most `burst`, that came in on `port`, which is below the number of ports. Afterwards each is in
    /// a transmit or dispatch buffer, in the punt buffer, held, or dropped and counted. No buffer may hold more than
    /// `FrameBuffers.threshold` frames before.
    /// - Parameter source: who had the frames before.
    public func receive(
        _ frames: UnsafeMutablePointer<OpaquePointer?>, count: Int, port: UInt32, from source: FrameSource = .port
    ) {
        precondition(port < portCount)
        var count = count
        var isCounted = true
        switch source {
        case .port where ports[Int(truncatingIfNeeded: port)].isDispatched:
            count = handOut(frames, count: count, port: port)
        case .port:
            prefetch(frames, count: count)
            isCounted = false
        case .share: break
        case .worker:
            prefetch(frames, count: count)
            self.count(.dispatchReceived, UInt64(truncatingIfNeeded: count))
        }
        let lists = classify(frames, count: count, port: port, from: source, isCounted: isCounted)
        if lists.upstream != 0 {
            encapsulate(selectTemplates(verifySessions(lists.upstream, port: port), port: port), port: port)
        }
        if lists.downstream != 0 {
            decapsulate(verifyTunnels(lists.downstream), port: port)
        }
    }

    /// Sends a frame of culvertd's out of a port.
    public func inject(_ frame: PacketBuffer, port: UInt32) {
        count(.injectedFrames)
        guard frame.length >= EthernetHeader.length else { return drop(frame, .frameShort) }
        guard port < portCount else { return drop(frame, .egressPortUnknown) }
        send(frame, port: port)
    }

    /// Counts `count` frames of `octets` octets that `port`, which is below the number of ports, has taken.
    public func countTransmitted(_ count: Int, octets: UInt64, port: UInt32) {
        let roles = culvert_load_relaxed_u32(&(view.ports + Int(truncatingIfNeeded: port)).pointee.flags)
        self.count(roles & PortRole.access != 0 ? .txAccessFrames : .txCoreFrames, UInt64(truncatingIfNeeded: count))
        self.count(roles & PortRole.access != 0 ? .txAccessOctets : .txCoreOctets, octets)
    }

    /// Counts `count` frames that another worker's ring has taken.
    public func countDispatched(_ count: Int) { self.count(.dispatched, UInt64(truncatingIfNeeded: count)) }

    /// Whether frames of `port`, which is below the number of ports, are handed to the workers by the hash of their session.
    public func isDispatched(_ port: UInt32) -> Bool { ports[Int(truncatingIfNeeded: port)].isDispatched }

    /// Whether L2TP is served on `port`.
    public func isCore(_ port: UInt32) -> Bool {
        guard port < portCount else { return false }
        return culvert_load_relaxed_u32(&(view.ports + Int(truncatingIfNeeded: port)).pointee.flags) & PortRole.core
            != 0
    }

    /// Frees a frame and counts why: for what happens to frames outside of the forwarding path.
    public func discard(_ frame: PacketBuffer, _ reason: Counter) { drop(frame, reason) }

    func prefetch(_ frames: UnsafeMutablePointer<OpaquePointer?>, count: Int) {
        for index in 0..<count {
            if let mbuf = frames[index] { culvert_prefetch(PacketBuffer(mbuf).start) }
        }
    }
}

/// Who had frames before a worker forwards them.
public enum FrameSource: Sendable {
    /// The receive queue of a port.
    case port
    /// The same, and `handOut` has left them.
    case share
    /// Another worker.
    case worker
}

/// What few frames need, of a forwarder.
struct RarelyUsed {
    /// Meters of the segment's policers, by index.
    let profiles: UnsafeMutablePointer<PolicerProfile>
    /// Messages that came before their turn, and what bounds their waiting, the time-out also in cycles.
    let reordering: ReorderBuffer
    let reorderLimits: ReorderLimits
    let reorderTimeout: UInt64
    /// The buffers of one packet's fragments.
    let pieces: UnsafeMutablePointer<OpaquePointer?>
    /// Where copies for captures lie; nil: nowhere.
    let captures: OpaquePointer?
    /// The captured frame that is on the long way.
    var arrival = CapturedArrival()
}

extension Forwarder {
    @inline(__always) var profiles: UnsafeMutablePointer<PolicerProfile> { rare.pointee.profiles }
    @inline(__always) var reordering: ReorderBuffer { rare.pointee.reordering }
    @inline(__always) var reorderLimits: ReorderLimits { rare.pointee.reorderLimits }
    @inline(__always) var reorderTimeout: UInt64 { rare.pointee.reorderTimeout }
    @inline(__always) var pieces: UnsafeMutablePointer<OpaquePointer?> { rare.pointee.pieces }
}

/// What a worker changes while it forwards.
struct ForwarderState {
    /// Time in cycles, as of the worker's present round.
    var now: UInt64 = 0
    /// IPv4 identification of the next outer header. Workers count in steps of the number of workers, rounded up to a power of
    /// two, from their own number on: no two of them ever use the same one (RFC 6864 asks that of each address pair).
    var identification: UInt32
    let identificationStep: UInt32
    /// Identification of the next fragmented IPv6 packet, counted likewise, from a random start (RFC 7739, section 5.1, says why).
    var ipv6Identification: UInt32
    /// What each client and peer may give to culvertd.
    let puntClients: PuntClients
    /// What each line and port has before others.
    let puntShares: PuntShares

    init(worker: UInt32, workers: UInt32, puntClients: PuntClients, puntShares: PuntShares) {
        self.puntClients = puntClients
        self.puntShares = puntShares
        var step: UInt32 = 1
        while step < workers { step <<= 1 }
        identification = worker
        identificationStep = step
        ipv6Identification = UInt32.random(in: 0 ... .max) & ~(step &- 1) | worker
    }
}
