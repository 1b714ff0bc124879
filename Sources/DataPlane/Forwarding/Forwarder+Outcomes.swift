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

    /// Puts a frame aside for culvertd, or drops it when its class has had its share.
    /// - Parameter slot: the session's upstream slot for `pppControl`.
    @inline(never)
    func punt(_ frame: PacketBuffer, _ punt: PuntClass, port: UInt32, slot: UInt32 = CULVERT_NO_INDEX) {
        guard frame.length <= CULVERT_FRAME_CAPACITY else { return drop(frame, .puntTooLong) }
        guard punts.hasRoom else { return drop(frame, .puntRingFull) }
        guard punts.take(punt, now: state.pointee.now) else { return drop(frame, .puntLimited(punt)) }
        count(.punted(punt))
        punts.append(frame, punt, port: port, slot: slot)
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
