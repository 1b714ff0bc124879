import Host
import PPPoE
import Segment
import Timing
import Wire

/// A frame that the data plane handed over.
public struct PuntedFrame: Sendable {
    /// Why.
    public var puntClass: PuntClass
    /// Port it came in by.
    public var port: UInt16
    /// Upstream slot of the session it belongs to; `pppControl`, `tooBig` and `capture` only.
    public var upstreamSlot: UInt32?
    /// Octets of the longest PPP frame, from the protocol field on, that would have passed; `tooBig` only. Octets of the
    /// whole frame; `capture` only.
    public var detail: UInt32
    /// When the data plane had it, CLOCK_MONOTONIC in nanoseconds; nil: it does not say.
    public var timestamp: UInt64?
    /// What a copy says of itself; `capture` only.
    public var capture: CaptureMark
    /// The whole Ethernet frame without FCS.
    public var bytes: [UInt8]

    /// A frame of the given parts.
    public init(
        puntClass: PuntClass, port: UInt16, upstreamSlot: UInt32? = nil, detail: UInt32 = 0, timestamp: UInt64? = nil,
        capture: CaptureMark = CaptureMark(), bytes: [UInt8]
    ) {
        self.puntClass = puntClass
        self.port = port
        self.upstreamSlot = upstreamSlot
        self.detail = detail
        self.timestamp = timestamp
        self.capture = capture
        self.bytes = bytes
    }
}

extension ControlNode {
    /// Takes a frame that the data plane handed over. Its bytes are a stranger's.
    public func receive(_ punted: PuntedFrame, at now: Instant) {
        switch punted.puntClass {
        case .capture: return receiveCopy(punted)
        case .tooBig: break  // the data plane has copied it
        default: tap(punted.bytes, port: punted.port, .inbound, at: punted.timestamp)
        }
        switch punted.puntClass {
        case .pppoeDiscovery, .pppControl, .unknownSession:
            guard let frame = EthernetFrame(punted.bytes[...]) else { return }
            switch punted.puntClass {
            case .pppoeDiscovery: receiveDiscovery(frame, port: punted.port, at: now)
            case .pppControl: receivePPP(frame, port: punted.port, slot: punted.upstreamSlot, at: now)
            default: receiveUnknownSession(frame, port: punted.port)
            }
        case .tooBig:
            perform(
                host.answerTooBig(punted.bytes, largestPPPFrame: punted.detail, port: punted.port, at: now), at: now)
        case .capture: break
        case .arp, .ipv4, .ipv6, .l2tpControl, .l2tpUnknown:
            perform(host.receive(frame: punted.bytes, port: punted.port, at: now), at: now)
        }
    }

    /// Carries out what the host stack wishes.
    func perform(_ outputs: [HostOutput], at now: Instant) {
        for output in outputs {
            switch output {
            case .transmit(let frame, let port): transmit(frame, by: port)
            case .datagram(let datagram): receiveDatagram(datagram, at: now)
            case .nextHopChanged(let gateway, let port, let mac):
                logger.info(
                    "next hop \(mac == nil ? "lost" : "resolved")",
                    metadata: [
                        "next-hop": "\(gateway)", "port": "\(portName(port))", "mac": "\(mac?.description ?? "none")",
                    ])
                nextHopChanged(gateway: gateway, port: port, at: now)
            case .pathMTU(let local, let peer, let localPort, let peerPort, let tunnelID, let mtu):
                learnPathMTU(
                    mtu, from: UDPEndpoint(local, localPort), to: UDPEndpoint(peer, peerPort), peerTunnelID: tunnelID,
                    at: now)
            case .addressConflict(let address, let port, let other):
                logger.error(
                    "another station uses an address of this node; one of the two must be changed",
                    metadata: ["address": "\(address)", "port": "\(portName(port))", "mac": "\(other)"])
            }
        }
        agenda.schedule(.host, at: host.deadline)
    }

    /// The tags that name a VLAN. One with VLAN 0 carries a priority alone (IEEE 802.1Q, 9.6); the data plane passes over it
    /// as well.
    static func tags(of frame: EthernetFrame) -> [EthernetFrame.VLANTag] { frame.tags.filter { $0.id != 0 } }

    /// What serves the clients on a circuit.
    func accessInterface(of circuit: AttachmentCircuit) -> AccessInterface? {
        access[circuit.port]?.first { $0.serves(circuit) }
    }

    /// The circuit that a frame came in by; nil when the port serves no PPPoE, or not for these tags.
    func accessSide(of frame: EthernetFrame, port: UInt16) -> (AccessInterface, AttachmentCircuit)? {
        let tags = Self.tags(of: frame)
        let circuit = AttachmentCircuit(
            port: port, outerVLAN: tags.first?.id ?? 0, innerVLAN: tags.count > 1 ? tags[1].id : 0)
        return accessInterface(of: circuit).map { ($0, circuit) }
    }
}
