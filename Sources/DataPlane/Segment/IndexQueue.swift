/// A queue of free indexes in a ring of fixed size: first in, first out, so that an index rests as long as it can.
struct IndexQueue {
    private var ring: [UInt32]
    private var head = 0

    /// Number of indexes in the queue.
    private(set) var count = 0

    /// An empty queue with room for `capacity` indexes.
    init(capacity: Int) { ring = [UInt32](repeating: 0, count: capacity) }

    /// Adds an index at the end. The queue must have room, which it has when an index is in it once at most.
    mutating func append(_ index: UInt32) {
        ring[(head + count) % ring.count] = index
        count += 1
    }

    /// Takes the index that has been in for longest.
    mutating func popFirst() -> UInt32? {
        guard count > 0 else { return nil }
        defer {
            head = (head + 1) % ring.count
            count -= 1
        }
        return ring[head]
    }

    /// Takes out those indexes that `isWanted` names, wherever they are; the others keep their order.
    mutating func take(where isWanted: (UInt32) -> Bool) -> [UInt32] {
        let indexes = (0..<count).map { ring[(head + $0) % ring.count] }
        let kept = indexes.filter { !isWanted($0) }
        ring.replaceSubrange(0..<kept.count, with: kept)
        head = 0
        count = kept.count
        return indexes.filter(isWanted)
    }

    /// Puts the indexes into random order, so that strangers cannot tell the next one.
    mutating func shuffle(using generator: inout some RandomNumberGenerator) {
        var indexes = (0..<count).map { ring[(head + $0) % ring.count] }
        indexes.shuffle(using: &generator)
        ring.replaceSubrange(0..<count, with: indexes)
        head = 0
    }
}
