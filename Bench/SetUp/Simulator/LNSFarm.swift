import Host
import L2TP
import Timing
import Wire

/// LNSs in user space: ARP, the control side of L2TP by the project's own module as responder, and PPP as far as a client needs it.
final class LNSFarm {
    let settings: LNSSettings
    let port: PacketPort
    var counts = LNSCounts()
    /// Tunnels by our id.
    var tunnels: [UInt16: LNSTunnel] = [:]
    /// Sessions, all tunnels together.
    var lineCount = 0
    var peerMAC = MACAddress.broadcast
    var random = SystemRandomNumberGenerator()
    /// Alarms of tunnels, and of lines: tunnel and session.
    private var tunnelAlarms = Alarms()
    var lineAlarms = Alarms()
    private var nextTunnel: UInt16 = 0
    private var nextIdentification: UInt16 = 0
    var nextClientAddress: UInt32
    /// Our ids of tunnels by who opened them: address and id there.
    private var openedBy: [UInt64: UInt16] = [:]
    private let addresses: Set<UInt32>

    init(_ settings: LNSSettings, port: PacketPort) {
        self.settings = settings
        self.port = port
        nextClientAddress = settings.firstClientAddress.value
        addresses = Set(settings.addresses.map(\.value))
    }

    // MARK: What they are told to do

    /// Ends all tunnels by StopCCN, as an LNS that is restarted does.
    func stop(at now: Instant) {
        for id in tunnels.keys.sorted() { act(id, at: now) { $0.close(StopCode(.shuttingDown), at: now) } }
    }

    // MARK: Input

    /// Does what is due.
    func timersFired(at now: Instant) {
        while let number = tunnelAlarms.due(at: now) {
            let id = UInt16(truncatingIfNeeded: number)
            guard let deadline = tunnels[id]?.machine.deadline, deadline <= now else { continue }
            act(id, at: now) { $0.timerFired(at: now) }
        }
        while let number = lineAlarms.due(at: now) {
            echoDue(tunnel: UInt16(number >> 16), session: UInt16(truncatingIfNeeded: number), at: now)
        }
    }

    /// Takes a frame that has come in by the port.
    func receive(_ bytes: [UInt8], at now: Instant) {
        guard let frame = EthernetFrame(bytes[...]),
            frame.destination == LNSSettings.mac || frame.destination == .broadcast
        else { return }
        switch frame.etherType {
        case EthernetFrame.typeARP: receive(arp: frame.payload)
        case EthernetFrame.typeIPv4: receive(ipv4: frame.payload, from: frame.source, at: now)
        default: break
        }
    }

    private func receive(arp bytes: ArraySlice<UInt8>) {
        guard let request = ARPMessage(parsing: bytes), request.operation == .request,
            addresses.contains(request.targetAddress.value)
        else { return }
        let reply = ARPMessage(
            .reply, senderMAC: LNSSettings.mac, senderAddress: request.targetAddress, targetMAC: request.senderMAC,
            targetAddress: request.senderAddress)
        port.send(
            EthernetFrame(
                destination: request.senderMAC, source: LNSSettings.mac, etherType: EthernetFrame.typeARP,
                payload: reply.bytes
            ).bytes)
    }

    private func receive(ipv4 bytes: ArraySlice<UInt8>, from source: MACAddress, at now: Instant) {
        guard let packet = try? IPv4Packet(parsing: bytes), addresses.contains(packet.destination.value),
            packet.protocolNumber == IPv4Packet.ProtocolNumber.udp,
            let datagram = try? UDPDatagram(
                parsing: packet.payload, from: .v4(packet.source), to: .v4(packet.destination), interface: 0),
            datagram.destination.port == Self.l2tpPort
        else { return counts.strayFrames += 1 }
        peerMAC = source
        guard let first = datagram.payload.first else { return }
        if first & 0x80 == 0 { return receive(data: datagram.payload, at: now) }
        receive(
            control: datagram.payload, from: packet.source.value, port: datagram.source.port,
            to: packet.destination.value, at: now)
    }

    static let l2tpPort: UInt16 = 1701

    /// A data message in any of its forms (RFC 2661, section 3.1).
    private func receive(data bytes: ArraySlice<UInt8>, at now: Instant) {
        var reader = ByteReader(bytes)
        guard let flags = reader.readUInt16(), flags & 15 == 2 else { return counts.strayFrames += 1 }
        if flags & 0x4000 != 0 { _ = reader.readUInt16() }
        guard let tunnel = reader.readUInt16(), let session = reader.readUInt16() else { return }
        if flags & 0x0800 != 0 { _ = reader.readUInt32() }
        if flags & 0x0200 != 0 { _ = reader.readUInt16().flatMap { reader.readBytes(Int($0)) } }
        receive(ppp: reader.readRemaining(), tunnel: tunnel, session: session, at: now)
    }

    // MARK: Tunnels

