import Names
import Testing
import Timing
import Wire

@Suite struct NameCacheTests {
    typealias Cache = NameCache<Int>
    private static let server = NameServer(address: .v4(IPv4Address(value: 0x0a01_0101)))
    private static let other = NameServer(address: .v4(IPv4Address(value: 0x0a01_0102)), port: 5_353)

    private static func query(_ name: String, _ servers: [NameServer] = [server]) -> NameQuery {
        NameQuery(name: AddressAnswerTests.name(name), servers: servers)
    }

    private static func second(_ seconds: Double) -> Instant { Instant(nanoseconds: UInt64(seconds * 1e9)) }

    private static func answer(_ ttls: UInt32..., isComplete: Bool = true) -> NameResult {
        .addresses(
            ttls.enumerated().map { AddressAnswerTests.address("192.0.2.\($0 + 1)", ttl: $1) }, isComplete: isComplete)
    }

    private static let lns = query("lns.isp1.com")

    /// A cache that has been told `result` for `lns` at time 0.
    private static func knowing(_ result: NameResult, settings: NameCacheSettings = .init()) -> Cache {
        var cache = Cache(settings: settings)
        #expect(cache.lookUp(lns, waiter: 1, at: .zero) == .waiting(startQuery: true))
        let delivered = cache.answered(lns, result, at: .zero)
        #expect(delivered.map(\.waiter) == [1] && delivered.map(\.result) == [result])
        return cache
    }

    /// Result, seconds until it is asked for anew, and the counter of a hit.
    @Test(
        arguments: [
            (answer(300), 300, NameCounter.hit), (answer(300, 20, 90), 20, .hit), (answer(1), 1, .hit),
            (answer(100_000), 86_400, .hit), (answer(.max), 86_400, .hit), (answer(300, isComplete: false), 5, .hit),
            (answer(2, isComplete: false), 2, .hit), (.absent(.noSuchName, ttl: 20), 20, .hitAbsent),
            (.absent(.noAddress, ttl: 3_600), 30, .hitAbsent), (.absent(.noAddress, ttl: nil), 5, .hitAbsent),
            (.failed(.timedOut), 5, .hitFailed), (.failed(.serverFailure), 5, .hitFailed),
        ] as [(NameResult, Double, NameCounter)])
    func keepsAnswersForTheirTime(result: NameResult, seconds: Double, counter: NameCounter) {
        var cache = Self.knowing(result)
        #expect(cache.lookUp(Self.lns, waiter: 2, at: .zero) == .answer(result))
        #expect(cache.lookUp(Self.lns, waiter: 2, at: Self.second(seconds - 0.001)) == .answer(result))
        #expect(cache.lookUp(Self.lns, waiter: 2, at: Self.second(seconds)) == .waiting(startQuery: true))
        #expect(cache.counters[counter] == 2)
        #expect(cache.counters[.miss] == 2)
        #expect(cache.counters[.expired] == 1)
    }

    @Test(arguments: [answer(0), answer(300, 0), .absent(.noSuchName, ttl: 0)])
    func keepsNothingOfNoTime(result: NameResult) {
        var cache = Self.knowing(result)
        #expect(cache.count == 0)
        #expect(cache.lookUp(Self.lns, waiter: 2, at: .zero) == .waiting(startQuery: true))
    }

    @Test func obeysItsSettings() {
        var settings = NameCacheSettings()
        settings.minimumTTL = 60
        settings.maximumTTL = 90
        settings.maximumNegativeTTL = 7
        settings.failureHold = 2
        for (result, seconds) in [
            (Self.answer(0), 60.0), (Self.answer(300), 90), (.absent(.noAddress, ttl: 20), 7), (.failed(.refused), 2),
            (Self.answer(300, isComplete: false), 2),
        ] {
            var cache = Self.knowing(result, settings: settings)
            #expect(cache.lookUp(Self.lns, waiter: 2, at: Self.second(seconds - 0.001)) == .answer(result))
            #expect(cache.lookUp(Self.lns, waiter: 2, at: Self.second(seconds)) == .waiting(startQuery: true))
        }
    }

