import Names
import Settings
import Wire

/// What one configuration file says, checked as a whole and with every default filled in.
///
/// The file serves both programs: `dataplane:` is read by culvert-dataplane, which looks at nothing else; culvertd reads it
/// all. A value of this type is consistent: names that one part refers to exist in another, VLANs do not overlap, every LNS
/// has a route. A file with any fault gives no value at all, see `load(path:machineName:)`.
public struct Configuration: Hashable, Sendable {
    /// `dataplane:`
    public let dataPlane: DataPlaneSettings
    /// `control:`
    public let control: Control
    /// `interfaces:`, in the file's order. A port may appear more than once, with different VLANs.
    public let interfaces: [Interface]
    /// `ip-route:`
    public let routes: [IPRoute]
    /// `pppoe-ac:`
    public let accessConcentrators: [AccessConcentrator]
    /// `l2tp-profile:`
    public let l2tpProfiles: [L2TPProfile]
    /// `l2tp-domain:`
    public let domainMap: [DomainMapEntry]
    /// `ip-name-server:`: DNS servers of the node, the first choice first.
    public let nameServers: [NameServer]
    /// `radius-server:`
    public let radiusServers: [RADIUSServerSettings]
    /// `aaa-group-server-radius:`
    public let radiusGroups: [RADIUSGroupSettings]
    /// `radius:`
    public let radius: RADIUSClientSettings
    /// What is taken as it is and had better be otherwise, in the order of the lines.
    public let warnings: [ConfigurationFault]

    /// The `pppoe-ac` instance called `name`.
    public func accessConcentrator(_ name: String) -> AccessConcentrator? {
        accessConcentrators.first { $0.name == name }
    }

    /// The `l2tp-profile` called `name`.
    public func l2tpProfile(_ name: String) -> L2TPProfile? { l2tpProfiles.first { $0.name == name } }

    /// The `l2tp-domain` entry for `domain`.
    public func domainMapEntry(_ domain: DomainMapEntry.Domain) -> DomainMapEntry? {
        domainMap.first { $0.domain == domain }
    }

    /// The `aaa-group-server-radius` called `name`.
    public func radiusGroup(_ name: String) -> RADIUSGroupSettings? { radiusGroups.first { $0.name == name } }

    /// The DNS servers that LNSs of `profile` are looked up by.
    public func nameServers(of profile: L2TPProfile) -> [NameServer] {
        profile.nameServers.isEmpty ? nameServers : profile.nameServers
    }
}

/// `control:`: culvertd itself.
public struct Control: Hashable, Sendable {
    /// How much is logged.
    public enum LogLevel: String, CaseIterable, Sendable {
        case trace, debug, info, notice, warning, error, critical
    }

    /// What a line of the log looks like.
    public enum LogFormat: String, CaseIterable, Sendable {
        case text, json
    }

    /// What becomes of clients' sessions when culvertd is stopped.
    public enum SessionsAtStop: String, CaseIterable, Sendable {
        /// They go on, and the next culvertd takes them over.
        case keep
        /// They are ended in order.
        case end
    }

    /// `rpc-tcp:`: the RPC over TCP, with TLS both ways.
    public struct SecureRPC: Hashable, Sendable {
        /// `address`: where it is served; at least one.
        public internal(set) var endpoints: [SocketEndpoint]
        /// `certificate`: path of culvertd's certificate, PEM, behind it those between it and its authority.
        public internal(set) var certificate: String
        /// `private-key`: path of its key, PEM.
        public internal(set) var privateKey: String
        /// `client-ca`: path of the authorities of clients' certificates, PEM.
        public internal(set) var clientAuthorities: String
        /// `read-only`: common names of clients that may only look.
        public internal(set) var readOnly: Set<String> = []
    }

    /// `metrics:`: what Prometheus scrapes.
    public struct Metrics: Hashable, Sendable {
        /// `address`: where it is served; at least one.
        public internal(set) var endpoints: [SocketEndpoint]
        /// `per-worker`: the data plane's counters of each worker instead of their sums. Default false.
        public internal(set) var perWorker = false
        /// `per-tunnel`: numbers of each tunnel. Default false.
        public internal(set) var perTunnel = false
        /// Tunnels that are told of one by one with `per-tunnel`.
        public static let tunnelLimit = 1_024
    }

    /// `rpc-socket`: absolute path of the unix socket that the RPC is served on, at most 103 octets.
    /// Default `/run/culvert/culvertd.sock`.
    public internal(set) var rpcSocket = "/run/culvert/culvertd.sock"
    /// `rpc-socket-mode`: access rights of the socket, 0 to 0777. Default 0660.
    public internal(set) var rpcSocketMode: UInt16 = 0o660
    /// `rpc-tcp`. Default: the RPC is served on the socket alone.
    public internal(set) var rpcTCP: SecureRPC?
    /// `metrics`. Default: none are served.
    public internal(set) var metrics: Metrics?
    /// `store`: absolute path of the file that outlives culvertd: what sessions and tunnels are at, and accounting records that no
    /// server has yet; at most 1,023 octets. Its folder has to be there. Default `/var/lib/culvert/culvert.sqlite`.
    public internal(set) var store = "/var/lib/culvert/culvert.sqlite"
    /// `sessions-at-stop`. Default `keep`.
    public internal(set) var sessionsAtStop = SessionsAtStop.keep
    /// `log-level`. Default `info`.
    public internal(set) var logLevel = LogLevel.info
    /// `log-format`. Default `text`.
    public internal(set) var logFormat = LogFormat.text
    /// `host-name`: the node's name in L2TP's Host Name AVP, in PADO's AC-Name and in CHAP challenges, unless they have one of
    /// their own; 1 to 255 octets. Default: the machine's name.
    public internal(set) var hostName: String
    /// `vendor-name`: L2TP's Vendor Name AVP, 1 to 255 octets. Default `Culvert`.
    public internal(set) var vendorName = "Culvert"
}

/// One element of `interfaces:`: what the node does on a port, or on some VLANs of it.
public struct Interface: Hashable, Sendable {
    /// `name`: the port's name in `dataplane.ports`.
    public internal(set) var name: String
    /// The port's index in `dataplane.ports`, which is its index in the segment.
    public internal(set) var port: UInt16
    /// `pppoe-ac-service`: names of the `pppoe-ac` instances that serve the clients here. Empty: PPPoE is not served.
    public internal(set) var services: [String] = []
    /// `vlans`: the frames that PPPoE is served on. Default: untagged frames only.
    public internal(set) var vlans = VLANSet.untaggedOnly
    /// `inner-vlans`: second tags that PPPoE is served on (QinQ); `vlans` are the outer ones then. Nil: frames with one
    /// tag, or none, are served.
    public internal(set) var innerVLANs: VLANSet?
    /// `ip-address`: the node's addresses on the port, at most eight IPv4 and eight IPv6 ones, each with its network's length. L2TP
    /// is served where there is one. A port with IPv6 addresses has a link-local one as well, made from its MAC address unless one
    /// is given.
    public internal(set) var addresses: [IPPrefix] = []
}

/// One element of `ip-route:`.
public struct IPRoute: Hashable, Sendable {
    /// `prefix`: the destinations, no bits set behind the prefix length.
    public internal(set) var prefix: IPPrefix
    /// `next-hop`: a router on one of the interfaces' networks, of the prefix's family.
    public internal(set) var nextHop: IPAddress
}
