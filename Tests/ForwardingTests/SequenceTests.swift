import CDPDK
import CSegment
import Forwarding
import Segment
import Testing

/// An L2TP data message with Ns and Nr 0, as scapy builds it; tshark shows the same numbers.
struct SequenceGolden: CustomTestStringConvertible, Sendable {
    let name: String
    let template: TemplateKind
    let output: [UInt8]

    var testDescription: String { name }

    init(_ name: String, _ template: TemplateKind, _ output: String) {
        self.name = name
        self.template = template
        self.output = bytes(output)
    }

    static let all = [
        SequenceGolden(
            "length field", .plain,
            "020000000e0102000000000208004500004f0000000040118e68c0000201c633640106a506a5003b0000480200331234"
                + "567800000000ff03002145b80023000100004001661f0a0000020a00000108004e990007000163756c76657274"),
        SequenceGolden(
            "no length field", .noLength,
            "020000000e0102000000000208004500004d0000000040118e6ac0000201c633640106a506a500390000080212345678"
                + "00000000ff03002145b80023000100004001661f0a0000020a00000108004e990007000163756c76657274"),
        SequenceGolden(
            "UDP checksum", .checksum,
            "020000000e0102000000000208004500004f0000000040118e68c0000201c633640106a506a5003b55f1480200331234"
                + "567800000000ff03002145b80023000100004001661f0a0000020a00000108004e990007000163756c76657274"),
        SequenceGolden(
            "type of service", .inherit,
            "020000000e01020000000002080045b8004f0000000040118db0c0000201c633640106a506a5003b0000480200331234"
                + "567800000000ff03002145b80023000100004001661f0a0000020a00000108004e990007000163756c76657274"),
    ]
}

extension ForwardingTests.FeatureTests {
    @Suite struct SequenceTests {
        private static let sequenced = UInt8(CULVERT_FEATURE_SEQUENCED)
        private static let reordered = UInt8(CULVERT_FEATURE_REORDERED)

        private func numbers(_ frame: [UInt8]) -> [UInt16] {
            [50, 52].map { UInt16(frame[$0]) << 8 | UInt16(frame[$0 + 1]) }
        }

        private let upstream = Golden.upstream[0].input

        @Test(arguments: SequenceGolden.all) func sendsNumbers(golden: SequenceGolden) throws {
            let rig = try FeatureRig(golden.template)
            rig.up.pointee.features = Self.sequenced
            #expect(rig.pass([upstream], port: 0) == [golden.output])
            #expect(rig.upFeatures.pointee.sequence == 1)
            #expect(rig.rig.terminals == [.txCoreFrames: 1])
            #expect(rig.up.pointee.octets == 37)
        }

        @Test func countsUpAndRound() throws {
            let rig = try FeatureRig()
            rig.up.pointee.features = Self.sequenced
            rig.upFeatures.pointee.sequence = 0xfffe
            rig.downFeatures.pointee.sequence = 0x1234
            let sent = rig.pass([upstream, upstream, upstream], port: 0)
            #expect(sent.map(numbers) == [[0xfffe, 0x1234], [0xffff, 0x1234], [0, 0x1234]])
        }

        @Test(arguments: [(1_458, true), (1_459, false)]) func countsThemInTheMTU(ppp: Int, fits: Bool) throws {
            let rig = try FeatureRig()
            rig.up.pointee.features = Self.sequenced
            #expect(rig.pass([sessionFrame(5, ppp: ppp)], port: 0).count == (fits ? 1 : 0))
            #expect(rig.rig.terminals == [fits ? .txCoreFrames : .outerMTUExceeded: 1])
            #expect(rig.upFeatures.pointee.sequence == (fits ? 1 : 0), "what is not sent has no number")
        }

        @Test func doesAsThePeerDoes() throws {
            let rig = try FeatureRig()
            func down(_ sequence: UInt16?) -> Int {
                rig.pass([tunnelFrame(ppp: [0, 0x21, 1], sequence: sequence)], port: 1).count
            }
            #expect(rig.pass([upstream], port: 0) == [Golden.upstream[0].output])
            #expect(down(0) == 1)
            #expect((rig.up.pointee.learned, rig.down.pointee.learned) == (Self.sequenced, Self.sequenced))
            #expect(rig.pass([upstream, upstream], port: 0).map(numbers) == [[0, 1], [1, 1]])
            #expect(down(nil) == 1)
            #expect((rig.up.pointee.learned, rig.down.pointee.learned) == (0, 0))
            #expect(rig.pass([upstream], port: 0).map(\.count) == [Golden.upstream[0].output.count])
            // "The sequence number state picks up where it left off" (RFC 2661, section 5.4).
            #expect(down(1) == 1)
            #expect(rig.pass([upstream], port: 0).map(numbers) == [[2, 2]])
            #expect(rig.rig.terminals == [.txCoreFrames: 5, .txAccessFrames: 3])
        }

