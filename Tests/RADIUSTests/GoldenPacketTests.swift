import RADIUS
import Testing
import Wire

/// Packets of FreeRADIUS 3.2.1, its server and its `radclient`, as they were on the wire. The secret is `testing123-1`,
/// that of requests to the node `coasecret`.
private enum Captured {
    static let lookUp = hex(
        """
        011500485b1047543a8b0f0db67bcbfe100d84a2010a697370312e636f6d02120ebddb7499f79ac9b85e41d5cf4cce3020066c6163315012\
        ec6144a9d83a6f98e5effa18fb91f266
        """)
    static let lookUpAnswer = hex(
        "0215002ce1a95e4ab8f91a7c0ee6ebc1e51d7ea20806c0a80b02501214b096c58ecc15f32885c472e990294c")
    static let lookUpUnsigned = hex(
        """
        01bc00487a915828aa75e3d51d2e2371a3137573010a697370312e636f6d0212f6d6c1d951bb9b7078111281951d910620066c6163315012\
        64b7e927c98bf850b380996574c0f2dc
        """)
    static let lookUpUnsignedAnswer = hex("02bc001a7172882ebe6dc75918fae577642ebbab0806c0a80b02")
    static let chap = hex(
        """
        01d800962815dc54352bf9b0f9ee84fb6346dd08010e6a6f6540697370322e636f6d0313b7a98c2cd6332a25a0938ad7c02974a3f104060a\
        0000010506000000113d0600000021570d616363657373313a3130301f1330323a30303a30303a30303a30303a30311a1100000de9010b63\
        69726375697420311a0c00000de98106000f424050120b38e1691023aca8c498a0bea82dd9d9
        """)
    static let chapAnswer = hex(
        """
        02d80144bc73d2f349d23773e08c480c678a7f2a400601000003410601000001430e013230332e302e3131332e33420b0131302e302e302e\
        31451501879f6b2e7742a0d20df63b3021fde5290390520901697370322d615306010000145a07016c6163315b10016c6e73312e69737032\
        2e636f6d400602000003410602000002430e02323030313a6462383a3a3345350288155992cecebe37575698233d95637a8fb61ec01e67bd\
        9ff39bf3f5325cc6467c698b6a4dd27e1fe906b5e1961e8b02035f53060200000a510702626c756540060300000a430e033230332e302e31\
        31332e391b06000151801c06000007085506000002581909636c6173732d311909636c6173732d32120c48656c6c6f2c206a6f650b06676f\
        6c641a0c0000372a0706009896801a0c0000372a080602faf08050121970cd651cca3ae7e0bcb38e81d96614
        """)
    static let longPassword = hex(
        """
        01c200676e5c9603e177c949782fb174a2a2b633010f6c6f6e6740697370322e636f6d02322280420e7c85b1f4039b47fd6521fd990015f0\
        db908bb12c14f9a5bed49c95e70c1162222416a19b39ec2ee10d8240865012dfadc5fe1cc9bde8eddd1dced22af7b0
        """)
    static let longPasswordAnswer = hex(
        """
        02c20038aef21465129a8eaf1adb0ad0d32be88fa81220010db800000000000000000000007750128d9fe15128448d09d6d506e6d5e26882
        """)
    static let status = hex(
        "0c29002ce71bcc144a6e5de1d8d727824ccbd8045012ede4cca3f3f274152ef9c6937771ae2f20066c616331")
    static let statusAnswer = hex("02290014435aa1d8071585003c17b1bc6c7d052d")
    static let stop = hex(
        """
        043a0077cafbeb9a5aabb5a705e37d4d60d8e3542806000000022c0f303030312d3030303030303131010e6a6f6540697370322e636f6d04\
        060a0000012a062a05f2003406000000012e0600000e1031060000000137066553f1001909636c6173732d31400600000003430d3230332e\
        302e3131332e33
        """)
    static let stopAnswer = hex("053a0014c16bb2be9df3da8a24e11ab867f41265")
    static let disconnect = hex(
        "281700335fd37b2c7c6712b8427c3be0f0093a842c0f303030312d303030303030313120066c61633137066553f10021040102")
    static let coa = hex(
        """
        2b3e0061a716e43a9d8ad3d68663edb828ca19a7010e6a6f6540697370322e636f6d2c0f303030312d30303030303031311a0c0000372a07\
        06001e84801a0c0000372a0806007a12005012cff53c1045fa5989dd9fc85795474ab037066553f100
        """)
    static let coaSecret = octets("coasecret")
}

/// Another implementation's packets, read; and where there is one way alone to write a packet, written to the octet.
@Suite struct GoldenPacketTests {
    private func decode(_ bytes: [UInt8]) throws -> RADIUSPacket { try RADIUSPacket(decoding: bytes[...]) }

