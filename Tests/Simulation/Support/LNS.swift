import L2TP
import Timing
import Wire

/// An LNS on the core network: the other end of `L2TP.Tunnel` behind UDP, IPv4, Ethernet and ARP.
package final class LNS {
    package let address: IPv4Address
    package private(set) var mac: MACAddress
    package var secret: [UInt8]?
    /// Answers nothing at all, ARP included.
    package var isDead = false
    /// Answers ARP, and no L2TP.
    package var isMute = false
    /// Takes calls at once; else `waiting` holds them.
    package var takesCalls = true
    /// UDP port that it answers from.
    package var answerPort: UInt16 = 1701
    /// By our id. They send no HELLO of their own.
    package var tunnels: [UInt16: Tunnel] = [:]
    /// Calls that wait: tunnel and the LAC's session id.
    package private(set) var waiting: [(tunnel: UInt16, session: UInt16)] = []
    /// Sessions that are up, by tunnel: our id and what ICCN said.
    package var sessions: [UInt16: [UInt16: CallConnected]] = [:]
    /// What ICRQs said, in order.
    package private(set) var requests: [IncomingCallRequest] = []
    /// Messages that cannot be read without the secret.
    package private(set) var unreadable: [String] = []
    /// PPP's cause that goes with the next refusals and disconnections.
    package var cause: PPPDisconnectCause?
    /// PPP's causes that came with CDN.
    package private(set) var causes: [PPPDisconnectCause?] = []
    /// Messages that came, by kind, in order.
    package private(set) var received: [String] = []
    /// Whether it remembers what came: requests, messages and causes.
    package var remembers = true
    /// Spoils what is sent.
    package var spoil: ((inout [UInt8]) -> Void)?
    /// Changes the settings of tunnels to come.
    package var adjust: (inout TunnelConfiguration) -> Void = { _ in }

    /// What it says of failovers.
    package var failover: FailoverCapability?
    /// Its recovery tunnels, by our id, with the tunnel that each concerns.
    package var recoveries: [UInt16: (machine: RecoveryTunnel, tunnel: UInt16)] = [:]
    /// Why recoveries have come to nothing.
    package var failures: [TunnelEnd] = []

    struct Peer {
        var address: IPv4Address
        var port: UInt16
        var mac: MACAddress
        var tunnelID: UInt16
        var challenge: [UInt8]?
    }
    var peers: [UInt16: Peer] = [:]
    var lastTunnelID: UInt16 = 0x100
    private var lastSessionID: UInt16 = 0x2000
    var random: SeededGenerator
    private var outbox: [[UInt8]] = []

    package init(_ address: IPv4Address, secret: [UInt8]? = nil, seed: UInt64 = 1) {
        self.address = address
        self.secret = secret
        mac = MACAddress(value: 0x0200_0000_2000 + UInt64(address.value & 0xff))
        random = SeededGenerator(state: seed)
    }

    package func takeFrames() -> [[UInt8]] {
        defer { outbox = [] }
        return isDead ? [] : outbox
    }

    package var deadline: Instant? {
        var first: Instant?
        for tunnel in tunnels.values {
            if let deadline = tunnel.deadline { first = min(first ?? deadline, deadline) }
        }
        for recovery in recoveries.values {
            if let deadline = recovery.machine.deadline { first = min(first ?? deadline, deadline) }
        }
        return first
    }
    /// Sessions that are up, all tunnels together.
    package var sessionCount: Int { sessions.values.reduce(0) { $0 + $1.count } }

    // MARK: What it does

    /// Loses all memory, as at a crash.
    package func restart() {
        tunnels = [:]
        peers = [:]
        sessions = [:]
        waiting = []
    }

    /// Comes up on another card, and tells.
    package func move(to mac: MACAddress, telling node: MACAddress) {
        self.mac = mac
        arp(2, to: .broadcast, targetMAC: node, target: address)
    }

    package func disconnect(_ result: DisconnectResult, at now: Instant) {
        for (tunnel, ids) in sessions.mapValues({ $0.keys.sorted() }).sorted(by: { $0.key < $1.key }) {
            for id in ids { disconnect(tunnel: tunnel, session: id, result, at: now) }
        }
    }

    package func disconnect(tunnel: UInt16, session: UInt16, _ result: DisconnectResult, at now: Instant) {
        sessions[tunnel]?[session] = nil
        act(tunnel, at: now) { $0.closeSession(session, DisconnectCode(result), cause: cause, at: now) }
    }

    package func stop(_ result: StopResult, at now: Instant) {
        for id in tunnels.keys.sorted() { act(id, at: now) { $0.close(StopCode(result), at: now) } }
    }

    package func answerCalls(at now: Instant) {
        let calls = waiting
        waiting = []
        for call in calls { take(call.session, tunnel: call.tunnel, at: now) }
    }

    package func refuseCalls(_ result: DisconnectResult, at now: Instant) {
        let calls = waiting
        waiting = []
        for call in calls {
            act(call.tunnel, at: now) {
                $0.refuseCall(peerSessionID: call.session, DisconnectCode(result), cause: cause, at: now)
            }
        }
    }

    package func timerFired(at now: Instant) {
        for id in tunnels.keys.sorted() where tunnels[id]?.deadline.map({ $0 <= now }) == true {
            act(id, at: now) { $0.timerFired(at: now) }
        }
        recoveryTimersFired(at: now)
    }

    // MARK: Input

    package func receive(_ bytes: [UInt8], at now: Instant) {
        guard !isDead, let frame = EthernetFrame(bytes[...]) else { return }
        guard frame.destination == mac || frame.destination == .broadcast else { return }
        if frame.etherType == 0x0806 { return receive(arp: frame.payload) }
        guard frame.etherType == 0x0800, let datagram = Datagram(frame.payload), datagram.destination == address
        else { return }
        if remembers { received.append(kind(ofControl: datagram.payload, secret: secret)) }
        guard !isMute, let (header, body) = try? ControlHeader.decode(datagram.payload[...]) else { return }
        if remembers, !body.isEmpty, (try? ControlMessage.decode(body, secret: nil)) == nil, let last = received.last {
            unreadable.append(last)
        }
        var id = header.tunnelID
        if id == 0 {
            guard case .request(let start)? = try? InitialMessage.decode(datagram.payload[...], secret: secret) else {
                return
            }
            if let recovery = start.recovery, takes(recovery, start, datagram, mac: frame.source, at: now) { return }
            // SCCRQ sent again has the same challenge; an id that comes with another is a new tunnel's.
            id =
                peers.keys.sorted().first {
                    peers[$0]?.tunnelID == start.assignedTunnelID && peers[$0]?.challenge == start.challenge
                        && tunnels[$0]?.end == nil
                } ?? 0
            if id == 0 {
                // The tunnel that had the id before is lost to its other end.
                for old in tunnels where old.value.peer?.tunnelID == start.assignedTunnelID { drop(old.key) }
                id = newTunnel(for: start, from: datagram, mac: frame.source)
            }
        }
        if recoveries[id] != nil {
            return recover(id, at: now) { $0.receive(datagram: datagram.payload[...], at: now) }
        }
        act(id, at: now) { $0.receive(datagram: datagram.payload[...], at: now) }
    }

    private func newTunnel(for start: StartControlConnection, from datagram: Datagram, mac: MACAddress) -> UInt16 {
        lastTunnelID += 1
        var settings = TunnelConfiguration(hostName: "lns")
        settings.sharedSecret = secret
        settings.acceptsCalls = true
        settings.helloInterval = .zero
        settings.failover = failover
        adjust(&settings)
        do {
            tunnels[lastTunnelID] = try Tunnel(
                role: .responder, localID: lastTunnelID, configuration: settings,
                random: SeededGenerator(state: random.next()))
        } catch { return 0 }
        peers[lastTunnelID] = Peer(
            address: datagram.source, port: datagram.sourcePort, mac: mac,
            tunnelID: start.assignedTunnelID, challenge: start.challenge)
        return lastTunnelID
    }

    private func receive(arp bytes: ArraySlice<UInt8>) {
        var reader = ByteReader(bytes)
        guard reader.readUInt64() == 0x0001_0800_0604_0001,
            let sender = reader.readBytes(6).flatMap({ MACAddress($0) }),
            let source = reader.readUInt32(), reader.readBytes(6) != nil, reader.readUInt32() == address.value
        else { return }
        arp(2, to: sender, targetMAC: sender, target: IPv4Address(value: source))
    }

    private func arp(_ operation: UInt16, to destination: MACAddress, targetMAC: MACAddress, target: IPv4Address) {
        var writer = ByteWriter()
        for field in [1, 0x0800, 0x0604, operation] as [UInt16] { writer.write(field) }
        writer.write(mac.octets + address.octets + targetMAC.octets + target.octets)
        outbox.append(
            EthernetFrame(destination: destination, source: mac, etherType: 0x0806, payload: writer.bytes).bytes)
    }

    // MARK: Tunnels

    func act(_ id: UInt16, at now: Instant, _ body: (inout Tunnel) -> [TunnelAction]) {
        guard var tunnel = tunnels[id] else { return }
        let actions = body(&tunnel)
        tunnels[id] = tunnel
        for action in actions {
            switch action {
            case .send(let payload): send(payload, tunnel: id)
            case .incomingCall(let call):
                if remembers { requests.append(call) }
                waiting.append((id, call.assignedSessionID))
                if takesCalls { answerCalls(at: now) }
            case .sessionUp(let information): sessions[id, default: [:]][information.localID] = information.connected
            case .sessionDown(let session, let end):
                if remembers, end.origin == .peer { causes.append(end.pppCause) }
                sessions[id]?[session] = nil
            case .released: drop(id)
            case .bindPeer, .tunnelUp, .tunnelDown, .linkInfo, .wanError, .connectSpeeds, .note: break
            }
        }
    }

    private func drop(_ id: UInt16) {
        tunnels[id] = nil
        peers[id] = nil
        sessions[id] = nil
        waiting.removeAll { $0.tunnel == id }
    }

    private func take(_ session: UInt16, tunnel: UInt16, at now: Instant) {
        lastSessionID &+= 1
        let id = lastSessionID
        act(tunnel, at: now) { (try? $0.acceptCall(peerSessionID: session, localID: id, at: now)) ?? [] }
    }

    func send(_ payload: [UInt8], tunnel: UInt16) {
        guard !isMute, let peer = peers[tunnel] else { return }
        var payload = payload
        spoil?(&payload)
        let datagram = Datagram(from: address, answerPort, to: peer.address, peer.port, payload: payload)
        outbox.append(
            EthernetFrame(destination: peer.mac, source: mac, etherType: 0x0800, payload: datagram.bytes).bytes)
    }
}
