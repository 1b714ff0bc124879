import ArgumentParser
import BenchPlot
import Foundation
import Timing

/// `bench-setup measure`, which is what `bench-setup` alone does too.
struct Measure: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Starts Culvert between clients and LNSs, and measures it; ends with status 1 when a target is missed.")

    @Option(help: "Sessions, 100 to 61000.")
    var sessions = 60_000
    @Option(help: "Tunnels that they are spread over.")
    var tunnels = 8_000
    @Option(help: "Log-ins under way at a time while the rate is measured.")
    var window = 256
    @Option(help: "Seconds that all sessions are held with echoes and HELLOs.")
    var hold = 90
    @Option(help: "Seconds between two LCP echoes of a client, and of the LNS to it.")
    var echo = 30
    @Option(help: "Seconds without a message after which a tunnel's ends send HELLO.")
    var hello = 60
    @Option(help: "How often all are cut off and dial again.")
    var cuts = 1
    @Option(help: "How often culvertd is killed and started again while all sessions are up.")
    var kills = 3
    @Flag(help: "A short form for every day: 2,000 sessions over 250 tunnels, and targets that a busy machine reaches.")
    var short = false
    @Option(help: "Where the programs are.")
    var programs = ".build/release"
    @Option(help: "Writes the figures as a JSON array into this file.")
    var json: String?
    @Option(help: "Writes plots into this folder.")
    var plots: String?
    @Flag(help: "Leaves the programs' logs where they are.")
    var keepLogs = false
    @Flag(
        help:
            "The punt path's limits and rings are the defaults: 5,000 discovery packets a second above all, 2,048 frames."
    )
    var defaultLimits = false

    mutating func validate() throws {
        if short { (sessions, tunnels, hold, echo, hello, cuts, kills) = (2_000, 250, 10, 5, 5, 1, 2) }
        guard (100...61_000).contains(sessions) else { throw ValidationError("--sessions is 100 to 61000") }
        guard (1...8_192).contains(tunnels), tunnels <= sessions else {
            throw ValidationError("--tunnels is 1 to 8192, and not more than sessions")
        }
        guard (1...sessions).contains(window) else { throw ValidationError("--window is 1 to the number of sessions") }
        guard hold > 0, echo > 0, hello > 0, cuts >= 0, kills >= 0 else { throw ValidationError("times are positive") }
    }

    func run() throws {
        StopSignals.note()
        let run = try SetUpRun(self)
        let node = run.node
        run.network.interrupted = {
            node.end(keepingLogs: false)
            Foundation.exit(1)
        }
        var isKept = true
        defer { run.node.end(keepingLogs: keepLogs || isKept) }
        do {
            try run.play()
        } catch {
            say("the logs are in \(run.node.logs)")
            throw error
        }
        isKept = !run.targets.misses.isEmpty
        if let json {
            try Data(("[\n" + run.json.joined(separator: ",\n") + "\n]\n").utf8).write(to: URL(filePath: json))
        }
        if let plots { try draw(run.milestones, in: URL(filePath: plots)) }
        for miss in run.targets.misses { say("MISSED: \(miss)") }
        guard run.targets.misses.isEmpty else { throw ExitCode.failure }
        say("all targets reached")
    }

    private func draw(_ milestones: [Milestone], in folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let figures: [(name: String, title: String, unit: String, value: (Milestone) -> Double)] = [
            ("set-up-cost", "culvertd's time for a log-in", "microseconds", { $0.cost }),
            ("set-up-memory", "culvertd's memory a session", "octets", { $0.memory }),
        ]
        for figure in figures {
            let line = Plot.Series(
                name: figure.name, colour: "#1565c0", points: milestones.map { (Double($0.sessions), figure.value($0)) }
            )
            let plot = Plot(
                title: "\(figure.title), \(tunnels) tunnels", unit: figure.unit, axis: "sessions that are up",
                isLogarithmic: true, series: [line])
            try Data(plot.svg.utf8).write(to: folder.appending(path: "\(figure.name).svg"))
        }
    }
}
