import PPPoE
import Testing
import Wire

/// The access line identifier tag (TR-101). The whole one was written by an independent program, and tshark reads the values below
/// from it.
@Suite struct AccessLineTests {
    static let whole = octets(
        """
        00000de9011364736c616d372061746d20312f323a382e3335020c2b34393330313233343536378104000027108204000186a0830400000040\
        840400000080850400002ee086040001adb0870400004e208804004c4b408904000000208a04000000308b04000000088c04000000058d0400\
        0000108e040000000a9003010200910400000005fe00
        """)

    static let line: AccessLineInformation = {
        var line = AccessLineInformation()
        line.agentCircuitID = Array("dslam7 atm 1/2:8.35".utf8)
        line.agentRemoteID = Array("+49301234567".utf8)
        line.figures = [
            .actualDataRateUpstream: 10_000_000, .actualDataRateDownstream: 100_000_000,
            .minimumDataRateUpstream: 64_000, .minimumDataRateDownstream: 128_000,
            .attainableDataRateUpstream: 12_000_000, .attainableDataRateDownstream: 110_000_000,
            .maximumDataRateUpstream: 20_000_000, .maximumDataRateDownstream: 5_000_000_000,
            .minimumDataRateUpstreamLowPower: 32_000, .minimumDataRateDownstreamLowPower: 48_000,
            .maximumInterleavingDelayUpstream: 8, .actualInterleavingDelayUpstream: 5,
            .maximumInterleavingDelayDownstream: 16, .actualInterleavingDelayDownstream: 10, .accessLineType: 5,
        ]
        line.encapsulation = .init(dataLink: 1, first: 2, second: 0)
        line.isInterworked = true
        return line
    }()

    @Test func readsEverything() throws {
        let line = try AccessLineInformation(parsing: Self.whole[...])
        #expect(line == Self.line)
        #expect(line.downstreamRate == 100_000_000 && line.upstreamRate == 10_000_000)
    }

    /// Cut anywhere, the tag is refused, or ends between two attributes; it never traps.
    @Test func isRefusedWhenCut() {
        var accepted = 0
        for length in 0..<Self.whole.count {
            do throws(AccessLineInformation.TagError) {
                _ = try AccessLineInformation(parsing: Self.whole[..<length])
                accepted += 1
            } catch { #expect(error == (length < 4 ? .otherVendor : .truncated)) }
        }
        #expect(accepted == AccessLineInformation.Attribute.allCases.count, "one end before each attribute")
    }

    @Test(arguments: ["", "00000d", "00000dea 0101 61", "00010de9 0101 61"]) func anothersTagIsNotRead(hex: String) {
        #expect(throws: AccessLineInformation.TagError.otherVendor) {
            try AccessLineInformation(parsing: octets(hex)[...])
        }
    }

    /// Attributes that are passed over, with one behind that is not.
    @Test(
        arguments: [
            "0100", "0200", "0140" + String(repeating: "61", count: 64),
            "01ff" + String(repeating: "61", count: 255),
            "8100", "8103 000001", "8105 0000000001", "8108 0000000000000001", "8b02 0001", "9002 0102",
            "9004 01020000",
            "9101 05", "fe01 00", "8f04 00000001", "0304 00000001", "0000", "ff00",
        ])
    func passesOverWhatCannotBe(hex: String) throws {
        let line = try AccessLineInformation(parsing: (octets("00000de9" + hex) + octets("8204 00000010"))[...])
        #expect(line.figures == [.actualDataRateDownstream: 16_000])
        #expect(line.agentCircuitID == nil && line.agentRemoteID == nil && line.encapsulation == nil)
        #expect(!line.isInterworked)
    }

    @Test func theFirstOfSeveralCounts() throws {
        let twice = "0101 61 0101 62 0201 63 0201 64 8104 00000001 8104 00000002 9003 010101 9003 000000"
        let line = try AccessLineInformation(parsing: octets("00000de9" + twice)[...])
        #expect(line.agentCircuitID == [0x61] && line.agentRemoteID == [0x63])
        #expect(line.figures == [.actualDataRateUpstream: 1_000])
        #expect(line.encapsulation == .init(dataLink: 1, first: 1, second: 1))
    }

    @Test func theLargestNumbersHold() throws {
        let line = try AccessLineInformation(parsing: octets("00000de9 8204 ffffffff 8b04 ffffffff")[...])
        #expect(line.downstreamRate == 4_294_967_295_000)
        #expect(line.figures[.maximumInterleavingDelayUpstream] == 4_294_967_295)
    }

    @Test func nothingIsNothing() throws {
        #expect(try AccessLineInformation(parsing: octets("00000de9")[...]).isEmpty)
    }
}