    @Test func tellsNamesAndServersApart() {
        var cache = Self.knowing(Self.answer(300))
        #expect(cache.lookUp(Self.query("LNS.ISP1.com"), waiter: 2, at: .zero) == .answer(Self.answer(300)))
        for (waiter, query) in [
            Self.query("lns.isp2.com"), Self.query("lns.isp1.com", [Self.other]),
            Self.query("lns.isp1.com", [Self.server, Self.other]),
            Self.query("lns.isp1.com", [Self.other, Self.server]),
        ].enumerated() {
            #expect(cache.lookUp(query, waiter: 10 + waiter, at: .zero) == .waiting(startQuery: true))
        }
    }

    // MARK: Waiting

    @Test func joinsCallersThatWantTheSame() {
        var cache = Cache()
        #expect(cache.lookUp(Self.lns, waiter: 5, at: .zero) == .waiting(startQuery: true))
        for waiter in [3, 9, 1] {
            #expect(cache.lookUp(Self.lns, waiter: waiter, at: .zero) == .waiting(startQuery: false))
        }
        #expect(cache.lookUp(Self.lns, waiter: 9, at: .zero) == .waiting(startQuery: false), "it waits already")
        #expect(cache.waiterCount == 4 && cache.queryCount == 1)
        cache.abandon(3)
        cache.abandon(77)
        let delivered = cache.answered(Self.lns, Self.answer(60), at: Self.second(1))
        #expect(delivered.map(\.waiter) == [5, 9, 1])
        #expect(delivered.allSatisfy { $0.result == Self.answer(60) })
        #expect(cache.waiterCount == 0 && cache.queryCount == 0)
        #expect(cache.counters[.miss] == 1 && cache.counters[.joined] == 4 && cache.counters[.abandoned] == 1)
        #expect(cache.answered(Self.lns, Self.answer(60), at: Self.second(1)).isEmpty)
    }

    @Test func waitsForOneNameAtATime() {
        var cache = Cache()
        let second = Self.query("lns.isp2.com")
        #expect(cache.lookUp(Self.lns, waiter: 1, at: .zero) == .waiting(startQuery: true))
        #expect(cache.lookUp(second, waiter: 1, at: .zero) == .waiting(startQuery: true))
        #expect(cache.answered(Self.lns, Self.answer(60), at: .zero).isEmpty)
        #expect(cache.answered(second, Self.answer(60), at: .zero).map(\.waiter) == [1])
        // The question went on all the same.
        #expect(cache.lookUp(Self.lns, waiter: 2, at: .zero) == .answer(Self.answer(60)))
    }

    @Test func boundsCallersAndQuestions() {
        var settings = NameCacheSettings()
        settings.queries = 2
        settings.waiters = 3
        var cache = Cache(settings: settings)
        let names = (0..<4).map { Self.query("lns.isp\($0).com") }
        #expect(cache.lookUp(names[0], waiter: 0, at: .zero) == .waiting(startQuery: true))
        #expect(cache.lookUp(names[1], waiter: 1, at: .zero) == .waiting(startQuery: true))
        #expect(cache.lookUp(names[2], waiter: 2, at: .zero) == .refused(.tooManyQueries))
        #expect(cache.lookUp(names[1], waiter: 2, at: .zero) == .waiting(startQuery: false))
        #expect(cache.lookUp(names[1], waiter: 3, at: .zero) == .refused(.tooManyWaiters))
        #expect(cache.waiterCount == 3)
        #expect(cache.answered(names[0], Self.answer(60), at: .zero).map(\.waiter) == [0])
        #expect(cache.lookUp(names[0], waiter: 3, at: .zero) == .answer(Self.answer(60)), "known needs no place")
        #expect(cache.lookUp(names[2], waiter: 3, at: .zero) == .waiting(startQuery: true))
        #expect(cache.counters[.refusedQueries] == 1 && cache.counters[.refusedWaiters] == 1)
    }

