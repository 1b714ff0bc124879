// RADIUS, DNS and accounting.

extension RADIUSSnapshot {
    /// The view of `show radius servers`.
    public func serversText(in zone: TimeZoneOfText) -> String {
        let rows = servers.map { server in
            [
                server.address.description, "\(server.authenticationPort)", "\(server.accountingPort)",
                server.groups.isEmpty ? "-" : server.groups.joined(separator: ","),
                server.state.rawValue + (server.deadUntil.map { " until \($0.timeOfDay(in: zone))" } ?? ""),
                String(server.inFlight),
                server.roundTripMicroseconds == 0
                    ? "-" : "\(server.roundTripMicroseconds / 1_000).\(server.roundTripMicroseconds / 100 % 10) ms",
            ]
        }
        return TextLayout.heading("RADIUS Servers")
            + (rows.isEmpty
                ? "no RADIUS server is configured\n"
                : TextLayout.table(
                    ["Server", "Auth", "Acct", "Groups", "State", "In flight", "Last answer"], rows,
                    rightAligned: [1, 2, 5, 6]))
    }

    /// The view of `show radius statistics`.
    public var statisticsText: String {
        TextLayout.heading("RADIUS Statistics") + TextLayout.counters(counters)
            + servers.map { "\n\($0.address):\n" + TextLayout.counters($0.counters, indent: 2) }.joined()
    }
}

extension NameServiceSnapshot {
    /// The view of `show dns cache`.
    public func cacheText(at now: Timestamp) -> String {
        let rows = cache.map { entry in
            [
                entry.name,
                entry.addresses.isEmpty ? "does not exist" : entry.addresses.map(\.description).joined(separator: ", "),
                "\(max(0, entry.expiresAt.seconds - now.seconds)) s",
            ]
        }
        return TextLayout.heading("DNS Cache")
            + "\(cacheUsed) of \(cacheCapacity) names\n"
            + (rows.isEmpty ? "" : "\n" + TextLayout.table(["Name", "Addresses", "Kept for"], rows, rightAligned: [2]))
    }

    /// The view of `show dns statistics`.
    public var statisticsText: String {
        TextLayout.heading("DNS Statistics") + serversText + TextLayout.counters(counters)
            + servers.filter { !$0.counters.isEmpty }.map {
                "\n\($0.address.text(port: $0.port)):\n" + TextLayout.counters($0.counters, indent: 2)
            }.joined()
    }

    /// The name servers.
    private var serversText: String {
        guard !servers.isEmpty else { return "no name server is configured\n" }
        return TextLayout.table(
            ["Name server", "Asked by"],
            servers.map { [$0.address.text(port: $0.port), $0.scope == "node" ? "node" : "l2tp-profile \($0.scope)"] })
            + "\n"
    }
}

extension AccountingSnapshot {
    /// The view of `show accounting`.
    public func text(in zone: TimeZoneOfText) -> String {
        let rows = groups.map { group in
            [
                group.name, group.reachable ? "yes" : "no",
                group.interimIntervalSeconds == 0 ? "none" : "\(group.interimIntervalSeconds) s",
                String(group.sessions), String(group.waiting),
            ]
        }
        let store =
            storeCapacity == 0
            ? ""
            : TextLayout.line(
                "Stored Records",
                "\(stored) of \(storeCapacity)"
                    + (oldestStored.map { ", the oldest of \($0.dateAndTime(in: zone))" } ?? "")) + "\n"
        return TextLayout.heading("Accounting")
            + (rows.isEmpty
                ? "no instance has accounting\n"
                : TextLayout.table(
                    ["Group", "Reachable", "Interim", "Sessions", "Waiting"], rows, rightAligned: [2, 3, 4]) + "\n"
                    + store + TextLayout.counters(counters)
                    + groups.filter { !$0.counters.isEmpty }.map {
                        "\n\($0.name):\n" + TextLayout.counters($0.counters, indent: 2)
                    }.joined())
    }
}
