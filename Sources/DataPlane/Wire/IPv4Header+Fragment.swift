// What an IPv4 header says of a fragment (RFC 791, section 3.1; the diagram is in IPv4Header.swift).

extension IPv4Header {
    /// Identification as it lies in memory: what fragments of one datagram have in common.
    @inlinable @inline(__always)
    public var identificationInWireOrder: UInt16 { bytes.wire16(4) }

    /// Where the payload belongs in the datagram's, in octets: a multiple of 8, at most 65,528.
    @inlinable @inline(__always)
    public var fragmentOffset: Int { Int(bytes.uint16(6) & 0x1fff) &* 8 }

    /// Whether this is not the datagram's last fragment (MF).
    @inlinable @inline(__always)
    public var hasMoreFragments: Bool { bytes.uint16(6) & 0x2000 != 0 }
}
