import Wire

/// Why a message cannot be written.
public enum EncodingError: Error, Hashable, Sendable {
    /// The value's length is not one that the attribute may have, or it does not fit an AVP of 1,023 octets.
    case length(AttributeType, Int)
    /// The whole message does not fit the header's Length field.
    case messageTooLong
}

/// The tunnel's secret and a fresh random vector: what hides AVPs in one message.
public struct HidingKey: Sendable {
    /// The tunnel's shared secret.
    public var secret: [UInt8]
    /// Octets that nobody could foresee, sent in the Random Vector AVP.
    public var randomVector: [UInt8]
    /// Random octets, some of which follow each hidden value to disguise its length; 15 are enough, none are allowed.
    public var padding: [UInt8]

    /// A key of these octets.
    public init(secret: [UInt8], randomVector: [UInt8], padding: [UInt8] = []) {
        self.secret = secret
        self.randomVector = randomVector
        self.padding = padding
    }
}

/// Appends AVPs to a message (RFC 2661, section 4.1).
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |M|H| rsvd  |      Length       |           Vendor ID           |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |         Attribute Type        |        Attribute Value...
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///
/// Length counts the six octets of the header. The M bit is the table's; H is set where the table allows it and there
/// is a key. A value that does not fit is refused: the first such error is kept and no octet is cut off.
struct AttributeWriter {
    private var writer = ByteWriter(capacity: 256)
    private var key: HidingKey?
    private var fault: EncodingError?

    init(_ type: MessageType, hiding key: HidingKey?) {
        // The message type itself says whether who does not know it may pass over it (section 4.4.1).
        put(.messageType, [UInt8(type.rawValue >> 8), UInt8(type.rawValue & 0xff)], mandatory: type.isMandatory)
        if let key {
            put(.randomVector, key.randomVector)
            self.key = key
        }
    }

    mutating func put(_ type: AttributeType, _ value: [UInt8]?) {
        put(type, value, mandatory: type.definition.mandatory)
    }

    private mutating func put(_ type: AttributeType, _ value: [UInt8]?, mandatory: Bool) {
        guard let value else { return }
        let definition = type.definition
        guard definition.lengths.contains(value.count) else { return fail(.length(type, value.count)) }
        var hidden = false
        var wireValue = value
        if let key, definition.hideable {
            guard
                let cipher = HiddenValue.hide(
                    value, type: type, secret: key.secret, randomVector: key.randomVector, padding: key.padding)
            else { return fail(.length(type, value.count)) }
            wireValue = cipher
            hidden = true
        }
        guard wireValue.count <= AttributeDefinition.longestValue else { return fail(.length(type, value.count)) }
        let flags: UInt16 = (mandatory ? 0x8000 : 0) | (hidden ? 0x4000 : 0)
        writer.write(flags | UInt16(6 + wireValue.count))
        writer.write(type.vendor)
        writer.write(type.number)
        writer.write(wireValue)
    }

    mutating func put(_ type: AttributeType, _ value: String?) {
        put(type, value.map { Array($0.utf8) })
    }

    mutating func put<Integer: FixedWidthInteger>(_ type: AttributeType, _ value: Integer?) {
        guard let value else { return }
        var bytes = ByteWriter(capacity: 8)
        bytes.write(value)
        put(type, bytes.bytes)
    }

    mutating func put<Result>(_ type: AttributeType, _ code: ResultCode<Result>) {
        var bytes = ByteWriter(capacity: 64)
        bytes.write(code.result.rawValue)
        let message = code.message.flatMap { $0.utf8.count <= ResultCode<Result>.longestMessage ? $0 : nil }
        if code.error != nil || message != nil { bytes.write((code.error ?? .none).rawValue) }
        if let message { bytes.write(message) }
        put(type, bytes.bytes)
    }

    private mutating func fail(_ error: EncodingError) { fault = fault ?? error }

    func finish() throws(EncodingError) -> [UInt8] {
        if let fault { throw fault }
        guard writer.count <= 0xffff - ControlHeader.length else { throw .messageTooLong }
        return writer.bytes
    }
}
