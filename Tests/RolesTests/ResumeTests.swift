import L2TP
import Observability
import RADIUS
import Roles
import SimulationSupport
import Testing
import Timing
import Wire

/// The node's process ends at any moment, and the next one goes on.
@Suite struct ResumeTests {
    private static let accounting = "accounting: {group: isps,interim-interval: 60,tunnel: true}"

    /// A world with accounting whose records outlive the node.
    private static func world(seed: UInt64 = 1) throws -> (World, RADIUSStation) {
        let server = RADIUSStation()
        let world = try World(
            profile: "hello-timeout: 10, retry-timeout: 1, max-retries: 3", instance: accounting,
            more: World.radiusSections, radius: server, journal: AccountingTests.Journal(), seed: seed)
        world.run(for: .seconds(1))
        return (world, server)
    }

    @Test func nobodyNotices() throws {
        let (world, server) = try Self.world()
        let clients = (0..<3).map { _ in world.dialled() }
        let before = world.node.routeIDs.map { world.node.connectionSnapshot($0) }
        let tunnel = try #require(world.node.tunnelIDs.first)
        let sessions = world.node.sessionIDs(inTunnel: tunnel)
        let peerIDs = sessions.map { world.node.sessionSnapshot(tunnel, $0)?.remoteSessionID }
        _ = world.takeTrace()
        _ = server.takeRecords()

        world.restart(after: .seconds(3))
        #expect(world.node.routeIDs.map { world.node.connectionSnapshot($0) } == before)
        #expect(world.node.tunnelIDs == [tunnel])
        #expect(world.node.sessionIDs(inTunnel: tunnel) == sessions)
        #expect(sessions.map { world.node.sessionSnapshot(tunnel, $0)?.remoteSessionID } == peerIDs)
        // Clients hear nothing, and the LNS nothing new but keepalives; whether it has the last ICCN the store does not know.
        world.run(for: .seconds(120))
        let trace = world.takeTrace()
        #expect(Set(trace).isSubset(of: ["lns < HELLO", "lns > HELLO", "lns < ICCN"]))
        #expect(trace.filter { $0 == "lns < ICCN" }.count <= 1)
        #expect(clients.map(\.state) == [.session, .session, .session])
        #expect(world.lns.sessionCount == 3)
        #expect(world.null.forwards == 3)
        // A new one gets in, into the same tunnel.
        let another = world.dialled()
        #expect(another.state == .session)
        #expect(world.population == [4, 1, 4])
        // Ends come through from both sides.
        world.act { clients[0].hangUp() }
        world.settle()
        world.act { world.lns.disconnect(.administrative, at: world.now) }
        world.settle()
        #expect(world.population == [0, 1, 0])
        #expect(clients[1].state == .closed)
        world.run(for: .seconds(10))
        Self.expectBalance(server.records, sessions: 4, open: 3)
        world.expectNothingLeft()
    }

    /// The file has been changed in between: who is not served any more is told so, the others go on.
    @Test func aVLANIsWithdrawnMeanwhile() throws {
        let world = try World(interface: "vlans: \"untagged,100\"")
        let kept = world.dialled()
        let gone = world.addClient(outer: 100, tags: [.init(protocolID: 0x8100, id: 100)])
        world.act { gone.dial(at: world.now) }
        world.run(for: .seconds(2))
        #expect(world.states() == [.open, .open])
        world.restart(configuration: try World.configuration(interface: "vlans: untagged"))
        world.settle()
        #expect([kept.state, gone.state] == [.session, .closed])
        #expect(world.states() == [.open])
        #expect(world.lns.sessionCount == 1)
        world.expectNothingLeft()
    }

    /// Starts and Stops in records, by session: each Start has its Stop. A record whose acknowledgement the process has not lived to see
    /// is sent again by the next; servers know it by session and status. `open`: Starts that were taken before.
    private static func expectBalance(
        _ records: [RADIUSAttributes], sessions: Int, open: Int = 0, _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        var starts: Set<String> = []
        var stops: Set<String> = []
        for record in records {
            let id = record.text(.acctSessionID) ?? ""
            switch record.integer(.acctStatusType).flatMap(AccountingStatus.init(rawValue:)) {
            case .start: starts.insert(id)
            case .stop: stops.insert(id)
            default: break
            }
        }
        #expect(stops.count == sessions, comment, sourceLocation: sourceLocation)
        #expect(starts.count == sessions - open, comment, sourceLocation: sourceLocation)
        #expect(starts.isSubset(of: stops), comment, sourceLocation: sourceLocation)
    }

