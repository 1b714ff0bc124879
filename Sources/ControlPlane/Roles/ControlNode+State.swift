import Foundation
import L2TP
import SwiftProtobuf
import Timing

/// What the store is told, so that another process can go on where this one ends, at whatever instruction that is.
///
/// The owner takes the changes after every call and has them committed before the frames of that call are let out: what a peer
/// has had acknowledged is written then, and no number that it has seen is given again.
extension ControlNode {
    /// Everything that has changed since the last call, in a fixed order.
    public func takeChanges() -> [StateChange] {
        guard !changed.isEmpty else { return [] }
        let changed = changed
        self.changed = ChangedState()
        var changes: [StateChange] = []
        if changed.node { changes.append(StateChange(StateKey(.node, 0), image(of: nodeImage))) }
        for id in changed.tunnels.sorted() { changes.append(StateChange(StateKey(.tunnel, id), tunnelImage(id))) }
        for (routeID, slot) in changed.sessions.sorted(by: { $0.key < $1.key }) {
            changes.append(StateChange(StateKey(.session, routeID), sessionImage(routeID, slot)))
        }
        for number in changed.tunnelAccounts.sorted() {
            let account = tunnelAccounts[number].map(StoredTunnelAccount.init)
            changes.append(StateChange(StateKey(.tunnelAccount, number), account.flatMap(image)))
        }
        for id in changed.staticTunnels.sorted() {
            let tunnel = feed.tunnels[id].map { StoredStaticTunnel($0.tunnel) }
            changes.append(StateChange(StateKey(.staticTunnel, id), tunnel.flatMap(image)))
        }
        return changes
    }

    private func image(of message: some SwiftProtobuf.Message) -> [UInt8]? {
        do { return try message.serializedBytes() } catch {
            // No required fields, nothing too long: this cannot be. A restart would end what has no image.
            logger.error("state cannot be written: \(error)")
            return nil
        }
    }

    private func tunnelImage(_ id: UInt16) -> [UInt8]? {
        guard let record = tunnels[id], record.machine.state != .idle else { return nil }
        let destination = destinations[record.destination]
        return image(
            of: StoredTunnel(
                record, accountingGroup: destination?.accountingGroup, preference: destination?.preference ?? 0))
    }

    private func sessionImage(_ routeID: UInt32, _ slot: UInt32) -> [UInt8]? {
        if let connection = connections[slot], connection.routeID == routeID {
            guard connection.phase == .open, let stored = storedSession(connection) else { return nil }
            connections[slot]?.isStored = true
            return image(of: stored)
        }
        guard let stored = ending[slot]?.image, stored.routeID == routeID else { return nil }
        return image(of: stored)
    }

    private func storedSession(_ connection: Connection) -> StoredSession? {
        guard let id = connection.call, let call = tunnels[id.tunnel]?.calls[id.session],
            let session = tunnels[id.tunnel]?.machine.sessions[id.session]?.checkpoint
        else { return nil }
        return StoredSession(connection, call, session)
    }

    // MARK: Numbers that are given once

    /// A route id that no other route has, nor had one of an earlier process.
    func nextRouteID() -> UInt32 {
        while true {
            let id = next(\.routeNumbers)
            if routes[id] == nil { return id }
        }
    }

    /// The next number of one kind.
    func next<Number>(_ source: ReferenceWritableKeyPath<ControlNode, NumberSource<Number>>) -> Number {
        let (number, isLimitMoved) = self[keyPath: source].next()
        if isLimitMoved { changed.node = true }
        return number
    }

    private var nodeImage: StoredNode {
        var node = StoredNode()
        node.cookieSecret = Data(cookie.secret)
        node.routeIDLimit = routeNumbers.limit
        node.callSerialNumberLimit = callSerialNumbers.limit
        node.tunnelAccountLimit = tunnelAccountNumbers.limit
        node.isDraining = isDraining
        node.drainedDestinations = drained.map { Data($0.octets) }.sorted { $0.lexicographicallyPrecedes($1) }
        node.drainedInstances = drainedInstances.sorted()
        node.drainedPorts = drainedPorts.map { portName($0) }.sorted()
        return node
    }
}

extension EndingSession {
    /// Keeps what accounting must not forget of a session that was up.
    mutating func keepImage(of connection: Connection, account: UInt64?) {
        guard accounting != nil || account != nil else { return }
        var image = StoredSession()
        image.routeID = connection.routeID
        image.createdAt = connection.createdAt.nanoseconds
        image.client = Data(connection.client.octets)
        image.port = UInt32(connection.circuit.port)
        image.outerVlan = UInt32(connection.circuit.outerVLAN)
        image.innerVlan = UInt32(connection.circuit.innerVLAN)
        image.instance = connection.request.instance.name
        image.serviceName = Data(connection.request.serviceName)
        image.upstreamSlot = connection.upstream.slot
        image.pppoeSessionID = UInt32(connection.upstream.sessionID)
        image.userName = Data(connection.userOctets)
        if let authorization = connection.authorization { image.authorization = StoredAuthorization(authorization) }
        if let accounting { image.accounting = StoredAccounting(accounting) }
        var end = StoredEnd()
        end.at = endedAt.nanoseconds
        end.cause = cause.rawValue
        if let packetsLost { end.packetsLost = packetsLost }
        if let account { end.account = account }
        image.end = end
        self.image = image
    }
}
