import Configuration
import Observability
import PPP
import PPPoE
import Timing
import Wire

extension ControlNode {
    static let discoveryType: UInt16 = 0x8863
    static let sessionType: UInt16 = 0x8864

    /// PPPoE discovery (RFC 2516, section 5). Nothing is remembered before a PADR has brought a cookie back.
    func receiveDiscovery(_ frame: EthernetFrame, port: UInt16, at now: Instant) {
        guard frame.etherType == Self.discoveryType, let (interface, circuit) = accessSide(of: frame, port: port)
        else { return }
        let tags = Self.tags(of: frame)
        let outcome = interface.discovery.receive(
            frame.payload, from: frame.source, to: frame.destination, on: circuit, at: now)
        count(received: outcome)
        debugDiscovery(frame, outcome, circuit)
        switch outcome {
        // Whoever is drained makes no offers; another access concentrator may.
        case .send(let packet) where packet.code == .pado && isDrained(interface): break
        case .send(let packet): send(packet, to: frame.source, on: interface, tags: tags)
        case .open(let request): open(request, tags: tags, interface: interface, at: now)
        case .terminate(let termination): clientTerminated(termination, at: now)
        case .drop(let refusal):
            logger.debug(
                "discovery packet dropped",
                metadata: [
                    "reason": "\(refusal.reason)", "mac": "\(frame.source)", "interface": "\(interface.name)",
                ])
        }
    }

    /// Whether no instance of the interface takes new clients.
    private func isDrained(_ interface: AccessInterface) -> Bool {
        interface.discovery.instances.allSatisfy { drainedFor(instance: $0.name, port: interface.port) != nil }
    }

    private func debugDiscovery(
        _ frame: EthernetFrame, _ outcome: DiscoveryServer.Outcome, _ circuit: AttachmentCircuit
    ) {
        debug(.accessConcentrator, DebugScope(client: frame.source)) {
            let place = "on \(portName(circuit.port)) VLANs \(circuit.outerVLAN).\(circuit.innerVLAN)"
            return switch outcome {
            case .send(let packet): "answering with \(packet.code) \(place)"
            case .open(let request): "PADR for '\(String(decoding: request.serviceName, as: UTF8.self))' \(place)"
            case .terminate(let termination): "PADT for session \(termination.sessionID) \(place)"
            case .drop(let refusal): "dropped: \(refusal.reason) \(place)"
            }
        }
    }

    private func count(received outcome: DiscoveryServer.Outcome) {
        switch outcome {
        case .send(let packet) where packet.code == .pado: statistics.count(.pppoePadiReceived)
        case .send:
            // A PADS that refuses: the service is not offered.
            statistics.count(.pppoePadrReceived)
            statistics.count(.pppoeInvalidPadr)
        case .open: statistics.count(.pppoePadrReceived)
        case .terminate: statistics.count(.pppoePadtReceived)
        case .drop(let refusal):
            switch refusal.code {
            case .padi:
                statistics.count(.pppoePadiReceived)
                if refusal.isInvalid { statistics.count(.pppoeInvalidPadi) }
            case .padr:
                statistics.count(.pppoePadrReceived)
                statistics.count(.pppoeInvalidPadr)
            case .padt:
                statistics.count(.pppoePadtReceived)
                statistics.count(.pppoeInvalidPadt)
            case .pado, .pads, nil: break
            }
        }
    }

    /// Sends a discovery packet to a client, with the tags that its own frames carry.
    func send(
        _ packet: DiscoveryPacket, to client: MACAddress, on interface: AccessInterface, tags: [EthernetFrame.VLANTag]
    ) {
        send(packet, to: client, from: interface.mac, port: interface.port, tags: tags)
    }

