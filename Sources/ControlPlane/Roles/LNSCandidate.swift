import Configuration
import Names
import Wire

/// What is special about a tunnel beside its profile, as an Access-Accept says it (RFC 2868). Tunnels to one LNS that differ in any
/// of it are different tunnels.
struct TunnelOverrides: Hashable, Sendable {
    /// Tunnel-Password: the shared secret.
    var secret: [UInt8]?
    /// Tunnel-Client-Auth-ID: the Host Name that this node gives.
    var hostName: String?
    /// Tunnel-Server-Auth-ID: the Host Name that the LNS has to give.
    var peerHostName: String?
    /// Tunnel-Client-Endpoint: the source of the tunnel's packets.
    var source: IPAddress?
    /// Tunnel-Assignment-ID: calls with the same one share tunnels.
    var assignmentID: String?
}

/// An LNS that a call may go to, and how.
struct LNSCandidate: Hashable, Sendable {
    /// By address, or by a name that is looked up when its turn comes.
    var peer: DomainTunnel.Peer
    /// The lowest is tried first; equals share the load (RFC 2868 section 3.8, Tunnel-Preference).
    var preference: UInt32 = 0
    /// The `l2tp-profile`.
    var profile: String
    var overrides = TunnelOverrides()
    /// Tunnel-Private-Group-ID, for ICCN.
    var privateGroupID: [UInt8]?

    /// The destination that it stands for; nil for a name.
    var destination: Destination.Key? {
        guard case .address(let address) = peer else { return nil }
        return Destination.Key(address: address, profile: profile, overrides: overrides)
    }
}

/// The LNSs that a call has not tried yet, and which one is next.
struct LNSChoice: Sendable {
    /// What to do next.
    enum Step: Hashable {
        /// Open a session to this one.
        case call(LNSCandidate, Destination.Key)
        /// Find the addresses of this one's name first, and `add` them.
        case resolve(LNSCandidate, name: HostName)
        /// None is left.
        case exhausted
    }

    private(set) var left: [LNSCandidate]
    /// The one that was taken last, and how often it was put back.
    private var taken: LNSCandidate?
    private var repeats = 0
    /// Why the last one did not work; nil before one was tried.
    var lastFailure: String?

    /// A choice among `candidates`. Equal ones are tried in a random order, so that the load is shared where nothing else decides.
    init(_ candidates: [LNSCandidate], using random: inout some RandomNumberGenerator) {
        left = candidates.shuffled(using: &random)
    }

    /// Whether there is another one after the one that was taken.
    var hasMore: Bool { !left.isEmpty }

    /// Takes the next one: of the lowest preference, and among equals the one with the least load. Those that are passed over, since
    /// they did not answer lately, come after all others. Those that are shut are not tried.
    mutating func next(
        load: (Destination.Key) -> Int, isPassedOver: (Destination.Key) -> Bool, isShut: (Destination.Key) -> Bool
    ) -> Step {
        left.removeAll { $0.destination.map(isShut) ?? false }
        let fresh = left.indices.filter { !(left[$0].destination.map(isPassedOver) ?? false) }
        let pool = fresh.isEmpty ? Array(left.indices) : fresh
        guard let lowest = pool.map({ left[$0].preference }).min() else { return .exhausted }
        let equals = pool.filter { left[$0].preference == lowest }
        // Names first: what lies behind them has to be known before loads can be compared.
        for index in equals {
            if case .name(let name) = left[index].peer { return .resolve(left.remove(at: index), name: name) }
        }
        let loads = equals.map { index in (index, left[index].destination.map(load) ?? 0) }
        guard let (index, _) = loads.min(by: { $0.1 < $1.1 }), let key = left[index].destination else {
            return .exhausted
        }
        let candidate = left.remove(at: index)
        if candidate != taken { (taken, repeats) = (candidate, 0) }
        return .call(candidate, key)
    }

    /// Puts the one that was taken last back, a few times; false when it has had its turns.
    mutating func putBack() -> Bool {
        guard let taken, repeats < Self.mostRepeats else { return false }
        repeats += 1
        left.append(taken)
        return true
    }

    private static let mostRepeats = 3

    /// Adds what a candidate's name stands for.
    mutating func add(
        _ addresses: [IPAddress], of candidate: LNSCandidate, using random: inout some RandomNumberGenerator
    ) {
        left += addresses.shuffled(using: &random).map { address in
            var found = candidate
            found.peer = .address(address)
            return found
        }
    }
}
