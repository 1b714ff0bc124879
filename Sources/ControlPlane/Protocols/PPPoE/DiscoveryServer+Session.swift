import Timing
import Wire

/// A client's wish for a session, proven by its cookie.
public struct SessionRequest: Hashable, Sendable {
    /// What tells a PADR that is sent again from a new one. While the session that this key opened is being set up or is
    /// up, the same key gets the same PADS again, and no second session.
    public struct Key: Hashable, Sendable {
        /// Who asks.
        public var client: MACAddress
        /// Where it asks.
        public var circuit: AttachmentCircuit
        /// The client's own mark; empty when it sent none.
        public var hostUniq: [UInt8]
        /// The offer that it takes up.
        public var cookie: [UInt8]

        /// The key of a PADR with these parts.
        public init(client: MACAddress, circuit: AttachmentCircuit, hostUniq: [UInt8], cookie: [UInt8]) {
            self.client = client
            self.circuit = circuit
            self.hostUniq = hostUniq
            self.cookie = cookie
        }
    }

    /// What tells this request from others.
    public var key: Key
    /// The instance that serves the client.
    public var instance: ServiceInstance
    /// The Service-Name asked for; empty: any.
    public var serviceName: [UInt8]
    /// Largest PPP payload that client and link both take, in octets: 1,492, or another by RFC 4638 or the link's MTU.
    public var maxPayload: Int
    /// What the access node says of the client's line, by the first Vendor-Specific tag that says anything; nil where none
    /// does. A client can write such a tag as well: it is worth as much as the access network, which has to take out what
    /// clients send (TR-101, section 3.9.2).
    public var accessLine: AccessLineInformation?

    /// Host-Uniq, Relay-Session-Id and PPP-Max-Payload as every answer to the request carries them.
    public var returned: [DiscoveryTag] = []

    /// A request that was granted before.
    public init(key: Key, instance: ServiceInstance, serviceName: [UInt8], maxPayload: Int) {
        self.key = key
        self.instance = instance
        self.serviceName = serviceName
        self.maxPayload = maxPayload
    }
}

extension DiscoveryServer {
    /// Errors that a PADS can name.
    public enum SessionError: Sendable, CaseIterable {
        /// The service is not to be had.
        case serviceName
        /// No room for another session, or the like.
        case acSystem
        /// Anything else.
        case generic
    }

    /// `open` for a PADR with a good cookie (RFC 2516 section 5.3).
    func answer(
        padr: DiscoveryPacket, from client: MACAddress, on circuit: AttachmentCircuit, at now: Instant
    ) -> Outcome {
        // The cookie first: nobody who cannot receive at the address that he sends from gets as much as an error.
        guard let cookieTag = padr.first(.acCookie) else { return .drop(Refusal(.cookieMissing, code: .padr)) }
        guard cookie.accepts(cookieTag.value, client: client, circuit: circuit, at: now) else {
            return .drop(Refusal(.cookieInvalid, code: .padr))
        }
        guard let serviceName = onlyServiceName(of: padr) else {
            return .drop(Refusal(.serviceNameCount, code: .padr))
        }
        let returned = returned(from: padr)
        // The largest answer to come: Service-Name with what is returned, or an error with its text.
        let longest = DiscoveryPacket(
            code: .pads, tags: [DiscoveryTag(.genericError, repeatElement(0, count: 256)), serviceName] + returned)
        guard fits(longest) else { return .drop(Refusal(.answerTooLong, code: .padr)) }
        guard let instance = instances.serving(serviceName.value) else {
            return .send(Self.refusal(.serviceName, text: "service name not offered", returned: returned))
        }
        return .open(
            request(
                SessionRequest.Key(
                    client: client, circuit: circuit, hostUniq: padr.first(.hostUniq)?.value ?? [],
                    cookie: cookieTag.value), padr, instance, serviceName, returned: returned))
    }

    private func request(
        _ key: SessionRequest.Key, _ padr: DiscoveryPacket, _ instance: ServiceInstance, _ serviceName: DiscoveryTag,
        returned: [DiscoveryTag]
    ) -> SessionRequest {
        var request = SessionRequest(
            key: key, instance: instance, serviceName: serviceName.value, maxPayload: maxPayload(for: padr))
        request.accessLine = accessLine(in: padr)
        request.returned = returned
        return request
    }

    private func accessLine(in padr: DiscoveryPacket) -> AccessLineInformation? {
        for tag in padr.tags where tag.kind == .vendorSpecific {
            if let line = try? AccessLineInformation(parsing: tag.value[...]), !line.isEmpty { return line }
        }
        return nil
    }

    /// The PADS that grants `request` as session `sessionID`, 1 to 65,534 (RFC 2516 section 5.4 keeps 0xffff back).
    public static func pads(for request: SessionRequest, sessionID: UInt16) -> DiscoveryPacket {
        DiscoveryPacket(
            code: .pads, sessionID: sessionID,
            tags: [DiscoveryTag(.serviceName, request.serviceName)] + request.returned)
    }

    /// The PADS that refuses `request`; at most 256 octets of `text` are sent.
    public static func pads(
        refusing request: SessionRequest, as error: SessionError, text: String
    ) -> DiscoveryPacket {
        refusal(error, text: text, returned: request.returned)
    }

    private static func refusal(
        _ error: SessionError, text: String, returned: [DiscoveryTag]
    ) -> DiscoveryPacket {
        let kind: DiscoveryTag.Kind =
            switch error {
            case .serviceName: .serviceNameError
            case .acSystem: .acSystemError
            case .generic: .genericError
            }
        return DiscoveryPacket(code: .pads, tags: [DiscoveryTag(kind, text.utf8.prefix(256))] + returned)
    }
}
