import Names
import Testing
import Wire

@Suite struct AddressAnswerTests {
    static func name(_ text: String) -> HostName {
        guard let name = try? HostName(text) else { fatalError("\(text) is no name") }
        return name
    }

    static func address(_ text: String, ttl: UInt32) -> ResolvedAddress {
        guard let address = IPAddress(text) else { fatalError("\(text) is no address") }
        return ResolvedAddress(address, ttl: ttl)
    }

    private static let expectations: [String: AddressAnswer] = [
        Golden.a: .addresses([address("192.0.2.1", ttl: 300)]),
        Golden.aaaa: .addresses([address("2001:db8::1", ttl: 120)]),
        Golden.aliases: .addresses([address("192.0.2.1", ttl: 30)]),
        Golden.four: .addresses(
            ["192.0.2.14", "192.0.2.11", "192.0.2.12", "192.0.2.13"].map { address($0, ttl: 60) }),
        Golden.noAddress: .absent(.noAddress, ttl: 20),
        Golden.noSuchName: .absent(.noSuchName, ttl: 20),
        Golden.aliasAlone: .alias(name("empty.test"), ttl: 7),
        Golden.refused: .failed(.refused),
        Golden.serverFailure: .failed(.serverFailure),
        Golden.referral: .failed(.noRecursion),
        Golden.loop: .failed(.aliasLoop),
        Golden.noAddressNoSOA: .absent(.noAddress, ttl: nil),
    ]

    private static func decode(_ message: [UInt8], _ name: String, _ type: UInt16 = 1) -> AddressAnswer {
        AddressAnswer(decoding: message, name: Self.name(name), type: type == 28 ? .aaaa : .a)
    }

    @Test(arguments: Golden.all)
    func readsWhatUnboundSays(hex: String, name: String, type: UInt16) {
        #expect(Self.decode(Golden.octets(hex), name, type) == Self.expectations[hex])
    }

    /// An answer to another question is none.
    @Test(arguments: [("lns.isp2.test", 1 as UInt16), ("isp1.test", 1), ("lns.isp1.test", 28), ("test", 1)])
    func refusesAnswersToOtherQuestions(name: String, type: UInt16) {
        #expect(Self.decode(Golden.octets(Golden.a), name, type) == .failed(.malformedAnswer))
    }

