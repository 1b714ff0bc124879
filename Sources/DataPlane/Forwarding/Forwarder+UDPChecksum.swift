import CDPDK
import Wire

// UDP checksums of what is sent (RFC 768; over IPv6 RFC 8200, section 8.1).
extension Forwarder {
    /// The checksum of a whole packet from `template`, which starts with the Ethernet header: asked of the port, where it does
    /// that and `inSoftware` is false, or computed here.
    @inline(never)
    func writeUDPChecksum(_ frame: PacketBuffer, _ template: OuterTemplate, inSoftware: Bool) {
        let headers = template.ethernetLength &+ template.ipHeaderLength
        let udp = frame.start + Int(truncatingIfNeeded: headers)
        let length = frame.length &- headers
        guard !inSoftware, template.port < portCount, ports[Int(truncatingIfNeeded: template.port)].computesUDPChecksum
        else {
            return computeUDPChecksum(udp, length: length, template)
        }
        // The port adds up the datagram, with what it finds in the checksum's place: the pseudo header.
        let pseudo = InternetChecksum.fold(template.pseudoHeaderSum &+ wireOrder(length))
        udp.storeBytes(of: pseudo, toByteOffset: 6, as: UInt16.self)
        culvert_mbuf_request_udp_checksum(
            frame.mbuf, template.ethernetLength, template.ipHeaderLength, template.isIPv6 ? 1 : 0)
    }

    /// The checksum of the datagram of `length` octets at `udp`, over the pseudo header, the UDP header and the data; a sum of 0
    /// is sent as 0xffff.
    @inline(__always)
    func computeUDPChecksum(_ udp: UnsafeMutableRawPointer, length: UInt32, _ template: OuterTemplate) {
        udp.storeBytes(of: 0, toByteOffset: 6, as: UInt16.self)
        var sum = InternetChecksum.sum(FrameBytes(UnsafeRawPointer(udp), count: Int(length)))
        sum &+= template.pseudoHeaderSum &+ wireOrder(length)
        let checksum = ~InternetChecksum.fold(sum)
        udp.storeBytes(of: checksum == 0 ? 0xffff : checksum, toByteOffset: 6, as: UInt16.self)
    }

    /// A length of at most 65,535, as a word in wire order.
    @inline(__always)
    private func wireOrder(_ length: UInt32) -> UInt64 { UInt64(UInt16(truncatingIfNeeded: length).bigEndian) }
}
