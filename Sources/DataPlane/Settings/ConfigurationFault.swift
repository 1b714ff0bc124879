/// One thing that is wrong with a configuration file, told so that the operator can mend it.
public struct ConfigurationFault: Error, Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Line in the file, counted from 1; 0 when the fault has no place, as in a file that cannot be read.
    public var line: Int
    /// The field's path, as in `dataplane.ports[1].mtu`; empty for the document itself.
    public var field: String
    /// What is wrong, and what would be right.
    public var reason: String

    /// A fault in `field` at `line`.
    public init(line: Int, field: String, reason: String) {
        self.line = line
        self.field = field
        self.reason = reason
    }

    /// `12: dataplane.ports[1].mtu: expected …`
    public var description: String { field.isEmpty ? "\(line): \(reason)" : "\(line): \(field): \(reason)" }

    /// By line, then field, then reason.
    public static func < (a: ConfigurationFault, b: ConfigurationFault) -> Bool {
        (a.line, a.field, a.reason) < (b.line, b.field, b.reason)
    }
}

/// Everything that is wrong with a configuration, thrown as a whole: a configuration is taken entirely or not at all.
public struct ConfigurationFaults: Error, Hashable, Sendable, CustomStringConvertible {
    /// In the order of the file's lines; never empty.
    public var list: [ConfigurationFault]

    /// The faults in `list`, put into the order of their lines.
    public init(_ list: [ConfigurationFault]) { self.list = list.sorted() }

    /// One fault a line.
    public var description: String { list.map(\.description).joined(separator: "\n") }
}

/// Collects faults while a configuration is read, so that one reading finds all of them.
public final class FaultCollector {
    /// The faults so far, in the order they were found.
    public private(set) var faults: [ConfigurationFault] = []

    /// An empty collector.
    public init() {}

    /// Adds a fault.
    public func add(line: Int, field: String, reason: String) {
        faults.append(ConfigurationFault(line: line, field: field, reason: reason))
    }

    /// Throws what was collected; returns when nothing was.
    public func throwIfAny() throws(ConfigurationFaults) {
        guard faults.isEmpty else { throw ConfigurationFaults(faults) }
    }
}
