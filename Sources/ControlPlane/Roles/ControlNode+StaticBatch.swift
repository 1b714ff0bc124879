import Observability
import PPPoE
import Wire

/// Many sessions at once. What they have in common is looked up once, and the table takes them in one call.
extension ControlNode {
    /// Adds the sessions of a batch; each is added or refused by itself.
    /// - Throws: when what they have in common is not there, or the columns do not go together.
    func add(_ batch: StaticSessionBatch) throws(StaticFault) -> StaticSessionsAdded {
        guard batch.isEven else { throw StaticFault(.invalid, "the batch has columns of different lengths") }
        guard let port = port(named: batch.port) else {
            throw StaticFault(.notFound, "there is no port named '\(batch.port)'")
        }
        guard let tunnel = feed.id(batch.tunnel) else {
            throw StaticFault(.notFound, "there is no such static tunnel")
        }
        var hasTunnelName = false
        if case .name = batch.tunnel { hasTunnelName = true }

        let count = batch.references.count
        var added = StaticSessionsAdded(
            tunnelID: tunnel, pppoeSessionIDs: [UInt32](repeating: 0, count: count),
            sessionIDs: [UInt32](repeating: 0, count: count), refused: [])
        var sessions: [ExternalSession] = []
        sessions.reserveCapacity(count)
        // Where each of `sessions` is in the batch.
        var places: [Int] = []
        places.reserveCapacity(count)
        var inBatch: Set<UInt64> = []
        inBatch.reserveCapacity(count)
        for index in 0..<count {
            do throws(StaticFault) {
                let session = try session(index, of: batch, port: port.index, tunnel: tunnel)
                guard feed.sessions[session.reference] == nil, inBatch.insert(session.reference).inserted else {
                    throw StaticFault(
                        .alreadyExists, "there is a static session with reference \(session.reference)")
                }
                sessions.append(session)
                places.append(index)
            } catch { added.refused.append(.init(index: UInt32(index), fault: error)) }
        }
        var faults: [StaticSessionsAdded.Refusal] = []
        let handles = table.addExternal(sessions) { index, error in
            faults.append(.init(index: UInt32(places[index]), fault: StaticFault(.exhausted, "\(error)")))
        }
        for (index, handle) in handles.enumerated() {
            guard let handle else { continue }
            let session = sessions[index]
            feed.insert(
                .init(
                    clientMAC: session.client, upstream: handle.upstream, downstream: handle.downstream,
                    port: port.index, outerVLAN: session.circuit.outerVLAN, innerVLAN: session.circuit.innerVLAN,
                    outerTPID: session.outerTPID, tunnel: tunnel, peerSessionID: session.peerSessionID,
                    hasTunnelName: hasTunnelName), as: session.reference)
            added.pppoeSessionIDs[places[index]] = UInt32(handle.upstream.sessionID)
            added.sessionIDs[places[index]] = UInt32(handle.downstream.sessionID)
        }
        if !faults.isEmpty {
            added.refused += faults
            added.refused.sort { $0.index < $1.index }
        }
        return added
    }

    /// A session of a batch, checked as far as it can be by itself.
    private func session(
        _ index: Int, of batch: StaticSessionBatch, port: UInt16, tunnel: UInt16
    ) throws(StaticFault) -> ExternalSession {
        let reference = batch.references[index]
        guard reference != 0 else { throw StaticFault(.invalid, "a static session needs a reference") }
        let mac = batch.clientMACs[index]
        guard mac != 0, mac >> 48 == 0, !MACAddress(value: mac).isMulticast else {
            throw StaticFault(.invalid, "client_macs: \(mac) is no station's address")
        }
        guard let peer = UInt16(exactly: batch.peerSessionIDs[index]), peer != 0 else {
            throw StaticFault(.invalid, "peer session id \(batch.peerSessionIDs[index]) names no session")
        }
        let outer = batch.outerVLANs.isEmpty ? 0 : batch.outerVLANs[index]
        let inner = batch.innerVLANs.isEmpty ? 0 : batch.innerVLANs[index]
        guard outer <= 4_094, inner <= 4_094, outer != 0 || inner == 0 else {
            throw StaticFault(.invalid, "outer VLAN \(outer) and inner VLAN \(inner) name no circuit")
        }
        return ExternalSession(
            circuit: AttachmentCircuit(port: port, outerVLAN: UInt16(outer), innerVLAN: UInt16(inner)),
            outerTPID: outer == 0 ? 0 : batch.outerTPID, client: MACAddress(value: mac), tunnel: tunnel,
            peerSessionID: peer, reference: reference)
    }
}
