import CSegment
import Wire

/// Everything in front of the PPP frame on the core side:
///
///     Ethernet  destination, source [802.1Q tag] 0800, or 86dd
///     IPv4      45 TOS length id fragment TTL 17 checksum source destination     (RFC 791)
///      or IPv6  6 traffic class, flow label 0, length 17 hop limit source destination (RFC 8200)
///     UDP       source port, destination port, length, checksum                  (RFC 768)
///     L2TP      T=0, L by setting, version 2 [length] tunnel id session id       (RFC 2661, 3.1)
///     PPP       ff 03                                                            (RFC 1662, 3.1)
///
/// `template` renders it with zeros where the data plane patches each packet: lengths, IP identification, session id,
/// checksums.
public struct OuterHeader: Hashable, Sendable {
    /// The tunnel's ends.
    public var endpoints: TunnelEndpoints
    /// The port that packets to the peer leave by.
    public var egressPort: UInt16
    /// The egress port's Ethernet address.
    public var sourceMAC: MACAddress
    /// The next hop's Ethernet address; nil while it is not resolved, and frames are dropped and counted for that reason.
    public var destinationMAC: MACAddress?
    /// Tag control information (priority and VLAN id) of an 802.1Q tag; nil for untagged.
    public var tag: UInt16?
    /// The largest IP packet that the way to the peer takes, in bytes.
    public var mtu: UInt16
    /// IPv4 time to live, IPv6 hop limit.
    public var timeToLive: UInt8
    /// IPv4 type of service octet, IPv6 traffic class (DSCP and ECN).
    public var typeOfService: UInt8
    /// Take the type of service octet from the inner packet instead, where there is one.
    public var inheritsTypeOfService: Bool
    /// Set the IPv4 don't-fragment bit in packets that are sent whole. Over IPv6 it has no meaning: routers do not fragment.
    public var doNotFragment: Bool
    /// Send what exceeds the MTU as fragments, which have no don't-fragment bit. Else it is dropped.
    public var fragments: Bool
    /// Have culvertd tell the sender inside of the tunnel of a frame that is dropped because it exceeds the MTU.
    public var tellsInside: Bool
    /// Send the L2TP length field (L bit).
    public var hasLengthField: Bool
    /// Octets of offset pad to send (RFC 2661, section 3.1); nil: no offset size field (O bit).
    public var offsetPad: UInt8?
    /// Compute the UDP checksum; else it is sent as 0. IPv4 permits that; over IPv6 it takes a peer that was set to accept it
    /// (RFC 6935).
    public var computesChecksum: Bool
    /// Take packets over IPv6 whose UDP checksum is 0 (RFC 6935). Over IPv4 they are always taken.
    public var acceptsZeroChecksum: Bool
    /// `destinationMAC` was given and is not to be asked for, by ARP or neighbour discovery. Only recovery looks at this.
    public var isNextHopFixed: Bool

    /// The header of packets to a tunnel's peer.
    /// - Parameter computesChecksum: nil: as the IP version wants it, over IPv6 only.
    public init(
        endpoints: TunnelEndpoints, egressPort: UInt16, sourceMAC: MACAddress, destinationMAC: MACAddress?,
        tag: UInt16? = nil, mtu: UInt16 = 1_500, timeToLive: UInt8 = 64, typeOfService: UInt8 = 0,
        inheritsTypeOfService: Bool = false, doNotFragment: Bool = false, fragments: Bool = false,
        tellsInside: Bool = false, hasLengthField: Bool = true, offsetPad: UInt8? = nil,
        computesChecksum: Bool? = nil, acceptsZeroChecksum: Bool = false,
        isNextHopFixed: Bool = false
    ) {
        self.endpoints = endpoints
        self.egressPort = egressPort
        self.sourceMAC = sourceMAC
        self.destinationMAC = destinationMAC
        self.tag = tag
        self.mtu = mtu
        self.timeToLive = timeToLive
        self.typeOfService = typeOfService
        self.inheritsTypeOfService = inheritsTypeOfService
        self.doNotFragment = doNotFragment
        self.fragments = fragments
        self.tellsInside = tellsInside
        self.hasLengthField = hasLengthField
        self.offsetPad = offsetPad
        self.computesChecksum = computesChecksum ?? endpoints.isIPv6
        self.acceptsZeroChecksum = acceptsZeroChecksum
        self.isNextHopFixed = isNextHopFixed
    }

