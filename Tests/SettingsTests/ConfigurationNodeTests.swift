import Settings
import Testing

/// What a strict reading of small documents reports.
@Suite struct ConfigurationNodeTests {
    enum Colour: String, CaseIterable { case red, green }

    /// Reads `count` (1 to 9), `name`, `colour`, `on`, `list` and nothing else.
    static func read(_ text: String) -> [String] {
        let faults = FaultCollector()
        _ = ConfigurationNode.document(text, faults: faults)?.mapping { mapping in
            _ = mapping.required("count")?.integer(in: 1...9)
            _ = mapping.optional("name")?.string()
            _ = mapping.optional("colour")?.choice(of: Colour.self)
            _ = mapping.optional("on")?.boolean()
            for element in mapping.optional("list")?.elements() ?? [] { _ = element.integer(in: 0...1) }
        }
        return faults.faults.sorted().map(\.description)
    }

    @Test(
        arguments: [
            ("count: 3", []),
            ("count: 3\nname: x\ncolour: red\non: yes\nlist: [0, 1]", []),
            ("count: 0", ["1: count: expected a whole number from 1 to 9, found `0`"]),
            ("count: \"3\"", ["1: count: expected a whole number from 1 to 9, found `3`"]),
            ("count: 3.0", ["1: count: expected a whole number from 1 to 9, found `3.0`"]),
            ("count: +3", ["1: count: expected a whole number from 1 to 9, found `+3`"]),
            (
                "count: 9999999999999999999",
                ["1: count: expected a whole number from 1 to 9, found `9999999999999999999`"]
            ),
            ("count: [1]", ["1: count: expected a whole number from 1 to 9, found a list"]),
            ("name: x", ["1: count: missing"]),
            ("count: 3\nname:", ["2: name: expected text, found nothing"]),
            ("count: 3\nname: \"\"", []),
            ("count: 3\nname: {a: b}", ["2: name: expected text, found a mapping"]),
            ("count: 3\ncolour: blue", ["2: colour: expected one of `red`, `green`, found `blue`"]),
            ("count: 3\non: 1", ["2: on: expected true or false, found `1`"]),
            ("count: 3\nlist: 1", ["2: list: expected a list, found text"]),
            (
                "count: 3\nlist:\n  - 0\n  - 7\n  - 1\n  - x",
                [
                    "4: list[1]: expected a whole number from 0 to 1, found `7`",
                    "6: list[3]: expected a whole number from 0 to 1, found `x`",
                ]
            ),
            ("count: 3\nother: 1", ["2: other: unknown; known here: colour, count, list, name, on"]),
            ("count: 3\n? [a]\n: 1", ["2: expected a name as key"]),
            ("count: 3\nname: a\nname: b", ["2: name: given more than once"]),
            ("[]", ["1: expected a mapping, found a list"]),
            ("", ["1: the file is empty"]),
            ("a: [", ["2: not YAML: did not find expected node content"]),
            (
                "count: 0\nname: []\nother: 1",
                [
                    "1: count: expected a whole number from 1 to 9, found `0`",
                    "2: name: expected text, found a list",
                    "3: other: unknown; known here: colour, count, list, name, on",
                ]
            ),
        ] as [(String, [String])])
    func reportsEveryFault(text: String, expected: [String]) {
        #expect(Self.read(text) == expected)
    }

    @Test func keysDifferingInQuotesOnlyAreOneKey() {
        let reasons = Self.read("count: 3\n1: a\n\"1\": b")
        #expect(reasons.first == "2: 1: unknown; known here: colour, count, list, name, on")
        #expect(reasons.last == "3: 1: given more than once")
    }
}
