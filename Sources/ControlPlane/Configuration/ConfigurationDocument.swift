/// A configuration as sections, elements and settings, in the terms of the file: what `show running-config` prints, and what a
/// reload compares.
///
/// `Configuration.document` makes it, in one place for every setting; what prints and what compares know none by name.
package struct ConfigurationDocument: Hashable {
    /// The value of a setting.
    package indirect enum Value: Hashable {
        /// A number, a choice or a truth value: goes into the file as it is.
        case plain(String)
        /// Text, in quotes where YAML would take it for something else.
        case text(String)
        /// Is compared, and never shown.
        case secret([UInt8])
        /// A list of texts.
        case list([String])
        /// Settings below the setting.
        case mapping([Setting])
        /// A list of mappings below the setting, one a line.
        case rows([[Setting]])
    }

    /// A setting with its value.
    package struct Setting: Hashable {
        package var name: String
        package var value: Value

        package init(_ name: String, _ value: Value) {
            self.name = name
            self.value = value
        }
    }

    /// An element of a section that is a list.
    package struct Element: Hashable {
        /// What tells it from the others.
        package var key: String
        package var settings: [Setting]
    }

    /// What a section holds.
    package enum Body: Hashable {
        case settings([Setting])
        case elements([Element])
        case texts([String])

        var isEmpty: Bool {
            switch self {
            case .settings(let settings): settings.isEmpty
            case .elements(let elements): elements.isEmpty
            case .texts(let texts): texts.isEmpty
            }
        }
    }

    /// A part of the file with a key of its own.
    package struct Section: Hashable {
        package var name: String
        package var body: Body
    }

    /// Those that hold anything, in the order in which they depend on each other.
    package var sections: [Section]
}

extension ConfigurationDocument.Setting {
    /// A whole number.
    static func number(_ name: String, _ value: some FixedWidthInteger) -> Self { Self(name, .plain("\(value)")) }

    /// A truth value.
    static func flag(_ name: String, _ value: Bool) -> Self { Self(name, .plain(value ? "true" : "false")) }

    /// One of a choice's words.
    static func choice(_ name: String, _ value: some RawRepresentable<String>) -> Self {
        Self(name, .plain(value.rawValue))
    }

    /// Whatever the file says as text.
    static func text(_ name: String, _ value: some CustomStringConvertible) -> Self {
        Self(name, .text(value.description))
    }

    /// The same, where there is one.
    static func text(_ name: String, optional value: (some CustomStringConvertible)?) -> [Self] {
        value.map { [.text(name, $0)] } ?? []
    }

    /// A list of what the file says as text; nothing for none.
    static func list(_ name: String, _ values: [some CustomStringConvertible]) -> [Self] {
        values.isEmpty ? [] : [Self(name, .list(values.map(\.description)))]
    }

    /// A secret, where there is one.
    static func secret(_ name: String, _ value: Secret?) -> [Self] {
        value.map { [Self(name, .secret($0.octets))] } ?? []
    }
}