    private func receive(
        control bytes: ArraySlice<UInt8>, from peer: UInt32, port: UInt16, to address: UInt32, at now: Instant
    ) {
        guard let header = try? ControlHeader.decode(bytes).0 else { return counts.strayFrames += 1 }
        var id = header.tunnelID
        if id == 0 {
            guard case .request(let start)? = try? InitialMessage.decode(bytes, secret: settings.secret) else { return }
            id = tunnel(for: start, from: peer, port: port, to: address)
        }
        act(id, at: now) { $0.receive(datagram: bytes, at: now) }
    }

    /// The tunnel that SCCRQ opens: a new one, unless it has come before.
    private func tunnel(
        for start: StartControlConnection, from peer: UInt32, port: UInt16, to address: UInt32
    ) -> UInt16 {
        let key = UInt64(peer) << 16 | UInt64(start.assignedTunnelID)
        if let known = openedBy[key], let tunnel = tunnels[known], tunnel.machine.end == nil,
            tunnel.machine.state != .established, tunnel.challenge == start.challenge
        {
            return known
        }
        repeat { nextTunnel &+= 1 } while nextTunnel == 0 || tunnels[nextTunnel] != nil
        var configuration = TunnelConfiguration(hostName: "simulated-lns")
        configuration.sharedSecret = settings.secret
        configuration.acceptsCalls = true
        configuration.helloInterval = settings.helloInterval
        configuration.transport.receiveWindow = 64
        guard
            let machine = try? Tunnel(
                role: .responder, localID: nextTunnel, configuration: configuration,
                random: SystemRandomNumberGenerator())
        else { return 0 }
        tunnels[nextTunnel] = LNSTunnel(
            id: nextTunnel, address: address, peerAddress: peer, peerPort: port, peerTunnelID: start.assignedTunnelID,
            challenge: start.challenge, machine: machine)
        openedBy[key] = nextTunnel
        counts.tunnelsOpened += 1
        return nextTunnel
    }

    func act(_ id: UInt16, at now: Instant, _ body: (inout Tunnel) -> [TunnelAction]) {
        guard let tunnel = tunnels[id] else { return }
        for action in body(&tunnel.machine) {
            switch action {
            case .send(let payload): send(payload, in: tunnel, hasChecksum: true)
            case .incomingCall(let call): take(call, in: tunnel, at: now)
            case .sessionUp(let information): lineUp(information, in: tunnel, at: now)
            case .sessionDown(let session, _):
                counts.callsEnded += 1
                if tunnel.lines.removeValue(forKey: session) != nil { lineCount -= 1 }
            case .released: release(tunnel)
            case .bindPeer, .tunnelUp, .tunnelDown, .linkInfo, .wanError, .connectSpeeds, .note: break
            }
        }
        if let deadline = tunnel.machine.deadline { tunnelAlarms.set(UInt32(id), at: deadline) }
    }

    private func take(_ call: IncomingCallRequest, in tunnel: LNSTunnel, at now: Instant) {
        repeat {
            tunnel.nextSession &+= 1
        } while tunnel.nextSession == 0
            || tunnel.machine.sessions[tunnel.nextSession] != nil
        let session = tunnel.nextSession
        counts.callsTaken += 1
        act(tunnel.id, at: now) {
            (try? $0.acceptCall(peerSessionID: call.assignedSessionID, localID: session, at: now)) ?? []
        }
    }

    private func release(_ tunnel: LNSTunnel) {
        counts.hellosSent += Int(tunnel.machine.statistics.counters.hellosSent)
        counts.hellosReceived += Int(tunnel.machine.statistics.counters.hellosReceived)
        tunnels[tunnel.id] = nil
        let key = UInt64(tunnel.peerAddress) << 16 | UInt64(tunnel.peerTunnelID)
        if openedBy[key] == tunnel.id { openedBy[key] = nil }
    }

    /// HELLOs sent and received by all tunnels that there are and were.
    var hellos: (sent: Int, received: Int) {
        tunnels.values.reduce((counts.hellosSent, counts.hellosReceived)) { sum, tunnel in
            let counters = tunnel.machine.statistics.counters
            return (sum.0 + Int(counters.hellosSent), sum.1 + Int(counters.hellosReceived))
        }
    }

    // MARK: Output

    /// Sends a message of a tunnel. LNSs mostly leave the UDP checksum of data messages out.
    func send(_ payload: [UInt8], in tunnel: LNSTunnel, hasChecksum: Bool) {
        let (source, destination) = (IPv4Address(value: tunnel.address), IPv4Address(value: tunnel.peerAddress))
        var datagram = UDPDatagram.bytes(
            from: UDPEndpoint(.v4(source), Self.l2tpPort), to: UDPEndpoint(.v4(destination), tunnel.peerPort),
            payload: payload)
        if !hasChecksum { (datagram[6], datagram[7]) = (0, 0) }
        nextIdentification &+= 1
        let packet = IPv4Packet.bytes(
            from: source, to: destination, protocol: IPv4Packet.ProtocolNumber.udp, typeOfService: 0,
            identification: nextIdentification, payload: datagram)
        port.send(
            EthernetFrame(
                destination: peerMAC, source: LNSSettings.mac, etherType: EthernetFrame.typeIPv4, payload: packet
            ).bytes)
    }
}
