import Foundation
import Glibc
import Metrics
import NIOCore
import Observability
import Synchronization
import Testing
import Wire

/// The metrics' HTTP server, from the outside.
@Suite(.timeLimit(.minutes(2)))
struct HTTPTests {
    /// Answers with an example, or as long as it is told to not at all.
    private actor Source: MetricsSource {
        private(set) var asked = 0
        private var isHeld = false
        private var waiting: [CheckedContinuation<Void, Never>] = []
        private var failure: (any Error)?

        func metrics(_ request: MetricsRequest) async throws -> MetricsSnapshot {
            asked += 1
            if isHeld { await withCheckedContinuation { waiting.append($0) } }
            if let failure { throw failure }
            return Example.snapshot(perWorker: request.perWorker, tunnels: request.tunnels)
        }

        func hold() { isHeld = true }

        func release() {
            isHeld = false
            for waiter in waiting { waiter.resume() }
            waiting = []
        }

        func fail(_ error: any Error) { failure = error }
    }

    private struct Trouble: Error, CustomStringConvertible {
        let description = "the control plane is not there"
    }

    private static func serving(
        _ source: Source = Source(), request: MetricsRequest = MetricsRequest(),
        _ body: @Sendable (SocketEndpoint) async throws -> Void
    ) async throws {
        let (listening, signal) = AsyncStream.makeStream(of: [SocketEndpoint].self)
        let any = SocketEndpoint(.v4(IPv4Address(value: 0x7f00_0001)), port: 0)
        let server = Task {
            defer { signal.finish() }
            try await MetricsServer(endpoints: [any], source: source, request: request).run { signal.yield($0) }
        }
        var found: [SocketEndpoint] = []
        for await endpoints in listening {
            found = endpoints
            break
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body(try #require(found.first))) } catch { result = .failure(error) }
        server.cancel()
        try await server.value
        try result.get()
    }

    @Test(arguments: [
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200),
        ("GET /metrics?x=y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200),
        ("GET /metrics HTTP/1.0\r\n\r\n", 200),
        ("HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200),
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        ("GET /metrics/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        ("GET /../metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        ("HEAD /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        ("POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", 405),
        ("DELETE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
        ("nonsense\r\n\r\n", 400),
        ("GET /metrics HTTP/1.1\r\nX: \(String(repeating: "x", count: 20_000))\r\n\r\n", 431),
    ])
    func requests(text: String, status: Int) async throws {
        let source = Source()
        try await Self.serving(source) { endpoint in
            let answer = try await HTTPExchange.answer(endpoint, send: text)
            #expect(answer.status == status, "\(answer)")
            #expect(await source.asked == (status == 200 ? 1 : 0))
            switch status {
            case 200:
                #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
                #expect(answer.body.contains("culvert_dataplane_up 1\n") == text.hasPrefix("GET"))
                #expect(answer.body.isEmpty == text.hasPrefix("HEAD"))
                let length = try #require(answer.headers["content-length"].flatMap { Int($0) })
                #expect(text.hasPrefix("HEAD") ? length > 10_000 : length == answer.body.utf8.count)
            case 405: #expect(answer.headers["allow"] == "GET, HEAD")
            default: #expect(!answer.body.contains("culvert_dataplane"))
            }
        }
    }

    @Test func aConnectionStaysForTheNextScrape() async throws {
        let source = Source()
        try await Self.serving(source) { endpoint in
            let request = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
            let last = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            let text = try await HTTPExchange.octets(endpoint, send: request + request + last)
            #expect(text.matches(of: #/HTTP\/1\.1 200 OK\r\n/#).count == 3)
            #expect(text.matches(of: #/\nculvert_dataplane_up 1\n/#).count == 3)
            #expect(await source.asked == 3)
        }
    }

    /// However many scrape at a time, the control plane is asked once, and all get the answer; who comes later asks anew.
    @Test func scrapesAtATimeAskOnce() async throws {
        let source = Source()
        await source.hold()
        let scraper = Scraper(source: source, request: MetricsRequest())
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 1...8 { group.addTask { String(buffer: try await scraper.text()) } }
            while await scraper.waiting < 8 { await Task.yield() }
            while await source.asked == 0 { await Task.yield() }
            #expect(await source.asked == 1)
            await source.release()
            var texts: [String] = []
            for try await text in group { texts.append(text) }
            #expect(texts.count == 8)
            #expect(Set(texts).count == 1)
            #expect(texts.allSatisfy { $0.contains("\nculvert_dataplane_up 1\n") })
        }
        #expect(await source.asked == 1)
        _ = try await scraper.text()
        #expect(await source.asked == 2)
    }

    @Test func failuresAreTold() async throws {
        let source = Source()
        await source.fail(Trouble())
        try await Self.serving(source) { endpoint in
            let answer = try await HTTPExchange.answer(endpoint, send: HTTPExchange.scrape)
            #expect(answer.status == 503)
            #expect(answer.body == "the control plane is not there\n")
        }
    }

    /// A control plane that hangs, and its late answer.
    @Test func silenceIsToldInTime() async throws {
        let source = Source()
        await source.hold()
        try await Self.serving(source) { endpoint in
            let start = ContinuousClock.now
            let answer = try await HTTPExchange.answer(endpoint, send: HTTPExchange.scrape)
            #expect(answer.status == 503)
            #expect(answer.body == "culvertd does not answer\n")
            #expect(ContinuousClock.now - start < .seconds(20))
            await source.release()
            #expect(try await HTTPExchange.answer(endpoint, send: HTTPExchange.scrape).status == 200)
        }
    }

    /// Half a request keeps its place for ten seconds, no longer.
    @Test func halfARequestEnds() async throws {
        try await Self.serving { endpoint in
            let start = ContinuousClock.now
            let answer = try await HTTPExchange.octets(endpoint, send: "GET /metrics HTTP/1.1\r\n")
            #expect(answer.isEmpty)
            #expect(ContinuousClock.now - start > .seconds(5))
            #expect(ContinuousClock.now - start < .seconds(20))
        }
    }

    @Test func placesAreLimitedAndComeBack() async throws {
        try await Self.serving { endpoint in
            let held = try (0..<64).map { _ in try HTTPExchange.connected(to: endpoint) }
            // The 65th is closed without a word; the server may see it before the others, so ask until it is full.
            var refused = false
            for _ in 1...50 where !refused {
                refused = try await HTTPExchange.octets(endpoint, send: HTTPExchange.scrape) == ""
            }
            #expect(refused)
            for descriptor in held { close(descriptor) }
            var served = false
            for _ in 1...200 where !served {
                served = try await HTTPExchange.octets(endpoint, send: HTTPExchange.scrape).hasPrefix("HTTP/1.1 200")
            }
            #expect(served)
        }
    }

    /// The checks of Prometheus' own tool on what a scrape gives.
    @Test(
        .enabled("promtool is there") { Promtool.isThere },
        arguments: [MetricsRequest(), MetricsRequest(perWorker: true, tunnels: 3)])
    func promtoolIsContent(request: MetricsRequest) async throws {
        try await Self.serving(request: request) { endpoint in
            let answer = try await HTTPExchange.answer(endpoint, send: HTTPExchange.scrape)
            let outcome = try await Promtool.run(["check", "metrics"], input: answer.body)
            #expect(outcome == Promtool.Outcome(status: 0, output: ""), "\(outcome)")
        }
        // It would not be content with anything.
        let bad = try await Promtool.run(["check", "metrics"], input: "# TYPE a counter\na 1\n")
        #expect(bad.status != 0)
    }
}
