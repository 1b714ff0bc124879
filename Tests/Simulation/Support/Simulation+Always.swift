import Wire

// What has to be so after each of the node's entry points.
extension Simulation {
    func expectAlways(_ what: StaticString) {
        for refusal in table.refusals { violate("\(what): the table refused \(refusal)") }
        let removed = table.takeRemoved()
        guard !removed.isEmpty else { return }
        var told = padts()
        if let heardPADT { told.append(heardPADT) }
        for (client, sessionID) in removed where !told.contains(where: { $0 == (client, sessionID) }) {
            violate("\(what): session \(sessionID) of \(client) ended, and no PADT was sent")
        }
    }

    /// PADTs that the node is about to send.
    private func padts() -> [(client: MACAddress, sessionID: UInt16)] {
        suppressTelling()
        return outbox.frames.compactMap { bytes, port in
            guard port == 0, let frame = EthernetFrame(bytes[...]), frame.etherType == 0x8863,
                let packet = PPPoEPacket(frame.payload), packet.code == PPPoEPacket.padt
            else { return nil }
            return (frame.destination, packet.sessionID)
        }
    }
}
