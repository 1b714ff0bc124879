import Host
import Testing

@Suite struct HostCounterTests {
    @Test func namesAreUniqueAndNumbersDense() {
        #expect(Set(HostCounter.allCases.map(\.name)).count == HostCounter.allCases.count)
        #expect(HostCounter.allCases.map(\.rawValue) == Array(0..<HostCounter.allCases.count))
        #expect(HostCounters().nonzero.isEmpty)
    }
}
