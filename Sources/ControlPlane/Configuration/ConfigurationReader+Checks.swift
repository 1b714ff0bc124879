import Settings
import Wire

extension ConfigurationReader {
    /// Compares the sections with each other and fills in the defaults that depend on another section.
    mutating func check() {
        resolveMRUs()
        checkInterfaces()
        checkAddresses()
        checkRoutes()
        for profile in profiles {
            guard let source = profile.value.source, let node = profile.source, !owns(source) || source.isLinkLocal,
                !incomplete.contains(.addresses)
            else { continue }
            node.fault(
                source.isLinkLocal
                    ? "`\(source)` is link-local; a tunnel needs an address that means something beyond the link"
                    : "`\(source)` is no `ip-address` of an interface")
        }
        for concentrator in concentrators {
            checkPeer(of: concentrator)
            checkFamily(of: concentrator)
        }
        checkAAA()
        checkDomains()
    }

    private func owns(_ address: IPAddress) -> Bool {
        interfaces.contains { $0.value.addresses.contains { $0.address == address } }
    }

    private mutating func resolveMRUs() {
        for index in concentrators.indices {
            let draft = concentrators[index]
            let profile = profiles.first { $0.value.name == draft.value.profile }
            if profile == nil, !incomplete.contains(.profileNames) {
                draft.profile?.fault("there is no `l2tp-profile` called `\(draft.value.profile)`")
            }
            guard let given = draft.pppMRU else {
                concentrators[index].value.pppMRU = min(1_492, profile?.value.mtu ?? 1_492)
                continue
            }
            guard case .octets(let octets) = given.value else {
                computeMRU(index, profile: profile, node: given.node)
                continue
            }
            concentrators[index].value.pppMRU = octets
            if let profile, profile.hasMTU, octets > profile.value.mtu {
                given.node.fault(
                    "exceeds the `mtu` of l2tp-profile `\(profile.value.name)`, which is \(profile.value.mtu)")
            }
        }
    }

    /// What `EncapsulationOverhead.seedMRU` leaves of the path's MTU; at most the profile's `mtu` where that is given, else 1,492
    /// (RFC 2516, section 7).
    private mutating func computeMRU(_ index: Int, profile: ProfileDraft?, node: ConfigurationNode) {
        // Without a way to the LNS there is a fault already.
        guard let (port, isIPv6) = way(to: concentrators[index].value.peerAddress) else { return }
        let path = min(port.mtu, profile?.value.pathMTU ?? port.mtu)
        let computed = EncapsulationOverhead.seedMRU(pathMTU: path, isIPv6: isIPv6)
        guard computed >= 576 else {
            return node.fault("the path's MTU of \(path) leaves \(computed) octets; an MRU is 576 at least")
        }
        let bound = profile.flatMap { $0.hasMTU ? $0.value.mtu : nil } ?? 1_492
        concentrators[index].value.pppMRU = min(computed, bound)
    }

    /// The core port that leads to an instance's LNSs, and whether they may be IPv6 ones. Where they are not known before clients
    /// come, the narrowest port with an address.
    private func way(to peer: AccessConcentrator.PeerAddress) -> (port: DataPlaneSettings.Port, isIPv6: Bool)? {
        func port(_ interface: Interface?) -> DataPlaneSettings.Port? {
            dataPlane?.ports.first { $0.name == interface?.name }
        }
        guard case .fixed(let lns) = peer else {
            let core = interfaces.map(\.value).filter { !$0.addresses.isEmpty }
            let isIPv6 = core.contains { $0.addresses.contains { $0.address.ipv6 != nil } }
            return core.compactMap(port).min { $0.mtu < $1.mtu }.map { ($0, isIPv6) }
        }
        let hop = routes.filter { $0.value.prefix.contains(lns) }.max {
            $0.value.prefix.length < $1.value.prefix.length
        }
        let connected = interfaces.first { $0.value.addresses.contains { $0.contains(lns) } }?.value
        return port(connected ?? hop.flatMap { interface(of: $0.value.nextHop) }).map { ($0, lns.ipv6 != nil) }
    }

    /// Where a router is a neighbour: on the network that it lies in, or, with a link-local address, on the one interface with IPv6.
    private func interface(of nextHop: IPAddress) -> Interface? {
        guard nextHop.isLinkLocal else {
            return interfaces.first { $0.value.addresses.contains { $0.isHost(nextHop) } }?.value
        }
        let links = interfaces.filter { $0.value.addresses.contains { $0.address.ipv6 != nil } }
        return Set(links.map(\.value.port)).count == 1 ? links.first?.value : nil
    }

    private func checkInterfaces() {
        for (index, interface) in interfaces.enumerated() {
            checkServices(of: interface.value, nodes: interface.nodes)
            guard !interface.value.services.isEmpty else { continue }
            let clash = interfaces[..<index].contains { other in
                other.value.name == interface.value.name && !other.value.services.isEmpty
                    && Self.overlap(other.value, interface.value)
            }
            if clash {
                (interface.nodes.vlans ?? interface.nodes.element).fault(
                    "another entry for `\(interface.value.name)` serves PPPoE on some of these VLANs")
            }
        }
    }

    /// Whether one frame could belong to both. An outer VLAN has either sessions of its own or inner VLANs.
    private static func overlap(_ a: Interface, _ b: Interface) -> Bool {
        guard a.vlans.overlaps(b.vlans) else { return false }
        guard let inner = a.innerVLANs, let otherInner = b.innerVLANs else { return true }
        return inner.overlaps(otherInner)
    }

