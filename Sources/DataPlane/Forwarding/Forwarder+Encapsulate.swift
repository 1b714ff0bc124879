import CDPDK
import CSegment
import Segment
import Wire

// Stages 2 to 4 from access to core: PPPoE session frames become L2TP data messages.
extension Forwarder {
    /// Stage 2: is the line that the session id named the session of this circuit, client and id? Then to its tunnel.
    func verifySessions(_ count: Int, port: UInt32) -> Int {
        var kept = 0
        for index in 0..<count {
            let found = upstream[index]
            let line = UnsafeRawPointer(found.line)
            let state = entryState(line)
            guard line.load(fromByteOffset: 8, as: UInt64.self) == found.key,
                line.load(fromByteOffset: 4, as: UInt32.self) == found.circuit,
                state == EntryState.forward || state == EntryState.punt
            else {
                punt(found.frame, .unknownSession, port: port)
                continue
            }
            guard mostly(state == EntryState.forward) else {
                let slot = UInt32(truncatingIfNeeded: found.line - view.upstream)
                punt(found.frame, .pppControl, port: port, slot: slot)
                continue
            }
            let word = sessionWord(line + 28)
            if rarely(word != plainSession) {
                guard hasClaim(found.line, at: 28, word, of: found.frame, port: port) else { continue }
                let slot = found.line - view.upstream
                culvert_prefetch(view.upstreamFeatures + slot)
            }
            let tunnel = line.load(fromByteOffset: 16, as: UInt32.self) & view.tunnelMask
            culvert_prefetch(view.tunnels + Int(truncatingIfNeeded: tunnel))
            if rarely(kept != index) { upstream[kept] = upstream[index] }
            upstream[kept].tunnel = tunnel
            kept &+= 1
        }
        return kept
    }

    /// Stage 3: the template that is in force in each tunnel.
    func selectTemplates(_ count: Int, port: UInt32) -> Int {
        var kept = 0
        for index in 0..<count {
            let found = upstream[index]
            let tunnel = UnsafeRawPointer(view.tunnels + Int(truncatingIfNeeded: found.tunnel))
            guard mostly(entryState(tunnel) == EntryState.forward) else {
                dropWithoutTunnel(upstream[index], port: port)
                continue
            }
            let selector = culvert_load_acquire_u8((tunnel + 5).assumingMemoryBound(to: UInt8.self)) & 1
            let template = UnsafeRawPointer(
                view.templates + (Int(truncatingIfNeeded: found.tunnel) &* 2 &+ Int(selector)))
            culvert_prefetch(template)
            culvert_prefetch(template + 64)
            if rarely(kept != index) { upstream[kept] = upstream[index] }
            upstream[kept].template = template
            kept &+= 1
        }
        return kept
    }

    /// Stage 4: the template in front of the PPP frame, and what differs from packet to packet.
    func encapsulate(_ count: Int, port: UInt32) {
        var (frames, octets): (UInt64, UInt64) = (0, 0)
        var identification = state.pointee.identification
        let step = state.pointee.identificationStep
        for index in 0..<count {
            let found = upstream[index]
            let template = OuterTemplate(found.template)
            let session = UnsafeMutableRawPointer(found.line)
            let payload = found.frame.start + Int(truncatingIfNeeded: found.payloadOffset)
            guard mostly(sessionWord(session + 28) == plainSession), mostly(template.isPlain),
                mostly(template.ipHeaderToPayload &+ found.payloadLength <= template.mtu),
                mostly(found.frame.headroom &+ found.payloadOffset >= OuterTemplate.room),
                mostly(template.port < portCount),
                let trafficClass = template.trafficClass(of: payload, length: found.payloadLength)
            else {
                encapsulateTheLongWay(upstream[index], template, &identification, port: port)
                continue
            }
            template.write(
                before: payload, length: found.payloadLength, trafficClass: trafficClass,
                identification: UInt16(truncatingIfNeeded: identification))
            OuterTemplate.write(peerSession: session.load(fromByteOffset: 20, as: UInt16.self), before: payload)
            identification &+= step
            found.frame.reframe(
                shift: Int32(bitPattern: found.payloadOffset &- template.length),
                length: template.length &+ found.payloadLength)
            countSession(session + 32, octets: found.payloadLength)
            frames &+= 1
            octets &+= UInt64(found.payloadLength)
            send(found.frame, port: template.port)
        }
        state.pointee.identification = identification
        self.count(.encapsulatedFrames, frames)
        self.count(.encapsulatedOctets, octets)
    }

    /// Adds a frame to a session's counters, packets and octets beside each other at `counters`.
    @inline(__always)
    func countSession(_ counters: UnsafeMutableRawPointer, octets: UInt32) {
        let words = counters.assumingMemoryBound(to: UInt64.self)
        culvert_add_single_writer_u64(words, 1)
        culvert_add_single_writer_u64(words + 1, UInt64(octets))
    }
}
