import PPP
import PPPoE
import Timing
import Wire

/// Many PPPoE clients on one port.
final class ClientFleet {
    let settings: ClientSettings
    let port: PacketPort
    var clients: [SimulatedClient]
    var counts = ClientCounts()
    /// Clients that are up, and on their way there.
    var upCount = 0
    var diallingCount = 0
    /// Clients that are ending their links.
    var terminatingCount = 0
    /// Seconds from PADI to the first answered echo, of those that came up since it was emptied.
    var times: [Double] = []
    var accessConcentrator = MACAddress.broadcast
    private var alarms = Alarms()
    private var random = SystemRandomNumberGenerator()

    init(_ settings: ClientSettings, port: PacketPort) {
        self.settings = settings
        self.port = port
        clients = (0..<settings.count).map { SimulatedClient(number: $0, settings: settings) }
    }

    // MARK: What they are told to do

    /// Client `number` looks for an access concentrator.
    func dial(_ number: Int, at now: Instant) {
        counts.dials += 1
        clients[number].dial &+= 1
        clients[number].dialledAt = now
        clients[number].sessionID = 0
        clients[number].lcp.reset()
        clients[number].ipcp = IPCPEnd(address: 0, assigned: nil)
        clients[number].hasEcho = false
        clients[number].unanswered = 0
        enter(.discovering, number)
        sendPADI(number)
        wait(settings.discoveryInterval, number, at: now)
    }

    /// Client `number` ends its link in order.
    func hangUp(_ number: Int, at now: Instant) {
        guard clients[number].hasSession else { return rest(number) }
        enter(.terminating, number)
        sendLCP(ControlPacket(code: LCPCode.terminateRequest.rawValue, identifier: 0xee), number)
        wait(.seconds(1), number, at: now)
    }

    /// Client `number` is gone without a word.
    func vanish(_ number: Int) { rest(number) }

    // MARK: Input

    /// Does what is due.
    func timersFired(at now: Instant) {
        while let number = alarms.due(at: now) {
            let index = Int(number)
            guard clients[index].deadline <= now else { continue }
            clients[index].deadline = .distantFuture
            timerFired(index, at: now)
        }
    }

    /// Takes a frame that has come in by the port.
    func receive(_ bytes: [UInt8], at now: Instant) {
        guard let frame = EthernetFrame(bytes[...]), let number = ClientSettings.number(of: frame.destination),
            number < clients.count, frame.tags.map(\.id) == settings.tags(number).map(\.id)
        else { return }
        switch frame.etherType {
        case DiscoveryPacket.etherType:
            guard let packet = try? DiscoveryPacket(parsing: frame.payload) else { return counts.unexpected += 1 }
            receive(discovery: packet, from: frame.source, number, at: now)
        case Self.sessionType: receive(session: frame.payload, number, at: now)
        default: break
        }
    }

    static let sessionType: UInt16 = 0x8864

    private func timerFired(_ number: Int, at now: Instant) {
        switch clients[number].phase {
        case .idle: break
        case .waiting: dial(number, at: now)
        case .discovering, .requesting:
            counts.discoveryRepeats += 1
            clients[number].tries &+= 1
            // After a while it looks for another access concentrator, for the one it knew may have forgotten the cookie.
            if clients[number].phase == .requesting, clients[number].tries < 4 {
                sendPADR(number)
            } else {
                if clients[number].phase == .requesting { enter(.discovering, number) }
                sendPADI(number)
            }
            let factor = 1 << min(Int(clients[number].tries), 6)
            wait(min(settings.discoveryInterval * factor, settings.discoveryCap), number, at: now)
        case .negotiating, .authenticating, .networking: requestAgain(number, at: now)
        case .up: echo(number, at: now)
        case .terminating: over(number, tellingPADT: true, at: now)
        }
    }

    // MARK: Parts

    /// Notes a phase, and how many are in it.
    func enter(_ phase: SimulatedClient.Phase, _ number: Int) {
        let (wasUp, wasDialling) = (clients[number].phase == .up, clients[number].isDialling)
        terminatingCount += (phase == .terminating ? 1 : 0) - (clients[number].phase == .terminating ? 1 : 0)
        clients[number].phase = phase
        clients[number].tries = 0
        upCount += (phase == .up ? 1 : 0) - (wasUp ? 1 : 0)
        diallingCount += (clients[number].isDialling ? 1 : 0) - (wasDialling ? 1 : 0)
    }

    /// Has the client looked at after `interval`, give or take a tenth: clients have no common clock.
    func wait(_ interval: Duration, _ number: Int, at now: Instant) {
        let parts = interval.components
        let nanoseconds = Double(parts.seconds) * 1e9 + Double(parts.attoseconds) / 1e9
        clients[number].deadline =
            now + .nanoseconds(Int64(nanoseconds * Double.random(in: 0.9...1.1, using: &random)))
        alarms.set(UInt32(number), at: clients[number].deadline)
    }

    private func rest(_ number: Int) {
        enter(.idle, number)
        clients[number].deadline = .distantFuture
    }

    /// The session has ended; the client dials again, unless it is to stay down.
    func over(_ number: Int, tellingPADT: Bool, at now: Instant) {
        if tellingPADT {
            sendDiscovery(DiscoveryPacket(code: .padt, sessionID: clients[number].sessionID), number)
        }
        guard settings.redials, clients[number].phase != .terminating else { return rest(number) }
        enter(.waiting, number)
        let parts = settings.redialWithin.components
        let longest = Double(parts.seconds) * 1e9 + Double(parts.attoseconds) / 1e9
        clients[number].deadline = now + .nanoseconds(Int64(Double.random(in: 0...max(longest, 1), using: &random)))
        alarms.set(UInt32(number), at: clients[number].deadline)
    }
}
