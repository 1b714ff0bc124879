import Host
import Timing
import Wire

/// Frames between the node (10.99.0.1 at 02:00:00:00:00:01), its router (10.99.0.254 at …:fe) and a neighbour (10.99.0.2 at
/// …:02), built by scapy. All are padded to 60 octets.
enum Frames {
    static let announcement =
        "ffffffffffff020000000001080600010800060400010200000000010a6300010000000000000a63000100000000"
    static let requestForUs =
        "ffffffffffff020000000002080600010800060400010200000000020a6300020000000000000a63000100000000"
    static let replyOfOurs =
        "020000000002020000000001080600010800060400020200000000010a6300010200000000020a63000200000000"
    static let requestForRouter =
        "ffffffffffff020000000001080600010800060400010200000000010a6300010000000000000a6300fe00000000"
    static let unicastRequestForRouter =
        "0200000000fe020000000001080600010800060400010200000000010a6300010000000000000a6300fe00000000"
    static let replyOfRouter =
        "0200000000010200000000fe080600010800060400020200000000fe0a6300fe0200000000010a63000100000000"
    static let routerMoved =
        "ffffffffffff020000000002080600010800060400010200000000020a6300fe0000000000000a6300fe00000000"
    static let replyOfMovedRouter =
        "020000000001020000000002080600010800060400020200000000020a6300fe0200000000010a63000100000000"
    static let conflict =
        "ffffffffffff020000000002080600010800060400010200000000020a6300010000000000000a63000100000000"
    static let probe =
        "ffffffffffff02000000000208060001080006040001020000000002000000000000000000000a63000100000000"

    static let echoRequest =
        "0200000000010200000000fe080045200028000700004001ae43c00002070a63000108005d7b1234000163756c766572742070696e67"
    static let echoReply =
        "0200000000fe020000000001080045200028010100004001ad490a630001c00002070000657b1234000163756c766572742070696e67"
    static let udpToClosedPort =
        "0200000000010200000000fe080045000021000900004011ae58c00002070a6300011388270f000db4ff68656c6c6f"
    static let portUnreachable =
        "0200000000fe020000000001080045c0003d010100004001ac940a630001c00002070303c98600000000"
        + "45000021000900004011ae58c00002070a6300011388270f000db4ff68656c6c6f"
    static let tcp =
        "0200000000010200000000fe080045000028000900004006ae5cc00002070a630001000102030405060708090a0b0c0d0e0f10111213"
    static let protocolUnreachable =
        "0200000000fe020000000001080045c00044010100004001ac8d0a630001c00002070302a29900000000"
        + "45000028000900004006ae5cc00002070a630001000102030405060708090a0b0c0d0e0f10111213"
    /// "l2tp!" from 192.0.2.7:1701 to port 1701.
    static let udp =
        "0200000000010200000000fe080045000021000900004011ae58c00002070a63000106a506a5000d247c6c32747021"
    /// The same behind a Router Alert option.
    static let udpWithOptions =
        "0200000000010200000000fe0800460000250009000040111950c00002070a6300019404000006a506a5000d247c6c32747021"
    static let udpWithoutChecksum =
        "0200000000010200000000fe080045000021000900004011ae58c00002070a63000106a506a5000d00006c32747021"
    static let firstFragment =
        "0200000000010200000000fe0800450000240009200040118e55c00002070a63000106a506a50010f2116c32747021313233"
    static let laterFragment =
        "0200000000010200000000fe08004500001c000900024011ae5bc00002070a6300016c32747021313233"
    /// "control message, odd" to 192.0.2.7:1701 with type of service 0x48.
    static let udpSent =
        "0200000000fe020000000001080045480030010100004011ad090a630001c000020706a506a5001c494d"
        + "636f6e74726f6c206d6573736167652c206f6464"
    /// Octets 26 25, whose UDP checksum is 0 and so sent as ffff.
    static let udpSentWithZeroSum =
        "0200000000fe02000000000108004500001e010100004011ad630a630001c000020706a506a5000affff2625"

    /// The octets of a frame, padded to Ethernet's smallest size.
    static func octets(_ hex: String) -> [UInt8] {
        var digits = hex[...]
        var octets: [UInt8] = []
        while let octet = UInt8(digits.prefix(2), radix: 16), digits.count >= 2 {
            octets.append(octet)
            digits = digits.dropFirst(2)
        }
        return octets + [UInt8](repeating: 0, count: max(0, 60 - octets.count))
    }
}

extension HostOutput {
    /// The frame `hex` sent by port 3.
    static func sent(_ hex: String) -> HostOutput { .transmit(frame: Frames.octets(hex), port: 3) }
}

extension Instant {
    /// A time after the clock's origin.
    static func at(seconds: Double) -> Instant { Instant(nanoseconds: UInt64(seconds * 1e9)) }
}

/// The node of `Frames` on port 3, with a default route by its router.
struct Node {
    static let router = Node.address("10.99.0.254")
    static let far = Node.address("192.0.2.7")
    static let routerMAC = MACAddress(value: 0x0200_0000_00fe)
    static let neighbourMAC = MACAddress(value: 0x0200_0000_0002)

    var stack: HostStack

    init(limits: HostStack.Limits = .init()) {
        stack = HostStack(
            interfaces: [
                HostInterface(
                    port: 3, mac: MACAddress(value: 0x0200_0000_0001), mtu: 1_500,
                    addresses: [Node.prefix("10.99.0.1/24")])
            ],
            routes: [StaticRoute(prefix: Node.prefix("0.0.0.0/0"), nextHop: Node.router)],
            identification: 0x100, limits: limits)
    }

    /// A node that knows its router's Ethernet address since the clock's origin.
    static func resolved(limits: HostStack.Limits = .init()) -> Node {
        var node = Node(limits: limits)
        _ = try? node.stack.hold(far, at: .zero)
        _ = node.receive(Frames.replyOfRouter)
        return node
    }

    mutating func receive(_ hex: String, at seconds: Double = 0) -> [HostOutput] {
        stack.receive(frame: Frames.octets(hex), port: 3, at: .at(seconds: seconds))
    }

    static func address(_ text: String) -> IPAddress {
        guard let address = IPAddress(text) else { preconditionFailure("`\(text)` is no address") }
        return address
    }
    static func prefix(_ text: String) -> IPPrefix {
        guard let prefix = IPPrefix(text) else { preconditionFailure("`\(text)` is no prefix") }
        return prefix
    }
}
