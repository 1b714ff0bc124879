import Observability

/// What has to be done to come from one document to another.
extension ConfigurationDocument {
    /// The differences, in the order of the sections.
    func changes(to new: ConfigurationDocument) -> [ConfigurationChange] {
        let names = sections.map(\.name)
        let all = names + new.sections.map(\.name).filter { !names.contains($0) }
        return all.flatMap { name in
            Self.changes(
                in: name, from: sections.first { $0.name == name }?.body,
                to: new.sections.first { $0.name == name }?.body)
        }
    }

    private static func changes(in section: String, from old: Body?, to new: Body?) -> [ConfigurationChange] {
        switch (old ?? new, new ?? old) {
        case (.elements(let before), .elements(let after)):
            let old = old == nil ? [] : before
            let new = new == nil ? [] : after
            let removed = old.filter { element in !new.contains { $0.key == element.key } }
            return removed.map {
                ConfigurationChange(.removed, section: section, element: $0.key, effect: effect(section, ""))
            }
                + new.flatMap { element -> [ConfigurationChange] in
                    guard let before = old.first(where: { $0.key == element.key }) else {
                        return [
                            ConfigurationChange(
                                .added, section: section, element: element.key, effect: effect(section, ""))
                        ]
                    }
                    return changes(in: section, element.key, from: before.settings, to: element.settings)
                }
        case (.settings(let before), .settings(let after)):
            return changes(in: section, "", from: old == nil ? [] : before, to: new == nil ? [] : after)
        case (.texts(let before), .texts(let after)):
            let (old, new) = (old == nil ? [] : before, new == nil ? [] : after)
            guard old != new else { return [] }
            return [
                ConfigurationChange(
                    old.isEmpty ? .added : new.isEmpty ? .removed : .changed, section: section,
                    oldValue: old.isEmpty ? "" : text(.list(old)), newValue: new.isEmpty ? "" : text(.list(new)),
                    effect: effect(section, ""))
            ]
        default: return []
        }
    }

    private static func changes(
        in section: String, _ element: String, from old: [Setting], to new: [Setting], under path: String = ""
    ) -> [ConfigurationChange] {
        let names = old.map(\.name)
        return (names + new.map(\.name).filter { !names.contains($0) }).flatMap { name -> [ConfigurationChange] in
            let before = old.first { $0.name == name }?.value
            let after = new.first { $0.name == name }?.value
            guard before != after else { return [] }
            if case .mapping(let before) = before, case .mapping(let after) = after {
                return changes(in: section, element, from: before, to: after, under: path + name + ".")
            }
            var change = ConfigurationChange(
                before == nil ? .added : after == nil ? .removed : .changed, section: section, element: element,
                setting: path + name, oldValue: before.map(text) ?? "", newValue: after.map(text) ?? "",
                effect: effect(section, path + name))
            if change.kind == .changed, change.oldValue == change.newValue {
                // Only a secret can differ without looking different.
                change.newValue = "another one"
            }
            return [change]
        }
    }

    /// What a change of a setting takes to come into force.
    static func effect(_ section: String, _ setting: String) -> ConfigurationChange.Effect {
        switch (section, setting) {
        case ("dataplane", _): .restartDataPlane
        // Names of the node are defaults of other settings, which show as changed themselves.
        case ("control", "host-name"), ("control", "vendor-name"): .applied
        case ("control", _): .restartControl
        default: .applied
        }
    }
}

extension Configuration {
    /// What differs between this configuration and `new`, setting by setting; secrets do not show.
    public func changes(to new: Configuration) -> [ConfigurationChange] { document.changes(to: new.document) }

    /// The configuration as a file would say it, with every default filled in and secrets masked, section by section.
    public var sections: [ConfigurationSection] {
        document.sections.map { ConfigurationSection(name: $0.name, text: ConfigurationDocument.yaml($0)) }
    }
}
