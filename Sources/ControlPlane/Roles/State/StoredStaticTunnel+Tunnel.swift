import Foundation
import Observability
import Wire

// Controllers' tunnels and their images.

extension StoredStaticTunnel {
    init(_ tunnel: StaticTunnel) {
        self.init()
        name = tunnel.name
        peerAddress = Data(tunnel.peerAddress.octets)
        localAddress = Data(tunnel.localAddress.octets)
        peerPort = UInt32(tunnel.peerPort)
        localPort = UInt32(tunnel.localPort)
        peerTunnelID = UInt32(tunnel.peerTunnelID)
        egressPort = tunnel.egressPort
        switch tunnel.nextHop {
        case .peer: break
        case .address(let address): nextHopAddress = Data(address.octets)
        case .mac(let mac): nextHopMac = Data(mac.octets)
        }
        mtu = UInt32(tunnel.mtu)
        lengthBit = tunnel.lengthBit
        udpChecksum = tunnel.udpChecksum
        tosInherit = tunnel.tosInherit
        tos = UInt32(tunnel.tos)
    }
}

extension StaticTunnel {
    /// The tunnel of an image; nil where it is none.
    init?(_ stored: StoredStaticTunnel) {
        guard let peer = IPAddress(stored: stored.peerAddress), let local = IPAddress(stored: stored.localAddress),
            let peerPort = UInt16(exactly: stored.peerPort), let localPort = UInt16(exactly: stored.localPort),
            let peerTunnelID = UInt16(exactly: stored.peerTunnelID), let mtu = UInt16(exactly: stored.mtu),
            let tos = UInt8(exactly: stored.tos)
        else { return nil }
        var nextHop = StaticNextHop.peer
        if stored.hasNextHopMac, let mac = MACAddress(Array(stored.nextHopMac)) {
            nextHop = .mac(mac)
        } else if stored.hasNextHopAddress, let address = IPAddress(stored: stored.nextHopAddress) {
            nextHop = .address(address)
        }
        self.init(
            name: stored.name, peerAddress: peer, localAddress: local, peerPort: peerPort, localPort: localPort,
            peerTunnelID: peerTunnelID, egressPort: stored.egressPort, nextHop: nextHop, mtu: mtu,
            lengthBit: stored.lengthBit, udpChecksum: stored.udpChecksum, tosInherit: stored.tosInherit, tos: tos)
    }
}
