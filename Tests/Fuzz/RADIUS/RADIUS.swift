import RADIUS
import Timing
import Wire

/// RADIUS: every decoder over the input, and a client and a dynamic authorization server that are fed with it in pieces. The
/// input: one octet of choices, then pieces, each after one octet that says what to do and two with its length.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = Array(UnsafeBufferPointer(start: start, count: count))[...]
    guard let choices = input.popFirst() else { return 0 }
    checkCodecs(input)
    var machine = Machine(choices: choices)
    while let operation = input.popFirst() {
        let length = Int(input.popFirst() ?? 0) << 8 | Int(input.popFirst() ?? 0)
        machine.step(operation, input.prefix(length))
        input = input.dropFirst(length)
    }
    machine.finish()
    return 0
}

private let secret = Array("testing123-1".utf8)
private let nas = NASIdentity(identifier: "fuzz", ipv4: IPv4Address(value: 0x0a00_0001))
private let authenticator = RADIUSAuthenticator(high: 1, low: 2)

/// What can be decoded decodes to the same again after it was encoded.
private func checkCodecs(_ input: ArraySlice<UInt8>) {
    _ = UserPassword.reveal(Array(input), secret: secret, authenticator: authenticator)
    if let revealed = TunnelPassword.reveal(Array(input), secret: secret, authenticator: authenticator) {
        precondition(revealed.password.count < input.count)
    }
    if let record = AccountingRecord(decoding: Array(input)), let encoded = try? record.encoded() {
        precondition(AccountingRecord(decoding: encoded) == record)
    }
    guard let packet = try? RADIUSPacket(decoding: input) else { return }
    _ = packet.answers(authenticator, secret: secret)
    _ = packet.isAuthenticRequest(secret: secret)
    _ = packet.messageAuthenticity(secret: secret)
    let accept = AccessAccept(packet.attributes, secret: secret, authenticator: authenticator)
    precondition(accept.tunnels.tunnels.allSatisfy { !$0.serverEndpoints.isEmpty && $0.tag <= 0x1f })
    let plain = withoutHidden(packet.attributes)
    guard
        let again = try? RADIUSPacket.answer(
            packet.code, to: packet.identifier, authenticator: authenticator, attributes: plain, secret: secret,
            signed: true)
    else { return }
    guard let read = try? RADIUSPacket(decoding: again[...]) else { fatalError("\(packet.attributes) does not decode") }
    precondition(read.answers(authenticator, secret: secret))
    precondition(read.messageAuthenticity(secret: secret, request: authenticator) == .right)
    precondition(read.attributes.elements.dropFirst() == plain.elements[...], "\(plain) became \(read.attributes)")
}

/// The attributes that stay as they are when they are written: those that are hidden once more do not.
private func withoutHidden(_ attributes: RADIUSAttributes) -> RADIUSAttributes {
    var plain = RADIUSAttributes()
    for element in attributes.elements
    where ![.userPassword, .tunnelPassword, .messageAuthenticator].contains(element.attribute) {
        plain.append(element.attribute, octets: element.value)
    }
    return plain
}

private struct Counter: RandomNumberGenerator, Sendable {
    var value: UInt64 = 0
    mutating func next() -> UInt64 {
        value &+= 0x9e37_79b9_7f4a_7c15
        return value
    }
}

private struct Machine {
    struct Sent {
        var bytes: [UInt8]
        var socket: Int
        var address: IPAddress
        var port: UInt16
    }

    var client: RADIUSClient
    var server: DynamicAuthorizationServer
    var choices: UInt8
    var now = Instant.zero
    var open: Set<RADIUSRequestHandle> = []
    var last: [Sent] = []
    var toBeAnswered: [DynamicAuthorizationServer.Handle] = []

    init(choices: UInt8) {
        self.choices = choices
        client = RADIUSClient(configuration: Self.configuration(choices), random: Counter(), at: .zero)
        var configuration = DynamicAuthorizationServer.Configuration(
            clients: [.init(address: .v4(.any), secret: secret)], nas: nas)
        configuration.memory = 4
        server = DynamicAuthorizationServer(configuration: configuration)
    }

    static func configuration(_ choices: UInt8) -> RADIUSClientConfiguration {
        let servers = (1...2 as ClosedRange<UInt32>).map { number in
            var server = RADIUSServer(
                RADIUSServer.Key(address: .v4(IPv4Address(value: number))), secret: secret + [choices >> 6])
            server.sendsStatusServer = choices & 1 != 0
            server.requiresMessageAuthenticator = choices & 2 != 0
            server.deadTime = choices & 4 != 0 ? .zero : .seconds(20)
            server.retransmit = Int(choices >> 3 & 3)
            return server
        }
        var configuration = RADIUSClientConfiguration(
            servers: choices & 0x60 == 0x60 ? [servers[1]] : servers,
            groups: [RADIUSServerGroup(name: "g", servers: servers.map(\.key))], nas: nas)
        configuration.sockets = choices & 0x20 != 0 ? 1 : 2
        configuration.requestLimit = 3
        configuration.queueLimit = 5
        return configuration
    }

