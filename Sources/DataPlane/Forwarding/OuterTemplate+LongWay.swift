import CDPDK
import CSegment
import Wire

// What the template's plain case leaves out: IPv6, and what a data message may have between its session id and ff 03
// (RFC 2661, section 3.1). Written right-aligned as well, with distances that depend on what there is:
//
//     IPv4 or IPv6 header          20 or 40
//     [IPv6 fragment header]       8, room for it where the packet will be cut
//     UDP, L2TP up to session id   14 + L
//     [Ns, Nr]                     4, S set in the flags
//     [offset size, offset pad]    2 + pad, O set in the flags
//     ff 03                        2
//     PPP frame

/// What a data message has in its L2TP header beside what the template says.
struct OuterOptions {
    /// Whether there are sequence numbers.
    var isSequenced: Bool
    /// Ns and Nr, in host byte order, from high to low halves.
    var sequence: UInt32
    /// Octets of offset pad; nil: no offset size field.
    var offsetPad: UInt32?

    /// Octets that they take.
    @inline(__always)
    var length: UInt32 {
        var length: UInt32 = isSequenced ? 4 : 0
        if let offsetPad { length &+= 2 &+ offsetPad }
        return length
    }
}

extension OuterTemplate {
    /// Octets in front of the PPP protocol field that `write(before:length:options:…)` may change, beside those of the options.
    static let longRoom: UInt32 = 92

    /// Octets of the Ethernet header with its tags; 14 to 22 where `isConsistent` is true.
    @inline(__always)
    var ethernetLength: UInt32 { shape >> 8 & 0xff }

    /// Octets of the IP header; 20 or 40 where `isConsistent` is true.
    @inline(__always)
    var ipHeaderLength: UInt32 { shape >> 16 & 0xff }

    @inline(__always)
    var isIPv6: Bool { ipHeaderLength == 40 }

    /// Octets from the IP header's first to the PPP protocol field, options not counted.
    @inline(__always)
    var overhead: UInt32 { ipHeaderLength &+ 16 &+ lengthField }

    /// Whether the lengths are those of an Ethernet header with at most two tags, IPv4 without options or IPv6, UDP and L2TP.
    /// Then the template is at most 80 octets long.
    @inline(__always)
    var isConsistent: Bool {
        ethernetLength &- 14 <= 8 && (ipHeaderLength == 20 || ipHeaderLength == 40)
            && length == ethernetLength &+ overhead
    }

    /// Whether packets that exceed the MTU are sent as fragments.
    @inline(__always)
    var fragments: Bool { has(TemplateFlag.fragments) }

    /// Whether senders inside of the tunnel are told of frames that exceed the MTU.
    @inline(__always)
    var tellsInside: Bool { has(TemplateFlag.tellsInside) }

    /// Octets of offset pad; nil: no offset size field.
    @inline(__always)
    var offsetPad: UInt32? {
        guard has(TemplateFlag.offsetPad) else { return nil }
        return UInt32(culvert_load_relaxed_u8((bytes + 112).assumingMemoryBound(to: UInt8.self)))
    }

    /// The sum over the pseudo header's addresses and protocol, in wire order.
    @inline(__always)
    var pseudoHeaderSum: UInt64 { UInt64(bytes.load(fromByteOffset: 108, as: UInt32.self)) }

