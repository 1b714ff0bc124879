import Names
import Wire

/// A secret that does not show itself in logs or dumps.
public struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The secret's UTF-8.
    public let octets: [UInt8]

    /// The secret in `text`.
    public init(_ text: String) { octets = Array(text.utf8) }

    /// The same for every secret.
    public var description: String { "<secret>" }
    /// The same for every secret.
    public var debugDescription: String { description }
    /// Without children, so that `dump` shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// One element of `l2tp-profile:`: how tunnels to an LNS behave.
public struct L2TPProfile: Hashable, Sendable {
    /// `tos`: the type-of-service octet (DSCP and ECN) of outer IP headers.
    public enum TypeOfService: Hashable, Sendable, CustomStringConvertible {
        /// That of the inner IP packet; 0 where there is none.
        case inherit
        /// Always this octet.
        case fixed(UInt8)

        /// As the file says it.
        public var description: String {
            switch self {
            case .inherit: "inherit"
            case .fixed(let octet): "\(octet)"
            }
        }
    }

    /// `too-big`: what becomes of a packet that exceeds the path's MTU once encapsulated.
    public enum TooBig: String, CaseIterable, Sendable {
        /// It is sent as fragments of the outer packet.
        case fragment
        /// It is dropped, and its sender told so: ICMP from inside the tunnel (RFC 1191, RFC 8201).
        case tell
        /// It is dropped.
        case drop
    }

    /// `framing-capability`
    public enum Framing: String, CaseIterable, Sendable {
        /// Synchronous framing.
        case sync
        /// Asynchronous framing.
        case async
    }

    /// `bearer-capability`
    public enum Bearer: String, CaseIterable, Sendable {
        /// Digital access.
        case digital
        /// Analog access.
        case analog
    }

    /// `data-sequence-numbers`: Ns and Nr in data messages (RFC 2661 section 5.4).
    public enum DataSequencing: String, CaseIterable, Sendable {
        /// Sent while the peer sends them.
        case off
        /// Sent, and not asked of the peer.
        case on
        /// Sent and asked of the peer by the Sequencing Required AVP; data messages without them are dropped.
        case required
    }

    /// `failover`: what becomes of the profile's tunnels when culvertd has failed and runs again.
    public enum Failover: String, CaseIterable, Sendable {
        /// They go on with what was stored, and the peer is told nothing.
        case silent
        /// Control channels are recovered by RFC 4951; a tunnel whose peer does not take part is closed.
        case rfc4951
        /// By RFC 4951 where the peer takes part, else as `silent`.
        case rfc4951OrSilent = "rfc4951-or-silent"
        /// They are closed, and their clients dial again.
        case off
    }

