import Observability

/// Policers of sessions that forward.
extension ControlNode {
    /// Why a session's policers were not changed.
    public enum PolicerFault: Error, Hashable, Sendable {
        /// There is no such session, or it does not forward yet.
        case notFound(String)
        /// Several sessions have the id; the tunnel must be named.
        case ambiguous(String)
        /// The table has no room for other rates.
        case refused(String)
    }

    /// Changes a session's policers; answers those that are in force then.
    public func setPolicers(
        of session: SessionName, upstream: PolicerChange, downstream: PolicerChange
    ) throws(PolicerFault) -> SessionPolicers {
        let slot = try forwardingSlot(of: session)
        let old = table.details(upstream: slot).policers
        let new = SessionPolicers(
            upstream: upstream.applied(to: old.upstream), downstream: downstream.applied(to: old.downstream))
        guard upstream != .keep || downstream != .keep else { return old }
        do { try table.setPolicers(new, upstream: slot) } catch { throw .refused("\(error)") }
        logger.info(
            "policers changed", metadata: ["session": "\(session)", "policers": "\(new.logText)"])
        return new
    }

    /// The upstream slot of a session that forwards.
    private func forwardingSlot(of session: SessionName) throws(PolicerFault) -> UInt32 {
        switch session {
        case .l2tp(let id, let tunnel):
            let found = tunnels.values.filter {
                ($0.id == tunnel || tunnel == nil) && $0.calls[id]?.isForwarding == true
            }
            guard let record = found.first, let call = record.calls[id] else {
                throw .notFound("no session \(id)\(tunnel.map { " in tunnel \($0)" } ?? "") forwards")
            }
            guard found.count == 1 else {
                let list = found.map(\.id).sorted().map(String.init).joined(separator: ", ")
                throw .ambiguous("session \(id) is in several tunnels (\(list)); name the tunnel too")
            }
            return call.upstreamSlot
        case .route(let id):
            guard let slot = routes[id], connections[slot]?.phase == .open else {
                throw .notFound("no route \(id) forwards")
            }
            return slot
        case .staticSession(let reference):
            guard let entry = feed.sessions[reference] else {
                throw .notFound("there is no static session with reference \(reference)")
            }
            return entry.upstream.slot
        }
    }
}

extension PolicerChange {
    /// What a direction has after the change.
    func applied(to old: PolicerSettings?) -> PolicerSettings? {
        switch self {
        case .keep: old
        case .set(let settings): settings
        case .remove: nil
        }
    }
}

extension SessionPolicers {
    /// For the log, in one line.
    fileprivate var logText: String {
        func text(_ policer: PolicerSettings?) -> String {
            policer.map { "\($0.committedRate)/\($0.peakRate) bit/s" } ?? "none"
        }
        return "up \(text(upstream)), down \(text(downstream))"
    }
}
