import Foundation
import L2TP
import PPPoE
import RADIUS
import Timing
import Wire

// Sessions and their images.

extension StoredSession {
    /// The image of a connection that is open, and of its call.
    init(_ connection: Connection, _ call: Call, _ session: SessionCheckpoint) {
        self.init()
        let request = connection.request
        routeID = connection.routeID
        createdAt = connection.createdAt.nanoseconds
        client = Data(connection.client.octets)
        port = UInt32(connection.circuit.port)
        outerVlan = UInt32(connection.circuit.outerVLAN)
        innerVlan = UInt32(connection.circuit.innerVLAN)
        tags = connection.tags.map(StoredVLANTag.init)
        hostUniq = Data(request.key.hostUniq)
        cookie = Data(request.key.cookie)
        instance = request.instance.name
        serviceName = Data(request.serviceName)
        maxPayload = UInt32(clamping: request.maxPayload)
        if let line = request.accessLine { accessLine = StoredAccessLine(line) }
        returned = request.returned.map { tag in
            var stored = StoredDiscoveryTag()
            stored.kind = UInt32(tag.kind.rawValue)
            stored.value = Data(tag.value)
            return stored
        }
        upstreamSlot = connection.upstream.slot
        pppoeSessionID = UInt32(connection.upstream.sessionID)
        downstreamSlot = call.downstream.slot
        tunnelID = UInt32(connection.call?.tunnel ?? 0)
        sessionID = UInt32(call.downstream.sessionID)
        peerSessionID = UInt32(session.peerID)
        callSerialNumber = session.callSerialNumber
        sequencingRequired = session.sequencingRequired
        if let speeds = session.connectSpeeds {
            transmitSpeed = speeds.transmit
            receiveSpeed = speeds.receive
        }
        callCreatedAt = session.createdAt.nanoseconds
        openedAt = connection.openedAt.nanoseconds
        userName = Data(connection.userOctets)
        if let authorization = connection.authorization { self.authorization = StoredAuthorization(authorization) }
        if let accounting = connection.accounting { self.accounting = StoredAccounting(accounting) }
    }

    /// The session in its tunnel; nil where the image is none of a session's.
    var session: SessionCheckpoint? {
        guard let localID = UInt16(exactly: sessionID), let peerID = UInt16(exactly: peerSessionID), localID != 0,
            peerID != 0
        else { return nil }
        var session = SessionCheckpoint(
            localID: localID, peerID: peerID, callSerialNumber: callSerialNumber,
            createdAt: Instant(nanoseconds: callCreatedAt))
        session.sequencingRequired = sequencingRequired
        if hasTransmitSpeed, hasReceiveSpeed {
            session.connectSpeeds = ConnectSpeeds(transmit: transmitSpeed, receive: receiveSpeed)
        }
        return session
    }

    /// Its call; nil where the image is none of a session's.
    var callID: CallID? {
        guard let tunnel = UInt16(exactly: tunnelID), let session = UInt16(exactly: sessionID) else { return nil }
        return CallID(tunnel: tunnel, session: session)
    }
}

extension Connection {
    /// The connection of an image, open; nil where it is none, or nobody serves it any more.
    init?(_ stored: StoredSession, instance: ServiceInstance) {
        guard let client = MACAddress(Array(stored.client)), let port = UInt16(exactly: stored.port),
            let outer = UInt16(exactly: stored.outerVlan), let inner = UInt16(exactly: stored.innerVlan),
            let sessionID = UInt16(exactly: stored.pppoeSessionID), let call = stored.callID
        else { return nil }
        let key = SessionRequest.Key(
            client: client, circuit: AttachmentCircuit(port: port, outerVLAN: outer, innerVLAN: inner),
            hostUniq: Array(stored.hostUniq), cookie: Array(stored.cookie))
        var request = SessionRequest(
            key: key, instance: instance, serviceName: Array(stored.serviceName), maxPayload: Int(stored.maxPayload))
        request.accessLine = stored.hasAccessLine ? AccessLineInformation(stored.accessLine) : nil
        request.returned = stored.returned.map {
            DiscoveryTag(.init(rawValue: UInt16(truncatingIfNeeded: $0.kind)), $0.value)
        }
        self.init(
            routeID: stored.routeID, request: request, tags: stored.tags.map(EthernetFrame.VLANTag.init),
            upstream: UpstreamHandle(slot: stored.upstreamSlot, sessionID: sessionID),
            createdAt: Instant(nanoseconds: stored.createdAt), link: nil)
        phase = .open
        openedAt = Instant(nanoseconds: stored.openedAt)
        userOctets = Array(stored.userName)
        self.call = call
        authorization = stored.hasAuthorization ? SessionAuthorization(stored.authorization) : nil
        isStored = true
    }
}

extension StoredVLANTag {
    fileprivate init(_ tag: EthernetFrame.VLANTag) {
        self.init()
        protocolID = UInt32(tag.protocolID)
        id = UInt32(tag.id)
        priority = UInt32(tag.priority)
    }
}

