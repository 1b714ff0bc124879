import CDPDK
import CSegment
import Forwarding
import Segment
import Wire

// What must hold of everything that comes out, and of everything that does not.
extension Churn {
    /// Takes what has come out of the ports and what was given to the control plane, and judges it.
    func drain() {
        for (port, ends) in host.ports.enumerated() {
            while true {
                let count = Int(culvert_ring_dequeue(ends.fromNode, received, 32))
                guard count > 0 else { break }
                for place in 0..<count {
                    guard let mbuf = received[place] else { continue }
                    let buffer = PacketBuffer(mbuf)
                    judge(UnsafeRawBufferPointer(start: buffer.start, count: Int(buffer.length)), port: port)
                    buffer.free()
                }
            }
        }
        while (host.exchange?.iterate() ?? 0) > 0 {}
        while let (descriptor, octets) = host.punts.take() {
            octets.withUnsafeBytes {
                if descriptor.puntClass == PuntClass.capture.rawValue {
                    judgeCopy($0, descriptor)
                } else {
                    judgePunted($0, descriptor)
                }
            }
        }
    }

    /// Which frame this was and whose, as its last octets say; nil, and a failure, when there is none such under way.
    private func find(_ octets: UnsafeRawBufferPointer, _ place: String) -> (frame: ChurnFrame, life: Int)? {
        guard octets.count >= 14 + Self.mark else {
            fail("\(place): a frame of \(octets.count) octets")
            return nil
        }
        func word(_ back: Int) -> UInt32 {
            UInt32(bigEndian: octets.loadUnaligned(fromByteOffset: octets.count - back, as: UInt32.self))
        }
        let serial = UInt64(word(8)) << 32 | UInt64(word(4))
        let slot = Int(serial & UInt64(Self.frames - 1))
        let frame = flight[slot]
        guard frame.serial == serial, !frame.hasEnded, word(16) == frame.number, word(12) == frame.generation else {
            fail("\(place): frame \(serial) of session \(word(16)).\(word(12)) is not under way")
            return nil
        }
        flight[slot].hasEnded = true
        let index = index(frame.number, frame.generation)
        guard lives[index].generation == frame.generation else {
            fail("\(place): frame \(serial) comes after its session's record has gone")
            return nil
        }
        return (frame, index)
    }

    private func judge(_ octets: UnsafeRawBufferPointer, port: Int) {
        guard let (frame, index) = find(octets, "port \(port)") else { return }
        let life = lives[index]
        let length = UInt64(pppLength(frame))
        if frame.isUpstream {
            tally.out.up += 1
            tally.outOctets.up += length
            lives[index].upstreamOut.frames += 1
            lives[index].upstreamOut.octets += length
            judgeEncapsulated(octets, frame, life, port)
        } else {
            tally.out.down += 1
            tally.outOctets.down += length
            lives[index].downstreamOut.frames += 1
            lives[index].downstreamOut.octets += length
            writeUpstream(frame, life, toClient: true)
            if port != Int(ChurnCircuit(life.circuit).port) || !text.equals(octets) {
                misdelivered("downstream", octets, frame, port)
            }
        }
        if !life.isForwarded { fail("\(name(frame)) was forwarded before the session was") }
        if life.removedTick <= frame.tick { fail("\(name(frame)) was sent after the session's end and forwarded") }
    }

    private func judgeEncapsulated(
        _ octets: UnsafeRawBufferPointer, _ frame: ChurnFrame, _ life: ChurnLife, _ port: Int
    ) {
        let nextHop = UInt64(bigEndian: octets.loadUnaligned(as: UInt64.self)) >> 16
        guard let header = ChurnHeader(nextHop: nextHop), header.serial == life.tunnelSerial else {
            return misdelivered("upstream", octets, frame, port)
        }
        let outer = header.outer
        // Right behind the Ethernet header, its tag, and the first four octets of the IPv4 header.
        let identification = UInt16(
            bigEndian: octets.loadUnaligned(fromByteOffset: outer.tag == nil ? 18 : 22, as: UInt16.self))
        writeEncapsulated(frame, life, outer, identification: identification)
        guard port == Int(outer.egressPort), text.equals(octets) else {
            return misdelivered("upstream", octets, frame, port)
        }
        let tunnel = tunnels[Int(life.tunnelPlace)]
        // Sent before the session was forwarded: then any version that the tunnel has had since will do.
        let earliest = life.forwardTick <= frame.tick ? frame.version : 0
        let latest = tunnel.serial == life.tunnelSerial ? tunnel.inForce : .max
        if header.version < earliest || header.version > latest {
            fail("\(name(frame)) went by header \(header.version), \(earliest) to \(latest) were in force")
        }
    }

