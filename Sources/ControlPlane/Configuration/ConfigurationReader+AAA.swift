import Names
import Settings
import Wire

/// DNS and RADIUS: `ip-name-server`, `radius-server`, `aaa-group-server-radius`, `radius` and `accounting`.
extension ConfigurationReader {
    mutating func readAAA(_ document: inout ConfigurationMapping) {
        radius.nasIdentifier = control.hostName
        nameServers = readNameServers(document.optional("ip-name-server"))
        readElements(document.optional("radius-server")) { reader, mapping in reader.readRADIUSServer(&mapping) }
        readElements(document.optional("aaa-group-server-radius")) { reader, mapping in
            reader.readRADIUSGroup(&mapping)
        }
        if let node = document.optional("radius") { _ = node.mapping { readRADIUSClient(&$0) } }
    }

    mutating func readNameServers(_ node: ConfigurationNode?) -> [NameServer] {
        var servers: [NameServer] = []
        for element in node?.oneOrMore() ?? [] {
            guard
                let server = element.parsed(
                    "a name server such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353",
                    NameServer.init(parsing:))
            else {
                incomplete.insert(.nameServers)
                continue
            }
            if servers.contains(server) { element.fault("`\(server)` is given twice") }
            servers.append(server)
        }
        return servers
    }

    private mutating func readRADIUSServer(_ mapping: inout ConfigurationMapping) {
        let hostNode = mapping.required("host")
        let host = hostNode?.hostAddress()
        let key = mapping.required("key").flatMap { Self.secret($0) }
        if host == nil { incomplete.insert(.radiusServers) }
        var server = RADIUSServerSettings(host: host ?? .v4(.any), key: key ?? Secret("-"))
        Self.read(&server.authenticationPort, mapping.optional("auth-port"), in: 0...65_535)
        Self.read(&server.accountingPort, mapping.optional("acct-port"), in: 0...65_535)
        Self.read(&server.timeout, mapping.optional("timeout"), in: 1...60)
        Self.read(&server.retransmit, mapping.optional("retransmit"), in: 0...10)
        Self.read(&server.deadTime, mapping.optional("dead-time"), in: 0...3_600)
        if let flag = mapping.optional("status-server")?.boolean() { server.statusServer = flag }
        if let node = mapping.optional("message-authenticator"),
            let choice: RADIUSServerSettings.MessageAuthenticator = node.choice()
        {
            server.messageAuthenticator = choice
            if choice == .optional {
                warnings.append(
                    ConfigurationFault(
                        line: node.line, field: node.field,
                        reason: "answers of \(server.host) can be forged by whoever stands on the way (CVE-2024-3596)"))
            }
        }
        guard let hostNode, host != nil else { return }
        if radiusServers.contains(where: { $0.value.host == host }) {
            hostNode.fault("there is another server `\(server.host)`")
        }
        radiusServers.append(Placed(value: server, node: hostNode))
    }

    private mutating func readRADIUSGroup(_ mapping: inout ConfigurationMapping) {
        let nameNode = mapping.required("name")
        let name = nameNode?.name()
        var servers: [IPAddress] = []
        for node in mapping.required("servers")?.oneOrMore() ?? [] {
            guard let address = node.hostAddress() else { continue }
            if servers.contains(address) { node.fault("`\(address)` is given twice") }
            if !incomplete.contains(.radiusServers), !radiusServers.contains(where: { $0.value.host == address }) {
                node.fault("there is no `radius-server` with host `\(address)`")
            }
            servers.append(address)
        }
        guard let nameNode, let name else {
            incomplete.insert(.radiusGroups)
            return
        }
        if radiusGroups.contains(where: { $0.value.name == name }) {
            nameNode.fault("another group is called `\(name)`")
        }
        radiusGroups.append(Placed(value: RADIUSGroupSettings(name: name, servers: servers), node: nameNode))
    }

    private mutating func readRADIUSClient(_ mapping: inout ConfigurationMapping) {
        if let text = mapping.optional("nas-identifier")?.text(upTo: 253) { radius.nasIdentifier = text }
        radius.nasAddress = mapping.optional("nas-ip-address")?.hostAddress()
        for node in mapping.optional("source-address")?.oneOrMore() ?? [] {
            guard let address = node.hostAddress() else { continue }
            if radius.sourceAddresses.contains(where: { ($0.ipv6 == nil) == (address.ipv6 == nil) }) {
                node.fault("at most one address of IPv4 and one of IPv6")
            }
            radius.sourceAddresses.append(address)
        }
        Self.read(&radius.sourcePorts, mapping.optional("source-ports"), in: 1...64)
        if let node = mapping.optional("dynamic-authorization") {
            radius.dynamicAuthorization = node.mapping { Self.dynamicAuthorization(&$0) }
        }
    }

