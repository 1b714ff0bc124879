import Observability
import SwiftProtobuf

extension Culvert_V1_Cause {
    init(_ cause: Cause) {
        self.init()
        initiator = cause.initiator.message
        resultCode = UInt32(cause.resultCode)
        errorCode = UInt32(cause.errorCode)
        message = cause.message
    }
}

extension Cause {
    init(_ message: Culvert_V1_Cause) throws(FieldError) {
        self.init(
            initiator: try Initiator(message.initiator, "initiator"),
            resultCode: try FieldError.narrow(message.resultCode, "result_code"),
            errorCode: try FieldError.narrow(message.errorCode, "error_code"), message: message.message)
    }
}

extension Event {
    var message: Culvert_V1_WatchResponse {
        .with {
            $0.sequence = sequence
            $0.time = time.message
            $0.initial = initial
            switch kind {
            case .tunnelUp(let tunnel): $0.tunnelUp = tunnel.message
            case .tunnelDown(let tunnel, let cause):
                $0.tunnelDown = .with {
                    $0.tunnel = tunnel.message
                    $0.cause = Culvert_V1_Cause(cause)
                }
            case .sessionUp(let session): $0.sessionUp = session.message
            case .sessionDown(let session, let cause):
                $0.sessionDown = .with {
                    $0.session = session.message
                    $0.cause = Culvert_V1_Cause(cause)
                }
            case .initialComplete: $0.initialComplete = Culvert_V1_InitialComplete()
            }
        }
    }

    /// Nil for a kind of event that this build does not know.
    init?(_ message: Culvert_V1_WatchResponse) throws(FieldError) {
        let kind: Kind
        switch message.event {
        case .tunnelUp(let tunnel): kind = .tunnelUp(try TunnelSnapshot(tunnel))
        case .tunnelDown(let down): kind = .tunnelDown(try TunnelSnapshot(down.tunnel), try Cause(down.cause))
        case .sessionUp(let session): kind = .sessionUp(try SessionSnapshot(session))
        case .sessionDown(let down): kind = .sessionDown(try SessionSnapshot(down.session), try Cause(down.cause))
        case .initialComplete: kind = .initialComplete
        case nil: return nil
        }
        self.init(
            sequence: message.sequence, time: Timestamp(message.time), initial: message.initial, kind: kind)
    }
}
