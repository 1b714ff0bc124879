import Wire

/// Access line AVPs of ICRQ (RFC 5515, section 5): rates have eight octets and are in bit/s, delays four and are in ms, IWF-Session
/// four, of which 1 means that there is interworking.
extension AccessLineInformation {
    init(_ set: AttributeSet) {
        self.init()
        agentCircuitID = set.bytes(.agentCircuitID)
        agentRemoteID = set.bytes(.agentRemoteID)
        for attribute in Attribute.allCases {
            guard let type = AttributeType(attribute) else { continue }
            switch attribute.form {
            case .rate: figures[attribute] = set.uint64(type)
            case .delay, .number: figures[attribute] = set.uint32(type).map(UInt64.init)
            case .identifier, .encapsulation, .flag: break
            }
        }
        if let value = set.bytes(.accessLoopEncapsulation), value.count == 3 {
            encapsulation = Encapsulation(dataLink: value[0], first: value[1], second: value[2])
        }
        isInterworked = set.uint32(.interworking) == 1
    }

    func write(to writer: inout AttributeWriter) {
        for attribute in Attribute.allCases {
            guard let type = AttributeType(attribute) else { continue }
            switch attribute.form {
            case .identifier: writer.put(type, attribute == .agentCircuitID ? agentCircuitID : agentRemoteID)
            case .rate: writer.put(type, figures[attribute])
            case .delay, .number: writer.put(type, figures[attribute].map { UInt32(clamping: $0) })
            case .encapsulation: writer.put(type, encapsulation.map { [$0.dataLink, $0.first, $0.second] })
            case .flag: if isInterworked { writer.put(type, 1 as UInt32) }
            }
        }
    }
}
