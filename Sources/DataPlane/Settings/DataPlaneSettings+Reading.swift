extension DataPlaneSettings {
    /// Most workers, and so cores.
    static let workerLimit = 64
    /// Most ports.
    static let portLimit = 32

    /// Reads the `dataplane:` section of the configuration file whose text is `text`.
    /// - Throws: every fault of the section.
    public static func read(_ text: String) throws(ConfigurationFaults) -> DataPlaneSettings {
        let faults = FaultCollector()
        let settings = ConfigurationNode.document(text, faults: faults)?.mapping { document in
            _ = document.entries  // the other sections are culvertd's, which refuses what it does not know
            return document.required("dataplane").flatMap(DataPlaneSettings.init(_:))
        }
        try faults.throwIfAny()
        guard let settings = settings ?? nil else { throw ConfigurationFaults(faults.faults) }
        return settings
    }

    /// Reads the section at `section`. nil, with a fault reported, when it is no mapping; a section that is one but has faults
    /// answers with defaults in their places, and its value must not be used.
    public init?(_ section: ConfigurationNode) {
        var settings = DataPlaneSettings(cores: [], ports: [])
        guard section.mapping({ settings.read(&$0) }) != nil else { return nil }
        self = settings
    }

    private mutating func read(_ mapping: inout ConfigurationMapping) {
        if let path = mapping.optional("segment")?.parsed("an absolute path", { $0.hasPrefix("/") ? $0 : nil }) {
            segment = path
        }
        if let node = mapping.optional("segment-group") { segmentGroup = node.string() }
        if let node = mapping.optional("memory") { memory = node.choice() ?? memory }
        if let node = mapping.required("cores") {
            cores = node.parsed("a core list such as 1-3,5", Self.coreList) ?? []
            if Set(cores).count != cores.count { node.fault("a core is given twice; a worker has one for itself") }
            if cores.count > Self.workerLimit { node.fault("more than \(Self.workerLimit) cores") }
        }
        if let node = mapping.optional("main-core") { mainCore = node.integer(in: 0...1_023) ?? mainCore }
        read(&sessions, mapping.optional("sessions"), powerOfTwoIn: 64...1_048_576)
        read(&tunnels, mapping.optional("tunnels"), powerOfTwoIn: 16...65_536)
        read(&circuits, mapping.optional("circuits"), powerOfTwoIn: 16...1_048_576)
        if let node = mapping.optional("vlan-blocks") { vlanBlocks = node.integer(in: 2...65_536) ?? vlanBlocks }
        read(&frameRingDepth, mapping.optional("frame-ring-depth"), powerOfTwoIn: 64...65_536)
        if let node = mapping.optional("idle") {
            idle = node.parsed("`poll`, `yield` or `sleep N` with N from 1 to 10000 microseconds", Self.idle) ?? idle
        }
        if let node = mapping.optional("punt-limits") { _ = node.mapping { puntLimits.read(&$0) } }
        if let node = mapping.optional("punt-limits-per-client") {
            _ = node.mapping { puntLimitsPerClient.read(&$0) }
        }
        if let node = mapping.optional("punt-shares") { _ = node.mapping { puntShares.read(&$0, captures: false) } }
        if let node = mapping.optional("punt-shares-per-port") {
            _ = node.mapping { puntSharesPerPort.read(&$0, captures: false) }
        }
        if let node = mapping.optional("reassembly") { _ = node.mapping { reassembly.read(&$0) } }
        if let node = mapping.optional("reordering") { _ = node.mapping { reordering.read(&$0) } }
        if let node = mapping.optional("telemetry") { telemetry = node.boolean() ?? telemetry }
        readPorts(mapping.required("ports"))
    }

    private mutating func readPorts(_ node: ConfigurationNode?) {
        guard let node, let elements = node.elements() else { return }
        if elements.isEmpty { node.fault("no port is given") }
        if elements.count > Self.portLimit { node.fault("more than \(Self.portLimit) ports") }
        for element in elements {
            guard let port = element.mapping({ Port(&$0) }) ?? nil else { continue }
            if ports.contains(where: { $0.name == port.name }) {
                element.fault("another port is called `\(port.name)`")
            }
            if ports.contains(where: { $0.device == port.device }) {
                element.fault("another port has the device `\(port.device)`")
            }
            ports.append(port)
        }
    }

    private func read(_ value: inout UInt32, _ node: ConfigurationNode?, powerOfTwoIn range: ClosedRange<UInt32>) {
        guard let node, let number = node.integer(in: range) else { return }
        guard number.nonzeroBitCount == 1 else { return node.fault("expected a power of two, found `\(number)`") }
        value = number
    }

    /// `1-3,5` as 1, 2, 3, 5; nil for anything else.
    static func coreList(_ text: String) -> [UInt32]? {
        var cores: [UInt32] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { core($0) }
            switch (ends.count, ends.first ?? nil, ends.last ?? nil) {
            case (1, let core?, _): cores.append(core)
            case (2, let first?, let last?) where first <= last: cores += first...last
            default: return nil
            }
        }
        return cores
    }

    private static func core(_ text: Substring) -> UInt32? {
        let text = text.drop { $0 == " " }
        guard text.first?.isNumber == true, let core = UInt32(text), core <= 1_023 else { return nil }
        return core
    }

    private static func idle(_ text: String) -> Idle? {
        let words = text.split(separator: " ")
        switch (words.count, words.first) {
        case (1, "poll"): return .poll
        case (1, "yield"): return .yield
        case (2, "sleep"):
            guard let microseconds = UInt32(words[1]), (1...10_000).contains(microseconds) else { return nil }
            return .sleep(microseconds: microseconds)
        default: return nil
        }
    }
}