        @Test func keepsSendingWhereItHasTo() throws {
            let rig = try FeatureRig()
            rig.up.pointee.features = Self.sequenced
            _ = rig.pass([tunnelFrame(ppp: [0, 0x21], sequence: nil)], port: 1)
            #expect(rig.pass([upstream], port: 0).map(numbers) == [[0, 0]])
        }

        @Test(arguments: [5 as UInt32, 6, 63, .max]) func tellsNobodyElse(partner: UInt32) throws {
            // The upstream line that the downstream one names has to name it.
            let rig = try FeatureRig()
            rig.down.pointee.partner = partner
            rig.up.pointee.partner = partner == 5 ? 10 : 9
            #expect(rig.pass([tunnelFrame(ppp: [0, 0x21], sequence: 0)], port: 1).count == 1)
            #expect((0..<64).allSatisfy { rig.rig.view.upstream[$0].learned == 0 })
            #expect(rig.down.pointee.learned == Self.sequenced)
        }

        /// What comes, what is delivered, and what is counted. Delivered messages are named by Ns; those without one by 60,000 and up.
        struct Course: CustomTestStringConvertible, Sendable {
            enum Step: Sendable {
                case message(UInt16)
                case plain(UInt16)
                case wait(UInt64)
            }

            let testDescription: String
            var features: UInt8 = 0
            var limits = ReorderLimits()
            var expected: UInt16 = 0
            let steps: [Step]
            let delivered: [UInt16]
            var counted: [Counter: UInt64] = [:]
            var held: UInt32 = 0
            /// Ns that is expected at the end.
            let next: UInt16
        }

