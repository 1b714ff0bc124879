import Timing
import Wire

/// The access concentrator's side of PPPoE discovery (RFC 2516, RFC 4638) on one access interface.
///
/// It remembers nothing: an offer carries its proof in the AC-Cookie. Whoever calls it allocates the session when it says
/// `open`, and keeps what has to be kept, in particular the PADS of a session that is being set up, to be sent again when
/// the same PADR comes again (`SessionRequest.key`).
public struct DiscoveryServer: Sendable {
    /// Largest PPP payload of an Ethernet frame of 1,500 octets (RFC 2516 section 7).
    public static let defaultMaxPayload = 1492

    /// AC-Name in every PADO.
    public var acName: String
    /// The interface's own MAC address.
    public var macAddress: MACAddress
    /// Largest Ethernet payload of the interface in octets, without VLAN tags; bounds answers and PPP-Max-Payload.
    public var linkMTU: Int
    /// The instances bound to the interface, in order of the configuration.
    public var instances: [ServiceInstance]
    /// Makes and checks AC-Cookies; one secret may serve all interfaces.
    public var cookie: ACCookie

    /// A server with these settings.
    public init(
        acName: String, macAddress: MACAddress, linkMTU: Int, instances: [ServiceInstance], cookie: ACCookie
    ) {
        self.acName = acName
        self.macAddress = macAddress
        self.linkMTU = linkMTU
        self.instances = instances
        self.cookie = cookie
    }

    /// What became of a received frame.
    public enum Outcome: Hashable, Sendable {
        /// Send this to the frame's source: a PADO, or a PADS that refuses.
        case send(DiscoveryPacket)
        /// A PADR with a good cookie: allocate a session, then send `pads(for:sessionID:)` or `pads(refusing:as:text:)`.
        case open(SessionRequest)
        /// A PADT: end the session if number, MAC address and circuit are those of one.
        case terminate(Termination)
        /// Send nothing; count why.
        case drop(Refusal)
    }

    /// Why a frame gets no answer.
    public struct Refusal: Hashable, Sendable {
        /// The reason by name.
        public enum Reason: Hashable, Sendable {
            /// Not a discovery packet, or a damaged one.
            case malformed(DiscoveryPacket.DecodeError.Reason)
            /// The source address has the group bit or is zero.
            case sourceAddress
            /// Neither to us nor, a PADI, to the broadcast address.
            case destinationAddress
            /// A packet that only access concentrators send.
            case unexpectedCode
            /// Not exactly one Service-Name tag (RFC 2516 sections 5.1 and 5.3).
            case serviceNameCount
            /// A PADI for a service that no instance of the interface offers. Nothing is wrong with it.
            case serviceNotOffered
            /// A PADR without AC-Cookie.
            case cookieMissing
            /// A PADR whose AC-Cookie is forged, another client's, or older than its lifetime.
            case cookieInvalid
            /// With the tags that have to be returned, the answer would not fit the link.
            case answerTooLong
        }

        /// The reason.
        public var reason: Reason
        /// The packet's code where it could be read.
        public var code: DiscoveryPacket.Code?

        /// A refusal with these fields.
        public init(_ reason: Reason, code: DiscoveryPacket.Code?) {
            self.reason = reason
            self.code = code
        }

        /// Whether the packet is to be counted as invalid; false when it is well-formed and simply not for us.
        public var isInvalid: Bool { reason != .serviceNotOffered }
    }

    /// Takes a frame of EtherType 0x8863.
    ///
    /// - Parameters:
    ///   - bytes: What follows the EtherType, padding included.
    ///   - source: The frame's source address.
    ///   - destination: The frame's destination address.
    ///   - circuit: Where the frame came in.
    ///   - now: The time of its arrival.
    public func receive(
        _ bytes: ArraySlice<UInt8>, from source: MACAddress, to destination: MACAddress, on circuit: AttachmentCircuit,
        at now: Instant
    ) -> Outcome {
        let packet: DiscoveryPacket
        do {
            packet = try DiscoveryPacket(parsing: bytes)
        } catch {
            return .drop(Refusal(.malformed(error.reason), code: error.code))
        }
        guard !source.isMulticast, source.value != 0 else { return .drop(Refusal(.sourceAddress, code: packet.code)) }
        guard destination == macAddress || packet.code == .padi && destination == .broadcast else {
            return .drop(Refusal(.destinationAddress, code: packet.code))
        }
        switch packet.code {
        case .padi: return answer(padi: packet, from: source, on: circuit, at: now)
        case .padr: return answer(padr: packet, from: source, on: circuit, at: now)
        case .padt:
            return .terminate(
                Termination(
                    client: source, circuit: circuit, sessionID: packet.sessionID,
                    errorText: packet.first(.genericError)?.text))
        case .pado, .pads: return .drop(Refusal(.unexpectedCode, code: packet.code))
        }
    }

    /// A PADT that ends session `sessionID`; `errorText` goes out as Generic-Error (RFC 2516 section 5.5).
    public static func padt(sessionID: UInt16, errorText: String? = nil) -> DiscoveryPacket {
        let text = errorText.map { DiscoveryTag(.genericError, $0.utf8.prefix(256)) }
        return DiscoveryPacket(code: .padt, sessionID: sessionID, tags: text.map { [$0] } ?? [])
    }
}

/// A client's PADT.
public struct Termination: Hashable, Sendable {
    /// Who sent it.
    public var client: MACAddress
    /// Where it came in.
    public var circuit: AttachmentCircuit
    /// The session it ends; never 0.
    public var sessionID: UInt16
    /// The text of its Generic-Error tag.
    public var errorText: String?

    /// A termination with these fields.
    public init(client: MACAddress, circuit: AttachmentCircuit, sessionID: UInt16, errorText: String?) {
        self.client = client
        self.circuit = circuit
        self.sessionID = sessionID
        self.errorText = errorText
    }
}
