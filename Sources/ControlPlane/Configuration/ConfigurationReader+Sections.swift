import Names
import Settings
import Wire

extension ConfigurationReader {
    mutating func readControl(_ mapping: inout ConfigurationMapping) {
        // A unix socket's path has room for 107 octets; the RPC's socket is made beside it under a longer name and renamed.
        if let path = mapping.optional("rpc-socket")?.parsed(
            "an absolute path of at most 103 octets",
            { $0.hasPrefix("/") && $0.utf8.count <= 103 && !$0.utf8.contains(0) ? $0 : nil })
        {
            control.rpcSocket = path
        }
        if let mode = mapping.optional("rpc-socket-mode")?.parsed(
            "three or four octal digits from \"000\" to \"0777\"", Self.mode)
        {
            control.rpcSocketMode = mode
        }
        if let path = mapping.optional("store")?.parsed(
            "an absolute path of at most 1023 octets",
            { $0.hasPrefix("/") && $0.utf8.count <= 1_023 && !$0.utf8.contains(0) ? $0 : nil })
        {
            control.store = path
        }
        if let choice: Control.SessionsAtStop = mapping.optional("sessions-at-stop")?.choice() {
            control.sessionsAtStop = choice
        }
        if let level: Control.LogLevel = mapping.optional("log-level")?.choice() { control.logLevel = level }
        if let format: Control.LogFormat = mapping.optional("log-format")?.choice() { control.logFormat = format }
        if let node = mapping.optional("rpc-tcp") { control.rpcTCP = node.mapping { Self.secureRPC(&$0) } ?? nil }
        if let node = mapping.optional("metrics") { control.metrics = node.mapping { Self.metrics(&$0) } ?? nil }
        Self.read(&control.hostName, mapping.optional("host-name"))
        Self.read(&control.vendorName, mapping.optional("vendor-name"))
    }

    private static func mode(_ text: String) -> UInt16? {
        guard (3...4).contains(text.utf8.count), text.utf8.allSatisfy({ (48...55).contains($0) }),
            let mode = UInt16(text, radix: 8), mode <= 0o777
        else { return nil }
        return mode
    }

    mutating func readInterface(_ mapping: inout ConfigurationMapping) {
        var nodes = InterfaceNodes(element: mapping.place)
        var interface = Interface(name: "", port: 0)
        if let name = mapping.required("name") {
            nodes.element = name
            interface.name = name.string() ?? ""
            if let dataPlane, !interface.name.isEmpty {
                if let index = dataPlane.ports.firstIndex(where: { $0.name == interface.name }) {
                    interface.port = UInt16(clamping: index)
                } else if !incomplete.contains(.ports) {
                    name.fault("no port of `dataplane.ports` is called `\(interface.name)`")
                }
            }
        }
        for node in mapping.optional("pppoe-ac-service")?.oneOrMore() ?? [] {
            guard let service = node.name() else { continue }
            if interface.services.contains(service) { node.fault("`\(service)` is given twice") }
            interface.services.append(service)
            nodes.services.append(Placed(value: service, node: node))
        }
        let vlans = mapping.optional("vlans")
        nodes.vlans = vlans
        if let vlans, let set = Self.vlanSet(vlans) { interface.vlans = set }
        if let inner = mapping.optional("inner-vlans"), let set = Self.vlanSet(inner) {
            interface.innerVLANs = set
            if set.untagged { inner.fault("a frame with two tags has an inner VLAN; `untagged` cannot be one") }
            if vlans == nil || interface.vlans.untagged {
                inner.fault("needs outer VLANs in `vlans`, and no `untagged` among them")
            }
        }
        if let vlans, nodes.services.isEmpty { vlans.fault("VLANs serve PPPoE, but there is no `pppoe-ac-service`") }
        for node in mapping.optional("ip-address")?.oneOrMore() ?? [] {
            guard
                let prefix = node.parsed(
                    "an address with prefix length such as 10.99.0.1/24 or 2001:db8::1/64", IPPrefix.init(_:))
            else {
                incomplete.insert(.addresses)
                continue
            }
            guard prefix.address.isUnicast, prefix.isHost(prefix.address) else {
                node.fault("`\(prefix)` is not the address of a host in its network")
                incomplete.insert(.addresses)
                continue
            }
            interface.addresses.append(prefix)
            nodes.addresses.append(Placed(value: prefix, node: node))
        }
        if mapping.optional("pppoe-ac-service") == nil, mapping.optional("ip-address") == nil {
            mapping.place.fault("needs `pppoe-ac-service` or `ip-address`")
        }
        interfaces.append((interface, nodes))
    }

