import Observability
import RPC
import Testing

@Suite(.timeLimit(.minutes(1)))
struct WatchTests {
    private struct Enough: Error {}

    @Test func initialSnapshotThenNewsWithoutAGap() async throws {
        let fake = FakeControlPlane(tunnels: 1, sessionsPerTunnel: 2)
        try await serving(fake) { path in
            let collector = Collector<Event>()
            try await RPCClient.connect(to: path) { client in
                await #expect(throws: Enough.self) {
                    try await client.watch(initial: true) { event in
                        await collector.add([event])
                        if event.kind == .initialComplete { _ = try await fake.clear(.tunnelNamed("tunnel1")) }
                        if case .tunnelDown = event.kind { throw Enough() }
                    }
                }
            }
            let events = await collector.elements
            #expect(
                events.map(\.kind.name) == [
                    "tunnel_up", "session_up", "session_up", "initial_complete", "session_down", "session_down",
                    "tunnel_down",
                ])
            #expect(events.map(\.initial) == [true, true, true, true, false, false, false])
            #expect(events.map(\.sequence) == [0, 0, 0, 0, 1, 2, 3])
            let cause = Cause(initiator: .operator, resultCode: 3, errorCode: 0, message: "cleared")
            #expect(
                events.map(\.kind) == [
                    .tunnelUp(FakeControlPlane.tunnel(1, sessions: 2)),
                    .sessionUp(FakeControlPlane.session(1, tunnel: 1)),
                    .sessionUp(FakeControlPlane.session(2, tunnel: 1)), .initialComplete,
                    .sessionDown(FakeControlPlane.session(1, tunnel: 1), cause),
                    .sessionDown(FakeControlPlane.session(2, tunnel: 1), cause),
                    .tunnelDown(FakeControlPlane.tunnel(1, sessions: 2), cause),
                ])
        }
    }

    /// A caller that goes away, with no event to write to it, leaves no watcher behind.
    @Test func leavingEndsTheWatch() async throws {
        let fake = FakeControlPlane()
        try await serving(fake) { path in
            try await RPCClient.connect(to: path) { client in
                await #expect(throws: Enough.self) {
                    try await client.watch(initial: true) { if $0.kind == .initialComplete { throw Enough() } }
                }
            }
            while fake.events.watcherCount > 0 { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    @Test func slowWatcherLosesItsStreamNotSingleEvents() async throws {
        let events = EventBroadcaster(backlog: 3)
        let stream = events.watch(at: FakeControlPlane.start)
        for _ in 1...5 { events.publish(.initialComplete, at: FakeControlPlane.start) }
        #expect(events.watcherCount == 0)
        var sequences: [UInt64] = []
        await #expect(throws: WatcherFellBehind(backlog: 3)) {
            for try await event in stream { sequences.append(event.sequence) }
        }
        #expect(sequences == [1, 2, 3])
    }

    /// The backlog is for news: initial events, however many, always fit.
    @Test func initialEventsDoNotUseUpTheBacklog() async throws {
        let events = EventBroadcaster(backlog: 1)
        let initial = (1...100).map { Event.Kind.tunnelUp(FakeControlPlane.tunnel($0, sessions: 0)) }
        let stream = events.watch(initial: initial, at: FakeControlPlane.start)
        events.publish(.initialComplete, at: FakeControlPlane.start)
        events.finish()
        var kinds: [Event.Kind] = []
        for try await event in stream { kinds.append(event.kind) }
        #expect(kinds == initial + [.initialComplete, .initialComplete])
    }
}
