import RADIUS
import Testing
import Wire

@Suite struct AccessRequestTests {
    private func sent(_ request: AccessRequest) throws -> RADIUSPacket {
        let random = RADIUSAuthenticator(high: 1, low: 2)
        let packet = try RADIUSPacket.request(
            .accessRequest, identifier: 9, attributes: request.attributes, secret: secret, random: random)
        return try RADIUSPacket(decoding: packet.bytes[...])
    }

    @Test func domainLookUpIsAsInTheGuide() throws {
        let packet = try sent(AccessRequest(domain: "isp1.com", password: octets("password"), nas: nas))
        #expect(packet.attributes.text(.userName) == "isp1.com")
        let hidden = try #require(packet.attributes.octets(.userPassword))
        #expect(
            UserPassword.reveal(hidden, secret: secret, authenticator: packet.authenticator) == octets("password"))
        #expect(packet.attributes.text(.nasIdentifier) == "lac1")
        #expect(packet.attributes.ipv4(.nasIPAddress) == nas.ipv4)
    }

    @Test func namesTheNode() throws {
        let rows: [(NASIdentity, Set<RADIUSAttribute>)] = [
            (NASIdentity(identifier: "lac1"), [.nasIdentifier]),
            (NASIdentity(identifier: "", ipv4: IPv4Address(value: 1)), [.nasIPAddress]),
            (NASIdentity(identifier: "", ipv6: IPv6Address(high: 1, low: 2)), [.nasIPv6Address]),
            (
                NASIdentity(identifier: "lac1", ipv4: IPv4Address(value: 1), ipv6: IPv6Address(high: 1, low: 2)),
                [.nasIdentifier, .nasIPAddress, .nasIPv6Address]
            ),
        ]
        for (nas, names) in rows {
            let list = try sent(AccessRequest(domain: "isp1.com", password: [], nas: nas)).attributes
            let found = Set(list.elements.map(\.attribute)).intersection([
                .nasIdentifier, .nasIPAddress, .nasIPv6Address,
            ])
            #expect(found == names)
            #expect(list.ipv6(.nasIPv6Address) == nas.ipv6)
        }
    }

    /// Message-Authenticator stands in front of everything that somebody else may have chosen.
    @Test func messageAuthenticatorIsFirst() throws {
        for credentials: AccessRequest.Credentials in [
            .password(octets("p")),
            .chap(identifier: 1, response: hex("00112233445566778899aabbccddeeff"), challenge: [1]),
            .eap([2, 1, 0, 5, 1]),
        ] {
            let packet = try sent(AccessRequest(session: fullSession(), nas: nas, credentials: credentials))
            #expect(packet.attributes.elements.first?.attribute == .messageAuthenticator)
            #expect(packet.messageAuthenticity(secret: secret) == .right)
        }
    }

    @Test func describesTheSession() throws {
        let packet = try sent(
            AccessRequest(
                session: fullSession(), nas: nas,
                credentials: .chap(
                    identifier: 0x21, response: [UInt8](repeating: 7, count: 16),
                    challenge: [UInt8](repeating: 8, count: 16)),
                state: [4, 5]))
        let list = packet.attributes
        #expect(list.octets(.userName) == octets("joe@isp2.com"))
        #expect(list.integer(.serviceType) == 2)
        #expect(list.integer(.framedProtocol) == 1)
        #expect(list.integer(.nasPort) == 17)
        #expect(list.integer(.nasPortType) == 33)
        #expect(list.text(.nasPortID) == "access1:100")
        #expect(list.text(.callingStationID) == "02:00:00:00:00:01")
        #expect(list.text(.calledStationID) == "internet")
        #expect(list.text(.acctSessionID) == "0001-00000011")
        #expect(list.text(RADIUSAttribute(vendor: RADIUSAttribute.adslForum, 1)) == "circuit 1")
        #expect(list.integer(RADIUSAttribute(vendor: RADIUSAttribute.adslForum, 129)) == 1_000_000)
        #expect(list.octets(.chapPassword) == [0x21] + [UInt8](repeating: 7, count: 16))
        #expect(list.octets(.chapChallenge) == [UInt8](repeating: 8, count: 16))
        #expect(list.octets(.state) == [4, 5])
        // RFC 2866 keeps these to accounting.
        #expect(!list.contains(.classAttribute) && !list.contains(.acctAuthentic) && !list.contains(.tunnelType))
    }

    @Test(arguments: [1, 253, 254, 1000])
    func eapPacketsAreCutAndJoined(count: Int) throws {
        let eap = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let packet = try sent(AccessRequest(session: fullSession(), nas: nas, credentials: .eap(eap)))
        #expect(packet.attributes.all(.eapMessage).count == (count + 252) / 253)
        #expect(packet.attributes.eapMessage == eap)
    }

    @Test func accessLineHasTheAttributesOfRFC4679() {
        var line = AccessLineInformation()
        line.agentCircuitID = octets("abc")
        line.agentRemoteID = octets("def")
        line.figures[.actualDataRateDownstream] = 0x0100_0000
        line.figures[.attainableDataRateUpstream] = 1 << 40
        line.encapsulation = .init(dataLink: 1, first: 2, second: 3)
        line.isInterworked = true
        let attributes = RADIUSAttributes(accessLine: line)
        #expect(
            attributes.elements.map(\.attribute.description) == [
                "Agent-Circuit-Id", "Agent-Remote-Id", "Actual-Data-Rate-Downstream", "Attainable-Data-Rate-Upstream",
                "Access-Loop-Encapsulation", "IWF-Session",
            ])
        func integer(_ number: UInt8) -> UInt32? {
            attributes.integer(RADIUSAttribute(vendor: RADIUSAttribute.adslForum, number))
        }
        #expect(integer(130) == 0x0100_0000)
        #expect(integer(133) == .max, "what 32 bits cannot say is told as the largest figure that they can")
        #expect(RADIUSAttributes(accessLine: AccessLineInformation()).isEmpty)
    }
}
