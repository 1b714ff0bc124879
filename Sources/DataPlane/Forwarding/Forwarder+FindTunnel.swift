import CDPDK
import CSegment
import Segment
import Wire

// Stage 1 from core to access: from an IPv4 packet's bytes to the tunnel that should know it.
extension Forwarder {
    /// An L2TP data message to this node in its plain form (`PlainDataMessage`), as nearly all of them come. False: nothing has been
    /// done with the frame, and `findTunnel` decides what it is.
    /// - Parameter address: the node's, in wire order.
    @inline(__always)
    func findTunnel(
        ofPlain frame: PacketBuffer, _ packet: FrameBytes, address: UInt64, _ found: inout DownstreamFrame
    ) -> Bool {
        guard let message = PlainDataMessage(packet), UInt64(message.destinationInWireOrder) == address,
            !message.hasUDPChecksum || frame.hasVerifiedUDPChecksum, message.hasValidIPChecksum
        else { return false }
        let tunnel = UInt32(message.tunnelID)
        guard tunnel <= view.tunnelMask else { return false }
        culvert_prefetch(view.tunnels + Int(truncatingIfNeeded: tunnel))
        found.frame = frame
        found.tunnel = tunnel
        found.sessionID = message.sessionID
        found.peerAddress = message.sourceInWireOrder
        found.localAddress = message.destinationInWireOrder
        found.ports = message.portsInWireOrder
        found.payloadOffset = offset(of: packet, in: frame) &+ UInt32(PlainDataMessage.headerLength)
        found.payloadLength = UInt32(truncatingIfNeeded: message.payloadLength)
        found.ipv6Offset = 0
        found.special = 0
        return true
    }

    /// RFC 791, RFC 768 and RFC 2661, section 3.1: an L2TP data message to this node. False: dropped or punted.
    /// - Parameter isChained: whether the frame lies in several buffers. Then nothing behind the headers is read at `packet`.
    @inline(never)
    func findTunnel(
        of frame: PacketBuffer, _ packet: FrameBytes, isChained: Bool = false, port: UInt32,
        _ found: inout DownstreamFrame
    ) -> Bool {
        let entry = view.ports + Int(truncatingIfNeeded: port)
        let isCore = culvert_load_relaxed_u32(&entry.pointee.flags) & PortRole.core != 0
        let addresses = (UnsafeRawPointer(entry) + 264).assumingMemoryBound(to: UInt32.self)
        guard let ip = IPv4Header(packet) else {
            guard !isChained, frame.isChained else { return rejected(frame, .ipv4Malformed) }
            // Put together by another worker, and handed over.
            return findTunnel(ofWhole: frame, at: Int(offset(of: packet, in: frame)), port: port, &found)
        }
        guard ip.hasValidChecksum else { return rejected(frame, .ipv4Checksum) }
        guard isLocal(ip.destinationInWireOrder, addresses) else { return rejected(frame, .ipv4NotForUs) }
        guard !ip.isFragment else {
            let offset = Int(offset(of: packet, in: frame))
            guard let whole = takeFragment(frame, ip, at: offset, port: port) else { return false }
            return findTunnel(ofWhole: whole, at: offset, port: port, &found)
        }
        guard ip.payloadProtocol == IPv4Header.udp else { return punted(frame, .ipv4, port) }
        guard let udp = UDPHeader(ip.payload) else { return rejected(frame, .udpLength) }
        guard udp.destinationPort == UDPHeader.l2tpPort, isCore else { return punted(frame, .ipv4, port) }
        guard udp.hasSoundLength else { return rejected(frame, .udpLength) }
        guard !udp.hasChecksum || frame.hasVerifiedUDPChecksum || isIntact(udp, ip, of: frame, isChained: isChained)
        else { return rejected(frame, .udpChecksum) }
        guard findTunnel(of: frame, udp, isChained: isChained, port: port, &found) else { return false }
        found.peerAddress = ip.sourceInWireOrder
        found.localAddress = ip.destinationInWireOrder
        found.ipv6Offset = 0
        return true
    }