    /// Octets and packets are the table's, whenever the process ends; Interim-Updates keep their rhythm, and no server is told that
    /// the node has begun anew.
    @Test func accountingIsExact() throws {
        let (world, server) = try Self.world()
        let client = world.dialled()
        let slot = try #require(world.null.upstreams.keys.first)
        world.null.countUpstream(slot, octets: 100)
        world.run(for: .seconds(20))
        world.restart(after: .seconds(2))
        world.null.countUpstream(slot, octets: 200)
        world.run(for: .seconds(40))
        world.restart()
        world.act { client.hangUp() }
        world.run(for: .seconds(5))
        let records = server.takeRecords().filter { $0.text(.acctSessionID)?.contains("-t") == false }
        let kinds = records.compactMap { $0.integer(.acctStatusType).flatMap(AccountingStatus.init(rawValue:)) }
        #expect(kinds == [.accountingOn, .start, .tunnelLinkStart, .interimUpdate, .stop, .tunnelLinkStop])
        #expect(records.dropFirst(3).map { $0.integer(.acctInputOctets) } == [300, 300, 300])
        #expect(Set(records.dropFirst().map { $0.text(.acctSessionID) }).count == 1)
        #expect(records.dropFirst().allSatisfy { $0.text(.userName) == "alice@example.net" })
        world.expectNothingLeft()
    }

    /// Killed in any millisecond of a log-in and of a log-out: both ends agree soon, and the client is told or up.
    @Test(arguments: 0..<60) func killedAtAnyMoment(moment: Int64) throws {
        let (world, server) = try Self.world(seed: UInt64(moment + 1))
        let first = world.dialled()
        let second = world.addClient()
        world.act { second.dial(at: world.now) }
        world.run(for: .milliseconds(moment % 30))
        if moment >= 30 {
            world.run(for: .seconds(2))
            #expect(second.state == .session)
            world.act { second.hangUp() }
            world.run(for: .milliseconds(moment - 30))
        }
        world.restart(after: .milliseconds(moment * 7 % 50))
        world.run(for: .seconds(40))
        #expect(first.state == .session, "\(moment)")
        let up = world.states().filter { $0 == .open }.count
        #expect(world.lns.sessionCount == up, "\(moment)")
        #expect(second.state != .session || up == 2, "\(moment)")
        // It may always dial again.
        if second.state != .session { world.act { second.dial(at: world.now) } }
        world.run(for: .seconds(5))
        #expect(second.state == .session, "\(moment)")
        #expect(world.lns.sessionCount == 2, "\(moment)")
        world.expectNothingLeft("\(moment)")
        let stops = server.records.filter { $0.integer(.acctStatusType) == AccountingStatus.stop.rawValue }
            .compactMap { $0.text(.acctSessionID) }
        Self.expectBalance(server.records, sessions: Set(stops).count, "\(moment)")
        #expect(Set(stops).count >= 2, "\(moment)")
    }

    /// A message that the LNS has had acknowledged is not forgotten, and one that it has not is sent again under its old number.
    @Test func theControlChannelGoesOn() throws {
        let (world, _) = try Self.world()
        world.dialled()
        let tunnel = try #require(world.node.tunnelIDs.first)
        // The LNS says nothing any more: what is sent stays unacknowledged.
        world.lns.isMute = true
        let another = world.addClient()
        world.act { another.dial(at: world.now) }
        world.run(for: .milliseconds(800))
        let before = try #require(world.node.tunnelSnapshot(tunnel)?.transport)
        world.restart(after: .milliseconds(100))
        world.lns.isMute = false
        let after = try #require(world.node.tunnelSnapshot(tunnel)?.transport)
        #expect(after.ns == before.ns && after.nr == before.nr)
        world.run(for: .seconds(60))
        #expect(world.node.tunnelIDs == [tunnel])
        #expect(world.lns.sessionCount == 1)
        world.expectNothingLeft()
    }

    /// The table is gone, as after a reboot: LNS and clients are told, accounting says how much was known, and all dial again.
    @Test func theTableIsLost() throws {
        let (world, server) = try Self.world()
        let clients = (0..<2).map { _ in world.dialled() }
        let slot = try #require(world.null.upstreams.keys.min())
        world.null.countUpstream(slot, octets: 1_000)
        world.run(for: .seconds(70))
        _ = world.takeTrace()
        world.null.forget()
        world.restart(after: .seconds(2))
        world.run(for: .seconds(5))
        #expect(clients.map(\.state) == [.closed, .closed])
        #expect(world.lns.sessionCount == 0)
        let trace = world.takeTrace()
        #expect(trace.contains("lns < StopCCN 6"))
        #expect(trace.filter { $0 == "client < PADT" }.count == 2)
        world.run(for: .seconds(30))
        Self.expectBalance(server.records, sessions: 2)
        let octets = server.records.filter { $0.integer(.acctStatusType) == AccountingStatus.stop.rawValue }
            .compactMap { $0.integer(.acctInputOctets) }
        #expect(octets.sorted() == [0, 1_000])
        for client in clients { world.act { client.dial(at: world.now) } }
        world.run(for: .seconds(3))
        #expect(clients.map(\.state) == [.session, .session])
        #expect(world.lns.sessionCount == 2)
        world.expectNothingLeft()
    }

