import CDPDK
import CSegment
import Segment

// Sequence numbers of data messages (RFC 2661, section 5.4).
//
// Ns of what a session sends counts up from 0. Whether messages have it is settled when the session is set up (the Sequencing
// Required AVP: both feature bits), or else left to the LNS: a LAC sends sequence numbers from the first message on that came
// with them, and stops with the first one that came without; where it goes on again, it goes on where it stopped.
//
// Of what comes, the next Ns is known. A message that has it is delivered. One that lies among the 32,768 before it is late
// (section 5.8's comparison) and dropped; the others are early. An early one is delivered at once, and those before it are
// given up as missing; or, where the session reorders, it waits for them in the `ReorderBuffer`, which is in its own file.
//
// Numbers that lie far behind are taken for what they are only as long as others come in order. When none has for as long as
// messages are waited for, and late ones go on counting up, then it is this node that is wrong: it was stopped for a while,
// with the number kept in the segment. It goes on with the peer's number (`isResynchronised`).

/// Places in a feature line (`culvert_features`).
private enum Field {
    static var lateSince: Int { 4 }
    static var sequence: Int { 48 }
    static var lateSequence: Int { 50 }
    static var missing: Int { 52 }
    static var late: Int { 56 }
    static var reordered: Int { 60 }
}

// Messages to the core.
extension Forwarder {
    /// Ns and Nr, from high to low halves, of the next message of a session that sends them. The number is used with that.
    @inline(never)
    func takeSequence(_ found: UpstreamFrame) -> UInt32 {
        let line = UnsafeRawPointer(found.line)
        let features = UnsafeMutableRawPointer(view.upstreamFeatures + (found.line - view.upstream))
        let partner = line.load(fromByteOffset: 24, as: UInt32.self) & view.sessionMask
        let place = (features + Field.sequence).assumingMemoryBound(to: UInt16.self)
        let sequence = culvert_load_relaxed_u16(place)
        culvert_store_relaxed_u16(place, sequence &+ 1)
        let other = UnsafeMutableRawPointer(view.downstreamFeatures + Int(truncatingIfNeeded: partner))
        return UInt32(sequence) << 16 | UInt32(expected(other).pointee)
    }

    /// Where a feature line says which Ns is next.
    @inline(__always)
    private func expected(_ features: UnsafeMutableRawPointer) -> UnsafeMutablePointer<UInt16> {
        (features + Field.sequence).assumingMemoryBound(to: UInt16.self)
    }
}

// Messages to the access side.
extension Forwarder {
    /// Whether it is a message's turn. False: it was dropped, or waits for those before it.
    /// - Parameters:
    ///   - word: the session line's word of features and claim.
    ///   - port: the one that it came in by.
    @inline(__always)
    func isInSequence(_ found: DownstreamFrame, _ word: UInt32, port: UInt32) -> Bool {
        let isPlain = found.isSequenced | featuresInForce(word) & SessionFeature.sequenced == 0
        return isPlain && heldMessages == 0 ? true : checkSequence(found, word, port: port)
    }

    /// Delivers what waited for the message that was delivered just now.
    @inline(__always)
    func releaseInOrder(_ found: DownstreamFrame) {
        if heldMessages != 0 { releaseNext(UInt32(truncatingIfNeeded: found.line - view.downstream)) }
    }

    /// Messages that wait for those before them: frames that came in and have not ended yet.
    @inline(__always)
    public var heldMessages: UInt32 { reordering.count }

    /// Delivers the messages that have waited long enough at `now`, in cycles, and those after them. To be called once a round,
    /// after `setTime`, with transmit buffers that have room as `receive` needs it.
    /// - Returns: whether there were any. Then copies of captured ones may wait in the punt buffer.
    @inline(__always) @discardableResult
    public func expireMessages(now: UInt64) -> Bool {
        guard now >= reordering.due else { return false }
        releaseDue(now)
        return true
    }
}

