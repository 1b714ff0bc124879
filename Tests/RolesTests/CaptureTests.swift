import Observability
import PPPoE
import Roles
import Segment
import SimulationSupport
import Testing
import Timing
import Wire

/// Captures of a session: which frames belong to them, what the table is told, and their end.
@Suite struct CaptureTests {
    /// A copy as the data plane makes it.
    private static func copy(
        _ number: UInt16, slot: UInt32, port: UInt16 = 0, _ point: CapturePoint = .received, reason: Counter? = nil,
        length: UInt32 = 0, bytes: [UInt8]
    ) -> PuntedFrame {
        PuntedFrame(
            puntClass: .capture, port: port, upstreamSlot: slot, detail: length, timestamp: 77,
            capture: CaptureMark(number: number, point: point, reason: reason), bytes: bytes)
    }

    private static func frames(_ captured: [(id: CaptureID, output: CaptureOutput)]) -> [CapturedFrame] {
        captured.compactMap { if case .frame(let frame) = $0.output { frame } else { nil } }
    }

    /// Captured frames as the world's trace has them.
    private static func described(_ frames: [CapturedFrame], _ world: World) -> [String] {
        frames.compactMap { captured in
            guard let frame = EthernetFrame(captured.bytes[...]) else { return "no frame" }
            return world.describe(
                frame, fromNode: captured.direction == .outbound, port: captured.interface == "access0" ? 0 : 1)
        }
    }

    private static func ends(_ captured: [(id: CaptureID, output: CaptureOutput)]) -> [String] {
        captured.compactMap { if case .ended(let reason) = $0.output { reason } else { nil } }
    }

    @Test(arguments: [true, false]) func hasTheControlFramesOfASetup(withTunnel: Bool) throws {
        let world = try World()
        // Another client, whose frames are not in it, with the tunnel that both use; and tunnel messages that are its alone.
        let client = world.addClient()
        let other = world.addClient()
        world.act { client.dial(at: world.now) }
        while world.node.routeIDs.isEmpty { world.run(for: .milliseconds(1)) }
        let id = try world.node.startCapture(of: .route(1), snapLength: 0, control: withTunnel)
        let slot = try #require(world.null.upstreams.keys.first)
        #expect(world.null.captures == [slot: SessionCapture(number: id.rawValue)])
        // What is on its way already: the PADS, for one.
        _ = world.takeTrace()
        world.run(for: .seconds(2))
        var trace = world.takeTrace()
        let frames = Self.frames(world.takeCaptured())
        #expect(trace.contains("client < CHAP 1") || trace.contains { $0.hasPrefix("client <") })
        if !withTunnel { trace.removeAll { $0.hasPrefix("lns") } }
        #expect(Self.described(frames, world).sorted() == trace.sorted())
        #expect(frames.allSatisfy { $0.originalLength == UInt32($0.bytes.count) && $0.comment.isEmpty })
        #expect(Set(frames.map(\.interface)) == (withTunnel ? ["access0", "core0"] : ["access0"]))
        #expect(world.states() == [.open])

        world.act { other.dial(at: world.now) }
        world.run(for: .seconds(2))
        let more = Self.described(Self.frames(world.takeCaptured()), world)
        #expect(more.allSatisfy { $0.hasPrefix("lns") } && more.isEmpty == !withTunnel)
        world.expectNothingLeft()
    }

    @Test(arguments: [0, 1, 2]) func endsWithItsSession(way: Int) throws {
        let world = try World()
        let client = world.dialled()
        let id = try world.node.startCapture(of: .route(1), snapLength: 0, control: true)
        let slot = try #require(world.null.upstreams.keys.first)
        _ = (world.takeTrace(), world.takeCaptured())
        switch way {
        case 0: world.act { client.hangUp() }
        case 1: _ = try world.node.clear(.connection(1), at: world.now)
        default: world.act { world.node.shutDown(at: world.now) }
        }
        world.run(for: .milliseconds(20))
        // What the workers copied last comes after the session has gone.
        world.node.receive(Self.copy(id.rawValue, slot: slot, bytes: [9]), at: world.now)
        var captured = world.takeCaptured()
        #expect(Self.ends(captured).isEmpty)
        #expect(Self.frames(captured).last?.bytes == [9])
        #expect(Self.described(Self.frames(captured).dropLast(), world).sorted() == world.takeTrace().sorted())
        world.run(for: .milliseconds(200))
        captured = world.takeCaptured()
        #expect(Self.ends(captured) == ["the session has ended"])
        world.node.receive(Self.copy(id.rawValue, slot: slot, bytes: [9]), at: world.now)
        #expect(world.takeCaptured().isEmpty)
        world.expectNothingLeft()
    }

