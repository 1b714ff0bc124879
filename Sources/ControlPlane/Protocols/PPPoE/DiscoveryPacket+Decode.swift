import Wire

extension DiscoveryPacket {
    /// Why octets are not a discovery packet.
    public struct DecodeError: Error, Hashable, Sendable {
        /// What is wrong.
        public enum Reason: String, Sendable, CaseIterable {
            /// Fewer octets than the header has.
            case truncatedHeader = "header cut short"
            /// Version or type is not 1 (RFC 2516 section 4).
            case versionOrType = "version or type is not 1"
            /// No code of RFC 2516.
            case unknownCode = "unknown code"
            /// The length field names more octets than the frame holds.
            case length = "length exceeds the frame"
            /// A tag's header or value passes the end of the packet.
            case truncatedTag = "tag cut short"
            /// A tag of a fixed size has another one.
            case tagLength = "tag of wrong length"
            /// A session id where 0 has to be, or 0 where a session id has to be.
            case sessionID = "session id does not go with the code"
        }

        /// What is wrong.
        public var reason: Reason
        /// The packet's code where it could be read, so that an invalid PADI is counted as such.
        public var code: Code?

        /// An error with these fields.
        public init(_ reason: Reason, code: Code? = nil) {
            self.reason = reason
            self.code = code
        }
    }

    /// Checks and reads a packet at the start of `bytes`, which follow EtherType 0x8863; padding after it is ignored.
    ///
    /// - Throws: `DecodeError` for the first fault found, in the order header, length, session id, tags.
    public init(parsing bytes: ArraySlice<UInt8>) throws(DecodeError) {
        var reader = ByteReader(bytes)
        guard let versionAndType = reader.readUInt8(), let rawCode = reader.readUInt8(),
            let sessionID = reader.readUInt16(), let length = reader.readUInt16()
        else { throw DecodeError(.truncatedHeader) }
        let code = Code(rawValue: rawCode)
        guard versionAndType == 0x11 else { throw DecodeError(.versionOrType, code: code) }
        guard let code else { throw DecodeError(.unknownCode) }
        guard let payload = reader.readBytes(Int(length)) else { throw DecodeError(.length, code: code) }
        switch code {
        case .padi, .pado, .padr: guard sessionID == 0 else { throw DecodeError(.sessionID, code: code) }
        case .padt: guard sessionID != 0 else { throw DecodeError(.sessionID, code: code) }
        case .pads: break  // 0 when the access concentrator refuses
        }
        self.init(code: code, sessionID: sessionID)
        tags = try Self.tags(in: payload, of: code)
    }

    private static func tags(in payload: ArraySlice<UInt8>, of code: Code) throws(DecodeError) -> [DiscoveryTag] {
        var reader = ByteReader(payload)
        var tags: [DiscoveryTag] = []
        while !reader.isEmpty {
            guard let rawKind = reader.readUInt16(), let length = reader.readUInt16(),
                let value = reader.readBytes(Int(length))
            else { throw DecodeError(.truncatedTag, code: code) }
            let kind = DiscoveryTag.Kind(rawValue: rawKind)
            switch kind {
            case .endOfList:
                guard value.isEmpty else { throw DecodeError(.tagLength, code: code) }
                return tags
            case .pppMaxPayload:
                guard value.count == 2 else { throw DecodeError(.tagLength, code: code) }
            default: break
            }
            tags.append(DiscoveryTag(kind, value))
        }
        return tags
    }
}
