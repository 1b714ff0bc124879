import Host
import Timing
import Wire

/// Frames in a row against the host stack. The input: frames, each after three octets: what to do before it, and its length.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = Array(UnsafeBufferPointer(start: start, count: count))[...]
    guard var machine = Machine() else { return 0 }
    while let before = input.popFirst() {
        let length = Int(input.popFirst() ?? 0) << 8 | Int(input.popFirst() ?? 0)
        machine.step(before: before, frame: Array(input.prefix(length)))
        input = input.dropFirst(length)
    }
    machine.finish()
    return 0
}

private struct Machine {
    static let far = IPAddress.v4(IPv4Address(value: 0xc000_0207))
    /// 2001:db8:2::7
    static let far6 = IPAddress.v6(IPv6Address(high: 0x2001_0db8_0002_0000, low: 7))
    static let network6: UInt64 = 0x2001_0db8_0099_0000
    static let mac = MACAddress(value: 0x0200_0000_0001)
    static let mtu = 1_500

    var stack: HostStack
    var now = Instant.zero
    var holds: [IPAddress: Int] = [:]
    var paths = PathMTUTable(capacity: 4)

    init?() {
        guard let own = IPv4Prefix(IPv4Address(value: 0x0a63_0001), length: 24),
            let everything = IPv4Prefix(.any, length: 0),
            let own6 = IPv6Prefix(IPv6Address(high: Self.network6, low: 1), length: 64),
            let everything6 = IPv6Prefix(.unspecified, length: 0)
        else { return nil }
        var limits = HostStack.Limits()
        limits.neighbours = 8
        stack = HostStack(
            interfaces: [
                HostInterface(port: 3, mac: Self.mac, mtu: UInt16(Self.mtu), addresses: [.v4(own), .v6(own6)])
            ],
            routes: [
                StaticRoute(prefix: .v4(everything), nextHop: .v4(IPv4Address(value: 0x0a63_00fe))),
                StaticRoute(prefix: .v6(everything6), nextHop: .v6(IPv6Address(high: Self.network6, low: 0xfe))),
            ],
            identification: 0, limits: limits)
        stack.listen(on: 1_701)
    }

    mutating func step(before: UInt8, frame: [UInt8]) {
        // 16: IPv6 is meant. 8: checksums are put right. 128: by a port without addresses.
        let far = before & 16 == 0 ? Self.far : Self.far6
        switch before & 7 {
        case 0: advance()
        case 1:
            check((try? stack.hold(far, at: now)) ?? [], received: 0)
            holds[far, default: 0] += 1
        case 2:
            stack.release(far)
            holds[far] = max(0, (holds[far] ?? 0) - 1)
        case 3:
            let any: IPAddress = before & 16 == 0 ? .v4(.any) : .v6(.unspecified)
            check(
                (try? stack.send(frame, from: UDPEndpoint(any, 1_701), to: UDPEndpoint(far, 1_701), at: now)) ?? [],
                received: 0)
        case 6: check(stack.start(at: now), received: 0)
        case 5: answerTooBig(frame, largest: before & 16 == 0 ? 200 : 1_400)
        default: break
        }
        var frame = frame
        if before & 8 != 0, frame.count >= 34 { repairChecksum(of: &frame) }
        check(stack.receive(frame: frame, port: before & 128 == 0 ? 3 : 4, at: now), received: frame.count)
    }

    /// A client's frame that is too long: what comes back is a PPPoE frame to it, with a packet no longer than may be.
    private mutating func answerTooBig(_ frame: [UInt8], largest: UInt32) {
        for output in stack.answerTooBig(frame, largestPPPFrame: largest, port: 7, at: now) {
            guard case .transmit(let reply, 7) = output else { preconditionFailure("no answer but another output") }
            precondition(reply.count <= 14 + 8 + 6 + 2 + 1_280, "too long an answer")
            precondition(reply[0..<6] == frame[6..<12] && reply[6..<12] == frame[0..<6], "to another station")
        }
    }

