import L2TP
import Timing
import Wire

/// Control messages: every decoder over the input, and a tunnel that is fed with it in pieces. The input: one octet of
/// choices, then pieces, each after one octet that says what to do and two with its length.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = Array(UnsafeBufferPointer(start: start, count: count))[...]
    guard let choices = input.popFirst() else { return 0 }
    checkCodecs(input)
    guard var machine = Machine(choices: choices) else { return 0 }
    while let operation = input.popFirst() {
        let length = Int(input.popFirst() ?? 0) << 8 | Int(input.popFirst() ?? 0)
        machine.step(operation, input.prefix(length))
        input = input.dropFirst(length)
    }
    machine.finish()
    return 0
}

private let secret = Array("tunsecret".utf8)

/// What can be decoded decodes to the same again after it was encoded, in the clear and hidden.
private func checkCodecs(_ input: ArraySlice<UInt8>) {
    _ = try? InitialMessage.decode(input)
    _ = try? InitialMessage.decode(input, secret: secret)
    let bodies = [input] + ((try? ControlHeader.decode(input)).map { [$0.1] } ?? [])
    for body in bodies {
        for key in [nil, secret] {
            guard let message = (try? ControlMessage.decode(body, secret: key))?.message else { continue }
            let hiding = key.map {
                HidingKey(secret: $0, randomVector: [1, 2, 3], padding: Array(input.prefix(15)))
            }
            // Text that is no UTF-8 grows when it is repaired, and may then not fit.
            guard let encoded = try? message.encode(hiding: hiding) else { continue }
            guard let again = (try? ControlMessage.decode(encoded[...], secret: key))?.message else {
                fatalError("\(message) does not decode")
            }
            precondition(again == message, "\(message) became \(again)")
        }
    }
}

private struct Counter: RandomNumberGenerator, Sendable {
    var value: UInt64 = 0
    mutating func next() -> UInt64 {
        value += 1
        return value
    }
}

private struct Machine {
    var tunnel: Tunnel
    var now = Instant.zero
    var open: Set<UInt16> = []
    var nextID: UInt16 = 1
    var downs = 0
    var releases = 0

    init?(choices: UInt8) {
        var settings = TunnelConfiguration(hostName: "fuzz")
        if choices & 1 != 0 { settings.sharedSecret = secret }
        settings.hidesAttributes = choices & 3 == 3
        settings.acceptsCalls = choices & 4 != 0
        settings.sessionLimit = 20
        if choices & 16 != 0 { settings.failover = FailoverCapability(recoveryTime: 1_000) }
        guard
            let tunnel = try? Tunnel(
                role: choices & 8 != 0 ? .responder : .initiator, localID: 11008, configuration: settings,
                random: Counter())
        else { return nil }
        self.tunnel = tunnel
        check(self.tunnel.open(at: now))
    }

    mutating func step(_ operation: UInt8, _ bytes: ArraySlice<UInt8>) {
        now = now + .milliseconds(10)
        switch operation & 15 {
        case 0: check(tunnel.receive(datagram: bytes, at: now))
        case 1:
            if let deadline = tunnel.deadline {
                now = max(now, deadline)
                check(tunnel.timerFired(at: now))
            }
        case 2:
            var call = IncomingCall(
                callSerialNumber: 1, connected: CallConnected(txConnectSpeed: 1, framingType: .synchronous))
            call.accessLine.agentCircuitID = bytes.isEmpty ? nil : Array(bytes.prefix(63))
            guard let actions = try? tunnel.openSession(localID: nextID, call: call, at: now) else { return }
            open.insert(nextID)
            nextID &+= 1
            check(actions)
        case 3:
            let cause =
                bytes.isEmpty ? nil : PPPDisconnectCause(.normal, message: String(decoding: bytes, as: UTF8.self))
            check(
                tunnel.closeSession(UInt16(bytes.first ?? 1), DisconnectCode(.administrative), cause: cause, at: now))
        case 4: check(tunnel.close(at: now))
        case 5: tunnel.sendFailed(bytes)
        case 6: check(tunnel.yield(at: now))
        case 8:
            // A failure of ours that ends in this way or that, or one of the peer's.
            switch bytes.first ?? 0 {
            case 0: check(tunnel.suspend(at: now))
            case 1: check(tunnel.resume(at: now))
            case 2: check(tunnel.abandonRecovery(at: now))
            case let number:
                let sequence = ControlSequence(ns: UInt16(number) << 8, nr: UInt16(bytes.last ?? 0))
                check(tunnel.recover(ChannelReset(sequence: sequence, alternative: .zero), at: now))
            }
        case 9: recover(bytes)
        default:
            // A body in sequence, which a fuzzer would not find the numbers for by itself.
            let header = ControlHeader(
                tunnelID: 11008, sessionID: UInt16(operation >> 4), ns: tunnel.statistics.nr, nr: tunnel.statistics.ns)
            if let datagram = header.encode(body: bytes) { check(tunnel.receive(datagram: datagram[...], at: now)) }
        }
        precondition(Set(tunnel.sessions.keys) == open, "\(tunnel.sessions.keys) and \(open)")
    }

