import ArgumentParser
import CBaseline
import CDPDK
import Glibc
import Segment

/// `bench-forwarding`: what a packet costs, in Swift and in C, on this machine, now.
@main
struct BenchForwarding: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-forwarding",
        abstract: "Measures encapsulation and decapsulation against a C baseline, in turns, on one core.")

    @Option(help: "Sessions in the table, a comma between cases.")
    var sessions = "1,1000,60000"
    @Option(help: "Octets of the inner IP packet, a comma between cases.")
    var bytes = "64,512,1400"
    @Option(help: "Frames a burst, 1 to 32.")
    var burst = 32
    @Option(help: "Rounds of each implementation and case.")
    var rounds = 2000
    @Option(help: "Frames a round.")
    var frames = 256
    @Option(help: "L2TP tunnels that the sessions are spread over.")
    var tunnels = 1
    @Option(help: "Only this direction: encapsulate or decapsulate.")
    var direction: Direction?
    @Option(help: "The core to run on.")
    var core = 0
    @Option(help: "Shared object with the baseline as gcc compiles it.")
    var gccBaseline: String?
    @Option(help: "Write the figures as a JSON array to this file.")
    var json: String?

    func validate() throws {
        guard (1...32).contains(burst) else { throw ValidationError("--burst is 1 to 32") }
        guard rounds > 0 else { throw ValidationError("--rounds is at least 1") }
        guard (burst...4096).contains(frames) else { throw ValidationError("--frames is between --burst and 4096") }
        guard let counts = Self.numbers(sessions), counts.allSatisfy({ (1...1_000_000).contains($0) }) else {
            throw ValidationError("--sessions is numbers from 1 to 1000000")
        }
        guard let sizes = Self.numbers(bytes), sizes.allSatisfy({ (20...1400).contains($0) }) else {
            throw ValidationError("--bytes is numbers from 20 to 1400")
        }
        guard (1...60_000).contains(tunnels) else { throw ValidationError("--tunnels is 1 to 60000") }
    }

    private static func numbers(_ list: String) -> [Int]? {
        let numbers = list.split(separator: ",").compactMap { Int($0) }
        return numbers.count == list.split(separator: ",", omittingEmptySubsequences: false).count ? numbers : nil
    }

    func run() throws {
        let environment = try Environment(core: core)
        let counts = Self.numbers(sessions) ?? [], sizes = Self.numbers(bytes) ?? []
        print(
            "core \(core), \(environment.text); \(rounds) rounds of \(frames / burst * burst) frames, bursts of \(burst)"
        )
        print(Figure.heading)
        var figures: [Figure] = []
        for count in counts {
            let scenario = try Scenario(
                sessions: count, tunnels: min(tunnels, count), hugePages: environment.hasHugePages)
            for direction in Direction.allCases where self.direction.map({ $0 == direction }) ?? true {
                for size in sizes {
                    let contest = try Contest(
                        scenario: scenario, direction: direction, bytes: size, burst: burst, frames: frames,
                        gccBaseline: gccBaseline, pool: environment.pool)
                    try contest.verify()
                    let figure = contest.measure(rounds: rounds)
                    print(figure.line(ticksPerSecond: environment.ticksPerSecond))
                    figures.append(figure)
                }
            }
        }
        if let json { try write("[\n" + figures.map(\.json).joined(separator: ",\n") + "\n]\n", to: json) }
    }

    private func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else { throw BenchError.file(path) }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else { throw BenchError.file(path) }
    }
}
