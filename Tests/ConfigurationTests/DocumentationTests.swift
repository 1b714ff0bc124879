import Configuration
import Foundation
import Settings
import Testing

/// What the documents show is what the program does.
@Suite struct DocumentationTests {
    static func text(_ path: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    static func guideExample() throws -> String {
        let guide = try text("docs/operators-guide.md")
        let start = try #require(guide.firstRange(of: "```yaml\n")?.upperBound)
        let end = try #require(guide[start...].firstRange(of: "```")?.lowerBound)
        return String(guide[start..<end])
    }

    @Test func theGuidesExampleIsAccepted() throws {
        let configuration = try Configuration.read(try Self.guideExample(), machineName: "m")
        #expect(configuration.interfaces.first?.vlans.description == "100,200-299")
        #expect(configuration.accessConcentrators.first?.pppMRU == 1_460)
    }

    @Test func theManualPagesExampleIsAccepted() throws {
        let page = try Self.text("man/culvert.yaml.5")
        let start = try #require(page.firstRange(of: ".EX\n")?.upperBound)
        let end = try #require(page[start...].firstRange(of: ".EE")?.lowerBound)
        _ = try Configuration.read(String(page[start..<end]), machineName: "m")
    }

    @Test(arguments: ["lac", "alliedware-1-static", "alliedware-2-radius", "alliedware-3-dns"])
    func theExampleIsAccepted(name: String) throws {
        _ = try Configuration.read(try Self.text("examples/\(name).yaml"), machineName: "m")
    }

    @Test func theGuidesFaultsAreWhatIsReported() throws {
        let faulty =
            try Self.guideExample().replacingFirst("mtu: 1508", "mtu: 15008")
            .replacingFirst("pppoe-ac-service: mylittleac", "pppoe-ac-service: mylitleac")
            .replacingFirst("service-name: any", "service-nane: any")
            .replacingFirst("prefix: 0.0.0.0/0", "prefix: 10.0.0.0/8") + "    hello-timeout: 100000\n"
        let faults = ConfigurationFaultTests.faults(faulty).joined(separator: "\n")
        #expect(try Self.text("docs/operators-guide.md").contains("```\n\(faults)\n```"), "\(faults)")
    }

    /// `ConfigurationTests.full` has every setting of culvertd.
    @Test(arguments: ["docs/operators-guide.md", "man/culvert.yaml.5"])
    func everySettingIsDescribed(path: String) throws {
        let document = try Self.text(path)
        let keys = ConfigurationTests.full.matches(of: #/[a-z][a-z0-9-]+(?=:)/#).map { String($0.output) }
        #expect(Set(keys).count > 40)
        for key in Set(keys) { #expect(document.lowercased().contains(key), "\(key) is not in \(path)") }
    }
}
