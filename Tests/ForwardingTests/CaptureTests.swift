import CDPDK
import CSegment
import Forwarding
import Segment
import Testing
import Wire
import Worker

/// A copy for a capture, as the exchange finds it.
private struct Copy: Equatable, CustomStringConvertible {
    var point: CapturePoint
    var port: UInt16
    var bytes: [UInt8]
    var length: UInt32
    var reason: Counter?

    init(_ point: CapturePoint, _ port: UInt16, _ bytes: [UInt8], length: Int? = nil, _ reason: Counter? = nil) {
        (self.point, self.port, self.bytes, self.reason) = (point, port, bytes, reason)
        self.length = UInt32(length ?? bytes.count)
    }

    var description: String { "\(point) port \(port), \(length) octets, \(String(describing: reason)): \(bytes)" }
}

extension Rig {
    /// Captures session 5 with L2TP session 9, as number 77.
    fileprivate func capture(length: UInt16 = 2_016) {
        view.upstream[5].partner = 9
        view.downstream[9].partner = 5
        view.upstream[5].capture_length = length
        view.upstream[5].capture = 77
        view.upstream[5].features |= UInt8(CULVERT_FEATURE_CAPTURED)
        view.downstream[9].features |= UInt8(CULVERT_FEATURE_CAPTURED)
    }

    /// Copies on their way to the exchange. Every one of them is of session 5 and capture 77.
    fileprivate func takeCopies(of worker: Worker? = nil) -> [Copy] {
        var copies: [Copy] = []
        var pointer: OpaquePointer?
        while culvert_ring_dequeue((worker ?? self.worker).puntRing, &pointer, 1) == 1 {
            guard let mbuf = pointer else { continue }
            let (note, capture) = (PuntNote(of: PacketBuffer(mbuf)), CaptureNote(of: PacketBuffer(mbuf)))
            #expect(note.punt == .capture && note.slot == 5 && capture.mark.number == 77)
            copies.append(
                Copy(
                    CapturePoint(rawValue: capture.mark.point) ?? .dropped, note.port, PacketBuffer(mbuf).contents,
                    length: Int(capture.frameLength),
                    capture.mark.reason == 0 ? nil : Counter(rawValue: Int(capture.mark.reason))))
            culvert_mbuf_free(mbuf)
        }
        return copies
    }
}

/// Copies of a session's frames for culvertd.
extension ForwardingTests.FeatureTests {
    @Suite(.serialized) struct CaptureTests {
        private let up = Golden.upstream[0].input
        private let down = tunnelFrame(ppp: 100)

        @Test func copiesEveryFrameAsItComesInAndAsItLeaves() throws {
            let rig = try Rig()
            rig.capture()
            // Ethernet padding is part of what came in.
            let padded = up + [UInt8](repeating: 0xa5, count: 9)
            let sentUp = rig.pass([padded], port: 0)[1]
            #expect(sentUp == [Golden.upstream[0].output])
            let sentDown = rig.pass([down], port: 1)[0]
            #expect(sentDown.count == 1)
            #expect(
                rig.takeCopies() == [
                    Copy(.received, 0, padded), Copy(.sent, 1, sentUp[0]), Copy(.received, 1, down),
                    Copy(.sent, 0, sentDown[0]),
                ])
            #expect(rig.counters[.captureCopies] == 4)
            #expect(rig.terminals == [.txCoreFrames: 1, .txAccessFrames: 1, .puntedCapture: 4])
            #expect(rig.isBalanced)
        }

        @Test func leavesOtherSessionsAlone() throws {
            let rig = try Rig()
            rig.capture()
            let other = Golden.upstream.first { $0.input[12] == 0x88 && $0.input[13] == 0xa8 }
            let input = try #require(other).input
            #expect(rig.pass([input, input], port: 0)[1].count == 2)
            #expect(rig.takeCopies().isEmpty && rig.counters[.captureCopies] == nil)
        }

