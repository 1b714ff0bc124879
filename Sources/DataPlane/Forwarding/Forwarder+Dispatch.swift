import CDPDK
import CSegment
import Segment
import Wire

// Software dispatch: where a port's device does not spread sessions over queues, the worker that polls the port looks at
// what each frame's session is, keeps its own share and hands the rest over. All frames of a session's direction take the
// same way, so they stay in order.
//
// What a frame says of itself is taken as it is here: whether it is true is for the worker that forwards it to find out. Frames
// that belong to no session stay with the worker that polls, and so do those that cannot be read. Fragments are handed out by
// `takeFragment`, which knows which worker puts their datagram together; the datagram is handed out after that.
extension Forwarder {
    /// Counts frames of a dispatched port, and puts those that are other workers' into the dispatch buffers.
    /// - Returns: how many are left at the front of `frames`, in the order in which they came.
    @inline(never)
    package func handOut(_ frames: UnsafeMutablePointer<OpaquePointer?>, count: Int, port: UInt32) -> Int {
        prefetch(frames, count: count)
        var kept = 0
        var octets: UInt64 = 0
        for index in 0..<count {
            guard let mbuf = frames[index] else { continue }
            let frame = PacketBuffer(mbuf)
            octets &+= UInt64(frame.length)
            let target = dispatchWorker(of: frame, port: port)
            guard target == worker else {
                handOver(frame, to: target, port: port)
                continue
            }
            frames[kept] = mbuf
            kept &+= 1
        }
        let entry = view.ports + Int(truncatingIfNeeded: port)
        countReceived(count, octets: octets, roles: culvert_load_relaxed_u32(&entry.pointee.flags))
        return kept
    }

    /// The worker that a data message of this tunnel and session belongs to, ids in host byte order, wherever its frame or its
    /// fragments came from. This worker itself when messages of the port are not handed out in software: then the session's
    /// claim decides.
    @inline(__always)
    func dispatchWorker(tunnel: UInt16, session: UInt16, port: UInt32) -> UInt32 {
        guard ports[Int(truncatingIfNeeded: port)].dispatchesL2TP else { return worker }
        return share(UInt64(session) | UInt64(tunnel) << 16)
    }

    /// Whether a data message that was put together here is this worker's; if not, it is handed to the worker that it belongs to.
    @inline(never)
    func isMine(_ found: DownstreamFrame, port: UInt32) -> Bool {
        let target = dispatchWorker(
            tunnel: UInt16(truncatingIfNeeded: found.tunnel), session: found.sessionID, port: port)
        guard target != worker else { return true }
        handOver(found.frame, to: target, port: port)
        return false
    }

    /// The worker that a frame from a dispatched port belongs to.
    @inline(__always)
    private func dispatchWorker(of frame: PacketBuffer, port: UInt32) -> UInt32 {
        // The forwarding path does not take what lies in more than one buffer from a port: it is dropped here.
        guard let ethernet = EthernetHeader(frame.bytes), !frame.isChained else { return worker }
        let type = ethernet.etherType
        var tags = VLANTags(untagged: ethernet)
        if type == EtherType.customerTag || type == EtherType.serviceTag {
            guard let present = VLANTags(ethernet) else { return worker }
            tags = present
        }
        switch tags.etherType {
        case EtherType.pppoeSession:
            guard ports[Int(truncatingIfNeeded: port)].dispatchesPPPoE, let pppoe = PPPoESessionHeader(tags.payload)
            else { return worker }
            return share(
                UInt64(pppoe.sessionID) | UInt64(tags.outer) << 16 | UInt64(tags.inner) << 32
                    | UInt64(port & 0xffff) << 48)
        case EtherType.ipv4:
            guard ports[Int(truncatingIfNeeded: port)].dispatchesL2TP else { return worker }
            if let message = PlainDataMessage(tags.payload) {
                return dispatchWorker(tunnel: message.tunnelID, session: message.sessionID, port: port)
            }
            guard let ip = IPv4Header(tags.payload), !ip.isFragment, ip.payloadProtocol == IPv4Header.udp
            else { return worker }
            return dispatchWorker(ofDatagram: ip.payload, port: port)
        case EtherType.ipv6:
            guard ports[Int(truncatingIfNeeded: port)].dispatchesL2TP else { return worker }
            return dispatchWorker(ofIPv6: tags.payload, port: port)
        default:
            return worker
        }
    }

    /// Of a UDP datagram.
    @inline(__always)
    private func dispatchWorker(ofDatagram bytes: FrameBytes, port: UInt32) -> UInt32 {
        guard let udp = UDPHeader(bytes), udp.destinationPort == UDPHeader.l2tpPort,
            let message = L2TPv2Header(udp.payload), message.version == 2, !message.isControl
        else { return worker }
        var fault = L2TPv2DataHeader.Fault.short
        guard let data = L2TPv2DataHeader(message, fault: &fault) else { return worker }
        return dispatchWorker(tunnel: data.tunnelID, session: data.sessionID, port: port)
    }

    /// Of an IPv6 packet, RFC 8200.
    @inline(never)
    private func dispatchWorker(ofIPv6 packet: FrameBytes, port: UInt32) -> UInt32 {
        guard let ip = IPv6Header(packet), ip.nextHeader == IPv6Header.udp else { return worker }
        return dispatchWorker(ofDatagram: ip.payload, port: port)
    }

    /// The worker that has a share of keys that we have assigned ourselves (ids and VLANs): Fibonacci hashing spreads ids that
    /// follow each other evenly.
    @inline(__always)
    private func share(_ key: UInt64) -> UInt32 {
        workerShare(of: key &* 0x9e37_79b9_7f4a_7c15)
    }

    /// The worker that a hash names by its high half.
    @inline(__always)
    func workerShare(of hash: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: ((hash >> 32) &* UInt64(workers)) >> 32)
    }
}
