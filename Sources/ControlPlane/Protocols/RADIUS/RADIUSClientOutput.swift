import Wire

/// What a `RADIUSClient` wants done.
public enum RADIUSClientOutput: Hashable, Sendable {
    /// Send a UDP datagram from source socket `socket` (0 and up) of the address's family.
    case send([UInt8], socket: Int, to: IPAddress, port: UInt16)
    /// A request has ended; its handle means nothing any more.
    case finished(RADIUSRequestHandle, RADIUSResult)
    /// Worth a line in the log.
    case note(RADIUSClientNote)
}

/// Why a datagram was no answer. The request that it may have been meant for goes on as if it had not come.
public enum RADIUSAnswerFault: Hashable, Sendable, CustomStringConvertible {
    /// It came from an address and port that no server has.
    case unknownServer
    /// It is no RADIUS packet.
    case malformed(RADIUSPacket.Fault)
    /// A packet that is no answer, or one that this port does not give.
    case unexpectedCode(RADIUSCode)
    /// No request waits under its identifier: it came late, or again.
    case noRequest
    /// The Response Authenticator is wrong: it was forged, or the secrets differ.
    case authenticator
    /// Message-Authenticator is wrong.
    case messageAuthenticator
    /// Message-Authenticator is missing, and the server's settings demand it.
    case noMessageAuthenticator

    /// In words, for logs and `show`.
    public var description: String {
        switch self {
        case .unknownServer: "it comes from no configured server"
        case .malformed(let fault): "it is malformed: \(fault)"
        case .unexpectedCode(let code): "\(code) is no answer to what was asked"
        case .noRequest: "no request waits for it; it came late or twice"
        case .authenticator: "its authenticator is wrong; do the keys of node and server differ?"
        case .messageAuthenticator: "its Message-Authenticator is wrong; do the keys of node and server differ?"
        case .noMessageAuthenticator:
            "it has no Message-Authenticator; let the server send it, or set message-authenticator: optional"
        }
    }
}

/// Something that happened between the client and its servers and is worth a line in the log.
public enum RADIUSClientNote: Hashable, Sendable, CustomStringConvertible {
    /// A server did not answer and is asked last for `deadTime`.
    case serverDead(RADIUSServer.Key, RADIUSService, deadTime: Duration)
    /// A server that did not answer does again; `byStatusServer` says whether probes found it.
    case serverAlive(RADIUSServer.Key, RADIUSService, byStatusServer: Bool)
    /// A server that never answered Status-Server leaves it unanswered.
    case statusServerIgnored(RADIUSServer.Key, RADIUSService)
    /// A datagram was dropped.
    case answerDropped(from: IPAddress, port: UInt16, RADIUSAnswerFault)

    /// In words, for logs and `show`.
    public var description: String {
        switch self {
        case .serverDead(let server, let service, let deadTime):
            "RADIUS server \(server.address.text(port: server.port(of: service))) does not answer \(service.rawValue) "
                + "requests; others are asked before it for \(deadTime.components.seconds) s"
        case .serverAlive(let server, let service, let byStatusServer):
            "RADIUS server \(server.address.text(port: server.port(of: service))) answers "
                + "\(byStatusServer ? "Status-Server" : "\(service.rawValue) requests") again"
        case .statusServerIgnored(let server, let service):
            "RADIUS server \(server.address.text(port: server.port(of: service))) does not answer Status-Server; "
                + "if it does not know it, set status-server: false"
        case .answerDropped(let address, let port, let fault):
            "dropped a datagram from \(address.text(port: port)): \(fault)"
        }
    }
}
