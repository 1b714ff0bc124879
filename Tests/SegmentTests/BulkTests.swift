import CSegment
import Segment
import Testing
import Wire

/// Bulk calls do what as many single ones do.
@Suite struct BulkTests {
    private func add(_ sessions: [BulkSession], to bed: Bed) -> (places: [BulkPlace], refused: [Int: TableError]) {
        var places = [BulkPlace](repeating: .none, count: sessions.count)
        var refused: [Int: TableError] = [:]
        sessions.withUnsafeBufferPointer { sessions in
            places.withUnsafeMutableBufferPointer { places in
                let added = bed.writer.addExternal(sessions, into: places) { refused[$0] = $1 }
                #expect(added == sessions.count - refused.count)
            }
        }
        return (places, refused)
    }

    private func session(_ number: Int, tunnel: TunnelID, outer: UInt16, inner: UInt16 = 0) -> BulkSession {
        BulkSession(
            reference: UInt64(number), clientMAC: client(UInt64(number)), port: 0, outerVLAN: outer, innerVLAN: inner,
            tpid: outer == 0 ? 0 : 0x8100, tunnel: tunnel, peerSessionID: UInt16(number + 1))
    }

    @Test func everySessionIsFoundByItsIDs() throws {
        let bed = try Bed(Geometry(sessions: 4_096, circuits: 256))
        let tunnels = [try bed.tunnel(), try bed.tunnel(), try bed.tunnel()]
        let sessions = (0..<1_000).map { number in
            // Circuits by turns within a stride, untagged, with one tag and with two.
            session(number, tunnel: tunnels[number % 3], outer: UInt16(number % 5), inner: number % 5 == 4 ? 7 : 0)
        }
        let (places, refused) = add(sessions, to: bed)
        #expect(refused.isEmpty)
        for (number, place) in places.enumerated() {
            let given = sessions[number]
            let record = try #require(bed.writer.session(at: place.upstream))
            #expect(record.reference == UInt64(number))
            #expect(record.clientMAC == given.clientMAC)
            #expect(record.owner == .external)
            #expect(record.sessionID == place.sessionID)
            #expect(record.circuit.outerVLAN == given.outerVLAN)
            #expect(record.circuit.innerVLAN == given.innerVLAN)
            #expect(record.core?.tunnel == given.tunnel)
            #expect(record.core?.slot == place.downstream)
            #expect(record.core?.localSessionID == place.localSessionID)
            #expect(record.core?.peerSessionID == UInt16(number + 1))
            let up = bed.view.upstreamSession(
                circuit: place.circuit.rawValue, sessionID: place.sessionID, clientMAC: given.clientMAC.value)
            #expect(up.slot == place.upstream.rawValue && up.state == UInt32(CULVERT_STATE_FORWARD))
            let down = bed.view.downstreamSession(
                tunnel: UInt32(given.tunnel.rawValue), sessionID: place.localSessionID)
            #expect(down == place.downstream.rawValue)
            // The header toward the client, by the same session added alone.
            let length = Int(bed.view.downstream[Int(down)].header_length)
            #expect(length == 20 + (given.outerVLAN != 0 ? 4 : 0) + (given.innerVLAN != 0 ? 4 : 0))
        }
    }

    /// What is wrong with one is no matter to its neighbours, and it leaves nothing behind.
    @Test func eachIsRefusedByItself() throws {
        let bed = try Bed()
        let before = bed.writer.occupancy
        let tunnel = try bed.tunnel()
        let nowhere = TunnelID(rawValue: tunnel.rawValue ^ 1)
        var sessions = (0..<100).map { session($0, tunnel: tunnel, outer: UInt16(1 + $0 / 10)) }
        sessions[3].tunnel = nowhere
        sessions[40].port = 99
        sessions[41].outerVLAN = 4_095
        sessions[99].tunnel = nowhere
        let (places, refused) = add(sessions, to: bed)
        #expect(
            refused == [
                3: .noSuchTunnel(nowhere), 40: .noSuchPort(99),
                41: .invalidTags(outerVLAN: 4_095, innerVLAN: 0, tpid: 0x8100), 99: .noSuchTunnel(nowhere),
            ])
        #expect(places.filter(\.isAdded).count == 96)
        for index in [3, 40, 41, 99] { #expect(places[index] == .none) }
        #expect(before.freeUpstream - bed.writer.occupancy.freeUpstream == 96)
        #expect(before.freeDownstream - bed.writer.occupancy.freeDownstream == 96)

        // All of them go, and something that is not there is told.
        var gone = places.filter(\.isAdded).map(\.upstream)
        gone.insert(gone[0], at: 1)
        var missing: [Int: TableError] = [:]
        let removed = gone.withUnsafeBufferPointer { slots in bed.writer.remove(slots) { missing[$0] = $1 } }
        #expect(removed == 96)
        #expect(missing == [1: .noSuchUpstreamSession(gone[0])])
        #expect(Set(bed.reclaim().map(\.reference)).count == 96)
        bed.reclaim()
        try bed.writer.removeTunnel(tunnel)
        bed.reclaim()
        #expect(bed.writer.occupancy == before)
    }

    @Test func aFullTableTakesWhatFits() throws {
        let bed = try Bed(
            Geometry(
                sessions: 64, tunnels: 16, circuits: 16, vlanBlocks: 4, workers: 1, ports: 2, frameRingDepth: 64))
        let tunnel = try bed.tunnel()
        let (places, refused) = add((0..<70).map { session($0, tunnel: tunnel, outer: 3) }, to: bed)
        #expect(places.map(\.isAdded) == (0..<70).map { $0 < 64 })
        #expect(refused.keys.sorted() == Array(64..<70))
        #expect(Set(refused.values.map { "\($0)" }) == ["\(TableError.sessionsFull(capacity: 64))"])
    }
}
