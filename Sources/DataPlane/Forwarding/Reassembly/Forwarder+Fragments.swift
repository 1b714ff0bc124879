import CDPDK
import Segment
import Wire

// Fragments on their way into the reassembler, and whole datagrams on their way out of it. Calls, not inlined: fragments are
// rare, and the loops stay as they are.
extension Forwarder {
    /// An IPv4 fragment to one of the node's addresses, whose header and lengths are sound.
    /// - Parameter offset: octets from the frame's first to the IPv4 header.
    /// - Returns: the whole datagram with its IPv4 header at the same offset, when this was what was missing. It may lie in
    ///   several buffers; the first `Reassembler.headerRoom` octets lie in the first one.
    @inline(never)
    func takeFragment(_ frame: PacketBuffer, _ ip: IPv4Header, at offset: Int, port: UInt32) -> PacketBuffer? {
        takeFragment(frame, Fragment(ip, at: offset), port: port)
    }

    /// An IPv6 packet to one of the node's addresses whose next header is the fragment header.
    /// - Parameters:
    ///   - header: the 40 octets of the IPv6 header.
    ///   - payload: what follows them, as long as the payload length says; it lies in the frame.
    ///   - offset: octets from the frame's first to the IPv6 header, at most 24.
    /// - Returns: the whole datagram without fragment header and with its IPv6 header at the same offset, when this was what was
    ///   missing, or was all of it (RFC 6946); as for IPv4.
    @inline(never)
    package func takeFragment(
        _ frame: PacketBuffer, ipv6 header: UnsafeRawPointer, payload: FrameBytes, at offset: Int, port: UInt32
    ) -> PacketBuffer? {
        guard let fragmentHeader = IPv6FragmentHeader(payload) else {
            drop(frame, .fragmentMalformed)
            return nil
        }
        let fragment = Fragment(ipv6: header, fragmentHeader, at: offset)
        guard fragmentHeader.isAtomic else { return takeFragment(frame, fragment, port: port) }
        count(.reassembledFragments)
        count(.reassembledDatagrams)
        let length = fragment.dataOffset &+ fragment.length
        frame.reframe(shift: 0, length: UInt32(truncatingIfNeeded: length))  // without Ethernet padding
        removeFragmentHeader(frame, at: offset, length: length)
        return frame
    }

    /// Holds a fragment at the worker whose the datagram is: fragments of one datagram meet there, whatever ports and workers
    /// they come in by.
    private func takeFragment(_ frame: PacketBuffer, _ fragment: Fragment, port: UInt32) -> PacketBuffer? {
        if let fault = fragment.fault {
            drop(frame, fault)
            return nil
        }
        let hash = reassembler.hash(of: fragment.key)
        let owner = workerShare(of: hash)
        guard owner == worker else {
            handOver(frame, to: owner, port: port)
            return nil
        }
        return reassembler.take(frame, fragment, hash: hash, now: state.pointee.now)
    }

    /// Gives up datagrams that were not complete in time. To be called after `setTime`, once a round.
    public func expire() { reassembler.expire(now: state.pointee.now) }

    /// Fragments of incomplete datagrams that are held.
    public var heldFragments: Int { reassembler.held }
}
