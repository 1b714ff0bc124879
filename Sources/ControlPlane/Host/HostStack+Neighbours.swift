import Timing
import Wire

extension HostStack {
    /// Keeps the way to `destination` resolved until `release(_:)`: asks now, refreshes in time, and goes on asking while
    /// there is no answer. Each change is told by `nextHopChanged` with the gateway of `route(to:)`. Calls count: as many
    /// releases end it.
    ///
    /// - Throws: `HostFault.noRoute`.
    public mutating func hold(_ destination: IPAddress, at now: Instant) throws(HostFault) -> [HostOutput] {
        guard let route = routes.route(to: destination) else { throw .noRoute }
        var outputs: [HostOutput] = []
        let key = Neighbour.Key(port: route.port, address: route.gateway)
        var neighbour = neighbours[key] ?? newNeighbour(route, at: now, into: &outputs)
        if neighbour.holders == 0, neighbours[key] != nil { unheldCount -= 1 }
        neighbour.holders += 1
        wake(&neighbour, at: now)
        store(neighbour, for: key)
        return outputs
    }

    /// Ends one `hold(_:at:)` of the same destination.
    public mutating func release(_ destination: IPAddress) {
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
            wake(&neighbour, at: now)
            transmit(packet, to: mac, route: route, into: &outputs)
        } else if neighbour.phase == .unreachable {
            // Whoever holds it sends again what is not answered: the newest goes out as soon as the neighbour is back.
            let isHeld = neighbour.holders > 0
            counters[.resolutionDropped] += isHeld ? UInt64(neighbour.queue.count) : 1
            neighbour.queue = isHeld ? [packet] : []
        } else {
            if neighbour.queue.count >= max(1, limits.queuedPackets) {
                neighbour.queue.removeFirst()
                counters[.resolutionDropped] += 1
            }
            neighbour.queue.append(packet)
        }
        store(neighbour, for: key)
    }

    /// An idle entry comes into use.
    private func wake(_ neighbour: inout Neighbour, at now: Instant) {
        guard neighbour.phase == .stale else { return }
        neighbour.phase = .delay
        neighbour.deadline = now + limits.probeDelay
    }

    /// Looks after every neighbour whose deadline has come.
    mutating func serveNeighbours(at now: Instant, into outputs: inout [HostOutput]) {
        let due = neighbours.filter { $0.value.deadline <= now }.sorted { $0.key < $1.key }
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
        case .reachable where key.address.ipv6 != nil:
            let isHeld = neighbour.holders > 0
            neighbour.phase = isHeld ? .delay : .stale
            neighbour.deadline = now + (isHeld ? limits.probeDelay : limits.staleInterval)
        case .reachable where neighbour.holders > 0 || neighbour.used, .delay:
            neighbour.phase = .probe(sent: 0)
            ask(&neighbour, at: now, into: &outputs)
        case .reachable, .stale:
            remove(key)
            return
        case .incomplete(let sent) where sent < limits.broadcastRequests:
            ask(&neighbour, at: now, into: &outputs)
        case .probe(let sent) where sent < limits.unicastRequests + limits.broadcastRequests:
            ask(&neighbour, at: now, into: &outputs)
        case .incomplete, .probe:
            counters[.resolutionDropped] += UInt64(neighbour.queue.count)
            neighbour.queue = []
            neighbour.mac = nil
            neighbour.used = false
            neighbour.phase = .unreachable
            neighbour.deadline = now + limits.holdDown
            if !neighbour.givenUp {
                neighbour.givenUp = true
                outputs.append(.nextHopChanged(gateway: key.address, port: key.port, mac: nil))
            }
        case .unreachable:
            guard neighbour.holders > 0 else {
                remove(key)
                return
            }
            // One question a hold-down from here on: the last try.
            neighbour.phase = .incomplete(sent: limits.broadcastRequests - 1)
            ask(&neighbour, at: now, into: &outputs)
        }
        store(neighbour, for: key)
    }

    /// An entry that asks everybody for the route's gateway.
    private mutating func newNeighbour(
        _ route: Route, at now: Instant, into outputs: inout [HostOutput]
    ) -> Neighbour {
        var neighbour = Neighbour(phase: .incomplete(sent: 0), deadline: now, usedAt: now, route: route)
        ask(&neighbour, at: now, into: &outputs)
        return neighbour
    }

    /// Sends the next question of the neighbour's phase and sets its deadline. While duplicate address detection is at work
    /// on the address to ask from, the question waits for its end (RFC 4862 section 5.4).
    private mutating func ask(_ neighbour: inout Neighbour, at now: Instant, into outputs: inout [HostOutput]) {
        let route = neighbour.route
        let source = Neighbour.Key(port: route.port, address: route.source)
        if let end = tentative[source], end > now {
            neighbour.deadline = end
            return
        }
        neighbour.deadline = now + limits.retryInterval
        let known: MACAddress?
        switch neighbour.phase {
        case .incomplete(let sent):
            neighbour.phase = .incomplete(sent: sent + 1)
            known = nil
        case .probe(let sent):
            neighbour.phase = .probe(sent: sent + 1)
            known = sent < limits.unicastRequests ? neighbour.mac : nil
        case .reachable, .stale, .delay, .unreachable: return
        }
        guard !duplicates.contains(source) else { return }
        switch (route.source, route.gateway) {
        case (.v4(let source), .v4(let gateway)):
            requestARP(of: gateway, at: known, from: source, route: route, into: &outputs)
        case (.v6(let source), .v6(let gateway)):
            solicit(gateway, at: known, from: source, route: route, into: &outputs)
        default: break
        }
    }

    /// A neighbour has answered: its address is known and, where `isSolicited`, known to reach it.
    mutating func confirm(
        _ key: Neighbour.Key, _ neighbour: Neighbour, mac: MACAddress, isSolicited: Bool, at now: Instant,
        into outputs: inout [HostOutput]
    ) {
        var neighbour = neighbour
        let changed = neighbour.mac != mac
        let waiting = neighbour.queue
        neighbour.mac = mac
        neighbour.confirmedAt = now
        neighbour.used = !waiting.isEmpty
        neighbour.queue = []
        neighbour.givenUp = false
        if isSolicited {
            neighbour.phase = .reachable
            neighbour.deadline = now + limits.refreshInterval
        } else {
            neighbour.phase = .stale
            neighbour.deadline = now + limits.staleInterval
            if neighbour.holders > 0 || !waiting.isEmpty { wake(&neighbour, at: now) }
        }
        store(neighbour, for: key)
        if changed { outputs.append(.nextHopChanged(gateway: key.address, port: key.port, mac: mac)) }
        for packet in waiting {
            transmit(packet, to: mac, route: neighbour.route, into: &outputs)
        }
    }

    /// Asks again at once when a known neighbour's address speaks from another Ethernet address: a fail-over, or a lie.
    /// Either way only the answer to our own question counts. One second must have passed since the last confirmation.
    mutating func verifyIfMoved(
        _ address: IPAddress, mac: MACAddress, on interface: HostInterface, at now: Instant,
        into outputs: inout [HostOutput]
    ) {
        let key = Neighbour.Key(port: interface.port, address: address)
        guard var neighbour = neighbours[key], let known = neighbour.mac, known != mac,
            now >= neighbour.confirmedAt + limits.retryInterval
        else { return }
        if case .probe(let sent) = neighbour.phase, sent > limits.unicastRequests { return }
        neighbour.phase = .probe(sent: limits.unicastRequests)
        ask(&neighbour, at: now, into: &outputs)
        store(neighbour, for: key)
    }

    private func transmit(_ packet: [UInt8], to mac: MACAddress, route: Route, into outputs: inout [HostOutput]) {
        let type = route.gateway.ipv6 == nil ? EthernetFrame.typeIPv4 : EthernetFrame.typeIPv6
        let frame = EthernetFrame(destination: mac, source: route.sourceMAC, etherType: type, payload: packet)
        outputs.append(.transmit(frame: frame.bytes, port: route.port))
    }

    /// Writes an entry back and keeps `nextDeadline` below its deadline.
    private mutating func store(_ neighbour: Neighbour, for key: Neighbour.Key) {
        neighbours[key] = neighbour
        nextDeadline = min(nextDeadline, neighbour.deadline)
    }

    /// Forgets neighbours, with what waits for them.
    mutating func removeNeighbours(where isGone: (Neighbour.Key, Neighbour) -> Bool) {
        for key in neighbours.filter({ isGone($0.key, $0.value) }).keys { remove(key) }
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
