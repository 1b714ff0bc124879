import PPP

/// One end of IPCP (RFC 1332), as much of it as it takes for both ends to have an address.
struct IPCPEnd {
    static let proto = PPPProtocol(rawValue: 0x8021)
    private static let addressType: UInt8 = 3

    /// Our address; 0 asks the peer for one.
    private(set) var address: UInt32
    /// The address that the peer has to take; nil: its own.
    let assigned: UInt32?
    private(set) var isOurs = false
    private(set) var isTheirs = false
    private var identifier: UInt8 = 0

    init(address: UInt32, assigned: UInt32?) {
        self.address = address
        self.assigned = assigned
    }

    /// Whether both ends agree.
    var isOpen: Bool { isOurs && isTheirs }

    /// Our Configure-Request, the first one or one more.
    mutating func request() -> ControlPacket {
        identifier &+= 1
        return ControlPacket(
            code: LCPCode.configureRequest.rawValue, identifier: identifier,
            data: [PPPOption(type: Self.addressType, value: address.octets)].octets)
    }

    /// Takes a packet; answers what is to be sent.
    mutating func receive(_ packet: ControlPacket) -> ControlPacket? {
        switch LCPCode(rawValue: packet.code) {
        case .configureRequest: return answer(packet)
        case .configureAck where packet.identifier == identifier: isOurs = true
        case .configureNak where packet.identifier == identifier:
            let option = PPPOption.list(packet.data)?.first { $0.type == Self.addressType }
            guard let told = option.flatMap({ UInt32(octets: $0.value) }) else { return nil }
            address = told
            return request()
        default: break
        }
        return nil
    }

    private mutating func answer(_ packet: ControlPacket) -> ControlPacket? {
        guard let options = PPPOption.list(packet.data) else { return nil }
        let foreign = options.filter { $0.type != Self.addressType }
        if !foreign.isEmpty { return reply(.configureReject, packet, foreign.octets) }
        if let assigned, options.contains(where: { $0.value != assigned.octets }) {
            let wanted = [PPPOption(type: Self.addressType, value: assigned.octets)]
            return reply(.configureNak, packet, wanted.octets)
        }
        isTheirs = true
        return reply(.configureAck, packet, packet.data)
    }

    private func reply(_ code: LCPCode, _ packet: ControlPacket, _ data: [UInt8]) -> ControlPacket {
        ControlPacket(code: code.rawValue, identifier: packet.identifier, data: data)
    }
}
