import PPPoE
import Timing
import Wire

/// PPPoE discovery, the client's side (RFC 2516, section 5).
extension ClientFleet {
    func receive(discovery packet: DiscoveryPacket, from source: MACAddress, _ number: Int, at now: Instant) {
        let isOurs = packet.first(.hostUniq)?.value == clients[number].hostUniq
        switch (packet.code, clients[number].phase) {
        case (.pado, .discovering) where isOurs:
            accessConcentrator = source
            clients[number].cookie = packet.first(.acCookie)?.value ?? []
            enter(.requesting, number)
            sendPADR(number)
            wait(settings.discoveryInterval, number, at: now)
        case (.pads, .requesting) where isOurs:
            clients[number].cookie = []
            guard packet.sessionID != 0 else {
                counts.refusals += 1
                enter(.discovering, number)
                return wait(settings.discoveryInterval, number, at: now)
            }
            clients[number].sessionID = packet.sessionID
            enter(.negotiating, number)
            sendLCP(clients[number].lcp.request(), number)
            wait(settings.restartInterval, number, at: now)
        case (.padt, _) where clients[number].hasSession && packet.sessionID == clients[number].sessionID:
            counts.terminations += 1
            over(number, tellingPADT: false, at: now)
        case (.pado, _), (.pads, _), (.padt, _): break  // late, or twice
        case (.padi, _), (.padr, _): counts.unexpected += 1
        }
    }

    func sendPADI(_ number: Int) {
        sendDiscovery(
            DiscoveryPacket(
                code: .padi,
                tags: [DiscoveryTag(.serviceName, []), DiscoveryTag(.hostUniq, clients[number].hostUniq)]),
            number, to: .broadcast)
    }

    func sendPADR(_ number: Int) {
        sendDiscovery(
            DiscoveryPacket(
                code: .padr,
                tags: [
                    DiscoveryTag(.serviceName, []), DiscoveryTag(.hostUniq, clients[number].hostUniq),
                    DiscoveryTag(.acCookie, clients[number].cookie),
                ]), number)
    }

    func sendDiscovery(_ packet: DiscoveryPacket, _ number: Int, to destination: MACAddress? = nil) {
        port.send(
            EthernetFrame(
                destination: destination ?? accessConcentrator, source: ClientSettings.mac(number),
                tags: settings.tags(number), etherType: DiscoveryPacket.etherType, payload: packet.encoded()
            ).bytes)
    }
}
