import Segment
import Wire

// Who is behind a frame that is to be punted.
extension Forwarder {
    /// Whom a punted frame is put to account: by port, tags and MAC address where that is what a client is known by, by its
    /// session where it has one, by its IP address where it is a peer. Frames of a class that cannot be read are one client's.
    /// - Parameter slot: the session's upstream slot.
    func client(of frame: PacketBuffer, _ punt: PuntClass, port: UInt32, slot: UInt32) -> PuntClient {
        switch punt {
        case .pppControl, .tooBig, .capture: return PuntClient(UInt64(slot))
        case .arp, .pppoeDiscovery, .unknownSession:
            guard let ethernet = EthernetHeader(frame.bytes), let tags = VLANTags(ethernet) else { break }
            let circuit = UInt64(port) << 32 | UInt64(tags.outer) << 16 | UInt64(tags.inner)
            return PuntClient(ethernet.sourceInWireOrder, circuit)
        case .ipv4, .ipv6, .l2tpControl:
            guard let ethernet = EthernetHeader(frame.bytes), let tags = VLANTags(ethernet) else { break }
            let packet = tags.payload
            if tags.etherType == EtherType.ipv4, packet.count >= IPv4Header.minimumLength {
                return PuntClient(UInt64(packet.start.loadUnaligned(fromByteOffset: 12, as: UInt32.self)), 4)
            }
            if tags.etherType == EtherType.ipv6, packet.count >= 40 {
                return PuntClient(
                    packet.start.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                    packet.start.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
            }
        }
        return PuntClient(0)
    }
}
