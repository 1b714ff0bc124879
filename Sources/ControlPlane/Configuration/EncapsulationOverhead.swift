/// What stands between a tunnel's IP packet and the PPP information field in it, in octets, and the MRU and MSS that follow.
///
///     | IP 20/40 | UDP 8 | L2TP 6 [length 2] [Ns, Nr 4] [offset size 2, pad 0-255] | ff 03 | protocol 2 | information
///
/// (RFC 2661 sections 3.1 and 8.1; IPv4 without options.)
public struct EncapsulationOverhead: Hashable, Sendable {
    /// The outer packets are IPv6.
    public var isIPv6: Bool
    /// Data messages have the length field (L bit).
    public var hasLengthField: Bool
    /// Data messages have Ns and Nr (S bit).
    public var isSequenced: Bool
    /// Data messages have the offset size field (O bit) and so many octets of pad; nil: neither.
    public var offsetPad: UInt8?

    /// The overhead of a tunnel with these settings.
    public init(
        isIPv6: Bool = false, hasLengthField: Bool = true, isSequenced: Bool = false, offsetPad: UInt8? = nil
    ) {
        self.isIPv6 = isIPv6
        self.hasLengthField = hasLengthField
        self.isSequenced = isSequenced
        self.offsetPad = offsetPad
    }

    /// Octets in front of the PPP information field.
    public var octets: Int {
        let l2tp = 6 + (hasLengthField ? 2 : 0) + (isSequenced ? 4 : 0) + (offsetPad.map { 2 + Int($0) } ?? 0)
        return (isIPv6 ? 40 : 20) + 8 + l2tp + 4
    }

    /// The largest MRU (RFC 1661 section 6.1) whose packets are not fragmented on a path that takes IP packets of `pathMTU`
    /// octets; 0 when not even the headers fit.
    public func mru(pathMTU: UInt16) -> UInt16 { UInt16(clamping: Int(pathMTU) - octets) }

    /// The MRU by the arithmetic of the product that this one follows: the path's MTU less an IP header (20, IPv6 40), a UDP header
    /// (8) and the largest L2TP header with 16 octets of pad (30). On Ethernet, over IPv4: 1,442.
    public static func seedMRU(pathMTU: UInt16, isIPv6: Bool = false) -> UInt16 {
        UInt16(clamping: Int(pathMTU) - (isIPv6 ? 40 : 20) - 8 - 30)
    }

    /// The TCP maximum segment size that an IPv4 packet of `mru` octets carries (RFC 6691): less 20 for IPv4 and 20 for TCP. Over IPv6
    /// it is 20 less.
    public static func mss(mru: UInt16) -> UInt16 { UInt16(clamping: Int(mru) - 40) }
}
