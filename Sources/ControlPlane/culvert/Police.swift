import ArgumentParser
import Observability

/// `culvert police`
struct Police: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Set, remove or show the policers of a session.",
        discussion: """
            --up and --down take off, or CIR[,PIR[,CBS[,PBS]]]: rates in bit/s, bursts in octets, each with an optional k, M \
            or G for thousands, millions and thousands of millions. PIR is CIR unless given; a burst is what its rate carries \
            in 100 ms, at least 15,000 octets. A direction that is not given stays as it is; without both, the policers in \
            force are shown. Frames beyond the peak rate are dropped and counted in show l2tp session detail.
            """,
        subcommands: [PoliceRoute.self, PoliceSession.self, PoliceStatic.self])
}

/// The rates of both directions.
struct PolicerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("From the client to the LNS.", valueName: "rates|off"))
    var up: PolicerArgument?

    @Option(help: ArgumentHelp("From the LNS to the client.", valueName: "rates|off"))
    var down: PolicerArgument?

    /// Changes the session's policers and shows them.
    func apply(to session: SessionName, _ options: GlobalOptions) async throws {
        let (up, down) = (up?.change ?? .keep, down?.change ?? .keep)
        try await options.connected { client in
            let policers = try await client.setPolicers(of: session, upstream: up, downstream: down)
            try options.print(policers, text: policers.text)
        }
    }
}

/// `culvert police route`
struct PoliceRoute: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route", abstract: "A client's session, by its route of the access concentrator.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var policers: PolicerOptions

    @Argument(help: ArgumentHelp("The route's id.", valueName: "route"), completion: .names(.route))
    var id: UInt32

    func run() async throws { try await policers.apply(to: .route(id), options) }
}

/// `culvert police session`
struct PoliceSession: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session", abstract: "An L2TP session.",
        discussion: "A session id is unique within its tunnel only: --tunnel says which tunnel is meant.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var policers: PolicerOptions

    @Argument(help: ArgumentHelp("The local session id.", valueName: "session"), completion: .names(.session))
    var id: UInt16

    @Option(help: ArgumentHelp("The tunnel's local id.", valueName: "id"), completion: .names(.tunnel))
    var tunnel: UInt16?

    func run() async throws { try await policers.apply(to: .l2tp(id, tunnel: tunnel), options) }
}

/// `culvert police static`
struct PoliceStatic: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "static", abstract: "A controller's session, by its reference.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var policers: PolicerOptions

    @Argument(help: "The session's reference.")
    var reference: UInt64

    func run() async throws { try await policers.apply(to: .staticSession(reference), options) }
}

/// `off`, or rates and bursts as an operator writes them.
struct PolicerArgument: ExpressibleByArgument {
    let change: PolicerChange

    init?(argument: String) {
        if argument == "off" {
            change = .remove
            return
        }
        let words = argument.split(separator: ",", omittingEmptySubsequences: false)
        let figures = words.compactMap(Self.figure)
        guard (1...4).contains(words.count), figures.count == words.count else { return nil }
        let (committed, peak) = (figures[0], figures.count > 1 ? figures[1] : figures[0])
        let committedBurst = figures.count > 2 ? figures[2] : max(committed / 80, 15_000)
        let settings = PolicerSettings(
            committedRate: committed, peakRate: peak, committedBurst: committedBurst,
            peakBurst: figures.count > 3 ? figures[3] : max(peak / 80, 15_000))
        guard settings.fault == nil else { return nil }
        change = .set(settings)
    }

    /// `1500`, `20k`, `100M`, `1G`.
    private static func figure(_ word: Substring) -> UInt64? {
        let units: [Character: UInt64] = ["k": 1_000, "M": 1_000_000, "G": 1_000_000_000]
        let unit = word.last.flatMap { units[$0] }
        let digits = unit == nil ? word : word.dropLast()
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = UInt64(digits) else {
            return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
        return overflow ? nil : product
    }
}
