import L2TP
import Observability
import PPPoE
import Roles
import Segment
import Timing
import Wire

// What goes between the parties, and the data plane's part of it.
extension Simulation {
    func perform(_ happening: Happening) {
        switch happening {
        case .frameToNode(let port, let bytes): receive(bytes, port: port)
        case .frameToClient(let index, let bytes):
            clients[index].receive(bytes, at: now)
            collect(client: index)
        case .frameToLNS(let index, let bytes):
            lnses[index].receive(bytes, at: now)
            collect(lns: index)
        case .dataToLNS(let index, let tunnel, let session, let client):
            lnsHears(index, tunnel: tunnel, session: session, from: client)
        case .dataToNode(let index, let tunnel, let session): forwardBack(lns: index, tunnel: tunnel, session: session)
        case .dataToClient(let index, let sessionID):
            if clients[index].hear(sessionID: sessionID, at: now) { tally[.dataBack] += 1 }
        case .requestToRADIUS(let index, let datagram, let port, let socket):
            serve(datagram, server: index, port: port, socket: socket)
        case .answerFromRADIUS(let index, let datagram, let port, let socket, let run):
            guard run == self.run, isRunning else { return }  // its sockets are gone
            say("radius \(index) > node", "answer")
            enter("RADIUS") {
                node.receiveRADIUS(
                    datagram, from: .v4(Self.radiusAddresses[index]), port: port, socket: socket, at: now)
            }
        case .answerFromNames(let query, let result, let run):
            guard run == self.run, isRunning else { return }
            say("names > node", "\(query.name) is \(result)")
            enter("names") { node.resolved(query, result, at: now) }
        case .written: release()
        case .boot: boot()
        case .deed: deed()
        case .tick: tick()
        case .mend(let mending): mend(mending)
        }
    }

    // MARK: The data plane's part

    private func receive(_ bytes: [UInt8], port: UInt16) {
        guard let frame = EthernetFrame(bytes[...]) else { return }
        if trace != nil { say(port == 0 ? "client > node" : "lns > node", words(frame)) }
        var punted: PuntedFrame?
        switch (port, frame.etherType) {
        case (0, 0x8863):
            punted = PuntedFrame(puntClass: .pppoeDiscovery, port: port, bytes: bytes)
            if isRunning, let packet = PPPoEPacket(frame.payload), packet.code == PPPoEPacket.padt {
                heardPADT = (frame.source, packet.sessionID)
            }
        case (0, 0x8864): punted = forward(frame, bytes)
        case (1, 0x0806): punted = PuntedFrame(puntClass: .arp, port: port, bytes: bytes)
        case (1, 0x0800): punted = control(frame, bytes)
        default: break
        }
        guard let punted, isRunning else { return }
        enter("frame") { node.receive(punted, at: now) }
    }

    private func control(_ frame: EthernetFrame, _ bytes: [UInt8]) -> PuntedFrame? {
        guard let datagram = Datagram(frame.payload) else { return nil }
        guard datagram.destinationPort == 1701, (datagram.payload.first ?? 0) & 0x80 != 0 else {
            return PuntedFrame(puntClass: .ipv4, port: 1, bytes: bytes)
        }
        return PuntedFrame(puntClass: .l2tpControl, port: 1, bytes: tampered(frame, datagram) ?? bytes)
    }

    /// A client's PPP frame: to the LNS, where its session forwards; else it is handed over.
    private func forward(_ frame: EthernetFrame, _ bytes: [UInt8]) -> PuntedFrame? {
        guard let packet = PPPoEPacket(frame.payload) else { return nil }
        let circuit = AttachmentCircuit(port: 0, outerVLAN: 0, innerVLAN: 0)
        guard let slot = table.find(circuit, client: frame.source, sessionID: packet.sessionID) else {
            return PuntedFrame(puntClass: .unknownSession, port: 0, bytes: bytes)
        }
        guard let line = table.upstreams[slot], let downstream = line.downstream,
            let other = table.downstreams[downstream]
        else { return PuntedFrame(puntClass: .pppControl, port: 0, upstreamSlot: slot, bytes: bytes) }
        guard let path = table.tunnels[other.tunnel]?.paths.last, let nextHop = path.nextHop,
            let peerSession = other.peerSessionID,
            let index = lnses.firstIndex(where: { .v4($0.address) == path.peer.address && $0.mac == nextHop })
        else { return nil }
        table.countUpstream(slot, octets: packet.payload.count)
        tally[.dataForward] += 1
        put(
            .dataToLNS(index, tunnel: path.peerTunnelID, session: peerSession, from: frame.source), by: .lns(index))
        return nil
    }

    /// Whatever the LNS hears of a client it answers with a packet.
    private func lnsHears(_ index: Int, tunnel: UInt16, session: UInt16, from client: MACAddress) {
        let lns = lnses[index]
        guard !lns.isDead, lns.sessions[tunnel]?[session] != nil, let machine = lns.tunnels[tunnel],
            let known = machine.sessions[session], let peerTunnel = machine.peer?.tunnelID,
            let peerSession = known.peerID
        else { return }
        if known.request.callingNumber != client.description {
            violate("LNS \(index) has \(client)'s packet for session \(tunnel)/\(session) of \(caller(of: known))")
        }
        heardAt[index, default: [:]][tunnel, default: [:]][session] = now
        put(.dataToNode(index, tunnel: peerTunnel, session: peerSession), by: .lns(index))
    }

    private func caller(of session: L2TP.Session) -> String { session.request.callingNumber ?? "nobody" }

