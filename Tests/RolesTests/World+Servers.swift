import Names
import RADIUS
import Roles
import SimulationSupport
import Timing
import Wire

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
