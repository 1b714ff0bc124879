import Settings
import Wire

// The document's sections on names, RADIUS and domains.

private typealias Setting = ConfigurationDocument.Setting

extension RADIUSServerSettings {
    var element: ConfigurationDocument.Element {
        ConfigurationDocument.Element(
            key: "\(host)",
            settings: [.text("host", host)] + Setting.secret("key", key) + [
                .number("auth-port", authenticationPort), .number("acct-port", accountingPort),
                .number("timeout", timeout), .number("retransmit", retransmit), .number("dead-time", deadTime),
                .flag("status-server", statusServer), .choice("message-authenticator", messageAuthenticator),
            ])
    }
}

extension RADIUSGroupSettings {
    var element: ConfigurationDocument.Element {
        ConfigurationDocument.Element(key: name, settings: [.text("name", name)] + Setting.list("servers", servers))
    }
}

extension RADIUSClientSettings {
    /// Whether it says nothing that matters without a server.
    var isPlain: Bool { nasAddress == nil && sourceAddresses.isEmpty && dynamicAuthorization == nil }

    var settings: [ConfigurationDocument.Setting] {
        var settings: [Setting] = [.text("nas-identifier", nasIdentifier)]
        settings += Setting.text("nas-ip-address", optional: nasAddress)
        settings += Setting.list("source-address", sourceAddresses)
        settings.append(.number("source-ports", sourcePorts))
        if let dynamicAuthorization {
            settings.append(
                Setting(
                    "dynamic-authorization",
                    .mapping([
                        .number("port", dynamicAuthorization.port),
                        Setting(
                            "clients",
                            .rows(
                                dynamicAuthorization.clients.map {
                                    [.text("address", $0.address)] + Setting.secret("key", $0.key)
                                })),
                    ])))
        }
        return settings
    }
}

extension DomainMapEntry {
    var element: ConfigurationDocument.Element {
        var settings: [Setting] = [.text("domain", domain)]
        switch target {
        case .method(let method): settings.append(.text("peer-address", method))
        case .tunnels(let tunnels): settings.append(Setting("tunnels", .rows(tunnels.map(\.settings))))
        }
        return ConfigurationDocument.Element(
            key: "\(domain)", settings: settings + Setting.text("profile", optional: profile))
    }
}

extension DomainTunnel {
    fileprivate var settings: [Setting] {
        let place: Setting =
            switch peer {
            case .address(let address): .text("address", address)
            case .name(let name): .text("name", name.text)
            }
        return [place, .number("preference", preference)] + Setting.text("profile", optional: profile)
    }
}
