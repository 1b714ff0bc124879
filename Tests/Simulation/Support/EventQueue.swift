import HeapModule
import Timing

/// What is to happen, earliest first; what is to happen at the same time, in the order in which it was put in.
package struct EventQueue<Payload> {
    private struct Entry: Comparable {
        let at: Instant
        let serial: UInt64
        let payload: Payload

        static func < (a: Entry, b: Entry) -> Bool { (a.at, a.serial) < (b.at, b.serial) }
        static func == (a: Entry, b: Entry) -> Bool { a.serial == b.serial }
    }

    private var heap = Heap<Entry>()
    private var serial: UInt64 = 0

    package init() {}

    /// When the first thing happens; nil: nothing does.
    package var next: Instant? { heap.min?.at }

    package mutating func add(_ payload: Payload, at time: Instant) {
        serial += 1
        heap.insert(Entry(at: time, serial: serial, payload: payload))
    }

    /// Takes the first thing whose time has come.
    package mutating func take(at now: Instant) -> Payload? {
        guard let first = heap.min, first.at <= now else { return nil }
        return heap.removeMin().payload
    }
}