    /// The same from a port that may serve nobody.
    func send(
        _ packet: DiscoveryPacket, to client: MACAddress, from mac: MACAddress, port: UInt16,
        tags: [EthernetFrame.VLANTag]
    ) {
        switch packet.code {
        case .pado: statistics.count(.pppoePadoSent)
        case .pads: statistics.count(.pppoePadsSent)
        case .padt: statistics.count(.pppoePadtSent)
        case .padi, .padr: break
        }
        let frame = EthernetFrame(
            destination: client, source: mac, tags: tags, etherType: Self.discoveryType, payload: packet.encoded())
        transmit(frame.bytes, by: port)
    }

    /// A PADR with a good cookie: a session, or the answer why not.
    private func open(
        _ request: SessionRequest, tags: [EthernetFrame.VLANTag], interface: AccessInterface, at now: Instant
    ) {
        if let slot = openedBy[request.key], let connection = connections[slot] {
            statistics.count(.pppoeResentPadr)
            let pads = DiscoveryServer.pads(for: request, sessionID: connection.upstream.sessionID)
            return send(pads, to: request.key.client, on: interface, tags: tags)
        }
        guard let instance = configuration.accessConcentrator(request.instance.name) else {
            return
        }
        do {
            if let error = drainedFor(instance: instance.name, port: interface.port) { throw error }
            try checkLimits(of: instance, for: request, at: now)
            let circuit = try table.circuit(request.key.circuit, outerTPID: tags.first?.protocolID ?? 0)
            let routeID = nextRouteID()
            let upstream = try table.openUpstream(
                circuit: circuit, client: request.key.client, reference: UInt64(routeID))
            connect(
                request, routeID: routeID, upstream: upstream, tags: tags, interface: interface,
                instance: instance, at: now)
        } catch {
            refused(request, error, interface: interface, at: now)
            let pads = DiscoveryServer.pads(refusing: request, as: .acSystem, text: "\(error)")
            send(pads, to: request.key.client, on: interface, tags: tags)
        }
    }

    private func connect(
        _ request: SessionRequest, routeID: UInt32, upstream: UpstreamHandle, tags: [EthernetFrame.VLANTag],
        interface: AccessInterface, instance: AccessConcentrator, at now: Instant
    ) {
        var connection = Connection(
            routeID: routeID, request: request, tags: tags, upstream: upstream, createdAt: now,
            link: PartialTermination(linkConfiguration(of: instance, maxPayload: request.maxPayload)))
        send(
            DiscoveryServer.pads(for: request, sessionID: upstream.sessionID), to: request.key.client, on: interface,
            tags: tags)
        statistics.count(.routesCreated)
        admit(connection, at: now)
        openedBy[request.key] = upstream.slot
        routes[connection.routeID] = upstream.slot
        sessions[connection.key] = upstream.slot
        logger.log(
            level: openingLines.take(at: now) == nil ? .debug : .info, "PPPoE session opened",
            metadata: metadata(of: connection))
        let outputs = connection.link?.start(at: now) ?? []
        connections[upstream.slot] = connection
        perform(outputs, slot: upstream.slot, at: now)
    }

    /// A frame of a session that is not in the table: the client believes in a session that we do not have, as after a
    /// restart. A PADT ends its wait (RFC 2516, section 5.5). The data plane limits how many of these come.
    func receiveUnknownSession(_ frame: EthernetFrame, port: UInt16) {
        guard frame.etherType == Self.sessionType, let (interface, circuit) = accessSide(of: frame, port: port),
            frame.destination == interface.mac, !frame.source.isMulticast
        else { return }
        var reader = ByteReader(frame.payload)
        guard reader.readUInt16() == 0x1100, let sessionID = reader.readUInt16(), sessionID != 0 else { return }
        // It may have been opened while the frame was on its way here.
        guard sessions[SessionKey(client: frame.source, circuit: circuit, sessionID: sessionID)] == nil else { return }
        send(
            DiscoveryServer.padt(sessionID: sessionID, errorText: "no such session"), to: frame.source, on: interface,
            tags: Self.tags(of: frame))
    }
}
