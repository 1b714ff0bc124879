import Crypto
import L2TP
import PPP
import Timing
import Wire

/// PPP, the LNS's side: it goes on from the LAC's proxy LCP and proxy authentication, or negotiates anew when the client does.
extension LNSFarm {
    /// ICCN has come: the client's link is open already, and it has said who it is.
    func lineUp(_ information: SessionInformation, in tunnel: LNSTunnel, at now: Instant) {
        let proxy = information.connected?.proxyAuthentication
        let proxied = information.connected?.proxyLCP
        let options = LCPOptions(proxied?.lastSent ?? [])
        nextClientAddress &+= 1
        var line = LNSLine(
            peerSessionID: information.peerID,
            lcp: .opened(magic: options.magic ?? 1, demanded: options.authentication ?? .chapMD5),
            ipcp: IPCPEnd(address: settings.linkAddress.value, assigned: nextClientAddress))
        line.userName = String(decoding: proxy?.name ?? [], as: UTF8.self)
        line.challenge = proxy?.challenge ?? []
        line.challengeIdentifier = proxy?.id ?? 0
        tunnel.lines[information.localID] = line
        lineCount += 1
        switch proxy?.kind {
        case .chap?: check(chap: proxy?.response ?? [], information.localID, tunnel, at: now)
        case .pap?:
            check(password: proxy?.response ?? [], line.challengeIdentifier, information.localID, tunnel, at: now)
        default: counts.badResponses += 1
        }
    }

    func receive(ppp bytes: ArraySlice<UInt8>, tunnel id: UInt16, session: UInt16, at now: Instant) {
        guard let tunnel = tunnels[id], tunnel.lines[session] != nil, let frame = try? PPPFrame(parsing: bytes) else {
            return counts.strayFrames += 1
        }
        if frame.proto.rawValue == 0x0021 { return ping(frame.information, session, tunnel) }
        let packet = try? ControlPacket(parsing: frame.information[...])
        switch (frame.proto, packet) {
        case (.lcp, let packet?): receive(lcp: packet, session, tunnel, at: now)
        case (.chap, let packet?): receive(chap: packet, session, tunnel, at: now)
        case (.pap, let packet?): receive(pap: packet, session, tunnel, at: now)
        case (IPCPEnd.proto, let packet?): receive(ipcp: packet, session, tunnel)
        default:
            guard frame.proto.rawValue >= 0x8000 else { return counts.strayFrames += 1 }
            let rejection = ControlPacket(
                code: LCPCode.protocolReject.rawValue, identifier: 0xcc, data: frame.encoded())
            send(PPPFrame(.lcp, rejection.encoded()), session, tunnel)
        }
    }

    private func receive(lcp packet: ControlPacket, _ session: UInt16, _ tunnel: LNSTunnel, at now: Instant) {
        switch LCPCode(rawValue: packet.code) {
        case .configureRequest, .configureAck, .configureNak, .configureReject:
            if packet.code == LCPCode.configureRequest.rawValue, tunnel.lines[session]?.lcp.isOpen == true {
                counts.renegotiated += 1
                tunnel.lines[session]?.lcp.reset()
                tunnel.lines[session]?.isAuthenticated = false
                tunnel.lines[session]?.ipcp = IPCPEnd(address: settings.linkAddress.value, assigned: nextClientAddress)
                sendLCP(tunnel.lines[session]?.lcp.request(), session, tunnel)
            }
            let wasOpen = tunnel.lines[session]?.lcp.isOpen
            sendLCP(tunnel.lines[session]?.lcp.receive(packet), session, tunnel)
            if wasOpen == false, tunnel.lines[session]?.lcp.isOpen == true { challenge(session, tunnel) }
        case .terminateRequest:
            sendLCP(
                ControlPacket(code: LCPCode.terminateAck.rawValue, identifier: packet.identifier), session, tunnel)
            act(tunnel.id, at: now) {
                $0.closeSession(session, DisconnectCode(.administrative, message: "PPP ended"), at: now)
            }
            if tunnel.lines.removeValue(forKey: session) != nil { lineCount -= 1 }
        case .echoRequest:
            counts.echoesReturned += 1
            sendLCP(tunnel.lines[session]?.lcp.echoReply(packet), session, tunnel)
        case .echoReply:
            guard packet.identifier == tunnel.lines[session]?.echoIdentifier else { return }
            counts.echoesAnswered += 1
            tunnel.lines[session]?.unanswered = 0
        default: break
        }
    }

