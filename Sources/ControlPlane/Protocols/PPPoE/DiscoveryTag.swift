/// A tag of a PPPoE discovery packet (RFC 2516 section 4, appendix A).
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-------------------------------+-------------------------------+
///     |             type              |            length             |
///     +-------------------------------+-------------------------------+
///     |  value: `length` octets, no padding, no terminator
///     +---------------------------------------------------------------+
public struct DiscoveryTag: Hashable, Sendable {
    /// A tag's type. Types that are not named here are carried like any other and have no effect.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        /// The number on the wire.
        public var rawValue: UInt16

        /// The type with the number `rawValue`.
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// No tag follows; its length is 0.
        public static let endOfList = Kind(rawValue: 0x0000)
        /// The service asked for, offered or granted; UTF-8. Empty: any service will do.
        public static let serviceName = Kind(rawValue: 0x0101)
        /// The access concentrator's name; UTF-8.
        public static let acName = Kind(rawValue: 0x0102)
        /// The client's own mark, returned unchanged.
        public static let hostUniq = Kind(rawValue: 0x0103)
        /// The access concentrator's own mark, returned unchanged.
        public static let acCookie = Kind(rawValue: 0x0104)
        /// Vendor id and data; carries the access line's identity of RFC 4679 (vendor 3561).
        public static let vendorSpecific = Kind(rawValue: 0x0105)
        /// A relay's own mark, returned unchanged.
        public static let relaySessionID = Kind(rawValue: 0x0110)
        /// Largest PPP payload that the sender takes, in octets, two octets long (RFC 4638).
        public static let pppMaxPayload = Kind(rawValue: 0x0120)
        /// The service asked for is not to be had; text.
        public static let serviceNameError = Kind(rawValue: 0x0201)
        /// The access concentrator lacks the means for a session; text.
        public static let acSystemError = Kind(rawValue: 0x0202)
        /// Any other error; text.
        public static let genericError = Kind(rawValue: 0x0203)
    }

    /// The tag's type.
    public var kind: Kind
    /// The tag's value, `length` octets.
    public var value: [UInt8]

    /// A tag of type `kind` with the octets of `value`.
    public init(_ kind: Kind, _ value: some Sequence<UInt8>) {
        self.kind = kind
        self.value = Array(value)
    }

    /// A tag of type `kind` with the UTF-8 of `text`.
    public init(_ kind: Kind, text: String) { self.init(kind, text.utf8) }

    /// The value as text; octets that are not UTF-8 are shown as U+FFFD.
    public var text: String { String(decoding: value, as: UTF8.self) }

    /// Octets on the wire, type and length included.
    public var encodedLength: Int { 4 + value.count }
}