extension Forwarder {
    @inline(never)
    private func checkSequence(_ found: DownstreamFrame, _ word: UInt32, port: UInt32) -> Bool {
        let slot = UInt32(truncatingIfNeeded: found.line - view.downstream)
        guard found.isSequenced != 0 else {
            guard word & SessionFeature.sequenced == 0 else { return refused(found.frame, .sequenceRequired) }
            if word >> 8 & SessionFeature.sequenced != 0 { learn(found, sequenced: false) }
            releaseAll(slot)
            return true
        }
        if word >> 8 & SessionFeature.sequenced == 0 { learn(found, sequenced: true) }
        if word & SessionFeature.reordered == 0 { releaseAll(slot) }
        let features = UnsafeMutableRawPointer(view.downstreamFeatures + Int(truncatingIfNeeded: slot))
        let sequence = UInt16(truncatingIfNeeded: found.sequence >> 16)
        var distance = sequence &- culvert_load_relaxed_u16(expected(features))
        let window = reorderLimits.window
        if distance >= window, distance < 0x8000, word & SessionFeature.reordered != 0 {
            // The first of those that are waited for are given up, as many as it takes.
            giveUp(slot, features, before: sequence &- (window &- 1))
            distance = sequence &- culvert_load_relaxed_u16(expected(features))
        }
        if distance >= 0x8000 {
            guard isResynchronised(features, sequence) else { return isLate(found, features) }
            releaseAll(slot)
        } else if distance != 0, word & SessionFeature.reordered != 0 {
            hold(found, slot, features, sequence, port: port)
            return false
        }
        accept(features, sequence)
        return true
    }

    /// Makes both directions of a session send and expect sequence numbers, or neither, as the peer does.
    private func learn(_ found: DownstreamFrame, sequenced: Bool) {
        let learned = sequenced ? UInt8(SessionFeature.sequenced) : 0
        let line = UnsafeMutableRawPointer(found.line)
        culvert_store_relaxed_u8((line + 33).assumingMemoryBound(to: UInt8.self), learned)
        let partner = line.load(fromByteOffset: 12, as: UInt32.self) & view.sessionMask
        let other = UnsafeMutableRawPointer(view.upstream + Int(truncatingIfNeeded: partner))
        guard entryState(other) == EntryState.forward,
            other.load(fromByteOffset: 24, as: UInt32.self) == UInt32(truncatingIfNeeded: found.line - view.downstream)
        else { return }
        culvert_store_relaxed_u8((other + 29).assumingMemoryBound(to: UInt8.self), learned)
    }

    /// Makes the message after `sequence` the next one, and counts those that were skipped.
    private func accept(_ features: UnsafeMutableRawPointer, _ sequence: UInt16) {
        skip(features, to: sequence)
        culvert_store_relaxed_u16(expected(features), sequence &+ 1)
        let lateSince = (features + Field.lateSince).assumingMemoryBound(to: UInt32.self)
        if lateSince.pointee != 0 { culvert_store_relaxed_u32(lateSince, 0) }
    }

    /// Counts the messages from the next one to the one before `sequence` as missing, unless it lies behind.
    private func skip(_ features: UnsafeMutableRawPointer, to sequence: UInt16) {
        let gap = sequence &- culvert_load_relaxed_u16(expected(features))
        guard gap != 0, gap < 0x8000 else { return }
        add(UInt32(gap), features + Field.missing)
        count(.sequenceMissing, UInt64(gap))
        culvert_store_relaxed_u16(expected(features), sequence)
    }

    /// Drops a message that came too late, or again.
    private func isLate(_ found: DownstreamFrame, _ features: UnsafeMutableRawPointer) -> Bool {
        add(1, features + Field.late)
        return refused(found.frame, .sequenceLate)
    }

    /// Whether a late message shows that the numbers are to be taken from the peer anew: none has come in order since the first
    /// late one, that is longer ago than messages are waited for, and this one comes after it.
    private func isResynchronised(_ features: UnsafeMutableRawPointer, _ sequence: UInt16) -> Bool {
        // In units of 2^20 cycles, about half a millisecond, which come round in 20 days. 0 says that none is late.
        let now = max(UInt32(truncatingIfNeeded: state.pointee.now >> 20), 1)
        let since = (features + Field.lateSince).assumingMemoryBound(to: UInt32.self)
        let first = (features + Field.lateSequence).assumingMemoryBound(to: UInt16.self)
        guard since.pointee != 0 else {
            culvert_store_relaxed_u32(since, now)
            culvert_store_relaxed_u16(first, sequence)
            return false
        }
        let progress = sequence &- first.pointee
        let timeout = max(UInt32(truncatingIfNeeded: reorderTimeout >> 20), 1)
        return now &- since.pointee > timeout && progress != 0 && progress < 0x8000
    }

    private func add(_ amount: UInt32, _ counter: UnsafeMutableRawPointer) {
        let word = counter.assumingMemoryBound(to: UInt32.self)
        culvert_store_relaxed_u32(word, word.pointee &+ amount)
    }
}

