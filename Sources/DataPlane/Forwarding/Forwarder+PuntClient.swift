import CSegment
import Segment
import Wire

// Who is behind a frame that is to be punted.
extension Forwarder {
    /// Whom a punted frame is put to account. The client is known by port, tags and MAC address, by its session where it has one, by
    /// its tunnel, or by its IP address. The line is its VLAN on the port, or its tunnel. Frames of a class that cannot be read are
    /// one client's.
    /// - Parameters:
    ///   - slot: the session's upstream slot.
    ///   - tunnel: the tunnel's index.
    func sender(of frame: PacketBuffer, _ punt: PuntClass, port: UInt32, slot: UInt32, tunnel: UInt32) -> PuntSender {
        if punt == .l2tpControl {
            return PuntSender(client: PuntClient(UInt64(tunnel)), line: PuntClient(UInt64(tunnel)))
        }
        guard let ethernet = EthernetHeader(frame.bytes), let tags = VLANTags(ethernet) else {
            return PuntSender(client: PuntClient(0), line: PuntClient(UInt64(port) << 32))
        }
        let circuit = UInt64(port) << 32 | UInt64(tags.outer) << 16 | UInt64(tags.inner)
        var client = PuntClient(0)
        switch punt {
        case .pppControl, .tooBig, .capture, .l2tpControl: client = PuntClient(UInt64(slot))
        case .arp, .pppoeDiscovery, .unknownSession: client = PuntClient(ethernet.sourceInWireOrder, circuit)
        case .ipv4, .ipv6, .l2tpUnknown:
            let packet = tags.payload
            if tags.etherType == EtherType.ipv4, packet.count >= IPv4Header.minimumLength {
                client = PuntClient(UInt64(packet.start.loadUnaligned(fromByteOffset: 12, as: UInt32.self)), 4)
            } else if tags.etherType == EtherType.ipv6, packet.count >= IPv6Header.length {
                client = PuntClient(
                    packet.start.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                    packet.start.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
            }
        }
        return PuntSender(client: client, line: PuntClient(circuit))
    }

    /// An L2TP control message: of a tunnel, if it names one, comes from its peer, goes to its local end, and its number is near the
    /// expected one; else anybody's. Who forges messages does not know all of that, and in `l2tpUnknown` he is in nobody's way who
    /// does. A tunnel that is being opened is not known here before its peer has answered.
    /// - Returns: false.
    @inline(never)
    func puntControl(_ frame: PacketBuffer, _ message: L2TPv2Header, _ udp: UDPHeader, port: UInt32) -> Bool {
        let tunnel = peersTunnel(frame, message, udp)
        punt(frame, tunnel == CULVERT_NO_INDEX ? .l2tpUnknown : .l2tpControl, port: port, tunnel: tunnel)
        return false
    }

    /// The tunnel's index, or `CULVERT_NO_INDEX`.
    private func peersTunnel(_ frame: PacketBuffer, _ message: L2TPv2Header, _ udp: UDPHeader) -> UInt32 {
        guard let id = message.tunnelID, let number = message.sequenceNumber, id != 0, UInt32(id) <= view.tunnelMask,
            !frame.isChained,
            let ethernet = EthernetHeader(frame.bytes), let tags = VLANTags(ethernet)
        else { return CULVERT_NO_INDEX }
        let tunnel = UnsafeRawPointer(view.tunnels + Int(id))
        guard entryState(tunnel) == EntryState.forward, isNear(number, tunnel) else { return CULVERT_NO_INDEX }
        var found = DownstreamFrame(
            frame: frame, line: view.downstream, tunnel: UInt32(id), sessionID: 0, peerAddress: .max,
            localAddress: .max,
            ports: udp.portsInWireOrder, ipv6Offset: 0, payloadOffset: 0, payloadLength: 0, sequence: 0, special: 0)
        if tags.etherType == EtherType.ipv6 {
            guard tags.payload.count >= IPv6Header.length else { return CULVERT_NO_INDEX }
            found.ipv6Offset = offset(of: tags.payload, in: frame)
            return isFromPeerOverIPv6(found, tunnel) ? UInt32(id) : CULVERT_NO_INDEX
        }
        guard let ip = IPv4Header(tags.payload) else { return CULVERT_NO_INDEX }
        found.peerAddress = ip.sourceInWireOrder
        found.localAddress = ip.destinationInWireOrder
        return isFromPeer(found, tunnel) ? UInt32(id) : CULVERT_NO_INDEX
    }

    /// Whether an Ns (RFC 2661, section 5.8) is near the one that is expected, as far as culvertd tells: in its 256 numbers, in the four
    /// times 256 that follow, which is the largest window, or in the 256 before, where what is sent again has its numbers. Somebody
    /// who guesses hits one in forty.
    private func isNear(_ number: UInt16, _ tunnel: UnsafeRawPointer) -> Bool {
        let expected = culvert_load_relaxed_u8((tunnel + 63).assumingMemoryBound(to: UInt8.self))
        return UInt8(truncatingIfNeeded: number >> 8) &- expected &+ 1 <= 5
    }
}
