import DequeModule
import PPPoE
import Timing

/// Sessions whose clients have not said yet who they are: what a PADR costs before there is a name to it. There are so many and no
/// more, by instance, port, VLAN and client address; `ControlNode` knows how many.
///
/// A PADR's cookie proves that its sender receives at its address, not that it means to log in. So when there are as many as there may
/// be, refusing would shut out real clients for as long as the others are waited for. Instead one gives way: the oldest from
/// which nothing has come since its PADS. A client speaks within milliseconds, so it is not that one. When all have spoken,
/// the oldest gives way once it has had `patience`, which is more than a client needs.
struct HalfOpenSessions {
    /// What sessions are counted by.
    enum Scope: Hashable {
        case instance(String)
        case port(UInt16)
        case vlan(AttachmentCircuit)
        case client(ClientKey)
    }

    /// How long a client that speaks is sure of its place.
    static let patience = Duration.seconds(10)

    private struct Member {
        let serial: UInt64
        let since: Instant
        let scopes: [Scope]
        var hasSpoken = false
    }

    /// A session in a queue; of one that has gone or has spoken the entry stays behind until it comes to the front, or until such
    /// entries are the most.
    private struct Entry {
        let slot: UInt32
        let serial: UInt64
    }

    private struct Group {
        var count = 0
        var all = Deque<Entry>()
        var silent = Deque<Entry>()
    }

    private var members: [UInt32: Member] = [:]
    private var groups: [Scope: Group] = [:]
    private var lastSerial: UInt64 = 0

    /// How many there are.
    var count: Int { members.count }
    /// Of these, how many have clients that speak.
    private(set) var spokenCount = 0

    /// How many of a scope there are.
    func count(_ scope: Scope) -> Int { groups[scope]?.count ?? 0 }

    /// A session has been opened.
    mutating func add(_ slot: UInt32, in scopes: [Scope], at now: Instant) {
        lastSerial += 1
        members[slot] = Member(serial: lastSerial, since: now, scopes: scopes)
        let entry = Entry(slot: slot, serial: lastSerial)
        for scope in scopes {
            groups[scope, default: Group()].count += 1
            groups[scope]?.all.append(entry)
            groups[scope]?.silent.append(entry)
            tidy(scope)
        }
    }

    /// Its client has said something.
    mutating func spoke(_ slot: UInt32) {
        guard members[slot]?.hasSpoken == false else { return }
        members[slot]?.hasSpoken = true
        spokenCount += 1
    }

    /// Its client has said who it is, or the session is over.
    mutating func remove(_ slot: UInt32) {
        guard let member = members.removeValue(forKey: slot) else { return }
        if member.hasSpoken { spokenCount -= 1 }
        for scope in member.scopes {
            groups[scope]?.count -= 1
            if groups[scope]?.count == 0 { groups[scope] = nil }
        }
    }

    /// The session of a scope that gives way to another one; nil when none has to.
    mutating func next(in scope: Scope, at now: Instant) -> UInt32? {
        while let first = groups[scope]?.silent.first {
            if isSilent(first) { return first.slot }
            groups[scope]?.silent.removeFirst()
        }
        while let first = groups[scope]?.all.first {
            if isThere(first) {
                guard let member = members[first.slot], now - member.since >= Self.patience else { return nil }
                return first.slot
            }
            groups[scope]?.all.removeFirst()
        }
        return nil
    }

    private func isThere(_ entry: Entry) -> Bool { members[entry.slot]?.serial == entry.serial }

    private func isSilent(_ entry: Entry) -> Bool { isThere(entry) && members[entry.slot]?.hasSpoken == false }

    /// Keeps a scope's queues no longer than twice its sessions and a few.
    private mutating func tidy(_ scope: Scope) {
        guard let group = groups[scope] else { return }
        let most = 2 * group.count + 64
        if group.all.count > most {
            let left = Deque(group.all.filter { isThere($0) })
            groups[scope]?.all = left
        }
        if group.silent.count > most {
            let left = Deque(group.silent.filter { isSilent($0) })
            groups[scope]?.silent = left
        }
    }
}
