import Crypto
import PPPoE
import Timing
import Wire

/// A PPPoE client: discovery, LCP, and PAP, CHAP or EAP's identity, as a simple router's would be. It sends again every three seconds and
/// gives up after ten tries.
package final class Client {
    package enum State: Equatable {
        case idle
        /// PADI was sent.
        case discovering
        /// PADR was sent.
        case requesting
        /// PADS has come.
        case session
        /// Over: by PADT, by an error in PADS, or for want of an answer.
        case closed
    }

    package enum Authentication { case chap, pap, eap }

    package let mac: MACAddress
    package let circuit: AttachmentCircuit
    package let tags: [EthernetFrame.VLANTag]
    package var userName = "alice@example.net"
    package var password = "secret"
    package var serviceName = ""
    package var authentication = Authentication.chap
    /// Whether it says anything at all. A silent client is one whose plug was pulled.
    package var isSilent = false
    /// What the access node writes into its discovery packets.
    package var vendorTag: [UInt8]?
    /// Whether it asks for its MRU again and again, whatever it is told.
    package var insistsOnMRU = false
    /// Whether it goes on after PADS.
    package var negotiates = true

    package private(set) var state = State.idle
    package private(set) var sessionID: UInt16 = 0
    /// Text of the last Generic-Error, AC-System-Error or Service-Name-Error, with the tag's type.
    package private(set) var error: Tag?
    package private(set) var isAuthenticated = false
    /// PPP frames with IPv4 packets that came, from the protocol field on.
    package private(set) var dataFrames: [[UInt8]] = []
    /// Frames that came, by kind, in order.
    package private(set) var received: [String] = []
    /// Whether it remembers what came.
    package var remembers = true
    /// When the LNS was heard last.
    package private(set) var heardAt: Instant?
    /// When PADS came.
    package private(set) var openedAt: Instant?
    package private(set) var accessConcentrator = MACAddress.broadcast

    private var hostUniq: [UInt8] = []
    private var dials: UInt8 = 0
    private var cookie: [UInt8] = []
    private var isOurSideOpen = false
    private var isTheirSideOpen = false
    private var identifier: UInt8 = 0
    private var triesLeft = 0
    /// Maximum-Receive-Unit that it asks for: 1,492, or what it was told instead.
    private var mru: [UInt8] = [0x05, 0xd4]
    package private(set) var deadline: Instant?
    private var outbox: [[UInt8]] = []
    /// The PADR that was sent last.
    package private(set) var lastRequest: [UInt8] = []

    package init(
        _ number: Int, circuit: AttachmentCircuit = AttachmentCircuit(port: 0), tags: [EthernetFrame.VLANTag] = []
    ) {
        mac = MACAddress(value: 0x0200_0000_1000 + UInt64(number))
        self.circuit = circuit
        self.tags = tags
    }

    /// Takes what it wants to send.
    package func takeFrames() -> [[UInt8]] {
        defer { outbox = [] }
        return isSilent ? [] : outbox
    }

    // MARK: What it does

    package func dial(at now: Instant) {
        dials &+= 1
        hostUniq = [0x5a, dials] + mac.octets
        sessionID = 0
        error = nil
        isAuthenticated = false
        heardAt = nil
        (isOurSideOpen, isTheirSideOpen) = (false, false)
        state = .discovering
        triesLeft = 10
        sendPADI(at: now)
    }

    package func hangUp() {
        guard state == .session else { return }
        send(PPPoEPacket(code: PPPoEPacket.padt, sessionID: sessionID, payload: []))
        close()
    }

    package func terminate() { send(PPPPacket(PPPPacket.lcp, code: 5, identifier: 0x77)) }

    /// Starts LCP over.
    package func renegotiate(at now: Instant) {
        isOurSideOpen = false
        isTheirSideOpen = false
        sendConfigureRequest(at: now)
    }

    package func sendEcho() { send(PPPPacket(PPPPacket.lcp, code: 9, identifier: 0x33, data: [0, 0, 0, 1])) }

    /// A PADT for any session.
    package func sendPADT(sessionID: UInt16) {
        send(PPPoEPacket(code: PPPoEPacket.padt, sessionID: sessionID, payload: []))
    }

    package func resendRequest() { outbox.append(lastRequest) }

    /// Forgets its session without a word, as at a power cut.
    package func forget() { close() }

    // MARK: Input

    private func note(_ kind: @autoclosure () -> String) {
        if remembers { received.append(kind()) }
    }

    /// A packet of the LNS's has come: the LNS has taken the name and the password. False when it is of no session of this client.
    package func hear(sessionID: UInt16, at now: Instant) -> Bool {
        guard state == .session, sessionID == self.sessionID else { return false }
        isAuthenticated = true
        heardAt = now
        deadline = nil
        return true
    }

    package func timerFired(at now: Instant) {
        guard let due = deadline, due <= now else { return }
        deadline = nil
        triesLeft -= 1
        guard triesLeft > 0 else {
            if state == .session { hangUp() } else { close() }
            return
        }
        switch state {
        case .discovering: sendPADI(at: now)
        case .requesting:
            resendRequest()
            deadline = now + .seconds(3)
        case .session where !isOurSideOpen: sendConfigureRequest(at: now)
        case .session where !isAuthenticated && authentication == .pap && isTheirSideOpen: sendCredentials(at: now)
        default: break
        }
    }

    package func receive(_ bytes: [UInt8], at now: Instant) {
        guard let frame = EthernetFrame(bytes[...]), frame.destination == mac,
            frame.tags == tags.filter({ $0.id != 0 }),
            let packet = PPPoEPacket(frame.payload)
        else {
            note("foreign")
            return
        }
        accessConcentrator = frame.source
        if frame.etherType == 0x8864 {
            if packet.payload.starts(with: [0, 0x21]) { return dataFrames.append(Array(packet.payload)) }
            guard let ppp = PPPPacket(packet.payload) else { return }
            note(ppp.kind)
            guard state == .session, packet.sessionID == sessionID, negotiates else { return }
            receive(ppp, at: now)
        } else {
            receive(discovery: packet, at: now)
        }
    }

    private func receive(discovery packet: PPPoEPacket, at now: Instant) {
        let errors = packet.tags.filter { $0.type >= Tag.serviceNameError }
        switch packet.code {
        case PPPoEPacket.pado:
            note("PADO")
            guard state == .discovering, packet.first(Tag.hostUniq) == hostUniq else { return }
            cookie = packet.first(Tag.cookie) ?? []
            state = .requesting
            triesLeft = 10
            sendPADR(at: now)
        case PPPoEPacket.pads:
            note("PADS")
            guard state == .requesting, packet.first(Tag.hostUniq) == hostUniq else { return }
            guard packet.sessionID != 0 else {
                error = errors.first
                return close()
            }
            sessionID = packet.sessionID
            state = .session
            openedAt = now
            triesLeft = 10
            deadline = nil
            if negotiates { sendConfigureRequest(at: now) }
        case PPPoEPacket.padt:
            note("PADT")
            guard state == .session, packet.sessionID == sessionID else { return }
            error = errors.first
            close()
        default: note("code \(packet.code)")
        }
    }

    private func receive(_ packet: PPPPacket, at now: Instant) {
        switch (packet.proto, packet.code) {
        case (PPPPacket.lcp, 1):
            let wanted: [UInt8] =
                switch authentication {
                case .chap: [0xc2, 0x23, 5]
                case .pap: [0xc0, 0x23]
                case .eap: [0xc2, 0x27]
                }
            let offered = packet.options.first { $0.type == 3 }?.value
            if let offered, offered != wanted {
                return reply(3, packet, data: [3, UInt8(2 + wanted.count)] + wanted)
            }
            if isTheirSideOpen, isOurSideOpen { renegotiate(at: now) }
            reply(2, packet, data: packet.data)
            isTheirSideOpen = true
            opened(at: now)
        case (PPPPacket.lcp, 2) where packet.identifier == identifier:
            isOurSideOpen = true
            deadline = nil
            opened(at: now)
        case (PPPPacket.lcp, 3) where packet.identifier == identifier:
            if !insistsOnMRU, let option = packet.options.first(where: { $0.type == 1 }) { mru = option.value }
            sendConfigureRequest(at: now)
        case (PPPPacket.lcp, 5): reply(6, packet)
        case (PPPPacket.lcp, 9): reply(10, packet, data: packet.data)
        case (PPPPacket.chap, 1):
            let length = Int(packet.data.first ?? 0)
            let challenge = packet.data.dropFirst().prefix(length)
            let digest = Insecure.MD5.hash(data: [packet.identifier] + Array(password.utf8) + challenge)
            send(
                PPPPacket(
                    PPPPacket.chap, code: 2, identifier: packet.identifier,
                    data: [16] + Array(digest) + Array(userName.utf8)))
        case (PPPPacket.eap, 1) where packet.data.first == 1: reply(2, packet, data: [1] + userName.utf8)
        case (PPPPacket.chap, 3), (PPPPacket.pap, 2), (PPPPacket.eap, 3): isAuthenticated = true
        default: break
        }
    }

    // MARK: Output

    private func opened(at now: Instant) {
        guard isOurSideOpen, isTheirSideOpen, authentication == .pap else { return }
        sendCredentials(at: now)
    }

    private func sendPADI(at now: Instant) {
        send(
            PPPoEPacket(
                code: PPPoEPacket.padi,
                tags: [
                    Tag(type: Tag.serviceName, value: Array(serviceName.utf8)),
                    Tag(type: Tag.hostUniq, value: hostUniq),
                ] + lineTags),
            to: .broadcast)
        deadline = now + .seconds(3)
    }

    private var lineTags: [Tag] { vendorTag.map { [Tag(type: Tag.vendorSpecific, value: $0)] } ?? [] }

    private func sendPADR(at now: Instant) {
        send(
            PPPoEPacket(
                code: PPPoEPacket.padr,
                tags: [
                    Tag(type: Tag.serviceName, value: Array(serviceName.utf8)),
                    Tag(type: Tag.hostUniq, value: hostUniq),
                    Tag(type: Tag.cookie, value: cookie),
                ] + lineTags))
        lastRequest = outbox.last ?? []
        deadline = now + .seconds(3)
    }

    private func sendConfigureRequest(at now: Instant) {
        identifier &+= 1
        send(
            PPPPacket(
                PPPPacket.lcp, code: 1, identifier: identifier,
                data: [1, 4] + mru + [5, 6] + mac.octets.suffix(4)))
        deadline = now + .seconds(3)
    }

    private func sendCredentials(at now: Instant) {
        let name = Array(userName.utf8)
        let secret = Array(password.utf8)
        identifier &+= 1
        send(
            PPPPacket(
                PPPPacket.pap, code: 1, identifier: identifier,
                data: [UInt8(name.count)] + name + [UInt8(secret.count)] + secret))
        deadline = now + .seconds(3)
    }

    private func reply(_ code: UInt8, _ packet: PPPPacket, data: [UInt8] = []) {
        send(PPPPacket(packet.proto, code: code, identifier: packet.identifier, data: data))
    }

    package func send(_ packet: PPPPacket) {
        let pppoe = PPPoEPacket(code: 0, sessionID: sessionID, payload: packet.bytes)
        outbox.append(
            EthernetFrame(
                destination: accessConcentrator, source: mac, tags: tags, etherType: 0x8864, payload: pppoe.bytes
            ).bytes)
    }

    private func send(_ packet: PPPoEPacket, to destination: MACAddress? = nil) {
        outbox.append(
            EthernetFrame(
                destination: destination ?? accessConcentrator, source: mac, tags: tags, etherType: 0x8863,
                payload: packet.bytes
            ).bytes)
    }

    private func close() {
        state = .closed
        deadline = nil
    }
}
