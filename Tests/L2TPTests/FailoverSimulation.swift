import L2TP
import Timing

/// One end of a tunnel that can fail, and the role that runs it: tries to recover what it has forgotten, and answers a peer that does.
struct FailoverEnd {
    var tunnel: Tunnel
    var recoveries: [UInt16: RecoveryTunnel] = [:]
    var end: TunnelEnd?
    var isReleased = false
    /// Sessions that forward now: our id, and the peer's.
    var forwarding: [UInt16: UInt16] = [:]
    /// Why sessions have ended.
    var sessionEnds: [UInt16: SessionEnd] = [:]
    /// What became of attempts.
    var failures: [TunnelEnd] = []
    var nextSessionID: UInt16
    var nextTunnelID: UInt16
    var giveUpAt = Instant.zero
    var seed: UInt64

    init(_ role: Tunnel.Role, _ settings: TunnelConfiguration, seed: UInt64) throws {
        let base: UInt16 = role == .initiator ? 100 : 200
        tunnel = try Tunnel(
            role: role, localID: base, configuration: settings, random: SeededGenerator(state: seed &+ UInt64(base)))
        nextSessionID = base * 10
        nextTunnelID = base
        self.seed = seed &+ UInt64(base)
    }

    var deadline: Instant? { ([tunnel.deadline] + recoveries.values.map(\.deadline)).compactMap { $0 }.min() }

    mutating func makeRandom() -> SeededGenerator {
        seed &+= 7919
        return SeededGenerator(state: seed)
    }

    /// Everything since `memory` is forgotten, and then recovered.
    mutating func fail(to memory: FailoverEnd, at now: Instant) -> [[UInt8]] {
        let (tunnelID, seed) = (nextTunnelID, seed)
        self = memory
        nextTunnelID = tunnelID
        self.seed = seed
        giveUpAt = now + .seconds(300)
        return perform(tunnel.suspend(at: now), at: now) + attempt(at: now)
    }

    mutating func attempt(at now: Instant) -> [[UInt8]] {
        nextTunnelID += 1
        let id = nextTunnelID
        guard var recovery = try? RecoveryTunnel(recovering: tunnel, localID: id, random: makeRandom()) else {
            return []
        }
        let actions = recovery.open(at: now)
        recoveries[id] = recovery
        return perform(actions, recovery: id, at: now)
    }

    mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] {
        guard let header = try? ControlHeader.decode(bytes[...]).0 else { return [] }
        if recoveries[header.tunnelID] != nil { return receive(bytes, recovery: header.tunnelID, at: now) }
        if header.tunnelID != 0 || tunnel.state != .established {
            return perform(tunnel.receive(datagram: bytes[...], at: now), at: now)
        }
        guard case .request(let start)? = try? InitialMessage.decode(bytes[...]), let recovery = start.recovery,
            tunnel.refusal(of: recovery) == nil
        else { return [] }
        for (id, attempt) in recoveries {
            if attempt.hasFailed {
                let tie = attempt.tieBreak(against: start)
                if tie == .ours || tie == .neither { return [] }
            } else if attempt.peer?.tunnelID == start.assignedTunnelID, attempt.challenge == start.challenge {
                return receive(bytes, recovery: id, at: now)
            }
        }
        guard recoveries.count < 4 else { return [] }
        nextTunnelID += 1
        let id = nextTunnelID
        recoveries[id] = try? RecoveryTunnel(answering: start, for: tunnel, localID: id, random: makeRandom())
        return receive(bytes, recovery: id, at: now)
    }

    private mutating func receive(_ bytes: [UInt8], recovery id: UInt16, at now: Instant) -> [[UInt8]] {
        guard let actions = recoveries[id]?.receive(datagram: bytes[...], at: now) else { return [] }
        return perform(actions, recovery: id, at: now)
    }

    mutating func timerFired(at now: Instant) -> [[UInt8]] {
        var sent: [[UInt8]] = []
        if tunnel.deadline.map({ $0 <= now }) == true { sent += perform(tunnel.timerFired(at: now), at: now) }
        for id in recoveries.keys.sorted() where recoveries[id]?.deadline.map({ $0 <= now }) == true {
            sent += perform(recoveries[id]?.timerFired(at: now) ?? [], recovery: id, at: now)
        }
        return sent
    }

    mutating func perform(_ actions: [RecoveryTunnel.Action], recovery id: UInt16, at now: Instant) -> [[UInt8]] {
        var sent: [[UInt8]] = []
        for action in actions {
            switch action {
            case .send(let bytes): sent.append(bytes)
            case .recovered(let reset):
                for other in recoveries.keys where other != id { recoveries[other] = nil }
                sent += perform(tunnel.recover(reset, at: now), at: now)
            case .failed(let end):
                failures.append(end)
                guard recoveries[id]?.hasFailed == true, tunnel.isRecovering else { continue }
                if now < giveUpAt, end.origin == .peerSilent || end.origin == .establishTimeout {
                    sent += attempt(at: now)
                } else {
                    sent += perform(tunnel.abandonRecovery(at: now), at: now)
                }
            case .released: recoveries[id] = nil
            case .bindPeer, .note: break
            }
        }
        return sent
    }

    /// Does what the tunnel asks and answers what is to be sent.
    mutating func perform(_ actions: [TunnelAction], at now: Instant) -> [[UInt8]] {
        var sent: [[UInt8]] = []
        for action in actions {
            switch action {
            case .send(let bytes): sent.append(bytes)
            case .tunnelDown(let reason): end = reason
            case .released: isReleased = true
            case .incomingCall(let request):
                nextSessionID += 1
                let actions = try? tunnel.acceptCall(
                    peerSessionID: request.assignedSessionID, localID: nextSessionID, at: now)
                sent += perform(actions ?? [], at: now)
            case .sessionUp(let session): forwarding[session.localID] = session.peerID
            case .sessionDown(let id, let end):
                forwarding[id] = nil
                sessionEnds[id] = end
            case .bindPeer, .tunnelUp, .linkInfo, .wanError, .connectSpeeds, .note: break
            }
        }
        return sent
    }
}