    // MARK: Authentication

    private func challenge(_ session: UInt16, _ tunnel: LNSTunnel) {
        guard tunnel.lines[session]?.lcp.demanded == .chapMD5 else { return }
        let value = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let identifier = (tunnel.lines[session]?.challengeIdentifier ?? 0) &+ 1
        tunnel.lines[session]?.challenge = value
        tunnel.lines[session]?.challengeIdentifier = identifier
        let packet = CHAP.challenge(identifier: identifier, value: value, name: "simulated-lns")
        send(PPPFrame(.chap, packet.encoded()), session, tunnel)
    }

    private func receive(chap packet: ControlPacket, _ session: UInt16, _ tunnel: LNSTunnel, at now: Instant) {
        guard packet.code == CHAP.Code.response.rawValue, let response = CHAP.Response(parsing: packet.data[...]),
            packet.identifier == tunnel.lines[session]?.challengeIdentifier
        else { return }
        tunnel.lines[session]?.userName = String(decoding: response.name, as: UTF8.self)
        check(chap: response.value, session, tunnel, at: now)
    }

    private func receive(pap packet: ControlPacket, _ session: UInt16, _ tunnel: LNSTunnel, at now: Instant) {
        guard let credentials = PAP.Credentials(parsing: packet.data[...]) else { return }
        check(password: credentials.password, packet.identifier, session, tunnel, at: now)
    }

    private func check(chap response: [UInt8], _ session: UInt16, _ tunnel: LNSTunnel, at now: Instant) {
        guard let line = tunnel.lines[session] else { return }
        let digest = Insecure.MD5.hash(
            data: [line.challengeIdentifier] + Array(settings.password.utf8) + line.challenge)
        let isRight = Array(digest) == response
        let packet = ControlPacket(
            code: (isRight ? CHAP.Code.success : .failure).rawValue, identifier: line.challengeIdentifier)
        send(PPPFrame(.chap, packet.encoded()), session, tunnel)
        judge(isRight, session, tunnel, at: now)
    }

    private func check(
        password: [UInt8], _ identifier: UInt8, _ session: UInt16, _ tunnel: LNSTunnel, at now: Instant
    ) {
        let isRight = password == Array(settings.password.utf8)
        let packet = ControlPacket(
            code: (isRight ? PAP.Code.authenticateAck : .authenticateNak).rawValue, identifier: identifier, data: [0])
        send(PPPFrame(.pap, packet.encoded()), session, tunnel)
        judge(isRight, session, tunnel, at: now)
    }

    private func judge(_ isRight: Bool, _ session: UInt16, _ tunnel: LNSTunnel, at now: Instant) {
        guard isRight else { return counts.badResponses += 1 }
        guard tunnel.lines[session]?.isAuthenticated == false else { return }
        counts.authenticated += 1
        tunnel.lines[session]?.isAuthenticated = true
        sendIPCP(tunnel.lines[session]?.ipcp.request(), session, tunnel)
        guard settings.echoInterval > .zero else { return }
        // The first one at any moment of the interval, so that the echoes of those that came at once are spread.
        setEcho(after: settings.echoInterval * Double.random(in: 0...1, using: &random), session, tunnel, at: now)
    }

    // MARK: Network and echoes

