import CDPDK
import CSegment
import Segment
import Wire

// Stage 1 from core to access, second half: from an IPv4 packet's bytes to the tunnel that should know it. It is a loop of its own
// so that each of the two stays within what the compiler makes one piece of.
extension Forwarder {
    /// Parses each packet; those that are L2TP data messages stay in the list.
    func findTunnels(_ count: Int, port: UInt32) -> Int {
        let entry = UnsafeRawPointer(view.ports + Int(truncatingIfNeeded: port))
        let addresses = (entry + 264).assumingMemoryBound(to: UInt32.self)
        let isCore = culvert_load_relaxed_u32((entry + 300).assumingMemoryBound(to: UInt32.self)) & PortRole.core != 0
        var kept = 0
        for index in 0..<count {
            let frame = downstream[index].frame
            let offset = Int(truncatingIfNeeded: downstream[index].payloadOffset)  // within the frame, by `classify`
            let packet = FrameBytes(frame.bytes.start + offset, count: frame.bytes.count &- offset)
            if findTunnel(
                of: frame, packet, isPlain: true, port: port, isCore: isCore, addresses: addresses, &downstream[kept])
            {
                kept &+= 1
            }
        }
        return kept
    }

    /// RFC 791, RFC 768 and RFC 2661, section 3.1: an L2TP data message to this node. False: dropped or punted.
    ///
    /// Nearly all packets are plain: no IP options, no UDP checksum that is ours to compute, and an L2TP header of length and ids
    /// alone. Only those are parsed within the loop. With any other one a call starts anew, so that the loop keeps nothing in
    /// registers, and nothing out of them, for what hardly ever comes.
    /// - Parameter isPlain: a constant: whether the packet is still to be taken for a plain one.
    @inline(__always)
    private func findTunnel(
        of frame: PacketBuffer, _ packet: FrameBytes, isPlain: Bool, port: UInt32, isCore: Bool,
        addresses: UnsafePointer<UInt32>, _ found: inout DownstreamFrame
    ) -> Bool {
        guard let ip = IPv4Header(packet) else { return rejected(frame, .ipv4Malformed) }
        guard mostly(!isPlain || !ip.hasOptions) else {
            return findAnyTunnel(of: frame, packet, port: port, isCore: isCore, addresses: addresses, &found)
        }
        guard ip.hasValidChecksum else { return rejected(frame, .ipv4Checksum) }
        guard isLocal(ip.destinationInWireOrder, addresses) else { return rejected(frame, .ipv4NotForUs) }
        guard !ip.isFragment else { return rejected(frame, .fragmentMalformed) }
        guard ip.payloadProtocol == IPv4Header.udp else { return punted(frame, .ipv4, port) }
        guard let udp = UDPHeader(ip.payload) else { return rejected(frame, .udpLength) }
        guard udp.destinationPort == UDPHeader.l2tpPort, isCore else { return punted(frame, .ipv4, port) }
        guard udp.hasSoundLength else { return rejected(frame, .udpLength) }
        if rarely(udp.hasChecksum), !frame.hasVerifiedUDPChecksum {
            guard !isPlain else {
                return findAnyTunnel(of: frame, packet, port: port, isCore: isCore, addresses: addresses, &found)
            }
            guard isIntact(udp, ip) else { return rejected(frame, .udpChecksum) }
        }
        guard let message = L2TPv2Header(udp.payload) else { return rejected(frame, .l2tpShort) }
        guard message.version == 2 else { return rejected(frame, .l2tpVersion) }
        guard !message.isControl else { return punted(frame, .l2tpControl, port) }
        guard mostly(!isPlain || message.hasLengthAlone) else {
            return findAnyTunnel(of: frame, packet, port: port, isCore: isCore, addresses: addresses, &found)
        }
        var fault = L2TPv2DataHeader.Fault.short
        guard let data = L2TPv2DataHeader(message, fault: &fault) else {
            return rejected(frame, fault == .short ? .l2tpShort : fault == .length ? .l2tpLength : .l2tpOffset)
        }
        let payload = PPPProtocolField.strippingAddressAndControl(data.payload)
        guard payload.count != 0 else { return rejected(frame, .l2tpEmpty) }
        // Not masked into some other tunnel: an id beyond the table is nobody's.
        guard UInt32(data.tunnelID) <= view.tunnelMask else { return rejected(frame, .l2tpTunnelUnknown) }
        culvert_prefetch(view.tunnels + Int(data.tunnelID))
        found.frame = frame
        found.tunnel = UInt32(data.tunnelID)
        found.sessionID = data.sessionID
        found.peerAddress = ip.sourceInWireOrder
        found.localAddress = ip.destinationInWireOrder
        found.ports = udp.portsInWireOrder
        found.payloadOffset = offset(of: payload, in: frame)
        found.payloadLength = UInt32(truncatingIfNeeded: payload.count)
        found.sequence = data.sequence
        found.isSequenced = data.isSequenced ? 1 : 0
        return true
    }

    /// As `findTunnel`, of a packet that is not plain.
    @inline(never)
    private func findAnyTunnel(
        of frame: PacketBuffer, _ packet: FrameBytes, port: UInt32, isCore: Bool, addresses: UnsafePointer<UInt32>,
        _ found: inout DownstreamFrame
    ) -> Bool {
        findTunnel(of: frame, packet, isPlain: false, port: port, isCore: isCore, addresses: addresses, &found)
    }

    /// Whether `address`, in wire order, is one of the node's on a port, whose address count is at `addresses` and the addresses
    /// behind it.
    @inline(__always)
    private func isLocal(_ address: UInt32, _ addresses: UnsafePointer<UInt32>) -> Bool {
        let count = min(culvert_load_relaxed_u32(addresses), UInt32(CULVERT_PORT_ADDRESSES))
        var index = 1
        while index <= Int(truncatingIfNeeded: count) {
            if mostly(culvert_load_relaxed_u32(addresses + index) == address) { return true }
            index &+= 1
        }
        return false
    }

    /// The UDP checksum over the whole datagram. Not inlined: tunnels mostly go without, and ports often check it themselves.
    @inline(never)
    private func isIntact(_ udp: UDPHeader, _ ip: IPv4Header) -> Bool {
        udp.hasValidChecksum(source: ip.sourceInWireOrder, destination: ip.destinationInWireOrder)
    }
}
