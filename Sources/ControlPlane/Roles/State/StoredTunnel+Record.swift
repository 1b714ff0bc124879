import Foundation
import Host
import L2TP
import RADIUS
import Timing
import Wire

// Tunnels and their images.

extension StoredTunnel {
    /// The image of a tunnel.
    init(_ record: TunnelRecord, accountingGroup: String?, preference: UInt32) {
        self.init()
        localID = UInt32(record.id)
        createdAt = record.createdAt.nanoseconds
        destination = StoredDestination(record.destination)
        local = StoredEndpoint(record.local)
        peerEndpoint = StoredEndpoint(record.peer)
        isBound = record.isBound
        isDraining = record.isDraining
        if let account = record.account { self.account = account }
        self.accountingGroup = accountingGroup ?? ""
        self.preference = preference
        fill(record.machine.checkpoint)
    }

    private mutating func fill(_ checkpoint: TunnelCheckpoint) {
        isResponder = checkpoint.role == .responder
        state = checkpoint.state.rawValue
        if let peer = checkpoint.peer { self.peer = StoredPeer(peer, tunnelID: checkpoint.peerTunnelID) }
        endOrigin = checkpoint.endOrigin?.rawValue ?? ""
        if let challenge = checkpoint.challenge { self.challenge = Data(challenge) }
        if let tieBreaker = checkpoint.tieBreaker { self.tieBreaker = tieBreaker }
        ns = UInt32(checkpoint.ns)
        nr = UInt32(checkpoint.nr)
        peerNr = UInt32(checkpoint.peerNr)
        queue = checkpoint.queue.map { message in
            var stored = StoredControlMessage()
            stored.sessionID = UInt32(message.sessionID)
            stored.body = Data(message.body)
            stored.ends = UInt32(message.ends)
            return stored
        }
    }

    /// The control connection; nil where the image is none of a tunnel's.
    var checkpoint: TunnelCheckpoint? {
        guard let id = UInt16(exactly: localID), id != 0, let state = TunnelState(rawValue: state),
            let ns = UInt16(exactly: ns), let nr = UInt16(exactly: nr), let peerNr = UInt16(exactly: peerNr)
        else { return nil }
        var checkpoint = TunnelCheckpoint(role: isResponder ? .responder : .initiator, localID: id, state: state)
        if hasPeer {
            guard let peer = PeerInformation(peer) else { return nil }
            checkpoint.peer = peer
            checkpoint.peerTunnelID = peer.tunnelID
        }
        guard state != .established || checkpoint.peerTunnelID != 0 else { return nil }
        checkpoint.endOrigin = TunnelEnd.Origin(rawValue: endOrigin)
        checkpoint.challenge = hasChallenge ? Array(challenge) : nil
        checkpoint.tieBreaker = hasTieBreaker ? tieBreaker : nil
        (checkpoint.ns, checkpoint.nr, checkpoint.peerNr) = (ns, nr, peerNr)
        for message in queue {
            guard let sessionID = UInt16(exactly: message.sessionID), let ends = UInt16(exactly: message.ends) else {
                return nil
            }
            checkpoint.queue.append(.init(sessionID: sessionID, body: Array(message.body), ends: ends))
        }
        return checkpoint
    }
}

extension StoredPeer {
    fileprivate init(_ peer: PeerInformation, tunnelID: UInt16) {
        self.init()
        self.tunnelID = UInt32(tunnelID)
        hostName = peer.hostName
        if let name = peer.vendorName { vendorName = name }
        protocolVersion = UInt32(peer.protocolVersion)
        if let revision = peer.firmwareRevision { firmwareRevision = UInt32(revision) }
        framingCapabilities = peer.framingCapabilities.rawValue
        if let bearer = peer.bearerCapabilities { bearerCapabilities = bearer.rawValue }
        receiveWindow = UInt32(peer.receiveWindow)
        if let tieBreaker = peer.tieBreaker { self.tieBreaker = tieBreaker }
        if let capability = peer.failover {
            failover.controlChannel = capability.controlChannel
            failover.dataChannel = capability.dataChannel
            failover.recoveryTime = capability.recoveryTime
        }
    }
}

extension PeerInformation {
    fileprivate init?(_ stored: StoredPeer) {
        guard let tunnelID = UInt16(exactly: stored.tunnelID), let window = UInt16(exactly: stored.receiveWindow),
            let version = UInt16(exactly: stored.protocolVersion)
        else { return nil }
        self.init(tunnelID: tunnelID, hostName: stored.hostName, protocolVersion: version, receiveWindow: window)
        vendorName = stored.hasVendorName ? stored.vendorName : nil
        firmwareRevision = stored.hasFirmwareRevision ? UInt16(truncatingIfNeeded: stored.firmwareRevision) : nil
        framingCapabilities = Framing(rawValue: stored.framingCapabilities)
        bearerCapabilities = stored.hasBearerCapabilities ? Bearer(rawValue: stored.bearerCapabilities) : nil
        tieBreaker = stored.hasTieBreaker ? stored.tieBreaker : nil
        if stored.hasFailover {
            failover = FailoverCapability(
                controlChannel: stored.failover.controlChannel, dataChannel: stored.failover.dataChannel,
                recoveryTime: stored.failover.recoveryTime)
        }
    }
}

