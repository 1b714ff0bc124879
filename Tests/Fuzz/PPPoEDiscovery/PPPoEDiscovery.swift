import PPPoE
import Timing
import Wire

private let client = MACAddress(value: 0x0000_5e00_5301)
private let ac = MACAddress(value: 0x0000_5e00_5302)
private let circuit = AttachmentCircuit(port: 0, outerVLAN: 7)
private let server = DiscoveryServer(
    acName: "fuzz", macAddress: ac, linkMTU: 1508,
    instances: [
        ServiceInstance(name: "one", rule: .named("one", advertised: true)),
        ServiceInstance(name: "two", rule: .named("two", advertised: false)),
    ],
    cookie: ACCookie(secret: repeatElement(7, count: 32)))

/// Whatever decodes must come back the same from what it encodes to, and no answer may be one that we would refuse.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    check(try? AccessLineInformation(parsing: bytes[...]))
    check(server.receive(bytes[...], from: client, to: .broadcast, on: circuit, at: .zero))
    guard var packet = try? DiscoveryPacket(parsing: bytes[...]) else { return 0 }
    precondition((try? DiscoveryPacket(parsing: packet.encoded()[...])) == packet, "round trip")
    check(server.receive(bytes[...], from: client, to: ac, on: circuit, at: .zero))
    if packet.code == .padr {
        // A good cookie in front, which no fuzzer guesses, opens the way to the rest of the server.
        packet.tags.insert(
            DiscoveryTag(.acCookie, server.cookie.issue(client: client, circuit: circuit, at: .zero)), at: 0)
        check(server.receive(packet.encoded()[...], from: client, to: ac, on: circuit, at: .zero))
    }
    return 0
}

private func check(_ outcome: DiscoveryServer.Outcome) {
    switch outcome {
    case .send(let packet): checkAnswer(packet)
    case .open(let request):
        checkAnswer(DiscoveryServer.pads(for: request, sessionID: 1))
        for error in DiscoveryServer.SessionError.allCases {
            checkAnswer(DiscoveryServer.pads(refusing: request, as: error, text: String(repeating: "e", count: 999)))
        }
        precondition((1492...1500).contains(request.maxPayload), "PPP-Max-Payload beyond the link")
        check(request.accessLine)
    case .terminate(let termination): precondition(termination.sessionID != 0, "PADT of no session")
    case .drop: break
    }
}

/// What a tag says fits the AVPs and attributes that it will be carried in.
private func check(_ line: AccessLineInformation?) {
    guard let line else { return }
    for identifier in [line.agentCircuitID, line.agentRemoteID] {
        precondition(identifier.map { (1...63).contains($0.count) } ?? true, "identifier of no length that it may have")
    }
    for (attribute, figure) in line.figures {
        switch attribute.form {
        case .rate: precondition(figure % 1_000 == 0, "kbit/s")
        case .delay, .number: precondition(figure <= UInt64(UInt32.max), "more than four octets")
        case .identifier, .encapsulation, .flag: preconditionFailure("no figure")
        }
    }
}

private func checkAnswer(_ packet: DiscoveryPacket) {
    let bytes = packet.encoded()
    precondition(bytes.count <= 1500, "answer longer than the link takes")
    precondition((try? DiscoveryPacket(parsing: bytes[...])) == packet, "our own packet does not decode")
}
