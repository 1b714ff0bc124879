import CSegment
import DequeModule
import Segment
import Timing
import Wire

/// What the node sends, held until what it goes with is written: a peer must not hear of anything that the next process would not know.
///
/// Frames go into the inject ring, with one ring of the bell for all of a turn. What finds the ring full waits for room, for
/// as long as any protocol would: tens of thousands of clients may have to be told of something at once, and a data plane that takes
/// nothing has ended. What has waited too long is lost, as on a wire; every protocol that sends here repeats what matters.
final class Outbox {
    /// One thing to be sent.
    private enum Item {
        case frame([UInt8], port: UInt16)
        case radius([UInt8], socket: Int, address: IPAddress, port: UInt16)
        case answer([UInt8], address: IPAddress, port: UInt16)
    }

    /// Things that wait for a commit, and since when.
    private struct Batch {
        let commit: UInt64
        var count: Int
        let since: Instant
    }

    /// How long anything waits for a disk that is slow, or for room in the ring. Peers wait no longer, and would take the node for dead.
    private static let patience: Duration = .seconds(2)
    /// How soon a full ring is looked at again.
    private static let pause: Duration = .microseconds(500)
    /// Things that may wait.
    private static let limit = 500_000

    private var ring: FrameRingProducer
    private let header: UnsafeMutablePointer<culvert_segment_header>
    private let network: ManagementNetwork
    private var items: Deque<Item> = []
    private var batches: Deque<Batch> = []
    /// Items of the turn that is under way.
    private var open = 0
    /// When a full ring is looked at again.
    private var blockedUntil: Instant?

    init(view: SegmentView, network: ManagementNetwork) {
        ring = FrameRingProducer(view.injectRing, mask: view.frameRingMask)
        header = view.header
        self.network = network
    }

    func send(_ frame: [UInt8], port: UInt16) { add(.frame(frame, port: port)) }

    func sendRADIUS(_ datagram: [UInt8], socket: Int, to address: IPAddress, port: UInt16) {
        add(.radius(datagram, socket: socket, address: address, port: port))
    }

    func answerRADIUS(_ datagram: [UInt8], to address: IPAddress, port: UInt16) {
        add(.answer(datagram, address: address, port: port))
    }

    private func add(_ item: Item) {
        guard items.count < Self.limit else { return }
        items.append(item)
        open += 1
    }

    /// The turn is over, and what came of it waits for `commit`; nil: for nothing but what waits already.
    func close(commit: UInt64?, at now: Instant) {
        guard open > 0 else { return }
        let number = commit ?? batches.last?.commit ?? 0
        batches.append(Batch(commit: number, count: open, since: now))
        open = 0
    }

    /// Sends what waits for commits up to `committed`, or for nothing. `isFailing`: the disk is not to be waited for. Answers whether
    /// something went out before its commit was written.
    @discardableResult
    func release(committed: UInt64, isFailing: Bool, at now: Instant) -> Bool {
        var isEarly = false
        var hasFrames = false
        while let batch = batches.first {
            if batch.commit > committed {
                guard isFailing || now - batch.since >= Self.patience else { break }
                isEarly = true
            }
            // Before anything is seen of it: a store that ends with an earlier commit is known to be an old one.
            if batch.commit > culvert_load_relaxed_u64(culvert_control_released(header)) {
                culvert_store_release_u64(culvert_control_released(header), batch.commit)
            }
            blockedUntil = nil
            let left = empty(batch, at: now, &hasFrames)
            guard left == 0 else {
                batches[batches.startIndex].count = left
                blockedUntil = now + Self.pause
                break
            }
            batches.removeFirst()
        }
        if hasFrames { culvert_doorbell_ring(culvert_inject_doorbell(header), culvert_inject_sleeping(header)) }
        return isEarly
    }

    /// Sends what a batch has, until the ring is full; answers how many things are left.
    private func empty(_ batch: Batch, at now: Instant, _ hasFrames: inout Bool) -> Int {
        let isLate = now - batch.since >= Self.patience
        for done in 0..<batch.count {
            guard let item = items.first else { return 0 }
            if case .frame = item, !isLate, !ring.hasRoom { return batch.count - done }
            items.removeFirst()
            hasFrames = send(item) || hasFrames
        }
        return 0
    }

    /// How long the oldest thing has waited whose commit is not among those up to `committed`.
    func wait(committed: UInt64, at now: Instant) -> Duration {
        batches.first { $0.commit > committed }.map { now - $0.since } ?? .zero
    }

    /// When `release` wants to be called at the latest; nil: nothing waits.
    var deadline: Instant? { blockedUntil ?? batches.first.map { $0.since + Self.patience } }

    /// Whether the item was a frame that found room.
    private func send(_ item: Item) -> Bool {
        switch item {
        case .frame(let bytes, let port):
            let descriptor = FrameDescriptor(
                length: UInt32(clamping: bytes.count), port: port, timestamp: culvert_monotonic_ns())
            return ring.append(descriptor, bytes: bytes)
        case .radius(let datagram, let socket, let address, let port):
            network.radius.send(datagram, socket: socket, to: address, port: port)
        case .answer(let datagram, let address, let port): network.radius.answer(datagram, to: address, port: port)
        }
        return false
    }
}
