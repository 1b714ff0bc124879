import Names
import RADIUS
import Roles
import Timing
import Wire

/// A RADIUS server: says what the test says, and remembers what it was asked.
final class RADIUSStation {
    let secret: [UInt8]
    /// What it answers to an Access-Request; nil: nothing.
    var answer: (RADIUSAttributes) -> (code: RADIUSCode, attributes: RADIUSAttributes)? = { _ in nil }
    /// Answers nothing at all.
    var isDead = false
    /// Access-Requests, the first transmission of each.
    private(set) var requests: [RADIUSAttributes] = []
    /// Accounting records that it has taken, each once.
    private(set) var records: [RADIUSAttributes] = []
    private var seen: Set<[UInt8]> = []

    init(secret: String = "radius-secret") { self.secret = Array(secret.utf8) }

    /// The answer to a datagram.
    func receive(_ datagram: [UInt8]) -> [UInt8]? {
        guard !isDead, let packet = try? RADIUSPacket(decoding: datagram[...]) else { return nil }
        let isNew = seen.insert(datagram).inserted
        let reply: (code: RADIUSCode, attributes: RADIUSAttributes)?
        switch packet.code {
        case .accessRequest:
            if isNew { requests.append(packet.attributes) }
            reply = answer(packet.attributes)
        case .accountingRequest:
            if isNew { records.append(packet.attributes) }
            reply = (.accountingResponse, RADIUSAttributes())
        case .statusServer: reply = (.accessAccept, RADIUSAttributes())
        default: reply = nil
        }
        guard let reply else { return nil }
        return try? RADIUSPacket.answer(
            reply.code, to: packet.identifier, authenticator: packet.authenticator, attributes: reply.attributes,
            secret: secret, signed: true)
    }

    /// Takes the records so far.
    func takeRecords() -> [RADIUSAttributes] {
        defer { records = [] }
        return records
    }
}

extension World {
    static let radiusAddress = IPAddress.v4(IPv4Address(value: 0x0a00_0001))
    static let otherRADIUSAddress = IPAddress.v4(IPv4Address(value: 0x0a00_0002))

    /// Sections of a file with one RADIUS server, 10.0.0.1, in the group `isps`.
    static let radiusSections = """
        radius-server:
          - {host: 10.0.0.1, key: radius-secret, timeout: 1, retransmit: 1}
        aaa-group-server-radius:
          - {name: isps, servers: [10.0.0.1]}
        """

    /// Puts the node's questions to name servers and RADIUS servers, whose answers take five milliseconds.
    func collectQuestions() {
        let queries = outbox.queries
        outbox.queries = []
        for query in queries {
            let result = zone[query.name.text] ?? .absent(.noSuchName, ttl: 30)
            after(.milliseconds(5)) { [self] in
                if !isDown { node.resolved(query, result, at: now) }
            }
        }
        let datagrams = outbox.radius
        outbox.radius = []
        for (datagram, socket, address, port) in datagrams {
            guard let server = radiusServers[address], !chance(faults.loss) else { continue }
            after(.milliseconds(5)) { [self] in
                guard let answer = server.receive(datagram), !isDown else { return }
                node.receiveRADIUS(answer, from: address, port: port, socket: socket, at: now)
            }
        }
    }
}
