import Wire

/// Why a message's body cannot be accepted (RFC 2661, sections 4.1, 4.3 and 7.1).
public struct MessageFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Kind: Hashable, Sendable {
        /// An AVP shorter than its own header, or one that runs past the end of the message: where the next one begins
        /// cannot be known.
        case structure
        /// The first AVP is not a Message Type of two octets.
        case noMessageType
        /// A message of unknown type, with the M bit set.
        case unknownMessage(UInt16)
        /// An unknown AVP, or one with a reserved bit set, with the M bit set.
        case unknownMandatory(vendor: UInt16, type: UInt16)
        /// A known AVP, with the M bit set, whose value cannot have this length.
        case length(AttributeType)
        /// A known AVP, with the M bit set, whose value is out of range.
        case value(AttributeType)
        /// A hidden AVP, with the M bit set, that cannot be revealed: no shared secret, no Random Vector before it, or
        /// an inner length that does not fit, as happens when the secrets differ.
        case hidden(AttributeType)
        /// An AVP that such a message must carry is not there.
        case missing(AttributeType)
    }

    /// What is wrong.
    public var kind: Kind
    /// The message's type; nil when there is none, or it is unknown.
    public var message: MessageType?
    /// The Assigned Session ID of the message, where one could be read.
    public var assignedSessionID: UInt16?
    /// The Assigned Tunnel ID of the message, where one could be read.
    public var assignedTunnelID: UInt16?

    /// The Error Code that tells the peer.
    public var error: GeneralError {
        switch kind {
        case .structure, .length: .wrongLength
        case .unknownMessage, .unknownMandatory: .unknownMandatoryAVP
        case .value: .valueOutOfRange
        case .noMessageType, .hidden, .missing: .vendorSpecific
        }
    }

    /// In words, for logs and `show`.
    public var description: String {
        let name = message.map { "\($0)" } ?? "control message"
        return switch kind {
        case .structure: "\(name): AVP length is wrong"
        case .noMessageType: "\(name) does not begin with a Message Type AVP"
        case .unknownMessage(let type): "message type \(type) is unknown"
        case .unknownMandatory(let vendor, let type): "\(name): AVP \(type) of vendor \(vendor) is unknown"
        case .length(let type): "\(name): length of \(type.definition.name) AVP is wrong"
        case .value(let type): "\(name): value of \(type.definition.name) AVP is out of range"
        case .hidden(let type): "\(name): hidden \(type.definition.name) AVP cannot be revealed"
        case .missing(let type): "\(name) without \(type.definition.name) AVP"
        }
    }
}

/// An AVP that was passed over while its message was accepted; worth a line in the log.
public struct IgnoredAttribute: Hashable, Sendable {
    /// Why it was passed over.
    public enum Reason: Hashable, Sendable {
        /// Unknown (or with a reserved bit set), and the M bit is clear.
        case unknown
        /// Malformed, and the M bit is clear.
        case malformed
        /// Such a message has no use for it.
        case outOfPlace
        /// The message carried one before.
        case repeated
    }

    /// SMI enterprise code; 0 for the IETF's.
    public var vendor: UInt16
    /// Attribute Type.
    public var type: UInt16
    /// Why it was passed over.
    public var reason: Reason

    init(vendor: UInt16, type: UInt16, reason: Reason) {
        self.vendor = vendor
        self.type = type
        self.reason = reason
    }

    init(_ type: AttributeType, _ reason: Reason) {
        self.init(vendor: type.vendor, type: type.number, reason: reason)
    }
}

/// The AVPs of one message, checked against the table: every value that is here has a length that its attribute may
/// have and is revealed if it was hidden, and every AVP that the message must carry is here.
struct AttributeSet {
    let message: MessageType
    private(set) var ignored: [IgnoredAttribute] = []
    private var values: [(type: AttributeType, value: ArraySlice<UInt8>)] = []
    private var fault: MessageFault?

    /// Checks all AVPs of `body`. Answers nil for a message of unknown type whose M bit is clear.
    static func decode(_ body: ArraySlice<UInt8>, secret: [UInt8]?) throws(MessageFault) -> AttributeSet? {
        var reader = ByteReader(body)
        guard let flags = reader.readUInt16(), flags & 0x7fff == 8, reader.readUInt32() == 0,
            let number = reader.readUInt16()
        else { throw MessageFault(kind: .noMessageType) }
        guard let message = MessageType(rawValue: number) else {
            guard flags & 0x8000 == 0 else { throw MessageFault(kind: .unknownMessage(number)) }
            return nil
        }
        var set = AttributeSet(message: message)
        set.readAttributes(&reader, secret: secret)
        if set.fault == nil {
            for type in AttributeDefinition.requirements[message] ?? [] where set[type] == nil {
                if type != .messageType { set.fail(.missing(type)) }
            }
        }
        if var fault = set.fault {
            // Reading went on after the fault only to find these: they tell the peer what ends.
            fault.assignedSessionID = set.uint16(.assignedSessionID)
            fault.assignedTunnelID = set.uint16(.assignedTunnelID)
            throw fault
        }
        return set
    }

