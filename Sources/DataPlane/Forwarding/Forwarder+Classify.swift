import CDPDK
import CSegment
import Segment
import Wire

/// A frame on its way from access to core.
struct UpstreamFrame {
    var frame: PacketBuffer
    /// Client MAC and PPPoE session id as they lie beside each other in a session line.
    var key: UInt64
    /// The session's line, from `classify` on; what it holds is checked by `verifySessions`.
    var line: UnsafeMutablePointer<culvert_upstream>
    /// The tunnel's index, from `verifySessions` on.
    var tunnel: UInt32
    var circuit: UInt32
    /// The template, from `selectTemplates` on.
    var template: UnsafeRawPointer
    /// Octets from the frame's first byte to the PPP protocol field.
    var payloadOffset: UInt32
    /// Octets of PPP from the protocol field on.
    var payloadLength: UInt32
}

/// A frame on its way from core to access.
struct DownstreamFrame {
    var frame: PacketBuffer
    /// The session's line, from `verifyTunnels` on; what it holds is checked by `decapsulate`.
    var line: UnsafeMutablePointer<culvert_downstream>
    /// Local tunnel id, below the tunnel capacity.
    var tunnel: UInt32
    /// Local session id, host byte order.
    var sessionID: UInt16
    /// Outer IPv4 addresses as they lie in memory; all ones for a packet over IPv6.
    var peerAddress: UInt32
    var localAddress: UInt32
    /// UDP ports (source, then destination) as they lie in memory.
    var ports: UInt32
    /// Octets from the frame's first byte to the IPv6 header; 0 for a packet over IPv4.
    var ipv6Offset: UInt32
    /// Octets from the frame's first byte to the IPv4 header; from `findTunnels` on, to the PPP protocol field.
    var payloadOffset: UInt32
    /// Octets of PPP from the protocol field on.
    var payloadLength: UInt32
    /// Ns and Nr, in host byte order, from high to low halves; of no meaning unless `isSequenced` is 1.
    var sequence: UInt32
    /// Why the frame cannot take the short way, 0: it can. 1: the message has sequence numbers (S bit); 2: the frame lies in
    /// several buffers.
    var special: UInt32

    /// 1 when the message has sequence numbers (S bit), else 0.
    var isSequenced: UInt32 { special & 1 }
    /// Whether the frame lies in several buffers.
    var isChained: Bool { special & 2 != 0 }
}

/// A port during one burst: what is the same for all of its frames.
private struct IngressPort {
    let index: UInt32
    let mac: MACAddress
    let isAccess: Bool
    /// The first of the node's addresses on the port, in wire order, where L2TP is served; else what no address is equal to.
    let address: UInt64
}

// Stage 1: what each frame is; and from a PPPoE session frame's bytes to the line of the table that should know it.
extension Forwarder {
    /// Parses each frame's Ethernet header and tags. Fills the upstream list with session frames and the downstream list with L2TP
    /// data messages to the port's addresses, and answers how long they are. `port` is below the number of ports.
    /// - Parameters:
    ///   - source: who had the frames before. A datagram that another worker has put together may lie in several buffers.
    ///   - isCounted: whether the frames have been counted already.
    func classify(
        _ frames: UnsafeMutablePointer<OpaquePointer?>, count: Int, port: UInt32, from source: FrameSource,
        isCounted: Bool
    ) -> (upstream: Int, downstream: Int) {
        let entry = view.ports + Int(truncatingIfNeeded: port)
        let roles = culvert_load_relaxed_u32(&entry.pointee.flags)
        let ingress = IngressPort(
            index: port, mac: ports[Int(truncatingIfNeeded: port)].mac,
            isAccess: roles & PortRole.access != 0, address: coreAddress(entry, roles: roles))
        var (upstreamCount, downstreamCount) = (0, 0)
        var octets: UInt64 = 0
        for index in 0..<count {
            guard let mbuf = frames[index] else { continue }
            let frame = PacketBuffer(mbuf)
            octets &+= UInt64(frame.length)
            // Another worker hands over only what it has accepted: datagrams that it has put together are among it.
            if rarely(frame.isChained), source != .worker {
                drop(frame, .frameChained)
                continue
            }
            guard let ethernet = EthernetHeader(frame.bytes) else {
                drop(frame, .frameShort)
                continue
            }
            let type = ethernet.etherType
            var tags = VLANTags(untagged: ethernet)
            if rarely(type == EtherType.customerTag) || rarely(type == EtherType.serviceTag) {
                guard let present = VLANTags(ethernet) else {
                    drop(frame, .frameShort)
                    continue
                }
                tags = present
            }
            let isMine = ethernet.destination == ingress.mac
            if tags.etherType == EtherType.pppoeSession, isMine, ingress.isAccess {
                if findSession(of: frame, ethernet, tags, ingress, &upstream[upstreamCount]) { upstreamCount &+= 1 }
            } else if tags.etherType == EtherType.ipv4, isMine, roles != 0 {
                if mostly(
                    findTunnel(ofPlain: frame, tags.payload, address: ingress.address, &downstream[downstreamCount]))
                {
                    downstreamCount &+= 1
                } else if findTunnel(of: frame, tags.payload, port: port, &downstream[downstreamCount]) {
                    downstreamCount &+= 1
                }
            } else if tags.etherType == EtherType.ipv6, isMine, roles != 0 {
                if findTunnelOverIPv6(of: frame, tags.payload, port: port, &downstream[downstreamCount]) {
                    downstreamCount &+= 1
                }
            } else {
                dispose(frame, ethernet, tags.etherType, port: port, roles: roles)
            }
        }
        if !isCounted { countReceived(count, octets: octets, roles: roles) }
        return (upstreamCount, downstreamCount)
    }

