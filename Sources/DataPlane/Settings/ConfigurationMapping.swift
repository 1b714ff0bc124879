import Yams

/// A YAML mapping that is read key by key and remembers which keys were asked for, so that the others can be refused.
public struct ConfigurationMapping {
    /// The mapping's own place.
    public let place: ConfigurationNode
    /// Every key with its value, in the file's order: for mappings whose keys are names that the operator chose.
    /// Reading it counts as asking for all of them.
    public var entries: [(name: String, value: ConfigurationNode)] {
        mutating get {
            asked.formUnion(values.map(\.name))
            return values
        }
    }

    private var values: [(name: String, value: ConfigurationNode)] = []
    private var lines: [String: Int] = [:]
    private var asked: Set<String> = []

    /// The mapping at `place`; nil, with the fault reported, when something else is there.
    init?(_ place: ConfigurationNode) {
        self.place = place
        guard let mapping = place.node.mapping else {
            place.fault("expected a mapping, found \(place.kind)")
            return nil
        }
        for (key, value) in mapping {
            let line = key.mark?.line ?? place.line
            guard let name = key.scalar?.string else {
                place.faults.add(line: line, field: place.field, reason: "expected a name as key")
                continue
            }
            let field = place.field.isEmpty ? name : "\(place.field).\(name)"
            guard lines[name] == nil else {
                place.faults.add(line: line, field: field, reason: "given more than once")
                continue
            }
            lines[name] = line
            values.append((name, ConfigurationNode(value, field: field, faults: place.faults)))
        }
    }

    /// The value of `key`; nil when it is not given.
    public mutating func optional(_ key: String) -> ConfigurationNode? {
        asked.insert(key)
        return values.first { $0.name == key }?.value
    }

    /// The value of `key`; a fault when it is not given.
    public mutating func required(_ key: String) -> ConfigurationNode? {
        if let value = optional(key) { return value }
        let field = place.field.isEmpty ? key : "\(place.field).\(key)"
        place.faults.add(line: place.line, field: field, reason: "missing")
        return nil
    }

    /// Leaves `key` to another reader: it is known here, and neither read nor refused.
    public mutating func ignore(_ key: String) { asked.insert(key) }

    /// Refuses what nobody asked for.
    func reportUnknownKeys() {
        for (name, value) in values where !asked.contains(name) {
            place.faults.add(
                line: lines[name] ?? value.line, field: value.field,
                reason: "unknown; known here: \(asked.sorted().joined(separator: ", "))")
        }
    }
}
