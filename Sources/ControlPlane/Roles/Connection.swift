import PPP
import PPPoE
import Timing
import Wire

/// One subscriber from PADR to PADT: a PPPoE session on the access side and, once the LNS is chosen, a call on the
/// tunnel side. The seed's screens call it a route.
struct Connection {
    /// How far it has come.
    enum Phase: Equatable {
        /// LCP and authentication with the client.
        case negotiating
        /// The LNS is chosen; tunnel or session are not up yet.
        case connecting
        /// Data flows between client and LNS.
        case open
        /// The client has been told that it is over; what it still says is heard until `deadline`.
        case closing
    }

    /// The operator's number for the route, unique while the daemon runs.
    let routeID: UInt32
    /// The PADR that opened it.
    let request: SessionRequest
    /// Tags of the client's frames, outer first, sent back as received.
    let tags: [EthernetFrame.VLANTag]
    /// Upstream slot and PPPoE session id.
    let upstream: UpstreamHandle
    /// When the PADS was sent.
    let createdAt: Instant
    /// LCP and authentication up to the user's name.
    var link: PartialTermination
    var phase = Phase.negotiating
    /// The client's name as it gave it in PAP or CHAP, empty before.
    var userName = ""
    /// The call that carries it, from `connecting` on.
    var call: CallID?

    var client: MACAddress { request.key.client }
    var circuit: AttachmentCircuit { request.key.circuit }
}

/// Names a call of the LAC: the local tunnel id and the local session id within it.
struct CallID: Hashable {
    var tunnel: UInt16
    var session: UInt16
}
