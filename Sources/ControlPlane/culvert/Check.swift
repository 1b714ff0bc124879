import ArgumentParser
import Configuration
import Settings

/// `culvert check`
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a configuration file without running it.",
        discussion: """
            Prints every fault as FILE:LINE: FIELD: REASON and exits with status 1; a file without faults is one that \
            culvertd and culvert-dataplane start with.
            """)

    @Flag(help: "Print JSON with stable field names.")
    var json = false

    @Argument(help: "The configuration file.", completion: .file(extensions: ["yaml"]))
    var file: String

    func run() throws {
        let faults = faults()
        if json {
            Output.write(try Output.json(faults.map { Fault($0) }) + "\n")
        } else if faults.isEmpty {
            Output.write("\(file): no faults\n")
        } else {
            for fault in faults { Output.write("\(file):\(fault)\n") }
        }
        if !faults.isEmpty { throw ExitCode(1) }
    }

    private func faults() -> [ConfigurationFault] {
        do throws(ConfigurationFaults) {
            _ = try Configuration.load(path: file)
            return []
        } catch { return error.list }
    }
}

/// A fault as JSON.
private struct Fault: Encodable {
    var line: Int
    var field: String
    var reason: String

    init(_ fault: ConfigurationFault) {
        line = fault.line
        field = fault.field
        reason = fault.reason
    }
}
