import CSegment
import Segment
import Testing

/// Captures in the tables: a bit in both lines and a word in one of them.
@Suite struct CaptureTests {
    private static let bit = UInt8(CULVERT_FEATURE_CAPTURED)

    @Test func isInBothLinesAndGoesFromThem() throws {
        let bed = try Bed()
        let session = try bed.external(tunnel: bed.tunnel())
        let up = bed.view.upstream + Int(session.upstream.slot.rawValue)
        let down = bed.view.downstream + Int(session.downstream.slot.rawValue)
        #expect(bed.writer.capture(of: session.upstream.slot) == nil)
        let capture = SessionCapture(number: 7, length: 128)
        try bed.writer.setMSS(1_400, of: session.upstream.slot)
        try bed.writer.setCapture(capture, of: session.upstream.slot)
        #expect(bed.writer.capture(of: session.upstream.slot) == capture)
        #expect((up.pointee.capture, up.pointee.capture_length) == (7, 128))
        #expect(up.pointee.features == Self.bit | UInt8(CULVERT_FEATURE_CLAMPED))
        #expect(down.pointee.features == Self.bit | UInt8(CULVERT_FEATURE_CLAMPED))
        try bed.writer.setCapture(nil, of: session.upstream.slot)
        #expect(up.pointee.capture == 0 && bed.writer.capture(of: session.upstream.slot) == nil)
        #expect(up.pointee.features == UInt8(CULVERT_FEATURE_CLAMPED))
        #expect(down.pointee.features == UInt8(CULVERT_FEATURE_CLAMPED))
    }

    @Test func waitsForTheSessionToForward() throws {
        let bed = try Bed()
        let tunnel = try bed.tunnel()
        let up = try bed.writer.allocateUpstream(circuit: bed.circuit(), clientMAC: client(1))
        try bed.writer.setCapture(SessionCapture(number: 9), of: up.slot)
        let down = try bed.writer.allocateDownstream(tunnel: tunnel)
        #expect(bed.view.downstream[Int(down.slot.rawValue)].features == 0)
        var features = SessionFeatures()
        features.reorders = true
        try bed.writer.forward(up.slot, down.slot, peerSessionID: 1, features: features)
        #expect(bed.view.upstream[Int(up.slot.rawValue)].features == Self.bit)
        #expect(bed.view.downstream[Int(down.slot.rawValue)].features == Self.bit | UInt8(CULVERT_FEATURE_REORDERED))
        #expect(bed.writer.capture(of: up.slot) == SessionCapture(number: 9, length: 2_016))
    }

    @Test func theNextSessionInItsPlaceHasNone() throws {
        let bed = try Bed()
        let tunnel = try bed.tunnel()
        let first = try bed.external(1, tunnel: tunnel)
        try bed.writer.setCapture(SessionCapture(number: 3), of: first.upstream.slot)
        try bed.writer.remove(first.upstream.slot)
        #expect(throws: TableError.noSuchUpstreamSession(first.upstream.slot)) {
            try bed.writer.setCapture(nil, of: first.upstream.slot)
        }
        bed.reclaim()
        // Every place there is, that one among them.
        for number in 2..<40 as Range<UInt64> { _ = try bed.external(number, tunnel: tunnel) }
        for slot in 0...bed.view.sessionMask {
            #expect(bed.writer.capture(of: UpstreamSlot(rawValue: slot)) == nil)
            guard bed.view.upstream[Int(slot)].state == UInt32(CULVERT_STATE_FORWARD) else { continue }
            #expect(bed.view.upstream[Int(slot)].features == 0 && bed.view.upstream[Int(slot)].capture == 0)
        }
    }

    @Test func endsWithTheWriter() throws {
        let bed = try Bed()
        let session = try bed.external(tunnel: bed.tunnel())
        try bed.writer.setCapture(SessionCapture(number: 3), of: session.upstream.slot)
        _ = try bed.restart()
        #expect(bed.writer.capture(of: session.upstream.slot) == nil)
        #expect(bed.view.upstream[Int(session.upstream.slot.rawValue)].features == 0)
        #expect(bed.view.upstream[Int(session.upstream.slot.rawValue)].capture == 0)
        #expect(bed.view.downstream[Int(session.downstream.slot.rawValue)].features == 0)
        #expect(throws: Never.self) {
            try bed.writer.setCapture(SessionCapture(number: 4), of: session.upstream.slot)
        }
    }

    @Test func numbersAndLengthsHaveLimits() {
        #expect(SessionCapture(number: 0, length: .max) == SessionCapture(number: 1, length: 2_016))
        #expect(SessionCapture(word: 0x0010_0000) == nil)
        #expect(SessionCapture(word: 0xffff_0001) == SessionCapture(number: 1, length: 2_016))
        let mark = CaptureMark(number: 0x1234, point: .sent, reason: .policedUpstream)
        #expect(CaptureMark(word: mark.word) == mark)
        #expect(mark.word & 0xffff == 0x1234 && mark.word >> 16 & 0xff == 2)
    }

    @Test func travelsWithTheFrameAndLeavesHalfOfTheRing() throws {
        let bed = try Bed()
        let mask = bed.view.frameRingMask
        var producer = FrameRingProducer(bed.view.puntRing, mask: mask)
        var consumer = FrameRingConsumer(bed.view.puntRing, mask: mask)
        let descriptor = FrameDescriptor(
            length: 3, port: 1, puntClass: 8, upstreamSlot: 5, detail: 1_500, timestamp: 99,
            capture: CaptureMark(number: 77, point: .received, reason: .sequenceLate))
        let octets: [UInt8] = [1, 2, 3]
        let half = Int(mask + 1) / 2
        let taken = octets.withUnsafeBytes { bytes in
            (0..<Int(mask + 1)).count { _ in producer.appendCapture(descriptor, bytes: bytes) }
        }
        #expect(taken == half)
        #expect(FrameRing.droppedCaptures(bed.view.puntRing) == UInt64(half))
        let others = (0..<Int(mask + 1)).count { _ in
            producer.append(FrameDescriptor(length: 3, port: 0), bytes: octets)
        }
        #expect(others == half && FrameRing.dropped(bed.view.puntRing) == UInt64(half))
        let first = consumer.take()
        #expect(first?.descriptor == descriptor && first?.bytes == octets)
    }
}
