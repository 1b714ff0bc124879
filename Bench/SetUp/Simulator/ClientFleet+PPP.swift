import Crypto
import PPP
import Timing
import Wire

/// PPP, the client's side: LCP, CHAP with MD5 or PAP, IPCP, and echoes while the link is up. An LNS may start LCP anew at any time.
extension ClientFleet {
    func receive(session payload: ArraySlice<UInt8>, _ number: Int, at now: Instant) {
        var reader = ByteReader(payload)
        guard clients[number].hasSession, reader.readUInt16() == 0x1100,
            reader.readUInt16() == clients[number].sessionID, let length = reader.readUInt16(),
            let bytes = reader.readBytes(Int(length)), let frame = try? PPPFrame(parsing: bytes)
        else { return }
        guard frame.proto == .lcp || frame.proto == .chap || frame.proto == .pap || frame.proto == IPCPEnd.proto else {
            if clients[number].lcp.isOpen, frame.proto.rawValue >= 0x8000 { rejectProtocol(frame, number) }
            return
        }
        guard let packet = try? ControlPacket(parsing: frame.information[...]) else {
            return counts.unexpected += 1
        }
        switch frame.proto {
        case .lcp: receive(lcp: packet, number, at: now)
        case .chap: receive(chap: packet, number, at: now)
        case .pap: receive(pap: packet, number, at: now)
        default: receive(ipcp: packet, number, at: now)
        }
    }

    private func receive(lcp packet: ControlPacket, _ number: Int, at now: Instant) {
        guard clients[number].phase != .terminating || packet.code == LCPCode.terminateAck.rawValue else { return }
        switch LCPCode(rawValue: packet.code) {
        case .configureRequest, .configureAck, .configureNak, .configureReject:
            if packet.code == LCPCode.configureRequest.rawValue, clients[number].lcp.isOpen {
                // The LNS wants to hear all of it itself.
                clients[number].lcp.reset()
                clients[number].hasEcho = false
                clients[number].ipcp = IPCPEnd(address: 0, assigned: nil)
                enter(.negotiating, number)
                sendLCP(clients[number].lcp.request(), number)
                wait(settings.restartInterval, number, at: now)
            }
            let wasOpen = clients[number].lcp.isOpen
            if let answer = clients[number].lcp.receive(packet) { sendLCP(answer, number) }
            if !wasOpen, clients[number].lcp.isOpen { authenticate(number, at: now) }
        case .terminateRequest:
            sendLCP(ControlPacket(code: LCPCode.terminateAck.rawValue, identifier: packet.identifier), number)
        case .terminateAck:
            if clients[number].phase == .terminating { over(number, tellingPADT: true, at: now) }
        case .echoRequest:
            guard clients[number].lcp.isOpen else { return }
            counts.echoesReturned += 1
            sendLCP(clients[number].lcp.echoReply(packet), number)
        case .echoReply: receive(echo: packet, number, at: now)
        case .codeReject, .protocolReject: counts.unexpected += 1
        case .discardRequest, .identification, .timeRemaining, nil: break
        }
    }

    // MARK: Authentication

    private func authenticate(_ number: Int, at now: Instant) {
        enter(.authenticating, number)
        switch clients[number].lcp.agreed {
        case .pap: sendCredentials(number)
        case .some: break  // the other end asks
        case nil: return openNetwork(number, at: now)
        }
        wait(settings.restartInterval, number, at: now)
    }

    private func receive(chap packet: ControlPacket, _ number: Int, at now: Instant) {
        switch CHAP.Code(rawValue: packet.code) {
        case .challenge:
            let challenge = packet.data.dropFirst().prefix(Int(packet.data.first ?? 0))
            let digest = Insecure.MD5.hash(data: [packet.identifier] + Array(settings.password.utf8) + challenge)
            let response = ControlPacket(
                code: CHAP.Code.response.rawValue, identifier: packet.identifier,
                data: [UInt8(CHAP.responseLength)] + Array(digest) + Array(settings.userName(number).utf8))
            send(PPPFrame(.chap, response.encoded()), number)
        case .success: if clients[number].phase == .authenticating { openNetwork(number, at: now) }
        case .failure: counts.refusals += 1
        case .response, nil: counts.unexpected += 1
        }
    }

    private func receive(pap packet: ControlPacket, _ number: Int, at now: Instant) {
        switch PAP.Code(rawValue: packet.code) {
        case .authenticateAck: if clients[number].phase == .authenticating { openNetwork(number, at: now) }
        case .authenticateNak: counts.refusals += 1
        case .authenticateRequest, nil: counts.unexpected += 1
        }
    }

