/// Framing capabilities or types (RFC 2661 sections 4.4.3 and 4.4.4).
public struct FramingTypes: Hashable, Sendable, Encodable {
    /// Synchronous framing.
    public var sync: Bool
    /// Asynchronous framing.
    public var async: Bool

    /// A set of framing types; both may be absent.
    public init(sync: Bool = false, async: Bool = false) {
        self.sync = sync
        self.async = async
    }
}

/// Bearer capabilities or types (RFC 2661 sections 4.4.3 and 4.4.4).
public struct BearerTypes: Hashable, Sendable, Encodable {
    /// Digital channels.
    public var digital: Bool
    /// Analog channels.
    public var analog: Bool

    /// A set of bearer types; both may be absent.
    public init(digital: Bool = false, analog: Bool = false) {
        self.digital = digital
        self.analog = analog
    }
}

/// Whose a tunnel or session is.
public enum Owner: String, Hashable, Sendable, Encodable, CaseIterable {
    /// Made by Culvert's own signalling for a subscriber.
    case subscriber
    /// Fed by a controller.
    case `static`
}
