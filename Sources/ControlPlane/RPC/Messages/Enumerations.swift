import Observability

/// An enumeration of the model that has a counterpart in the .proto. Going out is a switch that the compiler checks; coming
/// in is its inverse.
protocol MappedEnumeration: CaseIterable, RawRepresentable<String> {
    associatedtype Message: Equatable
    /// The counterpart.
    var message: Message { get }
}

extension MappedEnumeration {
    /// The case whose counterpart is `message`; throws for one that this build does not know.
    init(_ message: Message, _ field: String) throws(FieldError) {
        guard let match = Self.allCases.first(where: { $0.message == message }) else {
            throw FieldError(field, "\(message) is not known here")
        }
        self = match
    }
}

extension Owner: MappedEnumeration {
    var message: Culvert_V1_Owner {
        switch self {
        case .subscriber: .subscriber
        case .static: .static
        }
    }
}

extension TunnelState: MappedEnumeration {
    var message: Culvert_V1_TunnelState {
        switch self {
        case .idle: .idle
        case .waitControlReply: .waitControlReply
        case .waitControlConnection: .waitControlConnection
        case .established: .established
        case .closing: .closing
        }
    }
}

extension TunnelMode: MappedEnumeration {
    var message: Culvert_V1_TunnelMode {
        switch self {
        case .lac: .lac
        case .lns: .lns
        }
    }
}

extension TunnelAuthorization: MappedEnumeration {
    var message: Culvert_V1_Authorization {
        switch self {
        case .none: .none
        case .challenge: .challenge
        }
    }
}

extension SessionState: MappedEnumeration {
    var message: Culvert_V1_SessionState {
        switch self {
        case .idle: .idle
        case .waitTunnel: .waitTunnel
        case .waitReply: .waitReply
        case .waitConnect: .waitConnect
        case .established: .established
        case .closing: .closing
        }
    }
}

extension CallType: MappedEnumeration {
    var message: Culvert_V1_CallType {
        switch self {
        case .lacIncoming: .lacIncoming
        case .lnsIncoming: .lnsIncoming
        case .lacOutgoing: .lacOutgoing
        case .lnsOutgoing: .lnsOutgoing
        }
    }
}

extension ConnectionState: MappedEnumeration {
    var message: Culvert_V1_ConnectionState {
        switch self {
        case .negotiating: .negotiating
        case .connecting: .connecting
        case .open: .open
        case .closing: .closing
        }
    }
}

extension Dispatch: MappedEnumeration {
    var message: Culvert_V1_Dispatch {
        switch self {
        case .singleQueue: .singleQueue
        case .rss: .rss
        case .software: .software
        }
    }
}

extension Initiator: MappedEnumeration {
    var message: Culvert_V1_Initiator {
        switch self {
        case .peer: .peer
        case .client: .client
        case .operator: .operator
        case .timeout: .timeout
        case .local: .local
        }
    }
}

extension StaticFault.Code: MappedEnumeration {
    var message: Culvert_V1_StaticErrorCode {
        switch self {
        case .invalid: .invalid
        case .notFound: .notFound
        case .alreadyExists: .alreadyExists
        case .exhausted: .exhausted
        case .unavailable: .unavailable
        }
    }
}

extension DestinationState: MappedEnumeration {
    var message: Culvert_V1_DestinationState {
        switch self {
        case .idle: .idle
        case .connecting: .connecting
        case .up: .up
        case .draining: .draining
        case .holdDown: .holdDown
        }
    }
}

extension ConfigurationChange.Kind: MappedEnumeration {
    var message: Culvert_V1_ConfigChangeKind {
        switch self {
        case .added: .added
        case .changed: .changed
        case .removed: .removed
        }
    }
}

extension ConfigurationChange.Effect: MappedEnumeration {
    var message: Culvert_V1_ConfigEffect {
        switch self {
        case .applied: .applied
        case .restartControl: .restartControl
        case .restartDataPlane: .restartDataPlane
        }
    }
}

extension DebugSubsystem: MappedEnumeration {
    var message: Culvert_V1_DebugSubsystem {
        switch self {
        case .accessConcentrator: .pppoeAc
        case .l2tp: .l2Tp
        case .ppp: .ppp
        case .radius: .radius
        case .dns: .dns
        }
    }
}

extension RADIUSServerState: MappedEnumeration {
    var message: Culvert_V1_RadiusServerState {
        switch self {
        case .untried: .untried
        case .up: .up
        case .dead: .dead
        }
    }
}

extension NeighbourState: MappedEnumeration {
    var message: Culvert_V1_NeighbourState {
        switch self {
        case .incomplete: .incomplete
        case .reachable: .reachable
        case .stale: .stale
        case .delay: .delay
        case .probe: .probe
        case .unreachable: .unreachable
        }
    }
}

extension NameKind: MappedEnumeration {
    var message: Culvert_V1_NameKind {
        switch self {
        case .tunnel: .tunnel
        case .session: .session
        case .instance: .instance
        case .route: .route
        case .destination: .destination
        case .interface: .interface
        case .section: .configSection
        }
    }
}
