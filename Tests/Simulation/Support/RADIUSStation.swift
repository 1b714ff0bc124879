import RADIUS
import Wire

/// A RADIUS server: says what the test says, and remembers what it was asked.
package final class RADIUSStation {
    package let secret: [UInt8]
    /// What it answers to an Access-Request; nil: nothing.
    package var answer: (RADIUSAttributes) -> (code: RADIUSCode, attributes: RADIUSAttributes)? = { _ in nil }
    /// Answers nothing at all.
    package var isDead = false
    /// Access-Requests, the first transmission of each.
    package private(set) var requests: [RADIUSAttributes] = []
    /// Accounting records that it has taken, each once.
    package private(set) var records: [RADIUSAttributes] = []
    private var seen: Set<[UInt8]> = []

    package init(secret: String = "radius-secret") { self.secret = Array(secret.utf8) }

    /// The answer to a datagram.
    package func receive(_ datagram: [UInt8]) -> [UInt8]? {
        guard !isDead, let packet = try? RADIUSPacket(decoding: datagram[...]) else { return nil }
        let isNew = seen.insert(datagram).inserted
        let reply: (code: RADIUSCode, attributes: RADIUSAttributes)?
        switch packet.code {
        case .accessRequest:
            if isNew { requests.append(packet.attributes) }
            reply = answer(packet.attributes)
        case .accountingRequest:
            if isNew { records.append(packet.attributes) }
            reply = (.accountingResponse, RADIUSAttributes())
        case .statusServer: reply = (.accessAccept, RADIUSAttributes())
        default: reply = nil
        }
        guard let reply else { return nil }
        return try? RADIUSPacket.answer(
            reply.code, to: packet.identifier, authenticator: packet.authenticator, attributes: reply.attributes,
            secret: secret, signed: true)
    }

    /// Takes the records so far.
    package func takeRecords() -> [RADIUSAttributes] {
        defer { records = [] }
        return records
    }
}
