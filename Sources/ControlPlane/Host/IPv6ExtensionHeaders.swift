import Wire

/// The extension headers of a packet to the node, walked in their order (RFC 8200 section 4).
///
/// Options are passed over or objected to, as their type's upper bits ask (section 4.2); a routing header with nothing left to
/// visit is passed over, another objected to (RFC 5095); a fragment header is passed over where the packet is whole.
struct IPv6ExtensionHeaders {
    /// More than any sender has a use for.
    private static let mostHeaders = 8

    /// ICMPv6 parameter problem (RFC 4443 section 3.4).
    enum Problem {
        static let erroneousField: UInt8 = 0
        static let unknownNextHeader: UInt8 = 1
        static let unknownOption: UInt8 = 2
    }

    private let start: Int
    private var next: UInt8
    /// Offset in the packet of the field that `next` was read from.
    private var field = 6
    private var remaining: ArraySlice<UInt8>
    private(set) var isAtomicFragment = false

    /// The headers at the front of `bytes`, which follow the IPv6 header; the first is of type `first`.
    init(first: UInt8, bytes: ArraySlice<UInt8>) {
        start = bytes.startIndex - IPv6Packet.headerLength
        next = first
        remaining = bytes
    }

    /// Goes through to what the packet carries.
    mutating func walk() throws(HostCounter) -> IPv6Packet.Content {
        for index in 0...Self.mostHeaders {
            switch next {
            case IPv6Packet.NextHeader.hopByHop:
                // Only the first may be one (section 4.3).
                guard index == 0 else { return problem(Problem.unknownNextHeader, at: field) }
                if let problem = try options() { return problem }
            case IPv6Packet.NextHeader.destinationOptions:
                if let problem = try options() { return problem }
            case IPv6Packet.NextHeader.routing:
                let header = try take()
                guard header[header.startIndex + 3] == 0 else {
                    return problem(Problem.erroneousField, at: offset(of: header) + 2)
                }
            case IPv6Packet.NextHeader.fragment:
                let header = try takeFragment()
                guard header[header.startIndex + 2] == 0, header[header.startIndex + 3] & 0xf9 == 0 else {
                    throw .ipv6Fragment
                }
                isAtomicFragment = true
            default:
                return .payload(protocol: next, payload: remaining, field: UInt32(field))
            }
        }
        throw .ipv6Malformed
    }

    /// Takes the next header off: at least 8 octets.
    private mutating func take() throws(HostCounter) -> ArraySlice<UInt8> {
        var reader = ByteReader(remaining)
        guard let following = reader.readUInt8(), let units = reader.readUInt8() else { throw .ipv6Malformed }
        return try take(octets: 8 + 8 * Int(units), following: following)
    }

    /// Takes a fragment header off, whose second octet is no length.
    private mutating func takeFragment() throws(HostCounter) -> ArraySlice<UInt8> {
        guard let following = remaining.first else { throw .ipv6Malformed }
        return try take(octets: 8, following: following)
    }

    private mutating func take(octets: Int, following: UInt8) throws(HostCounter) -> ArraySlice<UInt8> {
        guard remaining.count >= octets else { throw .ipv6Malformed }
        let header = remaining.prefix(octets)
        field = offset(of: header)
        next = following
        remaining = remaining.dropFirst(octets)
        return header
    }

    /// Takes a header of options off and looks through them.
    private mutating func options() throws(HostCounter) -> IPv6Packet.Content? {
        var reader = ByteReader(try take().dropFirst(2))
        while !reader.isEmpty {
            let pointer = offset(of: reader.remaining)
            guard let type = reader.readUInt8() else { break }
            if type == 0 { continue }  // Pad1
            guard let length = reader.readUInt8(), reader.readBytes(Int(length)) != nil else { throw .ipv6Malformed }
            // PadN, and Router Alert (RFC 2711), which says nothing to a node that looks at every packet.
            guard type != 1, type != 5 else { continue }
            switch type >> 6 {
            case 0: continue
            case 1: throw .ipv6OptionRefused
            case 2: return problem(Problem.unknownOption, at: pointer, evenToGroups: true)
            default: return problem(Problem.unknownOption, at: pointer)
            }
        }
        return nil
    }

    private func offset(of slice: ArraySlice<UInt8>) -> Int { slice.startIndex - start }

    private func problem(_ code: UInt8, at pointer: Int, evenToGroups: Bool = false) -> IPv6Packet.Content {
        .problem(code: code, pointer: UInt32(clamping: pointer), evenToGroups: evenToGroups)
    }
}
