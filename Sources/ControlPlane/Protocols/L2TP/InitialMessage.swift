/// What a stranger may say to tunnel id 0: open a tunnel, or give up one whose id it has not learnt.
///
/// Decoded without any state, so that nothing is allocated for a datagram that is not a complete, valid message.
public enum InitialMessage: Sendable {
    /// SCCRQ. A tunnel that takes it is made with `Tunnel.init(…)`, and is then handed the same datagram.
    case request(StartControlConnection)
    /// StopCCN by a peer that never learnt our tunnel id; `assignedTunnelID`, with the datagram's source, names the
    /// tunnel, which is then handed the datagram.
    case stop(assignedTunnelID: UInt16, StopCode)

    /// Why a datagram is not one of these; it is dropped.
    public enum Fault: Error, Sendable {
        /// No usable control header.
        case header(ControlHeader.Fault)
        /// The header names a tunnel or a session.
        case notInitial
        /// Neither SCCRQ with Ns 0 nor StopCCN.
        case unexpected
        /// The message itself cannot be accepted.
        case message(MessageFault)
    }

    /// The StopCCN that refuses `request` without a tunnel being made for it: nothing is remembered, and when SCCRQ comes again
    /// it is answered again. No id is assigned, so the message has 0 for one. A message of `code` that does not fit is left out.
    public static func refusal(of request: StartControlConnection, _ code: StopCode) -> [UInt8]? {
        guard let body = try? ControlMessage.stop(assignedTunnelID: 0, code).encode() else { return nil }
        return ControlHeader(tunnelID: request.assignedTunnelID, sessionID: 0, ns: 0, nr: 1).encode(body: body)
    }

    /// Decodes a UDP payload. `secret` is needed only when the sender hides AVPs.
    public static func decode(_ datagram: ArraySlice<UInt8>, secret: [UInt8]? = nil) throws(Fault) -> InitialMessage {
        let header: ControlHeader
        let body: ArraySlice<UInt8>
        do { (header, body) = try ControlHeader.decode(datagram) } catch { throw .header(error) }
        guard header.tunnelID == 0, header.sessionID == 0 else { throw .notInitial }
        let message: ControlMessage?
        do { message = try ControlMessage.decode(body, secret: secret).message } catch { throw .message(error) }
        switch message {
        case .startRequest(let start) where header.ns == 0: return .request(start)
        case .stop(let assignedTunnelID, let code): return .stop(assignedTunnelID: assignedTunnelID, code)
        default: throw .unexpected
        }
    }
}
