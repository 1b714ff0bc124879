import Resolver
import Testing
import Timing

@Suite struct ServerPreferenceTests {
    private static func second(_ second: UInt64) -> Instant { Instant(nanoseconds: second * 1_000_000_000) }

    @Test func passesOverForAMinute() {
        var preference = ServerPreference(count: 2)
        for _ in 0..<2 { #expect(preference.answered(first: 0, late: true, at: Self.second(5)) == nil) }
        #expect(preference.first(at: Self.second(5)) == 0)
        #expect(preference.answered(first: 0, late: true, at: Self.second(5)) == 0)
        #expect(preference.first(at: Self.second(5)) == 1)
        #expect(preference.first(at: Self.second(64)) == 1)
        #expect(preference.first(at: Self.second(65)) == 0)
        // It has to be silent three times again.
        for _ in 0..<2 { #expect(preference.answered(first: 0, late: true, at: Self.second(66)) == nil) }
        #expect(preference.answered(first: 0, late: true, at: Self.second(66)) == 0)
    }

    @Test func countsSilencesInARow() {
        var preference = ServerPreference(count: 3)
        for _ in 0..<10 {
            for late in [true, true, false] {
                #expect(preference.answered(first: 0, late: late, at: .zero) == nil)
            }
        }
        #expect(preference.first(at: .zero) == 0)
    }

    /// Look-ups that began with another server in front have nothing to say of the one that is there now.
    @Test func goesOnToTheNextAndAround() {
        var preference = ServerPreference(count: 3)
        for silent in 0..<3 {
            for _ in 0..<2 { #expect(preference.answered(first: silent, late: true, at: .zero) == nil) }
            for _ in 0..<5 { #expect(preference.answered(first: (silent + 1) % 3, late: true, at: .zero) == nil) }
            #expect(preference.answered(first: silent, late: true, at: .zero) == silent)
            #expect(preference.first(at: .zero) == (silent + 1) % 3)
        }
    }

    @Test func hasNoChoiceWithOneServer() {
        var preference = ServerPreference(count: 1)
        for _ in 0..<10 { #expect(preference.answered(first: 0, late: true, at: .zero) == nil) }
        #expect(preference.first(at: .zero) == 0)
    }
}
