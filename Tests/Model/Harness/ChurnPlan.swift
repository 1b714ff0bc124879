import Forwarding
import Segment
import Wire

// What the names in the churn mean: everything about a circuit follows from its number, everything about a tunnel's header
// from the tunnel's number and the header's version. So a header that comes out tells by its next hop which one it must be.

/// The node's own side of the churn: two access ports, then two core ports.
enum ChurnPlan {
    static let accessPorts: UInt16 = 2
    static let ports: UInt16 = 4
    /// On both core ports.
    static let localAddress = IPv4Address(value: 0xc000_0201)

    static func mac(port: Int) -> MACAddress { MACAddress(value: 0x02c0_0000_0001 + UInt64(port)) }

    /// A client's address, which no other session ever had.
    static func clientMAC(number: UInt32, generation: UInt32) -> MACAddress {
        MACAddress(value: 0x02 << 40 | UInt64(generation & 0xffff) << 24 | UInt64(number & 0xff_ffff))
    }

    static func mix(_ value: UInt64) -> UInt64 {
        var random = SplitMix(seed: value)
        return random.next()
    }
}

/// An attachment circuit by its number: on either access port one for untagged frames, then by turns one of a single VLAN
/// and one of two.
struct ChurnCircuit {
    static let count: UInt32 = 3_000

    let port: UInt16
    let outer: UInt16
    let inner: UInt16
    let tpid: UInt16

    init(_ number: UInt32) {
        port = UInt16(number & 1)
        let place = UInt16(truncatingIfNeeded: number >> 1)
        if place == 0 {
            (outer, inner, tpid) = (0, 0, 0)
        } else if place & 1 == 1 {
            (outer, inner, tpid) = (place, 0, 0x8100)
        } else {
            (outer, inner, tpid) = (2_000 + place / 2 % 20, 1 + place / 40, 0x88a8)
        }
    }
}

/// The `version`-th header of the tunnel that was the `serial`-th to be made.
struct ChurnHeader {
    let serial: UInt32
    let version: UInt32

    /// The header that has this next hop; nil when it is none of the churn's.
    init?(nextHop: UInt64) {
        guard nextHop >> 40 == 0x06 else { return nil }
        self.init(serial: UInt32(nextHop >> 16 & 0xff_ffff), version: UInt32(nextHop & 0xffff))
    }

    init(serial: UInt32, version: UInt32) {
        self.serial = serial
        self.version = version
    }

    private var mixed: UInt64 { ChurnPlan.mix(UInt64(serial) << 16 | UInt64(version)) }

    var endpoints: TunnelEndpoints {
        TunnelEndpoints(
            localAddress: ChurnPlan.localAddress, peerAddress: IPv4Address(value: 0x0a00_0000 | serial & 0xff_ffff),
            localPort: 1_701, peerPort: 1_701 + UInt16(serial % 5),
            peerTunnelID: UInt16(truncatingIfNeeded: ChurnPlan.mix(UInt64(serial)) | 1),
            port: UInt8(ChurnPlan.accessPorts) + UInt8(serial & 1))
    }

    /// How it is given to the table.
    var outer: OuterHeader {
        let mixed = mixed
        let egress = ChurnPlan.accessPorts + UInt16(mixed & 1)
        return OuterHeader(
            endpoints: endpoints, egressPort: egress, sourceMAC: ChurnPlan.mac(port: Int(egress)),
            destinationMAC: MACAddress(value: 0x06 << 40 | UInt64(serial & 0xff_ffff) << 16 | UInt64(version & 0xffff)),
            tag: mixed & 2 != 0 ? UInt16(mixed >> 8 & 0xfff) : nil, timeToLive: UInt8(mixed >> 24 & 0x7f) + 1,
            typeOfService: UInt8(mixed >> 32 & 0xff), doNotFragment: mixed & 4 != 0, hasLengthField: mixed & 8 != 0,
            computesChecksum: mixed & 16 != 0)
    }
}

/// One life of a session: from its addition to the table until its places are free. Ticks count the changes to the table.
struct ChurnLife {
    /// 0: this record was never used.
    var generation: UInt32 = 0
    var circuit: UInt32 = 0
    var tunnelPlace: UInt32 = 0
    var tunnelSerial: UInt32 = 0
    var localTunnelID: UInt16 = 0
    var sessionID: UInt16 = 0
    var localSessionID: UInt16 = 0
    var peerSessionID: UInt16 = 0
    var upstream = UpstreamSlot(rawValue: 0)
    /// From when on it is forwarded; before, its frames go to the control plane.
    var forwardTick: UInt64 = .max
    var removedTick: UInt64 = .max
    /// Its place among the members of its tunnel.
    var member = 0
    /// The last frame that was sent for it.
    var lastFrame: UInt64 = 0
    /// Frames and octets that came out.
    var upstreamOut: (frames: UInt64, octets: UInt64) = (0, 0)
    var downstreamOut: (frames: UInt64, octets: UInt64) = (0, 0)
    /// The number of its capture; 0: none.
    var capture: UInt16 = 0
    /// What the table's writer told when its places became free.
    var totals: SessionCounters?

    var isForwarded: Bool { forwardTick != .max }
    var isRemoved: Bool { removedTick != .max }
}

/// A place that tunnels take one after the other.
struct ChurnTunnel {
    var id: TunnelID?
    var serial: UInt32 = 0
    /// The version that was asked for last, and the one in force.
    var asked: UInt32 = 0
    var inForce: UInt32 = 0
    /// Sessions in it, by number.
    var members: [UInt32] = []
    /// The last frame that was sent to a session of this tunnel that has been removed: before it has ended no session is
    /// added, since that might get the same id, and L2TP does not tell the two apart.
    var lastStale: UInt64 = 0
}

/// A frame on its way through the node.
struct ChurnFrame {
    var serial: UInt64 = 0
    var number: UInt32 = 0
    var generation: UInt32 = 0
    /// The change to the table after which it was sent.
    var tick: UInt64 = 0
    /// The version of the tunnel's header that was in force then.
    var version: UInt32 = 0
    var isUpstream = false
    var hasEnded = true
}