        static let courses: [Course] = [
            Course(
                testDescription: "in order", steps: [.message(0), .message(1), .message(2)], delivered: [0, 1, 2],
                next: 3),
            Course(
                testDescription: "one is lost", steps: [.message(0), .message(2), .message(3)], delivered: [0, 2, 3],
                counted: [.sequenceMissing: 1], next: 4),
            Course(
                testDescription: "late without reordering",
                steps: [.message(0), .message(2), .message(1), .message(3)],
                delivered: [0, 2, 3], counted: [.sequenceMissing: 1, .sequenceLate: 1], next: 4),
            Course(
                testDescription: "again", steps: [.message(0), .message(0), .message(1)], delivered: [0, 1],
                counted: [.sequenceLate: 1], next: 2),
            Course(
                testDescription: "the last that is early", steps: [.message(32_767)], delivered: [32_767],
                counted: [.sequenceMissing: 32_767], next: 32_768),
            Course(
                testDescription: "the first that is late", steps: [.message(32_768)], delivered: [],
                counted: [.sequenceLate: 1], next: 0),
            Course(
                testDescription: "required", features: sequenced, steps: [.message(0), .plain(60_000), .message(1)],
                delivered: [0, 1], counted: [.sequenceRequired: 1], next: 2),
            Course(
                testDescription: "required, none ever came", features: sequenced, steps: [.plain(60_000)],
                delivered: [],
                counted: [.sequenceRequired: 1], next: 0),
            Course(
                testDescription: "on and off", steps: [.plain(60_000), .message(0), .plain(60_001), .message(1)],
                delivered: [60_000, 0, 60_001, 1], next: 2),
            Course(
                testDescription: "two change places", features: reordered,
                steps: [.message(0), .message(2), .message(1), .message(3)], delivered: [0, 1, 2, 3],
                counted: [.sequenceReordered: 1], next: 4),
            Course(
                testDescription: "backwards", features: reordered,
                steps: [.message(0), .message(4), .message(3), .message(2), .message(1)], delivered: [0, 1, 2, 3, 4],
                counted: [.sequenceReordered: 3], next: 5),
            Course(
                testDescription: "round the end", features: reordered, expected: 65_534,
                steps: [.message(0), .message(65_535), .message(1), .message(65_534), .message(2)],
                delivered: [65_534, 65_535, 0, 1, 2], counted: [.sequenceReordered: 3], next: 3),
            Course(
                testDescription: "two gaps", features: reordered,
                steps: [.message(1), .message(3), .message(0), .message(2)], delivered: [0, 1, 2, 3],
                counted: [.sequenceReordered: 2], next: 4),
            Course(
                testDescription: "again while it waits", features: reordered,
                steps: [.message(2), .message(2), .message(0), .message(1)], delivered: [0, 1, 2],
                counted: [.sequenceReordered: 1, .sequenceLate: 1], next: 3),
            Course(
                testDescription: "not yet given up", features: reordered, steps: [.message(0), .message(2), .wait(99)],
                delivered: [0], counted: [.sequenceReordered: 1], held: 1, next: 1),
            Course(
                testDescription: "given up", features: reordered,
                steps: [.message(0), .message(2), .message(3), .wait(101), .message(1), .message(4)],
                delivered: [0, 2, 3, 4], counted: [.sequenceReordered: 2, .sequenceMissing: 1, .sequenceLate: 1],
                next: 5),
            Course(
                testDescription: "given up for the oldest alone", features: reordered,
                steps: [.message(2), .wait(60), .message(5), .wait(60)], delivered: [2],
                counted: [.sequenceReordered: 2, .sequenceMissing: 2], held: 1, next: 3),
            Course(
                testDescription: "the one that waited longest is not the first", features: reordered,
                steps: [.message(5), .wait(60), .message(2), .wait(60), .message(6)], delivered: [2, 5, 6],
                counted: [.sequenceReordered: 2, .sequenceMissing: 4], next: 7),
            Course(
                testDescription: "beyond the window", features: reordered, limits: ReorderLimits(window: 4),
                steps: [.message(0), .message(5), .message(2), .message(1), .message(3), .message(4)],
                delivered: [0, 2, 3, 4, 5], counted: [.sequenceReordered: 1, .sequenceMissing: 1, .sequenceLate: 1],
                next: 6),
            Course(
                testDescription: "within the window", features: reordered, limits: ReorderLimits(window: 4),
                steps: [.message(3), .message(0), .message(1), .message(2)], delivered: [0, 1, 2, 3],
                counted: [.sequenceReordered: 1], next: 4),
            Course(
                testDescription: "the window moves over what waits", features: reordered,
                limits: ReorderLimits(window: 4),
                steps: [.message(0), .message(2), .message(3), .message(6), .wait(101)], delivered: [0, 2, 3, 6],
                counted: [.sequenceReordered: 3, .sequenceMissing: 3], next: 7),
            Course(
                testDescription: "far beyond the window", features: reordered,
                steps: [.message(0), .message(30_000), .wait(101)],
                delivered: [0, 30_000], counted: [.sequenceReordered: 1, .sequenceMissing: 29_999], next: 30_001),
            Course(
                testDescription: "no place", features: reordered, limits: ReorderLimits(frames: 1),
                steps: [.message(0), .message(2), .message(3), .message(1), .message(4), .wait(101)],
                delivered: [0, 1, 2, 4],
                counted: [.sequenceReordered: 2, .sequenceOverflow: 1, .sequenceMissing: 1], next: 5),
            Course(
                testDescription: "switched off while one waits", features: reordered,
                steps: [.message(0), .message(2), .plain(60_000)], delivered: [0, 2, 60_000],
                counted: [.sequenceReordered: 1, .sequenceMissing: 1], next: 3),
            Course(
                testDescription: "this node was stopped, the peer went on", features: reordered, expected: 20_000,
                steps: [.message(10), .message(11), .wait(101), .message(12), .message(14), .message(13)],
                delivered: [12, 13, 14], counted: [.sequenceLate: 2, .sequenceReordered: 1], next: 15),
            Course(
                testDescription: "the same without reordering", expected: 20_000,
                steps: [.message(10), .wait(101), .message(12), .message(14)], delivered: [12, 14],
                counted: [.sequenceLate: 1, .sequenceMissing: 1], next: 15),
            Course(
                testDescription: "an echo does not turn the numbers back", expected: 20_000,
                steps: [.message(10), .wait(101), .message(10), .message(20_000)], delivered: [20_000],
                counted: [.sequenceLate: 2], next: 20_001),
            Course(
                testDescription: "nor does a straggler among messages in order", expected: 20_000,
                steps: [.message(10), .wait(60), .message(20_000), .wait(60), .message(11), .message(20_001)],
                delivered: [20_000, 20_001], counted: [.sequenceLate: 2], next: 20_002),
        ]

