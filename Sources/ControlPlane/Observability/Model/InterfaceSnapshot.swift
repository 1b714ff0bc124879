import Wire

/// An interface as `show interface` knows it: a port of the data plane, or the PPP link of a subscriber.
public struct InterfaceSnapshot: Hashable, Sendable, Encodable {
    /// What an interface is, raw values as operators see them.
    public enum Hardware: String, Hashable, Sendable, Encodable, CaseIterable {
        /// A port.
        case ethernet = "Ethernet"
        /// A client's PPPoE session and what it leads into.
        case ppp = "PPP"
    }

    /// `access0`; `pppoe` and the route's id for a subscriber.
    public var name: String
    /// What it is.
    public var hardware: Hardware
    /// Whether frames pass.
    public var isUp: Bool
    /// Whether it takes no new clients.
    public var isDrained = false
    /// The port's number, or the route's id.
    public var index: UInt32
    /// Largest packet, octets; 0: not known yet.
    public var mtu: UInt16
    /// The port's address; for a subscriber, that of the client. Nil: none.
    public var mac: MACAddress?
    /// The node's own addresses on it.
    public var addresses: [IPAddress] = []
    /// Mbit/s; 0: not known.
    public var linkSpeedMbps: UInt32 = 0
    /// What is served on a port: `access`, `core`.
    public var roles: [String] = []
    /// A subscriber's port with its VLANs; empty for a port.
    public var underlying = ""
    /// A subscriber's name.
    public var userName = ""
    /// A subscriber's pppoe-ac instance.
    public var instance = ""
    /// State of a subscriber's route.
    public var state = ""
    /// Local ids of the tunnel and the session that a subscriber's frames go into; 0: none yet.
    public var tunnelID: UInt16 = 0
    /// Local session id.
    public var sessionID: UInt16 = 0
    /// Received and sent by the interface: of a port, frames; of a subscriber, PPP frames from and to the client.
    public var traffic = Traffic()
    /// Frames that came in and were dropped: by the device, or by the subscriber's policer.
    public var droppedIn: UInt64 = 0
    /// Frames that were to leave and were dropped.
    public var droppedOut: UInt64 = 0
    /// When a subscriber's route was made; nil for a port.
    public var since: Timestamp?

    /// The interface of a port.
    public init(_ port: PortSnapshot, isDrained: Bool = false) {
        name = port.name
        hardware = .ethernet
        isUp = port.linkUp
        self.isDrained = isDrained
        index = UInt32(port.index)
        mtu = port.mtu
        mac = port.mac
        addresses = port.addresses
        linkSpeedMbps = port.linkSpeedMbps
        roles = (port.access ? ["access"] : []) + (port.core ? ["core"] : [])
        func count(_ name: String) -> UInt64 { port.counters.first { $0.name == name }?.value ?? 0 }
        traffic = Traffic(
            rxPackets: count("rx_packets"), rxOctets: count("rx_octets"), txPackets: count("tx_packets"),
            txOctets: count("tx_octets"))
        droppedIn = count("rx_missed") &+ count("rx_errors")
        droppedOut = count("tx_errors")
    }

    /// The interface of a subscriber, with its session once there is one.
    public init(_ connection: PPPoEConnectionSnapshot, session: SessionSnapshot?) {
        name = Self.name(ofRoute: connection.routeID)
        hardware = .ppp
        isUp = connection.state == .open
        index = connection.routeID
        mtu = connection.mru
        mac = connection.clientMAC
        underlying = connection.interfaceName
        userName = connection.userName
        instance = connection.instance
        state = connection.state.rawValue
        tunnelID = connection.tunnelID
        sessionID = connection.sessionID
        since = connection.createdAt
        guard let session else { return }
        // The session counts as the tunnel's side sees it: what it sends came in from the client.
        traffic = Traffic(
            rxPackets: session.data.txPackets, rxOctets: session.data.txOctets, txPackets: session.data.rxPackets,
            txOctets: session.data.rxOctets)
        droppedIn = session.upstreamPolicedPackets
        droppedOut = session.downstreamPolicedPackets &+ session.dataRxErrors
    }

    /// The name of the interface of the subscriber with this route id.
    public static func name(ofRoute id: UInt32) -> String { "pppoe\(id)" }

    /// The route id in an interface's name; nil when it names no subscriber.
    public static func route(inName name: String) -> UInt32? {
        guard name.hasPrefix("pppoe"), let id = UInt32(name.dropFirst(5)), id != 0 else { return nil }
        return id
    }
}
