import Observability
import SwiftProtobuf
import Wire

extension SessionSnapshot {
    var message: Culvert_V1_Session {
        .with {
            $0.id = UInt32(id)
            $0.tunnelID = UInt32(tunnelID)
            $0.tunnelName = tunnelName
            $0.state = state.message
            $0.createdAt = createdAt.message
            $0.interfaceName = interfaceName
            $0.remoteSessionID = UInt32(remoteSessionID)
            $0.establishTimeoutSeconds = establishTimeoutSeconds
            $0.type = type.message
            $0.name = name
            $0.owner = owner.message
            $0.createdByAdmin = createdByAdmin
            $0.profile = profile
            $0.dataSequenceNumbers = dataSequenceNumbers
            $0.framing = framing.message
            $0.bearer = bearer.message
            $0.callSerialNumber = callSerialNumber
            $0.userName = userName
            $0.clientMac = clientMAC.value == 0 ? "" : clientMAC.description
            $0.pppoeSessionID = UInt32(pppoeSessionID)
            $0.routeID = routeID
            $0.data = data.message
            $0.dataRxErrors = dataRxErrors
            $0.peerFraming = peerFraming.message
            $0.peerBearer = peerBearer.message
            $0.memoryOctets = memoryOctets
            $0.events = events.map(\.message)
            if let policer = policers.upstream { $0.upstreamPolicer = policer.message }
            if let policer = policers.downstream { $0.downstreamPolicer = policer.message }
            $0.upstreamPolicedPackets = upstreamPolicedPackets
            $0.downstreamPolicedPackets = downstreamPolicedPackets
            $0.tcpMss = UInt32(maximumSegmentSize)
            $0.dataMissing = dataMissing
            $0.dataLate = dataLate
            $0.dataReordered = dataReordered
        }
    }

    init(_ message: Culvert_V1_Session) throws(FieldError) {
        self.init(
            id: try FieldError.narrow(message.id, "id"),
            tunnelID: try FieldError.narrow(message.tunnelID, "tunnel_id"), tunnelName: message.tunnelName,
            state: try SessionState(message.state, "state"), createdAt: Timestamp(message.createdAt),
            type: try CallType(message.type, "type"))
        interfaceName = message.interfaceName
        remoteSessionID = try FieldError.narrow(message.remoteSessionID, "remote_session_id")
        establishTimeoutSeconds = message.establishTimeoutSeconds
        name = message.name
        owner = try Owner(message.owner, "owner")
        createdByAdmin = message.createdByAdmin
        profile = message.profile
        dataSequenceNumbers = message.dataSequenceNumbers
        framing = FramingTypes(message.framing)
        bearer = BearerTypes(message.bearer)
        callSerialNumber = message.callSerialNumber
        userName = message.userName
        clientMAC =
            message.clientMac.isEmpty ? MACAddress(value: 0) : try FieldError.mac(message.clientMac, "client_mac")
        pppoeSessionID = try FieldError.narrow(message.pppoeSessionID, "pppoe_session_id")
        routeID = message.routeID
        data = Traffic(message.data)
        policers.upstream = message.hasUpstreamPolicer ? PolicerSettings(message.upstreamPolicer) : nil
        policers.downstream = message.hasDownstreamPolicer ? PolicerSettings(message.downstreamPolicer) : nil
        upstreamPolicedPackets = message.upstreamPolicedPackets
        downstreamPolicedPackets = message.downstreamPolicedPackets
        maximumSegmentSize = try FieldError.narrow(message.tcpMss, "tcp_mss")
        dataMissing = message.dataMissing
        dataLate = message.dataLate
        dataReordered = message.dataReordered
        dataRxErrors = message.dataRxErrors
        peerFraming = FramingTypes(message.peerFraming)
        peerBearer = BearerTypes(message.peerBearer)
        memoryOctets = message.memoryOctets
        events = message.events.map { StateTransition($0) }
    }
}

extension PPPoEConnectionSnapshot {
    var message: Culvert_V1_Connection {
        .with {
            $0.routeName = routeName
            $0.routeID = routeID
            $0.instance = instance
            $0.state = state.message
            $0.createdAt = createdAt.message
            $0.interfaceName = interfaceName
            $0.outerVlan = UInt32(outerVLAN)
            $0.innerVlan = UInt32(innerVLAN)
            $0.pppoeSessionID = UInt32(pppoeSessionID)
            $0.serviceName = serviceName
            $0.clientMac = clientMAC.description
            $0.userName = userName
            $0.tunnelID = UInt32(tunnelID)
            $0.sessionID = UInt32(sessionID)
            $0.mru = UInt32(mru)
        }
    }

    init(_ message: Culvert_V1_Connection) throws(FieldError) {
        self.init(
            routeName: message.routeName, routeID: message.routeID, instance: message.instance,
            state: try ConnectionState(message.state, "state"), createdAt: Timestamp(message.createdAt),
            interfaceName: message.interfaceName,
            pppoeSessionID: try FieldError.narrow(message.pppoeSessionID, "pppoe_session_id"),
            clientMAC: try FieldError.mac(message.clientMac, "client_mac"))
        outerVLAN = try FieldError.narrow(message.outerVlan, "outer_vlan")
        innerVLAN = try FieldError.narrow(message.innerVlan, "inner_vlan")
        serviceName = message.serviceName
        userName = message.userName
        tunnelID = try FieldError.narrow(message.tunnelID, "tunnel_id")
        sessionID = try FieldError.narrow(message.sessionID, "session_id")
        mru = try FieldError.narrow(message.mru, "mru")
    }
}
