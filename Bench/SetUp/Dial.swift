import ArgumentParser
import Glibc
import Timing

/// `bench-setup dial`: the clients alone, on an interface; a lab has the other end.
struct Dial: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Dials by many simulated clients, holds them for a while and hangs up; says as JSON what has come of it.")

    @Option(help: "DPDK's device, as in net_af_packet0,iface=eth1.")
    var device: String
    @Option(help: "Clients.")
    var clients = 20
    @Option(help: "By what they authenticate themselves: chap, pap or mixed.")
    var proof = "mixed"
    @Option(help: "Name and password of all of them.")
    var user = "user@isp1.com"
    @Option(help: "Their password.")
    var password = "secret"
    @Option(help: "Seconds that they stay, with an echo every second.")
    var hold = 5

    func run() throws {
        guard let proof = ClientSettings.Proof(rawValue: proof) else {
            throw ValidationError("--proof is chap, pap or mixed")
        }
        let pool = try SimulatorEnvironment.start()
        var settings = ClientSettings(count: clients, proof: proof, password: password)
        let user = user
        settings.userName = { _ in user }
        settings.echoInterval = .seconds(1)
        settings.redials = false
        let fleet = ClientFleet(settings, port: try PacketPort(device: device, pool: pool))
        let network = SimulatedNetwork(fleet: fleet, farm: nil)
        for number in 0..<clients { fleet.dial(number, at: .now) }
        let areUp = network.run(patience: .seconds(60)) { _ in fleet.upCount == clients }
        say("{\"up\": \(fleet.upCount)}")
        network.run(for: .seconds(hold))
        let stayed = fleet.upCount
        for number in 0..<clients { fleet.hangUp(number, at: .now) }
        network.run(patience: .seconds(10)) { _ in fleet.clients.allSatisfy { !$0.hasSession } }
        let counts = fleet.counts
        say(
            """
            {"up": \(areUp ? clients : stayed), "stayed": \(stayed), "dials": \(counts.dials), "echoes_sent": \
            \(counts.echoesSent), "echoes_answered": \(counts.echoesAnswered), "echoes_returned": \
            \(counts.echoesReturned), "refusals": \(counts.refusals), "unexpected": \(counts.unexpected)}
            """)
        if !areUp { throw ExitCode.failure }
    }
}