    private func sendCredentials(_ number: Int) {
        clients[number].papIdentifier &+= 1
        let (name, password) = (settings.userName(number).utf8, settings.password.utf8)
        let packet = ControlPacket(
            code: PAP.Code.authenticateRequest.rawValue, identifier: clients[number].papIdentifier,
            data: [UInt8(truncatingIfNeeded: name.count)] + name + [UInt8(truncatingIfNeeded: password.count)]
                + password)
        send(PPPFrame(.pap, packet.encoded()), number)
    }

    // MARK: Network and echoes

    private func openNetwork(_ number: Int, at now: Instant) {
        enter(.networking, number)
        sendIPCP(clients[number].ipcp.request(), number)
        sendEcho(number)
        wait(settings.restartInterval, number, at: now)
    }

    private func receive(ipcp packet: ControlPacket, _ number: Int, at now: Instant) {
        // Before the LNS has let it in it does not listen (RFC 1661, section 3.5).
        guard clients[number].phase == .networking || clients[number].phase == .up else { return }
        if let answer = clients[number].ipcp.receive(packet) { sendIPCP(answer, number) }
        comeUp(number, at: now)
    }

    private func receive(echo packet: ControlPacket, _ number: Int, at now: Instant) {
        guard packet.identifier == clients[number].echoIdentifier, clients[number].unanswered > 0 else { return }
        counts.echoesAnswered += 1
        clients[number].unanswered = 0
        clients[number].hasEcho = true
        comeUp(number, at: now)
    }

    private func comeUp(_ number: Int, at now: Instant) {
        guard clients[number].phase == .networking, clients[number].hasEcho, clients[number].ipcp.isOpen else { return }
        enter(.up, number)
        times.append(Double((now - clients[number].dialledAt) / .nanoseconds(1)) / 1e9)
        wait(settings.echoInterval, number, at: now)
    }

    /// The next echo is due; a link that has answered none of the last ones is dead.
    func echo(_ number: Int, at now: Instant) {
        if clients[number].unanswered > 0 { counts.echoesMissed += 1 }
        guard clients[number].unanswered < settings.echoFailures else {
            counts.deadLinks += 1
            return over(number, tellingPADT: true, at: now)
        }
        sendEcho(number)
        wait(settings.echoInterval, number, at: now)
    }

    /// The request in hand was not answered.
    func requestAgain(_ number: Int, at now: Instant) {
        counts.requestRepeats += 1
        clients[number].tries &+= 1
        guard clients[number].tries < settings.maxRequests else {
            counts.deadLinks += 1
            return over(number, tellingPADT: true, at: now)
        }
        switch clients[number].phase {
        case .negotiating: sendLCP(clients[number].lcp.request(), number)
        case .authenticating: if clients[number].lcp.agreed == .pap { sendCredentials(number) }
        default:
            if !clients[number].ipcp.isOurs { sendIPCP(clients[number].ipcp.request(), number) }
            if !clients[number].hasEcho { sendEcho(number) }
        }
        wait(settings.restartInterval, number, at: now)
    }

    private func sendEcho(_ number: Int) {
        counts.echoesSent += 1
        clients[number].echoIdentifier &+= 1
        clients[number].unanswered &+= 1
        sendLCP(clients[number].lcp.echoRequest(clients[number].echoIdentifier), number)
    }

    // MARK: Output

    private func rejectProtocol(_ frame: PPPFrame, _ number: Int) {
        sendLCP(
            ControlPacket(code: LCPCode.protocolReject.rawValue, identifier: 0xcc, data: frame.encoded()), number)
    }

    func sendLCP(_ packet: ControlPacket, _ number: Int) { send(PPPFrame(.lcp, packet.encoded()), number) }

    private func sendIPCP(_ packet: ControlPacket, _ number: Int) {
        send(PPPFrame(IPCPEnd.proto, packet.encoded()), number)
    }

    private func send(_ frame: PPPFrame, _ number: Int) {
        let ppp = frame.encoded()
        var writer = ByteWriter(capacity: 6 + ppp.count)
        writer.write(0x1100 as UInt16)
        writer.write(clients[number].sessionID)
        writer.write(UInt16(truncatingIfNeeded: ppp.count))
        writer.write(ppp)
        port.send(
            EthernetFrame(
                destination: accessConcentrator, source: ClientSettings.mac(number), tags: settings.tags(number),
                etherType: Self.sessionType, payload: writer.bytes
            ).bytes)
    }
}
