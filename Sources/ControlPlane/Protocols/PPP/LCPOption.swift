import Wire

/// What the Authentication-Protocol option asks for (RFC 1661 section 6.2, RFC 1994 section 3).
public enum AuthenticationProtocol: Hashable, Sendable {
    /// PAP (RFC 1334).
    case pap
    /// CHAP with MD5 (RFC 1994), algorithm 5.
    case chapMD5
    /// EAP (RFC 3748).
    case eap
    /// Any other protocol, with the octets that follow its number: CHAP with another algorithm and the like.
    case other(PPPProtocol, [UInt8])

    /// The protocol that an option's value names; nil when it is shorter than a protocol number.
    public init?(value: ArraySlice<UInt8>) {
        var reader = ByteReader(value)
        guard let number = reader.readUInt16() else { return nil }
        let data = Array(reader.readRemaining())
        switch (PPPProtocol(rawValue: number), data) {
        case (.pap, []): self = .pap
        case (.chap, [5]): self = .chapMD5
        case (.eap, []): self = .eap
        case (let proto, _): self = .other(proto, data)
        }
    }

    /// The option's value.
    public var value: [UInt8] {
        switch self {
        case .pap: [0xc0, 0x23]
        case .chapMD5: [0xc2, 0x23, 5]
        case .eap: [0xc2, 0x27]
        case .other(let proto, let data): [UInt8(proto.rawValue >> 8), UInt8(proto.rawValue & 0xff)] + data
        }
    }
}

/// A configuration option of LCP (RFC 1661 section 6): type, length (both octets included), value.
public enum LCPOption: Hashable, Sendable {
    /// Maximum-Receive-Unit, type 1: octets of information field that the sender takes; 1,500 without the option.
    case maximumReceiveUnit(UInt16)
    /// Authentication-Protocol, type 3: how the receiver is to authenticate itself.
    case authenticationProtocol(AuthenticationProtocol)
    /// Quality-Protocol, type 4: number of the protocol and its data.
    case qualityProtocol(PPPProtocol, [UInt8])
    /// Magic-Number, type 5.
    case magicNumber(UInt32)
    /// Protocol-Field-Compression, type 7.
    case protocolFieldCompression
    /// Address-and-Control-Field-Compression, type 8.
    case addressAndControlFieldCompression
    /// An option of another type, or one of those above whose length is not right for its type.
    case other(type: UInt8, value: [UInt8])

    /// Why octets are not a list of options.
    public enum DecodeError: String, Error, Sendable, CaseIterable {
        /// An option's length is less than 2, or passes the end of the list.
        case length = "option length does not fit the packet"
    }

    /// The option of this type and value.
    public init(type: UInt8, value: ArraySlice<UInt8>) {
        self = Self.known(type: type, value: value) ?? .other(type: type, value: Array(value))
    }

    private static func known(type: UInt8, value: ArraySlice<UInt8>) -> LCPOption? {
        var reader = ByteReader(value)
        switch (type, value.count) {
        case (1, 2): return reader.readUInt16().map(maximumReceiveUnit)
        case (3, 2...): return AuthenticationProtocol(value: value).map(authenticationProtocol)
        case (4, 2...):
            return reader.readUInt16().map {
                .qualityProtocol(PPPProtocol(rawValue: $0), Array(reader.readRemaining()))
            }
        case (5, 4): return reader.readUInt32().map(magicNumber)
        case (7, 0): return .protocolFieldCompression
        case (8, 0): return .addressAndControlFieldCompression
        default: return nil
        }
    }

    /// The option's type on the wire.
    public var type: UInt8 {
        switch self {
        case .maximumReceiveUnit: 1
        case .authenticationProtocol: 3
        case .qualityProtocol: 4
        case .magicNumber: 5
        case .protocolFieldCompression: 7
        case .addressAndControlFieldCompression: 8
        case .other(let type, _): type
        }
    }

    /// Checks and reads a list of options that fills `bytes`.
    public static func list(parsing bytes: ArraySlice<UInt8>) throws(DecodeError) -> [LCPOption] {
        var reader = ByteReader(bytes)
        var options: [LCPOption] = []
        while !reader.isEmpty {
            guard let type = reader.readUInt8(), let length = reader.readUInt8(), length >= 2,
                let value = reader.readBytes(Int(length) - 2)
            else { throw .length }
            options.append(LCPOption(type: type, value: value))
        }
        return options
    }

    /// The option as octets. A value beyond 253 octets, which none that was received has, is cut off.
    public var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 8)
        writer.write(type)
        writer.write(0 as UInt8)
        switch self {
        case .maximumReceiveUnit(let octets): writer.write(octets)
        case .authenticationProtocol(let proto): writer.write(proto.value)
        case .qualityProtocol(let proto, let data):
            writer.write(proto.rawValue)
            writer.write(data)
        case .magicNumber(let number): writer.write(number)
        case .protocolFieldCompression, .addressAndControlFieldCompression: break
        case .other(_, let value): writer.write(value)
        }
        var bytes = Array(writer.bytes.prefix(255))
        bytes[1] = UInt8(truncatingIfNeeded: bytes.count)
        return bytes
    }
}

extension Sequence<LCPOption> {
    /// The options as octets, one after the other: the data of a Configure packet.
    public var encoded: [UInt8] { flatMap(\.encoded) }
}
