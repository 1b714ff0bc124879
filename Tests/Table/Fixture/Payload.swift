import CSegment
import Segment
import Wire

// What the table tests write and check: every field of an entry follows from one number that the entry also carries, so
// that a reader can tell an entry that is put together from two.

/// The numbers of one session. `reference` names it: the client in the low half, how often the client has come in the high.
public struct SessionPayload {
    /// Client in the low 32 bits, generation in the high 32.
    public let reference: UInt64

    /// The session that carries `reference`.
    public init(reference: UInt64) { self.reference = reference }
    /// The session of a client in a generation.
    public init(client: UInt32, generation: UInt32) { reference = UInt64(generation) << 32 | UInt64(client) }
    /// The session that a line carries, by its client's Ethernet address alone. Its generation is not known then.
    public init(clientMAC: UInt64) { reference = UInt64(clientMAC & 0xffff_ffff ^ 0x5a5a_5a5a) }

    /// Which client.
    public var client: UInt32 { UInt32(truncatingIfNeeded: reference) }
    /// The client's Ethernet address, told by the client alone.
    public var clientMAC: UInt64 { 0x0200_0000_0000 | UInt64(client ^ 0x5a5a_5a5a) }
    /// The client's access port, 0 or 1.
    public var port: UInt16 { UInt16(client & 1) }
    /// The client's outer VLAN: 0 for untagged, or 101 to 107.
    public var outerVLAN: UInt16 { (client >> 1) & 7 == 0 ? 0 : UInt16(100 + (client >> 1) & 7) }
    /// The client's inner VLAN: 0 for none, or 1 to 3.
    public var innerVLAN: UInt16 { outerVLAN == 0 ? 0 : UInt16((client >> 4) & 3) }
    /// The first tag's protocol id.
    public var tpid: UInt16 { outerVLAN == 0 ? 0 : 0x8100 }
    /// The L2TP session id that the peer is said to have assigned; follows from client and generation.
    public var peerSessionID: UInt16 { UInt16(truncatingIfNeeded: mix(reference) >> 16) }

    /// The bytes in front of the PPP frame on the access side.
    /// - Parameter sessionID: the PPPoE session id, host byte order.
    public func accessHeader(sessionID: UInt16) -> [UInt8] {
        var writer = ByteWriter(capacity: 28)
        writer.write(MACAddress(value: clientMAC).octets)
        writer.write(accessMAC(port).octets)
        if outerVLAN != 0 {
            writer.write(tpid)
            writer.write(outerVLAN)
        }
        if innerVLAN != 0 {
            writer.write(0x8100 as UInt16)
            writer.write(innerVLAN)
        }
        writer.write(0x8864_1100 as UInt32)
        writer.write(sessionID)
        writer.write(0 as UInt16)
        return writer.bytes
    }
}

/// The Ethernet address of an access port of the tests' data plane.
public func accessMAC(_ port: UInt16) -> MACAddress { MACAddress(value: 0x0210_0000_0000 | UInt64(port)) }

/// The outer header of a tunnel in a generation: all of it follows from the tunnel's id and the generation, which the
/// destination's Ethernet address carries.
public func outerHeader(tunnel: UInt16, generation: UInt32) -> OuterHeader {
    let bits = mix(UInt64(generation))
    return OuterHeader(
        endpoints: TunnelEndpoints(
            localAddress: IPv4Address(value: 0x0a00_0001),
            peerAddress: IPv4Address(value: 0x0a01_0000 | UInt32(tunnel)), peerTunnelID: tunnel ^ 0x5555, port: 1),
        egressPort: UInt16(bits & 1), sourceMAC: MACAddress(value: bits >> 16),
        destinationMAC: MACAddress(value: 0x0220_0000_0000 | UInt64(generation)),
        mtu: UInt16(1_000 + bits & 0x1ff), typeOfService: UInt8(truncatingIfNeeded: bits >> 8),
        hasLengthField: bits & 2 != 0, computesChecksum: bits & 4 != 0)
}

/// SplitMix64's finisher: nearby numbers become far ones.
public func mix(_ number: UInt64) -> UInt64 {
    var mixed = number &+ 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
}

/// Random numbers that a seed determines.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64
    /// The numbers of `seed`.
    public init(seed: UInt64) { state = seed }
    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 1
        return mix(state)
    }
    /// A number below `bound`.
    public mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
