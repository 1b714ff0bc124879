import CSegment
import Wire

// A tunnel's outer header, from Ethernet to ff 03, as culvertd has prepared it (culvert_template), and what the data plane
// writes into it for each packet. It is right-aligned, so every field has a fixed distance from the PPP protocol field:
//
//     -36-L  IPv4     total length, identification, header checksum; type of service where it is inherited
//     -16-L  UDP      length, checksum
//      -8-L  L2TP     flags, [length, when L is 2], tunnel id
//      -4             session id
//      -2             ff 03
//       0    PPP protocol field
//
// with L = 2 when the L2TP header has a length field (its L bit), else 0. That is the plain case, which is written here;
// IPv6, sequence numbers and the offset pad, which lie between the session id and ff 03, are in OuterTemplate+LongWay.

/// A view of a template: its numbers, each loaded once, since culvertd may change them at any moment.
struct OuterTemplate {
    /// Octets in front of the PPP protocol field that `write` may change.
    static let room: UInt32 = 64

    let bytes: UnsafeRawPointer
    /// length, l2_length, l3_length and flags, from low to high octets.
    let shape: UInt32
    /// port and mtu, from low to high halves.
    private let egress: UInt32

    @inline(__always)
    init(_ template: UnsafeRawPointer) {
        bytes = template
        shape = culvert_load_relaxed_u32((template + 96).assumingMemoryBound(to: UInt32.self))
        egress = culvert_load_relaxed_u32((template + 100).assumingMemoryBound(to: UInt32.self))
    }

    @inline(__always)
    func has(_ flag: UInt32) -> Bool { shape >> 24 & flag != 0 }

    /// 2 when the L2TP header has a length field, else 0.
    @inline(__always)
    var lengthField: UInt32 { has(TemplateFlag.lengthField) ? 2 : 0 }

    /// Octets of the template.
    @inline(__always)
    var length: UInt32 { shape & 0xff }

    /// Octets from a plain IPv4 header's first to the PPP protocol field.
    @inline(__always)
    var ipHeaderToPayload: UInt32 { 36 &+ lengthField }

    /// Whether it can be written in front of a packet as it is: ready, sound, IPv4, and without offset pad and UDP checksum.
    @inline(__always)
    var isPlain: Bool {
        let flags = TemplateFlag.ready | TemplateFlag.offsetPad | TemplateFlag.udpChecksum
        return shape >> 24 & flags == TemplateFlag.ready && isSound
    }

    /// Whether the next hop's Ethernet address is known.
    @inline(__always)
    var isReady: Bool { has(TemplateFlag.ready) }

    /// Whether the lengths are those of an Ethernet header with at most two tags, IPv4 without options, UDP and L2TP.
    /// Then the template is at most 60 octets long.
    @inline(__always)
    var isSound: Bool {
        let l2 = shape >> 8 & 0xff
        return shape & 0xff_ffff == l2 &* 0x101 &+ (20 << 16 &+ ipHeaderToPayload) && l2 &- 14 <= 8
    }

    /// Egress port. Not bounded.
    @inline(__always)
    var port: UInt32 { egress & 0xffff }

    /// Largest IP packet that the way to the peer takes, in octets.
    @inline(__always)
    var mtu: UInt32 { egress >> 16 }

    /// Whether data messages carry a UDP checksum, which is not written here.
    @inline(__always)
    var hasUDPChecksum: Bool { has(TemplateFlag.udpChecksum) }

    /// What the outer header takes from the PPP frame of `length` octets at `payload`: the inner IP packet's DSCP and ECN octet
    /// (RFC 2983, section 3.1, the uniform model) where it is inherited, 0 where it is not. Nil: `write` cannot do it, since there
    /// is no IP packet behind a protocol field of two octets.
    @inline(__always)
    func trafficClass(of payload: UnsafeMutableRawPointer, length: UInt32) -> UInt16? {
        guard has(TemplateFlag.inheritsTrafficClass) else { return 0 }
        guard length >= 4 else { return nil }
        // Protocol, version, and the four bits behind it: IPv4's header length, or the high half of IPv6's traffic class.
        let front = payload.loadUnaligned(as: UInt32.self).bigEndian
        if mostly(front >> 12 == 0x00214) { return UInt16(truncatingIfNeeded: front & 0xff) }
        if mostly(front >> 12 == 0x00576) { return UInt16(truncatingIfNeeded: front >> 4 & 0xff) }
        return nil
    }

    /// Writes the header, all but the session id, so that it ends at `payload`, the PPP frame of `length` octets. There are
    /// `room` octets before it, and `isPlain` is true.
    /// - Parameter trafficClass: as `trafficClass(of:length:)` has it.
    @inline(__always)
    func write(
        before payload: UnsafeMutableRawPointer, length: UInt32, trafficClass: UInt16, identification: UInt16
    ) {
        let room = Int(Self.room)
        (payload - room).copyMemory(from: bytes + (96 - room), byteCount: room)
        let ip = payload - Int(truncatingIfNeeded: ipHeaderToPayload)
        let ipLength = UInt16(truncatingIfNeeded: ipHeaderToPayload &+ length)
        ip.storeBytes(of: ipLength.bigEndian, toByteOffset: 2, as: UInt16.self)
        ip.storeBytes(of: identification.bigEndian, toByteOffset: 4, as: UInt16.self)
        var sum = UInt64(bytes.load(fromByteOffset: 104, as: UInt32.self))
        sum &+= UInt64(ipLength.bigEndian) &+ UInt64(identification.bigEndian)
        if has(TemplateFlag.inheritsTrafficClass) {
            // What is in the sum goes out of it: added in one's complement.
            let old = bytes.loadUnaligned(
                fromByteOffset: 96 &- Int(truncatingIfNeeded: ipHeaderToPayload), as: UInt16.self)
            let new = (0x4500 | trafficClass).bigEndian
            ip.storeBytes(of: new, as: UInt16.self)
            sum &+= UInt64(~old) &+ UInt64(new)
        }
        ip.storeBytes(of: ~InternetChecksum.fold(sum), toByteOffset: 10, as: UInt16.self)
        ip.storeBytes(of: (ipLength &- 20).bigEndian, toByteOffset: 24, as: UInt16.self)
        if mostly(has(TemplateFlag.lengthField)) {
            ip.storeBytes(of: (ipLength &- 28).bigEndian, toByteOffset: 30, as: UInt16.self)
        }
    }

    /// Writes the peer's session id, as it lies in memory, into the header that ends at `payload`.
    @inline(__always)
    static func write(peerSession: UInt16, before payload: UnsafeMutableRawPointer) {
        (payload - 4).storeBytes(of: peerSession, as: UInt16.self)
    }

    /// Takes the inner IP packet's DSCP and ECN (RFC 2983, section 3.1, the uniform model) into the IPv4 header at `ip`. Answers
    /// what that adds to the header's sum: the new first word minus the old one, in one's complement.
    @inline(never)
    func inheritTrafficClass(_ ip: UnsafeMutableRawPointer, _ ppp: FrameBytes) -> UInt64 {
        guard let trafficClass = PPPProtocolField(ppp)?.trafficClass else { return 0 }
        let old = ip.loadUnaligned(as: UInt16.self)
        ip.storeBytes(of: trafficClass, toByteOffset: 1, as: UInt8.self)
        return UInt64(~old) &+ UInt64(ip.loadUnaligned(as: UInt16.self))
    }
}
