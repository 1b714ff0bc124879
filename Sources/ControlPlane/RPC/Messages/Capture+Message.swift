import Observability
import SwiftProtobuf

import struct Foundation.Data

extension CaptureRecord.Direction {
    var message: Culvert_V1_CaptureDirection {
        switch self {
        case .inbound: .inbound
        case .outbound: .outbound
        }
    }
}

extension CaptureRecord {
    var message: Culvert_V1_CapturedFrame {
        .with {
            // Times beyond the year 2262 do not fit and do not come.
            $0.time = Timestamp(nanoseconds: Int64(clamping: timeNanoseconds)).message
            $0.interfaceName = interface
            $0.direction = direction.message
            $0.originalLength = originalLength
            $0.data = Data(bytes)
            $0.comment = comment
        }
    }

    init(_ message: Culvert_V1_CapturedFrame) throws(FieldError) {
        guard let direction = Direction.allCases.first(where: { $0.message == message.direction }) else {
            throw FieldError("direction", "\(message.direction) is not known here")
        }
        guard message.data.count <= message.originalLength else {
            throw FieldError("data", "is longer than the frame")
        }
        self.init(
            timeNanoseconds: UInt64(clamping: Timestamp(message.time).nanoseconds), interface: message.interfaceName,
            direction: direction, originalLength: message.originalLength, bytes: Array(message.data),
            comment: message.comment)
    }
}

extension SessionName {
    init(_ message: Culvert_V1_CaptureRequest) throws(FieldError) {
        switch message.session {
        case .l2Tp(let session): self = try Self.named(session)
        case .routeID(let id): self = .route(id)
        case .staticReference(let reference): self = .staticSession(reference)
        case nil: throw FieldError("session", "is missing: say which session")
        }
    }

    /// The session that a message names by its local ids.
    static func named(_ message: Culvert_V1_SessionTarget) throws(FieldError) -> SessionName {
        .l2tp(
            try FieldError.identifier(message.sessionID, "session_id"),
            tunnel: try FieldError.optionalIdentifier(message.tunnelID, "tunnel_id"))
    }
}

/// A request about one session: the fields of the oneof that names it.
protocol SessionRequest {
    var l2Tp: Culvert_V1_SessionTarget { get set }
    var routeID: UInt32 { get set }
    var staticReference: UInt64 { get set }
}

extension SessionRequest {
    mutating func setSession(_ name: SessionName) {
        switch name {
        case .l2tp(let session, let tunnel):
            l2Tp = .with {
                $0.sessionID = UInt32(session)
                $0.tunnelID = UInt32(tunnel ?? 0)
            }
        case .route(let id): routeID = id
        case .staticSession(let reference): staticReference = reference
        }
    }
}

extension Culvert_V1_CaptureRequest: SessionRequest {
    init(_ name: SessionName, snapLength octets: UInt32, control wantsControl: Bool) {
        self.init()
        setSession(name)
        snapLength = octets
        control = wantsControl
    }
}
