import HeapModule
import Timing

/// When to look at which of many numbered things next.
///
/// An alarm is never moved or taken back: whoever it is for has its own deadline, and lets one that comes early pass.
struct Alarms {
    private struct Entry: Comparable {
        let time: Instant
        let number: UInt32

        static func < (a: Entry, b: Entry) -> Bool { a.time < b.time }
    }

    private var heap = Heap<Entry>()

    /// Has `number` looked at once `time` has come; never, where that is the distant future.
    mutating func set(_ number: UInt32, at time: Instant) {
        if time < .distantFuture { heap.insert(Entry(time: time, number: number)) }
    }

    /// Takes the next number whose time has come.
    mutating func due(at now: Instant) -> UInt32? {
        guard let first = heap.min, first.time <= now else { return nil }
        heap.removeMin()
        return first.number
    }
}
