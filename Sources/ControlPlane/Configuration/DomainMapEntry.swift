import Names
import Wire

/// One element of `l2tp-domain:`: where clients of a domain go, whatever their `pppoe-ac` says.
public struct DomainMapEntry: Hashable, Sendable {
    /// Whom it is for.
    public enum Domain: Hashable, Sendable, CustomStringConvertible {
        /// Users of this domain.
        case named(HostName)
        /// `default`: users of a domain that nothing else knows an LNS for.
        case other
        /// `none`: users without a domain that nothing else knows an LNS for.
        case none

        /// As the file says it.
        public var description: String {
            switch self {
            case .named(let name): name.text
            case .other: "default"
            case .none: "none"
            }
        }
    }

    /// Where to.
    public enum Target: Hashable, Sendable {
        /// `peer-address`: found by this method.
        case method(AccessConcentrator.PeerAddress)
        /// `tunnels`: one of these, at least one.
        case tunnels([DomainTunnel])
    }

    /// `domain`: no two elements have the same.
    public internal(set) var domain: Domain
    /// `peer-address` or `tunnels`.
    public internal(set) var target: Target
    /// `profile`: the `l2tp-profile` of its tunnels. Default: that of the client's `pppoe-ac`.
    public internal(set) var profile: String?
}

/// An element of `l2tp-domain.tunnels:`.
public struct DomainTunnel: Hashable, Sendable {
    /// The LNS.
    public enum Peer: Hashable, Sendable, CustomStringConvertible {
        /// `address`
        case address(IPAddress)
        /// `name`: a host name, which the name servers are asked for.
        case name(HostName)

        /// As the file says it.
        public var description: String {
            switch self {
            case .address(let address): "\(address)"
            case .name(let name): name.text
            }
        }
    }

    /// `address` or `name`.
    public internal(set) var peer: Peer
    /// `preference`: the lowest is tried first, equals share the load; 0 to 65,535. Default 0.
    public internal(set) var preference: UInt16 = 0
    /// `profile`. Default: that of the entry.
    public internal(set) var profile: String?
}
