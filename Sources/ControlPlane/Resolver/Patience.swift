/// How long name servers are waited for.
public struct Patience: Hashable, Sendable {
    /// How long a server is given to answer; then the next one is asked.
    public var timeout: Duration
    /// Rounds through all servers, at least 1.
    public var tries: Int

    /// Two seconds and two rounds: two servers that both are silent take 8 s.
    public init(timeout: Duration = .seconds(2), tries: Int = 2) {
        self.timeout = timeout
        self.tries = max(1, tries)
    }
}