extension DataPlaneSettings.PuntLimits {
    /// - Parameter captures: whether copies for captures have a figure there.
    fileprivate mutating func read(_ mapping: inout ConfigurationMapping, captures: Bool = true) {
        func rate(_ key: String, _ value: inout UInt32) {
            if let node = mapping.optional(key) { value = node.integer(in: 0...10_000_000) ?? value }
        }
        rate("arp", &arp)
        rate("ipv4", &ipv4)
        rate("ipv6", &ipv6)
        rate("pppoe-discovery", &pppoeDiscovery)
        rate("ppp-control", &pppControl)
        rate("unknown-session", &unknownSession)
        rate("l2tp-control", &l2tpControl)
        rate("l2tp-unknown", &l2tpUnknown)
        rate("too-big", &tooBig)
        if captures { rate("capture", &capture) }
    }
}

extension DataPlaneSettings.Reassembly {
    fileprivate mutating func read(_ mapping: inout ConfigurationMapping) {
        if let node = mapping.optional("datagrams") { datagrams = node.integer(in: 16...65_536) ?? datagrams }
        if let node = mapping.optional("fragments") { fragments = node.integer(in: 256...65_536) ?? fragments }
        if let node = mapping.optional("timeout-ms") {
            timeoutMilliseconds = node.integer(in: 1...60_000) ?? timeoutMilliseconds
        }
    }
}

extension DataPlaneSettings.Reordering {
    fileprivate mutating func read(_ mapping: inout ConfigurationMapping) {
        if let node = mapping.optional("window") { window = node.integer(in: 2...256) ?? window }
        if let node = mapping.optional("frames") { frames = node.integer(in: 64...65_536) ?? frames }
        if let node = mapping.optional("timeout-ms") { timeout = node.integer(in: 1...1_000) ?? timeout }
    }
}

extension DataPlaneSettings.Port {
    fileprivate init?(_ mapping: inout ConfigurationMapping) {
        let name = mapping.required("name")?.parsed("a name of 1 to 31 letters, digits, `-`, `_` or `.`", Self.name)
        let device = mapping.required("device")?.parsed("a DPDK device of 1 to 127 characters") {
            (1...127).contains($0.utf8.count) && !$0.contains(" ") ? $0 : nil
        }
        let mtu = mapping.optional("mtu").map { $0.integer(in: 576...9_600 as ClosedRange<UInt16>) } ?? 1_500
        let queues = mapping.optional("queues").flatMap { $0.integer(in: 1...64 as ClosedRange<UInt16>) }
        let dispatch = mapping.optional("dispatch").flatMap { node -> DataPlaneSettings.Dispatch? in
            guard let dispatch: DataPlaneSettings.Dispatch = node.choice() else { return nil }
            if dispatch == .single, let queues, queues > 1 {
                node.fault("`single` has one queue, and `queues` is \(queues)")
            }
            if dispatch == .rss, queues == 1 { node.fault("`rss` takes two queues or more, and `queues` is 1") }
            return dispatch
        }
        guard let name, let device, let mtu else { return nil }
        self.init(name: name, device: device, mtu: mtu, queues: queues, dispatch: dispatch ?? .automatic)
    }

    private static func name(_ text: String) -> String? {
        let isFit = text.utf8.allSatisfy { octet in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        return isFit && (1...31).contains(text.utf8.count) ? text : nil
    }
}
