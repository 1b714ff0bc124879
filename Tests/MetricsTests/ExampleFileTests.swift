import Foundation
import Metrics
import Testing

/// The dashboard and the alerts that come with Culvert speak of metrics that there are, in expressions that Prometheus takes.
@Suite struct ExampleFileTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let rules = root.appending(path: "examples/prometheus-rules.yaml")
    private static let dashboard = root.appending(path: "examples/grafana-dashboard.json")

    /// All names that scrapes can have, whatever is set.
    private static let names: Set<String> = {
        let families =
            Example.snapshot(tunnels: 1).families + Example.snapshot(perWorker: true).families + ProcessFamilies.read()
        return Set(families.map(\.name) + ["culvert_control_answer_seconds"])
    }()

    private static func metrics(in text: String) -> Set<String> {
        Set(text.matches(of: #/\b(?:culvert|process)_[a-z0-9_]+/#).map { String($0.output) })
    }

    private struct Dashboard: Decodable {
        struct Target: Decodable {
            var refId: String
            var expr: String
        }

        struct Place: Decodable {
            var x: Int
            var y: Int
            var w: Int
            var h: Int
        }

        struct Panel: Decodable {
            var id: Int
            var type: String
            var title: String
            var description: String?
            var gridPos: Place
            var targets: [Target]?
        }

        struct Variable: Decodable {
            var name: String
        }

        struct Templating: Decodable {
            var list: [Variable]
        }

        var title: String
        var uid: String
        var schemaVersion: Int
        var panels: [Panel]
        var templating: Templating

        var expressions: [String] { panels.flatMap { ($0.targets ?? []).map(\.expr) } }
    }

    private static func readDashboard() throws -> Dashboard {
        try JSONDecoder().decode(Dashboard.self, from: Data(contentsOf: dashboard))
    }

    @Test func theDashboardIsWhole() throws {
        let dashboard = try Self.readDashboard()
        #expect(dashboard.title == "Culvert")
        #expect(Set(dashboard.panels.map(\.id)).count == dashboard.panels.count)
        var taken: Set<[Int]> = []
        for panel in dashboard.panels {
            #expect(["row", "stat", "timeseries"].contains(panel.type))
            #expect(panel.gridPos.x + panel.gridPos.w <= 24)
            for x in 0..<panel.gridPos.w {
                for y in 0..<panel.gridPos.h {
                    #expect(taken.insert([panel.gridPos.x + x, panel.gridPos.y + y]).inserted, "\(panel.title)")
                }
            }
            guard panel.type != "row" else { continue }
            let targets = try #require(panel.targets)
            #expect(!targets.isEmpty && Set(targets.map(\.refId)).count == targets.count, "\(panel.title)")
            #expect(panel.description?.isEmpty == false, "\(panel.title)")
        }
        #expect(dashboard.expressions.count > 60)
        // Every variable that an expression names is one of the dashboard's, or Grafana's own.
        let known = Set(dashboard.templating.list.map(\.name) + ["__rate_interval"])
        for expression in dashboard.expressions {
            for match in expression.matches(of: #/\$(\w+)/#) { #expect(known.contains(String(match.output.1))) }
        }
    }

    @Test func theDashboardsMetricsExist() throws {
        for expression in try Self.readDashboard().expressions {
            let metrics = Self.metrics(in: expression)
            #expect(!metrics.isEmpty)
            #expect(metrics.subtracting(Self.names).isEmpty, "\(metrics.subtracting(Self.names)) in \(expression)")
        }
    }

    @Test func theAlertsMetricsExist() throws {
        let text = try String(contentsOf: Self.rules, encoding: .utf8)
        let expressions = text.replacing(#/(?m)^ *(summary|description|#).*$/#, with: "")
        let metrics = Self.metrics(in: expressions)
        #expect(metrics.count > 20)
        #expect(metrics.subtracting(Self.names).isEmpty, "\(metrics.subtracting(Self.names))")
    }

    /// The dashboard's expressions as rules: Prometheus' parser takes them.
    @Test(.enabled("promtool is there") { Promtool.isThere }) func promtoolTakesTheDashboardsExpressions() async throws
    {
        var text = "groups:\n- name: dashboard\n  rules:\n"
        for (number, expression) in try Self.readDashboard().expressions.enumerated() {
            let plain = expression.replacingOccurrences(of: "$__rate_interval", with: "5m")
            text += "  - record: panel:\(number)\n    expr: '\(plain.replacingOccurrences(of: "'", with: "''"))'\n"
        }
        let file = FileManager.default.temporaryDirectory.appending(path: "dashboard-\(UUID().uuidString).yaml")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let outcome = try await Promtool.run(["check", "rules", file.path()])
        #expect(outcome.status == 0, "\(outcome.output)")
    }

    @Test(.enabled("promtool is there") { Promtool.isThere }) func promtoolTakesTheAlerts() async throws {
        let check = try await Promtool.run(["check", "rules", Self.rules.path()])
        #expect(check.status == 0, "\(check.output)")
        // Series for which alerts fire, and for which they do not.
        let cases = Self.root.appending(path: "Tests/MetricsTests/prometheus-rules-test.yaml")
        let test = try await Promtool.run(["test", "rules", cases.path()])
        #expect(test.status == 0, "\(test.output)")
    }
}
