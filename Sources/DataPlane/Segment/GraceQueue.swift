/// What was unpublished and waits until no worker can hold it any more, oldest first.
///
/// Entries collect in an open batch. Sealing gives the batch one token; when the token's grace period is over, the batch's
/// entries are drained. There is one sealed batch at a time, so a token serves however many entries came meanwhile.
struct GraceQueue {
    /// What an entry is. Three bits of its word; the rest is the index.
    enum Kind: UInt32 {
        /// Upstream slot; its partner, when it points back, goes with it.
        case session = 0
        /// Upstream slot that was never visible, without a partner.
        case upstream = 1
        /// Downstream slot without a partner.
        case downstream = 2
        case tunnel = 3
        case circuit = 4
        case vlanBlock = 5
        /// Tunnel whose template in force was changed: the other template becomes writable.
        case template = 6
    }

    /// A batch that waits for its grace period.
    struct Seal {
        /// Of the data plane's quiescent state.
        let token: UInt64
        /// The data plane's epoch that the token belongs to.
        let epoch: UInt64
        /// Entries left in the batch.
        var count: Int
        /// Whether the grace period was seen to be over.
        var isOver = false
    }

    private static let indexBits: UInt32 = 29

    private var ring: [UInt32] = [UInt32](repeating: 0, count: 64)
    private var head = 0

    /// Entries that wait.
    private(set) var count = 0
    /// The sealed batch: the first `sealed.count` entries.
    var sealed: Seal?

    /// Adds an entry to the open batch.
    mutating func append(_ kind: Kind, _ index: UInt32) {
        if count == ring.count {
            let oldest = ring[head...] + ring[..<head]
            ring = Array(oldest) + [UInt32](repeating: 0, count: ring.count)
            head = 0
        }
        ring[(head + count) & (ring.count - 1)] = kind.rawValue << Self.indexBits | index
        count += 1
    }

    /// Takes the oldest entry of the sealed batch.
    mutating func popSealed() -> (kind: Kind, index: UInt32)? {
        guard let batch = sealed, batch.count > 0, let kind = Kind(rawValue: ring[head] >> Self.indexBits) else {
            sealed = nil
            return nil
        }
        let index = ring[head] & (1 << Self.indexBits - 1)
        head = (head + 1) & (ring.count - 1)
        count -= 1
        sealed?.count -= 1
        return (kind, index)
    }
}
