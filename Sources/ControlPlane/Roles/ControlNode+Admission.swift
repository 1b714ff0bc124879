import Configuration
import Logging
import Observability
import PPPoE
import Timing
import Wire

/// How many sessions there may be: by instance, client address, VLAN and port, and of each so many half-open ones.
extension ControlNode {
    /// Throws when a session more is one too many. A half-open one gives way where that helps.
    func checkLimits(of instance: AccessConcentrator, for request: SessionRequest, at now: Instant) throws {
        let client = ClientKey(client: request.key.client, circuit: request.key.circuit)
        let port = client.circuit.port
        try check(.session, instance.sessionLimit, counts.count(ofInstance: instance.name), instance.name)
        try check(
            .sessionPerMAC, UInt32(instance.sessionLimitPerMAC), counts.count(of: client), "\(client.client)")
        try check(
            .sessionPerVLAN, UInt32(instance.sessionLimitPerVLAN), counts.count(of: client.circuit),
            vlanName(client.circuit))
        try check(.sessionPerPort, instance.sessionLimitPerPort, counts.count(ofPort: port), portName(port))

        try checkHalfOpen(
            .halfOpenPerMAC, UInt32(instance.halfOpenLimitPerMAC), .client(client), "\(client.client)", at: now)
        try checkHalfOpen(
            .halfOpenPerVLAN, UInt32(instance.halfOpenLimitPerVLAN), .vlan(client.circuit),
            vlanName(client.circuit), at: now)
        try checkHalfOpen(.halfOpenPerPort, instance.halfOpenLimitPerPort, .port(port), portName(port), at: now)
        try checkHalfOpen(.halfOpen, instance.halfOpenLimit, .instance(instance.name), instance.name, at: now)
    }

    /// Notes a session that a PADR has opened.
    func admit(_ connection: Connection, at now: Instant) {
        counts.add(connection)
        halfOpen.add(
            connection.upstream.slot,
            in: [
                .client(connection.clientKey), .vlan(connection.circuit), .port(connection.circuit.port),
                .instance(connection.request.instance.name),
            ], at: now)
    }

    /// A PADR is refused. Whoever sends many does not fill the log.
    func refused(_ request: SessionRequest, _ error: any Error, interface: AccessInterface, at now: Instant) {
        statistics.count(.routesCreateFail)
        if case AdmissionError.limit(let limit, _, _) = error { statistics.count(limit.counter) }
        guard let more = refusalLines.take(at: now) else { return }
        logger.warning(
            "session refused: \(error)",
            metadata: more.merging(
                ["mac": "\(request.key.client)", "interface": "\(interface.name)"], uniquingKeysWith: { $1 }))
    }

    private func check(_ limit: AdmissionLimit, _ most: UInt32, _ count: Int, _ whose: String) throws {
        guard most == 0 || count < most else { throw AdmissionError.limit(limit, whose: whose, Int(most)) }
    }

    private func checkHalfOpen(
        _ limit: AdmissionLimit, _ most: UInt32, _ scope: HalfOpenSessions.Scope, _ whose: String, at now: Instant
    ) throws {
        guard most != 0, halfOpen.count(scope) >= most else { return }
        // A client that opens many is refused, and not heard as many clients.
        guard limit != .halfOpenPerMAC, let slot = halfOpen.next(in: scope, at: now) else {
            throw AdmissionError.limit(limit, whose: whose, Int(most))
        }
        statistics.count(.routesHalfOpenGivenUp)
        if let more = halfOpenLines.take(at: now) {
            logger.warning("half-open sessions give way to new ones: \(limit.setting) of \(whose)", metadata: more)
        }
        removeConnection(slot, telling: "no answer, and others are waiting", at: now)
    }

    private func vlanName(_ circuit: AttachmentCircuit) -> String {
        switch (circuit.outerVLAN, circuit.innerVLAN) {
        case (0, _): "untagged \(portName(circuit.port))"
        case (let outer, 0): "VLAN \(outer) of \(portName(circuit.port))"
        case (let outer, let inner): "VLAN \(outer).\(inner) of \(portName(circuit.port))"
        }
    }
}

/// A limit of sessions.
enum AdmissionLimit {
    case session, sessionPerMAC, sessionPerVLAN, sessionPerPort
    case halfOpen, halfOpenPerMAC, halfOpenPerVLAN, halfOpenPerPort

    /// The setting's name.
    var setting: String {
        switch self {
        case .session: "session-limit"
        case .sessionPerMAC: "session-limit-per-mac"
        case .sessionPerVLAN: "session-limit-per-vlan"
        case .sessionPerPort: "session-limit-per-port"
        case .halfOpen: "half-open-limit"
        case .halfOpenPerMAC: "half-open-limit-per-mac"
        case .halfOpenPerVLAN: "half-open-limit-per-vlan"
        case .halfOpenPerPort: "half-open-limit-per-port"
        }
    }

    /// What counts clients that it has refused.
    var counter: ACCounter {
        switch self {
        case .session: .routesOverSessionLimit
        case .sessionPerMAC: .routesOverSessionLimitPerMac
        case .sessionPerVLAN: .routesOverSessionLimitPerVlan
        case .sessionPerPort: .routesOverSessionLimitPerPort
        case .halfOpen: .routesOverHalfOpenLimit
        case .halfOpenPerMAC: .routesOverHalfOpenLimitPerMac
        case .halfOpenPerVLAN: .routesOverHalfOpenLimitPerVlan
        case .halfOpenPerPort: .routesOverHalfOpenLimitPerPort
        }
    }

    /// Whether it is of half-open sessions.
    var isOfHalfOpen: Bool {
        switch self {
        case .session, .sessionPerMAC, .sessionPerVLAN, .sessionPerPort: false
        case .halfOpen, .halfOpenPerMAC, .halfOpenPerVLAN, .halfOpenPerPort: true
        }
    }
}

/// Why a client is refused before a session is made.
enum AdmissionError: Error, CustomStringConvertible {
    case limit(AdmissionLimit, whose: String, Int)
    case draining(String)

    var description: String {
        switch self {
        case .limit(.session, let name, let most): "pppoe-ac \(name) has its \(most) sessions (session-limit)"
        case .limit(let limit, let whose, let most):
            "\(whose) has its \(most) \(limit.isOfHalfOpen ? "half-open " : "")sessions (\(limit.setting))"
        case .draining(let what): "\(what) is being drained and takes no new sessions"
        }
    }
}