    private func checkServices(of interface: Interface, nodes: InterfaceNodes) {
        var seen: [AccessConcentrator] = []
        for service in nodes.services {
            guard let draft = concentrators.first(where: { $0.value.name == service.value }) else {
                if !incomplete.contains(.concentratorNames) {
                    service.node.fault("there is no `pppoe-ac` called `\(service.value)`")
                }
                continue
            }
            let concentrator = draft.value
            if draft.hasServiceName,
                let rival = seen.first(where: {
                    $0.name != concentrator.name && Self.collide($0.serviceName, concentrator.serviceName)
                })
            {
                service.node.fault(
                    "`\(rival.name)` serves the same service-name `\(rival.serviceName)` on this interface")
            }
            // One PADO answers for all instances, and it has one AC-Name (RFC 2516 section 5.2).
            if let other = seen.first(where: { $0.acName != concentrator.acName }) {
                service.node.fault(
                    "the ac-name `\(concentrator.acName)` of `\(concentrator.name)` differs from `\(other.acName)` of "
                        + "`\(other.name)`; an interface has one")
            }
            if draft.hasServiceName { seen.append(concentrator) }
            if let mtu = dataPlane?.ports.first(where: { $0.name == interface.name })?.mtu,
                Int(concentrator.pppMRU) + 8 > Int(mtu)
            {
                service.node.fault(
                    "the ppp-mru \(concentrator.pppMRU) of `\(concentrator.name)` needs a port MTU of "
                        + "\(Int(concentrator.pppMRU) + 8); `\(interface.name)` has \(mtu)")
            }
        }
    }

    private static func collide(_ a: AccessConcentrator.ServiceName, _ b: AccessConcentrator.ServiceName) -> Bool {
        switch (a, b) {
        case (.any, .any): true
        case (.named(let name, _), .named(let other, _)): name == other
        case (.any, .named), (.named, .any): false
        }
    }

    private func checkAddresses() {
        var seen: [(address: IPPrefix, interface: String)] = []
        for (interface, nodes) in interfaces {
            for placed in nodes.addresses {
                // Every link has a network of link-local addresses of its own.
                let address = placed.value.address
                let rivals = seen.filter { !address.isLinkLocal || $0.interface == interface.name }
                if rivals.contains(where: { $0.address.address == address }) {
                    placed.node.fault("`\(address)` is given twice")
                } else if let rival = rivals.first(where: {
                    $0.interface != interface.name && $0.address.overlaps(placed.value)
                }) {
                    placed.node.fault(
                        "the network of `\(placed.value)` overlaps with `\(rival.address)` on `\(rival.interface)`")
                }
                // The segment's port entry has room for eight of each kind; link-local ones are not in it.
                let others = rivals.count {
                    $0.interface == interface.name && !$0.address.address.isLinkLocal
                        && ($0.address.address.ipv6 == nil) == (address.ipv6 == nil)
                }
                if others == 8, !address.isLinkLocal {
                    placed.node.fault("`\(interface.name)` has more than 8 \(address.family) addresses")
                }
                seen.append((placed.value, interface.name))
            }
        }
    }

    private func checkRoutes() {
        for route in routes {
            let nextHop = route.value.nextHop
            if owns(nextHop) {
                route.node.fault("`\(nextHop)` is the node's own address")
            } else if !incomplete.contains(.addresses), interface(of: nextHop) == nil {
                route.node.fault(
                    nextHop.isLinkLocal
                        ? "`\(nextHop)` is link-local: it names a router only where one interface alone has IPv6 addresses"
                        : "`\(nextHop)` is on no interface's network")
            }
        }
    }

    private func checkPeer(of concentrator: ConcentratorDraft) {
        guard let node = concentrator.peerAddress, case .fixed(let address) = concentrator.value.peerAddress else {
            return
        }
        checkReachable(address, at: node)
    }

    /// An LNS that no packet would reach is a fault.
    func checkReachable(_ address: IPAddress, at node: ConfigurationNode) {
        let connected = interfaces.flatMap(\.value.addresses).filter { $0.contains(address) }
        if owns(address) {
            node.fault("`\(address)` is the node's own address")
        } else if connected.contains(where: { !$0.isHost(address) }) {
            node.fault("`\(address)` is the address of a whole network")
        } else if connected.isEmpty, incomplete.isDisjoint(with: [.addresses, .routes]),
            !routes.contains(where: { $0.value.prefix.contains(address) })
        {
            node.fault("neither an interface's network nor an `ip-route` leads to `\(address)`")
        }
    }

    /// Both ends of a tunnel are IPv4, or both IPv6.
    private func checkFamily(of concentrator: ConcentratorDraft) {
        guard let node = concentrator.peerAddress, case .fixed(let address) = concentrator.value.peerAddress,
            let profile = profiles.first(where: { $0.value.name == concentrator.value.profile })?.value,
            let source = profile.source, (source.ipv6 == nil) != (address.ipv6 == nil)
        else { return }
        node.fault(
            "`\(address)` is \(address.family), but the `source` of l2tp-profile `\(profile.name)` is \(source.family)")
    }
}

extension IPAddress {
    /// The protocol's name.
    fileprivate var family: String { ipv6 == nil ? "IPv4" : "IPv6" }
}
