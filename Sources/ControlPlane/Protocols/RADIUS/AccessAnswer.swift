import Timing
import Wire

/// How fast a client's traffic may be, in bits a second: WISPr-Bandwidth-Max-Up and -Down.
public struct BandwidthLimits: Hashable, Sendable {
    /// From the client; 0: no limit. nil: nothing was said.
    public var upstream: UInt32?
    /// To the client; 0: no limit. nil: nothing was said.
    public var downstream: UInt32?

    /// These limits.
    public init(upstream: UInt32? = nil, downstream: UInt32? = nil) {
        self.upstream = upstream
        self.downstream = downstream
    }

    init(_ attributes: RADIUSAttributes) {
        upstream = attributes.integer(.bandwidthMaxUp)
        downstream = attributes.integer(.bandwidthMaxDown)
    }

    /// Whether nothing was said of either direction.
    public var isEmpty: Bool { upstream == nil && downstream == nil }
}

/// An Access-Accept (RFC 2865 section 4.2) as far as an access concentrator has use for it.
public struct AccessAccept: Hashable, Sendable {
    /// The tunnels that the session may take.
    public var tunnels: TunnelAttributes
    /// Framed-IP-Address, else Framed-IPv6-Address: in the answer to a domain's look-up, the address of its LNS. nil where
    /// there is none, or one of the two that stand for "the user's choice" and "the NAS's choice" (RFC 2865 section 5.8).
    public var framedAddress: IPAddress?
    /// User-Name, which accounting then uses instead of the client's own (RFC 2865 section 5.1).
    public var userName: [UInt8]?
    /// Session-Timeout.
    public var sessionTimeout: Duration?
    /// Idle-Timeout.
    public var idleTimeout: Duration?
    /// Acct-Interim-Interval: 60 s at least, as RFC 2869 section 5.16 demands; a smaller one counts as 60 s.
    public var interimInterval: Duration?
    /// All Class attributes, unread.
    public var classes: [[UInt8]]
    /// All Reply-Messages, as one text.
    public var replyMessage: String?
    /// All Filter-Ids.
    public var filterIDs: [String]
    /// Limits of the session's traffic.
    public var bandwidth: BandwidthLimits
    /// EAP-Success or the like, for the client.
    public var eapMessage: [UInt8]?
    /// All attributes, hidden ones as they came.
    public var attributes: RADIUSAttributes

    /// Service-Types that a tunnel's session may have: Framed, and Outbound, which tunnels' entries often have.
    static let serviceTypes: Set<UInt32> = [2, 5]

    /// Reads the attributes of an Access-Accept whose authenticators were checked.
    public init(_ attributes: RADIUSAttributes, secret: [UInt8], authenticator: RADIUSAuthenticator) {
        func seconds(_ attribute: RADIUSAttribute) -> Duration? {
            attributes.integer(attribute).map { .seconds(Int64($0)) }
        }
        self.attributes = attributes
        tunnels = TunnelAttributes(attributes, secret: secret, authenticator: authenticator)
        let ipv4 = attributes.ipv4(.framedIPAddress).flatMap { $0.value < 0xffff_fffe ? $0 : nil }
        framedAddress = ipv4.map { .v4($0) } ?? attributes.ipv6(.framedIPv6Address).map { .v6($0) }
        userName = attributes.octets(.userName)
        sessionTimeout = seconds(.sessionTimeout)
        idleTimeout = seconds(.idleTimeout)
        interimInterval = seconds(.acctInterimInterval).map { max($0, .seconds(60)) }
        classes = attributes.all(.classAttribute)
        replyMessage = attributes.replyMessage
        filterIDs = attributes.all(.filterID).map { String(decoding: $0, as: UTF8.self) }
        bandwidth = BandwidthLimits(attributes)
        eapMessage = attributes.eapMessage
    }
}

/// Why a client may not in (RFC 2865 section 4.3).
public struct AccessReject: Hashable, Sendable, CustomStringConvertible {
    /// What makes another answer count as a reject.
    public enum Fault: Hashable, Sendable {
        /// An attribute with a length that it cannot have (RFC 2865 section 5).
        case malformed(RADIUSAttribute)
        /// A Service-Type that an access concentrator does not have (section 5.6).
        case serviceType(UInt32)
    }

    /// All Reply-Messages, as one text.
    public var replyMessage: String?
    /// EAP-Failure or the like, for the client.
    public var eapMessage: [UInt8]?
    /// Why another answer counts as a reject; nil when the server rejected the client.
    public var fault: Fault?

    init(_ attributes: RADIUSAttributes, fault: Fault? = nil) {
        replyMessage = attributes.replyMessage
        eapMessage = attributes.eapMessage
        self.fault = fault
    }

    /// In words, for logs and `show`.
    public var description: String {
        switch fault {
        case .malformed(let attribute): "the server's answer counts as a reject: \(attribute) in it is malformed"
        case .serviceType(let number):
            "the server's answer counts as a reject: Service-Type \(number) is neither Framed (2) nor Outbound (5)"
        case nil: replyMessage.map { "rejected: \($0)" } ?? "rejected"
        }
    }
}

/// A question for the client, in its EAP conversation or the like (RFC 2865 section 4.4).
public struct AccessChallenge: Hashable, Sendable {
    /// State, to be returned with the client's answer.
    public var state: [UInt8]?
    /// The EAP packet for the client.
    public var eapMessage: [UInt8]?
    /// All Reply-Messages, as one text.
    public var replyMessage: String?
    /// Session-Timeout: how long the client has.
    public var timeout: Duration?

    init(_ attributes: RADIUSAttributes) {
        state = attributes.octets(.state)
        eapMessage = attributes.eapMessage
        replyMessage = attributes.replyMessage
        timeout = attributes.integer(.sessionTimeout).map { .seconds(Int64($0)) }
    }
}

extension RADIUSAttributes {
    /// All Reply-Messages, one behind the other.
    var replyMessage: String? {
        let parts = all(.replyMessage)
        return parts.isEmpty ? nil : String(decoding: parts.joined(), as: UTF8.self)
    }
}