// Messages that wait.
extension Forwarder {
    /// Puts an early message aside, if there is a place for it.
    private func hold(
        _ found: DownstreamFrame, _ slot: UInt32, _ features: UnsafeMutableRawPointer, _ sequence: UInt16,
        port: UInt32
    ) {
        let identity = identity(UnsafeRawPointer(found.line))
        // What waits for the session that was here before is not in its way.
        if let first = reordering.first(of: slot), first.identity != identity { releaseAll(slot) }
        let insertion = reordering.insert(
            HeldMessage(
                mbuf: found.frame.mbuf, identity: identity, deadline: state.pointee.now &+ reorderTimeout, slot: slot,
                tunnel: found.tunnel, payloadOffset: found.payloadOffset, payloadLength: found.payloadLength,
                sessionID: found.sessionID, sequence: sequence))
        switch insertion {
        case .held:
            // Where it came in by, should it be dropped when its turn has come.
            culvert_mbuf_set_port(found.frame.mbuf, UInt16(truncatingIfNeeded: port))
            forgetArrival(found.frame)
            add(1, features + Field.reordered)
            count(.sequenceReordered)
        case .repeated: _ = isLate(found, features)
        case .full: refuse(found.frame, .sequenceOverflow)
        }
    }

    /// What tells the client of a session from that of another one in the same slot: its address, and its PPPoE session id.
    private func identity(_ line: UnsafeRawPointer) -> UInt64 {
        let length = Int(line.load(fromByteOffset: 10, as: UInt8.self))
        guard length >= 20, length <= 28 else { return 0 }
        let addresses = line.loadUnaligned(fromByteOffset: 64 &- length, as: UInt64.self)
        return addresses &* 0x9e37_79b9_7f4a_7c15 ^ line.load(fromByteOffset: 56, as: UInt64.self)
    }

    /// Delivers those of a session's waiting messages whose turn it is.
    @inline(never)
    private func releaseNext(_ slot: UInt32) {
        let features = UnsafeMutableRawPointer(view.downstreamFeatures + Int(truncatingIfNeeded: slot))
        while let first = reordering.first(of: slot), first.sequence == culvert_load_relaxed_u16(expected(features)) {
            releaseFirst(of: slot)
        }
    }

    /// Delivers all of a session's waiting messages, and gives up what they waited for.
    private func releaseAll(_ slot: UInt32) {
        guard heldMessages != 0 else { return }
        while releaseFirst(of: slot) {}
    }

    /// Delivers a session's messages from before `sequence`, gives up what is missing among them, and goes on with those whose turn
    /// it is then.
    private func giveUp(_ slot: UInt32, _ features: UnsafeMutableRawPointer, before sequence: UInt16) {
        while let first = reordering.first(of: slot), first.sequence != sequence,
            sequence &- first.sequence < 0x8000
        {
            releaseFirst(of: slot)
        }
        skip(features, to: sequence)
        releaseNext(slot)
    }

    /// Delivers what is due at `now`. It stops after some hundred messages: transmit buffers have to hold them.
    @inline(never)
    private func releaseDue(_ now: UInt64) {
        let enough = heldMessages > 256 ? heldMessages &- 256 : 0
        while now >= reordering.due, heldMessages > enough {
            let slot = reordering.oldestSlot
            let last = reordering.oldestSequence
            while let first = reordering.first(of: slot) {
                releaseFirst(of: slot)
                if first.sequence == last { break }
            }
            releaseNext(slot)
        }
    }

    /// Delivers a session's first waiting message to the session that it came for, if that is still there. False: none waits.
    @discardableResult
    private func releaseFirst(of slot: UInt32) -> Bool {
        guard let message = reordering.popFirst(of: slot) else { return false }
        let frame = PacketBuffer(message.mbuf)
        let entry = view.downstream + Int(truncatingIfNeeded: slot)
        let line = UnsafeMutableRawPointer(entry)
        let word = sessionWord(line + 32)
        guard entryState(line) == EntryState.forward, (word ^ plainSession) >> 16 == 0,
            line.load(fromByteOffset: 4, as: UInt32.self) == message.tunnel,
            line.load(fromByteOffset: 8, as: UInt16.self) == message.sessionID.bigEndian,
            identity(line) == message.identity
        else {
            drop(frame, .l2tpSessionUnknown)
            return true
        }
        let features = UnsafeMutableRawPointer(view.downstreamFeatures + Int(truncatingIfNeeded: slot))
        if message.sequence &- culvert_load_relaxed_u16(expected(features)) < 0x8000 {
            accept(features, message.sequence)
        }
        deliver(
            DownstreamFrame(
                frame: frame, line: entry, tunnel: message.tunnel, sessionID: message.sessionID, peerAddress: 0,
                localAddress: 0, ports: 0, ipv6Offset: 0, payloadOffset: message.payloadOffset,
                payloadLength: message.payloadLength, sequence: UInt32(message.sequence) << 16,
                special: frame.isChained ? 3 : 1), word)
        return true
    }
}
