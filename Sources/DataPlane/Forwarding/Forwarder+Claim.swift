import CDPDK
import CSegment

// Whose a session is. Each direction of a session belongs to one worker, which alone writes the session's counters and what
// its features keep; so they need no locked instruction. A worker that is given a frame of a session that nobody has takes
// the session; one that is given a frame of another's hands it over. Ports that spread sessions well never make it happen;
// it is what makes counters exact and frames stay in order whatever a device hashes by, and where reassembled datagrams come
// from another worker than the session's other frames.

/// The word of a session line that holds features and claim (`culvert_upstream.features` and what follows).
enum Claim {
    /// The word of a session without features that `worker` has. Epoch and worker as `CULVERT_CLAIM` puts them.
    static func word(epoch: UInt64, worker: UInt32) -> UInt32 {
        (UInt32(epoch % 255) + 1) << 24 | (worker & 0xff) << 16
    }

    /// The worker that a word names.
    @inline(__always)
    static func worker(_ word: UInt32) -> UInt32 { word >> 16 & 0xff }
}

extension Forwarder {
    /// Features, learned features and claim of a session, which lie in this order.
    @inline(__always)
    func sessionWord(_ word: UnsafeRawPointer) -> UInt32 {
        culvert_load_relaxed_u32(word.assumingMemoryBound(to: UInt32.self))
    }

    /// Whether this worker has the session whose line's word at `offset` was `word`, or takes it now. False: the frame was
    /// handed to the worker that has it.
    @inline(never)
    func hasClaim(
        _ line: UnsafeMutableRawPointer, at offset: Int, _ word: UInt32, of frame: PacketBuffer, port: UInt32
    ) -> Bool {
        let mine = UInt16(truncatingIfNeeded: plainSession >> 16)
        var found = UInt16(truncatingIfNeeded: word >> 16)
        guard found != mine else { return true }
        if !isLive(found) {
            let place = (line + (offset + 2)).assumingMemoryBound(to: UInt16.self)
            let before = culvert_exchange_u16(place, found, mine)
            if before == found || before == mine { return true }
            found = before
        }
        let owner = UInt32(found & 0xff)
        // culvertd could write what it likes here, a worker that does not exist among it.
        guard owner < workers, owner != worker else { return true }
        handOver(frame, to: owner, port: port)
        return false
    }

    /// Whether a claim is of a worker of this run of the data plane.
    @inline(__always)
    private func isLive(_ claim: UInt16) -> Bool {
        UInt32(claim >> 8) == plainSession >> 24 && UInt32(claim & 0xff) < workers
    }
}
