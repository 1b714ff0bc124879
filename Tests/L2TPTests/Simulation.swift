import L2TP
import Timing

/// One end of a tunnel and the role that runs it, as small as it can be.
struct Node {
    var tunnel: Tunnel
    var isUp = false
    var isReleased = false
    var end: TunnelEnd?
    /// Sessions that forward now: our id, and the peer's.
    var forwarding: [UInt16: UInt16] = [:]
    /// Calls of `sessionDown` for an id that was not open.
    var strayEnds = 0
    var open: Set<UInt16> = []
    var nextID: UInt16 = 1000

    /// Does what the tunnel asks and answers what is to be sent.
    mutating func perform(_ actions: [TunnelAction], at now: Instant) -> [[UInt8]] {
        var sent: [[UInt8]] = []
        for action in actions {
            switch action {
            case .send(let bytes): sent.append(bytes)
            case .tunnelUp: isUp = true
            case .tunnelDown(let reason):
                isUp = false
                end = reason
            case .released: isReleased = true
            case .incomingCall(let request):
                nextID += 1
                open.insert(nextID)
                let peer = request.assignedSessionID
                guard let answer = try? tunnel.acceptCall(peerSessionID: peer, localID: nextID, at: now) else {
                    open.remove(nextID)
                    continue
                }
                sent += perform(answer, at: now)
            case .sessionUp(let session): forwarding[session.localID] = session.peerID
            case .sessionDown(let id, _):
                forwarding[id] = nil
                if open.remove(id) == nil { strayEnds += 1 }
            case .bindPeer, .linkInfo, .wanError, .connectSpeeds, .note: break
            }
        }
        return sent
    }
}

/// How a pipe treats datagrams: chances from 0 to 1.
struct PipeFaults: Sendable {
    var loss = 0.0
    var duplication = 0.0
    /// The longest time on the way; the time is drawn anew for each datagram, so they overtake each other.
    var delay: Duration = .milliseconds(10)
}

/// Two tunnels back to back in virtual time.
struct Pair {
    var initiator: Node
    var responder: Node
    var faults = PipeFaults()
    private(set) var now = Instant.zero
    private(set) var datagrams = 0
    private var random: SeededGenerator
    private var pipe: [(at: Instant, order: Int, toResponder: Bool, bytes: [UInt8])] = []

    init(initiator: TunnelConfiguration, responder: TunnelConfiguration, seed: UInt64) throws {
        random = SeededGenerator(state: seed)
        self.initiator = Node(
            tunnel: try Tunnel(
                role: .initiator, localID: 11, configuration: initiator, random: SeededGenerator(state: seed &+ 1)))
        self.responder = Node(
            tunnel: try Tunnel(
                role: .responder, localID: 22, configuration: responder, random: SeededGenerator(state: seed &+ 2)))
    }

    mutating func open() { put(initiator.perform(initiator.tunnel.open(at: now), at: now), toResponder: true) }

    mutating func openSession(_ id: UInt16) throws {
        let actions = try initiator.tunnel.openSession(localID: id, call: call(serial: UInt32(id)), at: now)
        initiator.open.insert(id)
        put(initiator.perform(actions, at: now), toResponder: true)
    }

    mutating func closeSession(_ id: UInt16) {
        let actions = initiator.tunnel.closeSession(id, DisconnectCode(.lossOfCarrier), at: now)
        put(initiator.perform(actions, at: now), toResponder: true)
    }

    /// The initiator's process ends and another goes on with what it had written down; answers the sessions that are kept.
    mutating func restartInitiator(at step: UInt16) throws -> Set<UInt16> {
        let old = initiator.tunnel
        var tunnel = try Tunnel(
            restoring: old.checkpoint, configuration: old.configuration,
            random: SeededGenerator(state: UInt64(step) &* 77), at: now)
        var kept: Set<UInt16> = []
        for (id, session) in old.sessions.sorted(by: { $0.key < $1.key }) {
            if let checkpoint = session.checkpoint, tunnel.restore(checkpoint, at: now) { kept.insert(id) }
        }
        initiator.tunnel = tunnel
        initiator.open = kept
        initiator.forwarding = initiator.forwarding.filter { kept.contains($0.key) }
        put(initiator.perform(initiator.tunnel.resume(at: now), at: now), toResponder: true)
        for id in old.sessions.keys.sorted() where !kept.contains(id) {
            let actions = initiator.tunnel.disconnectForgotten(
                localID: id, peerID: 0, DisconnectCode(.lossOfCarrier), at: now)
            put(initiator.perform(actions, at: now), toResponder: true)
        }
        return kept
    }

    mutating func close() { put(initiator.perform(initiator.tunnel.close(at: now), at: now), toResponder: true) }

    mutating func run(until end: Instant) {
        while true {
            let arrival = pipe.indices.min { (pipe[$0].at, pipe[$0].order) < (pipe[$1].at, pipe[$1].order) }
            let arrivalTime = arrival.map { pipe[$0].at } ?? .distantFuture
            let next = min(
                arrivalTime, initiator.tunnel.deadline ?? .distantFuture, responder.tunnel.deadline ?? .distantFuture)
            guard next <= end else { break }
            now = max(now, next)
            if let arrival, arrivalTime <= now {
                let item = pipe.remove(at: arrival)
                deliver(item.bytes, toResponder: item.toResponder)
            } else if initiator.tunnel.deadline.map({ $0 <= now }) == true {
                put(initiator.perform(initiator.tunnel.timerFired(at: now), at: now), toResponder: true)
            } else {
                put(responder.perform(responder.tunnel.timerFired(at: now), at: now), toResponder: false)
            }
        }
        now = max(now, end)
    }

    private mutating func deliver(_ bytes: [UInt8], toResponder: Bool) {
        if toResponder {
            put(responder.perform(responder.tunnel.receive(datagram: bytes[...], at: now), at: now), toResponder: false)
        } else {
            put(initiator.perform(initiator.tunnel.receive(datagram: bytes[...], at: now), at: now), toResponder: true)
        }
    }

    private mutating func put(_ sent: [[UInt8]], toResponder: Bool) {
        for bytes in sent {
            let copies = Double.random(in: 0..<1, using: &random) < faults.duplication ? 2 : 1
            for _ in 0..<copies where Double.random(in: 0..<1, using: &random) >= faults.loss {
                datagrams += 1
                let delay = faults.delay * Double.random(in: 0.1..<1, using: &random)
                pipe.append((now + delay, datagrams, toResponder, bytes))
            }
        }
    }
}
