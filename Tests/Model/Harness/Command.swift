import Wire

/// A line of the model's: a verb and words.
struct Command {
    /// What is wrong with a line.
    struct Fault: Error, CustomStringConvertible {
        var description: String
    }

    let verb: Substring
    private var words: ArraySlice<Substring>

    /// nil for an empty line.
    init?(_ line: String) {
        words = line.split(separator: " ")[...]
        guard let verb = words.popFirst() else { return nil }
        self.verb = verb
    }

    /// The next word.
    mutating func word() throws -> Substring {
        guard let word = words.popFirst() else { throw Fault(description: "\(verb): a word is missing") }
        return word
    }

    /// The words that are left.
    mutating func rest() -> ArraySlice<Substring> {
        defer { words = [] }
        return words
    }

    /// The next word as a number.
    mutating func number<Integer: FixedWidthInteger>(_ type: Integer.Type = Integer.self) throws -> Integer {
        let word = try word()
        guard let number = Integer(word) else { throw Fault(description: "\(verb): \(word) is no number") }
        return number
    }

    /// The next word, 0 or 1.
    mutating func flag() throws -> Bool { try number(UInt8.self) != 0 }

    /// The next word as an address in dotted decimal.
    mutating func address() throws -> IPv4Address {
        let word = try word()
        guard let address = IPv4Address(String(word)) else {
            throw Fault(description: "\(verb): \(word) is no address")
        }
        return address
    }

    /// The next word as octets in hexadecimal; `-` for none.
    mutating func octets() throws -> [UInt8] {
        let word = try word()
        if word == "-" { return [] }
        var octets: [UInt8] = []
        octets.reserveCapacity(word.utf8.count / 2)
        var high: UInt8?
        for character in word.utf8 {
            guard let digit = Self.digit(character) else {
                throw Fault(description: "\(verb): \(word) is not hexadecimal")
            }
            if let first = high {
                octets.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        guard high == nil else { throw Fault(description: "\(verb): \(word) has half an octet") }
        return octets
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case 0x30...0x39: character - 0x30
        case 0x61...0x66: character - 0x61 + 10
        default: nil
        }
    }

    /// The next word as an Ethernet address of twelve digits.
    mutating func mac() throws -> MACAddress {
        guard let mac = MACAddress(try octets()) else { throw Fault(description: "\(verb): no Ethernet address") }
        return mac
    }
}

/// Octets in hexadecimal; `-` for none.
func hexadecimal(_ octets: some Collection<UInt8>) -> String {
    guard !octets.isEmpty else { return "-" }
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(2 * octets.count)
    for octet in octets {
        text.append(digits[Int(octet >> 4)])
        text.append(digits[Int(octet & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}
