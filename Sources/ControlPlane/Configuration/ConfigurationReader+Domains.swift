import Names
import Settings
import Wire

/// `l2tp-domain`: the local map of domains to LNSs.
extension ConfigurationReader {
    mutating func readDomain(_ mapping: inout ConfigurationMapping) {
        let domainNode = mapping.required("domain")
        let domain = domainNode?.parsed("a domain such as isp1.com, `default` or `none`", Self.domain)
        var draft = DomainDraft(
            value: DomainMapEntry(domain: domain ?? .other, target: .tunnels([])), node: domainNode ?? mapping.place)
        if let node = mapping.optional("profile"), let name = node.name() {
            draft.value.profile = name
            draft.profile = node
        }
        let (method, tunnels) = (mapping.optional("peer-address"), mapping.optional("tunnels"))
        if let method, tunnels == nil {
            draft.node = method
            guard let found = Self.peerAddress(method) else { return }
            guard found != .domainMap else { return method.fault("this is the domain map") }
            draft.value.target = .method(found)
        } else if let tunnels, method == nil {
            var list: [DomainTunnel] = []
            for element in tunnels.elements() ?? [] {
                guard let tunnel = element.mapping({ Self.tunnel(&$0) }), let tunnel else { continue }
                list.append(tunnel.value)
                draft.tunnels.append((tunnel.peer, tunnel.profile))
            }
            if tunnels.node.sequence?.isEmpty == true { tunnels.fault("expected at least one") }
            draft.value.target = .tunnels(list)
        } else {
            mapping.place.fault("needs either `peer-address` or `tunnels`")
        }
        guard let domainNode, let domain else { return }
        if domains.contains(where: { $0.value.domain == domain }) {
            domainNode.fault("there is another entry for `\(domain)`")
        }
        domains.append(draft)
    }

    private static func tunnel(
        _ mapping: inout ConfigurationMapping
    ) -> (value: DomainTunnel, peer: ConfigurationNode, profile: ConfigurationNode?)? {
        let (address, name) = (mapping.optional("address"), mapping.optional("name"))
        var preference: UInt16 = 0
        read(&preference, mapping.optional("preference"), in: 0...65_535)
        let profile = mapping.optional("profile")
        let profileName = profile.flatMap { $0.name() }
        let peer: DomainTunnel.Peer?
        switch (address, name) {
        case (let node?, nil):
            peer = node.hostAddress().flatMap { address in
                guard !address.isLinkLocal else {
                    node.fault(
                        "`\(address)` is link-local; a tunnel needs an address that means something beyond the link")
                    return nil
                }
                return .address(address)
            }
        case (nil, let node?):
            peer = node.parsed("a host name", { (try? HostName($0)).map { .name($0) } })
        default:
            mapping.place.fault("needs either `address` or `name`")
            return nil
        }
        guard let peer, let node = address ?? name else { return nil }
        return (DomainTunnel(peer: peer, preference: preference, profile: profileName), node, profile)
    }

    private static func domain(_ text: String) -> DomainMapEntry.Domain? {
        switch text {
        case "default": .other
        case "none": DomainMapEntry.Domain.none
        default: (try? HostName(text)).map { .named($0) }
        }
    }

    /// What the entries refer to is there, and LNSs can be reached.
    func checkDomains() {
        for draft in domains {
            checkProfile(draft.value.profile, at: draft.profile)
            // Without a profile of its own an entry has that of any instance.
            let profiles = draft.value.profile.map { [$0] } ?? Set(concentrators.map(\.value.profile)).sorted()
            switch draft.value.target {
            case .method(.fixed(let address)): checkReachable(address, at: draft.node)
            case .method(let method):
                for profile in profiles { checkMethod(method, profile: profile, at: draft.node) }
            case .tunnels(let tunnels):
                for (tunnel, nodes) in zip(tunnels, draft.tunnels) {
                    checkProfile(tunnel.profile, at: nodes.profile)
                    switch tunnel.peer {
                    case .address(let address): checkReachable(address, at: nodes.peer)
                    case .name:
                        for name in tunnel.profile.map({ [$0] }) ?? profiles {
                            checkNameServers(of: self.profiles.first { $0.value.name == name }?.value, at: nodes.peer)
                        }
                    }
                }
            }
        }
    }

    private func checkProfile(_ name: String?, at node: ConfigurationNode?) {
        guard let name, let node, !incomplete.contains(.profileNames),
            !profiles.contains(where: { $0.value.name == name })
        else { return }
        node.fault("there is no `l2tp-profile` called `\(name)`")
    }
}
