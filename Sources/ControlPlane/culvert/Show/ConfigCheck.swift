import ArgumentParser
import Configuration
import Observability
import Settings

/// Which file `config-check` judges.
struct FileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The configuration file that config-check judges.", valueName: "file"),
        completion: .file(extensions: ["yaml"]))
    var file = "/etc/culvert/culvert.yaml"

    /// Judges the instances of the file, or the one called `name`, and ends with status 1 when one is not complete.
    func check(_ kind: ConfigurationCheck.Kind, _ name: String?, _ options: ShowOptions) async throws {
        guard let seconds = options.watch else { return try checkOnce(kind, name, options) }
        try await Frames.run(every: .seconds(seconds)) {
            // What is incomplete now may be complete in the next frame.
            do { try checkOnce(kind, name, options) } catch let code as ExitCode where code.rawValue == 1 {}
        }
    }

    private func checkOnce(_ kind: ConfigurationCheck.Kind, _ name: String?, _ options: ShowOptions) throws {
        let found: [ConfigurationCheck]
        do throws(ConfigurationFaults) {
            found = try ConfigurationCheck.checks(kind, path: file)
        } catch {
            for fault in error.list { Output.complain("\(file):\(fault)") }
            throw ExitCode(1)
        }
        let chosen = found.filter { name == nil || $0.name == name }
        if let name, chosen.isEmpty {
            Output.complain("\(file) has no \(kind.section) called '\(name)'")
            throw ExitCode(1)
        }
        try options.global.print(chosen, text: chosen.map(\.text).joined(separator: "\n"))
        if chosen.contains(where: { !$0.complete }) { throw ExitCode(1) }
    }
}