    private func receive(ipcp packet: ControlPacket, _ session: UInt16, _ tunnel: LNSTunnel) {
        guard tunnel.lines[session]?.isAuthenticated == true else { return }
        sendIPCP(tunnel.lines[session]?.ipcp.receive(packet), session, tunnel)
        // It may have missed ours.
        let isRequest = packet.code == LCPCode.configureRequest.rawValue
        if isRequest, tunnel.lines[session]?.ipcp.isTheirs == true, tunnel.lines[session]?.ipcp.isOurs == false {
            sendIPCP(tunnel.lines[session]?.ipcp.request(), session, tunnel)
        }
    }

    func echoDue(tunnel id: UInt16, session: UInt16, at now: Instant) {
        guard let tunnel = tunnels[id], let line = tunnel.lines[session], line.echoAt <= now else { return }
        guard line.unanswered < settings.echoFailures else {
            counts.deadLines += 1
            act(id, at: now) { $0.closeSession(session, DisconnectCode(.lossOfCarrier), at: now) }
            return
        }
        counts.echoesSent += 1
        tunnel.lines[session]?.unanswered &+= 1
        tunnel.lines[session]?.echoIdentifier &+= 1
        sendLCP(line.lcp.echoRequest(line.echoIdentifier &+ 1), session, tunnel)
        setEcho(after: settings.echoInterval, session, tunnel, at: now)
    }

    private func setEcho(after interval: Duration, _ session: UInt16, _ tunnel: LNSTunnel, at now: Instant) {
        tunnel.lines[session]?.echoAt = now + interval
        lineAlarms.set(UInt32(tunnel.id) << 16 | UInt32(session), at: now + interval)
    }

    /// Answers an ICMP echo request (RFC 792) whoever it is for.
    private func ping(_ packet: [UInt8], _ session: UInt16, _ tunnel: LNSTunnel) {
        guard packet.count >= 28, packet[0] == 0x45, packet[9] == 1, packet[20] == 8 else { return }
        counts.pings += 1
        var answer = packet
        answer.replaceSubrange(12..<20, with: packet[16..<20] + packet[12..<16])
        answer[20] = 0
        // The type is 8 less, so the checksum is 8 more in its upper octet, with the carry brought round (RFC 1624).
        let sum = UInt32(answer[22]) << 8 | UInt32(answer[23])
        let corrected = sum + 0x0800 > 0xffff ? sum + 0x0800 - 0xffff : sum + 0x0800
        (answer[22], answer[23]) = (UInt8(corrected >> 8), UInt8(corrected & 255))
        send(PPPFrame(PPPProtocol(rawValue: 0x0021), answer), session, tunnel)
    }

    // MARK: Output

    private func sendLCP(_ packet: ControlPacket?, _ session: UInt16, _ tunnel: LNSTunnel) {
        if let packet { send(PPPFrame(.lcp, packet.encoded()), session, tunnel) }
    }

    private func sendIPCP(_ packet: ControlPacket?, _ session: UInt16, _ tunnel: LNSTunnel) {
        if let packet { send(PPPFrame(IPCPEnd.proto, packet.encoded()), session, tunnel) }
    }

    /// A data message with the Length field, as nearly all LNSs write it.
    private func send(_ frame: PPPFrame, _ session: UInt16, _ tunnel: LNSTunnel) {
        guard let line = tunnel.lines[session] else { return }
        let ppp = frame.encoded(addressAndControl: true)
        var writer = ByteWriter(capacity: 8 + ppp.count)
        writer.write(0x4002 as UInt16)
        writer.write(UInt16(truncatingIfNeeded: 8 + ppp.count))
        writer.write(tunnel.peerTunnelID)
        writer.write(line.peerSessionID)
        writer.write(ppp)
        send(writer.bytes, in: tunnel, hasChecksum: false)
    }
}

/// What of a Configure-Request an LNS needs that takes it over.
private struct LCPOptions {
    var magic: UInt32?
    var authentication: AuthenticationProtocol?

    init(_ bytes: [UInt8]) {
        for option in (try? LCPOption.list(parsing: bytes[...])) ?? [] {
            switch option {
            case .magicNumber(let number): magic = number
            case .authenticationProtocol(let proto): authentication = proto
            default: break
            }
        }
    }
}
