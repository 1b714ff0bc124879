import Timing

/// A request that was submitted and is not finished.
struct PendingRequest: Sendable {
    /// An identifier in use, and the authenticator that went out under it.
    struct Lease: Sendable {
        var code: IdentifierPool.Code
        var authenticator: RADIUSAuthenticator
    }

    /// Where it is.
    enum Stage: Hashable, Sendable {
        /// In a channel's queue.
        case waiting(channel: Int)
        /// Sent, and not answered yet.
        case sent(channel: Int)
        /// Between two channels; never when an entry point returns.
        case between
    }

    let handle: RADIUSRequestHandle
    let request: RADIUSRequest
    let group: String
    let submittedAt: Instant

    var stage = Stage.between
    /// Servers that it was sent to, in order.
    var servers: [RADIUSServer.Key] = []
    /// What went out to the server that is asked now. An Access-Request is the same packet each time; an accounting record
    /// has a new Acct-Delay-Time, so it has a new identifier, while an answer to the former one is as good.
    var leases: [Lease] = []
    var datagram: [UInt8] = []
    /// How often it was sent to this server.
    var transmissions = 0
    /// The time that it waits for an answer now.
    var interval: Duration = .zero
    var firstSentAt = Instant.zero
    var sentAt = Instant.zero
    /// When something is to be done about it.
    var deadline = Instant.distantFuture

    init(_ request: RADIUSRequest, handle: RADIUSRequestHandle, group: String, at now: Instant) {
        self.request = request
        self.handle = handle
        self.group = group
        submittedAt = now
    }
}
