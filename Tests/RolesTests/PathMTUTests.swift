import Observability
import Roles
import SimulationSupport
import Testing
import Timing
import Wire

/// What routers say of the way to an LNS, and what clients are told when their packets are too long for it.
@Suite struct PathMTUTests {
    /// A router's ICMP about a data message in the world's only tunnel.
    private static func tell(_ world: World, mtu: UInt16, tunnelID: UInt16? = nil, port: UInt16 = 1_701) throws {
        let peerTunnel = try #require(world.lns.tunnels.keys.first)
        var message = ByteWriter()
        for field in [0x4002, 1_440, tunnelID ?? peerTunnel, 1] as [UInt16] { message.write(field) }
        message.write([UInt8](repeating: 0, count: 1_432))
        let quoted = Datagram(
            from: IPv4Address(value: 0xc633_6401), 1_701, to: World.lnsAddress, port, payload: message.bytes)
        var icmp = ByteWriter()
        for field in [0x0304, 0, 0, mtu] as [UInt16] { icmp.write(field) }
        icmp.write(quoted.bytes)
        icmp.patch(~checksumSum(icmp.bytes), at: 2)
        var ip = ByteWriter()
        for field in [0x4500, UInt16(20 + icmp.count), 0, 0, 0x4001, 0] as [UInt16] { ip.write(field) }
        ip.write(World.otherLNSAddress.octets + [198, 51, 100, 1])
        ip.patch(~checksumSum(ip.bytes), at: 10)
        let frame = EthernetFrame(
            destination: World.coreMAC, source: world.lns.mac, etherType: 0x0800, payload: ip.bytes + icmp.bytes)
        world.act {
            world.node.receive(PuntedFrame(puntClass: .ipv4, port: 1, bytes: frame.bytes), at: world.now)
        }
    }

    private static func mtu(_ world: World) throws -> UInt16 {
        let id = try #require(world.node.tunnelIDs.first)
        return try #require(world.node.tunnelSnapshot(id)).settings.pathMTU
    }

    /// The path that the forwarding table has, once what rests has passed the workers.
    private static func tableMTU(_ world: World) throws -> UInt16 {
        world.run(for: .seconds(1))
        return try #require(world.null.tunnels.values.first?.paths.last).mtu
    }

    @Test func aRoutersWordCountsForTenMinutes() throws {
        let world = try World(profile: "path-mtu-discovery: true, hello-timeout: 0")
        world.dialled()
        #expect(try Self.mtu(world) == 1_500)
        try Self.tell(world, mtu: 1_300)
        #expect(try Self.mtu(world) == 1_300)
        #expect(try Self.tableMTU(world) == 1_300)
        try Self.tell(world, mtu: 1_400)
        #expect(try Self.mtu(world) == 1_300, "ICMP never raises it")
        world.run(for: .seconds(590))
        #expect(try Self.mtu(world) == 1_300)
        world.run(for: .seconds(20))
        #expect(try Self.mtu(world) == 1_500)
        #expect(try Self.tableMTU(world) == 1_500)
        world.expectNothingLeft()
    }

    @Test func strangersAreNotBelieved() throws {
        let world = try World(profile: "path-mtu-discovery: true")
        world.dialled()
        let id = try #require(world.lns.tunnels.keys.first)
        try Self.tell(world, mtu: 1_300, tunnelID: id ^ 1)
        try Self.tell(world, mtu: 1_300, port: 1_702)
        #expect(try Self.mtu(world) == 1_500)
    }

    @Test func whoDoesNotAskIsNotTold() throws {
        let world = try World()
        world.dialled()
        try Self.tell(world, mtu: 1_300)
        #expect(try Self.mtu(world) == 1_500)
    }

    @Test func aClientIsToldWhatFits() throws {
        let world = try World(profile: "too-big: tell")
        let client = world.dialled()
        // An echo request of 200 octets with DF, for which 100 would have fitted.
        var ip = ByteWriter()
        for field in [0x4500, 200, 7, 0x4000, 0x4001, 0] as [UInt16] { ip.write(field) }
        ip.write([10, 0, 0, 2, 10, 0, 0, 1])
        ip.patch(~checksumSum(ip.bytes), at: 10)
        let packet = PPPoEPacket(
            code: 0, sessionID: client.sessionID,
            payload: [0, 0x21] + ip.bytes + [8, 0, 0xf7, 0xff] + [UInt8](repeating: 0, count: 176))
        let frame = EthernetFrame(
            destination: World.accessMAC, source: client.mac, etherType: 0x8864, payload: packet.bytes)
        world.act {
            world.node.receive(
                PuntedFrame(puntClass: .tooBig, port: 0, upstreamSlot: 0, detail: 102, bytes: frame.bytes),
                at: world.now)
        }
        world.settle()
        let answer = try #require(client.dataFrames.first)
        // PPP, IPv4 to the client, ICMP 3/4 with the MTU that is left for IP.
        #expect(Array(answer.prefix(2)) == [0, 0x21])
        #expect(Array(answer[18..<22]) == [10, 0, 0, 2])
        #expect(Array(answer[22..<24]) == [3, 4])
        #expect(Array(answer[28..<30]) == [0, 100])
    }
}

/// Ones' complement sum of 16-bit words.
private func checksumSum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for (position, byte) in bytes.enumerated() { sum += UInt32(byte) << (position % 2 == 0 ? 8 : 0) }
    while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
    return UInt16(sum)
}