    /// A copy for a capture: its frame says in its last octets whose it is, and its number whose capture.
    private func judgeCopy(_ octets: UnsafeRawBufferPointer, _ descriptor: FrameDescriptor) {
        tally.copies += 1
        guard octets.count >= 14 + Self.mark, Int(descriptor.detail) == octets.count else {
            return fail("a copy of \(octets.count) octets of \(descriptor.detail)")
        }
        func word(_ back: Int) -> UInt32 {
            UInt32(bigEndian: octets.loadUnaligned(fromByteOffset: octets.count - back, as: UInt32.self))
        }
        guard let owner = captured[descriptor.capture.number] else {
            return fail("a copy for capture \(descriptor.capture.number), which there never was")
        }
        if owner != (word(16), word(12)) {
            fail("session \(word(16)).\(word(12)) was copied to the capture of \(owner.number).\(owner.generation)")
        }
    }

    private func judgePunted(_ octets: UnsafeRawBufferPointer, _ descriptor: FrameDescriptor) {
        tally.punted += 1
        guard let (frame, index) = find(octets, "punt") else { return }
        let life = lives[index]
        let circuit = ChurnCircuit(life.circuit)
        writeUpstream(frame, life, toClient: false)
        if !frame.isUpstream || descriptor.port != circuit.port || !text.equals(octets) {
            return fail("\(name(frame)) was given to the control plane and is another")
        }
        switch PuntClass(rawValue: descriptor.puntClass) {
        case .pppControl:
            if descriptor.upstreamSlot != life.upstream.rawValue {
                fail("\(name(frame)) was given to the control plane for slot \(descriptor.upstreamSlot)")
            }
            if life.forwardTick <= frame.tick || life.removedTick <= frame.tick {
                fail("\(name(frame)) was given to the control plane as negotiation")
            }
        case .unknownSession:
            if !life.isRemoved { fail("\(name(frame)) belongs to a session and was called unknown") }
        default:
            fail("\(name(frame)) was given to the control plane as class \(descriptor.puntClass)")
        }
    }

    private func name(_ frame: ChurnFrame) -> String {
        "frame \(frame.serial) \(frame.isUpstream ? "up" : "down") of session \(frame.number).\(frame.generation)"
    }

    private func misdelivered(
        _ direction: String, _ octets: UnsafeRawBufferPointer, _ frame: ChurnFrame, _ port: Int
    ) {
        fail(
            "MISDELIVERED \(direction): \(name(frame)) on port \(port) with \(hexadecimal(octets.prefix(64)))"
                + ", nearest \(hexadecimal(text.bytes.prefix(64)))")
    }
}

// Frames that have ended without coming out.
extension Churn {
    private var loops: UInt64 { culvert_load_acquire_u64(&segment.view.workers.pointee.loops) }

    /// Finds out how far the worker has got. A frame that it has taken has come out, was punted or dropped once the round in
    /// which it was taken is over; so what was sent before and is not out at the next look never comes.
    func advanceSweep() {
        switch sweep {
        case .idle:
            if nextFrame > settledFrame { sweep = .taking(upTo: nextFrame, counts: injected) }
        case .taking(let upTo, let counts):
            let isTaken = counts.indices.allSatisfy { port in
                injected[port] - UInt64(culvert_ring_count(host.ports[port].toNode)) >= counts[port]
            }
            if isTaken { sweep = .finishing(upTo: upTo, loops: loops + 2) }
        case .finishing(let upTo, let target):
            if loops >= target { sweep = .looking(upTo: upTo) }
        case .looking(let upTo):
            for serial in settledFrame..<upTo { settle(serial) }
            settledFrame = upTo
            sweep = .idle
        }
    }

    private func settle(_ serial: UInt64) {
        let place = Int(serial & UInt64(Self.frames - 1))
        let frame = flight[place]
        guard !frame.hasEnded else { return }
        flight[place].hasEnded = true
        tally.dropped += 1
        let life = lives[index(frame.number, frame.generation)]
        // Upstream frames of a session in negotiation are punted; downstream there are none before it is forwarded.
        if life.generation != frame.generation || !life.isRemoved {
            fail("\(name(frame)) did not come out, though the session was there all the time")
        }
    }
}

