import Timing
import Wire

// Saying which addresses are ours: at the start, and when another station says that they are its own.
extension HostStack {
    /// Sends the announcements that are due and plans the next.
    mutating func announce(at now: Instant, into outputs: inout [HostOutput]) {
        for interface in interfaces.values.sorted(by: { $0.port < $1.port }) {
            for prefix in interface.addresses { announce(prefix.address, on: interface, into: &outputs) }
        }
        announcementsLeft -= 1
        announceAt = announcementsLeft > 0 ? now + .seconds(2) : .distantFuture
    }

    /// Tells everybody on the link that the address is ours, unless it may not be.
    mutating func announce(_ address: IPAddress, on interface: HostInterface, into outputs: inout [HostOutput]) {
        guard isInUse(address, on: interface) else { return }
        switch address {
        case .v4(let address): announceARP(address, on: interface, into: &outputs)
        case .v6(let address): advertise(address, on: interface, into: &outputs)
        }
    }

    /// Tells everybody that the address is ours, at most every ten seconds (RFC 5227 section 2.4, choice c; for IPv6, where
    /// RFC 4862 section 5.4.4 leaves it open, the same).
    mutating func defend(
        _ address: IPAddress, against mac: MACAddress, on interface: HostInterface, at now: Instant,
        into outputs: inout [HostOutput]
    ) {
        let key = Neighbour.Key(port: interface.port, address: address)
        guard now >= defendedUntil[key] ?? .zero else { return }
        defendedUntil[key] = now + .seconds(10)
        outputs.append(.addressConflict(address, port: interface.port, with: mac))
        announce(address, on: interface, into: &outputs)
    }

    /// Whether `address` is the node's on this port, and neither being checked nor found to be another's.
    func isInUse(_ address: IPAddress, on interface: HostInterface) -> Bool {
        let key = Neighbour.Key(port: interface.port, address: address)
        return interface.owns(address) && tentative[key] == nil && !duplicates.contains(key)
    }

    /// Whether `address`, the destination of a packet that came by `interface` or the source of one that is to be sent, is the
    /// node's: on any port, or on this one alone when it is link-local.
    func isInUse(_ address: IPAddress, heardOn interface: HostInterface) -> Bool {
        guard ownAddresses.contains(address) else { return false }
        if isInUse(address, on: interface) { return true }
        return !address.isLinkLocal && interfaces.values.contains { isInUse(address, on: $0) }
    }
}
