import Wire

extension ControlMessage {
    /// A message that was accepted.
    public struct Decoded: Sendable {
        /// The message; nil when its type is unknown and it did not insist on being understood.
        public var message: ControlMessage?
        /// AVPs that were passed over.
        public var ignored: [IgnoredAttribute]
    }

    /// Checks and reads a message's body: all that follows the control header, at least one octet. `secret` is the
    /// tunnel's; without it hidden AVPs cannot be read.
    public static func decode(_ body: ArraySlice<UInt8>, secret: [UInt8]?) throws(MessageFault) -> Decoded {
        guard let set = try AttributeSet.decode(body, secret: secret) else {
            return Decoded(message: nil, ignored: [])
        }
        return Decoded(message: try ControlMessage(set), ignored: set.ignored)
    }

    private init(_ set: AttributeSet) throws(MessageFault) {
        switch set.message {
        case .startControlConnectionRequest: self = .startRequest(try StartControlConnection(set))
        case .startControlConnectionReply: self = .startReply(try StartControlConnection(set))
        case .startControlConnectionConnected: self = .startConnected(challengeResponse: set.bytes(.challengeResponse))
        case .stopControlConnectionNotification:
            self = .stop(
                assignedTunnelID: try set.required(.assignedTunnelID, set.uint16(.assignedTunnelID)),
                try set.resultCode(StopResult.self))
        case .hello: self = .hello
        case .outgoingCallRequest: self = .outgoingCallRequest(try OutgoingCallRequest(set))
        case .outgoingCallReply:
            self = .outgoingCallReply(
                assignedSessionID: try set.required(.assignedSessionID, set.uint16(.assignedSessionID)),
                physicalChannelID: set.uint32(.physicalChannelID))
        case .outgoingCallConnected: self = .outgoingCallConnected(try CallConnected(set))
        case .incomingCallRequest: self = .incomingCallRequest(try IncomingCallRequest(set))
        case .incomingCallReply:
            self = .incomingCallReply(
                assignedSessionID: try set.required(.assignedSessionID, set.uint16(.assignedSessionID)))
        case .incomingCallConnected: self = .incomingCallConnected(try CallConnected(set))
        case .callDisconnectNotify:
            self = .disconnect(
                CallDisconnect(
                    assignedSessionID: try set.required(.assignedSessionID, set.uint16(.assignedSessionID)),
                    try set.resultCode(DisconnectResult.self),
                    q931Cause: set[.q931CauseCode].flatMap(Q931Cause.init(wire:)),
                    pppCause: set[.pppDisconnectCauseCode].flatMap(PPPDisconnectCause.init(wire:))))
        case .wanErrorNotify:
            self = .wanError(try set.required(.callErrors, set[.callErrors].flatMap(CallErrors.init(wire:))))
        case .setLinkInfo:
            self = .setLinkInfo(try set.required(.accm, set[.accm].flatMap(AsyncControlCharacterMap.init(wire:))))
        case .failoverSessionQuery: self = .failoverQuery(set.failoverSessions)
        case .failoverSessionResponse: self = .failoverResponse(set.failoverSessions)
        case .connectSpeedUpdateNotification: self = .connectSpeeds(set.connectSpeedUpdates)
        case .connectSpeedUpdateRequest: self = .connectSpeedsRequest(set.connectSpeedUpdates)
        }
    }
}

extension StartControlConnection {
    init(_ set: AttributeSet) throws(MessageFault) {
        self.init(
            hostName: try set.required(.hostName, set.text(.hostName)),
            assignedTunnelID: try set.required(.assignedTunnelID, set.uint16(.assignedTunnelID)))
        protocolVersion = try set.required(.protocolVersion, set.uint16(.protocolVersion))
        framingCapabilities = Framing(
            rawValue: try set.required(.framingCapabilities, set.uint32(.framingCapabilities)))
        bearerCapabilities = set.uint32(.bearerCapabilities).map(Bearer.init(rawValue:))
        tieBreaker = set.uint64(.tieBreaker)
        firmwareRevision = set.uint16(.firmwareRevision)
        vendorName = set.text(.vendorName)
        receiveWindowSize = set.uint16(.receiveWindowSize)
        challenge = set.bytes(.challenge)
        challengeResponse = set.bytes(.challengeResponse)
        failover = set[.failoverCapability].flatMap(FailoverCapability.init(wire:))
        recovery = set[.tunnelRecovery].flatMap(TunnelRecovery.init(wire:))
        suggestedSequence = set[.suggestedControlSequence].flatMap(ControlSequence.init(wire:))
    }
}

