import Timing
import Wire

extension HostStack {
    /// Keeps the way to `destination` resolved until `release(_:)`: asks now, refreshes in time, and goes on asking while
    /// there is no answer. Each change is told by `nextHopChanged` with the gateway of `route(to:)`. Calls count: as many
    /// releases end it.
    ///
    /// - Throws: `HostFault.noRoute`.
    public mutating func hold(_ destination: IPv4Address, at now: Instant) throws(HostFault) -> [HostOutput] {
        guard let route = routes.route(to: destination) else { throw .noRoute }
        var outputs: [HostOutput] = []
        let key = Neighbour.Key(port: route.port, address: route.gateway)
        var neighbour = neighbours[key] ?? newNeighbour(route, at: now, into: &outputs)
        if neighbour.holders == 0, neighbours[key] != nil { unheldCount -= 1 }
        neighbour.holders += 1
        store(neighbour, for: key)
        return outputs
    }

    /// Ends one `hold(_:at:)` of the same destination.
    public mutating func release(_ destination: IPv4Address) {
        guard let route = routes.route(to: destination) else { return }
        let key = Neighbour.Key(port: route.port, address: route.gateway)
        guard let holders = neighbours[key]?.holders, holders > 0 else { return }
        neighbours[key]?.holders = holders - 1
        if holders == 1 {
            unheldCount += 1
            evictIfCrowded()
        }
    }

    /// Hands an IP packet to the route's gateway: now, or when its address is known.
    mutating func deliver(_ packet: [UInt8], route: Route, at now: Instant, into outputs: inout [HostOutput]) {
        let key = Neighbour.Key(port: route.port, address: route.gateway)
        guard var neighbour = neighbours[key] else {
            var neighbour = newNeighbour(route, at: now, into: &outputs)
            neighbour.queue.append(packet)
            unheldCount += 1
            store(neighbour, for: key)
            evictIfCrowded()
            return
        }
        neighbour.used = true
        neighbour.usedAt = now
        if let mac = neighbour.mac {
            transmit(packet, to: mac, route: route, into: &outputs)
        } else if neighbour.phase == .failed {
            counters[.resolutionDropped] += 1
        } else {
            if neighbour.queue.count >= max(1, limits.queuedPackets) {
                neighbour.queue.removeFirst()
                counters[.resolutionDropped] += 1
            }
            neighbour.queue.append(packet)
        }
        store(neighbour, for: key)
    }

    /// Looks after every neighbour whose deadline has come.
    mutating func serveNeighbours(at now: Instant, into outputs: inout [HostOutput]) {
        let due = neighbours.filter { $0.value.deadline <= now }
            .sorted { ($0.key.port, $0.key.address) < ($1.key.port, $1.key.address) }
        for (key, neighbour) in due {
            serve(neighbour, key: key, at: now, into: &outputs)
        }
        // Deadlines that lie close together are served together: with thousands of neighbours this bounds the scans.
        let earliest = neighbours.values.lazy.map(\.deadline).min() ?? .distantFuture
        nextDeadline = max(earliest, now + .milliseconds(20))
    }

    private mutating func serve(
        _ neighbour: Neighbour, key: Neighbour.Key, at now: Instant, into outputs: inout [HostOutput]
    ) {
        var neighbour = neighbour
        switch neighbour.phase {
        case .reachable:
            guard neighbour.holders > 0 || neighbour.used else {
                remove(key)
                return
            }
            neighbour.phase = .asking(sent: 0)
            ask(&neighbour, at: now, into: &outputs)
        case .asking(let sent) where sent < limits.unicastRequests + limits.broadcastRequests:
            ask(&neighbour, at: now, into: &outputs)
        case .asking:
            counters[.resolutionDropped] += UInt64(neighbour.queue.count)
            neighbour.queue = []
            neighbour.mac = nil
            neighbour.used = false
            neighbour.phase = .failed
            neighbour.deadline = now + limits.holdDown
            if !neighbour.givenUp {
                neighbour.givenUp = true
                outputs.append(.nextHopChanged(gateway: key.address, port: key.port, mac: nil))
            }
        case .failed:
            guard neighbour.holders > 0 else {
                remove(key)
                return
            }
            // One request a hold-down from here on: the last try of the broadcast phase.
            neighbour.phase = .asking(sent: limits.unicastRequests + limits.broadcastRequests - 1)
            ask(&neighbour, at: now, into: &outputs)
        }
        store(neighbour, for: key)
    }

    /// An entry that asks for the route's gateway by broadcast.
    private mutating func newNeighbour(
        _ route: Route, at now: Instant, into outputs: inout [HostOutput]
    ) -> Neighbour {
        var neighbour = Neighbour(
            phase: .asking(sent: limits.unicastRequests), deadline: now, usedAt: now, route: route)
        ask(&neighbour, at: now, into: &outputs)
        return neighbour
    }

    /// Sends the next request of the neighbour's asking phase and sets its deadline.
    mutating func ask(_ neighbour: inout Neighbour, at now: Instant, into outputs: inout [HostOutput]) {
        guard case .asking(let sent) = neighbour.phase else { return }
        let route = neighbour.route
        let known = sent < limits.unicastRequests ? neighbour.mac : nil
        let request = ARPMessage(
            .request, senderMAC: route.sourceMAC, senderAddress: route.source, targetMAC: MACAddress(value: 0),
            targetAddress: route.gateway)
        let frame = EthernetFrame(
            destination: known ?? .broadcast, source: route.sourceMAC, etherType: EthernetFrame.typeARP,
            payload: request.bytes
        ).bytes
        outputs.append(.transmit(frame: frame, port: route.port))
        counters[.arpRequested] += 1
        neighbour.phase = .asking(sent: sent + 1)
        neighbour.deadline = now + limits.retryInterval
    }

    func transmit(_ packet: [UInt8], to mac: MACAddress, route: Route, into outputs: inout [HostOutput]) {
        let frame = EthernetFrame(
            destination: mac, source: route.sourceMAC, etherType: EthernetFrame.typeIPv4, payload: packet
        ).bytes
        outputs.append(.transmit(frame: frame, port: route.port))
    }

    /// Writes an entry back and keeps `nextDeadline` below its deadline.
    mutating func store(_ neighbour: Neighbour, for key: Neighbour.Key) {
        neighbours[key] = neighbour
        nextDeadline = min(nextDeadline, neighbour.deadline)
    }

    private mutating func remove(_ key: Neighbour.Key) {
        guard let neighbour = neighbours.removeValue(forKey: key) else { return }
        counters[.resolutionDropped] += UInt64(neighbour.queue.count)
        if neighbour.holders == 0 { unheldCount -= 1 }
    }

    /// Removes the longest unused entry that nobody holds when there are more of them than allowed.
    private mutating func evictIfCrowded() {
        guard unheldCount > max(1, limits.neighbours),
            let oldest = neighbours.filter({ $0.value.holders == 0 }).min(by: { $0.value.usedAt < $1.value.usedAt })
        else { return }
        remove(oldest.key)
    }
}
