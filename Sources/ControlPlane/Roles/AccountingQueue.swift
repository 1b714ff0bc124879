import DequeModule
import Timing

/// Accounting records on their way to the servers: each is kept until one has taken it (RFC 2866 section 4.1).
///
/// Records of a group go out in the order of their making, a window of them at a time. When no server of the group answers, the
/// group rests, longer each time, and then begins with the oldest again; the others go on. When as many records wait as may, the
/// newest is refused and counted, and those that wait stay.
struct AccountingQueue {
    /// A record that waits.
    struct Entry: Hashable {
        /// Its number in the backlog.
        let id: UInt64
        /// When it happened, in seconds since 1970.
        let time: UInt32
        /// `AccountingRecord.encoded()`: many may wait for long, and octets take less room than what they say.
        let octets: [UInt8]
    }

    private struct Group {
        /// Not under way, oldest first.
        var waiting: Deque<Entry> = []
        /// Under way, by number.
        var sent: [UInt64: Entry] = [:]
        var restsUntil: Instant?
        var rests = 0
    }

    /// Records of one group that are under way at a time.
    static let window = 256
    /// The longest time that a group rests.
    static let longestRest: Duration = .seconds(60)

    /// Records that may wait, all groups together.
    let capacity: Int
    /// Records that wait or are under way.
    private(set) var count = 0
    private var groups: [String: Group] = [:]

    init(capacity: Int) { self.capacity = capacity }

    var isFull: Bool { count >= capacity }
    /// When `next` may have something although nothing else happens; nil: never.
    var deadline: Instant? { groups.values.lazy.filter { !$0.waiting.isEmpty }.compactMap(\.restsUntil).min() }

    /// Records of a group that wait or are under way.
    func count(of group: String) -> Int { groups[group].map { $0.waiting.count + $0.sent.count } ?? 0 }

    /// Event time of the oldest record, in seconds since 1970; nil: there is none.
    var oldest: UInt32? {
        groups.values.lazy.flatMap { group in
            [group.waiting.first?.time, group.sent.values.lazy.map(\.time).min()].compactMap { $0 }
        }.min()
    }

    mutating func add(_ entry: Entry, group: String) {
        groups[group, default: Group()].waiting.append(entry)
        count += 1
    }

    /// Takes the records that are to be sent now.
    mutating func next(at now: Instant) -> [(group: String, entry: Entry)] {
        var result: [(String, Entry)] = []
        for name in groups.keys.sorted() {
            if let end = groups[name]?.restsUntil, end > now { continue }
            groups[name]?.restsUntil = nil
            while let group = groups[name], group.sent.count < Self.window, let entry = group.waiting.first {
                groups[name]?.waiting.removeFirst()
                groups[name]?.sent[entry.id] = entry
                result.append((name, entry))
            }
        }
        return result
    }

    /// A server has taken the record.
    mutating func taken(_ id: UInt64, group: String) {
        guard groups[group]?.sent.removeValue(forKey: id) != nil else { return }
        groups[group]?.rests = 0
        groups[group]?.restsUntil = nil
        count -= 1
        if let left = groups[group], left.waiting.isEmpty, left.sent.isEmpty { groups[group] = nil }
    }

    /// No server has: it waits again, in its old place, and its group rests.
    mutating func failed(_ id: UInt64, group name: String, at now: Instant) {
        guard let entry = groups[name]?.sent.removeValue(forKey: id) else { return }
        let waiting = groups[name]?.waiting ?? []
        let place = waiting.firstIndex { $0.id > id } ?? waiting.count
        groups[name]?.waiting.insert(entry, at: place)
        guard groups[name]?.restsUntil == nil else { return }
        let rests = groups[name]?.rests ?? 0
        groups[name]?.rests = rests + 1
        groups[name]?.restsUntil = now + min(.seconds(1 << min(rests, 6)), Self.longestRest)
    }

    /// Forgets the records of all other groups; answers their numbers.
    mutating func dropGroups(otherThan kept: Set<String>) -> [UInt64] {
        var dropped: [UInt64] = []
        for (name, group) in groups where !kept.contains(name) {
            dropped += group.waiting.map(\.id) + group.sent.keys
            groups[name] = nil
        }
        count -= dropped.count
        return dropped
    }
}
