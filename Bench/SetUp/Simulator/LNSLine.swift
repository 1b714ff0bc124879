import L2TP
import PPP
import Timing

/// A PPP link at the LNS: one session of one tunnel.
struct LNSLine {
    let peerSessionID: UInt16
    var lcp: LCPEnd
    var ipcp: IPCPEnd
    var userName = ""
    var isAuthenticated = false
    /// The challenge that is out; a LAC's at first.
    var challenge: [UInt8] = []
    var challengeIdentifier: UInt8 = 0
    var echoIdentifier: UInt8 = 0
    /// Echoes without an answer.
    var unanswered: UInt8 = 0
    var echoAt = Instant.distantFuture
}

/// A tunnel of the LNSs.
final class LNSTunnel {
    let id: UInt16
    let address: UInt32
    let peerAddress: UInt32
    let peerPort: UInt16
    /// The id that the peer gave it.
    let peerTunnelID: UInt16
    let challenge: [UInt8]?
    var machine: Tunnel
    /// By our session id.
    var lines: [UInt16: LNSLine] = [:]
    var nextSession: UInt16 = 0

    init(
        id: UInt16, address: UInt32, peerAddress: UInt32, peerPort: UInt16, peerTunnelID: UInt16, challenge: [UInt8]?,
        machine: Tunnel
    ) {
        self.id = id
        self.address = address
        self.peerAddress = peerAddress
        self.peerPort = peerPort
        self.peerTunnelID = peerTunnelID
        self.challenge = challenge
        self.machine = machine
    }
}