    /// Puts checksums right that a fuzzer would not find out by itself: an IPv4 header's and that of ICMP behind one without
    /// options, or that of ICMPv6 right behind an IPv6 header.
    private func repairChecksum(of frame: inout [UInt8]) {
        if frame[12] == 0x86, frame[13] == 0xdd {
            let length = frame.count >= 58 ? min(Int(frame[18]) << 8 + Int(frame[19]), frame.count - 54) : 0
            guard frame.count >= 58, frame[20] == 58, length >= 4 else { return }
            let pseudo = Array(frame[22..<54]) + [0, 0, UInt8(length >> 8), UInt8(length & 255), 0, 0, 0, 58]
            put(checksumOf: pseudo, 54..<54 + length, at: 56, in: &frame)
            return
        }
        repairIPv4Checksum(of: &frame)
        let length = Int(frame[16]) << 8 + Int(frame[17])
        guard frame[14] == 0x45, frame[23] == 1, length >= 28, frame.count >= 14 + length else { return }
        put(checksumOf: [], 34..<14 + length, at: 36, in: &frame)
    }

    private func put(checksumOf pseudo: [UInt8], _ range: Range<Int>, at offset: Int, in frame: inout [UInt8]) {
        frame[offset] = 0
        frame[offset + 1] = 0
        var sum = 0
        for (index, octet) in (pseudo + frame[range]).enumerated() {
            sum += index % 2 == 0 ? Int(octet) << 8 : Int(octet)
        }
        while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
        frame[offset] = UInt8(truncatingIfNeeded: ~sum >> 8)
        frame[offset + 1] = UInt8(truncatingIfNeeded: ~sum)
    }

    private func repairIPv4Checksum(of frame: inout [UInt8]) {
        let length = min(Int(frame[14] & 15) * 4, frame.count - 14) & ~1
        guard length >= 20 else { return }
        frame[24] = 0
        frame[25] = 0
        var sum = stride(from: 14, to: 14 + length, by: 2).reduce(0) { $0 + Int(frame[$1]) << 8 + Int(frame[$1 + 1]) }
        while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
        frame[24] = UInt8(truncatingIfNeeded: ~sum >> 8)
        frame[25] = UInt8(truncatingIfNeeded: ~sum)
    }

    mutating func advance() {
        guard stack.deadline != .distantFuture else { return }
        now = max(now, stack.deadline)
        _ = paths.expire(at: now)
        precondition(paths.deadline > now, "values that have ended stay")
        check(stack.timerFired(at: now), received: 0)
        precondition(stack.deadline > now, "the timer does not move on")
    }

    /// When nobody holds a neighbour any more, all timers end.
    mutating func finish() {
        for (far, count) in holds {
            for _ in 0..<count { stack.release(far) }
        }
        for _ in 0..<10_000 where stack.deadline != .distantFuture { advance() }
        precondition(stack.deadline == .distantFuture, "timers never end")
    }

    mutating func check(_ outputs: [HostOutput], received: Int) {
        for output in outputs {
            switch output {
            case .transmit(let frame, let port):
                precondition(port == 3, "sent by a port without addresses")
                precondition((60...14 + Self.mtu).contains(frame.count) || frame.count <= 14 + received, "frame's size")
                precondition(MACAddress(frame[6..<12]) == Self.mac, "sent from another station's address")
            case .datagram(let datagram):
                precondition(datagram.destination.port == 1_701, "nobody listens there")
                precondition(stack.owns(datagram.destination.address), "for another")
                precondition(datagram.payload.count <= received - 42, "more than was received")
            case .nextHopChanged(_, let port, let mac):
                precondition(port == 3 && mac?.isMulticast != true && mac != Self.mac, "impossible neighbour")
            case .addressConflict(let address, _, _):
                precondition(stack.owns(address), "conflict about another's address")
            case .pathMTU(let local, let peer, let localPort, _, _, let mtu):
                precondition(stack.owns(local) && localPort == 1_701, "about another's datagram")
                precondition((local.ipv6 == nil) == (peer.ipv6 == nil), "from one family to another")
                precondition(mtu >= (local.ipv6 == nil ? 576 : 1_280), "below the floor")
                _ = paths.learn(mtu, to: peer, at: now)
                precondition(paths.count <= 4 && paths.mtu(to: peer, link: 1_500) <= 1_500, "the table grows")
            }
        }
    }
}
