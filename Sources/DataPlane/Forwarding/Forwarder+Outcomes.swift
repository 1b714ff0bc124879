import CDPDK
import CSegment
import Segment

// Where frames end that are not forwarded. These are calls, not inlined: they are rare, and the loops stay small.
extension Forwarder {
    /// Frees a frame and counts why. It is one call of a function that is marked as cold, wherever it stands: so the compiler
    /// knows of every branch that ends here that it is not the usual one.
    @inline(__always)
    func drop(_ frame: PacketBuffer, _ reason: Counter) {
        culvert_mbuf_drop(frame.mbuf, counters + reason.rawValue)
    }

    /// Puts a frame aside for culvertd, or drops it when its sender or its class has had its share.
    /// - Parameters:
    ///   - slot: the session's upstream slot for `pppControl` and `tooBig`.
    ///   - tunnel: the tunnel's index for `l2tpControl`.
    ///   - detail: for `tooBig`, octets of the largest PPP frame that would have passed.
    /// - Returns: what it was counted as.
    @inline(never) @discardableResult
    func punt(
        _ frame: PacketBuffer, _ punt: PuntClass, port: UInt32, slot: UInt32 = CULVERT_NO_INDEX,
        tunnel: UInt32 = CULVERT_NO_INDEX, detail: UInt16 = 0
    ) -> Counter {
        // The exchange copies from one buffer. What fits a slot fits one, unless a port's are smaller than ours.
        guard frame.length <= CULVERT_FRAME_CAPACITY, !frame.isChained else { return dropped(frame, .puntTooLong) }
        guard punts.hasRoom else { return dropped(frame, .puntRingFull) }
        // The client's own share first: one that floods must not use up what all clients have together.
        let sender = sender(of: frame, punt, port: port, slot: slot, tunnel: tunnel)
        let now = state.pointee.now
        guard state.pointee.puntClients.take(punt, sender.client, now: now) else {
            return dropped(frame, .puntClientLimited(punt))
        }
        guard state.pointee.puntShares.hasRanks(punt) else {
            guard punts.take(punt, now: now) else { return dropped(frame, .puntLimited(punt)) }
            return hand(frame, punt, port: port, slot: slot, detail: detail)
        }
        // Then who goes first: those on lines that send little.
        let rank = state.pointee.puntShares.rank(punt, sender, port: port, now: now)
        guard rank != .beyond || punts.hasRoomBeyondShares else { return dropped(frame, .puntRingFull) }
        guard punts.take(punt, now: now, rank: rank) else {
            return dropped(frame, rank == .within ? .puntLimited(punt) : .puntShareLimited(punt))
        }
        if rank == .beyond { state.pointee.puntShares.admit(punt, sender, now: now) }
        return hand(frame, punt, port: port, slot: slot, detail: detail, isBeyondShare: rank == .beyond)
    }

    private func hand(
        _ frame: PacketBuffer, _ punt: PuntClass, port: UInt32, slot: UInt32, detail: UInt16,
        isBeyondShare: Bool = false
    ) -> Counter {
        count(.punted(punt))
        punts.append(frame, punt, port: port, slot: slot, detail: detail, isBeyondShare: isBeyondShare)
        return .punted(punt)
    }

    private func dropped(_ frame: PacketBuffer, _ reason: Counter) -> Counter {
        drop(frame, reason)
        return reason
    }

    /// Puts a finished frame into the transmit buffer of a port, which is below the number of ports.
    @inline(__always)
    func send(_ frame: PacketBuffer, port: UInt32) {
        if !transmit.append(frame, port) { drop(frame, .transmitFull) }
    }

    /// Hands a frame, whole as it came in on `port`, to another worker, which is below the number of workers.
    @inline(never)
    func handOver(_ frame: PacketBuffer, to worker: UInt32, port: UInt32) {
        culvert_mbuf_set_port(frame.mbuf, UInt16(truncatingIfNeeded: port))
        guard dispatch.append(frame, worker) else { return drop(frame, .dispatchRingFull) }
    }

    /// Adds to a counter.
    @inline(__always)
    func count(_ counter: Counter, _ amount: UInt64 = 1) {
        culvert_add_single_writer_u64(counters + counter.rawValue, amount)
    }
}
