extension PortSnapshot {
    /// What stands above any number of ports.
    public static let heading = "Port Information\n" + TextLayout.rule(68)

    /// The view of `show ports`.
    public func text() -> String {
        let roles = [access ? "access" : nil, core ? "core" : nil].compactMap { $0 }.joined(separator: ", ")
        let link = linkUp ? (linkSpeedMbps == 0 ? "up" : "up, \(linkSpeedMbps) Mbit/s") : "down"
        return TextLayout.line("Port", name)
            + TextLayout.line("Device", device)
            + TextLayout.line("Role", roles.isEmpty ? "none" : roles)
            + TextLayout.line("MAC", mac)
            + TextLayout.line("Link", link)
            + TextLayout.line("MTU", mtu)
            + TextLayout.line("Addresses", addresses.map(\.description).joined(separator: ", "))
            + TextLayout.line("Queues", "\(queues), \(dispatch.rawValue)")
            + TextLayout.line("NUMA Node", numaNode)
            + counters.map { TextLayout.line($0.name, "\($0.value) (\($0.text))", indent: 2) }.joined()
    }
}
