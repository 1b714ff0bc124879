import RADIUS
import Testing
import Wire

@Suite struct AccountingRecordTests {
    private static let usage = {
        var usage = SessionUsage()
        usage.inputOctets = 5_000_000_000
        usage.outputOctets = 0x3_0000_0001
        usage.inputPackets = 0x1_0000_0002
        usage.outputPackets = 7
        usage.time = .milliseconds(3600_900)
        return usage
    }()
    private static let end = TunnelAccountingEnd(usage: usage, cause: .hostRequest, packetsLost: 12)

    /// One record of each kind.
    static let all: [AccountingRecord] = [
        .start(fullSession(), nas: nas, at: 1_700_000_000),
        .interimUpdate(fullSession(), usage: usage, nas: nas, at: 1_700_000_000),
        .stop(fullSession(), usage: usage, cause: .userRequest, nas: nas, at: 1_700_000_000),
        .accountingOn(id: "0002", nas: nas, at: 1_700_000_000),
        .accountingOff(id: "0002", cause: .adminReboot, nas: nas, at: 1_700_000_000),
        .tunnelStart(fullTunnel(), id: "t1", nas: nas, at: 1_700_000_000),
        .tunnelStop(fullTunnel(), id: "t1", end: end, nas: nas, at: 1_700_000_000),
        .tunnelReject(fullTunnel(), id: "t1", cause: .serviceUnavailable, nas: nas, at: 1_700_000_000),
        .tunnelLinkStart(fullSession(), nas: nas, at: 1_700_000_000),
        .tunnelLinkStop(fullSession(), end: end, nas: nas, at: 1_700_000_000),
        .tunnelLinkReject(fullSession(), cause: .lostService, nas: nas, at: 1_700_000_000),
    ]

    /// A record outlives a restart as octets.
    @Test(arguments: all)
    func isTheSameAfterTheJournal(_ record: AccountingRecord) throws {
        let octets = try record.encoded()
        let again = try #require(AccountingRecord(decoding: octets))
        #expect(again == record)
        #expect(again.eventTime == 1_700_000_000)
        for count in octets.indices {
            guard let cut = AccountingRecord(decoding: Array(octets.prefix(count))) else { continue }
            #expect(try octets.starts(with: cut.encoded()))
        }
    }

    @Test func everyStatusHasARecord() {
        #expect(Set(Self.all.map(\.status)) == Set(AccountingStatus.allCases))
        #expect(Set(Self.all.map { $0.attributes.integer(.acctStatusType) }) == [1, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14])
        // What every record must hold (RFC 2866 sections 4.1 and 5.5, RFC 2869 section 5.3).
        for record in Self.all {
            #expect(record.attributes.text(.acctSessionID)?.isEmpty == false, "\(record.status)")
            #expect(record.attributes.contains(.nasIPAddress) && record.attributes.contains(.nasIdentifier))
            #expect(record.attributes.integer(.eventTimestamp) == 1_700_000_000)
            #expect(!record.attributes.contains(.acctDelayTime))
            for forbidden: RADIUSAttribute in [.userPassword, .chapPassword, .replyMessage, .state] {
                #expect(!record.attributes.contains(forbidden))
            }
        }
    }

    @Test func countsBeyond32Bits() {
        for record in Self.all where [.interimUpdate, .stop, .tunnelStop, .tunnelLinkStop].contains(record.status) {
            let list = record.attributes
            #expect(list.integer(.acctInputOctets) == 705_032_704, "\(record.status)")
            #expect(list.integer(.acctInputGigawords) == 1)
            #expect(list.integer(.acctOutputOctets) == 1)
            #expect(list.integer(.acctOutputGigawords) == 3)
            #expect(list.integer(.acctInputPackets) == 2)
            #expect(list.integer(.acctOutputPackets) == 7)
            #expect(list.integer(.acctSessionTime) == 3600)
        }
        for record in Self.all where [.start, .tunnelStart, .tunnelReject, .accountingOn].contains(record.status) {
            #expect(!record.attributes.contains(.acctInputOctets), "\(record.status)")
        }
    }

    @Test func saysWhyItEnded() {
        let causes = Self.all.map { ($0.status, $0.attributes.integer(.acctTerminateCause)) }
        let expected: [AccountingStatus: UInt32] = [
            .stop: 1, .accountingOff: 7, .tunnelStop: 18, .tunnelReject: 15, .tunnelLinkStop: 18, .tunnelLinkReject: 3,
        ]
        for (status, cause) in causes { #expect(cause == expected[status], "\(status)") }
        for record in Self.all {
            let lost: UInt32? = [.tunnelStop, .tunnelLinkStop].contains(record.status) ? 12 : nil
            #expect(record.attributes.integer(.acctTunnelPacketsLost) == lost, "\(record.status)")
        }
    }

    @Test func describesTheTunnel() {
        for record in Self.all where ![.accountingOn, .accountingOff].contains(record.status) {
            let list = record.attributes
            #expect(list.taggedIntegers(.tunnelType).map(\.value) == [3], "\(record.status)")
            #expect(list.taggedIntegers(.tunnelMediumType).map(\.value) == [1])
            #expect(list.taggedTexts(.tunnelClientEndpoint).map(\.value) == ["10.0.0.1"])
            #expect(list.taggedTexts(.tunnelServerEndpoint).map(\.value) == ["203.0.113.3"])
            #expect(list.taggedTexts(.tunnelAssignmentID).map(\.value) == ["isp2-a"])
            #expect(list.taggedTexts(.tunnelClientAuthID).map(\.value) == ["lac1"])
            #expect(list.taggedTexts(.tunnelServerAuthID).map(\.value) == ["lns1.isp2.com"])
            #expect(list.text(.acctTunnelConnection) == "4711")
            #expect(list.taggedTexts(.tunnelServerEndpoint).map(\.tag) == [0])
        }
    }

    @Test func returnsEveryClass() {
        for record in Self.all where [.start, .stop, .interimUpdate].contains(record.status) {
            #expect(record.attributes.all(.classAttribute) == [octets("class-1"), octets("class-2")])
            #expect(record.attributes.integer(.acctAuthentic) == 3)
        }
    }

    @Test func ageIsNeverNegative() {
        let record = Self.all[0]
        #expect(record.age(at: 1_700_000_090) == .seconds(90))
        #expect(record.age(at: 1_699_999_999) == .zero)
    }

    @Test func whatIsNoRecordIsRefused() throws {
        for text in [
            "", "2c03" + "31", "2806" + "00000063" + "3706" + "6553f100", "2806" + "00000001",
            "2806" + "00000001" + "3706" + "6553f100" + "2906" + "00000001",
            "2806" + "00000001" + "3706" + "6553f100" + "05",
            "2806" + "00000001" + "3706" + "6553f100" + "0504" + "0001",
        ] {
            #expect(AccountingRecord(decoding: hex(text)) == nil, "\(text)")
        }
        #expect(AccountingRecord(decoding: hex("280600000001" + "37066553f100")) != nil)
    }

    @Test func recordsThatDoNotFitAreRefused() {
        var session = fullSession()
        session.classes = [[UInt8]](repeating: [UInt8](repeating: 1, count: 253), count: 16)
        #expect(throws: RADIUSEncodingError.self) {
            try AccountingRecord.start(session, nas: nas, at: 0).validate()
        }
        session.classes = []
        session.userName = [UInt8](repeating: 97, count: 254)
        #expect(throws: RADIUSEncodingError.length(.userName, 254)) {
            try AccountingRecord.start(session, nas: nas, at: 0).validate()
        }
    }
}
