import Timing

/// The last events of a tunnel or a session, oldest first, as `show … detail` lists them.
public struct EventHistory<Event, State>: Sendable
where
    Event: RawRepresentable & Sendable & Equatable, Event.RawValue == String,
    State: RawRepresentable & Sendable & Equatable, State.RawValue == String
{
    /// One event and what it did.
    public struct Record: Sendable, CustomStringConvertible {
        /// When it happened.
        public let time: Instant
        /// What happened.
        public let event: Event
        /// The state that it found.
        public let state: State
        /// The state that it left.
        public let newState: State

        /// `OPEN_REQ in state IDLE, new state WAITCTLREPLY`
        public var description: String {
            "\(event.rawValue) in state \(state.rawValue), new state \(newState.rawValue)"
        }
    }

    /// Events that are kept; an older one gives way to a newer.
    public static var capacity: Int { 16 }

    private var ring: [Record] = []
    private var next = 0

    init() {}

    /// The events, oldest first.
    public var records: [Record] { ring.count < Self.capacity ? ring : Array(ring[next...] + ring[..<next]) }

    mutating func add(_ event: Event, at time: Instant, from state: State, to newState: State) {
        let record = Record(time: time, event: event, state: state, newState: newState)
        if ring.count < Self.capacity {
            ring.append(record)
        } else {
            ring[next] = record
            next = (next + 1) % Self.capacity
        }
    }
}