    /// `name`: 1 to 63 letters, digits, `-`, `_` or `.`; no two profiles have the same.
    public internal(set) var name: String
    /// `version`: the L2TP version; 2 is the only one. Default 2.
    public internal(set) var version: UInt8 = 2
    /// `shared-secret`: authenticates tunnels both ways (RFC 2661 section 5.1.1), at least 1 octet. Nil: no authentication.
    public internal(set) var sharedSecret: Secret?
    /// `hello-timeout`: seconds without a message from the peer before HELLO is sent, 0 to 3,600; 0: never. Default 60.
    public internal(set) var helloTimeout: UInt16 = 60
    /// `retry-timeout`: seconds before the first retransmission of a control message, 1 to 8; the time doubles with each, up
    /// to 8 seconds (RFC 2661 section 5.8). Default 1.
    public internal(set) var retryTimeout: UInt16 = 1
    /// `max-retries`: retransmissions before the peer counts as lost, 1 to 30. Default 5.
    public internal(set) var maxRetries: UInt8 = 5
    /// `establish-timeout`: seconds that a tunnel may take to come up, 1 to 3,600. Default 60.
    public internal(set) var establishTimeout: UInt16 = 60
    /// `session-establish-timeout`: seconds that a session may take to come up, its tunnel included, 1 to 3,600. Default 120.
    public internal(set) var sessionEstablishTimeout: UInt16 = 120
    /// `persist-pend-timeout`: seconds after which a tunnel that was lost is opened again at the latest, 1 to 3,600; the first
    /// attempt comes after a second, and the time doubles with each. Default 60.
    public internal(set) var persistPendTimeout: UInt16 = 60
    /// `idle-timeout`: seconds that a tunnel stays up without a session, 0 to 86,400; 0, the default: for ever.
    public internal(set) var idleTimeout: UInt32 = 0
    /// `rx-window-size`: control messages that the peer may have on their way, 1 to 1,024. Default 10.
    public internal(set) var rxWindowSize: UInt16 = 10
    /// `session-limit`: sessions in one tunnel, 0 to 65,535; 0, the default: as many as there are session ids.
    public internal(set) var sessionLimit: UInt16 = 0
    /// `hide-avps`: whether AVPs that may be hidden are (RFC 2661 section 4.3); needs `shared-secret`. Default false.
    public internal(set) var hidesAttributes = false
    /// `framing-capability`: what the Framing Capabilities AVP says. Default both.
    public internal(set) var framingCapability: Set<Framing> = [.sync, .async]
    /// `bearer-capability`: what the Bearer Capabilities AVP says. Default both.
    public internal(set) var bearerCapability: Set<Bearer> = [.digital, .analog]
    /// `tie-breaker`: whether SCCRQ carries a Tie Breaker, which asks a peer that opens a tunnel at the same time to keep one of
    /// the two (RFC 2661 section 4.4.3). Default false, since this node takes no tunnels.
    public internal(set) var tieBreaker = false
    /// `firmware-revision`: the Firmware Revision AVP, 0 to 65,535. Nil, the default: it is not sent.
    public internal(set) var firmwareRevision: UInt16?
    /// `access-line-avps`: whether the LNS is told what the access node says of a client's line: RFC 5515's AVPs, and connect
    /// speeds of the line instead of the port. Default false: it is worth no more than the access network, which has to take
    /// out what clients write themselves.
    public internal(set) var accessLineAVPs = false
    /// `udp-checksums`: whether data messages carry a UDP checksum; control messages always do. Default true (RFC 2661
    /// section 8.1).
    public internal(set) var udpChecksums = true
    /// `ipv6-zero-checksum`: whether an IPv6 tunnel takes data messages whose UDP checksum is 0, and, with `udp-checksums` false,
    /// sends such (RFC 6935). Default false.
    public internal(set) var ipv6ZeroChecksum = false
    /// `tos`. Default `inherit`.
    public internal(set) var typeOfService = TypeOfService.inherit
    /// `l2tp-length-bit`: whether data messages carry the Length field. Default true.
    public internal(set) var lengthBit = true
    /// `mtu`: largest PPP information field that the tunnel carries, octets, 576 to 9,592. The default of `ppp-mru`, and its upper
    /// bound when both are given. Default 1,460.
    public internal(set) var mtu: UInt16 = 1_460
    /// `path-mtu`: largest IP packet that the way to the LNS takes, octets, 576 to 9,600. Nil, the default: the core port's MTU.
    public internal(set) var pathMTU: UInt16?
    /// `path-mtu-discovery`: whether ICMP lowers the path's MTU (RFC 1191, RFC 8201). Default false.
    public internal(set) var pathMTUDiscovery = false
    /// `dont-fragment`: whether outer IPv4 packets that are sent whole have the don't-fragment bit. Default: as
    /// `path-mtu-discovery`, which learns nothing without it.
    public internal(set) var dontFragment = false
    /// `too-big`. Default `fragment`.
    public internal(set) var tooBig = TooBig.fragment
    /// `offset-pad`: octets of offset pad in front of the PPP frame, 0 to 255, with the offset size field. Nil, the default:
    /// without the field.
    public internal(set) var offsetPad: UInt8?
    /// `data-sequence-numbers`. Default `off`.
    public internal(set) var dataSequencing = DataSequencing.off
    /// `reorder`: whether sequenced data messages that come early wait for those before them, else they are delivered and what
    /// comes late is dropped. Default false.
    public internal(set) var reorder = false
    /// `host-name`: the Host Name AVP, 1 to 255 octets. Default: `control.host-name`.
    public internal(set) var hostName: String
    /// `vendor-name`: the Vendor Name AVP, 1 to 255 octets. Default: `control.vendor-name`.
    public internal(set) var vendorName: String
    /// `ip-name-server`: DNS servers that are asked for LNSs, the first choice first. Default: the file's `ip-name-server`.
    public internal(set) var nameServers: [NameServer] = []
    /// `server`: the `aaa-group-server-radius` of `radius-lookup` without a group. Nil: there is none.
    public internal(set) var radiusGroup: String?
    /// `failover-timeout`: seconds that a call waits for a tunnel to an LNS to come up before it tries the next LNS, where there is
    /// one, 1 to 60. Default 5.
    public internal(set) var failoverTimeout: UInt8 = 5
    /// `hold-down`: seconds that calls pass over an LNS which did not answer or took no calls, where there is another, 0 to 3,600.
    /// Default 60.
    public internal(set) var holdDown: UInt16 = 60
    /// `failover`. Default `silent`.
    public internal(set) var failover = Failover.silent
    /// `recovery-time`: seconds that the peer is asked to wait for this node to recover, beyond the time after which it takes us for
    /// lost, and that a recovery is tried for, 0 to 3,600. Told with `failover` of RFC 4951 alone. Default 120.
    public internal(set) var recoveryTime: UInt16 = 120
    /// `source`: one of the node's own addresses, the source of the tunnel's packets. Nil, the default: the address on the
    /// interface that leads to the LNS.
    public internal(set) var source: IPAddress?
}