extension IncomingCallRequest {
    init(_ set: AttributeSet) throws(MessageFault) {
        self.init(
            assignedSessionID: try set.required(.assignedSessionID, set.uint16(.assignedSessionID)),
            callSerialNumber: try set.required(.callSerialNumber, set.uint32(.callSerialNumber)))
        bearerType = set.uint32(.bearerType).map(Bearer.init(rawValue:))
        physicalChannelID = set.uint32(.physicalChannelID)
        callingNumber = set.text(.callingNumber)
        calledNumber = set.text(.calledNumber)
        subAddress = set.text(.subAddress)
        accessLine = AccessLineInformation(set)
        announcesSpeedUpdates = set[.connectSpeedUpdateEnable] != nil
    }
}

extension OutgoingCallRequest {
    init(_ set: AttributeSet) throws(MessageFault) {
        self.init(
            assignedSessionID: try set.required(.assignedSessionID, set.uint16(.assignedSessionID)),
            callSerialNumber: try set.required(.callSerialNumber, set.uint32(.callSerialNumber)),
            minimumBPS: try set.required(.minimumBPS, set.uint32(.minimumBPS)),
            maximumBPS: try set.required(.maximumBPS, set.uint32(.maximumBPS)),
            bearerType: Bearer(rawValue: try set.required(.bearerType, set.uint32(.bearerType))),
            framingType: Framing(rawValue: try set.required(.framingType, set.uint32(.framingType))),
            calledNumber: try set.required(.calledNumber, set.text(.calledNumber)))
        subAddress = set.text(.subAddress)
    }
}

extension CallConnected {
    init(_ set: AttributeSet) throws(MessageFault) {
        self.init(
            txConnectSpeed: try set.required(.txConnectSpeed, set.uint32(.txConnectSpeed)),
            framingType: Framing(rawValue: try set.required(.framingType, set.uint32(.framingType))))
        rxConnectSpeed = set.uint32(.rxConnectSpeed)
        proxyLCP = ProxyLCP(
            initialReceived: set.bytes(.initialReceivedLCPConfReq), lastSent: set.bytes(.lastSentLCPConfReq),
            lastReceived: set.bytes(.lastReceivedLCPConfReq))
        if let kind = set.uint16(.proxyAuthenType) {
            proxyAuthentication = ProxyAuthentication(
                kind: ProxyAuthentication.Kind(rawValue: kind), name: set.bytes(.proxyAuthenName),
                challenge: set.bytes(.proxyAuthenChallenge),
                id: set.uint16(.proxyAuthenID).map { UInt8(truncatingIfNeeded: $0) },
                response: set.bytes(.proxyAuthenResponse))
        }
        privateGroupID = set.bytes(.privateGroupID)
        sequencingRequired = set[.sequencingRequired] != nil
    }
}

extension Q931Cause {
    init?(wire: ArraySlice<UInt8>) {
        var reader = ByteReader(wire)
        guard let code = reader.readUInt16(), let message = reader.readUInt8() else { return nil }
        let text = reader.readRemaining()
        self.init(code: code, message: message, advisory: text.isEmpty ? nil : String(decoding: text, as: UTF8.self))
    }
}

extension CallErrors {
    init?(wire: ArraySlice<UInt8>) {
        var reader = ByteReader(wire)
        guard reader.readUInt16() != nil, let crc = reader.readUInt32(), let framing = reader.readUInt32(),
            let hardware = reader.readUInt32(), let buffer = reader.readUInt32(), let timeOut = reader.readUInt32(),
            let alignment = reader.readUInt32()
        else { return nil }
        self.init()
        crcErrors = crc
        framingErrors = framing
        hardwareOverruns = hardware
        bufferOverruns = buffer
        timeOutErrors = timeOut
        alignmentErrors = alignment
    }
}

extension AsyncControlCharacterMap {
    init?(wire: ArraySlice<UInt8>) {
        var reader = ByteReader(wire)
        guard reader.readUInt16() != nil, let send = reader.readUInt32(), let receive = reader.readUInt32()
        else { return nil }
        self.init(send: send, receive: receive)
    }
}

extension AttributeSet {
    fileprivate var failoverSessions: [FailoverSession] {
        all(.failoverSessionState).compactMap(FailoverSession.init(wire:))
    }

    fileprivate var connectSpeedUpdates: [ConnectSpeedUpdate] {
        all(.connectSpeedUpdate).compactMap(ConnectSpeedUpdate.init(wire:))
    }
}

extension ConnectSpeedUpdate {
    init?(wire: ArraySlice<UInt8>) {
        var reader = ByteReader(wire)
        guard reader.readUInt16() != nil, let session = reader.readUInt16(), let transmit = reader.readUInt32(),
            let receive = reader.readUInt32()
        else { return nil }
        self.init(remoteSessionID: session, txConnectSpeed: transmit, rxConnectSpeed: receive)
    }
}
