import Timing

/// What a session has used since it began.
public struct SessionUsage: Hashable, Sendable {
    /// Octets from the client.
    public var inputOctets: UInt64 = 0
    /// Octets to the client.
    public var outputOctets: UInt64 = 0
    /// Packets from the client. Acct-Input-Packets has 32 bits and wraps (RFC 2866 section 5.8).
    public var inputPackets: UInt64 = 0
    /// Packets to the client. Acct-Output-Packets has 32 bits and wraps.
    public var outputPackets: UInt64 = 0
    /// How long it has been; told in whole seconds.
    public var time: Duration = .zero

    /// Nothing used yet.
    public init() {}

    func append(to attributes: inout RADIUSAttributes) {
        attributes.append(.acctSessionTime, integer: UInt32(clamping: time.components.seconds))
        attributes.append(.acctInputOctets, integer: UInt32(truncatingIfNeeded: inputOctets))
        attributes.append(.acctInputGigawords, integer: UInt32(truncatingIfNeeded: inputOctets >> 32))
        attributes.append(.acctOutputOctets, integer: UInt32(truncatingIfNeeded: outputOctets))
        attributes.append(.acctOutputGigawords, integer: UInt32(truncatingIfNeeded: outputOctets >> 32))
        attributes.append(.acctInputPackets, integer: UInt32(truncatingIfNeeded: inputPackets))
        attributes.append(.acctOutputPackets, integer: UInt32(truncatingIfNeeded: outputPackets))
    }
}

/// Acct-Terminate-Cause: why a session ended (RFC 2866 section 5.10).
public enum TerminateCause: UInt32, Hashable, Sendable, CaseIterable {
    /// The client asked for it.
    case userRequest = 1
    /// The line, or the PPPoE session on it, is gone.
    case lostCarrier = 2
    /// The service, such as the tunnel, is gone.
    case lostService = 3
    /// Nothing was heard for too long.
    case idleTimeout = 4
    /// The time that the session had is over.
    case sessionTimeout = 5
    /// An operator ended it.
    case adminReset = 6
    /// An operator ended the node's service.
    case adminReboot = 7
    /// An error of the port.
    case portError = 8
    /// An error of the node.
    case nasError = 9
    /// The node ended it for a reason of its own.
    case nasRequest = 10
    /// The node restarted without warning.
    case nasReboot = 11
    /// The port was not needed any more.
    case portUnneeded = 12
    /// The port was given to another session.
    case portPreempted = 13
    /// The port was suspended.
    case portSuspended = 14
    /// The node could not provide the service.
    case serviceUnavailable = 15
    /// The node is to call back.
    case callback = 16
    /// The user made an error.
    case userError = 17
    /// The host at the other end, the LNS, ended it.
    case hostRequest = 18
}

/// The tunnel in a record: RFC 2867 section 4, with the attributes of RFC 2868. Tags are not used.
public struct AccountedTunnel: Hashable, Sendable {
    /// Tunnel-Medium-Type.
    public var medium: TunnelMedium
    /// Tunnel-Client-Endpoint: the LAC's address.
    public var clientEndpoint: String
    /// Tunnel-Server-Endpoint: the LNS's address.
    public var serverEndpoint: String
    /// Tunnel-Assignment-ID.
    public var assignmentID: String?
    /// Tunnel-Client-Auth-ID: the LAC's name.
    public var clientAuthID: String?
    /// Tunnel-Server-Auth-ID: the LNS's name.
    public var serverAuthID: String?
    /// Acct-Tunnel-Connection: the call's number, or the tunnel's.
    public var connection: String?

    /// A tunnel between two endpoints.
    public init(medium: TunnelMedium, clientEndpoint: String, serverEndpoint: String) {
        self.medium = medium
        self.clientEndpoint = clientEndpoint
        self.serverEndpoint = serverEndpoint
    }

    func append(to attributes: inout RADIUSAttributes) {
        attributes.append(.tunnelType, integer: TunnelAttributes.l2tp, tag: 0)
        attributes.append(.tunnelMediumType, integer: medium.rawValue, tag: 0)
        attributes.append(.tunnelClientEndpoint, text: clientEndpoint, tag: 0)
        attributes.append(.tunnelServerEndpoint, text: serverEndpoint, tag: 0)
        attributes.append(.tunnelAssignmentID, text: assignmentID, tag: 0)
        attributes.append(.tunnelClientAuthID, text: clientAuthID, tag: 0)
        attributes.append(.tunnelServerAuthID, text: serverAuthID, tag: 0)
        attributes.append(.acctTunnelConnection, text: connection)
    }
}

/// How a tunnel, or a session in one, ended.
public struct TunnelAccountingEnd: Hashable, Sendable {
    /// What it carried.
    public var usage: SessionUsage
    /// Why it ended.
    public var cause: TerminateCause
    /// Acct-Tunnel-Packets-Lost, where it is known.
    public var packetsLost: UInt32?

    /// An end for `cause`.
    public init(usage: SessionUsage, cause: TerminateCause, packetsLost: UInt32? = nil) {
        self.usage = usage
        self.cause = cause
        self.packetsLost = packetsLost
    }

    func append(to attributes: inout RADIUSAttributes) {
        usage.append(to: &attributes)
        attributes.append(.acctTerminateCause, integer: cause.rawValue)
        attributes.append(.acctTunnelPacketsLost, integer: packetsLost)
    }
}

