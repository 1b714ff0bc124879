import Timing
import Wire

extension RADIUSClient {
    /// Takes a datagram; answers why, when it changed nothing.
    mutating func take(
        _ datagram: ArraySlice<UInt8>, from address: IPAddress, port: UInt16, socket: Int, at now: Instant
    ) -> RADIUSAnswerFault? {
        guard let channel = channelsByEndpoint[Endpoint(address: address, port: port)] else {
            unknownServerDatagrams += 1
            return .unknownServer
        }
        let packet: RADIUSPacket
        do {
            packet = try RADIUSPacket(decoding: datagram)
        } catch {
            channels[channel].counters[.malformed] += 1
            return .malformed(error)
        }
        let expected: [RADIUSCode] =
            channels[channel].service == .authentication
            ? [.accessAccept, .accessReject, .accessChallenge] : [.accountingResponse]
        guard expected.contains(packet.code) else {
            channels[channel].counters[.unknownTypes] += 1
            return .unexpectedCode(packet.code)
        }
        guard
            let (code, owner) = channels[channel].identifiers.owner(socket: socket, identifier: packet.identifier),
            let authenticator = authenticator(of: owner, code: code, on: channel)
        else {
            channels[channel].counters[.dropped] += 1
            return .noRequest
        }
        // Of a probe's answer nothing is used but that it came, so it need not be signed; some servers do not.
        if let fault = judge(packet, answering: authenticator, signed: owner != .probe, on: channel) { return fault }
        switch owner {
        case .probe: probeAnswered(channel, at: now)
        case .request(let slot): answered(slot, by: packet, authenticator: authenticator, on: channel, at: now)
        }
        return nil
    }

    private func authenticator(
        of owner: IdentifierPool.Owner, code: IdentifierPool.Code, on channel: Int
    ) -> RADIUSAuthenticator? {
        switch owner {
        case .probe: channels[channel].probe?.authenticator
        case .request(let slot): requests[slot]?.leases.first { $0.code == code }?.authenticator
        }
    }

    /// Why a packet is not an answer of this server to the request of `authenticator`.
    private mutating func judge(
        _ packet: RADIUSPacket, answering authenticator: RADIUSAuthenticator, signed: Bool, on channel: Int
    ) -> RADIUSAnswerFault? {
        let server = channels[channel].server
        guard packet.answers(authenticator, secret: server.secret) else {
            channels[channel].counters[.badAuthenticators] += 1
            return .authenticator
        }
        switch packet.messageAuthenticity(secret: server.secret, request: authenticator) {
        case .right: return nil
        case .wrong:
            channels[channel].counters[.badAuthenticators] += 1
            return .messageAuthenticator
        case .absent:
            // EAP must never come without it (RFC 3579 section 3.2). Accounting-Response has none by its RFC.
            let required =
                signed && channels[channel].service == .authentication
                && (server.requiresMessageAuthenticator || packet.attributes.contains(.eapMessage))
            guard required else { return nil }
            channels[channel].counters[.missingMessageAuthenticators] += 1
            return .noMessageAuthenticator
        }
    }

    private mutating func answered(
        _ slot: Int, by packet: RADIUSPacket, authenticator: RADIUSAuthenticator, on channel: Int, at now: Instant
    ) {
        guard let pending = requests[slot] else { return }
        channels[channel].lastAnswer = now
        channels[channel].roundTripTime = now - pending.sentAt
        if channels[channel].deadUntil != nil { markAlive(channel, byStatusServer: false) }
        end(slot, outcome(of: packet, authenticator: authenticator, on: channel), at: now)
    }

    private mutating func outcome(
        of packet: RADIUSPacket, authenticator: RADIUSAuthenticator, on channel: Int
    ) -> RADIUSResult.Outcome {
        // An Access-Accept or -Challenge whose attributes cannot be read counts as a reject (RFC 2865 section 5).
        if let malformed = packet.attributes.invalid.first, [.accessAccept, .accessChallenge].contains(packet.code) {
            channels[channel].counters[.malformed] += 1
            return .reject(AccessReject(packet.attributes, fault: .malformed(malformed)))
        }
        switch packet.code {
        case .accessAccept:
            channels[channel].counters[.accepts] += 1
            if let type = packet.attributes.integer(.serviceType), !AccessAccept.serviceTypes.contains(type) {
                return .reject(AccessReject(packet.attributes, fault: .serviceType(type)))
            }
            return .accept(
                AccessAccept(
                    packet.attributes, secret: channels[channel].server.secret, authenticator: authenticator))
        case .accessChallenge:
            channels[channel].counters[.challenges] += 1
            return .challenge(AccessChallenge(packet.attributes))
        case .accountingResponse:
            channels[channel].counters[.accountingResponses] += 1
            return .accountingResponse
        default:
            channels[channel].counters[.rejects] += 1
            return .reject(AccessReject(packet.attributes))
        }
    }
}