    @Test func readsRequests() throws {
        let lookUp = try decode(Captured.lookUp)
        #expect(lookUp.code == .accessRequest)
        #expect(lookUp.identifier == 0x15)
        #expect(lookUp.attributes.text(.userName) == "isp1.com")
        #expect(lookUp.attributes.text(.nasIdentifier) == "lac1")
        #expect(lookUp.messageAuthenticity(secret: secret) == .right)
        #expect(lookUp.messageAuthenticity(secret: octets("testing123-2")) == .wrong)

        let chap = try decode(Captured.chap)
        #expect(chap.attributes.octets(.chapPassword)?.count == 17)
        #expect(chap.attributes.ipv4(.nasIPAddress) == IPv4Address("10.0.0.1"))
        #expect(chap.attributes.integer(.nasPort) == 17)
        #expect(chap.attributes.integer(.nasPortType) == NASPortType.pppoeOverVLAN.rawValue)
        #expect(chap.attributes.text(.nasPortID) == "access1:100")
        #expect(chap.attributes.text(RADIUSAttribute(vendor: RADIUSAttribute.adslForum, 1)) == "circuit 1")
        #expect(chap.attributes.integer(RADIUSAttribute(vendor: RADIUSAttribute.adslForum, 129)) == 1_000_000)
        #expect(chap.attributes.invalid.isEmpty)
    }

    @Test func revealsPasswords() throws {
        for (bytes, password) in [
            (Captured.lookUp, "password"), (Captured.longPassword, "a password of more than sixteen octets"),
        ] {
            let packet = try decode(bytes)
            let hidden = try #require(packet.attributes.octets(.userPassword))
            let revealed = UserPassword.reveal(hidden, secret: secret, authenticator: packet.authenticator)
            #expect(revealed == octets(password))
            // And hides them as the other does.
            let ours = try RADIUSPacket.request(
                .accessRequest, identifier: 0,
                attributes: attributes { $0.append(.userPassword, octets: octets(password)) }, secret: secret,
                random: packet.authenticator)
            #expect(try decode(ours.bytes).attributes.octets(.userPassword) == hidden)
        }
    }

    @Test(arguments: [
        (Captured.lookUp, Captured.lookUpAnswer, MessageAuthenticity.right),
        (Captured.lookUpUnsigned, Captured.lookUpUnsignedAnswer, .absent),
        (Captured.chap, Captured.chapAnswer, .right), (Captured.longPassword, Captured.longPasswordAnswer, .right),
        (Captured.status, Captured.statusAnswer, .absent), (Captured.stop, Captured.stopAnswer, .absent),
    ])
    func answersAreTheirRequests(request: [UInt8], answer: [UInt8], authenticity: MessageAuthenticity) throws {
        let request = try decode(request)
        let packet = try decode(answer)
        #expect(packet.identifier == request.identifier)
        #expect(packet.answers(request.authenticator, secret: secret))
        #expect(packet.messageAuthenticity(secret: secret, request: request.authenticator) == authenticity)
        #expect(!packet.answers(request.authenticator, secret: octets("testing123-2")))
        #expect(!packet.answers(.zero, secret: secret))
        // Every octet counts.
        for index in answer.indices where index < 2 || index > 3 {
            var forged = answer
            forged[index] ^= 1
            guard let forged = try? decode(forged) else { continue }
            #expect(!forged.answers(request.authenticator, secret: secret), "octet \(index)")
        }
    }

