import Observability
import PPPoE
import Roles
import Segment
import SimulationSupport
import Testing
import Timing
import Wire

/// Strangers in great numbers: what they leave behind is bounded and timed, what is not proven is not remembered, and whoever is real
/// gets in.
@Suite struct FloodTests {
    /// PADRs with good cookies, each of another address, none of which ever says a word: 100,000, and fewer by the other limits.
    @Test(
        arguments: [
            ("half-open-limit-per-vlan: 1000", "routesOverHalfOpenLimitPerVlan", 100_000),
            ("half-open-limit-per-port: 1000", "routesOverHalfOpenLimitPerPort", 3_000),
            ("half-open-limit: 1000", "routesOverHalfOpenLimit", 3_000),
        ] as [(String, String, UInt64)])
    func requestsWithForgedAddressesLeaveSoManySessionsAndNoneInTheEnd(
        setting: String, refusals: String, requests: UInt64
    ) throws {
        let world = try World(instance: setting, table: NullTable(sessions: 2_000))
        let flooder = Flooder(world)
        for number in 0..<requests {
            #expect(flooder.opens(MACAddress(value: 0x0200_0100_0000 + number)) != nil)
            if number % 500 == 499 { world.run(for: .milliseconds(10)) }
        }
        #expect(world.node.census.connections.values.reduce(0, +) == 1_000)
        #expect(world.counters["routesHalfOpenGivenUp"] == requests - 1_000)
        #expect(world.counters[refusals] == nil, "everyone was let in")
        // Not answered by anybody, the last of them end by themselves.
        world.run(for: .seconds(60 + 10))
        #expect(world.population == [0, 0, 0])
        #expect(world.null.leaks == [])
        world.expectNothingLeft()
    }

    @Test func oneAddressHasSoManyHalfOpenSessionsAndTheOthersTheirs() throws {
        let world = try World(instance: "half-open-limit-per-mac: 3")
        let flooder = Flooder(world)
        let opened = (0..<100).compactMap { flooder.opens(MACAddress(value: 0x0200_0100_0000), mark: UInt8($0)) }
        #expect(opened.count == 3)
        #expect(world.counters["routesOverHalfOpenLimitPerMac"] == 97)
        #expect(world.counters["routesHalfOpenGivenUp"] == nil, "its own flood ends nobody's session, not even its own")
        #expect(flooder.opens(MACAddress(value: 0x0200_0100_0001)) != nil)
        world.dialled()
        #expect(world.states().count { $0 == .open } == 1)
    }

    /// 500 requests a second on the client's own VLAN, where 100 half-open sessions may be.
    @Test func aClientGetsInWhileOthersOpenSessionsInVain() throws {
        let world = try World(instance: "half-open-limit-per-vlan: 100", table: NullTable(sessions: 500))
        let flooder = Flooder(world)
        var number: UInt64 = 0
        func flood(_ duration: Int) {
            for _ in 0..<(duration / 10) {
                for _ in 0..<5 {
                    number += 1
                    _ = flooder.opens(MACAddress(value: 0x0200_0100_0000 + number))
                }
                world.run(for: .milliseconds(10))
            }
        }
        flood(1_000)
        let client = world.addClient()
        world.act { client.dial(at: world.now) }
        flood(2_000)
        #expect(client.state == .session)
        #expect(world.states().count { $0 == .open } == 1)
        #expect(world.node.census.connections.values.reduce(0, +) == 101)
    }

