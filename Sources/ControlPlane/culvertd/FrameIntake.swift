import DequeModule
import Host
import PPPoE
import Roles
import Segment
import Timing
import Wire

/// Frames from the data plane, in the order in which they are best worked on: what belongs to a log-in that is under way before the
/// first words of new ones.
///
/// When all clients dial at once, more log-ins begin than can be finished. Taken in the order of their coming, each would wait for all that
/// came before until its client, and its LNS, send everything again, which makes the queue longer still. So discovery waits here while
/// there is other work, with a part of each turn for itself, and a rate while the node has its hands full; of what waits too long the
/// oldest goes, since its client has asked again.
struct FrameIntake {
    private var ring: FrameRingConsumer
    private var discovery: Deque<PuntedFrame> = []
    private var tokens = TokenBucket(rate: rate, burst: 64)

    /// Frames of a turn, and of these discovery's at least, where there are so many.
    private static let perTurn = 256
    private static let discoveryPerTurn = 40
    /// Discovery frames a second while the node has its hands full.
    private static let rate: UInt32 = 2_000
    /// Discovery frames that wait: as many as may come in half a second.
    private static let room = 4_096

    init(_ ring: FrameRingConsumer) { self.ring = ring }

    /// When `takeTurn` wants to be called again, whether or not frames come; nil: nothing waits here.
    private(set) var deadline: Instant?

    /// Whether this is a PADI or a PADR, which clients repeat; a PADT comes once.
    private static func beginsSomething(_ bytes: [UInt8]) -> Bool {
        guard let code = EthernetFrame(bytes[...])?.payload.dropFirst().first else { return false }
        return code == DiscoveryPacket.Code.padi.rawValue || code == DiscoveryPacket.Code.padr.rawValue
    }

    /// Hands over a turn's frames; answers whether there may be more in the ring. `hasHandsFull` is asked before each of discovery's.
    mutating func takeTurn(at now: Instant, hasHandsFull: () -> Bool, _ body: (PuntedFrame) -> Void) -> Bool {
        var (taken, worked) = (0, 0)
        while taken < Self.perTurn, let (descriptor, bytes) = ring.take() {
            taken += 1
            guard let puntClass = PuntClass(rawValue: descriptor.puntClass) else { continue }
            var frame = PuntedFrame(
                puntClass: puntClass, port: descriptor.port,
                upstreamSlot: descriptor.upstreamSlot == .max ? nil : descriptor.upstreamSlot,
                detail: descriptor.detail,
                timestamp: descriptor.timestamp, capture: descriptor.capture, bytes: bytes)
            guard puntClass == .pppoeDiscovery, Self.beginsSomething(bytes) else {
                worked += 1
                body(frame)
                continue
            }
            // The ring's copy has room for the longest frame.
            frame.bytes = Array(bytes[...])
            if discovery.count >= Self.room { discovery.removeFirst() }
            discovery.append(frame)
        }
        let most = max(Self.discoveryPerTurn, Self.perTurn - worked)
        deadline = nil
        for _ in 0..<most where !discovery.isEmpty {
            guard !hasHandsFull() || tokens.take(at: now) else {
                deadline = now + .milliseconds(1)
                return taken == Self.perTurn
            }
            if let frame = discovery.popFirst() { body(frame) }
        }
        if !discovery.isEmpty { deadline = now }
        return taken == Self.perTurn
    }
}