    @Test func showsTheDataPlanesCopies() throws {
        let world = try World()
        world.dialled()
        let session = try #require(world.node.tunnelIDs.first.map { ($0, world.node.sessionIDs(inTunnel: $0)) })
        let id = try world.node.startCapture(
            of: .l2tp(try #require(session.1.first), tunnel: session.0), snapLength: 100, control: false)
        let slot = try #require(world.null.upstreams.keys.first)
        #expect(world.null.captures == [slot: SessionCapture(number: id.rawValue, length: 100)])
        let long = (0..<200).map { UInt8($0) }
        let copies = [
            Self.copy(id.rawValue, slot: slot, length: 1_500, bytes: long),
            Self.copy(id.rawValue, slot: slot, port: 1, .sent, length: 90, bytes: Array(long.prefix(90))),
            Self.copy(id.rawValue, slot: slot, reason: .policedUpstream, bytes: [1, 2]),
            Self.copy(id.rawValue, slot: slot, port: 1, .dropped, reason: .accessMTUExceeded, length: 2_000, bytes: []),
            Self.copy(id.rawValue, slot: slot, reason: .puntedTooBig, bytes: [3]),
            // Of another capture, of another slot, and of no point and reason that there are.
            Self.copy(id.rawValue + 1, slot: slot, bytes: [4]), Self.copy(id.rawValue, slot: slot + 1, bytes: [5]),
            PuntedFrame(
                puntClass: .capture, port: 0, upstreamSlot: slot,
                capture: CaptureMark(word: UInt64(id.rawValue) | 9 << 16), bytes: [6]),
            PuntedFrame(
                puntClass: .capture, port: 9, upstreamSlot: slot,
                capture: CaptureMark(word: UInt64(id.rawValue) | 1 << 16 | 255 << 24), bytes: [7]),
        ]
        for copy in copies { world.node.receive(copy, at: world.now) }
        let frames = Self.frames(world.takeCaptured())
        #expect(frames.map(\.bytes) == [Array(long.prefix(100)), Array(long.prefix(90)), [1, 2], [], [3], [7]])
        #expect(frames.map(\.originalLength) == [1_500, 90, 2, 2_000, 1, 1])
        #expect(frames.map(\.interface) == ["access0", "core0", "access0", "core0", "access0", "port 9"])
        #expect(frames.map(\.direction) == [.inbound, .outbound, .inbound, .inbound, .inbound, .inbound])
        #expect(frames.dropLast().allSatisfy { $0.monotonicNanoseconds == 77 })
        #expect(
            frames.map(\.comment) == [
                "", "", "dropped: policed_upstream, \(Counter.policedUpstream.text)",
                "waited for its turn and was then dropped: access_mtu_exceeded, \(Counter.accessMTUExceeded.text)",
                "ended: punted_too_big, \(Counter.puntedTooBig.text)", "",
            ])
        world.node.stopCapture(id)
        #expect(world.null.captures.isEmpty)
        world.node.stopCapture(id)
        world.node.receive(copies[0], at: world.now)
        #expect(world.takeCaptured().isEmpty)
        world.expectNothingLeft()
    }

    @Test func refusesWhatThereIsNot() throws {
        let world = try World()
        for _ in 0...ControlNode.mostCaptures { world.dialled() }
        #expect(throws: ControlNode.CaptureFault.notFound("no route 99")) {
            try world.node.startCapture(of: .route(99), snapLength: 0, control: false)
        }
        #expect(throws: ControlNode.CaptureFault.notFound("no session 60000 in tunnel 1")) {
            try world.node.startCapture(of: .l2tp(60_000, tunnel: 1), snapLength: 0, control: false)
        }
        #expect(throws: ControlNode.CaptureFault.notFound("there is no static session with reference 5")) {
            try world.node.startCapture(of: .staticSession(5), snapLength: 0, control: false)
        }
        let first = try world.node.startCapture(of: .route(1), snapLength: 0, control: false)
        #expect(throws: ControlNode.CaptureFault.refused("the session is being captured already")) {
            try world.node.startCapture(of: .route(1), snapLength: 0, control: false)
        }
        for route in 2...UInt32(ControlNode.mostCaptures) {
            _ = try world.node.startCapture(of: .route(route), snapLength: 0, control: false)
        }
        #expect(
            throws: ControlNode.CaptureFault.exhausted("there are 16 captures already, which is the most at once")
        ) {
            try world.node.startCapture(of: .route(17), snapLength: 0, control: false)
        }
        world.node.stopCapture(first)
        let last = try world.node.startCapture(of: .route(17), snapLength: 0, control: false)
        #expect(last != first && world.null.captures.count == 16)
        world.expectNothingLeft()
        #expect(Self.ends(world.takeCaptured()).count == 16)
    }

    @Test func capturesStaticSessions() throws {
        let world = try World()
        let operations: [StaticOperation] = [
            .addTunnel(
                StaticTunnel(
                    name: "t", peerAddress: .v4(World.lnsAddress),
                    localAddress: .v4(IPv4Address(value: 0xc633_6401)), peerTunnelID: 77, egressPort: "core0",
                    nextHop: .peer)),
            .addSession(
                StaticSession(
                    reference: 1, port: "access0", outerVLAN: 100, clientMAC: MACAddress(value: 0x0200_0000_4000),
                    tunnel: .name("t"), peerSessionID: 0x5001)),
        ]
        world.act { _ = world.node.apply(operations, at: world.now) }
        let id = try world.node.startCapture(of: .staticSession(1), snapLength: 0, control: true)
        let slot = try #require(world.null.upstreams.keys.first)
        #expect(world.null.captures[slot]?.number == id.rawValue)
        world.node.receive(Self.copy(id.rawValue, slot: slot, bytes: [1]), at: world.now)
        #expect(Self.frames(world.takeCaptured()).map(\.bytes) == [[1]])
        world.act { _ = world.node.apply([.removeSession(1)], at: world.now) }
        world.run(for: .seconds(1))
        #expect(Self.ends(world.takeCaptured()) == ["the session has ended"])
        world.act { _ = world.node.apply([.removeTunnel(.name("t"))], at: world.now) }
        world.expectNothingLeft()
    }
}
