import Observability
import SwiftProtobuf

extension DestinationSnapshot {
    var message: Culvert_V1_Destination {
        .with {
            $0.address = address.description
            $0.profile = profile
            $0.state = state.message
            $0.tunnelIds = tunnels.map(UInt32.init)
            $0.establishedTunnels = establishedTunnels
            $0.sessions = sessions
            $0.attempts = attempts
            if let retryAt { $0.retryAt = retryAt.message }
            $0.preference = preference
            $0.lastFailure = lastFailure
            $0.data = data.message
        }
    }

    init(_ message: Culvert_V1_Destination) throws(FieldError) {
        self.init(
            address: try FieldError.address(message.address, "address"), profile: message.profile,
            state: try DestinationState(message.state, "state"))
        for id in message.tunnelIds { tunnels.append(try FieldError.narrow(id, "tunnel_ids")) }
        establishedTunnels = message.establishedTunnels
        sessions = message.sessions
        attempts = message.attempts
        retryAt = message.hasRetryAt ? Timestamp(message.retryAt) : nil
        preference = message.preference
        lastFailure = message.lastFailure
        data = Traffic(message.data)
    }
}

extension DrainTarget {
    var message: Culvert_V1_DrainTarget {
        .with {
            switch self {
            case .system: $0.system = Culvert_V1_Everything()
            case .destination(let address): $0.destination = address.description
            case .tunnel(let id): $0.tunnelID = UInt32(id)
            case .tunnelNamed(let name): $0.tunnelName = name
            case .instance(let name): $0.instance = name
            case .interface(let name): $0.interfaceName = name
            }
        }
    }

    init(_ message: Culvert_V1_DrainTarget) throws(FieldError) {
        switch message.target {
        case .system: self = .system
        case .destination(let address): self = .destination(try FieldError.address(address, "target.destination"))
        case .tunnelID(let id): self = .tunnel(try FieldError.identifier(id, "target.tunnel_id"))
        case .tunnelName(let name): self = .tunnelNamed(name)
        case .instance(let name): self = .instance(name)
        case .interfaceName(let name): self = .interface(name)
        case nil: throw FieldError("target", "is missing: say what to drain")
        }
    }
}

extension DrainOutcome {
    var message: Culvert_V1_DrainResponse {
        .with {
            $0.draining = draining
            $0.tunnels = tunnels
            $0.sessions = sessions
            $0.connections = connections
        }
    }

    init(_ message: Culvert_V1_DrainResponse) {
        self.init(
            draining: message.draining, tunnels: message.tunnels, sessions: message.sessions,
            connections: message.connections)
    }
}
