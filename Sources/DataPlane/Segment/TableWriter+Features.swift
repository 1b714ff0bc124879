import CSegment

// What sessions have beside their addresses. Every setting is a word or an octet of its own, so a worker sees the old one or the
// new one; what a feature needs is written before the bit that switches it on, and outlives the one that switches it off.
extension TableWriter {
    /// Polices a direction of a session, or no more. Its buckets stay as full as they are.
    /// - Throws: `noSuchUpstreamSession`, `invalidRates`, `policersFull`.
    public func setPolicer(
        _ rates: PolicerRates?, direction: SessionDirection, of slot: UpstreamSlot
    ) throws(TableError) {
        let lines = try featureLines(slot)
        if let rates, !rates.isValid { throw .invalidRates(rates) }
        let line = direction == .upstream ? lines.upstream : lines.downstream
        let before = line.policer
        if let rates {
            // Taken before the old one is given back: when there is none left, nothing has changed.
            line.setPolicer(try policers.take(rates))
        }
        line.set(CULVERT_FEATURE_POLICED, rates != nil)
        if let before { policers.give(before, view: view) }
    }

    /// Sets the largest MSS that a session's TCP SYNs may name in either direction; nil: they pass as they are.
    /// - Throws: `noSuchUpstreamSession`, `invalidMSS`.
    public func setMSS(_ mss: UInt16?, of slot: UpstreamSlot) throws(TableError) {
        let lines = try featureLines(slot)
        if let mss, !SessionFeatures.mssRange.contains(mss) { throw .invalidMSS(mss) }
        for line in [lines.upstream, lines.downstream] { line.setMSS(mss) }
    }

    /// Sets what a session does with sequence numbers; the numbers themselves go on where they are.
    /// - Parameters:
    ///   - send: whether messages to the peer have them in any case.
    ///   - required: whether messages of the peer without them are dropped.
    ///   - reorder: whether messages that come too early wait for those before them.
    /// - Throws: `noSuchUpstreamSession`.
    public func setSequencing(
        send: Bool, required: Bool, reorder: Bool, of slot: UpstreamSlot
    ) throws(TableError) {
        let lines = try featureLines(slot)
        lines.upstream.set(CULVERT_FEATURE_SEQUENCED, send)
        lines.downstream.set(CULVERT_FEATURE_SEQUENCED, required)
        lines.downstream.set(CULVERT_FEATURE_REORDERED, reorder)
    }

    /// What a forwarded session has.
    /// - Throws: `noSuchUpstreamSession`.
    public func features(of slot: UpstreamSlot) throws(TableError) -> SessionFeatures {
        let lines = try featureLines(slot)
        return features(lines.upstream, lines.downstream)
    }

    /// Whether a session's peer sends sequence numbers now, as the workers have seen it.
    public func learnsSequence(of slot: UpstreamSlot) -> Bool {
        guard slot.rawValue <= view.sessionMask else { return false }
        let learned = culvert_load_relaxed_u8(&(view.upstream + Int(slot.rawValue)).pointee.learned)
        return UInt32(learned) & UInt32(CULVERT_FEATURE_SEQUENCED) != 0
    }

    /// The lines of a session that is forwarded. One that is not has no downstream side to have features.
    private func featureLines(_ slot: UpstreamSlot) throws(TableError) -> (
        upstream: FeatureLine, downstream: FeatureLine
    ) {
        guard state(slot) == EntryState.forward, let partner = partner(of: slot) else {
            throw .noSuchUpstreamSession(slot)
        }
        return (featureLine(of: slot), featureLine(of: partner))
    }
}

// For the rest of the writer.
extension TableWriter {
    /// The features of one direction of a session: the octet in the session line, and the feature line of the same slot.
    struct FeatureLine {
        let octet: UnsafeMutablePointer<UInt8>
        let line: UnsafeMutablePointer<culvert_features>

        func has(_ feature: some BinaryInteger) -> Bool { UInt32(octet.pointee) & UInt32(feature) != 0 }

        func set(_ feature: some BinaryInteger, _ isOn: Bool) {
            let bit = UInt8(truncatingIfNeeded: feature)
            culvert_store_release_u8(octet, isOn ? octet.pointee | bit : octet.pointee & ~bit)
        }

        /// Index of the policer that this refers to.
        var policer: UInt16? { has(CULVERT_FEATURE_POLICED) ? line.pointee.policer : nil }

        func setPolicer(_ index: UInt16) { culvert_store_relaxed_u16(&line.pointee.policer, index) }

        func setMSS(_ mss: UInt16?) {
            if let mss { culvert_store_relaxed_u16(&line.pointee.mss, mss) }
            set(CULVERT_FEATURE_CLAMPED, mss != nil)
        }
    }

