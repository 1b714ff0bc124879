import Wire

/// One end of a tunnel as RADIUS names it (RFC 2868 sections 3.3 and 3.4).
public enum TunnelEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// An address.
    case address(IPAddress)
    /// A fully qualified domain name, to be asked of DNS.
    case name(String)

    /// An address, else a name; nil for what can be neither. A name is of letters, digits, hyphens and underscores between
    /// dots, 63 octets a label and 253 in all (RFC 1035 section 2.3.4).
    public init?(_ text: some StringProtocol) {
        let text = String(text)
        if let address = IPAddress(text) {
            self = .address(address)
            return
        }
        let name = text.hasSuffix(".") ? text.dropLast() : text[...]
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let isName = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count)
                && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
        }
        // What ends in digits alone was meant to be an IPv4 address.
        guard isName, name.utf8.count <= 253, labels.last?.allSatisfy(\.isNumber) == false else { return nil }
        self = .name(String(name))
    }

    /// The text of the address, or the name.
    public var description: String {
        switch self {
        case .address(let address): address.description
        case .name(let name): name
        }
    }
}

/// Tunnel-Medium-Type (RFC 2868 section 3.2), as far as L2TP runs over it here.
public enum TunnelMedium: UInt32, Hashable, Sendable, CustomStringConvertible {
    /// IPv4.
    case ipv4 = 1
    /// IPv6.
    case ipv6 = 2

    init(_ address: IPAddress) { self = address.ipv4 == nil ? .ipv6 : .ipv4 }

    /// `IPv4` or `IPv6`.
    public var description: String { self == .ipv4 ? "IPv4" : "IPv6" }
}

/// The L2TP tunnels that an Access-Accept offers (RFC 2868).
///
/// Attributes with the same tag, 1 to 31, are one tunnel's. Those without a tag are a tunnel too when there is no other;
/// beside tagged ones they fill in what these leave out.
public struct TunnelAttributes: Hashable, Sendable {
    /// One tunnel.
    public struct Tunnel: Hashable, Sendable {
        /// The tag that grouped it; 0: none.
        public var tag: UInt8
        /// IPv4 or IPv6; nil where neither the server nor an address says which.
        public var medium: TunnelMedium?
        /// The LNS: one address or name, or several of them that stand for the same tunnel, in order. Never empty.
        public var serverEndpoints: [TunnelEndpoint]
        /// What the LAC is to use as its own address.
        public var clientEndpoint: TunnelEndpoint?
        /// The tunnel's shared secret, in the clear.
        public var password: [UInt8]?
        /// The group that the session belongs to.
        public var privateGroupID: String?
        /// Sessions with the same id go through the same tunnel.
        public var assignmentID: String?
        /// 0 to 0xffffff, lower ones before higher ones; nil, behind all others: the server did not say.
        public var preference: UInt32?
        /// The name that the LAC is to call itself.
        public var clientAuthID: String?
        /// The name that the LNS has to call itself.
        public var serverAuthID: String?
    }

    /// A tunnel that was offered and cannot be used.
    public struct Refused: Hashable, Sendable, CustomStringConvertible {
        /// Why not.
        public enum Reason: Hashable, Sendable {
            /// There is no Tunnel-Type.
            case noType
            /// Another Tunnel-Type than L2TP.
            case type(UInt32)
            /// A medium that is no IP.
            case medium(UInt32)
            /// There is no Tunnel-Server-Endpoint.
            case noServerEndpoint
            /// What the Tunnel-Server-Endpoint says is neither an address nor a name.
            case serverEndpoint(String)
            /// The server's address is not of the medium.
            case mediumMismatch(TunnelMedium)
            /// The Tunnel-Password cannot be revealed.
            case password
        }

        /// The tag that grouped it; 0: none.
        public var tag: UInt8
        /// Why it is left out.
        public var reason: Reason

        /// In words, for logs and `show`.
        public var description: String {
            let why =
                switch reason {
                case .noType: "it has no Tunnel-Type"
                case .type(let type): "its type is \(type), not L2TP (3)"
                case .medium(let medium): "its medium is \(medium), neither IPv4 (1) nor IPv6 (2)"
                case .noServerEndpoint: "it has no Tunnel-Server-Endpoint"
                case .serverEndpoint(let text): "its server endpoint \"\(text)\" is neither an address nor a name"
                case .mediumMismatch(let medium): "its server endpoint is no \(medium) address, as its medium demands"
                case .password: "its Tunnel-Password cannot be revealed"
                }
            return tag == 0 ? "untagged tunnel left out: \(why)" : "tunnel with tag \(tag) left out: \(why)"
        }
    }

    /// The tunnels, those to be preferred first; those of equal preference in the order of their tags.
    public private(set) var tunnels: [Tunnel] = []
    /// What was offered besides.
    public private(set) var refused: [Refused] = []

