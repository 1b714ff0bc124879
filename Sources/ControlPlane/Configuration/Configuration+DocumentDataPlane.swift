import Settings

// The document's section `dataplane`.

private typealias Setting = ConfigurationDocument.Setting

extension DataPlaneSettings {
    var settings: [ConfigurationDocument.Setting] {
        let idle: String =
            switch idle {
            case .poll: "poll"
            case .yield: "yield"
            case .sleep(let microseconds): "sleep \(microseconds)"
            }
        var settings: [Setting] = [.text("segment", segment)]
        settings += Setting.text("segment-group", optional: segmentGroup)
        settings += [
            .choice("memory", memory), .text("cores", cores.map(String.init).joined(separator: ",")),
            .number("main-core", mainCore), .number("sessions", sessions), .number("tunnels", tunnels),
            .number("circuits", circuits), .number("vlan-blocks", vlanBlocks),
            .number("frame-ring-depth", frameRingDepth), .text("idle", idle),
            .flag("telemetry", telemetry), Setting("punt-limits", .mapping(puntLimits.settings)),
            // A session's copies are bounded by their class alone.
            Setting(
                "punt-limits-per-client", .mapping(puntLimitsPerClient.settings.filter { $0.name != "capture" })),
            Setting("punt-shares", .mapping(puntShares.settings.filter { $0.name != "capture" })),
            Setting("punt-shares-per-port", .mapping(puntSharesPerPort.settings.filter { $0.name != "capture" })),
            Setting(
                "reassembly",
                .mapping([
                    .number("datagrams", reassembly.datagrams), .number("fragments", reassembly.fragments),
                    .number("timeout-ms", reassembly.timeoutMilliseconds),
                ])),
            Setting(
                "reordering",
                .mapping([
                    .number("window", reordering.window), .number("frames", reordering.frames),
                    .number("timeout-ms", reordering.timeout),
                ])),
            Setting("ports", .rows(ports.map(\.settings))),
        ]
        return settings
    }
}

extension DataPlaneSettings.PuntLimits {
    fileprivate var settings: [Setting] {
        [
            .number("arp", arp), .number("ipv4", ipv4), .number("ipv6", ipv6),
            .number("pppoe-discovery", pppoeDiscovery), .number("ppp-control", pppControl),
            .number("unknown-session", unknownSession), .number("l2tp-control", l2tpControl),
            .number("l2tp-unknown", l2tpUnknown),
            .number("too-big", tooBig), .number("capture", capture),
        ]
    }
}

extension DataPlaneSettings.Port {
    fileprivate var settings: [Setting] {
        [.text("name", name), .text("device", device), .number("mtu", mtu)]
            + (queues.map { [.number("queues", $0)] } ?? []) + [.choice("dispatch", dispatch)]
    }
}
