import Settings
import Wire

extension Configuration {
    /// Every setting with the value that is in force, in the terms of the file.
    package var document: ConfigurationDocument {
        typealias Section = ConfigurationDocument.Section
        let sections = [
            Section(name: "dataplane", body: .settings(dataPlane.settings)),
            Section(name: "control", body: .settings(control.settings)),
            Section(name: "interfaces", body: .elements(interfaces.map(\.element))),
            Section(name: "ip-route", body: .elements(routes.map(\.element))),
            Section(name: "ip-name-server", body: .texts(nameServers.map(\.description))),
            Section(name: "radius-server", body: .elements(radiusServers.map(\.element))),
            Section(name: "aaa-group-server-radius", body: .elements(radiusGroups.map(\.element))),
            Section(name: "radius", body: .settings(radiusServers.isEmpty && radius.isPlain ? [] : radius.settings)),
            Section(name: "l2tp-domain", body: .elements(domainMap.map(\.element))),
            Section(name: "pppoe-ac", body: .elements(accessConcentrators.map(\.element))),
            Section(name: "l2tp-profile", body: .elements(l2tpProfiles.map { $0.element(showsMTU: showsMTU(of: $0)) })),
        ]
        return ConfigurationDocument(sections: sections.filter { !$0.body.isEmpty })
    }

    /// Whether a profile's `mtu` can stand in a file: an MRU above it is refused where it is given, not where it is the default.
    private func showsMTU(of profile: L2TPProfile) -> Bool {
        !accessConcentrators.contains { $0.profile == profile.name && $0.pppMRU > profile.mtu }
    }
}

private typealias Setting = ConfigurationDocument.Setting

extension Control {
    fileprivate var settings: [Setting] {
        let mode = String(rpcSocketMode, radix: 8)
        return [
            .text("rpc-socket", rpcSocket),
            Setting("rpc-socket-mode", .plain("\"\(String(repeating: "0", count: max(0, 4 - mode.count)))\(mode)\"")),
            .text("store", store), .choice("sessions-at-stop", sessionsAtStop), .choice("log-level", logLevel),
            .choice("log-format", logFormat),
            .text("host-name", hostName), .text("vendor-name", vendorName),
        ] + (rpcTCP.map { [Setting("rpc-tcp", .mapping($0.settings))] } ?? [])
            + (metrics.map { [Setting("metrics", .mapping($0.settings))] } ?? [])
    }
}

extension Control.SecureRPC {
    fileprivate var settings: [Setting] {
        Setting.list("address", endpoints) + [
            .text("certificate", certificate), .text("private-key", privateKey), .text("client-ca", clientAuthorities),
        ] + Setting.list("read-only", readOnly.sorted())
    }
}

extension Control.Metrics {
    fileprivate var settings: [Setting] {
        Setting.list("address", endpoints) + [.flag("per-worker", perWorker), .flag("per-tunnel", perTunnel)]
    }
}

extension Interface {
    fileprivate var element: ConfigurationDocument.Element {
        let servesTags = vlans != .untaggedOnly || innerVLANs != nil
        return ConfigurationDocument.Element(
            key: servesTags ? "\(name) vlans \(vlans)" : name,
            settings: [.text("name", name)] + Setting.list("pppoe-ac-service", services)
                + (services.isEmpty ? [] : [.text("vlans", vlans)])
                + Setting.text("inner-vlans", optional: innerVLANs) + Setting.list("ip-address", addresses))
    }
}

extension IPRoute {
    fileprivate var element: ConfigurationDocument.Element {
        ConfigurationDocument.Element(
            key: "\(prefix)", settings: [.text("prefix", prefix), .text("next-hop", nextHop)])
    }
}