    @Test func readsEveryAttributeOfAnAccept() throws {
        let request = try decode(Captured.chap)
        let accept = AccessAccept(
            try decode(Captured.chapAnswer).attributes, secret: secret, authenticator: request.authenticator)
        #expect(accept.sessionTimeout == .seconds(86400))
        #expect(accept.idleTimeout == .seconds(1800))
        #expect(accept.interimInterval == .seconds(600))
        #expect(accept.classes == [octets("class-1"), octets("class-2")])
        #expect(accept.replyMessage == "Hello, joe")
        #expect(accept.filterIDs == ["gold"])
        #expect(accept.bandwidth == BandwidthLimits(upstream: 10_000_000, downstream: 50_000_000))
        #expect(accept.framedAddress == nil)
        #expect(accept.tunnels.tunnels.map(\.tag) == [2, 1])
        let first = try #require(accept.tunnels.tunnels.first)
        #expect(first.medium == .ipv6)
        #expect(first.serverEndpoints.map(\.description) == ["2001:db8::3"])
        #expect(first.password == octets("a longer tunnel password of 3 blocks"))
        #expect(first.preference == 10)
        #expect(first.privateGroupID == "blue")
        let second = try #require(accept.tunnels.tunnels.last)
        #expect(second.medium == .ipv4)
        #expect(second.serverEndpoints == [.address(.v4(IPv4Address(value: 0xcb00_7103)))])
        #expect(second.clientEndpoint == .address(.v4(IPv4Address(value: 0x0a00_0001))))
        #expect(second.password == octets("tunsecret"))
        #expect(second.assignmentID == "isp2-a")
        #expect(second.preference == 20)
        #expect(second.clientAuthID == "lac1")
        #expect(second.serverAuthID == "lns1.isp2.com")
        #expect(
            accept.tunnels.refused.map(\.description) == ["tunnel with tag 3 left out: its type is 10, not L2TP (3)"])
    }

    @Test func readsAddressesOfLNSs() throws {
        func address(_ request: [UInt8], _ answer: [UInt8]) throws -> IPAddress? {
            AccessAccept(
                try decode(answer).attributes, secret: secret, authenticator: try decode(request).authenticator
            ).framedAddress
        }
        #expect(try address(Captured.lookUp, Captured.lookUpAnswer) == IPAddress("192.168.11.2"))
        #expect(try address(Captured.longPassword, Captured.longPasswordAnswer) == IPAddress("2001:db8::77"))
    }

    @Test func writesRequestsThatComputeTheirAuthenticator() throws {
        let stop = attributes {
            $0.append(.acctStatusType, integer: 2)
            $0.append(.acctSessionID, text: "0001-00000011")
            $0.append(.userName, text: "joe@isp2.com")
            $0.append(.nasIPAddress, address: IPAddress("10.0.0.1"))
            $0.append(.acctInputOctets, integer: 705_032_704)
            $0.append(.acctInputGigawords, integer: 1)
            $0.append(.acctSessionTime, integer: 3600)
            $0.append(.acctTerminateCause, integer: 1)
            $0.append(.eventTimestamp, integer: 1_700_000_000)
            $0.append(.classAttribute, octets: octets("class-1"))
            $0.append(.tunnelType, integer: 3, tag: 0)
            $0.append(.tunnelServerEndpoint, text: "203.0.113.3")
        }
        let written = try RADIUSPacket.request(
            .accountingRequest, identifier: 0x3a, attributes: stop, secret: secret, random: .zero)
        #expect(written.bytes == Captured.stop)
        #expect(written.authenticator == (try decode(Captured.stop)).authenticator)
        let disconnect = attributes {
            $0.append(.acctSessionID, text: "0001-00000011")
            $0.append(.nasIdentifier, text: "lac1")
            $0.append(.eventTimestamp, integer: 1_700_000_000)
            $0.append(.proxyState, octets: [1, 2])
        }
        let request = try RADIUSPacket.request(
            .disconnectRequest, identifier: 0x17, attributes: disconnect, secret: Captured.coaSecret, random: .zero)
        #expect(request.bytes == Captured.disconnect)
    }

    @Test func writesAnswers() throws {
        for (request, answer) in [(Captured.stop, Captured.stopAnswer), (Captured.status, Captured.statusAnswer)] {
            let packet = try decode(request)
            let written = try RADIUSPacket.answer(
                try decode(answer).code, to: packet.identifier, authenticator: packet.authenticator,
                attributes: RADIUSAttributes(), secret: secret, signed: false)
            #expect(written == answer)
        }
    }

    @Test func readsRequestsToTheNode() throws {
        for bytes in [Captured.disconnect, Captured.coa] {
            #expect(try decode(bytes).isAuthenticRequest(secret: Captured.coaSecret))
            #expect(!(try decode(bytes).isAuthenticRequest(secret: secret)))
        }
        #expect(try decode(Captured.coa).messageAuthenticity(secret: Captured.coaSecret) == .right)
        #expect(try decode(Captured.coa).messageAuthenticity(secret: secret) == .wrong)
        #expect(try decode(Captured.disconnect).messageAuthenticity(secret: Captured.coaSecret) == .absent)

        var server = DynamicAuthorizationServer(
            configuration: .init(
                clients: [.init(address: .v4(IPv4Address(value: 0x7f00_0001)), secret: Captured.coaSecret)], nas: nas))
        guard
            case .request(_, let change) = server.receive(
                Captured.coa[...], from: .v4(IPv4Address(value: 0x7f00_0001)), port: 40000, at: .zero,
                time: 1_700_000_010)
        else {
            Issue.record("the CoA-Request was not taken")
            return
        }
        #expect(change.action == .change(BandwidthLimits(upstream: 2_000_000, downstream: 8_000_000)))
        #expect(change.sessions.id == "0001-00000011")
        #expect(change.sessions.userName == octets("joe@isp2.com"))
    }
}