    @Test func givesUpQuestionsThatNobodyAnswers() {
        var cache = Cache()
        _ = cache.lookUp(Self.lns, waiter: 1, at: .zero)
        _ = cache.lookUp(Self.lns, waiter: 2, at: Self.second(30))
        #expect(cache.deadline == Self.second(60))
        #expect(cache.expire(at: Self.second(59.9)).isEmpty)
        let delivered = cache.expire(at: Self.second(60))
        #expect(delivered.map(\.waiter) == [1, 2])
        #expect(delivered.allSatisfy { $0.result == .failed(.timedOut) })
        #expect(cache.counters[NameFailure.timedOut] == 1)
        #expect(cache.count == 0 && cache.queryCount == 0 && cache.waiterCount == 0 && cache.deadline == .distantFuture)
        // The answer comes after all: it is as good as any.
        #expect(cache.answered(Self.lns, Self.answer(60), at: Self.second(61)).isEmpty)
        #expect(cache.lookUp(Self.lns, waiter: 3, at: Self.second(62)) == .answer(Self.answer(60)))
    }

    // MARK: Room

    @Test func forgetsWhatWasNotUsedForLongest() {
        var settings = NameCacheSettings()
        settings.entries = 3
        var cache = Cache(settings: settings)
        let names = (0..<5).map { Self.query("lns.isp\($0).com") }
        for name in names[..<3] {
            _ = cache.lookUp(name, waiter: 1, at: .zero)
            _ = cache.answered(name, Self.answer(600), at: .zero)
        }
        #expect(cache.lookUp(names[0], waiter: 1, at: .zero) == .answer(Self.answer(600)))
        // names[1] is the one to go, then names[2].
        #expect(cache.lookUp(names[3], waiter: 1, at: .zero) == .waiting(startQuery: true))
        #expect(cache.rows(at: .zero).map(\.query) == [names[0], names[2], names[3]])
        #expect(cache.lookUp(names[4], waiter: 2, at: .zero) == .waiting(startQuery: true))
        #expect(cache.rows(at: .zero).map(\.query) == [names[0], names[3], names[4]])
        #expect(cache.counters[.evicted] == 2)
    }

    @Test func neverForgetsWhatIsAskedFor() {
        var settings = NameCacheSettings()
        settings.entries = 2
        var cache = Cache(settings: settings)
        for number in 0..<2 {
            let outcome = cache.lookUp(Self.query("lns\(number).com"), waiter: number, at: .zero)
            #expect(outcome == .waiting(startQuery: true))
        }
        #expect(cache.lookUp(Self.lns, waiter: 2, at: .zero) == .refused(.tooManyQueries))
        #expect(cache.count == 2)
        // An answer that nobody asked for finds no room, and does no harm.
        #expect(cache.answered(Self.lns, Self.answer(60), at: .zero).isEmpty)
        #expect(cache.count == 2)
    }

    /// Twenty thousand names that nobody will ask for again, and one that is asked for all the time.
    @Test func staysBoundedUnderAFlood() {
        var settings = NameCacheSettings()
        settings.entries = 64
        var cache = Cache(settings: settings)
        _ = cache.lookUp(Self.lns, waiter: 0, at: .zero)
        _ = cache.answered(Self.lns, Self.answer(80_000), at: .zero)
        for number in 0..<20_000 {
            let now = Instant(nanoseconds: UInt64(number) * 1_000_000)
            let query = Self.query("lns.x\(number).com")
            _ = cache.lookUp(query, waiter: 1, at: now)
            _ = cache.answered(query, .absent(.noSuchName, ttl: 30), at: now)
            guard number % 16 == 0 else { continue }
            #expect(cache.lookUp(Self.lns, waiter: 0, at: now) == .answer(Self.answer(80_000)))
            #expect(cache.count <= 64)
        }
        #expect(cache.counters[.hit] == 1_250)
        #expect(cache.counters[.answeredNoSuchName] == 20_000)
        #expect(cache.counters[.evicted] == 20_001 - 64)
    }

