import Timing
import Wire

/// Acct-Status-Type: what a record says (RFC 2866 section 5.1, RFC 2869 section 2.1, RFC 2867 section 3).
public enum AccountingStatus: UInt32, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// A session began.
    case start = 1
    /// A session ended.
    case stop = 2
    /// A session goes on.
    case interimUpdate = 3
    /// The node began to account.
    case accountingOn = 7
    /// The node will account no more; whatever was open has ended.
    case accountingOff = 8
    /// A tunnel was established.
    case tunnelStart = 9
    /// A tunnel ended.
    case tunnelStop = 10
    /// A tunnel could not be established.
    case tunnelReject = 11
    /// A session in a tunnel began.
    case tunnelLinkStart = 12
    /// A session in a tunnel ended.
    case tunnelLinkStop = 13
    /// A session in a tunnel could not be had.
    case tunnelLinkReject = 14

    /// The standard's name.
    public var description: String {
        switch self {
        case .start: "Start"
        case .stop: "Stop"
        case .interimUpdate: "Interim-Update"
        case .accountingOn: "Accounting-On"
        case .accountingOff: "Accounting-Off"
        case .tunnelStart: "Tunnel-Start"
        case .tunnelStop: "Tunnel-Stop"
        case .tunnelReject: "Tunnel-Reject"
        case .tunnelLinkStart: "Tunnel-Link-Start"
        case .tunnelLinkStop: "Tunnel-Link-Stop"
        case .tunnelLinkReject: "Tunnel-Link-Reject"
        }
    }
}

/// What is accounted: one record, from the event that it tells of until a server has it (RFC 2866 section 4.1).
///
/// A record is its attributes. It can be kept as octets and read again later, since nothing in it belongs to a
/// transmission: authenticator, identifier and Acct-Delay-Time are added each time that it goes out.
public struct AccountingRecord: Hashable, Sendable {
    /// What the record says.
    public let status: AccountingStatus
    /// Event-Timestamp: when it happened, in seconds since 1970.
    public let eventTime: UInt32
    /// All attributes but Acct-Delay-Time.
    public let attributes: RADIUSAttributes

    init(_ status: AccountingStatus, at eventTime: UInt32, _ rest: RADIUSAttributes) {
        var attributes = RADIUSAttributes()
        attributes.append(.acctStatusType, integer: status.rawValue)
        attributes.append(.eventTimestamp, integer: eventTime)
        attributes.append(contentsOf: rest)
        self.status = status
        self.eventTime = eventTime
        self.attributes = attributes
    }

    /// Whether the record can be sent.
    ///
    /// - Throws: `RADIUSEncodingError` when a value is longer than its attribute can hold, or all are than a packet can.
    public func validate() throws(RADIUSEncodingError) { _ = try encoded() }

    /// The record as octets: its attributes as they stand in a packet.
    public func encoded() throws(RADIUSEncodingError) -> [UInt8] {
        var writer = ByteWriter(capacity: 256)
        try attributes.write(to: &writer, hiding: nil)
        // The header and Acct-Delay-Time have to fit as well.
        let length = RADIUSPacket.headerLength + writer.count + 6
        guard length <= RADIUSPacket.longest else { throw .packetTooLong(length) }
        return writer.bytes
    }

    /// A record that `encoded` wrote; nil when the octets are none.
    public init?(decoding octets: [UInt8]) {
        guard let attributes = RADIUSAttributes(decoding: octets[...]), attributes.invalid.isEmpty,
            let status = attributes.integer(.acctStatusType).flatMap(AccountingStatus.init),
            let eventTime = attributes.integer(.eventTimestamp), !attributes.contains(.acctDelayTime),
            !attributes.contains(.messageAuthenticator)
        else { return nil }
        self.status = status
        self.eventTime = eventTime
        self.attributes = attributes
    }

    /// How long ago the event was, for a clock that shows `time` in seconds since 1970: what Acct-Delay-Time begins with
    /// when the record is handed to the client late. Zero when the clock was put back.
    public func age(at time: UInt32) -> Duration {
        .seconds(Int64(time >= eventTime ? time - eventTime : 0))
    }
}
