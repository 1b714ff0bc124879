import Host
import Testing
import Timing
import Wire

@Suite struct PathMTUTests {
    @Test(arguments: [
        (Frames.fragmentationNeeded, 2_827 as UInt16?, 1_400 as UInt16), (Frames.fragmentationNeededShort, nil, 1_400),
        (Frames.fragmentationNeededOld, 2_827, 1_492), (Frames.fragmentationNeededTiny, 2_827, 576),
    ])
    func handsOutWhatRoutersSay(hex: String, tunnel: UInt16?, mtu: UInt16) {
        var node = Node6()
        #expect(
            node.receive(hex) == [
                .pathMTU(
                    local: Node.address("10.99.0.1"), peer: Node.far, localPort: 1_701, peerPort: 1_701,
                    quotedTunnelID: tunnel, mtu: mtu)
            ])
        #expect(node.stack.counters.nonzero == [.pathMTUReported: 1])
    }

    @Test(arguments: [Frames.packetTooBig, Frames.packetTooBigFragmented])
    func handsOutWhatIPv6RoutersSay(hex: String) {
        var node = Node6()
        #expect(
            node.receive(hex) == [
                .pathMTU(
                    local: Node6.own, peer: Node6.far, localPort: 1_701, peerPort: 1_701, quotedTunnelID: 2_827,
                    mtu: 1_400)
            ])
        #expect(node.stack.counters.nonzero == [.pathMTUReported: 1])
    }

    @Test(arguments: [
        (Frames.fragmentationNotNeeded, HostCounter.pathMTUInvalid), (Frames.fragmentationOfAnother, .icmpQuoteForeign),
        (Frames.fragmentationOfAPort, .icmpQuoteForeign), (Frames.fragmentationOfTCP, .icmpQuoteForeign),
        (Frames.fragmentationOfFragment, .icmpQuoteForeign), (Frames.fragmentationWithoutQuote, .icmpQuoteMalformed),
        (Frames.packetTooBigTiny, .pathMTUInvalid), (Frames.packetNotTooBig, .pathMTUInvalid),
        (Frames.packetTooBigOfAnother, .icmpQuoteForeign),
    ])
    func refusesLies(hex: String, reason: HostCounter) {
        var node = Node6()
        #expect(node.receive(hex).isEmpty)
        #expect(node.stack.counters.nonzero == [reason: 1])
    }

    /// Every length that a quotation can be cut to: nothing is made up.
    @Test func neverReadsBeyondTheQuotation() {
        let whole = Frames.octets(Frames.packetTooBig)
        for length in 0...64 {
            var node = Node6()
            let frame = Node6.icmp(Array(whole.prefix(62 + length)).patched(18, [0, UInt8(8 + length)]))
            let outputs = node.receive(frame)
            guard length >= 44 else {
                #expect(outputs.isEmpty)
                let reason: HostCounter = length < 40 ? .icmpQuoteMalformed : .icmpQuoteForeign
                #expect(node.stack.counters.nonzero == [reason: 1], "\(length)")
                continue
            }
            guard length <= whole.count - 62 else { continue }
            guard case .pathMTU(_, _, _, _, let tunnel, 1_400)? = outputs.first else {
                Issue.record("nothing said with \(length) octets")
                continue
            }
            #expect(tunnel == (length >= 54 ? 2_827 : nil), "\(length)")
        }
    }

    @Test func valuesFallAndEnd() {
        var table = PathMTUTable()
        #expect(table.deadline == .distantFuture)
        #expect(table.mtu(to: Node.far, link: 1_500) == 1_500)
        #expect(table.learn(1_400, to: Node.far, at: .at(seconds: 10)) == true)
        #expect(table.mtu(to: Node.far, link: 1_500) == 1_400)
        #expect(table.mtu(to: Node.far, link: 1_300) == 1_300, "never above the link's own")
        #expect(table.mtu(to: Node6.far, link: 1_500) == 1_500, "another peer's way is another")
        #expect(table.learn(1_450, to: Node.far, at: .at(seconds: 20)) == false, "no router makes it longer")
        #expect(table.learn(1_400, to: Node.far, at: .at(seconds: 20)) == false, "nor the time that it counts")
        #expect(table.learn(1_300, to: Node6.far, at: .at(seconds: 30)) == true)
        #expect(table.deadline == .at(seconds: 610))
        #expect(table.expire(at: .at(seconds: 609.9)) == [])
        #expect(table.learn(1_350, to: Node.far, at: .at(seconds: 100)) == true)
        #expect(table.expire(at: .at(seconds: 610)) == [], "it has fallen since")
        #expect(table.deadline == .at(seconds: 630))
        #expect(table.expire(at: .at(seconds: 630)) == [Node6.far])
        #expect(table.mtu(to: Node6.far, link: 1_500) == 1_500)
        #expect(table.expire(at: .at(seconds: 700)) == [Node.far])
        #expect(table.deadline == .distantFuture)
        #expect(table.count == 0)
    }

    @Test func valuesHaveAFloor() {
        var table = PathMTUTable()
        #expect(table.learn(0, to: Node.far, at: .zero) == true)
        #expect(table.learn(0, to: Node6.far, at: .zero) == true)
        #expect(table.mtu(to: Node.far, link: 1_500) == 576)
        #expect(table.mtu(to: Node6.far, link: 1_500) == 1_280)
    }

    @Test func forgetsAndBounds() {
        var table = PathMTUTable(capacity: 3)
        for host in 1...5 {
            #expect(table.learn(1_400, to: Node.address("192.0.2.\(host)"), at: .at(seconds: Double(host))) == true)
        }
        #expect(table.count == 3)
        #expect(table.mtu(to: Node.address("192.0.2.2"), link: 1_500) == 1_500, "the oldest gave way")
        #expect(table.mtu(to: Node.address("192.0.2.3"), link: 1_500) == 1_400)
        table.forget(Node.address("192.0.2.3"))
        #expect(table.mtu(to: Node.address("192.0.2.3"), link: 1_500) == 1_500)
        #expect(table.expire(at: .at(seconds: 603)) == [])
        #expect(table.deadline == .at(seconds: 604))
    }
}

extension [UInt8] {
    /// The octets with others from `offset` on.
    func patched(_ offset: Int, _ octets: [UInt8]) -> [UInt8] {
        var patched = self
        patched.replaceSubrange(offset..<offset + octets.count, with: octets)
        return patched
    }
}
