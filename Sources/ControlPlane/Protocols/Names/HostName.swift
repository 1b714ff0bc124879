/// The name of a host as RFC 1123 section 2.1 allows it, in lower case: letters, digits and hyphens in labels of 1 to 63 octets,
/// 253 octets at most with the dots between them, and no dot at the end.
///
/// Names come from what subscribers type as their user name, so this is the one place where such text becomes something that is
/// asked of a name server.
public struct HostName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Longest name, in octets.
    public static let maximumLength = 253
    /// Longest label, in octets.
    public static let maximumLabelLength = 63

    /// The name, in lower case: two names that differ in case alone are the same name (RFC 4343).
    public let text: String

    /// Checks `text` as a whole. A last label of digits alone is refused: it is an address or a part of one, no name
    /// (RFC 1123 section 2.1, RFC 3696 section 2).
    public init(_ text: some StringProtocol) throws(HostNameFault) {
        // Counted before anything is copied: a user name may be long.
        let length = text.utf8.count
        guard length > 0 else { throw .empty }
        guard length <= Self.maximumLength else { throw .tooLong(length) }
        var octets: [UInt8] = []
        octets.reserveCapacity(length)
        for octet in text.utf8 {
            switch octet {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): octets.append(octet | 0x20)
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "."):
                octets.append(octet)
            default: throw .octet(octet)
            }
        }
        let labels = octets.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        for label in labels {
            guard let first = label.first, let last = label.last else { throw .emptyLabel }
            guard label.count <= Self.maximumLabelLength else { throw .labelTooLong(label.count) }
            guard first != UInt8(ascii: "-"), last != UInt8(ascii: "-") else { throw .hyphenAtEdge }
        }
        guard let last = labels.last, last.contains(where: { $0 >= UInt8(ascii: "a") }) else { throw .numeric }
        self.text = String(decoding: octets, as: UTF8.self)
    }

    /// From a name in wire form, without compression and in lower case (RFC 1035 section 3.1); nil when a host cannot have it.
    init?(wire: [UInt8]) {
        var labels: [String] = []
        var rest = wire[...]
        while let length = rest.popFirst(), length > 0 {
            guard rest.count >= Int(length) else { return nil }
            labels.append(String(decoding: rest.prefix(Int(length)), as: UTF8.self))
            rest = rest.dropFirst(Int(length))
        }
        // What is not ASCII, and a dot within a label, are no host's: the text is checked like any other.
        guard labels.allSatisfy({ !$0.utf8.contains(UInt8(ascii: ".")) }),
            let name = try? HostName(labels.joined(separator: "."))
        else { return nil }
        self = name
    }

    /// The name in wire form.
    var wire: [UInt8] {
        text.utf8.split(separator: UInt8(ascii: ".")).flatMap { [UInt8(truncatingIfNeeded: $0.count)] + $0 } + [0]
    }

    /// The name.
    public var description: String { text }

    /// By the text.
    public static func < (left: HostName, right: HostName) -> Bool { left.text < right.text }
}

/// Why a text is no host's name.
public enum HostNameFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is nothing.
    case empty
    /// It has this many octets.
    case tooLong(Int)
    /// Two dots in a row, or a dot at an end.
    case emptyLabel
    /// A label has this many octets.
    case labelTooLong(Int)
    /// This octet is neither a letter of ASCII, a digit, a hyphen nor a dot.
    case octet(UInt8)
    /// A label begins or ends with a hyphen.
    case hyphenAtEdge
    /// The last label has no letter.
    case numeric

    /// For people.
    public var description: String {
        switch self {
        case .empty: "the name is empty"
        case .tooLong(let length):
            "the name has \(length) octets, \(HostName.maximumLength) are the most that DNS takes"
        case .emptyLabel: "the name begins or ends with a dot, or has two dots in a row"
        case .labelTooLong(let length):
            "a part of the name has \(length) octets, \(HostName.maximumLabelLength) are the most that DNS takes"
        case .octet(let octet):
            if (0x21...0x7e).contains(octet) {
                "the name has a '\(Character(UnicodeScalar(octet)))' in it; host names have letters, digits and hyphens"
            } else {
                "the name has an octet 0x\(String(octet, radix: 16)) in it; host names have letters, digits and hyphens"
            }
        case .hyphenAtEdge: "a part of the name begins or ends with a hyphen"
        case .numeric: "the name's last part has no letter in it: an address is no name"
        }
    }
}
