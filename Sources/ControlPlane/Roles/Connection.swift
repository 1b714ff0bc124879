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
        /// The client is being told that it is over; a PADT follows its answer, or its silence.
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
    var clientKey: ClientKey { ClientKey(client: client, circuit: circuit) }
    var key: SessionKey { SessionKey(client: client, circuit: circuit, sessionID: upstream.sessionID) }
}

/// What a PADT, or any frame of a session, names: client, circuit and PPPoE session id together. The number alone is not
/// enough: the PADT of a session that is long gone must not end the one that has its number now.
struct SessionKey: Hashable {
    var client: MACAddress
    var circuit: AttachmentCircuit
    var sessionID: UInt16
}

/// A client where it is attached.
struct ClientKey: Hashable {
    var client: MACAddress
    var circuit: AttachmentCircuit
}

/// Names a call of the LAC: the local tunnel id and the local session id within it.
struct CallID: Hashable {
    var tunnel: UInt16
    var session: UInt16
}
