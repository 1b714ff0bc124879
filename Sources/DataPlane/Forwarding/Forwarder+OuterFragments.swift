import CDPDK
import CSegment
import Segment
import Wire

// Fragmenting encapsulated packets: RFC 791, section 3.2, and RFC 8200, section 4.5. The UDP checksum is over the whole
// datagram, so it is there before. The frame's own buffer becomes the first fragment; the others are copied into buffers from
// its pool, headers and all.

/// How a packet is cut.
struct OuterFragments {
    /// The most fragments that a packet is sent as.
    static let most: UInt32 = 32

    /// How many there are; more than `most` where nothing fits.
    let count: UInt32
    /// Octets of the datagram in each but the last one, a multiple of 8.
    let size: UInt32
    /// Octets of the datagram, UDP header and all.
    let length: UInt32
    /// Octets in front of them in each frame, Ethernet header and all.
    let headerLength: UInt32

    /// How a packet of `ipLength` octets from a template that `isConsistent` is cut to fit the template's MTU.
    @inline(__always)
    init(_ template: OuterTemplate, ipLength: UInt32) {
        let ipHeaders = template.ipHeaderLength &+ (template.isIPv6 ? 8 : 0)
        let room = template.mtu > ipHeaders ? template.mtu &- ipHeaders : 0
        size = room & ~7
        length = ipLength &- template.ipHeaderLength
        headerLength = template.ethernetLength &+ ipHeaders
        // The last one may fill the room to the last octet.
        let before = length > room ? length &- room : 0
        if before == 0 {
            count = 1
        } else {
            count = size == 0 ? .max : (before &+ size &- 1) / size &+ 1
        }
    }
}

extension Forwarder {
    /// Takes the buffers of all fragments but the first from the frame's pool, into `pieces`. False: there were not so many, or
    /// they are too small, and none is taken.
    @inline(never)
    func takePieces(_ cut: OuterFragments, for frame: PacketBuffer) -> Bool {
        let others = cut.count &- 1
        guard let pool = culvert_mbuf_pool(frame.mbuf), culvert_mbuf_allocate_bulk(pool, pieces + 1, others) == 0 else {
            return false
        }
        let largest = cut.headerLength &+ min(cut.size &+ 8, cut.length)
        guard let piece = pieces[1], culvert_mbuf_tailroom(piece) >= largest else {
            culvert_mbuf_free_bulk(pieces + 1, others)
            return false
        }
        return true
    }

    /// Sends a frame, from a template's Ethernet header on, as fragments. An IPv6 packet has 8 octets of room between its IP
    /// header and the UDP header.
    /// - Parameter slot: as `sendTheLongWay` has it.
    @inline(never)
    func sendFragments(
        _ frame: PacketBuffer, _ template: OuterTemplate, _ cut: OuterFragments, capturedAs slot: UInt32?
    ) {
        let data = frame.start + Int(truncatingIfNeeded: cut.headerLength)
        if template.hasUDPChecksum { computeUDPChecksum(data, length: cut.length, template) }
        if template.isIPv6 { writeFragmentHeader(data - 8) }
        pieces[0] = frame.mbuf
        // The first one last: the others' headers and data are copied from it.
        var number = cut.count
        while number != 0 {
            number &-= 1
            let offset = number &* cut.size
            let isLast = number &+ 1 == cut.count
            let length = isLast ? cut.length &- offset : cut.size
            guard let mbuf = pieces[Int(truncatingIfNeeded: number)] else { continue }
            let piece = PacketBuffer(mbuf)
            if number != 0 {
                culvert_copy(piece.start, frame.start, Int(truncatingIfNeeded: cut.headerLength))
                culvert_copy(
                    piece.start + Int(truncatingIfNeeded: cut.headerLength), data + Int(truncatingIfNeeded: offset),
                    Int(truncatingIfNeeded: length))
            }
            piece.reframe(shift: 0, length: cut.headerLength &+ length)
            let ip = piece.start + Int(truncatingIfNeeded: template.ethernetLength)
            if template.isIPv6 {
                describeIPv6(ip, offset: offset, length: length, isLast: isLast)
            } else {
                describeIPv4(ip, offset: offset, length: length, isLast: isLast)
            }
        }
        count(.outerFragmented)
        count(.outerFragments, UInt64(cut.count))
        for number in 0..<Int(truncatingIfNeeded: cut.count) {
            if let mbuf = pieces[number] { sendTheLongWay(PacketBuffer(mbuf), port: template.port, capturedAs: slot) }
        }
    }

    /// A fragment header of UDP's at `place`, with an identification of its own.
    @inline(__always)
    private func writeFragmentHeader(_ place: UnsafeMutableRawPointer) {
        let identification = state.pointee.ipv6Identification
        state.pointee.ipv6Identification = identification &+ state.pointee.identificationStep
        place.storeBytes(of: UInt32(IPv6Header.udp).littleEndian, as: UInt32.self)
        place.storeBytes(of: identification.bigEndian, toByteOffset: 4, as: UInt32.self)
    }

    /// Total length, flags and fragment offset, and checksum. The don't-fragment bit is not set.
    @inline(__always)
    private func describeIPv4(_ ip: UnsafeMutableRawPointer, offset: UInt32, length: UInt32, isLast: Bool) {
        ip.storeBytes(of: UInt16(truncatingIfNeeded: length &+ 20).bigEndian, toByteOffset: 2, as: UInt16.self)
        let place = UInt16(truncatingIfNeeded: offset >> 3) | (isLast ? 0 : 0x2000)
        ip.storeBytes(of: place.bigEndian, toByteOffset: 6, as: UInt16.self)
        OuterTemplate.writeHeaderChecksum(ip)
    }

    /// Payload length and next header; offset and M in the fragment header behind.
    @inline(__always)
    private func describeIPv6(_ ip: UnsafeMutableRawPointer, offset: UInt32, length: UInt32, isLast: Bool) {
        ip.storeBytes(of: UInt16(truncatingIfNeeded: length &+ 8).bigEndian, toByteOffset: 4, as: UInt16.self)
        ip.storeBytes(of: IPv6Header.fragment, toByteOffset: 6, as: UInt8.self)
        let place = UInt16(truncatingIfNeeded: offset) | (isLast ? 0 : 1)
        ip.storeBytes(of: place.bigEndian, toByteOffset: 42, as: UInt16.self)
    }
}
