import PPP
import PPPoE
import Timing
import Wire

/// One PPPoE client, from PADI to a link whose echoes come back: discovery (RFC 2516), LCP, CHAP or PAP, IPCP.
///
/// It is up when its LNS has let it in, both ends of IPCP are open, and an LCP echo has been answered through the tunnel.
struct SimulatedClient {
    enum Phase: UInt8 {
        /// It has no session and wants none.
        case idle
        /// It waits before it dials.
        case waiting
        /// PADI, PADR were sent.
        case discovering, requesting
        /// LCP, CHAP or PAP, IPCP and the first echo are under way.
        case negotiating, authenticating, networking
        case up
        /// Terminate-Request was sent.
        case terminating
    }

    let number: Int
    var phase = Phase.idle
    var sessionID: UInt16 = 0
    var lcp: LCPEnd
    var ipcp = IPCPEnd(address: 0, assigned: nil)
    var hasEcho = false
    var echoIdentifier: UInt8 = 0
    /// Echoes without an answer.
    var unanswered: UInt8 = 0
    /// How often the request in hand was sent.
    var tries: UInt8 = 0
    var papIdentifier: UInt8 = 0
    /// Tells this dialling from those before.
    var dial: UInt16 = 0
    var cookie: [UInt8] = []
    var dialledAt = Instant.zero
    /// When it is to be looked at.
    var deadline = Instant.distantFuture

    init(number: Int, settings: ClientSettings) {
        self.number = number
        lcp = LCPEnd(
            magic: UInt32(truncatingIfNeeded: number) &* 2_654_435_761 | 1, mru: settings.mru,
            offered: settings.offered(number))
    }

    /// Whether it is on its way up.
    var isDialling: Bool {
        switch phase {
        case .discovering, .requesting, .negotiating, .authenticating, .networking: true
        case .idle, .waiting, .up, .terminating: false
        }
    }

    /// Whether it has a PPPoE session.
    var hasSession: Bool {
        switch phase {
        case .negotiating, .authenticating, .networking, .up, .terminating: true
        case .idle, .waiting, .discovering, .requesting: false
        }
    }

    /// Its mark in PADI and PADR.
    var hostUniq: [UInt8] { UInt32(truncatingIfNeeded: number).octets + [UInt8(dial >> 8), UInt8(dial & 255)] }
}
