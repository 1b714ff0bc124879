import NIOCore
import Observability

/// Makes the text of a scrape. However many ask at a time, the source is asked once, and all get its answer.
package actor Scraper {
    private let source: any MetricsSource
    private let request: MetricsRequest
    private var running: Task<ByteBuffer, any Error>?
    /// Those who have asked and have no answer yet.
    package private(set) var waiting = 0

    package init(source: any MetricsSource, request: MetricsRequest) {
        self.source = source
        self.request = request
    }

    /// All numbers of now.
    package func text() async throws -> ByteBuffer {
        waiting += 1
        defer { waiting -= 1 }
        let task = running ?? Task { try await scrape() }
        running = task
        return try await task.value
    }

    private func scrape() async throws -> ByteBuffer {
        defer { running = nil }
        let start = ContinuousClock.now
        let snapshot = try await source.metrics(request)
        let answer = MetricFamily(
            "culvert_control_answer_seconds", .gauge, "how long the control plane took to answer this scrape",
            .real((ContinuousClock.now - start) / .seconds(1)))
        return ByteBuffer(string: MetricFamily.text(of: snapshot.families + [answer] + ProcessFamilies.read()))
    }
}
