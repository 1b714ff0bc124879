import Configuration
import Logging
import PPPoE
import RADIUS
import Timing
import Wire

/// The node as a RADIUS client: what is common to authorization and accounting.
extension ControlNode {
    /// A UDP datagram that came to source socket `socket` of the address's family.
    public func receiveRADIUS(
        _ datagram: [UInt8], from address: IPAddress, port: UInt16, socket: Int, at now: Instant
    ) {
        perform(radius.receive(datagram[...], from: address, port: port, socket: socket, at: now), at: now)
    }

    func radiusTimerFired(at now: Instant) { perform(radius.timerFired(at: now), at: now) }

    /// Carries out what the client wishes.
    func perform(_ outputs: [RADIUSClientOutput], at now: Instant) {
        for output in outputs {
            switch output {
            case .send(let datagram, let socket, let address, let port):
                effects.sendRADIUS(datagram, socket, address, port)
            case .finished(let handle, let result):
                if let waiting = authorizing.removeValue(forKey: handle) {
                    authorized(waiting, result, at: now)
                } else {
                    recordFinished(handle, result, at: now)
                }
            case .note(let note): log(note, at: now)
            }
        }
        agenda.schedule(.radius, at: radius.deadline)
    }

    private func log(_ note: RADIUSClientNote, at now: Instant) {
        switch note {
        case .serverDead: logger.error("\(note)")
        case .serverAlive: logger.notice("\(note)")
        case .statusServerIgnored: logger.warning("\(note)")
        case .answerDropped:
            // Whoever can send datagrams here must not fill the log; all are counted.
            if droppedAnswers.take(at: now) { logger.warning("\(note)") }
        }
    }

    /// How the node names itself to servers.
    var radiusIdentity: NASIdentity { NASIdentity(configuration.radius) }

    /// A client's session as servers see it.
    func radiusSession(of connection: Connection) -> RADIUSSession {
        var session = RADIUSSession(id: accountingID(connection.routeID))
        session.userName =
            connection.authorization?.userName ?? (connection.userOctets.isEmpty ? nil : connection.userOctets)
        session.nasPort = connection.routeID
        session.nasPortType =
            switch (connection.circuit.outerVLAN, connection.circuit.innerVLAN) {
            case (0, _): .pppoeOverEthernet
            case (_, 0): .pppoeOverVLAN
            default: .pppoeOverQinQ
            }
        session.nasPortID = interfaceName(of: connection)
        session.callingStationID = connection.client.description
        let service = String(decoding: connection.request.serviceName, as: UTF8.self)
        session.calledStationID = service.isEmpty ? nil : service
        if let line = connection.request.accessLine { session.line = RADIUSAttributes(accessLine: line) }
        session.classes = connection.authorization?.classes ?? []
        session.authentic = connection.authorization == nil ? .remote : .radius
        session.tunnel = connection.call.flatMap { tunnels[$0.tunnel] }.map { accounted($0, call: connection.call) }
        return session
    }

    /// Acct-Session-Id of a route: when the daemon started and the route's number, so that it is unique across restarts.
    func accountingID(_ routeID: UInt32) -> String { "\(runID)-\(hex(UInt64(routeID), digits: 8))" }
}

func hex(_ value: UInt64, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}

extension NASIdentity {
    /// The node as it is configured.
    init(_ settings: RADIUSClientSettings) {
        self.init(
            identifier: settings.nasIdentifier, ipv4: settings.nasAddress?.ipv4, ipv6: settings.nasAddress?.ipv6)
    }
}

extension RADIUSClientConfiguration {
    /// What the file says of servers and groups.
    init(_ configuration: Configuration) {
        let keys = Dictionary(
            configuration.radiusServers.map { server in
                (
                    server.host,
                    RADIUSServer.Key(
                        address: server.host, authenticationPort: server.authenticationPort,
                        accountingPort: server.accountingPort)
                )
            }, uniquingKeysWith: { first, _ in first })
        self.init(
            servers: configuration.radiusServers.compactMap { settings in
                keys[settings.host].map { RADIUSServer($0, settings) }
            },
            groups: configuration.radiusGroups.map { group in
                RADIUSServerGroup(name: group.name, servers: group.servers.compactMap { keys[$0] })
            }, nas: NASIdentity(configuration.radius))
        sockets = Int(configuration.radius.sourcePorts)
    }
}

extension RADIUSServer {
    fileprivate init(_ key: Key, _ settings: RADIUSServerSettings) {
        self.init(key, secret: settings.key.octets)
        timeout = .seconds(settings.timeout)
        retransmit = Int(settings.retransmit)
        deadTime = .seconds(settings.deadTime)
        sendsStatusServer = settings.statusServer
        requiresMessageAuthenticator = settings.messageAuthenticator == .required
    }
}
