import ArgumentParser
import Glibc
import Segment

/// `bench-table`: what a session costs its writer, and what the writer's work costs the forwarding beside it.
@main
struct BenchTable: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-table",
        abstract: "Measures filling, changing and looking up a full session table, and forwarding beside its changes.")

    @Option(help: "Sessions in the table.")
    var sessions = 1_000_000
    @Option(help: "Sessions a bulk call.")
    var batch = 4_096
    @Option(help: "L2TP tunnels that the sessions are spread over, with as many attachment circuits.")
    var tunnels = 250
    @Option(help: "Rounds of each case; the best one counts.")
    var rounds = 5
    @Option(help: "Sessions removed and added a second beside forwarding.")
    var changes = 50_000
    @Option(help: "Turns of 100 ms each, with and without changes, of the forwarding beside them; 0 leaves it out.")
    var turns = 20
    @Option(help: "Write the figures as a JSON array to this file.")
    var json: String?

    func validate() throws {
        guard (1...1_048_000).contains(sessions) else { throw ValidationError("--sessions is 1 to 1048000") }
        guard (1...65_536).contains(batch) else { throw ValidationError("--batch is 1 to 65536") }
        guard (1...2_000).contains(tunnels), sessions / tunnels <= 60_000 else {
            throw ValidationError("--tunnels is 1 to 2000, and one for 60000 sessions at least")
        }
        guard rounds > 0, turns >= 0 else { throw ValidationError("--rounds is at least 1, --turns at least 0") }
        guard (1...1_000_000).contains(changes) else { throw ValidationError("--changes is 1 to 1000000") }
    }

    func run() throws {
        var figures: [Figure] = []
        func show(_ figure: Figure) {
            print(figure.line)
            figures.append(figure)
        }
        print("\(sessions) sessions, \(tunnels) tunnels and circuits, \(batch) a bulk call; best of \(rounds)")
        print(Figure.heading)
        let memory = privateOctets()
        let bed = try TableBed(sessions: sessions, tunnels: tunnels, batch: batch)
        for figure in try TableRounds(bed).measure(rounds: rounds) { show(figure) }
        show(Figure(name: "segment", value: bed.segmentOctetsPerSession, unit: "octets a session"))
        let writer = Double(privateOctets() - memory - bed.benchOctets) / Double(bed.capacity)
        show(Figure(name: "writer", value: writer, unit: "octets a session"))
        if turns > 0 {
            let disturbance = try Disturbance(bed, changes: changes)
            for figure in try disturbance.measure(turns: turns) { show(figure) }
        }
        if let json { try write("[\n" + figures.map(\.json).joined(separator: ",\n") + "\n]\n", to: json) }
    }

    private func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else { throw BenchError("cannot write \(path)") }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else { throw BenchError("cannot write \(path)") }
    }
}

/// Why the bench cannot go on.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
