import RADIUS
import Timing
import Wire

/// The octets of a hexadecimal string; anything else in it is passed over.
func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

func octets(_ text: String) -> [UInt8] { Array(text.utf8) }

func seconds(_ value: Double) -> Instant { .zero + .milliseconds(Int64((value * 1000).rounded())) }

/// A generator with a seed, so that a failing run can be had again (SplitMix64).
struct SeededGenerator: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// Says one half whenever it is asked for a chance, so times are moved by nothing; authenticators still differ.
struct MiddleGenerator: RandomNumberGenerator, Sendable {
    private var count: UInt64 = 0

    mutating func next() -> UInt64 {
        count += 1
        return 1 << 63 | count & 0x7ff
    }
}

let secret = octets("testing123-1")
let nas = NASIdentity(identifier: "lac1", ipv4: IPv4Address(value: 0x0a00_0001))

/// Attributes, written in one expression.
func attributes(_ build: (inout RADIUSAttributes) -> Void) -> RADIUSAttributes {
    var attributes = RADIUSAttributes()
    build(&attributes)
    return attributes
}

/// Server `number`, 192.0.2.`number`, with times as round as can be: 1, 2, 4 s, then dead for 60 s.
func server(_ number: UInt32, _ edit: (inout RADIUSServer) -> Void = { _ in }) -> RADIUSServer {
    let key = RADIUSServer.Key(address: .v4(IPv4Address(value: 0xc000_0200 + number)))
    var server = RADIUSServer(key, secret: secret)
    server.timeout = .seconds(1)
    edit(&server)
    return server
}

func configuration(
    _ servers: [RADIUSServer], _ edit: (inout RADIUSClientConfiguration) -> Void = { _ in }
) -> RADIUSClientConfiguration {
    var configuration = RADIUSClientConfiguration(
        servers: servers, groups: [RADIUSServerGroup(name: "all", servers: servers.map(\.key))], nas: nas)
    edit(&configuration)
    return configuration
}

func client(
    _ servers: [RADIUSServer], _ edit: (inout RADIUSClientConfiguration) -> Void = { _ in }
) -> RADIUSClient {
    RADIUSClient(configuration: configuration(servers, edit), random: MiddleGenerator(), at: .zero)
}

func lookUp(_ domain: String = "isp1.com") -> RADIUSRequest {
    .access(AccessRequest(domain: domain, password: octets("password"), nas: nas))
}

/// A session with everything that a description can hold.
func fullSession() -> RADIUSSession {
    var session = RADIUSSession(id: "0001-00000011")
    session.multiSessionID = "0001-00000001"
    session.userName = octets("joe@isp2.com")
    session.nasPort = 17
    session.nasPortType = .pppoeOverVLAN
    session.nasPortID = "access1:100"
    session.callingStationID = "02:00:00:00:00:01"
    session.calledStationID = "internet"
    var line = AccessLineInformation()
    line.agentCircuitID = octets("circuit 1")
    line.figures[.actualDataRateUpstream] = 1_000_000
    session.line = RADIUSAttributes(accessLine: line)
    session.authentic = .remote
    session.classes = [octets("class-1"), octets("class-2")]
    session.tunnel = fullTunnel()
    return session
}

func fullTunnel() -> AccountedTunnel {
    var tunnel = AccountedTunnel(medium: .ipv4, clientEndpoint: "10.0.0.1", serverEndpoint: "203.0.113.3")
    tunnel.assignmentID = "isp2-a"
    tunnel.clientAuthID = "lac1"
    tunnel.serverAuthID = "lns1.isp2.com"
    tunnel.connection = "4711"
    return tunnel
}

/// A datagram that the client sent.
struct Sent: Sendable {
    var bytes: [UInt8]
    var socket: Int
    var address: IPAddress
    var port: UInt16

    /// The packet; nil when the client wrote none.
    var packet: RADIUSPacket? { try? RADIUSPacket(decoding: bytes[...]) }

    /// What a server answers.
    func answer(
        _ code: RADIUSCode, _ attributes: RADIUSAttributes = RADIUSAttributes(), secret: [UInt8] = secret,
        signed: Bool = true, salt: UInt16 = 0x8001
    ) -> [UInt8] {
        guard let packet else { return [] }
        let answer = try? RADIUSPacket.answer(
            code, to: packet.identifier, authenticator: packet.authenticator, attributes: attributes, secret: secret,
            signed: signed, salt: salt)
        return answer ?? []
    }
}

extension [RADIUSClientOutput] {
    var sent: [Sent] {
        compactMap {
            guard case .send(let bytes, let socket, let address, let port) = $0 else { return nil }
            return Sent(bytes: bytes, socket: socket, address: address, port: port)
        }
    }

    var results: [(handle: RADIUSRequestHandle, result: RADIUSResult)] {
        compactMap {
            guard case .finished(let handle, let result) = $0 else { return nil }
            return (handle, result)
        }
    }

    var notes: [RADIUSClientNote] {
        compactMap {
            guard case .note(let note) = $0 else { return nil }
            return note
        }
    }
}

extension RADIUSClient {
    /// An answer comes the way that its request went.
    mutating func receive(_ bytes: [UInt8], to sent: Sent, at now: Instant) -> [RADIUSClientOutput] {
        receive(bytes[...], from: sent.address, port: sent.port, socket: sent.socket, at: now)
    }

    /// Runs the client's timers up to `end`; answers what came of each, with its time.
    mutating func run(until end: Instant) -> [(at: Instant, output: RADIUSClientOutput)] {
        var log: [(Instant, RADIUSClientOutput)] = []
        while let deadline, deadline <= end { log += timerFired(at: deadline).map { (deadline, $0) } }
        return log
    }

    func status(_ number: UInt32, _ service: RADIUSService = .authentication) -> RADIUSServerStatus? {
        servers.first { $0.server == server(number).key && $0.service == service }
    }

    func counters(
        _ number: UInt32, _ service: RADIUSService = .authentication
    ) -> [RADIUSServerCounter: UInt64] { status(number, service)?.counters.nonzero ?? [:] }
}
