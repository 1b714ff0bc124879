import Forwarding
import Wire

/// A frame that is written from front to back into a room of its own, which is used again for the next one.
final class FrameText {
    private let room = UnsafeMutableRawPointer.allocate(byteCount: 2_048, alignment: 8)
    private(set) var count = 0

    deinit { room.deallocate() }

    /// What was written since `clear`.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: room, count: count) }

    func clear() { count = 0 }

    /// Adds an integer in network byte order. What does not fit is left out.
    func put<Integer: FixedWidthInteger>(_ value: Integer) {
        guard count + MemoryLayout<Integer>.size <= 2_048 else { return }
        (room + count).storeBytes(of: value.bigEndian, as: Integer.self)
        count += MemoryLayout<Integer>.size
    }

    /// Adds octets; those that do not fit are left out.
    func put(_ octets: UnsafeRawBufferPointer) {
        let added = min(octets.count, 2_048 - count)
        UnsafeMutableRawBufferPointer(start: room + count, count: added)
            .copyBytes(from: UnsafeRawBufferPointer(rebasing: octets.prefix(added)))
        count += added
    }

    func put(_ mac: MACAddress) {
        put(UInt16(truncatingIfNeeded: mac.value >> 32))
        put(UInt32(truncatingIfNeeded: mac.value))
    }

    /// Puts `value` over what was written at `offset`.
    func patch(_ value: UInt16, at offset: Int) {
        guard offset + 2 <= count else { return }
        (room + offset).storeBytes(of: value.bigEndian, as: UInt16.self)
    }

    /// The Internet checksum (RFC 1071) of what was written from `start` to `end`, and of words that were summed before.
    func checksum(from start: Int, to end: Int, and words: UInt32 = 0) -> UInt16 {
        var sum = words
        for offset in start..<min(end, count) {
            let octet = UInt32(room.load(fromByteOffset: offset, as: UInt8.self))
            sum += (offset - start) & 1 == 0 ? octet << 8 : octet
        }
        while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
        return ~UInt16(truncatingIfNeeded: sum)
    }

    /// Whether these octets are what was written, to the last one.
    func equals(_ other: UnsafeRawBufferPointer) -> Bool { bytes.elementsEqual(other) }
}
