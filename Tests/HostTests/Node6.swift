import Host
import Timing
import Wire

/// The node of `Frames` with IPv6 beside IPv4 on port 3, a default route of each, and port 5 without IPv6.
struct Node6 {
    static let own = Node.address("2001:db8:99::1")
    static let router = Node.address("2001:db8:99::fe")
    static let far = Node.address("2001:db8:2::7")
    static let mac = MACAddress(value: 0x0200_0000_0001)

    var stack: HostStack

    init(limits: HostStack.Limits = .init()) {
        stack = HostStack(
            interfaces: [
                HostInterface(
                    port: 3, mac: Node6.mac, mtu: 1_500,
                    addresses: [Node.prefix("10.99.0.1/24"), Node.prefix("2001:db8:99::1/64")]),
                HostInterface(
                    port: 5, mac: MACAddress(value: 0x0200_0000_0005), mtu: 1_500,
                    addresses: [Node.prefix("10.98.0.1/24")]),
            ],
            routes: [
                StaticRoute(prefix: Node.prefix("0.0.0.0/0"), nextHop: Node.router),
                StaticRoute(prefix: Node.prefix("::/0"), nextHop: Node6.router),
            ],
            identification: 0x100, limits: limits)
        stack.listen(on: 1_701)
    }

    /// A node that knows its routers' Ethernet addresses since the clock's origin.
    static func resolved(limits: HostStack.Limits = .init()) -> Node6 {
        var node = Node6(limits: limits)
        _ = try? node.stack.hold(far, at: .zero)
        _ = try? node.stack.hold(Node.far, at: .zero)
        _ = node.receive(Frames.adOfRouter)
        _ = node.receive(Frames.replyOfRouter)
        return node
    }

    mutating func receive(_ hex: String, at seconds: Double = 0) -> [HostOutput] {
        stack.receive(frame: Frames.octets(hex), port: 3, at: .at(seconds: seconds))
    }

    mutating func receive(_ frame: [UInt8], at seconds: Double = 0) -> [HostOutput] {
        stack.receive(frame: frame, port: 3, at: .at(seconds: seconds))
    }

    /// What `change` makes of a frame with an ICMPv6 message right behind the IPv6 header, the checksum put right.
    static func icmp(_ hex: String, _ change: (inout [UInt8]) -> Void) -> [UInt8] {
        var frame = Frames.octets(hex)
        change(&frame)
        return icmp(frame)
    }

    /// A frame with the checksum of an ICMPv6 message right behind the IPv6 header put right.
    static func icmp(_ frame: [UInt8]) -> [UInt8] {
        var frame = frame
        guard frame.count >= 58 else { return frame }
        let end = min(frame.count, 54 + Int(frame[18]) << 8 + Int(frame[19]))
        frame[56] = 0
        frame[57] = 0
        let pseudo = frame[22..<54] + [0, 0, frame[18], frame[19], 0, 0, 0, 58]
        let sum = onesComplement(Array(pseudo) + frame[54..<max(54, end)])
        frame[56] = UInt8(~sum >> 8 & 0xff)
        frame[57] = UInt8(~sum & 0xff)
        return frame
    }
}

/// The one's complement sum of 16-bit words; 0xffff over data that includes its checksum.
func onesComplement(_ octets: [UInt8]) -> Int {
    var sum = 0
    for (index, octet) in octets.enumerated() { sum += index % 2 == 0 ? Int(octet) << 8 : Int(octet) }
    while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
    return sum
}
