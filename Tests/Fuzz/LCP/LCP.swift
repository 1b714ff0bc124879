import PPP
import Timing

/// Frames in a row against the machine, and every codec's round trip. The input: one octet of choices, then frames, each
/// after two octets: what to do before it, and its length.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = Array(UnsafeBufferPointer(start: start, count: count))[...]
    checkCodecs(input)
    guard let choices = input.popFirst() else { return 0 }
    let authentication: [[AuthenticationProtocol]] = [
        [.chapMD5, .pap], [.pap, .chapMD5], [.pap], [], [.eap], [.eap, .chapMD5, .pap], [.chapMD5, .eap], [.eap, .pap],
    ]
    var machine = Machine(authentication: authentication[Int(choices & 7)])
    while !input.isEmpty, let before = input.popFirst() {
        let length = Int(input.popFirst() ?? 0)
        let frame = input.prefix(length)
        input = input.dropFirst(length)
        machine.step(before: before, frame: frame)
    }
    machine.drain()
    return 0
}

private struct Counter: RandomNumberGenerator, Sendable {
    var value: UInt64 = 0
    mutating func next() -> UInt64 {
        value += 1
        return value
    }
}

private struct Machine {
    var termination: PartialTermination
    var now = Instant.zero
    var identified = 0
    var failed = 0
    var closed = 0
    var lastRequest: ControlPacket?

    init(authentication: [AuthenticationProtocol]) {
        termination = PartialTermination(
            .init(
                authentication: authentication, maxPayload: 1492, magicSeed: 1, random: Counter(),
                challengeName: "fuzz"))
        check(termination.start(at: now))
    }

    mutating func step(before: UInt8, frame: ArraySlice<UInt8>) {
        switch before & 7 {
        case 0: advance()
        case 1: check(termination.reject(message: "no", at: now))
        case 2, 3:
            // Our own request acknowledged, which a fuzzer would not find out by itself.
            if let lastRequest {
                let ack = ControlPacket(code: 2, identifier: lastRequest.identifier, data: lastRequest.data)
                check(termination.receive(PPPFrame(.lcp, ack.encoded()).encoded()[...], at: now))
            }
        case 4:
            // A refusal with the right identifier and the fuzzer's options.
            if let lastRequest {
                let nak = ControlPacket(
                    code: before & 8 == 0 ? 3 : 4, identifier: lastRequest.identifier, data: Array(frame))
                check(termination.receive(PPPFrame(.lcp, nak.encoded()).encoded()[...], at: now))
            }
        case 5, 6:
            // The fuzzer's code and data with a length that is right: what is behind that check needs no luck.
            let proto: PPPProtocol =
                before & 7 == 5 ? .lcp : before & 16 != 0 ? .eap : before & 8 == 0 ? .pap : .chap
            let packet = ControlPacket(code: frame.first ?? 0, identifier: 1, data: Array(frame.dropFirst()))
            return check(termination.receive(PPPFrame(proto, packet.encoded()).encoded()[...], at: now))
        default: break
        }
        check(termination.receive(frame, at: now))
    }

    mutating func advance() {
        guard let deadline = termination.deadline else { return }
        precondition(deadline >= now, "a deadline that has passed was not served")
        now = deadline
        check(termination.timerFired(at: now))
        precondition(termination.deadline.map { $0 > now } ?? true, "the timer does not move on")
    }

    /// Whatever happened, a client that falls silent ends in `closed` or stays identified.
    mutating func drain() {
        for _ in 0..<100 where termination.deadline != nil { advance() }
        precondition(termination.deadline == nil, "timers never end")
        precondition(closed == 1 || identified == 1, "neither identified nor closed")
    }

    mutating func check(_ outputs: [PartialTermination.Output]) {
        for output in outputs {
            precondition(closed == 0, "output after closed")
            switch output {
            case .send(let frame):
                precondition(frame.information.count <= 1492, "frame larger than any MRU agreed to")
                precondition((try? PPPFrame(parsing: frame.encoded()[...])) == frame, "our own frame does not decode")
                guard let packet = try? ControlPacket(parsing: frame.information[...]) else {
                    preconditionFailure("our own packet does not decode")
                }
                if frame.proto == .lcp, packet.code == 1 { lastRequest = packet }
            case .identified(let data):
                identified += 1
                precondition(data.authenType == .none || !data.authenName.isEmpty, "identified as nobody")
            case .failed: failed += 1
            case .closed: closed += 1
            }
        }
        precondition(identified <= 1 && failed <= 1, "said twice")
    }
}

private func checkCodecs(_ bytes: ArraySlice<UInt8>) {
    if let frame = try? PPPFrame(parsing: bytes) {
        precondition((try? PPPFrame(parsing: frame.encoded()[...])) == frame, "frame")
        precondition((try? PPPFrame(parsing: frame.encoded(addressAndControl: true)[...])) == frame, "frame with ff03")
    }
    if let packet = try? ControlPacket(parsing: bytes) {
        precondition((try? ControlPacket(parsing: packet.encoded()[...])) == packet, "packet")
        if let options = try? LCPOption.list(parsing: packet.data[...]) {
            precondition(options.encoded == packet.data, "options")
        }
        _ = PAP.Credentials(parsing: packet.data[...])
        _ = CHAP.Response(parsing: packet.data[...])
        _ = EAP.identity(in: packet.data[...])
    }
}
