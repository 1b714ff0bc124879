import CDPDK
import CSegment
import Forwarding
import Segment
import Wire

let localIPv6 = IPv6Address(high: 0x2001_0db8_0000_0000, low: 1)
let peerIPv6 = IPv6Address(high: 0x2001_0db8_0006_0000, low: 0x401)

extension HeaderKind {
    /// The header of the tunnel that rigs have, of this kind.
    var header: OuterHeader {
        let overIPv6 = TunnelEndpoints(
            addresses: .ipv6(local: localIPv6, peer: peerIPv6), peerTunnelID: 0x1234, port: 1)
        let overIPv4 = TunnelEndpoints(
            localAddress: localAddress, peerAddress: peerAddress, peerTunnelID: 0x1234, port: 1)
        func header(_ endpoints: TunnelEndpoints) -> OuterHeader {
            OuterHeader(endpoints: endpoints, egressPort: 1, sourceMAC: coreMAC, destinationMAC: nextHopMAC)
        }
        var result = header(overIPv4)
        switch self {
        case .ipv4: break
        case .doNotFragment: result.doNotFragment = true
        case .offsetPad(let pad): result.offsetPad = pad
        case .offsetPadChecksum(let pad):
            result.offsetPad = pad
            result.computesChecksum = true
        case .ipv6: result = header(overIPv6)
        case .ipv6Inherit:
            result = header(overIPv6)
            result.inheritsTypeOfService = true
        case .ipv6OffsetPad(let pad):
            result = header(overIPv6)
            result.offsetPad = pad
        case .ipv6ZeroChecksum:
            result = header(overIPv6)
            result.computesChecksum = false
            result.acceptsZeroChecksum = true
        }
        return result
    }
}

extension Rig {
    /// A rig whose tunnel has this header, and whose core port has an address of either kind.
    convenience init(_ header: OuterHeader) throws {
        try self.init()
        let tunnel = view.tunnels + 7
        view.templates[15] = header.template
        let ends = header.endpoints
        tunnel.pointee.family = ends.isIPv6 ? 6 : 4
        tunnel.pointee.flags = header.acceptsZeroChecksum ? UInt8(CULVERT_TUNNEL_ZERO_CHECKSUM) : 0
        withUnsafeMutableBytes(of: &tunnel.pointee.peer_address) { $0.copyBytes(from: ends.peerAddress.octets) }
        withUnsafeMutableBytes(of: &tunnel.pointee.local_address) { $0.copyBytes(from: ends.localAddress.octets) }
        // The address is the second one, behind one that is nearly the same.
        let others = IPv6Address(high: localIPv6.high, low: 9).octets
        withUnsafeMutableBytes(of: &view.ports[1].local_ipv6) { $0.copyBytes(from: others + localIPv6.octets) }
        view.ports[1].ipv6_address_count = 2
    }

    /// Buffers that are in the pool.
    var free: Int { Int(culvert_pool_available(ports.pool)) }
}

/// A PPPoE session frame of session 5 with `ppp` octets of PPP, no two neighbours alike.
func patternedFrame(ppp: Int) -> [UInt8] {
    let frame = sessionFrame(5, ppp: ppp)
    return frame.prefix(22) + (0..<ppp - 2).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 256 + 3) }
}
