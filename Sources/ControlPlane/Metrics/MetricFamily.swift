/// A metric with all of its samples, in the terms of Prometheus.
public struct MetricFamily: Hashable, Sendable {
    /// What the number does.
    public enum Kind: String, Hashable, Sendable {
        /// It goes up, and starts at 0 again with whatever counts.
        case counter
        /// It goes up and down.
        case gauge
    }

    /// A number, with the labels that tell it from others of the family.
    public struct Sample: Hashable, Sendable {
        /// Names and values, in the order in which they are written.
        public var labels: [Label]
        /// The number.
        public var value: Value
    }

    /// A label.
    public struct Label: Hashable, Sendable {
        /// Letters, digits and underscores.
        public var name: String
        /// Any text.
        public var value: String

        /// A label.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A number: counters of 64 bits are written exactly, whatever their reader makes of it.
    public enum Value: Hashable, Sendable {
        case whole(UInt64)
        case real(Double)
    }

    /// Letters, digits and underscores; a counter's ends in `_total`.
    public var name: String
    /// What the number does.
    public var kind: Kind
    /// What is counted, in one line.
    public var help: String
    /// The samples; a family without any is left out.
    public var samples: [Sample] = []

    /// A family of one sample without labels.
    public init(_ name: String, _ kind: Kind, _ help: String, _ value: Value) {
        self.init(name, kind, help)
        add(value)
    }

    /// A family whose samples are to be added.
    public init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        self.kind = kind
        self.help = help
    }

    /// Adds a sample.
    public mutating func add(_ value: Value, _ labels: Label...) { add(value, labels) }

    /// Adds a sample.
    public mutating func add(_ value: Value, _ labels: [Label]) {
        samples.append(Sample(labels: labels, value: value))
    }
}

extension MetricFamily {
    /// The families in Prometheus' text format, version 0.0.4.
    public static func text(of families: [MetricFamily]) -> String {
        var text = ""
        for family in families where !family.samples.isEmpty {
            text += "# HELP \(family.name) \(escaped(family.help, quoted: false))\n"
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in family.samples {
                text += family.name
                if !sample.labels.isEmpty {
                    let labels = sample.labels.map { "\($0.name)=\"\(escaped($0.value, quoted: true))\"" }
                    text += "{\(labels.joined(separator: ","))}"
                }
                switch sample.value {
                case .whole(let number): text += " \(number)\n"
                case .real(let number): text += " \(number)\n"
                }
            }
        }
        return text
    }

    /// Backslashes and ends of lines, and in a label's value quotation marks, with a backslash.
    private static func escaped(_ text: String, quoted: Bool) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quoted: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
