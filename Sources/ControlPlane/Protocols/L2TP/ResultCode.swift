/// Result Code of StopCCN (RFC 2661, section 4.4.2).
public struct StopResult: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number on the wire.
    public let rawValue: UInt16
    /// The result whose number is `rawValue`.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// 1: general request to clear the control connection.
    public static let clear = StopResult(rawValue: 1)
    /// 2: general error; the Error Code tells which.
    public static let generalError = StopResult(rawValue: 2)
    /// 3: the control channel already exists.
    public static let alreadyExists = StopResult(rawValue: 3)
    /// 4: the requester is not authorized to establish a control channel.
    public static let notAuthorized = StopResult(rawValue: 4)
    /// 5: the requester's protocol version is not supported; the Error Code is the highest that is.
    public static let unsupportedVersion = StopResult(rawValue: 5)
    /// 6: the requester is being shut down.
    public static let shuttingDown = StopResult(rawValue: 6)
    /// 7: a message that the state machine does not expect.
    public static let fsmError = StopResult(rawValue: 7)

    private static let texts = [
        "reserved", "general request to clear control connection", "general error", "control channel already exists",
        "requester not authorized to establish a control channel", "protocol version not supported",
        "requester is being shut down", "finite state machine error",
    ]

    /// In words, for logs and `show`.
    public var description: String { Self.texts[bounded: rawValue] ?? "result \(rawValue)" }
}

/// Result Code of CDN (RFC 2661, section 4.4.2).
public struct DisconnectResult: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number on the wire.
    public let rawValue: UInt16
    /// The result whose number is `rawValue`.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// 1: the carrier was lost, which is what the end of a PPPoE session is to an LNS.
    public static let lossOfCarrier = DisconnectResult(rawValue: 1)
    /// 2: general error; the Error Code tells which.
    public static let generalError = DisconnectResult(rawValue: 2)
    /// 3: disconnected for administrative reasons.
    public static let administrative = DisconnectResult(rawValue: 3)
    /// 4: facilities are lacking for the moment.
    public static let temporarilyUnavailable = DisconnectResult(rawValue: 4)
    /// 5: facilities are lacking for good.
    public static let permanentlyUnavailable = DisconnectResult(rawValue: 5)
    /// 6: invalid destination.
    public static let invalidDestination = DisconnectResult(rawValue: 6)
    /// 7: no carrier was detected.
    public static let noCarrier = DisconnectResult(rawValue: 7)
    /// 8: a busy signal was detected.
    public static let busy = DisconnectResult(rawValue: 8)
    /// 9: no dial tone.
    public static let noDialTone = DisconnectResult(rawValue: 9)
    /// 10: not established within the time that the LAC allows.
    public static let timedOut = DisconnectResult(rawValue: 10)
    /// 11: connected, but no appropriate framing was detected.
    public static let noFraming = DisconnectResult(rawValue: 11)

    private static let texts = [
        "reserved", "loss of carrier", "general error", "disconnected for administrative reasons",
        "appropriate facilities lacking (temporary)", "appropriate facilities lacking (permanent)",
        "invalid destination", "no carrier detected", "busy signal detected", "no dial tone",
        "not established within time allotted by LAC", "no appropriate framing detected",
    ]

    /// In words, for logs and `show`.
    public var description: String { Self.texts[bounded: rawValue] ?? "result \(rawValue)" }
}

/// Error Code beside a Result Code of "general error" (RFC 2661, section 4.4.2).
public struct GeneralError: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number on the wire.
    public let rawValue: UInt16
    /// The error whose number is `rawValue`.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// 0: no general error.
    public static let none = GeneralError(rawValue: 0)
    /// 1: there is no control connection between these two yet.
    public static let noControlConnection = GeneralError(rawValue: 1)
    /// 2: a length is wrong.
    public static let wrongLength = GeneralError(rawValue: 2)
    /// 3: a value is out of range, or a reserved field is not zero.
    public static let valueOutOfRange = GeneralError(rawValue: 3)
    /// 4: not enough resources.
    public static let insufficientResources = GeneralError(rawValue: 4)
    /// 5: the session id is invalid in this context.
    public static let invalidSessionID = GeneralError(rawValue: 5)
    /// 6: an error that has no number of its own.
    public static let vendorSpecific = GeneralError(rawValue: 6)
    /// 7: try another LNS.
    public static let tryAnother = GeneralError(rawValue: 7)
    /// 8: ended for an unknown AVP with the M bit set.
    public static let unknownMandatoryAVP = GeneralError(rawValue: 8)

    private static let texts = [
        "no general error", "no control connection exists yet", "length is wrong", "field value out of range",
        "insufficient resources", "session ID is invalid in this context", "vendor-specific error", "try another",
        "unknown AVP with the M bit set",
    ]

    /// In words, for logs and `show`.
    public var description: String { Self.texts[bounded: rawValue] ?? "error \(rawValue)" }
}

extension [String] {
    fileprivate subscript(bounded index: UInt16) -> String? { index < count ? self[Int(index)] : nil }
}

/// The value of a Result Code AVP: why a tunnel (`Result` is `StopResult`) or a session (`DisconnectResult`) ended.
public struct ResultCode<Result: Hashable & Sendable & CustomStringConvertible>: Hashable, Sendable,
    CustomStringConvertible
where Result: RawRepresentable, Result.RawValue == UInt16 {
    /// The longest message, in octets of UTF-8, that is sent; a longer one is left out of the AVP as a whole.
    public static var longestMessage: Int { AttributeDefinition.longestValue - 4 }

    /// The Result Code.
    public var result: Result
    /// The Error Code; nil when the AVP ends before it.
    public var error: GeneralError?
    /// The human-readable message, in UTF-8.
    public var message: String?

    /// A result; without `error`, `message` is sent behind an Error Code of 0.
    public init(_ result: Result, error: GeneralError? = nil, message: String? = nil) {
        self.result = result
        self.error = error
        self.message = message
    }

    /// The result in words, the error where there is one, the peer's own words.
    public var description: String {
        var text = "\(result) (\(result.rawValue))"
        if let error, error != .none { text += ", \(error) (\(error.rawValue))" }
        if let message, !message.isEmpty { text += ": \(message)" }
        return text
    }
}

/// Why a tunnel ended.
public typealias StopCode = ResultCode<StopResult>
/// Why a session ended.
public typealias DisconnectCode = ResultCode<DisconnectResult>
