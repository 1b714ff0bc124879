/// The question whether a client may in, and where its tunnel leads (RFC 2865 section 4.1).
public struct AccessRequest: Hashable, Sendable {
    /// What the client has proven itself by, or will be asked for.
    public enum Credentials: Hashable, Sendable {
        /// PAP, and the look-up of a domain with a password that all look-ups share. In octets, 128 at most.
        case password([UInt8])
        /// CHAP: the identifier of the exchange, the client's response of 16 octets, the challenge that it answered.
        case chap(identifier: UInt8, response: [UInt8], challenge: [UInt8])
        /// An EAP packet of the client (RFC 2869 section 5.13), passed through as it is.
        case eap([UInt8])
    }

    /// What is asked, without the authenticators, which belong to a transmission. Passwords are in the clear.
    public var attributes: RADIUSAttributes
    /// The server that has to be asked before others: the one whose State this request returns.
    public var server: RADIUSServer.Key?

    /// Whether the user of `session` may in: a framed PPP session (RFC 2865 sections 5.6 and 5.7).
    ///
    /// - Parameter state: State of the Access-Challenge that this request answers (section 5.24).
    public init(
        session: RADIUSSession, nas: NASIdentity, credentials: Credentials, state: [UInt8]? = nil,
        server: RADIUSServer.Key? = nil
    ) {
        attributes = session.attributes(of: nas)
        attributes.append(.serviceType, integer: 2)
        attributes.append(.framedProtocol, integer: 1)
        attributes.append(.state, octets: state)
        self.server = server
        switch credentials {
        case .password(let password): attributes.append(.userPassword, octets: password)
        case .chap(let identifier, let response, let challenge):
            attributes.append(.chapPassword, octets: [identifier] + response)
            attributes.append(.chapChallenge, octets: challenge)
        case .eap(let packet): attributes.append(eapMessage: packet)
        }
    }

    /// Where a domain's tunnels lead: User-Name is the domain, the password is one that client and server agreed on.
    public init(domain: String, password: [UInt8], nas: NASIdentity) {
        attributes = RADIUSAttributes()
        attributes.append(.userName, text: domain)
        attributes.append(.userPassword, octets: password)
        attributes.append(contentsOf: nas.attributes)
    }
}
