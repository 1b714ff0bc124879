import Configuration
import Names
import PPP
import RADIUS
import Timing
import Wire

/// LNSs by RADIUS, and what else an Access-Accept says of a client.
extension ControlNode {
    /// Asks a server group where a client's call may go.
    func askRADIUS(
        group named: String?, for slot: UInt32, instance: AccessConcentrator, profile: String, at now: Instant
    ) {
        guard let connection = connections[slot], let proxy = connection.link?.proxyData,
            let group = named ?? configuration.l2tpProfile(profile)?.radiusGroup
        else { return radiusFailed("there is no server group to ask", slot: slot, at: now) }
        let request: AccessRequest
        switch instance.radiusStyle {
        case .domain:
            guard let domain = connection.domain else { return notFound(Self.domainMissing, for: slot, at: now) }
            request = AccessRequest(
                domain: domain.text, password: instance.radiusPassword.octets, nas: radiusIdentity)
        case .user:
            request = AccessRequest(
                session: radiusSession(of: connection), nas: radiusIdentity,
                credentials: Self.credentials(proxy, otherwise: instance.radiusPassword))
        }
        debug(.radius, connection) { "Access-Request to \(group), \(instance.radiusStyle.rawValue) style" }
        do {
            let (handle, outputs) = try radius.submit(.access(request), group: group, at: now)
            authorizing[handle] = Authorizing(
                routeID: connection.routeID, profile: profile, style: instance.radiusStyle)
            connections[slot]?.radiusRequest = handle
            perform(outputs, at: now)
        } catch { radiusFailed("\(error)", slot: slot, at: now) }
    }

    /// What a client has given as proof. EAP needs a conversation with whoever knows the secret, which is the LNS's: such users are
    /// looked up by name with the password of look-ups.
    private static func credentials(_ proxy: ProxyData, otherwise password: Secret) -> AccessRequest.Credentials {
        switch proxy.authenType {
        case .pap: .password(proxy.authenResponse)
        case .chap:
            .chap(
                identifier: proxy.authenID, response: proxy.authenResponse, challenge: proxy.authenChallenge)
        default: .password(password.octets)
        }
    }

    /// A server's answer, or the lack of one.
    func authorized(_ waiting: Authorizing, _ result: RADIUSResult, at now: Instant) {
        guard let slot = routes[waiting.routeID], let connection = connections[slot], connection.phase == .choosing
        else {
            return
        }
        connections[slot]?.radiusRequest = nil
        debug(.radius, connection) { result.summary }
        switch result.outcome {
        case .accept(let accept):
            if waiting.style == .user {
                connections[slot]?.authorization = SessionAuthorization(accept)
            }
            for refused in accept.tunnels.refused {
                logger.warning("Access-Accept: \(refused)", metadata: metadata(of: connection))
            }
            let candidates = Self.candidates(accept, profile: waiting.profile)
            guard !candidates.isEmpty else {
                return radiusFailed("the Access-Accept names no LNS", slot: slot, at: now)
            }
            found(candidates, for: slot, at: now)
        case .reject(let reject) where waiting.style == .user:
            // The server knows the user, and says no: that is no reason to look elsewhere.
            statistics.count(.lnsLookupRadiusFailures)
            statistics.count(.lnsLookupFailedRequests)
            refuseConnection(
                slot, "RADIUS: \(reject)", telling: reject.replyMessage ?? "access denied", at: now)
        case .reject, .challenge, .timeout, .noServer, .accountingResponse:
            radiusFailed(result.summary, slot: slot, at: now)
        }
    }

    private func radiusFailed(_ text: String, slot: UInt32, at now: Instant) {
        statistics.count(.lnsLookupRadiusFailures)
        notFound(LookUpFailure("RADIUS: \(text)"), for: slot, at: now)
    }

    /// The LNSs that an Access-Accept names: its tunnels, else its Framed-IP-Address.
    private static func candidates(_ accept: AccessAccept, profile: String) -> [LNSCandidate] {
        if accept.tunnels.tunnels.isEmpty {
            guard accept.tunnels.refused.isEmpty, let address = accept.framedAddress, address.isUnicast else {
                return []
            }
            return [LNSCandidate(peer: .address(address), profile: profile)]
        }
        return accept.tunnels.tunnels.flatMap { tunnel in
            tunnel.serverEndpoints.compactMap { endpoint in
                guard let peer = DomainTunnel.Peer(endpoint) else { return nil }
                // A tunnel without preference comes after all others; preferences have 24 bits.
                var candidate = LNSCandidate(
                    peer: peer, preference: tunnel.preference ?? 1 << 24, profile: profile)
                candidate.overrides.secret = tunnel.password
                candidate.overrides.hostName = tunnel.clientAuthID
                candidate.overrides.peerHostName = tunnel.serverAuthID
                candidate.overrides.assignmentID = tunnel.assignmentID
                if case .address(let address)? = tunnel.clientEndpoint { candidate.overrides.source = address }
                candidate.privateGroupID = tunnel.privateGroupID.map { Array($0.utf8) }
                return candidate
            }
        }
    }
}

extension DomainTunnel.Peer {
    fileprivate init?(_ endpoint: TunnelEndpoint) {
        switch endpoint {
        case .address(let address): self = .address(address)
        case .name(let text):
            guard let name = try? HostName(text) else { return nil }
            self = .name(name)
        }
    }
}

/// A request that waits for a server, and for whom.
struct Authorizing {
    var routeID: UInt32
    /// The `l2tp-profile` of what is found.
    var profile: String
    var style: AccessConcentrator.RADIUSStyle
}

/// What an Access-Accept says of a session beside its tunnel.
struct SessionAuthorization: Sendable {
    /// User-Name for accounting.
    var userName: [UInt8]?
    var classes: [[UInt8]] = []
    var sessionTimeout: Duration?
    var idleTimeout: Duration?
    var interimInterval: Duration?
    var bandwidth = BandwidthLimits()

    init(_ accept: AccessAccept) {
        userName = accept.userName
        classes = accept.classes
        sessionTimeout = accept.sessionTimeout.flatMap { $0 > .zero ? $0 : nil }
        idleTimeout = accept.idleTimeout.flatMap { $0 > .zero ? $0 : nil }
        interimInterval = accept.interimInterval
        bandwidth = accept.bandwidth
    }
}
