/// A step of a state machine, for the event history of a tunnel or session.
public struct StateTransition: Hashable, Sendable, Encodable {
    /// When it happened.
    public var time: Timestamp
    /// What happened: `SCCRP_ACCEPT`.
    public var event: String
    /// The state in which it happened: `WAITCTLREPLY`.
    public var state: String
    /// The state after it: `ESTABLISHED`.
    public var newState: String

    /// The step from `state` to `newState` that `event` caused.
    public init(time: Timestamp, event: String, state: String, newState: String) {
        self.time = time
        self.event = event
        self.state = state
        self.newState = newState
    }
}
