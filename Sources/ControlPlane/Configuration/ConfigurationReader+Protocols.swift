import Settings

/// What PPP and L2TP say, and how patiently.
extension ConfigurationReader {
    /// Timer and counters of LCP (RFC 1661, section 4.6).
    static func readTimers(_ value: inout AccessConcentrator, _ mapping: inout ConfigurationMapping) {
        read(&value.lcpRestart, mapping.optional("lcp-restart"), in: 1...30)
        read(&value.lcpMaxConfigure, mapping.optional("lcp-max-configure"), in: 1...100)
        read(&value.lcpMaxTerminate, mapping.optional("lcp-max-terminate"), in: 1...10)
        read(&value.lcpMaxFailure, mapping.optional("lcp-max-failure"), in: 1...20)
    }

    /// What control messages say, and how.
    func readAttributes(_ profile: inout L2TPProfile, _ mapping: inout ConfigurationMapping) {
        if let node = mapping.optional("hide-avps"), let flag = node.boolean() {
            if flag, profile.sharedSecret == nil {
                node.fault("AVPs are hidden with the `shared-secret`; there is none")
            }
            profile.hidesAttributes = flag
        }
        Self.readSet(&profile.framingCapability, mapping.optional("framing-capability"))
        Self.readSet(&profile.bearerCapability, mapping.optional("bearer-capability"))
        if let flag = mapping.optional("tie-breaker")?.boolean() { profile.tieBreaker = flag }
        profile.firmwareRevision = mapping.optional("firmware-revision")?.integer(in: 0...65_535)
        if let failover: L2TPProfile.Failover = mapping.optional("failover")?.choice() { profile.failover = failover }
        Self.read(&profile.recoveryTime, mapping.optional("recovery-time"), in: 0...3_600)
        if let flag = mapping.optional("access-line-avps")?.boolean() { profile.accessLineAVPs = flag }
    }

    /// Reads a list of words, each of which may come once.
    private static func readSet<Word: Hashable & CaseIterable & RawRepresentable<String>>(
        _ set: inout Set<Word>, _ node: ConfigurationNode?
    ) {
        guard let node else { return }
        set = []
        for element in node.oneOrMore() {
            guard let word: Word = element.choice() else { continue }
            if !set.insert(word).inserted { element.fault("`\(word.rawValue)` is given twice") }
        }
    }
}
