import Observability
import SwiftProtobuf
import Wire

extension DebugSubsystem {
    /// Nil for the value that stands for all of them.
    static func optional(_ message: Culvert_V1_DebugSubsystem, _ field: String) throws(FieldError) -> DebugSubsystem? {
        message == .unspecified ? nil : try DebugSubsystem(message, field)
    }
}

extension DebugScope {
    init(tunnelID: UInt32, sessionID: UInt32, clientMAC: String) throws(FieldError) {
        self.init(
            tunnel: try FieldError.optionalIdentifier(tunnelID, "tunnel_id"),
            session: try FieldError.optionalIdentifier(sessionID, "session_id"),
            client: clientMAC.isEmpty ? nil : try FieldError.mac(clientMAC, "client_mac"))
    }
}

extension DebugRule {
    var message: Culvert_V1_DebugRule {
        .with {
            $0.subsystem = subsystem?.message ?? .unspecified
            $0.tunnelID = UInt32(scope.tunnel ?? 0)
            $0.sessionID = UInt32(scope.session ?? 0)
            $0.clientMac = scope.client?.description ?? ""
        }
    }

    init(_ message: Culvert_V1_DebugRule) throws(FieldError) {
        self.init(
            try DebugSubsystem.optional(message.subsystem, "subsystem"),
            scope: try DebugScope(
                tunnelID: message.tunnelID, sessionID: message.sessionID, clientMAC: message.clientMac))
    }
}

extension DebugChange {
    var message: Culvert_V1_SetDebugRequest {
        .with {
            switch self {
            case .enable(let rule): $0.enable = rule.message
            case .disable(let rule): $0.disable = rule.message
            case .disableAll: $0.disableAll = Culvert_V1_DisableAllDebug()
            }
        }
    }

    init(_ message: Culvert_V1_SetDebugRequest) throws(FieldError) {
        switch message.change {
        case .enable(let rule): self = .enable(try DebugRule(rule))
        case .disable(let rule): self = .disable(try DebugRule(rule))
        case .disableAll: self = .disableAll
        case nil: throw FieldError("change", "is missing: say what to debug")
        }
    }
}

extension DebugLine {
    var message: Culvert_V1_DebugLine {
        .with {
            $0.time = time.message
            $0.subsystem = subsystem.message
            $0.tunnelID = UInt32(scope.tunnel ?? 0)
            $0.sessionID = UInt32(scope.session ?? 0)
            $0.clientMac = scope.client?.description ?? ""
            $0.text = text
            $0.missed = missed
        }
    }

    init(_ message: Culvert_V1_DebugLine) throws(FieldError) {
        self.init(
            time: Timestamp(message.time), subsystem: try DebugSubsystem(message.subsystem, "subsystem"),
            scope: try DebugScope(
                tunnelID: message.tunnelID, sessionID: message.sessionID, clientMAC: message.clientMac),
            text: message.text, missed: message.missed)
    }
}
