import Wire

/// PPP Disconnect Cause Code (RFC 3145): why a session's PPP ended, for people and accounting. Beside CDN's Result Code, which
/// alone decides what happens.
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-------------------------------+-------------------------------+
///     |             code              |    control protocol number    |
///     +---------------+---------------+-------------------------------+
///     |   direction   |  message in UTF-8
///     +---------------+-----------------------------------------------+
public struct PPPDisconnectCause: Hashable, Sendable, CustomStringConvertible {
    /// Disconnect Code (RFC 3145, section 3).
    public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The number on the wire.
        public let rawValue: UInt16
        /// The code whose number is `rawValue`.
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// 0: no information.
        public static let none = Code(rawValue: 0)
        /// 1: an administrator's doing.
        public static let administrative = Code(rawValue: 1)
        /// 2: the LNS does not renegotiate LCP, and the LAC sent no proxy LCP.
        public static let renegotiationDisabled = Code(rawValue: 2)
        /// 3: a Terminate-Request of LCP.
        public static let normal = Code(rawValue: 3)
        /// 4: encryption that one end insists on was refused.
        public static let encryptionRefused = Code(rawValue: 4)
        /// 5: LCP had no answer, or did not come to an end.
        public static let lcpTimeout = Code(rawValue: 5)
        /// 6: nothing came that was LCP.
        public static let lcpSilence = Code(rawValue: 6)
        /// 7: LCP's magic number came back.
        public static let loopedBack = Code(rawValue: 7)
        /// 8: LCP's echo requests had no answer.
        public static let echoTimeout = Code(rawValue: 8)
        /// 13: authentication had no answer.
        public static let authenticationTimeout = Code(rawValue: 13)
        /// 15: no authentication protocol suits both.
        public static let authenticationProtocolRefused = Code(rawValue: 15)
        /// 16: bad name, password or secret.
        public static let authenticationFailed = Code(rawValue: 16)

        private static let texts = [
            "no information available", "administrative disconnect",
            "LCP renegotiation at LNS disabled and no proxy LCP received",
            "normal disconnection by LCP Terminate-Request",
            "compulsory encryption refused", "LCP timeout", "no recognizable LCP packets received",
            "LCP magic number error, link possibly looped back", "LCP Echo-Request timeout",
            "unexpected Endpoint-Discriminator for multilink bundle", "unexpected MRRU for multilink bundle",
            "unexpected Short-Sequence-Number option for multilink bundle", "compulsory call-back refused",
            "authentication timeout", "unexpected authenticated name for multilink bundle",
            "authentication protocol unacceptable", "authentication failed: bad name, password or secret",
            "NCP timeout", "no NCP available", "NCP failed to converge on acceptable addresses",
            "user not permitted to use any addresses",
        ]

        /// In words, for logs and `show`.
        public var description: String {
            rawValue < Self.texts.count ? Self.texts[Int(rawValue)] : "disconnect code \(rawValue)"
        }
    }

    /// At which end of PPP the cause lies, seen from the sender of CDN.
    public struct Direction: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The number on the wire.
        public let rawValue: UInt8
        /// The direction whose number is `rawValue`.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// 0: at neither, a global error.
        public static let global = Direction(rawValue: 0)
        /// 1: at the sender's PPP peer.
        public static let peer = Direction(rawValue: 1)
        /// 2: at the sender.
        public static let local = Direction(rawValue: 2)

        /// In words; empty for a global error.
        public var description: String {
            switch self {
            case .global: ""
            case .peer: "at its peer"
            case .local: "locally"
            default: "direction \(rawValue)"
            }
        }
    }

    /// Disconnect Code.
    public var code: Code
    /// Control Protocol Number: the PPP protocol that the code is about; 0 for global errors.
    public var controlProtocol: UInt16
    /// Direction.
    public var direction: Direction
    /// Message; up to 1,010 octets of UTF-8, a longer one is left out as a whole.
    public var message: String?

    /// A cause of these parts.
    public init(_ code: Code, controlProtocol: UInt16 = 0, direction: Direction = .global, message: String? = nil) {
        self.code = code
        self.controlProtocol = controlProtocol
        self.direction = direction
        self.message = message
    }

    /// The code in words, where it lies, the sender's own words.
    public var description: String {
        var text = "PPP: \(code) (\(code.rawValue))"
        if controlProtocol != 0 { text += ", protocol 0x" + String(controlProtocol, radix: 16) }
        if direction != .global { text += ", \(direction)" }
        if let message, !message.isEmpty { text += ": \(message)" }
        return text
    }

    /// What an AVP holds beside the other fields, hidden or not.
    static let longestMessage = AttributeDefinition.longestValue - HiddenValue.overhead - 5

    init?(wire: ArraySlice<UInt8>) {
        var reader = ByteReader(wire)
        guard let code = reader.readUInt16(), let controlProtocol = reader.readUInt16(),
            let direction = reader.readUInt8()
        else { return nil }
        let text = reader.readRemaining()
        self.init(
            Code(rawValue: code), controlProtocol: controlProtocol, direction: Direction(rawValue: direction),
            message: text.isEmpty ? nil : String(decoding: text, as: UTF8.self))
    }

    var wire: [UInt8] {
        var writer = ByteWriter()
        writer.write(code.rawValue)
        writer.write(controlProtocol)
        writer.write(direction.rawValue)
        if let message, message.utf8.count <= Self.longestMessage { writer.write(message) }
        return writer.bytes
    }
}
