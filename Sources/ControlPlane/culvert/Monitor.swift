import ArgumentParser
import Observability
import RPC

/// `culvert monitor`
struct Monitor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the data plane's live rates, until Ctrl-C.",
        discussion: """
            Each interval, one line for each port and one for the data plane as a whole, with what every counter has gone \
            up by in a second; counters that stood still are left out. As JSON, one object an interval.
            """)

    @OptionGroup var options: GlobalOptions

    @Option(help: ArgumentHelp("Time between two readings.", valueName: "seconds"))
    var interval = 1.0

    @Option(help: ArgumentHelp("Number of intervals; without it, no end.", valueName: "number"))
    var count: Int?

    func validate() throws {
        guard interval >= 0.1, interval <= 3_600 else { throw ValidationError("--interval must be 0.1 to 3600") }
        guard count.map({ $0 > 0 }) ?? true else { throw ValidationError("--count must be at least 1") }
    }

    func run() async throws {
        let (json, interval, count) = (options.json, Duration.seconds(interval), count)
        try await options.connected { client in
            let clock = ContinuousClock()
            var before = try await Reading.take(from: client, at: clock.now)
            var next = before.time
            var round = 0
            while count.map({ round < $0 }) ?? true {
                round += 1
                next = max(next.advanced(by: interval), clock.now)
                try await clock.sleep(until: next)
                let now = try await Reading.take(from: client, at: clock.now)
                let rates = now.rates(since: before)
                Output.write(json ? try Output.json(rates) + "\n" : rates.text)
                before = now
            }
        }
    }
}

/// All counters at one time.
private struct Reading {
    var time: ContinuousClock.Instant
    var ports: [PortSnapshot]
    var total: [NamedCounter]

    static func take(from client: RPCClient, at time: ContinuousClock.Instant) async throws -> Reading {
        Reading(time: time, ports: try await client.ports(), total: try await client.counters().total)
    }

    /// What every counter has gone up by in a second.
    func rates(since before: Reading) -> Rates {
        let elapsed = max((time - before.time) / .seconds(1), 0.001)
        func rates(_ now: [NamedCounter], _ then: [NamedCounter]) -> [Rates.Counter] {
            let earlier = Dictionary(then.map { ($0.name, $0.value) }) { $1 }
            return now.map { counter in
                // A counter that is lower than before has started anew, with its data plane.
                let base = min(earlier[counter.name] ?? 0, counter.value)
                let start = base == counter.value && earlier[counter.name] != counter.value ? 0 : base
                return Rates.Counter(name: counter.name, perSecond: Double(counter.value - start) / elapsed)
            }
        }
        return Rates(
            time: .now(),
            ports: ports.map { port in
                let earlier = before.ports.first { $0.name == port.name }?.counters ?? []
                return Rates.Port(name: port.name, counters: rates(port.counters, earlier))
            },
            total: rates(total, before.total))
    }
}

/// What every counter has gone up by in a second.
private struct Rates: Encodable {
    struct Counter: Encodable {
        var name: String
        var perSecond: Double
    }

    struct Port: Encodable {
        var name: String
        var counters: [Counter]
    }

    var time: Timestamp
    var ports: [Port]
    var total: [Counter]

    /// A line for each port that has counters and one for all.
    var text: String {
        let lines = ports.filter { !$0.counters.isEmpty }.map { ($0.name, $0.counters) } + [("total", total)]
        return lines.map { name, counters in
            let moving = counters.filter { $0.perSecond > 0 }.map { "\($0.name) \(Int($0.perSecond.rounded()))/s" }
            return
                "\(time.timeOfDay(in: .local)) \(name): \(moving.isEmpty ? "idle" : moving.joined(separator: ", "))\n"
        }.joined()
    }
}
