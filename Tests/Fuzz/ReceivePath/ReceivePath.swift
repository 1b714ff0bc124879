import CDPDK
import Fixture
import Forwarding
import Segment
import Wire

/// Whole frames, one after the other, through the forwarder, each in a buffer without an octet to spare: nothing is touched
/// outside of a buffer, each frame ends once, and every buffer is freed. An input is options (4 octets), then frames:
///
///     0   port, whether IPv4's header checksum is made right, room in front and behind; time runs out first
///     1-2 octets of the frame
///     3-  the frame
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count >= 4 else { return 0 }
    let input = UnsafeBufferPointer(start: start, count: count)
    let options = input.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let fixture = Fixture(
        Fixture.Options(options),
        reassembly: ReassemblyLimits(datagrams: 16, fragments: 256, seed: .init(low: 1, high: 0x9e37_79b9_7f4a_7c15)))
    var rest = input.dropFirst(4)
    while rest.count >= 3, let flags = rest.popFirst(), let high = rest.popFirst(), let low = rest.popFirst() {
        let length = min(Int(high) << 8 | Int(low), rest.count)
        var frame = Array(rest.prefix(length))
        rest = rest.dropFirst(length)
        if flags & 2 == 0 { mendChecksum(&frame) }
        fixture.now += flags & 0x80 != 0 ? Fixture.timeout : 100
        fixture.forwarder.expire()
        fixture.forwarder.expireMessages(now: fixture.now)
        let buffer = Fixture.buffer(
            frame, headroom: flags & 4 == 0 ? 128 : 0, tailroom: [0, 600, 2_048, 40][Int(flags >> 3 & 3)])
        fixture.receive([buffer], port: UInt32(flags & 1))
    }
    fixture.finish()
    return 0
}

/// Makes the checksum of an IPv4 header right, so that changed headers get behind its check.
private func mendChecksum(_ frame: inout [UInt8]) {
    guard frame.count >= 34 else { return }
    var start = 12
    while start + 2 <= frame.count, [0x81, 0x88].contains(frame[start]), start < 20 { start += 4 }
    guard start + 22 <= frame.count, frame[start] == 8, frame[start + 1] == 0 else { return }
    start += 2
    let end = start + Int(frame[start] & 15) * 4
    guard end >= start + 20, end <= frame.count else { return }
    (frame[start + 10], frame[start + 11]) = (0, 0)
    var sum = stride(from: start, to: end, by: 2).reduce(0) { $0 + Int(frame[$1]) << 8 + Int(frame[$1 + 1]) }
    while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
    (frame[start + 10], frame[start + 11]) = (UInt8(~sum >> 8 & 255), UInt8(~sum & 255))
}
