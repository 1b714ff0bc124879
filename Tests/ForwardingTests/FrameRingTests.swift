import CDPDK
import CSegment
import Segment
import Testing

@Suite struct FrameRingTests {
    static let depth = 64

    /// The punt ring of a segment of its own.
    final class Ring {
        let segment: SegmentMapping
        var ring: UnsafeMutablePointer<culvert_frame_ring> { segment.view.puntRing }
        let mask = UInt64(depth - 1)

        init() throws {
            segment = try .inMemory(
                geometry: Geometry(
                    sessions: 64, tunnels: 16, circuits: 16, vlanBlocks: 2, workers: 1, ports: 1,
                    frameRingDepth: UInt32(depth)),
                initialiseQuiescentState: { culvert_rcu_initialise($0, UInt64($1), $2) == 0 })
        }
    }

    @Test func carriesFramesInOrder() throws {
        let ring = try Ring()
        var producer = FrameRingProducer(ring.ring, mask: ring.mask)
        var consumer = FrameRingConsumer(ring.ring, mask: ring.mask)
        for round in 0..<200 {
            let sent = FrameDescriptor(
                length: UInt32(round), port: UInt16(round), puntClass: UInt8(round % 7), worker: 3,
                upstreamSlot: UInt32(round * 3), detail: UInt32(round * 7), timestamp: UInt64(round * 5))
            #expect(append(&producer, sent, [UInt8](repeating: UInt8(round), count: round)))
            #expect(consumer.count == 1)
            let frame = try #require(taken(&consumer))
            #expect(frame.descriptor == sent)
            #expect(frame.bytes == [UInt8](repeating: UInt8(round), count: round))
            #expect(taken(&consumer) == nil)
        }
    }

    @Test func refusesWhatDoesNotFitAndCountsIt() throws {
        let ring = try Ring()
        var producer = FrameRingProducer(ring.ring, mask: ring.mask)
        let frame = FrameDescriptor(length: 1, port: 0)
        #expect(!append(&producer, frame, [UInt8](repeating: 0, count: FrameRing.capacity + 1)))
        for _ in 0..<Self.depth { #expect(append(&producer, frame, [1])) }
        #expect(!append(&producer, frame, [1]))
        #expect(FrameRing.dropped(ring.ring) == 2)
        var consumer = FrameRingConsumer(ring.ring, mask: ring.mask)
        #expect(taken(&consumer) != nil)
        #expect(append(&producer, frame, [1]))
    }

    @Test func goesOnAfterARestartOfEitherSide() throws {
        let ring = try Ring()
        for number in 0..<10 {
            var producer = FrameRingProducer(ring.ring, mask: ring.mask)
            #expect(append(&producer, FrameDescriptor(length: 1, port: UInt16(number)), [UInt8(number)]))
        }
        for number in 0..<10 {
            var consumer = FrameRingConsumer(ring.ring, mask: ring.mask)
            #expect(taken(&consumer)?.descriptor.port == UInt16(number))
        }
    }

    @Test(arguments: [0, 1, 63, 64, 65, 1 << 40, UInt64.max - 1, .max])
    func survivesAProducerThatLies(index: UInt64) throws {
        let ring = try Ring()
        var consumer = FrameRingConsumer(ring.ring, mask: ring.mask)
        ring.ring.pointee.producer = index
        let slots = UnsafeMutableRawPointer(ring.ring) + MemoryLayout<culvert_frame_ring>.size
        for slot in 0..<Self.depth { (slots + slot * 2_048).storeBytes(of: UInt32.max, as: UInt32.self) }
        #expect(consumer.count <= Self.depth)
        var taken = 0
        while let frame = consumer.take() {
            #expect(frame.bytes.count == FrameRing.capacity)
            taken += 1
            guard taken <= Self.depth else { break }
        }
        #expect(taken <= Self.depth)
        #expect(taken == Int(min(index, UInt64(Self.depth))))
    }

    @Test func survivesAConsumerThatLies() throws {
        let ring = try Ring()
        var producer = FrameRingProducer(ring.ring, mask: ring.mask)
        for index in [1 << 40, 65] as [UInt64] {
            ring.ring.pointee.consumer = index
            #expect(!append(&producer, FrameDescriptor(length: 1, port: 0), [1]), "as good as full")
        }
        ring.ring.pointee.consumer = 0
        #expect(append(&producer, FrameDescriptor(length: 1, port: 0), [1]))
    }
}

// Outside of the macros, which take no mutation.
private func append(_ producer: inout FrameRingProducer, _ frame: FrameDescriptor, _ bytes: [UInt8]) -> Bool {
    producer.append(frame, bytes: bytes)
}

private func taken(_ consumer: inout FrameRingConsumer) -> (descriptor: FrameDescriptor, bytes: [UInt8])? {
    consumer.take()
}
