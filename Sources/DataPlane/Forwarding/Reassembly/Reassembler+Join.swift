import CDPDK
import Segment
import Wire

extension Reassembler {
    /// Makes one frame of a datagram whose fragments are all there. They have their counters afterwards; nil when it cannot be
    /// made, and the frames are freed.
    func join(_ datagram: UnsafeMutablePointer<Datagram>) -> PacketBuffer? {
        let header = Int(datagram.pointee.dataOffset)
        let length = header &+ Int(datagram.pointee.end)
        let firstPlace = Int(datagram.pointee.first)
        // Offset 0 is there, since as many octets are held as the end says and none twice.
        guard let mbuf = fragments[firstPlace].mbuf else { return nil }
        let frame = PacketBuffer(mbuf)
        let ipOffset = Int(datagram.pointee.ipOffset)
        let isIPv6 = datagram.pointee.key.isIPv6
        // Only the first fragment's header counts, and it may be longer than the one that was looked at when the last came.
        guard isIPv6 || length &- ipOffset <= 65_535 else {
            freeFragments(of: datagram, .fragmentTooLong)
            return nil
        }
        let rest = length &- Int(frame.length)
        if rest <= Int(culvert_mbuf_tailroom(mbuf)) {
            appendData(to: frame, from: fragments[firstPlace].next)
            frame.reframe(shift: 0, length: UInt32(truncatingIfNeeded: length))
        } else if !chain(frame, length: length, fragments[firstPlace].next) {
            freeFragments(of: datagram, .fragmentTiny)
            return nil
        }
        count(.reassembledFragments, UInt64(datagram.pointee.count))
        count(.reassembledDatagrams)
        if isIPv6 {
            removeFragmentHeader(frame, at: ipOffset, length: length)
        } else {
            mendHeader(frame.start + ipOffset, headerLength: header &- ipOffset, length: length &- ipOffset)
        }
        return frame
    }

    /// Copies the data of the frames from `place` on behind that of `frame`, which has room for it, and frees them.
    @inline(__always)
    private func appendData(to frame: PacketBuffer, from place: UInt32) {
        var place = place
        var end = frame.start + Int(frame.length)
        while place != Self.none {
            let held = fragments[Int(place)]
            if let mbuf = held.mbuf {
                let part = PacketBuffer(mbuf)
                culvert_copy(end, part.start, Int(held.length))
                end += Int(held.length)
                part.free()
            }
            place = held.next
        }
    }

    /// Links the frames from `place` on behind `frame`, with as many octets in its first buffer as headers may need. False: they
    /// do not fit there; nothing has been changed.
    @inline(never)
    private func chain(_ frame: PacketBuffer, length: Int, _ place: UInt32) -> Bool {
        var missing = max(min(length, Self.headerRoom) &- Int(frame.length), 0)
        guard missing <= Int(culvert_mbuf_tailroom(frame.mbuf)) else { return false }
        var front = Int(frame.length)
        var segments: UInt32 = 1
        var last = frame.mbuf
        var place = place
        while place != Self.none {
            let held = fragments[Int(place)]
            place = held.next
            guard let mbuf = held.mbuf else { continue }
            let part = PacketBuffer(mbuf)
            let moved = min(missing, Int(held.length))
            if moved != 0 {
                culvert_copy(frame.start + front, part.start, moved)
                front &+= moved
                missing &-= moved
                culvert_mbuf_move_start(mbuf, Int32(truncatingIfNeeded: moved))
            }
            guard moved != Int(held.length) else {
                part.freeSegment()
                continue
            }
            culvert_mbuf_set_next(last, mbuf)
            last = mbuf
            segments &+= 1
        }
        frame.reframe(shift: 0, length: UInt32(truncatingIfNeeded: front))
        culvert_mbuf_set_chain(frame.mbuf, segments, UInt32(truncatingIfNeeded: length))
        return true
    }

    /// RFC 791, section 3.2: the header of a datagram that was never in fragments.
    @inline(__always)
    private func mendHeader(_ ip: UnsafeMutableRawPointer, headerLength: Int, length: Int) {
        ip.storeBytes(of: UInt16(truncatingIfNeeded: length).bigEndian, toByteOffset: 2, as: UInt16.self)
        ip.storeBytes(of: 0, toByteOffset: 6, as: UInt16.self)
        ip.storeBytes(of: 0, toByteOffset: 10, as: UInt16.self)
        let sum = InternetChecksum.sum(FrameBytes(UnsafeRawPointer(ip), count: headerLength))
        ip.storeBytes(of: ~InternetChecksum.fold(sum), toByteOffset: 10, as: UInt16.self)
    }
}

/// RFC 8200, section 4.5: takes the fragment header out of the first buffer of a frame whose IPv6 header is `offset` octets
/// behind its first one, at least 8 and at most 24, and whose packet ends `length` octets behind its first one.
@inline(__always)
func removeFragmentHeader(_ frame: PacketBuffer, at offset: Int, length: Int) {
    let removed = IPv6FragmentHeader.length
    let start = frame.start
    let ip = start + offset
    ip.storeBytes(of: ip.load(fromByteOffset: 40, as: UInt8.self), toByteOffset: 6, as: UInt8.self)
    let payloadLength = UInt16(truncatingIfNeeded: length &- offset &- (40 + removed))
    ip.storeBytes(of: payloadLength.bigEndian, toByteOffset: 4, as: UInt16.self)
    // The headers move back by 8 octets, as words that overlap where the Ethernet header is no multiple of 8.
    let words = ip.loadUnaligned(as: (UInt64, UInt64, UInt64, UInt64, UInt64).self)
    let second = min(8, offset &- 8)
    let ethernet = (
        start.loadUnaligned(as: UInt64.self), start.loadUnaligned(fromByteOffset: second, as: UInt64.self),
        start.loadUnaligned(fromByteOffset: offset &- 8, as: UInt64.self)
    )
    ip.storeBytes(of: words.0, toByteOffset: removed, as: UInt64.self)
    ip.storeBytes(of: words.1, toByteOffset: removed + 8, as: UInt64.self)
    ip.storeBytes(of: words.2, toByteOffset: removed + 16, as: UInt64.self)
    ip.storeBytes(of: words.3, toByteOffset: removed + 24, as: UInt64.self)
    ip.storeBytes(of: words.4, toByteOffset: removed + 32, as: UInt64.self)
    start.storeBytes(of: ethernet.0, toByteOffset: removed, as: UInt64.self)
    start.storeBytes(of: ethernet.1, toByteOffset: removed &+ second, as: UInt64.self)
    start.storeBytes(of: ethernet.2, toByteOffset: offset, as: UInt64.self)
    culvert_mbuf_move_start(frame.mbuf, Int32(removed))
    culvert_mbuf_set_chain(
        frame.mbuf, culvert_mbuf_segments(frame.mbuf), UInt32(truncatingIfNeeded: length &- removed))
    culvert_mbuf_clear_offload_flags(frame.mbuf)
}
