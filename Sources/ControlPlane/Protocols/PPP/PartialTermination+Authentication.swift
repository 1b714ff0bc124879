import Timing

/// The exchange in which the client says who it is: CHAP (RFC 1994), PAP (RFC 1334) or EAP's Identity (RFC 3748 section 5.1).
extension PartialTermination {
    mutating func startAuthentication(at now: Instant, to outputs: inout [Output]) {
        guard phase == .establish else { return }
        guard let agreed = lcp.agreedAuthentication else {
            return identify(.none, name: [], challenge: [], identifier: 0, response: [], to: &outputs)
        }
        phase = .authenticate(agreed)
        guard agreed != .pap else {
            requestsLeft = 0
            authenticationDeadline = now + configuration.restartInterval * configuration.maxConfigure
            return
        }
        // A new Identifier and a new Value for each exchange (RFC 1994 section 4.1); what is only sent again keeps them.
        requestIdentifier &+= 1
        if agreed == .chapMD5 {
            challenge = (0..<CHAP.responseLength).map { _ in
                UInt8(truncatingIfNeeded: configuration.random.next() as UInt64)
            }
        }
        requestsLeft = configuration.maxConfigure
        sendAuthenticationRequest(at: now, to: &outputs)
    }

    mutating func sendAuthenticationRequest(at now: Instant, to outputs: inout [Output]) {
        requestsLeft -= 1
        authenticationDeadline = now + configuration.restartInterval
        if phase == .authenticate(.eap) {
            outputs.append(.send(PPPFrame(.eap, EAP.identityRequest(identifier: requestIdentifier).encoded())))
        } else {
            let packet = CHAP.challenge(
                identifier: requestIdentifier, value: challenge, name: configuration.challengeName)
            outputs.append(.send(PPPFrame(.chap, packet.encoded())))
        }
    }

    /// Whether this is an authentication protocol that we know. EAP that was never offered is as unknown as any other.
    func speaks(_ proto: PPPProtocol) -> Bool {
        proto == .pap || proto == .chap || proto == .eap && configuration.authentication.contains(.eap)
    }

    /// False when the packet has no meaning now.
    mutating func authenticate(
        _ proto: PPPProtocol, _ packet: ControlPacket, at now: Instant, to outputs: inout [Output]
    ) -> Bool {
        switch (proto, phase) {
        case (.chap, .authenticate(.chapMD5)):
            guard packet.code == CHAP.Code.response.rawValue, packet.identifier == requestIdentifier,
                let response = CHAP.Response(parsing: packet.data[...])
            else { return false }
            identify(
                .chap, name: response.name, challenge: challenge, identifier: packet.identifier,
                response: response.value, to: &outputs)
        case (.pap, .authenticate(.pap)):
            guard packet.code == PAP.Code.authenticateRequest.rawValue,
                let credentials = PAP.Credentials(parsing: packet.data[...])
            else { return false }
            identify(
                .pap, name: credentials.peerID, challenge: [], identifier: packet.identifier,
                response: credentials.password, to: &outputs)
        case (.eap, .authenticate(.eap)):
            // Nak and the types of methods are no answers to Identity and change nothing (RFC 3748 sections 2.1, 5.3.1).
            guard packet.code == EAP.Code.response.rawValue, packet.identifier == requestIdentifier,
                let identity = EAP.identity(in: packet.data[...])
            else { return false }
            identify(
                .eap, name: identity, challenge: [], identifier: packet.identifier, response: packet.encoded(),
                to: &outputs)
        case (.eap, .identified):
            // Sent again, or a request of ours that crossed it. The method is the LNS's to choose.
            return proxyData?.authenType == .eap && packet.code == EAP.Code.response.rawValue
                && packet.identifier == proxyData?.authenID
                && EAP.identity(in: packet.data[...]) == proxyData?.authenName
        case (.chap, .identified):
            // Sent again, or a challenge of ours that crossed it; the LNS answers.
            return proxyData?.authenType == .chap && packet.code == CHAP.Code.response.rawValue
        case (.pap, .identified):
            guard proxyData?.authenType == .pap, packet.code == PAP.Code.authenticateRequest.rawValue,
                let credentials = PAP.Credentials(parsing: packet.data[...]),
                credentials.peerID == proxyData?.authenName, credentials.password == proxyData?.authenResponse
            else { return false }
            proxyData?.authenID = packet.identifier
            return true
        default: return false
        }
        if phase == .identified, proxyData?.authenName == [] {
            outputs.removeAll { if case .identified = $0 { true } else { false } }
            outputs += reject(message: "user name missing", at: now)
            outputs.append(.failed(.userNameMissing))
        }
        return true
    }

    private mutating func identify(
        _ type: ProxyAuthenType, name: [UInt8], challenge: [UInt8], identifier: UInt8, response: [UInt8],
        to outputs: inout [Output]
    ) {
        authenticationDeadline = nil
        phase = .identified
        let data = ProxyData(
            authenType: type, authenName: name, authenChallenge: challenge, authenID: identifier,
            authenResponse: response, initialReceivedConfigureRequest: lcp.firstReceivedRequest ?? [],
            lastSentConfigureRequest: lcp.lastSentRequest, lastReceivedConfigureRequest: lcp.lastReceivedRequest)
        proxyData = data
        outputs.append(.identified(data))
    }
}

extension AuthenticationProtocol {
    /// The number of the protocol that carries the exchange.
    var proto: PPPProtocol {
        switch self {
        case .pap: .pap
        case .chapMD5: .chap
        case .eap: .eap
        case .other(let proto, _): proto
        }
    }
}
