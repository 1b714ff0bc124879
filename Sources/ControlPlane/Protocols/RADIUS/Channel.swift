import DequeModule
import Timing

/// One port of one server: its identifiers, whether it lives, and what was counted.
///
/// A server is taken to live until a request went unanswered to its last retransmission and nothing else was answered
/// meanwhile either. Then it is dead for its dead time: others are asked before it. After that one request is its trial,
/// while the others still go elsewhere. Whatever answer proves to come from it, at any time, shows that it lives.
struct Channel: Sendable {
    /// What is being waited for by the prober (RFC 5997 section 4, RFC 3539 section 3.4).
    struct Probe: Sendable {
        var code: IdentifierPool.Code
        var authenticator: RADIUSAuthenticator
        var sentAt: Instant
    }

    /// Silence after which a living server is asked for a sign of life, and how far chance moves it.
    static let watchInterval: (Duration, spread: Duration) = (.seconds(30), .seconds(2))
    /// Time between probes of a server that is dead or left one unanswered; RFC 3539 wants no less than 6 s.
    static let probeInterval: (Duration, spread: Duration) = (.seconds(7), .seconds(1))
    /// Probes in a row that a dead server has to answer before it counts as alive.
    static let answersToLive = 3

    let service: RADIUSService
    var server: RADIUSServer
    var identifiers: IdentifierPool
    /// Requests that wait for an identifier, or for others to end; some may have stopped waiting.
    var waiting: Deque<RADIUSRequestHandle> = []
    /// How many of these wait still.
    var waitingCount = 0
    /// Requests that wait for an answer.
    var pending = 0
    var counters = RADIUSServerCounters()
    var lastAnswer: Instant?
    var roundTripTime: Duration?

    /// Until when the server is dead; nil while it lives.
    var deadUntil: Instant?
    /// The request that tries a dead server whose time is over.
    var trial: RADIUSRequestHandle?

    var probe: Probe?
    /// When the prober acts next; nil when it is off.
    var probeAt: Instant?
    /// Probes in a row that were answered, while dead, and that were not.
    var probesAnswered = 0
    var probesLost = 0
    /// Whether the server is known to know Status-Server: from one that does not, silence means nothing.
    var knowsStatusServer = false

    init(_ server: RADIUSServer, _ service: RADIUSService, sockets: Int) {
        self.server = server
        self.service = service
        identifiers = IdentifierPool(sockets: sockets)
    }

    var port: UInt16 { server.key.port(of: service) }

    /// Whether a request may be sent here before all others are given up.
    func isEligible(at now: Instant) -> Bool {
        guard let deadUntil else { return true }
        return deadUntil <= now && trial == nil
    }

    var status: RADIUSServerStatus {
        RADIUSServerStatus(
            server: server.key, service: service, deadUntil: deadUntil, lastAnswer: lastAnswer,
            roundTripTime: roundTripTime, pending: pending, waiting: waitingCount, counters: counters)
    }
}
