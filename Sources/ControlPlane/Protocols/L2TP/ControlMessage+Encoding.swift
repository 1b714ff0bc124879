import Wire

extension ControlMessage {
    /// The message's body: all that follows the control header. With `key`, every AVP that may be hidden is.
    ///
    /// Throws when a value has a length that its AVP may not have; nothing is ever cut off to fit.
    public func encode(hiding key: HidingKey? = nil) throws(EncodingError) -> [UInt8] {
        var writer = AttributeWriter(type, hiding: key)
        switch self {
        case .startRequest(let start), .startReply(let start): start.write(to: &writer)
        case .startConnected(let response): writer.put(.challengeResponse, response)
        case .stop(let assignedTunnelID, let code):
            writer.put(.assignedTunnelID, assignedTunnelID)
            writer.put(.resultCode, code)
        case .hello: break
        case .outgoingCallRequest(let request): request.write(to: &writer)
        case .outgoingCallReply(let assignedSessionID, let physicalChannelID):
            writer.put(.assignedSessionID, assignedSessionID)
            writer.put(.physicalChannelID, physicalChannelID)
        case .outgoingCallConnected(let connected), .incomingCallConnected(let connected):
            connected.write(to: &writer)
        case .incomingCallRequest(let request): request.write(to: &writer)
        case .incomingCallReply(let assignedSessionID): writer.put(.assignedSessionID, assignedSessionID)
        case .disconnect(let disconnect):
            writer.put(.resultCode, disconnect.code)
            writer.put(.assignedSessionID, disconnect.assignedSessionID)
            writer.put(.q931CauseCode, disconnect.q931Cause?.wire)
            writer.put(.pppDisconnectCauseCode, disconnect.pppCause?.wire)
        case .wanError(let errors): writer.put(.callErrors, errors.wire)
        case .setLinkInfo(let map): writer.put(.accm, map.wire)
        case .failoverQuery(let sessions), .failoverResponse(let sessions):
            for session in sessions { writer.put(.failoverSessionState, session.wire) }
        case .connectSpeeds(let updates), .connectSpeedsRequest(let updates):
            for update in updates { writer.put(.connectSpeedUpdate, update.wire) }
        }
        return try writer.finish()
    }
}

extension StartControlConnection {
    func write(to writer: inout AttributeWriter) {
        writer.put(.protocolVersion, protocolVersion)
        writer.put(.hostName, hostName)
        writer.put(.framingCapabilities, framingCapabilities.rawValue)
        writer.put(.bearerCapabilities, bearerCapabilities?.rawValue)
        writer.put(.tieBreaker, tieBreaker)
        writer.put(.firmwareRevision, firmwareRevision)
        writer.put(.vendorName, vendorName)
        writer.put(.assignedTunnelID, assignedTunnelID)
        writer.put(.receiveWindowSize, receiveWindowSize)
        writer.put(.challenge, challenge)
        writer.put(.challengeResponse, challengeResponse)
        writer.put(.failoverCapability, failover?.wire)
        writer.put(.tunnelRecovery, recovery?.wire)
        writer.put(.suggestedControlSequence, suggestedSequence?.wire)
    }
}

extension IncomingCallRequest {
    func write(to writer: inout AttributeWriter) {
        writer.put(.assignedSessionID, assignedSessionID)
        writer.put(.callSerialNumber, callSerialNumber)
        writer.put(.bearerType, bearerType?.rawValue)
        writer.put(.physicalChannelID, physicalChannelID)
        writer.put(.callingNumber, callingNumber)
        writer.put(.calledNumber, calledNumber)
        writer.put(.subAddress, subAddress)
        accessLine.write(to: &writer)
        if announcesSpeedUpdates { writer.put(.connectSpeedUpdateEnable, [UInt8]()) }
    }
}

extension OutgoingCallRequest {
    func write(to writer: inout AttributeWriter) {
        writer.put(.assignedSessionID, assignedSessionID)
        writer.put(.callSerialNumber, callSerialNumber)
        writer.put(.minimumBPS, minimumBPS)
        writer.put(.maximumBPS, maximumBPS)
        writer.put(.bearerType, bearerType.rawValue)
        writer.put(.framingType, framingType.rawValue)
        writer.put(.calledNumber, calledNumber)
        writer.put(.subAddress, subAddress)
    }
}

extension CallConnected {
    func write(to writer: inout AttributeWriter) {
        writer.put(.txConnectSpeed, txConnectSpeed)
        writer.put(.framingType, framingType.rawValue)
        writer.put(.initialReceivedLCPConfReq, proxyLCP.initialReceived)
        writer.put(.lastSentLCPConfReq, proxyLCP.lastSent)
        writer.put(.lastReceivedLCPConfReq, proxyLCP.lastReceived)
        if let proxy = proxyAuthentication {
            writer.put(.proxyAuthenType, proxy.kind.rawValue)
            writer.put(.proxyAuthenName, proxy.name)
            writer.put(.proxyAuthenChallenge, proxy.challenge)
            writer.put(.proxyAuthenID, proxy.id.map { UInt16($0) })
            writer.put(.proxyAuthenResponse, proxy.response)
        }
        writer.put(.privateGroupID, privateGroupID)
        writer.put(.rxConnectSpeed, rxConnectSpeed)
        if sequencingRequired { writer.put(.sequencingRequired, [UInt8]()) }
    }
}

extension Q931Cause {
    var wire: [UInt8] {
        var writer = ByteWriter()
        writer.write(code)
        writer.write(message)
        if let advisory { writer.write(advisory) }
        return writer.bytes
    }
}

extension CallErrors {
    var wire: [UInt8] {
        var writer = ByteWriter()
        writer.write(UInt16(0))
        for count in [
            crcErrors, framingErrors, hardwareOverruns, bufferOverruns, timeOutErrors, alignmentErrors,
        ] { writer.write(count) }
        return writer.bytes
    }
}

extension AsyncControlCharacterMap {
    var wire: [UInt8] {
        var writer = ByteWriter()
        writer.write(UInt16(0))
        writer.write(send)
        writer.write(receive)
        return writer.bytes
    }
}

extension ConnectSpeedUpdate {
    var wire: [UInt8] {
        var writer = ByteWriter(capacity: 12)
        writer.write(UInt16(0))
        writer.write(remoteSessionID)
        writer.write(txConnectSpeed)
        writer.write(rxConnectSpeed)
        return writer.bytes
    }
}