// Sums.
extension Churn {
    /// A life that is over: what came out is what the writer was told at its end.
    func audit(_ number: UInt32, _ index: Int) {
        let life = lives[index]
        tally.lives += 1
        guard let totals = life.totals else { return fail("session \(number).\(life.generation) was never freed") }
        tally.totals.up += totals.upstreamPackets
        tally.totals.down += totals.downstreamPackets
        tally.totals.upOctets += totals.upstreamOctets
        tally.totals.downOctets += totals.downstreamOctets
        guard totals.upstreamPackets == life.upstreamOut.frames, totals.upstreamOctets == life.upstreamOut.octets,
            totals.downstreamPackets == life.downstreamOut.frames,
            totals.downstreamOctets == life.downstreamOut.octets
        else {
            return fail(
                "session \(number).\(life.generation): final counters \(totals), came out \(life.upstreamOut) up, "
                    + "\(life.downstreamOut) down")
        }
    }

    /// The worker's counter.
    private func counter(_ counter: Counter) -> UInt64 {
        let first = UnsafeMutableRawPointer(segment.view.workers) + 64 + 8 * counter.rawValue
        return culvert_load_relaxed_u64(first.assumingMemoryBound(to: UInt64.self))
    }

    /// Reasons for which frames are dropped here: their session has gone, or its circuit or tunnel after it.
    private static let reasons: [Counter] = [
        .circuitUnknown, .tunnelNotForwarding, .l2tpTunnelUnknown, .l2tpPeerMismatch, .l2tpSessionUnknown,
    ]

    /// Frames that the worker has dropped.
    var dropCount: UInt64 { Self.reasons.reduce(0) { $0 + counter($1) } }

    /// Everything is over: all that came in is somewhere, and nothing is left.
    func balance() {
        func same(_ what: String, _ found: some Equatable, _ expected: some Equatable) {
            if "\(found)" != "\(expected)" { fail("\(what): \(found), expected \(expected)") }
        }
        for number in 0..<sessions {
            for index in 4 * Int(number)..<4 * Int(number) + 4 where lives[index].generation != 0 {
                audit(number, index)
            }
        }
        same("frames under way", nextFrame - settledFrame, 0)
        same("lives", tally.lives, tally.added)
        same("removals", tally.removed, tally.added)
        same("rx_access_frames", counter(.rxAccessFrames), tally.sent.up)
        same("rx_core_frames", counter(.rxCoreFrames), tally.sent.down)
        same("encapsulated_frames", counter(.encapsulatedFrames), tally.out.up)
        same("encapsulated_octets", counter(.encapsulatedOctets), tally.outOctets.up)
        same("tx_core_frames", counter(.txCoreFrames), tally.out.up)
        same("decapsulated_frames", counter(.decapsulatedFrames), tally.out.down)
        same("decapsulated_octets", counter(.decapsulatedOctets), tally.outOctets.down)
        same("tx_access_frames", counter(.txAccessFrames), tally.out.down)
        same("punts", counter(.puntedPPPControl) + counter(.puntedUnknownSession), tally.punted)
        same("drops", dropCount, tally.dropped)
        let inputs = Counter.allCases.filter { $0.role == .input }.reduce(0) { $0 + counter($1) }
        let terminals = Counter.allCases.filter { $0.role == .terminal }.reduce(0) { $0 + counter($1) }
        same("terminals", terminals, inputs)
        let expected =
            Self.reasons + [.txAccessFrames, .txCoreFrames, .puntedPPPControl, .puntedUnknownSession, .puntedCapture]
            + [.captureNoRoom]
        for other in Counter.allCases where other.role == .terminal && !expected.contains(other) {
            same(other.name, counter(other), 0)
        }
        same("copies", tally.copies + FrameRing.droppedCaptures(segment.view.puntRing), counter(.puntedCapture))
        same("punt ring's drops", FrameRing.dropped(segment.view.puntRing), 0)
        same("final counters up", tally.totals.up, tally.out.up)
        same("final counters down", tally.totals.down, tally.out.down)
        same("final octets up", tally.totals.upOctets, tally.outOctets.up)
        same("final octets down", tally.totals.downOctets, tally.outOctets.down)
        same("packet buffers in use", host.buffersInUse, 0)
        same("places", writer.occupancy, start)
    }

    /// What happened, for whoever reads along.
    var report: [String] {
        let sent = tally.sent.up + tally.sent.down
        var lines = [
            "\(tally.added) sessions added and removed, at most \(tally.mostLive) at once, \(tally.refused) refused",
            "\(tally.tunnelsMade) tunnels made and removed, \(tally.swung) headers changed, \(tally.strikes) stops of the worker",
            "\(tally.captures) captures, \(tally.copies) copies",
            "\(sent) frames sent, \(tally.out.up) came out up, \(tally.out.down) down",
        ]
        for name in Self.reasons + [.puntedPPPControl, .puntedUnknownSession] {
            lines.append("\(counter(name)) \(name.name)")
        }
        return lines
    }
}
