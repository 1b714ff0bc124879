import L2TP
import Observability
import SimulationSupport
import Testing
import Timing
import Wire

/// Everything at random, with a seed that names the run: clients that come, go and vanish, an LNS that refuses, forgets,
/// dies and comes back, a network that loses, doubles and delays, operators who clear, controllers who feed. Whatever
/// happened, nothing is left when all is closed, and the node serves as before.
@Suite struct SoakTests {
    private static let runs: ClosedRange<UInt64> = 1...150
    private static let steps = 400
    private static let clients = 12

    @Test(arguments: runs) func nothingIsLeft(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let world = try World(
            profile: "session-limit: 4, hello-timeout: 10, retry-timeout: 1, max-retries: 3, establish-timeout: 20",
            instance: "session-limit: \(Self.clients), session-limit-per-mac: 1",
            table: NullTable(sessions: 10, tunnels: 6), seed: seed)
        for number in 0..<Self.clients {
            switch number % 3 {
            case 0: world.addClient().authentication = number % 2 == 0 ? .chap : .pap
            default: world.addClient()
            }
        }
        if seed % 2 == 0 { world.faults = .init(loss: 30, duplication: 20, delay: 100) }
        for _ in 0..<Self.steps {
            world.act { step(world, &random) }
            let spans: [Duration] = [
                .milliseconds(1), .milliseconds(20), .milliseconds(300), .seconds(2), .seconds(15),
            ]
            world.run(for: spans[Int(random.next() % 16) % spans.count])
        }
        for reference in world.node.staticReferences() {
            _ = world.node.apply([.removeSession(reference)], at: world.now)
        }
        for id in world.node.staticTunnelIDs { _ = world.node.apply([.removeTunnel(.id(id))], at: world.now) }
        world.expectNothingLeft("seed \(seed)")

        // The node's own accounts are empty too: everybody may dial again, up to the limits.
        revive(world.lns, at: world.now)
        world.null.failsForward = false
        for client in world.clients.prefix(10) {
            client.isSilent = false
            client.negotiates = true
            world.act { client.dial(at: world.now) }
        }
        world.run(for: .seconds(25))
        #expect(world.states() == Array(repeating: .open, count: 10), "seed \(seed)")
        world.expectNothingLeft("seed \(seed), after all")
    }

    private func revive(_ lns: LNS, at now: Instant) {
        lns.isDead = false
        lns.isMute = false
        lns.takesCalls = true
        lns.secret = Array("s3cret".utf8)
    }

    private func step(_ world: World, _ random: inout SeededGenerator) {
        let client = world.clients[Int(random.next() % UInt64(world.clients.count))]
        let lns = world.lns
        let now = world.now
        let number = random.next()
        switch number % 40 {
        case 0...14:
            client.isSilent = false
            client.negotiates = true
            if client.state == .idle || client.state == .closed { client.dial(at: now) }
        case 15: client.isSilent = true
        case 16, 17: client.hangUp()
        case 18: client.terminate()
        case 19: client.renegotiate(at: now)
        case 20: client.forget()
        case 21: client.resendRequest()
        case 22: client.sendPADT(sessionID: UInt16(truncatingIfNeeded: number >> 32) % 12)
        case 23: client.sendEcho()
        case 24: client.negotiates.toggle()
        case 25: lns.disconnect(.administrative, at: now)
        case 26: lns.stop(.clear, at: now)
        case 27: lns.isMute.toggle()
        case 28: lns.isDead.toggle()
        case 29: lns.restart()
        case 30: lns.takesCalls.toggle()
        case 31: number & 0x100 == 0 ? lns.answerCalls(at: now) : lns.refuseCalls(.temporarilyUnavailable, at: now)
        case 32: lns.secret = number & 0x300 == 0 ? Array("other".utf8) : Array("s3cret".utf8)
        case 33: clear(world, number)
        case 34: feed(world, number)
        case 35: world.null.failsForward = number & 0x100 == 0
        case 36: lns.move(to: MACAddress(value: 0x0200_0000_3000 + number % 4), telling: World.coreMAC)
        default: revive(lns, at: now)
        }
    }

    private func clear(_ world: World, _ number: UInt64) {
        let tunnels = world.node.tunnelIDs
        let target: ClearTarget =
            switch number >> 8 & 7 {
            case 0: .everything
            case 1: .allConnections
            case 2: .destination(.v4(World.lnsAddress))
            case 3: .tunnel(tunnels.first ?? 1)
            case 4: .connection(world.node.routeIDs.last ?? 1)
            case 5: .tunnelNamed("isp1-\(World.lnsAddress)")
            default: .session(1, tunnel: tunnels.last)
            }
        _ = try? world.node.clear(target, at: world.now)
    }

    private func feed(_ world: World, _ number: UInt64) {
        let name = "feed-\(number >> 8 & 1)"
        let operation: StaticOperation =
            switch number >> 16 & 3 {
            case 0:
                .addTunnel(
                    StaticTunnel(
                        name: name, peerAddress: .v4(World.otherLNSAddress),
                        localAddress: .v4(IPv4Address(value: 0xc633_6401)), peerTunnelID: 9, egressPort: "core0"))
            case 1: .removeTunnel(.name(name))
            case 2:
                .addSession(
                    StaticSession(
                        reference: number >> 20 & 3, port: "access0", outerVLAN: 100,
                        clientMAC: MACAddress(value: 0x0200_0000_4000), tunnel: .name(name), peerSessionID: 1))
            default: .removeSession(number >> 20 & 3)
            }
        _ = world.node.apply([operation], at: world.now)
    }
}