    /// The policers of a session that is to be made.
    struct TakenPolicers {
        var upstream: UInt16?
        var downstream: UInt16?
    }

    func featureLine(of slot: UpstreamSlot) -> FeatureLine {
        let octet = UnsafeMutableRawPointer(view.upstream + Int(slot.rawValue)) + 28
        return FeatureLine(
            octet: octet.assumingMemoryBound(to: UInt8.self), line: view.upstreamFeatures + Int(slot.rawValue))
    }

    func featureLine(of slot: DownstreamSlot) -> FeatureLine {
        let octet = UnsafeMutableRawPointer(view.downstream + Int(slot.rawValue)) + 32
        return FeatureLine(
            octet: octet.assumingMemoryBound(to: UInt8.self), line: view.downstreamFeatures + Int(slot.rawValue))
    }

    func features(_ upstream: FeatureLine, _ downstream: FeatureLine) -> SessionFeatures {
        var features = SessionFeatures()
        features.upstreamPolicer = upstream.policer.flatMap { view.policerRates(UInt32($0))?.rates }
        features.downstreamPolicer = downstream.policer.flatMap { view.policerRates(UInt32($0))?.rates }
        features.mss = upstream.has(CULVERT_FEATURE_CLAMPED) ? upstream.line.pointee.mss : nil
        features.sendsSequence = upstream.has(CULVERT_FEATURE_SEQUENCED)
        features.requiresSequence = downstream.has(CULVERT_FEATURE_SEQUENCED)
        features.reorders = downstream.has(CULVERT_FEATURE_REORDERED)
        return features
    }

    /// Takes the policers that a session with these features needs; none when it cannot have them all.
    /// - Throws: `invalidRates`, `invalidMSS`, `policersFull`.
    func takePolicers(_ features: SessionFeatures) throws(TableError) -> TakenPolicers {
        for rates in [features.upstreamPolicer, features.downstreamPolicer] {
            if let rates, !rates.isValid { throw .invalidRates(rates) }
        }
        if let mss = features.mss, !SessionFeatures.mssRange.contains(mss) { throw .invalidMSS(mss) }
        var taken = TakenPolicers()
        if let rates = features.upstreamPolicer { taken.upstream = try policers.take(rates) }
        guard let rates = features.downstreamPolicer else { return taken }
        do {
            taken.downstream = try policers.take(rates)
        } catch {
            give(taken)
            throw error
        }
        return taken
    }

    /// Undoes `takePolicers`.
    func give(_ taken: TakenPolicers) {
        for index in [taken.upstream, taken.downstream] {
            if let index { policers.give(index, view: view) }
        }
    }

    /// Writes the features of a session whose two lines no worker looks at yet.
    func write(
        _ features: SessionFeatures, _ taken: TakenPolicers, _ upstream: UpstreamSlot, _ downstream: DownstreamSlot
    ) {
        guard features != SessionFeatures() else { return }
        let (up, down) = (featureLine(of: upstream), featureLine(of: downstream))
        for (line, policer) in [(up, taken.upstream), (down, taken.downstream)] {
            line.setMSS(features.mss)
            if let policer { line.setPolicer(policer) }
            line.set(CULVERT_FEATURE_POLICED, policer != nil)
        }
        up.set(CULVERT_FEATURE_SEQUENCED, features.sendsSequence)
        down.set(CULVERT_FEATURE_SEQUENCED, features.requiresSequence)
        down.set(CULVERT_FEATURE_REORDERED, features.reorders)
    }

    /// Makes the feature line of a slot that is being filled that of a session without features, whose numbers start at 0 and
    /// whose buckets are full.
    func clearFeatures(_ slot: UpstreamSlot) { view.upstreamFeatures[Int(slot.rawValue)] = culvert_features() }

    /// As for an upstream slot.
    func clearFeatures(_ slot: DownstreamSlot) { view.downstreamFeatures[Int(slot.rawValue)] = culvert_features() }

    /// Counts the policers that the sessions of either direction refer to, and ends the captures of the writer before. A line that
    /// is not free counts whatever its state is, since it gives its policer back when it becomes free.
    func recoverFeatures() {
        for index in 0...view.sessionMask {
            let (up, down) = (UpstreamSlot(rawValue: index), DownstreamSlot(rawValue: index))
            if state(up) != EntryState.free, let policer = featureLine(of: up).policer { policers.countUp(policer) }
            if state(down) != EntryState.free, let policer = featureLine(of: down).policer { policers.countUp(policer) }
            endCapture(up, down)
        }
        policers.finishCounting(view: view)
    }
}
