import CDPDK
import Fixture
import Forwarding
import Segment
import Wire

/// Fragments of up to eight datagrams, in buffers without an octet to spare, against a model that says where each ends; what
/// becomes whole has to be what the datagrams were. An input is options (2 octets), then fragments of 5 octets each:
///
///     0   datagram (3 bits), MF, tags, IP options, and whether time runs out first
///     1-2 offset in units of 8 octets
///     3-4 octets of data, and above them how much room there is behind it
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count >= 2 else { return 0 }
    let input = UnsafeBufferPointer(start: start, count: count)
    let fixture = Fixture(
        Fixture.Options(UInt32(input[0] & 7) | 1 << 11),
        reassembly: ReassemblyLimits(
            datagrams: 16, fragments: 1_024, seed: .init(low: UInt64(input[1] & 7), high: 0x9e37_79b9_7f4a_7c15)))
    var model = FragmentModel()
    var wholes: [Int] = []
    for place in stride(from: 2, to: min(count - 4, 5 * 2_000), by: 5) {
        let flags = input[place]
        if flags & 0x40 != 0 {
            fixture.now += Fixture.timeout
            for _ in 0..<16 { fixture.forwarder.expire() }
            model.giveUp()
        }
        let datagram = Int(flags & 7)
        let piece = FragmentModel.Piece(
            offset: Int(UInt16(input[place + 1]) << 8 | UInt16(input[place + 2])) % 8_192 * 8,
            length: Int(UInt16(input[place + 3] & 7) << 8 | UInt16(input[place + 4])), isLast: flags & 8 == 0)
        // Neither a fragment nor the whole of a datagram that came in pieces.
        guard piece.offset != 0 || !piece.isLast else { continue }
        let options = piece.offset != 0 && flags & 0x20 != 0 ? 8 : 0
        let frame = Pattern.frame(datagram, piece, tagged: flags & 0x10 != 0, options: options)
        let tailroom: UInt32 = [0, 1, 64, 200, 600, 2_048, 10_000, 50_000][Int(input[place + 3] >> 5)]
        let whole = model.take(piece, of: datagram, isUDP: Pattern.isUDP(datagram), header: 20 + options)
        if whole != nil { wholes.append(datagram) }
        fixture.receive([Fixture.buffer(frame, headroom: 0, tailroom: tailroom)], port: 1) { frame, port in
            precondition(whole != nil, "something comes of what is not whole")
            Pattern.check(frame, datagram, length: whole ?? 0, isPunted: port == nil)
        }
        precondition(fixture.forwarder.heldFragments == model.held, "not what should be held")
    }
    // A first buffer without room for the headers is the one thing that the model does not know: it ends as tiny.
    let known: [Counter] = [
        .fragmentMalformed, .fragmentTooLong, .fragmentDuplicate, .fragmentOverlap, .fragmentTimeout, .fragmentsTooMany,
        .fragmentEvicted,
    ]
    for counter in known { precondition(fixture.count(counter) == model.ends[counter] ?? 0, "\(counter)") }
    let joined = fixture.count(.reassembledFragments) + fixture.count(.fragmentTiny)
    precondition(
        joined == (model.ends[.reassembledFragments] ?? 0) + (model.ends[.fragmentTiny] ?? 0), "fragments joined")
    fixture.finish()
    return 0
}

/// What the datagrams are: the even ones L2TP data messages over UDP, the odd ones ICMP.
enum Pattern {
    static func isUDP(_ datagram: Int) -> Bool { datagram & 1 == 0 }

    /// UDP lengths: what lies behind them does not belong to the message.
    private static let lengths = [64, 1_000, 3_000, 20_000]

    private static func octet(_ datagram: Int, _ offset: Int) -> UInt8 {
        if isUDP(datagram), offset < 18 {
            let length = lengths[datagram / 2]
            return [
                6, 0xa5, 6, 0xa5, UInt8(length >> 8), UInt8(length & 255), 0, 0, 0, 2, 0, 7, 0, 9, 0xff, 3, 0, 0x21,
            ][offset]
        }
        return UInt8(truncatingIfNeeded: (offset &* 2_654_435_761 >> 16) &+ datagram &* 77)
    }

    static func frame(_ datagram: Int, _ piece: FragmentModel.Piece, tagged: Bool, options: Int) -> [UInt8] {
        let total = 20 + options + piece.length
        var header: [UInt8] = [UInt8(0x45 + options / 4), 0, UInt8(total >> 8), UInt8(total & 255), 0, UInt8(datagram)]
        header += [UInt8(piece.offset >> 11) | (piece.isLast ? 0 : 0x20), UInt8(piece.offset >> 3 & 255), 64]
        header += [isUDP(datagram) ? 17 : 1, 0, 0] + Fixture.peerAddress.octets + Fixture.localAddress.octets
        header += [UInt8](repeating: 1, count: options)
        var sum = stride(from: 0, to: header.count, by: 2).reduce(0) { $0 + Int(header[$1]) << 8 + Int(header[$1 + 1]) }
        while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
        (header[10], header[11]) = (UInt8(~sum >> 8 & 255), UInt8(~sum & 255))
        let ethernet = Fixture.coreMAC.octets + [2, 0, 0, 0, 14, 1] + (tagged ? [0x81, 0, 0, 5, 8, 0] : [8, 0])
        return ethernet + header + (0..<piece.length).map { octet(datagram, piece.offset + $0) }
    }

    static func check(_ frame: [UInt8], _ datagram: Int, length: Int, isPunted: Bool) {
        precondition(isPunted != isUDP(datagram), "it went another way")
        if isUDP(datagram) {
            let ppp = lengths[datagram / 2] - 16
            precondition(frame.count == 20 + ppp, "length of the PPPoE frame")
            precondition(frame.dropFirst(20).elementsEqual((0..<ppp).map { octet(datagram, $0 + 16) }), "PPP frame")
        } else {
            precondition(frame.suffix(length).elementsEqual((0..<length).map { octet(datagram, $0) }), "datagram")
            let header = Array(frame.dropLast(length).suffix(20))
            precondition(Int(header[2]) << 8 + Int(header[3]) == 20 + length, "total length")
            precondition(header[6] == 0 && header[7] == 0, "flags and offset")
            var sum = stride(from: 0, to: 20, by: 2).reduce(0) { $0 + Int(header[$1]) << 8 + Int(header[$1 + 1]) }
            while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
            precondition(sum == 0xffff, "header checksum")
        }
    }
}
