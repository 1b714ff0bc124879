/// The document as a file: YAML that the reader takes, but for the secrets, which are masked.
extension ConfigurationDocument {
    /// What stands for every secret.
    static let maskedSecret = "<secret>"

    /// A section's text, with its name.
    static func yaml(_ section: Section) -> String {
        switch section.body {
        case .settings(let settings): "\(section.name):\n" + lines(settings, indent: 2)
        case .elements(let elements):
            "\(section.name):\n" + elements.map { item($0.settings, indent: 2) }.joined()
        case .texts(let texts): "\(section.name): \(flow(texts))\n"
        }
    }

    /// An element of a list: a dash in front of the first setting.
    private static func item(_ settings: [Setting], indent: Int) -> String {
        var text = Array(lines(settings, indent: indent + 2))
        if text.count > indent { text[indent] = "-" }
        return String(text)
    }

    private static func lines(_ settings: [Setting], indent: Int) -> String {
        let margin = String(repeating: " ", count: indent)
        return settings.map { setting in
            switch setting.value {
            case .mapping(let inner): "\(margin)\(setting.name):\n" + lines(inner, indent: indent + 2)
            case .rows(let rows):
                "\(margin)\(setting.name):\n"
                    + rows.map { "\(margin)  - \(text(.mapping($0)))\n" }.joined()
            case .plain, .text, .secret, .list: "\(margin)\(setting.name): \(text(setting.value))\n"
            }
        }.joined()
    }

    /// A value on one line.
    static func text(_ value: Value) -> String {
        switch value {
        case .plain(let word): word
        case .text(let text): quoted(text)
        case .secret: quoted(maskedSecret)
        case .list(let texts): flow(texts)
        case .mapping(let settings):
            "{" + settings.map { "\($0.name): \(text($0.value))" }.joined(separator: ", ") + "}"
        case .rows(let rows): "[" + rows.map { text(.mapping($0)) }.joined(separator: ", ") + "]"
        }
    }

    private static func flow(_ texts: [String]) -> String { "[" + texts.map(quoted).joined(separator: ", ") + "]" }

    /// `text` as a YAML scalar: bare where it cannot be taken for anything else, in any place.
    package static func quoted(_ text: String) -> String {
        func isWord(_ octet: UInt8) -> Bool {
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "/"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        let octets = Array(text.utf8)
        let isBare =
            octets.first.map(isWord) == true && octets.last.map(isWord) == true
            && octets.allSatisfy { isWord($0) || "-: ".utf8.contains($0) }
            && !text.contains(": ") && !["null", "Null", "NULL"].contains(text)
        guard !isBare else { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case let control where control.value < 0x20 || (0x7f...0x9f).contains(control.value):
                let digits = String(control.value, radix: 16)
                quoted += "\\x" + (digits.count < 2 ? "0" : "") + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