    /// Writes the header, all but the UDP checksum, so that it ends at `payload`, the PPP frame of `length` octets. There are
    /// `longRoom` octets before it and those of the options, and `isConsistent` is true.
    /// - Parameters:
    ///   - gap: octets to leave for a fragment header between IP and UDP header, 0 or 8. They are in no length here.
    ///   - session: the peer's session id, as it lies in memory.
    func write(
        before payload: UnsafeMutableRawPointer, length: UInt32, options: OuterOptions, gap: UInt32,
        identification: UInt16, session: UInt16
    ) {
        (payload - 2).storeBytes(of: UInt16(0xff03).bigEndian, as: UInt16.self)
        let end = payload - Int(truncatingIfNeeded: options.length &+ 2)  // of the session id
        // The template's last two octets are ff 03. 16 octets from UDP's first on, or from two before it; and before them as
        // many as there may be.
        let gap = Int(truncatingIfNeeded: gap)
        (end - 80 - gap).copyMemory(from: bytes + (94 - 80), byteCount: 80)
        (end - 16).copyMemory(from: bytes + (94 - 16), byteCount: 16)
        (end - 2).storeBytes(of: session, as: UInt16.self)
        let udp = end - Int(truncatingIfNeeded: 14 &+ lengthField)
        let flags = writeOptions(options, at: end)
        (udp + 8).storeBytes(of: (udp + 8).loadUnaligned(as: UInt16.self) | flags, as: UInt16.self)
        let udpLength = UInt16(truncatingIfNeeded: 16 &+ lengthField &+ options.length &+ length)
        udp.storeBytes(of: udpLength.bigEndian, toByteOffset: 4, as: UInt16.self)
        if lengthField != 0 {
            udp.storeBytes(of: (udpLength &- 8).bigEndian, toByteOffset: 10, as: UInt16.self)
        }
        let ip = udp - gap - Int(truncatingIfNeeded: ipHeaderLength)
        let ppp = FrameBytes(UnsafeRawPointer(payload), count: Int(length))
        if isIPv6 {
            ip.storeBytes(of: udpLength.bigEndian, toByteOffset: 4, as: UInt16.self)
            if has(TemplateFlag.inheritsTrafficClass) { inheritTrafficClassOverIPv6(ip, ppp) }
        } else {
            ip.storeBytes(of: (udpLength &+ 20).bigEndian, toByteOffset: 2, as: UInt16.self)
            ip.storeBytes(of: identification.bigEndian, toByteOffset: 4, as: UInt16.self)
            if has(TemplateFlag.inheritsTrafficClass) { _ = inheritTrafficClass(ip, ppp) }
            Self.writeHeaderChecksum(ip)
        }
    }

    /// Writes sequence numbers and offset pad from `place` on; answers their flags in wire order.
    @inline(__always)
    private func writeOptions(_ options: OuterOptions, at place: UnsafeMutableRawPointer) -> UInt16 {
        var place = place
        var flags: UInt16 = 0
        if options.isSequenced {
            place.storeBytes(of: options.sequence.bigEndian, as: UInt32.self)
            place += 4
            flags |= 0x0800
        }
        if let pad = options.offsetPad {
            place.storeBytes(of: UInt16(truncatingIfNeeded: pad).bigEndian, as: UInt16.self)
            culvert_clear(place + 2, Int(pad))
            flags |= 0x0200
        }
        return flags.bigEndian
    }

    /// The checksum of the IPv4 header without options at `ip`.
    @inline(__always)
    static func writeHeaderChecksum(_ ip: UnsafeMutableRawPointer) {
        ip.storeBytes(of: 0, toByteOffset: 10, as: UInt16.self)
        let sum = InternetChecksum.sum(FrameBytes(UnsafeRawPointer(ip), count: 20))
        ip.storeBytes(of: ~InternetChecksum.fold(sum), toByteOffset: 10, as: UInt16.self)
    }

    /// As over IPv4: the inner IP packet's DSCP and ECN in the header at `ip`, whose flow label stays.
    private func inheritTrafficClassOverIPv6(_ ip: UnsafeMutableRawPointer, _ ppp: FrameBytes) {
        guard let trafficClass = PPPProtocolField(ppp)?.trafficClass else { return }
        let word = UInt16(bigEndian: ip.loadUnaligned(as: UInt16.self))
        let changed = word & 0xf00f | UInt16(trafficClass) << 4
        ip.storeBytes(of: changed.bigEndian, as: UInt16.self)
    }
}