    private static func dynamicAuthorization(_ mapping: inout ConfigurationMapping) -> DynamicAuthorization {
        var settings = DynamicAuthorization()
        read(&settings.port, mapping.optional("port"), in: 1...65_535)
        let list = mapping.required("clients")
        for element in list?.elements() ?? [] {
            _ = element.mapping { client in
                let node = client.required("address")
                let address = node?.hostAddress()
                let key = client.required("key").flatMap { secret($0) }
                guard let node, let address, let key else { return }
                if settings.clients.contains(where: { $0.address == address }) {
                    node.fault("there is another client `\(address)`")
                }
                settings.clients.append(.init(address: address, key: key))
            }
        }
        if let list, list.node.sequence?.isEmpty == true { list.fault("expected at least one") }
        return settings
    }

    static func accounting(_ mapping: inout ConfigurationMapping) -> Accounting {
        var accounting = Accounting(group: mapping.required("group")?.name() ?? "")
        if let seconds: UInt32 = mapping.optional("interim-interval")?.parsed(
            "0 or a whole number from 60 to 86400",
            { text in
                guard text.utf8.allSatisfy({ (48...57).contains($0) }), let seconds = UInt32(text),
                    seconds == 0 || (60...86_400).contains(seconds)
                else { return nil }
                return seconds
            })
        {
            accounting.interimInterval = seconds
        }
        if let flag = mapping.optional("tunnel")?.boolean() { accounting.tunnel = flag }
        return accounting
    }

    /// Groups that are named exist, and look-ups have whom to ask.
    func checkAAA() {
        for profile in profiles {
            if let node = profile.radiusGroup, let name = profile.value.radiusGroup {
                checkGroup(name, asks: \.authenticationPort, setting: "auth-port", at: node)
            }
        }
        for draft in concentrators {
            if let node = draft.accounting, let accounting = draft.value.accounting, !accounting.group.isEmpty {
                checkGroup(accounting.group, asks: \.accountingPort, setting: "acct-port", at: node)
            }
            guard let node = draft.peerAddress else { continue }
            checkMethod(draft.value.peerAddress, profile: draft.value.profile, at: node)
        }
    }

    /// What a method of finding LNSs needs is there.
    func checkMethod(_ method: AccessConcentrator.PeerAddress, profile name: String, at node: ConfigurationNode) {
        let profile = profiles.first { $0.value.name == name }?.value
        switch method {
        case .fixed: break
        case .dns: checkNameServers(of: profile, at: node)
        case .radius(let group):
            guard let group = group ?? profile?.radiusGroup else {
                if profile != nil { node.fault("names no group, and l2tp-profile `\(name)` has no `server`") }
                return
            }
            checkGroup(group, asks: \.authenticationPort, setting: "auth-port", at: node)
        case .domainMap:
            if domains.isEmpty { node.fault("there is no `l2tp-domain`") }
        }
    }

    func checkNameServers(of profile: L2TPProfile?, at node: ConfigurationNode) {
        guard nameServers.isEmpty, profile?.nameServers.isEmpty ?? false, !incomplete.contains(.nameServers) else {
            return
        }
        node.fault("there is no `ip-name-server` to ask, neither in the file nor in the l2tp-profile")
    }

    private func checkGroup(
        _ name: String, asks port: KeyPath<RADIUSServerSettings, UInt16>, setting: String, at node: ConfigurationNode
    ) {
        guard let group = radiusGroups.first(where: { $0.value.name == name })?.value else {
            if !incomplete.contains(.radiusGroups) {
                node.fault("there is no `aaa-group-server-radius` called `\(name)`")
            }
            return
        }
        let servers = radiusServers.map(\.value).filter { group.servers.contains($0.host) }
        if !servers.isEmpty, servers.allSatisfy({ $0[keyPath: port] == 0 }) {
            node.fault("no server of `\(name)` can be asked: their \(setting) is 0")
        }
    }
}
