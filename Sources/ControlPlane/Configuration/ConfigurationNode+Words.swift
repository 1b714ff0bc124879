import Settings
import Wire

extension ConfigurationNode {
    /// Text of 1 to `limit` octets without control characters.
    func text(upTo limit: Int) -> String? {
        guard let text = string() else { return nil }
        guard (1...limit).contains(text.utf8.count) else {
            fault("expected 1 to \(limit) octets of text, found \(text.utf8.count)")
            return nil
        }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            fault("expected text without control characters")
            return nil
        }
        return text
    }

    /// The name of an instance or profile.
    func name() -> String? {
        parsed("a name of 1 to 63 letters, digits, `-`, `_` or `.`") { text in
            let isFit = text.utf8.allSatisfy { octet in
                (48...57).contains(octet) || (65...90).contains(octet) || (97...122).contains(octet)
                    || [45, 46, 95].contains(octet)
            }
            return isFit && (1...63).contains(text.utf8.count) ? text : nil
        }
    }

    /// A host's IPv4 or IPv6 address.
    func hostAddress() -> IPAddress? {
        parsed("a host's IP address such as 192.0.2.1 or 2001:db8::1") {
            IPAddress($0).flatMap { $0.isUnicast ? $0 : nil }
        }
    }

    /// The elements of a list, or this node alone where a single value stands for a list of one.
    func oneOrMore() -> [ConfigurationNode] {
        guard node.sequence != nil else { return [self] }
        let elements = elements() ?? []
        if elements.isEmpty { fault("expected at least one") }
        return elements
    }
}
