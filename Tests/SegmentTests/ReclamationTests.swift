import CDPDK
import CSegment
import Segment
import Testing
import Wire

@Suite struct ReclamationTests {
    /// A bed whose worker 0 runs, with one session removed that the worker may still hold.
    private func bedWithPendingRemoval() throws -> (bed: Bed, quiescent: UnsafeMutableRawPointer) {
        let bed = try Bed()
        let tunnel = try bed.tunnel()
        let (up, _) = try bed.external(tunnel: tunnel)
        let quiescent = try #require(bed.dataPlane).view.quiescent
        #expect(culvert_rcu_register(quiescent, 0) == 0)
        culvert_rcu_online(quiescent, 0)
        try bed.writer.remove(up.slot)
        #expect(bed.reclaim().isEmpty, "the worker may still hold it")
        #expect(bed.writer.occupancy.freeUpstream == 1_023)
        return (bed, quiescent)
    }

    @Test func workersQuiescentPointEndsTheWait() throws {
        let (bed, quiescent) = try bedWithPendingRemoval()
        culvert_rcu_quiescent(quiescent, 0)
        #expect(bed.reclaim().count == 1)
        #expect(bed.writer.occupancy.freeUpstream == 1_024)
    }

    @Test func offlineWorkerIsNotWaitedFor() throws {
        let (bed, quiescent) = try bedWithPendingRemoval()
        culvert_rcu_offline(quiescent, 0)
        #expect(bed.reclaim().count == 1)
    }

    @Test func deadDataPlaneIsNotWaitedFor() throws {
        let (bed, _) = try bedWithPendingRemoval()
        bed.dataPlane = nil
        #expect(bed.reclaim().count == 1)
    }

    @Test func restartedDataPlaneIsNotWaitedFor() throws {
        let place = TemporaryPath()
        var first: SegmentMapping? = try place.attach()
        let writer = TableWriter.recovering(try SegmentMapping.attachControlPlane(path: place.path)).writer
        // Many grace periods, so that the second one's tokens begin below the first one's.
        for _ in 0..<100 {
            let tunnel = try writer.allocateTunnel(owner: .external)
            try writer.removeTunnel(tunnel)
            writer.reclaim { _ in }
        }
        let quiescent = try #require(first).view.quiescent
        #expect(culvert_rcu_register(quiescent, 0) == 0)
        culvert_rcu_online(quiescent, 0)
        try writer.removeTunnel(try writer.allocateTunnel(owner: .external))
        #expect(writer.reclaim { _ in } == 0)
        first = nil
        let second = try place.attach()
        #expect(culvert_rcu_register(second.view.quiescent, 0) == 0)
        culvert_rcu_online(second.view.quiescent, 0)
        #expect(writer.reclaim { _ in } == 1, "who could hold it is gone")
        try writer.removeTunnel(try writer.allocateTunnel(owner: .external))
        #expect(writer.reclaim { _ in } == 0, "the second one's worker is waited for")
        culvert_rcu_quiescent(second.view.quiescent, 0)
        #expect(writer.reclaim { _ in } == 1)
    }

    @Test func lateCountsAreInTheTotals() throws {
        let (bed, quiescent) = try bedWithPendingRemoval()
        var slot: Int?
        for index in 0..<1_024 where bed.view.upstream[index].state == UInt32(CULVERT_STATE_RETIRED) { slot = index }
        bed.view.upstream[try #require(slot)].packets += 1
        culvert_rcu_quiescent(quiescent, 0)
        #expect(bed.reclaim().first?.counters.upstreamPackets == 1)
    }

    @Test func whatComesLaterWaitsForALaterPoint() throws {
        let (bed, quiescent) = try bedWithPendingRemoval()
        let tunnel = try bed.tunnel()
        let (up, _) = try bed.external(2, tunnel: tunnel)
        try bed.writer.remove(up.slot)
        culvert_rcu_quiescent(quiescent, 0)
        #expect(bed.reclaim().map(\.reference) == [1], "the second was unpublished after the first one's token")
        culvert_rcu_quiescent(quiescent, 0)
        #expect(bed.reclaim().map(\.reference) == [2])
    }

    @Test func limitBoundsOneCall() throws {
        let bed = try Bed()
        let tunnel = try bed.tunnel()
        let slots = try (0..<10).map { try bed.external($0, tunnel: tunnel).upstream.slot }
        for slot in slots { try bed.writer.remove(slot) }
        #expect(bed.reclaim(limit: 4).map(\.reference) == [0, 1, 2, 3])
        #expect(bed.reclaim(limit: 4).map(\.reference) == [4, 5, 6, 7])
        #expect(bed.reclaim(limit: 4).map(\.reference) == [8, 9])
    }

    @Test func templateInUseIsNotOverwritten() throws {
        let bed = try Bed()
        let quiescent = try #require(bed.dataPlane).view.quiescent
        #expect(culvert_rcu_register(quiescent, 0) == 0)
        culvert_rcu_online(quiescent, 0)
        let id = try bed.tunnel()
        let entry = bed.view.tunnels + Int(id.rawValue)
        func mtu(_ selector: Int) -> UInt16 { bed.view.templates[2 * Int(id.rawValue) + selector].mtu }
        func update(_ mtu: UInt16) throws {
            var header = testHeader
            header.mtu = mtu
            try bed.writer.updateTemplate(id, header: header)
        }
        try update(1_401)
        #expect(entry.pointee.template_selector == 1)
        #expect([mtu(0), mtu(1)] == [1_500, 1_401])
        try update(1_402)
        try update(1_403)
        bed.reclaim()
        #expect([mtu(0), mtu(1)] == [1_500, 1_401], "a worker may still copy the first one")
        culvert_rcu_quiescent(quiescent, 0)
        bed.reclaim()
        #expect(entry.pointee.template_selector == 0)
        #expect([mtu(0), mtu(1)] == [1_403, 1_401], "the last one counts")
        #expect(bed.writer.tunnel(id)?.mtu == 1_403)
        try bed.writer.removeTunnel(id)
        culvert_rcu_quiescent(quiescent, 0)
        bed.reclaim()
        culvert_rcu_quiescent(quiescent, 0)
        bed.reclaim()
        #expect(bed.writer.occupancy.freeTunnels == 63)
    }
}
