import Observability
import SwiftProtobuf

extension StaticTunnelReference {
    /// Nil when the message names nothing.
    init?(_ message: Culvert_V1_StaticTunnelReference) throws(FieldError) {
        switch message.tunnel {
        case .name(let name): self = .name(try StaticTunnel.checkedName(name))
        case .tunnelID(let id): self = .id(try FieldError.identifier(id, "tunnel_id"))
        case nil: return nil
        }
    }

    var message: Culvert_V1_StaticTunnelReference {
        .with {
            switch self {
            case .name(let name): $0.name = name
            case .id(let id): $0.tunnelID = UInt32(id)
            }
        }
    }
}

extension StaticTunnel {
    /// `name` when it may be one.
    fileprivate static func checkedName(_ name: String) throws(FieldError) -> String {
        guard (1...63).contains(name.utf8.count) else { throw FieldError("name", "must have 1 to 63 octets") }
        return name
    }

    init(_ message: Culvert_V1_StaticTunnel) throws(FieldError) {
        let hop: StaticNextHop
        switch message.nextHop {
        case .nextHopMac(let text):
            let mac = try FieldError.mac(text, "next_hop_mac")
            guard !mac.isMulticast, mac.value != 0 else {
                throw FieldError("next_hop_mac", "\(mac) is not the address of one station")
            }
            hop = .mac(mac)
        case .nextHopAddress(let text): hop = .address(try FieldError.address(text, "next_hop_address"))
        case nil: hop = .peer
        }
        guard !message.egressPort.isEmpty else { throw FieldError("egress_port", "is missing") }
        let mtu: UInt16 = try FieldError.narrow(message.mtu, "mtu")
        guard mtu == 0 || mtu >= 576 else { throw FieldError("mtu", "must be 0 or 576 to 65535, not \(mtu)") }
        self.init(
            name: try Self.checkedName(message.name),
            peerAddress: try FieldError.address(message.peerAddress, "peer_address"),
            localAddress: try FieldError.address(message.localAddress, "local_address"),
            peerPort: message.peerPort == 0 ? 1701 : try FieldError.narrow(message.peerPort, "peer_port"),
            localPort: message.localPort == 0 ? 1701 : try FieldError.narrow(message.localPort, "local_port"),
            peerTunnelID: try FieldError.identifier(message.peerTunnelID, "peer_tunnel_id"),
            egressPort: message.egressPort, nextHop: hop, mtu: mtu, lengthBit: message.lengthBit,
            udpChecksum: message.udpChecksum, tosInherit: message.tosInherit,
            tos: try FieldError.narrow(message.tos, "tos"))
    }

    var message: Culvert_V1_StaticTunnel {
        .with {
            $0.name = name
            $0.peerAddress = peerAddress.description
            $0.localAddress = localAddress.description
            $0.peerPort = UInt32(peerPort)
            $0.localPort = UInt32(localPort)
            $0.peerTunnelID = UInt32(peerTunnelID)
            $0.egressPort = egressPort
            switch nextHop {
            case .peer: break
            case .address(let address): $0.nextHopAddress = address.description
            case .mac(let mac): $0.nextHopMac = mac.description
            }
            $0.mtu = UInt32(mtu)
            $0.lengthBit = lengthBit
            $0.udpChecksum = udpChecksum
            $0.tosInherit = tosInherit
            $0.tos = UInt32(tos)
        }
    }
}

extension StaticSession {
    init(_ message: Culvert_V1_StaticSession) throws(FieldError) {
        func vlan(_ value: UInt32, _ field: String) throws(FieldError) -> UInt16 {
            guard value <= 4094 else { throw FieldError(field, "must be 0 to 4094, not \(value)") }
            return UInt16(value)
        }
        let outer = try vlan(message.outerVlan, "outer_vlan")
        let inner = try vlan(message.innerVlan, "inner_vlan")
        guard inner == 0 || outer != 0 else { throw FieldError("inner_vlan", "needs an outer_vlan") }
        let tpid: UInt16
        switch (outer, message.outerTpid) {
        case (0, 0): tpid = 0
        case (0, _): throw FieldError("outer_tpid", "needs an outer_vlan")
        case (_, 0), (_, 0x8100): tpid = 0x8100
        case (_, 0x88a8): tpid = 0x88a8
        default: throw FieldError("outer_tpid", "must be 0x8100 or 0x88a8")
        }
        let mac = try FieldError.mac(message.clientMac, "client_mac")
        guard !mac.isMulticast, mac.value != 0 else {
            throw FieldError("client_mac", "\(mac) is not the address of one station")
        }
        guard message.reference != 0 else { throw FieldError("reference", "is missing") }
        guard !message.port.isEmpty else { throw FieldError("port", "is missing") }
        guard let tunnel = try StaticTunnelReference(message.tunnel) else { throw FieldError("tunnel", "is missing") }
        self.init(
            reference: message.reference, port: message.port, outerVLAN: outer, innerVLAN: inner, outerTPID: tpid,
            clientMAC: mac, tunnel: tunnel,
            peerSessionID: try FieldError.identifier(message.peerSessionID, "peer_session_id"))
    }