extension EthernetFrame.VLANTag {
    fileprivate init(_ stored: StoredVLANTag) {
        self.init(
            protocolID: UInt16(truncatingIfNeeded: stored.protocolID), id: UInt16(truncatingIfNeeded: stored.id),
            priority: UInt8(truncatingIfNeeded: stored.priority))
    }
}

extension StoredAccessLine {
    fileprivate init(_ line: AccessLineInformation) {
        self.init()
        if let id = line.agentCircuitID { agentCircuitID = Data(id) }
        if let id = line.agentRemoteID { agentRemoteID = Data(id) }
        figures = line.figures.sorted { $0.key.rawValue < $1.key.rawValue }.map { attribute, value in
            var figure = StoredLineFigure()
            figure.attribute = UInt32(attribute.rawValue)
            figure.value = value
            return figure
        }
        if let kind = line.encapsulation { encapsulation = Data([kind.dataLink, kind.first, kind.second]) }
        isInterworked = line.isInterworked
    }
}

extension AccessLineInformation {
    fileprivate init(_ stored: StoredAccessLine) {
        self.init()
        agentCircuitID = stored.hasAgentCircuitID ? Array(stored.agentCircuitID) : nil
        agentRemoteID = stored.hasAgentRemoteID ? Array(stored.agentRemoteID) : nil
        for figure in stored.figures {
            guard let attribute = Attribute(rawValue: UInt8(truncatingIfNeeded: figure.attribute)) else { continue }
            figures[attribute] = figure.value
        }
        var reader = ByteReader(Array(stored.encapsulation))
        if stored.hasEncapsulation, let dataLink = reader.readUInt8(), let first = reader.readUInt8(),
            let second = reader.readUInt8()
        {
            encapsulation = Encapsulation(dataLink: dataLink, first: first, second: second)
        }
        isInterworked = stored.isInterworked
    }
}

extension StoredAuthorization {
    init(_ authorization: SessionAuthorization) {
        self.init()
        if let name = authorization.userName { userName = Data(name) }
        classes = authorization.classes.map { Data($0) }
        if let time = authorization.sessionTimeout { sessionTimeout = time.storedNanoseconds }
        if let time = authorization.idleTimeout { idleTimeout = time.storedNanoseconds }
        if let time = authorization.interimInterval { interimInterval = time.storedNanoseconds }
        if let rate = authorization.bandwidth.upstream { upstreamBandwidth = rate }
        if let rate = authorization.bandwidth.downstream { downstreamBandwidth = rate }
    }
}

extension SessionAuthorization {
    init(_ stored: StoredAuthorization) {
        userName = stored.hasUserName ? Array(stored.userName) : nil
        classes = stored.classes.map { Array($0) }
        sessionTimeout = stored.hasSessionTimeout ? Duration(stored: stored.sessionTimeout) : nil
        idleTimeout = stored.hasIdleTimeout ? Duration(stored: stored.idleTimeout) : nil
        interimInterval = stored.hasInterimInterval ? Duration(stored: stored.interimInterval) : nil
        bandwidth = BandwidthLimits(
            upstream: stored.hasUpstreamBandwidth ? stored.upstreamBandwidth : nil,
            downstream: stored.hasDownstreamBandwidth ? stored.downstreamBandwidth : nil)
    }
}

extension StoredAccounting {
    init(_ accounting: SessionAccounting) {
        self.init()
        group = accounting.group
        accountsTunnel = accounting.accountsTunnel
        sessionID = accounting.session.id
        multiSessionID = accounting.session.multiSessionID ?? ""
        startedAt = accounting.startedAt.nanoseconds
        if let interval = accounting.interimInterval { interimInterval = interval.storedNanoseconds }
        if let tunnel = accounting.session.tunnel { self.tunnel = StoredAccountedTunnel(tunnel) }
        if accounting.counted != SessionTraffic() { counted = StoredTraffic(accounting.counted) }
    }
}

extension SessionAccounting {
    /// The accounting of an image; what it does not hold is `session`'s, made of the connection.
    init(_ stored: StoredAccounting, _ session: RADIUSSession) {
        var session = session
        session.id = stored.sessionID
        session.multiSessionID = stored.multiSessionID.isEmpty ? nil : stored.multiSessionID
        session.tunnel = stored.hasTunnel ? AccountedTunnel(stored.tunnel) : nil
        self.init(
            group: stored.group, accountsTunnel: stored.accountsTunnel, session: session,
            startedAt: Instant(nanoseconds: stored.startedAt),
            interimInterval: stored.hasInterimInterval ? Duration(stored: stored.interimInterval) : nil)
        counted = SessionTraffic(stored.counted)
    }
}

extension Duration {
    /// Nanoseconds; 0 for a negative time.
    fileprivate var storedNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (scaled, overflows) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflows ? .max : scaled &+ UInt64(attoseconds) / 1_000_000_000
    }

    fileprivate init(stored nanoseconds: UInt64) { self = .nanoseconds(Int64(clamping: nanoseconds)) }
}
