import Wire

/// What a Disconnect- or CoA-Request wants, once it was found to be authentic and well-formed (RFC 5176).
public struct DynamicAuthorizationRequest: Hashable, Sendable {
    /// Which sessions it means: all that agree with everything that is not nil (RFC 5176 section 3).
    public struct Sessions: Hashable, Sendable {
        /// Acct-Session-Id.
        public var id: String?
        /// Acct-Multi-Session-Id.
        public var multiSessionID: String?
        /// User-Name.
        public var userName: [UInt8]?
        /// Calling-Station-Id.
        public var callingStationID: String?
        /// NAS-Port.
        public var nasPort: UInt32?
        /// NAS-Port-Id.
        public var nasPortID: String?

        /// Whether it says nothing.
        public var isEmpty: Bool { self == Sessions() }

        init() {}

        init(_ attributes: RADIUSAttributes) {
            id = attributes.text(.acctSessionID)
            multiSessionID = attributes.text(.acctMultiSessionID)
            userName = attributes.octets(.userName)
            callingStationID = attributes.text(.callingStationID)
            nasPort = attributes.integer(.nasPort)
            nasPortID = attributes.text(.nasPortID)
        }

        static let attributes: Set<RADIUSAttribute> = [
            .acctSessionID, .acctMultiSessionID, .userName, .callingStationID, .nasPort, .nasPortID,
        ]

        /// Whether `session` is one of them.
        public func match(_ session: RADIUSSession) -> Bool {
            func agrees<Value: Equatable>(_ asked: Value?, _ own: Value?) -> Bool { asked == nil || asked == own }
            return !isEmpty && agrees(id, session.id) && agrees(multiSessionID, session.multiSessionID)
                && agrees(userName, session.userName) && agrees(callingStationID, session.callingStationID)
                && agrees(nasPort, session.nasPort) && agrees(nasPortID, session.nasPortID)
        }
    }

    /// What is to be done.
    public enum Action: Hashable, Sendable {
        /// End the sessions.
        case disconnect
        /// Change the limits of their traffic: a direction of which nothing is said stays as it is.
        case change(BandwidthLimits)
    }

    /// Which sessions.
    public var sessions: Sessions
    /// What is to be done with them.
    public var action: Action
    /// Reply-Message: words for the user, or the log.
    public var replyMessage: String?
    /// Who asks.
    public var client: IPAddress

    /// Reads the attributes of an authentic request to the node `nas`.
    ///
    /// - Throws: `ErrorCause` when the node cannot do what it says. All attributes are mandatory (section 3).
    init(_ packet: RADIUSPacket, from client: IPAddress, nas: NASIdentity) throws(ErrorCause) {
        let attributes = packet.attributes
        let isChange = packet.code == .coaRequest
        guard attributes.invalid.isEmpty else { throw .invalidRequest }
        guard nas.isNamed(in: attributes) else { throw .nasIdentificationMismatch }
        var seen: Set<RADIUSAttribute> = []
        for attribute in attributes.elements.map(\.attribute) where !Self.repeatable.contains(attribute) {
            // Service-Type asks for "Authorize Only"; a Disconnect-Request must not say 405 (section 3.5).
            if attribute == .serviceType, isChange { throw .unsupportedService }
            let isKnown =
                Sessions.attributes.contains(attribute) || Self.common.contains(attribute)
                || (isChange && Self.change.contains(attribute))
            guard isKnown else { throw .unsupportedAttribute }
            guard seen.insert(attribute).inserted else { throw .invalidRequest }
        }
        sessions = Sessions(attributes)
        guard !sessions.isEmpty else { throw .missingAttribute }
        if isChange {
            let limits = BandwidthLimits(attributes)
            guard !limits.isEmpty else { throw .missingAttribute }
            action = .change(limits)
        } else {
            action = .disconnect
        }
        replyMessage = attributes.replyMessage
        self.client = client
    }

    private static let repeatable: Set<RADIUSAttribute> = [.proxyState, .replyMessage]
    private static let common: Set<RADIUSAttribute> = [
        .nasIdentifier, .nasIPAddress, .nasIPv6Address, .eventTimestamp, .messageAuthenticator,
    ]
    private static let change: Set<RADIUSAttribute> = [.bandwidthMaxUp, .bandwidthMaxDown]
}
