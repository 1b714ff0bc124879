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
                reason: Self.suggestion(for: name, among: asked).map { "unknown; did you mean `\($0)`?" }
                    ?? "unknown; known here: \(asked.sorted().joined(separator: ", "))")
        }
    }

    /// The known key that `name` was most likely meant to be: at most two edits away, and no more than a third of it.
    private static func suggestion(for name: String, among known: Set<String>) -> String? {
        let typed = Array(name.utf8.prefix(64))
        return known.sorted().map { (key: $0, distance: editDistance(typed, Array($0.utf8))) }
            .filter { $0.distance <= min(2, typed.count / 3) }
            .min { $0.distance < $1.distance }?.key
    }

    /// Levenshtein's distance: insertions, removals and replacements that make `a` of `b`.
    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let replaced = diagonal + (x == y ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
            }
        }
        return row[b.count]
    }
}
