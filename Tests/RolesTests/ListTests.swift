import Roles
import SimulationSupport
import Testing

/// Long lists are read part by part without sorting them whole.
@Suite struct ListTests {
    @Test(arguments: [(0, 7), (1, 7), (256, 7), (256, 2_000), (5_000, 0), (1, 65_535)])
    func smallest(limit: Int, start: UInt16) {
        let numbers = Set((0..<3_000).map { _ in UInt16.random(in: 0...(.max)) }).union([7, 2_000, .max])
        #expect(numbers.smallest(limit, from: start) == Array(numbers.sorted().filter { $0 >= start }.prefix(limit)))
    }

    @Test(
        arguments: [
            ("session-7-9", 7 << 16 | 9), ("session-65535-1", 65_535 << 16 | 1), ("session-7", nil),
            ("session-7-9-1", nil),
            ("session-7-70000", nil), ("other-7-9", nil), ("session--9", nil), ("", nil),
        ] as [(String, UInt32?)])
    func sessionsByName(name: String, position: UInt32?) {
        #expect(ControlNode.position(ofSessionNamed: name) == position)
    }
}
