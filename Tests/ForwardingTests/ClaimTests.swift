import CDPDK
import CSegment
import Forwarding
import Segment
import Testing
import Wire
import Worker

/// Whose a session is when nobody spreads them by a hash.
@Suite(.serialized) struct ClaimTests {
    @Test func theFirstWorkerKeepsTheSession() throws {
        // Frames of a session on both queues, as from a device that hashes what is inside of the session.
        let rig = try TwoWorkers(isDispatched: false)
        rig.send(upFrame(5, 0), port: 0, queue: 1)
        rig.send(downFrame(6, 0), port: 1, queue: 1)
        rig.run()
        #expect(rig.owner(upstream: 5) == 1 && rig.owner(downstream: 6) == 1)
        for number in 1...50 {
            rig.send(upFrame(5, number), port: 0, queue: number % 2)
            rig.send(downFrame(6, number), port: 1, queue: number % 2)
        }
        rig.run()
        let (up, down) = (rig.take(1), rig.take(0))
        #expect(up[0].isEmpty && down[0].isEmpty)
        // In order as far as they came in by one queue: nothing else says what the order was.
        for parity in 0...1 {
            let expected = Array(stride(from: parity, through: 50, by: 2))
            #expect(up[1].map { upNumber($0).number }.filter { $0 % 2 == parity } == expected)
            #expect(down[1].map { downNumber($0).number }.filter { $0 % 2 == parity } == expected)
        }
        #expect(rig.view.upstream[5].packets == 51 && rig.view.downstream[6].packets == 51)
        #expect(rig.counters(0) == [.rxAccessFrames: 25, .rxCoreFrames: 25, .dispatched: 50])
        #expect(
            rig.counters(1) == [
                .rxAccessFrames: 26, .rxCoreFrames: 26, .dispatchReceived: 50, .encapsulatedFrames: 51,
                .decapsulatedFrames: 51, .txCoreFrames: 51, .txAccessFrames: 51,
            ])
        #expect(rig.isBalanced)
        #expect(rig.end() == 0)
    }

    @Test func directionsHaveClaimsOfTheirOwn() throws {
        let rig = try TwoWorkers(isDispatched: false)
        rig.send(upFrame(5, 0), port: 0, queue: 0)
        rig.send(downFrame(5, 0), port: 1, queue: 1)
        rig.run()
        #expect(rig.owner(upstream: 5) == 0 && rig.owner(downstream: 5) == 1)
        #expect(rig.count(.dispatched, 0) == 0 && rig.count(.dispatched, 1) == 0)
    }

    @Test func claimsOfAnEarlierDataPlaneAreVoid() throws {
        let first = try TwoWorkers(isDispatched: false, epoch: 7)
        first.send(upFrame(5, 0), port: 0, queue: 1)
        first.run()
        #expect(first.view.upstream[5].claim == claim(epoch: 7, worker: 1))
        let segment = first.segment
        #expect(first.end() == 0)
        let second = try TwoWorkers(isDispatched: false, epoch: 8, segment: segment)
        second.send(upFrame(5, 0), port: 0, queue: 0)
        second.run()
        #expect(second.view.upstream[5].claim == claim(epoch: 8, worker: 0))
        #expect(second.count(.dispatched, 0) == 0)
        #expect(second.take(1)[0].count == 1)
    }

    @Test(arguments: [2, 3, 64, 255] as [UInt16]) func aClaimOfNobodyIsTaken(worker: UInt16) throws {
        let rig = try TwoWorkers(isDispatched: false)
        rig.view.upstream[5].claim = claim(epoch: 1, worker: worker)
        rig.view.downstream[5].claim = claim(epoch: 1, worker: worker)
        rig.send(upFrame(5, 0), port: 0, queue: 1)
        rig.send(downFrame(5, 0), port: 1, queue: 0)
        rig.run()
        #expect(rig.owner(upstream: 5) == 1 && rig.owner(downstream: 5) == 0)
        #expect(rig.take(1)[1].count == 1 && rig.take(0)[0].count == 1)
    }

    @Test func survivesAnyClaim() throws {
        // Whatever culvertd writes over the claims while frames are on their way: every frame ends somewhere, once.
        let rig = try TwoWorkers(isDispatched: true)
        var random = SystemRandomNumberGenerator()
        var sent = 0
        for _ in 0..<400 {
            for session in TwoWorkers.sessions {
                let any = UInt16.random(in: 0 ... .max, using: &random)
                let live = claim(epoch: 1, worker: any & 3)
                rig.view.upstream[session].claim = any & 0x8000 == 0 ? live : any
                rig.view.downstream[session].claim = any & 0x4000 == 0 ? live : any
            }
            for _ in 0..<10 {
                let session = Int.random(in: TwoWorkers.sessions, using: &random)
                rig.send(upFrame(session, 0), port: 0, queue: Int.random(in: 0...1, using: &random))
                rig.send(downFrame(session, 0), port: 1, queue: Int.random(in: 0...1, using: &random))
                sent += 2
            }
            for worker in rig.workers { worker.iterate() }
            for port in 0..<2 { _ = rig.take(port) }
        }
        rig.run()
        #expect(rig.isBalanced)
        let handed = rig.count(.dispatched, 0) + rig.count(.dispatched, 1)
        #expect(handed > sent / 4)
        #expect(handed == rig.count(.dispatchReceived, 0) + rig.count(.dispatchReceived, 1))
        let left = (0..<2).map { rig.count(.txCoreFrames, $0) + rig.count(.txAccessFrames, $0) }.reduce(0, +)
        #expect(left == sent)
        #expect(rig.end() == 0)
    }
}
