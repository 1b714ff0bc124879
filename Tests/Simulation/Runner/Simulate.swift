import ArgumentParser
import Foundation
import SimulationSupport

/// `simulate`: lives of a LAC in virtual time, one for each number.
@main
struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract:
            "Lets clients, a LAC, LNSs, RADIUS and name servers live in virtual time, and looks whether all is well.",
        discussion: """
            Each number is one life. A life that does not go well is printed with what was wrong and with the command that \
            plays it again; the same number is the same life on any machine.
            """)

    @Option(help: "Numbers of the lives, such as 1..100000 or 7.")
    var seeds = "1..1000"
    @Option(name: .customLong("seed"), help: "One life alone.")
    var seed: UInt64?
    @Option(help: "Threads.")
    var threads = ProcessInfo.processInfo.activeProcessorCount
    @Flag(help: "Prints everything that happens; for one life.")
    var trace = false
    @Option(
        help: "A fault that is put in on purpose: \(PlantedFault.allCases.map(\.rawValue).joined(separator: ", ")).")
    var plant: String?
    @Option(help: "One life in so many is lived twice, and must be the same. 0: none.")
    var twice: UInt64 = 50
    @Option(help: "Ends after so many lives that did not go well.")
    var failures = 10

    private func range() throws -> ClosedRange<UInt64> {
        if let seed { return seed...seed }
        let ends = seeds.split(separator: ".", omittingEmptySubsequences: true).compactMap { UInt64($0) }
        guard let first = ends.first, let last = ends.last, ends.count <= 2, first <= last, first > 0 else {
            throw ValidationError("--seeds is a number or two with .. between them")
        }
        return first...last
    }

    private func fault() throws -> PlantedFault? {
        guard let plant else { return nil }
        guard let fault = PlantedFault(rawValue: plant) else { throw ValidationError("no fault named \(plant)") }
        return fault
    }

    func validate() throws {
        _ = try range()
        _ = try fault()
        guard 1...256 ~= threads else { throw ValidationError("--threads is 1 to 256") }
        guard try !trace || range().count == 1 else { throw ValidationError("--trace wants --seed NUMBER") }
    }

    func run() async throws {
        let variants = try Variant.all()
        let (range, fault) = (try range(), try fault())
        if trace {
            let life = Simulation(seed: range.lowerBound, variants: variants, planted: fault) { print($0) }
            life.live()
        }
        let report = Report(range: range, failureLimit: failures, plant: plant)
        let started = Date()
        let twice = self.twice
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<threads {
                group.addTask {
                    var total = Report.Part()
                    while let seed = report.nextSeed() {
                        let life = Simulation(seed: seed, variants: variants, planted: fault)
                        life.live()
                        total.add(life)
                        var violations = life.violations
                        if violations.isEmpty, twice > 0, seed % twice == 0 {
                            let again = Simulation(seed: seed, variants: variants, planted: fault)
                            again.live()
                            total.livedTwice += 1
                            if again.digest != life.digest {
                                violations.append("a second life of this number is another one")
                            }
                        }
                        if !violations.isEmpty { report.fail(seed, violations) }
                    }
                    report.add(total)
                }
            }
        }
        report.print(seconds: Date().timeIntervalSince(started), threads: threads)
        if report.failureCount > 0 { throw ExitCode.failure }
    }
}
