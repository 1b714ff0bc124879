import Segment

/// What RFC 791, 1858, 3128, 5722 and 8200 say becomes of fragments, in the plainest way, to compare the reassembler with. It has
/// no bounds but the number of pieces.
struct FragmentModel {
    struct Piece: Hashable {
        var offset: Int
        var length: Int
        var isLast: Bool
        var end: Int { offset + length }
    }

    private var datagrams: [Int: [Piece]] = [:]
    private var spoilt: [Int: Counter] = [:]
    /// How many fragments ended where.
    private(set) var ends: [Counter: UInt64] = [:]

    /// Fragments held.
    var held: Int { datagrams.values.map(\.count).reduce(0, +) }

    /// Takes a fragment of a datagram. Answers how long the datagram is when it is whole now.
    mutating func take(_ piece: Piece, of key: Int, isUDP: Bool, header: Int) -> Int? {
        if let fault = Self.fault(piece, isUDP: isUDP, header: header) {
            ends[fault, default: 0] += 1
            return nil
        }
        if let reason = spoilt[key] {
            ends[reason, default: 0] += 1
            return nil
        }
        let others = datagrams[key] ?? []
        if others.contains(piece) {
            ends[.fragmentDuplicate, default: 0] += 1
            return nil
        }
        let knownEnd = others.first(where: \.isLast)?.end
        let overlaps = others.contains { $0.offset < piece.end && piece.offset < $0.end }
        let contradicts = piece.isLast && (knownEnd != nil || others.contains { $0.end > piece.end })
        if overlaps || contradicts || piece.end > knownEnd ?? .max {
            spoil(key, .fragmentOverlap)
            return nil
        }
        if others.count == 64 {
            spoil(key, .fragmentsTooMany)
            return nil
        }
        let pieces = others + [piece]
        datagrams[key] = pieces
        guard let end = pieces.first(where: \.isLast)?.end, pieces.map(\.length).reduce(0, +) == end else { return nil }
        datagrams[key] = nil
        ends[.reassembledFragments, default: 0] += UInt64(pieces.count)
        return end
    }

    /// All that is incomplete is past its time.
    mutating func giveUp() {
        ends[.fragmentTimeout, default: 0] += UInt64(held)
        (datagrams, spoilt) = ([:], [:])
    }

    private mutating func spoil(_ key: Int, _ reason: Counter) {
        ends[reason, default: 0] += UInt64((datagrams[key] ?? []).count + 1)
        datagrams[key] = nil
        spoilt[key] = reason
    }

    private static func fault(_ piece: Piece, isUDP: Bool, header: Int) -> Counter? {
        if piece.length == 0 || (!piece.isLast && piece.length % 8 != 0) { return .fragmentMalformed }
        if header + piece.end > 65_535 { return .fragmentTooLong }
        if piece.offset == 8 || (piece.offset == 0 && isUDP && piece.length < 14) { return .fragmentTiny }
        return nil
    }
}
