import CDPDK
import CSegment
import Segment
import Wire

// Software dispatch: where a port's device does not spread sessions over queues, the worker that polls the port looks at
// what each frame's session is, keeps its own share and hands the rest over. All frames of a session's direction take the
// same way, so they stay in order.
//
// What a frame says of itself is taken as it is here: whether it is true is for the worker that forwards it to find out. Frames
// that belong to no session stay with the worker that polls, and so do those that cannot be read.
extension Forwarder {
    /// Counts frames of a dispatched port, and puts those that are other workers' into the dispatch buffers.
    /// - Returns: how many are left at the front of `frames`, in the order in which they came.
    @inline(never)
    func handOut(_ frames: UnsafeMutablePointer<OpaquePointer?>, count: Int, port: UInt32) -> Int {
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
            guard ports[Int(truncatingIfNeeded: port)].dispatchesL2TP, let ip = IPv4Header(tags.payload) else {
                return worker
            }
            if ip.isFragment { return dispatchWorker(ofIPv4Fragment: tags.payload.start) }
            guard ip.payloadProtocol == IPv4Header.udp else { return worker }
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

    /// Of a fragment, RFC 791: source, destination, identification and protocol say which datagram it is of. `header` has at
    /// least 20 octets.
    @inline(never)
    private func dispatchWorker(ofIPv4Fragment header: UnsafeRawPointer) -> UInt32 {
        let addresses = header.loadUnaligned(fromByteOffset: 12, as: UInt64.self)
        let identification = header.loadUnaligned(fromByteOffset: 4, as: UInt16.self)
        let payloadProtocol = header.load(fromByteOffset: 9, as: UInt8.self)
        return reduce(
            UInt32(
                truncatingIfNeeded: HashSeed.hash(
                    addresses, UInt64(identification) | UInt64(payloadProtocol) << 16, seed: state.pointee.seed)))
    }

    /// Of an IPv6 packet, RFC 8200: a UDP datagram, or a fragment (section 4.5) whose header comes first. What has other
    /// extension headers is dropped where it came in.
    @inline(never)
    private func dispatchWorker(ofIPv6 packet: FrameBytes, port: UInt32) -> UInt32 {
        guard packet.count >= 48 else { return worker }
        switch packet.start.load(fromByteOffset: 6, as: UInt8.self) {
        case IPv4Header.udp:
            let length = Int(packet.start.loadUnaligned(fromByteOffset: 4, as: UInt16.self).bigEndian)
            return dispatchWorker(ofDatagram: packet.dropping(40).prefix(length), port: port)
        case 44:
            func word(_ offset: Int) -> UInt64 { packet.start.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
            let identification = packet.start.loadUnaligned(fromByteOffset: 44, as: UInt32.self)
            let source = HashSeed.hash(word(8), word(16), seed: state.pointee.seed)
            let destination = HashSeed.hash(word(24), word(32) ^ UInt64(identification), seed: state.pointee.seed)
            return reduce(UInt32(truncatingIfNeeded: HashSeed.hash(source, destination, seed: state.pointee.seed)))
        default:
            return worker
        }
    }

    /// The worker that has a share of keys that we have assigned ourselves (ids and VLANs): Fibonacci hashing spreads ids that
    /// follow each other evenly.
    @inline(__always)
    private func share(_ key: UInt64) -> UInt32 {
        reduce(UInt32(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> 32))
    }

    /// A hash of 32 bits as a number below that of the workers.
    @inline(__always)
    private func reduce(_ hash: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: (UInt64(hash) &* UInt64(workers)) >> 32)
    }
}