extension AccountingRecord {
    /// What every record of a session says.
    private static func description(of session: RADIUSSession, nas: NASIdentity) -> RADIUSAttributes {
        var attributes = session.attributes(of: nas)
        attributes.append(.serviceType, integer: 2)
        attributes.append(.framedProtocol, integer: 1)
        attributes.append(.acctAuthentic, integer: session.authentic?.rawValue)
        for value in session.classes { attributes.append(.classAttribute, octets: value) }
        session.tunnel?.append(to: &attributes)
        return attributes
    }

    /// `session` began at `time`, in seconds since 1970.
    public static func start(_ session: RADIUSSession, nas: NASIdentity, at time: UInt32) -> AccountingRecord {
        AccountingRecord(.start, at: time, description(of: session, nas: nas))
    }

    /// `session` goes on and has used so much.
    public static func interimUpdate(
        _ session: RADIUSSession, usage: SessionUsage, nas: NASIdentity, at time: UInt32
    ) -> AccountingRecord {
        var attributes = description(of: session, nas: nas)
        usage.append(to: &attributes)
        return AccountingRecord(.interimUpdate, at: time, attributes)
    }

    /// `session` ended, having used so much.
    public static func stop(
        _ session: RADIUSSession, usage: SessionUsage, cause: TerminateCause, nas: NASIdentity, at time: UInt32
    ) -> AccountingRecord {
        var attributes = description(of: session, nas: nas)
        usage.append(to: &attributes)
        attributes.append(.acctTerminateCause, integer: cause.rawValue)
        return AccountingRecord(.stop, at: time, attributes)
    }

    /// The node begins to account (RFC 2866 section 5.1): sessions that servers believe to be open are not. `id` is an
    /// Acct-Session-Id of its own, which RFC 2866 section 5.5 demands of every record.
    public static func accountingOn(id: String, nas: NASIdentity, at time: UInt32) -> AccountingRecord {
        AccountingRecord(.accountingOn, at: time, RADIUSSession(id: id).attributes(of: nas))
    }

    /// The node will account no more.
    public static func accountingOff(
        id: String, cause: TerminateCause, nas: NASIdentity, at time: UInt32
    ) -> AccountingRecord {
        var attributes = RADIUSSession(id: id).attributes(of: nas)
        attributes.append(.acctTerminateCause, integer: cause.rawValue)
        return AccountingRecord(.accountingOff, at: time, attributes)
    }

    private static func tunnel(_ tunnel: AccountedTunnel, id: String, nas: NASIdentity) -> RADIUSAttributes {
        var session = RADIUSSession(id: id)
        session.nasPortType = .virtual
        var attributes = session.attributes(of: nas)
        tunnel.append(to: &attributes)
        return attributes
    }

    /// A tunnel was established (RFC 2867 section 3.1). `id` is the tunnel's Acct-Session-Id.
    public static func tunnelStart(
        _ tunnel: AccountedTunnel, id: String, nas: NASIdentity, at time: UInt32
    ) -> AccountingRecord {
        AccountingRecord(.tunnelStart, at: time, Self.tunnel(tunnel, id: id, nas: nas))
    }

    /// A tunnel ended (RFC 2867 section 3.2).
    public static func tunnelStop(
        _ tunnel: AccountedTunnel, id: String, end: TunnelAccountingEnd, nas: NASIdentity, at time: UInt32
    ) -> AccountingRecord {
        var attributes = Self.tunnel(tunnel, id: id, nas: nas)
        end.append(to: &attributes)
        return AccountingRecord(.tunnelStop, at: time, attributes)
    }

    /// A tunnel could not be established (RFC 2867 section 3.3).
    public static func tunnelReject(
        _ tunnel: AccountedTunnel, id: String, cause: TerminateCause, nas: NASIdentity, at time: UInt32
    ) -> AccountingRecord {
        var attributes = Self.tunnel(tunnel, id: id, nas: nas)
        attributes.append(.acctTerminateCause, integer: cause.rawValue)
        return AccountingRecord(.tunnelReject, at: time, attributes)
    }

    /// A session, with its tunnel, began to use the tunnel (RFC 2867 section 3.4).
    public static func tunnelLinkStart(
        _ session: RADIUSSession, nas: NASIdentity, at time: UInt32
    ) -> AccountingRecord {
        AccountingRecord(.tunnelLinkStart, at: time, description(of: session, nas: nas))
    }

    /// A session left its tunnel (RFC 2867 section 3.5).
    public static func tunnelLinkStop(
        _ session: RADIUSSession, end: TunnelAccountingEnd, nas: NASIdentity, at time: UInt32
    ) -> AccountingRecord {
        var attributes = description(of: session, nas: nas)
        end.append(to: &attributes)
        return AccountingRecord(.tunnelLinkStop, at: time, attributes)
    }

    /// A session could not get into its tunnel (RFC 2867 section 3.6).
    public static func tunnelLinkReject(
        _ session: RADIUSSession, cause: TerminateCause, nas: NASIdentity, at time: UInt32
    ) -> AccountingRecord {
        var attributes = description(of: session, nas: nas)
        attributes.append(.acctTerminateCause, integer: cause.rawValue)
        return AccountingRecord(.tunnelLinkReject, at: time, attributes)
    }
}
