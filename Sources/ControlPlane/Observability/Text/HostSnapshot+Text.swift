extension HostSnapshot {
    /// The view of `show host neighbours`.
    public var neighboursText: String {
        TextLayout.heading("Neighbours")
            + TextLayout.table(
                ["Interface", "Address", "MAC", "State", "Confirmed", "Needed by"],
                neighbours.map {
                    [
                        $0.interfaceName, $0.address.description, $0.mac?.description ?? "-", $0.state.rawValue,
                        $0.mac == nil ? "-" : "\($0.confirmedSecondsAgo) s ago", String($0.holders),
                    ]
                }, rightAligned: [4, 5])
    }

    /// The view of `show host routes`.
    public var routesText: String {
        let paths =
            paths.isEmpty
            ? ""
            : "\n"
                + TextLayout.table(
                    ["Path to", "MTU"], paths.map { [$0.address.description, String($0.mtu)] }, rightAligned: [1])
        return TextLayout.heading("Routes")
            + TextLayout.table(
                ["Destination", "Next hop", "Interface", "Source"],
                routes.map {
                    [$0.prefix, $0.nextHop?.description ?? "connected", $0.interfaceName, $0.source.description]
                }) + paths
    }

    /// The view of `show host counters`: what has been counted at all, unless `zeros` says otherwise.
    public func countersText(zeros: Bool = false) -> String {
        TextLayout.heading("Host Counters") + TextLayout.counters(counters, zeros: zeros)
    }
}
