extension StatusSnapshot {
    /// The view of `show status`.
    public func text(in zone: TimeZoneOfText) -> String {
        var text =
            "Culvert Status\n" + TextLayout.rule(68)
            + (hostName.isEmpty ? "" : TextLayout.line("Host Name", hostName))
            + TextLayout.line("Version", version)
            + TextLayout.line("Started At", startedAt.dateAndTime(in: zone))
            + TextLayout.line("Uptime", TextLayout.duration(uptimeSeconds))
            + TextLayout.line("Control Epoch", controlEpoch)
            + TextLayout.line("Configuration", configurationPath)
            + (drained.isEmpty ? "" : TextLayout.line("Drained", drained.map(\.text).joined(separator: ", ")))
            + TextLayout.line("Data Plane", dataPlane.alive ? "running" : "not running")
        if dataPlane.epoch != 0 {
            text +=
                TextLayout.line("Epoch", dataPlane.epoch, indent: 2)
                + TextLayout.line("Process ID", dataPlane.pid, indent: 2)
                + TextLayout.line("Uptime", TextLayout.duration(dataPlane.uptimeSeconds), indent: 2)
                + TextLayout.line("Heartbeat", "\(dataPlane.heartbeatAgeMilliseconds) ms ago", indent: 2)
                + TextLayout.line("Workers", dataPlane.workers, indent: 2)
                + TextLayout.line("Ports", dataPlane.ports, indent: 2)
                + TextLayout.line("Layout Version", dataPlane.layoutVersion, indent: 2)
        }
        return text + storeText + "\n"
            + TextLayout.table(
                ["Capacity", "Used", "Of", "Text"],
                capacities.map { [$0.name, String($0.used), String($0.capacity), $0.text] }, rightAligned: [1, 2])
    }

    private var storeText: String {
        switch store.state {
        case .closed: return TextLayout.line("Store", "none: what a restart finds is in the segment alone")
        case .written, .failing:
            let wait = store.waitMilliseconds > 0 ? ", for \(store.waitMilliseconds) ms" : ""
            return TextLayout.line("Store", store.state == .written ? "written" : "not written: the disk fails")
                + TextLayout.line("Commits", store.commits, indent: 2)
                + TextLayout.line("Changes", store.changes, indent: 2)
                + TextLayout.line("Waiting", "\(store.waiting)\(wait)", indent: 2)
                + TextLayout.line("Sent Unwritten", store.early, indent: 2)
        }
    }
}
