import Host
import Testing

@Suite struct HostCounterTests {
    @Test func namesAreUniqueAndNumbersDense() {
        #expect(Set(HostCounter.allCases.map(\.name)).count == HostCounter.allCases.count)
        #expect(Set(HostCounter.allCases.map(\.text)).count == HostCounter.allCases.count)
        #expect(HostCounter.allCases.map(\.rawValue) == Array(0..<HostCounter.allCases.count))
        #expect(HostCounters().nonzero.isEmpty)
    }

    @Test(arguments: HostCounter.allCases)
    func namesAreForMetrics(counter: HostCounter) {
        #expect(counter.name.wholeMatch(of: /host(_[a-z0-9]+)+/) != nil, "\(counter.name)")
        #expect(!counter.text.isEmpty)
    }
}
