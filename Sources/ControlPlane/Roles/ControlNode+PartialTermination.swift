import Configuration
import Logging
import PPP
import PPPoE
import Timing
import Wire

extension ControlNode {
    /// How a client of `instance` is asked who it is.
    func linkConfiguration(
        of instance: AccessConcentrator, maxPayload: Int
    ) -> PartialTermination.Configuration {
        var configuration = PartialTermination.Configuration(
            authentication: instance.authenticationProtocols.map { protocolNumber(of: $0) },
            maxPayload: min(UInt16(clamping: maxPayload), instance.pppMRU),
            magicSeed: random.next(),
            random: makeRandom(), challengeName: instance.challengeName)
        configuration.restartInterval = .seconds(instance.lcpRestart)
        configuration.maxConfigure = Int(instance.lcpMaxConfigure)
        configuration.maxTerminate = Int(instance.lcpMaxTerminate)
        configuration.maxFailure = Int(instance.lcpMaxFailure)
        return configuration
    }

    private func protocolNumber(
        of setting: AccessConcentrator.AuthenticationProtocol
    ) -> PPP.AuthenticationProtocol {
        switch setting {
        case .eap: .eap
        case .chap: .chapMD5
        case .pap: .pap
        }
    }

    /// A PPP frame of a session that is being set up.
    func receivePPP(_ frame: EthernetFrame, port: UInt16, slot: UInt32?, at now: Instant) {
        guard let slot, var connection = connections[slot], connection.phase != .open, connection.link != nil,
            frame.etherType == Self.sessionType, frame.source == connection.client, port == connection.circuit.port
        else { return }
        var reader = ByteReader(frame.payload)
        guard reader.readUInt16() == 0x1100, reader.readUInt16() == connection.upstream.sessionID,
            let length = reader.readUInt16(), let bytes = reader.readBytes(Int(length))
        else { return }
        debug(.ppp, connection) { "received \((try? PPPFrame(parsing: bytes))?.summary ?? "what is no PPP frame")" }
        let outputs = connection.link?.receive(bytes, at: now) ?? []
        connections[slot] = connection
        perform(outputs, slot: slot, at: now)
    }

    func connectionTimerFired(_ slot: UInt32, at now: Instant) {
        guard var connection = connections[slot], connection.phase != .open else { return }
        let outputs = connection.link?.timerFired(at: now) ?? []
        connections[slot] = connection
        perform(outputs, slot: slot, at: now)
    }

    /// Carries out what the client's link wishes.
    func perform(_ outputs: [PartialTermination.Output], slot: UInt32, at now: Instant) {
        for output in outputs {
            guard let connection = connections[slot] else { return }
            switch output {
            case .send(let frame): send(frame, to: connection)
            case .identified(let proxy):
                connections[slot]?.userOctets = proxy.authenName
                chooseLNS(for: slot, at: now)
            case .failed(let failure): linkFailed(slot, failure, at: now)
            case .closed:
                if connection.link?.endedInSilence == true { statistics.count(.routesSourceCloseFail) }
                removeConnection(slot, telling: "PPP terminated", at: now)
            }
        }
        if let connection = connections[slot], connection.phase != .open {
            agenda.schedule(.connection(slot: slot), at: connection.link?.deadline)
        }
    }

    private func send(_ frame: PPPFrame, to connection: Connection) {
        guard let interface = accessInterface(of: connection.circuit) else { return }
        debug(.ppp, connection) { "sent \(frame.summary)" }
        let ppp = frame.encoded()
        var writer = ByteWriter(capacity: 6 + ppp.count)
        writer.write(0x1100 as UInt16)
        writer.write(connection.upstream.sessionID)
        writer.write(UInt16(clamping: ppp.count))
        writer.write(ppp)
        let ethernet = EthernetFrame(
            destination: connection.client, source: interface.mac, tags: connection.tags, etherType: Self.sessionType,
            payload: writer.bytes)
        transmit(ethernet.bytes, by: interface.port)
    }

    /// The client is gone or cannot be identified. The link says what there is to say to it and closes after that; the
    /// LNS hears of it now.
    private func linkFailed(_ slot: UInt32, _ failure: PartialTermination.Failure, at now: Instant) {
        guard let connection = connections[slot] else { return }
        logger.notice(
            "PPP with the client ended: \(failure.explanation)", metadata: metadata(of: connection))
        if case .terminatedByClient = failure { statistics.count(.routesClosedBySource) }
        connections[slot]?.phase = .closing
        if let call = connection.call {
            connections[slot]?.call = nil
            closeCall(
                call, .init(.lossOfCarrier, message: failure.explanation), ppp: failure.disconnectCause, at: now)
        }
    }

    /// What identifies a connection in the log.
    func metadata(of connection: Connection) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "route": "\(connection.routeID)", "mac": "\(connection.client)",
            "interface": "\(portName(connection.circuit.port))", "pppoe-session": "\(connection.upstream.sessionID)",
        ]
        if connection.circuit.outerVLAN != 0 { metadata["vlan"] = "\(connection.circuit.outerVLAN)" }
        if connection.circuit.innerVLAN != 0 { metadata["inner-vlan"] = "\(connection.circuit.innerVLAN)" }
        if !connection.userName.isEmpty { metadata["user"] = "\(connection.userName)" }
        if let call = connection.call {
            metadata["tunnel"] = "\(call.tunnel)"
            metadata["session"] = "\(call.session)"
        }
        return metadata
    }
}

extension PartialTermination.Failure {
    /// For operators and for the LNS.
    var explanation: String {
        switch self {
        case .terminatedByClient(let text):
            text.isEmpty ? "terminated by the client" : "terminated by the client: \(text)"
        case .negotiation(let reason): "LCP failed: \(reason)"
        case .authenticationTimeout: "the client did not authenticate itself"
        case .establishTimeout: "the client did not get through LCP and authentication in time"
        case .authenticationRejected: "the client rejected the authentication protocol that it had agreed to"
        case .userNameMissing: "the client gave no user name"
        case .renegotiated: "the client started LCP anew"
        }
    }
}