    private static func vlanSet(_ node: ConfigurationNode) -> VLANSet? {
        guard let text = node.parsed("VLANs such as untagged,100,200-299", { $0 }) else { return nil }
        do throws(VLANSet.Fault) {
            return try VLANSet(parsing: text)
        } catch {
            switch error {
            case .syntax: node.fault("expected VLANs such as untagged,100,200-299, found `\(text)`")
            case .outOfRange(let word): node.fault("`\(word)` does not lie in 1 to 4094 in ascending order")
            case .twice(let word): node.fault("`\(word)` overlaps with VLANs before it")
            }
            return nil
        }
    }

    mutating func readRoute(_ mapping: inout ConfigurationMapping) {
        let prefixNode = mapping.required("prefix")
        let prefix = prefixNode?.parsed("a network such as 192.0.2.0/24 or 2001:db8::/32", IPPrefix.init(_:))
        let hopNode = mapping.required("next-hop")
        let nextHop = hopNode?.hostAddress()
        guard let prefixNode, let prefix, let hopNode, let nextHop else {
            incomplete.insert(.routes)
            return
        }
        guard prefix.address == prefix.network else {
            incomplete.insert(.routes)
            return prefixNode.fault(
                "bits are set behind the prefix; the network is \(prefix.network)/\(prefix.length)")
        }
        guard (prefix.address.ipv6 == nil) == (nextHop.ipv6 == nil) else {
            incomplete.insert(.routes)
            return hopNode.fault("`\(prefix)` and its next hop `\(nextHop)` are not both IPv4 or both IPv6")
        }
        if routes.contains(where: { $0.value.prefix == prefix }) {
            prefixNode.fault("there is another route for `\(prefix)`")
        }
        routes.append(Placed(value: IPRoute(prefix: prefix, nextHop: nextHop), node: hopNode))
    }

    mutating func readConcentrator(_ mapping: inout ConfigurationMapping) {
        var value = AccessConcentrator(
            name: "", acName: control.hostName, serviceName: .any, authenticationProtocols: [.chap, .pap],
            pppMRU: 1_492, challengeName: control.hostName, sessionLimit: 0, sessionLimitPerMAC: 0,
            destination: .l2tp, peerAddress: .fixed(.v4(.any)), profile: "")
        if let node = mapping.required("name"), let name = node.name() {
            if concentrators.contains(where: { $0.value.name == name }) {
                node.fault("another instance is called `\(name)`")
            }
            value.name = name
        } else {
            incomplete.insert(.concentratorNames)
        }
        Self.read(&value.acName, mapping.optional("ac-name"))
        let serviceName = mapping.required("service-name").flatMap(Self.serviceName)
        if let serviceName { value.serviceName = serviceName }
        if let node = mapping.optional("ppp-auth-protocols") {
            value.authenticationProtocols = []
            for element in node.oneOrMore() {
                guard let choice: AccessConcentrator.AuthenticationProtocol = element.choice() else { continue }
                if value.authenticationProtocols.contains(choice) {
                    element.fault("`\(choice.rawValue)` is given twice")
                }
                value.authenticationProtocols.append(choice)
            }
        }
        let pppMRU: Placed<ConcentratorDraft.MRU>? = mapping.optional("ppp-mru").flatMap { node in
            node.parsed("`computed` or a whole number from 576 to 9592", Self.mru).map { Placed(value: $0, node: node) }
        }
        if let size = mapping.optional("tcp-mss")?.parsed(
            "`off`, `auto` or a whole number from 536 to 9552", Self.segmentSize)
        {
            value.segmentSize = size
        }
        Self.readTimers(&value, &mapping)
        Self.read(&value.challengeName, mapping.optional("challenge-name"))
        Self.read(&value.sessionLimit, mapping.optional("session-limit"), in: 0...1_048_576)
        Self.read(&value.sessionLimitPerMAC, mapping.optional("session-limit-per-mac"), in: 0...65_535)
        if let destination: AccessConcentrator.Destination = mapping.required("destination")?.choice() {
            value.destination = destination
        }
        var draft = ConcentratorDraft(value: value, hasServiceName: serviceName != nil, pppMRU: pppMRU)
        _ = mapping.required("l2tp")?.mapping { l2tp in
            if let node = l2tp.required("peer-address"), let address = Self.peerAddress(node) {
                draft.value.peerAddress = address
                draft.peerAddress = node
            }
            if let node = l2tp.required("profile"), let name = node.name() {
                draft.value.profile = name
                draft.profile = node
            }
            if let style: AccessConcentrator.RADIUSStyle = l2tp.optional("radius-style")?.choice() {
                draft.value.radiusStyle = style
            }
            if let password = l2tp.optional("radius-password")?.text(upTo: 128) {
                draft.value.radiusPassword = Secret(password)
            }
        }
        if let node = mapping.optional("accounting") {
            draft.accounting = node
            _ = node.mapping { draft.value.accounting = Self.accounting(&$0) }
        }
        concentrators.append(draft)
    }