    private func forwardBack(lns index: Int, tunnel: UInt16, session: UInt16) {
        guard let slot = table.find(tunnel: tunnel, sessionID: session), let line = table.upstreams[slot],
            table.tunnels[tunnel]?.paths.last?.peer.address == .v4(lnses[index].address),
            let client = clients.firstIndex(where: { $0.mac == line.client })
        else { return }
        table.countDownstream(slot, octets: 60)
        put(.dataToClient(client, sessionID: line.sessionID), by: .client(client))
    }

    // MARK: On the way

    /// One entry point is over: what came of it goes out when the store has written what it has to.
    func finishTurn() {
        var sessionsUp: UInt64 = 0
        for event in outbox.events {
            note(event)
            if case .sessionUp = event { sessionsUp += 1 }
        }
        for query in outbox.queries { ask(query) }
        let batch = Disk.Batch(
            changes: node.takeChanges(), records: journal.takeOperations(), frames: outbox.frames,
            radius: outbox.radius, sessionsUp: sessionsUp)
        outbox.forget()
        disk.add(batch, at: now, &chance)
        release()
        if let next = disk.next { queue.add(.written, at: next) }
    }

    /// Sends what waits for nothing any more.
    func release() {
        while isRunning, let batch = disk.take(at: now) {
            send(batch.frames)
            for datagram in batch.radius {
                ask(datagram.datagram, socket: datagram.socket, address: datagram.address, port: datagram.port)
            }
        }
    }

    private func send(_ frames: [(bytes: [UInt8], port: UInt16)]) {
        for (bytes, port) in frames {
            guard let frame = EthernetFrame(bytes[...]) else { continue }
            digest(bytes, UInt64(port))
            if trace != nil { say(port == 0 ? "node > client" : "node > lns", words(frame)) }
            if port == 0 {
                guard let index = clients.firstIndex(where: { $0.mac == frame.destination }) else { continue }
                put(.frameToClient(index, bytes), by: .client(index))
            } else {
                for index in lnses.indices
                where frame.destination == .broadcast || frame.destination == lnses[index].mac {
                    put(.frameToLNS(index, bytes), by: .lns(index))
                }
            }
        }
    }

    func collect(client index: Int) {
        for bytes in clients[index].takeFrames() {
            digest(bytes, 2)
            put(.frameToNode(port: 0, bytes), by: .client(index))
        }
    }

    func collect(lns index: Int) {
        lnsDeadlines[index] = lnses[index].deadline ?? .distantFuture
        for bytes in lnses[index].takeFrames() {
            digest(bytes, 3)
            watch(bytes, lns: index)
            put(.frameToNode(port: 1, bytes), by: .lns(index))
        }
    }

    /// Puts something on its way, or loses it.
    func put(_ happening: Happening, by link: Network.Link) {
        tally[.frames] += 1
        guard let (first, second) = network.arrivals(by: link, at: now, tally: &tally) else {
            say("network", "lost the last one, at \(link)")
            return
        }
        queue.add(happening, at: first)
        if let second { queue.add(happening, at: second) }
    }

    private func note(_ event: Event.Kind) {
        digest(event.name.utf8, 4)
        say("node", "event \(event.name)")
        switch event {
        case .sessionUp: tally[.sessionsUp] += 1
        case .sessionDown: tally[.sessionsDown] += 1
        case .tunnelUp: tally[.tunnelsUp] += 1
        case .tunnelDown: tally[.tunnelsDown] += 1
        default: break
        }
    }

    /// A frame in words, for the trace.
    private func words(_ frame: EthernetFrame) -> String {
        guard let kind = kind(of: frame, secret: Self.secret) else { return "\(frame.source) ARP" }
        switch frame.etherType {
        case 0x0800:
            guard let datagram = Datagram(frame.payload),
                let (header, _) = try? ControlHeader.decode(datagram.payload[...])
            else { return kind }
            return "\(kind) tunnel \(header.tunnelID) session \(header.sessionID) ns \(header.ns) nr \(header.nr)"
        default:
            let client = frame.source == Self.accessMAC ? frame.destination : frame.source
            return "\(kind) session \(PPPoEPacket(frame.payload)?.sessionID ?? 0), client \(client)"
        }
    }

    // MARK: Whether the other end is still there

    /// Clients send a packet each, and give up when nothing has come back for long; LNSs end what they have not heard of.
    private func tick() {
        for index in clients.indices {
            let client = clients[index]
            guard client.state == .session, let heard = client.heardAt ?? client.openedAt else { continue }
            if now - heard > .seconds(25) {
                say("client \(index)", "has not heard of its LNS for long")
                client.hangUp()
            } else if client.heardAt != nil {
                client.send(PPPPacket(0x0021, code: 0x45, identifier: 0, data: [0, 0]))
            }
            collect(client: index)
        }
        for index in lnses.indices { endSilentSessions(of: index) }
        queue.add(.tick, at: now + .seconds(5))
    }

    private func endSilentSessions(of index: Int) {
        let lns = lnses[index]
        for (tunnel, sessions) in lns.sessions.sorted(by: { $0.key < $1.key }) {
            for session in sessions.keys.sorted() {
                guard let heard = heardAt[index]?[tunnel]?[session] else {
                    heardAt[index, default: [:]][tunnel, default: [:]][session] = now
                    continue
                }
                guard now - heard > .seconds(30) else { continue }
                say("lns \(index)", "has not heard of session \(tunnel)/\(session) for long")
                lns.disconnect(tunnel: tunnel, session: session, .lossOfCarrier, at: now)
            }
        }
        collect(lns: index)
    }
}