    private init(message: MessageType) { self.message = message }

    private mutating func readAttributes(_ reader: inout ByteReader, secret: [UInt8]?) {
        var randomVector: ArraySlice<UInt8>?
        while !reader.isEmpty {
            guard let bits = reader.readUInt16(), let vendor = reader.readUInt16(), let number = reader.readUInt16(),
                let value = reader.readBytes(Int(bits & 0x03ff) - 6)
            else { return fail(.structure) }
            let mandatory = bits & 0x8000 != 0
            // A reserved bit makes the AVP an unrecognized one (section 4.1).
            guard bits & 0x3c00 == 0, let type = AttributeType(vendor: vendor, number: number) else {
                if mandatory { fail(.unknownMandatory(vendor: vendor, type: number)) }
                ignored.append(IgnoredAttribute(vendor: vendor, type: number, reason: .unknown))
                continue
            }
            let definition = type.definition
            guard definition.isAllowed(in: message), type != .messageType else {
                ignored.append(IgnoredAttribute(type, .outOfPlace))
                continue
            }
            var plain = value
            if bits & 0x4000 != 0 {
                guard definition.hideable, let secret, let randomVector,
                    let revealed = HiddenValue.reveal(value, type: type, secret: secret, randomVector: randomVector)
                else {
                    reject(type, .hidden(type), mandatory: mandatory)
                    continue
                }
                plain = revealed[...]
            }
            guard definition.lengths.contains(plain.count) else {
                reject(type, .length(type), mandatory: mandatory)
                continue
            }
            guard isInRange(plain, type) else {
                reject(type, .value(type), mandatory: mandatory)
                continue
            }
            if type == .randomVector {
                // Each Random Vector serves the hidden AVPs that follow it, until the next one (section 4.3).
                randomVector = plain
            } else if self[type] != nil, !definition.isRepeatable {
                ignored.append(IgnoredAttribute(type, .repeated))
            } else {
                values.append((type, plain))
            }
        }
    }

    /// Ids and windows of zero mean "none" and cannot be assigned, except where a sender had none to tell. Numbers of RFC 4951
    /// have 32 bits, of which L2TPv2 uses the lower half.
    private func isInRange(_ value: ArraySlice<UInt8>, _ type: AttributeType) -> Bool {
        switch type {
        case .assignedTunnelID where message != .stopControlConnectionNotification,
            .assignedSessionID where message != .callDisconnectNotify, .receiveWindowSize:
            value.contains { $0 != 0 }
        case .tunnelRecovery: TunnelRecovery(wire: value) != nil
        case .suggestedControlSequence: ControlSequence(wire: value) != nil
        case .failoverSessionState: FailoverSession(wire: value) != nil
        default: true
        }
    }

    private mutating func reject(_ type: AttributeType, _ kind: MessageFault.Kind, mandatory: Bool) {
        if mandatory { fail(kind) }
        ignored.append(IgnoredAttribute(type, .malformed))
    }

    private mutating func fail(_ kind: MessageFault.Kind) {
        fault = fault ?? MessageFault(kind: kind, message: message)
    }

    subscript(type: AttributeType) -> ArraySlice<UInt8>? { values.first { $0.type == type }?.value }

    /// All of an attribute that a message may carry several of, in order.
    func all(_ type: AttributeType) -> [ArraySlice<UInt8>] { values.filter { $0.type == type }.map(\.value) }

    func bytes(_ type: AttributeType) -> [UInt8]? { self[type].map(Array.init) }
    func text(_ type: AttributeType) -> String? { self[type].map { String(decoding: $0, as: UTF8.self) } }
    func uint16(_ type: AttributeType) -> UInt16? { self[type].flatMap { integer($0) } }
    func uint32(_ type: AttributeType) -> UInt32? { self[type].flatMap { integer($0) } }
    func uint64(_ type: AttributeType) -> UInt64? { self[type].flatMap { integer($0) } }

    /// A value that the table requires in this message. `decode` made sure of it.
    func required<Value>(_ type: AttributeType, _ value: Value?) throws(MessageFault) -> Value {
        guard let value else { throw MessageFault(kind: .missing(type), message: message) }
        return value
    }

    func resultCode<Result>(_ result: Result.Type) throws(MessageFault) -> ResultCode<Result> {
        var reader = ByteReader(self[.resultCode] ?? [])
        let number = try required(.resultCode, reader.readUInt16())
        guard let result = Result(rawValue: number) else {
            throw MessageFault(kind: .value(.resultCode), message: message)
        }
        let error = reader.readUInt16().map(GeneralError.init(rawValue:))
        let text = reader.readRemaining()
        return ResultCode(
            result, error: error,
            message: error == nil || text.isEmpty ? nil : String(decoding: text, as: UTF8.self))
    }

    private func integer<Integer: FixedWidthInteger & UnsignedInteger>(_ bytes: ArraySlice<UInt8>) -> Integer? {
        guard bytes.count == Integer.bitWidth / 8 else { return nil }
        return bytes.reduce(0) { $0 << 8 | Integer($1) }
    }
}
