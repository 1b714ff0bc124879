/// A section of the running configuration as the file would say it.
public struct ConfigurationSection: Hashable, Sendable, Encodable {
    /// As in the file: `pppoe-ac`.
    public var name: String
    /// YAML, with the section's name; secrets are masked.
    public var text: String

    /// A section with its text.
    public init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}

/// A difference between the running configuration and the file.
public struct ConfigurationChange: Hashable, Sendable, Encodable {
    /// What happened to the setting or element.
    public enum Kind: String, Hashable, Sendable, Encodable, CaseIterable {
        case added, changed, removed
    }

    /// What it takes for the change to come into force, raw values as operators see them.
    public enum Effect: String, Hashable, Sendable, Encodable, CaseIterable {
        /// A reload.
        case applied = "reload"
        /// A restart of culvertd.
        case restartControl = "restart of culvertd"
        /// A restart of culvert-dataplane.
        case restartDataPlane = "restart of culvert-dataplane"
    }

    /// What happened to it.
    public var kind: Kind
    /// The section: `pppoe-ac`.
    public var section: String
    /// Which element of a section that is a list; else empty.
    public var element: String
    /// The setting; empty when a whole element came or went.
    public var setting: String
    /// As in the file, secrets masked; empty where there is none.
    public var oldValue: String
    /// As in the file, secrets masked; empty where there is none.
    public var newValue: String
    /// What it takes.
    public var effect: Effect

    /// A difference.
    public init(
        _ kind: Kind, section: String, element: String = "", setting: String = "", oldValue: String = "",
        newValue: String = "", effect: Effect = .applied
    ) {
        self.kind = kind
        self.section = section
        self.element = element
        self.setting = setting
        self.oldValue = oldValue
        self.newValue = newValue
        self.effect = effect
    }
}

/// Something that is wrong with a configuration file.
public struct FileFault: Hashable, Sendable, Encodable {
    /// From 1 on; 0: the file as a whole.
    public var line: UInt32
    /// The field's path, as in `l2tp-profile[0].mtu`.
    public var field: String
    /// What is wrong, and what would be right.
    public var reason: String

    /// A fault.
    public init(line: UInt32, field: String, reason: String) {
        self.line = line
        self.field = field
        self.reason = reason
    }
}

/// What a reload of the configuration file has done, or would do.
public struct ReloadOutcome: Hashable, Sendable, Encodable {
    /// The file.
    public var path: String
    /// Whether the node runs with the file now, but for changes that need a restart.
    public var applied: Bool
    /// Differences in the order of the sections.
    public var changes: [ConfigurationChange]
    /// What is wrong with the file; then nothing has changed.
    public var faults: [FileFault]

    /// An outcome.
    public init(
        path: String, applied: Bool = false, changes: [ConfigurationChange] = [], faults: [FileFault] = []
    ) {
        self.path = path
        self.applied = applied
        self.changes = changes
        self.faults = faults
    }
}