    mutating func step(_ operation: UInt8, _ bytes: ArraySlice<UInt8>) {
        now = now + .milliseconds(50)
        switch operation & 15 {
        case 0: submit(.access(AccessRequest(domain: "d", password: Array(bytes.prefix(200)), nas: nas)))
        case 1:
            let session = RADIUSSession(id: String(decoding: bytes.prefix(100), as: UTF8.self))
            submit(.accounting(.start(session, nas: nas, at: 1)))
        case 2:
            if let deadline = client.deadline {
                now = max(now, deadline)
                check(client.timerFired(at: now))
            }
        case 3: if let handle = open.first { cancel(handle) }
        case 4:
            choices = bytes.first ?? 0
            check(client.apply(Self.configuration(choices), at: now))
        case 5: receive(Array(bytes))
        case 6: serve(Array(bytes))
        case 7: if let handle = toBeAnswered.popLast() { _ = server.answer(handle, .refused(.sessionContextNotFound)) }
        case 8: serveSigned(bytes, code: operation & 16 == 0 ? .disconnectRequest : .coaRequest)
        default: receiveSigned(bytes, code: operation)
        }
        precondition(
            client.inFlight + client.waiting == open.count, "\(client.inFlight) + \(client.waiting), \(open.count)")
        precondition(client.inFlight <= 3)
    }

    private mutating func submit(_ request: RADIUSRequest) {
        guard let (handle, outputs) = try? client.submit(request, group: "g", at: now) else { return }
        open.insert(handle)
        check(outputs)
    }

    private mutating func cancel(_ handle: RADIUSRequestHandle) {
        open.remove(handle)
        check(client.cancel(handle, at: now))
    }

    private mutating func receive(_ bytes: [UInt8]) {
        let sent = last.last ?? Sent(bytes: [], socket: 0, address: .v4(IPv4Address(value: 1)), port: 1812)
        check(client.receive(bytes[...], from: sent.address, port: sent.port, socket: sent.socket, at: now))
    }

    /// An answer with these attributes that proves itself, which a fuzzer would not find by itself.
    private mutating func receiveSigned(_ bytes: ArraySlice<UInt8>, code: UInt8) {
        let header: [UInt8] = [
            2, 0, UInt8(truncatingIfNeeded: (20 + bytes.count) >> 8), UInt8(truncatingIfNeeded: 20 + bytes.count),
        ]
        guard let sent = last.popLast(), let request = try? RADIUSPacket(decoding: sent.bytes[...]),
            let list = try? RADIUSPacket(decoding: (header + [UInt8](repeating: 0, count: 16) + bytes)[...]).attributes
        else { return }
        let codes: [RADIUSCode] = [.accessAccept, .accessReject, .accessChallenge, .accountingResponse]
        let answer = try? RADIUSPacket.answer(
            codes[Int(code >> 4 & 3)], to: request.identifier, authenticator: request.authenticator,
            attributes: withoutHidden(list), secret: secret + [choices >> 6], signed: code & 0x80 == 0)
        guard let answer else { return }
        check(client.receive(answer[...], from: sent.address, port: sent.port, socket: sent.socket, at: now))
    }

    private mutating func serve(_ bytes: [UInt8]) {
        switch server.receive(bytes[...], from: .v4(.any), port: 1, at: now, time: 1000) {
        case .request(let handle, let request):
            precondition(!request.sessions.isEmpty)
            toBeAnswered.append(handle)
        case .send(let answer): precondition((try? RADIUSPacket(decoding: answer[...])) != nil)
        case .drop: break
        }
    }

    private mutating func serveSigned(_ bytes: ArraySlice<UInt8>, code: RADIUSCode) {
        let count = 20 + bytes.count
        let header: [UInt8] = [2, 0, UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)]
        guard
            let list = try? RADIUSPacket(decoding: (header + [UInt8](repeating: 0, count: 16) + bytes)[...]).attributes,
            let request = try? RADIUSPacket.request(
                code, identifier: bytes.first ?? 0, attributes: withoutHidden(list), secret: secret, random: .zero,
                signed: bytes.count % 2 == 0)
        else { return }
        serve(request.bytes)
    }

    /// Every request ends once, and the client comes to rest.
    mutating func finish() {
        choices &= ~1
        check(client.apply(Self.configuration(choices), at: now))
        for _ in 0..<1000 {
            guard let deadline = client.deadline else { break }
            now = max(now, deadline)
            check(client.timerFired(at: now))
        }
        precondition(client.deadline == nil && open.isEmpty, "\(open.count) requests have not ended")
        precondition(client.servers.allSatisfy { $0.pending == 0 && $0.waiting == 0 })
    }

    private mutating func check(_ outputs: [RADIUSClientOutput]) {
        for output in outputs {
            switch output {
            case .send(let bytes, let socket, let address, let port):
                precondition((try? RADIUSPacket(decoding: bytes[...])) != nil)
                last.append(Sent(bytes: bytes, socket: socket, address: address, port: port))
                if last.count > 8 { last.removeFirst() }
            case .finished(let handle, _): precondition(open.remove(handle) != nil, "a request ended twice")
            case .note: break
            }
        }
    }
}
