import ArgumentParser
import BenchPlot
import Glibc
import Worker

/// `bench-forwarding`: what a packet costs, in Swift and in C, on this machine, now.
@main
struct BenchForwarding: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-forwarding",
        abstract: "Measures the forwarding path: against a C baseline in turns, on two cores, at rest, with ports.",
        discussion: """
            Without --sessions, --bytes, --burst and --tags it runs its own list of cases; with any of them, every combination of \
            what they name.
            """)

    /// A part of the bench.
    enum Stage: String, CaseIterable, ExpressibleByArgument {
        /// Cycles a packet, beside the C baseline's.
        case cycles
        /// Datagrams that come in fragments.
        case reassembly
        /// Frames that are handed to another worker.
        case dispatch
        /// Two workers on two cores.
        case workers
        /// The latency of a worker at rest.
        case idle
        /// With ports, beside `dpdk-testpmd`.
        case path
    }

    @Option(help: "Only this part: cycles, reassembly, dispatch, workers, idle or path. May be given more than once.")
    var stage: [Stage] = []
    @Option(help: "Sessions in the table, a comma between cases.")
    var sessions: String?
    @Option(help: "Octets of the inner IP packet, a comma between cases.")
    var bytes: String?
    @Option(help: "Frames a burst, 1 to 32, a comma between cases.")
    var burst: String?
    @Option(help: "Tags of access frames: untagged, vlan or qinq.")
    var tags: Tags?
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
    @Option(help: "Write plots as SVG into this folder.")
    var plots: String?

    func validate() throws {
        guard rounds > 0 else { throw ValidationError("--rounds is at least 1") }
        guard (32...4096).contains(frames) else { throw ValidationError("--frames is 32 to 4096") }
        guard Self.numbers(sessions, 1...1_000_000) != nil else {
            throw ValidationError("--sessions is numbers from 1 to 1000000")
        }
        guard Self.numbers(bytes, 20...1_400) != nil else {
            throw ValidationError("--bytes is numbers from 20 to 1400")
        }
        guard Self.numbers(burst, 1...32) != nil else { throw ValidationError("--burst is numbers from 1 to 32") }
        guard (1...60_000).contains(tunnels) else { throw ValidationError("--tunnels is 1 to 60000") }
    }

    /// The numbers of a list; none when there is no list, nil when one is no number or not in `range`.
    private static func numbers(_ list: String?, _ range: ClosedRange<Int>) -> [Int]? {
        guard let list else { return [] }
        let words = list.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = words.compactMap { Int($0) }.filter(range.contains)
        return numbers.count == words.count ? numbers : nil
    }

    /// The cases that were asked for.
    private var cases: [Case] {
        guard sessions != nil || bytes != nil || burst != nil || tags != nil else { return Case.all }
        func list(_ text: String?, _ range: ClosedRange<Int>, _ usual: Int) -> [Int] {
            Self.numbers(text, range).flatMap { $0.isEmpty ? nil : $0 } ?? [usual]
        }
        return list(sessions, 1...1_000_000, 1).flatMap { sessions in
            list(burst, 1...32, 32).flatMap { burst in
                list(bytes, 20...1_400, 64).map { bytes in
                    Case(sessions: sessions, bytes: bytes, burst: burst, tags: tags ?? .untagged)
                }
            }
        }
    }

    func run() throws {
        let pages = HugePages(wanted: Environment.hugePages)
        defer { pages.restore() }
        let environment = try Environment(core: core)
        let stages = stage.isEmpty ? Stage.allCases : stage
        print("\(environment.text), core \(core)")
        var objects: [String] = []
        if stages.contains(.cycles) {
            let figures = try cycles(environment)
            objects += figures.map(\.json)
            if let plots { try draw(figures, environment, into: plots) }
        }
        if stages.contains(.reassembly) {
            let cost = try Reassembly(scenario: scenario(environment), environment: environment, rounds: rounds)
            print(cost.line)
            objects.append(cost.json)
        }
        lazy var ports = Result { try RingPorts(pool: environment.pool) }
        if stages.contains(.dispatch) { objects += try dispatch(environment, ports.get()) }
        if let otherCore = environment.otherCore {
            if stages.contains(.workers) { objects += try workers(environment, otherCore) }
            if stages.contains(.idle) { objects += try idle(environment, otherCore, ports.get()) }
            if stages.contains(.path) { objects += try path(environment, otherCore) }
        } else if !Set(stages).isDisjoint(with: [.workers, .idle, .path]) {
            print("the machine has one core: no workers, idle and path")
        }
        if let json { try write("[\n" + objects.joined(separator: ",\n") + "\n]\n", to: json) }
    }

    private func cycles(_ environment: Environment) throws -> [Figure] {
        print("\(rounds) rounds of \(frames) frames, the same work in Swift and C in turns; cycles a packet")
        print(Figure.heading)
        var figures: [Figure] = []
        var remaining = cases
        // Cases that need the same table are measured on one.
        while let first = remaining.first {
            let scenario = try Scenario(
                sessions: first.sessions, tunnels: min(tunnels, first.sessions), tags: first.tags,
                hugePages: environment.hasHugePages)
            let isAlike = { (other: Case) in other.sessions == first.sessions && other.tags == first.tags }
            for subject in remaining where isAlike(subject) {
                for direction in Direction.allCases where self.direction.map({ $0 == direction }) ?? true {
                    let contest = try Contest(
                        scenario: scenario, direction: direction, subject: subject, frames: frames,
                        gccBaseline: gccBaseline, pool: environment.pool)
                    try contest.verify()
                    contest.claimSessions()
                    let figure = contest.measure(rounds: rounds)
                    print(figure.line(ticksPerSecond: environment.ticksPerSecond))
                    figures.append(figure)
                }
            }
            remaining.removeAll(where: isAlike)
        }
        return figures
    }

    /// A table of sixty thousand sessions, or the most that were asked for.
    private func scenario(_ environment: Environment) throws -> Scenario {
        let sessions = Self.numbers(sessions, 1...1_000_000)?.max() ?? 60_000
        return try Scenario(
            sessions: max(sessions, 2), tunnels: 1, tags: tags ?? .untagged, hugePages: environment.hasHugePages)
    }

    private func workers(_ environment: Environment, _ otherCore: Int) throws -> [String] {
        try Direction.allCases.map { direction in
            let pair = try TwoWorkers(
                scenario: scenario(environment), direction: direction, environment: environment, otherCore: otherCore,
                blocks: 10, rounds: max(rounds / 10, 1))
            print(pair.line)
            return pair.json
        }
    }

    private func dispatch(_ environment: Environment, _ ports: RingPorts) throws -> [String] {
        try Direction.allCases.map { direction in
            let cost = try DispatchCost(
                direction, scenarios: [scenario(environment), scenario(environment)], ports: ports,
                environment: environment, rounds: rounds)
            print(cost.line)
            return cost.json
        }
    }

    private func idle(_ environment: Environment, _ otherCore: Int, _ ports: RingPorts) throws -> [String] {
        let scenario = try scenario(environment)
        let ways: [WorkerIdle] = [.poll, .yield, .sleep(microseconds: 10), .sleep(microseconds: 100)]
        return try ways.map { way in
            let latency = try IdleLatency(
                way, scenario: scenario, ports: ports, environment: environment, otherCore: otherCore,
                probes: min(rounds, 1_000))
            print(latency.line)
            return latency.json
        }
    }

    private func path(_ environment: Environment, _ otherCore: Int) throws -> [String] {
        let path = try WholePath(
            scenario: scenario(environment), environment: environment, otherCore: otherCore,
            blocks: rounds < 500 ? 1 : 10, seconds: rounds < 500 ? 0.1 : 0.5)
        for line in path.lines { print(line) }
        return [path.json]
    }

    private func draw(_ figures: [Figure], _ environment: Environment, into folder: String) throws {
        guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw BenchError.file(folder) }
        for (name, plot) in Plot.all(of: figures, text: environment.text) {
            try write(plot.svg, to: "\(folder)/\(name).svg")
        }
    }

    private func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else { throw BenchError.file(path) }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else { throw BenchError.file(path) }
    }
}
