import CDPDK
import Wire

// Frames in several buffers: datagrams that were put together and do not fit their first one. They take the long way only.

extension PacketBuffer {
    /// What lies behind the frame's first `offset` octets, in all of its buffers. Views of headers may stand on it that read no
    /// further than `Reassembler.headerRoom` octets from the frame's first on; the rest lies elsewhere.
    @inline(__always)
    func headerBytes(from offset: Int) -> FrameBytes {
        FrameBytes(UnsafeRawPointer(start) + offset, count: Int(length) &- offset)
    }

    /// The one's complement sum in wire order, not folded, of `length` octets from `offset` on, which may lie in several buffers.
    /// The frame has them.
    func checksumSum(from offset: Int, length: Int) -> UInt64 {
        var sum: UInt64 = 0
        var (skipped, left) = (offset, length)
        var isOdd = false
        var segment: OpaquePointer? = mbuf
        while left > 0, let here = segment {
            let there = Int(culvert_mbuf_data_length(here))
            if skipped < there {
                let bytes = FrameBytes(
                    UnsafeRawPointer(culvert_mbuf_data(here)) + skipped, count: min(there &- skipped, left))
                let part = InternetChecksum.fold(InternetChecksum.sum(bytes))
                // RFC 1071, section 2 (B): what starts at an odd octet has its octets in the other halves of the words.
                sum &+= UInt64(isOdd ? part.byteSwapped : part)
                isOdd = isOdd != (bytes.count & 1 == 1)
                left &-= bytes.count
                skipped = 0
            } else {
                skipped &-= there
            }
            segment = culvert_mbuf_next(here)
        }
        return sum
    }

    /// The octet that is `offset` octets behind the frame's first one, in whichever buffer; 0 behind its end.
    func octet(_ offset: Int) -> UInt8 {
        var skipped = offset
        var segment: OpaquePointer? = mbuf
        while let here = segment {
            let there = Int(culvert_mbuf_data_length(here))
            if skipped < there { return culvert_mbuf_data(here).load(fromByteOffset: skipped, as: UInt8.self) }
            skipped &-= there
            segment = culvert_mbuf_next(here)
        }
        return 0
    }

    /// The frame from `offset` on, `length` octets of it, which it has, and at least one: buffers that hold nothing of it are
    /// freed. The first octet lies in the first buffer of what is answered, behind at least 32 octets that are free to be used:
    /// headers were there, be it those of the fragment.
    func cut(from offset: Int, length: Int) -> PacketBuffer {
        var first = mbuf
        var skipped = offset
        while skipped >= Int(culvert_mbuf_data_length(first)), let next = culvert_mbuf_next(first) {
            skipped &-= Int(culvert_mbuf_data_length(first))
            PacketBuffer(first).freeSegment()
            first = next
        }
        culvert_mbuf_move_start(first, Int32(truncatingIfNeeded: skipped))
        var last = first
        var left = length
        var segments: UInt32 = 1
        while left > Int(culvert_mbuf_data_length(last)), let next = culvert_mbuf_next(last) {
            left &-= Int(culvert_mbuf_data_length(last))
            last = next
            segments &+= 1
        }
        var rest = culvert_mbuf_next(last)
        while let segment = rest {
            rest = culvert_mbuf_next(segment)
            PacketBuffer(segment).freeSegment()
        }
        culvert_mbuf_set_next(last, nil)
        culvert_mbuf_set_data_length(last, UInt32(truncatingIfNeeded: left))
        culvert_mbuf_set_chain(first, segments, UInt32(truncatingIfNeeded: length))
        culvert_mbuf_clear_offload_flags(first)
        return PacketBuffer(first)
    }

    /// Gives this buffer alone back to its pool; it is no part of a frame any more.
    @inline(never)
    func freeSegment() { culvert_mbuf_free_segment(mbuf) }

    /// Adds `octets` octets in front of the frame, which has the room, whether it lies in one buffer or in several.
    @inline(__always)
    func prepend(_ octets: UInt32) {
        culvert_mbuf_move_start(mbuf, -Int32(bitPattern: octets))
        culvert_mbuf_set_chain(mbuf, culvert_mbuf_segments(mbuf), length &+ octets)
        culvert_mbuf_clear_offload_flags(mbuf)
    }
}
