import PPP
import Testing
import Timing

let t0 = Instant(nanoseconds: 5_000_000_000)
let challenge = Array(0..<16) as [UInt8]
/// pppd's Configure-Request, as captured.
let clientOptions = octets("010405d4 0506a07ef1c8")
/// An Authenticate-Request of pppd, as captured.
let papRequest = octets("c023 01010019 0d7573657240697370312e636f6d 06736563726574")
/// MD5 over 01, "secret" and the challenge, by Python's hashlib, from user@isp1.com.
let chapResponse = octets("c223 02010022 10 740e86463bda3a4d7017d6e0fba0699d 7573657240697370312e636f6d")
let user = Array("user@isp1.com".utf8)

/// Yields 0, 1, 2, …: challenges whose octets are known beforehand.
struct CountingGenerator: RandomNumberGenerator, Sendable {
    private var value: UInt64 = 0

    mutating func next() -> UInt64 {
        defer { value += 1 }
        return value
    }
}

/// A client that is played by hand: it collects what is sent to it.
struct Link {
    var machine: PartialTermination
    var now = t0
    /// Control packets sent since they were last looked at.
    var sent: [(proto: PPPProtocol, packet: ControlPacket)] = []
    /// Everything else that came out, ever.
    var events: [PartialTermination.Output] = []
    var request: ControlPacket?

    init(
        _ authentication: [AuthenticationProtocol] = [.chapMD5, .pap], maxPayload: UInt16 = 1492,
        change: (inout PartialTermination.Configuration) -> Void = { _ in }
    ) {
        var configuration = PartialTermination.Configuration(
            authentication: authentication, maxPayload: maxPayload, magicSeed: 42, random: CountingGenerator(),
            challengeName: "culvert")
        configuration.startDelay = .zero
        change(&configuration)
        machine = PartialTermination(configuration)
        take(machine.start(at: now))
    }

    mutating func take(_ outputs: [PartialTermination.Output]) {
        for output in outputs {
            guard case .send(let frame) = output else {
                events.append(output)
                continue
            }
            guard let packet = try? ControlPacket(parsing: frame.information[...]) else {
                Issue.record("not a control packet: \(frame)")
                continue
            }
            sent.append((frame.proto, packet))
            if frame.proto == .lcp, packet.code == 1 { request = packet }
        }
    }

    mutating func receive(_ bytes: [UInt8]) { take(machine.receive(bytes[...], at: now)) }
    mutating func receive(_ proto: PPPProtocol, code: UInt8, identifier: UInt8, _ data: [UInt8] = []) {
        receive(PPPFrame(proto, ControlPacket(code: code, identifier: identifier, data: data).encoded()).encoded())
    }

    /// Moves time to the machine's deadline.
    mutating func expire() {
        guard let deadline = machine.deadline else { return }
        now = deadline
        take(machine.timerFired(at: now))
    }

    /// Agrees on everything.
    mutating func open() throws {
        receive(.lcp, code: 1, identifier: 1, clientOptions)
        let request = try #require(request)
        receive(.lcp, code: 2, identifier: request.identifier, request.data)
    }

    mutating func codes(_ proto: PPPProtocol = .lcp) -> [UInt8] {
        defer { sent.removeAll() }
        return sent.filter { $0.proto == proto }.map(\.packet.code)
    }
}
