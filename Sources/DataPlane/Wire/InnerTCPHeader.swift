// From a PPP frame's protocol field to the TCP header in it.
//
//   protocol field | IPv4 with options              | TCP
//   protocol field | IPv6 | extension headers ...   | TCP
//
// IPv6 extension headers (RFC 8200, section 4) that may stand between, each with the next one's number first:
//   0 hop-by-hop, 43 routing, 60 destination options: the second octet is the length in words of 8 octets, the first not counted
//   44 fragment: 8 octets, the offset in the upper 13 bits of the third and fourth

/// A TCP header in a PPP frame.
public struct InnerTCPHeader {
    /// The header.
    public let header: TCPHeader
    /// Whether the packet is IPv6.
    public let isIPv6: Bool

    /// The TCP header in the packet of the PPP frame `ppp`, which starts with its protocol field. nil when the frame is no IP
    /// packet, the packet's lengths are not sound, it carries something else, or is a fragment without the header.
    public init?(_ ppp: FrameBytes) {
        guard let field = PPPProtocolField(ppp) else { return nil }
        let payload: FrameBytes?
        switch field.value {
        case PPPProtocolField.ipv4:
            payload = Self.segment(ofIPv4: field.information)
            isIPv6 = false
        case PPPProtocolField.ipv6:
            payload = Self.segment(ofIPv6: field.information)
            isIPv6 = true
        default: return nil
        }
        guard let payload, let header = TCPHeader(payload) else { return nil }
        self.header = header
    }

    private static func segment(ofIPv4 bytes: FrameBytes) -> FrameBytes? {
        guard let ip = IPv4Header(bytes), ip.payloadProtocol == TCPHeader.protocolNumber, bytes.uint16(6) & 0x1fff == 0
        else { return nil }
        return ip.payload
    }

    private static func segment(ofIPv6 bytes: FrameBytes) -> FrameBytes? {
        guard bytes.count >= 40, bytes.uint8(0) >> 4 == 6 else { return nil }
        let length = Int(bytes.uint16(4))
        guard length <= bytes.count &- 40 else { return nil }
        var next = bytes.uint8(6)
        var rest = bytes.after(40).prefix(length)
        // Each header takes 8 octets at least, so the walk ends with the bytes.
        while next != TCPHeader.protocolNumber {
            guard rest.count >= 8 else { return nil }
            let size: Int
            switch next {
            case 0, 43, 60: size = Int(rest.uint8(1)) &* 8 &+ 8
            case 44:
                guard rest.uint16(2) & 0xfff8 == 0 else { return nil }
                size = 8
            default: return nil
            }
            guard size <= rest.count else { return nil }
            next = rest.uint8(0)
            rest = rest.after(size)
        }
        return rest
    }
}
