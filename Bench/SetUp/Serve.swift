import ArgumentParser
import Glibc
import Timing
import Wire

/// `bench-setup serve`: the LNSs alone, on an interface; a lab has the other end.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Is an LNS on an interface until SIGTERM; says as JSON what has come to it.")

    @Option(help: "DPDK's device, as in net_af_packet0,iface=eth1.")
    var device: String
    @Option(help: "The LNS's address.")
    var address = "10.99.0.2"
    @Option(help: "Secret of its tunnels.")
    var secret = "tunsecret"
    @Option(help: "The clients' password.")
    var password = "secret"
    @Option(help: "Seconds between two LCP echoes to a client.")
    var echo = 1

    func run() throws {
        guard let address = IPv4Address(address) else { throw ValidationError("--address is an IPv4 address") }
        StopSignals.note()
        let pool = try SimulatorEnvironment.start()
        var settings = LNSSettings(addresses: [address], secret: Array(secret.utf8), password: password)
        settings.echoInterval = .seconds(echo)
        let farm = LNSFarm(settings, port: try PacketPort(device: device, pool: pool))
        say("{\"serving\": \"\(address)\"}")
        SimulatedNetwork(fleet: nil, farm: farm).run(patience: .seconds(86_400)) { _ in StopSignals.haveCome }
        let counts = farm.counts
        say(
            """
            {"tunnels": \(farm.tunnels.count), "sessions": \(farm.lineCount), "calls": \(counts.callsTaken), \
            "ended": \(counts.callsEnded), "authenticated": \(counts.authenticated), "bad_responses": \
            \(counts.badResponses), "renegotiated": \(counts.renegotiated), "echoes_sent": \(counts.echoesSent), \
            "echoes_answered": \(counts.echoesAnswered), "echoes_returned": \(counts.echoesReturned), "pings": \
            \(counts.pings), "stray": \(counts.strayFrames)}
            """)
    }
}
