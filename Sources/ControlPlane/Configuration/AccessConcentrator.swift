import Wire

/// One element of `pppoe-ac:`: a PPPoE access concentrator instance.
public struct AccessConcentrator: Hashable, Sendable {
    /// `service-name`
    public enum ServiceName: Hashable, Sendable, CustomStringConvertible {
        /// `any`: every client is served, whatever Service-Name it asks for.
        case any
        /// `NAME` or `NAME advertised`: clients that ask for this name; an advertised one is offered in every PADO.
        case named(String, advertised: Bool)

        /// As the file says it.
        public var description: String {
            switch self {
            case .any: "any"
            case .named(let name, let advertised): advertised ? "\(name) advertised" : name
            }
        }
    }

    /// An authentication protocol that is offered to clients.
    public enum AuthenticationProtocol: String, CaseIterable, Sendable {
        /// EAP (RFC 3748): the client's identity here, the method between it and the LNS.
        case eap
        /// CHAP with MD5 (RFC 1994).
        case chap
        /// PAP (RFC 1334).
        case pap
    }

    /// `destination`: where a client's PPP goes.
    public enum Destination: String, CaseIterable, Sendable {
        /// Through an L2TP tunnel to an LNS.
        case l2tp
    }

    /// `l2tp.peer-address`: how the LNS is found.
    public enum PeerAddress: Hashable, Sendable, CustomStringConvertible {
        /// `static ADDRESS`
        case fixed(IPAddress)
        /// `dns-lookup prefix PREFIX`: the addresses of PREFIX.DOMAIN, DOMAIN being that of the user's name.
        case dns(prefix: String)
        /// `radius-lookup group GROUP`, or `radius-lookup` with the profile's `server` as group.
        case radius(group: String?)
        /// `domain-map`: as `l2tp-domain` says.
        case domainMap

        /// As the file says it.
        public var description: String {
            switch self {
            case .fixed(let address): "static \(address)"
            case .dns(let prefix): "dns-lookup prefix \(prefix)"
            case .radius(let group): group.map { "radius-lookup group \($0)" } ?? "radius-lookup"
            case .domainMap: "domain-map"
            }
        }
    }

    /// `l2tp.radius-style`: what `radius-lookup` asks.
    public enum RADIUSStyle: String, CaseIterable, Sendable {
        /// For the domain: User-Name is the domain, User-Password is `l2tp.radius-password`. Nobody is authenticated.
        case domain
        /// For the user, with what the client has given as proof; who is rejected is refused.
        case user
    }

    /// `tcp-mss`: the largest TCP segment that SYNs in either direction may announce.
    public enum SegmentSize: Hashable, Sendable {
        /// `off`: SYNs pass as they are.
        case off
        /// `auto`: what fits the MRU, which is 40 octets less with IPv4 and 60 with IPv6.
        case automatic
        /// So many octets with IPv4, 20 less with IPv6.
        case octets(UInt16)
    }

