import PPPoE
import Testing
import Timing
import Wire

private let client = MACAddress(value: 0x0208_98b2_2730)
private let ac = MACAddress(value: 0x0225_4d29_0cd5)
private let circuit = AttachmentCircuit(port: 3, outerVLAN: 100, innerVLAN: 7)
private let now = Instant(nanoseconds: 1_000_000_000_000)

private func makeServer(_ rules: [ServiceInstance.Rule], linkMTU: Int = 1500) -> DiscoveryServer {
    DiscoveryServer(
        acName: "culvert", macAddress: ac, linkMTU: linkMTU,
        instances: rules.enumerated().map { ServiceInstance(name: "ac\($0.offset)", rule: $0.element) },
        cookie: ACCookie(secret: Array(0..<32)))
}

extension DiscoveryServer {
    fileprivate func receive(_ packet: DiscoveryPacket, to destination: MACAddress = ac, at time: Instant = now)
        -> Outcome
    {
        receive(packet.encoded()[...], from: client, to: destination, on: circuit, at: time)
    }

    fileprivate func offer(_ tags: [DiscoveryTag]) -> DiscoveryPacket? {
        guard case .send(let pado) = receive(DiscoveryPacket(code: .padi, tags: tags), to: .broadcast) else {
            return nil
        }
        return pado
    }

    fileprivate func validCookie() -> DiscoveryTag {
        DiscoveryTag(.acCookie, cookie.issue(client: client, circuit: circuit, at: now))
    }
}

private func names(_ packet: DiscoveryPacket?) -> [String]? {
    packet.map { $0.tags.filter { $0.kind == .serviceName }.map(\.text) }
}

@Suite struct DiscoveryServerTests {
    /// Rules of the instances, the name asked for, the names offered (nil: silence), the instance that a PADR with the
    /// name gets (nil: Service-Name-Error).
    static let selection: [(rules: [ServiceInstance.Rule], asked: String, offered: [String]?, instance: String?)] = [
        ([.any], "", [""], "ac0"),
        ([.any], "whatever", ["whatever"], "ac0"),
        ([.named("isp", advertised: false)], "isp", ["isp"], "ac0"),
        ([.named("isp", advertised: false)], "ISP", nil, nil),
        ([.named("isp", advertised: false)], "isp2", nil, nil),
        ([.named("isp", advertised: false)], "", nil, nil),
        ([.named("isp", advertised: true)], "", ["", "isp"], "ac0"),
        ([.named("isp", advertised: true)], "isp", ["isp"], "ac0"),
        ([.named("isp", advertised: true)], "other", nil, nil),
        ([.named("a", advertised: false), .named("b", advertised: true)], "", ["", "b"], "ac1"),
        ([.named("a", advertised: false), .named("b", advertised: true)], "a", ["a", "b"], "ac0"),
        ([.any, .named("b", advertised: true)], "b", ["b"], "ac1"),
        ([.any, .named("b", advertised: true)], "", ["", "b"], "ac0"),
        ([.any, .named("b", advertised: false)], "c", ["c"], "ac0"),
        ([], "", nil, nil),
    ]

    @Test(arguments: selection)
    func selectsTheInstance(rules: [ServiceInstance.Rule], asked: String, offered: [String]?, instance: String?) {
        let server = makeServer(rules)
        #expect(names(server.offer([DiscoveryTag(.serviceName, text: asked)])) == offered)
        if offered == nil {
            let padi = DiscoveryPacket(code: .padi, tags: [DiscoveryTag(.serviceName, text: asked)])
            let outcome = server.receive(padi, to: .broadcast)
            #expect(outcome == .drop(.init(.serviceNotOffered, code: .padi)))
            #expect(DiscoveryServer.Refusal(.serviceNotOffered, code: .padi).isInvalid == false)
        }
        let padr = DiscoveryPacket(
            code: .padr, tags: [DiscoveryTag(.serviceName, text: asked), server.validCookie()])
        switch server.receive(padr) {
        case .open(let request):
            #expect(request.instance.name == instance)
            #expect(request.serviceName == Array(asked.utf8))
        case .send(let pads):
            #expect(instance == nil)
            #expect(pads.code == .pads && pads.sessionID == 0)
            #expect(pads.first(.serviceNameError) != nil)
        case let other: Issue.record("\(other)")
        }
    }

