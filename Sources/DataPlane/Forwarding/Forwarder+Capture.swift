import CDPDK
import CSegment
import Segment
import Wire

// Captures: copies of a session's frames for culvertd, as they came in and as they leave.
//
// A captured session has a bit in its features, so its frames take the long way, and those of all others know nothing of this.
// Copies lie in packet buffers of a pool that is for them alone and go through the punt path with limits and room of their own;
// where any of that is used up the copy is lost and counted, never the frame.
//
// The copy of a frame that comes in is made at the beginning of the long way, when nothing has been changed. It goes on to the
// exchange with the rest of the burst; until then the reason for which the frame is dropped, if it is, can still be written on
// it. A message that waits for its turn outlives that: where it is dropped after all, another copy says so.

/// The captured frame that is on the long way.
struct CapturedArrival {
    /// The frame; nil: none that is captured.
    var frame: OpaquePointer?
    /// Its copy, which lies in the punt buffer; nil: it was lost.
    var copy: OpaquePointer?
}

extension Forwarder {
    /// Copies a frame, whole as it came in on `port`, for the capture of the session in upstream slot `slot`, and remembers the
    /// copy until the frame has left the long way.
    @inline(never)
    func captureArrival(_ frame: PacketBuffer, port: UInt32, slot: UInt32) {
        let copy = capture(frame, .received, length: frame.length, port: port, slot: slot)
        rare.pointee.arrival = CapturedArrival(frame: frame.mbuf, copy: copy?.mbuf)
    }

    /// Says of a message that waited for its turn, and is dropped now, why. Of one that lay in several buffers only the PPP frame
    /// is left: its copy has no octets.
    @inline(never)
    func captureEnd(_ found: DownstreamFrame, _ reason: Counter, slot: UInt32) {
        let isWhole = found.payloadOffset != 0
        _ = capture(
            found.frame, .dropped, length: isWhole ? found.frame.length : 0,
            port: UInt32(culvert_mbuf_port(found.frame.mbuf)), slot: slot, reason: reason)
    }

    /// Puts a finished frame that took the long way into the transmit buffer of a port, which is below the number of ports.
    /// - Parameter slot: the upstream slot of the session that it is captured for; nil: it is not.
    func sendTheLongWay(_ frame: PacketBuffer, port: UInt32, capturedAs slot: UInt32?) {
        guard let slot else { return send(frame, port: port) }
        let copy = capture(frame, .sent, length: frame.length, port: port, slot: slot)
        forgetArrival(frame)
        guard !transmit.append(frame, port) else { return }
        if let copy { note(.transmitFull, on: copy) }
        drop(frame, .transmitFull)
    }

    /// Frees a frame on the long way and counts why, and says so on its copy where it has one.
    @inline(never)
    func refuse(_ frame: PacketBuffer, _ reason: Counter) {
        noteEnd(of: frame.mbuf, reason)
        drop(frame, reason)
    }

    /// As `refuse`, for a condition: false.
    func refused(_ frame: PacketBuffer, _ reason: Counter) -> Bool {
        refuse(frame, reason)
        return false
    }

    /// Writes on the copy of the captured frame on the long way, if `frame` was that one, what it was counted as in the end.
    func noteEnd(of frame: OpaquePointer, _ reason: Counter) {
        guard rare.pointee.arrival.frame == frame else { return }
        if let copy = rare.pointee.arrival.copy { note(reason, on: PacketBuffer(copy)) }
        rare.pointee.arrival = CapturedArrival()
    }

    /// Whether a frame is the captured one that is on the long way.
    func isArrival(_ frame: PacketBuffer) -> Bool { rare.pointee.arrival.frame == frame.mbuf }

    /// A frame has left the long way; its copy goes as it is.
    func forgetArrival(_ frame: PacketBuffer) {
        if rare.pointee.arrival.frame == frame.mbuf { rare.pointee.arrival = CapturedArrival() }
    }

    /// A frame goes on in another buffer.
    func arrival(_ before: OpaquePointer, isNow frame: OpaquePointer) {
        if rare.pointee.arrival.frame == before { rare.pointee.arrival.frame = frame }
    }

    private func note(_ reason: Counter, on copy: PacketBuffer) {
        var note = CaptureNote(of: copy)
        note.mark.reason = UInt8(truncatingIfNeeded: reason.rawValue)
        note.write(to: copy)
    }

    /// A copy of the first octets of a frame, at most `length` of them, in the punt buffer; nil: it was lost and counted, or the
    /// session is not captured any more.
    private func capture(
        _ frame: PacketBuffer, _ point: CapturePoint, length: UInt32, port: UInt32, slot: UInt32,
        reason: Counter? = nil
    ) -> PacketBuffer? {
        let word = UnsafeMutableRawPointer(view.upstream + Int(truncatingIfNeeded: slot & view.sessionMask)) + 56
        guard
            let settings = SessionCapture(word: culvert_load_relaxed_u32(word.assumingMemoryBound(to: UInt32.self)))
        else { return nil }
        count(.captureCopies)
        guard punts.hasRoomForCapture, let pool = rare.pointee.captures else { return lost(.captureNoRoom) }
        guard state.pointee.puntClients.take(.capture, PuntClient(UInt64(slot)), now: state.pointee.now) else {
            return lost(.puntClientLimited(.capture))
        }
        guard punts.take(.capture, now: state.pointee.now) else { return lost(.puntLimited(.capture)) }
        // The last step: the worker never gives a buffer back to the pool itself.
        guard let mbuf = culvert_mbuf_allocate(pool) else { return lost(.captureNoRoom) }
        let copy = PacketBuffer(mbuf)
        let taken = copyOctets(of: frame, to: copy, atMost: min(length, UInt32(settings.length)))
        copy.reframe(shift: 0, length: taken)
        CaptureNote(
            cycles: culvert_cycles(), mark: CaptureMark(number: settings.number, point: point, reason: reason),
            frameLength: frame.length
        ).write(to: copy)
        count(.punted(.capture))
        punts.append(copy, .capture, port: port, slot: slot, detail: 0)
        return copy
    }

    private func lost(_ reason: Counter) -> PacketBuffer? {
        count(reason)
        return nil
    }

    /// Copies the first octets of a frame, which may lie in several buffers, to an empty buffer. Answers how many there were.
    private func copyOctets(of frame: PacketBuffer, to copy: PacketBuffer, atMost limit: UInt32) -> UInt32 {
        let room = min(limit, culvert_mbuf_tailroom(copy.mbuf))
        var taken: UInt32 = 0
        var segment: OpaquePointer? = frame.mbuf
        while let part = segment, taken < room {
            let length = min(culvert_mbuf_data_length(part), room &- taken)
            culvert_copy(
                copy.start + Int(truncatingIfNeeded: taken), culvert_mbuf_data(part), Int(truncatingIfNeeded: length))
            taken &+= length
            segment = culvert_mbuf_next(part)
        }
        return taken
    }
}
