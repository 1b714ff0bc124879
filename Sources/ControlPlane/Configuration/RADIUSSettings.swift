import Wire

/// One element of `radius-server:`.
public struct RADIUSServerSettings: Hashable, Sendable {
    /// `message-authenticator`: whether an answer without Message-Authenticator (RFC 2869 section 5.14) is believed.
    public enum MessageAuthenticator: String, CaseIterable, Sendable {
        /// It is dropped: whoever stands on the way could have forged it (CVE-2024-3596, "BlastRADIUS").
        case required
        /// It is believed where the authenticator fits. For servers that cannot be mended; the log warns.
        case optional
    }

    /// `host`: the server's address, in the network that the kernel's sockets reach; no two servers have the same.
    public internal(set) var host: IPAddress
    /// `key`: the secret that it shares with this node, at least 1 octet.
    public internal(set) var key: Secret
    /// `auth-port`: UDP port for authentication, 0 to 65,535; 0: it is not asked. Default 1812.
    public internal(set) var authenticationPort: UInt16 = 1812
    /// `acct-port`: UDP port for accounting, 0 to 65,535; 0: it is not asked. Default 1813.
    public internal(set) var accountingPort: UInt16 = 1813
    /// `timeout`: seconds before a request is sent again the first time, 1 to 60; doubles each time. Default 3.
    public internal(set) var timeout: UInt8 = 3
    /// `retransmit`: how often a request is sent again to this server, 0 to 10. Default 2.
    public internal(set) var retransmit: UInt8 = 2
    /// `dead-time`: seconds that a server which did not answer is passed over, 0 to 3,600; 0: never. Default 60.
    public internal(set) var deadTime: UInt16 = 60
    /// `status-server`: whether the server is asked for signs of life (RFC 5997), so that one which was passed over comes back early.
    /// Default false: not every server knows the question (section 4.2).
    public internal(set) var statusServer = false
    /// `message-authenticator`. Default `required`.
    public internal(set) var messageAuthenticator = MessageAuthenticator.required
}

/// One element of `aaa-group-server-radius:`: servers that are asked in order.
public struct RADIUSGroupSettings: Hashable, Sendable {
    /// `name`: 1 to 63 letters, digits, `-`, `_` or `.`; no two groups have the same.
    public internal(set) var name: String
    /// `servers`: addresses of `radius-server` elements, at least one, the first choice first.
    public internal(set) var servers: [IPAddress]
}

/// `radius:`: the node as a RADIUS client.
public struct RADIUSClientSettings: Hashable, Sendable {
    /// `nas-identifier`: the NAS-Identifier attribute, 1 to 253 octets. Default: `control.host-name`.
    public internal(set) var nasIdentifier: String
    /// `nas-ip-address`: the NAS-IP-Address or NAS-IPv6-Address attribute. Nil, the default: not sent.
    public internal(set) var nasAddress: IPAddress?
    /// `source-address`: addresses of this machine that requests are sent from, at most one of IPv4 and one of IPv6. Default: as
    /// the kernel chooses.
    public internal(set) var sourceAddresses: [IPAddress] = []
    /// `source-ports`: sockets that requests are sent from, 1 to 64; each has 256 requests under way with each server. Default 4.
    public internal(set) var sourcePorts: UInt8 = 4
    /// `dynamic-authorization`. Nil, the default: nobody may change or end sessions by RADIUS.
    public internal(set) var dynamicAuthorization: DynamicAuthorization?
}

/// `radius.dynamic-authorization:`: who may end sessions and change them (RFC 5176).
public struct DynamicAuthorization: Hashable, Sendable {
    /// An element of `clients`.
    public struct Client: Hashable, Sendable {
        /// `address`: where it sends from.
        public internal(set) var address: IPAddress
        /// `key`: the secret that it shares with this node, at least 1 octet.
        public internal(set) var key: Secret
    }

    /// `port`: UDP port that is listened on, 1 to 65,535. Default 3799.
    public internal(set) var port: UInt16 = 3799
    /// `clients`: at least one; no two have the same address.
    public internal(set) var clients: [Client] = []
}

/// `pppoe-ac.accounting:`: who is told of an instance's sessions (RFC 2866, RFC 2867).
public struct Accounting: Hashable, Sendable {
    /// `group`: an `aaa-group-server-radius`.
    public internal(set) var group: String
    /// `interim-interval`: seconds between two Interim-Updates of a session, 60 to 86,400; 0, the default: none, unless the
    /// Access-Accept asks for them (Acct-Interim-Interval).
    public internal(set) var interimInterval: UInt32 = 0
    /// `tunnel`: whether tunnels and the links in them are told of as well (RFC 2867). Default false.
    public internal(set) var tunnel = false
}
