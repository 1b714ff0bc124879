import CSegment

// Captures: a bit in the features of both directions, and one word in the upstream line. The word is written before the bits that
// say that it counts, and outlives them: a worker that still sees a bit finds the old word or 0, which captures nothing.
extension TableWriter {
    /// Captures a session's frames from here on, or no more. A session that is not forwarded yet is captured from its first
    /// forwarded frame on: until then all its frames are culvertd's.
    /// - Throws: `noSuchUpstreamSession`.
    public func setCapture(_ capture: SessionCapture?, of slot: UpstreamSlot) throws(TableError) {
        let found = state(slot)
        guard found == EntryState.punt || found == EntryState.forward else { throw .noSuchUpstreamSession(slot) }
        let word = captureWord(slot)
        if let capture { culvert_store_release_u32(word, capture.word) }
        featureLine(of: slot).set(CULVERT_FEATURE_CAPTURED, capture != nil)
        if let partner = partner(of: slot) {
            featureLine(of: partner).set(CULVERT_FEATURE_CAPTURED, capture != nil)
        }
        if capture == nil { culvert_store_release_u32(word, 0) }
    }

    /// The capture of a session; nil when it has none, or is not there.
    public func capture(of slot: UpstreamSlot) -> SessionCapture? {
        let found = state(slot)
        guard found == EntryState.punt || found == EntryState.forward else { return nil }
        guard featureLine(of: slot).has(CULVERT_FEATURE_CAPTURED) else { return nil }
        return SessionCapture(word: culvert_load_relaxed_u32(captureWord(slot)))
    }

    /// Gives the downstream side, which no worker looks at yet, what the upstream side says.
    func joinCapture(_ upstream: UpstreamSlot, _ downstream: DownstreamSlot) {
        guard featureLine(of: upstream).has(CULVERT_FEATURE_CAPTURED) else { return }
        featureLine(of: downstream).set(CULVERT_FEATURE_CAPTURED, true)
    }

    /// Takes away what says that the lines of these slots, which need not be of one session, are captured.
    func endCapture(_ up: UpstreamSlot, _ down: DownstreamSlot) {
        if featureLine(of: up).has(CULVERT_FEATURE_CAPTURED) {
            featureLine(of: up).set(CULVERT_FEATURE_CAPTURED, false)
            culvert_store_release_u32(captureWord(up), 0)
        }
        if featureLine(of: down).has(CULVERT_FEATURE_CAPTURED) {
            featureLine(of: down).set(CULVERT_FEATURE_CAPTURED, false)
        }
    }

    private func captureWord(_ slot: UpstreamSlot) -> UnsafeMutablePointer<UInt32> {
        (UnsafeMutableRawPointer(view.upstream + Int(slot.rawValue)) + 56).assumingMemoryBound(to: UInt32.self)
    }
}
