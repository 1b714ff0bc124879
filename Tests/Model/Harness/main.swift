import CDPDK
import CHarness
import Glibc
import Segment
import Worker

// model-harness: hosts the data plane's worker for Tests/Model/run.py. It reads a command a line from standard input and
// answers each but `inject` and `transmit` with lines that end with `done`, or with one line `error ...` and then ends.

func serve() throws {
    try Environment.start(.test())
    let geometry = Geometry(
        sessions: 65_536, tunnels: 1_024, circuits: 64, vlanBlocks: 64, workers: 1, ports: 8, frameRingDepth: 1_024)
    let segment = try SegmentMapping.inMemory(geometry: geometry) { memory, size, workers in
        culvert_rcu_initialise(memory, UInt64(size), workers) == 0
    }
    let table = Table(segment)
    let host = try Host(segment)
    while let line = readLine() {
        guard var command = Command(line) else { continue }
        switch command.verb {
        case "port":
            var copy = command
            _ = try copy.word()
            try host.addPort(mac: try copy.mac(), mtu: 1_500)
            try table.port(&command)
        case "start": try host.start()
        case "circuit": print("circuit", try table.circuit(&command))
        case "tunnel": print("tunnel", try table.tunnel(&command, sourceMAC: host.mac))
        case "session": print("session", try table.session(&command))
        case "inject":
            let port = try command.number(Int.self)
            try host.inject(try command.octets(), port: port)
            continue
        case "transmit":
            let port = try command.number(UInt32.self)
            try host.transmit(try command.octets(), port: port)
            continue
        case "run":
            for line in try host.run() { print(line) }
            for line in host.counters() { print(line) }
            print("buffers", host.buffersInUse)
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
    try serve()
} catch {
    print("error \(error)")
    fflush(nil)
    exit(1)
}