    /// The data message in a UDP datagram to the L2TP port: all that the list has but addresses, which is the same over either IP.
    /// False: dropped or punted.
    @inline(__always)
    func findTunnel(
        of frame: PacketBuffer, _ udp: UDPHeader, isChained: Bool, port: UInt32, _ found: inout DownstreamFrame
    ) -> Bool {
        guard let message = L2TPv2Header(udp.payload) else { return rejected(frame, .l2tpShort) }
        guard message.version == 2 else { return rejected(frame, .l2tpVersion) }
        guard !message.isControl else { return puntControl(frame, message, udp, port: port) }
        var fault = L2TPv2DataHeader.Fault.short
        guard let data = L2TPv2DataHeader(message, fault: &fault) else {
            return rejected(frame, fault == .short ? .l2tpShort : fault == .length ? .l2tpLength : .l2tpOffset)
        }
        let payload =
            isChained
            ? strippingAddressAndControl(data.payload, of: frame)
            : PPPProtocolField.strippingAddressAndControl(data.payload)
        guard payload.count != 0 else { return rejected(frame, .l2tpEmpty) }
        // Not masked into some other tunnel: an id beyond the table is nobody's.
        guard UInt32(data.tunnelID) <= view.tunnelMask else { return rejected(frame, .l2tpTunnelUnknown) }
        culvert_prefetch(view.tunnels + Int(data.tunnelID))
        found.frame = frame
        found.tunnel = UInt32(data.tunnelID)
        found.sessionID = data.sessionID
        found.ports = udp.portsInWireOrder
        found.payloadOffset = offset(of: payload, in: frame)
        found.payloadLength = UInt32(truncatingIfNeeded: payload.count)
        found.sequence = data.sequence
        found.special = (data.isSequenced ? 1 : 0) | (isChained ? 2 : 0)
        return true
    }

    /// A datagram that was put together from fragments: as one that came in whole, but it may lie in several buffers.
    /// - Parameter offset: octets from the frame's first to the IPv4 header.
    @inline(never)
    private func findTunnel(
        ofWhole frame: PacketBuffer, at offset: Int, port: UInt32, _ found: inout DownstreamFrame
    ) -> Bool {
        // Where frames are handed out by the hash of their session, this is the first place where the session can be read.
        findTunnel(
            of: frame, frame.headerBytes(from: offset), isChained: frame.isChained, port: port, &found)
            && isMine(found, port: port)
    }

    /// As `PPPProtocolField.strippingAddressAndControl`, where the PPP frame may lie in any buffer.
    @inline(never)
    func strippingAddressAndControl(_ payload: FrameBytes, of frame: PacketBuffer) -> FrameBytes {
        let start = Int(offset(of: payload, in: frame))
        guard payload.count >= 2, frame.octet(start) == 0xff, frame.octet(start &+ 1) == 0x03 else { return payload }
        return payload.dropping(2)
    }

    /// Whether `address`, in wire order, is one of the node's on a port, whose address count is at `addresses` and the addresses
    /// behind it.
    @inline(__always)
    private func isLocal(_ address: UInt32, _ addresses: UnsafePointer<UInt32>) -> Bool {
        let count = min(culvert_load_relaxed_u32(addresses), UInt32(CULVERT_PORT_ADDRESSES))
        var index = 1
        while index <= Int(truncatingIfNeeded: count) {
            if culvert_load_relaxed_u32(addresses + index) == address { return true }
            index &+= 1
        }
        return false
    }

    /// The UDP checksum over the whole datagram. Not inlined: tunnels mostly go without, and ports often check it themselves.
    @inline(never)
    private func isIntact(_ udp: UDPHeader, _ ip: IPv4Header, of frame: PacketBuffer, isChained: Bool) -> Bool {
        guard isChained else {
            return udp.hasValidChecksum(source: ip.sourceInWireOrder, destination: ip.destinationInWireOrder)
        }
        let length = udp.datagramLength
        var sum = frame.checksumSum(from: Int(offset(of: ip.payload, in: frame)), length: length)
        sum &+= UInt64(ip.sourceInWireOrder) &+ UInt64(ip.destinationInWireOrder)
        sum &+= UInt64(UInt16(IPv4Header.udp).bigEndian) &+ UInt64(UInt16(truncatingIfNeeded: length).bigEndian)
        return InternetChecksum.fold(sum) == 0xffff
    }
}
