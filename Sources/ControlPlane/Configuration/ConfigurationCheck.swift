import Settings

/// The verdict on one instance of a configuration file: whether it is complete, or what is missing and contradicts itself.
///
/// culvertd takes a file whole or not at all, and says so by line and field. Here each instance is judged alone, so that a file in
/// the making can be looked at; what the strict reader finds wrong within the instance is said in words for it, and what that
/// reader lets pass, an instance that no interface serves, is named too.
public struct ConfigurationCheck: Hashable, Sendable, Encodable {
    /// What is judged, raw values as operators see them.
    public enum Kind: String, Hashable, Sendable, Encodable {
        /// An element of `pppoe-ac`.
        case accessConcentrator = "PPPoE Access Concentrator"
        /// An element of `l2tp-profile`, which tunnels are made from.
        case tunnel = "L2TP Tunnel"

        /// The section of the file: `pppoe-ac`.
        public var section: String {
            switch self {
            case .accessConcentrator: "pppoe-ac"
            case .tunnel: "l2tp-profile"
            }
        }

        /// What every element has to have, in the order in which it is missed.
        fileprivate var required: [String] {
            switch self {
            case .accessConcentrator: ["name", "destination", "service-name", "l2tp peer-address", "l2tp profile"]
            case .tunnel: ["name"]
            }
        }
    }

    /// What is judged.
    public let kind: Kind
    /// The instance's name; empty when it has none.
    public let name: String
    /// Line of the file where it begins.
    public let line: Int
    /// Whether nothing is missing and nothing contradicts.
    public var complete: Bool { problems.isEmpty }
    /// What is missing (`Required: …`) and what is wrong.
    public let problems: [String]

    private enum Key: CodingKey { case kind, name, line, complete, problems }

    /// Encodes with `complete`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(kind.section, forKey: .kind)
        try container.encode(name, forKey: .name)
        try container.encode(line, forKey: .line)
        try container.encode(complete, forKey: .complete)
        try container.encode(problems, forKey: .problems)
    }

    /// Judges every instance of the file at `path`, in its order. Throws when the file cannot be read as YAML at all.
    public static func checks(_ kind: Kind, path: String) throws(ConfigurationFaults) -> [ConfigurationCheck] {
        try checks(kind, of: Configuration.text(ofFile: path))
    }

    /// Judges every instance of a file's text, in its order. Throws when it is not YAML.
    public static func checks(_ kind: Kind, of text: String) throws(ConfigurationFaults) -> [ConfigurationCheck] {
        let collector = FaultCollector()
        guard let document = ConfigurationNode.document(text, faults: collector) else {
            throw ConfigurationFaults(collector.faults)
        }
        let lenient = LenientFile(document)
        let faults: [ConfigurationFault]
        do throws(ConfigurationFaults) {
            faults = try Configuration.read(text, machineName: "culvert").warnings
        } catch { faults = error.list }
        return lenient.elements(of: kind.section).enumerated().map { index, element in
            let prefix = "\(kind.section)[\(index)]"
            let mine = faults.filter { $0.field == prefix || $0.field.hasPrefix(prefix + ".") }
            // What an interface cannot do for the instance is the instance's matter too.
            let elsewhere = faults.filter {
                $0.field.hasPrefix("interfaces[") && $0.reason.contains("`\(element.name)`")
            }
            return ConfigurationCheck(
                kind: kind, name: element.name, line: element.line,
                problems: problems(kind, element, faults: mine, prefix: prefix, in: lenient) + elsewhere.map(\.reason))
        }
    }

    private static func problems(
        _ kind: Kind, _ element: LenientFile.Element, faults: [ConfigurationFault], prefix: String, in file: LenientFile
    ) -> [String] {
        var problems: [String] = []
        switch kind {
        case .accessConcentrator:
            if !element.name.isEmpty, !file.servedInstances.contains(element.name) {
                problems.append("Required: add pppoe-ac-service to one or more interfaces")
            }
        case .tunnel:
            if !element.name.isEmpty, !file.usedProfiles.contains(element.name) {
                problems.append("Required: name the l2tp-profile in a pppoe-ac or l2tp-domain")
            }
        }
        // `l2tp` that is missing as a whole lacks what is in it.
        let missing = Set(
            faults.filter { $0.reason == "missing" }.flatMap { fault -> [String] in
                let setting = setting(of: fault, prefix)
                return setting == "l2tp" ? ["l2tp peer-address", "l2tp profile"] : [setting]
            })
        problems += kind.required.filter(missing.contains).map { "Required: \($0)" }
        problems += missing.subtracting(kind.required).sorted().map { "Required: \($0)" }
        problems += faults.filter { $0.reason != "missing" }.map { fault in
            let setting = setting(of: fault, prefix)
            return (setting.isEmpty ? "" : "\(setting): ") + fault.reason
        }
        return problems
    }

    /// A fault's field as an operator names a setting: `l2tp peer-address`.
    private static func setting(of fault: ConfigurationFault, _ prefix: String) -> String {
        fault.field.dropFirst(prefix.count).drop { $0 == "." }.split(separator: ".").joined(separator: " ")
    }

    /// The view of `config-check` of an instance.
    public var text: String {
        "\(kind.rawValue) \(name.isEmpty ? "without a name, line \(line)" : name):\n"
            + "  \(complete ? "Complete" : "Incomplete") Configuration\n" + problems.map { "    \($0)\n" }.joined()
    }
}

/// What can be seen of a file whose faults do not matter.
private struct LenientFile {
    struct Element {
        var name: String
        var line: Int
    }

    private let root: [String: ConfigurationNode]

    init(_ document: ConfigurationNode) { root = Self.settings(of: document) }

    /// The elements of a section that is a list, as many as the strict reader counts.
    func elements(of section: String) -> [Element] {
        Self.list(root[section]).map { node in
            Element(name: Self.settings(of: node)["name"].flatMap(Self.word) ?? "", line: node.line)
        }
    }

    /// Instances that an interface serves.
    var servedInstances: Set<String> {
        Set(Self.list(root["interfaces"]).flatMap { Self.words(Self.settings(of: $0)["pppoe-ac-service"]) })
    }

    /// Profiles that tunnels are made from.
    var usedProfiles: Set<String> {
        let instances = Self.list(root["pppoe-ac"]).compactMap { Self.settings(of: $0)["l2tp"] }
        let domains = Self.list(root["l2tp-domain"])
        let tunnels = domains.flatMap { Self.list(Self.settings(of: $0)["tunnels"]) }
        return Set((instances + domains + tunnels).flatMap { Self.words(Self.settings(of: $0)["profile"]) })
    }

    private static func settings(of node: ConfigurationNode) -> [String: ConfigurationNode] {
        guard let mapping = node.node.mapping else { return [:] }
        var settings: [String: ConfigurationNode] = [:]
        for (key, value) in mapping {
            guard let name = key.scalar?.string else { continue }
            settings[name] = ConfigurationNode(value, field: name, faults: FaultCollector())
        }
        return settings
    }

    private static func list(_ node: ConfigurationNode?) -> [ConfigurationNode] {
        node?.node.sequence.map { $0.map { ConfigurationNode($0, field: "", faults: FaultCollector()) } } ?? []
    }

    private static func word(_ node: ConfigurationNode) -> String? { node.node.scalar?.string }

    private static func words(_ node: ConfigurationNode?) -> [String] {
        guard let node else { return [] }
        return word(node).map { [$0] } ?? list(node).compactMap(word)
    }
}
