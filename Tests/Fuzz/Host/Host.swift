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
    static let far = IPv4Address(value: 0xc000_0207)
    static let mac = MACAddress(value: 0x0200_0000_0001)
    static let mtu = 1_500

    var stack: HostStack
    var now = Instant.zero
    var holds = 0

    init?() {
        guard let own = IPv4Prefix(IPv4Address(value: 0x0a63_0001), length: 24),
            let everything = IPv4Prefix(.any, length: 0)
        else { return nil }
        var limits = HostStack.Limits()
        limits.neighbours = 8
        stack = HostStack(
            interfaces: [HostInterface(port: 3, mac: Self.mac, mtu: UInt16(Self.mtu), addresses: [own])],
            routes: [StaticRoute(prefix: everything, nextHop: IPv4Address(value: 0x0a63_00fe))], identification: 0,
            limits: limits)
        stack.listen(on: 1_701)
    }

    mutating func step(before: UInt8, frame: [UInt8]) {
        switch before & 7 {
        case 0: advance()
        case 1:
            check((try? stack.hold(Self.far, at: now)) ?? [], received: 0)
            holds += 1
        case 2:
            stack.release(Self.far)
            holds = max(0, holds - 1)
        case 3:
            check(
                (try? stack.send(
                    frame, from: UDPEndpoint(.any, 1_701), to: UDPEndpoint(Self.far, 1_701), at: now)) ?? [],
                received: 0)
        default: break
        }
        var frame = frame
        if before & 8 != 0, frame.count >= 34 { repairChecksum(of: &frame) }
        check(stack.receive(frame: frame, port: before & 128 == 0 ? 3 : 4, at: now), received: frame.count)
    }

    /// Puts an IPv4 header's checksum right, which a fuzzer would not find out by itself.
    private func repairChecksum(of frame: inout [UInt8]) {
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
        check(stack.timerFired(at: now), received: 0)
        precondition(stack.deadline > now, "the timer does not move on")
    }

    /// When nobody holds a neighbour any more, all timers end.
    mutating func finish() {
        for _ in 0..<holds { stack.release(Self.far) }
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
                precondition(datagram.payload.count <= received - 42, "more than was received")
            case .nextHopChanged(_, let port, let mac):
                precondition(port == 3 && mac?.isMulticast != true && mac != Self.mac, "impossible neighbour")
            case .addressConflict(let address, _, _):
                precondition(stack.owns(address), "conflict about another's address")
            }
        }
    }
}
