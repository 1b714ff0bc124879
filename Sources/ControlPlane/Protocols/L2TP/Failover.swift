import Wire

/// The numbers and ids that RFC 4951 adds to control messages. It writes each with 32 bits, for L2TPv3's sake, behind sixteen that are
/// reserved; in L2TPv2 the upper halves are 0:
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |       Attribute Type          |           Reserved            |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |       Recover Tunnel ID, Suggested Ns, or Session ID          |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |  Recover Remote Tunnel ID, Suggested Nr, or Remote Session ID |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
private struct Pair {
    var first: UInt16
    var second: UInt16

    init(_ first: UInt16, _ second: UInt16) {
        self.first = first
        self.second = second
    }

    init?(wire: ArraySlice<UInt8>) {
        var reader = ByteReader(wire)
        guard reader.readUInt16() != nil, let first = reader.readUInt32().flatMap(UInt16.init(exactly:)),
            let second = reader.readUInt32().flatMap(UInt16.init(exactly:))
        else { return nil }
        self.init(first, second)
    }

    var wire: [UInt8] {
        var writer = ByteWriter(capacity: 10)
        writer.write(UInt16(0))
        writer.write(UInt32(first))
        writer.write(UInt32(second))
        return writer.bytes
    }
}

/// Failover Capability (RFC 4951): what an end can recover after it has failed, and how long that takes.
public struct FailoverCapability: Hashable, Sendable {
    /// Bit C: the control channel is recovered, by a recovery tunnel.
    public var controlChannel: Bool
    /// Bit D: the data channel fails as well, and numbers of data messages begin anew.
    public var dataChannel: Bool
    /// Milliseconds that the peer is asked to wait beyond the time after which it takes us for lost; 0: none.
    public var recoveryTime: UInt32

    /// A capability of these parts; the time in milliseconds.
    public init(controlChannel: Bool = true, dataChannel: Bool = false, recoveryTime: UInt32) {
        self.controlChannel = controlChannel
        self.dataChannel = dataChannel
        self.recoveryTime = recoveryTime
    }

    /// The time that is really waited: a peer's number is not trusted with the 49 days that it could be.
    var wait: Duration { min(.milliseconds(Int64(recoveryTime)), .seconds(3600)) }

    init?(wire: ArraySlice<UInt8>) {
        var reader = ByteReader(wire)
        guard let bits = reader.readUInt16(), let time = reader.readUInt32() else { return nil }
        self.init(bits: bits, recoveryTime: time)
    }

    /// A capability of these bits, as the AVP has them; the time in milliseconds.
    public init(bits: UInt16, recoveryTime: UInt32) {
        self.init(controlChannel: bits & 1 != 0, dataChannel: bits & 2 != 0, recoveryTime: recoveryTime)
    }

    /// The AVP's bits: 1 for the control channel, 2 for the data channel.
    public var bits: UInt16 { (controlChannel ? 1 : 0) | (dataChannel ? 2 : 0) }

    var wire: [UInt8] {
        var writer = ByteWriter(capacity: 6)
        writer.write(bits)
        writer.write(recoveryTime)
        return writer.bytes
    }
}

/// Tunnel Recovery (RFC 4951): the tunnel whose control channel is to be recovered, as its sender sees it.
public struct TunnelRecovery: Hashable, Sendable {
    /// Recover Tunnel ID: the id that the sender had assigned; not 0.
    public var tunnelID: UInt16
    /// Recover Remote Tunnel ID: the id that the receiver had assigned; not 0.
    public var remoteTunnelID: UInt16

    /// A tunnel between these ids.
    public init(tunnelID: UInt16, remoteTunnelID: UInt16) {
        self.tunnelID = tunnelID
        self.remoteTunnelID = remoteTunnelID
    }

    init?(wire: ArraySlice<UInt8>) {
        guard let pair = Pair(wire: wire), pair.first != 0, pair.second != 0 else { return nil }
        self.init(tunnelID: pair.first, remoteTunnelID: pair.second)
    }

    var wire: [UInt8] { Pair(tunnelID, remoteTunnelID).wire }
}

/// Ns and Nr that an end begins a control channel with. In the Suggested Control Sequence AVP (RFC 4951) these are the ones that the
/// AVP's receiver is to use.
public struct ControlSequence: Hashable, Sendable {
    /// Ns of its first message.
    public var ns: UInt16
    /// Ns of the first message that it expects.
    public var nr: UInt16

    /// A beginning with these numbers.
    public init(ns: UInt16, nr: UInt16) {
        self.ns = ns
        self.nr = nr
    }

    /// Where every control channel begins.
    public static let zero = ControlSequence(ns: 0, nr: 0)

    /// The same beginning as the other end sees it.
    var reversed: ControlSequence { ControlSequence(ns: nr, nr: ns) }

    init?(wire: ArraySlice<UInt8>) {
        guard let pair = Pair(wire: wire) else { return nil }
        self.init(ns: pair.first, nr: pair.second)
    }

    var wire: [UInt8] { Pair(ns, nr).wire }
}

/// Failover Session State (RFC 4951): a session as the sender of FSQ or FSR sees it.
public struct FailoverSession: Hashable, Sendable {
    /// Session ID: the id that the sender assigned. 0 in FSR: the sender knows no such session.
    public var sessionID: UInt16
    /// Remote Session ID: the id that the receiver assigned.
    public var remoteSessionID: UInt16

    /// A session between these ids.
    public init(sessionID: UInt16, remoteSessionID: UInt16) {
        self.sessionID = sessionID
        self.remoteSessionID = remoteSessionID
    }

    init?(wire: ArraySlice<UInt8>) {
        guard let pair = Pair(wire: wire) else { return nil }
        self.init(sessionID: pair.first, remoteSessionID: pair.second)
    }

    var wire: [UInt8] { Pair(sessionID, remoteSessionID).wire }
}
