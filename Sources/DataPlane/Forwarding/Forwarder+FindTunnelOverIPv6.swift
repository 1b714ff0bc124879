import CDPDK
import CSegment
import Segment
import Wire

// Stage 1 from core to access for tunnels over IPv6: from a packet's bytes to the tunnel that should know it.
extension Forwarder {
    /// RFC 8200, RFC 768 and RFC 2661, section 3.1: an L2TP data message to this node. False: dropped or punted.
    /// - Parameters:
    ///   - isWhole: whether the packet was put together here, and may have no further fragment header.
    ///   - isChained: whether the frame lies in several buffers. Then nothing behind the headers is read at `packet`.
    @inline(never)
    func findTunnelOverIPv6(
        of frame: PacketBuffer, _ packet: FrameBytes, isWhole: Bool = false, isChained: Bool = false, port: UInt32,
        _ found: inout DownstreamFrame
    ) -> Bool {
        let entry = UnsafeRawPointer(view.ports + Int(truncatingIfNeeded: port))
        let addresses = entry + 304
        let isCore = culvert_load_relaxed_u32((entry + 300).assumingMemoryBound(to: UInt32.self)) & PortRole.core != 0
        guard let ip = IPv6Header(packet) else {
            guard !isWhole, frame.isChained else { return rejected(frame, .ipv6Malformed) }
            // Put together by another worker, and handed over.
            return findTunnelOverIPv6(ofWhole: frame, at: Int(offset(of: packet, in: frame)), port: port, &found)
        }
        guard isLocal(ip, addresses) else {
            return isForHost(ip) ? punted(frame, .ipv6, port) : rejected(frame, .ipv6NotForUs)
        }
        guard ip.nextHeader == IPv6Header.udp else {
            guard ip.nextHeader == IPv6Header.fragment, !isWhole else {
                return ip.hasExtensionHeader ? rejected(frame, .ipv6ExtensionHeader) : punted(frame, .ipv6, port)
            }
            let offset = Int(offset(of: packet, in: frame))
            guard
                let whole = takeFragment(frame, ipv6: packet.start, payload: ip.payload, at: offset, port: port)
            else { return false }
            return findTunnelOverIPv6(ofWhole: whole, at: offset, port: port, &found)
        }
        guard let udp = UDPHeader(ip.payload) else { return rejected(frame, .udpLength) }
        guard udp.destinationPort == UDPHeader.l2tpPort, isCore else { return punted(frame, .ipv6, port) }
        guard udp.hasSoundLength else { return rejected(frame, .udpLength) }
        if udp.hasChecksum {
            guard frame.hasVerifiedUDPChecksum || isIntact(udp, ip, of: frame, isChained: isChained) else {
                return rejected(frame, .udpChecksum)
            }
        } else {
            guard goesWithoutChecksum(udp.payload) else { return rejected(frame, .udpChecksumMissing) }
        }
        guard findTunnel(of: frame, udp, isChained: isChained, port: port, &found) else { return false }
        found.peerAddress = .max
        found.localAddress = .max
        found.ipv6Offset = offset(of: packet, in: frame)
        return true
    }

    /// A datagram that was put together from fragments: as one that came in whole, but it may lie in several buffers.
    @inline(never)
    private func findTunnelOverIPv6(
        ofWhole frame: PacketBuffer, at offset: Int, port: UInt32, _ found: inout DownstreamFrame
    ) -> Bool {
        findTunnelOverIPv6(
            of: frame, frame.headerBytes(from: offset), isWhole: true, isChained: frame.isChained, port: port, &found)
            && isMine(found, port: port)
    }

    /// Whether a packet to none of the port's addresses is culvertd's all the same: what neighbour discovery needs (RFC 4861),
    /// which works on link-local addresses that workers do not know.
    @inline(never)
    private func isForHost(_ ip: IPv6Header) -> Bool {
        let destination = ip.destination
        return ip.nextHeader == IPv6Header.icmpv6 || destination.isLinkLocal || destination.isMulticast
    }

    /// Whether the destination is one of the node's on a port, whose address count is at `addresses` and the addresses behind it.
    @inline(__always)
    private func isLocal(_ ip: IPv6Header, _ addresses: UnsafeRawPointer) -> Bool {
        let count = min(
            culvert_load_relaxed_u32(addresses.assumingMemoryBound(to: UInt32.self)), UInt32(CULVERT_PORT_ADDRESSES))
        let destination = ip.destinationInWireOrder
        var index = 0
        while index < Int(truncatingIfNeeded: count) {
            let address = addresses + (4 &+ 16 &* index)
            if address.loadUnaligned(as: UInt64.self) == destination.0,
                address.loadUnaligned(fromByteOffset: 8, as: UInt64.self) == destination.1
            {
                return true
            }
            index &+= 1
        }
        return false
    }

    /// RFC 8200, section 8.1: the UDP checksum over the whole datagram.
    @inline(never)
    private func isIntact(_ udp: UDPHeader, _ ip: IPv6Header, of frame: PacketBuffer, isChained: Bool) -> Bool {
        guard isChained else { return udp.hasValidChecksum(pseudoHeaderSum: ip.udpPseudoHeaderSum) }
        let length = udp.datagramLength
        let sum = frame.checksumSum(from: Int(offset(of: ip.payload, in: frame)), length: length)
        let words = UInt64(UInt16(truncatingIfNeeded: length).bigEndian)
        return InternetChecksum.fold(sum &+ ip.udpPseudoHeaderSum &+ words) == 0xffff
    }

    /// RFC 6935, section 5: whether an L2TP message without a UDP checksum is taken. It has to name a tunnel in service that was
    /// set so; whether it comes from the tunnel's peer is looked at later, as for every message.
    @inline(never)
    private func goesWithoutChecksum(_ bytes: FrameBytes) -> Bool {
        guard let message = L2TPv2Header(bytes), message.version == 2, let id = message.tunnelID,
            UInt32(id) <= view.tunnelMask
        else { return false }
        let tunnel = UnsafeRawPointer(view.tunnels + Int(id))
        guard entryState(tunnel) == EntryState.forward else { return false }
        let flags = culvert_load_relaxed_u8((tunnel + 62).assumingMemoryBound(to: UInt8.self))
        return UInt32(flags) & TunnelFlag.zeroChecksum != 0
    }

    /// Whether a packet over IPv6 has the tunnel's addresses and ports.
    @inline(never)
    func isFromPeerOverIPv6(_ found: DownstreamFrame, _ tunnel: UnsafeRawPointer) -> Bool {
        // Within the frame, by `classify`, and 40 octets of header behind it.
        let header = UnsafeRawPointer(found.frame.start) + Int(truncatingIfNeeded: found.ipv6Offset)
        guard found.ipv6Offset != 0, tunnel.load(fromByteOffset: 4, as: UInt8.self) == UInt8(CULVERT_TUNNEL_IPV6),
            tunnel.load(fromByteOffset: 56, as: UInt32.self) == found.ports
        else { return false }
        // Source and destination lie beside each other in the packet as peer_address and local_address do in the entry.
        let peer = tunnel + 24
        return peer.load(as: UInt64.self) == header.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            && peer.load(fromByteOffset: 8, as: UInt64.self)
                == header.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
            && peer.load(fromByteOffset: 16, as: UInt64.self)
                == header.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
            && peer.load(fromByteOffset: 24, as: UInt64.self)
                == header.loadUnaligned(fromByteOffset: 32, as: UInt64.self)
    }
}