    /// A recovery tunnel at either end, which is given the octets in sequence and comes to rest.
    private mutating func recover(_ bytes: ArraySlice<UInt8>) {
        let attempts: [RecoveryTunnel?]
        if case .request(let request)? = try? InitialMessage.decode(bytes) {
            attempts = [try? RecoveryTunnel(answering: request, for: tunnel, localID: 7, random: Counter())]
        } else {
            attempts = [try? RecoveryTunnel(recovering: tunnel, localID: 7, random: Counter())]
        }
        for case var attempt? in attempts {
            var releases = 0
            var ends = 0
            func count(_ actions: [RecoveryTunnel.Action]) {
                for action in actions {
                    switch action {
                    case .released: releases += 1
                    case .recovered, .failed: ends += 1
                    case .send, .bindPeer, .note: break
                    }
                }
            }
            var time = now
            count(attempt.open(at: time))
            count(attempt.receive(datagram: bytes, at: time))
            for (ns, nr) in [(0, 1), (1, 1), (1, 2)] as [(UInt16, UInt16)] {
                let header = ControlHeader(tunnelID: 7, sessionID: 0, ns: ns, nr: nr)
                if let datagram = header.encode(body: bytes) {
                    count(attempt.receive(datagram: datagram[...], at: time))
                }
            }
            for _ in 0..<100 {
                guard let deadline = attempt.deadline else { break }
                time = max(time, deadline)
                count(attempt.timerFired(at: time))
            }
            precondition(releases == 1 && ends == 1, "\(releases) releases, \(ends) ends")
        }
    }

    /// Every session ends once, and the tunnel comes to rest.
    mutating func finish() {
        check(tunnel.close(at: now))
        for _ in 0..<100 {
            guard let deadline = tunnel.deadline else { break }
            now = max(now, deadline)
            check(tunnel.timerFired(at: now))
        }
        precondition(tunnel.deadline == nil && open.isEmpty && tunnel.sessions.isEmpty)
        precondition(downs == 1 && releases == 1, "\(downs) downs, \(releases) releases")
    }

    private mutating func check(_ actions: [TunnelAction]) {
        for action in actions {
            switch action {
            case .send(let bytes):
                // What is sent can be read: by anyone, or with the secret.
                guard let (_, body) = try? ControlHeader.decode(bytes[...]) else { fatalError("bad header sent") }
                if !body.isEmpty {
                    guard (try? ControlMessage.decode(body, secret: secret)) != nil else { fatalError("bad body sent") }
                }
            case .incomingCall(let request):
                let peerID = request.assignedSessionID
                if nextID % 3 == 0 {
                    nextID &+= 1
                    check(tunnel.refuseCall(peerSessionID: peerID, DisconnectCode(.busy), at: now))
                } else if let accepted = try? tunnel.acceptCall(peerSessionID: peerID, localID: nextID, at: now) {
                    open.insert(nextID)
                    nextID &+= 1
                    check(accepted)
                }
            case .sessionDown(let id, _): precondition(open.remove(id) != nil, "session \(id) ended twice")
            case .sessionUp(let session): precondition(open.contains(session.localID))
            case .tunnelDown: downs += 1
            case .released: releases += 1
            default: break
            }
        }
    }
}
