import Timing
import Wire

/// One entry of the ARP cache.
///
///     asking --answer--> reachable --refresh time, in use--> asking (unicast, then broadcast) --answer--> reachable
///        |                   |
///        | no answer         +--refresh time, not in use--> removed
///        v
///     failed --hold-down over--> asking if held, else removed
struct Neighbour {
    struct Key: Hashable {
        var port: UInt16
        var address: IPv4Address
    }

    enum Phase: Equatable {
        /// Requests are out. The first go to the known address only, while there is one.
        case asking(sent: Int)
        /// The address was confirmed.
        case reachable
        /// All requests stayed unanswered.
        case failed
    }

    var phase: Phase
    /// Known address; stays in use while a refresh is being asked for.
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
}
