import Observability
import SwiftProtobuf

import struct Foundation.Data

extension TunnelSettings {
    var message: Culvert_V1_TunnelSettings {
        .with {
            $0.helloTimeoutSeconds = helloTimeoutSeconds
            $0.retryTimeoutSeconds = retryTimeoutSeconds
            $0.idleTimeoutSeconds = idleTimeoutSeconds
            $0.establishTimeoutSeconds = establishTimeoutSeconds
            $0.persistPendTimeoutSeconds = persistPendTimeoutSeconds
            $0.rxWindowSize = UInt32(rxWindowSize)
            $0.txWindowSize = UInt32(txWindowSize)
            $0.maxRetries = maxRetries
            $0.sessionLimit = sessionLimit
            $0.hideAvps = hideAvps
            $0.udpChecksums = udpChecksums
            $0.pathMtu = UInt32(pathMTU)
            $0.dontFragment = dontFragment
            $0.tooBig = tooBig
            $0.hasOffsetPad_p = offsetPad != nil
            $0.offsetPad = UInt32(offsetPad ?? 0)
            $0.dataSequenceNumbers = dataSequenceNumbers
            $0.pathMtuDiscovery = pathMTUDiscovery
            $0.mtu = UInt32(mtu)
            $0.tosInherit = tosInherit
            $0.tos = UInt32(tos)
            $0.framing = framing.message
            $0.bearer = bearer.message
            $0.useTieBreaker = useTieBreaker
            $0.tieBreaker = Data(tieBreaker)
            $0.failover = failover
            $0.recoveryTimeSeconds = recoveryTimeSeconds
        }
    }

    init(_ message: Culvert_V1_TunnelSettings) throws(FieldError) {
        self.init()
        helloTimeoutSeconds = message.helloTimeoutSeconds
        retryTimeoutSeconds = message.retryTimeoutSeconds
        idleTimeoutSeconds = message.idleTimeoutSeconds
        establishTimeoutSeconds = message.establishTimeoutSeconds
        persistPendTimeoutSeconds = message.persistPendTimeoutSeconds
        rxWindowSize = try FieldError.narrow(message.rxWindowSize, "rx_window_size")
        txWindowSize = try FieldError.narrow(message.txWindowSize, "tx_window_size")
        maxRetries = message.maxRetries
        sessionLimit = message.sessionLimit
        hideAvps = message.hideAvps
        udpChecksums = message.udpChecksums
        pathMTU = try FieldError.narrow(message.pathMtu, "settings.path_mtu")
        dontFragment = message.dontFragment
        tooBig = message.tooBig
        offsetPad = message.hasOffsetPad_p ? try FieldError.narrow(message.offsetPad, "settings.offset_pad") : nil
        dataSequenceNumbers = message.dataSequenceNumbers
        pathMTUDiscovery = message.pathMtuDiscovery
        mtu = try FieldError.narrow(message.mtu, "mtu")
        tosInherit = message.tosInherit
        tos = try FieldError.narrow(message.tos, "tos")
        framing = FramingTypes(message.framing)
        bearer = BearerTypes(message.bearer)
        useTieBreaker = message.useTieBreaker
        tieBreaker = Array(message.tieBreaker)
        failover = message.failover
        recoveryTimeSeconds = message.recoveryTimeSeconds
    }
}

extension TunnelPeer {
    var message: Culvert_V1_TunnelPeer {
        .with {
            $0.protocolVersion = UInt32(protocolVersion)
            $0.protocolRevision = UInt32(protocolRevision)
            $0.firmwareRevision = UInt32(firmwareRevision)
            $0.framing = framing.message
            $0.bearer = bearer.message
            $0.rxWindowSize = UInt32(rxWindowSize)
            $0.failoverControl = failoverControl
            $0.failoverData = failoverData
            $0.recoveryTimeMilliseconds = recoveryTimeMilliseconds
        }
    }

    init(_ message: Culvert_V1_TunnelPeer) throws(FieldError) {
        self.init()
        protocolVersion = try FieldError.narrow(message.protocolVersion, "protocol_version")
        protocolRevision = try FieldError.narrow(message.protocolRevision, "protocol_revision")
        firmwareRevision = try FieldError.narrow(message.firmwareRevision, "firmware_revision")
        framing = FramingTypes(message.framing)
        bearer = BearerTypes(message.bearer)
        rxWindowSize = try FieldError.narrow(message.rxWindowSize, "rx_window_size")
        failoverControl = message.failoverControl
        failoverData = message.failoverData
        recoveryTimeMilliseconds = message.recoveryTimeMilliseconds
    }
}

