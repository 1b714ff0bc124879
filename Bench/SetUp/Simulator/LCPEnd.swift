import PPP

/// One end of LCP (RFC 1661) that takes what the other end asks for, where it knows it: a client's, or that of an LNS which
/// has to negotiate anew. The product's own `LCPEndpoint` is what it is measured against, so it is not that.
struct LCPEnd {
    /// What we demand of the peer; nil: nothing.
    let demanded: AuthenticationProtocol?
    /// By what we authenticate ourselves, the best first; empty: we do not.
    let offered: [AuthenticationProtocol]
    /// Our magic number.
    private(set) var magic: UInt32
    private(set) var isOurs = false
    private(set) var isTheirs = false
    /// What the peer has us do.
    private(set) var agreed: AuthenticationProtocol?
    private var mru: UInt16?
    private var identifier: UInt8 = 0

    init(magic: UInt32, mru: UInt16?, demanded: AuthenticationProtocol? = nil, offered: [AuthenticationProtocol] = []) {
        self.magic = magic
        self.mru = mru
        self.demanded = demanded
        self.offered = offered
    }

    /// An end whose link was opened by somebody else in its name: an LNS's, by the LAC's proxy LCP.
    static func opened(magic: UInt32, demanded: AuthenticationProtocol?) -> LCPEnd {
        var end = LCPEnd(magic: magic, mru: nil, demanded: demanded)
        (end.isOurs, end.isTheirs) = (true, true)
        return end
    }

    /// Whether the link is open.
    var isOpen: Bool { isOurs && isTheirs }

    /// Starts over.
    mutating func reset() { (isOurs, isTheirs, agreed) = (false, false, nil) }

    /// Our Configure-Request, the first one or one more.
    mutating func request() -> ControlPacket {
        identifier &+= 1
        var options: [LCPOption] = []
        if let mru { options.append(.maximumReceiveUnit(mru)) }
        if let demanded { options.append(.authenticationProtocol(demanded)) }
        options.append(.magicNumber(magic))
        return ControlPacket(code: LCPCode.configureRequest.rawValue, identifier: identifier, data: options.encoded)
    }

    /// Takes one of the four Configure packets; answers what is to be sent.
    mutating func receive(_ packet: ControlPacket) -> ControlPacket? {
        guard let options = try? LCPOption.list(parsing: packet.data[...]) else { return nil }
        switch LCPCode(rawValue: packet.code) {
        case .configureRequest: return answer(packet, options)
        case .configureAck where packet.identifier == identifier: isOurs = true
        case .configureNak where packet.identifier == identifier:
            for option in options {
                switch option {
                case .maximumReceiveUnit(let octets): mru = octets
                case .magicNumber: magic = magic &* 0x9e37_79b1 | 1
                default: break
                }
            }
            return request()
        case .configureReject where packet.identifier == identifier:
            if options.contains(where: { if case .maximumReceiveUnit = $0 { true } else { false } }) { mru = nil }
            return request()
        default: break
        }
        return nil
    }

    private mutating func answer(_ packet: ControlPacket, _ options: [LCPOption]) -> ControlPacket {
        let foreign = options.filter { option in
            switch option {
            case .maximumReceiveUnit, .magicNumber: false
            case .authenticationProtocol: offered.isEmpty
            default: true
            }
        }
        if !foreign.isEmpty { return reply(.configureReject, packet, foreign.encoded) }
        for case .authenticationProtocol(let wanted) in options where !offered.contains(wanted) {
            return reply(.configureNak, packet, offered.prefix(1).map(LCPOption.authenticationProtocol).encoded)
        }
        agreed = nil
        for case .authenticationProtocol(let wanted) in options { agreed = wanted }
        isTheirs = true
        return reply(.configureAck, packet, packet.data)
    }

    /// The answer to an Echo-Request.
    func echoReply(_ packet: ControlPacket) -> ControlPacket {
        reply(.echoReply, packet, magic.octets + packet.data.dropFirst(4))
    }

    /// An Echo-Request.
    func echoRequest(_ identifier: UInt8) -> ControlPacket {
        ControlPacket(code: LCPCode.echoRequest.rawValue, identifier: identifier, data: magic.octets)
    }

    private func reply(_ code: LCPCode, _ packet: ControlPacket, _ data: [UInt8]) -> ControlPacket {
        ControlPacket(code: code.rawValue, identifier: packet.identifier, data: data)
    }
}
