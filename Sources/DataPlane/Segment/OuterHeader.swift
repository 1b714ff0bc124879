import CSegment
import Wire

/// The two ends of a tunnel. They stay the same for as long as the tunnel lives.
public struct TunnelEndpoints: Hashable, Sendable {
    /// This node's IPv4 address.
    public var localAddress: IPv4Address
    /// The peer's IPv4 address.
    public var peerAddress: IPv4Address
    /// This node's UDP port, host byte order.
    public var localPort: UInt16
    /// The peer's UDP port, host byte order.
    public var peerPort: UInt16
    /// The tunnel id that the peer assigned, host byte order.
    public var peerTunnelID: UInt16
    /// The core port on which the peer's packets arrive.
    public var port: UInt8

    /// The ends of a tunnel; L2TP's well-known UDP port is 1701 (RFC 2661, 8.1).
    public init(
        localAddress: IPv4Address, peerAddress: IPv4Address, localPort: UInt16 = 1_701, peerPort: UInt16 = 1_701,
        peerTunnelID: UInt16, port: UInt8
    ) {
        self.localAddress = localAddress
        self.peerAddress = peerAddress
        self.localPort = localPort
        self.peerPort = peerPort
        self.peerTunnelID = peerTunnelID
        self.port = port
    }
}

/// Everything in front of the PPP frame on the core side:
///
///     Ethernet  destination, source [802.1Q tag] 0800
///     IPv4      45 TOS length id fragment TTL 17 checksum source destination     (RFC 791)
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
    /// IPv4 time to live.
    public var timeToLive: UInt8
    /// IPv4 type of service octet (DSCP and ECN).
    public var typeOfService: UInt8
    /// Take the type of service octet from the inner packet instead, where there is one.
    public var inheritsTypeOfService: Bool
    /// Set the IPv4 don't-fragment bit.
    public var doNotFragment: Bool
    /// Send the L2TP length field (L bit).
    public var hasLengthField: Bool
    /// Compute the UDP checksum; else it is sent as 0, which IPv4 permits.
    public var computesChecksum: Bool

    /// The header of packets to a tunnel's peer.
    public init(
        endpoints: TunnelEndpoints, egressPort: UInt16, sourceMAC: MACAddress, destinationMAC: MACAddress?,
        tag: UInt16? = nil, mtu: UInt16 = 1_500, timeToLive: UInt8 = 64, typeOfService: UInt8 = 0,
        inheritsTypeOfService: Bool = false, doNotFragment: Bool = false, hasLengthField: Bool = true,
        computesChecksum: Bool = false
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
        self.hasLengthField = hasLengthField
        self.computesChecksum = computesChecksum
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
        writer.write(0x0800 as UInt16)
        writer.write(ipv4Header)
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

    private var ipv4Header: [UInt8] {
        var writer = ByteWriter(capacity: 20)
        writer.write(0x45 as UInt8)
        writer.write(typeOfService)
        writer.write(0 as UInt32)  // total length, identification
        writer.write((doNotFragment ? 0x4000 : 0) as UInt16)
        writer.write(timeToLive)
        writer.write(17 as UInt8)
        writer.write(0 as UInt16)  // checksum
        writer.write(endpoints.localAddress.value)
        writer.write(endpoints.peerAddress.value)
        return writer.bytes
    }

    /// The header as the data plane uses it: right-aligned bytes, sums and flags. The sums are over 16-bit words as they
    /// lie in memory, folded to 16 bits, so that what is computed from them is stored without swapping.
    public var template: culvert_template {
        let header = bytes
        var template = culvert_template()
        withUnsafeMutableBytes(of: &template.bytes) { room in
            room[(room.count - header.count)...].copyBytes(from: header)
        }
        template.length = UInt8(header.count)
        template.l2_length = tag == nil ? 14 : 18
        template.l3_length = 20
        var flags: UInt32 = 0
        if hasLengthField { flags |= UInt32(CULVERT_TEMPLATE_L2TP_LENGTH) }
        if computesChecksum { flags |= UInt32(CULVERT_TEMPLATE_UDP_CHECKSUM) }
        if inheritsTypeOfService { flags |= UInt32(CULVERT_TEMPLATE_TOS_INHERIT) }
        if destinationMAC != nil { flags |= UInt32(CULVERT_TEMPLATE_READY) }
        template.flags = UInt8(truncatingIfNeeded: flags)
        template.port = egressPort
        template.mtu = mtu
        template.ip_sum = onesComplementSum(ipv4Header)
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