extension StoredDestination {
    fileprivate init(_ key: Destination.Key) {
        self.init()
        address = Data(key.address.octets)
        profile = key.profile
        let special = key.overrides
        if let secret = special.secret { self.secret = Data(secret) }
        if let name = special.hostName { hostName = name }
        if let name = special.peerHostName { peerHostName = name }
        if let source = special.source { self.source = Data(source.octets) }
        if let id = special.assignmentID { assignmentID = id }
    }
}

extension Destination.Key {
    /// The destination of an image; nil where its address is none.
    init?(_ stored: StoredDestination) {
        guard let address = IPAddress(stored: stored.address) else { return nil }
        self.init(address: address, profile: stored.profile)
        overrides.secret = stored.hasSecret ? Array(stored.secret) : nil
        overrides.hostName = stored.hasHostName ? stored.hostName : nil
        overrides.peerHostName = stored.hasPeerHostName ? stored.peerHostName : nil
        overrides.source = stored.hasSource ? IPAddress(stored: stored.source) : nil
        overrides.assignmentID = stored.hasAssignmentID ? stored.assignmentID : nil
    }
}

extension StoredEndpoint {
    fileprivate init(_ endpoint: UDPEndpoint) {
        self.init()
        address = Data(endpoint.address.octets)
        port = UInt32(endpoint.port)
    }
}

extension UDPEndpoint {
    /// The endpoint of an image; nil where it is none.
    init?(_ stored: StoredEndpoint) {
        guard let address = IPAddress(stored: stored.address), let port = UInt16(exactly: stored.port) else {
            return nil
        }
        self.init(address, port)
    }
}

extension IPAddress {
    /// The address of 4 or 16 octets.
    init?(stored octets: Data) {
        if let address = IPv4Address(Array(octets)) {
            self = .v4(address)
        } else if let address = IPv6Address(Array(octets)) {
            self = .v6(address)
        } else {
            return nil
        }
    }
}

// Accounts of tunnels and their images.

extension StoredTunnelAccount {
    init(_ account: TunnelAccount) {
        self.init()
        group = account.group
        id = account.id
        tunnel = StoredAccountedTunnel(account.tunnel)
        startedAt = account.startedAt.nanoseconds
        traffic = StoredTraffic(account.traffic)
        if let end = account.end {
            endedAt = end.at.nanoseconds
            endCause = end.cause.rawValue
        }
    }
}

extension TunnelAccount {
    init(_ stored: StoredTunnelAccount) {
        self.init(
            group: stored.group, id: stored.id, tunnel: AccountedTunnel(stored.tunnel),
            startedAt: Instant(nanoseconds: stored.startedAt))
        traffic = SessionTraffic(stored.traffic)
        if stored.hasEndedAt {
            end = (Instant(nanoseconds: stored.endedAt), TerminateCause(rawValue: stored.endCause) ?? .nasError)
        }
    }
}

extension StoredAccountedTunnel {
    init(_ tunnel: AccountedTunnel) {
        self.init()
        isIpv6 = tunnel.medium == .ipv6
        clientEndpoint = tunnel.clientEndpoint
        serverEndpoint = tunnel.serverEndpoint
        if let id = tunnel.assignmentID { assignmentID = id }
        if let name = tunnel.clientAuthID { clientAuthID = name }
        if let name = tunnel.serverAuthID { serverAuthID = name }
        if let text = tunnel.connection { connection = text }
    }
}

extension AccountedTunnel {
    init(_ stored: StoredAccountedTunnel) {
        self.init(
            medium: stored.isIpv6 ? .ipv6 : .ipv4, clientEndpoint: stored.clientEndpoint,
            serverEndpoint: stored.serverEndpoint)
        assignmentID = stored.hasAssignmentID ? stored.assignmentID : nil
        clientAuthID = stored.hasClientAuthID ? stored.clientAuthID : nil
        serverAuthID = stored.hasServerAuthID ? stored.serverAuthID : nil
        connection = stored.hasConnection ? stored.connection : nil
    }
}

extension StoredTraffic {
    init(_ traffic: SessionTraffic) {
        self.init()
        upstreamPackets = traffic.upstreamPackets
        upstreamOctets = traffic.upstreamOctets
        downstreamPackets = traffic.downstreamPackets
        downstreamOctets = traffic.downstreamOctets
    }
}

extension SessionTraffic {
    init(_ stored: StoredTraffic) {
        self.init()
        upstreamPackets = stored.upstreamPackets
        upstreamOctets = stored.upstreamOctets
        downstreamPackets = stored.downstreamPackets
        downstreamOctets = stored.downstreamOctets
    }
}