    @Test func setsUpASession() throws {
        let server = makeServer([.any])
        let marks = [DiscoveryTag(.hostUniq, [1, 2, 3]), DiscoveryTag(.relaySessionID, [9, 9])]
        let vendor = DiscoveryTag(.vendorSpecific, octets("00000de9 0104 65746830"))
        let pado = try #require(server.offer([DiscoveryTag(.serviceName, []), vendor] + marks))
        #expect(pado.code == .pado && pado.sessionID == 0)
        #expect(pado.first(.acName)?.text == "culvert")
        #expect(pado.first(.hostUniq) == marks[0] && pado.first(.relaySessionID) == marks[1])
        #expect(pado.first(.vendorSpecific) == nil && pado.first(.pppMaxPayload) == nil)
        let cookie = try #require(pado.first(.acCookie))

        let padr = DiscoveryPacket(code: .padr, tags: [DiscoveryTag(.serviceName, []), cookie, vendor] + marks)
        guard case .open(let request) = server.receive(padr) else {
            Issue.record("no session")
            return
        }
        #expect(request.key.client == client && request.key.circuit == circuit)
        #expect(request.key.hostUniq == [1, 2, 3] && request.key.cookie == cookie.value)
        #expect(request.accessLine?.agentCircuitID == Array("eth0".utf8))
        #expect(request.maxPayload == 1492)

        // Checked with scapy: PPPoED(code=0x65, sessionid=0x4001) / tags.
        #expect(
            DiscoveryServer.pads(for: request, sessionID: 0x4001).encoded()
                == octets("116540010011 01010000 01030003010203 011000020909"))
        #expect(
            DiscoveryServer.pads(refusing: request, as: .acSystem, text: "full").encoded()
                == octets("116500000015 0202000466756c6c 01030003010203 011000020909"))
        #expect(
            DiscoveryServer.pads(refusing: request, as: .generic, text: "no").tags.first
                == DiscoveryTag(.genericError, text: "no"))

        // The same PADR again opens under the same key, another Host-Uniq under another.
        guard case .open(let again) = server.receive(padr, at: now + .seconds(5)) else {
            Issue.record("the same PADR again is refused")
            return
        }
        #expect(again.key == request.key)
        var other = padr
        other.tags[3] = DiscoveryTag(.hostUniq, [4])
        guard case .open(let another) = server.receive(other) else {
            Issue.record("another Host-Uniq is refused")
            return
        }
        #expect(another.key != request.key)
    }

    @Test(arguments: [
        (0, true), (29, true), (30, true), (31, true), (90, false), (3600, false),
    ])
    func cookieExpires(age: Int, isGood: Bool) {
        let server = makeServer([.any])
        let padr = DiscoveryPacket(code: .padr, tags: [DiscoveryTag(.serviceName, []), server.validCookie()])
        let outcome = server.receive(padr, at: now + .seconds(age))
        if isGood {
            guard case .open = outcome else {
                Issue.record("\(outcome)")
                return
            }
        } else {
            #expect(outcome == .drop(.init(.cookieInvalid, code: .padr)))
        }
    }

    @Test func cookieIsBoundToClientCircuitAndSecret() {
        let cookie = ACCookie(secret: Array(0..<32))
        let good = cookie.issue(client: client, circuit: circuit, at: now)
        #expect(good.count == 32)
        #expect(cookie.accepts(good, client: client, circuit: circuit, at: now))
        #expect(!cookie.accepts(good, client: ac, circuit: circuit, at: now))
        for other in [
            AttachmentCircuit(port: 4, outerVLAN: 100, innerVLAN: 7), .init(port: 3, outerVLAN: 101, innerVLAN: 7),
            .init(port: 3, outerVLAN: 100, innerVLAN: 8), .init(port: 3, outerVLAN: 7, innerVLAN: 100),
        ] {
            #expect(!cookie.accepts(good, client: client, circuit: other, at: now))
        }
        #expect(!ACCookie(secret: Array(1..<33)).accepts(good, client: client, circuit: circuit, at: now))
        for index in good.indices {
            var forged = good
            forged[index] ^= 1
            #expect(!cookie.accepts(forged, client: client, circuit: circuit, at: now))
        }
        #expect(!cookie.accepts([], client: client, circuit: circuit, at: now))
        #expect(!cookie.accepts(Array(good.prefix(31)), client: client, circuit: circuit, at: now))
        #expect(!cookie.accepts(good + [0], client: client, circuit: circuit, at: now))
        // Made with Python: hmac.new(bytes(range(32)), mac + struct.pack(">HHHQ", 3, 100, 7, 1000 // 30), "sha256").
        #expect(good == octets("97b4773dc1113042d73ec3835cab49bae329cdba0834b332b90f3f0cda55ead8"))
    }

    /// Link MTU, PPP-Max-Payload asked for (nil: no tag), tag in the answers (nil: none), the session's limit.
    @Test(
        arguments: [
            (1500, nil, nil, 1492), (1500, 1500, nil, 1492), (1508, nil, nil, 1492), (1508, 1500, 1500, 1500),
            (1508, 9000, 1500, 1500), (1504, 1500, 1496, 1496), (9000, 8992, 8992, 8992), (9000, 1492, nil, 1492),
            (9000, 100, nil, 1492), (9000, 0, nil, 1492), (9000, 65535, 8992, 8992), (1400, nil, nil, 1392),
            (1400, 1500, nil, 1392),
        ] as [(Int, Int?, Int?, Int)])
    func maxPayload(linkMTU: Int, asked: Int?, answered: Int?, limit: Int) throws {
        func tag(_ octets: Int) -> DiscoveryTag {
            DiscoveryTag(.pppMaxPayload, [UInt8(octets >> 8), UInt8(octets & 255)])
        }
        let server = makeServer([.any], linkMTU: linkMTU)
        let tags = [DiscoveryTag(.serviceName, [])] + (asked.map { [tag($0)] } ?? [])
        let pado = try #require(server.offer(tags))
        #expect(pado.first(.pppMaxPayload) == answered.map(tag))
        guard case .open(let request) = server.receive(.init(code: .padr, tags: tags + [server.validCookie()])) else {
            Issue.record("no session")
            return
        }
        #expect(request.maxPayload == limit)
        #expect(DiscoveryServer.pads(for: request, sessionID: 1).first(.pppMaxPayload) == answered.map(tag))
    }

    @Test func dropsByReason() {
        let server = makeServer([.any])
        let any = DiscoveryTag(.serviceName, [])
        let padi = DiscoveryPacket(code: .padi, tags: [any]).encoded()
        let padr = DiscoveryPacket(code: .padr, tags: [any, server.validCookie()])
        let multicast = MACAddress(value: 0x0100_5e00_0001)
        func reason(
            _ bytes: [UInt8], from source: MACAddress = client, to destination: MACAddress = ac
        ) -> DiscoveryServer.Refusal? {
            guard
                case .drop(let refusal) = server.receive(
                    bytes[...], from: source, to: destination, on: circuit, at: now)
            else { return nil }
            return refusal
        }
        #expect(reason(padi, to: .broadcast) == nil)
        #expect(reason(padi, to: ac) == nil)
        #expect(reason(padi, to: client) == .init(.destinationAddress, code: .padi))
        #expect(reason(padi, to: multicast) == .init(.destinationAddress, code: .padi))
        #expect(reason(padi, from: multicast, to: .broadcast) == .init(.sourceAddress, code: .padi))
        #expect(reason(padi, from: .broadcast, to: .broadcast) == .init(.sourceAddress, code: .padi))
        #expect(reason(padi, from: MACAddress(value: 0), to: .broadcast) == .init(.sourceAddress, code: .padi))
        #expect(reason(padr.encoded()) == nil)
        #expect(reason(padr.encoded(), to: .broadcast) == .init(.destinationAddress, code: .padr))
        #expect(reason(padr.encoded(), from: multicast) == .init(.sourceAddress, code: .padr))
        #expect(reason(padr.encoded(), from: ac) == .init(.cookieInvalid, code: .padr))
        for tags in [[], [any, any]] {
            #expect(reason(DiscoveryPacket(code: .padi, tags: tags).encoded()) == .init(.serviceNameCount, code: .padi))
            let packet = DiscoveryPacket(code: .padr, tags: tags + [server.validCookie()])
            #expect(reason(packet.encoded()) == .init(.serviceNameCount, code: .padr))
        }
        #expect(reason(DiscoveryPacket(code: .padr, tags: [any]).encoded()) == .init(.cookieMissing, code: .padr))
        #expect(reason(DiscoveryPacket(code: .pado, tags: [any]).encoded()) == .init(.unexpectedCode, code: .pado))
        #expect(
            reason(DiscoveryPacket(code: .pads, sessionID: 1, tags: [any]).encoded())
                == .init(.unexpectedCode, code: .pads))
        #expect(reason(Array(padi.dropLast())) == .init(.malformed(.length), code: .padi))
        #expect(reason([0x11]) == .init(.malformed(.truncatedHeader), code: nil))
        #expect(
            reason(DiscoveryPacket(code: .padt, sessionID: 9).encoded(), to: .broadcast)
                == .init(.destinationAddress, code: .padt))
    }

    @Test func answersFitTheLink() {
        let server = makeServer([.any])
        func outcome(_ code: DiscoveryPacket.Code, hostUniq: Int) -> DiscoveryServer.Outcome {
            let mark = DiscoveryTag(.hostUniq, Array(repeating: 1, count: hostUniq))
            return server.receive(
                DiscoveryPacket(code: code, tags: [DiscoveryTag(.serviceName, []), mark, server.validCookie()]))
        }
        // 6 + AC-Name 11 + Service-Name 4 + AC-Cookie 36 + Host-Uniq 4 + 1,439 = 1,500
        guard case .send(let pado) = outcome(.padi, hostUniq: 1439) else {
            Issue.record("an answer that fits is not given")
            return
        }
        #expect(pado.encoded().count == 1500)
        #expect(outcome(.padi, hostUniq: 1440) == .drop(.init(.answerTooLong, code: .padi)))
        #expect(outcome(.padr, hostUniq: 1440) == .drop(.init(.answerTooLong, code: .padr)))
    }

    @Test func terminates() {
        let server = makeServer([.any])
        // From pppoe-server of rp-pppoe; ours with the same text are the same octets.
        let bytes = octets(
            """
            11a70001002b 0203002752502d5050506f453a204368696c64207070706420
            70726f63657373207465726d696e61746564
            """)
        let text = "RP-PPPoE: Child pppd process terminated"
        #expect(
            server.receive(bytes[...], from: client, to: ac, on: circuit, at: now)
                == .terminate(Termination(client: client, circuit: circuit, sessionID: 1, errorText: text)))
        #expect(DiscoveryServer.padt(sessionID: 1, errorText: text).encoded() == bytes)
        #expect(DiscoveryServer.padt(sessionID: 0x1234).encoded() == octets("11a712340000"))
        #expect(
            server.receive(octets("11a712340000")[...], from: client, to: ac, on: circuit, at: now)
                == .terminate(Termination(client: client, circuit: circuit, sessionID: 0x1234, errorText: nil)))
        let long = DiscoveryServer.padt(sessionID: 1, errorText: String(repeating: "x", count: 5000))
        #expect(long.encodedLength == 6 + 4 + 256)
    }
}