extension AccessConcentrator {
    fileprivate var element: ConfigurationDocument.Element {
        let mss: ConfigurationDocument.Value =
            switch segmentSize {
            case .off: .plain("off")
            case .automatic: .plain("auto")
            case .octets(let octets): .plain("\(octets)")
            }
        // As the vendors' screens have it: service, authentication, destination.
        var settings: [Setting] = [
            .text("name", name), .text("ac-name", acName), .text("service-name", serviceName),
            Setting("ppp-auth-protocols", .list(authenticationProtocols.map(\.rawValue))),
            .number("ppp-mru", pppMRU), Setting("tcp-mss", mss), .text("challenge-name", challengeName),
            .number("lcp-restart", lcpRestart), .number("lcp-max-configure", lcpMaxConfigure),
            .number("lcp-max-terminate", lcpMaxTerminate), .number("lcp-max-failure", lcpMaxFailure),
            .number("session-limit", sessionLimit), .number("session-limit-per-mac", sessionLimitPerMAC),
            .number("session-limit-per-vlan", sessionLimitPerVLAN),
            .number("session-limit-per-port", sessionLimitPerPort), .number("half-open-limit", halfOpenLimit),
            .number("half-open-limit-per-mac", halfOpenLimitPerMAC),
            .number("half-open-limit-per-vlan", halfOpenLimitPerVLAN),
            .number("half-open-limit-per-port", halfOpenLimitPerPort), .number("establish-timeout", establishTimeout),
            .choice("destination", destination),
        ]
        settings.append(
            Setting(
                "l2tp",
                .mapping(
                    [
                        .text("peer-address", peerAddress), .text("profile", profile),
                        .choice("radius-style", radiusStyle),
                    ] + Setting.secret("radius-password", radiusPassword))))
        if let accounting {
            settings.append(
                Setting(
                    "accounting",
                    .mapping([
                        .text("group", accounting.group), .number("interim-interval", accounting.interimInterval),
                        .flag("tunnel", accounting.tunnel),
                    ])))
        }
        return ConfigurationDocument.Element(key: name, settings: settings)
    }
}

extension L2TPProfile {
    fileprivate func element(showsMTU: Bool) -> ConfigurationDocument.Element {
        var settings: [Setting] = [.text("name", name), .number("version", version)]
        settings += Setting.secret("shared-secret", sharedSecret)
        settings += Setting.list("ip-name-server", nameServers)
        settings += Setting.text("server", optional: radiusGroup)
        settings += [
            .number("hello-timeout", helloTimeout), .number("retry-timeout", retryTimeout),
            .number("max-retries", maxRetries), .number("establish-timeout", establishTimeout),
            .number("idle-timeout", idleTimeout), .number("failover-timeout", failoverTimeout),
            .number("hold-down", holdDown), .number("rx-window-size", rxWindowSize),
            .number("session-limit", sessionLimit), .flag("udp-checksums", udpChecksums),
            .flag("ipv6-zero-checksum", ipv6ZeroChecksum), Setting("tos", .plain(typeOfService.description)),
            .flag("l2tp-length-bit", lengthBit), .flag("hide-avps", hidesAttributes),
            .number("session-establish-timeout", sessionEstablishTimeout),
            .number("persist-pend-timeout", persistPendTimeout),
            Setting("framing-capability", .list(framingCapability.map(\.rawValue).sorted())),
            Setting("bearer-capability", .list(bearerCapability.map(\.rawValue).sorted())),
            .flag("tie-breaker", tieBreaker), .choice("failover", failover), .number("recovery-time", recoveryTime),
            .flag("access-line-avps", accessLineAVPs),
        ]
        if let firmwareRevision { settings.append(.number("firmware-revision", firmwareRevision)) }
        if showsMTU { settings.append(.number("mtu", mtu)) }
        if let pathMTU { settings.append(.number("path-mtu", pathMTU)) }
        settings += [
            .flag("path-mtu-discovery", pathMTUDiscovery), .flag("dont-fragment", dontFragment),
            .choice("too-big", tooBig),
        ]
        if let offsetPad { settings.append(.number("offset-pad", offsetPad)) }
        settings += [
            .choice("data-sequence-numbers", dataSequencing), .flag("reorder", reorder),
            .text("host-name", hostName), .text("vendor-name", vendorName),
        ]
        settings += Setting.text("source", optional: source)
        return ConfigurationDocument.Element(key: name, settings: settings)
    }
}
