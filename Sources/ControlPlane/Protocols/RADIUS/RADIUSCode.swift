/// What a RADIUS packet is: its Code field (RFC 2865 section 4, RFC 2866 section 4, RFC 5176 section 2, RFC 5997 section 3).
public struct RADIUSCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number on the wire.
    public let rawValue: UInt8
    /// The code whose number is `rawValue`.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// 1: may this user in, and how?
    public static let accessRequest = RADIUSCode(rawValue: 1)
    /// 2: yes, with attributes.
    public static let accessAccept = RADIUSCode(rawValue: 2)
    /// 3: no.
    public static let accessReject = RADIUSCode(rawValue: 3)
    /// 4: a record of use.
    public static let accountingRequest = RADIUSCode(rawValue: 4)
    /// 5: the record is kept.
    public static let accountingResponse = RADIUSCode(rawValue: 5)
    /// 11: not yet; the user is to answer a challenge.
    public static let accessChallenge = RADIUSCode(rawValue: 11)
    /// 12: are you there?
    public static let statusServer = RADIUSCode(rawValue: 12)
    /// 40: end a session.
    public static let disconnectRequest = RADIUSCode(rawValue: 40)
    /// 41: it has ended.
    public static let disconnectACK = RADIUSCode(rawValue: 41)
    /// 42: it has not.
    public static let disconnectNAK = RADIUSCode(rawValue: 42)
    /// 43: change a session's authorization.
    public static let coaRequest = RADIUSCode(rawValue: 43)
    /// 44: it is changed.
    public static let coaACK = RADIUSCode(rawValue: 44)
    /// 45: it is not.
    public static let coaNAK = RADIUSCode(rawValue: 45)

    private static let names: [RADIUSCode: String] = [
        accessRequest: "Access-Request", accessAccept: "Access-Accept", accessReject: "Access-Reject",
        accountingRequest: "Accounting-Request", accountingResponse: "Accounting-Response",
        accessChallenge: "Access-Challenge", statusServer: "Status-Server", disconnectRequest: "Disconnect-Request",
        disconnectACK: "Disconnect-ACK", disconnectNAK: "Disconnect-NAK", coaRequest: "CoA-Request", coaACK: "CoA-ACK",
        coaNAK: "CoA-NAK",
    ]

    /// The standard's name.
    public var description: String { Self.names[self] ?? "code \(rawValue)" }

    /// Whether the Request Authenticator is a digest over the packet (RFC 2866 section 3, RFC 5176 section 2.3); in
    /// Access-Request and Status-Server it is 16 random octets (RFC 2865 section 3).
    var hasComputedAuthenticator: Bool {
        self == .accountingRequest || self == .disconnectRequest || self == .coaRequest
    }

    /// Whether a request of this code always carries Message-Authenticator: where its authenticator proves nothing.
    var carriesMessageAuthenticator: Bool { self == .accessRequest || self == .statusServer }
}