    /// `name`: 1 to 63 letters, digits, `-`, `_` or `.`; no two instances have the same.
    public internal(set) var name: String
    /// `ac-name`: the AC-Name tag, 1 to 255 octets. Default: `control.host-name`.
    public internal(set) var acName: String
    /// `service-name`
    public internal(set) var serviceName: ServiceName
    /// `ppp-auth-protocols`: what LCP asks the client for, the preferred one first. Default: `chap`, then `pap`.
    public internal(set) var authenticationProtocols: [AuthenticationProtocol]
    /// `ppp-mru`: the MRU that LCP offers to the client, octets, 576 to 9,592; the port's MTU must be 8 octets more. `computed`:
    /// what passes the core without fragments whatever the L2TP header has: the path's MTU less IP's header, 8 for UDP and 30
    /// for L2TP with 16 octets of pad and PPP; 1,442 over IPv4 and Ethernet, at most 1,492 or
    /// the profile's `mtu` where that is given. Default: the smaller of 1,492 and the profile's
    /// `mtu`.
    public internal(set) var pppMRU: UInt16
    /// `tcp-mss`. Default `off`.
    public internal(set) var segmentSize = SegmentSize.off
    /// The largest MSS that SYNs over IPv4 may announce, octets; nil: they pass as they are.
    public var maximumSegmentSize: UInt16? {
        switch segmentSize {
        case .off: nil
        case .automatic: EncapsulationOverhead.mss(mru: pppMRU)
        case .octets(let octets): octets
        }
    }
    /// `lcp-restart`: seconds until a Configure-Request, Terminate-Request, Challenge or EAP request is sent again (the Restart
    /// timer of RFC 1661, section 4.6), 1 to 30. Default 3.
    public internal(set) var lcpRestart: UInt8 = 3
    /// `lcp-max-configure`: Configure-Requests, Challenges and EAP requests without an answer before the client is given up, 1 to
    /// 100. Default 10.
    public internal(set) var lcpMaxConfigure: UInt8 = 10
    /// `lcp-max-terminate`: Terminate-Requests without an answer before the session is closed, 1 to 10. Default 2.
    public internal(set) var lcpMaxTerminate: UInt8 = 2
    /// `lcp-max-failure`: Configure-Naks before an option is rejected, 1 to 20. Default 5.
    public internal(set) var lcpMaxFailure: UInt8 = 5
    /// `challenge-name`: the Name field of CHAP challenges, 1 to 255 octets. Default: `control.host-name`.
    public internal(set) var challengeName: String
    /// `session-limit`: sessions of this instance, 0 to 1,048,576; 0, the default: as many as the table holds.
    public internal(set) var sessionLimit: UInt32
    /// `session-limit-per-mac`: sessions that one client address may have on one attachment circuit, 0 to 65,535; 0, the
    /// default: no limit.
    public internal(set) var sessionLimitPerMAC: UInt16
    /// `session-limit-per-vlan`: sessions on one attachment circuit, 0 to 65,535; 0, the default: as many as there are session ids.
    public internal(set) var sessionLimitPerVLAN: UInt16 = 0
    /// `session-limit-per-port`: sessions on one access port, 0 to 1,048,576; 0, the default: no limit.
    public internal(set) var sessionLimitPerPort: UInt32 = 0
    /// `half-open-limit`: sessions of this instance whose clients are in LCP or authentication, 0 to 1,048,576; 0: no limit. Default
    /// 20,000.
    public internal(set) var halfOpenLimit: UInt32 = 20_000
    /// `half-open-limit-per-mac`: the same of one client address on one attachment circuit, 0 to 65,535. Default 10.
    public internal(set) var halfOpenLimitPerMAC: UInt16 = 10
    /// `half-open-limit-per-vlan`: the same on one attachment circuit, 0 to 65,535. Default 4,000.
    public internal(set) var halfOpenLimitPerVLAN: UInt16 = 4_000
    /// `half-open-limit-per-port`: the same on one access port, 0 to 1,048,576. Default 16,000.
    public internal(set) var halfOpenLimitPerPort: UInt32 = 16_000
    /// `establish-timeout`: seconds from PADS on within which a client has to get through LCP and authentication, 5 to 600. Default
    /// 60.
    public internal(set) var establishTimeout: UInt16 = 60
    /// `destination`
    public internal(set) var destination: Destination
    /// `l2tp.peer-address`
    public internal(set) var peerAddress: PeerAddress
    /// `l2tp.profile`: name of the `l2tp-profile`.
    public internal(set) var profile: String
    /// `l2tp.radius-style`. Default `domain`.
    public internal(set) var radiusStyle = RADIUSStyle.domain
    /// `l2tp.radius-password`: User-Password of look-ups by domain, 1 to 128 octets. Default `password`, as the RADIUS servers of
    /// other access concentrators expect.
    public internal(set) var radiusPassword = Secret("password")
    /// `accounting`. Nil: nobody is told of sessions.
    public internal(set) var accounting: Accounting?
}