        @Test(arguments: [1, 14, 64, 2_017, 65_535] as [UInt16]) func cutsCopies(length: UInt16) throws {
            let rig = try Rig()
            rig.capture(length: length)
            let frame = sessionFrame(5, ppp: 1_400)
            let sent = try #require(rig.pass([frame], port: 0)[1].first)
            let most = min(Int(length), 2_016)
            #expect(
                rig.takeCopies() == [
                    Copy(.received, 0, Array(frame.prefix(most)), length: frame.count),
                    Copy(.sent, 1, Array(sent.prefix(most)), length: sent.count),
                ])
        }

        @Test func saysWhyFramesAreDropped() throws {
            func expect(
                _ reason: Counter, _ kind: TemplateKind = .plain, port: Int = 0, _ change: (Rig) -> Void = { _ in }
            ) throws {
                let rig = try Rig(kind)
                rig.capture()
                change(rig)
                let frame = port == 0 ? up : down
                #expect(rig.pass([frame], port: port) == [[], []])
                #expect(rig.takeCopies() == [Copy(.received, UInt16(port), frame, reason)])
                #expect(rig.terminals == [.puntedCapture: 1, reason: 1])
                #expect(rig.isBalanced)
            }
            try expect(.nextHopUnresolved, .unresolved)
            try expect(.tunnelNotForwarding) { $0.view.upstream[5].tunnel = 8 }
            try expect(.templateInvalid) { $0.view.templates[15].l3_length = 28 }
            try expect(.outerMTUExceeded) { $0.view.templates[15].mtu = 50 }
            try expect(.egressPortUnknown) { $0.view.templates[15].port = 9 }
            try expect(.policerInvalid) { $0.view.upstream[5].features |= 1 }
            try expect(.policerInvalid, port: 1) { $0.view.downstream[9].features |= 1 }
            try expect(.accessHeaderInvalid, port: 1) { $0.view.downstream[9].header_length = 26 }
            try expect(.egressPortUnknown, port: 1) { $0.view.downstream[9].port = 9 }
            try expect(.sequenceRequired, port: 1) { $0.view.downstream[9].features |= 4 }
        }

        @Test func saysThatTheSenderIsTold() throws {
            var header = HeaderKind.ipv4.header
            header.tellsInside = true
            header.mtu = 138
            let rig = try Rig(header)
            rig.capture()
            let long = patternedFrame(ppp: 200)
            _ = rig.pass([long], port: 0)
            var pointer: OpaquePointer?
            #expect(culvert_ring_dequeue(rig.worker.puntRing, &pointer, 1) == 1)
            let copy = PacketBuffer(try #require(pointer))
            #expect(PuntNote(of: copy).punt == .capture && copy.contents == long)
            #expect(CaptureNote(of: copy).mark.reason == UInt8(Counter.puntedTooBig.rawValue))
            copy.free()
            #expect(rig.takePunts().map(\.note.punt) == [.tooBig])
        }

        @Test func copiesEachFragmentThatLeaves() throws {
            var header = HeaderKind.ipv4.header
            header.mtu = 200
            header.fragments = true
            let rig = try Rig(header)
            rig.capture()
            let frame = patternedFrame(ppp: 300)
            let sent = rig.pass([frame], port: 0)[1]
            #expect(sent.count == 2)
            #expect(rig.takeCopies() == [Copy(.received, 0, frame)] + sent.map { Copy(.sent, 1, $0) })
            #expect(rig.isBalanced && rig.free == 2_047)
        }

        /// A port that adds up the checksum gets the frame as any other; the copy cannot wait for that.
        @Test func showsTheChecksumThatThePortWouldPutIn() throws {
            let golden = try #require(Golden.upstream.first { $0.template == .checksum })
            let rig = try Rig(.checksum)
            rig.capture()
            let pool = try #require(culvert_pool_create_single("captured", 15, 2_144, 0))
            defer { culvert_pool_free(pool) }
            let forwarder = try Forwarder(
                view: rig.view,
                ports: [
                    ForwardingPort(mac: accessMAC, mtu: 1_500),
                    ForwardingPort(mac: coreMAC, mtu: 1_500, computesUDPChecksum: true),
                ],
                worker: 0, workers: 1, limits: PuntLimits(all: 1_000), captures: pool,
                cyclesPerSecond: culvert_cycles_per_second())
            defer { forwarder.deallocate() }
            rig.send(golden.input, port: 0)
            var mbuf: OpaquePointer?
            #expect(culvert_ring_dequeue(rig.ports.receive[0], &mbuf, 1) == 1)
            forwarder.receive(&mbuf, count: 1, port: 0)
            let sent = PacketBuffer(try #require(forwarder.transmit.frames(1)[0]))
            let copies = (0..<forwarder.punts.count).compactMap { forwarder.punts.frames[$0].map(PacketBuffer.init) }
            #expect(copies.map(\.contents) == [golden.input, golden.output])
            #expect(sent.contents == golden.output && culvert_mbuf_offload_flags(sent.mbuf) == 0)
            for frame in copies + [sent] { frame.free() }
            #expect(culvert_pool_available(pool) == 15)
        }

        @Test func followsMessagesThatWait() throws {
            let rig = try Rig()
            rig.capture()
            rig.view.downstream[9].features |= UInt8(CULVERT_FEATURE_REORDERED)
            let frames = (0..<4 as Range<UInt16>).map { number in
                tunnelFrame(ppp: [0, 0x21] + [UInt8](repeating: UInt8(number), count: 60), sequence: number)
            }
            let start: UInt64 = 1 << 50
            func pass(_ numbers: [Int], after milliseconds: UInt64 = 0) -> [[UInt8]] {
                for number in numbers { rig.send(frames[number], port: 1) }
                let now = start + culvert_cycles_per_second() / 1_000 * milliseconds
                while rig.worker.iterate(now: now) != 0 {}
                return rig.take(rig.ports.transmit[0])
            }
            #expect(pass([2, 1]).isEmpty)
            #expect(rig.takeCopies() == [Copy(.received, 1, frames[2]), Copy(.received, 1, frames[1])])
            let first = pass([0])
            #expect(first.count == 3)
            #expect(rig.takeCopies() == [Copy(.received, 1, frames[0])] + first.map { Copy(.sent, 0, $0) })
            // One that comes again, and one that waits in vain, which nobody's frame drives out.
            #expect(pass([1]).isEmpty)
            #expect(rig.takeCopies() == [Copy(.received, 1, frames[1], .sequenceLate)])
            rig.view.downstreamFeatures[9].sequence = 2
            #expect(pass([3]).isEmpty)
            _ = rig.takeCopies()
            let late = pass([], after: 200)
            #expect(late.count == 1)
            #expect(rig.takeCopies() == late.map { Copy(.sent, 0, $0) })
            // One that is dropped when its turn has come: where it came in by, whole, and why.
            rig.view.downstreamFeatures[9].sequence = 2
            #expect(pass([3], after: 300).isEmpty)
            rig.view.downstream[9].features |= UInt8(CULVERT_FEATURE_POLICED)
            #expect(pass([], after: 600).isEmpty)
            #expect(
                rig.takeCopies() == [
                    Copy(.received, 1, frames[3]), Copy(.dropped, 1, frames[3], .policerInvalid),
                ])
            #expect(rig.isBalanced)
        }

        @Test func neverTakesTheRoomOfOthers() throws {
            let rig = try Rig()
            rig.capture()
            var sent = 0
            // Nobody empties the ring of 1,023 places.
            for _ in 0..<40 { sent += rig.pass(Array(repeating: up, count: 32), port: 0)[1].count }
            #expect(sent == 40 * 32, "every frame leaves")
            let padi = bytes("ffffffffffff") + clientMAC.octets + bytes("886311090000000401010000")
            for _ in 0..<500 { _ = rig.pass([padi], port: 0) }
            #expect(rig.counters[.puntedPPPoEDiscovery] == 500 && rig.counters[.puntRingFull] == nil)
            let copied = try #require(rig.counters[.puntedCapture])
            #expect(copied <= 512 && copied > 448)
            #expect(rig.counters[.captureNoRoom] == 40 * 64 - copied)
            #expect(rig.isBalanced)
        }

        @Test func keepsItsLimits() throws {
            var limits = PuntLimits(all: 1_000_000)
            limits[.capture] = 100
            do {
                let rig = try Rig(limits: limits)
                rig.capture()
                // A burst of ten is a tenth of a second's.
                #expect(rig.pass(Array(repeating: up, count: 32), port: 0)[1].count == 32)
                let copied = try #require(rig.counters[.puntedCapture])
                #expect((10...12).contains(copied))
                #expect(rig.counters[.puntLimitedCapture] == 64 - copied)
                #expect(rig.isBalanced)
            }
            var own = PuntLimits(all: 0)
            own[.capture] = 20
            let rig = try Rig(clientLimits: own)
            rig.capture()
            #expect(rig.pass(Array(repeating: up, count: 32), port: 0)[1].count == 32)
            #expect(rig.counters[.puntClientLimitedCapture] ?? 0 >= 40)
            #expect(rig.isBalanced)
        }

        @Test func withoutAPoolNothingIsCopied() throws {
            let rig = try FeatureRig()
            rig.rig.capture()
            #expect(rig.pass([up], port: 0).count == 1)
            #expect(rig.rig.counters[.captureNoRoom] == 2)
            #expect(rig.isBalanced)
        }

        /// What culvertd says may contradict itself.
        @Test func survivesAnything() throws {
            let rig = try Rig()
            rig.capture()
            for word in 0..<2_000 {
                rig.view.upstream[5].capture = UInt16(truncatingIfNeeded: word * 7_919)
                rig.view.upstream[5].capture_length = UInt16(truncatingIfNeeded: word * 104_729)
                rig.view.downstream[9].partner = UInt32(truncatingIfNeeded: word &* 0x9e37_79b9)
                rig.view.upstream[5].features = UInt8(truncatingIfNeeded: word >> 2) | 16
                rig.view.downstream[9].features = UInt8(truncatingIfNeeded: word >> 4) | 16
                _ = rig.pass([up, sessionFrame(5, ppp: 1_400)], port: 0)
                _ = rig.pass([down, tunnelFrame(ppp: [0, 0x21, 1], sequence: UInt16(word))], port: 1)
                _ = rig.takePunts()
            }
            rig.view.downstream[9].features = 0
            _ = rig.worker.iterate(now: .max >> 1)
            _ = rig.takePunts()
            #expect(rig.isBalanced && rig.free == 2_047)
        }

        @Test func whoeverHasTheSessionMakesTheCopies() throws {
            let rig = try TwoWorkers(isDispatched: false)
            rig.view.upstream[5].partner = 5
            rig.view.downstream[5].partner = 5
            rig.view.upstream[5].capture = 77
            rig.view.upstream[5].capture_length = 2_016
            rig.view.upstream[5].features = UInt8(CULVERT_FEATURE_CAPTURED)
            rig.view.downstream[5].features = UInt8(CULVERT_FEATURE_CAPTURED)
            rig.send(upFrame(5, 0), port: 0, queue: 1)
            rig.run()
            for number in 1...10 { rig.send(upFrame(5, number), port: 0, queue: number % 2) }
            rig.run()
            #expect(rig.count(.puntedCapture, 0) == 0)
            #expect(rig.count(.puntedCapture, 1) == 22)
            #expect(rig.isBalanced)
            #expect(rig.end() == 0)
        }

        @Test func reachesTheControlPlaneWithItsTime() throws {
            let rig = try Rig()
            rig.capture()
            var exchange = Exchange(view: rig.view, workers: [rig.worker], devices: [])
            defer { exchange.deallocate() }
            var ring = FrameRingConsumer(rig.view.puntRing, mask: rig.view.frameRingMask)
            let before = culvert_monotonic_ns()
            let sent = rig.pass([up], port: 0)[1]
            let after = culvert_monotonic_ns()
            exchange.iterate()
            let (one, two) = (ring.take(), ring.take())
            let first = try #require(one)
            let second = try #require(two)
            #expect(ring.count == 0)
            #expect(first.bytes == up && second.bytes == sent[0])
            for (descriptor, point) in [(first.descriptor, CapturePoint.received), (second.descriptor, .sent)] {
                #expect(descriptor.puntClass == PuntClass.capture.rawValue && descriptor.upstreamSlot == 5)
                #expect(descriptor.capture == CaptureMark(number: 77, point: point))
                #expect(descriptor.detail == descriptor.length)
                // The two clocks differ by a few parts in a million.
                #expect(descriptor.timestamp + 10_000 >= before && descriptor.timestamp <= after + 10_000)
            }
            #expect(first.descriptor.timestamp <= second.descriptor.timestamp)
            // The segment's ring has 64 places; half of them are left to others.
            for _ in 0..<3 {
                _ = rig.pass(Array(repeating: up, count: 16), port: 0)
                exchange.iterate()
            }
            #expect(ring.count == 32)
            #expect(FrameRing.droppedCaptures(rig.view.puntRing) == 3 * 32 - 32)
            #expect(FrameRing.dropped(rig.view.puntRing) == 0)
        }

        @Test(arguments: [1_900, 3_000]) func copiesDatagramsInSeveralBuffers(ppp: Int) throws {
            let rig = try Rig()
            rig.capture()
            let datagram = Datagram(ppp: ppp)
            let parts = datagram.fragments(Array(stride(from: 1_400, to: datagram.payload.count, by: 1_400)))
            #expect(rig.pass(parts, port: 1)[0].isEmpty)
            let copies = rig.takeCopies()
            #expect(copies.count == 1)
            let copy = try #require(copies.first)
            #expect(copy.reason == .accessMTUExceeded && copy.port == 1)
            #expect(Int(copy.length) == 34 + datagram.payload.count)
            #expect(copy.bytes.count == min(2_016, Int(copy.length)))
            #expect(copy.bytes.dropFirst(34) == datagram.payload.prefix(copy.bytes.count - 34)[...])
            #expect(rig.isBalanced && rig.free == 2_047)
        }
    }
}
