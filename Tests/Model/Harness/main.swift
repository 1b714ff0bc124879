import CDPDK
import CHarness
import CSegment
import Forwarding
import Glibc
import Segment
import Worker

// model-harness: hosts the data plane's worker for Tests/Model/run.py. It reads a command a line from standard input and
// answers each but `inject`, `transmit`, `time` and `poke` with lines that end with `done`, or with one line `error ...` and then ends.

func serve() throws {
    try Environment.start(.test())
    let geometry = Geometry(
        sessions: 65_536, tunnels: 1_024, circuits: 64, vlanBlocks: 64, workers: 4, ports: 8, frameRingDepth: 4_096)
    let segment = try SegmentMapping.inMemory(geometry: geometry) { memory, size, workers in
        culvert_rcu_initialise(memory, UInt64(size), workers) == 0
    }
    let table = Table(segment)
    let memory = RawSegment(segment)
    var host: Host?
    func running() throws -> Host {
        guard let host else { throw Host.Fault(description: "the first command is `workers`") }
        return host
    }
    while let line = readLine() {
        guard var command = Command(line) else { continue }
        switch command.verb {
        case "workers": host = try Host(segment, workers: Int(min(max(try command.number(Int.self), 1), 4)))
        case "port":
            try running().addPort(try Table.device(command))
            try table.port(&command)
        case "start":
            let (all, client) = (try command.number(UInt32.self), try command.number(UInt32.self))
            let (line, port) = (try command.number(UInt32.self), try command.number(UInt32.self))
            try running().start(
                limits: PuntLimits(all: all), clientLimits: PuntLimits(all: client),
                shares: PuntShareLimits(lines: PuntLimits(all: line), ports: PuntLimits(all: port)))
        case "circuit": print("circuit", try table.circuit(&command))
        case "tunnel": print("tunnel", try table.tunnel(&command, sourceMAC: running().mac))
        case "session": print("session", try table.session(&command))
        case "layout": for line in memory.layout { print(line) }
        case "poke":
            let offset = try command.number(Int.self)
            try memory.poke(try command.octets(), at: offset)
            continue
        case "peek": print("octets", hexadecimal(try memory.peek(command.number(), count: command.number())))
        case "time":
            try running().now = try command.number()
            continue
        case "inject":
            let (port, queue) = (try command.number(Int.self), try command.number(Int.self))
            try running().inject(try command.octets(), port: port, queue: queue)
            continue
        case "transmit":
            let port = try command.number(UInt32.self)
            try running().transmit(try command.octets(), port: port)
            continue
        case "run":
            for line in try running().run() { print(line) }
            for line in try running().counters() { print(line) }
            print("buffers", try running().buffersInUse)
        case "sessions": for line in table.sessionCounts(segment.view) { print(line) }
        default: throw Host.Fault(description: "no such command: \(command.verb)")
        }
        print("done")
        fflush(nil)
    }
}

/// `model-harness hostile SEED ROUNDS`
func runHostile(seed: UInt64, rounds: Int) throws -> Bool {
    try Environment.start(.test())
    let test = try HostileSegment(seed: seed)
    var frames = 0
    for _ in 0..<rounds where test.failures.count < 20 { frames += test.round() }
    frames += test.roundsUnderChange(rounds / 32)
    for failure in test.failures { print("seed \(seed): \(failure)") }
    for outcome in test.outcomes where outcome.count != 0 { print("  \(outcome.count)  \(outcome.name)") }
    print("\(frames - test.failures.count) passed, \(test.failures.count) failed")
    return test.failures.isEmpty && frames > 0
}

/// `model-harness churn SEED SECONDS [SESSIONS]`. Without a number of sessions they are all but 32
/// of what a table of 65,536 holds, so that places are taken again soon.
func runChurn(seed: UInt64, seconds: UInt64, sessions: UInt64) throws -> Bool {
    culvert_harness_keep_cores()
    try Environment.start(.test())
    culvert_harness_take_cores_back()
    let churn = try Churn(seed: seed, sessions: UInt32(min(max(sessions, 16), 1 << 20)))
    try churn.run(seconds: seconds)
    for failure in churn.failures { print("seed \(seed): \(failure)") }
    for line in churn.report { print("  \(line)") }
    let frames = churn.tally.sent.up + churn.tally.sent.down
    print("\(frames) passed, \(churn.failureCount) failed")
    return churn.failureCount == 0 && frames > 0
}

/// `model-harness storm SEED FRAMES [WORKERS [DISPATCHED]]`
func runStorm(seed: UInt64, frames: UInt64, workers: Int, isDispatched: Bool) throws -> Bool {
    try Environment.start(.test())
    let start = culvert_monotonic_ns()
    let storm = try Storm(seed: seed, workers: min(max(workers, 1), 4), isDispatched: isDispatched)
    storm.run(frames)
    let seconds = Double(culvert_monotonic_ns() - start) / 1e9
    for failure in storm.failures { print("seed \(seed): \(failure)") }
    for outcome in storm.outcomes where outcome.count != 0 { print("  \(outcome.count)  \(outcome.name)") }
    print(
        "seed \(seed), workers \(workers)\(isDispatched ? ", dispatched" : ""): \(storm.injected) frames in \(Int(seconds)) s, "
            + "\(storm.sent) sent, \(storm.punted) punted")
    print("\(storm.injected) passed, \(storm.failures.count) failed")
    return storm.failures.isEmpty && storm.injected > 0
}

do {
    let words = CommandLine.arguments.dropFirst()
    if words.first == "hostile" {
        let numbers = words.dropFirst().compactMap { UInt64($0) }
        guard numbers.count == 2 else { throw Host.Fault(description: "usage: model-harness hostile SEED ROUNDS") }
        exit(try runHostile(seed: numbers[0], rounds: Int(truncatingIfNeeded: numbers[1])) ? 0 : 1)
    }
    if words.first == "churn" {
        let numbers = words.dropFirst().compactMap { UInt64($0) }
        guard 2...3 ~= numbers.count else {
            throw Host.Fault(description: "usage: model-harness churn SEED SECONDS [SESSIONS]")
        }
        let sessions = numbers.count == 3 ? numbers[2] : 65_504
        exit(try runChurn(seed: numbers[0], seconds: numbers[1], sessions: sessions) ? 0 : 1)
    }
    if words.first == "storm" {
        let numbers = words.dropFirst().compactMap { UInt64($0) }
        guard 2...4 ~= numbers.count else {
            throw Host.Fault(description: "usage: model-harness storm SEED FRAMES [WORKERS [DISPATCHED]]")
        }
        let workers = numbers.count > 2 ? Int(truncatingIfNeeded: numbers[2]) : 1
        let isDispatched = numbers.count > 3 && numbers[3] != 0
        let isCalm = try runStorm(seed: numbers[0], frames: numbers[1], workers: workers, isDispatched: isDispatched)
        exit(isCalm ? 0 : 1)
    }
    try serve()
} catch {
    print("error \(error)")
    fflush(nil)
    exit(1)
}
