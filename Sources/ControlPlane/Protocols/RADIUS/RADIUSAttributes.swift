import Wire

/// The attributes of one packet, in order, those of known vendors taken out of their Vendor-Specific.
///
/// Values are as on the wire but for passwords, which are in the clear until a packet is written, and stay hidden in a
/// packet that was read. Every accessor answers nil for what is not there or not of the form that it asks for.
public struct RADIUSAttributes: Hashable, Sendable {
    /// One attribute.
    public struct Element: Hashable, Sendable {
        /// Which it is.
        public var attribute: RADIUSAttribute
        /// Its value, without type and length.
        public var value: [UInt8]
    }

    /// A value with the tag that groups it (RFC 2868 section 3.1).
    public struct Tagged<Value> {
        /// 1 to 31; 0: none.
        public var tag: UInt8
        /// The value.
        public var value: Value
    }

    /// The attributes, in order.
    public private(set) var elements: [Element] = []
    /// Attributes that were received with a value that their kind cannot have, and left out.
    public internal(set) var invalid: [RADIUSAttribute] = []

    /// No attributes.
    public init() {}

    /// Whether there are none.
    public var isEmpty: Bool { elements.isEmpty }

    // MARK: Reading

    /// The values of all `attribute`s, in order.
    public func all(_ attribute: RADIUSAttribute) -> [[UInt8]] {
        elements.lazy.filter { $0.attribute == attribute }.map(\.value)
    }

    /// The value of the first `attribute`.
    public func octets(_ attribute: RADIUSAttribute) -> [UInt8]? {
        elements.first { $0.attribute == attribute }?.value
    }

    /// Whether there is an `attribute`.
    public func contains(_ attribute: RADIUSAttribute) -> Bool { elements.contains { $0.attribute == attribute } }

    /// The first `attribute` as text; octets that are not UTF-8 are shown as U+FFFD.
    public func text(_ attribute: RADIUSAttribute) -> String? {
        octets(attribute).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The first `attribute` as a number of 32 bits.
    public func integer(_ attribute: RADIUSAttribute) -> UInt32? {
        guard let value = octets(attribute), value.count == 4 else { return nil }
        var reader = ByteReader(value)
        return reader.readUInt32()
    }

    /// The first `attribute` as an IPv4 address.
    public func ipv4(_ attribute: RADIUSAttribute) -> IPv4Address? { octets(attribute).flatMap { IPv4Address($0) } }

    /// The first `attribute` as an IPv6 address.
    public func ipv6(_ attribute: RADIUSAttribute) -> IPv6Address? { octets(attribute).flatMap { IPv6Address($0) } }

    /// All `attribute`s as text with tag. A first octet above 0x1f is the text's own, and there is no tag.
    public func taggedTexts(_ attribute: RADIUSAttribute) -> [Tagged<String>] {
        all(attribute).map { value in
            guard let first = value.first, first <= Self.lastTag else {
                return Tagged(tag: 0, value: String(decoding: value, as: UTF8.self))
            }
            return Tagged(tag: first, value: String(decoding: value.dropFirst(), as: UTF8.self))
        }
    }

    /// All `attribute`s as numbers of 24 bits with tag. A tag above 0x1f means nothing and counts as none.
    public func taggedIntegers(_ attribute: RADIUSAttribute) -> [Tagged<UInt32>] {
        all(attribute).compactMap { value in
            guard value.count == 4, let first = value.first else { return nil }
            let number = value.dropFirst().reduce(0) { $0 << 8 | UInt32($1) }
            return Tagged(tag: first <= Self.lastTag ? first : 0, value: number)
        }
    }

    /// The EAP packet that stands in all EAP-Messages together (RFC 2869 section 5.13); nil where there is none.
    public var eapMessage: [UInt8]? {
        let parts = all(.eapMessage)
        return parts.isEmpty ? nil : Array(parts.joined())
    }

    static let lastTag: UInt8 = 0x1f

    // MARK: Building

    /// Appends `attribute` with the octets of `value`; nil appends nothing.
    public mutating func append(_ attribute: RADIUSAttribute, octets value: (some Sequence<UInt8>)?) {
        guard let value else { return }
        elements.append(Element(attribute: attribute, value: Array(value)))
    }

    /// Appends `attribute` with a text's UTF-8; nil, and an empty text, which must not be sent, append nothing.
    public mutating func append(_ attribute: RADIUSAttribute, text: String?) {
        guard let text, !text.isEmpty else { return }
        append(attribute, octets: text.utf8)
    }

    /// Appends `attribute` with a number of 32 bits; nil appends nothing.
    public mutating func append(_ attribute: RADIUSAttribute, integer: UInt32?) {
        guard let integer else { return }
        var writer = ByteWriter(capacity: 4)
        writer.write(integer)
        append(attribute, octets: writer.bytes)
    }

    /// Appends `attribute` with an address's octets; nil appends nothing.
    public mutating func append(_ attribute: RADIUSAttribute, address: IPAddress?) {
        append(attribute, octets: address?.octets)
    }

    /// Appends `attribute` with a text behind a tag, 0 for none; nil and an empty text append nothing.
    public mutating func append(_ attribute: RADIUSAttribute, text: String?, tag: UInt8) {
        guard let text, !text.isEmpty else { return }
        append(attribute, octets: [tag & Self.lastTag] + text.utf8)
    }

    /// Appends `attribute` with the lower 24 bits of a number behind a tag, 0 for none; nil appends nothing.
    public mutating func append(_ attribute: RADIUSAttribute, integer: UInt32?, tag: UInt8) {
        guard let integer else { return }
        append(attribute, integer: integer & 0xff_ffff | UInt32(tag & Self.lastTag) << 24)
    }

    /// Appends an EAP packet, in as many EAP-Messages as it takes (RFC 2869 section 5.13).
    public mutating func append(eapMessage packet: [UInt8]) {
        var rest = packet[...]
        while !rest.isEmpty {
            append(.eapMessage, octets: rest.prefix(RADIUSAttributeDefinition.longestValue))
            rest = rest.dropFirst(RADIUSAttributeDefinition.longestValue)
        }
    }

    /// Appends all of another list.
    public mutating func append(contentsOf other: RADIUSAttributes) { elements += other.elements }
}
