/// What bounds the cache of names, in numbers and in time.
public struct NameCacheSettings: Hashable, Sendable {
    /// Names that are known or asked for at once; the least recently used gives way.
    public var entries = 4_096
    /// Of these, names that are asked for at once.
    public var queries = 1_024
    /// Callers that wait for answers, all together.
    public var waiters = 65_536
    /// An answer is used at least so long, in seconds, whatever its TTL.
    public var minimumTTL: UInt32 = 0
    /// And at most so long, in seconds.
    public var maximumTTL: UInt32 = 86_400
    /// That there is no such name or address is believed at most so long, in seconds (RFC 2308 section 5).
    public var maximumNegativeTTL: UInt32 = 30
    /// Nothing is asked again so long after it failed, in seconds: failures, answers for one kind of address alone, and absences
    /// whose time the server does not tell (RFC 2308 section 7, RFC 9520 section 3.2).
    public var failureHold: UInt32 = 5
    /// After so long a question whose answer never came has failed.
    public var patience: Duration = .seconds(60)

    /// The defaults.
    public init() {}
}
