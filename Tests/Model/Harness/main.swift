import CDPDK
import Glibc
import Segment

// model-harness: hosts the data plane's worker for Tests/Model/run.py. It reads a command a line from standard input and
// answers each but `inject` with lines that end with `done`, or with one line `error ...` and then ends.

func startEnvironment() throws {
    let words = ["model-harness", "-l", "0", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "--log-level=lib.*:error"]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    guard culvert_eal_init(CInt(arguments.count), &arguments) >= 0 else {
        throw Host.Fault(description: "DPDK's environment does not start")
    }
}

func serve() throws {
    try startEnvironment()
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
            host.addPort(mac: try copy.mac(), mtu: 1_500)
            try table.port(&command)
        case "start": try host.start()
        case "circuit": print("circuit", try table.circuit(&command))
        case "tunnel": print("tunnel", try table.tunnel(&command, sourceMAC: host.mac))
        case "session": print("session", try table.session(&command))
        case "inject":
            let port = try command.number(UInt32.self)
            try host.inject(try command.octets(), port: port)
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

do {
    try serve()
} catch {
    print("error \(error)")
    fflush(nil)
    exit(1)
}
