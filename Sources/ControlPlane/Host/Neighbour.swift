import Timing
import Wire

/// One entry of the neighbour cache, which ARP and neighbour discovery share: the states of RFC 4861 section 7.3.2.
///
///                          answer                     30 s, in use
///     incomplete --------------------> reachable ----------------------> delay (IPv6) --5 s--> probe
///      ^    |                           ^   |                              ^                    |  |
///      |    | no answer                 |   | 30 s, idle                   | packet             |  | no answer
///      |    v                           |   +----> stale (IPv6) -----------+                    |  |
///     unreachable <---------------------|----------------------------------------------------------+
///      held: asked again after a while  +------------------------------- answer ---------------+
///
/// Where ARP differs: in use means probe at once, idle means removed. A held entry is always in use, since what the data
/// plane sends to it does not pass here. A probe asks the known address alone first and then everybody, and the address stays
/// in use until the last question has gone unanswered (RFC 7048 section 3).
struct Neighbour {
    struct Key: Hashable, Comparable {
        var port: UInt16
        var address: IPAddress

        static func < (left: Key, right: Key) -> Bool {
            (left.port, left.address) < (right.port, right.address)
        }
    }

    enum Phase: Equatable {
        /// Questions to everybody are out; no address is known.
        case incomplete(sent: Int)
        /// The address was confirmed not long ago.
        case reachable
        /// The address was confirmed a while ago, and nothing has gone there since.
        case stale
        /// Something goes to an address that was confirmed a while ago; it is asked about when it stays so.
        case delay
        /// Questions about a known address are out, first to it alone, then to everybody.
        case probe(sent: Int)
        /// All questions stayed unanswered.
        case unreachable
    }

    var phase: Phase
    /// Known address; stays in use while it is probed.
    var mac: MACAddress?
    /// When the phase must be looked at again.
    var deadline: Instant
    /// How often the caller holds the entry; a held one is refreshed and retried for as long as it is held.
    var holders = 0
    /// Whether a packet went to it since it was last confirmed.
    var used = false
    /// Whether the caller was told that the neighbour does not answer; told once, however often it is retried.
    var givenUp = false
    /// When `mac` was last confirmed.
    var confirmedAt = Instant.zero
    /// When a packet last went to it, for eviction.
    var usedAt: Instant
    /// IP packets that wait for the address, oldest first.
    var queue: [[UInt8]] = []
    /// How the node names itself when it asks.
    var route: Route

    /// Whether questions are out.
    var isAsking: Bool {
        switch phase {
        case .incomplete, .probe: true
        case .reachable, .stale, .delay, .unreachable: false
        }
    }
}
