import L2TP
import Logging
import Observability
import PPPoE
import RADIUS
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
        connections[slot]?.terminateCause = .userRequest
        logger.info(
            "PADT from the client\(termination.errorText.map { ": \($0)" } ?? "")",
            metadata: metadata(of: connection))
        if let call = connection.call {
            connections[slot]?.call = nil
            closeCall(
                call, .init(.lossOfCarrier, message: "PADT from the client"), ppp: .padt(termination.errorText), at: now
            )
        }
        removeConnection(slot, telling: nil, at: now)
    }

    /// Tells the client over PPP that it cannot be served; the connection goes when that is done.
    func refuseConnection(
        _ slot: UInt32, _ reason: String, telling message: String = "service not available", at now: Instant
    ) {
        guard var connection = connections[slot] else { return }
        logger.warning("\(reason)", metadata: metadata(of: connection))
        guard connection.phase != .closing, connection.link != nil else { return }
        connection.phase = .closing
        let outputs = connection.link?.reject(message: message, at: now) ?? []
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
        for timer in [.attempt(slot: slot), .interim(slot: slot), .sessionTimeout(slot: slot), .idle(slot: slot)]
            as [Timer]
        {
            agenda.cancel(timer)
        }
        if let waiter = connection.nameWaiter { names.abandon(waiter) }
        if let handle = connection.radiusRequest {
            authorizing[handle] = nil
            perform(radius.cancel(handle, at: now), at: now)
        }
        if let text, let interface = accessInterface(of: connection.circuit) {
            send(
                DiscoveryServer.padt(sessionID: connection.upstream.sessionID, errorText: text), to: connection.client,
                on: interface, tags: connection.tags)
        }
        var end = EndingSession(
            metadata: metadata(of: connection), createdAt: connection.createdAt, endedAt: now,
            accounting: connection.accounting, cause: connection.terminateCause ?? .nasRequest,
            packetsLost: connection.accounting.map { _ in table.details(upstream: slot).missing })
        end.keepImage(of: connection, account: endedIn[slot]?.account)
        if connection.isStored || end.image != nil { changed.sessions[connection.routeID] = slot }
        ending[slot] = end
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
            if let ended = endedIn.removeValue(forKey: slot) {
                tunnels[ended.tunnel]?.endedTraffic += traffic
                if let account = ended.account {
                    changed.tunnelAccounts.insert(account)
                    tunnelAccounts[account]?.traffic += traffic
                    tunnelAccounts[account]?.sessions -= 1
                    finishTunnelAccount(account, at: now)
                }
            }
            guard let session = ending.removeValue(forKey: slot) else { continue }
            if let image = session.image { changed.sessions[image.routeID] = slot }
            stopAccounting(of: session, traffic, at: now)
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
        isShuttingDown = true
        for key in destinations.keys { forget(key) }
        for id in tunnels.keys.sorted() { stopTunnel(id, .init(.shuttingDown), at: now) }
        for slot in connections.keys.sorted() {
            removeConnection(slot, telling: "access concentrator stopping", at: now)
        }
    }

    /// Whether something that `shutDown` began is under way: peers that have not acknowledged, or sessions whose counters are not
    /// final. When it is not, accounting is over, and the servers are told so.
    public func hasShutDown(at now: Instant) -> Bool {
        guard isShuttingDown, tunnels.isEmpty, ending.isEmpty else { return false }
        return true
    }

    /// Tells accounting servers that the node ends; the last thing before it does.
    public func finishAccounting(at now: Instant) { accountingOff(at: now) }

    /// Whether accounting records wait for a server.
    public var hasUnsentRecords: Bool { records.count > 0 }

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
    let accounting: SessionAccounting?
    let cause: TerminateCause
    /// Data messages from the LNS that never came, where they are numbered.
    let packetsLost: UInt32?
    /// What the store keeps of it until its counters are final; nil where nobody is told of them.
    var image: StoredSession?
}

/// The tunnel that a session was in, until its counters are final.
struct EndedIn {
    let tunnel: UInt16
    /// The tunnel's account.
    let account: UInt64?
}