    @Test(arguments: Golden.all)
    func refusesWhatIsCutOff(hex: String, name: String, type: UInt16) {
        let whole = Golden.octets(hex)
        // What follows the last record that counts is not read: the referral has one more.
        let needed = hex == Golden.referral ? whole.count - 16 : whole.count
        for length in 0..<needed {
            #expect(
                Self.decode(Array(whole.prefix(length)), name, type) == .failed(.malformedAnswer), "\(length) octets")
        }
    }

    /// Each octet with each bit turned: whatever comes out, nothing traps, and the name asked for stays the same.
    @Test(arguments: Golden.all)
    func survivesTurnedBits(hex: String, name: String, type: UInt16) {
        let whole = Golden.octets(hex)
        for index in whole.indices {
            for bit in 0..<8 {
                var message = whole
                message[index] ^= 1 << bit
                guard case .addresses(let found) = Self.decode(message, name, type) else { continue }
                #expect(!found.isEmpty && found.count <= 4)
            }
        }
    }

    private static let header: [UInt8] = [0, 1, 0x81, 0x80, 0, 1]
    private static let question: [UInt8] = [1, 0x61, 0, 0, 1, 0, 1]  // a, type A, class IN; at offset 12
    private static let aRecord: [UInt8] = [0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1]

    private static func message(answers: Int, authorities: Int = 0, _ records: [UInt8]) -> [UInt8] {
        header + [UInt8(answers >> 8), UInt8(answers & 255), 0, UInt8(authorities), 0, 0] + question + records
    }

    @Test(arguments: [
        // A pointer to itself, to behind itself, to the one that points back.
        [0xc0, 19] as [UInt8], [0xc0, 20], [0xc0, 21, 0xc0, 19], [0xff, 0xff],
        // Reserved kinds of label (RFC 1035 section 4.1.4, RFC 6891 section 5).
        [0x40, 0], [0x80, 0],
    ])
    func refusesWrongPointers(owner: [UInt8]) {
        #expect(Self.decode(Self.message(answers: 1, owner + Self.aRecord), "a") == .failed(.malformedAnswer))
    }

    @Test func refusesNamesThatAreTooLong() {
        var owner: [UInt8] = []
        for _ in 0..<4 { owner += [63] + [UInt8](repeating: 0x62, count: 63) }
        owner += [0]
        #expect(Self.decode(Self.message(answers: 1, owner + Self.aRecord), "a") == .failed(.malformedAnswer))
    }

    /// A hundred thousand steps from pointer to pointer are no name, and soon over.
    @Test func refusesLadders() {
        var ladder: [UInt8] = [0xc0, 12]
        var offset = 19 + 10
        for _ in 0..<4_000 {
            ladder += [0xc0 | UInt8(offset >> 8), UInt8(offset & 255)]
            offset += 2
        }
        let length = ladder.count
        // A record of a type that nobody reads carries the ladder; the next one's name begins on its top.
        let carrier: [UInt8] = [0, 0, 16, 0, 1, 0, 0, 0, 0, UInt8(length >> 8), UInt8(length & 255)]
        let top = 19 + carrier.count + length - 2
        let records = carrier + ladder + [0xc0 | UInt8(top >> 8), UInt8(top & 255)] + Self.aRecord
        #expect(Self.decode(Self.message(answers: 2, records), "a") == .failed(.malformedAnswer))
    }

    @Test(arguments: [
        // Of another name, of another class, of another kind: not what was asked for.
        ([1, 0x62, 0] + aRecord, AddressAnswer.absent(.noAddress, ttl: nil)),
        ([0xc0, 12, 0, 1, 0, 3, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1], .absent(.noAddress, ttl: nil)),
        ([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1], .absent(.noAddress, ttl: nil)),
        // An address of three octets; an alias whose name ends before its data or behind them.
        ([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 3, 192, 0, 2], .failed(.malformedAnswer)),
        ([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 4, 1, 0x62, 0, 0], .failed(.malformedAnswer)),
        ([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 2, 1, 0x62, 0, 0], .failed(.malformedAnswer)),
        // An alias of something that is no host's name.
        ([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 3, 1, 0x5f, 0], .failed(.malformedAnswer)),
        ([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 5, 3, 0x61, 0x2e, 0x62, 0], .failed(.malformedAnswer)),
        // A TTL with the highest bit set is 0.
        (
            [0xc0, 12, 0, 1, 0, 1, 0x80, 0, 0, 9, 0, 4, 192, 0, 2, 1], .addresses([address("192.0.2.1", ttl: 0)])
        ),
        ([0xc0, 12] + aRecord, .addresses([address("192.0.2.1", ttl: 9)])),
    ])
    func readsRecords(record: [UInt8], answer: AddressAnswer) {
        #expect(Self.decode(Self.message(answers: 1, record), "a") == answer)
    }

    @Test func takesSixtyFourAddressesAndEachOnce() {
        let twice = Self.message(answers: 2, [0xc0, 12] + Self.aRecord + [0xc0, 12] + Self.aRecord)
        #expect(Self.decode(twice, "a") == .addresses([Self.address("192.0.2.1", ttl: 9)]))
        var records: [UInt8] = []
        for number in 0..<200 as Range<UInt8> { records += [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, number] }
        guard case .addresses(let found) = Self.decode(Self.message(answers: 200, records), "a") else {
            Issue.record("no addresses")
            return
        }
        #expect(found.map(\.address.description) == (0..<64).map { "10.0.0.\($0)" })
    }

    private static let some = NameResult.addresses([address("192.0.2.1", ttl: 9)], isComplete: true)
    private static let some6 = NameResult.addresses([address("2001:db8::1", ttl: 5)], isComplete: true)

    @Test(
        arguments: [
            (
                some, some6,
                .addresses([address("192.0.2.1", ttl: 9), address("2001:db8::1", ttl: 5)], isComplete: true)
            ),
            (some, .absent(.noAddress, ttl: 3), some), (.absent(.noAddress, ttl: 3), some6, some6),
            (some, .failed(.timedOut), .addresses([address("192.0.2.1", ttl: 9)], isComplete: false)),
            (.failed(.refused), some6, .addresses([address("2001:db8::1", ttl: 5)], isComplete: false)),
            (.absent(.noAddress, ttl: 3), .absent(.noAddress, ttl: 2), .absent(.noAddress, ttl: 2)),
            (.absent(.noAddress, ttl: 3), .absent(.noAddress, ttl: nil), .absent(.noAddress, ttl: nil)),
            (.absent(.noAddress, ttl: 3), .absent(.noSuchName, ttl: 9), .absent(.noSuchName, ttl: 3)),
            (.absent(.noSuchName, ttl: 3), .failed(.timedOut), .absent(.noSuchName, ttl: 3)),
            (.absent(.noAddress, ttl: 3), .failed(.timedOut), .failed(.timedOut)),
            (.failed(.refused), .absent(.noAddress, ttl: 3), .failed(.refused)),
            (.failed(.refused), .failed(.timedOut), .failed(.refused)),
        ] as [(NameResult, NameResult, NameResult)])
    func joinsBothKinds(ipv4: NameResult, ipv6: NameResult, together: NameResult) {
        #expect(NameResult(ipv4: ipv4, ipv6: ipv6) == together)
    }
}
