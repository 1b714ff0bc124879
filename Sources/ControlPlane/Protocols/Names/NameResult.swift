import Wire

/// An address of a name, and how long it may be used.
public struct ResolvedAddress: Hashable, Sendable {
    /// The address.
    public var address: IPAddress
    /// Seconds for which the answer may be used, from when it came: the least along the chain of aliases that led to it.
    public var ttl: UInt32

    /// `address`, for `ttl` seconds.
    public init(_ address: IPAddress, ttl: UInt32) {
        self.address = address
        self.ttl = ttl
    }
}

/// What came of a question.
public enum NameResult: Hashable, Sendable {
    /// The addresses, at least one, IPv4 before IPv6 and else in the server's order. Incomplete when only one of the two kinds could
    /// be asked for: there may be more.
    case addresses([ResolvedAddress], isComplete: Bool)
    /// There is none, and the servers vouch for that for `ttl` seconds; nil when they do not say how long.
    case absent(NameAbsence, ttl: UInt32?)
    /// Nobody knows.
    case failed(NameFailure)

    /// What the answers about a name's IPv4 and IPv6 addresses say together.
    public init(ipv4: NameResult, ipv6: NameResult) {
        switch (ipv4, ipv6) {
        case (.addresses(let first, let isComplete), .addresses(let second, let isComplete2)):
            self = .addresses(first + second, isComplete: isComplete && isComplete2)
        case (.addresses(let some, let isComplete), .absent), (.absent, .addresses(let some, let isComplete)):
            self = .addresses(some, isComplete: isComplete)
        case (.addresses(let some, _), .failed), (.failed, .addresses(let some, _)):
            self = .addresses(some, isComplete: false)
        case (.absent(let one, let ttl), .absent(let other, let ttl2)):
            // What does not exist has no addresses of either kind, whatever the other answer says of this one.
            let absence: NameAbsence = one == .noSuchName ? one : other
            if let ttl, let ttl2 {
                self = .absent(absence, ttl: min(ttl, ttl2))
            } else {
                self = .absent(absence, ttl: nil)
            }
        case (.absent(.noSuchName, let ttl), .failed), (.failed, .absent(.noSuchName, let ttl)):
            self = .absent(.noSuchName, ttl: ttl)
        case (.absent(.noAddress, _), .failed(let failure)), (.failed(let failure), .absent(.noAddress, _)),
            (.failed(let failure), .failed):
            self = .failed(failure)
        }
    }

    /// The addresses; none when there are none, or nobody knows.
    public var addresses: [IPAddress] {
        guard case .addresses(let found, _) = self else { return [] }
        return found.map(\.address)
    }
}

/// What there is not.
public enum NameAbsence: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// The name does not exist (NXDOMAIN).
    case noSuchName = "no_such_name"
    /// The name exists and has no address (NODATA, RFC 2308 section 2.2).
    case noAddress = "no_address"

    /// For people.
    public var description: String {
        switch self {
        case .noSuchName: "there is no such name"
        case .noAddress: "the name has no address"
        }
    }
}

/// Why a name's addresses could not be had.
public enum NameFailure: String, Error, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// No server answered in time.
    case timedOut = "timed_out"
    /// No server could be reached.
    case unreachable
    /// The servers answered SERVFAIL.
    case serverFailure = "server_failure"
    /// The servers answered REFUSED.
    case refused
    /// The servers answered NOTIMP.
    case notImplemented = "not_implemented"
    /// The servers answered FORMERR.
    case formatError = "format_error"
    /// The answer is no proper DNS message, or none to what was asked.
    case malformedAnswer = "malformed_answer"
    /// The server names others to ask.
    case noRecursion = "no_recursion"
    /// The name is an alias of an alias, and so on without end.
    case aliasLoop = "alias_loop"
    /// No server is configured.
    case noServers = "no_servers"
    /// More was asked than is allowed to wait.
    case overloaded
    /// The process is short of memory or descriptors.
    case resources
    /// The resolver has been shut down.
    case shutDown = "shut_down"

    /// For people.
    public var description: String {
        switch self {
        case .timedOut: "no name server answered in time"
        case .unreachable: "no name server could be reached"
        case .serverFailure: "the name servers answered that they failed (SERVFAIL)"
        case .refused: "the name servers refused to answer (REFUSED)"
        case .notImplemented: "the name servers do not answer such questions (NOTIMP)"
        case .formatError: "the name servers did not understand the question (FORMERR)"
        case .malformedAnswer: "the name server's answer cannot be read, or is none to what was asked"
        case .noRecursion: "the name server names other servers to ask; it does not resolve names for this node"
        case .aliasLoop: "the name is an alias of an alias, and so on without end"
        case .noServers: "no name server is configured (ip-name-server)"
        case .overloaded: "too many names are being looked up"
        case .resources: "out of memory or file descriptors"
        case .shutDown: "the resolver has been shut down"
        }
    }
}