    /// Sessions whose clients have spoken are given time; then they give way as well.
    @Test func whoHasSpokenIsGivenTime() throws {
        let world = try World(instance: "half-open-limit-per-vlan: 3", table: NullTable(sessions: 500))
        let flooder = Flooder(world)
        for number in 0..<3 as Range<UInt64> {
            let client = MACAddress(value: 0x0200_0100_0000 + number)
            let session = try #require(flooder.opens(client))
            flooder.speaks(client, session: session)
        }
        #expect(flooder.opens(MACAddress(value: 0x0200_0100_0010)) == nil)
        #expect(world.counters["routesOverHalfOpenLimitPerVlan"] == 1)
        world.run(for: .seconds(9))
        #expect(flooder.opens(MACAddress(value: 0x0200_0100_0011)) == nil)
        world.run(for: .seconds(1))
        #expect(flooder.opens(MACAddress(value: 0x0200_0100_0012)) != nil)
        #expect(world.counters["routesHalfOpenGivenUp"] == 1)
    }

    /// Who has said who it is is not half-open any more, though its LNS does not answer.
    @Test func whoHasSaidWhoItIsGivesNoWay() throws {
        let world = try World(instance: "half-open-limit: 2")
        world.lns.takesCalls = false
        for _ in 0..<5 { world.dialled() }
        #expect(world.states() == Array(repeating: .connecting, count: 5))
        #expect(world.counters["routesHalfOpenGivenUp"] == nil)
    }

    @Test func lcpAndAuthenticationTakeSoLongAndNoLonger() throws {
        for seconds in [7, 20] as [Int64] {
            let world = try World(instance: "establish-timeout: \(seconds), lcp-restart: 1, lcp-max-configure: 100")
            let client = world.addClient()
            client.insistsOnMRU = true
            let flooder = Flooder(world)
            let session = try #require(flooder.opens(MACAddress(value: 0x0200_0100_0000)))
            world.run(for: .seconds(seconds) - .milliseconds(100))
            #expect(world.states().count == 1)
            flooder.speaks(MACAddress(value: 0x0200_0100_0000), session: session)
            // Two Terminate-Requests, a second apart, and then the PADT.
            world.run(for: .seconds(2) + .milliseconds(500))
            #expect(world.states().isEmpty)
        }
    }

    // MARK: What is not proven is not remembered

    /// Frames of strangers, by kind: each is another stranger's. None may leave anything behind.
    private static let strangers:
        [(name: String, punt: PuntClass, port: UInt16, frame: @Sendable (UInt64) -> [UInt8])] = [
            ("PADI", .pppoeDiscovery, 0, { Flooder.padi(MACAddress(value: 0x0200_0200_0000 + $0)) }),
            (
                "PADR without a cookie", .pppoeDiscovery, 0,
                { Flooder.padr(MACAddress(value: 0x0200_0200_0000 + $0), cookie: nil) }
            ),
            (
                "PADR with a forged cookie", .pppoeDiscovery, 0,
                {
                    Flooder.padr(
                        MACAddress(value: 0x0200_0200_0000 + $0), cookie: Array(repeating: UInt8($0 & 255), count: 32))
                }
            ),
            ("PADT", .pppoeDiscovery, 0, { Flooder.padt(MACAddress(value: 0x0200_0200_0000 + $0)) }),
            (
                "a session's frame", .unknownSession, 0,
                {
                    Flooder.session(
                        MACAddress(value: 0x0200_0200_0000 + $0), UInt16($0 % 60_000) + 1, [0xc0, 0x21, 9, 1, 0, 4])
                }
            ),
            (
                "L2TP for a tunnel that is not there", .l2tpUnknown, 1,
                { Flooder.control($0, tunnel: UInt16($0 % 60_000) + 2) }
            ),
            ("L2TP for a tunnel that is there", .l2tpUnknown, 1, { Flooder.control($0, tunnel: 1) }),
            ("SCCRQ that cannot be read", .l2tpUnknown, 1, { Flooder.control($0, tunnel: 0) }),
            ("an ARP request", .arp, 1, { Flooder.arp($0) }),
        ]

