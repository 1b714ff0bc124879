import CDPDK
import CSegment
import Forwarding
import Segment
import Testing
import Wire
import Worker

/// Two workers in one process, iterated in turn: who forwards what, in which order, and what is counted where.
@Suite(.serialized) struct DispatchTests {
    /// Numbers by session, in the order in which they left.
    private func order(_ frames: [[UInt8]], _ number: ([UInt8]) -> (session: Int, number: Int)) -> [Int: [Int]] {
        Dictionary(grouping: frames.map(number)) { $0.session }.mapValues { $0.map(\.number) }
    }

    @Test func handsEachSessionToOneWorkerInOrder() throws {
        let rig = try TwoWorkers(isDispatched: true)
        // Both directions of 40 sessions, 10 frames each, all of them where worker 0 polls; access and core in turn.
        for number in 0..<10 {
            for session in TwoWorkers.sessions {
                rig.send(upFrame(session, number), port: 0)
                rig.send(downFrame(session, number), port: 1)
            }
        }
        rig.run()
        let (up, down) = (rig.take(1), rig.take(0))
        let expected = Dictionary(uniqueKeysWithValues: TwoWorkers.sessions.map { ($0, Array(0..<10)) })
        #expect(order(up[0] + up[1], upNumber) == expected)
        #expect(order(down[0] + down[1], downNumber) == expected)
        for worker in 0..<2 {
            let (ups, downs) = (
                Set(up[worker].map { upNumber($0).session }), Set(down[worker].map { downNumber($0).session })
            )
            #expect(ups == Set(TwoWorkers.sessions.filter { rig.owner(upstream: $0) == worker }))
            #expect(downs == Set(TwoWorkers.sessions.filter { rig.owner(downstream: $0) == worker }))
            #expect((12...28).contains(ups.count) && (12...28).contains(downs.count), "shares that are about equal")
        }
        let (handedUp, handedDown) = (up[1].count, down[1].count)
        #expect(
            rig.counters(0) == [
                .rxAccessFrames: 400, .rxCoreFrames: 400, .dispatched: UInt64(handedUp + handedDown),
                .encapsulatedFrames: UInt64(400 - handedUp), .decapsulatedFrames: UInt64(400 - handedDown),
                .txCoreFrames: UInt64(400 - handedUp), .txAccessFrames: UInt64(400 - handedDown),
            ])
        #expect(
            rig.counters(1) == [
                .dispatchReceived: UInt64(handedUp + handedDown), .encapsulatedFrames: UInt64(handedUp),
                .decapsulatedFrames: UInt64(handedDown), .txCoreFrames: UInt64(handedUp),
                .txAccessFrames: UInt64(handedDown),
            ])
        let octets = { (counter: Counter, worker: Int) in rig.workers[worker].forwarder.counters[counter.rawValue] }
        #expect(octets(.rxAccessOctets, 0) == UInt64(400 * upFrame(1, 0).count))
        #expect(octets(.rxCoreOctets, 0) == UInt64(400 * downFrame(1, 0).count))
        #expect(octets(.rxAccessOctets, 1) == 0 && octets(.rxCoreOctets, 1) == 0, "counted where they came in")
        for session in TwoWorkers.sessions {
            #expect(rig.view.upstream[session].packets == 10 && rig.view.upstream[session].octets == 400)
            #expect(rig.view.downstream[session].packets == 10 && rig.view.downstream[session].octets == 400)
        }
        #expect(rig.isBalanced)
        #expect(rig.end() == 0)
    }

    @Test func keepsOrderOverTwoPollingWorkers() throws {
        // Each session on one queue, as a device that hashes addresses has it; every other one on the other worker's.
        let rig = try TwoWorkers(isDispatched: true)
        for number in 0..<20 {
            for session in TwoWorkers.sessions { rig.send(upFrame(session, number), port: 0, queue: session % 2) }
        }
        rig.run()
        let up = rig.take(1)
        #expect(
            order(up[0] + up[1], upNumber)
                == Dictionary(uniqueKeysWithValues: TwoWorkers.sessions.map { ($0, Array(0..<20)) }))
        #expect(rig.count(.dispatched, 0) == rig.count(.dispatchReceived, 1))
        #expect(rig.count(.dispatched, 1) == rig.count(.dispatchReceived, 0))
        #expect(rig.count(.dispatched, 0) > 0 && rig.count(.dispatched, 1) > 0)
        #expect(rig.count(.rxAccessFrames, 0) == 400 && rig.count(.rxAccessFrames, 1) == 400)
        #expect(rig.isBalanced)
    }

    @Test func leavesAllElseWithWhoeverPolls() throws {
        let rig = try TwoWorkers(isDispatched: true)
        let others: [(frame: [UInt8], port: Int, end: Counter)] = [
            (with(upFrame(5, 0), [13: 0x63]), 0, .puntedPPPoEDiscovery),
            (with(upFrame(5, 0), [12: 8, 13: 6]), 0, .puntedARP),
            (with(upFrame(5, 0), [12: 0x12]), 0, .etherTypeUnknown),
            (Array(upFrame(5, 0).prefix(13)), 0, .frameShort),
            (Array(upFrame(5, 0).prefix(18)), 0, .pppoeShort),
            (ip(with(downFrame(5, 0), [23: 1])), 1, .puntedIPv4),
            (ip(with(downFrame(5, 0), [37: 53])), 1, .puntedIPv4),
            (with(downFrame(5, 0), [42: 0xc8]), 1, .puntedL2TPControl),
            (with(downFrame(5, 0), [43: 3]), 1, .l2tpVersion),
            (with(downFrame(5, 0), [44: 1]), 1, .l2tpLength),
            (with(downFrame(5, 0), [14: 0x44]), 1, .ipv4Malformed),
        ]
        for other in others { rig.send(other.frame, port: other.port) }
        rig.run()
        var expected: [Counter: UInt64] = [:]
        for other in others { expected[other.end, default: 0] += 1 }
        #expect(rig.counters(0).filter { $0.key.role == .terminal } == expected)
        #expect(rig.counters(1).isEmpty)
        #expect(rig.end() == 0)
    }

    /// Frames of one session or datagram that look different, and whether they are fragments.
    struct Kin: CustomTestStringConvertible, Sendable {
        let name: String
        let port: Int
        /// The frames of key `number`.
        let frames: @Sendable (_ number: Int) -> [[UInt8]]
        var testDescription: String { name }
    }

    static let kin: [Kin] = [
        Kin(name: "priority tag", port: 0) { [upFrame($0, 0), tagged(upFrame($0, 1), "8100e000")] },
        Kin(name: "one tag, two priorities", port: 0) {
            [tagged(upFrame($0, 0), "81000064"), tagged(upFrame($0, 1), "8100a064")]
        },
        Kin(name: "two tags", port: 0) {
            [tagged(upFrame(9, 0), "88a80064810000\(hex($0))"), tagged(upFrame(9, 1), "88a80064810020\(hex($0))")]
        },
        Kin(name: "with and without L2TP length", port: 1) { number in
            var bare = downFrame(number, 1)
            bare[42] = 0
            bare[44...] = bare[46...] + [0, 0]
            return [downFrame(number, 0), bare]
        },
        Kin(name: "L2TP in a VLAN", port: 1) { [tagged(downFrame($0, 0), "81000064"), downFrame($0, 1)] },
        Kin(name: "L2TP over IPv6", port: 1) { [overIPv6(downFrame($0, 0)), overIPv6(downFrame($0, 1))] },
        Kin(name: "IPv4 fragments", port: 1) { number in
            [0x2000, 0x2003, 0x0006].map { (offset: Int) in
                ip(with(downFrame(3, 0), [19: UInt8(number), 20: UInt8(offset >> 8), 21: UInt8(offset & 255)]))
            }
        },
        Kin(name: "IPv4 fragments of other sources", port: 1) { number in
            [0x2000, 0x0006].map { (offset: Int) in
                ip(with(downFrame(3, 0), [29: UInt8(number), 20: UInt8(offset >> 8), 21: UInt8(offset & 255)]))
            }
        },
        Kin(name: "IPv6 fragments", port: 1) { number in
            [(0, 1), (0, 0x19), (0, 0x30)].map { high, low in
                var frame = overIPv6(downFrame(3, 0))
                frame[20] = 44
                frame[54...] = [17, 0, UInt8(high), UInt8(low), 0, 0, 0, UInt8(number)] + frame[54...]
                return frame
            }
        },
    ]

    @Test(arguments: kin) func kinMeetOnOneWorker(kin: Kin) throws {
        let rig = try TwoWorkers(isDispatched: true)
        var handed = 0
        for number in 1...40 {
            let before = rig.count(.dispatched, 0)
            let frames = kin.frames(number)
            for frame in frames { rig.send(frame, port: kin.port) }
            rig.run()
            let delta = rig.count(.dispatched, 0) - before
            #expect(delta == 0 || delta == frames.count, "\(kin.name) \(number): \(delta) of \(frames.count)")
            handed += delta == 0 ? 0 : 1
        }
        #expect((10...30).contains(handed), "\(handed) of 40")
        #expect(rig.count(.dispatchReceived, 1) == rig.count(.dispatched, 0))
    }

    @Test func fragmentsAreSpreadByTheSeed() throws {
        // Who does not know the seed cannot choose the worker.
        func handed(_ seed: UInt64) throws -> [Bool] {
            let rig = try TwoWorkers(isDispatched: true, seed: seed)
            return (1...32).map { number in
                let before = rig.count(.dispatched, 0)
                rig.send(ip(with(downFrame(3, 0), [19: UInt8(number), 20: 0x20])), port: 1)
                rig.run()
                return rig.count(.dispatched, 0) != before
            }
        }
        let (first, again, other) = (try handed(1), try handed(1), try handed(2))
        #expect(first == again)
        #expect(first != other)
    }

    @Test func dispatchesOneKindAlone() throws {
        // A device that hashes PPPoE but not L2TP: worker 0 keeps what it polls of the one and hands out the other.
        let rig = try TwoWorkers(isDispatched: false)
        let port = { (mac: MACAddress) in
            var port = ForwardingPort(mac: mac, mtu: 1_500)
            port.dispatchesL2TP = true
            return port
        }
        let forwarder = try Forwarder(
            view: rig.view, ports: [port(accessMAC), port(coreMAC)], worker: 0, workers: 2, limits: PuntLimits(all: 0),
            cyclesPerSecond: 1_000)
        defer { forwarder.deallocate() }
        func receive(_ frame: [UInt8], port: Int) {
            rig.send(frame, port: port)
            var mbuf: OpaquePointer?
            #expect(culvert_ring_dequeue(rig.ports.receive[port][0], &mbuf, 1) == 1)
            forwarder.receive(&mbuf, count: 1, port: UInt32(port))
        }
        for session in TwoWorkers.sessions {
            receive(upFrame(session, 0), port: 0)
            receive(downFrame(session, 0), port: 1)
        }
        #expect(forwarder.transmit.count(1) == 40)
        #expect((10...30).contains(forwarder.dispatch.count(1)))
        #expect(forwarder.transmit.count(0) + forwarder.dispatch.count(1) == 40)
        for buffers in [forwarder.transmit, forwarder.dispatch] {
            for destination in 0..<2 as Range<UInt32> {
                culvert_mbuf_free_bulk(buffers.frames(destination), UInt32(buffers.count(destination)))
                buffers.removeAll(destination)
            }
        }
        #expect(rig.end() == 0)
    }

    @Test func oneWorkerDispatchesToNobody() throws {
        let rig = try Rig()
        let forwarder = try Forwarder(
            view: rig.view,
            ports: [accessMAC, coreMAC].map { ForwardingPort(mac: $0, mtu: 1_500, isDispatched: true) }, worker: 0,
            workers: 1, limits: PuntLimits(all: 0), cyclesPerSecond: 1_000)
        defer { forwarder.deallocate() }
        rig.send(Golden.upstream[0].input, port: 0)
        var mbuf: OpaquePointer?
        #expect(culvert_ring_dequeue(rig.ports.receive[0], &mbuf, 1) == 1)
        forwarder.receive(&mbuf, count: 1, port: 0)
        #expect(forwarder.transmit.count(1) == 1)
        forwarder.transmit.frames(1)[0].map(PacketBuffer.init)?.free()
        forwarder.transmit.removeAll(1)
    }

    @Test func aFullRingDropsAndCounts() throws {
        let rig = try TwoWorkers(isDispatched: true, ringDepth: 8)
        // Sessions that are worker 1's, as one frame each shows.
        for session in TwoWorkers.sessions { rig.send(upFrame(session, 0), port: 0) }
        while rig.workers.map({ $0.iterate() }).reduce(0, +) != 0 {}
        let theirs = TwoWorkers.sessions.filter {
            rig.view.upstream[$0].packets == 0 || rig.owner(upstream: $0) == 1
        }
        let (dispatched, full) = (rig.count(.dispatched, 0), rig.count(.dispatchRingFull, 0))
        #expect(dispatched + full == theirs.count)
        // While worker 1 does nothing, its ring takes what it holds: 7.
        for number in 0..<25 { rig.send(upFrame(theirs[0], number), port: 0) }
        rig.workers[0].iterate()
        #expect(rig.count(.dispatched, 0) == dispatched + 7)
        #expect(rig.count(.dispatchRingFull, 0) == full + 18)
        rig.workers[0].iterate()
        #expect(rig.count(.dispatchReceived, 1) == dispatched, "worker 1 has not looked yet")
        _ = rig.take(1)
        rig.workers[1].iterate()
        #expect(rig.take(1)[1].map { upNumber($0).number } == Array(0..<7), "the first ones, in order")
        #expect(rig.count(.dispatchReceived, 1) == dispatched + 7)
        #expect(rig.isBalanced)
        #expect(rig.end() == 0)
    }

    @Test func workersThatAreNotConnectedLoseNothingUncounted() throws {
        let rig = try Rig()
        let worker = try Worker(
            view: rig.view, index: 1, count: 2,
            ports: zip(rig.ports.devices, [accessMAC, coreMAC]).map {
                Worker.Port(forwarding: ForwardingPort(mac: $1, mtu: 1_500), device: $0, transmitQueue: 0)
            },
            queues: [Worker.ReceiveQueue(port: 0, device: rig.ports.devices[0], queue: 0)], limits: PuntLimits(all: 0))
        rig.view.upstream[5].claim = claim(epoch: rig.view.header.pointee.dataplane_epoch, worker: 0)
        rig.send(Golden.upstream[0].input, port: 0)
        worker.iterate()
        #expect(worker.forwarder.counters[Counter.dispatchRingFull.rawValue] == 1)
        #expect(worker.forwarder.counters[Counter.dispatched.rawValue] == 0)
        worker.deallocate()
        #expect(culvert_pool_available(rig.ports.pool) == 2_047)
    }

    @Test func endsWithoutALeak() throws {
        let rig = try TwoWorkers(isDispatched: true)
        for session in TwoWorkers.sessions { rig.send(upFrame(session, 0), port: 0) }
        for _ in 0..<3 { rig.workers[0].iterate() }
        let waiting = rig.count(.dispatched, 0)
        #expect(waiting > 0 && rig.count(.dispatchReceived, 1) == 0, "some wait in the ring")
        #expect(rig.end() == 0)
    }

    @Test func takesNoMoreThanItIsGivenAtATime() throws {
        // A burst of another worker's, of both ports: each comes out of the port that it should.
        let rig = try TwoWorkers(isDispatched: true)
        for session in TwoWorkers.sessions {
            rig.send(upFrame(session, 1), port: 0)
            rig.send(downFrame(session, 2), port: 1)
        }
        for _ in 0..<3 { rig.workers[0].iterate() }
        let waiting = rig.count(.dispatched, 0)
        var found = 0
        while true {
            let round = rig.workers[1].iterate()
            #expect(round <= Forwarder.burst)
            guard round > 0 else { break }
            found += round
        }
        #expect(found == waiting)
        #expect(rig.take(1)[1].allSatisfy { upNumber($0).number == 1 })
        #expect(rig.take(0)[1].allSatisfy { downNumber($0).number == 2 })
    }
}