/// Two such ends in virtual time, with a bad pipe between them.
struct FailoverPair {
    /// The one that opened the tunnel and calls, and the other.
    var ends: [FailoverEnd]
    var faults = PipeFaults()
    private(set) var now = Instant.zero
    private var order = 0
    private var random: SeededGenerator
    private var pipe: [(at: Instant, order: Int, to: Int, bytes: [UInt8])] = []

    init(_ settings: [TunnelConfiguration], seed: UInt64) throws {
        random = SeededGenerator(state: seed)
        ends = [
            try FailoverEnd(.initiator, settings[0], seed: seed), try FailoverEnd(.responder, settings[1], seed: seed),
        ]
        let actions = ends[0].tunnel.open(at: now)
        put(ends[0].perform(actions, at: now), from: 0)
    }

    mutating func openSessions(_ ids: ClosedRange<UInt16>) throws {
        for id in ids {
            let actions = try ends[0].tunnel.openSession(localID: id, call: call(serial: UInt32(id)), at: now)
            put(ends[0].perform(actions, at: now), from: 0)
        }
    }

    mutating func closeSession(_ id: UInt16) {
        let actions = ends[0].tunnel.closeSession(id, DisconnectCode(.lossOfCarrier), at: now)
        put(ends[0].perform(actions, at: now), from: 0)
    }

    /// Ends fail and come back at once with what they knew when `memory` was made.
    mutating func fail(_ failing: [Int], to memory: [FailoverEnd]) {
        for index in failing { put(ends[index].fail(to: memory[index], at: now), from: index) }
    }

    /// A stranger's datagram.
    mutating func inject(_ bytes: [UInt8], to index: Int) { _ = ends[index].receive(bytes, at: now) }

    mutating func run(until end: Instant) {
        while true {
            let arrival = pipe.indices.min { (pipe[$0].at, pipe[$0].order) < (pipe[$1].at, pipe[$1].order) }
            let arrivalTime = arrival.map { pipe[$0].at } ?? .distantFuture
            let next = min(arrivalTime, ends[0].deadline ?? .distantFuture, ends[1].deadline ?? .distantFuture)
            guard next <= end else { break }
            now = max(now, next)
            if let arrival, arrivalTime <= now {
                let item = pipe.remove(at: arrival)
                put(ends[item.to].receive(item.bytes, at: now), from: item.to)
            } else {
                for index in ends.indices { put(ends[index].timerFired(at: now), from: index) }
            }
        }
        now = max(now, end)
    }

    private mutating func put(_ sent: [[UInt8]], from index: Int) {
        for bytes in sent {
            let copies = Double.random(in: 0..<1, using: &random) < faults.duplication ? 2 : 1
            for _ in 0..<copies where Double.random(in: 0..<1, using: &random) >= faults.loss {
                order += 1
                let delay = faults.delay * Double.random(in: 0.1..<1, using: &random)
                pipe.append((now + delay, order, 1 - index, bytes))
            }
        }
    }
}