        @Test(arguments: courses) func delivers(course: Course) throws {
            let rig = try FeatureRig(reordering: course.limits)
            rig.down.pointee.features = course.features
            rig.downFeatures.pointee.sequence = course.expected
            var delivered: [UInt16] = []
            func note(_ frames: [[UInt8]]) {
                for frame in frames { delivered.append(UInt16(frame[22]) << 8 | UInt16(frame[23])) }
            }
            func frame(_ mark: UInt16, _ sequence: UInt16?) -> [UInt8] {
                tunnelFrame(ppp: [0, 0x21, UInt8(mark >> 8), UInt8(mark & 255)], sequence: sequence)
            }
            for step in course.steps {
                switch step {
                case .message(let sequence): note(rig.pass([frame(sequence, sequence)], port: 1))
                case .plain(let mark): note(rig.pass([frame(mark, nil)], port: 1))
                case .wait(let milliseconds): note(rig.wait(milliseconds: milliseconds))
                }
                #expect(rig.isBalanced)
            }
            #expect(delivered == course.delivered)
            let names: [Counter] = [
                .sequenceReordered, .sequenceMissing, .sequenceLate, .sequenceRequired, .sequenceOverflow,
            ]
            #expect(rig.rig.counters.filter { names.contains($0.key) } == course.counted)
            #expect(rig.forwarder.heldMessages == course.held)
            #expect(rig.downFeatures.pointee.sequence == course.next)
            #expect(UInt64(rig.downFeatures.pointee.missing) == course.counted[.sequenceMissing] ?? 0)
            #expect(UInt64(rig.downFeatures.pointee.late) == course.counted[.sequenceLate] ?? 0)
            #expect(UInt64(rig.downFeatures.pointee.reordered) == course.counted[.sequenceReordered] ?? 0)
            #expect(rig.down.pointee.packets == UInt64(course.delivered.count))
        }

        /// A change to a session while one of its messages waits.
        struct Change: CustomTestStringConvertible, Sendable {
            let testDescription: String
            let make: @Sendable (FeatureRig) -> Void
        }

        static let changes = [
            Change(testDescription: "removed") { $0.down.pointee.state = UInt32(CULVERT_STATE_RETIRED) },
            Change(testDescription: "free") { $0.down.pointee.state = UInt32(CULVERT_STATE_FREE) },
            Change(testDescription: "in another tunnel") { $0.down.pointee.tunnel = 6 },
            Change(testDescription: "another session id") { $0.down.pointee.session_id = UInt16(73).bigEndian },
            Change(testDescription: "of nobody yet") { $0.down.pointee.claim = 0 },
            Change(testDescription: "another worker's") { $0.down.pointee.claim ^= 1 },
            Change(testDescription: "of another client") { $0.down.pointee.header.8 ^= 1 },
            Change(testDescription: "another PPPoE session") { $0.down.pointee.header.25 ^= 1 },
        ]

        @Test(arguments: changes) func nothingIsDeliveredToAnotherSession(change: Change) throws {
            let rig = try FeatureRig()
            rig.down.pointee.features = Self.reordered
            let frame = tunnelFrame(ppp: [0, 0x21, 1], sequence: 2)
            #expect(rig.pass([frame], port: 1).isEmpty)
            change.make(rig)
            let before = rig.downFeatures.pointee.sequence
            #expect(rig.wait(milliseconds: 101).isEmpty)
            #expect(rig.rig.terminals == [.l2tpSessionUnknown: 1])
            #expect(rig.downFeatures.pointee.sequence == before)
            #expect(rig.forwarder.heldMessages == 0)
            #expect(rig.isBalanced)
        }

        @Test func whatWaitsForAPredecessorIsNotInTheWay() throws {
            // The slot's next session has the same ids and the same numbers, which the id's long rest makes unlikely.
            let rig = try FeatureRig()
            rig.down.pointee.features = Self.reordered
            let frames = (0..<3).map { tunnelFrame(ppp: [0, 0x21, UInt8($0)], sequence: UInt16($0)) }
            _ = rig.pass([frames[2]], port: 1)
            rig.down.pointee.header.8 ^= 1
            #expect(rig.pass([frames[2], frames[1], frames[0]], port: 1).map(\.last) == [0, 1, 2])
            #expect(rig.rig.terminals == [.txAccessFrames: 3, .l2tpSessionUnknown: 1])
        }