    private static func mru(_ text: String) -> ConcentratorDraft.MRU? {
        text == "computed" ? .computed : decimal(text, in: 576...9_592).map { .octets($0) }
    }

    private static func segmentSize(_ text: String) -> AccessConcentrator.SegmentSize? {
        switch text {
        case "off": .off
        case "auto": .automatic
        default: decimal(text, in: 536...9_552).map { .octets($0) }
        }
    }

    /// A number of decimal digits alone.
    private static func decimal(_ text: String, in range: ClosedRange<UInt16>) -> UInt16? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), let number = UInt16(text), range.contains(number)
        else { return nil }
        return number
    }

    private static func serviceName(_ node: ConfigurationNode) -> AccessConcentrator.ServiceName? {
        guard let text = node.text(upTo: 255) else { return nil }
        let words = text.split(separator: " ").map(String.init)
        switch (words.count, words.first, words.last) {
        case (1, "any", _): return .any
        case (1, let name?, _): return .named(name, advertised: false)
        case (2, let name?, "advertised") where name != "any": return .named(name, advertised: true)
        default:
            node.fault("expected `any`, `NAME` or `NAME advertised`, found `\(text)`")
            return nil
        }
    }

    static func peerAddress(_ node: ConfigurationNode) -> AccessConcentrator.PeerAddress? {
        node.parsed(
            "`static ADDRESS`, `dns-lookup prefix NAME`, `radius-lookup group NAME`, `radius-lookup` or `domain-map`"
        ) { text in
            let words = text.split(separator: " ").map(String.init)
            switch (words.first, words.count) {
            case ("static", 2):
                return IPAddress(words[1]).flatMap { $0.isUnicast && !$0.isLinkLocal ? .fixed($0) : nil }
            case ("dns-lookup", 3) where words[1] == "prefix":
                return isPrefix(words[2]) ? .dns(prefix: words[2].lowercased()) : nil
            case ("radius-lookup", 3) where words[1] == "group": return .radius(group: words[2])
            case ("radius-lookup", 1): return .radius(group: nil)
            case ("domain-map", 1): return .domainMap
            default: return nil
            }
        }
    }

    /// Labels that a domain can be put behind: with one it is a host name.
    private static func isPrefix(_ text: String) -> Bool { (try? HostName("\(text).a")) != nil }

    mutating func readProfile(_ mapping: inout ConfigurationMapping) {
        var draft = ProfileDraft(
            value: L2TPProfile(name: "", hostName: control.hostName, vendorName: control.vendorName))
        if let node = mapping.required("name"), let name = node.name() {
            if profiles.contains(where: { $0.value.name == name }) {
                node.fault("another profile is called `\(name)`")
            }
            draft.value.name = name
        } else {
            incomplete.insert(.profileNames)
        }
        if let version: UInt8 = mapping.optional("version")?.parsed("2", { $0 == "2" ? 2 : nil }) {
            draft.value.version = version
        }
        draft.value.sharedSecret = mapping.optional("shared-secret").flatMap {
            Self.secret($0, otherwise: "leave it out for tunnels without authentication")
        }
        Self.read(&draft.value.helloTimeout, mapping.optional("hello-timeout"), in: 0...3_600)
        Self.read(&draft.value.retryTimeout, mapping.optional("retry-timeout"), in: 1...8)
        Self.read(&draft.value.maxRetries, mapping.optional("max-retries"), in: 1...30)
        Self.read(&draft.value.establishTimeout, mapping.optional("establish-timeout"), in: 1...3_600)
        Self.read(
            &draft.value.sessionEstablishTimeout, mapping.optional("session-establish-timeout"), in: 1...3_600)
        Self.read(&draft.value.persistPendTimeout, mapping.optional("persist-pend-timeout"), in: 1...3_600)
        Self.read(&draft.value.idleTimeout, mapping.optional("idle-timeout"), in: 0...86_400)
        Self.read(&draft.value.rxWindowSize, mapping.optional("rx-window-size"), in: 1...1_024)
        Self.read(&draft.value.sessionLimit, mapping.optional("session-limit"), in: 0...65_535)
        if let flag = mapping.optional("udp-checksums")?.boolean() { draft.value.udpChecksums = flag }
        if let flag = mapping.optional("ipv6-zero-checksum")?.boolean() { draft.value.ipv6ZeroChecksum = flag }
        if let tos = mapping.optional("tos")?.parsed("`inherit` or a whole number from 0 to 255", Self.typeOfService) {
            draft.value.typeOfService = tos
        }
        if let flag = mapping.optional("l2tp-length-bit")?.boolean() { draft.value.lengthBit = flag }
        if let mtu: UInt16 = mapping.optional("mtu")?.integer(in: 576...9_592) {
            draft.value.mtu = mtu
            draft.hasMTU = true
        }
        readAttributes(&draft.value, &mapping)
        readPath(&draft.value, &mapping)
        Self.read(&draft.value.hostName, mapping.optional("host-name"))
        Self.read(&draft.value.vendorName, mapping.optional("vendor-name"))
        draft.value.nameServers = readNameServers(mapping.optional("ip-name-server"))
        if let node = mapping.optional("server"), let name = node.name() {
            draft.value.radiusGroup = name
            draft.radiusGroup = node
        }
        Self.read(&draft.value.failoverTimeout, mapping.optional("failover-timeout"), in: 1...60)
        Self.read(&draft.value.holdDown, mapping.optional("hold-down"), in: 0...3_600)
        if let node = mapping.optional("source"), let address = node.hostAddress() {
            draft.value.source = address
            draft.source = node
        }
        profiles.append(draft)
    }

    /// What concerns the size and the order of data messages.
    private func readPath(_ profile: inout L2TPProfile, _ mapping: inout ConfigurationMapping) {
        profile.pathMTU = mapping.optional("path-mtu")?.integer(in: 576...9_600)
        if let flag = mapping.optional("path-mtu-discovery")?.boolean() { profile.pathMTUDiscovery = flag }
        profile.dontFragment = profile.pathMTUDiscovery
        if let node = mapping.optional("dont-fragment"), let flag = node.boolean() {
            if profile.pathMTUDiscovery, !flag {
                node.fault("`path-mtu-discovery` learns nothing from packets that may be fragmented on their way")
            }
            profile.dontFragment = flag
        }
        if let choice: L2TPProfile.TooBig = mapping.optional("too-big")?.choice() { profile.tooBig = choice }
        profile.offsetPad = mapping.optional("offset-pad")?.integer(in: 0...255)
        if let choice: L2TPProfile.DataSequencing = mapping.optional("data-sequence-numbers")?.choice() {
            profile.dataSequencing = choice
        }
        if let flag = mapping.optional("reorder")?.boolean() { profile.reorder = flag }
    }

    /// - Parameter advice: what to do instead of giving an empty one, where there is something.
    static func secret(_ node: ConfigurationNode, otherwise advice: String? = nil) -> Secret? {
        guard let text = node.string() else { return nil }
        guard !text.isEmpty else {
            node.fault("a secret cannot be empty" + (advice.map { "; " + $0 } ?? ""))
            return nil
        }
        return Secret(text)
    }

    private static func typeOfService(_ text: String) -> L2TPProfile.TypeOfService? {
        if text == "inherit" { return .inherit }
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), let octet = UInt8(text) else { return nil }
        return .fixed(octet)
    }
}