    var message: Culvert_V1_StaticSession {
        .with {
            $0.reference = reference
            $0.port = port
            $0.outerVlan = UInt32(outerVLAN)
            $0.innerVlan = UInt32(innerVLAN)
            $0.outerTpid = UInt32(outerTPID)
            $0.clientMac = clientMAC.description
            $0.tunnel = tunnel.message
            $0.peerSessionID = UInt32(peerSessionID)
        }
    }
}

extension StaticSessionBatch {
    init(_ message: Culvert_V1_StaticSessionBatch) throws(FieldError) {
        guard !message.port.isEmpty else { throw FieldError("port", "is missing") }
        guard let tunnel = try StaticTunnelReference(message.tunnel) else { throw FieldError("tunnel", "is missing") }
        guard message.outerTpid == 0 || message.outerTpid == 0x8100 || message.outerTpid == 0x88a8 else {
            throw FieldError("outer_tpid", "must be 0x8100 or 0x88a8")
        }
        self.init(
            port: message.port, tunnel: tunnel, outerTPID: message.outerTpid == 0x88a8 ? 0x88a8 : 0x8100,
            references: message.references, clientMACs: message.clientMacs, peerSessionIDs: message.peerSessionIds,
            outerVLANs: message.outerVlans, innerVLANs: message.innerVlans)
        guard references.count <= Self.limit else {
            throw FieldError("references", "are \(references.count): at most \(Self.limit)")
        }
        guard isEven else { throw FieldError("add_sessions", "has columns that are not as long as references") }
    }

    var message: Culvert_V1_StaticSessionBatch {
        .with {
            $0.port = port
            $0.tunnel = tunnel.message
            $0.outerTpid = UInt32(outerTPID)
            $0.references = references
            $0.clientMacs = clientMACs
            $0.peerSessionIds = peerSessionIDs
            $0.outerVlans = outerVLANs
            $0.innerVlans = innerVLANs
        }
    }
}

extension StaticSessionsAdded {
    init(_ message: Culvert_V1_SessionsAdded) throws(FieldError) {
        var refused: [Refusal] = []
        for refusal in message.refused {
            let code = try StaticFault.Code(refusal.error.code, "code")
            refused.append(Refusal(index: refusal.index, fault: StaticFault(code, refusal.error.reason)))
        }
        self.init(
            tunnelID: try FieldError.narrow(message.tunnelID, "tunnel_id"), pppoeSessionIDs: message.pppoeSessionIds,
            sessionIDs: message.sessionIds, refused: refused)
    }

    var message: Culvert_V1_SessionsAdded {
        .with {
            $0.tunnelID = UInt32(tunnelID)
            $0.pppoeSessionIds = pppoeSessionIDs
            $0.sessionIds = sessionIDs
            $0.refused = refused.map { refusal in
                .with {
                    $0.index = refusal.index
                    $0.error = refusal.fault.message
                }
            }
        }
    }
}

extension StaticFault {
    var message: Culvert_V1_StaticError {
        .with {
            $0.code = code.message
            $0.reason = reason
        }
    }
}

extension StaticOperation {
    init(_ message: Culvert_V1_StaticOperation) throws(FieldError) {
        switch message.operation {
        case .addTunnel(let tunnel): self = .addTunnel(try StaticTunnel(tunnel))
        case .removeTunnel(let reference):
            guard let reference = try StaticTunnelReference(reference) else {
                throw FieldError("remove_tunnel", "names no tunnel")
            }
            self = .removeTunnel(reference)
        case .addSession(let session): self = .addSession(try StaticSession(session))
        case .removeSession(let session):
            guard session.reference != 0 else { throw FieldError("reference", "is missing") }
            self = .removeSession(session.reference)
        case .addSessions(let batch): self = .addSessions(try StaticSessionBatch(batch))
        case nil: throw FieldError("operation", "is missing")
        }
    }

