import Wire

/// A PPP protocol number (RFC 1661 section 2): even high octet, odd low octet.
public struct PPPProtocol: RawRepresentable, Hashable, Sendable {
    /// The number in full, also where the wire had it compressed to one octet.
    public var rawValue: UInt16

    /// The protocol with the number `rawValue`.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Link Control Protocol (RFC 1661).
    public static let lcp = PPPProtocol(rawValue: 0xc021)
    /// Password Authentication Protocol (RFC 1334).
    public static let pap = PPPProtocol(rawValue: 0xc023)
    /// Link Quality Report (RFC 1989).
    public static let lqr = PPPProtocol(rawValue: 0xc025)
    /// Challenge Handshake Authentication Protocol (RFC 1994).
    public static let chap = PPPProtocol(rawValue: 0xc223)
    /// Extensible Authentication Protocol (RFC 3748).
    public static let eap = PPPProtocol(rawValue: 0xc227)

    /// Whether this is a protocol of the link itself (0xc000 to 0xffff) and not of the network layer above it.
    public var isLinkControl: Bool { rawValue >= 0xc000 }
}

/// A PPP frame (RFC 1661 section 2) as PPPoE and L2TP carry it: without flags, byte stuffing and FCS.
///
///     [ff 03]  protocol (1 or 2 octets)  information
///
/// Address and control are optional on receive. A protocol field whose first octet is odd is one octet long.
public struct PPPFrame: Hashable, Sendable {
    /// Why octets are not a PPP frame.
    public enum DecodeError: String, Error, Sendable, CaseIterable {
        /// The frame ends before the protocol field does.
        case truncated = "frame ends before its protocol field"
        /// The protocol field's second octet is even, which no protocol has (RFC 1661 section 2).
        case protocolField = "invalid protocol field"
    }

    /// What the frame carries.
    public var proto: PPPProtocol
    /// Everything after the protocol field, padding included.
    public var information: [UInt8]

    /// A frame of `proto` with `information`.
    public init(_ proto: PPPProtocol, _ information: [UInt8]) {
        self.proto = proto
        self.information = information
    }

    /// Reads a frame that fills `bytes`.
    public init(parsing bytes: ArraySlice<UInt8>) throws(DecodeError) {
        var reader = ByteReader(bytes.starts(with: [0xff, 0x03]) ? bytes.dropFirst(2) : bytes)
        guard let first = reader.readUInt8() else { throw .truncated }
        if first & 1 == 1 {
            proto = PPPProtocol(rawValue: UInt16(first))
        } else {
            guard let second = reader.readUInt8() else { throw .truncated }
            guard second & 1 == 1 else { throw .protocolField }
            proto = PPPProtocol(rawValue: UInt16(first) << 8 | UInt16(second))
        }
        information = Array(reader.readRemaining())
    }

    /// The frame as octets, with a protocol field of two octets; `addressAndControl` puts ff 03 in front. PPPoE forbids
    /// that (RFC 2516 section 7).
    public func encoded(addressAndControl: Bool = false) -> [UInt8] {
        var writer = ByteWriter(capacity: information.count + 4)
        if addressAndControl { writer.write(0xff03 as UInt16) }
        writer.write(proto.rawValue)
        writer.write(information)
        return writer.bytes
    }
}
