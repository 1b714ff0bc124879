import CDPDK
import CSegment
import Forwarding
import Glibc
import Segment
import Settings
import Testing
import Worker

/// The loop itself.
@Suite(.serialized) struct WorkerTests {
    /// What a resting worker did, and where it stops: C functions have no other place to put it.
    nonisolated(unsafe) static var yields = 0
    nonisolated(unsafe) static var sleeps: [UInt64] = []
    nonisolated(unsafe) static var rests = 0
    static let stopped = Stop()

    final class Stop: @unchecked Sendable {
        let flag = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
    }

    /// Counts instead of resting, and stops the worker at the tenth time.
    static let rest = WorkerRest(
        yield: {
            WorkerTests.yields += 1
            WorkerTests.stopAtTen()
        },
        sleep: {
            WorkerTests.sleeps.append($0)
            WorkerTests.stopAtTen()
        })

    static func stopAtTen() {
        rests += 1
        if rests == 10 { culvert_store_release_u32(stopped.flag, 1) }
    }

    /// Each setting of `idle`, and what ten rests of a worker that finds nothing are.
    @Test(
        arguments: [
            (.yield, 10, []), (.sleep(microseconds: 250), 0, Array(repeating: 250_000, count: 10)),
            (.sleep(microseconds: 1), 0, Array(repeating: 1_000, count: 10)),
        ] as [(DataPlaneSettings.Idle, Int, [UInt64])])
    func restsAsItIsTold(setting: DataPlaneSettings.Idle, yields: Int, sleeps: [UInt64]) throws {
        let rig = try Rig()
        (Self.yields, Self.sleeps, Self.rests) = (0, [], 0)
        culvert_store_release_u32(Self.stopped.flag, 0)
        rig.worker.run(until: Self.stopped.flag, idle: WorkerIdle(setting), rest: Self.rest)
        #expect(Self.yields == yields)
        #expect(Self.sleeps == sleeps)
        #expect(rig.view.workers[0].loops == UInt64(WorkerIdle.patience) + 10, "a rest a round, after the first few")
        #expect(rig.view.workers[0].busy_loops == 0)
    }

    @Test func pollsWithoutRest() throws {
        let rig = try Rig()
        (Self.yields, Self.sleeps, Self.rests) = (0, [], 0)
        culvert_store_release_u32(Self.stopped.flag, 0)
        // Somebody else stops it, when it has been around a thousand times.
        let watcher = UnsafeMutablePointer<Watcher>.allocate(capacity: 1)
        watcher.initialize(
            to: Watcher(loops: UnsafeMutableRawPointer(rig.view.workers) + 8, flag: Self.stopped.flag))
        defer { watcher.deallocate() }
        var thread = pthread_t()
        let failed = pthread_create(
            &thread, nil,
            { argument in
                guard let watcher = argument?.load(as: Watcher.self) else { return nil }
                while culvert_load_relaxed_u64(watcher.loops.assumingMemoryBound(to: UInt64.self)) < 1_000 {
                    culvert_yield()
                }
                culvert_store_release_u32(watcher.flag, 1)
                return nil
            }, watcher)
        try #require(failed == 0)
        rig.worker.run(until: Self.stopped.flag, idle: WorkerIdle(.poll), rest: Self.rest)
        pthread_join(thread, nil)
        #expect(Self.rests == 0)
        #expect(rig.view.workers[0].loops >= 1_000)
    }

    struct Watcher {
        let loops: UnsafeMutableRawPointer
        let flag: UnsafeMutablePointer<UInt32>
    }

    @Test func aBusyWorkerDoesNotRest() throws {
        let rig = try Rig()
        (Self.yields, Self.sleeps, Self.rests) = (0, [], 0)
        culvert_store_release_u32(Self.stopped.flag, 0)
        for _ in 0..<200 { rig.send(Golden.upstream[0].input, port: 0) }
        rig.worker.run(until: Self.stopped.flag, idle: .yield, rest: Self.rest)
        #expect(rig.view.workers[0].busy_loops == 7, "200 frames in bursts of 32")
        #expect(rig.view.workers[0].loops == 7 + UInt64(WorkerIdle.patience) + 10)
        _ = rig.take(rig.ports.transmit[1])
    }

    /// A port that takes at most eight frames at a call is asked again as long as it takes some.
    @Test(arguments: [(8, 30), (1, 30)] as [(Int, Int)]) func asksAPortAgain(limit: Int, count: Int) throws {
        let rig = try Rig()
        let device = rig.ports.devices[1]
        let handle = rte_eth_add_tx_callback(
            device, 0, { _, _, _, count, limit in min(count, UInt16(Int(bitPattern: limit))) },
            UnsafeMutableRawPointer(bitPattern: limit))
        defer {
            rte_eth_remove_tx_callback(device, 0, handle)
        }
        for _ in 0..<count { rig.send(Golden.upstream[0].input, port: 0) }
        rig.worker.iterate()
        #expect(rig.take(rig.ports.transmit[1]).count == count)
        #expect(rig.terminals == [.txCoreFrames: UInt64(count)])
    }

    @Test func dropsWhatAPortDoesNotTake() throws {
        let rig = try Rig()
        let (device, budget) = (rig.ports.devices[1], UnsafeMutablePointer<UInt16>.allocate(capacity: 1))
        budget.initialize(to: 20)
        // Takes 20 frames, 8 at a call at most, and then none.
        let handle = rte_eth_add_tx_callback(
            device, 0,
            { _, _, _, count, budget in
                guard let budget = budget?.assumingMemoryBound(to: UInt16.self) else { return 0 }
                let taken = min(count, budget.pointee, 8)
                budget.pointee -= taken
                return taken
            }, budget)
        defer {
            rte_eth_remove_tx_callback(device, 0, handle)
            budget.deallocate()
        }
        for _ in 0..<30 { rig.send(Golden.upstream[0].input, port: 0) }
        rig.worker.iterate()
        #expect(rig.take(rig.ports.transmit[1]).count == 20)
        #expect(rig.terminals == [.txCoreFrames: 20, .transmitFull: 10])
        #expect(rig.counters[.txCoreOctets] == UInt64(20 * Golden.upstream[0].output.count))
        #expect(culvert_pool_available(rig.ports.pool) == 2_047)
    }

    @Test func goesByTheTimeThatItIsGiven() throws {
        let rig = try Rig(limits: PuntLimits(all: 10))
        let hertz = culvert_cycles_per_second()
        func punted(at now: UInt64) -> Int {
            for _ in 0..<30 { rig.send(with(Golden.upstream[0].input, [13: 0x63]), port: 0) }
            rig.worker.iterate(now: now)
            return rig.takePunts().count
        }
        #expect(punted(at: 100 * hertz) == 9)
        #expect(punted(at: 100 * hertz) == 0)
        #expect(punted(at: 100 * hertz + hertz / 2) == 5)
        #expect(punted(at: 200 * hertz) == 9)
    }
}
