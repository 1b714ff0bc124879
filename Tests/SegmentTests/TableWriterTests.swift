import CDPDK
import CSegment
import Glibc
import Segment
import Testing
import Wire

/// A data plane's segment and the writer of its tables.
final class Bed {
    var dataPlane: SegmentMapping?
    var writer: TableWriter
    let view: SegmentView

    init(_ geometry: Geometry = smallGeometry) throws {
        let dataPlane = try makeSegment(geometry)
        self.dataPlane = dataPlane
        let control = try SegmentMapping.attachControlPlane(path: dataPlane.path)
        withUnsafeMutableBytes(of: &dataPlane.view.ports[0].mac) { $0.copyBytes(from: [2, 0, 0, 0, 0, 1]) }
        writer = TableWriter.recovering(control).writer
        view = control.view
    }

    /// A published tunnel.
    func tunnel(owner: EntryOwner = .external) throws -> TunnelID {
        let id = try writer.allocateTunnel(owner: owner)
        try writer.publishTunnel(id, header: testHeader)
        return id
    }

    func circuit(_ outer: UInt16 = 0, _ inner: UInt16 = 0, port: UInt16 = 0) throws -> CircuitIndex {
        try writer.circuit(port: port, outerVLAN: outer, innerVLAN: inner, tpid: outer == 0 ? 0 : 0x8100)
    }

    /// A forwarded session of culvertd's own.
    func session(
        _ number: UInt64 = 1, circuit: CircuitIndex, tunnel: TunnelID
    ) throws -> (up: UpstreamSession, down: DownstreamSession) {
        let up = try writer.allocateUpstream(circuit: circuit, clientMAC: client(number), reference: number)
        let down = try writer.allocateDownstream(tunnel: tunnel)
        try writer.forward(up.slot, down.slot, peerSessionID: UInt16(truncatingIfNeeded: number))
        return (up, down)
    }

    func external(
        _ number: UInt64 = 1, tunnel: TunnelID, outer: UInt16 = 0
    ) throws -> (upstream: UpstreamSession, downstream: DownstreamSession) {
        try writer.addExternal(
            port: 0, outerVLAN: outer, innerVLAN: 0, tpid: outer == 0 ? 0 : 0x8100, clientMAC: client(number),
            tunnel: tunnel, peerSessionID: UInt16(truncatingIfNeeded: number), reference: number)
    }

    @discardableResult func reclaim(limit: Int = .max) -> [SessionTotals] {
        var totals: [SessionTotals] = []
        writer.reclaim(limit: limit) { totals.append($0) }
        return totals
    }

    /// Another culvertd after the first one's end.
    func restart() throws -> Recovery {
        // Two writers of one segment in one process: the first is not asked for anything any more.
        let result = TableWriter.recovering(writer.segment)
        writer = result.writer
        return result.recovery
    }
}

func client(_ number: UInt64) -> MACAddress { MACAddress(value: 0x0200_0000_0000 | number) }

/// The error that `body` throws; nil when it throws none.
func tableError<Result>(_ body: () throws -> Result) throws -> TableError? {
    do {
        _ = try body()
        return nil
    } catch let error as TableError {
        return error
    }
}

@Suite struct TableWriterTests {
    @Test func offsetsAreWhereTheWriterPutsThem() {
        #expect(MemoryLayout<culvert_port>.offset(of: \.mac) == 160)
        #expect(MemoryLayout<culvert_upstream>.offset(of: \.client_mac) == 8)
        #expect(MemoryLayout<culvert_circuit>.offset(of: \.region) == 16)
        #expect(MemoryLayout<culvert_tunnel>.offset(of: \.region) == 8)
        #expect(MemoryLayout<culvert_downstream>.size == 64)
    }

