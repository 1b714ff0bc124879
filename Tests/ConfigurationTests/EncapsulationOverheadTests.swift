import Configuration
import Testing

@Suite struct EncapsulationOverheadTests {
    @Test(arguments: [(1_500, 1_442), (1_492, 1_434), (9_000, 8_942), (58, 0), (40, 0)] as [(UInt16, UInt16)])
    func seedsArithmetic(path: UInt16, mru: UInt16) {
        #expect(EncapsulationOverhead.seedMRU(pathMTU: path) == mru)
    }

    @Test(
        arguments: [
            (EncapsulationOverhead(), 40, 1_460), (EncapsulationOverhead(hasLengthField: false), 38, 1_462),
            (EncapsulationOverhead(isSequenced: true), 44, 1_456), (EncapsulationOverhead(offsetPad: 0), 42, 1_458),
            (EncapsulationOverhead(isSequenced: true, offsetPad: 16), 62, 1_438),
            (EncapsulationOverhead(isIPv6: true), 60, 1_440),
            (EncapsulationOverhead(isIPv6: true, isSequenced: true, offsetPad: 255), 321, 1_179),
        ] as [(EncapsulationOverhead, Int, UInt16)])
    func countsEveryField(overhead: EncapsulationOverhead, octets: Int, mru: UInt16) {
        #expect(overhead.octets == octets)
        #expect(overhead.mru(pathMTU: 1_500) == mru)
        #expect(overhead.mru(pathMTU: 20) == 0)
    }

    @Test func segmentsFollow() {
        #expect(EncapsulationOverhead.mss(mru: 1_442) == 1_402)
        #expect(EncapsulationOverhead.mss(mru: 39) == 0)
    }
}