/// A frame with some octets changed.
func with(_ frame: [UInt8], _ changes: [Int: UInt8]) -> [UInt8] {
    var frame = frame
    for (offset, value) in changes { frame[offset] = value }
    return frame
}

/// A frame whose IPv4 header, behind an untagged Ethernet header, gets its checksum (RFC 1071).
func ip(_ frame: [UInt8]) -> [UInt8] {
    var frame = with(frame, [24: 0, 25: 0])
    var sum = stride(from: 14, to: 34, by: 2).reduce(0) { $0 + Int(frame[$1]) << 8 + Int(frame[$1 + 1]) }
    while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
    (frame[24], frame[25]) = (UInt8(~sum >> 8 & 255), UInt8(~sum & 255))
    return frame
}

/// A frame with tags, given in hexadecimal, behind its addresses.
func tagged(_ frame: [UInt8], _ tags: String) -> [UInt8] { Array(frame[..<12]) + bytes(tags) + Array(frame[12...]) }

/// A number below 256 as two hexadecimal digits.
func hex(_ number: Int) -> String { (number < 16 ? "0" : "") + String(number, radix: 16) }

/// An untagged IPv4 packet's UDP datagram in IPv6 (RFC 8200) between two documentation addresses.
func overIPv6(_ frame: [UInt8]) -> [UInt8] {
    let payload = frame.count - 34
    return Array(frame[..<12]) + [0x86, 0xdd, 0x60, 0, 0, 0, UInt8(payload >> 8), UInt8(payload & 255), 17, 64]
        + bytes("20010db8000000000000000000000002") + bytes("20010db8000000000000000000000001") + Array(frame[34...])
}

/// `CULVERT_CLAIM`, which Swift does not see.
func claim(epoch: UInt64, worker: UInt16) -> UInt16 { UInt16(epoch % 255 + 1) << 8 | worker }