    /// The message, marked with `tag`.
    func message(tag: UInt64) -> Culvert_V1_StaticOperation {
        .with {
            $0.tag = tag
            switch self {
            case .addTunnel(let tunnel): $0.addTunnel = tunnel.message
            case .removeTunnel(let reference): $0.removeTunnel = reference.message
            case .addSession(let session): $0.addSession = session.message
            case .removeSession(let reference): $0.removeSession = .with { $0.reference = reference }
            case .addSessions(let batch): $0.addSessions = batch.message
            }
        }
    }
}

extension StaticResult {
    init(_ message: Culvert_V1_StaticResult) throws(FieldError) {
        switch message.outcome {
        case .tunnelAdded(let added):
            self = .tunnelAdded(tunnelID: try FieldError.narrow(added.tunnelID, "tunnel_id"))
        case .tunnelRemoved(let removed): self = .tunnelRemoved(sessions: removed.sessions)
        case .sessionAdded(let added):
            self = .sessionAdded(
                pppoeSessionID: try FieldError.narrow(added.pppoeSessionID, "pppoe_session_id"),
                sessionID: try FieldError.narrow(added.sessionID, "session_id"),
                tunnelID: try FieldError.narrow(added.tunnelID, "tunnel_id"))
        case .sessionRemoved(let removed): self = .sessionRemoved(Traffic(removed.data))
        case .sessionsAdded(let added): self = .sessionsAdded(try StaticSessionsAdded(added))
        case .error(let error): self = .refused(StaticFault(try StaticFault.Code(error.code, "code"), error.reason))
        case nil: throw FieldError("outcome", "is missing")
        }
    }

    /// The message, with the operation's `tag`.
    func message(tag: UInt64) -> Culvert_V1_StaticResult {
        .with {
            $0.tag = tag
            switch self {
            case .tunnelAdded(let id): $0.tunnelAdded = .with { $0.tunnelID = UInt32(id) }
            case .tunnelRemoved(let count): $0.tunnelRemoved = .with { $0.sessions = count }
            case .sessionAdded(let pppoeSessionID, let sessionID, let tunnelID):
                $0.sessionAdded = .with {
                    $0.pppoeSessionID = UInt32(pppoeSessionID)
                    $0.sessionID = UInt32(sessionID)
                    $0.tunnelID = UInt32(tunnelID)
                }
            case .sessionRemoved(let data): $0.sessionRemoved = .with { $0.data = data.message }
            case .sessionsAdded(let added): $0.sessionsAdded = added.message
            case .refused(let fault): $0.error = fault.message
            }
        }
    }
}

extension StaticTunnelStatus {
    init(_ message: Culvert_V1_StaticTunnelStatus) throws(FieldError) {
        self.init(
            tunnel: try StaticTunnel(message.tunnel), tunnelID: try FieldError.narrow(message.tunnelID, "tunnel_id"),
            nextHopResolved: message.nextHopResolved, sessionCount: message.sessionCount)
    }

    var message: Culvert_V1_StaticTunnelStatus {
        .with {
            $0.tunnel = tunnel.message
            $0.tunnelID = UInt32(tunnelID)
            $0.nextHopResolved = nextHopResolved
            $0.sessionCount = sessionCount
        }
    }
}

extension StaticSessionStatus {
    init(_ message: Culvert_V1_StaticSessionStatus) throws(FieldError) {
        self.init(
            session: try StaticSession(message.session),
            tunnelID: try FieldError.narrow(message.tunnelID, "tunnel_id"),
            sessionID: try FieldError.narrow(message.sessionID, "session_id"),
            pppoeSessionID: try FieldError.narrow(message.pppoeSessionID, "pppoe_session_id"),
            data: Traffic(message.data))
    }

    var message: Culvert_V1_StaticSessionStatus {
        .with {
            $0.session = session.message
            $0.tunnelID = UInt32(tunnelID)
            $0.sessionID = UInt32(sessionID)
            $0.pppoeSessionID = UInt32(pppoeSessionID)
            $0.data = data.message
        }
    }
}
