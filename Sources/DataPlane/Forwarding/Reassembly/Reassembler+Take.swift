import CDPDK
import Segment

extension Reassembler {
    /// Takes a frame with a fragment in it that has no fault. Answers the whole datagram when this was what was missing; its
    /// fragments have ended then, and the datagram has come in. nil: the fragment is held or dropped.
    /// - Parameter now: time in cycles.
    func take(_ frame: PacketBuffer, _ fragment: Fragment, hash: UInt64, now: UInt64) -> PacketBuffer? {
        let index =
            find(fragment.key, hash: hash, now: now) ?? insert(fragment.key, hash: hash, now: now)
        let datagram = datagrams + Int(index)
        if datagram.pointee.spoilt != 0 { return drop(frame, reason(of: datagram)) }
        prefetchFirst(of: datagram)
        switch place(of: fragment, in: datagram) {
        case .repeated:
            return drop(frame, .fragmentDuplicate)
        case .overlapping:
            spoil(index, .fragmentOverlap)
            return drop(frame, .fragmentOverlap)
        case .behind(let before):
            guard datagram.pointee.count < Self.fragmentLimit else {
                spoil(index, .fragmentsTooMany)
                return drop(frame, .fragmentsTooMany)
            }
            guard let place = claimFragment(for: index) else { return drop(frame, .fragmentEvicted) }
            link(frame, fragment, place, behind: before, datagram)
        }
        guard datagram.pointee.received == datagram.pointee.end else { return nil }
        let whole = join(datagram)
        returnFragments(of: index)
        remove(index)
        return whole
    }

    /// Asks the cache for the buffer that the datagram is put together in, which was last touched when its fragment came.
    @inline(__always)
    private func prefetchFirst(of datagram: UnsafeMutablePointer<Datagram>) {
        let first = datagram.pointee.first
        guard first != Self.none, let mbuf = fragments[Int(first)].mbuf else { return }
        culvert_prefetch(UnsafeRawPointer(mbuf))
    }

    /// Where a fragment belongs among those held.
    private enum Place {
        /// It is there already.
        case repeated
        /// It overlaps another, or contradicts where the datagram ends.
        case overlapping
        /// Behind this one; `none`: in front of all.
        case behind(UInt32)
    }

    @inline(__always)
    private func place(of fragment: Fragment, in datagram: UnsafeMutablePointer<Datagram>) -> Place {
        let end = fragment.offset &+ fragment.length
        let knownEnd = Int(datagram.pointee.end)
        // Mostly they come one after the other.
        var before = datagram.pointee.last
        var after = Self.none
        if before != Self.none, fragments[Int(before)].end > fragment.offset {
            (before, after) = (Self.none, datagram.pointee.first)
            while after != Self.none, Int(fragments[Int(after)].offset) < fragment.offset {
                before = after
                after = fragments[Int(after)].next
            }
        }
        if after != Self.none {
            let next = fragments[Int(after)]
            if Int(next.offset) == fragment.offset, Int(next.length) == fragment.length {
                return fragment.isLast == (knownEnd == end) ? .repeated : .overlapping
            }
            // A last fragment that others lie behind of contradicts them even where it does not touch them.
            if Int(next.offset) < end || fragment.isLast { return .overlapping }
        }
        if before != Self.none, fragments[Int(before)].end > fragment.offset { return .overlapping }
        if knownEnd != 0, fragment.isLast || end > knownEnd { return .overlapping }
        return .behind(before)
    }

    /// Puts a frame into its place behind another.
    @inline(__always)
    private func link(
        _ frame: PacketBuffer, _ fragment: Fragment, _ place: UInt32, behind before: UInt32,
        _ datagram: UnsafeMutablePointer<Datagram>
    ) {
        var next = datagram.pointee.first
        if before == Self.none {
            datagram.pointee.first = place
        } else {
            next = fragments[Int(before)].next
            fragments[Int(before)].next = place
        }
        if next == Self.none { datagram.pointee.last = place }
        fragments[Int(place)] = HeldFragment(
            mbuf: frame.mbuf, offset: UInt16(truncatingIfNeeded: fragment.offset),
            length: UInt16(truncatingIfNeeded: fragment.length), next: next)
        datagram.pointee.count &+= 1
        datagram.pointee.received &+= UInt32(truncatingIfNeeded: fragment.length)
        if fragment.isLast { datagram.pointee.end = UInt32(truncatingIfNeeded: fragment.offset &+ fragment.length) }
        // What lies behind the data is Ethernet padding. What lies in front of it is of use in the first one alone.
        if fragment.offset == 0 {
            datagram.pointee.ipOffset = UInt16(truncatingIfNeeded: fragment.ipOffset)
            datagram.pointee.dataOffset = UInt16(truncatingIfNeeded: fragment.dataOffset)
            frame.reframe(shift: 0, length: UInt32(truncatingIfNeeded: fragment.dataOffset &+ fragment.length))
        } else {
            frame.reframe(
                shift: Int32(truncatingIfNeeded: fragment.dataOffset),
                length: UInt32(truncatingIfNeeded: fragment.length))
        }
    }

    private func reason(of datagram: UnsafeMutablePointer<Datagram>) -> Counter {
        Counter(rawValue: Int(datagram.pointee.spoilt)) ?? .fragmentOverlap
    }
}
