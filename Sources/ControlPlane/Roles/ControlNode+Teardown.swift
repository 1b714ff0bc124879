import L2TP
import Logging
import Observability
import PPPoE
import Timing
import Wire

/// The end of connections, from whichever side it comes. The client always gets its PADT, the LNS its CDN.
extension ControlNode {
    /// The client's PADT.
    func clientTerminated(_ termination: Termination, at now: Instant) {
        let key = SessionKey(
            client: termination.client, circuit: termination.circuit, sessionID: termination.sessionID)
        guard let slot = sessions[key], let connection = connections[slot] else {
            return statistics.count(.pppoeInvalidPadt)
        }
        statistics.count(.routesClosedBySource)
        logger.info(
            "PADT from the client\(termination.errorText.map { ": \($0)" } ?? "")",
            metadata: metadata(of: connection))
        if let call = connection.call {
            connections[slot]?.call = nil
            closeCall(call, .init(.lossOfCarrier, message: "PADT from the client"), at: now)
        }
        removeConnection(slot, telling: nil, at: now)
    }

    /// Tells the client over PPP that it cannot be served; the connection goes when that is done.
    func refuseConnection(_ slot: UInt32, _ reason: String, at now: Instant) {
        guard var connection = connections[slot] else { return }
        logger.warning("\(reason)", metadata: metadata(of: connection))
        guard connection.phase != .closing else { return }
        connection.phase = .closing
        let outputs = connection.link.reject(message: "service not available", at: now)
        connections[slot] = connection
        perform(outputs, slot: slot, at: now)
    }

    /// Takes a connection away, on the access side. `text` goes to the client in a PADT; nil when it said PADT itself.
    func removeConnection(_ slot: UInt32, telling text: String?, at now: Instant) {
        guard let connection = connections.removeValue(forKey: slot) else { return }
        sessions[connection.key] = nil
        openedBy[connection.request.key] = nil
        routes[connection.routeID] = nil
        decrement(&connectionsByClient, connection.clientKey)
        decrement(&connectionsByInstance, connection.request.instance.name)
        agenda.cancel(.connection(slot: slot))
        if let text, let interface = accessInterface(of: connection.circuit) {
            send(
                DiscoveryServer.padt(sessionID: connection.upstream.sessionID, errorText: text), to: connection.client,
                on: interface, tags: connection.tags)
        }
        ending[slot] = EndingSession(metadata: metadata(of: connection), createdAt: connection.createdAt, endedAt: now)
        giveBack(upstream: slot)
        statistics.count(.routesDeleted)
        agenda.schedule(.reclaim, at: now)
    }

    private func decrement<Key: Hashable>(_ counts: inout [Key: Int], _ key: Key) {
        let left = counts[key, default: 0] - 1
        counts[key] = left > 0 ? left : nil
    }

    // What the table refuses to take back it does not know, which is this node's mistake and nobody's loss.

    func giveBack(upstream slot: UInt32) {
        captureEnds(slot: slot)
        do { try table.remove(upstream: slot) } catch {
            statistics.count(.routesDeleteFail)
            logger.error("session cannot be removed: \(error)", metadata: ["slot": "\(slot)"])
        }
    }

    func giveBack(downstream slot: UInt32) {
        do { try table.release(downstream: slot) } catch {
            logger.error("session id cannot be given back: \(error)", metadata: ["slot": "\(slot)"])
        }
    }

    /// The id is free after a grace period, which somebody has to look for.
    func giveBack(tunnel id: UInt16, at now: Instant) {
        agenda.schedule(.reclaim, at: now)
        do { try table.removeTunnel(id) } catch {
            logger.error("tunnel cannot be removed: \(error)", metadata: ["tunnel": "\(id)"])
        }
    }

    /// Collects final counters of sessions that no worker can count for any more.
    func reclaim(at now: Instant) {
        for (slot, traffic) in table.finished() {
            if let tunnel = endedIn.removeValue(forKey: slot) { tunnels[tunnel]?.endedTraffic += traffic }
            guard let session = ending.removeValue(forKey: slot) else { continue }
            var metadata = session.metadata
            metadata["duration"] = "\((session.endedAt - session.createdAt).components.seconds) s"
            metadata["packets-up"] = "\(traffic.upstreamPackets)"
            metadata["octets-up"] = "\(traffic.upstreamOctets)"
            metadata["packets-down"] = "\(traffic.downstreamPackets)"
            metadata["octets-down"] = "\(traffic.downstreamOctets)"
            logger.info("PPPoE session closed", metadata: metadata)
        }
        collectStatic()
        scheduleCaptureEnds(at: now)
        scheduleReclaim(at: now)
    }

    /// Sees to it that what waits for the workers does not wait for the next event too: a slot, an id, or a template that
    /// was changed again before all workers had seen the change before.
    func scheduleReclaim(at now: Instant) {
        if table.isReclaiming { agenda.schedule(.reclaim, at: now + Self.reclaimInterval) }
    }

    /// Time between two looks for grace periods that have ended. Workers pass quiescent points far faster.
    static let reclaimInterval: Duration = .milliseconds(5)

    /// Ends everything in order: CDN and StopCCN to the peers, PADT to the clients. For a daemon that is being stopped.
    public func shutDown(at now: Instant) {
        for key in destinations.keys { forget(key) }
        for id in tunnels.keys.sorted() { stopTunnel(id, .init(.shuttingDown), at: now) }
        for slot in connections.keys.sorted() {
            removeConnection(slot, telling: "access concentrator stopping", at: now)
        }
    }

    /// Sends StopCCN, which ends the tunnel's sessions too.
    func stopTunnel(_ id: UInt16, _ code: StopCode, at now: Instant) {
        run(id, at: now) { $0.close(code, at: now) }
    }
}

/// A session between its removal and its final counters.
struct EndingSession {
    let metadata: Logger.Metadata
    let createdAt: Instant
    let endedAt: Instant
}