    @Test func whatIsNotProvenIsNotRemembered() throws {
        let world = try World()
        world.dialled()
        for kind in Self.strangers {
            func send(_ numbers: Range<UInt64>) {
                for number in numbers {
                    world.node.receive(
                        PuntedFrame(puntClass: kind.punt, port: kind.port, bytes: kind.frame(number)), at: world.now)
                    world.outbox.frames.removeAll(keepingCapacity: true)
                }
            }
            // The first ones may make what there is one of: a bucket's counters, a neighbour that is being asked for.
            send(0..<100)
            world.run(for: .seconds(1))
            let before = tableSizes(of: world.node)
            #expect(before.count > 20, "the node is made of tables, and these are looked at")
            send(100..<20_100)
            #expect(tableSizes(of: world.node) == before, "\(kind.name)")
            #expect(world.node.census.connections == [.open: 1])
        }
        // The measure finds what does grow.
        let before = tableSizes(of: world.node)
        #expect(Flooder(world).opens(MACAddress(value: 0x0200_0100_0000)) != nil)
        #expect(tableSizes(of: world.node) != before)
    }

    /// The data plane knows which of a peer's messages can be genuine by the number that is expected next, within 256.
    @Test func theTableIsToldWhichNumbersOfThePeerAreNear() throws {
        let world = try World()
        world.dialled()
        let tunnel = try #require(world.node.tunnelIDs.first)
        #expect(world.null.controlWindows == [tunnel: 0])
        // Each call is answered by one message.
        for _ in 0..<300 {
            let client = world.addClient()
            world.act { client.dial(at: world.now) }
        }
        world.run(for: .seconds(10))
        #expect(world.states() == Array(repeating: .open, count: 301))
        #expect(world.null.controlWindows == [tunnel: 1])
    }

    @Test func linesOfTheLogAreBounded() {
        var limit = LineLimit(rate: 2, burst: 3)
        let start = Instant.zero + .seconds(100)
        let first = (0..<10).map { _ in limit.take(at: start) }
        #expect(first.count { $0 != nil } == 3)
        #expect(first[0]?.isEmpty == true)
        #expect(limit.take(at: start + .milliseconds(500)) == ["left-out": "7"])
        #expect(limit.take(at: start + .milliseconds(501)) == nil)
        #expect(limit.take(at: start + .milliseconds(1_000)) == ["left-out": "1"])
        #expect(limit.take(at: start + .seconds(10)) == [:])
    }
}

/// How many elements each collection has that a value is made of, however deep it lies, by the way to it. What lies in elements is
/// not looked at.
private func tableSizes(of value: Any, path: String = "", depth: Int = 0) -> [String: Int] {
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .collection, .set, .dictionary: return [path: mirror.children.count]
    case .class where depth > 0: return [:]  // others' objects: the table, the log
    default: break
    }
    guard depth < 8 else { return [:] }
    var sizes: [String: Int] = [:]
    for (place, child) in mirror.children.enumerated() {
        let name = child.label ?? "\(place)"
        sizes.merge(tableSizes(of: child.value, path: "\(path).\(name)", depth: depth + 1), uniquingKeysWith: +)
    }
    return sizes
}

/// Sends what it likes, as fast as it likes, and reads the node's answers.
struct Flooder {
    let world: World
    private static let untagged = AttachmentCircuit(port: 0)

    init(_ world: World) { self.world = world }

    /// A whole discovery by an address: the session's id, nil when it was refused.
    func opens(_ client: MACAddress, mark: UInt8 = 0) -> UInt16? {
        guard let offer = answer(to: Self.padi(client), code: PPPoEPacket.pado), let cookie = offer.first(Tag.cookie)
        else { return nil }
        let pads = answer(to: Self.padr(client, cookie: cookie, mark: mark), code: PPPoEPacket.pads)
        return pads.flatMap { $0.sessionID == 0 ? nil : $0.sessionID }
    }

