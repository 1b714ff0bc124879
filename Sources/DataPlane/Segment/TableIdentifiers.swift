import CSegment

/// An attachment circuit's place in the circuit table.
@frozen
public struct CircuitIndex: Hashable, Sendable {
    /// Below the geometry's `circuits`.
    public let rawValue: UInt32
    /// The circuit at `rawValue`.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// A local tunnel id (RFC 2661, 3.1), which is also the tunnel's place in the tunnel table.
@frozen
public struct TunnelID: Hashable, Sendable {
    /// Host byte order; never 0 for a tunnel that was allocated.
    public let rawValue: UInt16
    /// The tunnel with this id.
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
}

/// A session's place in the table access -> core.
@frozen
public struct UpstreamSlot: Hashable, Sendable {
    /// Below the geometry's `sessions`.
    public let rawValue: UInt32
    /// The slot at `rawValue`.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// A session's place in the table core -> access.
@frozen
public struct DownstreamSlot: Hashable, Sendable {
    /// Below the geometry's `sessions`.
    public let rawValue: UInt32
    /// The slot at `rawValue`.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// A session's access side as it was allocated.
public struct UpstreamSession: Hashable, Sendable {
    /// Where it is.
    public let slot: UpstreamSlot
    /// The PPPoE session id that names the slot on its circuit, in host byte order; never 0 or 0xffff.
    public let sessionID: UInt16
}

/// A session's core side as it was allocated.
public struct DownstreamSession: Hashable, Sendable {
    /// Where it is.
    public let slot: DownstreamSlot
    /// The local L2TP session id that names the slot in its tunnel, in host byte order; never 0 or 0xffff.
    public let sessionID: UInt16
}

/// Who made an entry, so that a restarted culvertd knows which to keep.
public enum EntryOwner: UInt8, Hashable, Sendable {
    /// culvertd's own PPPoE and L2TP signalling.
    case subscriber = 1
    /// A controller, over the RPC.
    case external = 2
}

/// Values of an entry's state word.
enum EntryState {
    static let free = UInt32(CULVERT_STATE_FREE)
    static let reserved = UInt32(CULVERT_STATE_RESERVED)
    static let punt = UInt32(CULVERT_STATE_PUNT)
    static let forward = UInt32(CULVERT_STATE_FORWARD)
    static let retired = UInt32(CULVERT_STATE_RETIRED)
}
