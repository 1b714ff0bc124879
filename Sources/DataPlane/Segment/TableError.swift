/// Why a change to the tables was refused. What was there before stays as it was.
public enum TableError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Every session slot is taken or waits for the workers.
    case sessionsFull(capacity: UInt32)
    /// There are free session slots, but none that an id of this circuit can name: its 65,534 PPPoE session ids lie in four
    /// regions of the table, and those are full.
    case circuitFull(CircuitIndex)
    /// As `circuitFull`, for a tunnel's L2TP session ids.
    case tunnelFull(TunnelID)
    /// Every attachment circuit is taken.
    case circuitsFull(capacity: UInt32)
    /// Every VLAN block is taken.
    case vlanBlocksFull(capacity: UInt32)
    /// Every local tunnel id is taken.
    case tunnelsFull(capacity: UInt32)
    /// The data plane's settings have no such port.
    case noSuchPort(UInt16)
    /// More addresses of a kind than a port can have.
    case tooManyAddresses(Int)
    /// VLAN ids beyond 4,094, a second tag without a first one, or a tag protocol id that does not fit.
    case invalidTags(outerVLAN: UInt16, innerVLAN: UInt16, tpid: UInt16)
    /// The circuit exists with another tag protocol id.
    case otherTagProtocol(CircuitIndex, found: UInt16)
    /// No live circuit there.
    case noSuchCircuit(CircuitIndex)
    /// No tunnel there, or not in a state in which it can be asked for this.
    case noSuchTunnel(TunnelID)
    /// The tunnel was published before.
    case tunnelIsPublished(TunnelID)
    /// The tunnel still has sessions, this many.
    case tunnelInUse(TunnelID, sessions: UInt32)
    /// A published tunnel keeps its addresses, ports, peer tunnel id and port; only the way to the peer may change.
    case otherEndpoints(TunnelID)
    /// Every policer is taken: there are as many different sets of rates.
    case policersFull(capacity: UInt32)
    /// Rates out of their range.
    case invalidRates(PolicerRates)
    /// An MSS out of its range.
    case invalidMSS(UInt16)
    /// No session there, or not in a state in which it can be asked for this.
    case noSuchUpstreamSession(UpstreamSlot)
    /// No session there, or not in a state in which it can be asked for this.
    case noSuchDownstreamSession(DownstreamSlot)

    /// One line for an operator.
    public var description: String {
        switch self {
        case .sessionsFull(let capacity): "the session table is full (\(capacity) sessions)"
        case .circuitFull(let circuit): "no PPPoE session id is free on circuit \(circuit.rawValue)"
        case .tunnelFull(let tunnel): "no L2TP session id is free in tunnel \(tunnel.rawValue)"
        case .circuitsFull(let capacity): "the circuit table is full (\(capacity) circuits)"
        case .vlanBlocksFull(let capacity): "the VLAN table is full (\(capacity) blocks)"
        case .tunnelsFull(let capacity): "the tunnel table is full (\(capacity - 1) tunnels)"
        case .noSuchPort(let port): "there is no port \(port)"
        case .tooManyAddresses(let count): "\(count) addresses are more than a port can have"
        case .invalidTags(let outer, let inner, let tpid):
            "outer VLAN \(outer), inner VLAN \(inner), TPID 0x\(String(tpid, radix: 16)) name no circuit"
        case .otherTagProtocol(let circuit, let found):
            "circuit \(circuit.rawValue) is tagged with TPID 0x\(String(found, radix: 16))"
        case .noSuchCircuit(let circuit): "there is no circuit \(circuit.rawValue)"
        case .noSuchTunnel(let tunnel): "there is no such tunnel \(tunnel.rawValue)"
        case .tunnelIsPublished(let tunnel): "tunnel \(tunnel.rawValue) is in service"
        case .tunnelInUse(let tunnel, let sessions): "tunnel \(tunnel.rawValue) has \(sessions) sessions"
        case .otherEndpoints(let tunnel): "tunnel \(tunnel.rawValue) cannot change its addresses, ports or peer id"
        case .policersFull(let capacity): "the policer table is full (\(capacity) different sets of rates)"
        case .invalidRates(let rates):
            "committed rate \(rates.committedRate), peak rate \(rates.peakRate), bursts \(rates.committedBurst) and "
                + "\(rates.peakBurst) are no policer"
        case .invalidMSS(let mss):
            "an MSS of \(mss) is not within \(SessionFeatures.mssRange.lowerBound) to \(SessionFeatures.mssRange.upperBound)"
        case .noSuchUpstreamSession(let slot): "there is no such session in upstream slot \(slot.rawValue)"
        case .noSuchDownstreamSession(let slot): "there is no such session in downstream slot \(slot.rawValue)"
        }
    }
}