        @Test func sessionsWaitForThemselvesAlone() throws {
            let rig = try FeatureRig(reordering: ReorderLimits(frames: 2))
            rig.down.pointee.features = Self.reordered
            rig.rig.view.downstream[10].features = Self.reordered
            func frame(_ session: UInt8, _ sequence: UInt16) -> [UInt8] {
                var frame = tunnelFrame(ppp: [0, 0x21, session], sequence: sequence)
                frame[47] = session
                return frame
            }
            // Slots 9 and 10, and a message that both of them miss.
            #expect(rig.pass([frame(9, 1), frame(10, 1)], port: 1).isEmpty)
            #expect(rig.forwarder.heldMessages == 2)
            #expect(rig.pass([frame(10, 0)], port: 1).map(\.last) == [10, 10])
            #expect(rig.pass([frame(9, 0)], port: 1).map(\.last) == [9, 9])
            #expect(rig.isBalanced)
        }

        @Test func reorderingThatIsSwitchedOffWaitsForNothing() throws {
            let rig = try FeatureRig()
            rig.down.pointee.features = Self.reordered
            let frames = (0..<7).map { tunnelFrame(ppp: [0, 0x21, UInt8($0)], sequence: UInt16($0)) }
            #expect(rig.pass([frames[2], frames[4]], port: 1).isEmpty)
            rig.down.pointee.features = 0
            #expect(rig.pass([frames[6]], port: 1).map(\.last) == [2, 4, 6])
            #expect(rig.rig.counters[.sequenceMissing] == 4)
        }

        @Test(arguments: [100, 1_900, 3_000, 9_000]) func longMessagesWaitAsWell(ppp: Int) throws {
            // Reassembled messages that lie in one packet buffer or in several.
            let fragments = try FragmentRig(accessMTU: 9_100, sendsChained: true)
            fragments.rig.view.downstream[9].features = Self.reordered
            let messages = (0..<4).map { Datagram(ppp: ppp - $0, seed: $0, sequence: $0) }
            func receive(_ message: Datagram) {
                fragments.receive(message.fragments(Array(stride(from: 80, to: message.payload.count, by: 1_400))))
            }
            for index in [2, 3, 1] {
                receive(messages[index])
                #expect(fragments.sent().isEmpty)
            }
            #expect(fragments.forwarders[0].heldMessages == 3)
            receive(messages[0])
            #expect(fragments.sent() == messages.map(\.output))
            #expect(fragments.terminals()[.txAccessFrames] == 4)
            #expect(fragments.isBalanced())
            #expect(fragments.buffersOut == 0)
        }

        @Test func givesBackWhatWaitsAtTheEnd() throws {
            do {
                let rig = try FeatureRig()
                rig.down.pointee.features = Self.reordered
                for sequence in [5, 9, 3, 31] as [UInt16] {
                    _ = rig.pass([tunnelFrame(ppp: [0, 0x21], sequence: sequence)], port: 1)
                }
                #expect(rig.forwarder.heldMessages == 4)
            }
            #expect(culvert_pool_available(try Ports.shared.get().pool) == 2_047)
        }

        /// Any numbers in any order, with anything in the segment: no frame is lost from the books, none twice, none in a wrong
        /// place of memory (run under AddressSanitizer as well).
        @Test func standsAnything() throws {
            let rig = try FeatureRig(reordering: ReorderLimits(window: 8, frames: 4, timeout: 1))
            var random = Generator(state: 7)
            for round in 0..<20_000 {
                if round % 7 == 0 { rig.down.pointee.features = UInt8.random(in: 0...15, using: &random) & ~3 }
                if round % 50 == 0 { rig.downFeatures.pointee.sequence = UInt16.random(in: 0...20, using: &random) }
                if round % 97 == 0 { rig.down.pointee.header.8 &+= 1 }
                // Around the expected one; now and then anywhere, or none.
                var sequence: UInt16? =
                    rig.downFeatures.pointee.sequence &+ UInt16.random(in: 0...12, using: &random) &- 3
                if round % 11 == 0 { sequence = UInt16.random(in: 0 ... .max, using: &random) }
                if round % 13 == 0 { sequence = nil }
                _ = rig.pass([tunnelFrame(ppp: [0, 0x21, 1], sequence: sequence)], port: 1)
                if round % 5 == 0 { _ = rig.wait(milliseconds: UInt64.random(in: 0...2, using: &random)) }
                guard rig.isBalanced, rig.forwarder.heldMessages <= 4 else { break }
            }
            #expect(rig.isBalanced)
            _ = rig.wait(milliseconds: 100)
            #expect(rig.forwarder.heldMessages == 0)
            for counter in [Counter.sequenceOverflow, .sequenceLate, .sequenceMissing, .l2tpSessionUnknown] {
                #expect(rig.rig.counters[counter] ?? 0 > 0, "\(counter.name)")
            }
        }
    }
}

/// SplitMix64: the same numbers on every run.
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
