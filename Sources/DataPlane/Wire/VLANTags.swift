// VLAN tags (IEEE 802.1Q, clause 9; QinQ: 802.1ad) stand between the source address and the EtherType.
//
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +-------------------------------+-----+-+-----------------------+
//     |             TPID              | PCP |D|          VID          |   outer: 0x8100 or 0x88a8
//     +-------------------------------+-----+-+-----------------------+
//     |        TPID (0x8100)          | PCP |D|          VID          |   inner, if there is one
//     +-------------------------------+-----+-+-----------------------+
//     |           EtherType           |
//     +-------------------------------+
//
// A tag whose VID is 0 carries a priority and names no VLAN: it is passed over, so a priority-tagged frame is an untagged
// one. There are at most two tags; a third is an EtherType that nobody serves.

/// A view of the tags after an Ethernet header's addresses, and of the EtherType behind them.
@frozen
public struct VLANTags {
    /// VLAN of the outer tag, 1 to 4,095; 0: untagged.
    public let outer: UInt16
    /// VLAN of the inner tag, 1 to 4,095; 0: no second tag.
    public let inner: UInt16
    /// TPID of the tag that `outer` came from, in host byte order; 0: untagged.
    public let outerTPID: UInt16
    /// The EtherType behind the tags.
    public let etherType: UInt16
    /// What follows the EtherType.
    public let payload: FrameBytes

    /// No tags: `header`'s own EtherType and payload.
    @inlinable @inline(__always)
    public init(untagged header: EthernetHeader) {
        (outer, inner, outerTPID) = (0, 0, 0)
        etherType = header.etherType
        payload = header.payload
    }

    /// The tags after `header`; nil when they are cut short.
    @inlinable
    public init?(_ header: EthernetHeader) {
        var type = header.etherType
        var rest = header.payload
        var (outer, inner, outerTPID): (UInt16, UInt16, UInt16) = (0, 0, 0)
        var tags = 0
        while tags < 2, type == EtherType.customerTag || (tags == 0 && type == EtherType.serviceTag) {
            guard rest.count >= 4 else { return nil }
            let vlan = rest.uint16(0) & 0xfff
            if vlan != 0 {
                if outer == 0 { (outer, outerTPID) = (vlan, type) } else { inner = vlan }
            }
            type = rest.uint16(2)
            rest = rest.after(4)
            tags &+= 1
        }
        self.outer = outer
        self.inner = inner
        self.outerTPID = outerTPID
        etherType = type
        payload = rest
    }
}