    /// Reads the tunnels of an Access-Accept whose authenticators were checked; `authenticator` is its request's.
    public init(_ attributes: RADIUSAttributes, secret: [UInt8], authenticator: RADIUSAuthenticator) {
        var sets: [UInt8: Offer] = [:]
        func collect<Value>(
            _ values: [RADIUSAttributes.Tagged<Value>], _ field: WritableKeyPath<Offer, Value?>
        ) {
            for value in values where sets[value.tag, default: Offer()][keyPath: field] == nil {
                sets[value.tag, default: Offer()][keyPath: field] = value.value
            }
        }
        collect(attributes.taggedIntegers(.tunnelType), \.type)
        collect(attributes.taggedIntegers(.tunnelMediumType), \.medium)
        collect(attributes.taggedTexts(.tunnelServerEndpoint), \.serverEndpoint)
        collect(attributes.taggedTexts(.tunnelClientEndpoint), \.clientEndpoint)
        collect(attributes.taggedTexts(.tunnelPrivateGroupID), \.privateGroupID)
        collect(attributes.taggedTexts(.tunnelAssignmentID), \.assignmentID)
        collect(attributes.taggedIntegers(.tunnelPreference), \.preference)
        collect(attributes.taggedTexts(.tunnelClientAuthID), \.clientAuthID)
        collect(attributes.taggedTexts(.tunnelServerAuthID), \.serverAuthID)
        let passwords = attributes.all(.tunnelPassword).map { value in
            let revealed = TunnelPassword.reveal(value, secret: secret, authenticator: authenticator)
            let tag = value.first.flatMap { $0 <= RADIUSAttributes.lastTag ? $0 : nil } ?? 0
            return RADIUSAttributes.Tagged(tag: tag, value: Offer.Password(octets: revealed?.password))
        }
        collect(passwords, \.password)

        let defaults = sets.count > 1 ? sets.removeValue(forKey: 0) : nil
        for (tag, set) in sets.sorted(by: { $0.key < $1.key }) {
            switch set.filled(from: defaults).tunnel(tag: tag) {
            case .success(let tunnel): tunnels.append(tunnel)
            case .failure(let reason): refused.append(Refused(tag: tag, reason: reason.reason))
            }
        }
        // Stable: a later one moves in front only of what is worse.
        tunnels = tunnels.enumerated().sorted {
            ($0.element.preference ?? .max, $0.offset) < ($1.element.preference ?? .max, $1.offset)
        }.map(\.element)
    }

    /// The attributes of one tag as they came.
    private struct Offer {
        struct Password {
            /// nil: cannot be revealed.
            var octets: [UInt8]?
        }
        struct Fault: Error {
            var reason: Refused.Reason
        }

        var type: UInt32?
        var medium: UInt32?
        var serverEndpoint: String?
        var clientEndpoint: String?
        var password: Password?
        var privateGroupID: String?
        var assignmentID: String?
        var preference: UInt32?
        var clientAuthID: String?
        var serverAuthID: String?

        func filled(from defaults: Offer?) -> Offer {
            guard let defaults else { return self }
            return Offer(
                type: type ?? defaults.type, medium: medium ?? defaults.medium,
                serverEndpoint: serverEndpoint ?? defaults.serverEndpoint,
                clientEndpoint: clientEndpoint ?? defaults.clientEndpoint, password: password ?? defaults.password,
                privateGroupID: privateGroupID ?? defaults.privateGroupID,
                assignmentID: assignmentID ?? defaults.assignmentID, preference: preference ?? defaults.preference,
                clientAuthID: clientAuthID ?? defaults.clientAuthID,
                serverAuthID: serverAuthID ?? defaults.serverAuthID)
        }

        func tunnel(tag: UInt8) -> Result<Tunnel, Fault> {
            func refuse(_ reason: Refused.Reason) -> Result<Tunnel, Fault> { .failure(Fault(reason: reason)) }
            guard let type else { return refuse(.noType) }
            guard type == TunnelAttributes.l2tp else { return refuse(.type(type)) }
            var medium: TunnelMedium?
            if let number = self.medium {
                guard let known = TunnelMedium(rawValue: number) else { return refuse(.medium(number)) }
                medium = known
            }
            let words = (serverEndpoint ?? "").split { $0.isWhitespace || $0 == "," }
            guard !words.isEmpty else { return refuse(.noServerEndpoint) }
            let servers = words.compactMap { TunnelEndpoint($0) }
            guard servers.count == words.count else { return refuse(.serverEndpoint(serverEndpoint ?? "")) }
            for case .address(let address) in servers {
                guard (medium ?? TunnelMedium(address)) == TunnelMedium(address) else {
                    return refuse(.mediumMismatch(medium ?? TunnelMedium(address)))
                }
                medium = TunnelMedium(address)
            }
            if let password, password.octets == nil { return refuse(.password) }
            return .success(
                Tunnel(
                    tag: tag, medium: medium, serverEndpoints: servers,
                    clientEndpoint: clientEndpoint.flatMap { TunnelEndpoint($0) }, password: password?.octets,
                    privateGroupID: privateGroupID, assignmentID: assignmentID, preference: preference,
                    clientAuthID: clientAuthID, serverAuthID: serverAuthID))
        }
    }

    /// Tunnel-Type of L2TP (RFC 2868 section 3.1).
    static let l2tp: UInt32 = 3
}
