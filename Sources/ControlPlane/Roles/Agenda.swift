import HeapModule
import Timing

/// When to look at which machine next: one ordered list of deadlines for everything that waits.
///
/// Machines state their next deadline after each input, mostly later than the one before, and there are tens of
/// thousands of them. So an entry is never searched for or moved: `schedule` adds one only when it is earlier than what
/// is already noted for that key, and an entry that comes up too early is noted again at the machine's real deadline.
struct Agenda<Key: Hashable> {
    private struct Entry: Comparable {
        let time: Instant
        let key: Key

        static func < (a: Entry, b: Entry) -> Bool { a.time < b.time }
        static func == (a: Entry, b: Entry) -> Bool { a.time == b.time && a.key == b.key }
    }

    private var heap = Heap<Entry>()
    private var noted: [Key: Instant] = [:]

    /// The earliest time at which `due` may have something.
    var next: Instant? { heap.min?.time }

    /// What waits, in no order.
    var keys: some Sequence<Key> { noted.keys }

    /// Makes sure that `key` comes up at `time` or before; nil leaves what is noted.
    mutating func schedule(_ key: Key, at time: Instant?) {
        guard let time else { return }
        if let earlier = noted[key], earlier <= time { return }
        noted[key] = time
        heap.insert(Entry(time: time, key: key))
    }

    /// Takes the next key whose time has come; the caller then schedules it anew if it still waits.
    mutating func due(at now: Instant) -> Key? {
        while let first = heap.min, first.time <= now {
            heap.removeMin()
            // A later entry of the same key is a left-over of an earlier `schedule`: only the noted one counts.
            guard noted[first.key] == first.time else { continue }
            noted[first.key] = nil
            return first.key
        }
        return nil
    }

    /// Forgets `key`, whose machine is gone.
    mutating func cancel(_ key: Key) { noted[key] = nil }
}