    /// An LCP Echo-Request, which a session in LCP understands.
    func speaks(_ client: MACAddress, session: UInt16) {
        let slot = world.null.find(Self.untagged, client: client, sessionID: session)
        world.node.receive(
            PuntedFrame(
                puntClass: .pppControl, port: 0, upstreamSlot: slot,
                bytes: Self.session(client, session, [0xc0, 0x21, 1, 1, 0, 4])), at: world.now)
        world.outbox.frames.removeAll(keepingCapacity: true)
    }

    private func answer(to frame: [UInt8], code: UInt8) -> PPPoEPacket? {
        world.outbox.frames.removeAll(keepingCapacity: true)
        world.node.receive(PuntedFrame(puntClass: .pppoeDiscovery, port: 0, bytes: frame), at: world.now)
        let packets = world.outbox.frames.compactMap {
            EthernetFrame($0.bytes[...]).flatMap { PPPoEPacket($0.payload) }
        }
        world.outbox.frames.removeAll(keepingCapacity: true)
        return packets.last { $0.code == code }
    }

    static func padi(_ client: MACAddress) -> [UInt8] {
        discovery(
            client, to: .broadcast, PPPoEPacket(code: PPPoEPacket.padi, tags: [Tag(type: Tag.serviceName, value: [])]))
    }

    static func padr(_ client: MACAddress, cookie: [UInt8]?, mark: UInt8 = 0) -> [UInt8] {
        let tags = [Tag(type: Tag.serviceName, value: []), Tag(type: Tag.hostUniq, value: [mark])]
        return discovery(
            client, to: World.accessMAC,
            PPPoEPacket(code: PPPoEPacket.padr, tags: tags + (cookie.map { [Tag(type: Tag.cookie, value: $0)] } ?? [])))
    }

    static func padt(_ client: MACAddress) -> [UInt8] {
        discovery(client, to: World.accessMAC, PPPoEPacket(code: PPPoEPacket.padt, sessionID: 7, payload: []))
    }

    static func session(_ client: MACAddress, _ id: UInt16, _ ppp: [UInt8]) -> [UInt8] {
        EthernetFrame(
            destination: World.accessMAC, source: client, tags: [], etherType: 0x8864,
            payload: PPPoEPacket(code: 0, sessionID: id, payload: ppp).bytes
        ).bytes
    }

    /// An L2TP control message without a body that says what it is, from an address of its own.
    static func control(_ number: UInt64, tunnel: UInt16) -> [UInt8] {
        let message: [UInt8] = [
            0xc8, 2, 0, 20, UInt8(tunnel >> 8), UInt8(tunnel & 255), 0, 0, 0, 0, 0, 0, 0x80, 8, 0, 0, 0, 0, 0, 1,
        ]
        let source = IPv4Address(value: 0xc633_6400 + 10 + UInt32(number % 200))
        let datagram = Datagram(
            from: source, 1_701, to: IPv4Address(value: 0xc633_6401), 1_701, payload: message)
        return EthernetFrame(
            destination: World.coreMAC, source: MACAddress(value: 0x0200_0300_0000 + number), tags: [],
            etherType: 0x0800, payload: datagram.bytes
        ).bytes
    }

    /// A question for the node's address by somebody whom it has nothing to do with.
    static func arp(_ number: UInt64) -> [UInt8] {
        let mac = MACAddress(value: 0x0200_0300_0000 + number)
        let source = IPv4Address(value: 0xc633_6400 + 10 + UInt32(number % 200))
        let node = IPv4Address(value: 0xc633_6401)
        return EthernetFrame(
            destination: .broadcast, source: mac, tags: [], etherType: 0x0806,
            payload: [0, 1, 8, 0, 6, 4, 0, 1] + mac.octets + source.octets + [0, 0, 0, 0, 0, 0] + node.octets
        ).bytes
    }

    private static func discovery(_ client: MACAddress, to destination: MACAddress, _ packet: PPPoEPacket) -> [UInt8] {
        EthernetFrame(
            destination: destination, source: client, tags: [], etherType: 0x8863, payload: packet.bytes
        ).bytes
    }
}
