import ArgumentParser

/// `bench-setup`: many clients come up, stay up and come back, through a real Culvert to LNSs in user space.
@main
struct BenchSetUp: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-setup",
        abstract:
            "Many PPPoE clients through Culvert to LNSs in user space: set-up rate, cost of holding, and of coming back.",
        subcommands: [Measure.self, Dial.self, Serve.self], defaultSubcommand: Measure.self)
}
