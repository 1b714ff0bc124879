import Names
import PPP
import PPPoE
import RADIUS
import Timing
import Wire

/// One subscriber from PADR to PADT: a PPPoE session on the access side and, once the LNS is chosen, a call on the
/// tunnel side. The seed's screens call it a route.
struct Connection {
    /// How far it has come.
    enum Phase: Equatable {
        /// LCP and authentication with the client.
        case negotiating
        /// The client has said who it is; its LNS is being looked up.
        case choosing
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
    /// LCP and authentication up to the user's name; nil once the connection is open: its PPP is the LNS's then.
    var link: PartialTermination?
    var phase = Phase.negotiating
    /// The client's name in the octets that it gave in PAP, CHAP or EAP, empty before.
    var userOctets: [UInt8] = []
    /// When it became open.
    var openedAt = Instant.zero
    /// Whether the store has heard of it.
    var isStored = false
    /// The call that carries it, from `connecting` on.
    var call: CallID?
    /// The LNSs that have not been tried yet, while it is not open.
    var choice: LNSChoice?
    /// Whether the domain map's `default` or `none` has been followed.
    var hasFallenBack = false

    /// The name that is waited for.
    var nameWaiter: ControlNode.NameWaiter?
    /// The RADIUS server's answer that is waited for.
    var radiusRequest: RADIUSRequestHandle?
    /// What RADIUS has said of the user.
    var authorization: SessionAuthorization?
    /// Its accounting, while it is up.
    var accounting: SessionAccounting?
    /// Why it ends, once that is known.
    var terminateCause: TerminateCause?
    /// Packets in both directions when the line was looked at last for its idle time, and since when they have not changed.
    var activity: (packets: UInt64, since: Instant)?

    /// The client's name as text; octets that are not UTF-8 are shown as U+FFFD.
    var userName: String { String(decoding: userOctets, as: UTF8.self) }
    /// The domain in the user's name; nil when it has none.
    var domain: HostName? { UserDomain.of(userName) }

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
