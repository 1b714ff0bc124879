import Configuration
import Logging
import Observability
import PPPoE
import RADIUS
import Timing
import Wire

/// Sessions that RADIUS servers end or change (RFC 5176).
extension ControlNode {
    /// A UDP datagram to the port of `radius.dynamic-authorization`. The answer goes out by `Effects.answerRADIUS`.
    public func receiveDynamicAuthorization(
        _ datagram: [UInt8], from address: IPAddress, port: UInt16, at now: Instant
    ) {
        switch dynamicAuthorization.receive(datagram[...], from: address, port: port, at: now, time: seconds(now)) {
        case .send(let answer): effects.answerRADIUS(answer, address, port)
        case .drop(let reason):
            debug(.radius, DebugScope()) { "dropped a datagram from \(address.text(port: port)): \(reason.text)" }
        case .request(let handle, let request):
            let result = carryOut(request, at: now)
            if let answer = dynamicAuthorization.answer(handle, result) {
                effects.answerRADIUS(answer.datagram, answer.address, answer.port)
            }
        }
    }

    private func carryOut(
        _ request: DynamicAuthorizationRequest, at now: Instant
    ) -> DynamicAuthorizationServer.Result {
        let slots = slots(meantBy: request.sessions)
        logger.notice(
            "RADIUS asks to \(request.action.words)",
            metadata: [
                "client": "\(request.client)", "sessions": "\(slots.count)",
                "message": "\(request.replyMessage ?? "")",
            ])
        guard !slots.isEmpty else { return .refused(.sessionContextNotFound) }
        switch request.action {
        case .disconnect:
            let text = request.replyMessage.map { "disconnected by RADIUS: \($0)" } ?? "disconnected by RADIUS"
            for slot in slots { disconnect(slot, text, at: now) }
            return .done
        case .change(let limits):
            // All or none: who asks gets one answer.
            let changes = slots.map { slot in
                (slot, table.details(upstream: slot).policers)
            }
            for (index, (slot, old)) in changes.enumerated() {
                do { try table.setPolicers(limits.policers(replacing: old), upstream: slot) } catch {
                    for (slot, old) in changes[..<index] { try? table.setPolicers(old, upstream: slot) }
                    logger.error("policers cannot be changed: \(error)")
                    return .refused(.resourcesUnavailable)
                }
            }
            return .done
        }
    }

    /// Upstream slots of sessions that are up and that a request means.
    private func slots(meantBy sessions: DynamicAuthorizationRequest.Sessions) -> [UInt32] {
        func isMeant(_ slot: UInt32) -> Bool {
            guard let connection = connections[slot], connection.phase == .open else { return false }
            return sessions.match(connection.accounting?.session ?? radiusSession(of: connection))
        }
        // The usual way to name a session says its route, so that nobody has to look at all of them.
        if let id = sessions.id {
            guard let route = routeID(ofAccountingID: id), let slot = routes[route], isMeant(slot) else { return [] }
            return [slot]
        }
        return connections.keys.filter(isMeant).sorted()
    }

    private func routeID(ofAccountingID id: String) -> UInt32? {
        guard let number = id.split(separator: "-").last.flatMap({ UInt32($0, radix: 16) }), accountingID(number) == id
        else { return nil }
        return number
    }

    private func disconnect(_ slot: UInt32, _ text: String, at now: Instant) {
        end(slot, cause: .adminReset, text, at: now)
    }
}

extension DynamicAuthorizationRequest.Action {
    fileprivate var words: String {
        switch self {
        case .disconnect: "end sessions"
        case .change: "change the rates of sessions"
        }
    }
}

extension DynamicAuthorizationServer.Configuration {
    /// Whom the file lets change sessions.
    init(_ settings: RADIUSClientSettings) {
        self.init(
            clients: (settings.dynamicAuthorization?.clients ?? []).map {
                Client(address: $0.address, secret: $0.key.octets)
            }, nas: NASIdentity(settings))
    }
}
