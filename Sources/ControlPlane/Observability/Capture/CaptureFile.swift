/// A pcapng file of a capture (draft-ietf-opsawg-pcapng): the octets that go to a file or pipe, block by block, as records come.
///
/// ```
///   Section Header           once: what wrote the file
///   Interface Description    when an interface is seen for the first time: its name, nanoseconds
///   Enhanced Packet          a record: time, frame, direction, comment
///   ...
/// ```
///
/// Blocks are in big-endian order, which the format leaves to the writer. Records may come from anywhere: what does not fit the format
/// is cut, and nothing in a record can make another block of its own.
public struct CaptureFile: Sendable {
    /// Octets of a frame that are written at most; what the Interface Description Block says if no shorter snap length is asked for.
    public static let longestFrame = 262_144
    /// Interfaces that are told apart. Frames of further ones are written as the last one's, which their comment says.
    public static let mostInterfaces = 256

    private let snapLength: UInt32
    private var interfaces: [String] = []

    /// A file whose frames have at most `snapLength` octets; 0: all of them.
    public init(snapLength: UInt32 = 0) { self.snapLength = snapLength == 0 ? UInt32(Self.longestFrame) : snapLength }

    /// The Section Header Block, with which a file begins.
    /// - Parameters:
    ///   - application: name and version of what writes the file.
    ///   - comment: about the file as a whole; empty: none.
    public func header(application: String, comment: String = "") -> [UInt8] {
        var block = Block(.sectionHeader)
        block.put(0x1a2b_3c4d as UInt32)
        block.put(1 as UInt16)
        block.put(0 as UInt16)
        block.put(UInt64.max)  // the section's length is not known
        if !comment.isEmpty { block.option(1, comment) }
        block.option(4, application)
        return block.finished()
    }

    /// The blocks of a record: that of its frame, and before it that of an interface which is new.
    public mutating func blocks(of record: CaptureRecord) -> [UInt8] {
        var octets: [UInt8] = []
        var comment = record.comment
        let index: Int
        if let known = interfaces.firstIndex(of: record.interface) {
            index = known
        } else if interfaces.count < Self.mostInterfaces {
            index = interfaces.count
            interfaces.append(record.interface)
            octets = description(of: record.interface)
        } else {
            index = interfaces.count - 1
            comment = "interface \(record.interface)" + (comment.isEmpty ? "" : "; \(comment)")
        }
        let frame = record.bytes.prefix(Self.longestFrame)
        var block = Block(.enhancedPacket)
        block.put(UInt32(index))
        block.put(UInt32(truncatingIfNeeded: record.timeNanoseconds >> 32))
        block.put(UInt32(truncatingIfNeeded: record.timeNanoseconds))
        block.put(UInt32(frame.count))
        block.put(max(record.originalLength, UInt32(frame.count)))
        block.put(frame)
        if !comment.isEmpty { block.option(1, comment) }
        // epb_flags: bits 0 and 1 are the direction, 1 inbound, 2 outbound.
        block.option(2, UInt32(record.direction.rawValue))
        return octets + block.finished()
    }

    private func description(of name: String) -> [UInt8] {
        var block = Block(.interfaceDescription)
        block.put(1 as UInt16)  // LINKTYPE_ETHERNET
        block.put(0 as UInt16)
        block.put(snapLength)
        if !name.isEmpty { block.option(2, name) }
        block.option(9, [9])  // if_tsresol: 10^-9 seconds
        return block.finished()
    }
}

/// A block under way: type, total length, body and options, total length again, all in words of four octets.
private struct Block {
    enum Kind: UInt32 {
        case sectionHeader = 0x0a0d_0d0a
        case interfaceDescription = 1
        case enhancedPacket = 6
    }

    private var octets: [UInt8] = []

    init(_ kind: Kind) {
        put(kind.rawValue)
        put(0 as UInt32)
    }

    mutating func put(_ value: some FixedWidthInteger & UnsignedInteger) {
        withUnsafeBytes(of: value.bigEndian) { octets.append(contentsOf: $0) }
    }

    /// Octets, with zeros behind them up to a whole word.
    mutating func put(_ data: some Collection<UInt8>) {
        octets.append(contentsOf: data)
        while octets.count & 3 != 0 { octets.append(0) }
    }

    mutating func option(_ code: UInt16, _ value: UInt32) {
        put(code)
        put(4 as UInt16)
        put(value)
    }

    mutating func option(_ code: UInt16, _ value: some Collection<UInt8>) {
        put(code)
        put(UInt16(clamping: value.count))
        put(value.prefix(Int(UInt16.max)))
    }

    /// Text, cut to what an option holds where one of its characters begins.
    mutating func option(_ code: UInt16, _ text: String) {
        var end = 0
        for character in text.unicodeScalars {
            let next = end + Unicode.UTF8.octets(of: character)
            guard next <= Int(UInt16.max) else { break }
            end = next
        }
        option(code, Array(text.utf8.prefix(end)))
    }

    /// The block's octets, once no more is to come: there was an option at least.
    func finished() -> [UInt8] {
        var octets = octets
        octets.append(contentsOf: [0, 0, 0, 0])  // opt_endofopt
        withUnsafeBytes(of: UInt32(octets.count + 4).bigEndian) { length in
            octets.append(contentsOf: length)
            octets.replaceSubrange(4..<8, with: length)
        }
        return octets
    }
}

extension Unicode.UTF8 {
    fileprivate static func octets(of scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case ..<0x80: 1
        case ..<0x800: 2
        case ..<0x1_0000: 3
        default: 4
        }
    }
}
