import Timing
import Wire

extension DiscoveryServer {
    /// PADO for a PADI whose service is offered (RFC 2516 section 5.2), else silence.
    func answer(
        padi: DiscoveryPacket, from client: MACAddress, on circuit: AttachmentCircuit, at now: Instant
    ) -> Outcome {
        guard let serviceName = onlyServiceName(of: padi) else {
            return .drop(Refusal(.serviceNameCount, code: .padi))
        }
        guard instances.serving(serviceName.value) != nil else {
            return .drop(Refusal(.serviceNotOffered, code: .padi))
        }
        var tags = [DiscoveryTag(.acName, text: acName), serviceName]
        for name in instances.compactMap(\.advertisedName) {
            let tag = DiscoveryTag(.serviceName, text: name)
            if !tags.contains(tag) { tags.append(tag) }
        }
        tags.append(DiscoveryTag(.acCookie, cookie.issue(client: client, circuit: circuit, at: now)))
        tags += returned(from: padi)
        let pado = DiscoveryPacket(code: .pado, tags: tags)
        return fits(pado) ? .send(pado) : .drop(Refusal(.answerTooLong, code: .padi))
    }

    /// The one Service-Name tag that PADI and PADR carry; nil when there is none or another.
    func onlyServiceName(of packet: DiscoveryPacket) -> DiscoveryTag? {
        let names = packet.tags.filter { $0.kind == .serviceName }
        return names.count == 1 ? names.first : nil
    }

    /// Tags of a client's packet that every answer to it carries: Host-Uniq and Relay-Session-Id unchanged, and
    /// PPP-Max-Payload where both ends can do more than 1,492 octets.
    func returned(from packet: DiscoveryPacket) -> [DiscoveryTag] {
        var tags = [packet.first(.hostUniq), packet.first(.relaySessionID)].compactMap { $0 }
        let maxPayload = maxPayload(for: packet)
        if maxPayload > Self.defaultMaxPayload {
            tags.append(DiscoveryTag(.pppMaxPayload, [UInt8(maxPayload >> 8 & 0xff), UInt8(maxPayload & 0xff)]))
        }
        return tags
    }

    /// Largest PPP payload in octets that client and link both take. Without PPP-Max-Payload, and with one of less than
    /// 1,492 (RFC 4638 section 3), that is 1,492 or what the link has room for.
    func maxPayload(for packet: DiscoveryPacket) -> Int {
        let asked = packet.first(.pppMaxPayload).map { $0.value.reduce(0) { $0 << 8 | Int($1) } } ?? 0
        return min(max(asked, Self.defaultMaxPayload), linkMTU - 8)
    }

    /// Whether the link can carry `packet`. A client that sends a large Host-Uniq must not make us send more than that.
    func fits(_ packet: DiscoveryPacket) -> Bool { packet.encodedLength <= min(linkMTU, 1500) }
}