    @Test func sessionGoesThroughItsLife() throws {
        let bed = try Bed()
        let before = bed.writer.occupancy
        let tunnel = try bed.tunnel(owner: .subscriber)
        let circuit = try bed.circuit()
        let up = try bed.writer.allocateUpstream(circuit: circuit, clientMAC: client(7), reference: 99)
        let key = (circuit: circuit.rawValue, id: up.sessionID, mac: client(7).value)
        var found = bed.view.upstreamSession(circuit: key.circuit, sessionID: key.id, clientMAC: key.mac)
        #expect(found.state == UInt32(CULVERT_STATE_PUNT))
        #expect(found.slot == up.slot.rawValue)
        #expect(bed.writer.session(at: up.slot)?.core == nil)

        let down = try bed.writer.allocateDownstream(tunnel: tunnel)
        let tunnelIndex = UInt32(tunnel.rawValue)
        #expect(
            bed.view.downstreamSession(tunnel: tunnelIndex, sessionID: down.sessionID) == CULVERT_NO_INDEX,
            "not before it is joined")
        try bed.writer.forward(up.slot, down.slot, peerSessionID: 0xbeef)
        found = bed.view.upstreamSession(circuit: key.circuit, sessionID: key.id, clientMAC: key.mac)
        #expect(found.state == UInt32(CULVERT_STATE_FORWARD))
        #expect(
            bed.view.downstreamSession(tunnel: tunnelIndex, sessionID: down.sessionID) == down.slot.rawValue)
        let line = bed.view.upstream[Int(up.slot.rawValue)]
        #expect(line.tunnel == tunnelIndex)
        #expect(line.peer_session_id == UInt16(0xbeef).bigEndian)
        #expect(line.partner == down.slot.rawValue)

        bed.view.upstream[Int(up.slot.rawValue)].packets = 3
        bed.view.upstream[Int(up.slot.rawValue)].octets = 300
        bed.view.downstream[Int(down.slot.rawValue)].packets = 5
        bed.view.downstream[Int(down.slot.rawValue)].octets = 500
        let record = try #require(bed.writer.session(at: up.slot))
        #expect(record.reference == 99)
        #expect(record.clientMAC == client(7))
        #expect(record.sessionID == up.sessionID)
        #expect(record.core?.peerSessionID == 0xbeef)
        #expect(record.core?.localSessionID == down.sessionID)
        #expect(record.core?.tunnel == tunnel)
        #expect(bed.writer.session(on: circuit, sessionID: up.sessionID) == record)
        #expect(bed.writer.session(in: tunnel, localSessionID: down.sessionID) == record)
        #expect(try tableError { try bed.writer.removeTunnel(tunnel) } == .tunnelInUse(tunnel, sessions: 1))

        try bed.writer.remove(up.slot)
        #expect(bed.view.upstreamSession(circuit: key.circuit, sessionID: key.id, clientMAC: key.mac).state == 0)
        #expect(
            bed.view.downstreamSession(tunnel: tunnelIndex, sessionID: down.sessionID) == CULVERT_NO_INDEX)
        #expect(try tableError { try bed.writer.remove(up.slot) } == .noSuchUpstreamSession(up.slot))
        let counters = SessionCounters(
            upstreamPackets: 3, upstreamOctets: 300, downstreamPackets: 5, downstreamOctets: 500)
        #expect(
            bed.reclaim() == [
                SessionTotals(
                    slot: up.slot, sessionID: up.sessionID, owner: .subscriber, reference: 99, counters: counters)
            ])
        try bed.writer.removeTunnel(tunnel)
        bed.reclaim()
        #expect(bed.writer.occupancy == before, "the circuit and the tunnel went too")
        #expect(bed.writer.circuit(at: circuit) == nil)
    }

    /// Bytes made with scapy: Ether / tags / PPPoE(sessionid, len=0).
    @Test(arguments: [
        (0 as UInt16, 0 as UInt16, 0 as UInt16, "0000000000aa020000000001", "886411004567"),
        (100, 0, 0x8100, "0000000000aa020000000001", "81000064886411004567"),
        (4_094, 7, 0x88a8, "0000000000aa020000000001", "88a80ffe81000007886411004567"),
    ])
    func accessHeaderIsWhatScapyMakes(
        outer: UInt16, inner: UInt16, tpid: UInt16, addresses: String, rest: String
    ) throws {
        let bed = try Bed()
        let tunnel = try bed.tunnel()
        let (up, down) = try bed.writer.addExternal(
            port: 0, outerVLAN: outer, innerVLAN: inner, tpid: tpid, clientMAC: MACAddress(value: 0xaa),
            tunnel: tunnel, peerSessionID: 1, reference: 0)
        let line = bed.view.downstream[Int(down.slot.rawValue)]
        let bytes = withUnsafeBytes(of: line.header) { Array($0) }
        let id = hexText([UInt8(up.sessionID >> 8), UInt8(up.sessionID & 0xff)])
        let expected = addresses + rest.dropLast(4) + id + "0000"
        #expect(hexText(bytes.suffix(Int(line.header_length))) == expected)
        #expect(Int(line.header_length) == expected.count / 2)
        #expect(line.port == 0)
    }

    @Test func circuitsAreFoundByTheirTags() throws {
        let bed = try Bed()
        let before = bed.writer.occupancy
        func index(_ outer: UInt16, _ inner: UInt16, port: UInt32 = 0) -> UInt32 {
            bed.view.circuitIndex(port: port, outerVLAN: outer, innerVLAN: inner)
        }
        let untagged = try bed.circuit()
        let single = try bed.circuit(10)
        let double = try bed.circuit(10, 20)
        let other = try bed.circuit(10, 21)
        let elsewhere = try bed.circuit(10, 20, port: 1)
        let all = [untagged, single, double, other, elsewhere]
        #expect(Set(all).count == 5)
        #expect(index(0, 0) == untagged.rawValue)
        #expect(index(10, 0) == single.rawValue, "it moved into the inner block")
        #expect(index(10, 20) == double.rawValue)
        #expect(index(10, 21) == other.rawValue)
        #expect(index(10, 20, port: 1) == elsewhere.rawValue)
        for (outer, inner, port) in [(10, 22, 0), (11, 0, 0), (10, 0, 1), (10, 20, 2), (0, 20, 0), (10, 20, 99)] {
            #expect(index(UInt16(outer), UInt16(inner), port: UInt32(port)) == CULVERT_NO_INDEX)
        }
        #expect(try bed.circuit(10, 20) == double, "found, not made again")
        #expect(
            try tableError { try bed.writer.circuit(port: 0, outerVLAN: 10, innerVLAN: 20, tpid: 0x88a8) }
                == .otherTagProtocol(double, found: 0x8100))
        for circuit in all.shuffled() { bed.writer.releaseIfUnused(circuit) }
        #expect(index(10, 20) == CULVERT_NO_INDEX)
        bed.reclaim()
        #expect(bed.writer.occupancy == before)
    }

    @Test(arguments: [
        (9 as UInt16, 0 as UInt16, 0 as UInt16, 0 as UInt16), (0, 4_095, 0, 0x8100), (0, 10, 4_095, 0x8100),
        (0, 0, 5, 0x8100), (0, 0, 0, 0x8100), (0, 10, 0, 0), (0, 10, 0, 0x9100), (0, 4_097, 0, 0x8100),
    ])
    func badCircuitsAreRefused(port: UInt16, outer: UInt16, inner: UInt16, tpid: UInt16) throws {
        let bed = try Bed()
        let error = try tableError {
            try bed.writer.circuit(port: port, outerVLAN: outer, innerVLAN: inner, tpid: tpid)
        }
        #expect(
            error == (port == 9 ? .noSuchPort(9) : .invalidTags(outerVLAN: outer, innerVLAN: inner, tpid: tpid)))
    }

    @Test func fullTablesRefuseAndKeepWhatTheyHave() throws {
        let bed = try Bed(
            Geometry(
                sessions: 64, tunnels: 16, circuits: 16, vlanBlocks: 4, workers: 1, ports: 2, frameRingDepth: 64))
        // Port block and two inner blocks take all three.
        _ = try bed.circuit(1, 1)
        _ = try bed.circuit(2, 1)
        #expect(try tableError { try bed.circuit(3, 1) } == .vlanBlocksFull(capacity: 4))
        for outer in 3...16 { _ = try bed.circuit(UInt16(outer)) }
        #expect(try tableError { try bed.circuit(17) } == .circuitsFull(capacity: 16))
        #expect(bed.view.circuitIndex(port: 0, outerVLAN: 2, innerVLAN: 1) != CULVERT_NO_INDEX)

        var tunnels: Set<TunnelID> = []
        for _ in 0..<15 { tunnels.insert(try bed.tunnel()) }
        #expect(tunnels.count == 15)
        #expect(!tunnels.contains(TunnelID(rawValue: 0)))
        #expect(try tableError { try bed.tunnel() } == .tunnelsFull(capacity: 16))

        let tunnel = try #require(tunnels.first)
        var ids: Set<UInt16> = []
        for number in 0..<64 as Range<UInt64> {
            ids.insert(try bed.external(number, tunnel: tunnel, outer: 3).upstream.sessionID)
        }
        #expect(ids.count == 64)
        #expect(try tableError { try bed.external(64, tunnel: tunnel, outer: 3) } == .sessionsFull(capacity: 64))
        #expect(bed.writer.occupancy.freeUpstream == 0)
        #expect(bed.writer.occupancy.freeDownstream == 0)
        var seen = 0
        bed.writer.forEachSession { _ in
            seen += 1
            return true
        }
        #expect(seen == 64)
    }

    /// One circuit and one tunnel use a whole table of four regions but for the slots whose ids would be 0 and 0xffff.
    @Test func idsAreNeverReservedOnes() throws {
        let bed = try Bed(Geometry())
        let tunnel = try bed.tunnel()
        var pppoe: Set<UInt16> = []
        var l2tp: Set<UInt16> = []
        for number in 0..<65_534 {
            let (up, down) = try bed.external(UInt64(number), tunnel: tunnel)
            pppoe.insert(up.sessionID)
            l2tp.insert(down.sessionID)
        }
        #expect(pppoe.count == 65_534)
        #expect(l2tp.count == 65_534)
        #expect(pppoe.isDisjoint(with: [0, 0xffff]))
        #expect(l2tp.isDisjoint(with: [0, 0xffff]))
        let circuit = try bed.circuit()
        #expect(try tableError { try bed.external(1, tunnel: tunnel) } == .circuitFull(circuit))
        #expect(try tableError { try bed.external(1, tunnel: tunnel, outer: 5) } == .tunnelFull(tunnel))
        let another = try bed.tunnel()
        _ = try bed.external(1, tunnel: another, outer: 5)
        _ = try bed.external(2, tunnel: another, outer: 5)
        #expect(
            try tableError { try bed.external(3, tunnel: another, outer: 6) } == .sessionsFull(capacity: 65_536))
    }

    @Test func idsRestBeforeTheyComeBack() throws {
        let bed = try Bed()
        let tunnel = try bed.tunnel()
        let keeper = try bed.external(0, tunnel: tunnel)
        var lastUse: [UInt16: Int] = [keeper.upstream.sessionID: 0]
        var shortest = Int.max
        for round in 1..<5_000 {
            let (up, _) = try bed.external(UInt64(round), tunnel: tunnel)
            if let last = lastUse[up.sessionID] { shortest = min(shortest, round - last) }
            lastUse[up.sessionID] = round
            try bed.writer.remove(up.slot)
            bed.reclaim()
        }
        #expect(shortest >= 1_023, "every other id was given in between")
    }

    @Test func tunnelIDsRestBeforeTheyComeBack() throws {
        let bed = try Bed()
        var last: [TunnelID: Int] = [:]
        for round in 0..<500 {
            let id = try bed.tunnel()
            if let before = last[id] { #expect(round - before == 63) }
            last[id] = round
            try bed.writer.removeTunnel(id)
            bed.reclaim()
        }
        #expect(last.count == 63)
    }

    @Test func regionsAreSharedByManyCircuits() throws {
        let bed = try Bed(Geometry(sessions: 32_768, circuits: 1_024))
        let tunnel = try bed.tunnel()
        for number in 0..<30_000 {
            _ = try bed.external(UInt64(number), tunnel: tunnel, outer: UInt16(1 + number % 1_000))
        }
        var wrong = 0
        bed.writer.forEachSession { record in
            let number = UInt64(record.reference)
            let isRight =
                record.clientMAC == client(number) && record.circuit.outerVLAN == UInt16(1 + number % 1_000)
                && bed.view.upstreamSlot(circuit: record.circuit.index.rawValue, sessionID: record.sessionID)
                    == record.slot.rawValue
            if !isRight { wrong += 1 }
            return true
        }
        #expect(wrong == 0)
    }

    @Test func listingGoesOnWhereItStopped() throws {
        let bed = try Bed()
        let tunnel = try bed.tunnel()
        for number in 0..<10 { _ = try bed.external(UInt64(number), tunnel: tunnel) }
        var seen: [UInt64] = []
        var next: UpstreamSlot? = UpstreamSlot(rawValue: 0)
        var pieces = 0
        while let start = next {
            var inPiece = 0
            next = bed.writer.forEachSession(from: start) { record in
                seen.append(record.reference)
                inPiece += 1
                return inPiece < 3
            }
            pieces += 1
        }
        #expect(Set(seen) == Set(0..<10))
        #expect(seen.count == 10)
        #expect(pieces == 4)
    }

    @Test func sidesAreJoinedOnce() throws {
        let bed = try Bed()
        let tunnel = try bed.tunnel()
        let (up, down) = try bed.session(circuit: try bed.circuit(), tunnel: tunnel)
        let second = try bed.writer.allocateDownstream(tunnel: tunnel)
        #expect(
            try tableError { try bed.writer.forward(up.slot, second.slot, peerSessionID: 1) }
                == .noSuchUpstreamSession(up.slot))
        let fresh = try bed.writer.allocateUpstream(circuit: try bed.circuit(), clientMAC: client(2))
        #expect(
            try tableError { try bed.writer.forward(fresh.slot, down.slot, peerSessionID: 1) }
                == .noSuchDownstreamSession(down.slot))
        #expect(try tableError { try bed.writer.release(down.slot) } == .noSuchDownstreamSession(down.slot))
        let free = bed.writer.occupancy.freeDownstream
        try bed.writer.release(second.slot)
        #expect(bed.writer.occupancy.freeDownstream == free + 1)
        #expect(try tableError { try bed.writer.release(second.slot) } == .noSuchDownstreamSession(second.slot))
        let beyond = UpstreamSlot(rawValue: 1_024)
        #expect(try tableError { try bed.writer.remove(beyond) } == .noSuchUpstreamSession(beyond))
    }

    @Test func failedAddLeavesNothingBehind() throws {
        let bed = try Bed()
        let before = bed.writer.occupancy
        let none = TunnelID(rawValue: 5)
        #expect(try tableError { try bed.external(tunnel: none, outer: 9) } == .noSuchTunnel(none))
        bed.reclaim()
        #expect(bed.writer.occupancy == before)
        #expect(bed.view.circuitIndex(port: 0, outerVLAN: 9, innerVLAN: 0) == CULVERT_NO_INDEX)
    }

    @Test func portsAreConfigured() throws {
        let bed = try Bed()
        try bed.writer.configurePort(1, roles: [.core], addresses: [address(192, 0, 2, 1), address(10, 0, 0, 1)])
        #expect(bed.view.ports[1].flags == UInt32(CULVERT_PORT_CORE))
        #expect(bed.view.ports[1].address_count == 2)
        #expect(bed.view.ports[1].local_ipv4.0 == UInt32(0xc000_0201).bigEndian)
        #expect(bed.view.ports[1].local_ipv4.1 == UInt32(0x0a00_0001).bigEndian)
        try bed.writer.configurePort(1, roles: [.core, .access], addresses: [])
        #expect(bed.view.ports[1].flags == UInt32(CULVERT_PORT_CORE) | UInt32(CULVERT_PORT_ACCESS))
        #expect(bed.view.ports[1].address_count == 0)
        let nine = [IPv4Address](repeating: address(10, 0, 0, 1), count: 9)
        #expect(
            try tableError { try bed.writer.configurePort(1, roles: [], addresses: nine) } == .tooManyAddresses(9))
        #expect(try tableError { try bed.writer.configurePort(4, roles: [], addresses: []) } == .noSuchPort(4))
    }

    @Test func tunnelIsPublishedWhole() throws {
        let bed = try Bed()
        let id = try bed.writer.allocateTunnel(owner: .subscriber)
        let entry = bed.view.tunnels + Int(id.rawValue)
        #expect(entry.pointee.state == UInt32(CULVERT_STATE_RESERVED))
        #expect(bed.writer.tunnel(id) == nil)
        #expect(try tableError { try bed.writer.updateTemplate(id, header: testHeader) } == .noSuchTunnel(id))
        // A first call waits for its tunnel under the id that it will have.
        let early = try bed.writer.allocateDownstream(tunnel: id)
        #expect(try tableError { try bed.writer.removeTunnel(id) } == .tunnelInUse(id, sessions: 1))
        try bed.writer.publishTunnel(id, header: testHeader)
        #expect(bed.writer.session(in: id, localSessionID: early.sessionID) == nil, "allocated, not forwarded")
        try bed.writer.release(early.slot)
        #expect(entry.pointee.state == UInt32(CULVERT_STATE_FORWARD))
        #expect(entry.pointee.family == 4)
        #expect(entry.pointee.port == 1)
        #expect(entry.pointee.peer_port == UInt16(1_701).bigEndian)
        #expect(entry.pointee.peer_tunnel_id == 0x1234)
        let zeros = [UInt8](repeating: 0, count: 12)
        #expect(withUnsafeBytes(of: entry.pointee.peer_address) { Array($0) } == [192, 0, 2, 2] + zeros)
        #expect(withUnsafeBytes(of: entry.pointee.local_address) { Array($0) } == [192, 0, 2, 1] + zeros)
        let record = try #require(bed.writer.tunnel(id))
        #expect(record.endpoints == testEndpoints)
        #expect(record.owner == .subscriber)
        #expect(record.isReady)
        #expect(record.mtu == 1_500)
        #expect(try tableError { try bed.writer.publishTunnel(id, header: testHeader) } == .tunnelIsPublished(id))
        bed.writer.setControlWindow(id, 7)
        #expect(entry.pointee.control_window == 7)
        try bed.writer.updateTemplate(id, header: testHeader)
        #expect(entry.pointee.control_window == 7, "the way to the peer has nothing to do with its numbers")
        bed.writer.setControlWindow(TunnelID(rawValue: 0), 7)
        bed.writer.setControlWindow(TunnelID(rawValue: 9_999), 7)
        #expect(bed.view.tunnels[0].control_window == 0)
        var other = testHeader
        other.endpoints.peerPort = 1
        #expect(try tableError { try bed.writer.updateTemplate(id, header: other) } == .otherEndpoints(id))
        other = testHeader
        other.egressPort = 40
        #expect(try tableError { try bed.writer.updateTemplate(id, header: other) } == .noSuchPort(40))
        let zero = TunnelID(rawValue: 0)
        #expect(try tableError { try bed.writer.publishTunnel(zero, header: testHeader) } == .noSuchTunnel(zero))
        let beyond = TunnelID(rawValue: 64)
        #expect(try tableError { try bed.writer.removeTunnel(beyond) } == .noSuchTunnel(beyond))
        var listed: [TunnelID] = []
        bed.writer.forEachTunnel { listed.append($0.id) }
        #expect(listed == [id])
    }
}
