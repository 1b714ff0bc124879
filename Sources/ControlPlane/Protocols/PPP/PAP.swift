import Wire

/// The authenticator's side of PAP (RFC 1334 section 2).
public enum PAP {
    /// Codes of PAP packets.
    public enum Code: UInt8, Sendable, CaseIterable {
        /// Name and password.
        case authenticateRequest = 1
        /// They are right.
        case authenticateAck = 2
        /// They are not.
        case authenticateNak = 3
    }

    /// What an Authenticate-Request says.
    public struct Credentials: Hashable, Sendable {
        /// Peer-ID: the user's name.
        public var peerID: [UInt8]
        /// The password as the client typed it.
        public var password: [UInt8]

        /// Checks and reads the data of an Authenticate-Request: each field after an octet with its length. Nil when
        /// a field passes the end; octets after the fields are ignored.
        public init?(parsing data: ArraySlice<UInt8>) {
            var reader = ByteReader(data)
            guard let nameLength = reader.readUInt8(), let name = reader.readBytes(Int(nameLength)),
                let passwordLength = reader.readUInt8(), let password = reader.readBytes(Int(passwordLength))
            else { return nil }
            peerID = Array(name)
            self.password = Array(password)
        }
    }

    /// An Authenticate-Nak for the request with `identifier`; at most 255 octets of `message` are sent.
    public static func nak(identifier: UInt8, message: String) -> ControlPacket {
        let text = Array(message.utf8.prefix(255))
        return ControlPacket(
            code: Code.authenticateNak.rawValue, identifier: identifier,
            data: [UInt8(truncatingIfNeeded: text.count)] + text)
    }
}
