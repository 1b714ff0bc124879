import ArgumentParser
import CDPDK
import Foundation
import Observability
import RPC
import Segment
import Wire

/// `bench-feed`: how many static sessions a second a controller can give a real culvertd over its socket.
@main
struct BenchFeed: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-feed",
        abstract: "Feeds static sessions to a culvertd that it starts, without a data plane behind the segment.")

    @Option(help: "Sessions to add.")
    var sessions = 1_000_000
    @Option(help: "Tunnels that they are spread over, with a VLAN each.")
    var tunnels = 250
    @Option(help: "Sessions in a message: of a batch, or one by one.")
    var batch = 4_096
    @Flag(help: "One operation a session, rather than batches.")
    var oneByOne = false
    @Option(help: "The daemon.")
    var culvertd = ".build/release/culvertd"

    func validate() throws {
        guard (1...1_000_000).contains(sessions) else { throw ValidationError("--sessions is 1 to 1000000") }
        guard (1...4_000).contains(tunnels), sessions / tunnels <= 60_000 else {
            throw ValidationError("--tunnels is 1 to 4000, and one for 60000 sessions at least")
        }
        guard (1...StaticSessionBatch.limit).contains(batch) else {
            throw ValidationError("--batch is 1 to \(StaticSessionBatch.limit)")
        }
    }

    func run() async throws {
        let node = try FeedNode(culvertd: culvertd)
        defer { node.end() }
        let operations = oneByOne ? singles() : batches()
        let spent = try await node.connected { client in
            let added = try await client.apply((0..<tunnels).map { .addTunnel(Self.tunnel($0)) })
            for case .refused(let fault) in added { throw BenchError("a tunnel was refused: \(fault.reason)") }
            let start = ContinuousClock.now
            let results = try await client.apply(operations)
            let spent = ContinuousClock.now - start
            try check(results)
            let listing = ContinuousClock.now
            let listed = Tally()
            try await client.staticEntries(receiveTunnels: { _ in }, receiveSessions: { await listed.add($0.count) })
            guard await listed.count == sessions else { throw BenchError("\(await listed.count) sessions are listed") }
            return (feed: spent, list: ContinuousClock.now - listing)
        }
        let kind = oneByOne ? "one operation a session" : "batches of \(batch)"
        print("\(sessions) sessions over \(tunnels) tunnels, \(kind)")
        print("  fed     \(rate(spent.feed)) sessions a second")
        print("  listed  \(rate(spent.list)) sessions a second")
    }

    private func rate(_ spent: Duration) -> Int { Int(Double(sessions) / (spent / .seconds(1))) }

    private func check(_ results: [StaticResult]) throws {
        var count = 0
        for result in results {
            switch result {
            case .sessionAdded: count += 1
            case .sessionsAdded(let added): count += added.sessionIDs.count - added.refused.count
            case .refused(let fault): throw BenchError("refused: \(fault.reason)")
            case .tunnelAdded, .tunnelRemoved, .sessionRemoved: break
            }
        }
        guard count == sessions else { throw BenchError("\(count) of \(sessions) sessions were added") }
    }

    private static func tunnel(_ index: Int) -> StaticTunnel {
        StaticTunnel(
            name: "lns-\(index)", peerAddress: .v4(IPv4Address(value: 0xc612_0001 + UInt32(index))),
            localAddress: .v4(FeedNode.localAddress), peerTunnelID: UInt16(index + 1), egressPort: "core0",
            nextHop: .mac(MACAddress(value: 0x02ee_0000_0001)))
    }

    /// Sessions of a tunnel after those of the one before.
    private var share: Int { (sessions + tunnels - 1) / tunnels }

    private func batches() -> [StaticOperation] {
        var operations: [StaticOperation] = []
        for tunnel in 0..<tunnels {
            let end = min((tunnel + 1) * share, sessions)
            for start in stride(from: tunnel * share, to: end, by: batch) {
                let numbers = start..<min(start + batch, end)
                operations.append(
                    .addSessions(
                        StaticSessionBatch(
                            port: "access0", tunnel: .name("lns-\(tunnel)"),
                            references: numbers.map { UInt64($0 + 1) },
                            clientMACs: numbers.map { 0x0211_0000_0000 | UInt64($0) },
                            peerSessionIDs: numbers.map { UInt32($0 % 65_535 + 1) },
                            outerVLANs: [UInt32](repeating: UInt32(tunnel + 1), count: numbers.count))))
            }
        }
        return operations
    }

    private func singles() -> [StaticOperation] {
        (0..<sessions).map { number in
            .addSession(
                StaticSession(
                    reference: UInt64(number + 1), port: "access0", outerVLAN: UInt16(number / share + 1),
                    outerTPID: 0x8100, clientMAC: MACAddress(value: 0x0211_0000_0000 | UInt64(number)),
                    tunnel: .name("lns-\(number / share)"), peerSessionID: UInt16(number % 65_535 + 1)))
        }
    }
}

/// Counts what several tasks tell it.
private actor Tally {
    private(set) var count = 0

    func add(_ more: Int) { count += more }
}

/// Why the bench cannot go on.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
