import L2TP
import Timing
import Wire

/// A fault that is put into a life on purpose, around the node and not in it: what is found although nobody knows where it is.
package enum PlantedFault: String, CaseIterable, Sendable {
    /// A session's id is not given back when the LNS's CDN crosses the client's PADT.
    case lostSessionID = "lost-session-id"
    /// A restart forgets the last message that was acknowledged: what the store has is older than what peers have heard.
    case forgottenAcknowledgement = "forgotten-acknowledgement"
    /// An ICRP that comes twice is taken twice.
    case repeatedReply = "repeated-reply"
    /// When several clients lose their sessions at once, only the first is told.
    case silentEnd = "silent-end"
}

extension Simulation {
    /// What is remembered for the sake of planted faults.
    struct Planted {
        /// CDNs of LNSs on their way to the node: its tunnel and session.
        var disconnects: [(tunnel: UInt16, session: UInt16, at: Instant)] = []
        /// The Ns that comes next in a tunnel, and ICRPs that have come, by tunnel.
        var next: [UInt16: UInt16] = [:]
        var replies: [UInt16: Set<UInt16>] = [:]
    }

    /// Puts the planted fault in its place.
    func plant() {
        guard planted == .lostSessionID else { return }
        table.losesDownstream = { [unowned self] tunnel, session, _ in
            guard heardPADT != nil,
                plantedState.disconnects.contains(where: { $0.tunnel == tunnel && $0.session == session && $0.at > now }
                )
            else { return false }
            tally[.plantedFaults] += 1
            say("planted fault", "session id \(session) of tunnel \(tunnel) is lost")
            return true
        }
    }

    /// Looks at what an LNS sends.
    func watch(_ bytes: [UInt8], lns: Int) {
        guard planted == .lostSessionID, let frame = EthernetFrame(bytes[...]), let datagram = Datagram(frame.payload),
            let (header, body) = try? ControlHeader.decode(datagram.payload[...]), !body.isEmpty,
            case .disconnect? = try? ControlMessage.decode(body, secret: Self.secret).message
        else { return }
        plantedState.disconnects.append((header.tunnelID, header.sessionID, now + .milliseconds(50)))
    }

    /// What the node is given instead of a control message; nil: what came.
    func tampered(_ frame: EthernetFrame, _ datagram: Datagram) -> [UInt8]? {
        guard planted == .repeatedReply, let (header, body) = try? ControlHeader.decode(datagram.payload[...]),
            !body.isEmpty
        else { return nil }
        let next = plantedState.next[header.tunnelID] ?? 0
        if header.ns == next { plantedState.next[header.tunnelID] = next &+ 1 }
        guard case .incomingCallReply? = try? ControlMessage.decode(body, secret: Self.secret).message,
            !plantedState.replies[header.tunnelID, default: []].insert(header.ns).inserted, header.ns < next
        else { return nil }
        // The node must take it for a message that it has not had.
        var again = datagram
        again.payload[8] = UInt8(next >> 8)
        again.payload[9] = UInt8(next & 0xff)
        plantedState.next[header.tunnelID] = next &+ 1
        tally[.plantedFaults] += 1
        say("planted fault", "ICRP with ns \(header.ns) is taken again, as \(next)")
        return EthernetFrame(
            destination: frame.destination, source: frame.source, etherType: frame.etherType, payload: again.bytes
        ).bytes
    }

    /// Takes back what the node says to clients, where that is the fault.
    func suppressTelling() {
        guard planted == .silentEnd else { return }
        var isFirst = true
        outbox.frames.removeAll { bytes, port in
            guard port == 0, let frame = EthernetFrame(bytes[...]), frame.etherType == 0x8863,
                PPPoEPacket(frame.payload)?.code == PPPoEPacket.padt
            else { return false }
            defer { isFirst = false }
            if !isFirst { tally[.plantedFaults] += 1 }
            return !isFirst
        }
    }
}