    /// Joining and leaving costs the same however many wait.
    @Test(.timeLimit(.minutes(1))) func takesManyWaitersOfOneName() {
        var cache = Cache()
        for waiter in 0..<65_536 { _ = cache.lookUp(Self.lns, waiter: waiter, at: .zero) }
        for waiter in stride(from: 0, to: 65_536, by: 2) { cache.abandon(waiter) }
        #expect(
            cache.answered(Self.lns, Self.answer(60), at: .zero).map(\.waiter)
                == Array(stride(from: 1, to: 65_536, by: 2)))
    }

    // MARK: Time and showing

    @Test func sweepsOnceASecondAtMost() {
        var cache = Cache()
        for (number, ttl) in [10, 11, 12].enumerated() as EnumeratedSequence<[UInt32]> {
            let query = Self.query("lns\(number).com")
            _ = cache.lookUp(query, waiter: 1, at: .zero)
            _ = cache.answered(query, Self.answer(ttl), at: .zero)
        }
        #expect(cache.deadline == Self.second(10))
        #expect(cache.expire(at: Self.second(10.6)).isEmpty)
        #expect(cache.count == 2)
        #expect(cache.deadline == Self.second(11.6), "not at 11 s")
        #expect(cache.expire(at: Self.second(12)).isEmpty)
        #expect(cache.count == 0 && cache.deadline == .distantFuture && cache.counters[.expired] == 3)
    }

    @Test func flushes() {
        var cache = Self.knowing(Self.answer(300))
        let second = Self.query("lns.isp2.com")
        let asked = Self.query("lns.isp3.com")
        _ = cache.lookUp(second, waiter: 1, at: .zero)
        _ = cache.answered(second, Self.answer(300), at: .zero)
        _ = cache.lookUp(asked, waiter: 7, at: .zero)
        #expect(cache.flush(second.name) == 1)
        #expect(cache.lookUp(Self.lns, waiter: 1, at: .zero) == .answer(Self.answer(300)))
        #expect(cache.flush() == 1)
        #expect(cache.flush() == 0)
        #expect(cache.lookUp(Self.lns, waiter: 1, at: .zero) == .waiting(startQuery: true))
        #expect(cache.answered(asked, Self.answer(300), at: .zero).map(\.waiter) == [7], "who waits goes on waiting")
        #expect(cache.counters[.flushed] == 2)
    }

    @Test func showsWhatItKnows() {
        var cache = Self.knowing(Self.answer(300))
        _ = cache.lookUp(Self.lns, waiter: 2, at: .zero)
        let asked = Self.query("lns.isp0.com")
        _ = cache.lookUp(asked, waiter: 3, at: Self.second(100))
        let rows = cache.rows(at: Self.second(100))
        #expect(rows.map(\.query) == [asked, Self.lns])
        #expect(rows.map(\.result) == [nil, Self.answer(300)])
        #expect(rows.map(\.remaining) == [.seconds(60), .seconds(200)])
        #expect(rows.map(\.hits) == [0, 1] && rows.map(\.waiters) == [1, 0])
        #expect(cache.rows(at: Self.second(300)).isEmpty)
    }

    @Test func countsByReason() {
        var cache = Cache()
        for failure in NameFailure.allCases { _ = cache.answered(Self.lns, .failed(failure), at: .zero) }
        _ = cache.answered(Self.lns, .absent(.noAddress, ttl: 3), at: .zero)
        _ = cache.answered(Self.lns, Self.answer(3, isComplete: false), at: .zero)
        let counted = cache.counters.named.filter { $0.value != 0 }
        #expect(
            counted.map(\.name)
                == ["dns_answered_incomplete", "dns_answered_no_address"] + NameFailure.allCases.map(\.counterName))
        #expect(counted.allSatisfy { $0.value == 1 })
        #expect(Set(cache.counters.named.map(\.name)).count == cache.counters.named.count)
    }
}
