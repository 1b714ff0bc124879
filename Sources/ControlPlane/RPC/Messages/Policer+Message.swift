import Observability
import SwiftProtobuf

extension PolicerSettings {
    init(_ message: Culvert_V1_Policer) {
        self.init(
            committedRate: message.committedRate, peakRate: message.peakRate, committedBurst: message.committedBurst,
            peakBurst: message.peakBurst)
    }

    var message: Culvert_V1_Policer {
        .with {
            $0.committedRate = committedRate
            $0.peakRate = peakRate
            $0.committedBurst = committedBurst
            $0.peakBurst = peakBurst
        }
    }
}

extension PolicerChange {
    init(_ message: Culvert_V1_PolicerChange?, _ field: String) throws(FieldError) {
        switch message?.change {
        case .set(let policer):
            let settings = PolicerSettings(policer)
            if let fault = settings.fault { throw FieldError("\(field).set", fault) }
            self = .set(settings)
        case .remove: self = .remove
        case nil: self = .keep
        }
    }

    var message: Culvert_V1_PolicerChange? {
        switch self {
        case .keep: nil
        case .set(let settings): .with { $0.set = settings.message }
        case .remove: .with { $0.remove = Culvert_V1_RemovePolicer() }
        }
    }
}

extension SessionName {
    init(_ message: Culvert_V1_SetPolicersRequest) throws(FieldError) {
        switch message.session {
        case .l2Tp(let session): self = try Self.named(session)
        case .routeID(let id): self = .route(id)
        case .staticReference(let reference): self = .staticSession(reference)
        case nil: throw FieldError("session", "is missing: say which session")
        }
    }
}

extension Culvert_V1_SetPolicersRequest: SessionRequest {
    init(_ name: SessionName, upstream up: PolicerChange, downstream down: PolicerChange) {
        self.init()
        setSession(name)
        if let message = up.message { upstream = message }
        if let message = down.message { downstream = message }
    }
}

extension SessionPolicers {
    init(_ message: Culvert_V1_SetPolicersResponse) {
        self.init(
            upstream: message.hasUpstream ? PolicerSettings(message.upstream) : nil,
            downstream: message.hasDownstream ? PolicerSettings(message.downstream) : nil)
    }

    var message: Culvert_V1_SetPolicersResponse {
        .with {
            if let upstream { $0.upstream = upstream.message }
            if let downstream { $0.downstream = downstream.message }
        }
    }
}
