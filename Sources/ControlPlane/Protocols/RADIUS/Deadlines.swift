import HeapModule
import Timing

/// When to look at which request or server next: one ordered list for everything that waits.
///
/// An entry is never searched for: one whose request has ended, or waits until another time by now, is passed over when it
/// comes up, and `prune` drops all such, which is due once they are most of the list.
struct Deadlines: Sendable {
    enum Target: Hashable, Sendable {
        case request(RADIUSRequestHandle)
        case channel(Int)
    }

    struct Entry: Comparable, Sendable {
        let time: Instant
        let target: Target

        static func < (a: Entry, b: Entry) -> Bool { a.time < b.time }
    }

    private var heap = Heap<Entry>()

    var first: Entry? { heap.min }

    mutating func add(_ target: Target, at time: Instant) { heap.insert(Entry(time: time, target: target)) }
    mutating func removeFirst() { _ = heap.popMin() }
    mutating func removeAll() { heap = Heap() }

    /// Whether entries that do not count any more are more than those that do, of which there are `live`.
    func isMostlyStale(live: Int) -> Bool { heap.count > 2 * live + 64 }

    /// Drops entries that do not count any more.
    mutating func prune(isCurrent: (Entry) -> Bool) { heap = Heap(heap.unordered.filter(isCurrent)) }
}
