import Timing
import Wire

// Duplicate address detection (RFC 4862 section 5.4) for the node's own IPv6 addresses.
extension HostStack {
    /// Asks whether anybody else uses one of the node's IPv6 addresses; they are tentative until the time to answer is over.
    ///
    /// The random delay of section 5.4.2 is for nodes that start together after a power failure and would speak all at
    /// once; this one speaks for a few configured addresses and does not wait.
    mutating func startAddressDetection(at now: Instant, into outputs: inout [HostOutput]) {
        for interface in interfaces.values.sorted(by: { $0.port < $1.port }) {
            for address in interface.ipv6Addresses {
                startAddressDetection(of: address, on: interface, at: now, into: &outputs)
            }
        }
    }

    mutating func startAddressDetection(
        of address: IPv6Address, on interface: HostInterface, at now: Instant, into outputs: inout [HostOutput]
    ) {
        tentative[Neighbour.Key(port: interface.port, address: .v6(address))] = now + limits.retryInterval
        let question = NeighbourMessage(.solicitation, target: address, linkLayerAddress: nil)
        transmit(
            question, from: .unspecified, to: address.solicitedNode, at: MACAddress(group: address.solicitedNode),
            by: interface.mac, port: interface.port, into: &outputs)
    }

    /// Takes addresses into use that nobody has claimed in time, and says so to everybody.
    mutating func finishAddressDetection(at now: Instant, into outputs: inout [HostOutput]) {
        for key in tentative.filter({ $0.value <= now }).keys.sorted() {
            tentative[key] = nil
            guard let interface = interfaces[key.port] else { continue }
            announce(key.address, on: interface, into: &outputs)
        }
    }

    /// Somebody else uses a tentative address, or wants it as well: it stays out of use, until the node is started anew with
    /// the fault mended.
    mutating func giveUp(
        _ address: IPv6Address, with mac: MACAddress, on interface: HostInterface, into outputs: inout [HostOutput]
    ) {
        let key = Neighbour.Key(port: interface.port, address: .v6(address))
        tentative[key] = nil
        duplicates.insert(key)
        counters[.addressDuplicate] += 1
        outputs.append(.addressConflict(.v6(address), port: interface.port, with: mac))
    }
}