    /// The header as bytes in wire order, unpatched.
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: Int(CULVERT_TEMPLATE_CAPACITY))
        writer.write((destinationMAC ?? MACAddress(value: 0)).octets)
        writer.write(sourceMAC.octets)
        if let tag {
            writer.write(0x8100 as UInt16)
            writer.write(tag)
        }
        writer.write((endpoints.isIPv6 ? 0x86dd : 0x0800) as UInt16)
        writer.write(ipHeader)
        writer.write(endpoints.localPort)
        writer.write(endpoints.peerPort)
        writer.write(0 as UInt32)  // UDP length and checksum
        writer.write((hasLengthField ? 0x4002 : 0x0002) as UInt16)
        if hasLengthField { writer.write(0 as UInt16) }
        writer.write(endpoints.peerTunnelID)
        writer.write(0 as UInt16)  // session id
        writer.write(0xff03 as UInt16)
        return writer.bytes
    }

    private var ipHeader: [UInt8] {
        switch endpoints.addresses {
        case .ipv4(let local, let peer): ipv4Header(local, peer)
        case .ipv6(let local, let peer): ipv6Header(local, peer)
        }
    }

    private func ipv6Header(_ local: IPv6Address, _ peer: IPv6Address) -> [UInt8] {
        var writer = ByteWriter(capacity: 40)
        writer.write(6 << 28 | UInt32(typeOfService) << 20)
        writer.write(0 as UInt16)  // payload length
        writer.write(17 as UInt8)
        writer.write(timeToLive)
        writer.write(local.octets)
        writer.write(peer.octets)
        return writer.bytes
    }

    private func ipv4Header(_ local: IPv4Address, _ peer: IPv4Address) -> [UInt8] {
        var writer = ByteWriter(capacity: 20)
        writer.write(0x45 as UInt8)
        writer.write(typeOfService)
        writer.write(0 as UInt32)  // total length, identification
        writer.write((doNotFragment ? 0x4000 : 0) as UInt16)
        writer.write(timeToLive)
        writer.write(17 as UInt8)
        writer.write(0 as UInt16)  // checksum
        writer.write(local.value)
        writer.write(peer.value)
        return writer.bytes
    }

    /// The header as the data plane uses it: right-aligned bytes, sums and flags. The sums are over 16-bit words as they
    /// lie in memory, folded to 16 bits, so that what is computed from them is stored without swapping. An IPv6 header has no
    /// checksum, and the sum for it is 0.
    public var template: culvert_template {
        let header = bytes
        var template = culvert_template()
        withUnsafeMutableBytes(of: &template.bytes) { room in
            room[(room.count - header.count)...].copyBytes(from: header)
        }
        template.length = UInt8(header.count)
        template.l2_length = tag == nil ? 14 : 18
        template.l3_length = endpoints.isIPv6 ? 40 : 20
        var flags: UInt32 = 0
        if hasLengthField { flags |= UInt32(CULVERT_TEMPLATE_L2TP_LENGTH) }
        if computesChecksum { flags |= UInt32(CULVERT_TEMPLATE_UDP_CHECKSUM) }
        if inheritsTypeOfService { flags |= UInt32(CULVERT_TEMPLATE_TOS_INHERIT) }
        if destinationMAC != nil { flags |= UInt32(CULVERT_TEMPLATE_READY) }
        if fragments { flags |= UInt32(CULVERT_TEMPLATE_FRAGMENT) }
        if tellsInside { flags |= UInt32(CULVERT_TEMPLATE_TELL_INSIDE) }
        if let offsetPad {
            flags |= UInt32(CULVERT_TEMPLATE_OFFSET_PAD)
            template.offset_pad = offsetPad
        }
        template.flags = UInt8(truncatingIfNeeded: flags)
        template.port = egressPort
        template.mtu = mtu
        template.ip_sum = endpoints.isIPv6 ? 0 : onesComplementSum(ipHeader)
        template.pseudo_sum = onesComplementSum(
            endpoints.localAddress.octets + endpoints.peerAddress.octets + [0, 17])
        return template
    }
}

/// The one's complement sum (RFC 1071) of 16-bit words as they lie in memory. `bytes` is even in number.
private func onesComplementSum(_ bytes: [UInt8]) -> UInt32 {
    var sum: UInt32 = 0
    for index in stride(from: 0, to: bytes.count - 1, by: 2) {
        sum += UInt32(UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])).byteSwapped16
    }
    while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
    return sum
}

extension UInt32 {
    /// The low 16 bits, given in network byte order's value, as this machine loads them from memory.
    fileprivate var byteSwapped16: UInt32 { UInt32(UInt16(truncatingIfNeeded: self).bigEndian) }
}
