import Segment
import Wire

/// What a frame with a fragment in it says of itself.
struct Fragment {
    /// The most octets that the lengths of an IP header can say of a datagram.
    private static let datagramLimit = 65_535
    /// Octets that the first fragment of a UDP datagram holds at least: the UDP header, and the shortest L2TP header.
    private static let firstMinimum = UDPHeader.length + L2TPv2Header.minimumLength

    /// The datagram.
    var key: FragmentKey
    /// Where the fragment's data belongs in the datagram's, in octets.
    var offset: Int
    /// Octets of data.
    var length: Int
    /// Whether the datagram ends with it.
    var isLast: Bool
    /// Octets from the frame's first to the IP header.
    var ipOffset: Int
    /// Octets from the frame's first to the data.
    var dataOffset: Int
    /// Protocol of the datagram, as this fragment says.
    private var payloadProtocol: UInt8
    /// Octets that count against the limit beside the data.
    private var countedHeader: Int

    /// The fragment that `ip` is the header of.
    /// - Parameter offset: octets from the frame's first to the header.
    @inline(__always)
    init(_ ip: IPv4Header, at offset: Int) {
        key = FragmentKey(ip)
        self.offset = ip.fragmentOffset
        length = ip.payload.count
        isLast = !ip.hasMoreFragments
        ipOffset = offset
        dataOffset = offset &+ ip.length
        payloadProtocol = ip.payloadProtocol
        countedHeader = ip.length
    }

    /// The fragment in an IPv6 packet, whose 40 octets of header are at `header` and whose payload starts with `fragment`.
    /// - Parameter offset: octets from the frame's first to the IPv6 header.
    @inline(__always)
    init(ipv6 header: UnsafeRawPointer, _ fragment: IPv6FragmentHeader, at offset: Int) {
        key = FragmentKey(ipv6: header, identification: fragment.identificationInWireOrder)
        self.offset = fragment.fragmentOffset
        length = fragment.payload.count
        isLast = !fragment.hasMoreFragments
        ipOffset = offset
        dataOffset = offset &+ (40 + IPv6FragmentHeader.length)
        payloadProtocol = fragment.nextHeader
        countedHeader = 0
    }

    /// Why nothing can be made of the fragment, whatever the others are; nil: it can.
    @inline(__always)
    var fault: Counter? {
        guard length > 0, isLast || length & 7 == 0 else { return .fragmentMalformed }
        guard offset &+ length &+ countedHeader <= Self.datagramLimit else { return .fragmentTooLong }
        // RFC 1858, section 3, and RFC 3128: the first fragment holds what filters and look-ups go by, and no later one comes
        // so early that it could hold some of that. Data that starts at octet 8 always would: a first fragment of 8 octets
        // has not even a whole L2TP header behind it.
        guard offset != 8 else { return .fragmentTiny }
        guard offset != 0 || payloadProtocol != IPv4Header.udp || length >= Self.firstMinimum else {
            return .fragmentTiny
        }
        return nil
    }
}