extension TunnelTransport {
    var message: Culvert_V1_TunnelTransport {
        .with {
            $0.ns = UInt32(ns)
            $0.nr = UInt32(nr)
            $0.peerNs = UInt32(peerNs)
            $0.peerNr = UInt32(peerNr)
            $0.congestionWindow = UInt32(congestionWindow)
            $0.slowStartThreshold = UInt32(slowStartThreshold)
            $0.congestionAcknowledged = UInt32(congestionAcknowledged)
            $0.outOfSequenceControlDiscards = outOfSequenceControlDiscards
            $0.outOfSequenceDataDiscards = outOfSequenceDataDiscards
            $0.zlbsSent = zlbsSent
            $0.zlbsSendFailed = zlbsSendFailed
            $0.zlbsReceived = zlbsReceived
            $0.retransmits = retransmits
            $0.duplicateDiscards = duplicateDiscards
            $0.dataDiscards = dataDiscards
            $0.hellosSent = hellosSent
            $0.hellosSendFailed = hellosSendFailed
            $0.hellosReceived = hellosReceived
            $0.control = control.message
        }
    }

    init(_ message: Culvert_V1_TunnelTransport) throws(FieldError) {
        self.init()
        ns = try FieldError.narrow(message.ns, "ns")
        nr = try FieldError.narrow(message.nr, "nr")
        peerNs = try FieldError.narrow(message.peerNs, "peer_ns")
        peerNr = try FieldError.narrow(message.peerNr, "peer_nr")
        congestionWindow = try FieldError.narrow(message.congestionWindow, "congestion_window")
        slowStartThreshold = try FieldError.narrow(message.slowStartThreshold, "slow_start_threshold")
        congestionAcknowledged = try FieldError.narrow(message.congestionAcknowledged, "congestion_acknowledged")
        outOfSequenceControlDiscards = message.outOfSequenceControlDiscards
        outOfSequenceDataDiscards = message.outOfSequenceDataDiscards
        zlbsSent = message.zlbsSent
        zlbsSendFailed = message.zlbsSendFailed
        zlbsReceived = message.zlbsReceived
        retransmits = message.retransmits
        duplicateDiscards = message.duplicateDiscards
        dataDiscards = message.dataDiscards
        hellosSent = message.hellosSent
        hellosSendFailed = message.hellosSendFailed
        hellosReceived = message.hellosReceived
        control = Traffic(message.control)
    }
}

extension TunnelSnapshot {
    var message: Culvert_V1_Tunnel {
        .with {
            $0.id = UInt32(id)
            $0.name = name
            $0.localAddress = localAddress.description
            $0.remoteAddress = remoteAddress.description
            $0.state = state.message
            $0.createdAt = createdAt.message
            $0.mode = mode.message
            $0.remoteTunnelID = UInt32(remoteTunnelID)
            $0.remoteHostName = remoteHostName
            $0.remoteVendorName = remoteVendorName
            $0.localUdpPort = UInt32(localUDPPort)
            $0.remoteUdpPort = UInt32(remoteUDPPort)
            $0.owner = owner.message
            $0.createdByAdmin = createdByAdmin
            $0.persist = persist
            $0.authorization = authorization.message
            $0.sessionCount = sessionCount
            $0.profile = profile
            $0.settings = settings.message
            $0.peer = peer.message
            $0.transport = transport.message
            $0.data = data.message
            $0.dataRxErrors = dataRxErrors
            $0.dataTxErrors = dataTxErrors
            $0.memoryOctets = memoryOctets
            $0.events = events.map(\.message)
            $0.draining = draining
            $0.recoveries = recoveries
            $0.recovering = recovering
        }
    }

    init(_ message: Culvert_V1_Tunnel) throws(FieldError) {
        self.init(
            id: try FieldError.narrow(message.id, "id"), name: message.name,
            localAddress: try FieldError.address(message.localAddress, "local_address"),
            remoteAddress: try FieldError.address(message.remoteAddress, "remote_address"),
            state: try TunnelState(message.state, "state"), createdAt: Timestamp(message.createdAt),
            mode: try TunnelMode(message.mode, "mode"))
        remoteTunnelID = try FieldError.narrow(message.remoteTunnelID, "remote_tunnel_id")
        remoteHostName = message.remoteHostName
        remoteVendorName = message.remoteVendorName
        localUDPPort = try FieldError.narrow(message.localUdpPort, "local_udp_port")
        remoteUDPPort = try FieldError.narrow(message.remoteUdpPort, "remote_udp_port")
        owner = try Owner(message.owner, "owner")
        createdByAdmin = message.createdByAdmin
        persist = message.persist
        authorization = try TunnelAuthorization(message.authorization, "authorization")
        sessionCount = message.sessionCount
        profile = message.profile
        settings = try TunnelSettings(message.settings)
        peer = try TunnelPeer(message.peer)
        transport = try TunnelTransport(message.transport)
        data = Traffic(message.data)
        dataRxErrors = message.dataRxErrors
        dataTxErrors = message.dataTxErrors
        memoryOctets = message.memoryOctets
        events = message.events.map { StateTransition($0) }
        draining = message.draining
        recoveries = message.recoveries
        recovering = message.recovering
    }
}
