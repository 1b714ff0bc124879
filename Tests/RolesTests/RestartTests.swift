import CDPDK
import Configuration
import Logging
import Observability
import PPPoE
import Roles
import Segment
import SimulationSupport
import Testing
import Timing
import Wire

/// A culvertd that finds the tables of one before it, in a real segment.
@Suite struct RestartTests {
    private final class Sent {
        var frames: [(frame: EthernetFrame, port: UInt16)] = []
    }

    private static let header = OuterHeader(
        endpoints: TunnelEndpoints(
            localAddress: IPv4Address(value: 0xc633_6401), peerAddress: World.lnsAddress, peerTunnelID: 77, port: 1),
        egressPort: 1, sourceMAC: World.coreMAC, destinationMAC: MACAddress(value: 0x0200_0000_2002), mtu: 1_500)

    /// The controller gave the next hop by its Ethernet address or left it to ARP.
    @Test(arguments: [false, true])
    func clientsAreToldAndTheFeedStays(isNextHopFixed: Bool) throws {
        let segment = try SegmentMapping.inMemory(
            geometry: Geometry(
                sessions: 1_024, tunnels: 64, circuits: 64, vlanBlocks: 16, workers: 1, ports: 2, frameRingDepth: 64)
        ) { variable, size, workers in culvert_rcu_initialise(variable, UInt64(size), workers) == 0 }
        let control = try SegmentMapping.attachControlPlane(path: segment.path)
        let client = MACAddress(value: 0x0200_0000_1000)

        // What the first one leaves: a client on each of three circuits, one of them not connected yet, and a feed.
        var writer = TableWriter.recovering(control).writer
        let empty = writer.occupancy
        let own = try writer.allocateTunnel(owner: .subscriber)
        try writer.publishTunnel(own, header: Self.header)
        let circuits: [(outer: UInt16, inner: UInt16, tpid: UInt16)] = [(0, 0, 0), (100, 0, 0x8100), (200, 9, 0x88a8)]
        var sessionIDs: [UInt16] = []
        for (number, circuit) in circuits.enumerated() {
            let index = try writer.circuit(
                port: 0, outerVLAN: circuit.outer, innerVLAN: circuit.inner, tpid: circuit.tpid)
            let session = try writer.allocateUpstream(circuit: index, clientMAC: client, reference: UInt64(number + 1))
            sessionIDs.append(session.sessionID)
            guard number > 0 else { continue }
            let downstream = try writer.allocateDownstream(tunnel: own)
            try writer.forward(session.slot, downstream.slot, peerSessionID: UInt16(number))
        }
        let fed = try writer.allocateTunnel(owner: .external)
        var header = Self.header
        header.isNextHopFixed = isNextHopFixed
        try writer.publishTunnel(fed, header: header)
        let external = try writer.addExternal(
            port: 0, outerVLAN: 300, innerVLAN: 0, tpid: 0x8100, clientMAC: client, tunnel: fed, peerSessionID: 5,
            reference: 42)

        // The second one. Two writers of one segment in one process: the first is asked for nothing any more.
        let recovery: Recovery
        (writer, recovery) = TableWriter.recovering(control)
        let sent = Sent()
        let node = ControlNode(
            configuration: try World.configuration(
                interface: "vlans: \"untagged,100\"", second: "vlans: \"200\", inner-vlans: \"1-50\""),
            ports: World.ports, table: SegmentForwardingTable(writer: writer, recovery: recovery),
            cookie: ACCookie(secret: Array(repeating: 7, count: 32)), makeRandom: { SeededGenerator(state: 1) },
            epoch: Timestamp(nanoseconds: 0), at: .zero,
            logger: Logger(label: "node") { _ in SwiftLogNoOpLogHandler() },
            effects: .init(
                transmit: { bytes, port in
                    if let frame = EthernetFrame(bytes[...]) { sent.frames.append((frame, port)) }
                }, event: { _ in }, resolve: { _ in }, sendRADIUS: { _, _, _, _ in }, answerRADIUS: { _, _, _ in },
                debug: { _, _, _ in }))
        node.start(at: .zero)
        node.adopt(recovery, from: writer, StoredState(), at: .zero)

        let padts = sent.frames.compactMap { item -> [UInt16]? in
            guard item.frame.etherType == 0x8863, let packet = PPPoEPacket(item.frame.payload),
                packet.code == PPPoEPacket.padt, item.frame.destination == client
            else { return nil }
            return item.frame.tags.flatMap { [$0.protocolID, $0.id] } + [packet.sessionID]
        }
        #expect(
            Set(padts) == [
                [sessionIDs[0]], [0x8100, 100, sessionIDs[1]], [0x88a8, 200, 0x8100, 9, sessionIDs[2]],
            ])
        // Beside them, the next hop of the controller's tunnel is asked for, to be followed from here on; but not one that was given.
        let asked: [UInt16] = isNextHopFixed ? [] : [0x0806]
        #expect(sent.frames.map(\.frame.etherType).sorted() == asked + [0x8863, 0x8863, 0x8863])
        #expect(node.population == (0, 0, 0))

        #expect(node.staticTunnelIDs == [fed.rawValue])
        #expect(node.staticReferences(inTunnel: fed.rawValue) == [42])
        let status = try #require(node.staticSessionStatus(42))
        #expect(status.sessionID == external.downstream.sessionID)
        #expect(status.pppoeSessionID == external.upstream.sessionID)
        #expect(status.session.outerVLAN == 300)
        #expect(status.session.peerSessionID == 5)

        // The controller may take away what it fed, and then the table is empty.
        let results = node.apply([.removeTunnel(.id(fed.rawValue))], at: .zero)
        #expect(results == [.tunnelRemoved(sessions: 1)])
        var now = Instant.zero
        while let deadline = node.deadline, deadline < .zero + .seconds(1) {
            now = max(now, deadline)
            node.timerFired(at: now)
        }
        #expect(writer.occupancy == empty)
    }
}
