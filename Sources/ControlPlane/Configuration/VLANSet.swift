/// VLAN ids, and whether frames without a tag belong to the set.
public struct VLANSet: Hashable, Sendable, CustomStringConvertible {
    /// Whether untagged frames belong to it.
    public let untagged: Bool
    /// Ids from 1 to 4,094, ascending and disjoint.
    public let ranges: [ClosedRange<UInt16>]

    /// Untagged frames and no others.
    public static let untaggedOnly = VLANSet(untagged: true, ranges: [])

    /// Why a text is no set of VLANs.
    enum Fault: Error {
        case syntax
        case outOfRange(String)
        case twice(String)
    }

    private init(untagged: Bool, ranges: [ClosedRange<UInt16>]) {
        self.untagged = untagged
        self.ranges = ranges
    }

    /// Parses `untagged,100,200-299`.
    init(parsing text: String) throws(Fault) {
        var untagged = false
        var ranges: [ClosedRange<UInt16>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let word = part.trimmingSpaces()
            if word == "untagged" {
                guard !untagged else { throw .twice("untagged") }
                untagged = true
                continue
            }
            let ends = word.split(separator: "-", omittingEmptySubsequences: false).map { $0.trimmingSpaces() }
            guard (1...2).contains(ends.count), let first = ends.first, let last = ends.last,
                ends.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } })
            else { throw .syntax }
            guard let low = UInt16(first), let high = UInt16(last), low <= high, (1...4_094).contains(low),
                (1...4_094).contains(high)
            else { throw .outOfRange(String(word)) }
            guard !ranges.contains(where: { $0.overlaps(low...high) }) else { throw .twice(String(word)) }
            ranges.append(low...high)
        }
        self.init(untagged: untagged, ranges: ranges.sorted { $0.lowerBound < $1.lowerBound })
    }

    /// Number of ids, untagged not counted.
    public var count: Int { ranges.reduce(0) { $0 + $1.count } }

    /// Whether the id is in the set; 0 stands for an untagged frame.
    public func contains(_ id: UInt16) -> Bool { id == 0 ? untagged : ranges.contains { $0.contains(id) } }

    /// Whether the two have a member in common.
    public func overlaps(_ other: VLANSet) -> Bool {
        (untagged && other.untagged) || ranges.contains { range in other.ranges.contains { $0.overlaps(range) } }
    }

    /// As the file says it, in ascending order.
    public var description: String {
        let words = ranges.map {
            $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
        }
        return ((untagged ? ["untagged"] : []) + words).joined(separator: ",")
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
