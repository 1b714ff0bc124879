/// Framing Capabilities and Framing Type (RFC 2661, sections 4.4.3 and 4.4.4).
public struct Framing: OptionSet, Hashable, Sendable {
    /// The 32 bits on the wire.
    public let rawValue: UInt32
    /// The set whose bits are `rawValue`.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// S: synchronous framing.
    public static let synchronous = Framing(rawValue: 1)
    /// A: asynchronous framing.
    public static let asynchronous = Framing(rawValue: 2)
}

/// Bearer Capabilities and Bearer Type (RFC 2661, sections 4.4.3 and 4.4.4).
public struct Bearer: OptionSet, Hashable, Sendable {
    /// The 32 bits on the wire.
    public let rawValue: UInt32
    /// The set whose bits are `rawValue`.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// D: digital access.
    public static let digital = Bearer(rawValue: 1)
    /// A: analog access.
    public static let analog = Bearer(rawValue: 2)
}
