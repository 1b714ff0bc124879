import Yams

/// A place in a configuration file: a YAML node, the path that leads to it, and where its faults go.
///
/// Reading never throws. A value of the wrong type, out of its range or missing is reported to the collector and answers
/// nil; the reader goes on with a default, finds the other faults as well, and asks the collector at the end.
public struct ConfigurationNode {
    /// The YAML node.
    public let node: Node
    /// Path from the document's root, as in `dataplane.ports[1].mtu`.
    public let field: String
    /// Where faults go.
    public let faults: FaultCollector

    /// The node at `field`.
    public init(_ node: Node, field: String, faults: FaultCollector) {
        self.node = node
        self.field = field
        self.faults = faults
    }

    /// The root of the document in `text`; nil, with the fault collected, when it is not YAML, has a key twice or is empty.
    public static func document(_ text: String, faults: FaultCollector) -> ConfigurationNode? {
        do {
            if let node = try Yams.compose(yaml: text) { return ConfigurationNode(node, field: "", faults: faults) }
            faults.add(line: 1, field: "", reason: "the file is empty")
        } catch let error as YamlError {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                faults.add(line: mark.line, field: "", reason: "not YAML: \(problem)")
            case .duplicatedKeysInMapping(let keys, let context):
                for key in keys { faults.add(line: context.mark.line, field: key, reason: "given more than once") }
            default: faults.add(line: 1, field: "", reason: "not YAML: \(error)")
            }
        } catch {
            faults.add(line: 1, field: "", reason: "not YAML: \(error)")
        }
        return nil
    }

    /// Line in the file, counted from 1.
    public var line: Int { node.mark?.line ?? 0 }

    /// Reports a fault at this place.
    public func fault(_ reason: String) { faults.add(line: line, field: field, reason: reason) }

    /// The scalar's text, quoted or not. Not for an empty value, `~` or `null`.
    public func string() -> String? {
        guard let scalar = node.scalar, scalar.style != .plain || !Self.nulls.contains(scalar.string) else {
            fault("expected text, found \(kind)")
            return nil
        }
        return scalar.string
    }

    /// A decimal whole number within `range`; a quoted one is text, not a number.
    public func integer<Integer: FixedWidthInteger>(in range: ClosedRange<Integer>) -> Integer? {
        guard let scalar = node.scalar, scalar.style == .plain, let value = Integer(scalar.string),
            range.contains(value), scalar.string.first != "+"
        else {
            fault("expected a whole number from \(range.lowerBound) to \(range.upperBound), found \(shown)")
            return nil
        }
        return value
    }

    /// `true` or `false`, `yes` or `no`, `on` or `off`.
    public func boolean() -> Bool? {
        guard let scalar = node.scalar, scalar.style == .plain, let value = Self.booleans[scalar.string] else {
            fault("expected true or false, found \(shown)")
            return nil
        }
        return value
    }

    /// One of an enumeration's raw values.
    public func choice<Choice: CaseIterable & RawRepresentable<String>>(of type: Choice.Type = Choice.self) -> Choice? {
        guard let scalar = node.scalar, let value = Choice(rawValue: scalar.string) else {
            let names = Choice.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
            fault("expected one of \(names), found \(shown)")
            return nil
        }
        return value
    }

    /// Text that `parse` understands; `expected` says in words what that is, as in "an IPv4 address".
    public func parsed<Value>(_ expected: String, _ parse: (String) -> Value?) -> Value? {
        guard let scalar = node.scalar, let value = parse(scalar.string) else {
            fault("expected \(expected), found \(shown)")
            return nil
        }
        return value
    }

    /// The elements of a list; a fault for anything else.
    public func elements() -> [ConfigurationNode]? {
        guard let sequence = node.sequence else {
            fault("expected a list, found \(kind)")
            return nil
        }
        return sequence.enumerated().map { ConfigurationNode($1, field: "\(field)[\($0)]", faults: faults) }
    }

    /// Reads a mapping with `body`. Keys that `body` did not ask for are faults.
    public func mapping<Value>(_ body: (inout ConfigurationMapping) -> Value) -> Value? {
        guard var mapping = ConfigurationMapping(self) else { return nil }
        let value = body(&mapping)
        mapping.reportUnknownKeys()
        return value
    }

    /// What the node is, in words.
    var kind: String {
        switch node {
        case .scalar(let scalar):
            scalar.style == .plain && Self.nulls.contains(scalar.string) ? "nothing" : "text"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    private var shown: String {
        guard let scalar = node.scalar, kind != "nothing" else { return kind }
        return "`\(scalar.string)`"
    }

    private static let nulls: Set<String> = ["", "~", "null", "Null", "NULL"]
    private static let booleans = [
        "true": true, "false": false, "yes": true, "no": false, "on": true, "off": false,
    ]
}
