/// An IPv6 address, in host byte order, comparable and hashable.
@frozen
public struct IPv6Address: Hashable, Comparable, Sendable {
    /// The first eight octets, the first on the wire being the most significant.
    public let high: UInt64
    /// The last eight octets.
    public let low: UInt64

    /// The address whose octets are those of `high` and then of `low`, most significant first.
    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// From sixteen octets in wire order; nil when there are not exactly sixteen.
    public init?(_ octets: some Collection<UInt8>) {
        guard octets.count == 16 else { return nil }
        func value(_ part: some Collection<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: value(octets.prefix(8)), low: value(octets.suffix(8)))
    }

    /// From text as RFC 4291, section 2.2, has it, with or without `::` and a dotted tail; nil for anything else, zones included.
    public init?(_ text: String) {
        var text = Substring(text)
        var tail: [UInt8] = []
        if text.contains(".") {
            guard let colon = text.lastIndex(of: ":"),
                let address = IPv4Address(String(text[text.index(after: colon)...]))
            else { return nil }
            tail = address.octets
            // The dotted part stands for two groups: what is left ends in the colon in front of it.
            text = text[...colon]
            text = text.hasSuffix("::") ? text : text.dropLast()
        }
        let halves = Self.split(text)
        guard let halves, let front = Self.groups(halves.front), let back = Self.groups(halves.back) else { return nil }
        let count = front.count + back.count + tail.count
        guard halves.isCompressed ? count <= 14 : count == 16 else { return nil }
        self.init(front + [UInt8](repeating: 0, count: 16 - count) + back + tail)
    }

    /// The sixteen octets in wire order.
    public var octets: [UInt8] {
        [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) } }
    }

    /// The unspecified address, `::`.
    public static let unspecified = IPv6Address(high: 0, low: 0)

    /// Whether it is a multicast address (ff00::/8).
    public var isMulticast: Bool { high >> 56 == 0xff }
    /// Whether it is a link-local unicast address (fe80::/10).
    public var isLinkLocal: Bool { high >> 54 == 0xfe80 >> 6 }

    /// By the value of the octets.
    public static func < (left: IPv6Address, right: IPv6Address) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    /// What stands in front of `::` and behind it; all in front when there is none. nil when there are two.
    private static func split(_ text: Substring) -> (front: Substring, back: Substring, isCompressed: Bool)? {
        var index = text.startIndex
        var found: Substring.Index?
        while index < text.endIndex {
            let next = text.index(after: index)
            if text[index] == ":", next < text.endIndex, text[next] == ":" {
                guard found == nil else { return nil }
                found = index
                index = text.index(after: next)
            } else {
                index = next
            }
        }
        guard let found else { return (text, "", false) }
        return (text[..<found], text[text.index(found, offsetBy: 2)...], true)
    }

    /// Groups of one to four hexadecimal digits between colons, as octets.
    private static func groups(_ text: Substring) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        var octets: [UInt8] = []
        for group in text.split(separator: ":", omittingEmptySubsequences: false) {
            guard (1...4).contains(group.utf8.count),
                group.utf8.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
                let value = UInt16(group, radix: 16)
            else { return nil }
            octets += [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
        }
        return octets
    }
}

extension IPv6Address: CustomStringConvertible {
    /// The canonical text of RFC 5952.
    public var description: String {
        let groups = [high, low].flatMap { half in (0..<4).map { UInt16(truncatingIfNeeded: half >> (48 - 16 * $0)) } }
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(best.count, 1) { best = start..<end }
            start = max(end, start + 1)
        }
        func text(_ part: some Sequence<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !best.isEmpty else { return text(groups) }
        return text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
    }
}
