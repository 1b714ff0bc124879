import Wire

/// Why attributes cannot be written. Nothing is ever cut to fit.
public enum RADIUSEncodingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The value has a length, in octets, that the attribute cannot have.
    case length(RADIUSAttribute, Int)
    /// The whole packet would be longer than 4,096 octets.
    case packetTooLong(Int)

    /// In words, for logs and `show`.
    public var description: String {
        switch self {
        case .length(let attribute, let count): "\(attribute) cannot hold \(count) octets"
        case .packetTooLong(let count): "a packet of \(count) octets is more than the 4,096 that RADIUS has"
        }
    }
}

/// What hides passwords in one packet.
struct PasswordHiding {
    var secret: [UInt8]
    /// The authenticator of the request, which is also that of its answer's passwords.
    var authenticator: RADIUSAuthenticator
    /// The salt of the packet's first Tunnel-Password; the next ones follow on.
    var salt: UInt16 = 0
}

/// Attributes on the wire (RFC 2865 section 5), and a vendor's inside of one (section 5.26).
///
///      0                   1                   2
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-
///     |     Type      |    Length     |  Value ...
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-
///     |   Type (26)   |    Length     |           Vendor-Id
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///          Vendor-Id (cont)           |  Vendor type  | Vendor length |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///
/// Both lengths count their own two octets.
extension RADIUSAttributes {
    /// Checks and reads attributes; nil when one is shorter than its own header or runs past the end. A known attribute
    /// whose value cannot be its own goes to `invalid`; an empty text or string says nothing and is passed over.
    init?(decoding octets: ArraySlice<UInt8>) {
        var reader = ByteReader(octets)
        while !reader.isEmpty {
            guard let number = reader.readUInt8(), let length = reader.readUInt8(),
                let value = reader.readBytes(Int(length) - 2)
            else { return nil }
            if number == RADIUSAttribute.vendorSpecific.number, takeVendorSpecific(value) { continue }
            take(RADIUSAttribute(number), value)
        }
    }

    private mutating func take(_ attribute: RADIUSAttribute, _ value: ArraySlice<UInt8>) {
        if let definition = attribute.definition, !definition.lengths.contains(value.count) {
            if !value.isEmpty || definition.lengths.lowerBound > 1 { invalid.append(attribute) }
            return
        }
        append(attribute, octets: value)
    }

    /// Takes a known vendor's attributes; false when the vendor is unknown, or does not use the form that the standard
    /// recommends, and the attribute has to stay as it is.
    private mutating func takeVendorSpecific(_ value: ArraySlice<UInt8>) -> Bool {
        var reader = ByteReader(value)
        guard let vendor = reader.readUInt32(), RADIUSAttributeDefinition.knownVendors.contains(vendor),
            let parts = Self.typeLengthValues(reader.remaining), !parts.isEmpty
        else { return false }
        for part in parts { take(RADIUSAttribute(vendor: vendor, part.number), part.value) }
        return true
    }

    private static func typeLengthValues(
        _ octets: ArraySlice<UInt8>, lengthCountsHeader: Bool = true
    ) -> [(number: UInt8, value: ArraySlice<UInt8>)]? {
        var reader = ByteReader(octets)
        var parts: [(UInt8, ArraySlice<UInt8>)] = []
        while !reader.isEmpty {
            guard let number = reader.readUInt8(), let length = reader.readUInt8(),
                let value = reader.readBytes(Int(length) - (lengthCountsHeader ? 2 : 0))
            else { return nil }
            parts.append((number, value))
        }
        return parts
    }

    /// What an access node says of a client's line (RFC 4679): the numbers are the same in PPPoE and in RADIUS. Figures that 32 bits
    /// cannot say are told as the largest that they can.
    public init(accessLine line: AccessLineInformation) {
        func attribute(_ kind: AccessLineInformation.Attribute) -> RADIUSAttribute {
            RADIUSAttribute(vendor: RADIUSAttribute.adslForum, kind.rawValue)
        }
        append(attribute(.agentCircuitID), octets: line.agentCircuitID)
        append(attribute(.agentRemoteID), octets: line.agentRemoteID)
        for (kind, value) in line.figures.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            append(attribute(kind), integer: UInt32(clamping: value))
        }
        if let encapsulation = line.encapsulation {
            append(
                attribute(.accessLoopEncapsulation),
                octets: [encapsulation.dataLink, encapsulation.first, encapsulation.second])
        }
        if line.isInterworked { append(attribute(.interworking), octets: [] as [UInt8]) }
    }

    /// Appends the attributes to `writer`, passwords hidden where there is a key.
    func write(to writer: inout ByteWriter, hiding: PasswordHiding?) throws(RADIUSEncodingError) {
        var salt = hiding?.salt ?? 0
        // Message-Authenticator is the packet's own: whoever writes a packet puts it in front.
        for element in elements where element.attribute != .messageAuthenticator {
            let attribute = element.attribute
            let definition = attribute.definition
            var value = element.value
            if let hiding {
                switch definition?.syntax {
                case .userPassword:
                    guard let hidden = UserPassword.hide(value, with: hiding) else {
                        throw .length(attribute, value.count)
                    }
                    value = hidden
                case .tunnelPassword:
                    guard let hidden = TunnelPassword.hide(value, salt: salt, with: hiding) else {
                        throw .length(attribute, value.count)
                    }
                    value = hidden
                    salt &+= 1
                default: break
                }
            }
            let most =
                attribute.vendor == 0
                ? RADIUSAttributeDefinition.longestValue : RADIUSAttributeDefinition.longestVendorValue
            guard value.count <= most, definition?.lengths.contains(value.count) != false else {
                throw .length(attribute, element.value.count)
            }
            if attribute.vendor != 0 {
                writer.write(RADIUSAttribute.vendorSpecific.number)
                writer.write(UInt8(8 + value.count))
                writer.write(attribute.vendor)
            }
            writer.write(attribute.number)
            writer.write(UInt8(2 + value.count))
            writer.write(value)
        }
    }
}
