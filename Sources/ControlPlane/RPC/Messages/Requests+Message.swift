import Observability
import SwiftProtobuf

extension TunnelFilter {
    init(_ message: Culvert_V1_ListTunnelsRequest) throws(FieldError) {
        switch message.filter {
        case .id(let id): self = .id(try FieldError.identifier(id, "id"))
        case .name(let name): self = .name(name)
        case .remoteAddress(let address): self = .remoteAddress(try FieldError.address(address, "remote_address"))
        case nil: self = .all
        }
    }
}

extension Culvert_V1_ListTunnelsRequest {
    init(_ model: TunnelFilter, detail wantsDetail: Bool) {
        self.init()
        switch model {
        case .all: break
        case .id(let number): id = UInt32(number)
        case .name(let text): name = text
        case .remoteAddress(let address): remoteAddress = address.description
        }
        detail = wantsDetail
    }
}

extension SessionFilter {
    init(_ message: Culvert_V1_ListSessionsRequest) throws(FieldError) {
        self.init(
            tunnelID: try FieldError.optionalIdentifier(message.tunnelID, "tunnel_id"),
            sessionID: try FieldError.optionalIdentifier(message.sessionID, "session_id"),
            userName: message.userName.isEmpty ? nil : message.userName,
            name: message.name.isEmpty ? nil : message.name)
    }
}

extension Culvert_V1_ListSessionsRequest {
    init(_ model: SessionFilter, detail wantsDetail: Bool) {
        self.init()
        tunnelID = UInt32(model.tunnelID ?? 0)
        sessionID = UInt32(model.sessionID ?? 0)
        userName = model.userName ?? ""
        name = model.name ?? ""
        detail = wantsDetail
    }
}

extension ConnectionFilter {
    init(_ message: Culvert_V1_ListConnectionsRequest) throws(FieldError) {
        self.init(
            instance: message.instance.isEmpty ? nil : message.instance,
            routeID: message.routeID == 0 ? nil : message.routeID,
            clientMAC: message.clientMac.isEmpty ? nil : try FieldError.mac(message.clientMac, "client_mac"),
            userName: message.userName.isEmpty ? nil : message.userName)
    }
}

extension Culvert_V1_ListConnectionsRequest {
    init(_ model: ConnectionFilter) {
        self.init()
        instance = model.instance ?? ""
        routeID = model.routeID ?? 0
        clientMac = model.clientMAC?.description ?? ""
        userName = model.userName ?? ""
    }
}

extension ClearTarget {
    init(_ message: Culvert_V1_ClearRequest) throws(FieldError) {
        switch message.target {
        case .destination(let address): self = .destination(try FieldError.address(address, "destination"))
        case .tunnelID(let id): self = .tunnel(try FieldError.identifier(id, "tunnel_id"))
        case .tunnelName(let name): self = .tunnelNamed(name)
        case .session(let session):
            self = .session(
                try FieldError.identifier(session.sessionID, "session_id"),
                tunnel: try FieldError.optionalIdentifier(session.tunnelID, "tunnel_id"))
        case .routeID(let id): self = .connection(id)
        case .allConnections: self = .allConnections
        case .everything: self = .everything
        case .instance(let name): self = .instance(name)
        case .interfaceName(let name): self = .interface(name)
        case nil: throw FieldError("target", "is missing: say what to clear")
        }
    }

    var message: Culvert_V1_ClearRequest {
        .with {
            switch self {
            case .destination(let address): $0.destination = address.description
            case .tunnel(let id): $0.tunnelID = UInt32(id)
            case .tunnelNamed(let name): $0.tunnelName = name
            case .session(let id, let tunnel):
                $0.session = .with {
                    $0.sessionID = UInt32(id)
                    $0.tunnelID = UInt32(tunnel ?? 0)
                }
            case .connection(let id): $0.routeID = id
            case .allConnections: $0.allConnections = Culvert_V1_AllConnections()
            case .everything: $0.everything = Culvert_V1_Everything()
            case .instance(let name): $0.instance = name
            case .interface(let name): $0.interfaceName = name
            }
        }
    }
}

extension ClearOutcome {
    init(_ message: Culvert_V1_ClearResponse) {
        self.init(tunnels: message.tunnels, sessions: message.sessions, connections: message.connections)
    }

    var message: Culvert_V1_ClearResponse {
        .with {
            $0.tunnels = tunnels
            $0.sessions = sessions
            $0.connections = connections
        }
    }
}
