import Observability

/// Capture records as pcapng (draft-ietf-opsawg-pcapng), in the order that they come in: a section, an interface block in front of
/// each port's first frame, an enhanced packet block for each frame. Little-endian, times in nanoseconds.
struct PcapngWriter {
    private var interfaces: [String: UInt32] = [:]
    private var hasBegun = false

    /// The section header, once; then nothing.
    mutating func start() -> [UInt8] {
        guard !hasBegun else { return [] }
        hasBegun = true
        // Byte-order magic, version 1.0, length of the section not told; option 4: the application.
        return Self.block(
            0x0a0d_0d0a,
            Self.octets(0x1a2b_3c4d as UInt32) + [1, 0, 0, 0] + Self.octets(UInt64.max)
                + Self.option(4, Array("culvert".utf8)) + Self.end)
    }

    /// A frame, behind the block of its port where that has none yet.
    mutating func encode(_ record: CaptureRecord) -> [UInt8] {
        var octets = start()
        let interface: UInt32
        if let known = interfaces[record.interface] {
            interface = known
        } else {
            interface = UInt32(interfaces.count)
            interfaces[record.interface] = interface
            // Link type 1: Ethernet; frames of any length. Options: 2 the name, 9 times in units of 10^-9 s.
            octets += Self.block(
                1,
                [1, 0, 0, 0, 0, 0, 0, 0] + Self.option(2, Array(record.interface.utf8)) + Self.option(9, [9])
                    + Self.end)
        }
        let kept = UInt32(clamping: record.bytes.count)
        var body = Self.octets(interface)
        body += Self.octets(UInt32(truncatingIfNeeded: record.timeNanoseconds >> 32))
        body += Self.octets(UInt32(truncatingIfNeeded: record.timeNanoseconds))
        body += Self.octets(kept) + Self.octets(record.originalLength)
        body += Self.padded(record.bytes)
        // Options: 2 the direction, 1 a comment.
        body += Self.option(2, Self.octets(UInt32(record.direction == .inbound ? 1 : 2)))
        if !record.comment.isEmpty { body += Self.option(1, Array(record.comment.utf8.prefix(65_000))) }
        return octets + Self.block(6, body + Self.end)
    }

    private static let end: [UInt8] = [0, 0, 0, 0]

    private static func block(_ type: UInt32, _ body: [UInt8]) -> [UInt8] {
        let length = octets(UInt32(clamping: body.count + 12))
        return octets(type) + length + body + length
    }

    private static func option(_ code: UInt16, _ value: [UInt8]) -> [UInt8] {
        octets(code) + octets(UInt16(clamping: value.count)) + padded(value)
    }

    private static func padded(_ octets: [UInt8]) -> [UInt8] {
        octets + [UInt8](repeating: 0, count: (4 - octets.count % 4) % 4)
    }

    private static func octets(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
