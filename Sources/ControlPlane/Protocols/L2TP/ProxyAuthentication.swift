/// What a client and the LAC said to each other to authenticate, for the LNS to check (RFC 2661, section 4.4.5).
public struct ProxyAuthentication: Hashable, Sendable {
    /// Proxy Authen Type.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        /// The number on the wire.
        public let rawValue: UInt16
        /// The type whose number is `rawValue`.
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// 1: a textual user name and password exchange.
        public static let text = Kind(rawValue: 1)
        /// 2: PPP CHAP.
        public static let chap = Kind(rawValue: 2)
        /// 3: PPP PAP.
        public static let pap = Kind(rawValue: 3)
        /// 4: no authentication.
        public static let none = Kind(rawValue: 4)
        /// 5: Microsoft CHAP version 1.
        public static let msCHAPv1 = Kind(rawValue: 5)
        /// 7: EAP.
        public static let eap = Kind(rawValue: 7)
    }

    /// Proxy Authen Type.
    public var kind: Kind
    /// Proxy Authen Name: the client's name.
    public var name: [UInt8]?
    /// Proxy Authen Challenge: the challenge that the LAC sent to the client; CHAP only.
    public var challenge: [UInt8]?
    /// Proxy Authen ID: the identifier of the PPP exchange.
    public var id: UInt8?
    /// Proxy Authen Response: the client's response, or for PAP its password in the clear.
    public var response: [UInt8]?

    /// The parts of an exchange; nil where the exchange has no such part.
    public init(
        kind: Kind, name: [UInt8]? = nil, challenge: [UInt8]? = nil, id: UInt8? = nil, response: [UInt8]? = nil
    ) {
        self.kind = kind
        self.name = name
        self.challenge = challenge
        self.id = id
        self.response = response
    }
}

/// LCP as the client and the LAC negotiated it: the options of three Configure-Requests, without the code, identifier
/// and length before them (RFC 2661, section 4.4.5).
public struct ProxyLCP: Hashable, Sendable {
    /// Initial Received LCP CONFREQ: the first that the client sent.
    public var initialReceived: [UInt8]?
    /// Last Sent LCP CONFREQ: the one of ours that the client acknowledged.
    public var lastSent: [UInt8]?
    /// Last Received LCP CONFREQ: the one of the client's that we acknowledged.
    public var lastReceived: [UInt8]?

    /// The options of the three requests.
    public init(initialReceived: [UInt8]? = nil, lastSent: [UInt8]? = nil, lastReceived: [UInt8]? = nil) {
        self.initialReceived = initialReceived
        self.lastSent = lastSent
        self.lastReceived = lastReceived
    }
}
