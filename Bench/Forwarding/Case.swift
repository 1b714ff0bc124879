/// What is measured once in each direction.
struct Case: Hashable {
    /// Sessions in the table, visited in random order.
    var sessions: Int
    /// Octets of the inner IP packet.
    var bytes = 64
    /// Frames a burst.
    var burst = 32
    /// Tags of the access frames.
    var tags = Tags.untagged

    /// What the bench runs when it is not told otherwise: each of the things that matter for itself, the rest as it mostly is.
    static let all: [Case] =
        sessionCounts.map { Case(sessions: $0) }
        + sessionCounts.map { Case(sessions: $0, burst: 8) }
        + [Tags.vlan, .qinq].map { Case(sessions: 60_000, tags: $0) }
        + [128, 256, 512, 1_024, 1_400].map { Case(sessions: 1_000, bytes: $0) }

    private static let sessionCounts = [1, 1_000, 60_000, 1_000_000]
}