    /// Counts frames that came in on a port of these roles.
    @inline(__always)
    func countReceived(_ count: Int, octets: UInt64, roles: UInt32) {
        let isAccess = roles & PortRole.access != 0
        self.count(isAccess ? .rxAccessFrames : .rxCoreFrames, UInt64(truncatingIfNeeded: count))
        self.count(isAccess ? .rxAccessOctets : .rxCoreOctets, octets)
    }

    /// `IngressPort.address` of a port. It is read once a burst: where it changes meanwhile, `findTunnel` knows better.
    @inline(__always)
    private func coreAddress(_ entry: UnsafeMutablePointer<culvert_port>, roles: UInt32) -> UInt64 {
        let addresses = (UnsafeRawPointer(entry) + 264).assumingMemoryBound(to: UInt32.self)
        guard roles & PortRole.core != 0, culvert_load_relaxed_u32(addresses) != 0 else { return UInt64.max }
        return UInt64(culvert_load_relaxed_u32(addresses + 1))
    }

    /// RFC 2516, section 4: a PPPoE session frame and the session line that its id names. False: dropped or punted.
    @inline(__always)
    private func findSession(
        of frame: PacketBuffer, _ ethernet: EthernetHeader, _ tags: VLANTags, _ port: IngressPort,
        _ found: inout UpstreamFrame
    ) -> Bool {
        guard let pppoe = PPPoESessionHeader(tags.payload) else { return rejected(frame, .pppoeShort) }
        guard pppoe.hasKnownVersion else { return rejected(frame, .pppoeVersion) }
        guard pppoe.code == 0 else { return rejected(frame, .pppoeCode) }
        guard !pppoe.isTruncated else { return rejected(frame, .pppoeLength) }
        guard pppoe.payloadLength != 0 else { return rejected(frame, .pppoeEmpty) }
        // Before anything of the segment is loaded, after which the compiler would read the frame again.
        let payload = pppoe.payload
        let payloadOffset = offset(of: payload, in: frame)
        let index = view.circuitIndex(port: port.index, outerVLAN: tags.outer, innerVLAN: tags.inner)
        guard index <= view.circuitMask else { return rejected(frame, .circuitUnknown) }
        let circuit = UnsafeRawPointer(view.circuits + Int(truncatingIfNeeded: index))
        // The entry's port, VLANs and TPID are four words beside each other: one compare.
        let identity =
            UInt64(truncatingIfNeeded: port.index & 0xffff) | UInt64(tags.outer) << 16 | UInt64(tags.inner) << 32
            | UInt64(tags.outerTPID) << 48
        guard entryState(circuit) == EntryState.forward,
            circuit.loadUnaligned(fromByteOffset: 4, as: UInt64.self) == identity
        else { return rejected(frame, .circuitUnknown) }
        let slot = view.upstreamSlot(circuit: index, sessionID: pppoe.sessionID)
        let line = view.upstream + Int(truncatingIfNeeded: slot)
        culvert_prefetch(line)
        found.frame = frame
        found.key = ethernet.sourceInWireOrder | UInt64(pppoe.sessionIDInWireOrder) << 48
        found.line = line
        found.circuit = index
        found.payloadOffset = payloadOffset
        found.payloadLength = UInt32(truncatingIfNeeded: payload.count)
        return true
    }

    /// Frames that are neither session data nor IP to the port's address: punted by what they are, or dropped.
    @inline(never)
    private func dispose(
        _ frame: PacketBuffer, _ ethernet: EthernetHeader, _ type: UInt16, port: UInt32, roles: UInt32
    ) {
        guard roles != 0 else { return drop(frame, .portIdle) }
        let destination = ethernet.destination
        let isMine = destination == ports[Int(truncatingIfNeeded: port)].mac
        let isBroadcast = destination == MACAddress.broadcast
        guard isMine || destination.isMulticast else { return drop(frame, .frameNotForUs) }
        switch type {
        case EtherType.pppoeDiscovery where roles & PortRole.access != 0:
            guard isMine || isBroadcast else { return drop(frame, .frameNotForUs) }
            punt(frame, .pppoeDiscovery, port: port)
        case EtherType.arp:
            guard isMine || isBroadcast else { return drop(frame, .frameNotForUs) }
            punt(frame, .arp, port: port)
        case EtherType.ipv6:
            punt(frame, .ipv6, port: port)
        case EtherType.ipv4:
            drop(frame, .frameNotForUs)
        case EtherType.pppoeSession where roles & PortRole.access != 0:
            drop(frame, .frameNotForUs)
        default:
            drop(frame, .etherTypeUnknown)
        }
    }

    @inline(__always)
    func rejected(_ frame: PacketBuffer, _ reason: Counter) -> Bool {
        drop(frame, reason)
        return false
    }

    @inline(__always)
    func punted(_ frame: PacketBuffer, _ punt: PuntClass, _ port: UInt32) -> Bool {
        self.punt(frame, punt, port: port)
        return false
    }

    @inline(__always)
    func offset(of payload: FrameBytes, in frame: PacketBuffer) -> UInt32 {
        UInt32(truncatingIfNeeded: payload.start - UnsafeRawPointer(frame.start))
    }
}