    /// The store is gone: sessions go on by what the table has, under new accounting; a message that the LNS had not acknowledged is a
    /// gap that is filled.
    @Test(arguments: [false, true]) func theStoreIsLost(isMute: Bool) throws {
        let (world, server) = try Self.world()
        let client = world.dialled()
        let tunnel = try #require(world.node.tunnelIDs.first)
        let session = try #require(world.node.sessionIDs(inTunnel: tunnel).first)
        let peerID = world.node.sessionSnapshot(tunnel, session)?.remoteSessionID
        if isMute {
            world.lns.isMute = true
            let another = world.addClient()
            world.act { another.dial(at: world.now) }
            world.run(for: .milliseconds(800))
        }
        _ = server.takeRecords()
        world.restart(after: .seconds(1), state: StoredState())
        world.lns.isMute = false
        world.run(for: .seconds(60))
        #expect(client.state == .session)
        #expect(world.population == [1, 1, 1])
        #expect(world.node.tunnelIDs == [tunnel])
        #expect(world.node.sessionSnapshot(tunnel, session)?.remoteSessionID == peerID)
        #expect(world.lns.sessionCount == 1)
        let another = world.dialled()
        #expect(another.state == .session)
        #expect(world.population == [2, 1, 2])
        world.act { client.hangUp() }
        world.run(for: .seconds(5))
        #expect(world.lns.sessionCount == 1)
        let kinds = server.takeRecords().compactMap {
            $0.integer(.acctStatusType).flatMap(AccountingStatus.init(rawValue:))
        }.filter { [.accountingOn, .start, .stop].contains($0) }
        #expect(kinds == [.accountingOn, .start, .start, .stop])
        world.expectNothingLeft()
    }

    /// The store is gone, and nobody knows any more whose client it was: both sides are told.
    @Test func theStoreIsLostAndTheServiceChanged() throws {
        let (world, _) = try Self.world()
        let client = world.dialled()
        world.restart(
            after: .seconds(1), state: StoredState(),
            configuration: try World.configuration(interface: "vlans: \"100\"", second: "vlans: untagged"))
        world.run(for: .seconds(5))
        #expect(client.state == .session)
        world.restart(
            after: .seconds(1), state: StoredState(),
            configuration: try World.configuration(interface: "vlans: \"100\""))
        world.run(for: .seconds(5))
        #expect(world.population == [0, 0, 0])
        #expect(world.lns.sessionCount == 0)
        #expect(world.takeTrace().contains("lns < StopCCN 6"))
        world.expectNothingLeft()
    }

    /// With RFC 4951 the LNS is told, and helps; sessions go on. `isStoreLost`: what the LNS has announced stands in the segment as well.
    @Test(arguments: [true, false], [true, false])
    func recoversAsTheProfileSays(takesPart: Bool, isStoreLost: Bool) throws {
        let world = try World(profile: "failover: rfc4951, hello-timeout: 10")
        world.lns.failover = takesPart ? FailoverCapability(recoveryTime: 60_000) : nil
        let clients = (0..<2).map { _ in world.dialled() }
        _ = world.takeTrace()
        world.restart(after: .seconds(1), state: isStoreLost ? StoredState() : nil)
        world.run(for: .seconds(8))
        let trace = world.takeTrace()
        if takesPart {
            #expect(
                trace.starts(with: [
                    "lns < SCCRQ", "lns > SCCRP", "lns < SCCCN", "lns < StopCCN 1", "lns < FSQ", "lns > FSR",
                ]))
            #expect(world.states() == [.open, .open])
            #expect(world.node.tunnelSnapshot(1)?.recoveries == 1)
            #expect(world.lns.sessionCount == 2)
            world.dialled()
            #expect(world.population == [3, 1, 3])
        } else {
            #expect(trace.contains("lns < StopCCN 1"))
            #expect(world.population == [0, 0, 0])
            #expect(clients.map(\.state) == [.closed, .closed])
            #expect(world.lns.sessionCount == 0)
        }
        world.expectNothingLeft()
    }

    /// Images that are torn are as good as none.
    @Test func tornImages() throws {
        let (world, _) = try Self.world()
        world.dialled()
        for (key, image) in world.stored.images {
            for length in [0, image.count / 2, image.count - 1] {
                var state = world.stored
                state.apply(StateChange(key, Array(image.prefix(length))))
                world.restart(state: state)
                world.run(for: .seconds(40))
                world.expectNothingLeft("\(key) cut to \(length)")
                world.dialled()
            }
        }
    }

    /// What operators have drained stays so.
    @Test func drainsAreKept() throws {
        let (world, _) = try Self.world()
        world.dialled()
        for target in [
            DrainTarget.system, .destination(.v4(World.lnsAddress)), .instance("residential"), .interface("access0"),
        ] {
            _ = try world.node.drain(target, true, at: world.now)
        }
        world.act {}
        world.restart()
        #expect(
            world.node.drainedTargets == [
                .system, .destination(.v4(World.lnsAddress)), .tunnel(1), .instance("residential"),
                .interface("access0"),
            ])
        #expect(world.population == [1, 1, 1])
        for target in world.node.drainedTargets { _ = try world.node.drain(target, false, at: world.now) }
        world.expectNothingLeft()
    }
}
